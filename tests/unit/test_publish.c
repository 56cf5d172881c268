/* The pump: whose a value is, who deletes it, and when; one batch a zone. */
#include "publish_world.h"

static struct session x;

static void test_one_batch(void **state)
{
    (void)state;
    session_open(&x, "");
    for (int i = 0; i < 20; i++) {
        char owner[40];

        snprintf(owner, sizeof owner, "h%d.example.hk", i);
        want(&x, i % 2 ? "A" : "B", owner, "code");
    }
    want(&x, "A", "www.example.hk", "code");
    want(&x, "A", "www.example.hk", "code"); /* idempotent */
    run(&x);
    assert_int_equal(w->applies, 1); /* one UPDATE a zone */
    assert_int_equal(w->reads, 2);
    assert_int_equal(publish_requests(x.p, "bind"), 3);
    assert_int_equal(w->changes, 21);
    assert_int_equal(state_of(&x, "A").present, 11);
    assert_int_equal(state_of(&x, "A").rows, 11);
    assert_true(state_of(&x, "A").settle_at >= state_of(&x, "A").written + 1800); /* the old TTL of www */
    assert_int_equal(state_of(&x, "B").settle_at - state_of(&x, "B").written, 60);
    foreign_intact();
    release(&x, "A");
    release(&x, "B");
    run(&x);
    assert_int_equal(w->applies, 2);
    assert_int_equal(open_rows(&x), 0);
    assert_int_equal(world_count(), 4);
    session_close(&x);
}

static void test_found(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "www.example.hk", "foreign");
    run(&x);
    want(&x, "B", "www.example.hk", "foreign");
    run(&x);
    assert_int_equal(w->applies, 0);
    assert_int_equal(state_of(&x, "A").present, 1);
    assert_int_equal(state_of(&x, "B").present, 1);
    release(&x, "A");
    run(&x);
    release(&x, "B");
    run(&x);
    assert_int_equal(w->applies, 0);
    assert_int_equal(open_rows(&x), 0);
    foreign_intact();
    session_close(&x);
}

/* The stranger takes its value away while two of our orders lean on it: then it is ours, and goes with the last of them. */
static void test_found_vanishes(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "www.example.hk", "foreign");
    want(&x, "B", "www.example.hk", "foreign");
    run(&x);
    world_remove("www.example.hk", "foreign");
    publish_recheck(x.p, "A");
    run(&x);
    assert_true(has("www.example.hk", "foreign"));
    release(&x, "A");
    run(&x);
    assert_true(has("www.example.hk", "foreign"));
    release(&x, "B");
    run(&x);
    assert_false(has("www.example.hk", "foreign"));
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

static void test_shared_record(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    release(&x, "A");
    want(&x, "B", "new.example.hk", "code"); /* the second order comes in the very turn the first one leaves */
    run(&x);
    assert_true(has("new.example.hk", "code"));
    assert_int_equal(w->applies, 1);
    assert_int_equal(state_of(&x, "A").rows, 0);
    release(&x, "B");
    run(&x);
    assert_false(has("new.example.hk", "code")); /* not taken for a stranger's */
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

/* A second order finds the record of the first one, which stays: it is ours, not a stranger's. */
static void test_second_order(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    want(&x, "B", "new.example.hk", "code");
    run(&x);
    assert_int_equal(w->applies, 1);
    assert_int_equal(state_of(&x, "B").present, 1);
    assert_true(state_of(&x, "B").written > 0);
    release(&x, "A");
    run(&x);
    assert_true(has("new.example.hk", "code"));
    release(&x, "B");
    run(&x);
    assert_false(has("new.example.hk", "code"));
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

static void test_wanted_again(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    release(&x, "A");
    turn(&x); /* the read before the delete is under way */
    turn(&x);
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    assert_true(has("new.example.hk", "code"));
    assert_int_equal(state_of(&x, "A").present, 1);
    assert_int_equal(open_rows(&x), 1);
    release(&x, "A");
    run(&x);
    assert_int_equal(open_rows(&x), 0);
    assert_int_equal(world_count(), 4);
    session_close(&x);
}

static void test_cname(void **state)
{
    (void)state;
    session_open(&x, "");
    snprintf(w->cname, sizeof w->cname, "alias.example.hk");
    want(&x, "A", "alias.example.hk", "code");
    run(&x);
    assert_int_equal(w->applies, 0);
    assert_int_equal(state_of(&x, "A").err.rc, RC_DELEGATION);
    assert_string_equal(state_of(&x, "A").err.code, "CNAME_AT_OWNER");
    release(&x, "A");
    run(&x);
    assert_int_equal(w->applies, 0);
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

static void test_sharing(void **state)
{
    (void)state;
    session_open(&x, "shared_rrset = refuse");
    want(&x, "A", "example.hk", "code");
    want(&x, "A", "new.example.hk", "code");
    want(&x, "A", "new.example.hk", "second code"); /* beside our own value */
    run(&x);
    assert_int_equal(state_of(&x, "A").present, 2);
    assert_string_equal(state_of(&x, "A").err.code, "SHARED_REFUSED");
    session_close(&x);
    w->grade = 'D';
    session_open(&x, "");
    run(&x);
    assert_int_equal(state_of(&x, "A").failed, 1);
    session_close(&x);
    session_open(&x, "shared_rrset = merge");
    run(&x);
    assert_int_equal(state_of(&x, "A").failed, 0);
    assert_int_equal(state_of(&x, "A").present, 3);
    foreign_intact();
    session_close(&x);
}

static bool count_lost(void *arg, int64_t at, const char *cert, const char *order, const char *kind, const char *json)
{
    (void)at;
    (void)cert;
    (void)order;
    *(unsigned *)arg += !strcmp(kind, "record") && strstr(json, "foreign-lost") && strstr(json, "\"foreign\"");
    return true;
}

static void test_foreign_lost(void **state)
{
    unsigned lost = 0;

    (void)state;
    session_open(&x, "");
    w->clobber = true;
    want(&x, "A", "www.example.hk", "code");
    run(&x);
    assert_int_equal(state_of(&x, "A").present, 1);
    assert_true(evidence_each(x.s, NULL, NULL, count_lost, &lost, NULL));
    assert_int_equal(lost, 1);
    session_close(&x);
}

/* What a wildcard showed at the name is hidden by our record, and not lost: no alarm. */
static void test_wildcard_hidden(void **state)
{
    unsigned lost = 0;

    (void)state;
    snprintf(w->star, sizeof w->star, "foreign");
    session_open(&x, "");
    want(&x, "A", "_acme-challenge.star.example.hk", "code");
    run(&x);
    assert_int_equal(state_of(&x, "A").present, 1);
    assert_true(evidence_each(x.s, NULL, NULL, count_lost, &lost, NULL));
    assert_int_equal(lost, 0);
    release(&x, "A");
    run(&x);
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

static bool count_restored(void *arg, int64_t at, const char *cert, const char *order, const char *kind, const char *json)
{
    (void)at;
    (void)cert;
    (void)order;
    *(unsigned *)arg += !strcmp(kind, "record") && strstr(json, "foreign-restored");
    return true;
}

/* An adapter's loss is put back; but not what a wildcard showed, which nobody lost. */
static void test_adapter_loses(void **state)
{
    unsigned restored = 0;

    (void)state;
    w->grade = 'C';
    w->clobber = true;
    snprintf(w->star, sizeof w->star, "foreign");
    session_open(&x, "shared_rrset = merge");
    want(&x, "A", "www.example.hk", "code");
    want(&x, "A", "_acme-challenge.star.example.hk", "code");
    run(&x);
    assert_int_equal(state_of(&x, "A").present, 2);
    foreign_intact();
    assert_false(has("_acme-challenge.star.example.hk", "foreign"));
    assert_true(evidence_each(x.s, NULL, NULL, count_restored, &restored, NULL));
    assert_int_equal(restored, 1);
    release(&x, "A");
    run(&x);
    assert_int_equal(world_count(), 4);
    session_close(&x);
}

/* Where a compare-and-swap went through nothing got lost by us: what is missing somebody took away, and it stays away. */
static void test_swapped_set(void **state)
{
    unsigned lost = 0;

    (void)state;
    w->caps = CAN_READ | CAN_BATCH | WRITES_SETS | HAS_CAS;
    session_open(&x, "");
    w->clobber = true;
    want(&x, "A", "www.example.hk", "code");
    run(&x);
    assert_int_equal(state_of(&x, "A").present, 1);
    assert_false(has("www.example.hk", "foreign"));
    assert_true(evidence_each(x.s, NULL, NULL, count_lost, &lost, NULL));
    assert_int_equal(lost, 1);
    session_close(&x);
}

/* A set whose TTL is 0 keeps even that. */
static void test_ttl_zero(void **state)
{
    (void)state;
    world_put("zero.example.hk", 0, "others");
    session_open(&x, "");
    want(&x, "A", "zero.example.hk", "code");
    run(&x);
    assert_int_equal(w->v[world_find("zero.example.hk", "others")].ttl, 0);
    release(&x, "A");
    run(&x);
    assert_true(has("zero.example.hk", "others"));
    session_close(&x);
}

static void test_whole_sets(void **state)
{
    (void)state;
    w->caps = CAN_READ | CAN_BATCH | WRITES_SETS;
    w->grade = 'B';
    session_open(&x, "");
    want(&x, "A", "example.hk", "code");
    want(&x, "B", "example.hk", "other code");
    run(&x);
    foreign_intact();
    assert_true(has("example.hk", "code") && has("example.hk", "other code"));
    w->conflicts = 1;
    release(&x, "A");
    run(&x);
    assert_false(has("example.hk", "code"));
    assert_true(has("example.hk", "other code"));
    foreign_intact();
    w->clobber = true; /* the provider loses a value of others: it is put back */
    want(&x, "A", "example.hk", "third code");
    run(&x);
    foreign_intact();
    assert_true(has("example.hk", "third code") && has("example.hk", "other code"));
    release(&x, "A");
    release(&x, "B");
    run(&x);
    assert_int_equal(world_count(), 4);
    assert_int_equal(open_rows(&x), 0);
    foreign_intact();
    session_close(&x);
}

static bool count_kept(void *arg, int64_t at, const char *cert, const char *order, const char *kind, const char *json)
{
    (void)at;
    (void)cert;
    (void)order;
    *(unsigned *)arg += !strcmp(kind, "record") && strstr(json, "\"snapshot\"") && strstr(json, "\"v=spf1 -all\"") && strstr(json, "86400");
    return true;
}

/* What others have in a set that is replaced stands on disk before the write; a set of our own needs no such thing. */
static void test_snapshot(void **state)
{
    unsigned kept = 0;

    (void)state;
    w->caps = CAN_READ | CAN_BATCH | WRITES_SETS;
    w->grade = 'B';
    session_open(&x, "");
    want(&x, "A", "example.hk", "code");
    want(&x, "B", "example.hk", "other code");
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    assert_true(evidence_each(x.s, NULL, NULL, count_kept, &kept, NULL));
    assert_int_equal(kept, 1);
    release(&x, "A");
    run(&x);
    kept = 0;
    assert_true(evidence_each(x.s, NULL, NULL, count_kept, &kept, NULL));
    assert_int_equal(kept, 2);
    session_close(&x);
}

/* Somebody else writes at every one of our moments: an end after some tries, and what was never written is not ours. */
static void test_conflicts(void **state)
{
    (void)state;
    w->caps = CAN_READ | CAN_BATCH | WRITES_SETS | HAS_CAS;
    session_open(&x, "");
    w->conflicts = 2;
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    assert_int_equal(state_of(&x, "A").present, 1);
    assert_int_equal(w->applies, 3);
    w->conflicts = 100;
    w->applies = 0;
    want(&x, "B", "www.example.hk", "code");
    run(&x);
    assert_string_equal(state_of(&x, "B").err.code, "WRITE_CONFLICT");
    assert_in_range(w->applies, 2, 8);
    assert_int_equal(state_of(&x, "B").written, 0);
    foreign_intact();
    release(&x, "B");
    run(&x);
    assert_int_equal(state_of(&x, "B").rows, 0); /* nothing was written: nothing to delete */
    session_close(&x);
}

static void test_one_change_at_a_time(void **state)
{
    (void)state;
    w->caps = CAN_READ;
    session_open(&x, "");
    for (int i = 0; i < 3; i++) {
        char owner[40];

        snprintf(owner, sizeof owner, "h%d.example.hk", i);
        want(&x, "A", owner, "code");
    }
    run(&x);
    assert_int_equal(w->applies, 3);
    assert_int_equal(state_of(&x, "A").present, 3);
    release(&x, "A");
    run(&x);
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

static void test_warm(void **state)
{
    (void)state;
    session_open(&x, "");
    publish_warm(x.p, "bind", "example.hk", "www.example.hk");
    publish_warm(x.p, "bind", "example.hk", "new.example.hk");
    publish_warm(x.p, "bind", "example.hk", "new.example.hk");
    run(&x);
    assert_int_equal(w->reads, 1);
    want(&x, "A", "www.example.hk", "code");
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    assert_int_equal(w->reads, 2); /* the read-back alone */
    assert_int_equal(w->applies, 1);
    foreign_intact();
    world_remove("new.example.hk", "code");
    publish_recheck(x.p, "A"); /* an early read is good for one write only */
    run(&x);
    assert_true(has("new.example.hk", "code"));
    publish_warm(x.p, "bind", "example.hk", "x.example.hk");
    run(&x);
    loop.now += 60000; /* too old to lean on */
    want(&x, "A", "x.example.hk", "code");
    w->reads = 0;
    run(&x);
    assert_int_equal(w->reads, 2);
    publish_warm(x.p, "bind", "example.hk", "y.example.hk"); /* freed while under way */
    turn(&x);
    session_close(&x);
}

/* A delete that follows soon leans on the read-back of the write, unless somebody else has a value there, or the write was not ours. */
static void test_read_back_stands(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    w->reads = 0;
    release(&x, "A");
    run(&x);
    assert_int_equal(w->reads, 1); /* the read-back of the delete */
    assert_int_equal(open_rows(&x), 0);
    assert_false(has("new.example.hk", "code"));

    want(&x, "B", "www.example.hk", "code"); /* beside a stranger's */
    run(&x);
    w->reads = 0;
    world_remove("www.example.hk", "foreign"); /* its owner's own doing is not undone */
    release(&x, "B");
    run(&x);
    assert_int_equal(w->reads, 2);
    assert_false(has("www.example.hk", "foreign"));

    want(&x, "C", "late.example.hk", "code");
    run(&x);
    w->reads = 0;
    loop.now += 60000; /* too long ago */
    release(&x, "C");
    run(&x);
    assert_int_equal(w->reads, 2);

    want(&x, "D", "two.example.hk", "first");
    run(&x);
    w->reads = 0;
    want(&x, "E", "two.example.hk", "second"); /* an add looks for itself: a stranger may be there by now */
    run(&x);
    assert_int_equal(w->reads, 2);
    release(&x, "D");
    release(&x, "E");
    run(&x);
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_world(test_one_batch),
        with_world(test_found),
        with_world(test_found_vanishes),
        with_world(test_shared_record),
        with_world(test_second_order),
        with_world(test_wanted_again),
        with_world(test_cname),
        with_world(test_sharing),
        with_world(test_foreign_lost),
        with_world(test_wildcard_hidden),
        with_world(test_adapter_loses),
        with_world(test_swapped_set),
        with_world(test_ttl_zero),
        with_world(test_whole_sets),
        with_world(test_snapshot),
        with_world(test_conflicts),
        with_world(test_one_change_at_a_time),
        with_world(test_warm),
        with_world(test_read_back_stands),
    };

    world_make();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
