/* order.c: the table of states and the one function that writes a state.
 *
 * The strategy, as the rows below:
 *  1. new        key (never overwritten) and CSR; a first order of a by-person CA waits to be started
 *  2. prepared   where every record goes, preflight of all names, then the CA: codes wanted
 *  3. challenged every record wanted by the ledger, written and read back
 *  4. published  every authority and enough resolvers see it
 *  5. visible    settled; the CA is asked (or a person told) to confirm
 *  6. validated  key backed up, then the CSR may leave
 *  7. submitted  the certificate is awaited and checked against the order
 *  8. issued     chain built, files installed, live/ switched, deploy_check
 *  9. installed  records gone
 * 10. done, failed: wound up                                                                                                    */
#include "order/order_impl.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

const struct order_row order_rows[ORDER_STATES] = {
    [ORDER_NEW] = {"new", step_new, ORDER_PREPARED, ORDER_NEW, ORDER_NEW},
    [ORDER_PREPARED] = {"prepared", step_prepared, ORDER_CHALLENGED, ORDER_PREPARED, ORDER_PREPARED},
    [ORDER_CHALLENGED] = {"challenged", step_challenged, ORDER_PUBLISHED, ORDER_CHALLENGED, ORDER_PREPARED},
    [ORDER_PUBLISHED] = {"published", step_published, ORDER_VISIBLE, ORDER_PUBLISHED, ORDER_CHALLENGED},
    [ORDER_VISIBLE] = {"visible", step_visible, ORDER_VALIDATED, ORDER_VISIBLE, ORDER_CHALLENGED},
    [ORDER_VALIDATED] = {"validated", step_validated, ORDER_SUBMITTED, ORDER_VALIDATED, ORDER_CHALLENGED},
    [ORDER_SUBMITTED] = {"submitted", step_submitted, ORDER_ISSUED, ORDER_SUBMITTED, ORDER_SUBMITTED},
    [ORDER_ISSUED] = {"issued", step_issued, ORDER_INSTALLED, ORDER_ISSUED, ORDER_SUBMITTED},
    [ORDER_INSTALLED] = {"installed", step_installed, ORDER_DONE, ORDER_INSTALLED, ORDER_INSTALLED},
    [ORDER_DONE] = {"done", step_done, ORDER_DONE, ORDER_DONE, ORDER_DONE},
    [ORDER_FAILED] = {"failed", step_failed, ORDER_FAILED, ORDER_FAILED, ORDER_FAILED},
};

const char *const waits_words[WAITS] = {
    [WAITS_NOT] = "",
    [WAITS_PIN] = "pin",
    [WAITS_CODE] = "code",
    [WAITS_PROPAGATION] = "propagation",
    [WAITS_CONFIRM] = "confirm",
    [WAITS_CERTIFICATE] = "certificate",
    [WAITS_CA] = "ca",
    [WAITS_OPERATOR] = "operator",
    [WAITS_TIME] = "time",
};

enum order_state order_state_of(const char *word)
{
    for (int i = 0; i < ORDER_STATES; i++)
        if (strcmp(order_rows[i].name, word) == 0)
            return (enum order_state)i;
    return ORDER_STATES;
}

enum waits waits_of(const char *word)
{
    for (int i = 0; i < WAITS; i++)
        if (strcmp(waits_words[i], word) == 0)
            return (enum waits)i;
    return WAITS_NOT;
}

bool order_rests(const struct order *o)
{
    return o->resting || (o->held && o->state != ORDER_FAILED);
}

void order_wake(struct order *o)
{
    o->runnable = true;
}

/* After a cancel nothing counts as under way any more, though an effect that was queued still runs. */
void order_settled(struct order *o)
{
    if (o->pending)
        o->pending--;
    order_wake(o);
}

/* Everything that is saved about an order follows from here, so that a state never reaches the disk without its facts. */
void order_save(struct order *o)
{
    snprintf(o->saved.state, sizeof o->saved.state, "%s", order_rows[o->state].name);
    snprintf(o->saved.waits, sizeof o->saved.waits, "%s", waits_words[o->waits]);
    free(o->saved.facts);
    o->saved.facts = json_line(json_incref(o->facts));
    o->saved.changed = clock_now();
    o->dirty = true;
}

static void enter(struct order *o, enum order_state to)
{
    order_log(o, LEVEL_INFO, "order", NULL, "%s -> %s", order_rows[o->state].name, order_rows[to].name);
    order_evidence(o, "state", json_pack("{s:s, s:s}", "from", order_rows[o->state].name, "to", order_rows[to].name));
    o->state = to;
    o->waits = WAITS_NOT;
    o->saved.waiting_since = 0;
    o->saved.failures = 0;
    o->saved.due = 0;
    if (to != ORDER_FAILED)
        memset(&o->saved.last, 0, sizeof o->saved.last), memset(&o->err, 0, sizeof o->err);
    order_save(o);
}

void order_jump(struct order *o, enum order_state to)
{
    if (o->state != to)
        enter(o, to);
    o->begun = o->confirmed = o->submitted = o->fetched = false;
    o->resting = false;
    order_wake(o);
}

void order_wait(struct order *o, enum waits waits)
{
    if (o->waits == waits)
        return;
    o->waits = waits;
    o->saved.waiting_since = waits == WAITS_NOT ? 0 : clock_now();
    order_save(o);
}

enum turn order_fault(struct order *o, const struct err *e)
{
    int64_t now = clock_now();
    o->err = *e;
    o->saved.last = *e;
    o->saved.last_at = now;
    bool told = e->rc == RC_LATER && e->not_before > now; /* a wait that was announced is no failure */
    o->saved.failures += !told;
    int64_t at = told ? now : now + calendar_backoff(o->saved.failures);
    o->saved.due = e->not_before > at ? e->not_before : at;
    o->resting = true;
    order_save(o);
    order_evidence(o, "failure", json_pack("{s:s, s:s, s:s}", "code", e->code ? e->code : "", "where", e->where, "text", e->text));
    return TURN_FAILED;
}

enum turn order_unseen(struct order *o, const struct err *e)
{
    order_wait(o, WAITS_PROPAGATION);
    o->err = *e;
    o->saved.last = *e;
    o->saved.last_at = clock_now();
    o->resting = true;
    order_save(o);
    return TURN_WAIT;
}

void order_advance(struct order *o, struct run *r)
{
    o->runnable = false;
    for (int moves = 0; moves < 4 * ORDER_STATES; moves++) {
        const struct order_row *row = &order_rows[o->state];
        if (order_rests(o))
            return;
        enum order_state to = o->state;
        switch (row->step(o, r)) {
        case TURN_WAIT:
            return;
        case TURN_NEXT:
            to = row->next;
            break;
        case TURN_BACK:
            to = row->back;
            o->begun = o->confirmed = o->submitted = o->fetched = false;
            break;
        case TURN_FAILED:
            to = row->on_fail;
            break;
        }
        if (to == o->state)
            return;
        enter(o, to);
    }
    struct err e = {0};
    err_set(&e, RC_BUG, "ORDER_SPINS", "the order of %s moves in circles at state %s; it is left as it is; please report this",
            o->saved.cert, order_rows[o->state].name);
    order_fault(o, &e);
}

/* --- facts, evidence, messages --------------------------------------------------------------------------------------------------- */

int64_t fact_num(const struct order *o, const char *key)
{
    return json_num(o->facts, key);
}

void fact_set(struct order *o, const char *key, int64_t n)
{
    if (json_num(o->facts, key) == n && json_object_get(o->facts, key))
        return;
    json_object_set_new(o->facts, key, json_integer(n));
    order_save(o);
}

void order_evidence(struct order *o, const char *kind, json_t *j)
{
    char *line = json_line(j);
    struct err e = {0};
    if (!evidence_note(o->run->s->store, o->saved.cert, o->saved.id, kind, line, &e) && o->run->err.rc == RC_OK)
        o->run->err = e;
    free(line);
}

void order_log(struct order *o, enum level level, const char *step, const char *code, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    say(level, &(struct about){.cert = o->saved.cert, .step = step}, code, "%s", text);
}

/* --- the CA ---------------------------------------------------------------------------------------------------------------------- */

const struct ca_rules *order_rules(const struct order *o)
{
    return o->at ? o->at->ops->rules(o->at->ca) : NULL;
}

enum turn order_refused(struct order *o)
{
    struct err e = o->ca_err;
    err_set(&e, RC_CA, "CA_REFUSED", "the CA refused the order and gave no reason");
    if (*o->ca.waits)
        order_wait(o, waits_of(o->ca.waits));
    return order_fault(o, &e);
}

static void ca_done(struct op *op, const struct err *e)
{
    struct order *o = op->owner;
    o->ca_err = e ? *e : (struct err){0};
    o->ca_busy = o->ca_runs = false;
    o->look_done = true;
    order_save(o);
    order_settled(o);
}

static void call_now(struct order *o)
{
    o->ca.op.done = ca_done;
    o->ca.op.owner = o;
    o->ca_call(o->at->ca, &o->ca);
}

/* A person was faster (import, cancel): nothing is asked of the CA any more. */
static bool ca_is_over(struct order *o)
{
    if (o->state < ORDER_ISSUED)
        return false;
    o->ca_busy = o->ca_runs = o->ca_in_line = false;
    order_settled(o);
    return true;
}

static void effect_on_ca(void *arg)
{
    struct order *o = arg;
    assert(store_clean(o->run->s->store));
    if (!ca_is_over(o))
        call_now(o);
}

static bool line_is_free(const struct run *r, const struct ca_open *at)
{
    unsigned most = at->ops->rules(at->ca)->parallel, n = 0;
    for (size_t i = 0; most && i < r->n_order; i++)
        n += r->order[i]->at == at && r->order[i]->ca_runs;
    return !most || n < most;
}

/* A look only reads; everything else starts behind a commit. */
static void ca_go(struct order *o)
{
    if ((o->ca_in_line && ca_is_over(o)) || !line_is_free(o->run, o->at))
        return;
    o->ca_in_line = false;
    o->ca_runs = true;
    if (o->ca_call == o->at->ops->look)
        call_now(o);
    else
        store_then(o->run->s->store, effect_on_ca, o);
}

/* The order begun first goes first, with all its calls: it is through the sooner. */
void ca_serve_line(struct run *r)
{
    for (size_t i = 0; i < r->n_order; i++)
        if (r->order[i]->ca_in_line)
            ca_go(r->order[i]);
}

static void ca_start(struct order *o, void (*call)(struct ca *c, struct ca_case *k))
{
    o->pending++;
    o->ca_busy = true;
    o->look_done = false;
    o->ca_call = call;
    o->ca_in_line = order_rules(o)->parallel != 0;
    if (!o->ca_in_line)
        ca_go(o);
}

/* Its handle is about to change: what is under way would write over that. What still stands in line may be wanted no more: a CSR that a person says
 * is submitted must not be given to the CA when its turn comes. */
void ca_stop(struct order *o)
{
    if (!o->ca_in_line && !op_busy(&o->ca.op))
        return;
    op_cancel(&o->ca.op);
    o->ca_busy = o->ca_runs = o->ca_in_line = o->look_done = false;
    o->begun = o->confirmed = o->submitted = o->fetched = false;
    order_settled(o);
}

static void ca_look(struct order *o)
{
    ca_start(o, o->at->ops->look);
}

void ca_effect(struct order *o, void (*call)(struct ca *c, struct ca_case *k))
{
    order_save(o);
    ca_start(o, call);
}

bool ca_ready(struct order *o)
{
    if (o->ca_busy)
        return false;
    if (!o->look_done) {
        ca_look(o);
        return false;
    }
    return true;
}

/* --- waiting --------------------------------------------------------------------------------------------------------------------- */

static void time_is_up(struct op *op, const struct err *e)
{
    (void)e;
    struct order *o = op->owner;
    o->look_done &= o->waits != WAITS_CA;
    order_settled(o);
}

enum turn order_wait_until(struct order *o, int64_t when, enum waits waits)
{
    struct loop *l = net_loop(o->run->s->net);
    int64_t at = loop_now(l) + (when - clock_now()) * 1000 + 200;
    order_wait(o, waits);
    fact_set(o, "forecast", when);
    if (at >= o->run->deadline_ms || op_busy(&o->timer.op))
        return TURN_WAIT;
    o->timer.op.done = time_is_up;
    o->timer.op.owner = o;
    o->timer.at = at;
    o->pending++;
    loop_timer(l, &o->timer);
    return TURN_WAIT;
}

enum turn order_wait_ca(struct order *o)
{
    if (o->ca.stage == CA_REFUSED)
        return order_refused(o);
    if (!*o->ca.waits && o->ca.look_again) {
        o->saved.due = o->ca.look_again; /* a later run does not come sooner either */
        order_save(o);
        return order_wait_until(o, o->ca.look_again, WAITS_CA);
    }
    order_wait(o, *o->ca.waits ? waits_of(o->ca.waits) : WAITS_CA);
    return TURN_WAIT;
}

/* --- effects of our own ------------------------------------------------------------------------------------------------------------ */

static void effect_now(void *arg)
{
    struct order *o = arg;
    void (*effect)(void *arg) = o->effect;
    assert(store_clean(o->run->s->store));
    o->effect = NULL;
    effect(o);
    order_settled(o);
    loop_again(net_loop(o->run->s->net));
}

void order_effect(struct order *o, void (*effect)(void *arg))
{
    assert(!o->effect);
    o->effect = effect;
    o->pending++;
    order_save(o);
    store_then(o->run->s->store, effect_now, o);
}
