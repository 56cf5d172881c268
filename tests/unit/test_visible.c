/* Watches over the small Internet: who is asked, in which order, when again, and what is said in the end. */
#include "dns_world.h"

#include "dcv/visible.h"
#include "dcv/zone/zone.h"

static const struct zone_rr rr[] = {
    {"example.hk", "example.hk", TYPE_SOA, "ns1.example.hk 60", 60},
    {"example.hk", "www.example.hk", TYPE_TXT, "v=spf1 -all", 120},
    {"example.hk", "there.example.hk", TYPE_TXT, "code", 300},
    {"example.hk", "alias.example.hk", TYPE_CNAME, "there.example.hk"},
    {0},
};
static const struct world_zone zones[] = {{"example.hk", "192.0.2.1 192.0.2.2 2001:db8::2 2001:db8:dead::3"}, {0}};

static struct zone_server server[3];
static struct zone zone;
static struct site site;
static struct conf_verify verify;
static struct watch w;
static struct err result;
static unsigned results, rounds;
static void (*at_round)(void);

static void address(struct endpoints *l, const char *addr, const char *name)
{
    struct endpoint p = {.port = 53};

    snprintf(p.addr, sizeof p.addr, "%s", addr);
    snprintf(p.name, sizeof p.name, "%s", name);
    endpoints_add(l, &p);
}

static void done(struct op *op, const struct err *e)
{
    (void)op;
    result = e ? *e : (struct err){0};
    results++;
}

static void each_round(struct watch *x)
{
    (void)x;
    rounds++;
    if (at_round)
        at_round();
}

static int setup(void **state)
{
    (void)state;
    world_open(rr, zones);
    memset(server, 0, sizeof server);
    address(&server[0].at, "192.0.2.1", "ns1.example.hk");
    address(&server[1].at, "192.0.2.2", "ns2.example.hk");
    address(&server[1].at, "2001:db8::2", "ns2.example.hk");
    zone = (struct zone){.apex = "example.hk", .server = server, .n = 2};
    site = (struct site){.name = "www.example.hk", .owner = "www.example.hk", .zone = &zone};
    verify = (struct conf_verify){.quorum = {QUORUM_MAJORITY, 0}};
    address(&verify.resolvers, "9.9.9.1", "");
    address(&verify.resolvers, "9.9.9.2", "");
    address(&verify.resolvers, "9.9.9.3", "");
    w = (struct watch){.op = {.done = done},
                       .site = &site,
                       .value = {(const uint8_t *)"code", 4},
                       .verify = &verify,
                       .round = each_round,
                       .deadline_ms = loop.now + 300000};
    results = rounds = 0;
    at_round = NULL;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    watch_clear(&w);
    for (int i = 0; i < 3; i++)
        endpoints_free(&server[i].at);
    endpoints_free(&verify.resolvers);
    endpoints_free(&verify.must);
    endpoints_free(&verify.ignore);
    world_close();
    assert_false(op_waiting());
    assert_int_equal(loop.n, 0);
    return 0;
}

static void at(const char *name)
{
    snprintf(site.name, sizeof site.name, "%s", name);
    snprintf(site.owner, sizeof site.owner, "%s", name);
}

static void put_there(void)
{
    world_extra[0] = (struct zone_rr){"example.hk", "www.example.hk", TYPE_TXT, "code", 120};
}

static void watch(void)
{
    visible_start(NULL, &w);
    assert_int_equal(results, 0);
    world_run();
    assert_int_equal(results, 1);
}

static void test_seen_at_once(void **state)
{
    (void)state;
    at("there.example.hk");
    watch();
    assert_int_equal(result.rc, RC_OK);
    assert_true(w.seen.visible);
    assert_int_equal(w.n, 6);
    assert_int_equal(loop.now, 5000); /* no waiting at all */
    assert_int_equal(world_log.n, 6); /* three authorities, then three resolvers */
    for (size_t i = 0; i < 3; i++)
        assert_false(strstr(world_log.s[i], " rd") != NULL);
}

static void test_resolvers_wait(void **state)
{
    (void)state;
    w.once = true;
    watch();
    assert_int_equal(result.rc, RC_UNSEEN);
    assert_false(was_asked("9.9.9.")); /* a resolver asked too early would keep its "no" */
    assert_int_equal(w.view[0].verdict, V_OTHER);
    assert_int_equal(w.view[3].verdict, V_NOT_ASKED);
    assert_int_equal(rounds, 1);
}

static void test_once_at_once(void **state)
{
    (void)state;
    w.once = w.resolvers_at_once = true;
    watch();
    assert_int_equal(times_asked("9.9.9."), 3);
    assert_int_equal(w.view[5].verdict, V_OTHER);
    assert_int_equal(rounds, 1);
    assert_string_equal(result.code, "UNSEEN");
}

static void appears(void)
{
    if (rounds == 4)
        put_there();
}

static void test_waits(void **state)
{
    (void)state;
    at_round = appears;
    watch();
    assert_int_equal(result.rc, RC_OK);
    assert_true(loop.now < 5000 + 6000);
    assert_true(rounds >= 4);
}

static void test_lag(void **state)
{
    (void)state;
    put_there();
    world_odd[0] = (struct world_server){"192.0.2.2", STALE};
    watch();
    assert_int_equal(result.rc, RC_UNSEEN);
    assert_string_equal(result.code, "SECONDARY_LAG");
    assert_true(result.again);
    assert_string_equal(result.where, "www.example.hk");
    assert_non_null(
        strstr(result.text,
               "ns2.example.hk (192.0.2.2) has other TXT values, but not this one after 300 s; records kept; tried again by the next run"));
    assert_int_equal(loop.now, 305000);
    assert_false(was_asked("9.9.9."));
    assert_true(times_asked("192.0.2.2") < 20);     /* the pauses grow */
    assert_int_equal(times_asked("192.0.2.1 "), 1); /* who agrees is not asked again */
}

static void test_dead_address(void **state)
{
    (void)state;
    at("there.example.hk");
    address(&server[0].at, "2001:db8:dead::3", "ns1.example.hk"); /* no route: not asked */
    world_odd[0] = (struct world_server){"2001:db8::2", SILENT};  /* the other address of ns2 answers */
    watch();
    assert_int_equal(result.rc, RC_OK);
    assert_false(was_asked("dead"));
    assert_true(w.view[1].no_route);
    assert_int_equal(w.view[3].verdict, V_UNREACHABLE);
}

static void test_nobody(void **state)
{
    (void)state;
    world_odd[0] = (struct world_server){"192.0.2.1", SILENT};
    world_odd[1] = (struct world_server){"192.0.2.2", SILENT};
    world_odd[2] = (struct world_server){"2001:db8::2", SILENT};
    watch();
    assert_int_equal(result.rc, RC_NET);
    assert_string_equal(result.code, "NOBODY_ASKED");
}

static void test_lame(void **state)
{
    (void)state;
    at("there.example.hk");
    world_odd[0] = (struct world_server){"192.0.2.1", NO_AA};
    w.once = true;
    watch();
    assert_int_equal(result.rc, RC_UNSEEN);
    assert_int_equal(w.view[0].verdict, V_LAME);
    assert_non_null(strstr(result.text, "lame"));
}

static void test_bogus(void **state)
{
    (void)state;
    at("there.example.hk");
    world_bogus = "example.hk";
    w.once = true;
    watch();
    assert_int_equal(result.rc, RC_UNSEEN);
    assert_int_equal(w.view[3].verdict, V_BOGUS);
    assert_int_equal(times_asked("9.9.9.1 "), 2);
    assert_true(was_asked("9.9.9.1 there.example.hk 16 rd cd"));
}

static void test_resolver_quorum(void **state)
{
    (void)state;
    at("there.example.hk");
    world_odd[0] = (struct world_server){"9.9.9.1", SILENT};
    world_odd[1] = (struct world_server){"9.9.9.2", SAYS_REFUSED};
    watch();
    assert_int_equal(result.rc, RC_OK); /* those that could be asked */
    assert_int_equal(w.seen.want, 1);
    watch_clear(&w);
    world_odd[2] = (struct world_server){"9.9.9.3", SAYS_SERVFAIL};
    results = 0;
    w.deadline_ms = loop.now + 20000;
    watch();
    assert_int_equal(result.rc, RC_UNSEEN); /* at least one */
    assert_string_equal(result.code, "UNSEEN");
}

static void test_no_resolvers(void **state)
{
    (void)state;
    at("there.example.hk");
    endpoints_free(&verify.resolvers);
    watch();
    assert_int_equal(result.rc, RC_OK);
    assert_int_equal(loop.now, 5000);
}

static void test_alias(void **state)
{
    (void)state;
    snprintf(site.name, sizeof site.name, "alias.example.hk");
    snprintf(site.owner, sizeof site.owner, "there.example.hk");
    w.ask_name = "alias.example.hk";
    watch();
    assert_int_equal(result.rc, RC_OK);
    assert_true(was_asked("192.0.2.1 there.example.hk 16"));  /* authorities: the end of the chain */
    assert_true(was_asked("9.9.9.1 alias.example.hk 16 rd")); /* resolvers: what the CA asks */
}

static void test_must_and_ignore(void **state)
{
    (void)state;
    at("there.example.hk");
    address(&verify.ignore, "192.0.2.1", "");
    world_odd[0] = (struct world_server){"192.0.2.1", SAYS_SERVFAIL};
    address(&verify.must, "9.9.9.9", "");
    watch();
    assert_int_equal(result.rc, RC_OK);
    assert_true(w.view[0].ignored);
    assert_true(w.view[w.n - 1].must);
    assert_true(was_asked("9.9.9.9 there"));
    watch_clear(&w);
    world_odd[1] = (struct world_server){"9.9.9.9", SILENT};
    results = 0;
    w.once = true;
    watch();
    assert_int_equal(result.rc, RC_UNSEEN);
    assert_non_null(strstr(result.text, "9.9.9.9"));
}

static void test_authorities_off(void **state)
{
    (void)state;
    at("there.example.hk");
    verify.authoritative = AUTHORITATIVE_OFF;
    watch();
    assert_int_equal(result.rc, RC_OK);
    assert_false(was_asked("192.0.2."));
}

/* A resolver's "no" has its TTL: it is not asked every second meanwhile. */
static void vanish(void)
{
    if (rounds == 1)
        world_extra[0].zone = NULL;
}

static void test_negative_ttl(void **state)
{
    (void)state;
    put_there();
    at("www.example.hk");
    at_round = vanish;
    w.resolvers_at_once = true;
    world_odd[0] = (struct world_server){"9.9.9.1", SAYS_REFUSED};
    verify.quorum.rule = QUORUM_ALL;
    watch();
    assert_int_equal(result.rc, RC_OK);
    watch_clear(&w);
    at("none.example.hk");
    results = rounds = 0;
    at_round = NULL;
    strs_free(&world_log);
    verify.authoritative = AUTHORITATIVE_OFF;
    w.deadline_ms = loop.now + 300000;
    watch();
    assert_int_equal(result.rc, RC_UNSEEN);
    assert_true(times_asked("9.9.9.2 ") <= 12); /* every 30 s at most: a resolver is many caches */
    assert_true(times_asked("9.9.9.2 ") >= 9);
    assert_true(result.not_before > clock_now() + 20);
    assert_non_null(strstr(result.text, "its cache may keep that until"));
}

static void test_cancel(void **state)
{
    (void)state;
    visible_start(NULL, &w);
    op_deliver();
    op_cancel(&w.op);
    world_run();
    assert_int_equal(results, 0);
    watch_clear(&w);
    watch_clear(&w);
    visible_start(NULL, &w);
    for (int i = 0; i < 4; i++)
        op_deliver();
    op_cancel(&w.op);
    world_run();
    assert_int_equal(results, 0);
}

static void test_size(void **state)
{
    (void)state;
    assert_true(sizeof(struct view) < 100);
}

#define with_world(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_world(test_seen_at_once),
        with_world(test_resolvers_wait),
        with_world(test_once_at_once),
        with_world(test_waits),
        with_world(test_lag),
        with_world(test_dead_address),
        with_world(test_nobody),
        with_world(test_lame),
        with_world(test_bogus),
        with_world(test_resolver_quorum),
        with_world(test_no_resolvers),
        with_world(test_alias),
        with_world(test_must_and_ignore),
        with_world(test_authorities_off),
        with_world(test_negative_ttl),
        with_world(test_cancel),
        cmocka_unit_test(test_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
