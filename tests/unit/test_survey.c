/* The judges of a survey, facts in tables; and its questions over the small Internet. */
#include "dns_world.h"

#include "dcv/survey/checkup.h"
#include "dcv/survey/presence.h"
#include "dcv/survey/read.h"
#include "dcv/zone/zone.h"

enum { NOW = 1800000000 };

/* --- facts ----------------------------------------------------------------------------------------------------------------------------- */

static const struct endpoint at[4] = {{.name = "ns1.test", .addr = "192.0.2.1", .port = 53},
                                      {.name = "ns1.test", .addr = "2001:db8::1", .port = 53},
                                      {.name = "ns2.test", .addr = "192.0.2.2", .port = 53},
                                      {.name = "hidden.test", .addr = "192.0.2.9", .port = 53}};
static const struct survey_answer good = {.heard = HEARD_ANSWER, .aa = true, .edns = true, .zone = true, .size = 100};
static const struct survey_answer silent = {.heard = HEARD_SILENCE}, closed = {.heard = HEARD_CLOSED}, garbled = {.heard = HEARD_GARBLED};

struct facts { /* a zone of two servers, the first with two addresses; all well */
    struct zone_server server[2];
    struct zone zone;
    struct conf_verify verify;
    struct survey_address address[4];
    struct survey_view view[1];
    struct survey s;
};

static void set(struct strs *l, const char *words)
{
    strs_free(l);
    strs_split(l, words);
}

static struct facts *make(void)
{
    struct facts *f = mem_new(sizeof *f);

    for (size_t i = 0; i < 3; i++) {
        endpoints_add(&f->server[i / 2].at, &at[i]);
        snprintf(f->server[i / 2].name, sizeof f->server->name, "%s", at[i].name);
        f->address[i] = (struct survey_address){.at = &at[i], .server = i / 2, .udp = good, .tcp = good, .serial = 7, .mname = "ns1.test"};
        set(&f->address[i].ns, "ns1.test ns2.test");
    }
    f->zone = (struct zone){.apex = "zone.test", .server = f->server, .n = 2};
    f->s = (struct survey){.zone = &f->zone, .verify = &f->verify, .address = f->address, .n = 3, .view = f->view};
    snprintf(f->s.parent.apex, sizeof f->s.parent.apex, "test");
    f->s.parent.known = f->s.parent.ds_known = f->s.dnskey.known = true;
    set(&f->s.parent.ns, "ns1.test ns2.test");
    return f;
}

static void drop(struct facts *f)
{
    for (size_t i = 0; i < 4; i++)
        strs_free(&f->address[i].ns);
    strs_free(&f->view[0].ns);
    strs_free(&f->s.parent.ns);
    endpoints_free(&f->s.parent.glue);
    endpoints_free(&f->server[0].at);
    endpoints_free(&f->server[1].at);
    free(f);
}

static void sign(struct facts *f, int64_t from, int64_t until)
{
    for (size_t i = 0; i < 3; i++)
        f->address[i].soa_signed = f->address[i].ns_signed = (struct survey_span){1, from, until};
    f->s.dnskey.is_signed = (struct survey_span){1, from, until};
    f->s.parent.ds[0] = f->s.dnskey.key[0] = (struct survey_key){4711, 13};
    f->s.parent.n_ds = f->s.dnskey.n = 1;
}

/* --- what is made of them -------------------------------------------------------------------------------------------------------------- */

static void as_it_is(struct facts *f)
{
    (void)f;
}
static void lame(struct facts *f)
{
    f->address[2].udp.rcode = DNS_REFUSED;
    f->address[2].udp.zone = f->address[2].udp.aa = f->address[2].tcp.zone = false;
}
static void lame_any(struct facts *f)
{
    lame(f);
    f->verify.authoritative = AUTHORITATIVE_ANY;
}
static void lame_ignored(struct facts *f)
{
    lame(f);
    f->address[2].ignored = true;
}
static void dead(struct facts *f)
{
    f->address[2].udp = f->address[2].plain = f->address[2].tcp = silent;
}
static void nothing_listens(struct facts *f)
{
    f->address[2].udp = f->address[2].plain = f->address[2].tcp = closed;
}
static void unreadable(struct facts *f)
{
    f->address[2].udp = f->address[2].plain = f->address[2].tcp = garbled;
}
static void only_tcp(struct facts *f)
{
    f->address[2].udp = f->address[2].plain = silent;
}
static void only_udp(struct facts *f)
{
    f->address[2].tcp = closed;
}
static void ipv6_dead(struct facts *f)
{
    f->address[1].udp = f->address[1].plain = f->address[1].tcp = silent;
}
static void ipv6_no_route(struct facts *f)
{
    f->address[1].udp = f->address[1].plain = f->address[1].tcp = (struct survey_answer){0};
    f->address[1].no_route = true;
}
static void edns_lost(struct facts *f)
{
    f->address[2].udp = silent;
    f->address[2].plain = good;
}
static void edns_lost_signed(struct facts *f)
{
    sign(f, NOW - 1000, NOW + 1000000);
    edns_lost(f);
}
static void edns_unknown(struct facts *f)
{
    f->address[2].udp.edns = false;
}
static void behind(struct facts *f)
{
    f->address[2].serial = 6;
}
static void behind_over_the_end(struct facts *f) /* RFC 1982 */
{
    f->address[0].serial = f->address[1].serial = 3;
    f->address[2].serial = 0xfffffff0;
}
static void hidden(struct facts *f)
{
    f->s.primary = &at[3];
    f->address[3] = (struct survey_address){.at = &at[3], .server = 2, .udp = good, .tcp = good, .serial = 8, .mname = "ns1.test"};
    f->s.n = 4;
}
static void hidden_silent(struct facts *f)
{
    hidden(f);
    f->address[3].udp = f->address[3].plain = f->address[3].tcp = silent;
}
static void sets_differ(struct facts *f)
{
    set(&f->address[2].ns, "ns1.test ns3.test");
}
static void no_address(struct facts *f)
{
    endpoints_free(&f->server[1].at);
    f->s.n = 2;
}
static void parent_differs(struct facts *f)
{
    set(&f->s.parent.ns, "ns1.test old.test");
}
static void parent_differs_inside(struct facts *f)
{
    parent_differs(f);
    f->zone.configured = true;
}
static void glue_differs(struct facts *f)
{
    struct endpoint g = {.name = "ns2.test", .addr = "192.0.2.77", .port = 53};
    endpoints_add(&f->s.parent.glue, &at[0]);
    endpoints_add(&f->s.parent.glue, &g);
}
static void signed_well(struct facts *f)
{
    sign(f, NOW - 1000, NOW + 1000000);
}
static void expired(struct facts *f)
{
    sign(f, NOW - 1000, NOW - 1);
}
static void expired_at_one(struct facts *f)
{
    signed_well(f);
    f->address[1].soa_signed.until = NOW;
}
static void expired_no_ds(struct facts *f)
{
    expired(f);
    f->s.parent.n_ds = 0;
}
static void expired_parent_unknown(struct facts *f)
{
    expired_no_ds(f);
    f->s.parent.ds_known = false;
}
static void expiring(struct facts *f)
{
    sign(f, NOW - 910, NOW + 90);
}
static void expiring_in_time(struct facts *f)
{
    sign(f, NOW - 890, NOW + 110);
}
static void begins_later(struct facts *f)
{
    sign(f, NOW + 10, NOW + 1000);
}
static void one_unsigned(struct facts *f)
{
    signed_well(f);
    f->address[2].soa_signed = (struct survey_span){0};
}
static void other_key(struct facts *f)
{
    signed_well(f);
    f->s.parent.ds[0].tag = 1;
}
static void other_algorithm(struct facts *f)
{
    signed_well(f);
    f->s.parent.ds[0].algorithm = 8;
}
static void rollover(struct facts *f) /* two DSs, one of them names a key */
{
    signed_well(f);
    f->s.parent.ds[1] = f->s.parent.ds[0];
    f->s.parent.ds[0].tag = 1;
    f->s.parent.n_ds = 2;
}
static void no_ds(struct facts *f)
{
    signed_well(f);
    f->s.parent.n_ds = 0;
}
static void iterations(struct facts *f)
{
    f->s.nsec3 = true;
    f->s.nsec3_iterations = 51;
}
static void iterations_few(struct facts *f)
{
    f->s.nsec3 = true;
    f->s.nsec3_iterations = 50;
}
static void same_view(struct facts *f)
{
    f->s.n_view = 1;
    f->view[0] = (struct survey_view){.at = &at[3], .ns_answer = good, .soa = true, .serial = 5, .mname = "ns1.test"};
    set(&f->view[0].ns, "ns1.test ns2.test");
}
static void view_newer(struct facts *f)
{
    same_view(f);
    f->view[0].serial = 9;
}
static void view_primary(struct facts *f)
{
    same_view(f);
    snprintf(f->view[0].mname, sizeof f->view[0].mname, "outside.test");
}
static void view_set(struct facts *f)
{
    same_view(f);
    set(&f->view[0].ns, "public.test");
}
static void view_as_parent(struct facts *f) /* a resolver may keep the delegation's set */
{
    parent_differs(f);
    same_view(f);
    set(&f->view[0].ns, "ns1.test old.test");
}
static void nobody_answers(struct facts *f)
{
    view_newer(f);
    for (size_t i = 0; i < 3; i++)
        f->address[i].udp = f->address[i].plain = f->address[i].tcp = silent;
}

static const struct judge_case {
    const char *what;
    void (*make)(struct facts *f);
    const char *found; /* all of them, as "severity CODE" */
    const char *cause; /* a part of the first one's */
} cases[] = {
    {"all well", as_it_is, "ok SERVERS_AGREE", "3 addresses of 2 name servers, each answers by UDP and TCP, with serial 7"},
    {"lame", lame, "error SERVER_LAME", "ns2.test (192.0.2.2) answers REFUSED without authority"},
    {"lame, any is enough", lame_any, "warning SERVER_LAME", "REFUSED"},
    {"lame, ignored", lame_ignored, "info SERVER_LAME", "REFUSED"},
    {"dead", dead, "error SERVER_SILENT", "does not answer"},
    {"nothing listens", nothing_listens, "error SERVER_SILENT", "cannot be reached"},
    {"unreadable", unreadable, "error SERVER_GARBLED", "cannot be read"},
    {"TCP alone", only_tcp, "error UDP_CLOSED", "by TCP but not by UDP"},
    {"UDP alone", only_udp, "warning TCP_CLOSED", "by UDP but not by TCP"},
    {"IPv6 dead", ipv6_dead, "warning ADDRESS_DIFFERS", "2001:db8::1) does not answer, neither by UDP nor by TCP; its other"},
    {"no route for IPv6", ipv6_no_route, "ok SERVERS_AGREE", "2 addresses of 2 name servers"},
    {"EDNS lost", edns_lost, "warning EDNS_TROUBLE", "only those without"},
    {"EDNS lost, a DS above", edns_lost_signed, "error EDNS_TROUBLE", "only those without"},
    {"EDNS unknown", edns_unknown, "warning EDNS_TROUBLE", "knows no EDNS"},
    {"behind", behind, "warning SECONDARY_BEHIND", "ns2.test (192.0.2.2) has serial 6, ns1.test (192.0.2.1) already 7"},
    {"behind over the end", behind_over_the_end, "warning SECONDARY_BEHIND", "has serial 4294967280"},
    {"hidden primary ahead", hidden, "warning SECONDARY_BEHIND, warning SECONDARY_BEHIND, warning SECONDARY_BEHIND, info HIDDEN_PRIMARY",
     "already 8"},
    {"hidden primary silent", hidden_silent, "ok SERVERS_AGREE, info HIDDEN_PRIMARY", "3 addresses"},
    {"NS sets differ", sets_differ, "warning NS_SETS_DIFFER", "192.0.2.1) and ns2.test (192.0.2.2) give different"},
    {"no address", no_address, "warning SERVER_NO_ADDRESS", "ns2.test"},
    {"parent differs", parent_differs, "ok SERVERS_AGREE, warning PARENT_NS_DIFFERS", "3 addresses"},
    {"parent differs from inside", parent_differs_inside, "ok SERVERS_AGREE", "3 addresses"},
    {"glue differs", glue_differs, "ok SERVERS_AGREE, warning GLUE_DIFFERS", "3 addresses"},
    {"signed", signed_well, "ok SERVERS_AGREE", "3 addresses"},
    {"expired", expired, "ok SERVERS_AGREE, error DNSSEC_EXPIRED", "3 addresses"},
    {"expired at one server", expired_at_one, "ok SERVERS_AGREE, error DNSSEC_EXPIRED", "3 addresses"},
    {"expired, no DS", expired_no_ds, "ok SERVERS_AGREE, info DNSSEC_EXPIRED, info DNSSEC_NO_DS", "3 addresses"},
    {"expired, parent not asked", expired_parent_unknown, "ok SERVERS_AGREE, error DNSSEC_EXPIRED", "3 addresses"},
    {"expiring", expiring, "ok SERVERS_AGREE, warning DNSSEC_EXPIRING", "3 addresses"},
    {"not yet expiring", expiring_in_time, "ok SERVERS_AGREE", "3 addresses"},
    {"of the future", begins_later, "ok SERVERS_AGREE, error DNSSEC_FUTURE", "3 addresses"},
    {"one server unsigned", one_unsigned, "ok SERVERS_AGREE, error DNSSEC_UNSIGNED", "3 addresses"},
    {"another key", other_key, "ok SERVERS_AGREE, error DNSSEC_NO_KEY", "3 addresses"},
    {"another algorithm", other_algorithm, "ok SERVERS_AGREE, error DNSSEC_NO_KEY", "3 addresses"},
    {"a rollover", rollover, "ok SERVERS_AGREE", "3 addresses"},
    {"no DS", no_ds, "ok SERVERS_AGREE, info DNSSEC_NO_DS", "3 addresses"},
    {"NSEC3 iterations", iterations, "ok SERVERS_AGREE, warning NSEC3_ITERATIONS", "3 addresses"},
    {"few iterations", iterations_few, "ok SERVERS_AGREE", "3 addresses"},
    {"the same view, older", same_view, "ok SERVERS_AGREE", "3 addresses"},
    {"a newer serial outside", view_newer, "ok SERVERS_AGREE, warning VIEWS_DIFFER", "3 addresses"},
    {"another primary outside", view_primary, "ok SERVERS_AGREE, warning VIEWS_DIFFER", "3 addresses"},
    {"another NS set outside", view_set, "ok SERVERS_AGREE, warning VIEWS_DIFFER", "3 addresses"},
    {"the parent's NS set outside", view_as_parent, "ok SERVERS_AGREE, warning PARENT_NS_DIFFERS", "3 addresses"},
    {"nobody answers: views are not judged", nobody_answers, "error SERVER_SILENT, error SERVER_SILENT, error SERVER_SILENT",
     "does not answer"},
};

static void test_judges(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct facts *f = make();
        struct findings l = {0};
        struct str text = STR_INIT(1000);

        cases[i].make(f);
        survey_judge(&f->s, NOW, &l);
        for (size_t k = 0; k < l.n; k++) {
            str_fmt(&text, "%s%s %s", k ? ", " : "", severity_words[l.f[k].severity], l.f[k].code);
            assert_string_equal(l.f[k].host, "zone.test");
            assert_true(l.f[k].severity < SEV_WARNING || *l.f[k].remedy);
        }
        if (strcmp(str_text(&text), cases[i].found) || !strstr(l.f[0].cause, cases[i].cause))
            fail_msg("%s: %s: %s", cases[i].what, str_text(&text), l.n ? l.f[0].cause : "nothing");
        str_free(&text);
        findings_free(&l);
        drop(f);
    }
}

/* --- what stands there ----------------------------------------------------------------------------------------------------------------- */

static void test_kinds(void **state)
{
    static const struct {
        const char *owner, *value, *kind;
    } kinds[] = {
        {"_acme-challenge.a.test", "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0", "ACME"},
        {"a.test", "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0", "ACME"},
        {"a.test", "_globalsign-domain-verification=x", "GlobalSign"},
        {"_dnsauth.a.test", "short1", "DigiCert"},
        {"a.test", "8b2v0s1t6ym1k9xfphwr6y3zq9l4vfbp", "some CA"},
        {"a.test", "v=spf1 include:_spf.example.com -all", NULL},
        {"a.test", "google-site-verification=8b2v0s1t6ym1k9xfphwr6y3zq9l4", NULL},
        {"a.test", "thequickbrownfoxjumpsoverthelazydog", NULL},
        {"a.test", "", NULL},
        {"a.test", "12345678901234567890", NULL},
        {"_validation-persist.a.test", "8b2v0s1t6ym1k9xfphwr6y3zq9l4vfbp", NULL},
        {"_dnsauthor.a.test", "short1", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *kind = presence_kind(kinds[i].owner, (struct bytes){(const uint8_t *)kinds[i].value, strlen(kinds[i].value)});
        if (kinds[i].kind ? !kind || strcmp(kind, kinds[i].kind) != 0 : kind != NULL)
            fail_msg("%s at %s: %s", kinds[i].value, kinds[i].owner, kind ? kind : "nobody's");
    }
}

static bool has(const struct findings *l, const char *code, enum severity severity)
{
    for (size_t i = 0; i < l->n; i++)
        if (!strcmp(l->f[i].code, code) && l->f[i].severity == severity)
            return true;
    return false;
}

static void test_presence(void **state)
{
    static const char token[] = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";
    struct bytes value[12];
    struct facts *f = make();
    struct presence p = {.owner = "a.zone.test", .zone = &f->zone, .value = value, .size = 500};
    struct presence_about about = {.host = "a.zone.test", .survey = &f->s};
    struct findings l = {0};

    (void)state;
    presence_judge(&p, &about, NOW, &l); /* nobody answered: nothing is known */
    assert_int_equal(l.n, 0);
    p.known = true;
    f->zone.negative_ttl = 60;
    presence_judge(&p, &about, NOW, &l);
    assert_int_equal(l.n, 1);
    assert_true(has(&l, "VISIBLE_BY", SEV_OK) && strstr(l.f[0].cause, "negative TTL of 60 s"));
    findings_free(&l);
    for (size_t i = 0; i < 12; i++)
        value[i] = (struct bytes){(const uint8_t *)token, sizeof token - 1};
    p.n = 9;
    p.ttl = 3601;
    p.size = 1233;
    p.is_signed = (struct survey_span){1, NOW - 1000, NOW - 1};
    presence_judge(&p, &about, NOW, &l);
    assert_true(has(&l, "TXT_STANDS", SEV_INFO) && has(&l, "TXT_TTL_LONG", SEV_INFO) && has(&l, "ANSWER_LARGE", SEV_INFO));
    assert_true(has(&l, "TOKENS_LEFT", SEV_INFO) && has(&l, "DNSSEC_EXPIRED", SEV_INFO)); /* no DS */
    findings_free(&l);
    p.n = 10;
    p.size = 4097;
    presence_judge(&p, &about, NOW, &l);
    assert_true(has(&l, "TOKENS_LEFT", SEV_WARNING) && has(&l, "ANSWER_LARGE", SEV_WARNING));
    findings_free(&l);
    about.ours = value;
    about.n_ours = 1;
    presence_judge(&p, &about, NOW, &l);
    assert_false(has(&l, "TOKENS_LEFT", SEV_WARNING)); /* our own */
    findings_free(&l);
    snprintf(p.alias, sizeof p.alias, "x.other.test");
    presence_judge_challenge(&p, &about, true, &l);
    assert_int_equal(l.n, 0);
    presence_judge_challenge(&p, &about, false, &l);
    assert_true(has(&l, "CHALLENGE_DELEGATED", SEV_INFO));
    findings_free(&l);
    drop(f);
}

/* --- asked ----------------------------------------------------------------------------------------------------------------------------- */

#define SOA(zone)                                                                                                                          \
    {                                                                                                                                      \
        zone, zone, TYPE_SOA, "ns.test 60", 60                                                                                             \
    }
static const struct zone_rr rr[] = {
    SOA("hk"),
    {"hk", "hk", TYPE_NS, "ns.test"},
    {"hk", "example.hk", TYPE_NS, "ns.test"},
    {"hk", "example.hk", TYPE_NS, "gone.test"},
    SOA("example.hk"),
    {"example.hk", "example.hk", TYPE_NS, "ns.test"},
    {"example.hk", "example.hk", TYPE_NS, "ns2.test"},
    {"example.hk", "www.example.hk", TYPE_A, "192.0.2.80"},
    {"example.hk", "www.example.hk", TYPE_TXT, "one"},
    SOA("test"),
    {"test", "test", TYPE_NS, "ns.test"},
    {"test", "ns.test", TYPE_A, "192.0.2.1"},
    {"test", "ns2.test", TYPE_A, "192.0.2.2"},
    {0},
};
static const struct world_zone served[] = {{"hk", "192.0.2.3"}, {"example.hk", "192.0.2.1 192.0.2.2"}, {"test", "192.0.2.1"}, {0}};
static struct zones *z;
static struct conf *conf;
static unsigned results;

static int setup(void **state)
{
    static const char text[] = "[zone hk]\nservers = 192.0.2.3\n";
    static const struct conf_module none[] = {{0}};

    (void)state;
    world_open(rr, served);
    conf = conf_load_text("test", text, sizeof text - 1, none);
    z = zones_new(NULL, conf);
    results = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    zones_free(z);
    conf_free(conf);
    world_close();
    assert_false(op_waiting());
    return 0;
}

static void done(struct op *op, const struct err *e)
{
    (void)op;
    assert_null(e);
    results++;
}

static const struct zone *zone_of(const char *name)
{
    struct find f = {.op = {.done = done}, .name = name};

    zone_find(z, &f);
    world_run();
    assert_non_null(f.site);
    return f.site->zone;
}

static void test_asked(void **state)
{
    struct endpoint resolver = {.addr = "9.9.9.1", .port = 53};
    struct conf_verify verify = {0};
    struct findings l = {0};

    (void)state;
    endpoints_add(&verify.resolvers, &resolver);
    struct survey s = {.op = {.done = done}, .zone = zone_of("www.example.hk"), .verify = &verify};
    results = 0;
    survey_start(z, &s);
    assert_int_equal(results, 0);
    world_run();
    assert_int_equal(results, 1);
    assert_int_equal(s.n, 2);
    for (size_t i = 0; i < s.n; i++)
        assert_true(s.address[i].udp.zone && s.address[i].tcp.zone && s.address[i].ns.n == 2 && s.address[i].serial == 7);
    assert_true(s.parent.known && s.parent.ds_known && s.parent.n_ds == 0);
    assert_string_equal(s.parent.apex, "hk");
    assert_int_equal(s.parent.ns.n, 2);
    assert_int_equal(s.n_view, 1);
    assert_true(s.view[0].soa && s.view[0].ns.n == 2);
    assert_false(was_asked("9.9.9.1 www")); /* names are asked of authorities alone */
    assert_false(was_asked("9.9.9.1 www.example.hk"));
    survey_judge(&s, clock_now(), &l);
    assert_true(has(&l, "PARENT_NS_DIFFERS", SEV_WARNING));
    findings_free(&l);
    survey_clear(&s);
    endpoints_free(&verify.resolvers);
}

static void test_silent_server(void **state)
{
    struct conf_verify verify = {0};

    (void)state;
    struct survey s = {.op = {.done = done}, .zone = zone_of("www.example.hk"), .verify = &verify};
    world_odd[0] = (struct world_server){"192.0.2.2", SILENT};
    survey_start(z, &s);
    world_run();
    assert_int_equal(s.address[1].udp.heard, HEARD_SILENCE);
    assert_int_equal(s.address[1].plain.heard, HEARD_SILENCE); /* asked once more, without EDNS */
    assert_int_equal(times_asked("192.0.2.2 example.hk 6"), 3);
    survey_clear(&s);
}

static void test_stopped(void **state)
{
    struct conf_verify verify = {0};
    struct endpoint resolver = {.addr = "9.9.9.1", .port = 53};
    const struct zone *zone = zone_of("www.example.hk");

    (void)state;
    endpoints_add(&verify.resolvers, &resolver);
    for (int turns = 0; turns < 6; turns++) {
        struct survey s = {.op = {.done = done}, .zone = zone, .verify = &verify};
        struct presence p = {.op = {.done = done}, .zone = zone, .owner = "www.example.hk"};
        struct checkup c = {.op = {.done = done}};
        endpoints_add(&c.resolvers, &resolver);
        survey_start(z, &s);
        presence_start(z, &p);
        checkup_start(NULL, &c);
        for (int i = 0; i < turns; i++)
            op_deliver();
        unsigned before = results;
        op_cancel(&s.op);
        op_cancel(&p.op);
        survey_clear(&s);
        presence_clear(&p);
        checkup_clear(&c);
        world_run();
        assert_int_equal(results, before);
    }
    endpoints_free(&verify.resolvers);
}

static void test_present(void **state)
{
    (void)state;
    struct presence p = {.op = {.done = done}, .zone = zone_of("www.example.hk"), .owner = "www.example.hk"};
    presence_start(z, &p);
    world_run();
    assert_true(p.known && p.n == 1 && p.ttl == 300);
    assert_memory_equal(p.value[0].p, "one", 3);
    presence_clear(&p);
    p.owner = "nothing.example.hk";
    presence_start(z, &p);
    world_run();
    assert_true(p.known && p.n == 0);
    presence_clear(&p);
}

#define with_world(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judges),  cmocka_unit_test(test_kinds), cmocka_unit_test(test_presence), with_world(test_asked),
        with_world(test_silent_server), with_world(test_stopped),     with_world(test_present),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
