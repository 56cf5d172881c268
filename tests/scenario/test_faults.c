/* One bad run before each good one: whatever fails, and wherever the order stands, the next run goes on as if nothing had been. */
#include <signal.h>

#include "base/fs.h"
#include "tests/scenario/scene.h"

static const struct {
    const char *state, *waits, *kind, *text;
} way[] = {
    {"new", "pin", "pin", "123456789"},         {"prepared", "code", "code", "code-1"},       {"visible", "confirm", "confirmed", ""},
    {"validated", "operator", "submitted", ""}, {"submitted", "certificate", "import", NULL}, {"done", "", NULL, NULL},
};
enum { STEPS = sizeof way / sizeof *way };

static void all_dead(bool on)
{
    static const char *const addr[] = {"192.0.2.1", "192.0.2.2", "192.0.2.7", "192.0.2.8", "192.0.2.9", "192.0.2.240", "192.0.2.241"};
    for (size_t i = 0; i < sizeof addr / sizeof *addr; i++)
        world_server(addr[i])->dead = on;
    world_zone_of("example.hk")->offline = on;
}

static void authorities_dead(bool on)
{
    world_server("192.0.2.1")->dead = world_server("192.0.2.2")->dead = on;
}

static void servfail(bool on)
{
    world_server("192.0.2.1")->rcode = world_server("192.0.2.2")->rcode = on ? 2 : 0;
}

static void provider_offline(bool on)
{
    world_zone_of("example.hk")->offline = on;
}

static void provider_refuses(bool on)
{
    world_zone_of("example.hk")->refuses = on;
}

static void fail_at(const char *point, bool on)
{
    if (on)
        setenv("DCVAGENT_FAIL", point, 1);
    else
        unsetenv("DCVAGENT_FAIL");
}

static void no_commit(bool on)
{
    fail_at("commit:ENOSPC", on);
}

static void no_create(bool on)
{
    fail_at("create:ENOSPC", on);
}

static void no_replace(bool on)
{
    fail_at("replace:EIO", on);
}

static void no_switch(bool on)
{
    fail_at("switch:EACCES", on);
}

static void no_archive(bool on)
{
    fail_at("archive:ENOSPC", on);
}

static void one_bad_run_each(void (*fault)(bool on))
{
    for (int i = 0; i < STEPS; i++) {
        fault(true);
        enum rc rc = scene_run(&(struct run_setup){0});
        fault(false);
        if (rc == RC_BUG)
            fail_msg("70 at step %s", way[i].state);
        later(DAY + HOUR);
        run_gives(i + 1 < STEPS ? RC_LATER : RC_OK);
        at("shop", way[i].state, way[i].waits);
        if (way[i].kind)
            hand("shop", way[i].kind, way[i].text ? way[i].text : scene_certificate("shop", 199, NULL, 0));
    }
    assert_int_equal(world_count(TYPE_TXT), 0);
    assert_int_equal(ledger_rows(), 0);
    assert_int_equal(live("shop"), 1);
    assert_int_equal(orders("shop"), 1);
    assert_int_equal(evidence_of("shop", "installed"), 1);
}

#define BAD(name)                                                                                                                          \
    static void bad_##name(void **state)                                                                                                   \
    {                                                                                                                                      \
        (void)state;                                                                                                                       \
        one_bad_run_each(name);                                                                                                            \
    }
BAD(all_dead)
BAD(authorities_dead)
BAD(servfail)
BAD(provider_offline)
BAD(provider_refuses)
BAD(no_commit)
BAD(no_create)
BAD(no_replace)
BAD(no_switch)
BAD(no_archive)

static void ring_signal(void *arg)
{
    (void)arg;
    world_signal(SIGTERM);
}

/* The moment of the signal moves through the runs in steps of a few ms. */
static void bad_signal(void **state)
{
    (void)state;
    static int mark;
    for (int ms = 1; ms < 260; ms += 24) {
        later(HOUR);
        for (int i = 0; i < STEPS - 1; i++) {
            world_at(world_ms() + ms, ring_signal, &mark);
            enum rc rc = scene_run(&(struct run_setup){0});
            world_drop(&mark);
            world_signal(0);
            assert_true(rc == RC_LATER || rc == (enum rc)(128 + SIGTERM));
            run_gives(RC_LATER);
            at("shop", way[i].state, way[i].waits);
            if (i + 2 < STEPS)
                hand("shop", way[i].kind, way[i].text);
        }
        later(HOUR);
        hand("shop", "cancel", "");
        run_gives(RC_LATER);
        assert_int_equal(world_count(TYPE_TXT), 0);
        assert_int_equal(ledger_rows(), 0);
    }
}

static void everything_configured(void)
{
    char agent[512], shop[1024];
    struct err e = {0};
    assert_true(fs_replace(scene_path("pass"), "secret words", 12, 0600, &e));
    assert_true(fs_folder(scene_path("backup"), 0700, &e));
    snprintf(agent, sizeof agent, "key_backup_dir = %s\nkey_backup_password_file = %s", scene_path("backup"), scene_path("pass"));
    snprintf(shop, sizeof shop,
             "names = www.example.hk example.hk\nproduct = multi-domain\ndeploy_check = %s\ndeploy_hook = %s\npfx = yes\n"
             "pfx_password_file = %s",
             scene_path("check"), scene_path("reload"), scene_path("pass"));
    config(.agent = agent, .shop = shop);
}

static unsigned long commits; /* asked for while a plan was set: @N counts them through the whole process */

/* A run whose nth commit fails; true: it has fewer and went through. */
static bool run_failing_at(unsigned n)
{
    char plan[64];
    snprintf(plan, sizeof plan, "commit:ENOSPC@%lu", commits + n);
    fail_at(plan, true);
    scene_debug(true);
    enum rc rc = scene_run(&(struct run_setup){0});
    scene_debug(false);
    fail_at(plan, false);
    unsigned done = scene_heard(" commit\n");
    bool failed = done + 1 == n && rc == RC_STATE;
    commits += done + failed;
    if (!failed && done >= n)
        fail_msg("commit %u did not fail", n);
    return !failed;
}

/* Every commit of every run fails once; no effect may start before its intent is kept, so nothing is lost, left or done twice. */
static void no_commit_anywhere(void **state)
{
    (void)state;
    everything_configured();
    for (int i = 0; i < STEPS; i++) {
        for (unsigned n = 1; !run_failing_at(n); n++)
            later(2 * MINUTE);
        at("shop", way[i].state, way[i].waits);
        if (way[i].kind)
            hand("shop", way[i].kind, way[i].text ? way[i].text : scene_certificate("shop", 199, NULL, 0));
    }
    assert_int_equal(world_count(TYPE_TXT), 0);
    assert_int_equal(ledger_rows(), 0);
    assert_int_equal(live("shop"), 1);
    assert_int_equal(orders("shop"), 1);
    assert_int_equal(evidence_of("shop", "installed"), 1);
    assert_true(world_calls("reload", NULL) >= 1);
}

static void bad_no_create_with_everything(void **state)
{
    (void)state;
    everything_configured();
    one_bad_run_each(no_create);
}

static void hand_over_fails(void **state)
{
    (void)state;
    walk("shop", TO_CODE);
    no_commit(true);
    hand_refused(RC_STATE, "shop", "code", "code-1");
    no_commit(false);
    hand("shop", "code", "code-1");
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scenario(no_commit_anywhere), /* the first: it counts every commit since the process began */
        scenario(bad_all_dead),
        scenario(bad_authorities_dead),
        scenario(bad_servfail),
        scenario(bad_provider_offline),
        scenario(bad_provider_refuses),
        scenario(bad_no_commit),
        scenario(bad_no_create),
        scenario(bad_no_replace),
        scenario(bad_no_switch),
        scenario(bad_no_archive),
        scenario(bad_signal),
        scenario(hand_over_fails),
        scenario(bad_no_create_with_everything),
    };
    return scenes(tests);
}
