#include "cert/pfx.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "cert/ossl.h"
#include "cert/pem.h"

enum { PFX_MAX = 1 << 20, ROUNDS = 100000, ROUNDS_OLD = 2048, ROUNDS_READ_MAX = 10000000 };

static bool password_ok(const struct secret *password, struct err *e)
{
    if (!password || !password->n)
        return err_set(e, RC_CONF, "PFX_PASSWORD", "the password of the PFX is empty: it would protect nothing");
    if (memchr(password->p, '\0', password->n))
        return err_set(e, RC_CONF, "PFX_PASSWORD", "the password of the PFX holds a NUL");
    return true;
}

static const char *text_of(const struct secret *s)
{
    return (const char *)s->p;
}

static bool read_certs(const char *pem, STACK_OF(X509) * out, struct err *e)
{
    if (!pem)
        return true;
    const char *at = pem, *end = pem + strlen(pem);
    struct pem_block b;
    bool cut = false;
    while (pem_next(&at, end, &b, &cut)) {
        const unsigned char *der = b.der;
        X509 *x = der ? d2i_X509(NULL, &der, (long)b.n) : NULL;
        free(b.der);
        if (!x || sk_X509_push(out, x) <= 0) {
            X509_free(x);
            return ossl_fault(e, RC_FAILED, "PFX_MAKE", "a certificate for the PFX cannot be read");
        }
    }
    return true;
}

static PKCS12 *create(EVP_PKEY *key, STACK_OF(X509) * certs, const char *password, const char *name, enum pfx_encryption how)
{
    bool old = how == PFX_3DES;
    int pbe = old ? NID_pbe_WithSHA1And3_Key_TripleDES_CBC : 0; /* 0: AES-256-CBC, PBKDF2 with SHA-256 */
    X509 *leaf = sk_X509_num(certs) > 0 ? sk_X509_shift(certs) : NULL;
    PKCS12 *p12 = PKCS12_create(password, name, key, leaf, sk_X509_num(certs) > 0 ? certs : NULL, pbe, pbe, old ? ROUNDS_OLD : ROUNDS,
                                old ? -1 : ROUNDS, 0);
    X509_free(leaf);
    /* Old Windows knows no other MAC than SHA-1; PKCS12_create would take SHA-256. */
    if (p12 && old && PKCS12_set_mac(p12, password, -1, NULL, 0, ROUNDS_OLD, EVP_sha1()) != 1) {
        PKCS12_free(p12);
        return NULL;
    }
    return p12;
}

bool pfx_make(const struct secret *key_pem, const char *cert_pem, const char *chain_pem, const struct secret *password,
              const char *friendly_name, enum pfx_encryption how, uint8_t **out, size_t *n, struct err *e)
{
    *out = NULL;
    *n = 0;
    if (!password_ok(password, e))
        return false;
    EVP_PKEY *key = ossl_key(key_pem, e);
    STACK_OF(X509) *certs = sk_X509_new_null();
    PKCS12 *p12 = NULL;
    unsigned char *der = NULL;
    int length = 0;
    bool ok = key && certs && read_certs(cert_pem, certs, e) && read_certs(chain_pem, certs, e);
    if (ok) {
        p12 = create(key, certs, text_of(password), friendly_name, how);
        length = p12 ? i2d_PKCS12(p12, &der) : 0;
        ok = length > 0 || ossl_fault(e, RC_FAILED, "PFX_MAKE", "the PFX cannot be made");
    }
    if (ok) {
        *out = mem_copy(der, (size_t)length);
        *n = (size_t)length;
    }
    OPENSSL_free(der);
    PKCS12_free(p12);
    sk_X509_pop_free(certs, X509_free);
    EVP_PKEY_free(key);
    ossl_forget();
    return ok;
}

/* --- reading --- */

/* Windows up to Server 2016 encrypts the certificates with RC2-40, which is in OpenSSL's legacy provider alone: loaded for this one file. */
struct old_ciphers {
    OSSL_LIB_CTX *ctx;
    OSSL_PROVIDER *normal, *legacy;
};

static bool old_ciphers_load(struct old_ciphers *o)
{
    o->ctx = OSSL_LIB_CTX_new();
    o->normal = o->ctx ? OSSL_PROVIDER_load(o->ctx, "default") : NULL;
    o->legacy = o->ctx ? OSSL_PROVIDER_load(o->ctx, "legacy") : NULL;
    return o->normal && o->legacy;
}

static void old_ciphers_unload(struct old_ciphers *o)
{
    if (o->legacy)
        OSSL_PROVIDER_unload(o->legacy);
    if (o->normal)
        OSSL_PROVIDER_unload(o->normal);
    OSSL_LIB_CTX_free(o->ctx);
}

static PKCS12 *decode(const void *p, size_t n, OSSL_LIB_CTX *ctx)
{
    const unsigned char *at = p;
    PKCS12 *p12 = ctx ? PKCS12_init_ex(NID_pkcs7_data, ctx, NULL) : NULL;
    if (ctx && !p12)
        return NULL;
    PKCS12 *got = d2i_PKCS12(p12 ? &p12 : NULL, &at, (long)n);
    if (!got && p12)
        PKCS12_free(p12);
    return got;
}

/* A hostile count of rounds would keep the worker busy for years. */
static bool rounds_ok(const PKCS12 *p12)
{
    const ASN1_INTEGER *rounds = NULL;
    PKCS12_get0_mac(NULL, NULL, NULL, &rounds, p12);
    return !rounds || (ASN1_INTEGER_get(rounds) > 0 && ASN1_INTEGER_get(rounds) <= ROUNDS_READ_MAX);
}

struct opened {
    EVP_PKEY *key;
    X509 *leaf;
    STACK_OF(X509) * others;
};

static bool parse(PKCS12 *p12, const struct secret *password, struct opened *o, struct err *e)
{
    if (!rounds_ok(p12))
        return err_set(e, RC_FAILED, "PFX_READ", "the PFX asks for an absurd number of rounds");
    if (PKCS12_mac_present(p12) && PKCS12_verify_mac(p12, text_of(password), (int)password->n) != 1) {
        ossl_forget();
        return err_set(e, RC_FAILED, "PFX_PASSWORD", "the password does not open the PFX");
    }
    if (PKCS12_parse(p12, text_of(password), &o->key, &o->leaf, &o->others) != 1)
        return ossl_fault(e, RC_FAILED, PKCS12_mac_present(p12) ? "PFX_READ" : "PFX_PASSWORD", "the PFX cannot be decrypted");
    return true;
}

static char *certs_of(const struct opened *o)
{
    struct str s = STR_INIT(4 << 20);
    X509 *leaf = o->leaf;
    for (int i = 0; i < sk_X509_num(o->others) && !leaf; i++) /* not every program writes which certificate is the key's */
        if (X509_check_private_key(sk_X509_value(o->others, i), o->key) == 1)
            leaf = sk_X509_value(o->others, i);
    if (leaf)
        ossl_pem(leaf, &s);
    for (int i = 0; i < sk_X509_num(o->others); i++)
        if (sk_X509_value(o->others, i) != leaf)
            ossl_pem(sk_X509_value(o->others, i), &s);
    return s.n ? str_take(&s) : NULL;
}

static bool open_pfx(const void *p, size_t n, const struct secret *password, OSSL_LIB_CTX *ctx, struct secret *key_pem, char **certs_pem,
                     struct err *e)
{
    struct opened o = {0};
    PKCS12 *p12 = decode(p, n, ctx);
    if (!p12)
        return ossl_fault(e, RC_FAILED, "PFX_READ", "this is no PFX (PKCS#12) file");
    bool ok = parse(p12, password, &o, e);
    if (ok && !o.key)
        ok = err_set(e, RC_FAILED, "PFX_READ", "there is no private key in the PFX");
    ok = ok && ossl_key_pem(o.key, key_pem, e);
    if (ok && certs_pem)
        *certs_pem = certs_of(&o);
    EVP_PKEY_free(o.key);
    X509_free(o.leaf);
    sk_X509_pop_free(o.others, X509_free);
    PKCS12_free(p12);
    ossl_forget();
    return ok;
}

bool pfx_read(const void *p, size_t n, const struct secret *password, struct secret *key_pem, char **certs_pem, struct err *e)
{
    struct err fault = {0};
    struct secret none = {.p = (uint8_t[]){0}};
    if (certs_pem)
        *certs_pem = NULL;
    if (!password || !password->p)
        password = &none;
    if (!n || n > PFX_MAX || password->n > INT_MAX || memchr(password->p, '\0', password->n))
        return err_set(e, RC_FAILED, "PFX_READ", "this is no PFX (PKCS#12) file, or its password holds a NUL");
    if (open_pfx(p, n, password, NULL, key_pem, certs_pem, &fault))
        return true;
    struct old_ciphers old = {0};
    bool ok = !strcmp(fault.code, "PFX_READ") && old_ciphers_load(&old) && open_pfx(p, n, password, old.ctx, key_pem, certs_pem, NULL);
    old_ciphers_unload(&old);
    ossl_forget();
    return ok || err_set(e, fault.rc, fault.code, "%s", fault.text);
}
