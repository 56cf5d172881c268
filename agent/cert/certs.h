/* certs.h: what the files of cert/ share about certificates. For this folder alone. */
#ifndef DCV_CERT_CERTS_H
#define DCV_CERT_CERTS_H

#include "cert/issued.h"
#include "cert/ossl.h"

enum { CERTS_MAX = 64, CERT_FILE_MAX = 1 << 20 };

struct issued {
    struct x509_st *x[CERTS_MAX];
    size_t n;
};

enum eku { EKU_NONE, EKU_SERVER, EKU_OTHER }; /* no such extension; serverAuth or any in it; neither */
enum eku cert_eku(const struct x509_st *x);
bool cert_spki(const struct x509_st *x, char hex[65]);
bool cert_same(const struct x509_st *a, const struct x509_st *b); /* the same octets */
bool cert_validity(const struct x509_st *x, int64_t *from, int64_t *to);
void cert_serial(const struct x509_st *x, char *out, size_t size);         /* lower-case hex; "" where it does not fit */
const char *cert_subject(const struct x509_st *x, char *out, size_t size); /* for messages: the CN where there is one */
const char *cert_issuer(const struct x509_st *x, char *out, size_t size);

/* A set grows by one; x becomes the set's, or is freed where it is there already. false: it is full (x freed). */
bool issued_add(struct issued *i, struct x509_st *x);

/* URLs that a certificate gives (RFC 5280 4.2.2.1, 4.2.1.13): http and https alone, printable, up to four, in their order. */
enum cert_url { URL_ISSUER, URL_OCSP, URL_CRL };
void cert_urls(const struct x509_st *x, enum cert_url kind, struct strs *out);

/* --- hierarchy.c: a certificate that a file of conf/ca/chains/ knows; texts live as long as the hierarchy ------------------------------------ */

struct hierarchy;
struct known {
    const char *title, *name;       /* the file's; the section's */
    const char *subject, *issuer;   /* common names */
    const char *sha256, *key;       /* hex; NULL: not known, any */
    enum { KNOWN_ANY, KNOWN_NO_EKU, KNOWN_SERVER } eku;
    const char *replaced_by, *url, *next_url; /* NULL; next_url: its successor's */
    int64_t leaves_from, leaves_until; /* s; 0: not known */
    int64_t revoked_by, ends;
};
const struct known *hierarchy_find(const struct hierarchy *h, const struct x509_st *x); /* h NULL, or nothing known: NULL */
bool known_outdated(const struct known *k, int64_t leaf_from, int64_t now);             /* k NULL: no */
void known_reason(const struct known *k, int64_t now, struct str *out);                 /* why an outdated one is: half a sentence */

#endif
