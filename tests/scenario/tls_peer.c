/* tls_peer.c: there are no TLS servers in this world, and no host names but those of DNS zones. */
#include "net/tls_peer.h"

#include "net/resolve.h"
#include "tests/scenario/world.h"

static void nobody(void *arg)
{
    struct err e = {0};
    err_set(&e, RC_NET, "PEER_CONNECT", "nobody is there");
    op_settle(arg, &e);
}

static void forget(struct op *op)
{
    world_drop(op);
}

void peer_start(struct net *n, struct peer *p)
{
    (void)n;
    op_start(&p->op, forget);
    world_at(world_ms() + 20, nobody, &p->op);
}

void peer_clear(struct peer *p)
{
    op_cancel(&p->op);
}

void resolve_start(struct net *n, struct resolve *r)
{
    (void)n;
    op_start(&r->op, forget);
    world_at(world_ms() + 20, nobody, &r->op);
}
