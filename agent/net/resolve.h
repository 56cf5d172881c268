/* resolve.h: the addresses of a server that is given by name: /etc/hosts first, then the system's resolvers, A and AAAA.
 * For hosts of our own configuration (update servers, CAs, APIs) and servers that are up already (order/served.h), never for names that are to be
 * validated. */
#ifndef DCV_NET_RESOLVE_H
#define DCV_NET_RESOLVE_H

#include "net/dnsx.h"

struct resolve {
    struct op op;
    const char *name; /* inner form; caller's, until done() */
    uint16_t port;
    struct endpoints out; /* every address, with name, port and VIA_TCP; the caller's: endpoints_free() */
    struct net *net;      /* the rest is resolve's */
    struct dns_ask ask[2];
    size_t server;
    struct err last;
};

/* Faults are RC_NET: RESOLVE (the name has no address, or nobody could be asked). */
void resolve_start(struct net *n, struct resolve *r);
bool resolve_asks(const struct resolve *r); /* a resolver; else it is through with the next round of the loop */

#endif
