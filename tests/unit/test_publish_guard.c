/* Values of others that a provider of grade B to D takes along, and a run that ends before it has seen that: the next one gives them back; but not what
 * their owner took away. */
#include "publish_world.h"

#include <sqlite3.h>
#include <stdlib.h>

static struct session x;

static const struct way {
    unsigned caps;
    char grade;
} ways[] = {{CAN_READ | CAN_BATCH, 'C'}, {CAN_READ | CAN_BATCH, 'D'}, {CAN_READ | CAN_BATCH | WRITES_SETS, 'B'}};

static void world_of(const struct way *way)
{
    world_reset();
    w->caps = way->caps;
    w->grade = way->grade;
    w->clobber = true;
}

static bool count_value(void *arg, const char *key, const char *text)
{
    (void)key;
    (void)text;
    ++*(unsigned *)arg;
    return true;
}

static unsigned guards(void)
{
    unsigned n = 0;
    struct session y;

    session_open(&y, "shared_rrset = merge");
    assert_true(value_each(y.s, "guard", count_value, &n, NULL));
    session_close(&y);
    return n;
}

/* Written beside values of others, and deleted again. */
static int life(bool again)
{
    session_open(&x, "shared_rrset = merge");
    if (!again) {
        want(&x, "A", "www.example.hk", "code");
        want(&x, "A", "new.example.hk", "code");
        run(&x);
        if (state_of(&x, "A").present != 2)
            return 10;
        w->clobber = true;
    }
    release(&x, "A");
    run(&x);
    if (open_rows(&x))
        return 12;
    session_close(&x);
    return 0;
}

/* At each durable point of the life, and once more in the recovery. */
static void test_killed_everywhere(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
        unsigned n, restored = 0;

        for (n = 1; n < 100; n++) {
            world_of(&ways[k]);
            empty_state();
            int rc = in_child(life, false, n);
            if (rc == 0)
                break;
            assert_int_equal(rc, -SIGKILL);
            restored += !has("www.example.hk", "foreign");
            w->clobber = n % 4 == 1; /* the way back may lose, too */
            if (n % 2)
                in_child(life, true, n % 5 + 1);
            w->clobber = n % 8 == 1;
            rc = in_child(life, true, 0);
            if (rc)
                fail_msg("grade %c, point %u: the run after the kill ended with %d", ways[k].grade, n, rc);
            foreign_intact();
            assert_int_equal(world_count(), 4);
            assert_int_equal(guards(), 0);
        }
        assert_true(n > 8 && restored > 0);
    }
}

/* A value of `txt add`, which no run looks at by itself, goes while a value of others is put back. */
static int life_of_hand(bool again)
{
    session_open(&x, "shared_rrset = merge");
    if (!again) {
        want(&x, "", "www.example.hk", "hand");
        run(&x);
        w->promised = has("www.example.hk", "hand");
        if (!w->promised)
            return 10;
        w->clobber = true;
        w->takes_in = 2;
        want(&x, "A", "www.example.hk", "code");
        run(&x);
    }
    release(&x, "A");
    run(&x);
    session_close(&x);
    return 0;
}

static void test_hand_goes_too(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
        unsigned n, gone = 0;

        for (n = 1; n < 100; n++) {
            world_of(&ways[k]);
            w->clobber = false;
            empty_state();
            int rc = in_child(life_of_hand, false, n);
            gone += w->promised && !has("www.example.hk", "hand");
            w->clobber = false;
            w->takes_in = 0;
            if (rc && (rc != -SIGKILL || in_child(life_of_hand, true, 0)))
                fail_msg("grade %c, point %u: %d", ways[k].grade, n, rc);
            if (w->promised && !has("www.example.hk", "hand"))
                fail_msg("grade %c, killed at point %u: what `txt add` had put there is gone", ways[k].grade, n);
            foreign_intact();
            if (rc == 0)
                break;
        }
        assert_true(n > 8 && gone > 0);
    }
}

/* A run that ended right behind its write at www.example.hk and example.hk. */
static void broken_off(const struct way *way)
{
    world_of(way);
    session_open(&x, "shared_rrset = merge");
    want(&x, "A", "www.example.hk", "code");
    want(&x, "A", "example.hk", "code");
    while (!w->applies)
        turn(&x);
    session_close(&x);
    w->clobber = false;
}

static void next_run(void)
{
    session_open(&x, "shared_rrset = merge");
    run(&x);
    assert_false(publish_mending(x.p));
    session_close(&x);
}

static void test_owner_takes_away(void **state)
{
    (void)state;
    broken_off(&ways[0]);
    next_run();
    foreign_intact();
    world_remove("www.example.hk", "foreign");
    next_run();
    assert_false(has("www.example.hk", "foreign"));
}

static void test_owner_changes(void **state)
{
    (void)state;
    broken_off(&ways[0]);
    world_remove("example.hk", "v=spf1 -all");
    world_put("example.hk", 86400, "v=spf1 mx -all");
    next_run();
    assert_true(has("www.example.hk", "foreign"));
    assert_false(has("example.hk", "v=spf1 -all"));
    assert_int_equal(guards(), 0);
}

/* From before: what stood there already is nobody's change. */
static void test_of_the_same_kind(void **state)
{
    (void)state;
    world_of(&ways[0]);
    world_put("www.example.hk", 1800, "vendor=1");
    world_put("www.example.hk", 1800, "vendor=2");
    session_open(&x, "shared_rrset = merge");
    want(&x, "A", "www.example.hk", "code");
    while (!w->applies)
        turn(&x);
    session_close(&x);
    world_remove("www.example.hk", "vendor=1");
    next_run();
    assert_true(has("www.example.hk", "vendor=1"));
    foreign_intact();
}

static void test_too_old(void **state)
{
    (void)state;
    broken_off(&ways[0]);
    setenv("DCVAGENT_CLOCK", "+8d", 1);
    next_run();
    unsetenv("DCVAGENT_CLOCK");
    assert_false(has("www.example.hk", "foreign"));
    assert_int_equal(guards(), 0);
}

static void test_read_back_fails(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
        for (unsigned fails = 1; fails < 40; fails += 13) {
            world_of(&ways[k]);
            empty_state();
            session_open(&x, "shared_rrset = merge");
            want(&x, "A", "www.example.hk", "code");
            while (!w->applies)
                turn(&x);
            w->fail_reads = fails;
            run(&x);
            assert_int_equal(state_of(&x, "A").present, fails == 1);
            assert_int_equal(state_of(&x, "A").failed, fails != 1);
            session_close(&x);
            w->fail_reads = 0;
            next_run();
            foreign_intact();
            assert_true(has("www.example.hk", "code"));
        }
    }
}

/* The way back fails at first, and then for good. */
static void test_restore_fails(void **state)
{
    (void)state;
    broken_off(&ways[0]);
    w->lost_request = true;
    next_run();
    foreign_intact();
    broken_off(&ways[0]);
    w->refuse = true;
    next_run();
    assert_false(has("www.example.hk", "foreign"));
    assert_int_equal(guards(), 0);
}

/* As session_open(), with another section than the one that wrote. */
static void session_other(const char *name, const char *zones)
{
    struct err e = {0};
    FILE *f = fopen(x.path, "w");

    assert_non_null(f);
    fprintf(f, "[provider %s]\ntype = rfc2136\nserver = 192.0.2.53\nzones = %s\nshared_rrset = merge\n", name, zones);
    fclose(f);
    x.c = conf_load(x.path, modules);
    x.s = now_store = open_store(true);
    x.p = publish_new(NULL, x.s, x.c);
    assert_ok(publish_load(x.p, &e), e);
}

static void test_section_renamed(void **state)
{
    (void)state;
    broken_off(&ways[0]);
    session_other("renamed", "example.hk example.com");
    run(&x);
    session_close(&x);
    foreign_intact();
    assert_int_equal(guards(), 0);
}

static void put_guard(const char *provider, const char *sets)
{
    struct err e = {0};
    char *key = mem_fmt("%s/example.hk", provider);
    char *text = mem_fmt("{\"provider\":\"%s\",\"zone\":\"example.hk\",\"at\":%lld,\"sets\":[%s]}", provider, (long long)clock_now(), sets);

    x.s = open_store(true);
    assert_ok(value_put(x.s, "guard", key, text, &e), e);
    assert_ok(store_turn(x.s, &e), e);
    store_close(x.s);
    free(key);
    free(text);
}

/* The heir owes a look in the same zone itself, also at a name that the old section wrote. */
static void test_heir_owes(void **state)
{
    static const char *const heirs[] = {"zulu", "alpha"}; /* loaded after the old section's, and before */

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        empty_state();
        broken_off(&ways[0]);
        put_guard(heirs[i], "{\"owner\":\"other.example.hk\",\"ttl\":300,\"values\":[{\"value\":\"aGVpcnM=\",\"guarded\":true}]},"
                            "{\"owner\":\"www.example.hk\",\"ttl\":1800,\"values\":[{\"value\":\"Zm9yZWlnbg==\",\"guarded\":true},"
                            "{\"value\":\"c2Vjb25k\",\"guarded\":true}]}");
        session_other(heirs[i], "example.hk example.com");
        run(&x);
        session_close(&x);
        foreign_intact();
        assert_true(has("other.example.hk", "heirs"));
        assert_true(has("www.example.hk", "second"));
        assert_int_equal(guards(), 0);
    }
}

static bool count_unseen(void *arg, int64_t at, const char *cert, const char *order, const char *kind, const char *json)
{
    (void)at;
    (void)cert;
    (void)order;
    *(unsigned *)arg += !strcmp(kind, "record") && strstr(json, "foreign-unseen");
    return true;
}

/* Nobody may look any more: told once a day, and given up after a week, each value by its name. */
static void test_section_gone(void **state)
{
    static const struct {
        const char *clock;
        bool loud;
        unsigned guards, values;
    } runs[] = {{"+1h", true, 1, 0}, {"+2h", false, 1, 0}, {"+26h", true, 1, 0}, {"+8d", false, 0, 3}, {"+9d", false, 0, 3}};

    (void)state;
    broken_off(&ways[0]);
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        unsigned values = 0;

        setenv("DCVAGENT_CLOCK", runs[i].clock, 1);
        session_other("other", "example.org");
        int64_t told = notice_last(x.s, "unseen/bind/example.hk");
        run(&x);
        assert_int_equal(notice_last(x.s, "unseen/bind/example.hk") != told, runs[i].loud);
        assert_true(evidence_each(x.s, NULL, NULL, count_unseen, &values, NULL));
        assert_int_equal(values, runs[i].values);
        assert_string_equal(state_of(&x, "A").err.code, "LEDGER_ORPHAN");
        session_close(&x);
        assert_int_equal(guards(), runs[i].guards);
    }
    unsetenv("DCVAGENT_CLOCK");
}

/* A TXT of no octets is a value, too; alone, and beside others. */
static void test_empty_value(void **state)
{
    static const char *const owners[] = {"www.example.hk", "bare.example.hk"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        empty_state();
        world_of(&ways[0]);
        w->clobber = false;
        world_put(owners[i], 1800, "");
        session_open(&x, "shared_rrset = merge");
        want(&x, "A", owners[i], "code");
        while (!w->applies)
            turn(&x);
        session_close(&x);
        world_remove(owners[i], "");
        next_run();
        assert_true(has(owners[i], ""));
        assert_true(has(owners[i], "code"));
        foreign_intact();
    }
}

/* A guard that names nothing is dropped, and the rows go on in the same run. */
static void test_nothing_guarded(void **state)
{
    struct err e = {0};

    (void)state;
    world_of(&ways[0]);
    w->clobber = false;
    session_open(&x, "");
    want(&x, "A", "www.example.hk", "code");
    assert_ok(store_turn(x.s, &e), e);
    session_close(&x);
    put_guard("bind", "");
    session_open(&x, "shared_rrset = merge");
    run(&x);
    assert_int_equal(state_of(&x, "A").present, 1);
    session_close(&x);
    assert_int_equal(guards(), 0);
}

static bool takes_short(struct bytes value)
{
    return value.n < 7;
}

/* What could not be put back is not put at risk. */
static void test_frail(void **state)
{
    (void)state;
    world_of(&ways[1]);
    fake.takes = takes_short;
    session_open(&x, "shared_rrset = merge");
    want(&x, "A", "www.example.hk", "code");
    run(&x);
    assert_string_equal(state_of(&x, "A").err.code, "FOREIGN_FRAIL");
    foreign_intact();
    release(&x, "A");
    world_remove("www.example.hk", "foreign");
    w->clobber = false;
    want(&x, "B", "www.example.hk", "code");
    run(&x);
    assert_int_equal(state_of(&x, "B").present, 1);
    world_put("www.example.hk", 1800, "foreign");
    w->clobber = true;
    release(&x, "B");
    run(&x);
    assert_string_equal(state_of(&x, "B").err.code, "FOREIGN_FRAIL");
    foreign_intact();
    world_remove("www.example.hk", "code"); /* by hand */
    session_close(&x);
    next_run();
    foreign_intact();
    assert_int_equal(world_count(), 4);
    fake.takes = NULL;
}

/* The write's fate is unknown, and nothing of it is there: that ends once it cannot arrive any more. */
static void test_frail_without_ours(void **state)
{
    static const struct {
        const char *clock;
        bool there; /* ours */
        unsigned rows;
    } runs[] = {{"+1m", false, 1}, {"+2h", true, 1}, {"+2h", false, 0}};

    (void)state;
    world_of(&ways[1]);
    w->clobber = false;
    world_remove("www.example.hk", "foreign");
    session_open(&x, "shared_rrset = merge");
    want(&x, "A", "www.example.hk", "code");
    while (!w->applies)
        turn(&x);
    session_close(&x);
    world_put("www.example.hk", 1800, "foreign");
    fake.takes = takes_short;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        if (runs[i].there)
            world_put("www.example.hk", 1800, "code");
        else
            world_remove("www.example.hk", "code");
        setenv("DCVAGENT_CLOCK", runs[i].clock, 1);
        session_open(&x, "shared_rrset = merge");
        release(&x, "A");
        run(&x);
        assert_int_equal(state_of(&x, "A").rows, runs[i].rows);
        if (runs[i].rows)
            assert_string_equal(state_of(&x, "A").err.code, "FOREIGN_FRAIL");
        session_close(&x);
        foreign_intact();
    }
    unsetenv("DCVAGENT_CLOCK");
    fake.takes = NULL;
}

static bool leave_alone(void *arg, const struct ledger_row *row)
{
    struct ledger_row now = *row;
    struct err e = {0};

    err_set(&now.last, RC_LATER, "API_RATE", "too many requests");
    err_again(&now.last, clock_now() + *(int64_t *)arg);
    assert_ok(ledger_put(x.s, &now, &e), e);
    return true;
}

/* Who wants to be left alone is not asked for the sake of others either. */
static void test_left_alone(void **state)
{
    int64_t wait[] = {100, 4000};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct err e = {0};

        empty_state();
        broken_off(&ways[0]);
        x.s = open_store(true);
        assert_true(ledger_each(x.s, NULL, leave_alone, &wait[i], NULL));
        assert_ok(store_turn(x.s, &e), e);
        store_close(x.s);
        w->reads = 0;
        session_open(&x, "shared_rrset = merge");
        turn(&x);
        assert_int_equal(w->reads, 0);
        run(&x);
        assert_int_equal(w->reads > 0, i == 0);
        session_close(&x);
        assert_int_equal(guards(), i);
    }
}

/* What somebody added since the read-back is not taken along unseen. */
static void test_no_leaning(void **state)
{
    (void)state;
    world_of(&ways[1]);
    w->clobber = false;
    session_open(&x, "shared_rrset = merge");
    world_remove("www.example.hk", "foreign");
    want(&x, "A", "www.example.hk", "code");
    run(&x);
    world_put("www.example.hk", 1800, "foreign");
    w->clobber = true;
    release(&x, "A");
    run(&x);
    session_close(&x);
    foreign_intact();
}

/* Read beside the name that was written, and not written itself: not ours to put back. */
static void test_only_read(void **state)
{
    static const struct {
        unsigned caps;
        bool stands; /* ours stands there already; or it waits for the next write, where one apply takes one change */
    } cases[] = {{CAN_READ, false}, {CAN_READ | CAN_BATCH, true}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct way way = {cases[i].caps, 'D'};

        empty_state();
        world_of(&way);
        w->clobber = false;
        session_open(&x, "shared_rrset = merge");
        want(&x, "A", "www.example.hk", "code");
        if (cases[i].stands) {
            run(&x);
            publish_recheck(x.p, "A");
        }
        want(&x, "A", "example.hk", "code");
        for (w->applies = 0; !w->applies;)
            turn(&x);
        session_close(&x);
        assert_int_equal(has("www.example.hk", "code"), cases[i].stands);
        assert_int_equal(guards(), 1);
        world_remove("www.example.hk", "foreign");
        world_remove("example.hk", "vendor=1");
        next_run();
        assert_false(has("www.example.hk", "foreign"));
        assert_true(has("example.hk", "vendor=1"));
        assert_true(has("www.example.hk", "code"));
        assert_int_equal(guards(), 0);
    }
}

/* One look is waited for, and no more of a server that does not answer. */
static void test_dead_server(void **state)
{
    (void)state;
    broken_off(&ways[0]);
    w->fail_reads = 1000;
    w->reads = 0;
    session_open(&x, "shared_rrset = merge");
    assert_true(publish_mending(x.p));
    for (unsigned i = 0; i < 20; i++)
        turn(&x);
    assert_int_equal(w->reads, 1);
    assert_true(publish_busy(x.p));
    assert_false(publish_mending(x.p));
    run(&x);
    session_close(&x);
    w->fail_reads = 0;
    assert_int_equal(guards(), 1);
    next_run();
    foreign_intact();
}

/* The same of a value of `txt add` that an earlier run left to look at; and it is looked at, once its server is back. */
static void test_hand_at_dead_server(void **state)
{
    char path[256];
    sqlite3 *db;

    (void)state;
    session_open(&x, "shared_rrset = merge");
    want(&x, "", "www.example.hk", "hand");
    run(&x);
    session_close(&x);
    in_dir(path, "state.db");
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "UPDATE ledger SET settled = 0", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    world_remove("www.example.hk", "hand");
    w->fail_reads = 1000;
    session_open(&x, "shared_rrset = merge");
    assert_true(publish_mending(x.p));
    for (unsigned i = 0; i < 20; i++)
        turn(&x);
    assert_true(publish_busy(x.p));
    assert_false(publish_mending(x.p));
    run(&x);
    session_close(&x);
    w->fail_reads = 0;
    next_run();
    assert_true(has("www.example.hk", "hand"));
}

/* What was never written goes without a question to DNS, whether it was released before or after the lane has given up. */
static void test_never_written(void **state)
{
    (void)state;
    broken_off(&ways[0]);
    w->fail_reads = 1000;
    session_open(&x, "shared_rrset = merge");
    want(&x, "B", "new.example.hk", "code");
    want(&x, "C", "new.example.hk", "late");
    release(&x, "B");
    run(&x);
    assert_int_equal(state_of(&x, "B").rows, 0);
    assert_int_equal(state_of(&x, "C").failed, 1);
    assert_string_equal(state_of(&x, "C").err.where, "new.example.hk");
    release(&x, "C");
    run(&x);
    assert_int_equal(state_of(&x, "C").rows, 0);
    session_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_dir(test_killed_everywhere), with_dir(test_hand_goes_too), with_dir(test_owner_takes_away),    with_dir(test_owner_changes),
        with_dir(test_of_the_same_kind),  with_dir(test_too_old),       with_dir(test_read_back_fails),     with_dir(test_restore_fails),
        with_dir(test_section_renamed),   with_dir(test_no_leaning),    with_dir(test_left_alone),          with_dir(test_frail),
        with_dir(test_only_read),         with_dir(test_dead_server),   with_dir(test_hand_at_dead_server), with_dir(test_never_written),
        with_dir(test_heir_owes),         with_dir(test_section_gone),  with_dir(test_empty_value),         with_dir(test_nothing_guarded),
        with_dir(test_frail_without_ours)};

    world_make();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
