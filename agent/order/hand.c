/* hand.c: what people handed over, taken into the orders concerned. */
#include "order/order_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

static bool in_states(const struct order *o, enum order_state from, enum order_state to)
{
    return o->state >= from && o->state <= to;
}

static bool has_csr(const struct order *o, const char *what, struct err *e)
{
    return o->saved.csr.n ||
           err_set(e, RC_USAGE, "NO_CSR", "the order of %s has no key and CSR yet, so nothing can have been %s; run dcvagent run %s first",
                   o->saved.cert, what, o->saved.cert);
}

/* An import is checked at once, so that the person hears it; a wrong certificate leaves the order as it was. */
static bool take_import(struct order *o, const struct inbox_row *row, struct err *e)
{
    if (o->state >= ORDER_ISSUED)
        return err_set(e, RC_USAGE, "ALREADY_ISSUED", "the order of %s has its certificate already", o->saved.cert);
    if (o->conf && o->conf->broken)
        return err_set(
            e, RC_CONF, "CONFIG",
            "[certificate %s] says what its certificate must be, and has a fault; mend it (dcvagent config check), then import again",
            o->saved.cert);
    if (!has_csr(o, "issued", e) || !order_accept(o, row->text.p, row->text.n, e))
        return false;
    o->saved.sent = true;
    order_jump(o, ORDER_ISSUED);
    return true;
}

static bool take_by_ca(struct order *o, const struct inbox_row *row, struct err *e)
{
    if (!o->at)
        return err_set(e, RC_CONF, "CA_SECTION", "the CA section [ca %s] of this order is gone or faulty; see dcvagent config check",
                       o->saved.ca);
    if (!o->at->ops->hand)
        return err_set(e, RC_USAGE, "NOT_BY_HAND", "certificate %s is ordered from an automatic CA; nothing is handed over there",
                       o->saved.cert);
    return o->at->ops->hand(o->at->ca, &o->ca, row, e);
}

/* After a person's word the next wait is news, though it be the same one again. */
static void waits_are_news(struct order *o)
{
    char key[256];
    snprintf(key, sizeof key, "wait/%s/", o->saved.cert);
    notice_forget(o->run->s->store, key, &o->run->err);
}

static bool order_hand(struct order *o, const struct inbox_row *row, struct err *e)
{
    const char *kind = row->kind;
    ca_stop(o);
    if (strcmp(kind, "cancel") == 0) {
        if (o->state == ORDER_FAILED) /* cancelled before: its records are on their way out */
            return true;
        bool placed =
            fact_num(o, "archive") != 0; /* until then a certificate that cannot be used (its chain, say) need not hold up a new order */
        if (!in_states(o, ORDER_NEW, placed ? ORDER_SUBMITTED : ORDER_ISSUED))
            return err_set(e, RC_USAGE, "TOO_LATE", "the certificate of %s is issued already; the order is finished, not cancelled",
                           o->saved.cert);
        fact_set(o, "cancelled", row->at);
        if (o->saved.sent && in_states(o, ORDER_VALIDATED, ORDER_SUBMITTED))
            say_loudly(
                LEVEL_WARNING, &(struct about){.cert = o->saved.cert, .step = "cancel"}, "CANCELLED_LATE",
                "the CSR may have reached the CA, and the certificate may be paid for: one that still comes is taken by dcvagent import "
                "%s FILE --key %s/keys/%s.key",
                o->saved.cert, o->run->s->state_dir, o->saved.id);
        o->err = o->saved.last = (struct err){0}; /* what it failed of is over with it */
        order_jump(o, ORDER_FAILED);
        return true;
    }
    if (strcmp(kind, "import") == 0)
        return take_import(o, row, e);
    if (in_states(o, ORDER_ISSUED, ORDER_FAILED))
        return err_set(e, RC_USAGE, "ALREADY_ISSUED", "the order of %s is at state %s: there is nothing left to hand over", o->saved.cert,
                       order_rows[o->state].name);
    if ((strcmp(kind, "submitted") == 0 && !has_csr(o, "submitted", e)) || !take_by_ca(o, row, e))
        return false;
    o->look_done = false;
    waits_are_news(o);
    order_save(o);
    if (strcmp(kind, "pin") == 0)
        o->saved.forced = true;
    if (strcmp(kind, "submitted") == 0) {
        o->saved.sent = true;
        order_jump(o, ORDER_SUBMITTED);
    } else if (strcmp(kind, "confirmed") == 0 && in_states(o, ORDER_PREPARED, ORDER_VISIBLE)) {
        order_jump(o, ORDER_VALIDATED);
    } else if ((strcmp(kind, "code") == 0 || strcmp(kind, "failed") == 0) && in_states(o, ORDER_CHALLENGED, ORDER_VALIDATED)) {
        proofs_look_anew(o);
        order_jump(o, ORDER_CHALLENGED);
    }
    o->saved.due = 0;
    o->resting = false;
    order_wake(o);
    return true;
}

/* The one under way; else one that is only winding up. */
static struct order *open_order(struct run *r, const char *cert)
{
    struct order *last = NULL;
    for (struct order *o = run_order_of(r, cert); o; o = o->older) {
        if (o->saved.open && o->state < ORDER_DONE)
            return o;
        if (o->saved.open && !last)
            last = o;
    }
    return last;
}

/* A PIN (or only its reference number) starts an order where none is under way. */
static struct order *order_for(struct run *r, const struct inbox_row *row, struct err *e)
{
    struct order *o = open_order(r, row->cert);
    bool starts = strcmp(row->kind, "pin") == 0 && (!o || o->state >= ORDER_DONE);
    if (o && !starts)
        return o;
    const struct cert_work *w = run_cert(r, row->cert);
    if (starts && w && w->conf && !w->conf->broken) {
        o = run_begin(r, w->conf, true, e);
        if (o)
            fact_set(o, "first", !w->row->c.not_after);
        return o;
    }
    err_set(e, RC_USAGE, "NO_ORDER",
            "no order of %s is under way; dcvagent status %s shows where it stands, dcvagent run --force %s starts one", row->cert,
            row->cert, row->cert);
    return NULL;
}

struct taking {
    struct run *r;
    struct err *e; /* of the store */
};

static bool take(void *arg, const struct inbox_row *row)
{
    struct taking *t = arg;
    if (!run_cert(t->r, row->cert) && !open_order(t->r, row->cert))
        return true; /* not ours in this run: it stays for one that looks after it */
    struct err e = {0};
    struct order *o = order_for(t->r, row, &e);
    bool ok = o && order_hand(o, row, &e);
    if (ok) {
        order_evidence(o, "handed", json_pack("{s:s, s:s}", "what", row->kind, "host", row->host));
    } else {
        say_err(LEVEL_ERROR, &(struct about){.cert = row->cert, .step = row->kind}, &e);
        if (t->r->hand_err.rc == RC_OK)
            t->r->hand_err = e;
    }
    return inbox_done(t->r->s->store, row->id, t->e);
}

bool run_inbox(struct run *r, struct err *e)
{
    int64_t version = store_version(r->s->store);
    if (version == r->inbox_version)
        return true;
    r->inbox_version = version;
    struct taking t = {.r = r, .e = e};
    return inbox_each(r->s->store, take, &t, e) && e->rc == RC_OK;
}
