/* Each enum conf_type with values that it takes and values that it refuses, and the checks of tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/guess.h"
#include "base/mem.h"
#include "conf/checks.h"
#include "conf/load.h"
#include "conf/types.h"

union any {
    char *text;
    int word;
    bool yes;
    int64_t number;
    struct strs list;
    struct endpoints servers;
    struct places places;
    struct conf_quorum quorum;
    struct record_at_rules rules;
};

/* What came out, as text; "" for nothing. */
static char *shown(enum conf_type type, const union any *v)
{
    struct str s = STR_INIT(2000);
    char one[400];

    switch (type) {
    case CONF_WORD:
        str_fmt(&s, "%d", v->word);
        break;
    case CONF_YESNO:
        str_add(&s, v->yes ? "yes" : "no");
        break;
    case CONF_DURATION:
    case CONF_COUNT:
    case CONF_DATE:
        str_fmt(&s, "%lld", (long long)v->number);
        break;
    case CONF_COMMAND:
    case CONF_LIST:
    case CONF_NAMES:
    case CONF_ZONES:
        for (size_t i = 0; i < v->list.n; i++)
            str_fmt(&s, "%s%s", i ? "|" : "", v->list.s[i]);
        break;
    case CONF_SERVERS:
    case CONF_SERVER:
        for (size_t i = 0; i < v->servers.n; i++) {
            endpoint_show(&v->servers.e[i], one, sizeof(one));
            str_fmt(&s, "%s%s", i ? "|" : "", one);
        }
        break;
    case CONF_PLACES:
        for (size_t i = 0; i < v->places.n; i++)
            str_fmt(&s, "%d%s ", (int)v->places.p[i].at, v->places.p[i].at == AT_LABEL ? v->places.p[i].label : "");
        break;
    case CONF_QUORUM:
        str_fmt(&s, "%d %u", (int)v->quorum.rule, v->quorum.number);
        break;
    case CONF_RULES:
        for (size_t i = 0; i < v->rules.n; i++)
            str_fmt(&s, "%s:%d ", v->rules.r[i].host, (int)v->rules.r[i].place.at);
        break;
    default:
        str_add(&s, v->text);
    }
    return str_take(&s);
}

static const struct {
    enum conf_type type;
    const char *allowed, *text;
    const char *out;   /* NULL: refused */
    const char *fault; /* part of the (first) message */
} values[] = {
    {CONF_TEXT, NULL, "a b", "a b", NULL},
    {CONF_TEXT, NULL, "", NULL, "no value"},
    {CONF_TEXT, NULL, "\"a b\"", NULL, "quotes"},
    {CONF_TEXT, NULL, "it's", "it's", NULL},
    {CONF_TEXT, NULL, "\xa4\xa4", NULL, "UTF-8"},
    {CONF_WORD, "all|any|off", "any", "1", NULL},
    {CONF_WORD, "all|any|off", "an", NULL, "did you mean any?"},
    {CONF_WORD, "all|any|off", "all|any", NULL, "allowed: all, any, off"},
    {CONF_WORD, "|a|b", "b", "2", NULL},
    {CONF_WORD, "|a|b", "|", NULL, "allowed: a, b"},
    {CONF_YESNO, NULL, "yes", "yes", NULL},
    {CONF_YESNO, NULL, "no", "no", NULL},
    {CONF_YESNO, NULL, "true", NULL, "allowed: yes, no"},
    {CONF_DURATION, NULL, "90s", "90", NULL},
    {CONF_DURATION, NULL, "10m", "600", NULL},
    {CONF_DURATION, NULL, "24h", "86400", NULL},
    {CONF_DURATION, NULL, "30d", "2592000", NULL},
    {CONF_DURATION, "auto", "auto", "-1", NULL},
    {CONF_DURATION, NULL, "auto", NULL, "no"},
    {CONF_DURATION, NULL, "300", NULL, "90s 10m"},
    {CONF_DURATION, NULL, "-1s", NULL, "90s 10m"},
    {CONF_COUNT, "1..64", "64", "64", NULL},
    {CONF_COUNT, "1..64", "65", NULL, "allowed: 1..64"},
    {CONF_COUNT, "1..64", "0", NULL, "allowed: 1..64"},
    {CONF_COUNT, NULL, "-1", NULL, "0 and above"},
    {CONF_COUNT, NULL, "1x", NULL, "0 and above"},
    {CONF_COUNT, NULL, "99999999999999999999", NULL, "0 and above"},
    {CONF_DATE, NULL, "2027-05-31", "1811721600", NULL},
    {CONF_DATE, NULL, "2027-02-30", NULL, "2027-05-31"},
    {CONF_DATE, NULL, "31.5.2027", NULL, "2027-05-31"},
    {CONF_FILE, NULL, "/a/b c", "/a/b c", NULL},
    {CONF_FILE, NULL, "a", NULL, "absolute"},
    {CONF_SECRET, NULL, "credential:x", "credential:x", NULL},
    {CONF_SECRET, NULL, "credential:", NULL, "does not belong here"},
    {CONF_SECRET, NULL, "credential:../x", NULL, "does not belong here"},
    {CONF_SECRET, NULL, "hunter2", NULL, "does not belong here"},
    {CONF_SECRET, NULL, "/nowhere/at/all", NULL, "/nowhere/at/all"},
    {CONF_COMMAND, NULL, "/bin/true a  b,c", "/bin/true|a|b,c", NULL},
    {CONF_COMMAND, NULL, "true", NULL, "absolute"},
    {CONF_COMMAND, NULL, "/nowhere/at/all", NULL, "No such file"},
    {CONF_COMMAND, NULL, "/bin", NULL, "no plain file"},
    {CONF_COMMAND, NULL, "/etc/passwd", NULL, "cannot be executed"},
    {CONF_LIST, NULL, "a,b  c ,d", "a|b|c|d", NULL},
    {CONF_LIST, NULL, ", ,", NULL, "empty"},
    {CONF_NAMES, NULL, "WWW.Example.HK. *.example.hk www.example.hk", "www.example.hk|*.example.hk", NULL},
    {CONF_NAMES, NULL, "\xe9\x9b\xbb\xe5\xad\x90.hk", "xn--i8s910l.hk", NULL},
    {CONF_NAMES, NULL, "a..b", NULL, ""},
    {CONF_NAMES, NULL, "192.0.2.1", NULL, ""},
    {CONF_NAMES, NULL, "_x.example.hk", NULL, ""},
    {CONF_NAMES, NULL, "localhost", NULL, ""},
    {CONF_ZONES, NULL, "example.hk, LAN. _x.example.hk lan", "example.hk|lan|_x.example.hk", NULL},
    {CONF_ZONES, NULL, "2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa", NULL},
    {CONF_ZONES, NULL, ".", NULL, ""},
    {CONF_ZONES, NULL, "*.example.hk", NULL, ""},
    {CONF_ZONES, NULL, "l\xc3\xa4n", "xn--ln-via", NULL},
    {CONF_SERVERS, NULL, "1.1.1.1 [2620:fe::fe]:53 1.1.1.1:53", "1.1.1.1|2620:fe::fe", NULL},
    {CONF_SERVERS, "none", "none", "", NULL},
    {CONF_SERVERS, "none", "none 1.1.1.1", NULL, "stands alone"},
    {CONF_SERVERS, NULL, "none", NULL, ""},
    {CONF_SERVERS, NULL, "ns.example.hk", NULL, ""},
    {CONF_SERVERS, NULL, "https://dns.google/dns-query#8.8.8.8 tls://9.9.9.9#dns.quad9.net",
     "https://dns.google/dns-query (8.8.8.8)|dns.quad9.net (9.9.9.9)", NULL},
    {CONF_SERVER, NULL, "tls://9.9.9.9#dns.quad9.net", NULL, "are for resolvers"},
    {CONF_SERVER, NULL, "192.0.2.1", "192.0.2.1", NULL},
    {CONF_SERVER, NULL, "192.0.2.1 192.0.2.2", NULL, "one server"},
    {CONF_PLACES, NULL, "name apex _acme-challenge name", "0 1 2_acme-challenge ", NULL},
    {CONF_PLACES, NULL, "_a.b", NULL, "is no place"},
    {CONF_PLACES, NULL, "nme", NULL, "did you mean name?"},
    {CONF_PLACES, NULL, "_", NULL, "is no place"},
    {CONF_QUORUM, NULL, "all", "0 0", NULL},
    {CONF_QUORUM, NULL, "majority", "1 0", NULL},
    {CONF_QUORUM, NULL, "3", "2 3", NULL},
    {CONF_QUORUM, NULL, "0", NULL, "majority"},
    {CONF_DIGITS, "9", "123 456 789", "123456789", NULL},
    {CONF_DIGITS, "9", "12345678", NULL, "9 digits are wanted, this has 8"},
    {CONF_DIGITS, "9", "12345678x", NULL, "other characters"},
    {CONF_RULES, NULL, "CDN.example.hk:apex *.a.example.hk:name", "cdn.example.hk:1 a.example.hk:0 ", NULL},
    {CONF_RULES, NULL, "cdn.example.hk", NULL, "HOST:PLACE"},
    {CONF_RULES, NULL, ":apex", NULL, "HOST:PLACE"},
    {CONF_RULES, NULL, "cdn.example.hk:", NULL, "is no place"},
};

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct conf c = {0};
        struct loader l = {.c = &c, .trust = trust_new()};
        struct value_sink sink = {.l = &l, .at = {.file = "t.ini", .line = 1}, .section = "s", .key = "k"};
        struct conf_key k = {.name = "k", .type = values[i].type, .allowed = values[i].allowed};
        union any v = {0};
        bool good = value_parse(&k, values[i].text, &v, &sink);
        char *got = good ? shown(k.type, &v) : NULL;

        if (good != (values[i].out != NULL) || good == sink.faulty || (good && strcmp(got, values[i].out) != 0))
            fail_msg("type %d, \"%s\": got %s, fault %s", (int)k.type, values[i].text, got ? got : "nothing",
                     c.n_fault ? c.fault[0].text : "none");
        if (!good && !strstr(c.fault[0].text, values[i].fault))
            fail_msg("type %d, \"%s\": message %s", (int)k.type, values[i].text, c.fault[0].text);
        assert_null(good ? NULL : strstr(c.fault[0].text, "hunter2"));
        free(got);
        value_free(k.type, &v);
        for (size_t f = 0; f < c.n_fault; f++) {
            free(c.fault[f].file);
            free(c.fault[f].section);
            free(c.fault[f].key);
            free(c.fault[f].text);
        }
        free(c.fault);
        trust_free(l.trust);
    }
}

static const struct {
    bool (*check)(const char *value, char why[160]);
    const char *text;
    bool good;
} checks[] = {
    {conf_check_url, "http://127.0.0.1:8081", true},
    {conf_check_url, "https://[2001:db8::1]:443/x/y/", true},
    {conf_check_url, "https://host/x?y=z", false},
    {conf_check_url, "https://host#z", false},
    {conf_check_url, "HTTPS://x", true},
    {conf_check_url, "ftp://x", false},
    {conf_check_url, "http://", false},
    {conf_check_url, "http://:80", false},
    {conf_check_url, "http://u:p@host/", false},
    {conf_check_url, "http://host/a@b", true},
    {conf_check_url, "http://host:port", false},
    {conf_check_url, "http://host:1234567", false},
    {conf_check_url, "http://[::1", false},
    {conf_check_url, "http://a b", false},
    {conf_check_https, "http://x", false},
    {conf_check_https, "https://x", true},
    {conf_check_positive, "0s", false},
    {conf_check_positive, "1s", true},
    {conf_check_readable, "/etc/passwd", true},
    {conf_check_readable, "/etc", false},
    {conf_check_readable, "/nowhere", false},
    {conf_check_absolute, "/a /b", true},
    {conf_check_absolute, "/a b", false},
    {check_proxy, "none", true},
    {check_proxy, "http://proxy:3128", true},
    {check_proxy, "proxy:3128", false},
    {check_proxy, "http://proxy:65535", true},
    {check_proxy, "http://proxy:65536", false},
    {check_proxy, "http://proxy:0", false},
    {check_log, "syslog", true},
    {check_log, "/var/log/x", true},
    {check_log, "stderr", false},
    {check_address, "192.0.2.9", true},
    {check_address, "2001:db8::1", true},
    {check_address, "192.0.2.9:53", false},
    {check_email, "admin@example.hk", true},
    {check_email, "admin", false},
    {check_email, "@example.hk", false},
    {check_email, "a@b@example.hk", false},
    {check_group, "ssl-cert", true},
    {check_group, "-x", false},
    {check_group, "a b", false},
    {check_subject, "C=HK, ST=Hong Kong, L=Hong Kong, O=Example Limited, OU=IT", true},
    {check_subject, "C = HK,O=A\\, B", true},
    {check_subject, "Example", false},
    {check_subject, "=x", false},
    {check_subject, "C=HK", true},
    {check_subject, "c = HK , o = Example", true},
    {check_subject, "O=Example\\, Limited", true},
    {check_subject, "O=A+B; <C>", true},
    {check_subject, "O=\"A, B\"", false},
    {check_subject, "C=hk", false},
    {check_subject, "C=HKG", false},
    {check_subject, "CN=www.example.hk", false},
    {check_subject, "/C=HK/O=x", false},
    {check_subject, "O=", false},
    {check_subject, "O=  ", false},
    {check_subject, "O=a,O=b", false},
    {check_subject, "OU=a,OU=b", true},
    {check_subject, "O=a,", false},
    {check_subject, ",O=a", false},
    {check_subject, "O", false},
    {check_subject, "", false},
    {check_subject, "O=a\\", false},
    {check_subject, "O=a\\z", false},
    {check_subject, "O=\\e7\\94", false},
    {check_subject, "O=\\e7\\94\\b2", true},
    {check_subject, "O=a\\0ab", false},
    {check_subject, "emailAddress=a@b", false},
    {check_subject, "O=電子核證有限公司", true},
    {check_subject, "O=a\x80", false},
    {check_subject, "OU=1,OU=2,OU=3,OU=4,OU=5,OU=6,OU=7,OU=8,OU=9,OU=10,OU=11,OU=12,OU=13,OU=14,OU=15,OU=16,OU=17", false},
    {check_subject, "O=1234567890123456789012345678901234567890123456789012345678901234", true},
    {check_subject, "O=12345678901234567890123456789012345678901234567890123456789012345", false},
    {check_subject,
     "O="
     "甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲",
     true},
};

static void test_checks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        char why[160] = "";

        if (checks[i].check(checks[i].text, why) != checks[i].good || checks[i].good == (why[0] != '\0'))
            fail_msg("%s: %s", checks[i].text, why);
    }
}

static void test_tables_are_sound(void **state)
{
    static const struct conf_key *const tables[] = {conf_agent_keys,    conf_verify_keys, conf_zone_keys,
                                                    conf_provider_keys, conf_ca_keys,     conf_cert_keys};

    (void)state;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (const struct conf_key *k = tables[i]; k->name; k++) {
            union any v = {0};

            assert_ptr_equal(key_find(tables[i], k->name), k); /* no name twice */
            assert_true(k->help && k->help[strlen(k->help) - 1] == '.');
            if (!k->standard)
                continue;
            if (!value_parse(k, k->standard, &v, NULL))
                fail_msg("the default of %s is no value of it", k->name);
            value_free(k->type, &v);
        }
    }
}

static void test_guess(void **state)
{
    struct guess g = {.wanted = "resolver"};
    char out[96];

    (void)state;
    guess_try(&g, "timeout");
    assert_string_equal(guess_text(&g, out), "");
    guess_try(&g, "resolvers");
    guess_try(&g, "revolver2");
    assert_string_equal(guess_text(&g, out), ", did you mean resolvers?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_checks),
                                       cmocka_unit_test(test_tables_are_sound), cmocka_unit_test(test_guess)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
