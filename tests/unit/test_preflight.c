/* Preflight over the small Internet: the CAA climb, DNSSEC, and what the walk has told. */
#include "dns_world.h"

#include <unistd.h>

#include "dcv/preflight.h"
#include "dcv/zone/zone.h"

#define S(zone)                                                                                                                            \
    {                                                                                                                                      \
        zone, zone, TYPE_SOA, "ns.test 7200", 7200                                                                                         \
    }

static const struct zone_rr rr[] = {
    S("hk"),
    {"hk", "hk", TYPE_NS, "ns.test"},
    {"hk", "hk", TYPE_CAA, "0 issue letsencrypt.org"},
    {"hk", "example.hk", TYPE_NS, "ns.test"},
    S("example.hk"),
    {"example.hk", "example.hk", TYPE_NS, "ns.test"},
    {"example.hk", "example.hk", TYPE_CAA, "0 issue ecert.gov.hk"},
    {"example.hk", "example.hk", TYPE_CAA, "0 issuewild digicert.com"},
    {"example.hk", "www.example.hk", TYPE_A, "192.0.2.80"},
    {"example.hk", "own.example.hk", TYPE_CAA, "0 issue digicert.com"},
    {"example.hk", "alias.example.hk", TYPE_CNAME, "x.free.test"},
    {"example.hk", "x.away.example.hk", TYPE_A, "192.0.2.80"},
    {"example.hk", "away.example.hk", TYPE_CNAME, "lb.cloud.test"},
    {"example.hk", "*.w.example.hk", TYPE_A, "192.0.2.81"},
    S("free.hk"),
    {"hk", "free.hk", TYPE_NS, "ns.test"},
    {"free.hk", "free.hk", TYPE_NS, "ns.test"},
    {"free.hk", "www.free.hk", TYPE_A, "192.0.2.80"},
    S("test"),
    {"test", "test", TYPE_NS, "ns.test"},
    {"test", "ns.test", TYPE_A, "192.0.2.1"},
    {"test", "free.test", TYPE_NS, "ns.test"},
    {"test", "cloud.test", TYPE_NS, "ns.test"},
    S("free.test"),
    {"free.test", "free.test", TYPE_NS, "ns.test"},
    {"free.test", "x.free.test", TYPE_CAA, "0 issue other.test"},
    {"free.test", "plain.free.test", TYPE_A, "192.0.2.80"},
    S("cloud.test"),
    {"cloud.test", "cloud.test", TYPE_NS, "ns.test"},
    {"cloud.test", "lb.cloud.test", TYPE_CAA, "0 issue cloud.test"},
    {0},
};
static const struct world_zone zones[] = {{"hk", "192.0.2.1"},
                                          {"example.hk", "192.0.2.1"},
                                          {"free.hk", "192.0.2.1"},
                                          {"test", "192.0.2.1"},
                                          {"free.test", "192.0.2.1"},
                                          {"cloud.test", "192.0.2.1"},
                                          {0}};

static const struct conf_key no_keys[] = {{0}};
static const struct conf_module modules[] = {{"provider", "fake", no_keys}, {0}};
static struct conf *conf;
static struct zones *z;
static struct strs ids;
static struct conf_verify verify;
static struct preflight p;
static unsigned results;

static int setup(void **state)
{
    char path[] = "/tmp/dcv-flight-XXXXXX";
    static const char text[] = "[provider p]\ntype = fake\nzones = example.hk free.hk free.test\n";
    struct endpoint r = {.addr = "9.9.9.1", .port = 53};
    int fd = mkstemp(path);

    (void)state;
    assert_int_equal(write(fd, text, sizeof text - 1), (ssize_t)sizeof text - 1);
    close(fd);
    conf = conf_load(path, modules);
    unlink(path);
    world_open(rr, zones);
    z = zones_new(NULL, conf);
    strs_add(&ids, "ecert.gov.hk");
    verify = (struct conf_verify){0};
    endpoints_add(&verify.resolvers, &r);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    zones_free(z);
    preflight_clear(&p);
    conf_free(conf);
    strs_free(&ids);
    endpoints_free(&verify.resolvers);
    world_close();
    assert_false(op_waiting());
    return 0;
}

static void ignore(struct op *op, const struct err *e)
{
    (void)op;
    (void)e;
}

static void done(struct op *op, const struct err *e)
{
    (void)op;
    assert_null(e);
    results++;
}

static const struct site *site_of(const char *name)
{
    struct find f = {.op = {.done = ignore}, .name = name};

    zone_find(z, &f);
    world_run();
    assert_non_null(f.site);
    return f.site;
}

static void look(const char *name, bool placed)
{
    preflight_clear(&p);
    p = (struct preflight){
        .op = {.done = done}, .name = name, .site = site_of(name_base(name)), .caa = {.ids = &ids}, .verify = &verify, .placed = placed};
    results = 0;
    preflight_start(NULL, z, &p);
    assert_int_equal(results, 0);
    world_run();
    assert_int_equal(results, 1);
    for (size_t i = 1; i < p.found.n; i++)
        assert_true(p.found.f[i - 1].severity >= p.found.f[i].severity);
}

static const struct finding *finding(const char *code)
{
    for (size_t i = 0; i < p.found.n; i++)
        if (!strcmp(p.found.f[i].code, code))
            return &p.found.f[i];
    return NULL;
}

static void wants(const char *code, enum severity severity)
{
    const struct finding *f = finding(code);

    if (!f || f->severity != severity) {
        for (size_t i = 0; i < p.found.n; i++)
            print_message("%s %s: %s\n", severity_words[p.found.f[i].severity], p.found.f[i].code, p.found.f[i].cause);
        fail_msg("%s: no %s (%s)", p.name, code, severity_words[severity]);
    }
    assert_true(*f->cause);
    assert_true(severity < SEV_WARNING || *f->remedy);
}

static void test_caa(void **state)
{
    (void)state;
    look("www.example.hk", false);
    wants("CAA_ALLOWS", SEV_OK);
    assert_int_equal(p.found.f[0].severity, SEV_INFO);
    look("*.www.example.hk", false); /* issuewild overrides issue */
    wants("CAA_FORBIDS", SEV_ERROR);
    assert_non_null(strstr(finding("CAA_FORBIDS")->remedy, "issuewild \"ecert.gov.hk\""));
    look("own.example.hk", false); /* the nearest set counts */
    wants("CAA_FORBIDS", SEV_ERROR);
    look("www.free.hk", false); /* climbs over its zone to the top-level domain */
    wants("CAA_FORBIDS", SEV_ERROR);
    assert_non_null(strstr(finding("CAA_FORBIDS")->cause, "letsencrypt.org"));
    look("plain.free.test", false);
    wants("CAA_NONE", SEV_OK);
    strs_free(&ids);
    look("own.example.hk", false);
    wants("CAA_SHOWN", SEV_INFO);
}

static void test_caa_alias(void **state)
{
    (void)state;
    look("alias.example.hk", false); /* the target's set */
    wants("CAA_FORBIDS", SEV_ERROR);
    wants("CNAME_FOLLOWED", SEV_INFO);
    assert_non_null(strstr(finding("CAA_FORBIDS")->cause, "other.test"));
    look("x.away.example.hk", false); /* a parent that is an alias into a foreign zone */
    wants("CAA_FORBIDS", SEV_ERROR);
    assert_non_null(strstr(finding("CAA_FORBIDS")->cause, "cloud.test"));
}

static void test_caa_shared(void **state)
{
    (void)state;
    look("a.example.hk", false);
    look("b.example.hk", false);
    assert_int_equal(times_asked(" example.hk 257"), 1);
    assert_int_equal(times_asked("a.example.hk 257"), 1);
    assert_false(was_asked("257 rd")); /* at authorities alone */
    assert_int_equal(times_asked("9.9.9.1 example.hk 6 rd"), 1);
}

static void test_caa_unknown(void **state)
{
    (void)state;
    site_of("www.example.hk");
    world_odd[0] = (struct world_server){"192.0.2.1", SAYS_SERVFAIL};
    look("www.example.hk", false);
    wants("CAA_UNKNOWN", SEV_WARNING);
}

static void test_dnssec(void **state)
{
    (void)state;
    look("www.example.hk", false);
    wants("DNSSEC_INSECURE", SEV_OK);
    assert_true(was_asked("9.9.9.1 example.hk 6 rd"));
    assert_false(was_asked("9.9.9.1 www")); /* the name itself is never asked of a resolver */
    world_signed = "free.hk";
    look("www.free.hk", false);
    wants("DNSSEC_VALID", SEV_OK);
    world_bogus = "free.test";
    look("plain.free.test", false);
    wants("DNSSEC_BOGUS", SEV_ERROR);
    assert_non_null(strstr(finding("DNSSEC_BOGUS")->cause, "signature expired"));
}

static void test_dnssec_not_asked(void **state)
{
    (void)state;
    world_odd[0] = (struct world_server){"9.9.9.1", SILENT};
    look("www.example.hk", false);
    wants("DNSSEC_NOT_ASKED", SEV_INFO);
    endpoints_free(&verify.resolvers);
    look("www.free.hk", false);
    wants("DNSSEC_NOT_ASKED", SEV_INFO);
}

static void test_wildcard(void **state)
{
    (void)state;
    look("any.w.example.hk", false);
    wants("WILDCARD_SYNTHESIS", SEV_ERROR);
    look("any.w.example.hk", true);
    wants("WILDCARD_SYNTHESIS", SEV_WARNING);
    look("www.example.hk", false);
    assert_null(finding("WILDCARD_SYNTHESIS"));
    wants("NEGATIVE_TTL_LONG", SEV_INFO);
    /* a labelled owner that a wildcard covers harms nobody */
    preflight_clear(&p);
    p = (struct preflight){.op = {.done = done},
                           .name = "www.w.example.hk",
                           .site = site_of("_acme-challenge.www.w.example.hk"),
                           .caa = {.ids = &ids},
                           .verify = &verify};
    assert_true(p.site->wildcard);
    preflight_start(NULL, z, &p);
    world_run();
    assert_null(finding("WILDCARD_SYNTHESIS"));
    wants("EMPTY_NON_TERMINAL", SEV_WARNING); /* but it hides the wildcard from the name */
    size_t asked = world_log.n;
    assert_int_equal(times_asked("192.0.2.1 www.w.example.hk 257"), 1);
    assert_int_equal(world_log.n, asked);
}

static void test_cancel(void **state)
{
    const struct site *site = site_of("www.example.hk");

    (void)state;
    for (int turns = 0; turns < 4; turns++) {
        p = (struct preflight){.op = {.done = done}, .name = "www.example.hk", .site = site, .caa = {.ids = &ids}, .verify = &verify};
        results = 0;
        preflight_start(NULL, z, &p);
        for (int i = 0; i < turns; i++)
            op_deliver();
        unsigned before = results; /* what is known already is told in the first round */
        op_cancel(&p.op);
        preflight_clear(&p);
        world_run();
        assert_int_equal(results, before);
    }
}

#define with_world(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_world(test_caa),    with_world(test_caa_alias),        with_world(test_caa_shared), with_world(test_caa_unknown),
        with_world(test_dnssec), with_world(test_dnssec_not_asked), with_world(test_wildcard),   with_world(test_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
