/* shown.h: is what a server sends what its visitors need? The verdict on one address: pure, no network, and no fetching of what is missing: a browser may
 * know the missing intermediate from elsewhere, a payment terminal does not. */
#ifndef DCV_CERT_SHOWN_H
#define DCV_CERT_SHOWN_H

#include "base/log.h"
#include "base/record.h"
#include "cert/chain.h"
#include "cert/hierarchy.h"
#include "cert/issued.h"

struct shown_in {
    const struct bytes *cert;      /* DER, as sent */
    size_t n;
    const char *broken;            /* why the handshake did not end; "" */
    const char *host;              /* that a visitor asks for, inner form */
    const struct strs *live;       /* SHA-256 of the certificates in use for this name, hex; empty: it is not ours */
    const struct roots *roots;     /* cert/chain.h */
    const struct hierarchy *known; /* NULL */
    int64_t now;
};

struct shown_finding {
    enum level level;
    const char *code; /* "SERVED_EXPIRED" */
    char *text;
};

struct shown {
    struct cert_facts facts; /* of the server's own certificate; zeroed where it cannot be read */
    struct strs sent;        /* subjects (CN) as sent, its own first */
    struct shown_finding *f; /* worst first */
    size_t n;
    char *path_pem;          /* leaf to root, for cert/vouch.h; NULL: there is none */
};

/* ERROR: SERVED_NAME SERVED_EXPIRED SERVED_NOT_YET SERVED_INCOMPLETE SERVED_CHAIN SERVED_READ, and SERVED_NOT_LIVE (another certificate than the one
 * in use here); WARNING: SERVED_EXPIRING, SERVED_CHAIN_ENDS, SERVED_ORDER, SERVED_EXTRA, SERVED_HANDSHAKE; SERVED_OLD_INTERMEDIATE is an error once
 * the CA revokes it; INFO: SERVED_ROOT. */
void shown_judge(const struct shown_in *in, struct shown *out);
void shown_add(struct shown *s, enum level level, const char *code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
enum level shown_worst(const struct shown *s); /* LEVEL_DEBUG: nothing to say */
void shown_clear(struct shown *s);

#endif
