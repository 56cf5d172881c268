/* Description files: where they are found, what is read, which faults with which line, and that nothing in them goes unnoticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/describe.h"
#include "conf_tools.h"

static struct description *of(const char *text)
{
    return describe_text("t.ini", text, strlen(text));
}

/* "LINE: SECTION: KEY: TEXT" of each fault, one a line. */
static char *faults(const struct description *d)
{
    struct str s = STR_INIT(1 << 20);

    for (size_t i = 0; i < d->n_fault; i++) {
        conf_fault_show(&d->fault[i], &s);
        str_add(&s, "\n");
    }
    return str_take(&s);
}

static void expect(const struct description *d, const char *wanted)
{
    char *got = faults(d);

    assert_string_equal(got, wanted);
    free(got);
}

static void test_parts(void **state)
{
    (void)state;
    struct description *d =
        of("[provider]\nsummary = one ; two\n[key token_file]\ntype = secret\nhelp = a\n   b\n[key]\n[key zone_id]\ntype=text\n");
    const struct describe_part *p;

    expect(d, "");
    assert_int_equal(d->n, 4);
    p = describe_first(d, "provider");
    assert_string_equal(describe_value(p, "summary"), "one");
    assert_null(describe_value(p, "nothing"));
    p = describe_part(d, "key", "token_file");
    assert_string_equal(describe_value(p, "help"), "a b");
    assert_int_equal(describe_key(p, "help")->line, 5);
    assert_ptr_equal(describe_first(d, "key"), p);
    assert_string_equal(describe_part(d, "key", "")->name, "");
    assert_null(describe_part(d, "key", "other"));
    assert_null(describe_first(d, "other"));
    assert_null(describe_key(NULL, "x"));
    assert_null(describe_value(NULL, "x"));
    describe_free(d);
    describe_free(NULL);
}

static void test_twice(void **state)
{
    (void)state;
    struct description *d = of("[a]\nx = 1\nx = 2\n[b one]\n[b one]\n");

    assert_int_equal(d->n_fault, 2);
    assert_int_equal(d->fault[0].line + d->fault[1].line, 3 + 5);
    assert_string_equal(describe_value(describe_first(d, "a"), "x"), "1");
    describe_free(d);
}

static void test_next(void **state)
{
    (void)state;
    struct description *d = of("[a]\nfield.one = 1\nother = x\nfield. = none\nfield.two = 2\nfield = no\n");
    const struct describe_part *p = describe_first(d, "a");
    size_t at = 0;

    assert_string_equal(describe_next(p, "field.", &at)->name, "field.one");
    assert_string_equal(describe_next(p, "field.", &at)->value, "2");
    assert_null(describe_next(p, "field.", &at));
    assert_null(describe_next(NULL, "field.", &at));
    describe_unused(d, (const char *const[]){"a", NULL});
    expect(d, "t.ini:3: a: other: no such key here\nt.ini:4: a: field.: no such key here\nt.ini:6: a: field: no such key here\n");
    describe_free(d);
}

static void test_values(void **state)
{
    (void)state;
    struct description *d = of("[a]\nw = two\nbad = four\ny = yes\nn = no\nmaybe = perhaps\nnum = 7\nbig = 99999999999999999999\nneg = -1\n"
                               "time = 10m\nsec = 90\ntext = 5x\n");
    const struct describe_part *p = describe_first(d, "a");

    assert_int_equal(describe_word(d, p, "w", "one|two|three", 0), 1);
    assert_int_equal(describe_word(d, p, "bad", "one|two", 0), -1);
    assert_int_equal(describe_word(d, p, "none", "one|two", 1), 1);
    assert_true(describe_yes(d, p, "y", false));
    assert_false(describe_yes(d, p, "n", true));
    assert_true(describe_yes(d, p, "none", true));
    assert_false(describe_yes(d, p, "maybe", true));
    assert_int_equal(describe_number(d, p, "num", false, 0, 10, 1), 7);
    assert_int_equal(describe_number(d, p, "num", false, 8, 10, 9), 9);
    assert_int_equal(describe_number(d, p, "big", false, 0, 10, 3), 3);
    assert_int_equal(describe_number(d, p, "neg", false, -5, 10, 3), 3);
    assert_int_equal(describe_number(d, p, "time", true, 1, 3600, 5), 600);
    assert_int_equal(describe_number(d, p, "time", false, 1, 3600, 5), 5);
    assert_int_equal(describe_number(d, p, "sec", true, 1, 3600, 5), 90);
    assert_int_equal(describe_number(d, p, "text", true, -5, 3600, 5), 5);
    assert_int_equal(describe_number(d, p, "none", true, 1, 3600, 42), 42);
    expect(d, "t.ini:3: a: bad: \"four\"; allowed: one|two\n"
              "t.ini:6: a: maybe: \"perhaps\"; allowed: no|yes\n"
              "t.ini:7: a: num: \"7\"; allowed: 8 to 10\n"
              "t.ini:8: a: big: \"99999999999999999999\"; allowed: 0 to 10\n"
              "t.ini:9: a: neg: \"-1\"; allowed: -5 to 10\n"
              "t.ini:10: a: time: \"10m\"; allowed: 1 to 3600\n"
              "t.ini:12: a: text: \"5x\"; allowed: -5 to 3600 s, or 90s 10m 24h 30d\n");
    describe_unused(d, (const char *const[]){"a", NULL});
    assert_int_equal(d->n_fault, 7);
    describe_free(d);
}

static void test_unused(void **state)
{
    (void)state;
    struct description *d = of("[provider]\nsumary = x\n[provder]\nx = 1\n[wholly different]\n");

    describe_value(describe_first(d, "provider"), "summary");
    describe_unused(d, (const char *const[]){"provider", "key", NULL});
    expect(d, "t.ini:2: provider: sumary: no such key here, did you mean summary?\n"
              "t.ini:3: provder: no such section, did you mean provider?; there are [provider] [key]\n"
              "t.ini:5: wholly different: no such section; there are [provider] [key]\n");
    describe_free(d);
}

static void test_own_faults(void **state)
{
    (void)state;
    struct description *d = of("[a b]\nx = 1\n");
    const struct describe_part *p = describe_first(d, "a");

    describe_fault(d, p, describe_key(p, "x"), "key \033[31m%d", 1);
    describe_fault(d, p, NULL, "part");
    describe_fault(d, NULL, NULL, "whole");
    expect(d, "t.ini:2: a b: x: key \\x1b[31m1\nt.ini:1: a b: part\nt.ini: whole\n");
    for (int i = 0; i < 2000; i++)
        describe_fault(d, NULL, NULL, "again");
    assert_int_equal(d->n_fault, 1000);
    assert_int_equal(d->fault[0].rc, RC_CONF);
    assert_false(d->fault[0].fatal);
    describe_free(d);
}

static void test_syntax(void **state)
{
    (void)state;
    static const char *const bad[] = {"x = 1\n", "[a\nx = 1\n", "[a]\nno equals\n", "[]\n", "[a]\nx = \xff\n", "[a]\n= 1\n"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct description *d = of(bad[i]);

        if (d->n_fault == 0)
            fail_msg("no fault in %s", bad[i]);
        describe_free(d);
    }
    struct description *d = describe_text("nul.ini", "[a]\nx = a\0b\n", 12);
    assert_true(d->n_fault > 0);
    describe_free(d);
    d = of("");
    assert_int_equal(d->n + d->n_fault, 0);
    describe_free(d);
}

static void folder(const char *name)
{
    char *path = conf_path_of(name);

    mkdir(path, 0755);
    free(path);
}

static void test_found(void **state)
{
    (void)state;
    static const char *const none[] = {
        "../x", "x/y", "", ".", "X", "a b", "x.ini", "a_b", "\xe4", "a12345678901234567890123456789012345678901234567890123456789012345"};
    char *first = conf_path_of("one"), *second = conf_path_of("two"), out[512];
    struct strs path = {0}, names = {0};

    folder("one");
    folder("one/providers");
    folder("two");
    folder("two/providers");
    strs_add(&path, first);
    strs_add(&path, second);
    conf_put_text("x.ini", 0644, "");
    conf_put_text("one/x.ini", 0644, "");
    conf_put_text("two/providers/x.ini", 0644, "");
    conf_put_text("two/providers/test-z9.ini", 0644, "");
    conf_put_text("two/providers/Bad.ini", 0644, "");
    conf_put_text("one/providers/test-b.ini", 0644, "");
    conf_put_text("one/providers/test-z9.ini", 0644, "");
    assert_true(describe_find(&path, "providers", "x", out, sizeof out));
    assert_non_null(strstr(out, "/two/providers/x.ini"));
    assert_true(describe_find(&path, "providers", "test-z9", out, sizeof out));
    assert_non_null(strstr(out, "/one/providers/test-z9.ini"));
    assert_false(describe_find(&path, "ca", "x", out, sizeof out));
    assert_non_null(strstr(out, first));
    assert_non_null(strstr(out, second));
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(describe_find(&path, "providers", none[i], out, sizeof out));

    strs_add(&names, "test-b");
    describe_list(&path, "providers", &names);
    assert_string_equal(names.s[0], "test-b");
    assert_true(strs_has(&names, "x") && strs_has(&names, "test-z9") && !strs_has(&names, "Bad"));
    for (size_t i = 2; i < names.n; i++)
        assert_true(strcmp(names.s[i - 1], names.s[i]) < 0);
    strs_free(&names);
    strs_free(&path);
    free(first);
    free(second);
}

static struct description *read_it(const char *name)
{
    char *path = conf_path_of(name);
    struct description *d = describe_read(path);

    assert_string_equal(d->file, path);
    free(path);
    return d;
}

static void test_files(void **state)
{
    (void)state;
    size_t n = (1 << 20) + 1;
    char *big = mem_new(n);
    struct description *d;

    conf_put_text("good.ini", 0644, "[a]\nx = 1\n");
    d = read_it("good.ini");
    assert_int_equal(d->n_fault, 0);
    assert_string_equal(describe_value(describe_first(d, "a"), "x"), "1");
    describe_free(d);
    conf_put_text("loose.ini", 0666, "[a]\nx = 1\n");
    d = read_it("loose.ini");
    assert_int_equal(d->n_fault, 1);
    assert_int_equal(d->fault[0].rc, RC_PERM);
    assert_int_equal(d->fault[0].line, 0);
    assert_int_equal(d->n, 0); /* nothing of it is believed */
    describe_free(d);
    d = read_it("not there.ini");
    assert_int_equal(d->n_fault, 1);
    assert_int_equal(d->fault[0].rc, RC_CONF);
    describe_free(d);
    d = read_it("conf.d");
    assert_int_equal(d->n_fault, 1);
    describe_free(d);
    memset(big, '\n', n);
    conf_write_file("big.ini", 0644, big, n - 1);
    d = read_it("big.ini");
    assert_int_equal(d->n_fault, 0);
    describe_free(d);
    conf_write_file("big.ini", 0644, big, n);
    d = read_it("big.ini");
    assert_int_equal(d->n_fault, 1);
    assert_int_equal(d->fault[0].rc, RC_CONF);
    describe_free(d);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts),  cmocka_unit_test(test_twice),  cmocka_unit_test(test_next),
                                       cmocka_unit_test(test_values), cmocka_unit_test(test_unused), cmocka_unit_test(test_own_faults),
                                       cmocka_unit_test(test_syntax), cmocka_unit_test(test_found),  cmocka_unit_test(test_files)};

    return cmocka_run_group_tests(tests, conf_setup, conf_teardown);
}
