#include "cert/csr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "base/names.h"
#include "cert/ossl.h"
#include "cert/pem.h"
#include "conf/subject.h"

enum { CSR_MAX = 65536, CN_MAX = 64 };

static bool set_subject(X509_REQ *req, const char *cn, const char *subject, struct err *e)
{
    struct subject s = {0};
    char why[160];
    X509_NAME *name = X509_REQ_get_subject_name(req);
    bool ok = true;
    if (subject && *subject && !subject_parse(subject, &s, why))
        ok = err_set(e, RC_CONF, "SUBJECT", "subject: %s", why);
    for (size_t i = 0; ok && i < s.n; i++)
        if (X509_NAME_add_entry_by_txt(name, s.part[i].key, MBSTRING_UTF8, (const unsigned char *)s.part[i].value, -1, -1, 0) != 1)
            ok = ossl_fault(e, RC_CONF, "SUBJECT", "subject: %s cannot stand in a request", s.part[i].key);
    if (ok && *cn && X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0) != 1)
        ok = ossl_fault(e, RC_CONF, "CSR_NAMES", "%s cannot stand in a request as CN", cn);
    subject_clear(&s);
    return ok;
}

static bool add_name(GENERAL_NAMES *san, const char *name)
{
    GENERAL_NAME *g = GENERAL_NAME_new();
    ASN1_IA5STRING *s = ASN1_IA5STRING_new();
    if (!g || !s || ASN1_STRING_set(s, name, (int)strlen(name)) != 1) {
        GENERAL_NAME_free(g);
        ASN1_IA5STRING_free(s);
        return false;
    }
    GENERAL_NAME_set0_value(g, GEN_DNS, s);
    if (sk_GENERAL_NAME_push(san, g) > 0)
        return true;
    GENERAL_NAME_free(g);
    return false;
}

static bool set_names(X509_REQ *req, const struct strs *names, struct err *e)
{
    GENERAL_NAMES *san = GENERAL_NAMES_new();
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    bool ok = san != NULL;
    for (size_t i = 0; ok && i < names->n; i++) {
        size_t n = strlen(names->s[i]);
        ok = n > 0 && n < NAME_SIZE && add_name(san, names->s[i]);
    }
    ok = ok && X509V3_add1_i2d(&extensions, NID_subject_alt_name, san, 0, X509V3_ADD_DEFAULT) == 1 &&
         X509_REQ_add_extensions(req, extensions) == 1;
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    GENERAL_NAMES_free(san);
    return ok || ossl_fault(e, RC_CONF, "CSR_NAMES", "the names cannot be put into a request");
}

static bool sign(X509_REQ *req, EVP_PKEY *key)
{
    const EVP_MD *md = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) > 256 ? EVP_sha384() : EVP_sha256();
    return X509_REQ_set_version(req, X509_REQ_VERSION_1) == 1 && X509_REQ_set_pubkey(req, key) == 1 && X509_REQ_sign(req, key, md) > 0;
}

static bool to_der(X509_REQ *req, struct csr *out)
{
    unsigned char *der = NULL;
    int n = i2d_X509_REQ(req, &der);
    if (n > 0) {
        out->der = mem_copy(der, (size_t)n);
        out->n = (size_t)n;
    }
    OPENSSL_free(der);
    return n > 0;
}

static bool make(EVP_PKEY *key, const struct strs *names, const char *subject, struct csr *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    if (!names->n)
        return err_set(e, RC_CONF, "CSR_NAMES", "a request needs at least one name");
    const char *cn = strlen(names->s[0]) <= CN_MAX ? names->s[0] : "";
    X509_REQ *req = X509_REQ_new();
    bool ok = req && set_subject(req, cn, subject, e) && set_names(req, names, e);
    if (ok && (!sign(req, key) || !to_der(req, out) || !ossl_spki(X509_REQ_get_X509_PUBKEY(req), out->spki)))
        ok = ossl_fault(e, RC_FAILED, "CSR_MAKE", "the request cannot be signed");
    if (ok) {
        snprintf(out->cn, sizeof out->cn, "%s", cn);
        strs_copy(&out->names, names);
    } else {
        csr_clear(out);
    }
    X509_REQ_free(req);
    ossl_forget();
    return ok;
}

bool csr_make(const struct secret *key_pem, const struct strs *names, const char *subject, struct csr *out, struct err *e)
{
    EVP_PKEY *key = ossl_key(key_pem, e);
    bool ok = key && make(key, names, subject, out, e);
    EVP_PKEY_free(key);
    return ok;
}

bool csr_with_key(enum key_type type, const struct strs *names, const char *subject, struct secret *key_pem, struct csr *out, struct err *e)
{
    EVP_PKEY *key = ossl_new_key(type, e);
    bool ok = key && ossl_key_pem(key, key_pem, e) && make(key, names, subject, out, e);
    EVP_PKEY_free(key);
    return ok;
}

/* The first request in the file; NULL: none. */
static X509_REQ *find(const void *p, size_t n, struct err *e)
{
    const char *at = p, *end = at + n;
    struct pem_block b;
    bool cut = false, key = false;
    X509_REQ *req = NULL;
    while (!req && pem_next(&at, end, &b, &cut)) {
        const unsigned char *der = b.der;
        /* IIS and certreq write NEW CERTIFICATE REQUEST. */
        if (der && (!strcmp(b.label, "CERTIFICATE REQUEST") || !strcmp(b.label, "NEW CERTIFICATE REQUEST")))
            req = d2i_X509_REQ(NULL, &der, (long)b.n);
        key = key || strstr(b.label, "PRIVATE KEY");
        if (b.der)
            explicit_bzero(b.der, b.n);
        free(b.der);
    }
    if (!req && !pem_armoured(p, n)) {
        const unsigned char *der = p;
        uint8_t *bare = NULL;
        size_t m = 0;
        req = d2i_X509_REQ(NULL, &der, (long)n);
        if (!req && pem_bare(p, n, &bare, &m)) {
            der = bare;
            req = d2i_X509_REQ(NULL, &der, (long)m);
        }
        free(bare);
    }
    const char *known = pem_diagnosis(p, n);
    if (req)
        ossl_forget();
    else
        ossl_fault(e, RC_CONF, "CSR_READ", "no certificate signing request in it: %s",
                   known ? known
                   : key ? "this is a private key, which stays where it is; hand over the request made from it"
                   : cut ? "its PEM text is cut off"
                         : "it must be a PKCS#10 request in PEM or DER");
    return req;
}

static bool fill(X509_REQ *req, struct csr *out, struct err *e)
{
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(req);
    int critical;
    char host[NAME_SIZE];
    GENERAL_NAMES *san = X509V3_get_d2i(extensions, NID_subject_alt_name, &critical, NULL);
    struct str cn = STR_INIT(1024);
    bool ok = true;
    if (!san && critical != -1)
        ok = ossl_fault(e, RC_CONF, "CSR_NAMES", "the subjectAltName of the request cannot be read");
    else
        ossl_dns_names(san, &out->names);
    for (size_t i = 0; ok && i < out->names.n; i++) {
        const char *name = out->names.s[i];
        if (!ossl_is_host(name, strlen(name), host))
            ok = err_set(e, RC_CONF, "CSR_NAMES", "the request holds \"%s\", which is no host name", name);
    }
    if (!ossl_entry(X509_REQ_get_subject_name(req), NID_commonName, &cn) || !ossl_is_host(cn.p, cn.n, out->cn))
        *out->cn = '\0';
    str_free(&cn);
    GENERAL_NAMES_free(san);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return ok;
}

bool csr_read(const void *p, size_t n, struct csr *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    if (n > CSR_MAX)
        return err_set(e, RC_CONF, "CSR_READ", "a file of %zu octets is no certificate signing request", n);
    X509_REQ *req = find(p, n, e);
    if (!req)
        return false;
    EVP_PKEY *key = X509_REQ_get0_pubkey(req);
    char word[16] = "unknown";
    bool ok;
    if (key)
        ossl_key_word(key, word);
    if (!key || !ossl_key_allowed(key))
        ok = err_set(e, RC_CONF, "CSR_KEY",
                     "the key of the request is of type %s: RSA of 2048 bits or more, P-256, P-384 or P-521 is needed", word);
    else if (X509_REQ_verify(req, key) != 1)
        ok = ossl_fault(e, RC_CONF, "CSR_SIGNATURE", "the request is not signed by its own key: it is damaged; make it again");
    else
        ok = (to_der(req, out) && ossl_spki(X509_REQ_get_X509_PUBKEY(req), out->spki)) ||
             ossl_fault(e, RC_CONF, "CSR_READ", "the request cannot be written again");
    ok = ok && fill(req, out, e);
    if (!ok)
        csr_clear(out);
    X509_REQ_free(req);
    ossl_forget();
    return ok;
}

bool csr_pem(const uint8_t *der, size_t n, struct str *out)
{
    if (!n)
        return false;
    pem_put(out, "CERTIFICATE REQUEST", der, n);
    return !out->cut;
}

void csr_clear(struct csr *c)
{
    free(c->der);
    strs_free(&c->names);
    memset(c, 0, sizeof *c);
}
