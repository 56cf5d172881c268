#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "net/tsig.h"
#include "tsig_tools.h"

enum { NOW = 1700000000 };
static const uint8_t secret[] = "not a very secret secret of 32 o";
static struct tsig_key key;

static void use_key(enum tsig_alg alg)
{
    key = (struct tsig_key){.name = "key.example", .alg = alg, .secret = {(uint8_t *)(uintptr_t)secret, sizeof secret - 1}};
}

static const EVP_MD *digest(enum tsig_alg alg)
{
    const EVP_MD *md[TSIG_ALGS] = {EVP_md5(), EVP_sha1(), EVP_sha224(), EVP_sha256(), EVP_sha384(), EVP_sha512()};
    return md[alg];
}

static struct forge honest(enum tsig_alg alg)
{
    return (struct forge){.name = "key.example",
                          .alg = tsig_alg_name(alg),
                          .md = digest(alg),
                          .secret = secret,
                          .n_secret = sizeof secret - 1,
                          .when = NOW,
                          .fudge = 300,
                          .original_id = -1};
}

/* An UPDATE of zone "hk" without changes. */
static const uint8_t request[] = {0x12, 0x34, 0x28, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 'h', 'k', 0, 0, 6, 0, 1};

static struct tsig_sent send_request(void)
{
    struct wire w = WIRE_INIT(WIRE_MESSAGE_MAX);
    struct tsig_sent sent = {0};
    struct err e = {0};
    wire_put(&w, request, sizeof request);
    assert_true(tsig_sign(&w, &key, NOW, &sent, &e));
    wire_free(&w);
    return sent;
}

static size_t make_reply(uint8_t *msg, const struct tsig_sent *sent, const struct forge *f, unsigned rcode)
{
    memcpy(msg, request, sizeof request);
    msg[2] |= 0x80;
    msg[3] = (uint8_t)rcode;
    return forge_sign(msg, sizeof request, sent->mac, sent->n, f);
}

/* The request as an independent implementation signs it. */
static void test_sign(void **state)
{
    (void)state;
    for (int alg = 0; alg < TSIG_ALGS; alg++) {
        uint8_t want[1024];
        struct forge f = honest((enum tsig_alg)alg);
        struct wire w = WIRE_INIT(WIRE_MESSAGE_MAX);
        struct tsig_sent sent;
        use_key((enum tsig_alg)alg);
        memcpy(want, request, sizeof request);
        size_t n = forge_sign(want, sizeof request, NULL, 0, &f);
        wire_put(&w, request, sizeof request);
        assert_true(tsig_sign(&w, &key, NOW, &sent, NULL));
        assert_int_equal(w.n, n);
        assert_memory_equal(w.p, want, n);
        assert_int_equal(sent.n, tsig_alg_size((enum tsig_alg)alg));
        assert_int_equal(sent.id, 0x1234);
        wire_free(&w);
    }
}

/* Made with Python's hmac: key k., secret 00 01 .. 0f, time 1, fudge 300. */
static void test_vector(void **state)
{
    (void)state;
    static const uint8_t bytes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    static const uint8_t mac[32] = {0xb2, 0x4f, 0x0c, 0xf3, 0x6a, 0xee, 0xde, 0xa8, 0xfd, 0x99, 0x4c, 0x71, 0x26, 0x36, 0xc3, 0xbf,
                                    0xd5, 0xe2, 0x58, 0x75, 0x30, 0x1f, 0x1e, 0x79, 0xb1, 0x21, 0x5c, 0x57, 0xb6, 0x35, 0xbe, 0x6d};
    struct tsig_key k = {.name = "k", .alg = TSIG_SHA256, .secret = {(uint8_t *)(uintptr_t)bytes, sizeof bytes}};
    struct wire w = WIRE_INIT(WIRE_MESSAGE_MAX);
    struct tsig_sent sent;
    wire_put(&w, request, sizeof request);
    assert_true(tsig_sign(&w, &k, 1, &sent, NULL));
    assert_memory_equal(sent.mac, mac, sizeof mac);
    wire_free(&w);
}

static const uint8_t server_time[6] = {0, 0, 0x65, 0x53, 0xef, 0x10}; /* 1699999504: 496 s before NOW */
static const uint8_t negative[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void test_verdicts(void **state)
{
    (void)state;
    struct row {
        const char *what;
        struct forge f;
        unsigned rcode;
        enum tsig_result want;
        bool proven;
        int64_t skew;
    };
#define F(...)                                                                                                                             \
    {                                                                                                                                      \
        __VA_ARGS__                                                                                                                        \
    }
    struct row rows[] = {
        {"plain", F(0), 0, TSIG_OK, true, 0},
        {"a refusal is signed too", F(0), 5, TSIG_OK, true, 0},
        {"no TSIG", F(.no_tsig = true), 0, TSIG_UNSIGNED, false, 0},
        {"two", F(.twice = true), 0, TSIG_TWO, false, 0},
        {"not last", F(.not_last = true), 0, TSIG_NOT_LAST, false, 0},
        {"octet behind", F(.trailing = true), 0, TSIG_MALFORMED, false, 0},
        {"other key", F(.name = "kez.example"), 0, TSIG_FOREIGN, false, 0},
        {"key below", F(.name = "a.key.example"), 0, TSIG_FOREIGN, false, 0},
        {"other algorithm", F(.alg = "hmac-sha512"), 0, TSIG_FOREIGN, false, 0},
        {"wrong MAC", F(.wrong_mac = true), 0, TSIG_BADSIG, false, 0},
        {"no MAC, no error", F(.no_mac = true), 0, TSIG_BADSIG, false, 0},
        {"BADSIG said", F(.no_mac = true, .error = 16), 9, TSIG_BADSIG_SAID, false, 0},
        {"BADKEY said", F(.no_mac = true, .error = 17), 9, TSIG_BADKEY, false, 0},
        {"BADTIME said and signed", F(.error = 18, .other = server_time, .n_other = 6), 9, TSIG_BADTIME, true, 496},
        {"BADTIME unsigned", F(.no_mac = true, .error = 18, .other = server_time, .n_other = 6), 9, TSIG_BADTIME, false, 496},
        {"BADTIME without time", F(.error = 18), 9, TSIG_BADTIME, true, 0},
        {"BADTIME, absurd time", F(.error = 18, .other = negative, .n_other = 6), 9, TSIG_BADTIME, true, NOW - 0xffffffffffffLL},
        {"BADTIME signed wrongly", F(.wrong_mac = true, .error = 18, .other = server_time, .n_other = 6), 9, TSIG_BADSIG, false, 0},
        {"BADTRUNC said", F(.no_mac = true, .error = 22), 9, TSIG_BADTRUNC, false, 0},
        {"error 19", F(.error = 19), 9, TSIG_ERROR, true, 0},
        {"error 19 unsigned", F(.no_mac = true, .error = 19), 9, TSIG_ERROR, false, 0},
        {"at the edge of the fudge", F(.when = NOW - 300), 0, TSIG_OK, true, 0},
        {"one beyond", F(.when = NOW - 301), 0, TSIG_BADTIME, true, 301},
        {"from the future", F(.when = NOW + 301), 0, TSIG_BADTIME, true, -301},
        {"time 2^48-1", F(.when = 0xffffffffffffULL), 0, TSIG_BADTIME, true, NOW - 0xffffffffffffLL},
        {"MAC of 16 octets", F(.mac_size = 16), 0, TSIG_BADTRUNC, false, 0},
        {"MAC of 31 octets", F(.mac_size = 31), 0, TSIG_BADTRUNC, false, 0},
        {"MAC of 15 octets", F(.mac_size = 15), 0, TSIG_MALFORMED, false, 0},
        {"MAC of 1 octet", F(.mac_size = 1), 0, TSIG_MALFORMED, false, 0},
        {"MAC of 33 octets", F(.mac_size = 33), 0, TSIG_MALFORMED, false, 0},
        {"original id of a forwarder", F(.original_id = 0x7777), 0, TSIG_OK, true, 0},
        {"class IN", F(.class = 1), 0, TSIG_MALFORMED, false, 0},
        {"TTL 1", F(.ttl = 1), 0, TSIG_MALFORMED, false, 0},
    };
    use_key(TSIG_SHA256);
    struct tsig_sent sent = send_request();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t msg[1024];
        struct forge base = honest(TSIG_SHA256), *f = &rows[i].f;
        f->name = f->name ? f->name : base.name;
        f->alg = f->alg ? f->alg : base.alg;
        f->md = base.md;
        f->secret = base.secret;
        f->n_secret = base.n_secret;
        f->when = f->when ? f->when : base.when;
        f->fudge = base.fudge;
        f->original_id = f->original_id ? f->original_id : -1;
        size_t n = make_reply(msg, &sent, f, rows[i].rcode);
        uint8_t *exact = mem_copy(msg, n); /* ends where the message ends: the sanitizer sees what goes beyond */
        struct tsig_verdict v = tsig_verify(exact, n, &sent, &key, NOW);
        free(exact);
        if (v.result != rows[i].want || v.proven != rows[i].proven || v.skew != rows[i].skew)
            fail_msg("%s: %s proven %d skew %lld", rows[i].what, tsig_result_word(v.result), v.proven, (long long)v.skew);
    }
}

/* A key of a server that cuts its MACs. */
static void test_truncated_key(void **state)
{
    (void)state;
    uint8_t msg[1024];
    use_key(TSIG_SHA256);
    key.mac_min = 16;
    struct tsig_sent sent = send_request();
    for (unsigned size = 1; size <= 32; size++) {
        struct forge f = honest(TSIG_SHA256);
        f.mac_size = size;
        size_t n = make_reply(msg, &sent, &f, 0);
        assert_int_equal(tsig_verify(msg, n, &sent, &key, NOW).result, size < 16 ? TSIG_MALFORMED : TSIG_OK);
    }
}

static void test_other_request(void **state)
{
    (void)state;
    uint8_t msg[1024];
    use_key(TSIG_SHA512);
    struct tsig_sent sent = send_request(), other;
    struct forge f = honest(TSIG_SHA512);
    size_t n = make_reply(msg, &sent, &f, 0);
    other = sent;
    other.mac[5] ^= 1;
    assert_int_equal(tsig_verify(msg, n, &other, &key, NOW).result, TSIG_BADSIG); /* a replay */
    other = sent;
    other.id ^= 1;
    assert_int_equal(tsig_verify(msg, n, &other, &key, NOW).result, TSIG_MALFORMED);
    msg[2] &= 0x7f;
    assert_int_equal(tsig_verify(msg, n, &sent, &key, NOW).result, TSIG_MALFORMED); /* our own request mirrored */
}

static bool same_letter(uint8_t a, uint8_t b)
{
    return (a ^ b) == 0x20 && (a | 0x20) >= 'a' && (a | 0x20) <= 'z';
}

/* No octet of a signed answer can be changed, none cut off and none put behind. Only letters of the key's and algorithm's names may
 * change their case (RFC 8945 4.3.3: canonical form). */
static void test_tampering(void **state)
{
    (void)state;
    uint8_t msg[1024];
    use_key(TSIG_SHA384);
    struct tsig_sent sent = send_request();
    struct forge f = honest(TSIG_SHA384);
    size_t n = make_reply(msg, &sent, &f, 0);
    assert_int_equal(tsig_verify(msg, n, &sent, &key, NOW).result, TSIG_OK);
    for (size_t at = 0; at < n; at++) {
        uint8_t was = msg[at];
        for (unsigned v = 0; v < 256; v++) {
            msg[at] = (uint8_t)v;
            if (v != was && !(at >= sizeof request && same_letter((uint8_t)v, was)))
                assert_int_not_equal(tsig_verify(msg, n, &sent, &key, NOW).result, TSIG_OK);
        }
        msg[at] = was;
        uint8_t *cut = mem_copy(msg, at);
        assert_int_not_equal(tsig_verify(cut, at, &sent, &key, NOW).result, TSIG_OK);
        free(cut);
    }
}

static void test_hostile(void **state)
{
    (void)state;
    uint8_t msg[200];
    use_key(TSIG_SHA256);
    struct tsig_sent sent = send_request();
    for (unsigned round = 0; round < 50000; round++) {
        size_t n = round % sizeof msg;
        for (size_t i = 0; i < n; i++)
            msg[i] = (uint8_t)(rand() >> 7);
        if (n > 12) {
            msg[0] = 0x12, msg[1] = 0x34, msg[4] = msg[6] = msg[8] = msg[10] = 0;
            msg[5] &= 1, msg[7] = msg[9] = 0, msg[11] &= 3;
        }
        uint8_t *exact = mem_copy(msg, n);
        assert_int_not_equal(tsig_verify(exact, n, &sent, &key, NOW).result, TSIG_OK);
        free(exact);
    }
    memset(msg, 0xc0, sizeof msg); /* pointers to pointers, everywhere */
    assert_int_equal(tsig_verify(msg, sizeof msg, &sent, &key, NOW).result, TSIG_MALFORMED);
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wire;
        size_t n;
    } good[] = {{"", "", 1},         {".", "", 1}, {"HK", "\2hk", 4}, {"a.hk.", "\1a\2hk", 6}, {"\\065\\.b.c", "\3a.b\1c", 7},
                {"*.x", "\1*\1x", 5}};
    static const char *const bad[] = {
        "..", "a..b", ".a", "\\25", "\\256", "\\", "0123456789012345678901234567890123456789012345678901234567890123.x"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct wire w = WIRE_INIT(300);
        wire_name(&w, good[i].text);
        assert_false(w.bad);
        assert_int_equal(w.n, good[i].n);
        assert_memory_equal(w.p, good[i].wire, w.n);
        wire_free(&w);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct wire w = WIRE_INIT(300);
        wire_name(&w, bad[i]);
        assert_true(w.bad);
        wire_free(&w);
    }
    char longest[300] = "";
    for (int i = 0; i < 127; i++)
        strcat(longest, i ? ".a" : "a");
    struct wire w = WIRE_INIT(300);
    wire_name(&w, longest);
    assert_false(w.bad);
    assert_int_equal(w.n, 255);
    wire_free(&w);
    strcat(longest, ".a");
    wire_name(&w, longest);
    assert_true(w.bad);
    wire_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sign),          cmocka_unit_test(test_vector),        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_truncated_key), cmocka_unit_test(test_other_request), cmocka_unit_test(test_tampering),
        cmocka_unit_test(test_hostile),       cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
