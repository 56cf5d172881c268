#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "net/update.h"
#include "tsig_tools.h"

enum { NOW = 1700000000, ID = 0xbeef };
static const uint8_t secret[] = "sixteen octets !";

static struct tsig_key key = {.name = "k", .alg = TSIG_SHA256, .secret = {(uint8_t *)(uintptr_t)secret, 16}};

static struct record txt(const char *owner, const void *p, size_t n)
{
    return (struct record){.owner = owner, .type = TYPE_TXT, .ttl = 300, .value = {p, n}};
}

/* The whole message, octet by octet. */
static void test_build(void **state)
{
    (void)state;
    static const uint8_t want[] = {0xbe, 0xef, 0x28, 0,   0,   1, 0, 0,  0, 3,   0, 0, 2, 'h', 'k', 0, 0, 6,   0, 1, /* zone hk SOA IN */
                                   1,    'a',  2,    'h', 'k', 0, 0, 16, 0, 1,   0, 0, 1, 44,  0,   3, 2, 'x', 0,    /* add "x\0" */
                                   1,    'a',  2,    'h', 'k', 0, 0, 16, 0, 254, 0, 0, 0, 0,   0,   1, 0,            /* delete "" */
                                   1,    'c',  2,    'h', 'k', 0, 0, 5,  0, 1,   0, 0, 1, 44,  0,   5, 1, 'b', 1, 'c',
                                   0}; /* add CNAME b.c */
    struct update u;
    struct record add = txt("a.hk", "x\0", 2), del = txt("a.hk", "", 0), cname = txt("c.hk", "b.c", 3);
    cname.type = TYPE_CNAME;
    update_begin(&u, "hk");
    assert_true(update_change(&u, true, &add));
    assert_true(update_change(&u, false, &del));
    assert_true(update_change(&u, true, &cname));
    assert_true(update_seal(&u, ID, NULL, NOW, NULL));
    assert_int_equal(u.w.n, sizeof want);
    assert_memory_equal(u.w.p, want, sizeof want);
    update_free(&u);
}

static void test_strings(void **state)
{
    (void)state;
    static const struct {
        size_t n, strings[4];
    } rows[] = {{1, {1}}, {254, {254}}, {255, {255}}, {256, {255, 1}}, {510, {255, 255}}, {600, {255, 255, 90}}};
    uint8_t value[600];
    memset(value, 'v', sizeof value);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct update u;
        struct record r = txt("a", value, rows[i].n);
        update_begin(&u, "");
        size_t at = u.w.n + 3 + 10;
        assert_true(update_change(&u, true, &r));
        for (size_t k = 0; rows[i].strings[k]; k++) {
            assert_int_equal(u.w.p[at], rows[i].strings[k]);
            at += 1 + rows[i].strings[k];
        }
        assert_int_equal(at, u.w.n);
        update_free(&u);
    }
}

static void test_limits(void **state)
{
    (void)state;
    struct update u;
    uint8_t value[TXT_VALUE_MAX] = {0};
    struct record r = txt("a.hk", value, sizeof value), bad = txt("a..hk", value, 1);
    update_begin(&u, "hk");
    assert_false(update_change(&u, true, &bad));
    unsigned n = 0;
    while (update_change(&u, true, &r))
        n++;
    assert_int_equal(n, u.count);
    assert_int_equal(n, 14);
    assert_true(u.w.n <= UPDATE_MAX);
    size_t before = u.w.n;
    assert_false(update_change(&u, true, &r));
    assert_int_equal(u.w.n, before);
    assert_true(update_seal(&u, ID, &key, NOW, NULL));
    update_free(&u);
    struct err e = {0};
    update_begin(&u, "no..name");
    assert_false(update_change(&u, true, &r));
    assert_false(update_seal(&u, ID, &key, NOW, &e));
    assert_int_equal(e.rc, RC_BUG);
    update_free(&u);
}

/* A prerequisite that cannot be met, and what its answers mean. */
static void test_never(void **state)
{
    (void)state;
    static const uint8_t want[] = {0xbe, 0xef, 0x28, 0,   0,   1,   0, 1,   0, 1, 0, 0, 2, 'h', 'k', 0, 0, 6,
                                   0,    1,                                                   /* zone hk SOA IN, one prerequisite */
                                   2,    'h',  'k',  0,   0,   255, 0, 254, 0, 0, 0, 0, 0, 0, /* hk is not in use */
                                   1,    'a',  2,    'h', 'k', 0,   0, 16,  0, 1, 0, 0, 1, 44,  0,   2, 1, 'x'}; /* add "x" */
    static const struct {
        bool never;
        uint8_t rcode;
        enum update_says says;
    } rows[] = {
        {true, DNS_YXDOMAIN, SAYS_DONE}, {true, DNS_NOERROR, SAYS_DONE}, {true, DNS_REFUSED, SAYS_NO}, {false, DNS_YXDOMAIN, SAYS_NO}};
    struct record add = txt("a.hk", "x", 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const uint8_t reply[] = {0xbe, 0xef, 0xa8, rows[i].rcode, 0, 0, 0, 0, 0, 0, 0, 0};
        struct update u;
        struct update_answer a;
        update_begin(&u, "hk");
        if (rows[i].never)
            update_never(&u, "hk");
        assert_true(update_change(&u, true, &add));
        assert_true(update_seal(&u, ID, NULL, NOW, NULL));
        if (rows[i].never) {
            assert_int_equal(u.w.n, sizeof want);
            assert_memory_equal(u.w.p, want, sizeof want);
        }
        assert_int_equal(update_judge((struct bytes){reply, sizeof reply}, &u, NULL, NOW, &a), rows[i].says);
        update_free(&u);
    }
}

/* What nobody grants to a key for names: an NSEC record, well formed. */
static void test_ungranted(void **state)
{
    (void)state;
    static const uint8_t want[] = {1, 'p', 2, 'h', 'k', 0, 0, 47, 0, 1, 0, 0, 0, 60, 0, 11, 1, 'p', 2, 'h', 'k', 0, 0, 3, 0, 0, 0x80};
    struct update u;
    update_begin(&u, "hk");
    update_never(&u, "hk");
    size_t at = u.w.n;
    assert_true(update_ungranted(&u, "p.hk"));
    assert_int_equal(u.w.n - at, sizeof want);
    assert_memory_equal(u.w.p + at, want, sizeof want);
    assert_false(update_ungranted(&u, "p..hk"));
    update_free(&u);
}

static struct forge honest(void)
{
    return (struct forge){.name = "k",
                          .alg = "hmac-sha256",
                          .md = EVP_sha256(),
                          .secret = secret,
                          .n_secret = 16,
                          .when = NOW,
                          .fudge = 300,
                          .original_id = -1};
}

static void sealed(struct update *u, const struct tsig_key *k)
{
    struct record r = txt("www.example.hk", "value", 5);
    update_begin(u, "example.hk");
    assert_true(update_change(u, true, &r));
    assert_true(update_seal(u, ID, k, NOW, NULL));
}

static size_t reply_to(uint8_t *msg, unsigned rcode)
{
    static const uint8_t head[] = {0xbe, 0xef, 0xa8, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    memcpy(msg, head, sizeof head);
    msg[3] = (uint8_t)rcode;
    return sizeof head;
}

static void test_judge(void **state)
{
    (void)state;
    enum { ALL, NO_TSIG, WRONG_MAC, SAID_BADKEY, SAID_BADSIG, SAID_BADTIME, OTHER_KEY, OLD, NO_KEY };
    static const struct {
        int kind;
        unsigned rcode;
        enum update_says want;
        const char *code; /* of the error, NULL: success */
        const char *says;
    } rows[] = {
        {ALL, 0, SAYS_DONE, NULL, NULL},
        {ALL, 5, SAYS_SPLIT, "UPDATE_REFUSED", "`grant k name www.example.hk. TXT;`"},
        {ALL, 2, SAYS_AGAIN, "UPDATE_SERVFAIL", "max-records-per-type, 100"},
        {ALL, 9, SAYS_NO, "UPDATE_NOTAUTH", "not the primary server of zone example.hk"},
        {ALL, 10, SAYS_NO, "UPDATE_NOTZONE", "www.example.hk does not lie in its zone example.hk"},
        {ALL, 1, SAYS_NO, "UPDATE_FAILED", "FORMERR"},
        {ALL, 4, SAYS_NO, "UPDATE_FAILED", "takes no updates"},
        {ALL, 8, SAYS_NO, "UPDATE_FAILED", "NXRRSET"},
        {NO_TSIG, 0, SAYS_UNKNOWN, "TSIG_UNSIGNED", "not signed with key k"},
        {NO_TSIG, 5, SAYS_NO, "UPDATE_REFUSED", "REFUSED without a signature"},
        {NO_TSIG, 2, SAYS_NO, "UPDATE_SERVFAIL", "unsigned"},
        {NO_TSIG, 9, SAYS_NO, "UPDATE_NOTAUTH", "without a signature"},
        {WRONG_MAC, 0, SAYS_UNKNOWN, "TSIG_BADSIG", "wrong signature"},
        {WRONG_MAC, 5, SAYS_UNKNOWN, "TSIG_BADSIG", "wrong signature"},
        {SAID_BADKEY, 9, SAYS_KEY, "TSIG_BADKEY", "does not know key k"},
        {SAID_BADKEY, 0, SAYS_UNKNOWN, "TSIG_BADKEY", "does not know key k"},
        {SAID_BADSIG, 9, SAYS_NO, "TSIG_BADSIG", "not with this secret"},
        {SAID_BADTIME, 9, SAYS_NO, "TSIG_BADTIME", "3600 s ahead of"},
        {OLD, 0, SAYS_UNKNOWN, "TSIG_BADTIME", "1000 s ahead of"},
        {OTHER_KEY, 0, SAYS_UNKNOWN, "TSIG_FOREIGN", "another key"},
        {NO_KEY, 0, SAYS_DONE, NULL, NULL},
        {NO_KEY, 5, SAYS_NO, "UPDATE_REFUSED", "unsigned updates"},
        {NO_KEY, 9, SAYS_NO, "UPDATE_NOTAUTH", "no unsigned updates"},
        {NO_KEY, 2, SAYS_AGAIN, "UPDATE_SERVFAIL", "SERVFAIL"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct forge f = honest();
        uint8_t msg[600], hour_ago[6];
        const struct tsig_key *k = rows[i].kind == NO_KEY ? NULL : &key;
        struct update u;
        struct update_answer a;
        put48(hour_ago, NOW - 3600);
        f.no_tsig = rows[i].kind == NO_TSIG || !k;
        f.wrong_mac = rows[i].kind == WRONG_MAC;
        f.error = rows[i].kind == SAID_BADKEY ? 17 : rows[i].kind == SAID_BADSIG ? 16 : rows[i].kind == SAID_BADTIME ? 18 : 0;
        f.no_mac = f.error == 16 || f.error == 17;
        if (f.error == 18)
            f.other = hour_ago, f.n_other = 6;
        if (rows[i].kind == OTHER_KEY)
            f.name = "other";
        if (rows[i].kind == OLD)
            f.when = NOW - 1000;
        sealed(&u, k);
        size_t n = forge_sign(msg, reply_to(msg, rows[i].rcode), u.sent.mac, u.sent.n, &f);
        enum update_says got = update_judge((struct bytes){msg, n}, &u, k, NOW, &a);
        struct update_about about = {
            .server = "192.0.2.53", .zone = "example.hk", .owner = "www.example.hk", .key = k, .type = TYPE_TXT, .add = true};
        struct err e = {0};
        if (rows[i].code)
            update_err(&a, &about, &e);
        if (got != rows[i].want ||
            (rows[i].code && (strcmp(e.code, rows[i].code) != 0 || !strstr(e.text, rows[i].says) || e.rc != RC_WRITE)))
            fail_msg("row %zu: %d %s: %s", i, (int)got, e.code ? e.code : "-", e.text);
        update_free(&u);
    }
}

static void test_no_answer(void **state)
{
    (void)state;
    struct update u;
    struct update_answer a;
    struct err e = {0};
    uint8_t msg[20000] = {0};
    sealed(&u, NULL);
    size_t n = reply_to(msg, 0);
    static const struct {
        size_t at;
        uint8_t bits;
    } flips[] = {{0, 1}, {1, 1}, {2, 0x80}, {2, 0x28}, {2, 8}};
    assert_int_equal(update_judge((struct bytes){msg, n}, &u, NULL, NOW, &a), SAYS_DONE);
    for (size_t i = 0; i < sizeof flips / sizeof *flips; i++) {
        msg[flips[i].at] ^= flips[i].bits;
        assert_int_equal(update_judge((struct bytes){msg, n}, &u, NULL, NOW, &a), SAYS_UNKNOWN);
        msg[flips[i].at] ^= flips[i].bits;
    }
    assert_int_equal(update_judge((struct bytes){msg, 11}, &u, NULL, NOW, &a), SAYS_UNKNOWN);
    assert_int_equal(update_judge((struct bytes){msg, sizeof msg}, &u, NULL, NOW, &a),
                     SAYS_UNKNOWN); /* larger than any answer to an UPDATE */
    update_err(&a, &(struct update_about){.server = "s", .zone = "z", .owner = ""}, &e);
    assert_string_equal(e.code, "UPDATE_MALFORMED");
    update_free(&u);
}

static void test_question(void **state)
{
    (void)state;
    struct update u;
    struct update_answer a;
    uint8_t msg[600];
    struct forge f = honest();
    update_question(&u, "www.example.hk", TYPE_TXT);
    assert_true(update_seal(&u, ID, &key, NOW, NULL));
    assert_int_equal(u.w.p[2] & 1, 0); /* RD */
    size_t n = WIRE_HEADER + 16 + 4;
    memcpy(msg, u.w.p, n);
    msg[2] = 0x84;
    msg[3] = 3;
    msg[11] = 0;
    memcpy(msg + 200, msg, n);
    n = forge_sign(msg, n, u.sent.mac, u.sent.n, &f);
    msg[13] = 'W'; /* letters may change their case, but then the MAC is another */
    assert_false(update_question_judge((struct bytes){msg, n}, &u, &key, NOW, &a));
    assert_int_equal(a.tsig.result, TSIG_BADSIG);
    msg[13] = 'w';
    assert_true(update_question_judge((struct bytes){msg, n}, &u, &key, NOW, &a));
    assert_int_equal(a.rcode, DNS_NXDOMAIN);
    memcpy(msg, msg + 200, 32);
    msg[13] = 'W';
    assert_true(update_question_judge((struct bytes){msg, 32}, &u, NULL, NOW, &a));
    msg[13] = 'x';
    assert_false(update_question_judge((struct bytes){msg, 32}, &u, NULL, NOW, &a));
    msg[13] = 'w';
    msg[29] = 5; /* another type */
    assert_false(update_question_judge((struct bytes){msg, 32}, &u, NULL, NOW, &a));
    for (size_t cut = 0; cut < 32; cut++) {
        uint8_t *exact = mem_copy(msg, cut);
        assert_false(update_question_judge((struct bytes){exact, cut}, &u, NULL, NOW, &a));
        free(exact);
    }
    update_free(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build),     cmocka_unit_test(test_strings), cmocka_unit_test(test_limits),    cmocka_unit_test(test_never),
        cmocka_unit_test(test_ungranted), cmocka_unit_test(test_judge),   cmocka_unit_test(test_no_answer), cmocka_unit_test(test_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
