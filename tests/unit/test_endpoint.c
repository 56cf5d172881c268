#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/endpoint.h"

static void parsed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool names;
        const char *shown; /* NULL: refused */
        enum via via;
        uint16_t port;
        const char *addr, *name, *url;
    } cases[] = {
        {"192.0.2.1", false, "192.0.2.1", VIA_UDP, 53, "192.0.2.1", "", ""},
        {" 192.0.2.1:5353 ", false, "192.0.2.1:5353", VIA_UDP, 5353, "192.0.2.1", "", ""},
        {"2001:DB8:0::1", false, "2001:db8::1", VIA_UDP, 53, "2001:db8::1", "", ""},
        {"[2620:fe::fe]:53", false, "2620:fe::fe", VIA_UDP, 53, "2620:fe::fe", "", ""},
        {"[2620:fe::fe]:54", false, "[2620:fe::fe]:54", VIA_UDP, 54, "2620:fe::fe", "", ""},
        {"[::1]", false, "::1", VIA_UDP, 53, "::1", "", ""},
        {"tcp://192.0.2.1", false, "192.0.2.1", VIA_TCP, 53, "192.0.2.1", "", ""},
        {"TCP://[::1]:5300", false, "[::1]:5300", VIA_TCP, 5300, "::1", "", ""},
        {"tls://9.9.9.9#dns.quad9.net", false, "dns.quad9.net (9.9.9.9)", VIA_TLS, 853, "9.9.9.9", "dns.quad9.net", ""},
        {"tls://[2620:fe::fe]:8853#DNS.quad9.net.", false, "dns.quad9.net ([2620:fe::fe]:8853)", VIA_TLS, 8853, "2620:fe::fe",
         "dns.quad9.net", ""},
        {"tls://dns.quad9.net", true, "dns.quad9.net", VIA_TLS, 853, "", "dns.quad9.net", ""},
        {"https://dns.google/dns-query#8.8.8.8", false, "https://dns.google/dns-query (8.8.8.8)", VIA_HTTPS, 443, "8.8.8.8", "dns.google",
         "https://dns.google/dns-query"},
        {"https://dns.example:8443/q#[2001:db8::1]", false, "https://dns.example:8443/q (2001:db8::1)", VIA_HTTPS, 8443, "2001:db8::1",
         "dns.example", "https://dns.example:8443/q"},
        {"https://1.1.1.1/dns-query", false, "https://1.1.1.1/dns-query (1.1.1.1)", VIA_HTTPS, 443, "1.1.1.1", "",
         "https://1.1.1.1/dns-query"},
        {"https://dns.google/dns-query", true, "https://dns.google/dns-query", VIA_HTTPS, 443, "", "dns.google",
         "https://dns.google/dns-query"},
        {"ns1.example.hk", true, "ns1.example.hk", VIA_UDP, 53, "", "ns1.example.hk", ""},
        {"NS1.example.hk:5300", true, "ns1.example.hk:5300", VIA_UDP, 5300, "", "ns1.example.hk", ""},
        {"localhost", true, "localhost", VIA_UDP, 53, "", "localhost", ""},
        {"", false, NULL},
        {" ", true, NULL},
        {":53", true, NULL},
        {"ns1.example.hk", false, NULL},
        {"192.0.2.1:", false, NULL},
        {"192.0.2.1:0", false, NULL},
        {"192.0.2.1:65536", false, NULL},
        {"192.0.2.1:99999999999999999999", false, NULL},
        {"192.0.2.1:+53", false, NULL},
        {"192.0.2.1:53x", false, NULL},
        {"192.0.2.1: 53", false, NULL},
        {"192.0.2", false, NULL},
        {"192.0.2.256", true, NULL},
        {"0x7f.1", true, NULL},
        {"fe80::1%eth0", false, NULL},
        {"2001:db8::1:53:53:53:53:53:53:53", false, NULL},
        {"[2001:db8::1", false, NULL},
        {"[2001:db8::1]53", false, NULL},
        {"[192.0.2.1]:53", false, NULL},
        {"[]", false, NULL},
        {"[", false, NULL},
        {"ftp://192.0.2.1", false, NULL},
        {"://", true, NULL},
        {"tls://9.9.9.9", false, NULL},
        {"tls://9.9.9.9#", false, NULL},
        {"tls://#dns.quad9.net", false, NULL},
        {"tls://9.9.9.9#a b", false, NULL},
        {"https://dns.google/dns-query", false, NULL},
        {"https://dns.google#8.8.8.8", false, NULL},
        {"https:///dns-query#8.8.8.8", false, NULL},
        {"https://dns.google/q#dns.google", true, NULL},
        {"https://user@dns.google/q#8.8.8.8", false, NULL},
        {"https://dns.google/q?x=1#8.8.8.8", false, NULL},
        {"https://dns.google/q#", true, NULL},
        {"192.0.2.1/24", false, NULL},
        {"192.0.2.1#53", false, NULL},
        {"\033[2J", true, NULL},
        {"a\nb.hk", true, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct endpoint p = {.port = 7};
        struct err e = {0};
        char shown[400];
        bool ok = endpoint_parse(cases[i].text, cases[i].names, &p, &e);
        if (ok != !!cases[i].shown)
            fail_msg("%s: %d %s", cases[i].text, ok, e.text);
        if (!ok) {
            assert_int_equal(e.rc, RC_CONF);
            assert_string_equal(e.code, "SERVER");
            assert_null(strchr(e.text, '\n'));
            assert_null(strchr(e.text, '\033'));
            assert_int_equal(p.port, 7);
            continue;
        }
        endpoint_show(&p, shown, sizeof(shown));
        assert_string_equal(shown, cases[i].shown);
        assert_int_equal(p.via, cases[i].via);
        assert_int_equal(p.port, cases[i].port);
        assert_string_equal(p.addr, cases[i].addr);
        assert_string_equal(p.name, cases[i].name);
        assert_string_equal(p.url, cases[i].url);
    }
}

static void too_long(void **state)
{
    (void)state;
    char *text = malloc(100001);
    memset(text, 'a', 100000);
    text[100000] = '\0';
    struct endpoint p;
    assert_false(endpoint_parse(text, true, &p, NULL));
    snprintf(text, 300, "https://dns.google/%0200d%050d#8.8.8.8", 0, 0);
    assert_false(endpoint_parse(text, true, &p, NULL));
    free(text);
}

static void no_duplicates(void **state)
{
    (void)state;
    struct endpoints l = {0};
    static const char *const texts[] = {"192.0.2.1",
                                        "192.0.2.1:53",
                                        "192.0.2.1:54",
                                        "tcp://192.0.2.1",
                                        "2001:db8::1",
                                        "2001:DB8::0:1",
                                        "ns1.example.hk",
                                        "NS1.example.hk.",
                                        "ns2.example.hk",
                                        "https://a.hk/x#192.0.2.9",
                                        "https://a.hk/y#192.0.2.9"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct endpoint p;
        assert_true(endpoint_parse(texts[i], true, &p, NULL));
        endpoints_add(&l, &p);
    }
    assert_int_equal(l.n, 8);
    endpoints_free(&l);
    assert_int_equal(l.n, 0);
}

static void shown_with_both(void **state)
{
    (void)state;
    struct endpoint p = {.name = "ns1.example.hk", .addr = "192.0.2.1", .port = 5353};
    char out[100], small[10];
    endpoint_show(&p, out, sizeof(out));
    assert_string_equal(out, "ns1.example.hk (192.0.2.1:5353)");
    endpoint_show(&p, small, sizeof(small));
    assert_int_equal(strlen(small), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parsed), cmocka_unit_test(too_long), cmocka_unit_test(no_duplicates),
                                       cmocka_unit_test(shown_with_both)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
