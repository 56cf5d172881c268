#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "dcv/owner.h"

static char label[] = "_acme-challenge", host[] = "cdn.example.hk", other[] = "_other";

static void test_places(void **state)
{
    struct record_at_rule rules[] = {{host, {.at = AT_APEX}}, {host, {.at = AT_LABEL, .label = other}}};
    struct conf_cert c = {.record_at = rules, .n_record_at = 2};
    struct place ca[] = {{.at = AT_NAME}, {.at = AT_LABEL, .label = label}}, out[2];

    (void)state;
    assert_int_equal(owner_places(&c, "www.example.hk", ca, 2, out), 2);
    assert_int_equal(out[0].at, AT_NAME);
    assert_int_equal(out[1].at, AT_LABEL);
    assert_int_equal(owner_places(&c, "CDN.example.hk.", ca, 1, out), 1); /* never more than the CA's */
    assert_int_equal(out[0].at, AT_APEX);
    assert_int_equal(owner_places(&c, "*.cdn.example.hk", ca, 2, out), 2);
    assert_string_equal(out[1].label, "_other");
    assert_int_equal(owner_places(NULL, "cdn.example.hk", ca, 2, out), 2);
    assert_int_equal(out[0].at, AT_NAME);
    assert_int_equal(owner_places(&c, "cdn.example.hk", ca, 0, out), 0);
}

static void test_owner(void **state)
{
    struct place name = {.at = AT_NAME}, apex = {.at = AT_APEX}, below = {.at = AT_LABEL, .label = label};
    char out[254];

    (void)state;
    assert_true(owner_of("*.www.example.hk", name, "example.hk", out, NULL));
    assert_string_equal(out, "www.example.hk");
    assert_true(owner_of("www.example.hk", apex, "example.hk", out, NULL));
    assert_string_equal(out, "example.hk");
    assert_true(owner_of("*.www.example.hk", below, "example.hk", out, NULL));
    assert_string_equal(out, "_acme-challenge.www.example.hk");
    assert_true(owner_of("www.example.hk", below, NULL, out, NULL));
}

static void test_long(void **state)
{
    struct place below = {.at = AT_LABEL, .label = label}, at = {.at = AT_NAME};
    char name[254], out[254];
    struct err e = {0};

    (void)state;
    memset(name, 'a', sizeof name);
    for (size_t i = 49; i < 253; i += 50)
        name[i] = '.';
    name[237] = '\0'; /* 16 octets more: 253 */
    assert_true(owner_of(name, below, "", out, &e));
    assert_int_equal(strlen(out), 253);
    name[237] = 'a';
    name[238] = '\0';
    assert_false(owner_of(name, below, "", out, &e));
    assert_int_equal(e.rc, RC_DELEGATION);
    assert_string_equal(e.code, "OWNER_LONG");
    assert_true(owner_of(name, at, "", out, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_places), cmocka_unit_test(test_owner), cmocka_unit_test(test_long)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
