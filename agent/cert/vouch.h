/* vouch.h: asks the CA, through the loop, whether the certificates of a chain are revoked: OCSP first, then the CRL, where a certificate names them.
 *
 * All certificates side by side; what several chains share is asked once (net/fetch.h). The outcome is never a fault: what could not be learnt is
 * REVOKED_UNKNOWN with the reason. */
#ifndef DCV_CERT_VOUCH_H
#define DCV_CERT_VOUCH_H

#include "base/op.h"
#include "cert/revoked.h"
#include "net/fetch.h"

enum { VOUCH_CERTS = 9 }; /* a chain's levels, the leaf too */

struct vouch_one {
    struct vouch *all;
    size_t i;
    struct strs ocsp, crl; /* URLs */
    size_t at;             /* of both together, OCSP first */
    struct fetch fetch;
    struct revoked is;     /* out */
    char from[200];        /* out: the URL of the answer that counts; "" */
    char before[320];      /* out: what was asked before it in vain, and why; "" */
};

struct vouch {
    struct op op;
    const char *path_pem;  /* leaf to root (chain.path_pem); caller's, during vouch_start() alone */
    struct bytes staple;   /* an OCSP response that came with the leaf, judged first; n 0: none; likewise */
    int64_t now;           /* s */
    struct fetcher *fetcher;
    struct issued *chain;
    struct vouch_one one[VOUCH_CERTS]; /* out: n of them, the leaf first, the root not */
    size_t n, pending;
};
void vouch_start(struct fetcher *f, struct vouch *v);
void vouch_clear(struct vouch *v);

/* The first that is revoked; NULL: none. */
const struct vouch_one *vouch_revoked(const struct vouch *v);
/* "Lab Intermediate CA" was revoked on 2026-06-14 (superseded), says http://... */
void vouch_tell(const struct vouch *v, const struct vouch_one *one, struct str *out);

#endif
