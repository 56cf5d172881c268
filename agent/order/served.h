/* served.h: what TLS servers send, asked of every address of each, many at once: for the command `served` and after a deploy hook.
 *
 * Names are looked up as any visitor's (net/resolve.h), one address after the other gets a verdict (cert/shown.h), and where a fetcher is given the CA
 * is asked whether what is served is revoked. At most WINDOW connections at a time. */
#ifndef DCV_ORDER_SERVED_H
#define DCV_ORDER_SERVED_H

#include "cert/hierarchy.h"
#include "cert/shown.h"
#include "net/fetch.h"
#include "net/net.h"

struct store;

struct served_target {
    struct endpoint at;   /* in: name and port; addr: look there alone; endpoint_parse_tls_host() */
    struct strs live;     /* in: fingerprints that are right here (served_live()); empty: any */
    struct err err;       /* out: its name has no address */
    struct served_view {  /* out: one an address */
        struct endpoint at;
        struct err err;   /* no TLS there */
        char version[16], cipher[64];
        struct shown shown;
    } *view;
    size_t n;
};

struct served {
    struct op op;         /* settles once all are known; always with success */
    struct net *net;      /* in, as all up to `now`; borrowed until served_clear() */
    struct fetcher *fetcher;           /* NULL: nobody is asked about revocation */
    const struct hierarchy *known;     /* NULL */
    const struct roots *roots;         /* cert/chain.h */
    struct served_target *target;
    size_t n;
    int64_t now;
    struct served_work *work;          /* the rest is its own */
    size_t next, busy;
};
void served_start(struct served *s);
void served_clear(struct served *s); /* cancels, and frees what the targets hold; the array is the caller's */

/* Fingerprints of the certificates in use (store) that cover this name. */
void served_live(struct store *s, const char *host, struct strs *out);

/* Error found: RC_FAILED; nobody there: RC_NET; the worse of all. */
enum rc served_rc(const struct served *s);

void served_show(const struct endpoint *at, char *out, size_t size); /* "www.example.hk:443" */

#endif
