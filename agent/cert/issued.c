#include "cert/issued.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "cert/certs.h"
#include "cert/pem.h"

void issued_free(struct issued *i)
{
    for (size_t k = 0; i && k < i->n; k++)
        X509_free(i->x[k]);
    free(i);
}

size_t issued_count(const struct issued *i)
{
    return i ? i->n : 0;
}

bool issued_add(struct issued *i, X509 *x)
{
    bool there = false;
    for (size_t k = 0; k < i->n && !there; k++)
        there = cert_same(i->x[k], x);
    if (there || i->n == CERTS_MAX) {
        X509_free(x);
        return there;
    }
    i->x[i->n++] = x;
    return true;
}

static bool too_many(struct err *e)
{
    return err_set(e, RC_CA, "CERT_READ", "more than %d certificates at once: this is no certificate with its chain", CERTS_MAX);
}

static bool private_key(struct err *e)
{
    return err_set(e, RC_CA, "CERT_PRIVATE_KEY",
                   "a PRIVATE KEY is in what was handed over as a certificate; nothing was taken. Where it came by mail or a web page, the "
                   "key is no longer "
                   "secret: make a new one; else hand over the certificate alone");
}

/* PKCS#7 without content: the usual container of Windows (.p7b). */
static bool add_pkcs7(struct issued *i, PKCS7 *p7, struct err *e)
{
    STACK_OF(X509) *certs = PKCS7_type_is_signed(p7) && p7->d.sign ? p7->d.sign->cert : NULL;
    if (sk_X509_num(certs) <= 0)
        return err_set(e, RC_CA, "CERT_READ", "a PKCS#7 file without certificates");
    for (int k = 0; k < sk_X509_num(certs); k++) {
        X509 *x = sk_X509_value(certs, k);
        X509_up_ref(x);
        if (!issued_add(i, x))
            return too_many(e);
    }
    return true;
}

/* DER that is neither certificate nor PKCS#7: what is it? */
static bool wrong_der(const uint8_t *p, size_t n, struct err *e)
{
    const uint8_t *at = p;
    PKCS12 *p12 = d2i_PKCS12(NULL, &at, (long)n);
    if (p12) {
        PKCS12_free(p12);
        return err_set(e, RC_CA, "CERT_READ",
                       "this is a PFX (PKCS#12) with a private key, not a certificate; `key restore` reads such files");
    }
    at = p;
    X509_REQ *req = d2i_X509_REQ(NULL, &at, (long)n);
    if (req) {
        X509_REQ_free(req);
        return err_set(e, RC_CA, "CERT_READ", "this is the signing request (CSR), not the certificate made from it");
    }
    at = p;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, (long)n);
    if (key) {
        EVP_PKEY_free(key);
        return private_key(e);
    }
    return err_set(e, RC_CA, "CERT_READ", "neither a certificate nor PKCS#7: the file is damaged or of another kind");
}

static const uint8_t *behind_padding(const uint8_t *p, const uint8_t *end)
{
    while (p < end && (isspace(*p) || *p == '\0'))
        p++;
    return p;
}

static bool add_der(struct issued *i, const uint8_t *p, size_t n, struct err *e)
{
    const uint8_t *end = p + n, *at = p;
    X509 *x;
    while (at < end && (x = d2i_X509(NULL, &at, end - at))) {
        if (!issued_add(i, x))
            return too_many(e);
        at = behind_padding(at, end);
    }
    if (at == end && at > p)
        return true;
    if (at > p)
        return err_set(e, RC_CA, "CERT_READ", "behind the certificate come octets that are none: the file is damaged");
    PKCS7 *p7 = d2i_PKCS7(NULL, &at, (long)n);
    if (!p7)
        return wrong_der(p, n, e);
    bool ok = add_pkcs7(i, p7, e);
    PKCS7_free(p7);
    return ok;
}

/* false with e unset: a block that is passed over. */
static bool add_block(struct issued *i, const struct pem_block *b, struct err *e)
{
    static const char *const good[] = {"CERTIFICATE", "X509 CERTIFICATE", "PKCS7", "CMS"};
    if (!strcmp(b->label, "TRUSTED CERTIFICATE"))
        return err_set(e, RC_CA, "CERT_READ",
                       "a TRUSTED CERTIFICATE is OpenSSL's own form: turn it into a plain one by `openssl x509 -in FILE -out FILE`");
    for (size_t k = 0; k < sizeof good / sizeof *good; k++)
        if (!strcmp(b->label, good[k]))
            return b->der ? add_der(i, b->der, b->n, e)
                          : err_set(e, RC_CA, "CERT_READ", "the text between BEGIN and END %s is damaged", b->label);
    return false;
}

static bool add_pem(struct issued *i, const void *p, size_t n, struct err *e)
{
    const char *at = p, *end = at + n;
    struct pem_block b;
    bool cut = false, any = false, request = false, ok = true;
    const char *known = pem_diagnosis(p, n);
    struct err fault = {0};
    while (ok && pem_next(&at, end, &b, &cut)) {
        if (add_block(i, &b, &fault))
            any = true;
        else if (fault.code)
            ok = false;
        request = request || strstr(b.label, "CERTIFICATE REQUEST");
        free(b.der);
    }
    if (ok && cut)
        ok = err_set(&fault, RC_CA, "CERT_READ", "the PEM text is cut off: a line -----END is missing");
    else if (ok && !any)
        ok =
            err_set(&fault, RC_CA, "CERT_READ", "%s",
                    request ? "this is the signing request (CSR), not the certificate made from it" : "PEM text, but no certificate in it");
    if (ok)
        return true;
    return err_set(e, fault.rc, fault.code, "%s", known ? known : fault.text);
}

/* A SEQUENCE whose length takes octets of its own: no text begins so. What PEM there is within is a certificate's own words, not what was handed over. */
static bool is_der(const uint8_t *p, size_t n)
{
    return n > 2 && p[0] == 0x30 && p[1] >= 0x80 && p[1] <= 0x84;
}

static bool add_any(struct issued *i, const void *p, size_t n, struct err *e)
{
    uint8_t *der = NULL;
    size_t m = 0;
    if (is_der(p, n))
        return add_der(i, p, n, e);
    if (memmem(p, n, "PRIVATE KEY-----", 16))
        return private_key(e);
    if (pem_armoured(p, n))
        return add_pem(i, p, n, e);
    const char *known = pem_diagnosis(p, n);
    if (known)
        return err_set(e, RC_CA, "CERT_READ", "%s", known);
    if (*(const uint8_t *)p == 0x30) /* a DER SEQUENCE */
        return add_der(i, p, n, e);
    if (!pem_bare(p, n, &der, &m))
        return err_set(e, RC_CA, "CERT_READ", "neither PEM, DER nor PKCS#7");
    bool ok = add_der(i, der, m, e);
    free(der);
    return ok;
}

bool issued_read(struct issued **out, const void *p, size_t n, struct err *e)
{
    if (n > CERT_FILE_MAX)
        return err_set(e, RC_CA, "CERT_READ", "%zu octets are too many for a certificate; the limit is 1 MiB", n);
    struct issued *i = mem_new(sizeof *i);
    bool ok = add_any(i, n ? p : "", n, e);
    ossl_forget();
    if (!ok || !*out) {
        if (ok)
            *out = i;
        else
            issued_free(i);
        return ok;
    }
    /* All or nothing: *out stays as it was where the sum is too many. */
    size_t before = (*out)->n;
    for (size_t k = 0; ok && k < i->n; k++) {
        X509_up_ref(i->x[k]);
        ok = issued_add(*out, i->x[k]) || too_many(e);
    }
    while (!ok && (*out)->n > before)
        X509_free((*out)->x[--(*out)->n]);
    issued_free(i);
    return ok;
}

char *issued_pem(const struct issued *i, size_t leaf)
{
    struct str s = STR_INIT(8 << 20);
    ossl_pem(i->x[leaf], &s);
    for (size_t k = 0; k < i->n; k++)
        if (k != leaf)
            ossl_pem(i->x[k], &s);
    return str_take(&s);
}
