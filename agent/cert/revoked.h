/* revoked.h: is a certificate of a chain revoked? Questions made (OCSP, RFC 6960) and answers judged (OCSP, CRL of RFC 5280): pure, no network.
 *
 * The chain is a set read by issued_read(): each certificate signed by the next, the root last. An answer counts only where it was signed by the
 * issuer, or for OCSP by whom the issuer delegated, and is of the present. */
#ifndef DCV_CERT_REVOKED_H
#define DCV_CERT_REVOKED_H

#include "base/record.h"
#include "cert/issued.h"

enum revoked_is {
    REVOKED_UNKNOWN, /* nobody said anything that counts: why */
    REVOKED_GOOD,
    REVOKED_YES
};

struct revoked {
    enum revoked_is is;
    int64_t at;      /* REVOKED_YES: since when, s */
    char reason[32]; /* "keyCompromise"; "" */
    char why[160];   /* REVOKED_UNKNOWN */
};

enum { REVOKED_OCSP_MAX = 64 << 10, REVOKED_CRL_MAX = 8 << 20 }; /* octets of an answer */

/* Where certificate i (not the root) says it can be asked after; http and https alone. */
void revoked_urls(const struct issued *chain, size_t i, struct strs *ocsp, struct strs *crl);
bool revoked_question(const struct issued *chain, size_t i, uint8_t **der, size_t *n); /* an OCSP request without nonce; caller frees */
void revoked_ocsp(const struct issued *chain, size_t i, struct bytes answer, int64_t now, struct revoked *out);
void revoked_crl(const struct issued *chain, size_t i, struct bytes crl, int64_t now, struct revoked *out);

/* "Lab Intermediate CA", for messages. */
void revoked_name(const struct issued *chain, size_t i, char *out, size_t size);

#endif
