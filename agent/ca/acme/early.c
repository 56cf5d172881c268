/* early.c: the order is asked for before the answer to what moves it is there: a round trip less at a CA that is through in milliseconds. After the
 * challenges that is when the first of several is answered, after the CSR it is 20 ms. A CA that was not through then is not asked early any more, for as
 * long as things are remembered.
 *
 * The early answer serves only once the other is there. Where it says that the CA is not through, or fails, all goes on as if it had not been asked for,
 * but no sooner than the CA said. */
#include "ca/acme/work.h"

#include <string.h>

#include "base/mem.h"

enum { ISSUE_MS = 20 };

/* --- which CAs ------------------------------------------------------------------------------------------------------------------------ */

static bool after_csr(const struct work *w)
{
    return w->call == CALL_SUBMIT;
}

static bool *takes_time(const struct work *w)
{
    struct ca *c = w->c;
    if (!c->slow_known) {
        json_t *j = memory_recall(c, "slow");
        c->slow_check = json_is_true(json_object_get(j, "check"));
        c->slow_issue = json_is_true(json_object_get(j, "issue"));
        c->slow_known = true;
        json_decref(j);
    }
    return after_csr(w) ? &c->slow_issue : &c->slow_check;
}

static void learn(struct work *w)
{
    *takes_time(w) = true;
    memory_keep(w->c, "slow", json_pack("{s:b, s:b}", "check", w->c->slow_check, "issue", w->c->slow_issue));
}

static bool is_through(const struct work *w, const json_t *order)
{
    const char *status = json_str(order, "status");
    bool waits = strcmp(status, "pending") == 0 || strcmp(status, "processing") == 0;
    return *status && !waits && !(after_csr(w) && strcmp(status, "ready") == 0);
}

/* --- asking --------------------------------------------------------------------------------------------------------------------------- */

static void answered(struct op *op, const struct err *e)
{
    struct work *w = op->owner;
    bool awaited = w->early.at == EARLY_AWAITED, through = !e && is_through(w, w->early.request.json);
    w->early.at = through ? EARLY_THROUGH : EARLY_OVER;
    w->early.retry_after = e ? 0 : w->early.request.retry_after;
    if (e && e->not_before)
        w->early.err = *e;
    if (!e && !through)
        learn(w);
    if (awaited)
        early_take(w);
}

static void ask(struct op *op, const struct err *e)
{
    struct work *w = op->owner;
    (void)e;
    w->early.at = EARLY_SENT;
    w->early.request =
        (struct acme_request){.op = {.done = answered, .owner = w}, .about = "the order", .url = mem_str(json_str(w->handle, "order"))};
    acme_send(w->c, &w->early.request);
}

void early_ask(struct work *w)
{
    struct loop *l = net_loop(w->c->net);
    if (w->early.at != EARLY_NOT || *takes_time(w))
        return;
    w->early.at = EARLY_TIMED;
    w->early.timer = (struct timer){.op = {.done = ask, .owner = w}, .at = loop_now(l) + (after_csr(w) ? ISSUE_MS : 0)};
    loop_timer(l, &w->early.timer);
}

/* --- the other answer is there ---------------------------------------------------------------------------------------------------------- */

void early_take(struct work *w)
{
    struct early *y = &w->early;
    bool needed = !after_csr(w) || !is_through(w, w->one.json);
    if (needed && y->at == EARLY_SENT) {
        y->at = EARLY_AWAITED;
        return;
    }
    op_cancel(&y->timer.op);
    if (needed && y->at == EARLY_THROUGH) {
        acme_request_clear(&w->one);
        w->one.json = json_incref(y->request.json);
    }
    bool ask = !after_csr(w) && y->at != EARLY_THROUGH;
    y->at = EARLY_OVER;
    if (w->one.retry_after < y->retry_after)
        w->one.retry_after = y->retry_after;
    if (needed && y->err.rc != RC_OK)
        work_fail(w, &y->err);
    else if (ask)
        work_poll(w, y->retry_after);
    else
        work_take_order(w);
}

void early_close(struct work *w)
{
    op_cancel(&w->early.timer.op);
    acme_request_clear(&w->early.request);
}
