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

static const char *const topics[] = {"slow/check", "slow/issue"};

static bool takes_time(const struct work *w)
{
    bool phase = after_csr(w);
    if (!w->c->pace[phase]) {
        json_t *j = memory_recall(w->c, topics[phase]);
        w->c->pace[phase] = j ? PACE_SLOW : PACE_QUICK;
        json_decref(j);
    }
    return w->c->pace[phase] == PACE_SLOW;
}

/* A nonce that was refused has put off what the CA was to do. */
static bool put_off(const struct work *w)
{
    bool so = w->one.bad_nonces > 0;
    for (size_t i = 0; i < w->n_part; i++)
        so |= w->part[i].request.bad_nonces > 0;
    return so;
}

static void learn(const struct work *w)
{
    bool phase = after_csr(w);
    if (put_off(w))
        return;
    w->c->pace[phase] = PACE_SLOW;
    memory_keep(w->c, topics[phase], json_object());
}

static bool is_under_way(const struct work *w, const json_t *order)
{
    const char *status = json_str(order, "status");
    return strcmp(status, "pending") == 0 || strcmp(status, "processing") == 0 || (after_csr(w) && strcmp(status, "ready") == 0);
}

static bool is_through(const struct work *w, const json_t *order)
{
    return *json_str(order, "status") && !is_under_way(w, order);
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
    if (!e && is_under_way(w, w->early.request.json))
        learn(w);
    if (awaited)
        early_take(w);
}

/* One that had to wait for a nonce would come with or behind the answer that it is to run ahead of. */
static void ask(struct op *op, const struct err *e)
{
    struct work *w = op->owner;
    (void)e;
    w->early.at = w->c->nonces.n > w->c->n_waiting ? EARLY_SENT : EARLY_OVER;
    if (w->early.at == EARLY_OVER)
        return;
    w->early.request =
        (struct acme_request){.op = {.done = answered, .owner = w}, .about = "the order", .url = mem_str(json_str(w->handle, "order"))};
    acme_send(w->c, &w->early.request);
}

void early_ask(struct work *w)
{
    struct loop *l = net_loop(w->c->net);
    if (w->early.at != EARLY_NOT || takes_time(w))
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
    if (!needed)
        acme_request_clear(&y->request);
    bool poll = !after_csr(w) && y->at != EARLY_THROUGH;
    y->at = EARLY_OVER;
    if (w->one.retry_after < y->retry_after)
        w->one.retry_after = y->retry_after;
    if (needed && y->err.rc != RC_OK)
        work_fail(w, &y->err);
    else if (poll)
        work_poll(w, y->retry_after);
    else
        work_take_order(w);
}

void early_close(struct work *w)
{
    op_cancel(&w->early.timer.op);
    acme_request_clear(&w->early.request);
}
