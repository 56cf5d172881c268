#include "cert/pfx.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "cert/ossl.h"
#include "cert/pem.h"

enum { ROUNDS = 100000, ROUNDS_OLD = 2048 };

/* Where IIS keeps the keys of its own requests. Without a name an old Windows puts the key into a provider that cannot sign with SHA-256. */
static const char old_store[] = "Microsoft RSA SChannel Cryptographic Provider";

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
    if (old && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
        EVP_PKEY_add1_attr_by_NID(key, NID_ms_csp_name, MBSTRING_ASC, (const unsigned char *)old_store, -1) != 1)
        return NULL;
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
