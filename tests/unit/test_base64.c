/* Base64 in both alphabets, RFC 4648 10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/base64.h"

static void both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *octets, *text, *plain;
    } table[] = {{"", "", ""},
                 {"f", "Zg", "Zg=="},
                 {"fo", "Zm8", "Zm8="},
                 {"foo", "Zm9v", "Zm9v"},
                 {"foob", "Zm9vYg", "Zm9vYg=="},
                 {"fooba", "Zm9vYmE", "Zm9vYmE="},
                 {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
                 {"\xfb\xff\xfe", "-__-", "+//+"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct str out = STR_INIT(64);
        struct secret back = {0};
        b64url_put(&out, table[i].octets, strlen(table[i].octets));
        assert_string_equal(str_text(&out), table[i].text);
        assert_int_equal(b64url_read(table[i].text, strlen(table[i].text), &back), i > 0);
        if (i > 0)
            assert_string_equal((const char *)back.p, table[i].octets);
        secret_free(&back);
        str_free(&out);
        b64_put(&out, table[i].octets, strlen(table[i].octets));
        assert_string_equal(str_text(&out), table[i].plain);
        str_free(&out);
    }
    struct secret s = {0};
    assert_true(b64url_read("+//+", 4, &s));
    assert_memory_equal(s.p, "\xfb\xff\xfe", 3);
    assert_true(b64url_read("Zg==", 4, &s));
    assert_int_equal(s.n, 1);
    static const char *const bad[] = {"Z", "Zm9vY", "Zm 9", "Z\ng=", "Zm9v====", "=", "Zm.9"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(b64url_read(bad[i], strlen(bad[i]), &s));
    assert_false(b64url_read("Zm\0v", 4, &s));
    secret_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
    };
    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
