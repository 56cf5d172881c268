#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/str.h"

static void growing_strings(void **state)
{
    (void)state;
    struct str s = STR_INIT(10);
    assert_string_equal(str_text(&s), "");
    str_add(&s, "12345");
    str_fmt(&s, "%s", "678");
    assert_false(s.cut);
    str_add(&s, "90ab");
    assert_true(s.cut);
    assert_string_equal(str_text(&s), "1234567890");
    str_add(&s, "more");
    assert_int_equal(s.n, 10);
    char *p = str_take(&s);
    assert_string_equal(p, "1234567890");
    free(p);
    assert_int_equal(s.max, 10);
    p = str_take(&s);
    assert_string_equal(p, "");
    free(p);
    str_put(&s, "a\0b", 3);
    assert_memory_equal(s.p, "a\0b", 4);
    str_free(&s);
    assert_null(s.p);

    struct str big = STR_INIT(100000);
    for (int i = 0; i < 3000; i++)
        str_fmt(&big, "%04d,", i);
    assert_int_equal(big.n, 15000);
    char wide[500];
    memset(wide, 'x', sizeof(wide) - 1);
    wide[sizeof(wide) - 1] = '\0';
    str_fmt(&big, "%s!", wide);
    assert_int_equal(big.n, 15500);
    str_free(&big);

    struct str endless = STR_INIT(SIZE_MAX);
    str_add(&endless, "without a limit");
    assert_string_equal(str_text(&endless), "without a limit");
    str_free(&endless);

    struct str zero = STR_INIT(0);
    str_add(&zero, "x");
    assert_true(zero.cut);
    assert_string_equal(str_text(&zero), "");
    str_free(&zero);
}

static void lists(void **state)
{
    (void)state;
    struct strs a = {0}, b = {0}, c;
    strs_split(&a, "  x, y,,\tz\n x ");
    assert_int_equal(a.n, 4);
    char *joined = strs_join(&a, "; ");
    assert_string_equal(joined, "x; y; z; x");
    free(joined);
    assert_true(strs_has(&a, "z"));
    assert_false(strs_has(&a, "Z"));
    assert_false(strs_equal_sets(&a, &b));
    strs_add(&b, "z");
    strs_add(&b, "y");
    strs_add_n(&b, "xxx", 1);
    assert_true(strs_equal_sets(&a, &b));
    strs_add(&b, "w");
    assert_false(strs_equal_sets(&a, &b));
    assert_false(strs_equal_sets(&b, &a));
    strs_copy(&c, &b);
    strs_free(&b);
    assert_int_equal(c.n, 4);
    assert_string_equal(c.s[3], "w");
    strs_split(&b, " ,, ");
    assert_int_equal(b.n, 0);
    joined = strs_join(&b, ", ");
    assert_string_equal(joined, "");
    free(joined);
    strs_free(&a);
    strs_free(&c);
    for (int i = 0; i < 1000; i++)
        strs_add(&b, "x");
    strs_free(&b);
}

static void remote_text(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t n, size;
        const char *want;
    } cases[] = {
        {"plain", 5, 100, "plain"},
        {"a\nb\tc", 5, 100, "a\\x0ab\\x09c"},
        {"\033[31m", 5, 100, "\\x1b[31m"},
        {"x\0y", 3, 100, "x\\x00y"},
        {"\x7f", 1, 100, "\\x7f"},
        {"\xc2\x9b"
         "31m",
         5, 100, "\\xc2\\x9b31m"},                            /* C1: CSI in UTF-8 */
        {"\xe2\x80\xae", 3, 100, "\\xe2\\x80\\xae"},          /* right-to-left override */
        {"\xe2\x80\xa8", 3, 100, "\\xe2\\x80\\xa8"},          /* line separator */
        {"\xff\xc0\xaf", 3, 100, "\\xff\\xc0\\xaf"},          /* overlong */
        {"\xed\xa0\x80", 3, 100, "\\xed\\xa0\\x80"},          /* surrogate */
        {"\xf4\x90\x80\x80", 4, 100, "\\xf4\\x90\\x80\\x80"}, /* beyond Unicode */
        {"\xe9\x9b", 2, 100, "\\xe9\\x9b"},                   /* cut short */
        {"電子", 6, 100, "電子"},
        {"電子", 6, 7, "電子"},
        {"電子", 6, 6, "..."},
        {"電子核", 9, 9, "電..."},
        {"abcdef", 6, 7, "abcdef"},
        {"abcdefg", 7, 7, "abc..."},
        {"abc\n\n\n", 6, 10, "abc..."},
        {"abcdefg", 7, 3, ".."},
        {"abcdefg", 7, 1, ""},
        {"", 0, 5, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *out = malloc(cases[i].size); /* its own allocation: ASan sees one octet too many */
        assert_string_equal(text_safe(out, cases[i].size, cases[i].in, cases[i].n), cases[i].want);
        free(out);
    }
}

static void nothing_harmful_comes_out(void **state)
{
    (void)state;
    srand(7);
    for (int round = 0; round < 3000; round++) {
        unsigned char in[40];
        size_t n = (size_t)rand() % sizeof(in), size = 1 + (size_t)rand() % 60;
        for (size_t i = 0; i < n; i++)
            in[i] = (unsigned char)(rand() % 3 ? rand() : 0xe2 + rand() % 3);
        char *out = malloc(size);
        text_safe(out, size, in, n);
        assert_true(strlen(out) < size);
        assert_true(text_is_utf8(out, strlen(out)));
        for (size_t at = 0, len; at < strlen(out); at += len) {
            uint32_t code;
            len = text_utf8(out + at, strlen(out) - at, &code);
            assert_true(text_harmless(code));
        }
        free(out);
    }
}

static void txt_values(void **state)
{
    (void)state;
    struct str s = STR_INIT(1000);
    text_txt(&s, "a\"b\\c\0\n電\xff", 11);
    assert_string_equal(str_text(&s), "a\\\"b\\\\c\\000\\010電\\255");
    str_free(&s);
}

static void hexadecimal(void **state)
{
    (void)state;
    char out[7];
    assert_true(hex_show(out, sizeof(out), "\x00\xab\xff", 3));
    assert_string_equal(out, "00abff");
    assert_false(hex_show(out, 6, "\x00\xab\xff", 3));
    assert_string_equal(out, "");
    assert_true(hex_show(out, 1, "", 0));
    assert_false(hex_show(out, 0, "", 0));
}

static void escapes_of_urls(void **state)
{
    (void)state;
    struct str s = STR_INIT(64);
    text_percent(&s, "aZ09-._~ +/%\0\xe9", 14);
    assert_string_equal(str_text(&s), "aZ09-._~%20%2B%2F%25%00%E9");
    str_free(&s);
}

static void distances_and_columns(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        size_t want;
    } words[] = {{"", "", 0},         {"", "abc", 3},         {"abc", "", 3},
                 {"ttl", "tll", 1},   {"server", "sever", 1}, {"kitten", "sitting", 3},
                 {"same", "same", 0}, {"naems", "names", 1},  {"stauts", "status", 1},
                 {"ca", "abc", 3}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        assert_int_equal(text_distance(words[i].a, words[i].b), words[i].want);
    char longer[200];
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(text_distance(longer, "a"), 199);
    assert_int_equal(text_columns("abc"), 3);
    assert_int_equal(text_columns("電子.hk"), 7);
    assert_int_equal(text_columns("e\u0301"), 1);
    assert_int_equal(text_columns("\xff\xff"), 2);
    assert_int_equal(text_columns(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growing_strings),           cmocka_unit_test(lists),           cmocka_unit_test(remote_text),
        cmocka_unit_test(nothing_harmful_comes_out), cmocka_unit_test(txt_values),      cmocka_unit_test(hexadecimal),
        cmocka_unit_test(distances_and_columns),     cmocka_unit_test(escapes_of_urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
