#include <stdlib.h>

#include "base/mem.h"
#include "base/op.h"

/* Two rings with a head each, so that op_cancel unlinks without knowing which one an op is in. `now` is being delivered;
 * what done() settles goes to `next_round`, or a pair of ops that settle each other would keep the loop from its sockets. */
static struct op now = {.prev = &now, .next = &now};
static struct op next_round = {.prev = &next_round, .next = &next_round};

static void unlink_op(struct op *op)
{
    op->prev->next = op->next;
    op->next->prev = op->prev;
    op->prev = op->next = NULL;
}

static void append(struct op *head, struct op *op)
{
    op->prev = head->prev;
    op->next = head;
    head->prev->next = op;
    head->prev = op;
}

void op_start(struct op *op, void (*detach)(struct op *op))
{
    if (op->state != OP_IDLE)
        err_bug("a request was started that is under way already");
    op->detach = detach;
    op->state = OP_PENDING;
}

void op_settle(struct op *op, const struct err *e)
{
    if (op->state != OP_PENDING)
        return;
    op->detach = NULL;
    op->err = e && e->rc != RC_OK ? mem_copy(e, sizeof(*e)) : NULL;
    op->state = OP_SETTLED;
    append(&next_round, op);
}

bool op_deliver(void)
{
    if (!op_waiting())
        return false;
    while (next_round.next != &next_round) {
        struct op *op = next_round.next;
        unlink_op(op);
        append(&now, op);
    }
    while (now.next != &now) {
        struct op *op = now.next;
        struct err *e = op->err;
        unlink_op(op);
        op->err = NULL;
        op->state = OP_IDLE;
        op->done(op, e);
        free(e);
    }
    return true;
}

bool op_waiting(void)
{
    return now.next != &now || next_round.next != &next_round;
}

void op_cancel(struct op *op)
{
    enum op_state was = op->state;
    op->state = OP_IDLE;
    if (was == OP_SETTLED) {
        unlink_op(op);
        free(op->err);
        op->err = NULL;
    } else if (was == OP_PENDING && op->detach) {
        void (*detach)(struct op *) = op->detach;
        op->detach = NULL;
        detach(op);
    }
}
