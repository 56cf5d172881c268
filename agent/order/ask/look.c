#include "order/ask/look.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/dnsx.h"
#include "net/net.h"
#include "order/ask/many.h"

enum { TICK_MS = 250 };

/* --- zones ------------------------------------------------------------------------------------------------------------------------- */

bool look_sites(struct session *s, struct find *f, struct err *err, size_t n, struct err *e)
{
    struct many m;
    many_begin(&m, s, n);
    for (size_t i = 0; i < n; i++) {
        if (!f[i].name)
            continue;
        many_add(&m, &f[i].op, &err[i]);
        zone_find(s->zones, &f[i]);
    }
    return many_end(&m, e);
}

bool look_site(struct session *s, const char *host, const struct site **site, struct err *e)
{
    struct find f = {.name = host};
    struct err err = {0};
    *site = NULL;
    if (!look_sites(s, &f, &err, 1, e))
        return false;
    if (err.rc != RC_OK) {
        *e = err;
        return err_at(e, "%s", host);
    }
    *site = f.site;
    return true;
}

/* --- TXT sets ---------------------------------------------------------------------------------------------------------------------- */

struct asking { /* one set: its zone's addresses one after the other */
    struct many_one one;
    struct look_txt *l;
    struct dns_ask ask;
    struct endpoint to;
    size_t server, address;
    struct err last;
};

static void ask_next(struct asking *a);

static void take_values(struct look_txt *l, const struct dns_reply *r)
{
    uint8_t value[65536];
    size_t size;
    for (size_t i = 0; i < r->n; i++) {
        const struct dns_rr *rr = &r->rr[i];
        if (rr->section != SECTION_ANSWER || rr->type != TYPE_TXT || strcmp(rr->owner, l->site->owner) != 0 ||
            !dns_txt_value(rr->rdata, value, sizeof value, &size))
            continue;
        l->value = mem_grow(l->value, l->n + 1, sizeof *l->value);
        l->value[l->n++] = (struct bytes){mem_copy(value, size), size};
        l->ttl = rr->ttl;
    }
}

static void answered(struct op *op, const struct err *e)
{
    struct asking *a = op->owner;
    const struct dns_reply *r = &a->ask.reply;
    if (!e && r->aa && (r->rcode == DNS_NOERROR || r->rcode == DNS_NXDOMAIN)) {
        take_values(a->l, r);
        many_ended(&a->one, NULL);
        return;
    }
    char shown[320];
    endpoint_show(&a->to, shown, sizeof shown);
    memset(&a->last, 0, sizeof a->last);
    if (e)
        err_set(&a->last, RC_NET, "NOBODY_ASKED", "no name server of %s could be asked; last %s: %s", a->l->site->zone->apex, shown,
                e->text);
    else
        err_set(&a->last, RC_NET, "NOBODY_ASKED", "no name server of %s answers for it; last %s said %s%s", a->l->site->zone->apex, shown,
                dns_rcode_word(r->rcode), r->aa ? "" : " without authority");
    ask_next(a);
}

static const struct endpoint *next_address(struct asking *a)
{
    const struct zone *z = a->l->site->zone;
    while (a->server < z->n) {
        const struct endpoints *at = &z->server[a->server].at;
        while (a->address < at->n) {
            const struct endpoint *p = &at->e[a->address++];
            if (*p->addr && net_has_route(a->one.of->s->net, p))
                return p;
        }
        a->server++;
        a->address = 0;
    }
    return NULL;
}

static void ask_next(struct asking *a)
{
    const struct endpoint *p = next_address(a);
    if (!p) {
        err_set(&a->last, RC_NET, "NOBODY_ASKED", "no name server of %s has an address that can be reached from here",
                a->l->site->zone->apex);
        err_at(&a->last, "%s", a->l->site->owner);
        many_ended(&a->one, &a->last);
        return;
    }
    a->to = *p;
    a->to.via = VIA_TCP;
    a->ask =
        (struct dns_ask){.op = {.done = answered, .owner = a}, .to = &a->to, .name = a->l->site->owner, .type = TYPE_TXT, .may_skip = true};
    dns_start(a->one.of->s->net, &a->ask);
}

bool look_txts(struct session *s, struct look_txt *l, struct err *err, size_t n, struct err *e)
{
    struct many m;
    struct asking *a = mem_array(n ? n : 1, sizeof *a);
    many_begin(&m, s, 0);
    for (size_t i = 0; i < n; i++) {
        l[i].value = NULL;
        l[i].n = 0;
        l[i].ttl = 0;
        if (!l[i].site)
            continue;
        m.pending++;
        a[i].one = (struct many_one){.of = &m, .err = &err[i]};
        a[i].l = &l[i];
        ask_next(&a[i]);
    }
    bool ok = many_end(&m, e);
    for (size_t i = 0; i < n; i++) {
        op_cancel(&a[i].ask.op);
        if (!ok)
            look_txt_clear(&l[i]);
    }
    free(a);
    return ok;
}

bool look_txt(struct session *s, struct look_txt *l, struct err *e)
{
    struct err err = {0};
    if (!look_txts(s, l, &err, 1, e))
        return false;
    if (err.rc == RC_OK)
        return true;
    *e = err;
    return false;
}

void look_txt_clear(struct look_txt *l)
{
    for (size_t i = 0; i < l->n; i++)
        free((void *)(uintptr_t)l->value[i].p);
    free(l->value);
    l->value = NULL;
    l->n = 0;
    l->ttl = 0;
}

/* --- preflight and views ------------------------------------------------------------------------------------------------------------ */

bool look_preflights(struct session *s, struct preflight *p, size_t n, struct err *e)
{
    struct many m;
    many_begin(&m, s, n);
    for (size_t i = 0; i < n; i++) {
        if (!p[i].site)
            continue;
        many_add(&m, &p[i].op, NULL);
        preflight_start(s->net, s->zones, &p[i]);
    }
    return many_end(&m, e);
}

static void round_over(struct watch *w)
{
    const struct many *m = ((struct many_one *)w->op.owner)->of;
    m->round(m->arg, w);
}

static void tick(struct op *op, const struct err *e)
{
    struct many *m = op->owner;
    struct loop *l = net_loop(m->s->net);
    (void)e;
    m->round(m->arg, NULL);
    m->tick = (struct timer){.op = {.done = tick, .owner = m}, .at = loop_now(l) + TICK_MS};
    loop_timer(l, &m->tick);
}

bool look_watches(struct session *s, struct watch *w, struct err *err, size_t n, void (*round)(void *arg, struct watch *w), void *arg,
                  struct err *e)
{
    struct many m;
    many_begin(&m, s, n);
    m.round = round;
    m.arg = arg;
    for (size_t i = 0; i < n; i++) {
        if (!w[i].site)
            continue;
        many_add(&m, &w[i].op, &err[i]);
        w[i].round = round ? round_over : NULL;
        visible_start(s->net, &w[i]);
    }
    if (round)
        tick(&(struct op){.owner = &m}, NULL);
    bool all = many_end(&m, e);
    op_cancel(&m.tick.op);
    return all;
}
