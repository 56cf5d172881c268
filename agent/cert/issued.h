/* issued.h: what a CA handed over, in every form it may come in, and whether it is what was ordered. */
#ifndef DCV_CERT_ISSUED_H
#define DCV_CERT_ISSUED_H

#include "base/err.h"
#include "base/str.h"

struct issued; /* certificates out of one or more files, in the order given */

/* PEM (CRLF, BOM, leading and trailing text, several), DER, PKCS#7 (PEM or DER). Appends to *out (made where NULL), all
 * or nothing; duplicates are dropped. At most 1 MiB and 64 certificates. Faults RC_CA: CERT_READ (says what the file is instead: a web page,
 * UTF-16, a CSR, a PFX, cut off), CERT_PRIVATE_KEY (a private key was handed over with it). */
bool issued_read(struct issued **out, const void *p, size_t n, struct err *e);
void issued_free(struct issued *i);
size_t issued_count(const struct issued *i);

struct cert_facts {
    char serial[64];      /* lower-case hex */
    char fingerprint[65]; /* SHA-256 of the DER, hex */
    char spki[65];
    int64_t not_before, not_after; /* s; not_after: first second after the last valid one is +1 (RFC 5280: inclusive) */
    struct strs names;             /* SAN dNSNames, inner form; CN where there is no SAN */
    char cn[254];
    char organisation[256]; /* subject O, UTF-8 */
    char subject[512], issuer[512];
    bool server_auth, ca; /* EKU present with serverAuth (or any), or no EKU; basicConstraints CA */
    bool eku_present;
};
bool issued_facts(const struct issued *i, size_t at, struct cert_facts *f, struct err *e);
bool issued_first(const void *p, size_t n, struct cert_facts *f); /* of the first certificate in there; false: none can be read */
void cert_facts_clear(struct cert_facts *f);

struct ordered {              /* what the leaf has to be */
    const char *spki;         /* hex; the key (or CSR) of the order */
    const struct strs *names; /* must be equal as sets */
    const char *organisation; /* compared ignoring case and runs of blanks; NULL: any */
    int64_t now;              /* validity: not expired; starts at most a day in the future is a warning of the caller's */
    int64_t longest;          /* s; longest validity the rules of the day allow; 0: any */
};
/* Finds the leaf (the certificate whose key is ours) and checks it. Faults RC_CA: CERT_KEY (no certificate for our key; names those there are),
 * CERT_NAMES (missing and extra ones listed), CERT_ORGANISATION, CERT_EXPIRED, CERT_NOT_YET (starts more than a day ahead), CERT_TOO_LONG
 * (longer than `longest`), CERT_EKU, CERT_IS_CA, CERT_READ. Where several have our key: the newest that is as ordered. */
bool issued_check(const struct issued *i, const struct ordered *o, size_t *leaf, struct err *e);

/* The leaf and everything else as PEM, leaf first; caller frees. */
char *issued_pem(const struct issued *i, size_t leaf);

#endif
