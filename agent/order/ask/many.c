#include "order/ask/many.h"

#include <stdlib.h>

#include "base/mem.h"
#include "net/loop.h"
#include "net/net.h"
#include "store/store.h"

void many_begin(struct many *m, struct session *s, size_t most)
{
    *m = (struct many){.s = s, .one = mem_array(most ? most : 1, sizeof(struct many_one)), .stopped = "nothing was changed"};
}

void many_ended(struct many_one *q, const struct err *e)
{
    if (e && q->err)
        *q->err = *e;
    q->of->pending--;
}

static void settled(struct op *op, const struct err *e)
{
    many_ended(op->owner, e);
}

void many_add(struct many *m, struct op *op, struct err *err)
{
    struct many_one *q = &m->one[m->n++];
    *q = (struct many_one){m, op, err};
    *op = (struct op){.done = settled, .owner = q};
    m->pending++;
}

/* What a request keeps (a CA's account) is committed before it goes on; most keep nothing, and sessions that only read have no turn. */
static bool turn(void *arg)
{
    struct many *m = arg;
    return store_turn(m->s->store, &m->fault) && m->pending && !loop_signal(net_loop(m->s->net));
}

bool many_end(struct many *m, struct err *e)
{
    if (m->pending)
        loop_run(net_loop(m->s->net), turn, m);
    bool all = m->pending == 0 && m->fault.rc == RC_OK;
    for (size_t i = 0; i < m->n && !all; i++)
        op_cancel(m->one[i].op);
    free(m->one);
    if (m->fault.rc != RC_OK)
        *e = m->fault;
    return all || err_set(e, RC_LATER, "STOPPED", "stopped by a signal before all answers were in; %s", m->stopped);
}

bool many_only(struct many *m, const struct err *err, struct err *e)
{
    if (!many_end(m, e))
        return false;
    *e = *err;
    return e->rc == RC_OK;
}
