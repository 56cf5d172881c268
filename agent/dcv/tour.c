#include "dcv/tour.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

void waits_add(struct waits *l, void (*go)(void *arg), void *arg)
{
    l->w = mem_grow(l->w, l->n + 1, sizeof(*l->w));
    l->w[l->n++] = (struct wait){go, arg};
}

void waits_drop(struct waits *l, const void *arg)
{
    size_t kept = 0;

    for (size_t i = 0; i < l->n; i++)
        if (l->w[i].arg != arg)
            l->w[kept++] = l->w[i];
    l->n = kept;
}

void waits_wake(struct waits *l)
{
    struct waits now = *l;

    *l = (struct waits){0};
    for (size_t i = 0; i < now.n; i++)
        now.w[i].go(now.w[i].arg);
    free(now.w);
}

static void tour_next(struct tour *t);

static void tour_answered(struct op *op, const struct err *e)
{
    struct tour *t = op->owner;

    if (e) {
        t->last = *e;
    } else if (t->look(t, &t->ask.reply)) {
        t->end(t, true);
        return;
    } else {
        t->answered++;
    }
    t->at++;
    tour_next(t);
}

static bool left_out(struct tour *t, const struct endpoint *to)
{
    bool silent = !t->patient && dns_silent(t->net, to);

    t->passed |= silent;
    return silent || (*to->addr && !net_has_route(t->net, to));
}

/* Is there a reason to ask them all once more? */
static bool once_more(struct tour *t)
{
    if (!t->patient && (t->passed || t->last.rc != RC_OK)) {
        t->patient = true;
        t->ask.limit_ms = ASK_MS;
        return true;
    }
    /* A validating resolver refuses to tell where a zone with broken signatures lives; it is to be found all the same, so that preflight can
     * say what is wrong. */
    if (t->ask.rd && !t->ask.cd && t->answered) {
        t->ask.cd = true;
        return true;
    }
    return false;
}

static void tour_next(struct tour *t)
{
    while (t->at < t->to.n && left_out(t, &t->to.e[t->at]))
        t->at++;
    if (t->at < t->to.n) {
        t->ask.to = &t->to.e[t->at];
        dns_start(t->net, &t->ask);
    } else if (once_more(t)) {
        t->at = 0;
        tour_next(t);
    } else {
        t->end(t, false);
    }
}

void tour_start(struct tour *t, struct net *n, struct endpoints to, const char *name, uint16_t type, bool rd)
{
    t->to = to;
    t->net = n;
    t->at = 0;
    t->answered = 0;
    t->patient = t->passed = false;
    t->last = (struct err){0};
    snprintf(t->name, sizeof t->name, "%s", name);
    t->ask = (struct dns_ask){.op = {.done = tour_answered, .owner = t},
                              .name = t->name,
                              .type = type,
                              .rd = rd,
                              .dnssec = t->dnssec,
                              .may_skip = true,
                              .limit_ms = HASTE_MS};
    tour_next(t);
}

void tour_free(struct tour *t)
{
    op_cancel(&t->ask.op);
}
