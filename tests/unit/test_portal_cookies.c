/* Cookies of a portal's session: which are kept, and where they are sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "ca/portal/cookies.h"

enum { NOW = 1800000000 };
#define AT "https://www.portal.example:8443/ecert/csr/login.do?step=1"

static void take(struct cookies *j, const char *head)
{
    cookies_read(j, AT, head, strlen(head), NOW);
}

static void sent(const struct cookies *j, const char *url, const char *want)
{
    struct str line = STR_INIT(8192);
    bool any = cookies_line(j, url, NOW, &line);
    assert_int_equal(any, *want != 0);
    assert_string_equal(str_text(&line), want);
    str_free(&line);
}

static void kept_and_sent(void **state)
{
    (void)state;
    static const struct {
        const char *head, *url, *want;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nSet-Cookie: S=1; Path=/; HttpOnly; Secure\r\n\r\n", AT, "Cookie: S=1"},
        {"set-cookie:  S = a=b==  ;path=/\r\n", AT, "Cookie: S=a=b=="},
        {"Set-Cookie: S=1\r\n", "https://www.portal.example/ecert/csr/next", "Cookie: S=1"}, /* the page's folder */
        {"Set-Cookie: S=1\r\n", "https://www.portal.example/ecert/csr", "Cookie: S=1"},
        {"Set-Cookie: S=1\r\n", "https://www.portal.example/ecert/csrx", ""},
        {"Set-Cookie: S=1\r\n", "https://www.portal.example/", ""},
        {"Set-Cookie: S=1; Path=/\r\n", "https://other.portal.example/", ""},
        {"Set-Cookie: S=1; Path=/\r\n", "https://a.www.portal.example/", ""},
        {"Set-Cookie: S=1; Path=/; Domain=portal.example\r\n", "https://other.portal.example/", "Cookie: S=1"},
        {"Set-Cookie: S=1; Path=/; Domain=.Portal.Example\r\n", "https://www.portal.example/", "Cookie: S=1"},
        {"Set-Cookie: S=1; Path=/; Domain=portal.example\r\n", "https://notportal.example/", ""},
        {"Set-Cookie: S=1; Path=/; Domain=evil.example\r\n", AT, ""},
        {"Set-Cookie: S=1; Path=/; Domain=example\r\n", AT, ""},
        {"Set-Cookie: S=1; Path=/\r\nSet-Cookie: S=2; Path=/\r\n", AT, "Cookie: S=2"},
        {"Set-Cookie: S=1; Path=/\r\nSet-Cookie: T=2; Path=/\r\n", AT, "Cookie: S=1; T=2"},
        {"Set-Cookie: S=1; Path=/\r\nSet-Cookie: S=; Path=/; Max-Age=0\r\n", AT, ""},
        {"Set-Cookie: S=1; Path=/\r\nSet-Cookie: S=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT\r\n", AT, ""},
        {"Set-Cookie: S=1; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT\r\n", AT, "Cookie: S=1"},
        {"Set-Cookie: S=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60\r\n", AT, "Cookie: S=1"},
        {"Set-Cookie: S=1; Path=/; Expires=Wed, 01-Jan-2031 00:00:00 GMT\r\n", AT, "Cookie: S=1"},
        {"Set-Cookie: =1; Path=/\r\nSet-Cookie: nothing; Path=/\r\nSet-Cookie:\r\nSet-Cookie: \r\n", AT, ""},
        {"Set-Cookie: S=1; Path=/; Domain=; Path=relative\r\n", AT, "Cookie: S=1"},
        {"Set-Cookie: S=1; Path=/\r\nSet-Cookie: S=2; Path=/ecert/csr\r\nSet-Cookie: T=3; Path=/ecert\r\n", AT,
         "Cookie: S=2; T=3; S=1"}, /* who takes the first of a name wants the nearest */
        {"Set-Cookie: S=1\rX: y; Path=/\r\nSet-Cookie: T=\x01; Path=/\r\nSet-Cookie: U=1; Path=/\x7f\r\n", AT, ""},
        {"X-Set-Cookie: S=1\r\nSet-Cookies: S=2\r\n", AT, ""},
        {"Set-Cookie: S=1; ;;Path=/", AT, "Cookie: S=1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cookies j = {0};
        take(&j, rows[i].head);
        sent(&j, rows[i].url, rows[i].want);
        cookies_clear(&j);
    }
}

static void limits(void **state)
{
    (void)state;
    struct cookies j = {0};
    char line[64];
    for (int i = 0; i < 80; i++) {
        snprintf(line, sizeof line, "Set-Cookie: c%d=%d; Path=/\r\n", i, i);
        take(&j, line);
    }
    assert_int_equal(j.n, 50);
    assert_string_equal(j.c[0].name, "c30");
    char *large = mem_fmt("Set-Cookie: L=%5000d; Path=/\r\n", 1);
    take(&j, large);
    free(large);
    assert_string_equal(j.c[49].name, "c79");
    cookies_clear(&j);
    assert_int_equal(j.n, 0);
}

static void no_url(void **state)
{
    (void)state;
    struct cookies j = {0};
    static const char head[] = "Set-Cookie: S=1; Path=/\r\n";
    cookies_read(&j, "", head, strlen(head), NOW);
    cookies_read(&j, "https://", head, strlen(head), NOW);
    cookies_read(&j, "www.portal.example/", head, strlen(head), NOW);
    assert_int_equal(j.n, 0);
    cookies_read(&j, "https://www.portal.example", head, strlen(head), NOW);
    sent(&j, "https://WWW.portal.example?x", "Cookie: S=1");
    sent(&j, "nowhere", "");
    cookies_clear(&j);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(kept_and_sent), cmocka_unit_test(limits), cmocka_unit_test(no_url)};
    return cmocka_run_group_tests_name("portal_cookies", tests, NULL, NULL);
}
