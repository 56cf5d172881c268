#include "cert/csr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/x509v3.h>

#include "cert/key.h"
#include "tests/unit/pki.c"

static int end(void **state)
{
    (void)state;
    pki_free();
    return 0;
}

static void list(struct strs *l, const char *text)
{
    *l = (struct strs){0};
    strs_split(l, text);
}

static char *subject_of(const struct csr *c)
{
    const unsigned char *p = c->der;
    X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)c->n);
    assert_non_null(req);
    BIO *b = BIO_new(BIO_s_mem());
    X509_NAME_print_ex(b, X509_REQ_get_subject_name(req), 0,
                       (XN_FLAG_ONELINE & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) & ~(unsigned long)XN_FLAG_SPC_EQ);
    X509_REQ_free(req);
    return pki_text(b);
}

static void makes(void **state)
{
    (void)state;
    static const char long_cn[] = "a123456789012345678901234567890.b123456789012345678901234567890.example.hk"; /* over 64 */
    static const struct {
        const char *names, *subject, *cn, *shown;
    } rows[] = {
        {"www.example.hk example.hk", NULL, "www.example.hk", "CN=www.example.hk"},
        {"*.example.hk example.hk", "", "*.example.hk", "CN=*.example.hk"},
        {long_cn, NULL, "", ""},
        {"www.xn--fiqs8s", "C=HK, ST=Hong Kong, L=Hong Kong, O=Example Limited, OU=IT", "www.xn--fiqs8s",
         "C=HK, ST=Hong Kong, L=Hong Kong, O=Example Limited, OU=IT, CN=www.xn--fiqs8s"},
        {"a.hk", "O=Lam\\, Chan \\26 Co.,o u=x", NULL, NULL},
        {"a.hk", "O=Lam\\, Chan \\26 Co.,OU=甲,OU=\\ x\\ ", "a.hk", "O=\"Lam, Chan & Co.\", OU=甲, OU=\" x \", CN=a.hk"},
    };
    for (int k = 0; k < 2; k++) {
        struct secret key = {0};
        char spki[65];
        pki_secret(k ? pki_rsa(2048) : pki_key(0), &key);
        pki_spki(k ? pki_rsa(2048) : pki_key(0), spki);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct strs names;
            struct csr c, back;
            struct err e = {0};
            list(&names, rows[i].names);
            assert_int_equal(csr_make(&key, &names, rows[i].subject, &c, &e), rows[i].cn != NULL);
            if (rows[i].cn) {
                assert_string_equal(c.cn, rows[i].cn);
                assert_string_equal(c.spki, spki);
                char *shown = subject_of(&c);
                assert_string_equal(shown, rows[i].shown);
                free(shown);
                assert_true(csr_read(c.der, c.n, &back, &e));
                assert_true(strs_equal_sets(&back.names, &names));
                assert_string_equal(back.cn, c.cn);
                assert_string_equal(back.spki, spki);
                csr_clear(&back);
            } else {
                assert_string_equal(e.code, "SUBJECT");
            }
            csr_clear(&c);
            strs_free(&names);
        }
        secret_free(&key);
    }
}

/* Key and request made at once belong together. */
static void makes_with_key(void **state)
{
    (void)state;
    static const enum key_type kinds[] = {KEY_P256, KEY_P384, KEY_RSA2048};
    struct strs names, none = {0};
    struct err e = {0};
    list(&names, "a.example.hk b.example.hk");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct secret key = {0};
        struct csr c = {0}, back, again;
        char spki[65], word[16];
        assert_true(csr_with_key(kinds[i], &names, "O=Example", &key, &c, &e));
        assert_true(key_check(&key, &e) && key_spki(&key, spki, &e) && key_type_of(&key, word, &e));
        assert_string_equal(word, key_type_words[kinds[i]]);
        assert_string_equal(c.spki, spki);
        assert_true(csr_read(c.der, c.n, &back, &e));
        assert_string_equal(back.spki, spki);
        assert_true(strs_equal_sets(&back.names, &names));
        assert_true(csr_make(&key, &names, "O=Example", &again, &e));
        assert_string_equal(again.spki, spki);
        csr_clear(&again);
        csr_clear(&back);
        csr_clear(&c);
        secret_free(&key);
    }
    struct secret key = {0};
    struct csr c = {0};
    assert_false(csr_with_key(KEY_P256, &none, NULL, &key, &c, &e));
    assert_string_equal(e.code, "CSR_NAMES");
    assert_null(c.der);
    secret_free(&key);
    strs_free(&names);
}

/* What stands in a name cannot become a second name. */
static void injects_nothing(void **state)
{
    (void)state;
    struct strs names = {0};
    struct secret key = {0};
    struct csr c;
    struct err e = {0};
    strs_add(&names, "a.example,DNS:evil.example");
    pki_secret(pki_key(0), &key);
    assert_true(csr_make(&key, &names, NULL, &c, &e));
    const unsigned char *p = c.der;
    X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)c.n);
    STACK_OF(X509_EXTENSION) *ext = X509_REQ_get_extensions(req);
    GENERAL_NAMES *san = X509V3_get_d2i(ext, NID_subject_alt_name, NULL, NULL);
    assert_int_equal(sk_GENERAL_NAME_num(san), 1);
    GENERAL_NAMES_free(san);
    sk_X509_EXTENSION_pop_free(ext, X509_EXTENSION_free);
    X509_REQ_free(req);
    struct csr back;
    assert_false(csr_read(c.der, c.n, &back, &e));
    assert_string_equal(e.code, "CSR_NAMES");
    csr_clear(&c);
    secret_free(&key);
    strs_free(&names);
}

static void reads_files(void **state)
{
    (void)state;
    char *pem = pki_csr(pki_rsa(2048), "電子核證.gov.hk", NULL, "NEW CERTIFICATE REQUEST");
    char *plain = pki_csr(pki_key(0), "WWW.Example.HK.", "www.example.hk,Example.HK", "CERTIFICATE REQUEST");
    struct str crlf = STR_INIT(65536);
    str_add(&crlf, "\xef\xbb\xbfOur request:\r\n");
    for (const char *p = pem; *p; p++)
        str_fmt(&crlf, *p == '\n' ? "\r\n" : "%c", *p);
    struct csr c;
    struct err e = {0};
    assert_true(csr_read(crlf.p, crlf.n, &c, &e));
    assert_string_equal(c.cn, "xn--i8s431aqn1ad1j.gov.hk");
    assert_int_equal(c.names.n, 0);
    csr_clear(&c);
    assert_true(csr_read(plain, strlen(plain), &c, &e));
    assert_string_equal(c.cn, "www.example.hk");
    assert_int_equal(c.names.n, 2);
    assert_string_equal(c.names.s[1], "example.hk");
    struct str again = STR_INIT(65536);
    assert_true(csr_pem(c.der, c.n, &again));
    assert_string_equal(again.p, plain);
    assert_false(csr_pem(c.der, 0, &again));
    csr_clear(&c);
    str_free(&again);
    str_free(&crlf);
    free(pem);
    free(plain);
}

static void refuses(void **state)
{
    (void)state;
    struct secret key = {0};
    pki_secret(pki_key(0), &key);
    EVP_PKEY *k1 = EVP_EC_gen("secp256k1");
    char *weak = pki_csr(pki_rsa(1024), "a.hk", NULL, "CERTIFICATE REQUEST"), *curve = pki_csr(k1, "a.hk", NULL, "CERTIFICATE REQUEST");
    char *odd = pki_csr(pki_key(0), "a.hk", "a_b..hk", "CERTIFICATE REQUEST"),
         *bent = pki_csr(pki_key(0), "a.hk", NULL, "CERTIFICATE REQUEST");
    char *cut = pki_csr(pki_key(0), "a.hk", NULL, "CERTIFICATE REQUEST");
    *strstr(cut, "-----END") = '\0';
    char *end_at = strstr(bent, "-----END") - 12; /* in the signature */
    *end_at = *end_at == 'A' ? 'B' : 'A';
    struct {
        const char *text, *code, *says;
    } rows[] = {
        {weak, "CSR_KEY", "rsa1024"},
        {curve, "CSR_KEY", "secp256k1"},
        {odd, "CSR_NAMES", "a_b..hk"},
        {bent, "CSR_", ""},
        {cut, "CSR_READ", "cut off"},
        {"", "CSR_READ", "empty"},
        {"\xff\xfe-\0", "CSR_READ", "UTF-16"},
        {"<html><body>", "CSR_READ", "web page"},
        {(char *)key.p, "CSR_READ", "private key"},
        {"hello", "CSR_READ", "PKCS#10"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct csr c;
        struct err e = {0};
        if (csr_read(rows[i].text, strlen(rows[i].text), &c, &e))
            fail_msg("row %zu was read", i);
        assert_int_equal(e.rc, RC_CONF);
        if (strncmp(e.code, rows[i].code, strlen(rows[i].code)) || !strstr(e.text, rows[i].says))
            fail_msg("row %zu: %s: %s", i, e.code, e.text);
        assert_null(c.der);
    }
    struct csr c;
    struct err e = {0};
    char *big = mem_new(70000);
    assert_false(csr_read(big, 70000, &c, &e));
    struct strs none = {0};
    assert_false(csr_make(&key, &none, NULL, &c, &e));
    free(big);
    free(weak);
    free(curve);
    free(odd);
    free(bent);
    free(cut);
    EVP_PKEY_free(k1);
    secret_free(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes),       cmocka_unit_test(makes_with_key), cmocka_unit_test(injects_nothing),
        cmocka_unit_test(reads_files), cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
