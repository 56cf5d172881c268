/* certs.h: what issued.c, facts.c, check.c and chain's files share about certificates. For this folder alone. */
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

#endif
