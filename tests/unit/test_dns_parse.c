/* dns_parse and the rdata helpers: real messages built with ldns, broken ones, cut ones, mutated ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "net/dnsx.h"

static const char *const zone_lines[] = {
    "WWW.Example.HK. 300 IN TXT \"v=spf1 -all\" \"\" \"second\"",
    "www.example.hk. 60 IN CNAME Target.Example.NET.",
    "example.hk. 86400 IN NS ns1.example.hk.",
    "example.hk. 3600 IN SOA ns1.example.hk. host\\.master.example.hk. 2027053101 7200 900 1209600 300",
    "ns1.example.hk. 60 IN A 192.0.2.1",
    "ns1.example.hk. 60 IN AAAA 2001:db8::1",
    "example.hk. 60 IN CAA 128 iSSue \"ca.example; account=1\"",
    "od\\032d\\.label.example.hk. 60 IN TXT \"x\"",
    "sub.example.hk. 60 IN DNAME other.example.",
    "example.hk. 60 IN RRSIG A 8 2 60 20270101000000 20260101000000 1 example.hk. AAAA",
    "example.hk. 60 IN TYPE65400 \\# 3 010203",
};
enum { LINES = sizeof zone_lines / sizeof *zone_lines };

static void push(ldns_pkt *p, ldns_pkt_section section, const char *line)
{
    ldns_rr *rr = NULL;
    assert_int_equal(ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL), LDNS_STATUS_OK);
    assert_true(ldns_pkt_push_rr(p, section, rr));
}

static ldns_pkt *answer(void)
{
    ldns_pkt *p = ldns_pkt_query_new(ldns_dname_new_frm_str("wWw.example.hk"), LDNS_RR_TYPE_TXT, LDNS_RR_CLASS_IN, LDNS_RD | LDNS_AA);
    ldns_pkt_set_id(p, 4711);
    ldns_pkt_set_qr(p, true);
    ldns_pkt_set_ad(p, true);
    for (int i = 0; i < LINES; i++)
        push(p, i < 3 ? LDNS_SECTION_ANSWER : i < 4 ? LDNS_SECTION_AUTHORITY : LDNS_SECTION_ADDITIONAL, zone_lines[i]);
    return p;
}

static uint8_t *wire_of(ldns_pkt *p, size_t *n)
{
    uint8_t *w = NULL;
    assert_int_equal(ldns_pkt2wire(&w, p, n), LDNS_STATUS_OK);
    ldns_pkt_free(p);
    w = realloc(w, *n); /* exact, so that ASan sees the first octet too many */
    assert_non_null(w);
    return w;
}

static void check_answer_values(const struct dns_rr *rr)
{
    uint8_t out[64], flags;
    char name[254], tag[16], value[64], addr[46];
    size_t k;
    uint32_t serial, minimum;
    assert_true(dns_txt_value(rr[0].rdata, out, sizeof out, &k));
    assert_int_equal(k, 17);
    assert_memory_equal(out, "v=spf1 -allsecond", 17);
    assert_true(dns_txt_value(rr[0].rdata, out, 17, &k));
    assert_false(dns_txt_value(rr[0].rdata, out, 16, &k));
    assert_true(dns_name_rdata(rr[1].rdata, name));
    assert_string_equal(name, "target.example.net");
    assert_true(dns_name_rdata(rr[2].rdata, name));
    assert_true(dns_soa(rr[3].rdata, name, &serial, &minimum));
    assert_string_equal(name, "ns1.example.hk");
    assert_int_equal(serial, 2027053101);
    assert_int_equal(minimum, 300);
    assert_false(dns_name_rdata(rr[3].rdata, name)); /* more behind the name */
    assert_true(dns_addr_rdata(TYPE_A, rr[4].rdata, addr));
    assert_string_equal(addr, "192.0.2.1");
    assert_true(dns_addr_rdata(TYPE_AAAA, rr[5].rdata, addr));
    assert_string_equal(addr, "2001:db8::1");
    assert_false(dns_addr_rdata(TYPE_AAAA, rr[4].rdata, addr));
    assert_true(dns_caa(rr[6].rdata, &flags, tag, value, sizeof value));
    assert_int_equal(flags, 128);
    assert_string_equal(tag, "issue");
    assert_string_equal(value, "ca.example; account=1");
    assert_false(dns_caa(rr[6].rdata, &flags, tag, value, 21));
}

static void test_whole_answer(void **state)
{
    (void)state;
    size_t n;
    uint8_t *w = wire_of(answer(), &n);
    struct dns_reply r;
    void *hold;
    struct err e = {0};
    assert_true(dns_parse(w, n, &r, &hold, &e));
    assert_int_equal(r.rcode, DNS_NOERROR);
    assert_true(r.aa && r.ad && !r.tc);
    assert_int_equal(r.size, n);
    assert_int_equal(r.n, LINES);
    assert_int_equal(r.ede, 0);
    assert_null(r.ede_text);
    assert_string_equal(r.rr[0].owner, "www.example.hk");
    assert_int_equal(r.rr[0].ttl, 300);
    assert_int_equal(r.rr[0].type, TYPE_TXT);
    assert_int_equal(r.rr[0].section, SECTION_ANSWER);
    assert_int_equal(r.rr[3].section, SECTION_AUTHORITY);
    assert_int_equal(r.rr[4].section, SECTION_ADDITIONAL);
    assert_string_equal(r.rr[7].owner, "od\\032d\\046label.example.hk");
    assert_int_equal(r.rr[9].type, TYPE_RRSIG);
    assert_int_equal(r.rr[10].type, 65400);
    assert_int_equal(r.rr[10].rdata.n, 3);
    assert_memory_equal(r.rr[10].rdata.p, "\1\2\3", 3);
    check_answer_values(r.rr);
    free(hold);
    free(w);
}

static void test_every_cut(void **state)
{
    (void)state;
    size_t n;
    uint8_t *w = wire_of(answer(), &n);
    for (size_t k = 0; k < n; k++) {
        uint8_t *cut = malloc(k ? k : 1);
        memcpy(cut, w, k);
        struct dns_reply r;
        void *hold;
        struct err e = {0};
        assert_false(dns_parse(cut, k, &r, &hold, &e));
        assert_int_equal(e.rc, RC_NET);
        assert_string_equal(e.code, "DNS_MALFORMED");
        assert_null(hold);
        free(cut);
    }
    free(w);
}

static const uint8_t header[12] = {0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0};

static bool parses(const void *tail, size_t n, struct dns_reply *r, void **hold)
{
    uint8_t *m = malloc(12 + n);
    memcpy(m, header, 12);
    memcpy(m + 12, tail, n);
    bool ok = dns_parse(m, 12 + n, r, hold, NULL);
    free(m);
    return ok;
}

static void test_compression_loops(void **state)
{
    (void)state;
    static const struct {
        const char *tail;
        size_t n;
    } bad[] = {
        {"\xc0\x0c\0\x10\0\1", 6},                                        /* a pointer to itself */
        {"\1a\xc0\x0c\0\x10\0\1", 8},                                     /* a name within itself */
        {"\xc0\x0e\xc0\x0c\0\x10\0\1", 8},                                /* two that point at each other */
        {"\xc0\xff\0\x10\0\1", 6},                                        /* beyond the end */
        {"\x40\0\0\x10\0\1", 6},                                          /* a label type that does not exist */
        {"\1a\0\0\x10\0\1\xc0\x0c\0\x10\0\1\0\0\0\x05\0\x09\5hello", 25}, /* rdlength beyond the end */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct dns_reply r;
        void *hold = NULL;
        assert_false(parses(bad[i].tail, bad[i].n, &r, &hold));
        assert_null(hold);
    }
    struct dns_reply r;
    void *hold;
    assert_true(parses("\1a\0\0\x10\0\1\xc0\x0c\0\x10\0\1\0\0\0\x05\0\6\5hello", 26 - 1, &r, &hold));
    assert_string_equal(r.rr[0].owner, "a");
    free(hold);
}

/* Four labels, 255 octets, all of them odd: the longest text there is. */
static void test_longest_name(void **state)
{
    (void)state;
    uint8_t name[255], msg[sizeof header + 255 + 4];
    size_t at = 0;
    static const uint8_t lengths[] = {63, 63, 63, 61};
    for (int i = 0; i < 4; i++) {
        name[at++] = lengths[i];
        memset(name + at, 0xff, lengths[i]);
        at += lengths[i];
    }
    name[at++] = 0;
    assert_int_equal(at, 255);
    memcpy(msg, header, sizeof header);
    memcpy(msg + 12, name, 255);
    memcpy(msg + 267, "\0\x10\0\1", 4);
    uint8_t *whole = malloc(sizeof msg + 12);
    memcpy(whole, msg, sizeof msg);
    memcpy(whole + sizeof msg, "\xc0\x0c\0\x10\0\1\0\0\0\x05\0\0", 12);
    struct dns_reply r;
    void *hold;
    assert_true(dns_parse(whole, sizeof msg + 12, &r, &hold, NULL));
    assert_int_equal(strlen(r.rr[0].owner), 250 * 4 + 3);
    free(hold);
    free(whole);
    char out[254];
    assert_false(dns_name_rdata((struct bytes){name, 255}, out)); /* does not fit */
}

static void test_limits(void **state)
{
    (void)state;
    struct dns_reply r;
    void *hold = NULL;
    uint8_t *m = calloc(1, 70000);
    memcpy(m, header, 12);
    m[5] = m[7] = 0;
    assert_false(dns_parse(m, 65536, &r, &hold, NULL));
    assert_true(dns_parse(m, 65535, &r, &hold, NULL)); /* octets behind the message do not count */
    free(hold);
    m[6] = 2001 >> 8;
    m[7] = 2001 & 0xff;
    struct err e = {0};
    assert_false(dns_parse(m, 65535, &r, &hold, &e)); /* 11 zero octets each would be records */
    assert_non_null(strstr(e.text, "2,000"));
    free(m);
}

static void test_extended_error(void **state)
{
    (void)state;
    static const uint8_t bogus[] = "\0\6DNSKEY \033[31mmissing", none[] = "\0\0";
    static const struct {
        const uint8_t *data;
        size_t n;
        unsigned ede;
        const char *text;
    } cases[] = {
        {bogus, sizeof bogus - 1, 7, "DNSKEY \\x1b[31mmissing"},
        {none, 2, 1, NULL},
        {none, 1, 0, NULL},
    };
    for (size_t i = 0; i < 3; i++) {
        ldns_pkt *p = answer();
        ldns_pkt_set_rcode(p, LDNS_RCODE_SERVFAIL);
        ldns_pkt_set_edns_udp_size(p, 1232);
        ldns_edns_option_list *l = ldns_edns_option_list_new();
        ldns_edns_option_list_push(l, ldns_edns_new_from_data(LDNS_EDNS_NSID, 2, none));
        ldns_edns_option_list_push(l, ldns_edns_new_from_data(LDNS_EDNS_EDE, cases[i].n, cases[i].data));
        ldns_pkt_set_edns_option_list(p, l);
        size_t n;
        uint8_t *w = wire_of(p, &n);
        struct dns_reply r;
        void *hold;
        assert_true(dns_parse(w, n, &r, &hold, NULL));
        assert_int_equal(r.rcode, DNS_SERVFAIL);
        assert_int_equal(r.ede, cases[i].ede);
        if (cases[i].text)
            assert_string_equal(r.ede_text, cases[i].text);
        else
            assert_null(r.ede_text);
        free(hold);
        free(w);
    }
}

#define B(s) ((struct bytes){(const uint8_t *)(s), sizeof(s) - 1})

static void test_rdata_helpers_refuse(void **state)
{
    (void)state;
    uint8_t out[300], flags;
    char name[254], tag[16], value[300];
    size_t n;
    uint32_t serial, minimum;
    assert_false(dns_txt_value(B(""), out, sizeof out, &n));
    assert_true(dns_txt_value(B("\0"), out, 0, &n));
    assert_int_equal(n, 0);
    assert_false(dns_txt_value(B("\5abcd"), out, sizeof out, &n));
    assert_false(dns_txt_value(B("\1a\1"), out, sizeof out, &n));
    assert_true(dns_name_rdata(B("\0"), name));
    assert_string_equal(name, "");
    assert_false(dns_name_rdata(B(""), name));
    assert_false(dns_name_rdata(B("\1a"), name));
    assert_false(dns_name_rdata(B("\1a\xc0\0"), name));
    assert_true(dns_name_rdata(B("\5_AcMe\1/\0"), name));
    assert_string_equal(name, "_acme./");
    assert_false(dns_soa(B("\0\0ABCDEFGHIJKLMNOPQRS"), name, &serial, &minimum));
    assert_false(dns_soa(B("\0\0ABCDEFGHIJKLMNOPQRSTU"), name, &serial, &minimum));
    assert_true(dns_soa(B("\0\0\0\0\0\1FGHIJKLMNOPQ\0\0\0\2"), name, &serial, &minimum));
    assert_int_equal(serial, 1);
    assert_int_equal(minimum, 2);
    assert_false(dns_caa(B("\0"), &flags, tag, value, sizeof value));
    assert_false(dns_caa(B("\0\0x"), &flags, tag, value, sizeof value));
    assert_false(dns_caa(B("\0\5issu"), &flags, tag, value, sizeof value));
    assert_false(dns_caa(B("\0\5is-ue"), &flags, tag, value, sizeof value));
    assert_false(dns_caa(B("\0\x10"
                           "aaaaaaaaaaaaaaaa"),
                         &flags, tag, value, sizeof value));
    assert_false(dns_caa(B("\0\5issuea\0b"), &flags, tag, value, sizeof value));
    assert_true(dns_caa(B("\0\5issue"), &flags, tag, value, sizeof value));
    assert_string_equal(value, "");
    assert_string_equal(dns_rcode_word(3), "NXDOMAIN");
    assert_string_equal(dns_rcode_word(10), "NOTZONE");
    assert_string_equal(dns_rcode_word(23), "RCODE23");
}

static void test_mutations(void **state)
{
    (void)state;
    size_t n, parsed = 0;
    uint8_t *w = wire_of(answer(), &n), *m = malloc(n);
    uint32_t x = 2463534242u;
    for (int i = 0; i < 2000; i++) {
        memcpy(m, w, n);
        for (int k = 0; k < 1 + i % 8; k++) {
            x ^= x << 13, x ^= x >> 17, x ^= x << 5;
            m[x % n] = (uint8_t)(x >> 24);
        }
        struct dns_reply r;
        void *hold;
        if (!dns_parse(m, n, &r, &hold, NULL))
            continue;
        parsed++;
        for (size_t k = 0; k < r.n; k++) {
            char name[254], addr[46];
            uint8_t out[512];
            size_t got;
            assert_in_range(strlen(r.rr[k].owner), 0, 1015);
            dns_txt_value(r.rr[k].rdata, out, sizeof out, &got);
            dns_name_rdata(r.rr[k].rdata, name);
            dns_addr_rdata(r.rr[k].type, r.rr[k].rdata, addr);
        }
        free(hold);
    }
    assert_in_range(parsed, 100, 1999);
    free(m);
    free(w);
}

/* One record as the wire has it, rdata alone. */
static struct bytes rdata_of(const char *line, uint8_t out[1024])
{
    ldns_rr *rr = NULL;
    size_t n = 0;
    assert_int_equal(ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL), LDNS_STATUS_OK);
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *f = ldns_rr_rdf(rr, i);
        assert_true(n + ldns_rdf_size(f) <= 1024);
        memcpy(out + n, ldns_rdf_data(f), ldns_rdf_size(f));
        n += ldns_rdf_size(f);
    }
    ldns_rr_free(rr);
    return (struct bytes){out, n};
}

static uint16_t tag_by_ldns(const char *line)
{
    ldns_rr *rr = NULL;
    assert_int_equal(ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL), LDNS_STATUS_OK);
    uint16_t tag = ldns_calc_keytag(rr);
    ldns_rr_free(rr);
    return tag;
}

static void test_dnssec(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "example. IN DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==",
        "example. IN DNSKEY 256 3 8 AwEAAaetidLzsKWUt4swWR8yu0wPHPiUi8LU",
        "example. IN DNSKEY 256 3 8 AwEAAaetidLzsKWUt4swWR8yu0wPHPiUi8LUsA==",
    };
    uint8_t buf[1024];
    struct dns_key key;
    struct dns_signature sig;
    uint16_t iterations;
    for (size_t i = 0; i < 3; i++) {
        assert_true(dns_dnskey(rdata_of(keys[i], buf), &key));
        assert_int_equal(key.tag, tag_by_ldns(keys[i]));
        assert_int_equal(key.algorithm, i ? 8 : 13);
        assert_int_equal(key.flags, i ? 256 : 257);
    }
    struct bytes r = rdata_of("example. IN DS 55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17", buf);
    assert_true(dns_ds(r, &key) && key.tag == 55648 && key.algorithm == 13);
    r.n = 4;
    assert_false(dns_ds(r, &key) || dns_dnskey(r, &key));
    r = rdata_of("example. IN NSEC3PARAM 1 0 150 aabb", buf);
    assert_true(dns_nsec3param(r, &iterations) && iterations == 150);
    r.n--;
    assert_false(dns_nsec3param(r, &iterations));
    r = rdata_of("example. IN RRSIG SOA 13 1 3600 20270115080000 20270101080000 55648 example. AAAA", buf);
    assert_true(dns_rrsig(r, 1800000000, &sig));
    assert_true(sig.covers == TYPE_SOA && sig.tag == 55648 && sig.algorithm == 13);
    assert_int_equal(sig.until, 1800000000); /* 15 Jan 2027, 08:00 */
    assert_int_equal(sig.from, 1800000000 - 14 * 86400);
    assert_true(dns_rrsig(r, 1800000000 + (1ll << 32), &sig)); /* the moment nearest to now, when 32 bits have run over */
    assert_int_equal(sig.until, 1800000000 + (1ll << 32));
    for (size_t n = 0; n < r.n - 3; n++)
        assert_false(dns_rrsig((struct bytes){r.p, n}, 0, &sig));
    assert_string_equal(dns_ede_word(0), "");
    assert_string_equal(dns_ede_word(7 + 1), "Signature Expired");
    assert_string_equal(dns_ede_word(49152 + 1), "error 49152");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dnssec),         cmocka_unit_test(test_whole_answer),
        cmocka_unit_test(test_every_cut),      cmocka_unit_test(test_compression_loops),
        cmocka_unit_test(test_longest_name),   cmocka_unit_test(test_limits),
        cmocka_unit_test(test_extended_error), cmocka_unit_test(test_rdata_helpers_refuse),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
