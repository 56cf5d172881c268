/* Included by the tests that need it: the test build links each test with the library alone. */
#include "tests/unit/pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "base/str.h"

static struct {
    EVP_PKEY *ec[16];
    struct {
        unsigned bits;
        EVP_PKEY *key;
    } rsa[8];
    X509 *x[256];
    size_t n;
    long serial;
} pki;

#define PKI_MUST(what)                                                                                                                     \
    do {                                                                                                                                   \
        if (!(what)) {                                                                                                                     \
            fprintf(stderr, "pki: %s failed at line %d\n", #what, __LINE__);                                                               \
            abort();                                                                                                                       \
        }                                                                                                                                  \
    } while (0)

EVP_PKEY *pki_key(unsigned which)
{
    PKI_MUST(which < 16);
    if (!pki.ec[which])
        pki.ec[which] = EVP_EC_gen("P-256");
    return pki.ec[which];
}

EVP_PKEY *pki_rsa(unsigned bits)
{
    size_t i = 0;
    while (pki.rsa[i].key && pki.rsa[i].bits != bits)
        i++;
    PKI_MUST(i < 8);
    if (!pki.rsa[i].key)
        pki.rsa[i].key = EVP_RSA_gen(bits);
    pki.rsa[i].bits = bits;
    return pki.rsa[i].key;
}

void pki_secret(EVP_PKEY *key, struct secret *pem)
{
    BIO *b = BIO_new(BIO_s_mem());
    char *p;
    PKI_MUST(PEM_write_bio_PKCS8PrivateKey(b, key, NULL, NULL, 0, NULL, NULL));
    long n = BIO_get_mem_data(b, &p);
    secret_set(pem, p, (size_t)n);
    BIO_free(b);
}

void pki_spki(EVP_PKEY *key, char hex[65])
{
    unsigned char *der = NULL, md[32];
    int n = i2d_PUBKEY(key, &der);
    SHA256(der, (size_t)n, md);
    hex_show(hex, 65, md, sizeof md);
    OPENSSL_free(der);
}

static GENERAL_NAMES *pki_san(const char *names)
{
    GENERAL_NAMES *san = GENERAL_NAMES_new();
    struct strs l = {0};
    strs_split(&l, names);
    for (size_t i = 0; i < l.n; i++) {
        GENERAL_NAME *g = GENERAL_NAME_new();
        ASN1_IA5STRING *s = ASN1_IA5STRING_new();
        ASN1_STRING_set(s, l.s[i], -1);
        GENERAL_NAME_set0_value(g, GEN_DNS, s);
        sk_GENERAL_NAME_push(san, g);
    }
    strs_free(&l);
    return san;
}

static void pki_ext(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer ? issuer : x, x, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    PKI_MUST(ext && X509_add_ext(x, ext, -1));
    X509_EXTENSION_free(ext);
}

static void pki_subject(X509_NAME *name, const struct pki_spec *s)
{
    X509_NAME_add_entry_by_txt(name, "C", MBSTRING_UTF8, (const unsigned char *)"HK", -1, -1, 0);
    if (s->o)
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)s->o, -1, -1, 0);
    if (s->cn)
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)s->cn, -1, -1, 0);
}

X509 *pki_cert(const struct pki_spec *s)
{
    X509 *x = X509_new();
    PKI_MUST(pki.n < 256 && X509_set_version(x, X509_VERSION_3));
    ASN1_INTEGER_set(X509_get_serialNumber(x), s->serial ? s->serial : 1000 + ++pki.serial);
    ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(s->from ? s->from : PKI_NOW - 10 * 86400));
    ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(s->to ? s->to : PKI_NOW + 180 * 86400));
    pki_subject(X509_get_subject_name(x), s);
    X509_set_issuer_name(x, X509_get_subject_name(s->issuer ? s->issuer : x));
    PKI_MUST(X509_set_pubkey(x, s->key));
    pki_ext(x, s->issuer, NID_subject_key_identifier, "hash");
    if (s->issuer)
        pki_ext(x, s->issuer, NID_authority_key_identifier, "keyid");
    pki_ext(x, s->issuer, NID_basic_constraints, s->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    pki_ext(x, s->issuer, NID_key_usage, s->ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
    if (s->eku)
        pki_ext(x, s->issuer, NID_ext_key_usage, s->eku);
    if (s->aia) {
        char *text = mem_fmt("caIssuers;URI:%s", s->aia);
        pki_ext(x, s->issuer, NID_info_access, text);
        free(text);
    }
    if (s->names) {
        GENERAL_NAMES *san = pki_san(s->names);
        PKI_MUST(X509_add1_ext_i2d(x, NID_subject_alt_name, san, 0, X509V3_ADD_DEFAULT) == 1);
        GENERAL_NAMES_free(san);
    }
    PKI_MUST(X509_sign(x, s->issuer_key ? s->issuer_key : s->key, s->md ? s->md : EVP_sha256()) > 0);
    return pki.x[pki.n++] = x;
}

static char *pki_text(BIO *b)
{
    char *p;
    long n = BIO_get_mem_data(b, &p);
    char *text = mem_copy(p, (size_t)n);
    BIO_free(b);
    return text;
}

char *pki_bundle(X509 *const *x, size_t n)
{
    BIO *b = BIO_new(BIO_s_mem());
    for (size_t i = 0; i < n; i++)
        PKI_MUST(PEM_write_bio_X509(b, x[i]));
    return pki_text(b);
}

char *pki_pem(X509 *x)
{
    return pki_bundle(&x, 1);
}

size_t pki_der(X509 *x, uint8_t **der)
{
    unsigned char *p = NULL;
    int n = i2d_X509(x, &p);
    *der = mem_copy(p, (size_t)n);
    OPENSSL_free(p);
    return (size_t)n;
}

size_t pki_p7(X509 *const *x, size_t n, bool pem, uint8_t **out)
{
    PKCS7 *p7 = PKCS7_new();
    PKI_MUST(PKCS7_set_type(p7, NID_pkcs7_signed) && PKCS7_content_new(p7, NID_pkcs7_data));
    for (size_t i = 0; i < n; i++)
        PKI_MUST(PKCS7_add_certificate(p7, x[i]));
    BIO *b = BIO_new(BIO_s_mem());
    PKI_MUST(pem ? PEM_write_bio_PKCS7(b, p7) : i2d_PKCS7_bio(b, p7));
    PKCS7_free(p7);
    char *p;
    long m = BIO_get_mem_data(b, &p);
    *out = mem_copy(p, (size_t)m);
    BIO_free(b);
    return (size_t)m;
}

char *pki_csr(EVP_PKEY *key, const char *cn, const char *names, const char *label)
{
    X509_REQ *req = X509_REQ_new();
    struct pki_spec s = {.cn = cn};
    pki_subject(X509_REQ_get_subject_name(req), &s);
    X509_REQ_set_pubkey(req, key);
    if (names) {
        GENERAL_NAMES *san = pki_san(names);
        STACK_OF(X509_EXTENSION) *ext = NULL;
        X509V3_add1_i2d(&ext, NID_subject_alt_name, san, 0, X509V3_ADD_DEFAULT);
        PKI_MUST(X509_REQ_add_extensions(req, ext));
        sk_X509_EXTENSION_pop_free(ext, X509_EXTENSION_free);
        GENERAL_NAMES_free(san);
    }
    PKI_MUST(X509_REQ_sign(req, key, EVP_sha256()) > 0);
    unsigned char *der = NULL;
    int n = i2d_X509_REQ(req, &der);
    BIO *b = BIO_new(BIO_s_mem());
    PEM_write_bio(b, label, "", der, n);
    OPENSSL_free(der);
    X509_REQ_free(req);
    return pki_text(b);
}

/* RFC 7515 A.2.1: its JWK written as PEM */
const char pki_rfc_7515[] = "-----BEGIN PRIVATE KEY-----\n"
                            "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCh+BYK4uPJtGXO\n"
                            "jS1lYmM2K5J9vinh8CR3/BYlzJChNuOL2TSXxbbqY913EeZ8dCn5VrD7io8ImtxL\n"
                            "aYk8wTM/U+3QGbh3hCUv7JFP5IV3aVlL6kKA0ywPVb9ilE8TA5a8bpvfbr3SvaNn\n"
                            "juygxmj3AbONv/s4yDQs4v5tJ/reSlpIdJed1LnPmt7Ex1sFhSwsD174pcF1A5L5\n"
                            "ROjtZMEQxrZHYJqkeDrrnGya11UxMFBji4NmXG9veoKjlnAqH2QbgtPr8jkiGUkf\n"
                            "toaHLFcW9Qr4NY2ai50Xw0Byj3+H2JoY2PyrZ62EWQwuz3WTOTY8BwNNb2BvniHg\n"
                            "VFbK5emhAgMBAAECggEAEq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyW\n"
                            "PEAeP88vLNO97IjlA7/GQ5sLKMgvfTeXZx9SE+7YwVol2NXOoAJe46sui395IW/G\n"
                            "O+pWJ1O0BkTGoVEn2bKVRUCgu+GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzj\n"
                            "kn439X0M/V51gfpRLI9JYanrC4D4qAdGcopV/0ZHHzQlBjudU2QvXt4ehNYTCBr6\n"
                            "XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl/x/jTj3ccPDVZFD9pIuhLhBOneufuBiB\n"
                            "4cS98l2SR/RQyGWSeWjnczT0QU91p1DhOVRuOopznQKBgQDgHMQQ60imZV1URk0K\n"
                            "pLttoLhyt3SmqdEf/kgHePDdtzEafpAu+cS191R2JiuoF2yzWXnwFDcqGigp5BNr\n"
                            "0AHQfD8/Lk8l1Mk09jxxCfui5nYooNyac8YFjm3vItzVCVDnEd3BbVWG8qf6deqE\n"
                            "lMGAg+C2V0L4oNXnP7LZcPAZRwKBgQC5A8R+CZW2MvRTLLHzwZkUXV866cff7tx6\n"
                            "kqa0finGG0KgeqlaZPxgCZnFp7AeAcCMtiynVlJ7vMVgePsLq6XtON4tB5kP9jAP\n"
                            "rq3rbAOal78eUH5OcED6eNuCV8ixEu1eWcPNCS/l1OW1EnXUEoEHKl54Xrrz2uNw\n"
                            "kgMTP1FZ1wKBgAcCn1dwJKufzBWQxWQp1vsM5fggqPN1qGb5y0MAk3g7/Ls5bkUp\n"
                            "5u9SN0Ai3Ya6hNnvWJMb7sXQX6U/zyO2M/hTip7tUeh7CXgwo59dkpN75gJLVds2\n"
                            "9+DAncu3KXU4f2Fa+7bLNrur53k8KwPOq2bbuTG69QtV7Jr5MR0AHWKNAoGBAIf/\n"
                            "evpitUf+4JYbLpvNXWcY052Mpz22aR84mY3nh3F2LF2mjMJDpTg7FmuyPcVw6EcG\n"
                            "yoAe9fa65iNqCq+jdw6PVNGo2hxfjSiZ8IIzHdsPXI89//pMjZcQK9r+CCoRjaZj\n"
                            "OYiIDktVWZzmevJuv6WywUqd57LE3Zar3dLSIkx1AoGAIYd7DHOhrWvxkwPQsRM2\n"
                            "tOgrjbcrfvtQJipd+DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd/QJQ3\n"
                            "ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp/gh6A56\n"
                            "03k2+ZQwVK0JKSHuLFkuQ3U=\n"
                            "-----END PRIVATE KEY-----\n";

void pki_free(void)
{
    for (size_t i = 0; i < 16; i++)
        EVP_PKEY_free(pki.ec[i]);
    for (size_t i = 0; i < 8; i++)
        EVP_PKEY_free(pki.rsa[i].key);
    for (size_t i = 0; i < pki.n; i++)
        X509_free(pki.x[i]);
    memset(&pki, 0, sizeof pki);
}
