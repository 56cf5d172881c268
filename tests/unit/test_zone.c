/* The find operation over a small Internet: what it finds, whom it asks, and whom it must never ask. */
#include "dns_world.h"

#include <unistd.h>

#include "dcv/zone/zone.h"

#define S(zone, ns)                                                                                                                        \
    {                                                                                                                                      \
        zone, zone, TYPE_SOA, ns " 900", 3600                                                                                              \
    }

static const struct zone_rr rr[] = {
    S("hk", "a.nic.hk"),
    {"hk", "hk", TYPE_NS, "a.nic.hk"},
    {"hk", "a.nic.hk", TYPE_A, "192.0.2.1"},
    {"hk", "example.hk", TYPE_NS, "ns1.example.hk"},
    {"hk", "example.hk", TYPE_NS, "ns.old.hk"},
    {"hk", "ns1.example.hk", TYPE_A, "192.0.2.11"},
    {"hk", "lame.hk", TYPE_NS, "ns1.example.hk"},
    {"hk", "dead.hk", TYPE_NS, "ns.dead.hk"},
    {"hk", "ns.dead.hk", TYPE_A, "192.0.2.66"},
    {"hk", "glue.hk", TYPE_NS, "ns.glue.hk"},
    {"hk", "ns.glue.hk", TYPE_A, "192.0.2.15"},
    S("example.hk", "ns1.example.hk"),
    {"example.hk", "example.hk", TYPE_NS, "ns1.example.hk"},
    {"example.hk", "example.hk", TYPE_NS, "ns2.example.hk"},
    {"example.hk", "ns1.example.hk", TYPE_A, "192.0.2.11"},
    {"example.hk", "ns1.example.hk", TYPE_AAAA, "2001:db8::11"},
    {"example.hk", "ns2.example.hk", TYPE_A, "192.0.2.12"},
    {"example.hk", "www.example.hk", TYPE_A, "192.0.2.80"},
    {"example.hk", "a.b.c.example.hk", TYPE_A, "192.0.2.80"},
    {"example.hk", "sub.example.hk", TYPE_NS, "ns1.sub.example.hk"},
    {"example.hk", "ns1.sub.example.hk", TYPE_A, "192.0.2.13"},
    {"example.hk", "alias.example.hk", TYPE_CNAME, "www.example.hk"},
    {"example.hk", "two.example.hk", TYPE_CNAME, "alias.example.hk"},
    {"example.hk", "away.example.hk", TYPE_CNAME, "lb.cloud.test"},
    {"example.hk", "ours.example.hk", TYPE_CNAME, "x.val.test"},
    {"example.hk", "loop1.example.hk", TYPE_CNAME, "loop2.example.hk"},
    {"example.hk", "loop2.example.hk", TYPE_CNAME, "loop1.example.hk"},
    {"example.hk", "self.example.hk", TYPE_CNAME, "self.example.hk"},
    {"example.hk", "d0.example.hk", TYPE_CNAME, "d1.example.hk"},
    {"example.hk", "d1.example.hk", TYPE_CNAME, "d2.example.hk"},
    {"example.hk", "d2.example.hk", TYPE_CNAME, "d3.example.hk"},
    {"example.hk", "d3.example.hk", TYPE_CNAME, "d4.example.hk"},
    {"example.hk", "d4.example.hk", TYPE_CNAME, "d5.example.hk"},
    {"example.hk", "d5.example.hk", TYPE_CNAME, "d6.example.hk"},
    {"example.hk", "d6.example.hk", TYPE_CNAME, "d7.example.hk"},
    {"example.hk", "d7.example.hk", TYPE_CNAME, "d8.example.hk"},
    {"example.hk", "d8.example.hk", TYPE_CNAME, "d9.example.hk"},
    {"example.hk", "d9.example.hk", TYPE_A, "192.0.2.80"},
    {"example.hk", "*.w.example.hk", TYPE_A, "192.0.2.81"},
    {"example.hk", "real.w.example.hk", TYPE_A, "192.0.2.81"},
    {"example.hk", "both.w.example.hk", TYPE_A, "192.0.2.81"},
    {"example.hk", "*.both.w.example.hk", TYPE_A, "192.0.2.81"},
    {"example.hk", "*.c.example.hk", TYPE_CNAME, "lb.cloud.test"},
    {"example.hk", "tree.example.hk", TYPE_DNAME, "example.hk"},
    S("sub.example.hk", "ns1.sub.example.hk"),
    {"sub.example.hk", "sub.example.hk", TYPE_NS, "ns1.sub.example.hk"},
    {"sub.example.hk", "ns1.sub.example.hk", TYPE_A, "192.0.2.13"},
    {"sub.example.hk", "www.sub.example.hk", TYPE_A, "192.0.2.80"},
    S("glue.hk", "ns.glue.hk"),
    {"glue.hk", "www.glue.hk", TYPE_A, "192.0.2.80"},
    S("test", "ns.test"),
    {"test", "test", TYPE_NS, "ns.test"},
    {"test", "ns.test", TYPE_A, "192.0.2.2"},
    {"test", "val.test", TYPE_NS, "ns.val.test"},
    {"test", "ns.val.test", TYPE_A, "192.0.2.14"},
    {"test", "cloud.test", TYPE_NS, "ns.val.test"},
    S("val.test", "ns.val.test"),
    {"val.test", "val.test", TYPE_NS, "ns.val.test"},
    {"val.test", "ns.val.test", TYPE_A, "192.0.2.14"},
    S("cloud.test", "ns.val.test"),
    {"cloud.test", "cloud.test", TYPE_NS, "ns.val.test"},
    {"cloud.test", "lb.cloud.test", TYPE_A, "192.0.2.82"},
    S("corp.example.hk", "in.corp.example.hk"),
    {"corp.example.hk", "corp.example.hk", TYPE_NS, "in.corp.example.hk"},
    {"corp.example.hk", "www.corp.example.hk", TYPE_A, "10.0.0.1"},
    {0},
};

static const struct world_zone zones[] = {
    {"hk", "192.0.2.1"},
    {"example.hk", "192.0.2.11 2001:db8::11 192.0.2.12"},
    {"sub.example.hk", "192.0.2.13"},
    {"glue.hk", "192.0.2.15"},
    {"test", "192.0.2.2"},
    {"val.test", "192.0.2.14"},
    {"cloud.test", "192.0.2.14"},
    {"corp.example.hk", "192.0.2.53"},
    {0},
};

static const struct conf_key no_keys[] = {{0}};
static const struct conf_module modules[] = {{"provider", "fake", no_keys}, {0}};
static struct conf *conf;
static struct zones *z;

static void open_world(const char *text)
{
    char path[] = "/tmp/dcv-zone-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    conf = conf_load(path, modules);
    unlink(path);
    if (conf_fatal(conf) != RC_OK || conf->n_fault)
        fail_msg("%s", conf->fault[0].text);
    world_open(rr, zones);
    z = zones_new(NULL, conf);
}

static void close_world(void)
{
    zones_free(z);
    conf_free(conf);
    world_close();
}

static struct err result;
static unsigned results;

static void done(struct op *op, const struct err *e)
{
    (void)op;
    result = e ? *e : (struct err){0};
    results++;
}

static struct find find(const char *name)
{
    struct find f = {.op = {.done = done}, .name = name};

    results = 0;
    zone_find(z, &f);
    assert_int_equal(results, 0); /* never inside the call */
    for (unsigned i = 0; i < 1000 && op_busy(&f.op); i++)
        if (!op_deliver())
            break;
    world_run();
    assert_int_equal(results, 1);
    return f;
}

static struct find found(const char *name)
{
    struct find f = find(name);

    if (result.rc != RC_OK)
        fail_msg("%s: %s %s", name, result.code, result.text);
    assert_non_null(f.site->zone);
    return f;
}

static void fails(const char *name, enum rc rc, const char *code)
{
    find(name);
    if (result.rc != rc || strcmp(result.code ? result.code : "", code) != 0)
        fail_msg("%s: %d %s %s", name, (int)result.rc, result.code, result.text);
}

static const char ours[] = "[provider p]\ntype = fake\nzones = example.hk val.test\n";

static void test_cuts(void **state)
{
    static const struct {
        const char *name, *apex;
        bool exists;
    } cases[] = {
        {"www.example.hk", "example.hk", true},
        {"example.hk", "example.hk", true},
        {"nothing.example.hk", "example.hk", false},
        {"x.y.z.example.hk", "example.hk", false},
        {"b.c.example.hk", "example.hk", true},
        {"www.sub.example.hk", "sub.example.hk", true},
        {"sub.example.hk", "sub.example.hk", true},
        {"deep.er.sub.example.hk", "sub.example.hk", false},
        {"_acme-challenge.www.example.hk", "example.hk", false},
        {"unknown.hk", "hk", false},
        {"hk", "hk", true},
        {"www.glue.hk", "glue.hk", true},
    };

    (void)state;
    for (int from_top = 0; from_top < 2; from_top++) {
        open_world(from_top ? "" : ours);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct find f = found(cases[i].name);

            if (strcmp(f.site->zone->apex, cases[i].apex) || f.site->exists != cases[i].exists || f.site->wildcard)
                fail_msg("%s: cut %s exists %d wildcard %d", cases[i].name, f.site->zone->apex, f.site->exists, f.site->wildcard);
            assert_string_equal(f.site->owner, cases[i].name);
            assert_int_equal(f.site->chain.n, 1);
        }
        close_world();
    }
}

static void test_servers(void **state)
{
    const struct zone *zone;

    (void)state;
    open_world("");
    zone = found("www.example.hk").site->zone;
    assert_int_equal(zone->n, 2); /* the zone's own NS set, not the delegation's with ns.old.hk */
    assert_string_equal(zone->server[0].name, "ns1.example.hk");
    assert_int_equal(zone->server[0].at.n, 2);
    assert_string_equal(zone->server[0].at.e[0].name, "ns1.example.hk");
    assert_string_equal(zone->server[1].at.e[0].addr, "192.0.2.12");
    assert_int_equal(zone->server[1].at.e[0].port, 53);
    assert_int_equal(zone->negative_ttl, 900);
    assert_int_equal(zone->serial, 7);
    assert_string_equal(zone->mname, "ns1.example.hk");
    assert_false(zone->configured);
    assert_false(was_asked("www.example.hk 6 rd")); /* a name's own questions never go to a resolver */
    assert_true(was_asked("9.9.9.9 hk 2 rd"));
    close_world();
}

/* No question about the name, or of anything above it but the start, ever asks for recursion. */
static void test_no_recursion(void **state)
{
    (void)state;
    open_world("");
    found("www.example.hk");
    found("nothing.example.hk");
    found("_dnsauth.www.sub.example.hk");
    for (size_t i = 0; i < world_log.n; i++) {
        const char *q = world_log.s[i];

        if (strstr(q, " rd") && !strstr(q, "9.9.9.9 hk 2 rd") && !strstr(q, " ns") && !strstr(q, " a.nic.hk "))
            fail_msg("recursion: %s", q);
    }
    close_world();
}

static void test_shared(void **state)
{
    struct find f[20];
    char name[20][40];

    (void)state;
    open_world("");
    results = 0;
    for (int i = 0; i < 20; i++) {
        snprintf(name[i], sizeof name[i], "h%d.example.hk", i / 2); /* each name twice */
        f[i] = (struct find){.op = {.done = done}, .name = name[i]};
        zone_find(z, &f[i]);
    }
    world_run();
    assert_int_equal(results, 20);
    for (int i = 0; i < 20; i++)
        assert_ptr_equal(f[i].site->zone, f[0].site->zone);
    assert_ptr_equal(f[0].site, f[1].site);
    assert_int_equal(times_asked("9.9.9.9 hk 2 rd"), 1);
    assert_int_equal(times_asked("9.9.9.9 ns1.example.hk 1 rd"), 1);
    assert_int_equal(times_asked("h3.example.hk 6"), 1);
    assert_int_equal(times_asked(" example.hk 2"), 1);
    results = 0;
    found("h3.example.hk"); /* nothing is asked twice */
    assert_int_equal(times_asked("h3.example.hk 6"), 1);
    found("www.example.hk"); /* a later name starts at the cut that is known */
    assert_int_equal(times_asked("192.0.2.1 www.example.hk"), 0);
    close_world();
}

/* Names under one label wait for the first of them: its referral serves them all. */
static void test_gate(void **state)
{
    struct find f[10];
    char name[10][60];

    (void)state;
    open_world("");
    results = 0;
    for (int i = 0; i < 10; i++) {
        snprintf(name[i], sizeof name[i], "n%d.www.sub.example.hk", i);
        f[i] = (struct find){.op = {.done = done}, .name = name[i]};
        zone_find(z, &f[i]);
    }
    world_run();
    assert_int_equal(results, 10);
    assert_int_equal(times_asked("192.0.2.1 n"), 1);
    assert_int_equal(times_asked("192.0.2.11 n"), 1);
    assert_string_equal(f[9].site->zone->apex, "sub.example.hk");
    close_world();
}

static void test_cname(void **state)
{
    struct find f;

    (void)state;
    open_world(ours);
    f = found("two.example.hk");
    assert_string_equal(f.site->owner, "www.example.hk");
    assert_int_equal(f.site->chain.n, 3);
    assert_string_equal(f.site->chain.s[1], "alias.example.hk");
    f = found("ours.example.hk");
    assert_string_equal(f.site->owner, "x.val.test");
    assert_string_equal(f.site->zone->apex, "val.test");
    assert_false(f.site->exists);
    fails("away.example.hk", RC_DELEGATION, "CNAME_FOREIGN");
    assert_non_null(strstr(result.text, "lb.cloud.test"));
    assert_non_null(strstr(result.text, "record_at"));
    assert_non_null(strstr(result.text, "; away.example.hk -> lb.cloud.test"));
    fails("loop1.example.hk", RC_DELEGATION, "CNAME_LOOP");
    assert_non_null(strstr(result.text, "; loop1.example.hk -> loop2.example.hk -> loop1.example.hk"));
    assert_string_equal(result.where, "loop1.example.hk");
    fails("loop2.example.hk", RC_DELEGATION, "CNAME_LOOP");
    fails("self.example.hk", RC_DELEGATION, "CNAME_LOOP");
    fails("d0.example.hk", RC_DELEGATION, "CNAME_DEEP");
    f = found("d1.example.hk"); /* eight hops */
    assert_string_equal(f.site->owner, "d9.example.hk");
    f = found("www.tree.example.hk");
    assert_true(f.site->dname);
    assert_string_equal(f.site->owner, "www.example.hk");
    close_world();
}

static void test_modes(void **state)
{
    struct find f;

    (void)state;
    open_world(ours);
    f = (struct find){.op = {.done = done}, .name = "alias.example.hk", .refuse_cname = true};
    zone_find(z, &f);
    world_run();
    assert_string_equal(result.code, "CNAME_REFUSED");
    assert_int_equal(f.site->chain.n, 2);
    f = (struct find){.op = {.done = done}, .name = "away.example.hk", .no_follow = true};
    zone_find(z, &f);
    world_run();
    assert_int_equal(result.rc, RC_OK);
    assert_string_equal(f.site->zone->apex, "example.hk");
    assert_string_equal(f.site->owner, "away.example.hk");
    f = (struct find){.op = {.done = done}, .name = "away.example.hk", .anywhere = true};
    zone_find(z, &f);
    world_run();
    assert_int_equal(result.rc, RC_OK);
    assert_string_equal(f.site->owner, "lb.cloud.test");
    assert_string_equal(f.site->zone->apex, "cloud.test");
    f = (struct find){.op = {.done = done}, .name = "www.example.hk", .refuse_cname = true};
    zone_find(z, &f);
    world_run();
    assert_int_equal(result.rc, RC_OK);
    close_world();
}

static void test_wildcard(void **state)
{
    struct find f;

    (void)state;
    open_world(ours);
    assert_true(found("any.w.example.hk").site->wildcard);
    assert_true(found("deep.any.w.example.hk").site->wildcard);
    assert_false(found("real.w.example.hk").site->wildcard); /* the same address as the wildcard, and yet its own */
    assert_false(found("both.w.example.hk").site->wildcard);
    assert_true(found("x.both.w.example.hk").site->wildcard);
    assert_false(found("www.example.hk").site->wildcard);
    f = found("any.c.example.hk"); /* a wildcard's CNAME is no delegation: the record goes to the name itself */
    assert_true(f.site->wildcard);
    assert_string_equal(f.site->owner, "any.c.example.hk");
    assert_string_equal(f.site->zone->apex, "example.hk");
    close_world();
}

static void test_configured(void **state)
{
    struct find f;

    (void)state;
    open_world("[provider p]\ntype = fake\nzones = corp.example.hk\n");
    zones_free(z);
    z = zones_new(NULL, conf);
    world_zones = (const struct world_zone[]){{"hk", "192.0.2.1"}, {"example.hk", "192.0.2.11 2001:db8::11 192.0.2.12"}, {0}};
    fails("www.corp.example.hk", RC_DELEGATION, "NO_ZONE"); /* an inside zone: the public DNS does not know it */
    assert_non_null(strstr(result.text, "[zone corp.example.hk] servers="));
    close_world();
    open_world("[provider p]\ntype = fake\nzones = corp.example.hk\n[zone corp.example.hk]\nservers = 192.0.2.53\n");
    f = found("www.corp.example.hk");
    assert_true(f.site->zone->configured);
    assert_int_equal(f.site->zone->n, 1);
    assert_string_equal(f.site->zone->server[0].name, "192.0.2.53");
    assert_false(was_asked(" rd"));
    close_world();
    open_world("[zone www.example.hk]\nservers = 192.0.2.12\n"); /* narrower than the zone it lies in */
    f = found("x.www.example.hk");
    assert_string_equal(f.site->zone->apex, "example.hk");
    assert_int_equal(f.site->zone->n, 1);
    assert_true(f.site->zone->configured);
    close_world();
    open_world("[provider p]\ntype = fake\nzones = c.example.hk\n"); /* no cut of its own */
    f = found("a.b.c.example.hk");
    assert_string_equal(f.site->zone->apex, "example.hk");
    close_world();
}

static void test_faults(void **state)
{
    (void)state;
    open_world("");
    fails("www.lame.hk", RC_DELEGATION, "LAME");
    world_odd[0] = (struct world_server){"192.0.2.66", SILENT};
    fails("www.dead.hk", RC_NET, "DISCOVERY");
    close_world();
    open_world("");
    world_odd[0] = (struct world_server){"9.9.9.9", SILENT};
    fails("www.example.hk", RC_NET, "DISCOVERY");
    assert_true(result.again);
    close_world();
    open_world("");
    world_odd[0] = (struct world_server){"9.9.9.9", SAYS_SERVFAIL};
    fails("www.example.hk", RC_NET, "DISCOVERY");
    close_world();
    open_world("");
    world_odd[0] = (struct world_server){"192.0.2.11", SILENT}; /* the next server is asked */
    assert_false(found("www.example.hk").site->wildcard);
    close_world();
    open_world("");
    world_odd[0] = (struct world_server){"192.0.2.11", NO_AA};
    found("www.example.hk");
    close_world();
    open_world("");
    world_odd[0] = (struct world_server){"192.0.2.11", NO_AA};
    world_odd[1] = (struct world_server){"2001:db8::11", SAYS_REFUSED};
    fails("www.example.hk", RC_DELEGATION, "LAME");
    close_world();
    open_world("");
    endpoints_free(&world_system);
    fails("www.example.hk", RC_NET, "DISCOVERY");
    close_world();
}

static void test_cancel(void **state)
{
    struct find f = {.op = {.done = done}, .name = "www.example.hk"}, g = f;

    (void)state;
    open_world("");
    results = 0;
    zone_find(z, &f);
    zone_find(z, &g);
    op_deliver();
    op_cancel(&f.op);
    memset(&f, 0x5a, sizeof f); /* its memory is free */
    world_run();
    assert_int_equal(results, 1);
    close_world();
    open_world("");
    f = (struct find){.op = {.done = done}, .name = "www.example.hk"};
    zone_find(z, &f);
    op_deliver();
    op_deliver();
    op_cancel(&f.op);
    close_world(); /* with questions under way */
    assert_false(op_waiting());
}

/* What is forgotten is asked anew, an alias of it stays what it was, and what is still being asked is not forgotten. */
static void test_forget(void **state)
{
    struct find f = {.op = {.done = done}, .name = "h1.example.hk"};
    const struct zone *zone;

    (void)state;
    open_world(ours);
    zone = found("www.example.hk").site->zone;
    found("alias.example.hk");
    zones_forget(z, "www.example.hk");
    zones_forget(z, "nobody.asked.hk");
    found("alias.example.hk");
    assert_string_equal(found("alias.example.hk").site->owner, "www.example.hk");
    assert_int_equal(times_asked("www.example.hk 6"), 1);
    assert_ptr_equal(found("www.example.hk").site->zone, zone);
    assert_int_equal(times_asked("www.example.hk 6"), 2);
    results = 0;
    zone_find(z, &f);
    zones_forget(z, "h1.example.hk");
    world_run();
    assert_int_equal(results, 1);
    assert_ptr_equal(f.site->zone, zone);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts),   cmocka_unit_test(test_servers),  cmocka_unit_test(test_no_recursion),
        cmocka_unit_test(test_shared), cmocka_unit_test(test_gate),     cmocka_unit_test(test_cname),
        cmocka_unit_test(test_modes),  cmocka_unit_test(test_wildcard), cmocka_unit_test(test_configured),
        cmocka_unit_test(test_faults), cmocka_unit_test(test_cancel),   cmocka_unit_test(test_forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
