#include "cert/certs.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/mem.h"

enum eku cert_eku(const X509 *x)
{
    int critical;
    EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(x, NID_ext_key_usage, &critical, NULL);
    enum eku kind = eku || critical != -1 ? EKU_OTHER : EKU_NONE;
    for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++) {
        int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(eku, i));
        if (nid == NID_server_auth || nid == NID_anyExtendedKeyUsage)
            kind = EKU_SERVER;
    }
    EXTENDED_KEY_USAGE_free(eku);
    ossl_forget();
    return kind;
}

bool cert_spki(const X509 *x, char hex[65])
{
    *hex = '\0';
    if (X509_get0_pubkey(x) && ossl_spki(X509_get_X509_PUBKEY(x), hex))
        return true;
    ossl_forget();
    return false;
}

bool cert_same(const X509 *a, const X509 *b)
{
    unsigned char *p = NULL, *q = NULL;
    int n = i2d_X509(a, &p), m = i2d_X509(b, &q);
    bool same = n > 0 && n == m && !memcmp(p, q, (size_t)n);
    OPENSSL_free(p);
    OPENSSL_free(q);
    return same;
}

bool cert_validity(const X509 *x, int64_t *from, int64_t *to)
{
    return ossl_time(X509_get0_notBefore(x), from) && ossl_time(X509_get0_notAfter(x), to);
}

void cert_serial(const X509 *x, char *out, size_t size)
{
    BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
    char *hex = bn ? BN_bn2hex(bn) : NULL;
    *out = '\0';
    for (size_t i = 0; hex && strlen(hex) < size && (i == 0 || hex[i - 1]); i++)
        out[i] = (char)tolower((unsigned char)hex[i]);
    OPENSSL_free(hex);
    BN_free(bn);
    ossl_forget();
}

const char *cert_subject(const X509 *x, char *out, size_t size)
{
    ossl_label(X509_get_subject_name(x), out, size);
    return out;
}

const char *cert_issuer(const X509 *x, char *out, size_t size)
{
    ossl_label(X509_get_issuer_name(x), out, size);
    return out;
}

static bool names(const X509 *x, struct cert_facts *f, struct err *e)
{
    struct str cn = STR_INIT(1024), o = STR_INIT(1024);
    int critical;
    GENERAL_NAMES *san = X509_get_ext_d2i(x, NID_subject_alt_name, &critical, NULL);
    bool ok = san || critical == -1;
    if (ossl_entry(X509_get_subject_name(x), NID_commonName, &cn))
        ossl_host(cn.p, cn.n, f->cn);
    if (san)
        ossl_dns_names(san, &f->names);
    else if (ok && *f->cn)
        strs_add(&f->names, f->cn);
    if (ossl_entry(X509_get_subject_name(x), NID_organizationName, &o))
        text_safe(f->organisation, sizeof f->organisation, o.p, o.n);
    str_free(&cn);
    str_free(&o);
    GENERAL_NAMES_free(san);
    ossl_forget();
    return ok || err_set(e, RC_CA, "CERT_READ", "the subjectAltName of the certificate cannot be read");
}

bool issued_facts(const struct issued *i, size_t at, struct cert_facts *f, struct err *e)
{
    unsigned char md[SHA256_DIGEST_LENGTH];
    unsigned n = 0;
    memset(f, 0, sizeof *f);
    if (at >= issued_count(i))
        return err_set(e, RC_BUG, "CERT_INDEX", "certificate %zu of %zu was asked for", at, issued_count(i));
    X509 *x = i->x[at];
    cert_serial(x, f->serial, sizeof f->serial);
    if (!*f->serial)
        return err_set(e, RC_CA, "CERT_READ", "the certificate's serial number cannot be read or is too long");
    if (X509_digest(x, EVP_sha256(), md, &n) != 1)
        return ossl_fault(e, RC_CA, "CERT_READ", "the certificate's fingerprint cannot be made");
    hex_show(f->fingerprint, sizeof f->fingerprint, md, n);
    if (!cert_spki(x, f->spki))
        return err_set(e, RC_CA, "CERT_READ", "the certificate's public key cannot be read");
    if (!cert_validity(x, &f->not_before, &f->not_after))
        return err_set(e, RC_CA, "CERT_READ", "the certificate's validity cannot be read");
    ossl_name(X509_get_subject_name(x), f->subject, sizeof f->subject);
    ossl_name(X509_get_issuer_name(x), f->issuer, sizeof f->issuer);
    enum eku eku = cert_eku(x);
    f->eku_present = eku != EKU_NONE;
    f->server_auth = eku != EKU_OTHER;
    f->ca = X509_check_ca(x) == 1;
    ossl_forget();
    if (names(x, f, e))
        return true;
    cert_facts_clear(f);
    return false;
}

bool issued_first(const void *p, size_t n, struct cert_facts *f)
{
    struct issued *i = NULL;
    bool ok = n && issued_read(&i, p, n, NULL) && issued_facts(i, 0, f, NULL);
    issued_free(i);
    return ok;
}

void cert_facts_clear(struct cert_facts *f)
{
    strs_free(&f->names);
    memset(f, 0, sizeof *f);
}
