/* stream_slot.c: exchanges under way on a stream. */
#include <stdlib.h>

#include "net/stream_impl.h"

static void slot_unlink(struct slot *t)
{
    struct stream *s = t->s;
    if (!s)
        return;
    *(t->prev ? &t->prev->next : &s->first) = t->next;
    *(t->next ? &t->next->prev : &s->last) = t->prev;
    s->live -= t->x != NULL;
    t->s = NULL;
}

static void reap(struct op *op, const struct err *e)
{
    (void)e;
    struct slot *t = (struct slot *)op;
    free(t->answer);
    free(t);
}

void slot_free(struct slot *t)
{
    slot_unlink(t);
    free(t->answer);
    free(t);
}

void slot_settle(struct slot *t, const struct err *e)
{
    struct exchange *x = t->x;
    slot_unlink(t);
    x->impl = NULL;
    t->reap.done = reap;
    op_start(&t->reap, NULL);
    op_settle(&x->op, e);
    op_settle(&t->reap, NULL);
}

void slot_abandon(struct slot *t)
{
    t->x->impl = NULL;
    t->x = NULL;
    t->s->live--;
    if (!t->sent)
        slot_free(t);
}

struct err slot_fault(const struct stream *s, const struct slot *t, bool late)
{
    static const char doubt[] = "what was sent may or may not have been carried out";
    struct err e = {0};
    if (!t->sent)
        err_set(&e, RC_NET, "STREAM_CONNECT", "%s", s->why.rc ? s->why.text : "no connection in time; nothing was sent");
    else if (late)
        err_set(&e, RC_NET, "STREAM_TIMEOUT", "%s did not answer in time; %s", s->shown, doubt);
    else
        err_set(&e, RC_NET, "STREAM_UNSURE", "%s closed the connection before it answered; %s", s->shown, doubt);
    err_at(&e, "%s", s->shown);
    err_again(&e, 0);
    return e;
}

void slot_fail(struct slot *t)
{
    struct err e = slot_fault(t->s, t, false);
    slot_settle(t, &e);
}
