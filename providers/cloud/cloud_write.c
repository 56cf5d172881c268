/* cloud_write.c: a batch: one swap a set, as many in a request as it holds, halved where the API names no culprit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "net/net.h"
#include "providers/cloud/cloud_impl.h"

enum {
    POLL_MS = 500, /* doubled each time up to */
    POLL_MAX_MS = 8000,
    POLLS_MAX = 20 /* some two minutes: a sign that comes later is not worth the wait, the servers are asked anyway */
};

/* --- results ------------------------------------------------------------------------------------------------------------------------------ */

static void mark(struct visit *v, const struct swap *w, size_t n, enum change_result result, const struct err *e)
{
    for (size_t k = 0; k < v->b->n; k++) {
        struct change *c = &v->b->c[k];
        bool ours = false;
        for (size_t i = 0; i < n && !ours; i++)
            ours = c->before == w[i].before;
        if (!ours)
            continue;
        c->result = result;
        c->err = e ? *e : (struct err){0};
        if (e)
            err_at(&c->err, "%s", c->rec->owner);
    }
    visit_note(v, e);
}

void visit_refuse_rest(struct visit *v, const struct err *e)
{
    while (v->todo.n) {
        struct range r = ranges_pop(&v->todo);
        mark(v, v->swap + r.from, r.n, CHANGE_REFUSED, e);
    }
}

static void apply_detach(struct op *op)
{
    visit_free(((struct batch *)op)->impl);
}

/* --- requests ----------------------------------------------------------------------------------------------------------------------------- */

static void poll_later(struct leg *s);

static void written(struct leg *s)
{
    struct visit *v = s->visit;
    mark(v, s->swap, s->n, CHANGE_DONE, NULL);
    leg_free(s);
    visit_write_next(v);
}

static void poll_done(struct op *op, const struct err *fault)
{
    struct leg *s = op->owner;
    /* Nobody needs to know: what was written stands, and its servers are asked one by one later. */
    if (fault || s->visit->p->ops->synced(s) || s->turn > POLLS_MAX)
        written(s);
    else
        poll_later(s);
}

static void poll_now(struct op *op, const struct err *e)
{
    struct leg *s = op->owner;
    (void)e;
    s->visit->p->ops->poll(s);
    leg_start(s, "ask whether the change is everywhere", poll_done);
}

static void poll_later(struct leg *s)
{
    struct loop *loop = net_loop(s->visit->p->net);
    int64_t pause = s->turn > 5 ? POLL_MAX_MS : POLL_MS << (s->turn - 1);
    s->timer = (struct timer){.at = loop_now(loop) + pause, .op = {.done = poll_now, .owner = s}};
    loop_timer(loop, &s->timer);
}

static bool adds(const struct leg *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->swap[i].after->n)
            return true;
    return false;
}

static void conflict(struct leg *s)
{
    struct err e = {0};
    err_set(&e, RC_WRITE, "API_CONFLICT", "[provider %s] the TXT set was not written: somebody else has changed it since it was read",
            s->visit->p->section->name);
    err_again(&e, 0);
    mark(s->visit, s->swap, s->n, CHANGE_CONFLICT, &e);
}

static void write_done(struct op *op, const struct err *fault)
{
    struct leg *s = op->owner;
    struct visit *v = s->visit;
    struct err e = {0};
    leg_look_at_token(s);
    enum cloud_says says = v->p->ops->wrote(s, fault, &e);
    struct range now = {(size_t)(s->swap - v->swap), s->n};
    if (says == CLOUD_DONE && *s->more && !v->todo.n && adds(s)) {
        snprintf(v->b->sync, sizeof v->b->sync, "%.95s", s->more);
        poll_later(s);
        return;
    }
    if (says == CLOUD_DONE) {
        written(s);
        return;
    }
    if ((says == CLOUD_SPLIT || says == CLOUD_CONFLICT) && now.n > 1) {
        ranges_halve(&v->todo, now);
    } else if (says == CLOUD_CONFLICT) {
        conflict(s);
    } else {
        mark(v, s->swap, s->n, api_unsure(&s->call) ? CHANGE_UNSURE : CHANGE_REFUSED, &e);
        if (says != CLOUD_SPLIT)
            visit_refuse_rest(v, &e);
    }
    leg_free(s);
    visit_write_next(v);
}

static size_t octets(const struct rrset *set)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++)
        n += set->native && set->native[i] ? strlen(set->native[i]) : set->octets[i].n + 2 * (set->octets[i].n / 255 + 1);
    return n;
}

/* As many sets of the range as one request holds; at least one: the API says best why it is too large. */
static size_t fits(const struct visit *v, struct range r)
{
    const struct cloud_ops *ops = v->p->ops;
    size_t n = 0, sum = 0;
    for (; n < r.n && n < ops->sets_max; n++) {
        sum += octets(v->swap[r.from + n].before) + octets(v->swap[r.from + n].after);
        if (n && ops->octets_max && sum > ops->octets_max)
            break;
    }
    return n;
}

void visit_write_next(struct visit *v)
{
    while (v->todo.n && !(v->p->ops->serial && v->first)) {
        struct range r = ranges_pop(&v->todo);
        size_t n = fits(v, r);
        struct err e = {0};
        ranges_push(&v->todo, r.from + n, r.n - n);
        struct leg *s = leg_new(v);
        s->swap = v->swap + r.from;
        s->n = n;
        if (v->p->ops->write(s, &e)) {
            leg_start(s, "write the TXT records", write_done);
        } else {
            mark(v, s->swap, s->n, CHANGE_REFUSED, &e);
            leg_free(s);
        }
    }
    if (!v->first && !v->todo.n)
        visit_finish(v);
}

/* One swap for each set that the changes of the batch touch. */
static void gather(struct visit *v)
{
    v->swap = mem_array(v->b->n + 1, sizeof *v->swap);
    for (size_t k = 0; k < v->b->n; k++) {
        const struct change *c = &v->b->c[k];
        bool there = false;
        for (size_t i = 0; i < v->n_swap && !there; i++)
            there = v->swap[i].before == c->before;
        if (there)
            continue;
        v->swap[v->n_swap] = (struct swap){c->before, c->after};
        if (c->before->n || c->after->n)
            v->n_swap++;
        else
            mark(v, &v->swap[v->n_swap], 1, CHANGE_DONE, NULL); /* what is not there needs no deleting */
    }
    ranges_push(&v->todo, 0, v->n_swap);
}

void cloud_apply(struct provider *p, struct batch *b)
{
    struct visit *v = mem_new(sizeof *v);
    v->p = p;
    v->b = b;
    b->impl = v;
    op_start(&b->op, apply_detach);
    gather(v);
    if (v->todo.n)
        visit_start(v);
    else
        visit_finish(v);
}
