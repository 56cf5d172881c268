/* dnsx.c: questions answered from the world: authorities with referrals, lag and faults, resolvers with caches. */
#include "net/dnsx.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "tests/scenario/world.h"

enum { TRIP_MS = 20, RRS = 64, POOL = 32768, CACHE = 4096, SOA_TTL = 3600, NS_TTL = 3600, HOPS = 8 };

struct cached { /* what a resolver knows: how it was at a moment */
    const struct world_server *at;
    char name[254];
    uint16_t type;
    int64_t seen, until;
};

static struct cached cache[CACHE];
static size_t n_cache;

void world_forget_answers(void)
{
    n_cache = 0;
}

struct answer {
    struct dns_reply reply;
    struct dns_rr rr[RRS];
    uint8_t pool[POOL];
    size_t used;
};

/* --- wire ------------------------------------------------------------------------------------------------------------------------- */

static void put(struct answer *a, const void *p, size_t n)
{
    if (a->used + n > POOL)
        abort();
    memcpy(a->pool + a->used, p, n);
    a->used += n;
}

static void put_name(struct answer *a, const char *name)
{
    while (*name) {
        uint8_t n = (uint8_t)strcspn(name, ".");
        put(a, &n, 1);
        put(a, name, n);
        name += n + (name[n] == '.');
    }
    put(a, "", 1);
}

static void put_u32(struct answer *a, uint32_t v)
{
    uint32_t wire = htonl(v);
    put(a, &wire, sizeof wire);
}

static void put_txt(struct answer *a, const char *text)
{
    size_t left = strlen(text);
    do {
        uint8_t n = (uint8_t)(left > 255 ? 255 : left);
        put(a, &n, 1);
        put(a, text, n);
        text += n;
        left -= n;
    } while (left);
}

static void put_caa(struct answer *a, const char *text)
{
    char tag[16], value[256];
    unsigned flags = 0;
    sscanf(text, "%u %15s %255[^\n]", &flags, tag, value);
    uint8_t head[2] = {(uint8_t)flags, (uint8_t)strlen(tag)};
    put(a, head, 2);
    put(a, tag, strlen(tag));
    put(a, value, strlen(value));
}

static void put_rdata(struct answer *a, uint16_t type, const char *text)
{
    uint8_t addr[16];
    if (type == TYPE_A || type == TYPE_AAAA)
        inet_pton(type == TYPE_A ? AF_INET : AF_INET6, text, addr), put(a, addr, type == TYPE_A ? 4 : 16);
    else if (type == TYPE_NS || type == TYPE_CNAME)
        put_name(a, text);
    else if (type == TYPE_CAA)
        put_caa(a, text);
    else
        put_txt(a, text);
}

static void add(struct answer *a, unsigned section, const char *owner, uint16_t type, uint32_t ttl, const char *text)
{
    if (a->reply.n == RRS)
        abort();
    size_t from = a->used;
    put_rdata(a, type, text);
    a->rr[a->reply.n++] = (struct dns_rr){owner, type, (uint8_t)section, ttl, {a->pool + from, a->used - from}};
}

static void add_soa(struct answer *a, unsigned section, const struct world_zone *z)
{
    size_t from = a->used;
    put_name(a, z->host[0].name);
    put_name(a, "hostmaster");
    for (int i = 0; i < 4; i++)
        put_u32(a, 7200);
    put_u32(a, z->negative_ttl);
    a->rr[a->reply.n++] = (struct dns_rr){z->apex, TYPE_SOA, (uint8_t)section, SOA_TTL, {a->pool + from, a->used - from}};
}

static void add_servers(struct answer *a, unsigned section, const struct world_zone *z)
{
    for (size_t i = 0; i < z->n_host; i++)
        add(a, section, z->apex, TYPE_NS, NS_TTL, z->host[i].name);
    for (size_t i = 0; i < z->n_host; i++)
        add(a, SECTION_ADDITIONAL, z->host[i].name, strchr(z->host[i].addr, ':') ? TYPE_AAAA : TYPE_A, NS_TTL, z->host[i].addr);
}

/* --- what a zone says at a moment ---------------------------------------------------------------------------------------------------- */

static bool exists(const char *name, int64_t at)
{
    for (size_t i = 0; world_each(i); i++)
        if (world_each(i)->from <= at && at < world_each(i)->until && name_within(world_each(i)->owner, name))
            return true;
    for (size_t i = 0; world_zone_each(i); i++) {
        const struct world_zone *z = world_zone_each(i);
        for (size_t k = 0; k < z->n_host; k++)
            if (name_within(z->host[k].name, name) || name_within(z->apex, name))
                return true;
    }
    return false;
}

static bool host_address(struct answer *a, const char *name, uint16_t type)
{
    bool any = false;
    for (size_t i = 0; world_zone_each(i); i++) {
        const struct world_zone *z = world_zone_each(i);
        for (size_t k = 0; k < z->n_host && !any; k++)
            if (strcmp(z->host[k].name, name) == 0 && type == (strchr(z->host[k].addr, ':') ? TYPE_AAAA : TYPE_A))
                add(a, SECTION_ANSWER, z->host[k].name, type, NS_TTL, z->host[k].addr), any = true;
    }
    return any;
}

/* The answer of zone z, as it was then. A CNAME is followed where `follow` says so (resolvers), its link is in the answer either way. */
static void zone_says(struct answer *a, const struct world_zone *z, const char *name, uint16_t type, int64_t at, unsigned follow)
{
    const struct world_record *cname = world_find(name, TYPE_CNAME, NULL, at);
    bool any = false;
    if (cname && type != TYPE_CNAME) {
        add(a, SECTION_ANSWER, cname->owner, TYPE_CNAME, cname->ttl, cname->text);
        if (follow)
            zone_says(a, world_zone_of(cname->text), cname->text, type, at, follow - 1);
        return;
    }
    if (strcmp(name, z->apex) == 0 && type == TYPE_SOA)
        add_soa(a, SECTION_ANSWER, z), any = true;
    if (strcmp(name, z->apex) == 0 && type == TYPE_NS)
        add_servers(a, SECTION_ANSWER, z), any = true;
    if (type == TYPE_A || type == TYPE_AAAA)
        any |= host_address(a, name, type);
    for (size_t i = 0; world_each(i); i++) {
        const struct world_record *r = world_each(i);
        if (r->type != type || at < r->from || at >= r->until || strcmp(r->owner, name) != 0)
            continue;
        add(a, SECTION_ANSWER, r->owner, type, r->ttl, r->text);
        any = true;
    }
    if (any)
        return;
    a->reply.rcode = exists(name, at) || strcmp(name, z->apex) == 0 ? DNS_NOERROR : DNS_NXDOMAIN;
    add_soa(a, SECTION_AUTHORITY, z);
}

static int64_t moment(const struct world_server *s)
{
    return s->stands ? s->stands : world_ms() - s->lag;
}

static void authority_says(struct answer *a, const struct world_server *s, const char *name, uint16_t type)
{
    const struct world_zone *z = world_served(s->addr, name), *child = NULL;
    if (!z) {
        a->reply.rcode = DNS_REFUSED;
        return;
    }
    for (const char *up = name; up && strlen(up) > strlen(z->apex); up = name_parent(up))
        if (strcmp(world_zone_of(up)->apex, up) == 0)
            child = world_zone_of(up);
    if (child) {
        add_servers(a, SECTION_AUTHORITY, child);
        return;
    }
    a->reply.aa = !s->lame;
    if (!s->lame)
        zone_says(a, z, name, type, moment(s), 0);
}

/* --- resolvers ---------------------------------------------------------------------------------------------------------------------- */

/* The first server of the zone that works: what a resolver asks. */
static const struct world_server *source(const char *name)
{
    const struct world_zone *z = world_zone_of(name);
    for (size_t i = 0; i < z->n_host; i++) {
        const struct world_server *s = world_server(z->host[i].addr);
        if (!s->dead && !s->lame && !s->rcode)
            return s;
    }
    return NULL;
}

static bool any_authority_has(const char *name)
{
    const struct world_zone *z = world_zone_of(name);
    for (size_t i = 0; i < z->n_host; i++)
        if (world_find(name, TYPE_TXT, NULL, moment(world_server(z->host[i].addr))))
            return true;
    return world_find(name, TYPE_CNAME, NULL, world_ms()) != NULL;
}

static void resolver_says(struct answer *a, struct world_server *s, const char *name, uint16_t type, bool cd)
{
    struct cached *c = NULL;
    for (size_t i = 0; i < n_cache && !c; i++)
        if (cache[i].at == s && cache[i].type == type && cache[i].until > world_ms() && strcmp(cache[i].name, name) == 0)
            c = &cache[i];
    const struct world_server *from = source(name);
    if ((s->bogus && !cd) || (!c && !from)) {
        a->reply.rcode = DNS_SERVFAIL;
        return;
    }
    int64_t seen = c ? c->seen : s->stands ? s->stands : moment(from);
    zone_says(a, world_zone_of(name), name, type, seen, HOPS);
    if (c)
        return;
    s->early += type == TYPE_TXT && !any_authority_has(name);
    uint32_t ttl = a->reply.n ? a->rr[a->reply.n - 1].ttl : 0;
    if (a->reply.n && a->rr[a->reply.n - 1].section == SECTION_AUTHORITY)
        ttl = world_zone_of(name)->negative_ttl;
    for (size_t i = 0; i < a->reply.n; i++)
        ttl = a->rr[i].ttl < ttl ? a->rr[i].ttl : ttl;
    c = &cache[n_cache++ % CACHE];
    n_cache = n_cache > CACHE ? CACHE : n_cache;
    *c = (struct cached){.at = s, .type = type, .seen = seen, .until = world_ms() + (int64_t)ttl * 1000};
    snprintf(c->name, sizeof c->name, "%s", name);
}

void world_ask(const char *resolver, const char *name, uint16_t type)
{
    struct answer *a = mem_new(sizeof *a);
    struct world_server *s = world_server(resolver);
    unsigned early = s->early;
    resolver_says(a, s, name, type, false);
    s->early = early;
    free(a);
}

/* --- requests ----------------------------------------------------------------------------------------------------------------------- */

static void nobody(void *arg)
{
    struct dns_ask *ask = arg;
    struct err e = {0};
    err_set(&e, RC_NET, "DNS_TIMEOUT", "%s does not answer", ask->to->addr);
    op_settle(&ask->op, &e);
}

static void answer(void *arg)
{
    struct dns_ask *ask = arg;
    struct world_server *s = world_server(ask->to->addr);
    struct answer *a = mem_new(sizeof *a);
    a->reply.rr = a->rr;
    s->asked++;
    if (s->rcode)
        a->reply.rcode = (uint8_t)s->rcode;
    else if (s->resolver)
        resolver_says(a, s, ask->name, ask->type, ask->cd);
    else
        authority_says(a, s, ask->name, ask->type);
    ask->reply = a->reply;
    ask->ms = TRIP_MS;
    op_settle(&ask->op, NULL);
    op_deliver(); /* the reply is valid inside done() only */
    free(a);
}

static void forget(struct op *op)
{
    world_drop(op);
}

bool dns_silent(struct net *n, const struct endpoint *to)
{
    (void)n;
    (void)to;
    return false;
}

void dns_start(struct net *n, struct dns_ask *ask)
{
    (void)n;
    const struct world_server *s = world_server(ask->to->addr);
    bool silent = !s || s->dead;
    op_start(&ask->op, forget);
    world_at(world_ms() + (!silent ? TRIP_MS : ask->limit_ms ? ask->limit_ms : 5000), silent ? nobody : answer, ask);
}
