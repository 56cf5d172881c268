#include "dcv/zone/zone_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "base/names.h"

struct zones *zones_new(struct net *n, const struct conf *c)
{
    struct zones *z = mem_new(sizeof *z);
    uint32_t r = 0x5eed1e55;

    z->net = n;
    z->conf = c;
    if (getrandom(&r, sizeof r, GRND_NONBLOCK) != sizeof r)
        r ^= (uint32_t)loop_now(net_loop(n)); /* it need not be secret, only nobody's */
    snprintf(z->random, sizeof z->random, "dcv-%08x", r);
    return z;
}

static void site_free(struct zsite *s)
{
    if (s->way)
        tour_free(&s->way->tour);
    wild_free(s);
    strs_free(&s->ns);
    endpoints_free(&s->glue);
    strs_free(&s->s.chain);
    free(s->way);
    free(s->waits.w);
    free(s);
}

void zones_free(struct zones *z)
{
    if (!z)
        return;
    caa_forget(z, NULL); /* its finds wait for sites */
    sec_forget(z);
    for (size_t i = 0; i < SITE_MODES; i++) {
        for (size_t k = 0; k < z->site_of[i].size; k++)
            if (z->site_of[i].slot[k].key)
                site_free(z->site_of[i].slot[k].value);
        map_free(&z->site_of[i]);
    }
    for (struct zcut *c = z->cut, *next; c; c = next) {
        next = c->next;
        cut_free(c);
    }
    for (struct zhost *h = z->host, *next; h; h = next) {
        next = h->next;
        host_free(h);
    }
    free(z);
}

void zones_forget(struct zones *z, const char *name)
{
    caa_forget(z, name);
    for (size_t i = 0; i < SITE_MODES; i++) {
        struct zsite *s = map_get(&z->site_of[i], name);
        if (!s || !s->done || s->waits.n)
            continue;
        map_take(&z->site_of[i], name);
        site_free(s);
    }
}

struct zsite *site_get(struct zones *z, const char *name, enum site_mode mode, unsigned depth)
{
    struct zsite *s = map_get(&z->site_of[mode], name);

    if (s)
        return s;
    s = mem_new(sizeof *s);
    snprintf(s->s.name, sizeof s->s.name, "%s", name);
    snprintf(s->s.owner, sizeof s->s.owner, "%s", name);
    s->way = mem_new(sizeof *s->way);
    snprintf(s->way->ask, sizeof s->way->ask, "%s", name);
    strs_add(&s->s.chain, name);
    s->of = z;
    s->mode = mode;
    s->depth = depth;
    map_put(&z->site_of[mode], s->s.name, s);
    site_begin(s);
    return s;
}

static void done(struct zsite *s)
{
    s->done = true;
    s->waiting_for = NULL;
    free(s->way);
    s->way = NULL;
    waits_wake(&s->waits);
}

bool site_failed(struct zsite *s, const struct err *e)
{
    s->err = *e;
    done(s);
    return false;
}

/* A site at the end of its way, or behind a CNAME whose target has reached its own end. */
void site_finish(struct zsite *s)
{
    const struct zsite *to = s->waiting_for;
    struct err e = {0};

    if (!to) {
        s->s.zone = &s->home->z;
        done(s);
        return;
    }
    for (size_t i = 0; i < to->s.chain.n; i++)
        strs_add(&s->s.chain, to->s.chain.s[i]);
    if (to->err.rc != RC_OK) {
        site_failed(s, &to->err);
        return;
    }
    if (s->s.chain.n - 1 > HOPS_MAX) {
        err_at(&e, "%s", s->s.name);
        err_set(&e, RC_DELEGATION, "CNAME_DEEP", "%zu CNAMEs in a row, %d are followed; shorten the chain", s->s.chain.n - 1, HOPS_MAX);
        site_failed(s, &e);
        return;
    }
    memcpy(s->s.owner, to->s.owner, sizeof s->s.owner);
    s->s.zone = to->s.zone;
    s->s.exists = to->s.exists;
    s->s.wildcard |= to->s.wildcard;
    s->s.dname |= to->s.dname;
    done(s);
}

/* --- the request ----------------------------------------------------------------------------------------------------------------- */

/* Whoever has to mend it sees the whole way, though the fault lies at one of its hops. */
static void show_chain(const struct site *s, struct err *e)
{
    char *chain = strs_join(&s->chain, " -> ");
    size_t n = strlen(e->text);

    snprintf(e->text + n, sizeof e->text - n, "; %s", chain);
    *e->where = 0;
    err_at(e, "%s", s->name);
    free(chain);
}

static void hand_out(struct find *f, const struct zsite *s)
{
    struct err e = s->err;

    f->site = e.rc == RC_OK || s->s.chain.n > 1 ? &s->s : NULL;
    if (f->refuse_cname && s->s.chain.n > 1) {
        e = (struct err){0};
        err_at(&e, "%s", s->s.name);
        err_set(&e, RC_DELEGATION, "CNAME_REFUSED",
                "a CNAME leads to %.120s and cname = refuse; remove the CNAME, set record_at, or cname = follow", s->s.chain.s[1]);
    }
    if (e.rc != RC_OK && s->s.chain.n > 1)
        show_chain(&s->s, &e);
    op_settle(&f->op, &e);
}

static void look_at(struct find *f, struct zsite *s);

static void site_done(void *arg)
{
    struct find *f = arg;
    struct zsite *s = f->impl;

    bool foreign = s->err.rc == RC_DELEGATION && strcmp(s->err.code, "CNAME_FOREIGN") == 0;

    /* Reading alone may go on where writing has to stop, and follows a wildcard's CNAME too. */
    if (f->anywhere && s->mode == SITE_FOLLOW && (foreign || s->s.wildcard))
        look_at(f, site_get(s->of, s->s.name, SITE_ANYWHERE, 0));
    else
        hand_out(f, s);
}

static void look_at(struct find *f, struct zsite *s)
{
    f->impl = s;
    if (s->done)
        site_done(f);
    else
        waits_add(&s->waits, site_done, f);
}

static void detach(struct op *op)
{
    struct find *f = (struct find *)op;
    struct zsite *s = f->impl;

    if (s)
        waits_drop(&s->waits, f);
}

void zone_find(struct zones *z, struct find *f)
{
    f->site = NULL;
    f->impl = NULL;
    op_start(&f->op, detach);
    look_at(f, site_get(z, f->name, f->no_follow ? SITE_STAY : SITE_FOLLOW, 0));
}
