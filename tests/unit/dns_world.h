/* dns_world.h: a small Internet for the tests of dcv/: zones in a table, authorities and recursive resolvers in the place of dnsx.c,
 * and a loop with a virtual clock in the place of loop.c. Wildcards, empty non-terminals, delegations and glue as RFC 1034 and 4592 have them. */
#ifndef DCV_TESTS_DNS_WORLD_H
#define DCV_TESTS_DNS_WORLD_H

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/names.h"
#include "conf/conf.h"
#include "net/dnsx.h"

struct zone_rr { /* one record: zone it stands in, owner, type, text */
    const char *zone, *owner;
    uint16_t type;
    const char *data;
    uint32_t ttl;
};

struct world_zone { /* which addresses serve it */
    const char *apex, *servers;
};

enum behaviour { BEHAVES, SILENT, SAYS_REFUSED, SAYS_SERVFAIL, NO_AA, STALE };
struct world_server { /* what is odd about an address */
    const char *addr;
    enum behaviour how;
};

static const struct zone_rr *world_rr;
static const struct world_zone *world_zones;
static struct world_server world_odd[16];
static struct zone_rr world_extra[16]; /* added during a test, zone == NULL: free; not seen by STALE servers */
static const char *world_bogus;        /* zone whose signatures are wrong */
static const char *world_signed;
static struct endpoints world_system;
static struct strs world_log; /* "addr name TYPE rd" of every question */
static void *held[4096];
static size_t n_held;

/* --- the loop -------------------------------------------------------------------------------------------------------------------- */

struct loop {
    int64_t now;
    struct timer *timer[64];
    size_t n;
};
static struct loop loop;

struct loop *net_loop(struct net *n)
{
    (void)n;
    return &loop;
}

int64_t loop_now(const struct loop *l)
{
    return l->now;
}

static void timer_off(struct op *op)
{
    for (size_t i = 0; i < loop.n; i++)
        if (&loop.timer[i]->op == op) {
            loop.timer[i] = loop.timer[--loop.n];
            return;
        }
}

void loop_timer(struct loop *l, struct timer *t)
{
    assert_true(l->n < 64);
    op_start(&t->op, timer_off);
    l->timer[l->n++] = t;
}

void loop_again(struct loop *l)
{
    (void)l;
}

const struct endpoints *net_system_resolvers(struct net *n)
{
    (void)n;
    return &world_system;
}

bool net_has_route(struct net *n, const struct endpoint *to)
{
    (void)n;
    return strncmp(to->addr, "2001:db8:dead:", 14) != 0;
}

static void world_run(void)
{
    for (unsigned i = 0; i < 100000; i++) {
        struct timer *t = NULL;
        size_t at = 0;

        if (op_deliver())
            continue;
        for (size_t k = 0; k < loop.n; k++)
            if (!t || loop.timer[k]->at < t->at)
                t = loop.timer[at = k];
        if (!t)
            return;
        loop.timer[at] = loop.timer[--loop.n];
        loop.now = t->at > loop.now ? t->at : loop.now;
        op_settle(&t->op, NULL);
    }
    fail_msg("the world never rests");
}

/* --- records --------------------------------------------------------------------------------------------------------------------- */

static void *hold(void *p)
{
    assert_true(n_held < sizeof held / sizeof *held);
    return held[n_held++] = p;
}

static size_t wire_name(uint8_t *out, const char *name)
{
    size_t n = 0;

    while (*name) {
        size_t k = strcspn(name, ".");

        out[n++] = (uint8_t)k;
        memcpy(out + n, name, k);
        n += k;
        name += k + (name[k] == '.');
    }
    out[n++] = 0;
    return n;
}

static struct bytes wire_of(uint16_t type, const char *text)
{
    uint8_t b[600];
    size_t n = 0, k = strlen(text);

    if (type == TYPE_A || type == TYPE_AAAA) {
        n = type == TYPE_A ? 4 : 16;
        assert_int_equal(inet_pton(type == TYPE_A ? AF_INET : AF_INET6, text, b), 1);
    } else if (type == TYPE_NS || type == TYPE_CNAME || type == TYPE_DNAME) {
        n = wire_name(b, text);
    } else if (type == TYPE_SOA) { /* "mname minimum" */
        char mname[254];
        unsigned minimum;

        assert_int_equal(sscanf(text, "%253s %u", mname, &minimum), 2);
        n = wire_name(b, mname);
        n += wire_name(b + n, "hostmaster.test");
        memset(b + n, 0, 20);
        b[n + 3] = 7;
        b[n + 18] = (uint8_t)(minimum >> 8);
        b[n + 19] = (uint8_t)minimum;
        n += 20;
    } else if (type == TYPE_CAA) { /* "flags tag value" */
        char tag[16], value[128] = "";
        unsigned flags;

        assert_true(sscanf(text, "%u %15s %127[^\n]", &flags, tag, value) >= 2);
        b[0] = (uint8_t)flags;
        b[1] = (uint8_t)strlen(tag);
        memcpy(b + 2, tag, b[1]);
        n = 2u + b[1];
        memcpy(b + n, value, strlen(value));
        n += strlen(value);
    } else { /* TXT, one string; others likewise */
        b[0] = (uint8_t)k;
        memcpy(b + 1, text, k);
        n = k + 1;
    }
    return (struct bytes){hold(mem_copy(b, n)), n};
}

struct answer_list {
    struct dns_rr rr[40];
    size_t n;
};

static void answer_add(struct answer_list *l, const char *owner, const struct zone_rr *from, uint8_t section)
{
    assert_true(l->n < 40);
    l->rr[l->n++] =
        (struct dns_rr){hold(mem_str(owner)), from->type, section, from->ttl ? from->ttl : 300, wire_of(from->type, from->data)};
}

/* --- an authority ---------------------------------------------------------------------------------------------------------------- */

static const struct zone_rr *rr_at(size_t i, bool stale)
{
    size_t n = 0;

    while (world_rr[n].zone)
        n++;
    if (i < n)
        return &world_rr[i];
    for (size_t k = 0; k < 16 && !stale; k++)
        if (world_extra[k].zone && i-- == n)
            return &world_extra[k];
    return NULL;
}

static bool name_exists(const char *zone, const char *name, bool stale)
{
    const struct zone_rr *r;

    for (size_t i = 0; (r = rr_at(i, stale)); i++)
        if (!strcmp(r->zone, zone) && name_within(r->owner, name)) /* itself or an empty non-terminal */
            return true;
    return false;
}

static bool answer_from(struct answer_list *l, const char *zone, const char *at, const char *name, uint16_t type, bool stale)
{
    const struct zone_rr *r;
    bool any = false;

    for (size_t i = 0; (r = rr_at(i, stale)); i++)
        if (!strcmp(r->zone, zone) && !strcmp(r->owner, at) && (r->type == type || r->type == TYPE_CNAME)) {
            answer_add(l, name, r, SECTION_ANSWER);
            any = true;
        }
    return any;
}

static bool delegated(struct answer_list *l, const char *zone, const char *name)
{
    const struct zone_rr *r, *g;

    for (size_t i = 0; (r = rr_at(i, false)); i++)
        if (!strcmp(r->zone, zone) && r->type == TYPE_NS && strcmp(r->owner, zone) && name_within(name, r->owner)) {
            answer_add(l, r->owner, r, SECTION_AUTHORITY);
            for (size_t k = 0; (g = rr_at(k, false)); k++)
                if (!strcmp(g->zone, zone) && !strcmp(g->owner, r->data) && (g->type == TYPE_A || g->type == TYPE_AAAA))
                    answer_add(l, g->owner, g, SECTION_ADDITIONAL);
        }
    return l->n > 0;
}

/* As BIND does: to questions for SOA with TTL 0 (zero-no-soa-ttl). */
static uint8_t negative(struct answer_list *l, const char *zone, uint16_t type, bool exists)
{
    const struct zone_rr *r;

    for (size_t i = 0; (r = rr_at(i, false)); i++)
        if (!strcmp(r->zone, zone) && r->type == TYPE_SOA) {
            answer_add(l, zone, r, SECTION_AUTHORITY);
            l->rr[l->n - 1].ttl = type == TYPE_SOA ? 0 : l->rr[l->n - 1].ttl;
        }
    return exists ? DNS_NOERROR : DNS_NXDOMAIN;
}

static bool dname_above(struct answer_list *l, const char *zone, const char *name)
{
    const struct zone_rr *r;

    for (size_t i = 0; (r = rr_at(i, false)); i++)
        if (!strcmp(r->zone, zone) && r->type == TYPE_DNAME && name_within(name, r->owner) && strcmp(name, r->owner)) {
            answer_add(l, r->owner, r, SECTION_ANSWER); /* without the CNAME: the asker has to do it */
            return true;
        }
    return false;
}

static uint8_t answer_in(struct answer_list *l, const char *zone, const char *name, uint16_t type, bool stale)
{
    const char *encloser = name;
    char star[260];

    if (answer_from(l, zone, name, name, type, stale) || dname_above(l, zone, name))
        return DNS_NOERROR;
    if (name_exists(zone, name, stale))
        return negative(l, zone, type, true);
    while (!name_exists(zone, encloser, stale))
        encloser = name_parent(encloser);
    snprintf(star, sizeof star, "*.%s", encloser);
    if (!name_exists(zone, star, stale))
        return negative(l, zone, type, false);
    return answer_from(l, zone, star, name, type, stale) ? DNS_NOERROR : negative(l, zone, type, true);
}

static const char *zone_served(const char *addr, const char *name)
{
    const char *best = NULL;

    for (const struct world_zone *z = world_zones; z->apex; z++) {
        const char *p = strstr(z->servers, addr);

        if ((!*addr || (p && strchr(" ", p[strlen(addr)]))) && name_within(name, z->apex) &&
            (!best || name_labels(z->apex) > name_labels(best)))
            best = z->apex;
    }
    return best;
}

/* --- dnsx ------------------------------------------------------------------------------------------------------------------------ */

static void resolve_all(struct dns_ask *a, struct answer_list *l)
{
    char name[254];
    const char *zone;

    snprintf(name, sizeof name, "%s", a->name);
    for (int hops = 0; hops < 10; hops++) {
        size_t before = l->n;

        zone = zone_served("", name);
        if (!zone) {
            a->reply.rcode = DNS_NXDOMAIN;
            return;
        }
        if (world_bogus && name_within(name, world_bogus) && !a->cd) {
            a->reply.rcode = DNS_SERVFAIL;
            a->reply.ede = 7;
            a->reply.ede_text = "signature expired";
            return;
        }
        a->reply.ad = world_signed && name_within(name, world_signed);
        a->reply.rcode = answer_in(l, zone, name, a->type, false);
        if (l->n == before || l->rr[l->n - 1].type != TYPE_CNAME || a->type == TYPE_CNAME)
            return;
        assert_true(dns_name_rdata(l->rr[l->n - 1].rdata, name));
    }
}

static enum behaviour behaviour_of(const char *addr)
{
    for (size_t i = 0; i < 16; i++)
        if (world_odd[i].addr && !strcmp(world_odd[i].addr, addr))
            return world_odd[i].how;
    return BEHAVES;
}

static void resolver_answers(struct dns_ask *a, struct answer_list *l)
{
    resolve_all(a, l);
}

static void authority_answers(struct dns_ask *a, struct answer_list *l, enum behaviour how)
{
    const char *zone = zone_served(a->to->addr, a->name);

    if (!zone) {
        a->reply.rcode = DNS_REFUSED;
        return;
    }
    if (a->type == TYPE_DS || !delegated(l, zone, a->name)) { /* the parent answers for DS */
        a->reply.aa = how != NO_AA;
        a->reply.rcode = answer_in(l, zone, a->name, a->type, how == STALE);
    }
}

bool dns_silent(struct net *n, const struct endpoint *to)
{
    (void)n;
    (void)to;
    return false;
}

void dns_start(struct net *n, struct dns_ask *a)
{
    struct answer_list *l = hold(mem_new(sizeof *l));
    enum behaviour how = behaviour_of(a->to->addr);
    char line[400];
    struct err e = {0};

    (void)n;
    snprintf(line, sizeof line, "%s %s %u%s%s", a->to->addr, a->name, a->type, a->rd ? " rd" : "", a->cd ? " cd" : "");
    strs_add(&world_log, line);
    op_start(&a->op, NULL);
    a->reply = (struct dns_reply){0};
    a->ms = 5;
    if (how == SILENT) {
        err_set(&e, RC_NET, "DNS_TIMEOUT", "%s does not answer", a->to->addr);
    } else if (how == SAYS_REFUSED) {
        a->reply.rcode = DNS_REFUSED;
    } else if (how == SAYS_SERVFAIL) {
        a->reply.rcode = DNS_SERVFAIL;
    } else if (a->rd) {
        assert_true(!strncmp(a->to->addr, "9.9.9.", 6)); /* recursion is asked of resolvers alone, */
        resolver_answers(a, l);
    } else {
        assert_true(strncmp(a->to->addr, "9.9.9.", 6)); /* and never without it */
        authority_answers(a, l, how);
    }
    a->reply.rr = l->rr;
    a->reply.n = l->n;
    op_settle(&a->op, &e);
}

__attribute__((unused)) static bool was_asked(const char *part)
{
    for (size_t i = 0; i < world_log.n; i++)
        if (strstr(world_log.s[i], part))
            return true;
    return false;
}

__attribute__((unused)) static unsigned times_asked(const char *part)
{
    unsigned n = 0;

    for (size_t i = 0; i < world_log.n; i++)
        n += strstr(world_log.s[i], part) != NULL;
    return n;
}

static void world_open(const struct zone_rr *rr, const struct world_zone *zones)
{
    struct endpoint p = {.addr = "9.9.9.9", .port = 53};

    world_rr = rr;
    world_zones = zones;
    memset(world_odd, 0, sizeof world_odd);
    memset(world_extra, 0, sizeof world_extra);
    world_bogus = world_signed = NULL;
    loop = (struct loop){.now = 5000};
    endpoints_add(&world_system, &p);
}

static void world_close(void)
{
    for (size_t i = 0; i < n_held; i++)
        free(held[i]);
    n_held = 0;
    strs_free(&world_log);
    endpoints_free(&world_system);
}

#endif
