/* The way of an order by a person, from the first run to the certificate in use, and every turn off it. */
#include <dirent.h>
#include <unistd.h>

#include "base/fs.h"
#include "tests/scenario/issuer.h"
#include "tests/scenario/scene.h"

static unsigned early_questions(void)
{
    return world_server("192.0.2.7")->early + world_server("192.0.2.8")->early + world_server("192.0.2.9")->early;
}

static unsigned files_like(const char *folder, const char *prefix)
{
    DIR *d = opendir(scene_path(folder));
    unsigned n = 0;
    for (const struct dirent *f; d && (f = readdir(d));)
        n += strncmp(f->d_name, prefix, strlen(prefix)) == 0;
    if (d)
        closedir(d);
    return n;
}

static void first_order_to_done(void **state)
{
    (void)state;
    run_gives(RC_LATER);
    at("shop", "new", "pin");
    said("WAITING_PIN");
    assert_int_equal(notified("waiting"), 1);
    later(HOUR);
    run_gives(RC_LATER);
    silent();
    later(DAY);
    run_gives(RC_LATER);
    said("WAITING_PIN");
    assert_int_equal(notified("waiting"), 2);
    hand("shop", "pin", "123456789");
    run_gives(RC_LATER);
    at("shop", "prepared", "code");
    said("WAITING_CODE");
    hand("shop", "code", "code-1");
    assert_int_equal(world_count(TYPE_TXT), 0); /* a hand-over changes no DNS */
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
    said("WAITING_CONFIRM");
    txt_there("www.example.hk", "code-1");
    txt_there("example.hk", "code-1");
    assert_int_equal(ledger_rows(), 2);
    assert_int_equal(world_zone_of("example.hk")->batches, 1);
    hand("shop", "confirmed", "");
    run_gives(RC_LATER);
    at("shop", "validated", "operator");
    assert_int_equal(files_like("state/csr", "shop.pem"), 1);
    hand("shop", "submitted", "");
    run_gives(RC_LATER);
    at("shop", "submitted", "certificate");
    txt_there("example.hk", "code-1"); /* the CA may look again until it has issued */
    import("shop", 199);
    run_gives(RC_OK);
    at("shop", "done", "");
    silent();
    assert_int_equal(world_count(TYPE_TXT), 0);
    assert_int_equal(ledger_rows(), 0);
    assert_int_equal(live("shop"), 1);
    assert_int_equal(notified("issued"), 1);
    later(DAY);
    run_gives(RC_OK);
    silent();
    assert_int_equal(orders("shop"), 1);
    assert_int_equal(early_questions(), 0);
}

static void force_starts_without_pin(void **state)
{
    (void)state;
    struct strs shop = {0};
    strs_add(&shop, "shop");
    run_gives(RC_LATER);
    run_with(RC_LATER, .force = true, .names = &shop);
    at("shop", "prepared", "code");
    assert_int_equal(orders("shop"), 1);
    strs_free(&shop);
}

static void codes_of_single_names(void **state)
{
    (void)state;
    walk("shop", TO_CODE);
    hand_for("shop", "code", "www.example.hk", "for-www");
    run_gives(RC_LATER);
    at("shop", "prepared", "code");
    assert_int_equal(world_count(TYPE_TXT), 0);
    hand_for("shop", "code", "example.hk", "for-base");
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
    txt_there("www.example.hk", "for-www");
    txt_there("example.hk", "for-base");
    txt_gone("example.hk", "for-www");
    hand_refused(RC_USAGE, "shop", "code", "");
    scene_hand("shop", "code", "other.example.hk", text_of("x"), RC_USAGE, __FILE__, __LINE__);
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
}

static void codes_are_verbatim(void **state)
{
    (void)state;
    walk("shop", TO_CODE);
    hand("shop", "code", " \"verification=a b;c\\\"\n");
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
    txt_there("example.hk", "verification=a b;c\\");
}

static void failed_confirm(void **state)
{
    (void)state;
    walk("shop", TO_CONFIRM);
    unsigned asked = world_server("192.0.2.1")->asked;
    later(MINUTE);
    hand("shop", "failed", "record not found");
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
    said("record not found");
    assert_true(world_server("192.0.2.1")->asked > asked);
    hand("shop", "confirmed", "");
    run_gives(RC_LATER);
    at("shop", "validated", "operator");
    hand("shop", "failed", "the page says again"); /* one step too far: back to where the record is verified */
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
}

static const struct world_record *ever(const char *owner, const char *value)
{
    for (size_t i = 0; world_each(i); i++)
        if (!strcmp(world_each(i)->owner, owner) && !strcmp(world_each(i)->text, value))
            return world_each(i);
    fail_msg("%s \"%s\" never stood there", owner, value);
    return NULL;
}

static void second_code(void **state)
{
    (void)state;
    walk("shop", TO_CONFIRM);
    later(HOUR);
    hand("shop", "code", "code-2");
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
    txt_there("www.example.hk", "code-2");
    txt_gone("www.example.hk", "code-1");
    txt_gone("example.hk", "code-1");
    assert_true(ever("www.example.hk", "code-2")->from < ever("www.example.hk", "code-1")->until); /* both at one moment */
    assert_true(ever("example.hk", "code-2")->from < ever("example.hk", "code-1")->until);
    assert_int_equal(ledger_rows(), 2);
    hand("shop", "code", "code-2"); /* the same once more changes nothing */
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
    assert_int_equal(world_count(TYPE_TXT), 2);
}

static void code_expires(void **state)
{
    (void)state;
    walk("shop", TO_CONFIRM);
    later(29 * (int64_t)DAY);
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
    said("WAITING_CONFIRM"); /* the last day before the deadline */
    later(DAY + 1);
    run_gives(RC_LATER);
    at("shop", "prepared", "code");
    said("expired");
    assert_int_equal(world_count(TYPE_TXT), 0);
    assert_int_equal(ledger_rows(), 0);
    hand("shop", "code", "code-2");
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
    txt_there("example.hk", "code-2");
}

static void confirmed_code_does_not_expire(void **state)
{
    (void)state;
    walk("shop", TO_SUBMIT);
    later(31 * (int64_t)DAY);
    run_gives(RC_LATER);
    at("shop", "validated", "operator");
    hand("shop", "submitted", "");
    run_gives(RC_LATER);
    at("shop", "submitted", "certificate");
}

static void wrong_certificate(void **state)
{
    (void)state;
    walk("shop", TO_IMPORT);
    hand_refused(RC_CA, "shop", "import", scene_other_key("www.example.hk example.hk"));
    said("nothing was installed");
    hand_refused(RC_CA, "shop", "import", scene_certificate("shop", 199, "www.example.hk", 0));
    hand_refused(RC_CA, "shop", "import", "this is no certificate");
    assert_true(files_like("state/archive/shop", "rejected-") >= 1);
    run_gives(RC_LATER);
    at("shop", "submitted", "certificate");
    assert_int_equal(live("shop"), 0);
    import("shop", 199);
    run_gives(RC_OK);
    at("shop", "done", "");
    assert_int_equal(live("shop"), 1);
}

static void import_out_of_turn(void **state)
{
    (void)state;
    walk("shop", TO_CONFIRM);
    import("shop", 199); /* confirmed and submitted were not told: the certificate itself says so */
    run_gives(RC_OK);
    at("shop", "done", "");
    assert_int_equal(world_count(TYPE_TXT), 0);
    hand_refused(RC_USAGE, "shop", "confirmed", "");
    hand_refused(RC_USAGE, "shop", "import", "x");
}

static void cancel_everywhere(void **state)
{
    (void)state;
    for (int to = TO_PIN; to <= TO_IMPORT; to++) {
        unsigned keys = files_like("state/keys", "2");
        later(MINUTE);
        walk("shop", to);
        later(MINUTE);
        hand("shop", "cancel", "");
        run_gives(RC_LATER); /* the next first order waits to be started */
        at("shop", "new", "pin");
        assert_int_equal(orders("shop"), (unsigned)to + 2);
        assert_int_equal(world_count(TYPE_TXT), 0);
        assert_int_equal(ledger_rows(), 0);
        assert_int_equal(files_like("state/keys", "2"), keys + (to > TO_PIN)); /* keys stay */
    }
}

static void too_late_to_cancel(void **state)
{
    (void)state;
    char conf[512];
    snprintf(conf, sizeof conf, "names = www.example.hk example.hk\nproduct = multi-domain\ndeploy_check = %s", scene_path("check"));
    config(.shop = conf);
    world_program("check", "1 0");
    walk("shop", TO_IMPORT);
    import("shop", 199);
    run_gives(RC_HOOK);
    hand_refused(RC_USAGE, "shop", "cancel", "");
    later(2 * MINUTE);
    run_gives(RC_OK);
    at("shop", "done", "");
}

static void deploy_check_fails(void **state)
{
    (void)state;
    char conf[512];
    walk("shop", TO_DONE);
    snprintf(conf, sizeof conf, "names = www.example.hk example.hk\nproduct = multi-domain\ndeploy_check = %s -t", scene_path("check"));
    config(.shop = conf);
    world_program("check", "1 1 0");
    later(170 * (int64_t)DAY);
    walk("shop", TO_IMPORT);
    import("shop", 199);
    run_gives(RC_HOOK);
    at("shop", "issued", "");
    said("DEPLOY_CHECK");
    assert_int_equal(live("shop"), 1);
    assert_int_equal(world_calls("check", "DCVAGENT_NAME=shop"), 1);
    assert_int_equal(world_count(TYPE_TXT), 0);
    run_gives(RC_HOOK); /* backoff: not tried again within a minute */
    assert_int_equal(world_calls("check", NULL), 1);
    later(61);
    run_gives(RC_HOOK);
    assert_int_equal(world_calls("check", NULL), 2);
    assert_int_equal(live("shop"), 1);
    silent(); /* the same failure, within a day */
    later(11 * MINUTE);
    run_gives(RC_OK);
    assert_int_equal(world_calls("check", NULL), 3);
    assert_int_equal(live("shop"), 2);
    at("shop", "done", "");
    assert_int_equal(notified("failed"), 1);
    assert_int_equal(notified("issued"), 2);
}

static void deploy_check_hangs(void **state)
{
    (void)state;
    char conf[512];
    snprintf(conf, sizeof conf, "names = www.example.hk example.hk\nproduct = multi-domain\ndeploy_check = %s", scene_path("check"));
    config(.shop = conf);
    world_program("check", "hang 0");
    walk("shop", TO_IMPORT);
    import("shop", 199);
    run_gives(RC_HOOK);
    assert_int_equal(live("shop"), 0);
    later(2 * MINUTE);
    run_gives(RC_OK);
    assert_int_equal(live("shop"), 1);
}

static void deploy_hook_until_it_works(void **state)
{
    (void)state;
    char conf[512];
    snprintf(conf, sizeof conf, "names = www.example.hk example.hk\nproduct = multi-domain\ndeploy_hook = %s nginx", scene_path("reload"));
    config(.shop = conf);
    world_program("reload", "1 1 0");
    walk("shop", TO_IMPORT);
    import("shop", 199);
    run_gives(RC_HOOK);
    said("DEPLOY_HOOK");
    at("shop", "done", "");
    assert_int_equal(live("shop"), 1);
    run_gives(RC_HOOK);
    silent();
    run_gives(RC_OK);
    silent();
    assert_int_equal(world_calls("reload", "DCVAGENT_STATE=installed"), 3);
    assert_int_equal(world_calls("reload", "DCVAGENT_NAMES=www.example.hk example.hk"), 3);
    run_gives(RC_OK);
    assert_int_equal(world_calls("reload", NULL), 3);
    assert_int_equal(notified("failed"), 1);
}

/* The hook of an earlier certificate is due when a new one comes: it is run for that one too, not beside itself, and its last end counts. */
static void deploy_hook_of_both(void **state)
{
    (void)state;
    char conf[512];
    struct strs shop = {0};
    strs_add(&shop, "shop");
    snprintf(conf, sizeof conf, "names = www.example.hk example.hk\nproduct = multi-domain\ndeploy_hook = %s", scene_path("reload"));
    config(.shop = conf);
    world_program("reload", "1 1 1 1 1 hang 0");
    walk("shop", TO_IMPORT);
    import("shop", 199);
    run_gives(RC_HOOK);
    later(DAY);
    run_with(RC_HOOK, .force = true, .names = &shop);
    hand("shop", "code", "code-1");
    run_gives(RC_HOOK);
    hand("shop", "confirmed", "");
    run_gives(RC_HOOK);
    hand("shop", "submitted", "");
    run_gives(RC_HOOK);
    import("shop", 150);
    run_gives(RC_OK);
    at("shop", "done", "");
    assert_int_equal(live("shop"), 2);
    assert_int_equal(world_calls("reload", NULL), 7);
    assert_int_equal(world_calls("reload", "DCVAGENT_NOT_AFTER=2026-09-29"), 1);
    later(HOUR);
    run_gives(RC_OK);
    assert_int_equal(world_calls("reload", NULL), 7);
    strs_free(&shop);
}

static void forced_reissue(void **state)
{
    (void)state;
    char old[65], fresh[65];
    struct strs shop = {0};
    strs_add(&shop, "shop");
    walk("shop", TO_DONE);
    later(10 * (int64_t)DAY);
    run_with(RC_LATER, .force = true, .names = &shop);
    at("shop", "prepared", "code");
    walk("shop", TO_DONE);
    assert_int_equal(live("shop"), 2);
    assert_true(order_spki("shop", 0, fresh) && order_spki("shop", 1, old));
    assert_string_not_equal(fresh, old);
    strs_free(&shop);
}

static void key_reuse(void **state)
{
    (void)state;
    char old[65], fresh[65];
    struct strs shop = {0};
    strs_add(&shop, "shop");
    config(.shop = "names = www.example.hk\nproduct = standard\nkey_reuse = yes");
    walk("shop", TO_DONE);
    later(DAY);
    run_with(RC_LATER, .force = true, .names = &shop);
    walk("shop", TO_DONE);
    assert_true(order_spki("shop", 0, fresh) && order_spki("shop", 1, old));
    assert_string_equal(fresh, old);
    later(DAY);
    run_with(RC_LATER, .replace = true, .names = &shop); /* an emergency wants another key */
    walk("shop", TO_DONE);
    assert_true(order_spki("shop", 0, fresh));
    assert_string_not_equal(fresh, old);
    strs_free(&shop);
}

static void csr_made_elsewhere(void **state)
{
    (void)state;
    char conf[512], *pem = issuer_csr("www.example.hk");
    struct err e = {0};
    assert_true(fs_replace(scene_path("iis.csr"), pem, strlen(pem), 0644, &e));
    free(pem);
    snprintf(conf, sizeof conf, "names = www.example.hk\nproduct = standard\ncsr_file = %s", scene_path("iis.csr"));
    config(.shop = conf);
    walk("shop", TO_DONE);
    assert_int_equal(files_like("state/keys", "2"), 0);
    assert_int_equal(files_like("state/live/shop", "privkey.pem"), 0);
    assert_int_equal(files_like("state/live/shop", "fullchain.pem"), 1);
}

static void key_backup_first(void **state)
{
    (void)state;
    char conf[512];
    struct err e = {0};
    struct saved_order o = {0};
    assert_true(fs_replace(scene_path("backup.pass"), "secret words", 12, 0600, &e));
    assert_true(fs_folder(scene_path("backup"), 0700, &e));
    snprintf(conf, sizeof conf, "key_backup_dir = %s\nkey_backup_password_file = %s", scene_path("backup"), scene_path("backup.pass"));
    config(.agent = conf);
    rmdir(scene_path("backup"));
    hand("shop", "pin", "123456789");
    run_gives(RC_CREATE); /* before a person is sent to the CA's pages */
    said("BACKUP_FOLDER");
    not_said("WAITING_CODE");
    at("shop", "prepared", "");
    assert_true(fs_folder(scene_path("backup"), 0700, &e));
    later(2 * MINUTE);
    walk("shop", TO_CONFIRM);
    rmdir(scene_path("backup"));
    hand("shop", "confirmed", "");
    run_gives(RC_CREATE);
    at("shop", "validated", "");
    not_said("WAITING_OPERATOR");
    assert_true(order_kept("shop", 0, &o));
    assert_false(o.sent);
    saved_order_clear(&o);
    assert_int_equal(files_like("state/csr", "shop.pem"), 0);
    assert_true(fs_folder(scene_path("backup"), 0700, &e));
    later(2 * MINUTE);
    run_gives(RC_LATER);
    at("shop", "validated", "operator");
    assert_int_equal(files_like("backup", "shop-"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scenario(first_order_to_done),
        scenario(force_starts_without_pin),
        scenario(codes_of_single_names),
        scenario(codes_are_verbatim),
        scenario(failed_confirm),
        scenario(second_code),
        scenario(code_expires),
        scenario(confirmed_code_does_not_expire),
        scenario(wrong_certificate),
        scenario(import_out_of_turn),
        scenario(cancel_everywhere),
        scenario(too_late_to_cancel),
        scenario(deploy_check_fails),
        scenario(deploy_check_hangs),
        scenario(deploy_hook_until_it_works),
        scenario(deploy_hook_of_both),
        scenario(forced_reissue),
        scenario(key_reuse),
        scenario(csr_made_elsewhere),
        scenario(key_backup_first),
    };
    return scenes(tests);
}
