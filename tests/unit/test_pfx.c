#include "cert/pfx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/objects.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

#include "cert/key.h"
#include "tests/unit/pki.c"

static X509 *root, *inter, *leaf;
static struct secret key, password;

static int begin(void **state)
{
    (void)state;
    root = pki_cert(&(struct pki_spec){.cn = "Test Root", .ca = true, .key = pki_key(0)});
    inter = pki_cert(&(struct pki_spec){.cn = "Test CA", .ca = true, .key = pki_key(1), .issuer = root, .issuer_key = pki_key(0)});
    leaf = pki_cert(&(struct pki_spec){.cn = "www.example.hk", .key = pki_rsa(2048), .issuer = inter, .issuer_key = pki_key(1)});
    pki_secret(pki_rsa(2048), &key);
    secret_set(&password, "pässwört 密", strlen("pässwört 密"));
    return 0;
}

static int end(void **state)
{
    (void)state;
    secret_free(&key);
    secret_free(&password);
    pki_free();
    return 0;
}

static void there_and_back(enum pfx_encryption how, bool with_certs)
{
    char *cert = pki_pem(leaf), *chain = pki_pem(inter), *certs = NULL, *all = mem_fmt("%s%s", cert, chain), spki[65], before[65];
    uint8_t *p = NULL;
    size_t n = 0;
    struct secret back = {0};
    struct err e = {0};
    if (!pfx_make(&key, with_certs ? cert : NULL, with_certs ? chain : NULL, &password, "www.example.hk 電子", how, &p, &n, &e))
        fail_msg("%s", e.text);
    if (!pfx_read(p, n, &password, &back, &certs, &e))
        fail_msg("%s", e.text);
    assert_true(key_spki(&back, spki, &e) && key_spki(&key, before, &e));
    assert_string_equal(spki, before);
    if (with_certs)
        assert_string_equal(certs, all);
    else
        assert_null(certs);
    secret_free(&back);
    struct secret wrong = {0};
    secret_set(&wrong, "wrong", 5);
    free(certs);
    assert_false(pfx_read(p, n, &wrong, &back, &certs, &e));
    assert_int_equal(e.rc, RC_FAILED);
    assert_string_equal(e.code, "PFX_PASSWORD");
    assert_null(back.p);
    secret_free(&wrong);
    free(p);
    free(cert);
    free(chain);
    free(all);
}

static void reads_what_it_makes(void **state)
{
    (void)state;
    there_and_back(PFX_AES256, true);
    there_and_back(PFX_AES256, false);
    there_and_back(PFX_3DES, true);
    there_and_back(PFX_3DES, false);
}

static char *text_of_alg(const X509_ALGOR *a)
{
    const ASN1_OBJECT *o;
    X509_ALGOR_get0(&o, NULL, NULL, a);
    return mem_str(OBJ_nid2sn(OBJ_obj2nid(o)));
}

/* What an old and a new Windows would see in it. */
static void algorithms(void **state)
{
    (void)state;
    static const struct {
        enum pfx_encryption how;
        const char *mac, *pbe;
        long rounds;
    } rows[] = {{PFX_AES256, "SHA256", "PBES2", 100000}, {PFX_3DES, "SHA1", "PBE-SHA1-3DES", 2048}};
    char *cert = pki_pem(leaf);
    for (size_t i = 0; i < 2; i++) {
        uint8_t *p = NULL;
        size_t n = 0;
        struct err e = {0};
        assert_true(pfx_make(&key, cert, NULL, &password, NULL, rows[i].how, &p, &n, &e));
        const unsigned char *at = p;
        PKCS12 *p12 = d2i_PKCS12(NULL, &at, (long)n);
        assert_non_null(p12);
        const X509_ALGOR *mac;
        const ASN1_INTEGER *rounds;
        PKCS12_get0_mac(NULL, &mac, NULL, &rounds, p12);
        char *name = text_of_alg(mac);
        assert_string_equal(name, rows[i].mac);
        assert_int_equal(ASN1_INTEGER_get(rounds), rows[i].rounds);
        free(name);
        STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(p12);
        size_t encrypted = 0;
        for (int k = 0; k < sk_PKCS7_num(safes); k++) {
            PKCS7 *p7 = sk_PKCS7_value(safes, k);
            if (!PKCS7_type_is_encrypted(p7))
                continue;
            encrypted++;
            name = text_of_alg(p7->d.encrypted->enc_data->algorithm);
            assert_string_equal(name, rows[i].pbe);
            free(name);
        }
        assert_int_equal(encrypted, 1);
        sk_PKCS7_pop_free(safes, PKCS7_free);
        PKCS12_free(p12);
        free(p);
    }
    free(cert);
}

static void refuses(void **state)
{
    (void)state;
    struct secret empty = {0}, nul = {0}, other = {0}, bad = {0}, back = {0};
    char *cert = pki_pem(leaf), *certs = NULL;
    uint8_t *p = NULL;
    size_t n = 0;
    secret_set(&empty, "", 0);
    secret_set(&nul, "a\0b", 3);
    secret_set(&bad, "rubbish", 7);
    pki_secret(pki_key(3), &other);
    struct {
        const struct secret *key, *password;
        const char *cert, *code;
    } rows[] = {
        {&key, &empty, cert, "PFX_PASSWORD"},
        {&key, NULL, cert, "PFX_PASSWORD"},
        {&key, &nul, cert, "PFX_PASSWORD"},
        {&other, &password, cert, "PFX_MAKE"},
        {&bad, &password, cert, "KEY_BAD"},
        {&key, &password, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "PFX_MAKE"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = {0};
        assert_false(pfx_make(rows[i].key, rows[i].cert, NULL, rows[i].password, NULL, PFX_AES256, &p, &n, &e));
        assert_string_equal(e.code, rows[i].code);
        assert_null(p);
    }
    static const char *const files[] = {"", "rubbish", "0\x03\x02\x01\x03", "-----BEGIN CERTIFICATE-----"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct err e = {0};
        assert_false(pfx_read(files[i], strlen(files[i]), &password, &back, &certs, &e));
        assert_string_equal(e.code, "PFX_READ");
        assert_null(certs);
    }
    assert_true(pfx_make(&key, cert, NULL, &password, NULL, PFX_AES256, &p, &n, NULL));
    struct err e = {0};
    assert_false(pfx_read(p, n - 20, &password, &back, &certs, &e)); /* cut off */
    assert_string_equal(e.code, "PFX_READ");
    free(p);
    free(cert);
    secret_free(&empty);
    secret_free(&nul);
    secret_free(&other);
    secret_free(&bad);
}

/* No private key in it, and one without a password. */
static void odd_files(void **state)
{
    (void)state;
    unsigned char *der = NULL;
    struct secret back = {0};
    char *certs = NULL;
    struct err e = {0};
    PKCS12 *p12 = PKCS12_create("pw", NULL, NULL, leaf, NULL, 0, 0, 1000, 1000, 0);
    int n = i2d_PKCS12(p12, &der);
    struct secret pw = {0};
    secret_set(&pw, "pw", 2);
    assert_false(pfx_read(der, (size_t)n, &pw, &back, &certs, &e));
    assert_string_equal(e.code, "PFX_READ");
    assert_non_null(strstr(e.text, "no private key"));
    PKCS12_free(p12);
    OPENSSL_free(der);
    der = NULL;
    p12 = PKCS12_create("", NULL, pki_rsa(2048), leaf, NULL, 0, 0, 1000, 1000, 0);
    n = i2d_PKCS12(p12, &der);
    e = (struct err){0};
    if (!pfx_read(der, (size_t)n, NULL, &back, NULL, &e))
        fail_msg("%s", e.text);
    PKCS12_free(p12);
    OPENSSL_free(der);
    secret_free(&back);
    secret_free(&pw);
}

/* As Windows wrote them for long: certificates under RC2-40. */
static void old_windows(void **state)
{
    (void)state;
    OSSL_LIB_CTX *ctx = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *normal = OSSL_PROVIDER_load(ctx, "default"), *legacy = OSSL_PROVIDER_load(ctx, "legacy");
    if (!legacy) {
        OSSL_PROVIDER_unload(normal);
        OSSL_LIB_CTX_free(ctx);
        skip();
    }
    PKCS12 *p12 = PKCS12_create_ex("pw", NULL, pki_rsa(2048), leaf, NULL, NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
                                   NID_pbe_WithSHA1And40BitRC2_CBC, 2000, -1, 0, ctx, NULL);
    assert_non_null(p12);
    assert_int_equal(PKCS12_set_mac(p12, "pw", -1, NULL, 0, 2000, EVP_sha1()), 1);
    unsigned char *der = NULL;
    int n = i2d_PKCS12(p12, &der);
    struct secret pw = {0}, back = {0};
    struct err e = {0};
    char *certs = NULL, *cert = pki_pem(leaf);
    secret_set(&pw, "pw", 2);
    if (!pfx_read(der, (size_t)n, &pw, &back, &certs, &e))
        fail_msg("%s", e.text);
    assert_string_equal(certs, cert);
    secret_free(&pw);
    secret_free(&back);
    free(certs);
    free(cert);
    OPENSSL_free(der);
    PKCS12_free(p12);
    OSSL_PROVIDER_unload(legacy);
    OSSL_PROVIDER_unload(normal);
    OSSL_LIB_CTX_free(ctx);
}

/* --- bag by bag: what a maker of files can put together ---------------------------------------------------------------------------------- */

enum { ROUNDS = 1000 };

static PKCS12_SAFEBAG *key_bag(EVP_PKEY *k)
{
    PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(k);
    PKCS12_SAFEBAG *b = PKCS12_SAFEBAG_create0_p8inf(p8);
    assert_non_null(b);
    return b;
}

/* Keys and certificates in one safe without encryption, under a MAC with the password "pw". */
static size_t build(PKCS12_SAFEBAG *const *bag, size_t n, uint8_t **out)
{
    STACK_OF(PKCS12_SAFEBAG) *bags = sk_PKCS12_SAFEBAG_new_null();
    STACK_OF(PKCS7) *safes = NULL;
    for (size_t i = 0; i < n; i++)
        sk_PKCS12_SAFEBAG_push(bags, bag[i]);
    assert_int_equal(PKCS12_add_safe(&safes, bags, -1, ROUNDS, NULL), 1);
    PKCS12 *p12 = PKCS12_add_safes(safes, 0);
    assert_int_equal(PKCS12_set_mac(p12, "pw", -1, NULL, 0, ROUNDS, NULL), 1);
    *out = NULL;
    int size = i2d_PKCS12(p12, out);
    PKCS12_free(p12);
    sk_PKCS7_pop_free(safes, PKCS7_free);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    return (size_t)size;
}

static void read_gives(const uint8_t *p, size_t n, const char *code, const char *certs_wanted)
{
    struct secret pw = {0}, back = {0};
    struct err e = {0};
    char *certs = NULL;
    secret_set(&pw, "pw", 2);
    bool ok = pfx_read(p, n, &pw, &back, &certs, &e);
    if (ok != !code || (code && strcmp(e.code, code) != 0))
        fail_msg("wanted %s: %s %s", code ? code : "success", ok ? "" : e.code, e.text);
    if (ok && certs_wanted)
        assert_string_equal(certs, certs_wanted);
    if (!ok) {
        assert_null(back.p);
        assert_null(certs);
    }
    secret_free(&back);
    secret_free(&pw);
    free(certs);
}

static void keys_and_certificates(void **state)
{
    (void)state;
    char *own = pki_pem(leaf), *above = pki_pem(inter), *top = pki_pem(root), *sorted = mem_fmt("%s%s%s", own, top, above);
    uint8_t *p;
    size_t n = build((PKCS12_SAFEBAG *[]){key_bag(pki_rsa(2048)), key_bag(pki_key(3))}, 2, &p);
    read_gives(p, n, "PFX_KEYS", NULL);
    OPENSSL_free(p);
    n = build((PKCS12_SAFEBAG *[]){key_bag(pki_rsa(2048)), key_bag(pki_rsa(2048)), PKCS12_SAFEBAG_create_cert(leaf)}, 3,
              &p); /* twice the same */
    read_gives(p, n, NULL, own);
    OPENSSL_free(p);
    n = build((PKCS12_SAFEBAG *[]){key_bag(pki_key(3)), PKCS12_SAFEBAG_create_cert(leaf), PKCS12_SAFEBAG_create_cert(inter)}, 3, &p);
    read_gives(p, n, "PFX_KEY", NULL);
    OPENSSL_free(p);
    /* Several certificates in any order, no local key id. */
    n = build((PKCS12_SAFEBAG *[]){PKCS12_SAFEBAG_create_cert(root), PKCS12_SAFEBAG_create_cert(inter), PKCS12_SAFEBAG_create_cert(leaf),
                                   key_bag(pki_rsa(2048))},
              4, &p);
    read_gives(p, n, NULL, sorted);
    for (size_t cut = 0; cut < n; cut += 37) { /* cut off anywhere: never more than an error */
        struct err e = {0};
        struct secret back = {0};
        assert_false(pfx_read(p, cut, &password, &back, NULL, &e));
    }
    OPENSSL_free(p);
    free(own);
    free(above);
    free(top);
    free(sorted);
}

/* Rounds that would take years: refused before they begin. The count, one that is found nowhere else, is written over. */
static void absurd_rounds(void **state)
{
    (void)state;
    static const unsigned char small[] = {0x02, 0x04, 0x00, 0x9a, 0xbc, 0xde}, huge[] = {0x02, 0x04, 0x7f, 0xff, 0xff, 0xff};
    enum { ODD_ROUNDS = 0x9abcde };
    for (int old = 0; old < 2; old++) {
        unsigned char *der = NULL;
        X509_ALGOR *how = old ? PKCS5_pbe_set(NID_pbe_WithSHA1And3_Key_TripleDES_CBC, ODD_ROUNDS, NULL, 0)
                              : PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), ODD_ROUNDS, NULL, 0, NULL, NID_hmacWithSHA256);
        size_t size = (size_t)i2d_X509_ALGOR(how, &der);
        unsigned char *at = memmem(der, size, small, sizeof small);
        assert_non_null(at);
        memcpy(at, huge, sizeof huge);
        const unsigned char *p = der;
        X509_ALGOR *hostile = d2i_X509_ALGOR(NULL, &p, (long)size);
        X509_SIG *sig = X509_SIG_new();
        X509_ALGOR *in;
        ASN1_OCTET_STRING *octets;
        X509_SIG_getm(sig, &in, &octets);
        assert_int_equal(X509_ALGOR_copy(in, hostile), 1);
        ASN1_OCTET_STRING_set(octets, (const unsigned char *)"0123456789abcdef", 16);
        uint8_t *file;
        size_t n = build((PKCS12_SAFEBAG *[]){PKCS12_SAFEBAG_create0_pkcs8(sig)}, 1, &file);
        read_gives(file, n, "PFX_READ", NULL);
        OPENSSL_free(file);
        OPENSSL_free(der);
        X509_ALGOR_free(how);
        X509_ALGOR_free(hostile);
    }
}

/* Friendly name, id in common, and for an old Windows where its key goes. */
static void attributes(void **state)
{
    (void)state;
    char *cert = pki_pem(leaf);
    for (int how = PFX_AES256; how <= PFX_3DES; how++) {
        uint8_t *p = NULL;
        size_t n = 0;
        struct err e = {0};
        assert_true(pfx_make(&key, cert, NULL, &password, "商店", (enum pfx_encryption)how, &p, &n, &e));
        const unsigned char *at = p;
        PKCS12 *p12 = d2i_PKCS12(NULL, &at, (long)n);
        STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(p12);
        unsigned named = 0, ids = 0, csp = 0;
        for (int i = 0; i < sk_PKCS7_num(safes); i++) {
            PKCS7 *p7 = sk_PKCS7_value(safes, i);
            STACK_OF(PKCS12_SAFEBAG) *bags =
                PKCS7_type_is_encrypted(p7) ? PKCS12_unpack_p7encdata(p7, (char *)password.p, (int)password.n) : PKCS12_unpack_p7data(p7);
            for (int k = 0; k < sk_PKCS12_SAFEBAG_num(bags); k++) {
                PKCS12_SAFEBAG *b = sk_PKCS12_SAFEBAG_value(bags, k);
                char *name = PKCS12_get_friendlyname(b);
                named += name && strcmp(name, "商店") == 0;
                ids += PKCS12_SAFEBAG_get0_attr(b, NID_localKeyID) != NULL;
                csp += PKCS12_SAFEBAG_get0_attr(b, NID_ms_csp_name) != NULL;
                OPENSSL_free(name);
            }
            sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
        }
        assert_int_equal(named, 2);
        assert_int_equal(ids, 2);
        assert_int_equal(csp, how == PFX_3DES);
        sk_PKCS7_pop_free(safes, PKCS7_free);
        PKCS12_free(p12);
        free(p);
    }
    free(cert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_makes), cmocka_unit_test(algorithms),  cmocka_unit_test(refuses),
        cmocka_unit_test(odd_files),           cmocka_unit_test(old_windows), cmocka_unit_test(keys_and_certificates),
        cmocka_unit_test(absurd_rounds),       cmocka_unit_test(attributes),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
