/* survey.c: the questions of a survey, all at once, and who waits for their answers. */
#include "dcv/survey/survey.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/names.h"
#include "dcv/preflight_impl.h"
#include "dcv/survey/read.h"

enum { RESOLVER_MS = 5000 };

struct question { /* to one address */
    struct question *next;
    struct dns_ask ask;
    struct endpoint to;
    struct surveying *of;
    void (*take)(struct question *q, const struct err *e);
    size_t i; /* of the address or view that it is about */
};

enum tours { TOUR_KEYS, TOUR_NSEC3, TOUR_PARENT, TOUR_DS, TOURS };

struct surveying {
    struct survey *s;
    struct zones *z;
    int64_t now;
    struct question *question;
    struct find parent;
    struct tour tour[TOURS];
    struct endpoints own, above; /* addresses of the zone's servers, of its parent's */
    size_t open;
};

/* --- life ------------------------------------------------------------------------------------------------------------------------------ */

static void stop(struct surveying *k)
{
    for (struct question *q = k->question, *next; q; q = next) {
        next = q->next;
        op_cancel(&q->ask.op);
        free(q);
    }
    op_cancel(&k->parent.op);
    for (int i = 0; i < TOURS; i++)
        tour_free(&k->tour[i]);
    for (struct sec_known *s = k->z->sec; s; s = s->next)
        waits_drop(&s->waits, k);
    endpoints_free(&k->own);
    endpoints_free(&k->above);
    k->s->impl = NULL;
    free(k);
}

static void one_down(struct surveying *k)
{
    struct survey *s = k->s;
    if (--k->open)
        return;
    stop(k);
    op_settle(&s->op, NULL);
}

static void detach(struct op *op)
{
    stop(((struct survey *)op)->impl);
}

static void answered(struct op *op, const struct err *e)
{
    struct question *q = op->owner;
    q->take(q, e);
    one_down(q->of);
}

static struct question *ask(struct surveying *k, const struct endpoint *to, enum via via, uint16_t type, size_t i,
                            void (*take)(struct question *q, const struct err *e))
{
    struct question *q = mem_new(sizeof *q);
    *q = (struct question){.next = k->question, .to = *to, .of = k, .take = take, .i = i};
    q->to.via = via;
    q->ask = (struct dns_ask){.op = {.done = answered, .owner = q},
                              .to = &q->to,
                              .name = k->s->zone->apex,
                              .type = type,
                              .dnssec = true,
                              .may_skip = true,
                              .limit_ms = ASK_MS};
    k->question = q;
    k->open++;
    return q;
}

/* --- authorities ----------------------------------------------------------------------------------------------------------------------- */

static struct survey_address *address_of(const struct question *q)
{
    return &q->of->s->address[q->i];
}

/* By whatever way an answer of the zone came first; one without EDNS has no signatures. */
static void read_zone(const struct question *q, struct survey_address *a)
{
    read_soa(&q->ask.reply, q->ask.name, a->mname, &a->serial);
    if (!a->soa_signed.n)
        a->soa_signed = read_span(&q->ask.reply, q->ask.name, TYPE_SOA, q->of->now);
}

static void take_plain(struct question *q, const struct err *e)
{
    struct survey_address *a = address_of(q);
    a->plain = read_answer(&q->ask, e);
    if (a->plain.zone)
        read_zone(q, a);
}

static void take_soa(struct question *q, const struct err *e)
{
    struct survey_address *a = address_of(q);
    a->udp = read_answer(&q->ask, e);
    if (a->udp.zone) {
        read_zone(q, a);
    } else if (a->udp.heard != HEARD_ANSWER) {
        struct question *plain = ask(q->of, &q->to, VIA_UDP, TYPE_SOA, q->i, take_plain);
        plain->ask.no_edns = true;
        plain->ask.dnssec = false;
        dns_start(q->of->z->net, &plain->ask);
    }
}

static void take_tcp(struct question *q, const struct err *e)
{
    struct survey_address *a = address_of(q);
    a->tcp = read_answer(&q->ask, e);
    if (a->tcp.zone && !a->udp.zone)
        read_zone(q, a);
}

static void take_ns(struct question *q, const struct err *e)
{
    struct survey_address *a = address_of(q);
    if (!read_answer(&q->ask, e).zone)
        return;
    read_ns(&q->ask.reply, q->ask.name, SECTION_ANSWER, &a->ns);
    a->ns_signed = read_span(&q->ask.reply, q->ask.name, TYPE_NS, q->of->now);
}

static bool listed(const struct endpoints *l, const struct endpoint *p)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->e[i].addr, p->addr) == 0)
            return true;
    return false;
}

static void add_address(struct surveying *k, const struct endpoint *at, size_t server)
{
    struct survey *s = k->s;
    size_t i = s->n++;
    s->address[i] = (struct survey_address){
        .at = at, .server = server, .ignored = listed(&s->verify->ignore, at), .no_route = !net_has_route(k->z->net, at)};
    if (s->address[i].no_route)
        return;
    dns_start(k->z->net, &ask(k, at, VIA_UDP, TYPE_SOA, i, take_soa)->ask);
    dns_start(k->z->net, &ask(k, at, VIA_TCP, TYPE_SOA, i, take_tcp)->ask);
    dns_start(k->z->net, &ask(k, at, VIA_UDP, TYPE_NS, i, take_ns)->ask);
}

static void ask_servers(struct surveying *k)
{
    const struct zone *z = k->s->zone;
    size_t room = 1;
    for (size_t i = 0; i < z->n; i++)
        room += z->server[i].at.n;
    k->s->address = mem_array(room, sizeof *k->s->address);
    for (size_t i = 0; i < z->n; i++)
        for (size_t j = 0; j < z->server[i].at.n; j++) {
            add_address(k, &z->server[i].at.e[j], i);
            endpoints_add(&k->own, &z->server[i].at.e[j]);
        }
    if (k->s->primary)
        add_address(k, k->s->primary, z->n);
}

/* --- what one server has to tell ---------------------------------------------------------------------------------------------------------- */

static void tour_over(struct tour *t, bool good)
{
    (void)good;
    one_down(t->owner);
}

static void go_round(struct surveying *k, enum tours which, const struct endpoints *to, uint16_t type,
                     bool (*look)(struct tour *t, const struct dns_reply *r))
{
    struct tour *t = &k->tour[which];
    *t = (struct tour){.look = look, .end = tour_over, .owner = k, .dnssec = true};
    k->open++;
    tour_start(t, k->z->net, *to, k->s->zone->apex, type, false);
}

static bool look_keys(struct tour *t, const struct dns_reply *r)
{
    const struct surveying *k = t->owner;
    struct survey *s = k->s;
    if (!r->aa || r->rcode != DNS_NOERROR)
        return false;
    s->dnskey.known = true;
    s->dnskey.size = (uint32_t)r->size;
    s->dnskey.n = read_keys(r, t->name, TYPE_DNSKEY, s->dnskey.key);
    s->dnskey.is_signed = read_span(r, t->name, TYPE_DNSKEY, k->now);
    return true;
}

static bool look_nsec3(struct tour *t, const struct dns_reply *r)
{
    struct survey *s = ((struct surveying *)t->owner)->s;
    if (!r->aa || r->rcode != DNS_NOERROR)
        return false;
    for (size_t i = 0; i < r->n && !s->nsec3; i++)
        if (r->rr[i].section == SECTION_ANSWER && r->rr[i].type == TYPE_NSEC3PARAM && name_same(r->rr[i].owner, t->name))
            s->nsec3 = dns_nsec3param(r->rr[i].rdata, &s->nsec3_iterations);
    return true;
}

/* --- the parent ------------------------------------------------------------------------------------------------------------------------ */

/* A parent's server that serves the zone itself answers as the child: that says nothing about the delegation. */
static bool look_delegation(struct tour *t, const struct dns_reply *r)
{
    struct survey *s = ((struct surveying *)t->owner)->s;
    if (r->rcode != DNS_NOERROR)
        return false;
    if (r->aa)
        return true;
    read_ns(r, t->name, SECTION_AUTHORITY, &s->parent.ns);
    read_glue(r, &s->parent.ns, &s->parent.glue);
    s->parent.known = s->parent.ns.n > 0;
    return s->parent.known;
}

static bool look_ds(struct tour *t, const struct dns_reply *r)
{
    struct survey *s = ((struct surveying *)t->owner)->s;
    if (!r->aa || r->rcode != DNS_NOERROR)
        return false;
    for (size_t i = 0; i < r->n; i++)
        if (r->rr[i].type == TYPE_SOA && r->rr[i].section == SECTION_AUTHORITY && name_same(r->rr[i].owner, t->name))
            return false; /* the child's "no DS here": it is not the one to ask */
    s->parent.ds_known = true;
    s->parent.n_ds = read_keys(r, t->name, TYPE_DS, s->parent.ds);
    return true;
}

static void parent_found(struct op *op, const struct err *e)
{
    struct surveying *k = op->owner;
    const struct zone *z = !e && k->parent.site && k->parent.site->chain.n == 1 ? k->parent.site->zone : NULL;
    if (z && !name_same(z->apex, k->s->zone->apex)) {
        memcpy(k->s->parent.apex, z->apex, sizeof z->apex);
        for (size_t i = 0; i < z->n; i++)
            for (size_t j = 0; j < z->server[i].at.n; j++)
                endpoints_add(&k->above, &z->server[i].at.e[j]);
        go_round(k, TOUR_PARENT, &k->above, TYPE_NS, look_delegation);
        go_round(k, TOUR_DS, &k->above, TYPE_DS, look_ds);
    }
    one_down(k);
}

static void find_parent(struct surveying *k)
{
    const char *parent = name_parent(k->s->zone->apex);
    if (!parent || !*parent)
        return;
    k->parent =
        (struct find){.op = {.done = parent_found, .owner = k}, .name = parent, .anywhere = true}; /* as the climb for CAA does: shared */
    k->open++;
    zone_find(k->z, &k->parent);
}

/* --- resolvers ------------------------------------------------------------------------------------------------------------------------- */

static void take_view_ns(struct question *q, const struct err *e)
{
    struct survey_view *v = &q->of->s->view[q->i];
    v->ns_answer = read_answer(&q->ask, e);
    if (v->ns_answer.zone)
        read_ns(&q->ask.reply, q->ask.name, SECTION_ANSWER, &v->ns);
}

static void soas_known(void *arg)
{
    struct surveying *k = arg;
    struct survey *s = k->s;
    const struct sec_known *known = sec_of(k->z, s->zone->apex, &s->verify->resolvers);
    for (size_t i = 0; i < s->n_view && i < known->n; i++) {
        const struct sec_ask *a = &known->ask[i];
        struct survey_view *v = &s->view[i];
        v->bogus = a->is == SEC_BOGUS;
        v->soa = a->soa;
        memcpy(v->mname, a->mname, sizeof v->mname);
        v->serial = a->serial;
    }
    one_down(k);
}

static void ask_resolvers(struct surveying *k)
{
    struct survey *s = k->s;
    const struct endpoints *l = &s->verify->resolvers;
    if (!l->n)
        return;
    s->view = mem_array(l->n, sizeof *s->view);
    s->n_view = l->n;
    for (size_t i = 0; i < l->n; i++) {
        s->view[i].at = &l->e[i];
        struct question *q = ask(k, &l->e[i], l->e[i].via, TYPE_NS, i, take_view_ns);
        q->ask.rd = true;
        q->ask.dnssec = false;
        q->ask.limit_ms = RESOLVER_MS;
        dns_start(k->z->net, &q->ask);
    }
    k->open++;
    sec_start(k->z, s->zone->apex, l, l->n, soas_known, k);
}

/* --- the request ----------------------------------------------------------------------------------------------------------------------- */

void survey_start(struct zones *z, struct survey *s)
{
    survey_clear(s);
    struct surveying *k = s->impl = mem_new(sizeof *k);
    *k = (struct surveying){.s = s, .z = z, .now = clock_now(), .open = 1};
    op_start(&s->op, detach);
    ask_servers(k);
    go_round(k, TOUR_KEYS, &k->own, TYPE_DNSKEY, look_keys);
    go_round(k, TOUR_NSEC3, &k->own, TYPE_NSEC3PARAM, look_nsec3);
    find_parent(k);
    ask_resolvers(k);
    one_down(k);
}

void survey_clear(struct survey *s)
{
    if (s->impl) {
        op_cancel(&s->op);
        s->impl = NULL;
    }
    for (size_t i = 0; i < s->n; i++)
        strs_free(&s->address[i].ns);
    for (size_t i = 0; i < s->n_view; i++)
        strs_free(&s->view[i].ns);
    strs_free(&s->parent.ns);
    endpoints_free(&s->parent.glue);
    free(s->address);
    free(s->view);
    *s = (struct survey){.op = s->op, .zone = s->zone, .verify = s->verify, .primary = s->primary};
}
