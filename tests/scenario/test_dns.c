/* What DNS can do to an order: servers that lag or are dead, caches, other people's records, refusals; and many orders at once. */
#include <signal.h>

#include "base/mem.h"
#include "tests/scenario/scene.h"

static struct world_server *ns2(void)
{
    return world_server("192.0.2.2");
}

static void lagging_secondary(void **state)
{
    (void)state;
    walk("shop", TO_CODE);
    ns2()->lag = 2 * HOUR * 1000;
    hand("shop", "code", "code-1");
    run_gives(RC_UNSEEN);
    at("shop", "published", "propagation");
    said("SECONDARY_LAG");
    said("ns2.example.hk");
    assert_int_equal(notified("failed"), 1);
    assert_int_equal(world_server("192.0.2.8")->early, 0); /* no resolver is asked before every authority has it */
    later(HOUR);
    run_gives(RC_UNSEEN);
    silent();
    txt_there("example.hk", "code-1");
    assert_int_equal(world_zone_of("example.hk")->batches, 1);
    later(HOUR);
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
    said("WAITING_CONFIRM");
}

static void short_lag_within_a_run(void **state)
{
    (void)state;
    walk("shop", TO_CODE);
    ns2()->lag = 40 * 1000;
    hand("shop", "code", "code-1");
    int64_t began = world_ms();
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
    assert_true(world_ms() - began >= 40 * 1000 && world_ms() - began < 65 * 1000);
}

static void dead_secondary(void **state)
{
    (void)state;
    walk("shop", TO_CODE);
    ns2()->dead = true;
    hand("shop", "code", "code-1");
    run_gives(RC_UNSEEN);
    at("shop", "published", "propagation");
    said("ns2.example.hk (192.0.2.2) does not answer");
    ns2()->dead = false;
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
}

/* A resolver was asked too early by somebody else: it says no until the zone's negative TTL is over. */
static void negative_cache(void **state)
{
    (void)state;
    walk("shop", TO_CODE);
    world_ask("192.0.2.8", "www.example.hk", TYPE_TXT);
    hand("shop", "code", "code-1");
    run_gives(RC_LATER);
    at("shop", "published", "propagation");
    silent();
    later(40 * MINUTE);
    run_gives(RC_LATER);
    at("shop", "published", "propagation");
    silent();
    later(20 * MINUTE);
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
}

/* A resolver that never learns: its forecast is over after one negative TTL, then it is a fault. */
static void stale_resolver(void **state)
{
    (void)state;
    walk("shop", TO_CODE);
    world_server("192.0.2.8")->stands = world_ms();
    hand("shop", "code", "code-1");
    run_gives(RC_LATER);
    silent();
    later(30 * MINUTE);
    run_gives(RC_LATER);
    silent();
    later(HOUR);
    run_gives(RC_UNSEEN);
    at("shop", "published", "propagation");
    said("192.0.2.8");
    later(HOUR);
    run_gives(RC_UNSEEN);
    silent();
    world_server("192.0.2.8")->stands = 0;
    later(HOUR);
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
}

/* settle = auto: nobody may hold what stood there before: here nothing did, so the negative TTL counts. */
static void settle_across_runs(void **state)
{
    (void)state;
    config(.verify = "settle = auto");
    walk("shop", TO_CODE);
    hand("shop", "code", "code-1");
    run_gives(RC_LATER);
    at("shop", "visible", "time");
    silent();
    assert_int_equal(notified("waiting"), 2); /* pin and code: a time is no person */
    later(59 * MINUTE);
    run_gives(RC_LATER); /* what is left ends within the run */
    at("shop", "visible", "confirm");
    assert_true(world_ms() / 1000 >= SPRING_2026 + 3600);
}

static void settle_counts_the_old_ttl(void **state)
{
    (void)state;
    world_put("example.hk", TYPE_TXT, 7200, "v=spf1 -all");
    config(.verify = "settle = auto", .shop = "names = example.hk\nproduct = standard");
    walk("shop", TO_CODE);
    hand("shop", "code", "code-1");
    run_gives(RC_LATER);
    later(HOUR + 30 * MINUTE);
    run_gives(RC_LATER);
    at("shop", "visible", "time");
    later(30 * MINUTE);
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
    assert_int_equal(world_find("example.hk", TYPE_TXT, "code-1", world_ms())->ttl, 7200);
}

static void settle_given(void **state)
{
    (void)state;
    config(.verify = "settle = 5s");
    walk("shop", TO_CONFIRM);
    assert_true(world_ms() >= (SPRING_2026 + 5) * (int64_t)1000);
}

static void removed_by_somebody(void **state)
{
    (void)state;
    walk("shop", TO_CONFIRM);
    world_remove("www.example.hk", TYPE_TXT, "code-1");
    later(HOUR);
    run_gives(RC_LATER);
    txt_there("www.example.hk", "code-1");
    at("shop", "visible", "confirm");
    world_remove("example.hk", TYPE_TXT, "code-1");
    world_remove("www.example.hk", TYPE_TXT, "code-1");
    hand("shop", "confirmed", "");
    run_gives(RC_LATER);
    at("shop", "validated", "operator");
    txt_there("example.hk", "code-1"); /* the CA may look again */
    import("shop", 199);
    run_gives(RC_OK);
    assert_int_equal(world_count(TYPE_TXT), 0);
}

static void removed_while_verified(void **state)
{
    (void)state;
    walk("shop", TO_CODE);
    ns2()->lag = 2 * HOUR * 1000;
    hand("shop", "code", "code-1");
    run_gives(RC_UNSEEN);
    world_remove("www.example.hk", TYPE_TXT, "code-1");
    later(3 * HOUR);
    ns2()->lag = 0;
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
    txt_there("www.example.hk", "code-1");
}

static void there_before_us(void **state)
{
    (void)state;
    world_put("www.example.hk", TYPE_TXT, 600, "code-1");
    world_put("example.hk", TYPE_TXT, 600, "v=spf1 -all");
    walk("shop", TO_DONE);
    txt_there("www.example.hk", "code-1");
    txt_there("example.hk", "v=spf1 -all");
    txt_gone("example.hk", "code-1");
    assert_int_equal(ledger_rows(), 0);
}

static void one_value_for_two(void **state)
{
    (void)state;
    config(.shop = "names = example.hk\nproduct = standard",
           .more = "[certificate wild]\nca = hand\nkey_type = p256\nnames = *.example.hk\nproduct = wildcard");
    run_gives(RC_LATER);
    for (int i = 0; i < 2; i++)
        hand(i ? "wild" : "shop", "pin", "123456789");
    run_gives(RC_LATER);
    for (int i = 0; i < 2; i++)
        hand(i ? "wild" : "shop", "code", "shared");
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
    at("wild", "visible", "confirm");
    assert_int_equal(world_count(TYPE_TXT), 1);
    assert_int_equal(world_zone_of("example.hk")->changes, 1);
    import("shop", 199);
    run_gives(RC_LATER);
    at("shop", "done", "");
    txt_there("example.hk", "shared");
    run_gives(RC_LATER);
    txt_there("example.hk", "shared");
    import("wild", 199);
    run_gives(RC_OK);
    at("wild", "done", "");
    txt_gone("example.hk", "shared");
    assert_int_equal(ledger_rows(), 0);
}

static void caa_forbids(void **state)
{
    (void)state;
    world_put("example.hk", TYPE_CAA, 300, "0 issue other.example");
    config(.ca = "caa = ecert.gov.hk hongkongpost.gov.hk");
    run_gives(RC_LATER);
    hand("shop", "pin", "123456789");
    run_gives(RC_DELEGATION);
    at("shop", "prepared", "");
    said("www.example.hk, example.hk");
    not_said("WAITING_CODE");
    assert_int_equal(notified("failed"), 1);
    for (int i = 0; i < 3; i++) {
        later(7 * HOUR);
        run_gives(RC_DELEGATION);
        silent();
    }
    later(4 * HOUR);
    run_gives(RC_DELEGATION);
    said("CAA_FORBIDS");
    assert_int_equal(notified("failed"), 2);
    world_remove("example.hk", TYPE_CAA, NULL);
    world_put("example.hk", TYPE_CAA, 300, "0 issue ecert.gov.hk");
    later(DAY);
    run_gives(RC_LATER);
    at("shop", "prepared", "code");
}

static void update_refused(void **state)
{
    (void)state;
    walk("shop", TO_CODE);
    world_zone_of("example.hk")->refuses = true;
    hand("shop", "code", "code-1");
    run_gives(RC_WRITE);
    at("shop", "challenged", "");
    said("UPDATE_REFUSED");
    run_gives(RC_WRITE);
    silent();
    world_zone_of("example.hk")->refuses = false;
    later(2 * MINUTE);
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
}

static void update_server_offline(void **state)
{
    (void)state;
    walk("shop", TO_CODE);
    world_zone_of("example.hk")->offline = true;
    hand("shop", "code", "code-1");
    run_gives(RC_NET);
    at("shop", "challenged", "");
    world_zone_of("example.hk")->offline = false;
    later(15 * MINUTE);
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
}

static void offline_at_the_end(void **state)
{
    (void)state;
    walk("shop", TO_IMPORT);
    world_zone_of("example.hk")->offline = true;
    import("shop", 199);
    run_gives(RC_NET);
    at("shop", "installed", "");
    assert_int_equal(live("shop"), 1); /* the certificate is in use whatever becomes of the records */
    world_zone_of("example.hk")->offline = false;
    later(15 * MINUTE);
    run_gives(RC_OK);
    at("shop", "done", "");
    assert_int_equal(world_count(TYPE_TXT), 0);
}

static void deadline(void **state)
{
    (void)state;
    config(.agent = "run_deadline = 1m", .verify = "settle = 0s");
    walk("shop", TO_CODE);
    ns2()->lag = 10 * MINUTE * 1000;
    hand("shop", "code", "code-1");
    int64_t began = world_ms();
    run_gives(RC_LATER);
    assert_true(world_ms() - began <= 61 * 1000);
    at("shop", "published", "propagation");
    later(10 * MINUTE);
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
    assert_int_equal(world_zone_of("example.hk")->batches, 1);
}

static void ring_signal(void *arg)
{
    (void)arg;
    world_signal(SIGTERM);
}

static void stopped_by_a_signal(void **state)
{
    (void)state;
    walk("shop", TO_CODE);
    ns2()->lag = 10 * MINUTE * 1000;
    hand("shop", "code", "code-1");
    world_at(world_ms() + 20000, ring_signal, NULL);
    int64_t began = world_ms();
    run_gives((enum rc)(128 + SIGTERM));
    assert_true(world_ms() - began < 21 * 1000);
    world_signal(0);
    later(10 * MINUTE);
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
}

/* At every moment of a run a signal may come: whatever it was doing, the next run ends where an undisturbed one does. */
static void stopped_anywhere(void **state)
{
    (void)state;
    static int mark;
    for (int ms = 5; ms <= 245; ms += 20) {
        later(HOUR);
        walk("shop", TO_CODE);
        hand("shop", "code", "code-1");
        world_at(world_ms() + ms, ring_signal, &mark);
        scene_run(&(struct run_setup){0});
        world_drop(&mark);
        world_signal(0);
        run_gives(RC_LATER);
        at("shop", "visible", "confirm");
        assert_int_equal(world_count(TYPE_TXT), 2);
        later(MINUTE);
        hand("shop", "cancel", "");
        run_gives(RC_LATER);
        assert_int_equal(world_count(TYPE_TXT), 0);
        assert_int_equal(ledger_rows(), 0);
    }
}

static void hand_code(void *arg)
{
    struct store *s;
    struct err e = {0};
    (void)arg;
    assert_true(store_open(&s, scene_path("state"), true, &e));
    assert_true(inbox_put(s, "shop", "code", "", text_of("code-1"), 0, &e));
    store_close(s);
}

/* A run waits for another certificate's records when a person hands a code over: it is taken up at once. */
static void handed_over_during_a_run(void **state)
{
    (void)state;
    config(.more = "[certificate other]\nca = hand\nkey_type = p256\nnames = www.example.com\nproduct = standard");
    run_gives(RC_LATER);
    hand("shop", "pin", "123456789");
    hand("other", "pin", "123456789");
    run_gives(RC_LATER);
    world_server("192.0.2.4")->lag = 2 * MINUTE * 1000;
    hand("other", "code", "code-2");
    world_at(world_ms() + 30000, hand_code, NULL);
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
    at("other", "visible", "confirm");
}

static void other_zone_is_no_obstacle(void **state)
{
    (void)state;
    config(.more = "[certificate other]\nca = hand\nkey_type = p256\nnames = www.example.com\nproduct = standard");
    run_gives(RC_LATER);
    hand("shop", "pin", "123456789");
    hand("other", "pin", "123456789");
    run_gives(RC_LATER);
    hand("shop", "code", "code-1");
    hand("other", "code", "code-2");
    world_zone_of("example.com")->refuses = true;
    run_gives(RC_WRITE);
    at("shop", "visible", "confirm");
    at("other", "challenged", "");
}

static void fifty_orders(void **state)
{
    (void)state;
    enum { MANY = 50 };
    char *more = mem_str("");
    for (int i = 0; i < MANY; i++) {
        char *longer = mem_fmt("%s[certificate c%02d]\nca = hand\nkey_type = p256\nnames = w%02d.example.%s\nproduct = standard\n", more, i,
                               i, i % 2 ? "hk" : "com");
        free(more);
        more = longer;
    }
    config(.no_shop = true, .more = more);
    free(more);
    run_with(RC_LATER, .force = true);
    for (int i = 0; i < MANY; i++) {
        char cert[24], code[24];
        snprintf(cert, sizeof cert, "c%02d", i);
        snprintf(code, sizeof code, "code-%d", i);
        at(cert, "prepared", "code");
        hand(cert, "code", code);
    }
    int64_t began = world_ms();
    run_gives(RC_LATER);
    assert_true(world_ms() - began < 2000);
    at("c00", "visible", "confirm");
    at("c49", "visible", "confirm");
    assert_int_equal(world_zone_of("example.hk")->batches, 1);
    assert_int_equal(world_zone_of("example.com")->batches, 1);
    assert_int_equal(world_count(TYPE_TXT), MANY);
}

/* What a run has found out is told even where its time is up. */
static void deadline_still_notifies(void **state)
{
    (void)state;
    config(.agent = "run_deadline = 1m",
           .more = "[certificate other]\nca = hand\nkey_type = p256\nnames = www.example.com\nproduct = standard");
    run_gives(RC_LATER);
    hand("shop", "pin", "123456789");
    hand("other", "pin", "123456789");
    run_gives(RC_LATER);
    unsigned before = notified("waiting");
    hand("shop", "code", "code-1");
    hand("other", "code", "code-2");
    world_server("192.0.2.4")->lag = HOUR * 1000;
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
    said("WAITING_CONFIRM");
    assert_int_equal(notified("waiting"), before + 1);
}

static void few_at_once(void **state)
{
    (void)state;
    char more[2048] = "";
    for (int i = 0; i < 6; i++)
        snprintf(more + strlen(more), sizeof more - strlen(more),
                 "[certificate c%d]\nca = hand\nkey_type = p256\nnames = w%d.example.hk\nproduct = standard\n", i, i);
    config(.agent = "parallel_orders = 2", .no_shop = true, .more = more);
    run_with(RC_LATER, .force = true);
    for (int i = 0; i < 6; i++) {
        char cert[16];
        snprintf(cert, sizeof cert, "c%d", i);
        at(cert, "prepared", "code");
    }
}

static void one_run_at_a_time(void **state)
{
    (void)state;
    struct store *s;
    struct err e = {0};
    walk("shop", TO_CODE);
    assert_true(store_open(&s, scene_path("state"), true, &e) && store_lock(s, &e));
    run_gives(RC_LATER);
    said("LOCKED");
    hand("shop", "code", "code-1"); /* handed over to the run that is on */
    store_close(s);
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
}

static void a_fault_in_one_section(void **state)
{
    (void)state;
    config(.more = "[certificate bad]\nca = hand\nnames = www.example.com\nproduct = nonsense");
    run_gives(RC_CONF);
    at("shop", "new", "pin");
    assert_int_equal(orders("bad"), 0);
    hand("shop", "pin", "123456789");
    run_gives(RC_CONF);
    at("shop", "prepared", "code");
}

static void only_what_is_named(void **state)
{
    (void)state;
    struct strs shop = {0};
    strs_add(&shop, "shop");
    config(.more = "[certificate other]\nca = hand\nkey_type = p256\nnames = www.example.com\nproduct = standard");
    run_with(RC_LATER, .names = &shop);
    assert_int_equal(orders("shop"), 1);
    assert_int_equal(orders("other"), 0);
    strs_free(&shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scenario(lagging_secondary),
        scenario(short_lag_within_a_run),
        scenario(dead_secondary),
        scenario(negative_cache),
        scenario(stale_resolver),
        scenario(settle_across_runs),
        scenario(settle_counts_the_old_ttl),
        scenario(settle_given),
        scenario(removed_by_somebody),
        scenario(removed_while_verified),
        scenario(there_before_us),
        scenario(one_value_for_two),
        scenario(caa_forbids),
        scenario(update_refused),
        scenario(update_server_offline),
        scenario(offline_at_the_end),
        scenario(deadline),
        scenario(stopped_by_a_signal),
        scenario(stopped_anywhere),
        scenario(handed_over_during_a_run),
        scenario(other_zone_is_no_obstacle),
        scenario(fifty_orders),
        scenario(deadline_still_notifies),
        scenario(few_at_once),
        scenario(one_run_at_a_time),
        scenario(a_fault_in_one_section),
        scenario(only_what_is_named),
    };
    return scenes(tests);
}
