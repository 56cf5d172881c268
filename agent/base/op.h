/* op.h: a request that is under way, and its answer that comes later.
 *
 * Every asynchronous request embeds a struct op as its first member. Its memory is the caller's and zeroed before first
 * use. The life of a request: IDLE -> (start function) PENDING -> (op_settle, by the carrier) SETTLED -> (loop) done(), IDLE.
 *
 * The promise: done() is called exactly once, from the loop, never inside the call that started the work, and never after
 * op_cancel(). A carrier may settle a request inside the start call; the callback still waits for the loop. */
#ifndef DCV_BASE_OP_H
#define DCV_BASE_OP_H

#include "base/err.h"

enum op_state { OP_IDLE, OP_PENDING, OP_SETTLED };

struct op;
typedef void op_fn(struct op *op, const struct err *e); /* e == NULL: success. op is idle again and may be freed here. */

struct op {
    op_fn *done;                    /* the caller's */
    void *owner;                    /* the caller's, for done() to find its way back; never touched here */
    void (*detach)(struct op *op);  /* the carrier's: forget this request, O(1); NULL: nothing to forget */
    struct op *prev, *next;         /* list of settled requests */
    enum op_state state;
    struct err *err;                /* op_settle's copy */
};

/* Carrier: the request starts. Sets PENDING and remembers how to forget it. */
void op_start(struct op *op, void (*detach)(struct op *op));

/* Carrier: the result is in; done() follows from the loop. e is copied; NULL or rc RC_OK means success.
 * On an op that is not PENDING: no effect. */
void op_settle(struct op *op, const struct err *e);

/* The loop alone: calls done() of everything settled before this call; false: there was nothing. */
bool op_deliver(void);

/* True while something settled waits for op_deliver. */
bool op_waiting(void);

/* Caller: no callback any more, the memory is free at once. What was sent is NOT undone. An idle op: no effect. */
void op_cancel(struct op *op);

static inline bool op_busy(const struct op *op) { return op->state != OP_IDLE; }

#endif
