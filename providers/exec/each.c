/* each.c: a batch for programs that know one change a run. */
#include "providers/exec/adapter.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct each {
    struct provider *p;
    struct batch *b;
    each_args_fn *args;
    size_t at; /* the change under way */
    struct spawn spawn;
    struct seen seen;
};

static void next_change(struct each *w);

void change_judge(struct change *c, const struct spawn *run, const struct err *e)
{
    c->err = e ? *e : (struct err){0};
    if (e)
        err_at(&c->err, "%s", c->rec->owner);
    /* One that failed may have written before it did: that is read back. */
    c->result = !e ? CHANGE_DONE : run->started ? CHANGE_UNSURE : CHANGE_REFUSED;
}

void batch_settle(struct batch *b)
{
    const struct err *first = NULL;
    for (size_t i = 0; i < b->n && !first; i++)
        first = b->c[i].result == CHANGE_DONE ? NULL : &b->c[i].err;
    op_settle(&b->op, first);
}

static void each_free(struct each *w)
{
    w->b->impl = NULL;
    op_cancel(&w->spawn.op);
    op_cancel(&w->seen.op);
    spawn_clear(&w->spawn);
    free(w);
}

static void detach(struct op *op)
{
    each_free(((struct batch *)op)->impl);
}

static void on_seen(struct op *op, const struct err *e)
{
    struct each *w = op->owner;
    struct batch *b = w->b;
    (void)e;
    each_free(w);
    batch_settle(b);
}

static void finish(struct each *w)
{
    w->seen.op.done = on_seen;
    w->seen.op.owner = w;
    adapter_seen(w->p, w->b, &w->seen);
}

static void on_spawn(struct op *op, const struct err *e)
{
    struct each *w = op->owner;
    struct change *c = &w->b->c[w->at++];
    change_judge(c, &w->spawn, e);
    if (!e || (w->spawn.started && !w->spawn.child.timed_out)) {
        next_change(w);
        return;
    }
    for (; w->at < w->b->n; w->at++) { /* the others would fare no better: they are not tried */
        w->b->c[w->at].result = CHANGE_REFUSED;
        w->b->c[w->at].err = *e;
    }
    finish(w);
}

static void next_change(struct each *w)
{
    for (; w->at < w->b->n; w->at++) {
        struct change *c = &w->b->c[w->at];
        struct err e = {0};
        spawn_clear(&w->spawn);
        w->spawn = (struct spawn){.op = {.done = on_spawn, .owner = w}, .durable = "program"};
        snprintf(w->spawn.what, sizeof w->spawn.what, "%s the TXT at %s", c->add ? "add" : "delete", c->rec->owner);
        if (w->args(w->p, c, &w->spawn.args, &e)) {
            spawn_start(w->p, &w->spawn);
            return;
        }
        c->result = CHANGE_REFUSED;
        c->err = e;
    }
    finish(w);
}

void each_apply(struct provider *p, struct batch *b, each_args_fn *args)
{
    struct each *w = mem_new(sizeof *w);
    *w = (struct each){.p = p, .b = b, .args = args};
    b->impl = w;
    op_start(&b->op, detach);
    next_change(w);
}

struct cost each_cost(const struct provider_ops *p, size_t owners, size_t changes)
{
    (void)p;
    (void)owners;
    return (struct cost){.writes = changes};
}
