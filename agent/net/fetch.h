/* fetch.h: public files that certificates name (issuers, CRLs, OCSP answers): each asked for once a run, whoever wants it.
 *
 * The URLs are others' words: http and https alone, no redirects, no cookies, at addresses of the public internet (net/public.h) unless the
 * administrator allows others, capped in size, time and number. What comes is hostile until its signature was verified. */
#ifndef DCV_NET_FETCH_H
#define DCV_NET_FETCH_H

#include "base/op.h"
#include "base/record.h"

struct fetcher;
struct net;

struct fetch_setup {
    const char *proxy, *proxy_user; /* NULL: none. A proxy looks hosts up by itself: then literal addresses alone can be judged */
    bool private_too;               /* addresses that are not public, too */
};

struct fetcher *fetcher_new(struct net *n, const struct fetch_setup *setup, struct err *e);
void fetcher_free(struct fetcher *f); /* NULL allowed; what is under way must have been cancelled */

struct fetch {
    struct op op;
    const char *url;   /* caller's, as all below, until fetch_start() returns */
    struct bytes body; /* n 0: GET, else POST */
    const char *type;  /* Content-Type of the body */
    size_t max;        /* octets of the answer; the first who asks says it */
    struct bytes in;   /* out: the answer; the fetcher's, as long as it lives */
    struct fetch *next;
    void *impl;
};

/* Faults RC_NET: those of net/http.h, HTTP_PRIVATE (its address is not public), FETCH_STATUS (the answer is not 200), FETCH_MANY (a run asks for no
 * more than it can hold). */
void fetch_start(struct fetcher *f, struct fetch *x);

#endif
