/* The pump against servers that refuse, lie, lose answers, and people who interfere. */
#include "publish_world.h"

static struct session x;

/* An UPDATE lost before or after the server: the pump reads back and ends up right. */
static void test_unsure(void **state)
{
    (void)state;
    session_open(&x, "");
    w->lost_answer = true;
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    assert_int_equal(w->applies, 1);
    assert_int_equal(state_of(&x, "A").present, 1);
    w->lost_request = true;
    want(&x, "B", "b.example.hk", "code");
    run(&x);
    assert_int_equal(w->applies, 3);
    assert_int_equal(state_of(&x, "B").present, 1);
    w->lost_answer = true;
    release(&x, "A");
    run(&x);
    w->lost_request = true;
    release(&x, "B");
    run(&x);
    assert_int_equal(open_rows(&x), 0);
    assert_int_equal(world_count(), 4);
    session_close(&x);
}

/* Released after an add of unknown fate that reads as absent: the delete is sent all the same. */
static void test_unsure_then_released(void **state)
{
    unsigned applies;

    (void)state;
    session_open(&x, "");
    w->lost_request = true;
    want(&x, "A", "new.example.hk", "code");
    for (int i = 0; i < 8; i++)
        turn(&x);
    applies = w->applies;
    assert_int_equal(applies, 1);
    release(&x, "A");
    run(&x);
    assert_int_equal(w->applies, 2);
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

static void test_refused(void **state)
{
    (void)state;
    session_open(&x, "");
    w->refuse = true;
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    assert_int_equal(state_of(&x, "A").failed, 1);
    assert_int_equal(state_of(&x, "A").err.rc, RC_WRITE);
    assert_string_equal(state_of(&x, "A").err.code, "UPDATE_REFUSED");
    session_close(&x);
    /* The administrator helps by hand: that value is not ours, and stays. */
    world_put("new.example.hk", 300, "code");
    w->refuse = false;
    session_open(&x, "");
    run(&x);
    assert_int_equal(state_of(&x, "A").present, 1);
    release(&x, "A");
    run(&x);
    assert_true(has("new.example.hk", "code"));
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

static void test_delete_refused(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    w->refuse = true;
    release(&x, "A");
    run(&x);
    assert_int_equal(state_of(&x, "A").going, 1);
    assert_int_equal(state_of(&x, "A").failed, 1);
    session_close(&x);
    w->refuse = false; /* the next run finishes it by itself */
    session_open(&x, "");
    run(&x);
    assert_int_equal(open_rows(&x), 0);
    assert_int_equal(world_count(), 4);
    session_close(&x);
}

static void test_liar(void **state)
{
    (void)state;
    session_open(&x, "");
    w->liar = true;
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    assert_int_equal(state_of(&x, "A").failed, 1);
    assert_string_equal(state_of(&x, "A").err.code, "UPDATE_NOT_APPLIED");
    assert_non_null(strstr(state_of(&x, "A").err.text, "192.0.2.53"));
    w->liar = false;
    unsigned applies = w->applies;
    release(&x, "A");
    run(&x);
    assert_int_equal(w->applies, applies + 1); /* it may have handed the update on, and it arrives yet */
    want(&x, "B", "b.example.hk", "code");
    run(&x);
    w->liar = true;
    release(&x, "B");
    run(&x);
    assert_string_equal(state_of(&x, "B").err.code, "DELETE_NOT_APPLIED");
    assert_int_equal(state_of(&x, "B").going, 1);
    session_close(&x);
}

static void test_read_fails(void **state)
{
    (void)state;
    session_open(&x, "");
    w->fail_reads = 3;
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    assert_int_equal(state_of(&x, "A").present, 1);
    assert_int_equal(loop.now, 1000000 + 7000); /* 1, 2, 4 s */
    loop.now += 31000;                          /* what was read back after the write is no longer fresh */
    w->fail_reads = 1000;
    release(&x, "A");
    run(&x);
    assert_int_equal(state_of(&x, "A").failed, 1);
    assert_int_equal(state_of(&x, "A").going, 1);
    assert_int_equal(w->applies, 1); /* nothing is deleted blindly */
    w->fail_reads = 0;
    session_close(&x);
}

/* The read-back after the write fails: the row stays intended, and the next look finds it. */
static void test_read_back_fails(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "new.example.hk", "code");
    while (!w->applies)
        turn(&x);
    w->fail_reads = 1;
    run(&x);
    assert_int_equal(w->applies, 1);
    assert_int_equal(state_of(&x, "A").present, 1);
    release(&x, "A");
    run(&x);
    assert_int_equal(world_count(), 4);
    session_close(&x);
}

static void test_removed_by_others(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    for (int i = 0; i < 3; i++) {
        world_remove("new.example.hk", "code");
        publish_recheck(x.p, "A");
        run(&x);
        assert_true(has("new.example.hk", "code"));
    }
    world_remove("new.example.hk", "code");
    publish_recheck(x.p, "A");
    run(&x);
    assert_string_equal(state_of(&x, "A").err.code, "REMOVED_BY_OTHERS");
    assert_int_equal(state_of(&x, "A").err.rc, RC_WRITE);
    release(&x, "A");
    run(&x);
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

static void test_removed_between_runs(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "new.example.hk", "code");
    want(&x, "", "txt.example.hk", "kept");
    run(&x);
    session_close(&x);
    world_remove("new.example.hk", "code");
    session_open(&x, "");
    run(&x);
    assert_true(has("new.example.hk", "code"));
    assert_int_equal(state_of(&x, "").present, 1);
    assert_false(publish_release(x.p, "", NULL, NULL, NULL)); /* nobody takes all of txt's records away */
    session_close(&x);
}

static void test_orphan(void **state)
{
    struct err e = {0};
    struct ledger_row r = {.order = "A",
                           .cert = "shop",
                           .host = "h",
                           .provider = "old",
                           .zone = "example.org",
                           .state = LEDGER_PRESENT,
                           .wanted = false,
                           .written = 9,
                           .rec = {"h.example.org", TYPE_TXT, 300, {(const uint8_t *)"code", 4}}};

    (void)state;
    session_open(&x, "");
    assert_ok(ledger_put(x.s, &r, &e), e);
    assert_ok(store_turn(x.s, &e), e);
    session_close(&x);
    session_open(&x, "");
    run(&x);
    assert_string_equal(state_of(&x, "A").err.code, "LEDGER_ORPHAN");
    assert_int_equal(state_of(&x, "A").going, 1);
    assert_int_equal(open_rows(&x), 1);
    session_close(&x);
    session_open(&x, "[provider old]\ntype = rfc2136\nzones = example.net");
    run(&x); /* no longer its zone: but what is ours is still taken away */
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

static void want_by(const char *provider, const char *order, const char *owner)
{
    struct err e = {0};
    struct ledger_row r = {.cert = "shop",
                           .host = owner,
                           .provider = provider,
                           .zone = "example.net",
                           .rec = {owner, TYPE_TXT, 300, {(const uint8_t *)"code", 4}},
                           .negative_ttl = 60};

    snprintf(r.order, sizeof r.order, "%s", order);
    assert_ok(publish_want(x.p, &r, &e), e);
}

/* A section was renamed: the one that may write there now goes on, with what is wanted and with what is to go. */
static void test_provider_renamed(void **state)
{
    struct err e = {0};

    (void)state;
    session_open(&x, "[provider first]\ntype = rfc2136\nserver = 192.0.2.54\nzones = example.net");
    want_by("first", "A", "a.example.net");
    want_by("first", "B", "b.example.net");
    run(&x);
    release(&x, "B");
    assert_ok(store_turn(x.s, &e), e);
    session_close(&x);
    session_open(&x, "[provider second]\ntype = rfc2136\nserver = 192.0.2.54\nzones = example.net");
    run(&x);
    assert_false(has("b.example.net", "code"));
    want_by("second", "A", "a.example.net");
    run(&x);
    assert_int_equal(state_of(&x, "A").rows, 1);
    assert_int_equal(state_of(&x, "A").present, 1);
    release(&x, "A");
    run(&x);
    assert_false(has("a.example.net", "code"));
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

/* Killed between the UPDATE and its read-back, then released while the server still holds the UPDATE: the delete is sent all the same. */
static void test_released_after_a_crash(void **state)
{
    (void)state;
    session_open(&x, "");
    w->lost_request = true;
    want(&x, "A", "new.example.hk", "code");
    for (int i = 0; i < 8 && !w->applies; i++)
        turn(&x);
    assert_int_equal(w->applies, 1);
    session_close(&x);
    session_open(&x, "");
    release(&x, "A");
    run(&x);
    assert_int_equal(w->applies, 2);
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

/* What is in force with the end of an apply alone is applied again until one went through, whatever a read shows. */
static void test_commits(void **state)
{
    (void)state;
    w->caps |= COMMITS;
    session_open(&x, "");
    w->lost_answer = true;
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    assert_int_equal(w->applies, 2);
    assert_int_equal(state_of(&x, "A").present, 1);
    w->lost_answer = true;
    release(&x, "A");
    run(&x);
    assert_int_equal(w->applies, 4);
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

/* The same, where the run ended in between. */
static void test_commits_after_a_crash(void **state)
{
    (void)state;
    w->caps |= COMMITS;
    for (unsigned wanted = 1; wanted <= 2; wanted++) {
        session_open(&x, "");
        want(&x, "A", "new.example.hk", "code");
        if (wanted == 2) {
            run(&x);
            release(&x, "A");
        }
        for (unsigned applies = w->applies; w->applies == applies;)
            turn(&x);
        unsigned applies = w->applies;
        session_close(&x);
        session_open(&x, "");
        run(&x);
        assert_int_equal(w->applies, applies + 1);
        assert_int_equal(open_rows(&x), wanted == 1);
        session_close(&x);
    }
}

/* A server that wants to be left alone is left alone by the runs that follow, until then. */
static void test_left_alone(void **state)
{
    (void)state;
    w->alone = clock_now() + HOUR;
    session_open(&x, "");
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    assert_int_equal(w->applies, 1);
    assert_string_equal(state_of(&x, "A").err.code, "API_RATE");
    session_close(&x);
    session_open(&x, "");
    run(&x);
    assert_int_equal(w->applies, 1);
    assert_int_equal(state_of(&x, "A").failed, 1);
    assert_int_equal(state_of(&x, "A").err.not_before, w->alone);
    session_close(&x);
    w->alone = clock_now() + 2 * DAY; /* a clock that was ahead */
    session_open(&x, "");
    want(&x, "B", "b.example.hk", "code");
    run(&x);
    session_close(&x);
    w->alone = 0;
    session_open(&x, "");
    run(&x);
    assert_int_equal(state_of(&x, "B").present, 1);
    assert_int_equal(state_of(&x, "A").present, 0);
    session_close(&x);
}

static void test_outside_zones(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "badexample.hk", "code");
    run(&x);
    assert_string_equal(state_of(&x, "A").err.code, "ZONE_NOT_CONFIGURED");
    assert_int_equal(w->reads + w->applies, 0);
    session_close(&x);
}

static void test_commit_fails(void **state)
{
    struct err e = {0};

    (void)state;
    session_open(&x, "");
    want(&x, "A", "new.example.hk", "code");
    setenv("DCVAGENT_FAIL", "commit:ENOSPC", 1);
    assert_true(publish_pump(x.p, &e));
    assert_false(store_turn(x.s, &e));
    unsetenv("DCVAGENT_FAIL");
    assert_int_equal(e.rc, RC_STATE);
    op_deliver();
    assert_int_equal(w->reads + w->applies, 0);
    session_close(&x);
}

/* Whatever happens, what others have stays as it is. */
static int intact(void **state)
{
    foreign_intact();
    return remove_dir(state);
}

#define survives(test) cmocka_unit_test_setup_teardown(test, setup, intact)

int main(void)
{
    const struct CMUnitTest tests[] = {
        survives(test_unsure),
        survives(test_unsure_then_released),
        survives(test_refused),
        survives(test_delete_refused),
        survives(test_liar),
        survives(test_read_fails),
        survives(test_read_back_fails),
        survives(test_removed_by_others),
        survives(test_removed_between_runs),
        survives(test_orphan),
        survives(test_provider_renamed),
        survives(test_released_after_a_crash),
        survives(test_commits),
        survives(test_commits_after_a_crash),
        survives(test_left_alone),
        survives(test_outside_zones),
        survives(test_commit_fails),
    };

    world_make();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
