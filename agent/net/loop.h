/* loop.h: the one loop of a run: I/O, timers, signals, a worker for what blocks.
 *
 * Each round of loop_run: I/O once; all done()s of what has settled, which only note results and wake orders; then the turn.
 * Only the turn moves states and commits. libuv stays inside loop.c (other files of net/ reach it through loop_uv.h). */
#ifndef DCV_NET_LOOP_H
#define DCV_NET_LOOP_H

#include "base/op.h"

struct loop;

struct timer {
    struct op op;
    int64_t at; /* ms, loop_now() scale */
    void *impl;
};

struct job {
    struct op op;
    void (*work)(void *data); /* in the worker thread; touches nothing but data */
    void (*drop)(void *data); /* frees data after a cancel, once the worker is through */
    void *data;               /* the loop's from loop_job() until done() */
    void *impl;
};

struct loop *loop_new(struct err *e);
void loop_free(struct loop *l); /* NULL allowed; everything started must have ended or been cancelled */

int64_t loop_now(const struct loop *l); /* ms, monotonic, constant within a round */

/* Settles with success at t->at (at once where that is past). */
void loop_timer(struct loop *l, struct timer *t);
void loop_job(struct loop *l, struct job *j);

/* Runs until turn() says false. SIGTERM and SIGINT only set loop_signal(); the turn decides. A round in which nothing is pending,
 * nothing settled and the turn still says true is a bug: the program ends with 70 rather than hang. */
void loop_run(struct loop *l, bool (*turn)(void *arg), void *arg);
int loop_signal(const struct loop *l); /* SIGINT, SIGTERM, SIGHUP or 0 */
void loop_last_word(struct loop *l);   /* it was heard: loop_signal() is 0 until the next one, for what must still be put in order */
int loop_stopped_by(void);             /* the same for all loops there have been: main() ends the program by it */
void loop_again(struct loop *l);       /* the turn changed something itself: one more round without waiting for I/O */

#endif
