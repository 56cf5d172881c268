#include "cert/issued.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include "tests/unit/pki.c"

enum { DAYS = 86400 };

static X509 *root, *inter, *leaf;

static int begin(void **state)
{
    (void)state;
    root = pki_cert(&(struct pki_spec){.cn = "Test Root", .ca = true, .key = pki_key(0)});
    inter = pki_cert(&(struct pki_spec){
        .cn = "Test CA 3 - 17", .ca = true, .eku = "serverAuth", .key = pki_key(1), .issuer = root, .issuer_key = pki_key(0)});
    leaf = pki_cert(&(struct pki_spec){.cn = "www.example.hk",
                                       .o = "Example Limited",
                                       .names = "www.example.hk,example.hk",
                                       .eku = "serverAuth",
                                       .key = pki_key(2),
                                       .issuer = inter,
                                       .issuer_key = pki_key(1),
                                       .serial = 0x1ab});
    return 0;
}

static int end(void **state)
{
    (void)state;
    pki_free();
    return 0;
}

static size_t read_count(const void *p, size_t n, struct err *e)
{
    struct issued *i = NULL;
    if (!issued_read(&i, p, n, e)) {
        assert_null(i);
        return 0;
    }
    size_t count = issued_count(i);
    issued_free(i);
    return count;
}

static void expect(const char *what, const void *p, size_t n, size_t count)
{
    struct err e = {0};
    size_t got = read_count(p, n, &e);
    if (got != count)
        fail_msg("%s: %zu certificates, not %zu: %s", what, got, count, e.text);
}

static char *replaced(const char *text, const char *from, const char *to)
{
    struct str s = STR_INIT(1 << 20);
    for (const char *p = text; *p;) {
        if (strncmp(p, from, strlen(from))) {
            str_put(&s, p++, 1);
            continue;
        }
        str_add(&s, to);
        p += strlen(from);
    }
    return str_take(&s);
}

static void reads_text_forms(void **state)
{
    (void)state;
    X509 *all[] = {leaf, inter, root};
    char *pem = pki_bundle(all, 3), *crlf = replaced(pem, "\n", "\r\n"), *mac = replaced(pem, "\n", "\r"), *line = replaced(pem, "\n", " ");
    char *indented = replaced(pem, "\n", "\n   \t"), *old = replaced(pem, "CERTIFICATE", "X509 CERTIFICATE");
    char *bom = mem_fmt("\xef\xbb\xbf%s", pem), *junk = mem_fmt("Subject: CN=www\r\n-----BEGIN of the mail\n%s\n-- \nRegards", pem);
    char *twice = mem_fmt("%s%s", pem, pem), *page = mem_fmt("<html><body><pre>\n%s</pre></body></html>", pem);
    struct {
        const char *what, *text;
    } rows[] = {{"pem", pem}, {"crlf", crlf}, {"cr", mac},      {"one line", line}, {"indented", indented},
                {"bom", bom}, {"junk", junk}, {"twice", twice}, {"old label", old}, {"in a page", page}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect(rows[i].what, rows[i].text, strlen(rows[i].text), 3);
    char *one = pki_pem(leaf), *body = replaced(one, "-----BEGIN CERTIFICATE-----\n", ""),
         *bare = replaced(body, "-----END CERTIFICATE-----\n", "");
    expect("bare base64", bare, strlen(bare), 1);
    char *extra = mem_fmt("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n%s", pem);
    expect("beside a CRL", extra, strlen(extra), 3);
    char *made[] = {pem, crlf, mac, line, indented, old, bom, junk, twice, page, one, body, bare, extra};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        free(made[i]);
}

static void reads_binary_forms(void **state)
{
    (void)state;
    X509 *all[] = {leaf, inter};
    uint8_t *der, *other, *p7, *p7pem, *joined;
    size_t n = pki_der(leaf, &der), m = pki_der(inter, &other), k = pki_p7(all, 2, false, &p7), l = pki_p7(all, 2, true, &p7pem);
    expect("der", der, n, 1);
    expect("p7 der", p7, k, 2);
    expect("p7 pem", p7pem, l, 2);
    char *named = replaced((char *)p7pem, "PKCS7", "CERTIFICATE"), *cms = replaced((char *)p7pem, "PKCS7", "CMS");
    expect("p7 as CERTIFICATE", named, strlen(named), 2);
    expect("CMS", cms, strlen(cms), 2);
    joined = mem_new(n + m + 3);
    memcpy(joined, der, n);
    memcpy(joined + n, other, m);
    memcpy(joined + n + m, "\r\n", 2);
    expect("two der", joined, n + m + 2, 2);
    char *inside = pki_pem(inter); /* text within a certificate is not looked into */
    X509 *carrier = pki_cert(&(struct pki_spec){.cn = "carrier.example.hk", .names = "carrier.example.hk", .key = pki_key(3)});
    ASN1_IA5STRING *comment = ASN1_IA5STRING_new();
    ASN1_STRING_set(comment, inside, -1);
    X509_add1_ext_i2d(carrier, NID_netscape_comment, comment, 0, X509V3_ADD_DEFAULT);
    X509_sign(carrier, pki_key(3), EVP_sha256());
    ASN1_IA5STRING_free(comment);
    uint8_t *carrying;
    size_t c = pki_der(carrier, &carrying);
    struct issued *i = NULL;
    struct cert_facts f;
    assert_true(issued_read(&i, carrying, c, NULL));
    assert_true(issued_facts(i, 0, &f, NULL));
    assert_string_equal(f.cn, "carrier.example.hk");
    cert_facts_clear(&f);
    issued_free(i);
    free(inside);
    free(carrying);
    joined[n] = 'x';
    expect("der and junk", joined, n + m, 0);
    free(der);
    free(other);
    free(p7);
    free(p7pem);
    free(named);
    free(cms);
    free(joined);
}

static void refuses(void **state)
{
    (void)state;
    char *pem = pki_pem(leaf), *cut = mem_copy(pem, strlen(pem) - 40), *bent = replaced(pem, "\nMII", "\n*!I");
    char *trusted = replaced(pem, "CERTIFICATE", "TRUSTED CERTIFICATE"),
         *csr = pki_csr(pki_key(2), "www.example.hk", NULL, "CERTIFICATE REQUEST");
    struct secret key = {0};
    pki_secret(pki_key(2), &key);
    char *with_key = mem_fmt("%s%s", pem, (char *)key.p);
    struct {
        const char *text, *code, *says;
    } rows[] = {
        {"", "CERT_READ", "empty"},
        {" \r\n", "CERT_READ", "empty"},
        {"<!DOCTYPE html><html>", "CERT_READ", "web page"},
        {"\n<HTML><head>", "CERT_READ", "web page"},
        {"hello there", "CERT_READ", "neither"},
        {"\xff\xfe-", "CERT_READ", "UTF-16"},
        {cut, "CERT_READ", "cut off"},
        {bent, "CERT_READ", "damaged"},
        {trusted, "CERT_READ", "TRUSTED"},
        {csr, "CERT_READ", "signing request"},
        {with_key, "CERT_PRIVATE_KEY", "PRIVATE KEY"},
        {(char *)key.p, "CERT_PRIVATE_KEY", "PRIVATE KEY"},
        {"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "CERT_READ", "damaged"},
        {"<html>-----BEGIN CERTIFICATE-----<br>MIIB<br>-----END CERTIFICATE-----</html>", "CERT_READ", "web page"},
        {"0\x03\x02\x01\x01", "CERT_READ", "neither"},
        {"-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n", "CERT_READ", "no certificate in it"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = {0};
        assert_int_equal(read_count(rows[i].text, strlen(rows[i].text), &e), 0);
        assert_int_equal(e.rc, RC_CA);
        if (strcmp(e.code, rows[i].code) || !strstr(e.text, rows[i].says))
            fail_msg("row %zu: %s: %s", i, e.code, e.text);
    }
    struct err e = {0};
    char *big = mem_new((1 << 20) + 1);
    assert_int_equal(read_count(big, (1 << 20) + 1, &e), 0);
    assert_non_null(strstr(e.text, "1 MiB"));
    char *made[] = {pem, cut, bent, trusted, csr, with_key, big};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        free(made[i]);
    secret_free(&key);
}

static void refuses_binary_keys(void **state)
{
    (void)state;
    unsigned char *der = NULL;
    struct err e = {0};
    int n = i2d_PrivateKey(pki_key(2), &der);
    assert_int_equal(read_count(der, (size_t)n, &e), 0);
    assert_string_equal(e.code, "CERT_PRIVATE_KEY");
    OPENSSL_free(der);
    der = NULL;
    PKCS12 *p12 = PKCS12_create("x", NULL, pki_key(2), leaf, NULL, 0, 0, 1, 1, 0);
    n = i2d_PKCS12(p12, &der);
    e = (struct err){0};
    assert_int_equal(read_count(der, (size_t)n, &e), 0);
    assert_non_null(strstr(e.text, "PFX"));
    OPENSSL_free(der);
    PKCS12_free(p12);
}

static void keeps_to_limits(void **state)
{
    (void)state;
    struct issued *i = NULL;
    struct err e = {0};
    struct str many = STR_INIT(1 << 20);
    X509 *x[65];
    for (size_t k = 0; k < 65; k++)
        x[k] = pki_cert(&(struct pki_spec){.cn = "many", .key = pki_key(3)});
    char *first = pki_bundle(x, 60), *more = pki_bundle(x + 60, 5), *few = pki_bundle(x + 58, 6);
    assert_true(issued_read(&i, first, strlen(first), &e));
    assert_false(issued_read(&i, more, strlen(more), &e));
    assert_string_equal(e.code, "CERT_READ");
    assert_int_equal(issued_count(i), 60); /* all or nothing */
    assert_true(issued_read(&i, few, strlen(few), NULL));
    assert_int_equal(issued_count(i), 64);
    assert_false(issued_read(&i, "junk", 4, NULL));
    assert_int_equal(issued_count(i), 64);
    char *all = pki_bundle(x, 65);
    struct issued *j = NULL;
    assert_false(issued_read(&j, all, strlen(all), NULL));
    assert_null(j);
    issued_free(i);
    issued_free(NULL);
    assert_int_equal(issued_count(NULL), 0);
    str_free(&many);
    free(first);
    free(more);
    free(few);
    free(all);
}

static void tells_facts(void **state)
{
    (void)state;
    X509 *all[] = {inter, leaf},
         *odd = pki_cert(&(struct pki_spec){.cn = "電子核證.GOV.hk", .o = "香港\x1b[31m郵政", .eku = "clientAuth", .key = pki_key(4)});
    X509 *more[] = {
        odd, pki_cert(&(struct pki_spec){.cn = "x", .names = "WWW.Example.HK,*.example.hk,not..host,www.example.hk", .key = pki_key(4)})};
    char *pem = pki_bundle(all, 2), *second = pki_bundle(more, 2), spki[65];
    struct issued *i = NULL;
    struct err e = {0};
    struct cert_facts f;
    assert_true(issued_read(&i, pem, strlen(pem), &e) && issued_read(&i, second, strlen(second), &e));
    assert_true(issued_facts(i, 1, &f, &e));
    pki_spki(pki_key(2), spki);
    assert_string_equal(f.serial, "01ab");
    assert_string_equal(f.spki, spki);
    assert_int_equal(strlen(f.fingerprint), 64);
    assert_int_equal(f.not_before, PKI_NOW - 10 * DAYS);
    assert_int_equal(f.not_after, PKI_NOW + 180 * DAYS);
    assert_int_equal(f.names.n, 2);
    assert_string_equal(f.cn, "www.example.hk");
    assert_string_equal(f.organisation, "Example Limited");
    assert_string_equal(f.subject, "CN=www.example.hk,O=Example Limited,C=HK");
    assert_string_equal(f.issuer, "CN=Test CA 3 - 17,C=HK");
    assert_true(f.server_auth && f.eku_present && !f.ca);
    cert_facts_clear(&f);
    assert_true(issued_facts(i, 0, &f, &e));
    assert_true(f.ca);
    cert_facts_clear(&f);
    assert_true(issued_facts(i, 2, &f, &e));
    assert_string_equal(f.names.s[0], "xn--i8s431aqn1ad1j.gov.hk"); /* no SAN: the CN */
    assert_null(strchr(f.organisation, '\x1b'));
    assert_null(strchr(f.subject, '\x1b'));
    assert_true(!f.server_auth && f.eku_present);
    cert_facts_clear(&f);
    assert_true(issued_facts(i, 3, &f, &e));
    assert_int_equal(f.names.n, 3);
    assert_true(strs_has(&f.names, "www.example.hk") && strs_has(&f.names, "*.example.hk") && strs_has(&f.names, "not..host"));
    assert_true(f.server_auth && !f.eku_present);
    cert_facts_clear(&f);
    assert_false(issued_facts(i, 4, &f, &e));
    assert_int_equal(e.rc, RC_BUG);
    char *back = issued_pem(i, 1), *first = pki_pem(leaf);
    assert_memory_equal(back, first, strlen(first));
    struct issued *again = NULL;
    assert_true(issued_read(&again, back, strlen(back), NULL));
    assert_int_equal(issued_count(again), 4);
    issued_free(again);
    issued_free(i);
    free(back);
    free(first);
    free(pem);
    free(second);
}

struct check_row {
    const char *what;
    struct pki_spec cert;
    const char *ordered, *organisation;
    int64_t longest;
    const char *code, *says; /* NULL: accepted */
};

static void check_one(const struct check_row *r)
{
    struct pki_spec s = r->cert;
    struct issued *i = NULL;
    struct err e = {0};
    struct strs names = {0};
    char spki[65];
    size_t at = 99;
    s.issuer = inter;
    s.issuer_key = pki_key(1);
    s.key = s.key ? s.key : pki_key(5);
    X509 *all[] = {inter, pki_cert(&s), root};
    char *pem = pki_bundle(all, 3);
    assert_true(issued_read(&i, pem, strlen(pem), &e));
    strs_split(&names, r->ordered);
    pki_spki(pki_key(5), spki);
    struct ordered o = {.spki = spki, .names = &names, .organisation = r->organisation, .now = PKI_NOW, .longest = r->longest};
    bool ok = issued_check(i, &o, &at, &e);
    if (ok != !r->code || (!ok && (strcmp(e.code, r->code) || e.rc != RC_CA || !strstr(e.text, r->says))))
        fail_msg("%s: %d %s: %s", r->what, ok, e.code ? e.code : "", e.text);
    if (ok)
        assert_int_equal(at, 1);
    issued_free(i);
    strs_free(&names);
    free(pem);
}

static void checks_the_order(void **state)
{
    (void)state;
#define GOOD .cn = "www.example.hk", .o = "Example  LIMITED", .names = "www.example.hk,example.hk", .eku = "serverAuth"
    const int64_t from = PKI_NOW - DAYS;
    const struct check_row rows[] = {
        {"good", {GOOD}, "www.example.hk example.hk", NULL, 0, NULL, NULL},
        {"other order", {GOOD}, "example.hk www.example.hk example.hk", "", 0, NULL, NULL},
        {"no EKU", {.cn = "a.hk", .names = "a.hk"}, "a.hk", NULL, 0, NULL, NULL},
        {"no SAN", {.cn = "a.hk"}, "a.hk", NULL, 0, NULL, NULL},
        {"wildcard", {.cn = "*.a.hk", .names = "*.A.hk,a.hk"}, "*.a.hk a.hk", NULL, 0, NULL, NULL},
        {"wildcard alone", {.cn = "*.a.hk", .names = "*.a.hk"}, "*.a.hk a.hk", NULL, 0, "CERT_NAMES", "missing: a.hk"},
        {"idn", {.cn = "x", .names = "www.xn--i8s431aqn1ad1j.gov.hk"}, "www.xn--i8s431aqn1ad1j.gov.hk", NULL, 0, NULL, NULL},
        {"idn CN", {.cn = "www.電子核證.gov.hk"}, "www.xn--i8s431aqn1ad1j.gov.hk", NULL, 0, NULL, NULL},
        {"missing", {GOOD}, "www.example.hk example.hk shop.example.hk", NULL, 0, "CERT_NAMES", "missing: shop.example.hk"},
        {"extra", {GOOD}, "www.example.hk", NULL, 0, "CERT_NAMES", "not ordered: example.hk"},
        {"both", {.cn = "a.hk", .names = "a.hk,b.hk,c.hk,d.hk,e.hk,f.hk"}, "z.hk", NULL, 0, "CERT_NAMES", "and 2 more"},
        {"key", {GOOD, .key = pki_key(6)}, "www.example.hk example.hk", NULL, 0, "CERT_KEY", "www.example.hk"},
        {"organisation", {GOOD}, "www.example.hk example.hk", " example limited ", 0, NULL, NULL},
        {"wrong organisation", {GOOD}, "www.example.hk example.hk", "Example Ltd", 0, "CERT_ORGANISATION", "Example Ltd"},
        {"no organisation", {.cn = "a.hk"}, "a.hk", "Example Ltd", 0, "CERT_ORGANISATION", "Example Ltd"},
        {"chinese organisation", {.cn = "a.hk", .o = "電子核證\u3000有限公司"}, "a.hk", "電子核證 有限公司", 0, NULL, NULL},
        {"expired", {GOOD, .to = PKI_NOW - 1}, "www.example.hk example.hk", NULL, 0, "CERT_EXPIRED", "ended"},
        {"last second", {GOOD, .to = PKI_NOW}, "www.example.hk example.hk", NULL, 0, NULL, NULL},
        {"not yet", {GOOD, .from = PKI_NOW + DAYS + 1}, "www.example.hk example.hk", NULL, 0, "CERT_NOT_YET", "valid from"},
        {"tomorrow", {GOOD, .from = PKI_NOW + DAYS}, "www.example.hk example.hk", NULL, 0, NULL, NULL},
        {"backwards",
         {GOOD, .from = PKI_NOW + 100, .to = PKI_NOW + 50},
         "www.example.hk example.hk",
         NULL,
         0,
         "CERT_EXPIRED",
         "before it begins"},
        {"as long as allowed",
         {GOOD, .from = from, .to = from + 200 * DAYS - 1},
         "www.example.hk example.hk",
         NULL,
         200 * DAYS,
         NULL,
         NULL},
        {"a second too long",
         {GOOD, .from = from, .to = from + 200 * DAYS},
         "www.example.hk example.hk",
         NULL,
         200 * DAYS,
         "CERT_TOO_LONG",
         "200 days and 1 s"},
        {"client", {.cn = "a.hk", .eku = "clientAuth"}, "a.hk", NULL, 0, "CERT_EKU", "serverAuth"},
        {"any EKU", {.cn = "a.hk", .eku = "anyExtendedKeyUsage"}, "a.hk", NULL, 0, NULL, NULL},
        {"CA", {.cn = "a.hk", .ca = true}, "a.hk", NULL, 0, "CERT_IS_CA", "CA certificate"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_one(&rows[i]);
}

/* A key that is used again: the newest certificate that is as ordered. */
static void takes_the_newest(void **state)
{
    (void)state;
    struct issued *i = NULL;
    struct err e = {0};
    struct strs names = {0};
    char spki[65];
    size_t at = 99;
    X509 *all[] = {pki_cert(&(struct pki_spec){.cn = "a.hk", .key = pki_key(7), .from = PKI_NOW - 300}),
                   pki_cert(&(struct pki_spec){.cn = "a.hk", .key = pki_key(7), .from = PKI_NOW - 100}),
                   pki_cert(&(struct pki_spec){.cn = "a.hk", .key = pki_key(7), .from = PKI_NOW - 200}),
                   pki_cert(&(struct pki_spec){.cn = "b.hk", .key = pki_key(7), .from = PKI_NOW - 50})};
    char *pem = pki_bundle(all, 4);
    assert_true(issued_read(&i, pem, strlen(pem), &e));
    pki_spki(pki_key(7), spki);
    strs_add(&names, "a.hk");
    struct ordered o = {.spki = spki, .names = &names, .now = PKI_NOW};
    assert_true(issued_check(i, &o, &at, &e));
    assert_int_equal(at, 1);
    strs_free(&names);
    strs_add(&names, "c.hk");
    assert_false(issued_check(i, &o, &at, &e));
    assert_non_null(strstr(e.text, "not ordered: b.hk"));
    strs_free(&names);
    issued_free(i);
    free(pem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_text_forms),    cmocka_unit_test(reads_binary_forms), cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_binary_keys), cmocka_unit_test(keeps_to_limits),    cmocka_unit_test(tells_facts),
        cmocka_unit_test(checks_the_order),    cmocka_unit_test(takes_the_newest),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
