/* Verdicts of single answers, built by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dcv/visible.h"
#include "net/dnsx.h"

#define WIRE(text)                                                                                                                         \
    {                                                                                                                                      \
        (const uint8_t *)(text), sizeof(text) - 1                                                                                          \
    }

static const struct bytes value = WIRE("code");
/* SOA a. b. serial 7 ... minimum 60 */
#define SOA "\1a\0\1b\0\0\0\0\7\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\x3c"

struct verdict_case {
    const char *what;
    uint8_t rcode;
    bool aa, authority;
    struct dns_rr rr[4];
    enum verdict want;
    uint32_t ttl, negative;
};

static const struct verdict_case cases[] = {
    {"match", 0, true, true, {{"www.x.hk", TYPE_TXT, SECTION_ANSWER, 300, WIRE("\4code")}}, V_MATCH, 300, 0},
    {"match in two strings", 0, true, true, {{"www.x.hk", TYPE_TXT, SECTION_ANSWER, 300, WIRE("\2co\2de")}}, V_MATCH, 300, 0},
    {"match, owner in capitals", 0, true, true, {{"WWW.x.hk", TYPE_TXT, SECTION_ANSWER, 300, WIRE("\4code")}}, V_MATCH, 300, 0},
    {"match beside others",
     0,
     true,
     true,
     {{"www.x.hk", TYPE_TXT, SECTION_ANSWER, 300, WIRE("\5other")}, {"www.x.hk", TYPE_TXT, SECTION_ANSWER, 300, WIRE("\4code")}},
     V_MATCH,
     300,
     0},
    {"a prefix is not the value", 0, true, true, {{"www.x.hk", TYPE_TXT, SECTION_ANSWER, 300, WIRE("\3cod")}}, V_OTHER, 300, 0},
    {"contained is not the value", 0, true, true, {{"www.x.hk", TYPE_TXT, SECTION_ANSWER, 300, WIRE("\6xcodex")}}, V_OTHER, 300, 0},
    {"case matters in values", 0, true, true, {{"www.x.hk", TYPE_TXT, SECTION_ANSWER, 300, WIRE("\4CODE")}}, V_OTHER, 300, 0},
    {"malformed TXT", 0, true, true, {{"www.x.hk", TYPE_TXT, SECTION_ANSWER, 300, WIRE("\7code")}}, V_OTHER, 300, 0},
    {"another owner's TXT does not count",
     0,
     true,
     true,
     {{"evil.x.hk", TYPE_TXT, SECTION_ANSWER, 300, WIRE("\4code")}, {"x.hk", TYPE_SOA, SECTION_AUTHORITY, 900, WIRE(SOA)}},
     V_ABSENT,
     0,
     60},
    {"TXT in another section does not count",
     0,
     true,
     true,
     {{"www.x.hk", TYPE_TXT, SECTION_ADDITIONAL, 300, WIRE("\4code")}},
     V_ABSENT,
     0,
     0},
    {"nodata, negative TTL is the smaller one", 0, true, true, {{"x.hk", TYPE_SOA, SECTION_AUTHORITY, 20, WIRE(SOA)}}, V_ABSENT, 0, 20},
    {"nxdomain", 3, true, true, {{"x.hk", TYPE_SOA, SECTION_AUTHORITY, 900, WIRE(SOA)}}, V_NXDOMAIN, 0, 60},
    {"nxdomain of a resolver", 3, false, false, {{"x.hk", TYPE_SOA, SECTION_AUTHORITY, 7, WIRE(SOA)}}, V_NXDOMAIN, 0, 7},
    {"nxdomain without authority", 3, false, true, {{0}}, V_LAME, 0, 0},
    {"no authority: a resolver poses as one", 0, false, true, {{"www.x.hk", TYPE_TXT, SECTION_ANSWER, 300, WIRE("\4code")}}, V_LAME, 0, 0},
    {"the same from a resolver", 0, false, false, {{"www.x.hk", TYPE_TXT, SECTION_ANSWER, 300, WIRE("\4code")}}, V_MATCH, 300, 0},
    {"servfail", 2, false, true, {{0}}, V_SERVFAIL, 0, 0},
    {"formerr", 1, false, true, {{0}}, V_SERVFAIL, 0, 0},
    {"refused", 5, false, true, {{0}}, V_REFUSED, 0, 0},
    {"notauth", 9, false, true, {{0}}, V_REFUSED, 0, 0},
    {"resolver follows a CNAME",
     0,
     false,
     false,
     {{"www.x.hk", TYPE_CNAME, SECTION_ANSWER, 60, WIRE("\1t\1x\2hk\0")}, {"t.x.hk", TYPE_TXT, SECTION_ANSWER, 30, WIRE("\4code")}},
     V_MATCH,
     30,
     0},
    {"authority does not",
     0,
     true,
     true,
     {{"www.x.hk", TYPE_CNAME, SECTION_ANSWER, 60, WIRE("\1t\1x\2hk\0")}, {"t.x.hk", TYPE_TXT, SECTION_ANSWER, 30, WIRE("\4code")}},
     V_ABSENT,
     0,
     0},
    {"CNAME loop ends",
     0,
     false,
     false,
     {{"www.x.hk", TYPE_CNAME, SECTION_ANSWER, 60, WIRE("\1t\1x\2hk\0")},
      {"t.x.hk", TYPE_CNAME, SECTION_ANSWER, 60, WIRE("\3www\1x\2hk\0")}},
     V_ABSENT,
     0,
     0},
};

static void test_verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct verdict_case *c = &cases[i];
        struct dns_reply r = {.rcode = c->rcode, .aa = c->aa, .rr = c->rr};
        uint32_t ttl = 99, negative = 99;
        enum verdict v;

        while (r.n < 4 && c->rr[r.n].owner)
            r.n++;
        v = verdict_of(&r, "www.x.hk", value, c->authority, &ttl, &negative);
        if (v != c->want || ttl != c->ttl || negative != c->negative)
            fail_msg("%s: %s ttl %u negative %u", c->what, verdict_words[v], ttl, negative);
    }
}

static void test_empty_value(void **state)
{
    struct dns_rr rr = {"x.hk", TYPE_TXT, SECTION_ANSWER, 5, WIRE("\0")};
    struct dns_reply r = {.aa = true, .n = 1, .rr = &rr};
    uint32_t ttl, negative;

    (void)state;
    assert_int_equal(verdict_of(&r, "x.hk", (struct bytes){NULL, 0}, true, &ttl, &negative), V_MATCH);
}

static void test_answers(void **state)
{
    static const enum answer want[VERDICTS] = {[V_MATCH] = SEEN,
                                               [V_ABSENT] = NOT_THERE,
                                               [V_OTHER] = NOT_THERE,
                                               [V_NXDOMAIN] = NOT_THERE,
                                               [V_BOGUS] = NOT_THERE,
                                               [V_SERVFAIL] = COULD_NOT_ASK,
                                               [V_REFUSED] = COULD_NOT_ASK,
                                               [V_LAME] = COULD_NOT_ASK,
                                               [V_UNREACHABLE] = COULD_NOT_ASK,
                                               [V_NOT_ASKED] = COULD_NOT_ASK};

    (void)state;
    for (int v = 0; v < VERDICTS; v++) {
        assert_int_equal(verdict_answer((enum verdict)v), want[v]);
        assert_non_null(verdict_words[v]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_verdicts), cmocka_unit_test(test_empty_value), cmocka_unit_test(test_answers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
