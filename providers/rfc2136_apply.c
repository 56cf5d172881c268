/* rfc2136_apply.c: a batch as UPDATE messages, one after the other; ranges of it are halved where the server names no culprit:
 *  - signed REFUSED: halved, down to single changes.
 *  - SERVFAIL: once more after a second, then halved (BIND: one full set fails all).
 *  - BADKEY before anything passed: halved once, and on only if a half passes: Knot says the same for "not permitted".
 *  - everything else ends the batch. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "providers/ranges.h"
#include "providers/rfc2136.h"

enum { PAUSE_MS = 1000 };

struct writing {
    struct provider *p;
    struct stream *stream;
    struct batch *b;
    struct update u;
    struct exchange x;
    struct timer pause;
    struct ranges todo;
    bool trial;        /* nothing is to be carried out */
    struct range now;  /* under way */
    struct range late; /* a half that met BADKEY: goes on if the other half passes */
    bool key_good;     /* something signed came back: the server knows the key */
    bool halved;       /* for BADKEY */
    bool repeated;     /* after SERVFAIL */
};

static void send_next(struct writing *w);

static void writing_free(struct writing *w)
{
    w->b->impl = NULL;
    op_cancel(&w->x.op);
    op_cancel(&w->pause.op);
    update_free(&w->u);
    ranges_free(&w->todo);
    free(w);
}

static void apply_detach(struct op *op)
{
    writing_free(((struct batch *)op)->impl);
}

static void mark(struct writing *w, struct range r, enum change_result result, const struct err *e)
{
    for (size_t i = r.from; i < r.from + r.n; i++) {
        struct change *c = &w->b->c[i];
        c->result = result;
        c->err = e ? *e : (struct err){0};
        if (e && !c->err.where[0])
            err_at(&c->err, "%s", c->rec->owner);
    }
}

/* The error of an answer for a range; single changes are named. */
static struct err answer_err(const struct writing *w, struct range r, const struct update_answer *a)
{
    const struct change *c = &w->b->c[r.from];
    struct update_about about = {.server = w->p->server,
                                 .zone = w->b->zone,
                                 .owner = r.n == 1 ? c->rec->owner : "",
                                 .key = rfc2136_key(w->p),
                                 .type = c->rec->type,
                                 .add = c->add};
    struct err e = {0};
    update_err(a, &about, &e);
    if (r.n > 1)
        e.where[0] = '\0';
    return e;
}

static void finish(struct writing *w)
{
    struct batch *b = w->b;
    const struct err *first = NULL;
    for (size_t i = 0; i < b->n && !first; i++)
        first = b->c[i].result == CHANGE_DONE ? NULL : &b->c[i].err;
    writing_free(w);
    op_settle(&b->op, first);
}

/* Nothing more is sent: what waited was not carried out. */
static void give_up(struct writing *w, const struct err *e)
{
    if (w->late.n)
        mark(w, w->late, CHANGE_REFUSED, e);
    while (w->todo.n)
        mark(w, ranges_pop(&w->todo), CHANGE_REFUSED, e);
    finish(w);
}

static void refuse(struct writing *w, const struct update_answer *a)
{
    struct err e = answer_err(w, w->now, a);
    mark(w, w->now, CHANGE_REFUSED, &e);
    send_next(w);
}

static void refuse_all(struct writing *w, const struct update_answer *a)
{
    size_t n = w->now.n + w->late.n + w->todo.n; /* an error for several names no name of its own */
    struct err e = answer_err(w, (struct range){w->now.from, n}, a);
    mark(w, w->now, CHANGE_REFUSED, &e);
    give_up(w, &e);
}

static void paused(struct op *op, const struct err *e)
{
    (void)e;
    send_next(op->owner);
}

static void on_servfail(struct writing *w, const struct update_answer *a)
{
    if (!w->repeated) {
        w->repeated = true;
        ranges_push(&w->todo, w->now.from, w->now.n);
        w->pause = (struct timer){.at = loop_now(net_loop(w->p->net)) + PAUSE_MS};
        w->pause.op.done = paused;
        w->pause.op.owner = w;
        loop_timer(net_loop(w->p->net), &w->pause);
    } else if (w->now.n > 1) {
        ranges_halve(&w->todo, w->now);
        send_next(w);
    } else {
        refuse(w, a);
    }
}

static void on_badkey(struct writing *w, const struct update_answer *a)
{
    if (w->key_good && w->now.n == 1) { /* the key is fine: so it is not permitted */
        struct update_answer no = {.rcode = DNS_REFUSED, .fits = true, .tsig = {.proven = true}};
        refuse(w, &no);
    } else if (w->key_good || (!w->halved && w->now.n > 1)) {
        w->halved = true;
        ranges_halve(&w->todo, w->now);
        send_next(w);
    } else if (w->halved && !w->late.n && w->todo.n) {
        w->late = w->now;
        send_next(w);
    } else {
        refuse_all(w, a);
    }
}

static void on_silence(struct writing *w, const struct err *e)
{
    struct err unsent = {0}, unsure = {0};
    err_set(&unsent, RC_NET, "UPDATE_UNREACHABLE", "zone %s was not updated: %s", w->b->zone, e->text);
    err_again(&unsent, 0);
    err_set(&unsure, RC_NET, "UPDATE_UNSURE", "the update of zone %s may or may not have been carried out: %s", w->b->zone, e->text);
    err_again(&unsure, 0);
    mark(w, w->now, w->x.sent ? CHANGE_UNSURE : CHANGE_REFUSED, w->x.sent ? &unsure : &unsent);
    give_up(w, &unsent);
}

static void update_done(struct op *op, const struct err *e)
{
    struct writing *w = op->owner;
    struct update_answer a;
    if (e) {
        on_silence(w, e);
        return;
    }
    enum update_says says = update_judge(w->x.in, &w->u, rfc2136_key(w->p), clock_now(), &a);
    w->key_good |= a.fits && a.tsig.proven && a.tsig.result == TSIG_OK;
    switch (says) {
    case SAYS_DONE:
        mark(w, w->now, CHANGE_DONE, NULL);
        send_next(w);
        return;
    case SAYS_SPLIT:
        if (w->now.n > 1) {
            ranges_halve(&w->todo, w->now);
            send_next(w);
        } else {
            refuse(w, &a);
        }
        return;
    case SAYS_AGAIN:
        on_servfail(w, &a);
        return;
    case SAYS_KEY:
        on_badkey(w, &a);
        return;
    case SAYS_NO:
        refuse_all(w, &a);
        return;
    case SAYS_UNKNOWN:
        break;
    }
    struct err unsure = answer_err(w, w->now, &a);
    mark(w, w->now, CHANGE_UNSURE, &unsure);
    give_up(w, &unsure);
}

/* As many changes as fit into one message; the rest waits. False: none fits. */
static bool fill(struct writing *w, struct range r)
{
    size_t n = 0;
    update_free(&w->u);
    update_begin(&w->u, w->b->zone);
    if (w->trial)
        update_never(&w->u, w->b->zone);
    while (n < r.n && update_change(&w->u, w->b->c[r.from + n].add, w->b->c[r.from + n].rec))
        n++;
    w->now = (struct range){r.from, n ? n : 1};
    ranges_push(&w->todo, r.from + w->now.n, r.n - w->now.n);
    return n > 0;
}

static void send_next(struct writing *w)
{
    struct err e = {0};
    if (!w->todo.n && w->late.n) { /* the other half was through: it was not the key */
        struct range late = w->late;
        w->late.n = 0;
        ranges_halve(&w->todo, late);
    }
    if (!w->todo.n) {
        finish(w);
        return;
    }
    if (!fill(w, ranges_pop(&w->todo))) {
        err_set(&e, RC_WRITE, "UPDATE_TOO_LARGE", "the record at %s fits into no UPDATE message, or its name is malformed",
                w->b->c[w->now.from].rec->owner);
        mark(w, w->now, CHANGE_REFUSED, &e);
        send_next(w);
        return;
    }
    if (!update_seal(&w->u, stream_id(w->stream), rfc2136_key(w->p), clock_now(), &e)) {
        mark(w, w->now, CHANGE_REFUSED, &e);
        give_up(w, &e);
        return;
    }
    w->x = (struct exchange){.out = {w->u.w.p, w->u.w.n}, .durable = w->trial ? NULL : "update"};
    w->x.op.done = update_done;
    w->x.op.owner = w;
    stream_send(w->stream, &w->x);
}

static void start(struct provider *p, struct batch *b, bool trial)
{
    struct writing *w = mem_new(sizeof *w);
    w->p = p;
    w->trial = w->key_good = trial; /* nothing is tried with a key that is not known to be good */
    w->stream = rfc2136_stream(p, b->zone);
    w->b = b;
    b->impl = w;
    op_start(&b->op, apply_detach);
    ranges_push(&w->todo, 0, b->n);
    send_next(w);
}

void rfc2136_apply(struct provider *p, struct batch *b)
{
    start(p, b, false);
}

void rfc2136_try(struct provider *p, struct batch *b)
{
    start(p, b, true);
}
