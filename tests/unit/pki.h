/* pki.h: certificates made for tests: roots, intermediates old and new, cross certificates, leaves with whatever is wrong with them. */
#ifndef DCV_TESTS_PKI_H
#define DCV_TESTS_PKI_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/secret.h"

enum { PKI_NOW = 1800000000 }; /* 2027-01-15 */

struct pki_spec {
    const char *cn, *o;
    const char *names; /* SAN: "a.example,b.example"; NULL: no SAN */
    const char *eku;   /* "serverAuth", "clientAuth,emailProtection", NULL: none */
    bool ca;
    int64_t from, to;     /* 0: NOW - 10 days, NOW + 180 days */
    long serial;          /* 0: the next one */
    const char *aia;      /* URL of the issuer */
    const EVP_MD *md;     /* NULL: SHA-256 */
    EVP_PKEY *key;        /* public half goes in */
    X509 *issuer;         /* NULL: self-signed */
    EVP_PKEY *issuer_key; /* NULL: key */
};

EVP_PKEY *pki_key(unsigned which); /* P-256, the same one for the same number; the helper's */
EVP_PKEY *pki_rsa(unsigned bits);  /* one of each size; the helper's */
extern const char pki_rfc_7515[];  /* the RSA key of RFC 7515 A.2 in PEM */
void pki_secret(EVP_PKEY *key, struct secret *pem);
void pki_spki(EVP_PKEY *key, char hex[65]);

X509 *pki_cert(const struct pki_spec *s); /* the helper's: all are freed by pki_free */
char *pki_pem(X509 *x);                   /* caller frees */
size_t pki_der(X509 *x, uint8_t **der);   /* caller frees */
char *pki_bundle(X509 *const *x, size_t n);
size_t pki_p7(X509 *const *x, size_t n, bool pem, uint8_t **out);                   /* caller frees */
char *pki_csr(EVP_PKEY *key, const char *cn, const char *names, const char *label); /* PEM; caller frees */
void pki_free(void);

#endif
