/* Orders and authorizations of an ACME CA: where they stand, what is refused, when to ask again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ca/acme/order_json.h"
#include "ca/acme/poll.h"

static void stages(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        bool expired, sent, unproven;
        enum ca_stage stage;
    } table[] = {
        {"pending", false, false, true, CA_PROOF},      {"pending", false, false, false, CA_CHECKING},
        {"pending", true, false, true, CA_NONE},        {"ready", false, false, false, CA_CSR},
        {"ready", false, true, false, CA_CSR},          {"ready", true, false, false, CA_NONE},
        {"processing", false, true, false, CA_ISSUING}, {"processing", true, true, false, CA_ISSUING},
        {"valid", false, true, false, CA_ISSUING},      {"valid", true, true, false, CA_ISSUING},
        {"invalid", false, false, true, CA_REFUSED},    {"invalid", false, true, false, CA_REFUSED},
        {NULL, false, false, false, CA_NONE},           {NULL, false, true, false, CA_REFUSED},
        {"dreaming", false, false, false, CA_REFUSED},  {"", false, false, false, CA_REFUSED},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (order_stage(table[i].status, table[i].expired, table[i].sent, table[i].unproven) != table[i].stage)
            fail_msg("%s, row %zu", table[i].status ? table[i].status : "unknown", i);
}

static void tokens(void **state)
{
    (void)state;
    char longest[130];
    memset(longest, 'a', sizeof longest);
    longest[129] = 0;
    static const char *const bad[] = {"", "../../etc/passwd", "a/b", "a b", "a\n", "a.b", "a=", "\xe4", "a%2f"};
    assert_true(acme_token_ok("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(acme_token_ok(bad[i]));
    assert_false(acme_token_ok(longest));
    assert_true(acme_token_ok(longest + 1));
    char value[44];
    acme_dns_value("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA", "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI", value);
    assert_int_equal(strlen(value), 43);
    assert_string_equal(value, "lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM");
}

#define DNS(TOKEN, STATUS) "{\"type\":\"dns-01\",\"url\":\"https://ca.example/c/1\",\"token\":\"" TOKEN "\",\"status\":\"" STATUS "\"}"
#define AUTHZ(STATUS, NAME, MORE, CHALLENGES)                                                                                              \
    "{\"status\":\"" STATUS "\",\"expires\":\"2027-01-15T08:00:00Z\",\"identifier\":{\"type\":\"dns\",\"value\":\"" NAME "\"}" MORE        \
    ",\"challenges\":[" CHALLENGES "]}"

static void authorizations(void **state)
{
    (void)state;
    static const char names[] = "example.hk *.example.hk xn--i8s431aqn1ad1j.hk";
    static const struct {
        const char *json, *name;
        enum authz_state state;
        const char *code; /* of the fault, or of why it failed */
    } table[] = {
        {AUTHZ("pending", "example.hk", "", DNS("abc", "pending")), "example.hk", AUTHZ_OPEN, NULL},
        {AUTHZ("pending", "example.hk", ",\"wildcard\":true", DNS("abc", "pending")), "*.example.hk", AUTHZ_OPEN, NULL},
        {AUTHZ("pending", "Example.HK", ",\"wildcard\":false", DNS("abc", "processing")), "example.hk", AUTHZ_ASKED, NULL},
        {AUTHZ("valid", "xn--i8s431aqn1ad1j.hk", "", ""), "xn--i8s431aqn1ad1j.hk", AUTHZ_VALID, NULL},
        {AUTHZ("invalid", "example.hk", "",
               "{\"type\":\"dns-01\",\"error\":{\"type\":\"urn:ietf:params:acme:error:dns\",\"detail\":\"NXDOMAIN\"}}"),
         "example.hk", AUTHZ_FAILED, "CA_DNS"},
        {AUTHZ("expired", "example.hk", "", ""), "example.hk", AUTHZ_FAILED, "CA_REFUSED"},
        {AUTHZ("pending", "other.hk", "", DNS("abc", "pending")), NULL, 0, "CA_NAME"},
        {AUTHZ("pending", "xn--i8s431aqn1ad1j.hk", ",\"wildcard\":true", DNS("abc", "pending")), NULL, 0, "CA_NAME"},
        {AUTHZ("pending", "example.hk/../x", "", DNS("abc", "pending")), NULL, 0, "CA_NAME"},
        {AUTHZ("pending", "example.hk", "", DNS("../abc", "pending")), NULL, 0, "CA_TOKEN"},
        {AUTHZ("pending", "example.hk", "", DNS("a\\nb", "pending")), NULL, 0, "CA_TOKEN"},
        {AUTHZ("pending", "example.hk", "", DNS("", "pending")), NULL, 0, "CA_TOKEN"},
        {AUTHZ("pending", "example.hk", "", "{\"type\":\"http-01\",\"token\":\"x\"}"), NULL, 0, "CA_NO_DNS"},
        {AUTHZ("pending", "example.hk", "", "1, null, \"x\""), NULL, 0, "CA_NO_DNS"},
        {"{}", NULL, 0, "CA_NAME"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        json_t *j = json_loads(table[i].json, 0, NULL);
        struct authz a;
        struct err e = {0};
        assert_non_null(j);
        bool ok = authz_read(j, names, "print", &a, &e);
        if (ok != (table[i].name != NULL))
            fail_msg("row %zu: %s", i, ok ? a.name : e.text);
        if (ok) {
            assert_string_equal(a.name, table[i].name);
            assert_int_equal(a.state, table[i].state);
            assert_int_equal(a.expires, 1800000000);
            if (a.state == AUTHZ_OPEN)
                assert_string_equal(a.challenge, "https://ca.example/c/1");
            if (table[i].code)
                assert_string_equal(a.err.code, table[i].code);
        } else {
            assert_string_equal(e.code, table[i].code);
        }
        authz_clear(&a);
        json_decref(j);
    }
}

static void many_failures_in_one_error(void **state)
{
    (void)state;
    enum { MANY = 50 };
    struct err err[MANY] = {0}, e = {0};
    for (int i = 0; i < MANY; i++) {
        err_set(&err[i], RC_CA, "CA_DNS", "NXDOMAIN of number %d", i);
        err_at(&err[i], "h%d.example.hk", i);
    }
    names_err(err, 1, 3, &e);
    assert_string_equal(e.where, "h0.example.hk");
    assert_string_equal(e.text, "NXDOMAIN of number 0");
    names_err(err, 2, 3, &e);
    assert_string_equal(e.where, "2 of 3 names");
    assert_string_equal(e.text, "h0.example.hk: NXDOMAIN of number 0; h1.example.hk: NXDOMAIN of number 1");
    names_err(err, MANY, MANY, &e);
    assert_string_equal(e.where, "50 of 50 names");
    assert_string_equal(e.code, "CA_DNS");
    struct err none = {0};
    names_err(err, 0, 3, &none);
    assert_int_equal(none.rc, RC_OK);
}

static void polling(void **state)
{
    (void)state;
    enum { NOW = 1000 };
    static const int64_t steps[] = {0, 20, 40, 80, 160, 320, 640, 1280, 2560, 5000, 5000};
    struct poll p = {0};
    int64_t ms;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        assert_true(poll_next(&p, 0, NOW, &ms));
        assert_int_equal(ms, steps[i]);
    }
    assert_true(poll_next(&p, NOW + 3, NOW, &ms));
    assert_int_equal(ms, 3000);
    assert_true(poll_next(&p, NOW - 3, NOW, &ms));
    assert_int_equal(ms, 20);
    assert_false(poll_next(&p, NOW + 3600, NOW, &ms));
    assert_int_equal(ms, 3600000);
    unsigned more = 0;
    while (poll_next(&p, 0, NOW, &ms))
        assert_true(++more < 100);
    assert_int_equal(ms, POLL_LONGEST_S * 1000);
    assert_true(p.spent_ms <= POLL_PATIENCE_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stages), cmocka_unit_test(tokens), cmocka_unit_test(authorizations),
                                       cmocka_unit_test(many_failures_in_one_error), cmocka_unit_test(polling)};
    return cmocka_run_group_tests_name("acme_case", tests, NULL, NULL);
}
