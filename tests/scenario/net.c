/* net.c: every address has a route, but those of documentation range 2001:db8:dead::. */
#include "net/net.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct net {
    struct loop *loop;
    struct endpoints system;
};

struct net *net_new(const struct net_setup *setup, struct err *e)
{
    (void)setup;
    struct net *n = mem_new(sizeof *n);
    struct endpoint p = {.addr = "192.0.2.7", .port = 53, .via = VIA_UDP};
    n->loop = loop_new(e);
    endpoints_add(&n->system, &p);
    return n;
}

void net_free(struct net *n)
{
    if (!n)
        return;
    loop_free(n->loop);
    endpoints_free(&n->system);
    free(n);
}

struct loop *net_loop(struct net *n)
{
    return n->loop;
}

const struct endpoints *net_system_resolvers(struct net *n)
{
    return &n->system;
}

bool net_has_route(struct net *n, const struct endpoint *to)
{
    (void)n;
    return strncmp(to->addr, "2001:db8:dead:", 14) != 0;
}
