/* What the look at a TLS server needs besides TLS: the servers as written, a mail server's words, and which addresses are public. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/endpoint.h"
#include "net/public.h"
#include "net/tls_smtp.h"

static void addresses(void **state)
{
    (void)state;
    static const char *const public[] = {"1.1.1.1",        "9.9.9.9",          "172.15.0.1",     "172.32.0.1",           "192.0.1.1",
                                         "198.17.255.255", "223.255.255.255",  "100.63.0.1",     "2001:4860:4860::8888", "2a00::1",
                                         "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"};
    static const char *const others[] = {"0.0.0.0",
                                         "10.1.2.3",
                                         "100.64.0.1",
                                         "127.0.0.1",
                                         "127.255.0.9",
                                         "169.254.169.254",
                                         "172.16.0.1",
                                         "172.31.255.255",
                                         "192.0.0.8",
                                         "192.0.2.1",
                                         "192.168.1.1",
                                         "198.18.0.1",
                                         "198.51.100.7",
                                         "203.0.113.9",
                                         "224.0.0.1",
                                         "255.255.255.255",
                                         "::",
                                         "::1",
                                         "fe80::1",
                                         "fc00::1",
                                         "fd12::1",
                                         "ff02::1",
                                         "2001:db8::1",
                                         "2001::1",
                                         "3fff::1",
                                         "::ffff:10.0.0.1",
                                         "64:ff9b::127.0.0.1",
                                         "2002:7f00:1::1",
                                         "2002:c0a8:101::1",
                                         "64:ff9b:1::1",
                                         "",
                                         "example.hk",
                                         "1.2.3",
                                         "[::1]"};
    for (size_t i = 0; i < sizeof public / sizeof *public; i++)
        if (!address_public(public[i]))
            fail_msg("%s is public", public[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (address_public(others[i]))
            fail_msg("'%s' is not public", others[i]);
}

static void servers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name, *addr;
        unsigned port;
    } good[] = {
        {"www.example.hk", "www.example.hk", "", 443},
        {"WWW.Example.HK.:8443", "www.example.hk", "", 8443},
        {"www.example.hk#192.0.2.1", "www.example.hk", "192.0.2.1", 443},
        {"www.example.hk:25#2001:db8::1", "www.example.hk", "2001:db8::1", 25},
        {"localhost:1", "localhost", "", 1},
    };
    static const char *const bad[] = {"",
                                      "192.0.2.1",
                                      "[2001:db8::1]:443",
                                      "www.example.hk:0",
                                      "www.example.hk:65536",
                                      "www.example.hk:x",
                                      "www.example.hk#",
                                      "www.example.hk#host",
                                      "https://www.example.hk",
                                      "a..b",
                                      "*.example.hk"};
    struct endpoint e;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!endpoint_parse_tls_host(good[i].text, &e, NULL))
            fail_msg("%s is refused", good[i].text);
        assert_string_equal(e.name, good[i].name);
        assert_string_equal(e.addr, good[i].addr);
        assert_int_equal(e.port, good[i].port);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (endpoint_parse_tls_host(bad[i], &e, NULL))
            fail_msg("'%s' is taken", bad[i]);
}

static void mail(void **state)
{
    (void)state;
    static const struct {
        const char *what, *in[4];
        enum smtp_next end;
        const char *why;
    } rows[] = {
        {"as usual", {"220 mx ready\r\n", "250-mx\r\n250-STARTTLS\r\n250 SIZE 1000\r\n", "220 go\r\n"}, SMTP_TLS, NULL},
        {"in pieces, greeting of two lines, small letters",
         {"220-mx\r\n22", "0 ready\n", "250-mx\r\n250 starttls\r\n", "220 go\n"},
         SMTP_TLS,
         NULL},
        {"no STARTTLS", {"220 mx\r\n", "250-mx\r\n250 SIZE 1\r\n"}, SMTP_NO, "does not offer"},
        {"no greeting", {"554 go away\r\n"}, SMTP_NO, "does not greet"},
        {"EHLO refused", {"220 mx\r\n", "502 what?\r\n"}, SMTP_NO, "refuses EHLO"},
        {"STARTTLS refused", {"220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "454 not now\r\n"}, SMTP_NO, "refuses STARTTLS"},
        {"words before TLS", {"220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n250 injected\r\n"}, SMTP_NO, "out of turn"},
        {"another protocol", {"SSH-2.0-x\r\n"}, SMTP_NO, "does not greet"},
        {"an unfinished line", {"220 mx"}, SMTP_MORE, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tls_smtp s = {0};
        const char *say = "", *why = "";
        enum smtp_next next = SMTP_MORE;
        for (size_t k = 0; k < 4 && rows[i].in[k]; k++)
            next = tls_smtp_take(&s, rows[i].in[k], strlen(rows[i].in[k]), &say, &why);
        if (next != rows[i].end || (rows[i].why && !strstr(why, rows[i].why)))
            fail_msg("%s: %d %s", rows[i].what, (int)next, why);
    }
    struct tls_smtp s = {0};
    const char *say, *why = "";
    char line[1000];
    enum smtp_next next = SMTP_MORE;
    memset(line, 'x', sizeof line);
    for (int i = 0; i < 30 && next == SMTP_MORE; i++)
        next = tls_smtp_take(&s, line, sizeof line, &say, &why);
    assert_int_equal(next, SMTP_NO);
    assert_non_null(strstr(why, "without end"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(addresses), cmocka_unit_test(servers), cmocka_unit_test(mail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
