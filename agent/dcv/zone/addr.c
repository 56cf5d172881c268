/* addr.c: the servers of a zone cut and all their addresses, each asked once. */
#include "dcv/zone/zone_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"

static struct endpoints discovery(const struct zones *z, const char *name)
{
    struct conf_verify v = conf_verify(z->conf, conf_zone(z->conf, name), NULL);

    return v.discovery.n ? v.discovery : *net_system_resolvers(z->net);
}

/* --- addresses of one server ----------------------------------------------------------------------------------------------------- */

static bool host_look(struct tour *t, const struct dns_reply *r)
{
    struct zhost *h = t->owner;
    bool any = false;

    for (size_t i = 0; i < r->n; i++) {
        struct endpoint p = {.port = 53, .via = VIA_UDP};

        if (r->rr[i].section != SECTION_ANSWER || r->rr[i].type != t->ask.type || h->at.n >= WALK_MAX)
            continue;
        if (!dns_addr_rdata(t->ask.type, r->rr[i].rdata, p.addr))
            continue;
        snprintf(p.name, sizeof p.name, "%s", h->name);
        endpoints_add(&h->at, &p);
        any = true;
    }
    return any || r->rcode == DNS_NOERROR || r->rcode == DNS_NXDOMAIN;
}

static void host_end(struct tour *t, bool good)
{
    struct zhost *h = t->owner;

    (void)good;
    if (--h->open)
        return;
    h->done = true;
    waits_wake(&h->waits);
}

static struct zhost *host_get(struct zones *z, const char *name)
{
    static const uint16_t types[2] = {TYPE_A, TYPE_AAAA};
    struct zhost *h = z->host;

    while (h && !name_same(h->name, name))
        h = h->next;
    if (h)
        return h;
    h = mem_new(sizeof *h);
    snprintf(h->name, sizeof h->name, "%s", name);
    h->of = z;
    h->next = z->host;
    z->host = h;
    h->open = 3; /* one for this function: a tour without servers ends at once */
    for (int i = 0; i < 2; i++) {
        h->tour[i].look = host_look;
        h->tour[i].end = host_end;
        h->tour[i].owner = h;
        tour_start(&h->tour[i], z->net, discovery(z, name), name, types[i], true);
    }
    host_end(&h->tour[0], false);
    return h;
}

void host_free(struct zhost *h)
{
    tour_free(&h->tour[0]);
    tour_free(&h->tour[1]);
    endpoints_free(&h->at);
    free(h->waits.w);
    free(h);
}

/* --- cuts ------------------------------------------------------------------------------------------------------------------------ */

struct zcut *cut_known(const struct zones *z, const char *apex)
{
    struct zcut *c = z->cut;

    while (c && !name_same(c->z.apex, apex))
        c = c->next;
    return c;
}

struct zcut *cut_make(struct zones *z, const char *apex)
{
    struct zcut *c = mem_new(sizeof *c);

    snprintf(c->z.apex, sizeof c->z.apex, "%s", apex);
    c->of = z;
    c->next = z->cut;
    z->cut = c;
    return c;
}

static void is_ready(struct zcut *c)
{
    c->ready = true;
    waits_wake(&c->on_ready);
}

/* Addresses of one of its servers: those that discovery knows, else the glue of the referral. */
static void addresses_of(const struct zcut *c, const char *ns, struct endpoints *out)
{
    const struct zhost *h = host_get(c->of, ns);

    for (size_t i = 0; i < h->at.n; i++)
        endpoints_add(out, &h->at.e[i]);
    for (size_t i = 0; h->at.n == 0 && i < c->glue.n; i++)
        if (name_same(c->glue.e[i].name, ns))
            endpoints_add(out, &c->glue.e[i]);
}

static void walk_known(struct zcut *c)
{
    for (size_t i = 0; i < c->ns.n && c->walk.n < WALK_MAX; i++)
        addresses_of(c, c->ns.s[i], &c->walk);
    if (!c->walk.n) {
        char *list = strs_join(&c->ns, " ");

        err_at(&c->err, "%s", c->z.apex);
        err_set(&c->err, RC_NET, "DISCOVERY",
                "the name servers of %s (%.120s) have no address that could be found; if only an inside view knows them, set [zone %s] "
                "servers=",
                c->z.apex, list, c->z.apex);
        err_again(&c->err, 0);
        free(list);
    }
    is_ready(c);
}

/* Waits for the addresses of the first `limit` servers. */
static void hosts_wanted(struct zcut *c, size_t limit, void (*go)(void *arg))
{
    c->hosts_open = 1;
    for (size_t i = 0; i < c->ns.n && i < limit; i++) {
        struct zhost *h = host_get(c->of, c->ns.s[i]);

        if (h->done)
            continue;
        c->hosts_open++;
        waits_add(&h->waits, go, c);
    }
    go(c);
}

static void walker_host(void *arg)
{
    struct zcut *c = arg;

    if (--c->hosts_open == 0)
        walk_known(c);
}

static bool ns_look(struct tour *t, const struct dns_reply *r)
{
    struct zcut *c = t->owner;
    char name[254], soa[254] = "";

    if (r->rcode != DNS_NOERROR)
        return r->rcode == DNS_NXDOMAIN;
    for (size_t i = 0; i < r->n; i++) {
        if (r->rr[i].section == SECTION_ANSWER && r->rr[i].type == TYPE_NS && name_same(r->rr[i].owner, c->z.apex) && c->ns.n < NS_MAX &&
            dns_name_rdata(r->rr[i].rdata, name) && !strs_has(&c->ns, name))
            strs_add(&c->ns, name);
        if (r->rr[i].section == SECTION_AUTHORITY && r->rr[i].type == TYPE_SOA && name_within(c->z.apex, r->rr[i].owner))
            snprintf(soa, sizeof soa, "%s", r->rr[i].owner);
    }
    if (!c->ns.n && *soa && !name_same(soa, c->z.apex)) /* a name inside a zone, not a cut: zones= may be narrower than the zone */
        memcpy(c->moved, soa, sizeof c->moved);
    return true;
}

static void ns_end(struct tour *t, bool good)
{
    struct zcut *c = t->owner;

    if (c->ns.n) {
        hosts_wanted(c, WALKERS, walker_host);
        return;
    }
    if (!*c->moved) {
        err_at(&c->err, "%s", c->z.apex);
        if (good)
            err_set(&c->err, RC_DELEGATION, "NO_ZONE",
                    "the discovery servers know no name servers of %s; if it is an inside zone, set [zone %s] servers= to the addresses "
                    "that serve it",
                    c->z.apex, c->z.apex);
        else
            err_set(&c->err, RC_NET, "DISCOVERY",
                    "no discovery server told who serves %s%s%.150s; set [verify] discovery= to servers that answer, or [zone %s] servers=",
                    c->z.apex, t->last.rc ? ": " : "", t->last.text, c->z.apex);
        err_again(&c->err, 0);
    }
    is_ready(c);
}

static const struct conf_zone *configured(const struct zcut *c)
{
    const struct conf_zone *cz = conf_zone(c->of->conf, c->z.apex);

    return cz && cz->servers.n && name_same(cz->name, c->z.apex) ? cz : NULL;
}

/* [zone] servers= stand for what would be discovered: each address is a server of its own. */
static void take_configured(struct zcut *c, const struct endpoints *servers)
{
    c->z.configured = true;
    c->z.server = mem_array(servers->n, sizeof(*c->z.server));
    c->z.n = servers->n;
    for (size_t i = 0; i < servers->n; i++) {
        const struct endpoint *p = &servers->e[i];

        snprintf(c->z.server[i].name, sizeof c->z.server[i].name, "%s", *p->name ? p->name : p->addr);
        endpoints_add(&c->z.server[i].at, p);
        endpoints_add(&c->walk, p);
    }
    c->whole = true;
}

void cut_ready(struct zcut *c, void (*go)(void *arg), void *arg)
{
    const struct conf_zone *cz;

    if (c->ready) {
        go(arg);
        return;
    }
    waits_add(&c->on_ready, go, arg);
    if (c->started)
        return;
    c->started = true;
    cz = configured(c);
    if (cz) {
        take_configured(c, &cz->servers);
        is_ready(c);
    } else if (c->ns.n) {
        hosts_wanted(c, WALKERS, walker_host);
    } else {
        c->start.look = ns_look;
        c->start.end = ns_end;
        c->start.owner = c;
        tour_start(&c->start, c->of->net, discovery(c->of, c->z.apex), c->z.apex, TYPE_NS, true);
    }
}

static void whole_known(struct zcut *c)
{
    size_t addresses = 0;

    c->z.server = mem_array(c->ns.n ? c->ns.n : 1, sizeof(*c->z.server));
    c->z.n = c->ns.n;
    for (size_t i = 0; i < c->ns.n; i++) {
        snprintf(c->z.server[i].name, sizeof c->z.server[i].name, "%s", c->ns.s[i]);
        addresses_of(c, c->ns.s[i], &c->z.server[i].at);
        addresses += c->z.server[i].at.n;
    }
    if (!addresses) {
        err_at(&c->err, "%s", c->z.apex);
        err_set(&c->err, RC_DELEGATION, "LAME", "none of the %zu name servers that zone %s names has an address; mend its NS records",
                c->ns.n, c->z.apex);
    }
    c->whole = true;
    waits_wake(&c->on_whole);
}

static void server_host(void *arg)
{
    struct zcut *c = arg;

    if (--c->hosts_open == 0)
        whole_known(c);
}

/* The zone's own NS set counts; the delegation's is only how one gets there. */
static bool child_look(struct tour *t, const struct dns_reply *r)
{
    struct zcut *c = t->owner;
    struct strs own = {0};
    char name[254];

    for (size_t i = 0; r->aa && r->rcode == DNS_NOERROR && i < r->n; i++)
        if (r->rr[i].section == SECTION_ANSWER && r->rr[i].type == TYPE_NS && name_same(r->rr[i].owner, c->z.apex) && own.n < NS_MAX &&
            dns_name_rdata(r->rr[i].rdata, name) && !strs_has(&own, name))
            strs_add(&own, name);
    if (!own.n)
        return false;
    strs_free(&c->ns);
    c->ns = own;
    return true;
}

static void child_end(struct tour *t, bool good)
{
    struct zcut *c = t->owner;

    (void)good; /* else the delegation's set has to do */
    hosts_wanted(c, NS_MAX, server_host);
}

static void complete(void *arg)
{
    struct zcut *c = arg;

    if (c->whole || c->err.rc != RC_OK) {
        waits_wake(&c->on_whole);
        return;
    }
    c->child.look = child_look;
    c->child.end = child_end;
    c->child.owner = c;
    tour_start(&c->child, c->of->net, c->walk, c->z.apex, TYPE_NS, false);
}

void cut_whole(struct zcut *c, void (*go)(void *arg), void *arg)
{
    if (c->whole || (c->ready && c->err.rc != RC_OK)) {
        go(arg);
        return;
    }
    waits_add(&c->on_whole, go, arg);
    if (c->completing)
        return;
    c->completing = true;
    cut_ready(c, complete, c);
}

void cut_free(struct zcut *c)
{
    tour_free(&c->start);
    tour_free(&c->child);
    for (size_t i = 0; i < c->z.n; i++)
        endpoints_free(&c->z.server[i].at);
    free(c->z.server);
    strs_free(&c->ns);
    endpoints_free(&c->glue);
    endpoints_free(&c->walk);
    free(c->on_ready.w);
    free(c->on_whole.w);
    for (struct gate *g = c->gate, *next; g; g = next) {
        next = g->next;
        free(g->waits.w);
        free(g);
    }
    free(c);
}
