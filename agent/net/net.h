/* net.h: everything of one run that reaches the network: the loop, DNS channels, connections. Made once, freed last. */
#ifndef DCV_NET_NET_H
#define DCV_NET_NET_H

#include "base/endpoint.h"
#include "net/loop.h"

struct net;

struct net_setup {
    const char *source_address; /* [agent] source_address; NULL */
    const struct endpoints *discovery; /* [verify] discovery; NULL or empty: the system's resolv.conf */
    const char *resolv_conf;    /* NULL: /etc/resolv.conf: where `discovery = system` looks */
    const char *proxy, *proxy_user; /* for DoT and DoH; NULL: none. proxy_user: user:password */
    const char *resolver_ca_file;   /* roots of DoT and DoH servers; NULL: the system's */
};

struct net *net_new(const struct net_setup *setup, struct err *e);
void net_free(struct net *n);
struct loop *net_loop(struct net *n);

/* The system's name servers (resolv.conf), port 53; empty where there are none. Borrowed. */
const struct endpoints *net_system_resolvers(struct net *n);

/* Is there a local route for this family? An address of a family without one counts as not asked. (A UDP connect(), nothing is sent.) */
bool net_has_route(struct net *n, const struct endpoint *to);

#endif
