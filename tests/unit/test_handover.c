/* What a person hands over to a manual CA, and what the case makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ca/handover.h"

static struct saved_order order;
static struct ca_case k;

static int setup(void **state)
{
    (void)state;
    memset(&order, 0, sizeof order);
    memset(&k, 0, sizeof k);
    order.cert = mem_str("shop");
    order.names = mem_str("*.example.hk example.hk www.example.hk");
    order.handle = mem_str("{}");
    order.reference = mem_str("");
    k.o = &order;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ca_case_clear(&k);
    saved_order_clear(&order);
    return 0;
}

static bool hand(const char *kind, const char *host, const char *text, struct err *e)
{
    struct inbox_row row = {.at = 1000, .cert = "shop", .kind = kind, .host = host, .text = {(const uint8_t *)text, strlen(text)}};
    return handover_take(&k, &row, e);
}

static bool proofs(int64_t now, bool *expired)
{
    json_t *h = handover_load(&order);
    *expired = false;
    bool all = handover_proofs(h, &k, 30 * DAY, now, expired);
    json_decref(h);
    return all;
}

static void codes_are_trimmed_and_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value, *code;
    } table[] = {
        {"abc", "abc", NULL},
        {"  \"a b=c\"\r\n", "a b=c", NULL},
        {"'x'", "x", NULL},
        {"_dv=\\\"1\\\";q", "_dv=\\\"1\\\";q", NULL},
        {"", NULL, "CODE_EMPTY"},
        {" \"\" \n", NULL, "CODE_EMPTY"},
        {"a\nb", NULL, "CODE_CHARACTERS"},
        {"a\tb", NULL, "CODE_CHARACTERS"},
        {"\xe4\xb8\xad", NULL, "CODE_CHARACTERS"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct err e = {0};
        bool ok = hand("code", "", table[i].text, &e);
        if (table[i].code) {
            assert_false(ok);
            assert_string_equal(e.code, table[i].code);
            assert_int_equal(e.rc, RC_USAGE);
            continue;
        }
        bool expired;
        assert_true(ok);
        assert_true(proofs(2000, &expired));
        assert_string_equal(ca_case_proof(&k, "www.example.hk")->value, table[i].value);
    }
    char *longer = mem_new(300);
    memset(longer, 'x', 256);
    struct err e = {0};
    assert_false(hand("code", "", longer, &e));
    assert_string_equal(e.code, "CODE_LONG");
    free(longer);
}

static void nul_in_a_code(void **state)
{
    (void)state;
    struct err e = {0};
    struct inbox_row row = {.cert = "shop", .kind = "code", .host = "", .text = {(const uint8_t *)"a\0b", 3}};
    assert_false(handover_take(&k, &row, &e));
    assert_string_equal(e.code, "CODE_CHARACTERS");
}

static void one_code_a_name(void **state)
{
    (void)state;
    struct err e = {0};
    bool expired;
    assert_true(hand("code", "example.hk", "one", &e));
    assert_false(proofs(2000, &expired));
    assert_false(expired);
    assert_true(hand("code", "www.example.hk", "two", &e));
    assert_true(proofs(2000, &expired));
    assert_int_equal(k.n_proof, 2); /* the wildcard shares its base's */
    assert_string_equal(ca_case_proof(&k, "example.hk")->value, "one");
    assert_string_equal(ca_case_proof(&k, "www.example.hk")->value, "two");
    assert_false(hand("code", "other.example.hk", "three", &e));
    assert_string_equal(e.code, "CODE_NAME");
}

static void a_common_code_replaces_single_ones(void **state)
{
    (void)state;
    struct err e = {0};
    bool expired;
    assert_true(hand("code", "example.hk", "one", &e));
    assert_true(hand("code", "", "all", &e));
    assert_true(proofs(2000, &expired));
    assert_string_equal(ca_case_proof(&k, "example.hk")->value, "all");
}

static void a_code_expires(void **state)
{
    (void)state;
    struct err e = {0};
    bool expired;
    assert_true(hand("code", "", "all", &e));
    assert_true(proofs(1000 + 30 * DAY - 1, &expired));
    assert_int_equal(k.proof[0].expires, 1000 + 30 * DAY);
    assert_false(proofs(1000 + 30 * DAY, &expired));
    assert_true(expired);
}

/* Of codes handed over on different days the first to run out is the one to be reminded of. */
static void the_first_deadline(void **state)
{
    (void)state;
    struct err e = {0};
    bool expired;
    struct inbox_row older = {
        .at = 2000, .cert = "shop", .kind = "code", .host = "www.example.hk", .text = {(const uint8_t *)"two", 3}, .received = 500};
    assert_int_equal(handover_deadline(&k), 0);
    assert_true(hand("code", "example.hk", "one", &e));
    assert_true(handover_take(&k, &older, &e));
    assert_true(proofs(3000, &expired));
    assert_int_equal(k.proof[0].expires, 1000 + 30 * DAY);
    assert_int_equal(handover_deadline(&k), 500 + 30 * DAY);
}

static void a_new_code_takes_back_the_confirmation(void **state)
{
    (void)state;
    struct err e = {0};
    assert_true(hand("code", "", "all", &e));
    assert_true(hand("confirmed", "", "", &e));
    json_t *h = handover_load(&order);
    assert_true(json_num(h, "confirmed"));
    json_decref(h);
    assert_true(hand("failed", "", "NXDOMAIN\x1b[31m", &e));
    h = handover_load(&order);
    assert_false(json_num(h, "confirmed"));
    assert_null(strchr(json_str(json_object_get(h, "failed"), "text"), 0x1b));
    json_decref(h);
    assert_true(hand("code", "", "new", &e));
    h = handover_load(&order);
    assert_null(json_object_get(h, "failed"));
    json_decref(h);
}

static void a_reference_number(void **state)
{
    (void)state;
    struct err e = {0};
    assert_true(hand("pin", "", "123456789", &e));
    assert_string_equal(order.reference, "123456789");
    assert_false(hand("sing", "", "", &e));
    assert_int_equal(e.rc, RC_BUG);
}

static void a_handle_that_is_no_json(void **state)
{
    (void)state;
    struct err e = {0};
    free(order.handle);
    order.handle = mem_str("[1,");
    assert_true(hand("code", "", "all", &e));
    bool expired;
    assert_true(proofs(2000, &expired));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(codes_are_trimmed_and_refused),          T(nul_in_a_code),      T(one_code_a_name),
                                       T(a_common_code_replaces_single_ones),     T(the_first_deadline), T(a_code_expires),
                                       T(a_new_code_takes_back_the_confirmation), T(a_reference_number), T(a_handle_that_is_no_json)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
