/* Problem documents of a CA as errors: the table, hostile texts, subproblems by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ca/acme/problem.h"

#define URN "urn:ietf:params:acme:error:"

static json_t *json_of(const char *text)
{
    json_t *j = json_loads(text, 0, NULL);
    assert_non_null(j);
    return j;
}

static void kinds(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        enum rc rc;
        const char *code;
        bool again;
    } table[] = {
        {URN "rateLimited", RC_CA, "CA_RATE_LIMIT", true},
        {URN "badNonce", RC_CA, "CA_NONCE", true},
        {URN "caa", RC_CA, "CA_CAA", true},
        {URN "rejectedIdentifier", RC_CA, "CA_REJECTED", false},
        {URN "externalAccountRequired", RC_CONF, "EAB_NEEDED", false},
        {URN "userActionRequired", RC_CONF, "CA_TERMS", false},
        {URN "serverInternal", RC_NET, "CA_INTERNAL", true},
        {URN "unheardOf", RC_CA, "CA_PROBLEM", true},
        {"rateLimited", RC_CA, "CA_PROBLEM", true},
        {"about:blank", RC_CA, "CA_PROBLEM", true},
        {"", RC_CA, "CA_PROBLEM", true},
        {NULL, RC_CA, "CA_PROBLEM", true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct problem_kind *k = problem_kind(table[i].type);
        assert_int_equal(k->rc, table[i].rc);
        assert_string_equal(k->code, table[i].code);
        assert_int_equal(k->again, table[i].again);
    }
    for (const struct problem_kind *k = problem_kinds; k->type; k++) {
        assert_non_null(k->code);
        assert_non_null(k->advice);
        if (k != problem_kinds)
            assert_true(strcmp(k[-1].type, k->type) < 0);
    }
}

static void texts(void **state)
{
    (void)state;
    static const struct {
        const char *doc;
        long status;
        enum rc rc;
        const char *text;
    } table[] = {
        {"{\"type\":\"" URN "badCSR\",\"detail\":\"no names\"}", 400, RC_CA,
         "the CA refused the CSR (400): no names; compare key_type and names with what the CA issues"},
        {"{\"type\":\"" URN "userActionRequired\",\"detail\":\"new terms\",\"instance\":\"https://ca.example/terms\"}", 403, RC_CONF,
         "the CA refused the CSR (403): new terms; agree to the terms there, then run again: https://ca.example/terms"},
        {"{\"type\":\"urn:x:strange\",\"detail\":\"hm\"}", 400, RC_CA, "the CA refused the CSR (400): hm (urn:x:strange)"},
        {"{\"title\":\"only a title\"}", 502, RC_NET, "the CA refused the CSR (502): only a title"},
        {"{}", 400, RC_CA, "the CA refused the CSR (400): no reason given"},
        {"{\"type\":7,\"detail\":[1]}", 400, RC_CA, "the CA refused the CSR (400): no reason given"},
        {"{\"type\":\"" URN "dns\",\"detail\":\"a\\u001b[31mred\\nline\"}", 400, RC_CA,
         "the CA refused the CSR (400): a\\x1b[31mred\\x0aline; the CA could not look up the record: see dcvagent check"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        json_t *j = json_of(table[i].doc);
        struct problem p = {0};
        struct err e = {0};
        problem_read(&p, j);
        problem_err(&p, "the CSR", table[i].status, &e);
        assert_int_equal(e.rc, table[i].rc);
        assert_string_equal(e.text, table[i].text);
        json_decref(j);
    }
}

static void a_huge_text_is_cut(void **state)
{
    (void)state;
    char detail[5000];
    memset(detail, 'x', sizeof detail);
    detail[sizeof detail - 1] = 0;
    json_t *j = json_pack("{s:s, s:s}", "type", detail, "detail", detail);
    struct problem p = {0};
    struct err e = {0};
    problem_read(&p, j);
    problem_err(&p, "the order", 400, &e);
    assert_true(strlen(e.text) < sizeof e.text);
    assert_string_equal(e.code, "CA_PROBLEM");
    json_decref(j);
}

static void subproblems_have_names(void **state)
{
    (void)state;
    json_t *j =
        json_of("{\"type\":\"" URN "malformed\",\"detail\":\"some\",\"subproblems\":["
                "{\"type\":\"" URN
                "rejectedIdentifier\",\"detail\":\"forbidden by policy\",\"identifier\":{\"type\":\"dns\",\"value\":\"A.Example.hk\"}},"
                "{\"type\":\"" URN "caa\",\"detail\":\"no identifier\"},"
                "17,"
                "{\"type\":\"" URN "caa\",\"detail\":\"caa\",\"identifier\":{\"type\":\"dns\",\"value\":\"../../etc\"}},"
                "{\"type\":\"" URN "caa\",\"detail\":\"CAA of b\",\"identifier\":{\"type\":\"dns\",\"value\":\"*.b.example.hk\"}}]}");
    char name[NAME_SIZE + 2];
    struct err e = {0};
    size_t at = 0;
    assert_true(problem_sub(j, &at, name, &e));
    assert_string_equal(name, "a.example.hk");
    assert_string_equal(e.code, "CA_REJECTED");
    assert_string_equal(e.where, "a.example.hk");
    assert_string_equal(e.text, "forbidden by policy; the CA issues nothing for this name");
    assert_true(problem_sub(j, &at, name, &e));
    assert_string_equal(name, "*.b.example.hk");
    assert_true(e.again);
    assert_false(problem_sub(j, &at, name, &e));
    json_decref(j);
    j = json_of("{\"subproblems\":{\"a\":1}}");
    at = 0;
    assert_false(problem_sub(j, &at, name, &e));
    json_decref(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kinds), cmocka_unit_test(texts), cmocka_unit_test(a_huge_text_is_cut),
                                       cmocka_unit_test(subproblems_have_names)};
    return cmocka_run_group_tests_name("acme_problem", tests, NULL, NULL);
}
