/* many.h: requests of any kind, one or many side by side, through the session's loop, waited for together: what commands ask.
 *
 *     many_begin(&m, s, n); for each: many_add(&m, &x.op, &err); x_start(&x); ... return many_end(&m, e); */
#ifndef DCV_ORDER_MANY_H
#define DCV_ORDER_MANY_H

#include <stddef.h>

#include "net/loop.h"
#include "order/session.h"

struct watch;
struct many;
struct many_one { /* one of them; owner of its op */
    struct many *of;
    struct op *op;
    struct err *err;
};

struct many {
    struct session *s;
    struct many_one *one;
    size_t n, pending;
    void (*round)(void *arg, struct watch *w); /* look_watches' */
    void *arg;
    struct timer tick; /* its too */
    const char *stopped; /* after a signal: what that means; "nothing was changed" */
    struct err fault;    /* of the store */
};

void many_begin(struct many *m, struct session *s, size_t most);
void many_add(struct many *m, struct op *op, struct err *err); /* before the request starts; err NULL: its faults do not matter */
void many_ended(struct many_one *q, const struct err *e);      /* of a request whose done() is the caller's own */

/* Waits for all; what they write to the store is committed turn by turn. A signal ends it: false with RC_LATER, STOPPED; then all are cancelled, as
 * they are where the store fails. */
bool many_end(struct many *m, struct err *e);
bool many_only(struct many *m, const struct err *err, struct err *e); /* the same for a single one, whose own fault is then the result */

#endif
