/* run.c: one run, turn by turn. */
#include "order/run.h"
#include "order/order_impl.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/fetch.h"

enum {
    COUNT_MS = 200,
    POLL_MS = 500 /* how often a person's hand-over is looked for while something else is waited for */
};

static bool started(const struct order *o)
{
    return o->pending > 0;
}

static int64_t active_orders(const struct run *r)
{
    int64_t active = 0;
    for (size_t i = 0; i < r->n_order; i++)
        active += started(r->order[i]);
    return active;
}

/* Its turn has come: it is awake, and under way already or one of the parallel_orders that may be. */
static bool may_advance(const struct run *r, const struct order *o, int64_t active)
{
    return o->runnable && !order_rests(o) && (started(o) || active < r->s->conf->agent.parallel_orders);
}

static void advance_orders(struct run *r)
{
    int64_t active = active_orders(r);
    for (size_t i = 0; i < r->n_order; i++) {
        struct order *o = r->order[i];
        if (!may_advance(r, o, active))
            continue;
        bool was = started(o);
        if (r->setup.csr_only)
            order_csr(o);
        else
            order_advance(o, r);
        order_shed(o);
        active += started(o) - was;
    }
}

static bool save_orders(struct run *r, struct err *e)
{
    for (size_t i = 0; i < r->n_order; i++) {
        if (!r->order[i]->dirty)
            continue;
        if (!order_put(r->s->store, &r->order[i]->saved, e))
            return false;
        r->order[i]->dirty = false;
    }
    return true;
}

static bool save_certs(struct run *r, struct err *e)
{
    for (size_t i = 0; i < r->n_cert; i++) {
        if (!r->cert[i]->dirty)
            continue;
        if (!cert_put(r->s->store, &r->cert[i]->row->c, e))
            return false;
        r->cert[i]->dirty = false;
    }
    return true;
}

/* cancel waits for its own records alone, not for all that the ledger holds (but for values of others: publish_mending()). */
static bool winding_up(const struct run *r)
{
    for (size_t i = 0; i < r->n_order; i++)
        if (r->order[i]->state == ORDER_FAILED && r->order[i]->saved.open && !r->order[i]->resting)
            return true;
    return false;
}

/* Is anything of ours still moving? Waits for people and for times beyond this run do not count. */
static bool working(const struct run *r)
{
    for (size_t i = 0; i < r->n_order; i++)
        if (r->order[i]->pending || (r->order[i]->runnable && !order_rests(r->order[i])))
            return true;
    return (r->setup.no_new ? winding_up(r) || publish_mending(r->s->publish) : publish_busy(r->s->publish)) || hooks_busy(r) ||
           deployed_busy(r) || renewals_busy(r);
}

/* How long its CA must not be broken off, s. */
static uint32_t grace_of(const struct order *o)
{
    return o->ca_runs && op_busy(&o->ca.op) ? order_rules(o)->grace : 0;
}

static uint32_t longest_grace(const struct run *r)
{
    uint32_t longest = 0;
    for (size_t i = 0; i < r->n_order; i++)
        if (grace_of(r->order[i]) > longest)
            longest = grace_of(r->order[i]);
    return longest;
}

static void cancel_all(struct run *r, bool but_graced)
{
    for (size_t i = 0; i < r->n_order; i++) {
        struct order *o = r->order[i];
        if (but_graced && grace_of(o))
            continue;
        op_cancel(&o->ca.op);
        op_cancel(&o->timer.op);
        op_cancel(&o->check.op);
        if (op_busy(&o->job.op)) /* what has left the worker belongs to an effect that may still run */
            work_stop(o);
        for (size_t k = 0; k < o->n_spot; k++) {
            op_cancel(&o->spot[k].find.op);
            op_cancel(&o->spot[k].preflight.op);
            op_cancel(&o->spot[k].watch.op);
        }
        website_stop(o);
        vet_stop(o);
        o->resting = true;
        o->ca_in_line = o->ca_runs = false;
        o->pending = 0;
    }
    for (size_t i = 0; i < r->n_cert; i++) {
        op_cancel(&r->cert[i]->hook.op);
        op_cancel(&r->cert[i]->renewal.op);
        deployed_stop(r->cert[i]);
    }
}

static void over(struct run *r, const char *why, bool at_once)
{
    if (!r->stop)
        say(LEVEL_INFO, NULL, NULL, "%s: what is not finished waits for the next run", why);
    if (!r->stop || longest_grace(r))
        cancel_all(r, !at_once);
    r->stop = true;
}

/* Comes twice where a CA has a grace. */
static void limit_done(struct op *op, const struct err *e)
{
    (void)e;
    struct run *r = op->owner;
    struct loop *l = net_loop(r->s->net);
    over(r, "the run's time is up", r->stop);
    uint32_t grace = longest_grace(r);
    if (!grace)
        return;
    r->limit.at = loop_now(l) + (int64_t)grace * 1000;
    loop_timer(l, &r->limit);
}

static void poll_done(struct op *op, const struct err *e)
{
    (void)e;
    struct run *r = op->owner;
    struct loop *l = net_loop(r->s->net);
    r->poll.at = loop_now(l) + POLL_MS;
    loop_timer(l, &r->poll);
}

static bool stop_run(struct run *r)
{
    op_cancel(&r->poll.op);
    op_cancel(&r->limit.op);
    return false;
}

/* Names of orders whose records are looked for now; those that are through already beside them. */
static void show_wait(struct run *r)
{
    struct look_row *row = NULL;
    size_t n = 0;
    int64_t until = 0;
    for (size_t i = 0; i < r->n_order; i++) {
        const struct order *o = r->order[i];
        for (size_t k = 0; o->waits == WAITS_PROPAGATION && o->pending && k < o->n_spot; k++) {
            const struct spot *s = &o->spot[k];
            if (!s->watch.n)
                continue;
            row = mem_grow(row, n + 1, sizeof *row);
            row[n++] = (struct look_row){s->name, &s->watch};
            until = s->watch.deadline_ms > until ? s->watch.deadline_ms : until;
        }
    }
    r->setup.show(r->setup.show_arg, row, n, until - loop_now(net_loop(r->s->net)));
    free(row);
}

/* A thousand orders are not counted in each of thousands of turns. */
static void show_count(struct run *r)
{
    struct replacement_count n;
    int64_t now = loop_now(net_loop(r->s->net));
    if (now - r->counted_at < COUNT_MS)
        return;
    r->counted_at = now;
    replacement_count(r, &n);
    r->setup.count(r->setup.count_arg, &n);
}

static bool turn_works(struct run *r, struct err *e)
{
    bool records = !r->setup.hand_only && !r->setup.csr_only;
    if (!r->stop && !r->setup.csr_only && !run_inbox(r, e))
        return false;
    if (!r->stop) {
        renewals_pump(r);
        if (!r->setup.hand_only) {
            advance_orders(r);
            ca_serve_line(r);
        }
        if (records && !publish_pump(r->s->publish, e))
            return false;
        if (records) {
            hooks_pump(r);
            deployed_pump(r);
        }
    }
    if (!save_orders(r, e) || !save_certs(r, e) || !store_turn(r->s->store, e))
        return false;
    if (r->setup.show)
        show_wait(r);
    if (r->setup.count)
        show_count(r);
    int64_t active = active_orders(r);
    for (size_t i = 0; i < r->n_order; i++)
        if (may_advance(r, r->order[i], active) && !r->setup.hand_only && !r->stop)
            loop_again(net_loop(r->s->net));
    return true;
}

static bool turn(void *arg)
{
    struct run *r = arg;
    struct err *e = &r->err;
    if (loop_signal(net_loop(r->s->net)))
        over(r, "stopped by a signal", true);
    if (r->phase == RUN_WORKS) {
        if (e->rc != RC_OK || !turn_works(r, e))
            return stop_run(r);
        if (r->stop ? longest_grace(r) > 0 : !r->setup.hand_only && (working(r) || store_effects(r->s->store)))
            return true;
        r->phase = RUN_TELLS;
        op_cancel(&r->poll.op);
        if (!tell_start(r, e) || !save_orders(r, e) || !save_certs(r, e) || !store_turn(r->s->store, e))
            return stop_run(r);
    }
    if (tell_busy(r) && !loop_signal(net_loop(r->s->net)))
        return true;
    return stop_run(r);
}

static void order_of_ledger_changed(void *arg, const char *order)
{
    struct run *r = arg;
    struct order *o = map_get(&r->order_by_id, order);
    if (o)
        order_wake(o);
}

static void start_timers(struct run *r)
{
    struct loop *l = net_loop(r->s->net);
    int64_t limit = r->setup.deadline ? r->setup.deadline : r->s->conf->agent.run_deadline;
    r->deadline_ms = loop_now(l) + limit * 1000;
    r->limit = (struct timer){.op = {.done = limit_done, .owner = r}, .at = r->deadline_ms};
    r->poll = (struct timer){.op = {.done = poll_done, .owner = r}, .at = loop_now(l) + POLL_MS};
    loop_timer(l, &r->limit);
    loop_timer(l, &r->poll);
}

static void free_run(struct run *r)
{
    tell_free(r);
    map_free(&r->cert_of);
    map_free(&r->order_of);
    map_free(&r->order_by_id);
    for (size_t i = 0; i < r->n_order; i++)
        order_free(r->order[i]);
    free(r->order);
    for (size_t i = 0; i < r->n_cert; i++) {
        struct cert_work *w = r->cert[i];
        op_cancel(&w->hook.op);
        op_cancel(&w->renewal.op);
        deployed_stop(w);
        free(w->renewal_pem);
        child_clear(&w->hook);
        strs_free(&w->env);
        cert_row_free(w->row);
        free(w->name);
        free(w);
    }
    free(r->cert);
    cas_close(r->cas);
    fetcher_free(r->fetcher[0]);
    fetcher_free(r->fetcher[1]);
    hierarchy_free(r->known);
}

static void result(struct run *r, struct run_result *out)
{
    for (size_t i = 0; i < r->n_cert; i++)
        out->changed |= r->cert[i]->changed;
    if (r->err.rc != RC_OK)
        say_err(LEVEL_ERROR, NULL, &r->err);
    out->rc = tell_rc(r);
    out->signal = loop_signal(net_loop(r->s->net));
    out->hand = r->hand_err;
    out->json = tell_json(r);
}

void run_all(struct session *s, const struct run_setup *setup, struct run_result *out)
{
    struct run r = {.setup = *setup, .s = s, .inbox_version = -1};
    if (r.setup.replace && !r.setup.replace_since)
        r.setup.replace_since = clock_now();
    memset(out, 0, sizeof *out);
    publish_watch(s->publish, order_of_ledger_changed, &r);
    start_timers(&r);
    if (run_gather(&r, &r.err) && (setup->hand_only || setup->csr_only || publish_load(s->publish, &r.err)))
        loop_run(net_loop(s->net), turn, &r);
    else
        stop_run(&r);
    publish_watch(s->publish, NULL, NULL);
    result(&r, out);
    free_run(&r);
}
