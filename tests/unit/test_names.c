#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/names.h"

#define L63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"

static void names(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned may;
        const char *want; /* NULL: refused */
        const char *why;  /* in the message */
    } cases[] = {
        {"www.example.hk", 0, "www.example.hk", NULL},
        {"  WWW.Example.HK. \n", 0, "www.example.hk", NULL},
        {"\u3000www.example.hk\u3000", 0, "www.example.hk", NULL},
        {"*.example.hk", NAME_WILDCARD, "*.example.hk", NULL},
        {"\uff0a\u3002example\uff0ehk\uff61", NAME_WILDCARD, "*.example.hk", NULL},
        {"電子核證.gov.hk", 0, "xn--i8s431aqn1ad1j.gov.hk", NULL},
        {"*.中文.cn", NAME_WILDCARD, "*.xn--fiq228c.cn", NULL},
        {"XN--FIQ228C.cn", 0, "xn--fiq228c.cn", NULL},
        {"中文。香港", 0, "xn--fiq228c.xn--j6w193g", NULL},
        {"ｗｗｗ.example.hk", 0, "www.example.hk", NULL},
        {"faß.de", 0, "xn--fa-hia.de", NULL},
        {"bu\u0308cher.de", 0, "xn--bcher-kva.de", NULL},
        {"_dnsauth.www.example.hk", NAME_UNDERSCORE, "_dnsauth.www.example.hk", NULL},
        {"_dnsauth.中文.cn", NAME_UNDERSCORE, "_dnsauth.xn--fiq228c.cn", NULL},
        {"localhost", NAME_SINGLE, "localhost", NULL},
        {"xn--j6w193g", NAME_SINGLE, "xn--j6w193g", NULL},
        {"3com.com", 0, "3com.com", NULL},
        {"1.2.3.example", 0, "1.2.3.example", NULL},
        {L63 ".hk", 0, L63 ".hk", NULL},
        {"", 0, NULL, "is empty"},
        {" ", 0, NULL, "is empty"},
        {".", 0, NULL, "is empty"},
        {"hk", 0, NULL, "one label"},
        {"*.hk", NAME_WILDCARD, NULL, "one label"},
        {"*", NAME_WILDCARD | NAME_SINGLE, NULL, "star"},
        {"*.", NAME_WILDCARD | NAME_SINGLE, NULL, "star"},
        {"*.example.hk", 0, NULL, "wildcard"},
        {"w*.example.hk", NAME_WILDCARD, NULL, "label \"w*\" has a star"},
        {"www.*.hk", NAME_WILDCARD, NULL, "label \"*\" has a star"},
        {"*.*.example.hk", NAME_WILDCARD, NULL, "star"},
        {"www..hk", 0, NULL, "empty label"},
        {"www.example.hk..", 0, NULL, "empty label"},
        {".www.hk", 0, NULL, "empty label"},
        {"a.\u00ad.hk", 0, NULL, "label"}, /* a soft hyphen maps to nothing */
        {"-a.example.hk", 0, NULL, "label \"-a\" starts or ends with a hyphen"},
        {"a-.example.hk", 0, NULL, "hyphen"},
        {"ab--c.example.hk", 0, NULL, "third and fourth"},
        {"xn--a.example.hk", 0, NULL, "label \"xn--a\""},
        {"xn--.example.hk", 0, NULL, "label \"xn--\""},
        {"xn--www-.example.hk", 0, NULL, "label"},
        {"xn--99999999999999.hk", 0, NULL, "label"},
        {"xn--fiq228\u00e9.hk", 0, NULL, "label"},
        {"_x.example.hk", 0, NULL, "underscore"},
        {"a b.example.hk", 0, NULL, "blank"},
        {"a\tb.example.hk", 0, NULL, "blank"},
        {"a\nb.example.hk", 0, NULL, "\\x0a"},
        {"a\u3000b.example.hk", 0, NULL, "blank"},
        {"a/b.example.hk", 0, NULL, "letters, digits"},
        {"a\\.b.hk", 0, NULL, "letters, digits"},
        {"\u2100.example.hk", 0, NULL, "label"},   /* maps to a/c */
        {"a\u2024b.example.hk", 0, NULL, "label"}, /* one dot leader maps to a dot */
        {"\xff\xfe.hk", 0, NULL, "UTF-8"},
        {"\xe9\x9b.hk", 0, NULL, "UTF-8"},
        {"☃\u200d.hk", 0, NULL, "label"},
        {"192.0.2.1", 0, NULL, "IP address"},
        {"192.0.2.1.", 0, NULL, "IP address"},
        {"2001:db8::1", 0, NULL, "IP address"},
        {"[2001:db8::1]", 0, NULL, "IP address"},
        {"1.2.3.4.5", 0, NULL, "digits alone"},
        {"www.123", 0, NULL, "digits alone"},
        {"1", NAME_SINGLE, NULL, "digits alone"},
        {"１９２.0.2.1", 0, NULL, "digits alone"},
        {"https://www.example.hk/", 0, NULL, "URL"},
        {"www.example.hk:443", 0, NULL, "letters, digits"},
        {"a@example.hk", 0, NULL, "e-mail"},
        {L63 "l.hk", 0, NULL, "63 octets"},
        {"電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電電子子子子"
         "子子子子電子電子電子電子.hk",
         0, NULL, "label"},
        {L63 "." L63 "." L63 "." L63 ".hk", 0, NULL, "253 octets"},
        {"\033[31m.example.hk", 0, NULL, "\\x1b"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[NAME_SIZE] = "untouched";
        struct err e = {0};
        bool ok = name_parse(cases[i].text, cases[i].may, out, &e);
        if (ok != !!cases[i].want || (!ok && !strstr(e.text, cases[i].why)))
            fail_msg("%s: %s %s", cases[i].text, ok ? out : "refused", e.text);
        assert_string_equal(out, ok ? cases[i].want : "untouched");
        assert_int_equal(e.rc, ok ? RC_OK : RC_CONF);
        if (!ok)
            assert_string_equal(e.code, "NAME");
    }
}

static void lengths(void **state)
{
    (void)state;
    char text[300], out[NAME_SIZE];
    snprintf(text, sizeof(text), "%s.%s.%s.%.61s", L63, L63, L63, L63); /* 253 */
    assert_int_equal(strlen(text), 253);
    assert_true(name_parse(text, 0, out, NULL));
    snprintf(text, sizeof(text), "%s.%s.%s.%.62s", L63, L63, L63, L63);
    assert_false(name_parse(text, 0, out, NULL));
    char *huge = malloc(1 << 20);
    memset(huge, 'a', (1 << 20) - 1);
    huge[(1 << 20) - 1] = '\0';
    struct err e = {0};
    assert_false(name_parse(huge, 0, out, &e));
    free(huge);
}

static void shown(void **state)
{
    (void)state;
    static const struct {
        const char *name, *unicode, *both;
    } cases[] = {
        {"www.example.hk", "www.example.hk", "www.example.hk"},
        {"*.xn--fiq228c.cn", "*.中文.cn", "*.中文.cn (*.xn--fiq228c.cn)"},
        {"_dnsauth.xn--fiq228c.cn", "_dnsauth.中文.cn", "_dnsauth.中文.cn (_dnsauth.xn--fiq228c.cn)"},
        {"xn--bad-\n.hk", "xn--bad-\\x0a.hk", "xn--bad-\\x0a.hk"},
        {"xn--a.hk", "xn--a.hk", "xn--a.hk"},
        {"xn--www-.hk", "xn--www-.hk", "xn--www-.hk"},
        {"", "", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[600];
        name_unicode(cases[i].name, out, sizeof(out));
        assert_string_equal(out, cases[i].unicode);
        name_show(cases[i].name, out, sizeof(out));
        assert_string_equal(out, cases[i].both);
    }
    char small[8];
    name_show("www.example.hk", small, sizeof(small));
    assert_true(strlen(small) < sizeof(small));
}

static void relations(void **state)
{
    (void)state;
    assert_true(name_within("a.example.hk", "example.hk"));
    assert_true(name_within("example.hk", "example.hk"));
    assert_true(name_within("A.Example.hk.", "example.HK"));
    assert_true(name_within("example.hk", ""));
    assert_true(name_within("", ""));
    assert_true(name_within("example.hk", "."));
    assert_false(name_within("badexample.hk", "example.hk"));
    assert_false(name_within("hk", "example.hk"));
    assert_false(name_within("", "hk"));
    assert_true(name_same("a.HK", "A.hk."));
    assert_false(name_same("a.hk", "b.hk"));
    assert_false(name_same("a.hk", "a.hkx"));
    assert_string_equal(name_base("*.a.hk"), "a.hk");
    assert_string_equal(name_base("a.hk"), "a.hk");
    assert_true(name_is_wildcard("*.a.hk"));
    assert_false(name_is_wildcard("*a.hk"));
    assert_string_equal(name_parent("a.b.c"), "b.c");
    assert_string_equal(name_parent("c"), "");
    assert_null(name_parent(""));
    assert_int_equal(name_labels(""), 0);
    assert_int_equal(name_labels("."), 0);
    assert_int_equal(name_labels("a.b.c"), 3);
    assert_int_equal(name_labels("a.b."), 2);
}

static void any_octets(void **state)
{
    (void)state;
    srand(3);
    for (int round = 0; round < 20000; round++) {
        static const char *const parts[] = {"xn--", ".",      "*",      "-",      "電", "\xff", "_", "a",
                                            "1",    "\u3002", "\u200d", "\u0308", "ß",  " ",    "א", "\xe2\x84"};
        char text[80] = "", out[NAME_SIZE];
        for (int i = rand() % 9; i >= 0; i--)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", parts[(size_t)rand() % (sizeof(parts) / sizeof(parts[0]))]);
        if (!name_parse(text, 7, out, NULL))
            continue;
        char again[NAME_SIZE], unicode[600];
        assert_true(name_parse(out, 7, again, NULL)); /* the inner form is its own inner form */
        assert_string_equal(out, again);
        name_unicode(out, unicode, sizeof(unicode)); /* and what people see leads back to it */
        assert_true(name_parse(unicode, 7, again, NULL));
        assert_string_equal(out, again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),     cmocka_unit_test(lengths),    cmocka_unit_test(shown),
        cmocka_unit_test(relations), cmocka_unit_test(any_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
