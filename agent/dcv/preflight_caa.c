/* preflight_caa.c: the CAA set that counts for a name, asked at authorities from the name upwards (RFC 8659, 3). */
#include "dcv/preflight_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"

static bool look(struct tour *t, const struct dns_reply *r)
{
    struct caa_known *k = t->owner;
    bool cname = false;

    if (!r->aa || (r->rcode != DNS_NOERROR && r->rcode != DNS_NXDOMAIN))
        return false;
    for (size_t i = 0; i < r->n && k->n < CAA_MAX; i++) {
        struct caa_rr rr = {0};

        if (r->rr[i].section != SECTION_ANSWER)
            continue;
        cname |= r->rr[i].type == TYPE_CNAME;
        if (r->rr[i].type != TYPE_CAA || !dns_caa(r->rr[i].rdata, &rr.flags, rr.tag, rr.value, sizeof rr.value))
            continue;
        k->set = mem_grow(k->set, k->n + 1, sizeof(*k->set));
        k->set[k->n++] = rr;
    }
    k->alias = cname && !k->n;
    return true;
}

static void asking_free(struct caa_known *k)
{
    if (!k->asking)
        return;
    tour_free(&k->asking->tour);
    endpoints_free(&k->asking->at);
    free(k->asking);
    k->asking = NULL;
}

static void end(struct tour *t, bool good)
{
    struct caa_known *k = t->owner;

    k->failed = !good;
    if (!good)
        snprintf(k->why, sizeof k->why, "%.127s", t->last.rc ? t->last.text : "no server of its zone answers with authority");
    k->done = true;
    asking_free(k); /* and t with it */
    waits_wake(&k->waits);
}

static struct caa_known *known(const struct zones *z, const char *name)
{
    return map_get(&z->caa_of, name);
}

/* go() may be called before this returns. */
static void caa_ask(struct zones *z, const struct zone *at, const char *name, void (*go)(void *arg), void *arg)
{
    struct caa_known *k = known(z, name);

    if (k && k->done) {
        go(arg);
        return;
    }
    if (k) {
        waits_add(&k->waits, go, arg);
        return;
    }
    k = mem_new(sizeof *k);
    snprintf(k->name, sizeof k->name, "%s", name);
    map_put(&z->caa_of, k->name, k);
    waits_add(&k->waits, go, arg);
    k->asking = mem_new(sizeof *k->asking);
    for (size_t i = 0; i < at->n; i++)
        for (size_t j = 0; j < at->server[i].at.n; j++)
            endpoints_add(&k->asking->at, &at->server[i].at.e[j]);
    k->asking->tour = (struct tour){.look = look, .end = end, .owner = k};
    tour_start(&k->asking->tour, z->net, k->asking->at, k->name, TYPE_CAA, false);
}

/* --- ahead ----------------------------------------------------------------------------------------------------------------------- */

struct caa_ahead { /* a name whose authority is looked for, so that its CAA set can be asked there */
    struct zones *z;
    struct find find;
    char name[254];
};

static void no_op(void *arg)
{
    (void)arg;
}

static void ahead_found(struct op *op, const struct err *e)
{
    struct caa_ahead *a = op->owner;
    const struct site *s = a->find.site;

    if (!e && s && s->zone)
        caa_ask(a->z, s->zone, s->chain.n > 1 ? s->owner : a->name, no_op, NULL);
}

void preflight_warm(struct zones *z, const char *name)
{
    for (name = name_base(name); name && *name && !map_get(&z->ahead_of, name); name = name_parent(name)) {
        struct caa_ahead *a = mem_new(sizeof *a);

        *a = (struct caa_ahead){.z = z};
        snprintf(a->name, sizeof a->name, "%s", name);
        map_put(&z->ahead_of, a->name, a);
        a->find = (struct find){.op = {.done = ahead_found, .owner = a}, .name = a->name, .anywhere = true};
        zone_find(z, &a->find);
    }
}

static void ahead_free(struct caa_ahead *a)
{
    op_cancel(&a->find.op);
    free(a);
}

static void known_free(struct caa_known *k)
{
    asking_free(k);
    free(k->set);
    free(k->waits.w);
    free(k);
}

static void forget_one(struct zones *z, const char *name)
{
    struct caa_ahead *a = map_get(&z->ahead_of, name);
    struct caa_known *k = known(z, name);

    if (a && !op_busy(&a->find.op)) {
        map_take(&z->ahead_of, name);
        ahead_free(a);
    }
    if (k && k->done && !k->waits.n) {
        map_take(&z->caa_of, name);
        known_free(k);
    }
}

void caa_forget(struct zones *z, const char *name)
{
    if (name) {
        forget_one(z, name);
        return;
    }
    for (size_t i = 0; i < z->ahead_of.size; i++)
        if (z->ahead_of.slot[i].key)
            ahead_free(z->ahead_of.slot[i].value);
    map_free(&z->ahead_of);
    for (size_t i = 0; i < z->caa_of.size; i++)
        if (z->caa_of.slot[i].key)
            known_free(z->caa_of.slot[i].value);
    map_free(&z->caa_of);
}

/* --- the climb ------------------------------------------------------------------------------------------------------------------- */

static void step(struct climb *c);

static const char *asked_at(const struct climb *c)
{
    return c->site->chain.n > 1 ? c->site->owner : c->at;
}

static void told(void *arg)
{
    struct climb *c = arg;
    const char *parent = name_parent(c->at);

    c->known = known(c->z, asked_at(c));
    if (c->known->failed) {
        c->failed = true;
        snprintf(c->why, sizeof c->why, "CAA could not be asked: %.120s", c->known->why);
        c->end(c);
        return;
    }
    if (c->known->alias && !c->found) { /* an alias met on the way up: its own walk finds the target */
        c->site = NULL;
        step(c);
        return;
    }
    if (c->known->n || !parent || !*parent) {
        c->end(c);
        return;
    }
    memmove(c->at, parent, strlen(parent) + 1);
    c->found = false;
    if (c->site->chain.n > 1 || !name_within(c->at, c->site->zone->apex))
        c->site = NULL;
    step(c);
}

static void found(struct op *op, const struct err *e)
{
    struct climb *c = op->owner;

    if (e || !c->find.site || !c->find.site->zone) {
        c->failed = true;
        snprintf(c->why, sizeof c->why, "the authority of %.60s could not be found: %.100s", c->at, e ? e->text : "");
        c->end(c);
        return;
    }
    c->site = c->find.site;
    c->found = true;
    step(c);
}

static void step(struct climb *c)
{
    if (!c->site) {
        c->find = (struct find){.op = {.done = found, .owner = c}, .name = c->at, .anywhere = true};
        zone_find(c->z, &c->find);
        return;
    }
    caa_ask(c->z, c->site->zone, asked_at(c), told, c);
}

void climb_start(struct climb *c, const char *name, const struct site *site)
{
    snprintf(c->at, sizeof c->at, "%s", name);
    c->site = site && site->zone && name_same(site->name, name) ? site : NULL;
    step(c);
}

void climb_cancel(struct climb *c)
{
    op_cancel(&c->find.op);
    for (size_t i = 0; i < c->z->caa_of.size; i++)
        if (c->z->caa_of.slot[i].key)
            waits_drop(&((struct caa_known *)c->z->caa_of.slot[i].value)->waits, c);
}
