/* net_impl.h: what the files of net/ share of one run. */
#ifndef DCV_NET_NET_IMPL_H
#define DCV_NET_NET_IMPL_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "net/net.h"

union address {
    struct sockaddr sa;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct dns; /* dnsx.c: its channels */

/* Literal address and port as the kernel wants them; false: no literal address. *len may be NULL. */
bool net_address(const char *addr, uint16_t port, union address *out, socklen_t *len);

/* [agent] source_address to bind to (port 0), NULL where none is set for this family. */
const struct sockaddr *net_source(const struct net *n, int family, socklen_t *len);

struct dns *net_dns(struct net *n);

/* Proxy and trust for connections to DoT and DoH servers. */
const struct http_setup *net_secure(const struct net *n);

/* dnsx.c */
struct dns *dns_new(struct net *n, struct err *e);
void dns_free(struct dns *d); /* before the loop */

#endif
