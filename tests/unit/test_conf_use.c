/* Use: every key of the manual read back, look-ups, whom a fault stops, ten thousand certificates, the tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "conf_tools.h"

static const char sample[] =
    "[agent]\nstate_dir = /var/lib/x\nrun_deadline = 20m ; (10m)\nparallel_orders = 8\nproxy = http://proxy:3128\nproxy_user = u\n"
    "proxy_password_file = $D/secret\nsource_address = 192.0.2.9\nkey_backup_dir = /mnt/backup\nkey_backup_password_file = "
    "credential:backup\n"
    "include = conf.d/*.ini\nlog = syslog\nconf_path = /a /b\nnotify_hook = $D/hook a  b,c\n"
    "[verify]\nresolvers = 1.1.1.1 9.9.9.9 [2620:fe::fe]:53\nquorum = 2\nmust = 1.1.1.1\nignore = 192.0.2.99\nauthoritative = any\ntimeout "
    "= 90s\n"
    "settle = 10m\ndiscovery = 192.0.2.1\n"
    "[zone corp.example.hk]\nprovider = bind\nservers = 192.0.2.53 192.0.2.54:5353\nresolvers = none\nauthoritative = all\n"
    "[provider bind]\ntype = rfc2136\nserver = ns.example.hk:5300\nzones = example.hk example.com lan _x.example.org\ntsig_key_file = "
    "$D/secret\n"
    "tsig_name = k\ntsig_algorithm = hmac-sha512\ntsig_secret_file = $D/secret\ntsig_allow_md5 = yes\nsign_query = yes\nttl = 300\n"
    "shared_rrset = merge\nproxy = none\n"
    "[provider pdns]\ntype = powerdns\nurl = http://127.0.0.1:8081\napi_key_file = $D/secret\nzones = example.net deep.example.hk\n"
    "[ca ecert]\ntype = portal\nprofile = hongkongpost-ecert\nurl = https://portal.example/start\nunattended = yes\nrecord = name apex _x\n"
    "record_ttl = 1800\ncode_lifetime = 10d\ncaa = ecert.gov.hk hongkongpost.gov.hk\nchain_files = /a/*.pem\nquorum = all\ntimeout = 1h\n"
    "proxy = http://other:8080\nproxy_user = v\nproxy_password_file = $D/secret\nca_file = $D/csr\n"
    "[ca letsencrypt]\ntype = acme\ndirectory = https://acme-v02.api.letsencrypt.org/directory\ncontact = mailto:a@b.hk\naccept_terms = "
    "yes\n"
    "[certificate shop]\nca = ecert\nnames = \xe9\x9b\xbb\xe5\xad\x90.example.hk www.example.hk\nproduct = multi-domain\nmethod = dns\n"
    "cname = refuse\nrecord_at = cdn.example.hk:apex *.x.example.hk:_y\nkey_type = p384\nkey_reuse = yes\n"
    "subject = C=HK, ST=Hong Kong, L=Hong Kong, O=Example\\, Limited, OU=IT\norganisation_name = chinese\nexpect_organisation = Example "
    "Limited\n"
    "reference_number = 123 456 789\npin_file = $D/secret\npin = same\nsubscription_end = 2027-05-31\nrenew_before = 20d\nprovider = bind\n"
    "chain = with-cross\npfx = yes\npfx_password_file = $D/secret\npfx_encryption = 3des\nfriendly_name = Shop\nkey_group = ssl-cert\n"
    "deploy_hook = $D/hook reload nginx\ndeploy_check = $D/hook -t\nurl = https://portal.example/mine\n"
    "[certificate site]\nca = ecert\nnames = b.example.hk\nproduct = ev\nmethod = website\nwebroot = /var/www/html\n"
    "[certificate mail]\nca = ecert\nnames = c.example.hk\nproduct = standard\nmethod = email\nvalidation_email = "
    "admin@example.hk\ncsr_file = $D/csr\n"
    "[certificate star]\nca = ecert\nnames = *.example.hk\nproduct = wildcard\n"
    "[certificate star2]\nca = ecert\nnames = example.hk *.example.hk\nproduct = wildcard\nwebsite_hook = $D/hook\n"
    "[certificate le]\nca = letsencrypt\nnames = a.deep.example.hk\n";

static void check_agent_and_verify(const struct conf *c)
{
    const struct conf_agent *a = &c->agent;

    assert_string_equal(a->state_dir, "/var/lib/x");
    assert_int_equal(a->run_deadline, 1200);
    assert_int_equal(a->parallel_orders, 8);
    assert_string_equal(a->proxy, "http://proxy:3128");
    assert_string_equal(a->proxy_user, "u");
    assert_non_null(a->proxy_password_file);
    assert_string_equal(a->source_address, "192.0.2.9");
    assert_string_equal(a->key_backup_dir, "/mnt/backup");
    assert_string_equal(a->key_backup_password_file, "credential:backup");
    assert_int_equal(a->conf_path.n, 2);
    assert_string_equal(a->log, "syslog");
    assert_int_equal(a->notify_hook.n, 3);
    assert_string_equal(a->notify_hook.s[2], "b,c");
    assert_int_equal(c->verify.resolvers.n, 3);
    assert_string_equal(c->verify.resolvers.e[2].addr, "2620:fe::fe");
    assert_int_equal(c->verify.quorum.rule, QUORUM_NUMBER);
    assert_int_equal(c->verify.quorum.number, 2);
    assert_int_equal(c->verify.must.n, 1);
    assert_int_equal(c->verify.ignore.n, 1);
    assert_int_equal(c->verify.authoritative, AUTHORITATIVE_ANY);
    assert_int_equal(c->verify.timeout, 90);
    assert_int_equal(c->verify.settle, 600);
    assert_int_equal(c->verify.discovery.n, 1);
}

static void check_getters(const struct conf *c)
{
    const struct section *bind = conf_provider(c, "bind"), *ca = conf_ca(c, "ecert"), *le = conf_ca(c, "letsencrypt");
    struct endpoints servers;
    struct places places;
    struct strs l;

    assert_string_equal(bind->type, "rfc2136");
    section_servers(bind, "server", &servers);
    assert_int_equal(servers.n, 1);
    assert_string_equal(servers.e[0].name, "ns.example.hk");
    assert_int_equal(servers.e[0].port, 5300);
    endpoints_free(&servers);
    section_list(bind, "zones", &l);
    assert_int_equal(l.n, 4);
    assert_string_equal(l.s[2], "lan");
    strs_free(&l);
    assert_int_equal(section_word(bind, "tsig_algorithm"), 2);
    assert_true(section_yes(bind, "sign_query"));
    assert_int_equal(section_number(bind, "ttl"), 300);
    assert_int_equal(section_word(bind, "shared_rrset"), 1);
    assert_string_equal(section_text(bind, "proxy"), "none");
    assert_false(section_given(bind, "proxy_user"));
    assert_null(section_text(bind, "nonsense"));
    assert_int_equal(section_number(bind, "zones"), 0); /* of another type */
    assert_int_equal(section_number(conf_provider(c, "pdns"), "ttl"), 0);
    section_places(ca, "record", &places);
    assert_int_equal(places.n, 3);
    assert_int_equal(places.p[1].at, AT_APEX);
    assert_string_equal(places.p[2].label, "_x");
    places_free(&places);
    section_places(le, "record", &places);
    assert_int_equal(places.n, 1);
    assert_string_equal(places.p[0].label, "_acme-challenge");
    places_free(&places);
    assert_int_equal(section_number(ca, "record_ttl"), 1800);
    assert_int_equal(section_number(le, "record_ttl"), 60);
    assert_int_equal(section_number(ca, "code_lifetime"), 10 * DAY);
    assert_int_equal(section_number(le, "code_lifetime"), 30 * DAY);
}

static void check_shop(const struct conf *c)
{
    const struct conf_cert *t = conf_cert(c, "shop");

    assert_false(t->broken);
    assert_string_equal(t->ca, "ecert");
    assert_true(strncmp(t->names.s[0], "xn--", 4) == 0);
    assert_int_equal(t->product, PRODUCT_MULTI);
    assert_int_equal(t->cname, CNAME_REFUSE);
    assert_int_equal(t->n_record_at, 2);
    assert_string_equal(t->record_at[1].host, "x.example.hk");
    assert_string_equal(t->record_at[1].place.label, "_y");
    assert_int_equal(t->key_type, KEY_P384);
    assert_true(t->key_reuse);
    assert_int_equal(t->organisation_name, 1);
    assert_string_equal(t->reference_number, "123456789");
    assert_int_equal(t->pin, 1);
    assert_int_equal(t->subscription_end, 1811721600 + DAY); /* the last day counts */
    assert_int_equal(t->renew_before, 20 * DAY);
    assert_string_equal(t->provider, "bind");
    assert_int_equal(t->chain, CHAIN_WITH_CROSS);
    assert_true(t->pfx);
    assert_int_equal(t->pfx_encryption, PFX_3DES);
    assert_int_equal(t->deploy_hook.n, 3);
    assert_string_equal(t->url, "https://portal.example/mine");
}

static void test_sample(void **state)
{
    (void)state;
    struct conf *c = conf_of(sample);
    const struct conf_cert *t;

    conf_expect_clean(c);
    check_agent_and_verify(c);
    check_getters(c);
    check_shop(c);
    for (const char *name = "star"; name; name = strcmp(name, "star") == 0 ? "star2" : NULL) {
        t = conf_cert(c, name);
        assert_int_equal(t->names.n, 2);
        assert_string_equal(t->names.s[0], "*.example.hk");
        assert_string_equal(t->names.s[1], "example.hk");
    }
    t = conf_cert(c, "le");
    assert_int_equal(t->key_type, KEY_DEFAULT);
    assert_int_equal(t->renew_before, -1);
    assert_string_equal(t->provider, "auto");
    assert_int_equal(t->subscription_end, 0);
    conf_free(c);
}

static void test_lookups(void **state)
{
    (void)state;
    struct conf *c = conf_of(sample);
    const char *zone = "untouched";
    struct conf_verify v;

    assert_string_equal(conf_writer(c, "a.deep.example.hk", NULL, &zone)->name, "pdns");
    assert_string_equal(zone, "deep.example.hk");
    assert_string_equal(conf_writer(c, "*.example.hk", "auto", &zone)->name, "bind");
    assert_string_equal(zone, "example.hk");
    assert_string_equal(conf_writer(c, "a.deep.example.hk", "bind", &zone)->name, "bind");
    assert_string_equal(zone, "example.hk");
    zone = "untouched";
    assert_null(conf_writer(c, "xexample.hk", NULL, &zone));
    assert_null(conf_writer(c, "example.org", "bind", &zone));
    assert_null(conf_writer(c, "example.hk", "nobody", &zone));
    assert_string_equal(zone, "untouched");
    assert_string_equal(conf_zone(c, "a.b.corp.example.hk")->name, "corp.example.hk");
    assert_string_equal(conf_zone(c, "*.corp.example.hk")->name, "corp.example.hk");
    assert_null(conf_zone(c, "example.hk"));

    v = conf_verify(c, NULL, NULL);
    assert_int_equal(v.timeout, 90);
    v = conf_verify(c, NULL, conf_ca(c, "ecert"));
    assert_int_equal(v.timeout, 3600);
    assert_int_equal(v.quorum.rule, QUORUM_ALL);
    assert_int_equal(v.resolvers.n, 3);
    v = conf_verify(c, conf_zone(c, "corp.example.hk"), conf_ca(c, "ecert"));
    assert_int_equal(v.resolvers.n, 0);
    assert_int_equal(v.authoritative, AUTHORITATIVE_ALL);
    assert_int_equal(v.timeout, 3600);
    conf_free(c);
}

/* A fault in a section stops the certificates that use it and no others. */
static void test_confinement(void **state)
{
    (void)state;
    static const char base[] =
        "[ca le]\ntype = acme\ndirectory = https://x/d\n[ca bad]\ntype = acme\ndirectory = x\n[ca hand]\ntype = manual\n"
        "[provider good]\ntype = rfc2136\nserver = 192.0.2.1\nzones = good.hk\n"
        "[provider sick]\ntype = rfc2136\nserver = a b\nzones = %s\n"
        "[zone z.good.hk]\nquorum = x\n"
        "[certificate a]\nca = le\nnames = a.good.hk\n[certificate b]\nca = le\nnames = a.good.hk b.sick.hk\n"
        "[certificate c]\nca = bad\nnames = a.good.hk\n[certificate d]\nca = le\nnames = a.good.hk\nprovider = sick\n"
        "[certificate e]\nca = le\nnames = a.z.good.hk\n[certificate f]\nca = le\nnames = a.good.hk\nprovider = good\n"
        "[ca bare]\n[provider bare]\nzones = bare.hk\n[certificate i]\nnames = a.good.hk\n[certificate j]\nca = bare\nnames = a.good.hk\n"
        "[certificate g]\nca = le\nnames = a.good.hk\nchain = x\n[certificate h]\nca = hand\nproduct = standard\nnames = "
        "b.sick.hk\nmethod = website\nwebroot = /w\n";
    static const struct {
        const char *zones, *broken;
    } cases[] = {{"sick.hk", "bcdegij"}, {"a..b", "abcdegij"}};

    for (size_t i = 0; i < 2; i++) {
        char *text = mem_fmt(base, cases[i].zones);
        struct conf *c = conf_of(text);

        assert_int_equal(conf_fatal(c), RC_OK);
        assert_int_equal(conf_worst(c), RC_CONF);
        assert_int_equal(c->n_cert, 10);
        for (size_t k = 0; k < c->n_cert; k++) {
            assert_non_null(c->cert[k].ca); /* whatever was wrong with it */
            if (c->cert[k].broken != (strchr(cases[i].broken, c->cert[k].name[0]) != NULL))
                fail_msg("zones = %s: certificate %s broken is %d", cases[i].zones, c->cert[k].name, c->cert[k].broken);
        }
        conf_free(c);
        free(text);
    }
}

static void test_many(void **state)
{
    (void)state;
    struct str s = STR_INIT(8 << 20);
    char *hook = conf_path_of("hook"), *secret = conf_path_of("secret");
    int64_t before, took;
    struct conf *c;

    str_add(&s, GOOD_HEAD);
    for (int i = 0; i < 10000; i++)
        str_fmt(
            &s,
            "[certificate shop-%d]\nca = le\nnames = www.shop-%d.example.hk shop-%d.example.hk\npin_file = %s\ndeploy_hook = %s reload\n",
            i, i, i, secret, hook);
    before = clock_monotonic();
    c = conf_load_text("t.ini", s.p, s.n, conf_modules);
    took = clock_monotonic() - before;
    conf_expect_clean(c);
    assert_int_equal(c->n_cert, 10000);
    assert_non_null(conf_cert(c, "shop-9999"));
    print_message("10,000 certificates in %lld ms\n", (long long)took);
    assert_true(took < 5000); /* with the sanitizers; without them a tenth */
    conf_free(c);
    str_free(&s);
    free(hook);
    free(secret);
}

static void count_table(void *context, const char *kind, const char *type, const struct conf_key *keys)
{
    size_t *n = context;

    (void)type;
    assert_non_null(kind);
    for (; keys->name; keys++) {
        struct str form = STR_INIT(200);

        assert_non_null(keys->help);
        conf_key_form(keys, &form);
        assert_true(form.n > 0);
        str_free(&form);
        ++*n;
    }
}

static void test_tables(void **state)
{
    (void)state;
    size_t n = 0;
    struct str form = STR_INIT(200);

    conf_tables_each(conf_modules, count_table, &n);
    assert_true(n > 90);
    conf_key_form(&conf_verify_keys[6], &form);
    assert_string_equal(str_text(&form), "duration (90s 10m 24h 30d), or auto");
    str_free(&form);
}

/* The agent's proxy holds for sections that say nothing of one, with its user; a section's own goes alone. */
static void test_proxy(void **state)
{
    static const char text[] =
        "[agent]\nproxy = http://proxy:3128\nproxy_user = agent\n"
        "[provider a]\ntype = rfc2136\nserver = 192.0.2.1\n[provider b]\ntype = rfc2136\nserver = 192.0.2.1\nproxy = none\n"
        "[provider c]\ntype = rfc2136\nserver = 192.0.2.1\nproxy = http://other:80\n";
    struct conf *c = conf_load_text("t.ini", text, sizeof text - 1, conf_modules);

    (void)state;
    assert_string_equal(section_text(conf_provider(c, "a"), "proxy"), "http://proxy:3128");
    assert_string_equal(section_text(conf_provider(c, "a"), "proxy_user"), "agent");
    assert_null(section_text(conf_provider(c, "a"), "proxy_password_file"));
    assert_string_equal(section_text(conf_provider(c, "b"), "proxy"), "none");
    assert_string_equal(section_text(conf_provider(c, "c"), "proxy"), "http://other:80");
    assert_null(section_text(conf_provider(c, "c"), "proxy_user"));
    conf_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sample), cmocka_unit_test(test_lookups), cmocka_unit_test(test_confinement),
                                       cmocka_unit_test(test_many),   cmocka_unit_test(test_tables),  cmocka_unit_test(test_proxy)};

    return cmocka_run_group_tests(tests, conf_setup, conf_teardown);
}
