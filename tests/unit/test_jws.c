/* JWS, JWK, thumbprints and MACs against the examples of RFC 7515, 7638, 8555 and 9773. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "base/base64.h"
#include "base/mem.h"
#include "cert/jws.h"
#include "cert/key.h"
#include "cert/leaf.h"
#include "pki.h"

static struct secret bytes_of(const char *text)
{
    struct secret s = {0};
    assert_true(b64url_read(text, strlen(text), &s));
    return s;
}

static BIGNUM *bn_of(const char *text)
{
    struct secret s = bytes_of(text);
    BIGNUM *bn = BN_bin2bn(s.p, (int)s.n, NULL);
    secret_free(&s);
    return bn;
}

static struct jws_key *open_params(OSSL_PARAM_BLD *b)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params), 1);
    struct secret pem = {0};
    struct err e = {0};
    pki_secret(key, &pem);
    struct jws_key *k = jws_key_open(&pem, &e);
    assert_non_null(k);
    secret_free(&pem);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    return k;
}

static struct jws_key *rsa_example(void)
{
    struct secret pem = {0};
    struct err e = {0};
    secret_set(&pem, pki_rfc_7515, strlen(pki_rfc_7515));
    struct jws_key *k = jws_key_open(&pem, &e);
    assert_non_null(k);
    secret_free(&pem);
    return k;
}

static void rs256_is_rfc_7515_a2(void **state)
{
    (void)state;
    struct jws_key *k = rsa_example();
    static const char payload[] = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
    struct str out = STR_INIT(65536);
    assert_string_equal(jws_alg(k), "RS256");
    assert_true(jws_sign(k, "{\"alg\":\"RS256\"}", (struct bytes){(const uint8_t *)payload, strlen(payload)}, &out, NULL));
    assert_string_equal(str_text(&out),
                        "{\"protected\":\"eyJhbGciOiJSUzI1NiJ9\",\"payload\":"
                        "\"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb2"
                        "90Ijp0cnVlfQ\",\"signature\":\"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_"
                        "lF5YKt_O8W2Fp5jujGbds9uJdb"
                        "F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO-"
                        "-xi12jzDwusC-eOkHWEsqtFZES"
                        "c6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw\"}");
    str_free(&out);
    jws_key_free(k);
}

static void hs256_is_rfc_7515_a1(void **state)
{
    (void)state;
    struct secret key = bytes_of("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
    static const char payload[] = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
    struct bytes p = {(const uint8_t *)payload, strlen(payload)};
    struct str out = STR_INIT(4096);
    struct err e = {0};
    assert_true(jws_mac("HS256", &key, "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}", p, &out, &e));
    assert_non_null(strstr(str_text(&out), "\"signature\":\"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk\"}"));
    str_free(&out);
    assert_true(jws_mac("HS384", &key, "{}", p, &out, &e));
    assert_true(jws_mac("HS512", &key, "{}", p, &out, &e));
    assert_false(jws_mac("none", &key, "{}", p, &out, &e));
    assert_string_equal(e.code, "JWS_SIGN");
    str_free(&out);
    secret_free(&key);
}

/* RFC 7515 A.3: the private key of the example; the signature differs each time, so it is verified. */
static void es256_signs_side_by_side(void **state)
{
    (void)state;
    static const int kinds[] = {KEY_P256, KEY_P384};
    for (int i = 0; i < 2; i++) {
        struct secret pem = {0}, raw = {0};
        struct err e = {0};
        assert_true(key_generate((enum key_type)kinds[i], &pem, &e));
        struct jws_key *k = jws_key_open(&pem, &e);
        assert_string_equal(jws_alg(k), i ? "ES384" : "ES256");
        for (int round = 0; round < 20; round++) {
            struct str out = STR_INIT(4096);
            assert_true(jws_sign(k, "{}", (struct bytes){0}, &out, &e));
            char *at = strstr(str_text(&out), "signature\":\"") + 12;
            assert_true(b64url_read(at, strcspn(at, "\""), &raw));
            assert_int_equal(raw.n, i ? 96 : 64);
            assert_non_null(strstr(str_text(&out), "\"payload\":\"\""));
            BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
            EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
            ECDSA_SIG *sig = ECDSA_SIG_new();
            ECDSA_SIG_set0(sig, BN_bin2bn(raw.p, (int)raw.n / 2, NULL), BN_bin2bn(raw.p + raw.n / 2, (int)raw.n / 2, NULL));
            uint8_t *der = NULL;
            int n = i2d_ECDSA_SIG(sig, &der);
            EVP_MD_CTX *ctx = EVP_MD_CTX_new();
            assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, i ? EVP_sha384() : EVP_sha256(), NULL, key), 1);
            assert_int_equal(EVP_DigestVerify(ctx, der, (size_t)n, (const uint8_t *)"e30.", 4), 1);
            EVP_MD_CTX_free(ctx);
            OPENSSL_free(der);
            ECDSA_SIG_free(sig);
            EVP_PKEY_free(key);
            BIO_free(in);
            str_free(&out);
        }
        jws_key_free(k);
        secret_free(&raw);
        secret_free(&pem);
    }
}

static void ec_jwk_is_canonical(void **state)
{
    (void)state;
    /* RFC 7515 A.3 */
    struct secret x = bytes_of("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"), y = bytes_of("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    uint8_t point[65] = {4};
    memcpy(point + 1, x.p, 32);
    memcpy(point + 33, y.p, 32);
    BIGNUM *d = bn_of("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
    OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point);
    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, d);
    struct jws_key *k = open_params(b);
    assert_string_equal(jws_jwk(k),
                        "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_"
                        "tue659LNpXW6pCyStikYjKIWI5a0\"}");
    assert_string_equal(jws_thumbprint(k), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
    jws_key_free(k);
    BN_free(d);
    secret_free(&x);
    secret_free(&y);
}

static void rsa_thumbprint_is_the_hash_of_the_canonical_jwk(void **state)
{
    (void)state;
    /* RFC 7638 3.1: only the public key is printed there, so its hash input is made from that text. */
    static const char text[] =
        "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
        "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA"
        "ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\"}";
    uint8_t md[SHA256_SIZE];
    struct str out = STR_INIT(64);
    sha256(text, strlen(text), md);
    b64url_put(&out, md, sizeof md);
    assert_string_equal(str_text(&out), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    str_free(&out);
    struct jws_key *k = rsa_example();
    static const char start[] = "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"ofgWCuLj";
    assert_memory_equal(jws_jwk(k), start, strlen(start));
    jws_key_free(k);
}

static void other_keys_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *weak = pki_rsa(1024), *curve = EVP_EC_gen("P-521");
    EVP_PKEY *const keys[] = {weak, curve};
    for (int i = 0; i < 2; i++) {
        struct secret pem = {0};
        struct err e = {0};
        pki_secret(keys[i], &pem);
        assert_null(jws_key_open(&pem, &e));
        assert_string_equal(e.code, "KEY_WEAK");
        secret_free(&pem);
    }
    struct secret junk = {0};
    struct err e = {0};
    secret_set(&junk, "no key", 6);
    assert_null(jws_key_open(&junk, &e));
    assert_string_equal(e.code, "KEY_BAD");
    secret_free(&junk);
    EVP_PKEY_free(curve);
}

/* RFC 9773 4.1: the certificate of its appendix A has AKI 69:88:5B:6B:... and serial 00:87:65:43:21. */
static void renewal_id_is_rfc_9773(void **state)
{
    (void)state;
    static const char pem[] = "-----BEGIN CERTIFICATE-----\n"
                              "MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt\n"
                              "cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS\n"
                              "BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu\n"
                              "7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf\n"
                              "qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B\n"
                              "yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb\n"
                              "+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK\n"
                              "-----END CERTIFICATE-----\n";
    char id[128];
    struct err e = {0};
    assert_true(leaf_renewal_id(pem, id, sizeof id, &e));
    assert_string_equal(id, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
    X509 *root = pki_cert(&(struct pki_spec){.cn = "Root One", .ca = true, .key = pki_key(1)});
    X509 *mid = pki_cert(&(struct pki_spec){.cn = "Mid", .ca = true, .key = pki_key(2), .issuer = root, .issuer_key = pki_key(1)});
    X509 *leaf = pki_cert(&(struct pki_spec){.cn = "x", .names = "x.example", .key = pki_key(3), .issuer = mid, .issuer_key = pki_key(2)});
    char *both = pki_bundle((X509 *[]){leaf, mid}, 2), cn[64];
    assert_true(leaf_top_issuer(both, strlen(both), cn, sizeof cn));
    assert_string_equal(cn, "Root One");
    char *der = leaf_base64url(both, &e);
    assert_memory_equal(der, "MII", 3);
    free(der);
    free(both);
    assert_false(leaf_top_issuer("junk", 4, cn, sizeof cn));
    assert_false(leaf_renewal_id("junk", id, sizeof id, &e));
    pki_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rs256_is_rfc_7515_a2),
        cmocka_unit_test(hs256_is_rfc_7515_a1),
        cmocka_unit_test(es256_signs_side_by_side),
        cmocka_unit_test(ec_jwk_is_canonical),
        cmocka_unit_test(rsa_thumbprint_is_the_hash_of_the_canonical_jwk),
        cmocka_unit_test(other_keys_are_refused),
        cmocka_unit_test(renewal_id_is_rfc_9773),
    };
    return cmocka_run_group_tests_name("jws", tests, NULL, NULL);
}
