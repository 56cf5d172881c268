/* seen.c: what was done is looked for at the zone's authority, with growing pauses. */
#include "providers/seen.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { PAUSE_MS = 500, PAUSE_MAX_MS = 8000 };

static void look(struct seen *s);

static void clear(struct seen *s)
{
    for (size_t i = 0; i < s->look.n; i++)
        rrset_clear(&s->look.set[i]);
    free(s->look.set);
    s->look.set = NULL;
    s->look.n = 0;
}

static void detach(struct op *op)
{
    struct seen *s = (struct seen *)op;
    op_cancel(&s->look.op);
    op_cancel(&s->pause.op);
    clear(s);
}

static void over(struct seen *s)
{
    clear(s);
    op_settle(&s->op, NULL);
}

static struct rrset *set_of(struct seen *s, const char *owner)
{
    for (size_t i = 0; i < s->look.n; i++)
        if (strcmp(s->look.set[i].owner, owner) == 0)
            return &s->look.set[i];
    return NULL;
}

/* All owners of what was done and can be seen. */
static void owners(struct seen *s)
{
    s->look.zone = s->b->zone;
    s->look.set = mem_array(s->b->n + 1, sizeof *s->look.set);
    for (size_t i = 0; i < s->b->n; i++) {
        const struct change *c = &s->b->c[i];
        if (c->result == CHANGE_DONE && c->rec->type == TYPE_TXT && (c->add || !s->adds_alone) && !set_of(s, c->rec->owner))
            s->look.set[s->look.n++].owner = c->rec->owner;
    }
}

static bool shown(struct seen *s, const struct change *c)
{
    const struct rrset *set = set_of(s, c->rec->owner);
    /* beside a CNAME no TXT will ever show: the read-back says so */
    return c->result != CHANGE_DONE || !set || set->cname || (!c->add && s->adds_alone) || rrset_has(set, c->rec->value) == c->add;
}

static void too_slow(struct seen *s, const struct err *why)
{
    for (size_t i = 0; i < s->b->n; i++) {
        struct change *c = &s->b->c[i];
        if (c->result != CHANGE_DONE || (!why && shown(s, c)) || (!c->add && s->adds_alone))
            continue;
        c->result = CHANGE_UNSURE;
        err_at(&c->err, "%s", c->rec->owner);
        err_set(
            &c->err, RC_NET, "WRITE_SLOW",
            "[provider %s]: %s said that the TXT was %s, but %s does not show it within %u s (%s); raise wait= where the service is that "
            "slow",
            s->section, s->by, c->add ? "added" : "deleted", s->at.server, (unsigned)(s->wait_ms / 1000),
            why ? why->text : "it answers, without it");
        err_again(&c->err, 0);
    }
    over(s);
}

static void paused(struct op *op, const struct err *e)
{
    (void)e;
    look(op->owner);
}

static void looked(struct op *op, const struct err *e)
{
    struct seen *s = op->owner;
    struct loop *l = s->loop;
    bool all = !e;
    for (size_t i = 0; all && i < s->b->n; i++)
        all = shown(s, &s->b->c[i]);
    if (all) {
        over(s);
        return;
    }
    int64_t pause = PAUSE_MS << (s->turns < 4 ? s->turns : 4);
    s->turns++;
    if (loop_now(l) + pause > s->until) {
        too_slow(s, e);
        return;
    }
    s->pause = (struct timer){.op = {.done = paused, .owner = s}, .at = loop_now(l) + (pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS)};
    loop_timer(l, &s->pause);
}

static void look(struct seen *s)
{
    s->look.op.done = looked;
    s->look.op.owner = s;
    authority_read(&s->at, &s->look);
}

void seen_start(struct seen *s)
{
    s->turns = 0;
    s->until = loop_now(s->loop) + s->wait_ms;
    op_start(&s->op, detach);
    owners(s);
    if (s->at.stream && s->look.n)
        look(s);
    else
        over(s);
}
