#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/json.h"

static void is_line(json_t *j, const char *want)
{
    char *line = json_line(j);
    assert_string_equal(line, want);
    free(line);
}

static json_t *txt(const char *p, size_t n)
{
    return json_txt((struct bytes){(const uint8_t *)p, n});
}

static void values(void **state)
{
    (void)state;
    is_line(json_time(0), "null");
    is_line(json_time(1811721600), "\"2027-05-31T00:00:00Z\"");
    is_line(json_text(NULL), "null");
    is_line(json_text(""), "\"\"");
    is_line(json_text("電子 \"x\" \\"), "\"電子 \\\"x\\\" \\\\\"");
    is_line(json_text("a\xff"), "\"a\\\\xff\"");
    is_line(txt(NULL, 0), "\"\"");
    is_line(txt("a\"b", 3), "\"a\\\"b\"");
    is_line(txt("a\0b", 3), "\"a\\u0000b\"");
    is_line(txt("a\xff\\", 3), "\"a\\\\255\\\\\\\\\"");
    struct strs l = {0};
    is_line(json_strs(&l), "[]");
    strs_split(&l, "a b");
    is_line(json_strs(&l), "[\"a\",\"b\"]");
    strs_free(&l);
}

static void no_controls_come_out(void **state)
{
    (void)state;
    static const char in[] = "\x7f\xc2\x9b\xe2\x80\xae\xe2\x80\xa8\n\033\xf3\xa0\x80\x81";
    char *line = json_line(json_text(in));
    for (const char *p = line; *p; p++)
        assert_in_range(*p, ' ', '~');
    json_t *back = json_loads(line, JSON_DECODE_ANY, NULL); /* and it is the same value */
    assert_string_equal(json_string_value(back), in);
    json_decref(back);
    free(line);
}

static void keys_in_order(void **state)
{
    (void)state;
    json_t *j = json_object();
    json_object_set_new(j, "version", json_integer(1));
    json_object_set_new(j, "ok", json_true());
    json_object_set_new(j, "a", json_null());
    is_line(j, "{\"version\":1,\"ok\":true,\"a\":null}");
}

static void lookups(void **state)
{
    (void)state;
    json_t *j = json_loads("{\"s\":\"x\",\"n\":7,\"big\":9007199254740993,\"r\":1.5,\"z\":null}", 0, NULL);
    assert_string_equal(json_str(j, "s"), "x");
    assert_string_equal(json_str(j, "n"), "");
    assert_string_equal(json_str(j, "none"), "");
    assert_string_equal(json_str(NULL, "s"), "");
    assert_int_equal(json_num(j, "n"), 7);
    assert_true(json_num(j, "big") == 9007199254740993);
    assert_int_equal(json_num(j, "s"), 0);
    assert_int_equal(json_num(j, "z"), 0);
    assert_int_equal(json_num(NULL, "n"), 0);
    json_decref(j);
}

struct listed {
    const char *item[3];
};

static json_t *listed(void *arg, size_t i)
{
    const struct listed *l = arg;
    return json_pack("{s:s, s:[i, i], s:[]}", "text", l->item[i], "numbers", 1, (int)i, "none");
}

/* What `print` writes to stdout. */
static char *printed(void (*print)(void *arg), void *arg)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stdout);
    int out = dup(STDOUT_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    print(arg);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    close(out);
    rewind(file);
    char *text = calloc(1, 4096);
    assert_in_range(fread(text, 1, 4095, file), 1, 4095);
    fclose(file);
    return text;
}

static json_t *head(void)
{
    return json_pack("{s:i, s:b}", "version", 1, "ok", 1);
}

static void print_whole(void *arg)
{
    json_t *j = head(), *list = json_array();
    for (size_t i = 0; arg && i < 3; i++)
        json_array_append_new(list, listed(arg, i));
    json_object_set_new(j, "checks", list);
    json_print(j);
}

static void print_one_by_one(void *arg)
{
    json_print_list(head(), "checks", listed, arg, arg ? 3 : 0);
}

static void a_list_looks_as_if_printed_whole(void **state)
{
    (void)state;
    struct listed l = {{"電子 \n line", "\xc2\x9b", ""}};
    void *const args[] = {&l, NULL};
    for (size_t i = 0; i < 2; i++) {
        char *whole = printed(print_whole, args[i]), *parts = printed(print_one_by_one, args[i]);
        assert_string_equal(parts, whole);
        free(whole);
        free(parts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values), cmocka_unit_test(no_controls_come_out), cmocka_unit_test(keys_in_order),
                                       cmocka_unit_test(lookups), cmocka_unit_test(a_list_looks_as_if_printed_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
