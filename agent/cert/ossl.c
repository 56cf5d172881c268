#include "cert/ossl.h"

#include "cert/key.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "base/names.h"
#include "cert/pem.h"

bool ossl_fault(struct err *e, enum rc rc, const char *code, const char *fmt, ...)
{
    char text[384], why[128] = "";
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    if (ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE)
        rc = RC_RESOURCE;
    if (reason)
        text_safe(why, sizeof why, reason, strlen(reason));
    ERR_clear_error();
    return err_set(e, rc, code, "%s%s%s%s", text, *why ? " (OpenSSL: " : "", why, *why ? ")" : "");
}

void ossl_forget(void)
{
    ERR_clear_error();
}

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf, (void)size, (void)writing, (void)arg;
    return -1;
}

EVP_PKEY *ossl_key(const struct secret *pem, struct err *e)
{
    BIO *in = pem->n && pem->n <= 65536 ? BIO_new_mem_buf(pem->p, (int)pem->n) : NULL;
    EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL) : NULL;
    BIO_free(in);
    if (!key) {
        ossl_fault(e, RC_STATE, "KEY_BAD", "the private key cannot be read: it must be an unencrypted PEM key");
        return NULL;
    }
    ossl_forget();
    return key;
}

bool ossl_key_pem(const EVP_PKEY *key, struct secret *pem, struct err *e)
{
    /* BIO_s_mem() wipes its buffer whenever it moves or frees it. */
    BIO *out = BIO_new(BIO_s_mem());
    char *p;
    bool ok = out && PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1;
    if (ok) {
        long n = BIO_get_mem_data(out, &p);
        secret_set(pem, p, (size_t)n);
    }
    BIO_free(out);
    return ok || ossl_fault(e, RC_FAILED, "KEY_BAD", "the private key cannot be written as PEM");
}

void ossl_key_word(const EVP_PKEY *key, char word[16])
{
    char group[64] = "";
    size_t n;
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        snprintf(word, 16, "rsa%d", EVP_PKEY_get_bits(key));
        break;
    case EVP_PKEY_RSA_PSS:
        snprintf(word, 16, "rsapss%d", EVP_PKEY_get_bits(key));
        break;
    case EVP_PKEY_EC:
        if (EVP_PKEY_get_group_name(key, group, sizeof group, &n) != 1)
            snprintf(word, 16, "ec-unnamed");
        else if (!strcmp(group, "prime256v1") || !strcmp(group, "P-256"))
            snprintf(word, 16, "p256");
        else if (!strcmp(group, "secp384r1") || !strcmp(group, "P-384"))
            snprintf(word, 16, "p384");
        else if (!strcmp(group, "secp521r1") || !strcmp(group, "P-521"))
            snprintf(word, 16, "p521");
        else
            snprintf(word, 16, "%.15s", group);
        break;
    case EVP_PKEY_ED25519:
        snprintf(word, 16, "ed25519");
        break;
    case EVP_PKEY_ED448:
        snprintf(word, 16, "ed448");
        break;
    default:
        snprintf(word, 16, "other");
    }
    ossl_forget();
}

bool ossl_key_allowed(const EVP_PKEY *key)
{
    char word[16];
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
        return EVP_PKEY_get_bits(key) >= 2048 && EVP_PKEY_get_bits(key) % 8 == 0;
    ossl_key_word(key, word);
    return !strcmp(word, "p256") || !strcmp(word, "p384") || !strcmp(word, "p521");
}

static bool spki(unsigned char *der, int n, char hex[65])
{
    unsigned char md[SHA256_DIGEST_LENGTH];
    *hex = '\0';
    if (n > 0) {
        SHA256(der, (size_t)n, md);
        hex_show(hex, 65, md, sizeof md);
    }
    OPENSSL_free(der);
    ossl_forget();
    return n > 0;
}

bool ossl_spki(const X509_PUBKEY *written, char hex[65])
{
    unsigned char *der = NULL;
    int n = i2d_X509_PUBKEY(written, &der);
    return spki(der, n, hex);
}

bool ossl_spki_of_key(const EVP_PKEY *key, char hex[65])
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(key, &der);
    return spki(der, n, hex);
}

void ossl_name(const X509_NAME *name, char *out, size_t size)
{
    BIO *b = BIO_new(BIO_s_mem());
    char *p = NULL;
    long n = 0;
    if (b && X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0)
        n = BIO_get_mem_data(b, &p);
    text_safe(out, size, n ? p : "", (size_t)n);
    BIO_free(b);
    ossl_forget();
}

bool ossl_entry(const X509_NAME *name, int nid, struct str *utf8)
{
    int at = -1, next;
    while ((next = X509_NAME_get_index_by_NID(name, nid, at)) >= 0)
        at = next;
    if (at < 0)
        return false;
    unsigned char *p = NULL;
    int n = ASN1_STRING_to_UTF8(&p, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (n > 0)
        str_put(utf8, p, (size_t)n);
    OPENSSL_free(p);
    ossl_forget();
    return n > 0;
}

void ossl_label(const X509_NAME *name, char *out, size_t size)
{
    struct str s = STR_INIT(256);
    if (ossl_entry(name, NID_commonName, &s))
        text_safe(out, size, s.p, s.n);
    else
        ossl_name(name, out, size);
    str_free(&s);
}

bool ossl_is_host(const void *text, size_t n, char out[NAME_SIZE])
{
    struct err quiet = {0};
    if (memchr(text, '\0', n) || n > 1024)
        return false;
    char *s = mem_copy(text, n);
    bool ok = name_parse(s, NAME_WILDCARD, out, &quiet);
    free(s);
    return ok;
}

void ossl_host(const void *text, size_t n, char out[NAME_SIZE])
{
    if (ossl_is_host(text, n, out))
        return;
    text_safe(out, NAME_SIZE, text, n);
    for (char *p = out; *p; p++)
        *p = (char)tolower((unsigned char)*p);
}

void ossl_dns_names(const GENERAL_NAMES *san, struct strs *out)
{
    char name[NAME_SIZE];
    for (int i = 0; i < sk_GENERAL_NAME_num(san); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(san, i);
        if (g->type != GEN_DNS)
            continue;
        const unsigned char *p = ASN1_STRING_get0_data(g->d.dNSName);
        size_t n = (size_t)ASN1_STRING_length(g->d.dNSName);
        ossl_host(p, n, name);
        if (!strs_has(out, name))
            strs_add(out, name);
    }
}

bool ossl_time(const ASN1_TIME *t, int64_t *when)
{
    struct tm tm;
    if (!t || ASN1_TIME_to_tm(t, &tm) != 1) {
        ossl_forget();
        return false;
    }
    *when = timegm(&tm);
    return true;
}

void ossl_pem(const X509 *x, struct str *out)
{
    unsigned char *der = NULL;
    int n = i2d_X509(x, &der);
    if (n > 0)
        pem_put(out, "CERTIFICATE", der, (size_t)n);
    OPENSSL_free(der);
}

void key_library(void)
{
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

const char *key_library_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}
