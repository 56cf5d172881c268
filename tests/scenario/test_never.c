/* What must never happen, whatever people, crashes and clocks do in between: a key lost whose CSR may have left, a record left behind, a wrong
 * set installed, a submission asked for twice, a hand-over that reaches another order. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "cert/csr.h"
#include "tests/scenario/issuer.h"
#include "tests/scenario/scene.h"

#define TWO_NAMES "names = www.example.hk example.hk\nproduct = multi-domain\n"

static struct strs shop(void)
{
    struct strs s = {0};
    strs_add(&s, "shop");
    return s;
}

static bool there(const char *name)
{
    struct stat st;
    return lstat(scene_path(name), &st) == 0;
}

/* Handed over while a run holds the lock: the next run finds it in the inbox. */
static void in_inbox(const char *kind, const char *text)
{
    struct store *s;
    struct err e = {0};
    assert_true(store_open(&s, scene_path("state"), true, &e));
    assert_true(inbox_put(s, "shop", kind, "", text_of(text), 0, &e));
    store_close(s);
}

static void copy(const char *from, const char *to)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        execlp("cp", "cp", "-a", "--", scene_path(from), scene_path(to), (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* The key of an order is where its CSR was made, whatever the section says by now. */
static void csr_file_comes(void **state)
{
    (void)state;
    char conf[512], *pem = issuer_csr("www.example.hk");
    struct err e = {0};
    assert_true(fs_replace(scene_path("iis.csr"), pem, strlen(pem), 0644, &e));
    free(pem);
    snprintf(conf, sizeof conf, TWO_NAMES "csr_file = %s", scene_path("iis.csr"));
    walk("shop", TO_IMPORT);
    config(.shop = conf);
    import("shop", 199);
    run_gives(RC_OK);
    at("shop", "done", "");
    assert_true(there("state/live/shop/privkey.pem"));
}

static void csr_file_goes(void **state)
{
    (void)state;
    char conf[512], *pem = issuer_csr("www.example.hk");
    struct err e = {0};
    assert_true(fs_replace(scene_path("iis.csr"), pem, strlen(pem), 0644, &e));
    free(pem);
    snprintf(conf, sizeof conf, TWO_NAMES "csr_file = %s", scene_path("iis.csr"));
    config(.shop = conf);
    walk("shop", TO_IMPORT);
    config(0);
    import("shop", 199);
    run_gives(RC_OK);
    at("shop", "done", "");
    assert_false(there("state/live/shop/privkey.pem"));
    assert_true(there("state/live/shop/fullchain.pem"));
}

/* A person pastes what lies in csr/NAME.pem: it must be this order's, though it could not be written at first. */
static void csr_for_people(void **state)
{
    (void)state;
    struct strs names = shop();
    struct saved_order o = {0};
    struct str want = STR_INIT(65536);
    char *text;
    size_t n;
    walk("shop", TO_DONE);
    later(DAY);
    run_with(RC_LATER, .force = true, .names = &names);
    walk("shop", TO_CONFIRM);
    hand("shop", "confirmed", "");
    assert_int_equal(rename(scene_path("state/csr"), scene_path("state/elsewhere")), 0);
    assert_true(fs_replace(scene_path("state/csr"), "", 0, 0644, NULL));
    run_gives(RC_CREATE);
    not_said("WAITING_OPERATOR");
    assert_int_equal(unlink(scene_path("state/csr")), 0);
    assert_int_equal(rename(scene_path("state/elsewhere"), scene_path("state/csr")), 0);
    later(2 * MINUTE);
    run_gives(RC_LATER);
    at("shop", "validated", "operator");
    assert_true(order_kept("shop", 0, &o));
    assert_true(csr_pem(o.csr.p, o.csr.n, &want));
    assert_true(fs_read(scene_path("state/csr/shop.pem"), 65536, &text, &n, NULL));
    assert_string_equal(text, str_text(&want));
    free(text);
    str_free(&want);
    saved_order_clear(&o);
    strs_free(&names);
}

/* The update server is down, so a cancelled order's records still stand when the next order begins: what is handed over is the new one's. */
static void beside_an_order_winding_up(void **state)
{
    (void)state;
    struct strs names = shop();
    walk("shop", TO_CONFIRM);
    world_zone_of("example.hk")->offline = true;
    hand("shop", "cancel", "");
    later(MINUTE);
    run_with(RC_NET, .force = true, .names = &names);
    said("ERROR clean-up shop"); /* the older one's failure is not hidden by the new one */
    assert_int_equal(orders("shop"), 2);
    at("shop", "prepared", "code");
    hand("shop", "code", "code-2");
    world_zone_of("example.hk")->offline = false;
    later(2 * HOUR); /* the resolvers' caches */
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
    txt_there("example.hk", "code-2");
    txt_gone("example.hk", "code-1");
    strs_free(&names);
}

static void cancel_beside_an_order_winding_up(void **state)
{
    (void)state;
    struct strs names = shop();
    walk("shop", TO_CONFIRM);
    world_zone_of("example.hk")->offline = true;
    hand("shop", "cancel", "");
    later(MINUTE);
    run_with(RC_NET, .force = true, .names = &names);
    hand("shop", "cancel", "");
    at("shop", "failed", "");
    later(MINUTE);
    hand("shop", "pin", "123456789"); /* starts another one, though the records of both are on their way out */
    assert_int_equal(orders("shop"), 3);
    world_zone_of("example.hk")->offline = false;
    later(MINUTE);
    run_gives(RC_LATER);
    at("shop", "prepared", "code");
    assert_int_equal(ledger_rows(), 0);
    strs_free(&names);
}

/* A section with a fault, or one that the CA does not allow: what a person hands over waits until it is mended. */
static void handed_to_a_section_that_waits(void **state)
{
    (void)state;
    static const char *const bad[] = {"names = www.example.hk example.hk\nproduct = nonsense",
                                      "names = www.example.hk new.example.hk\nproduct = multi-domain"};
    for (size_t i = 0; i < 2; i++) {
        config(0);
        walk("shop", TO_CODE);
        config(.shop = bad[i]);
        in_inbox("code", "code-1");
        run_gives(RC_CONF);
        at("shop", "prepared", "code");
        assert_int_equal(world_count(TYPE_TXT), 0);
        config(0);
        run_gives(RC_LATER);
        at("shop", "visible", "confirm");
        later(MINUTE);
        hand("shop", "cancel", "");
        run_gives(RC_LATER);
        at("shop", "new", "pin");
        later(MINUTE);
    }
}

/* Who may be in the certificate stands in the section: with a fault in it nothing can be accepted. */
static void import_with_a_fault(void **state)
{
    (void)state;
    walk("shop", TO_IMPORT);
    config(.shop = "names = www.example.hk example.hk\nproduct = multi-domain\nexpect_organisation = Other\nkey_group =");
    hand_refused(RC_CONF, "shop", "import", scene_certificate("shop", 199, NULL, 0));
    at("shop", "submitted", "certificate");
    config(0);
    import("shop", 199);
    run_gives(RC_OK);
}

/* A CSR asked for early orders nothing by itself; the renewal takes it up when it falls due. */
static void csr_early(void **state)
{
    (void)state;
    char early[65], used[65];
    struct strs names = shop();
    walk("shop", TO_DONE);
    later(DAY);
    scene_run(&(struct run_setup){.csr_only = true, .names = &names});
    assert_int_equal(orders("shop"), 2);
    assert_true(order_spki("shop", 0, early));
    later(DAY);
    for (int i = 0; i < 3; i++) {
        run_gives(RC_OK);
        silent();
        at("shop", "new", "");
        later(DAY);
    }
    later(170 * (int64_t)DAY);
    run_gives(RC_LATER);
    at("shop", "prepared", "code");
    assert_int_equal(orders("shop"), 2);
    walk("shop", TO_DONE);
    assert_true(order_spki("shop", 0, used));
    assert_string_equal(early, used);
    strs_free(&names);
}

static void csr_early_then_forced(void **state)
{
    (void)state;
    struct strs names = shop();
    walk("shop", TO_DONE);
    later(DAY);
    scene_run(&(struct run_setup){.csr_only = true, .names = &names});
    later(DAY);
    run_with(RC_LATER, .force = true, .names = &names);
    at("shop", "prepared", "code");
    assert_int_equal(orders("shop"), 2);
    strs_free(&names);
}

static void names_change_after_the_csr(void **state)
{
    (void)state;
    struct strs names = shop();
    struct saved_order o = {0};
    char early[65], now[65];
    scene_run(&(struct run_setup){.csr_only = true, .names = &names});
    assert_true(order_spki("shop", 0, early));
    config(.shop = "names = www.example.hk new.example.hk\nproduct = multi-domain");
    later(MINUTE);
    run_gives(RC_LATER);
    assert_int_equal(orders("shop"), 2);
    walk("shop", TO_DONE);
    assert_true(order_kept("shop", 0, &o));
    assert_string_equal(o.names, "www.example.hk new.example.hk");
    saved_order_clear(&o);
    assert_true(order_spki("shop", 0, now));
    assert_string_not_equal(early, now);
    strs_free(&names);
}

/* The emergency is about keys: an order that is under way with an older one does not do. */
static void replace_beside_an_order(void **state)
{
    (void)state;
    char old[65], fresh[65];
    struct strs names = shop();
    config(.shop = TWO_NAMES "key_reuse = yes");
    walk("shop", TO_DONE);
    assert_true(order_spki("shop", 0, old));
    later(170 * (int64_t)DAY);
    walk("shop", TO_CONFIRM);
    assert_true(order_spki("shop", 0, fresh));
    assert_string_equal(fresh, old);
    later(MINUTE);
    int64_t since = clock_now();
    run_with(RC_LATER, .replace = true, .replace_since = since, .names = &names);
    at("shop", "prepared", "code");
    assert_int_equal(orders("shop"), 3);
    assert_int_equal(world_count(TYPE_TXT), 0);
    assert_true(order_spki("shop", 0, fresh));
    assert_string_not_equal(fresh, old);
    later(MINUTE);
    run_with(RC_LATER, .replace = true, .replace_since = since, .names = &names); /* once more: it goes on with the new one */
    assert_int_equal(orders("shop"), 3);
    walk("shop", TO_DONE);
    strs_free(&names);
}

/* What was submitted may be paid for: nothing is thrown away, and it is said. */
static void replace_beside_a_submission(void **state)
{
    (void)state;
    struct strs names = shop();
    walk("shop", TO_DONE);
    later(170 * (int64_t)DAY);
    walk("shop", TO_IMPORT);
    run_with(RC_LATER, .replace = true, .names = &names);
    said("REPLACE_AGAIN");
    at("shop", "submitted", "certificate");
    assert_int_equal(orders("shop"), 2);
    import("shop", 199);
    run_with(RC_OK, .names = &names);
    strs_free(&names);
}

static void provider_renamed(void **state)
{
    (void)state;
    for (int to = TO_CONFIRM; to <= TO_IMPORT; to++) {
        config(0);
        walk("shop", to);
        later(MINUTE);
        config(.no_provider = true, .more = "[provider second]\ntype = memory\nzones = example.hk example.com");
        run_gives(RC_LATER);
        assert_int_equal(ledger_rows(), 2);
        later(MINUTE);
        hand("shop", "cancel", "");
        run_gives(RC_LATER);
        at("shop", "new", "pin");
        assert_int_equal(world_count(TYPE_TXT), 0);
        assert_int_equal(ledger_rows(), 0);
        later(MINUTE);
    }
}

/* No provider at all: the records are known and said until one is there again. */
static void provider_gone(void **state)
{
    (void)state;
    walk("shop", TO_CONFIRM);
    config(.no_provider = true);
    run_gives(RC_CONF);
    assert_true(scene_heard("LEDGER_ORPHAN"));
    later(MINUTE);
    hand("shop", "cancel", "");
    run_gives(RC_CONF);
    assert_int_equal(ledger_rows(), 2);
    assert_int_equal(world_count(TYPE_TXT), 2);
    config(0);
    later(DAY);
    run_gives(RC_LATER);
    at("shop", "new", "pin");
    assert_int_equal(ledger_rows(), 0);
    assert_int_equal(world_count(TYPE_TXT), 0);
}

/* From where walk() led to: until the certificate is waited for. */
static void go_on(int from)
{
    static const struct {
        int from;
        const char *kind, *text;
    } steps[] = {{TO_CODE, "code", "code-1"}, {TO_CONFIRM, "confirmed", ""}, {TO_SUBMIT, "submitted", ""}};
    for (size_t i = 0; i < 3; i++) {
        if (from > steps[i].from)
            continue;
        hand("shop", steps[i].kind, steps[i].text);
        run_gives(RC_LATER);
    }
    at("shop", "submitted", "certificate");
}

/* A backup of any moment, put back after all was done: nothing is lost, nothing left behind, and the order can be finished or stopped. */
static void older_backup(void **state)
{
    (void)state;
    for (int to = TO_CODE; to <= TO_IMPORT; to++) {
        char old[65], now[65];
        walk("shop", to);
        assert_true(order_spki("shop", 0, old));
        copy("state/.", "backup");
        go_on(to);
        hand("shop", "import", scene_certificate("shop", 199, NULL, 0));
        run_gives(RC_OK);
        int64_t set = live("shop");
        copy("backup/.", "state");
        later(MINUTE);
        run_gives(RC_LATER);
        assert_true(order_spki("shop", 0, now));
        assert_string_equal(now, old);
        go_on(to);
        hand("shop", "import", scene_certificate("shop", 199, NULL, 0));
        run_gives(RC_OK);
        at("shop", "done", "");
        assert_in_range(live("shop"), set, set + 1); /* with the new certificate beside it */
        assert_int_equal(world_count(TYPE_TXT), 0);
        assert_int_equal(ledger_rows(), 0);
        later(180 * (int64_t)DAY);
    }
}

/* A clock that was wrong for a while: forward, and back again. */
static void clock_jumps(void **state)
{
    (void)state;
    static const int64_t far[] = {40 * (int64_t)DAY, 400 * (int64_t)DAY, 12 * 365 * (int64_t)DAY};
    for (size_t i = 0; i < 3; i++) {
        walk("shop", TO_CONFIRM);
        world_clock_ahead(far[i]);
        scene_run(&(struct run_setup){0});
        world_clock_ahead(0);
        later(MINUTE);
        scene_run(&(struct run_setup){0});
        later(MINUTE);
        run_gives(RC_LATER);
        at("shop", "visible", "confirm");
        later(MINUTE);
        later(MINUTE);
        hand("shop", "cancel", "");
        run_gives(RC_LATER);
        at("shop", "new", "pin");
        assert_int_equal(world_count(TYPE_TXT), 0);
        assert_int_equal(ledger_rows(), 0);
        later(MINUTE);
    }
}

/* Failures noted while the clock was years ahead hold nobody up for years. */
static void clock_was_ahead_at_a_failure(void **state)
{
    (void)state;
    walk("shop", TO_CODE);
    hand("shop", "code", "code-1");
    world_clock_ahead(20 * (int64_t)DAY);
    world_zone_of("example.hk")->refuses = true;
    run_gives(RC_WRITE);
    world_zone_of("example.hk")->refuses = false;
    world_clock_ahead(0);
    later(MINUTE);
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
}

/* settle counts from the write: one that was noted years ahead holds nobody up either. */
static void clock_was_ahead_at_the_write(void **state)
{
    (void)state;
    config(.verify = "settle = auto");
    walk("shop", TO_CODE);
    hand("shop", "code", "code-1");
    world_clock_ahead(20 * (int64_t)DAY);
    run_gives(RC_LATER);
    txt_there("example.hk", "code-1");
    world_clock_ahead(0);
    later(MINUTE);
    run_gives(RC_LATER);
    later(2 * HOUR);
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
}

/* A certificate for a key that is gone would be paid for in vain. */
static void key_is_gone(void **state)
{
    (void)state;
    struct saved_order o = {0};
    char key[64], aside[64];
    walk("shop", TO_CONFIRM);
    assert_true(order_kept("shop", 0, &o));
    snprintf(key, sizeof key, "state/keys/%s.key", o.id);
    snprintf(aside, sizeof aside, "%s.key", o.id);
    saved_order_clear(&o);
    assert_int_equal(rename(scene_path(key), scene_path(aside)), 0);
    hand("shop", "confirmed", "");
    run_gives(RC_STATE);
    said("NO_KEY");
    said("dcvagent key restore shop");
    at("shop", "validated", "");
    assert_false(there("state/csr/shop.pem"));
    assert_true(order_kept("shop", 0, &o));
    assert_false(o.sent);
    saved_order_clear(&o);
    assert_int_equal(rename(scene_path(aside), scene_path(key)), 0);
    later(2 * MINUTE);
    run_gives(RC_LATER);
    at("shop", "validated", "operator");
}

/* Another key in its place: what would be installed fits no certificate, and the server would not start. */
static void key_is_another(void **state)
{
    (void)state;
    struct saved_order o = {0};
    char key[64], other[64];
    walk("shop", TO_DONE);
    assert_true(order_kept("shop", 0, &o));
    snprintf(other, sizeof other, "state/keys/%s.key", o.id);
    saved_order_clear(&o);
    later(170 * (int64_t)DAY);
    walk("shop", TO_IMPORT);
    assert_true(order_kept("shop", 0, &o));
    snprintf(key, sizeof key, "state/keys/%s.key", o.id);
    saved_order_clear(&o);
    import("shop", 199);
    assert_int_equal(rename(scene_path(key), scene_path("aside")), 0);
    copy(other, key);
    run_gives(RC_STATE);
    said("NO_KEY");
    at("shop", "issued", "");
    assert_int_equal(live("shop"), 1);
    assert_int_equal(rename(scene_path("aside"), scene_path(key)), 0);
    later(2 * MINUTE);
    run_gives(RC_OK);
    assert_int_equal(live("shop"), 2);
}

/* The agent's memory says all is well, and the server will not start again. */
static void live_is_gone(void **state)
{
    (void)state;
    walk("shop", TO_DONE);
    assert_int_equal(unlink(scene_path("state/live/shop")), 0);
    run_gives(RC_STATE);
    said("LIVE_GONE");
    said("ln -sfn ../archive/shop/1 ");
    run_gives(RC_STATE);
    silent();
    assert_int_equal(symlink("../archive/shop/1", scene_path("state/live/shop")), 0);
    run_gives(RC_OK);
    silent();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scenario(csr_file_comes),
        scenario(csr_file_goes),
        scenario(csr_for_people),
        scenario(beside_an_order_winding_up),
        scenario(cancel_beside_an_order_winding_up),
        scenario(handed_to_a_section_that_waits),
        scenario(import_with_a_fault),
        scenario(csr_early),
        scenario(csr_early_then_forced),
        scenario(names_change_after_the_csr),
        scenario(replace_beside_an_order),
        scenario(replace_beside_a_submission),
        scenario(provider_renamed),
        scenario(provider_gone),
        scenario(older_backup),
        scenario(clock_jumps),
        scenario(clock_was_ahead_at_a_failure),
        scenario(clock_was_ahead_at_the_write),
        scenario(key_is_gone),
        scenario(key_is_another),
        scenario(live_is_gone),
    };
    return scenes(tests);
}
