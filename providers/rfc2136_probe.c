/* rfc2136_probe.c: may the key make these changes? Asked with the changes themselves under a prerequisite that cannot be met, in up to three messages:
 *  1. nothing but that prerequisite: YXDOMAIN shows that the key is good and that the server heeds prerequisites. One that does not (NOERROR) is not
 *     sent any change.
 *  2. the changes: YXDOMAIN, or a refusal, halved until its names are known.
 *  3. a change that nobody grants to such a key. Refused: the server looks at rights before prerequisites, so the YXDOMAIN of 2 meant yes (named,
 *     knotd). Else only the key was proven (pdns_server; a key of knotd that may change everything). */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/names.h"
#include "providers/rfc2136.h"

struct probing {
    struct provider *p;
    struct stream *stream;
    struct batch *b, changes; /* the caller's; the same as tried */
    struct update u;
    struct exchange x;
    char nobody[NAME_SIZE]; /* a name that no right is for */
};

static void probing_free(struct probing *k)
{
    k->b->impl = NULL;
    op_cancel(&k->x.op);
    op_cancel(&k->changes.op);
    update_free(&k->u);
    free(k);
}

static void detach(struct op *op)
{
    probing_free(((struct batch *)op)->impl);
}

static void finish(struct probing *k, const struct err *e)
{
    struct batch *b = k->b;
    for (size_t i = 0; e && i < b->n; i++)
        if (b->c[i].result == CHANGE_OPEN) {
            b->c[i].result = CHANGE_REFUSED;
            b->c[i].err = *e;
        }
    probing_free(k);
    op_settle(&b->op, e);
}

static bool send(struct probing *k, op_fn *done)
{
    struct err e = {0};
    if (!update_seal(&k->u, stream_id(k->stream), rfc2136_key(k->p), clock_now(), &e)) {
        finish(k, &e);
        return false;
    }
    k->x = (struct exchange){.op = {.done = done, .owner = k}, .out = {k->u.w.p, k->u.w.n}};
    stream_send(k->stream, &k->x);
    return true;
}

static void compose(struct probing *k)
{
    update_free(&k->u);
    update_begin(&k->u, k->b->zone);
    update_never(&k->u, k->b->zone);
}

/* What came of the third message is no fault of anybody. */
static void control_done(struct op *op, const struct err *e)
{
    struct probing *k = op->owner;
    struct update_answer a;
    if (!e) {
        enum update_says says = update_judge(k->x.in, &k->u, rfc2136_key(k->p), clock_now(), &a);
        k->b->proven = says == SAYS_SPLIT || says == SAYS_KEY;
    }
    finish(k, NULL);
}

static void changes_done(struct op *op, const struct err *e)
{
    struct probing *k = op->owner;
    bool any = false;
    for (size_t i = 0; i < k->b->n; i++)
        any |= k->b->c[i].result == CHANGE_DONE;
    compose(k);
    if (!any || !rfc2136_key(k->p) || !update_ungranted(&k->u, k->nobody)) {
        k->b->proven = e && !any; /* a refusal leaves no doubt */
        finish(k, NULL);
        return;
    }
    send(k, control_done);
}

static void first_done(struct op *op, const struct err *e)
{
    struct probing *k = op->owner;
    struct update_answer a;
    struct err why = {0};
    if (e) {
        finish(k, e);
        return;
    }
    enum update_says says = update_judge(k->x.in, &k->u, rfc2136_key(k->p), clock_now(), &a);
    if (says != SAYS_DONE) {
        struct update_about about = {
            .server = k->p->server, .zone = k->b->zone, .owner = "", .key = rfc2136_key(k->p), .type = TYPE_TXT, .add = true};
        update_err(&a, &about, &why);
        finish(k, &why);
        return;
    }
    if (a.rcode == DNS_NOERROR) {
        err_set(&why, RC_WRITE, "PROVIDER_UNGUARDED",
                "%s does not heed prerequisites of updates (RFC 2136 2.4), so nothing was tried there; dcvagent rehearse writes a record "
                "of its own",
                k->p->server);
        finish(k, &why);
        return;
    }
    k->changes = (struct batch){.op = {.done = changes_done, .owner = k}, .zone = k->b->zone, .c = k->b->c, .n = k->b->n};
    rfc2136_try(k->p, &k->changes);
}

void rfc2136_probe(struct provider *p, struct batch *b)
{
    struct probing *k = mem_new(sizeof *k);
    k->p = p;
    k->b = b;
    k->stream = rfc2136_stream(p, b->zone);
    if (snprintf(k->nobody, sizeof k->nobody, "_dcvagent-probe.%s", b->zone) >= (int)sizeof k->nobody)
        snprintf(k->nobody, sizeof k->nobody, "%s", b->zone);
    b->impl = k;
    b->proven = false;
    op_start(&b->op, detach);
    compose(k);
    send(k, first_done);
}
