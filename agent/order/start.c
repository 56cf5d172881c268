/* start.c: which certificates, CAs and orders a run works on: what is open, what the calendar says is due, what the configuration changed. */
#include "order/order_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

/* name NULL: any of this kind. */
static const struct conf_fault *fault_in(const struct conf *c, const char *kind, const char *name)
{
    size_t n = strlen(kind);
    for (size_t i = 0; i < c->n_fault; i++) {
        const char *section = c->fault[i].section;
        if (section && strncmp(section, kind, n) == 0 && section[n] == ' ' && (!name || strcmp(section + n + 1, name) == 0))
            return &c->fault[i];
    }
    return NULL;
}

/* What stops a certificate: its own fault, else its CA's, else one of those who may write for it. */
static void broken(struct cert_work *w)
{
    const struct conf *c = w->run->s->conf;
    const struct conf_fault *f = fault_in(c, "certificate", w->name);
    struct str text = STR_INIT(sizeof w->err.text - 120);
    if (!f)
        f = fault_in(c, "ca", w->conf->ca);
    if (!f)
        f = fault_in(c, "provider", NULL);
    if (!f)
        f = fault_in(c, "zone", NULL);
    if (f)
        conf_fault_show(f, &text);
    err_set(&w->err, f ? f->rc : RC_CONF, "CONFIG", "nothing is done for this certificate: %s; dcvagent config check shows every fault",
            f ? str_text(&text) : "a section it uses has a fault");
    str_free(&text);
}

static struct cert_work *add_cert(struct run *r, const char *name, const struct conf_cert *conf)
{
    struct cert_work *w = mem_new(sizeof *w);
    w->run = r;
    w->conf = conf;
    w->name = mem_str(name);
    w->row = cert_row_load(r->s->store, name, &r->err);
    if (w->row->c.hook_due)
        w->hook_at = HOOK_DUE;
    deployed_expect(w, false);
    r->cert = mem_grow(r->cert, r->n_cert + 1, sizeof *r->cert);
    r->cert[r->n_cert++] = w;
    map_put(&r->cert_of, w->name, w);
    if (conf && conf->broken)
        broken(w);
    return w;
}

static void add_order(struct run *r, struct order *o)
{
    r->order = mem_grow(r->order, r->n_order + 1, sizeof *r->order);
    r->order[r->n_order++] = o;
    o->older = run_order_of(r, o->saved.cert);
    map_put(&r->order_of, o->saved.cert, o);
    map_put(&r->order_by_id, o->saved.id, o);
}

static bool selected(const struct run *r, const char *name)
{
    return !r->setup.names || r->setup.names->n == 0 || strs_has(r->setup.names, name);
}

static bool load_open(void *arg, const struct saved_order *saved)
{
    struct run *r = arg;
    if (!selected(r, saved->cert))
        return true;
    struct order *o = order_load(r, saved);
    add_order(r, o);
    if (!run_cert(r, saved->cert))
        add_cert(r, saved->cert, NULL);
    return true;
}

/* --- what the configuration says against what is in use ---------------------------------------------------------------------------------- */

void calendar_for(const struct run *r, const struct cert_work *w, bool forced, struct calendar_out *out)
{
    struct calendar_in in;
    due_in(w->conf, &w->row->c, cas_rules(r->cas, w->conf->ca), forced, &in);
    calendar_decide(&in, out);
}

struct order *run_begin(struct run *r, const struct conf_cert *c, bool forced, struct err *e)
{
    struct order *o = order_begin(r, c, forced, e);
    if (!o)
        return NULL;
    fact_set(o, "key_reuse", c->key_reuse && !r->setup.replace);
    add_order(r, o);
    return o;
}

/* --- open orders against the configuration ---------------------------------------------------------------------------------------------- */

static void wind_up(struct order *o, const char *why)
{
    bool late = o->saved.sent && o->state < ORDER_ISSUED; /* a certificate may come all the same */
    (late ? say_loudly : say)(LEVEL_NOTICE, &(struct about){.cert = o->saved.cert, .step = "order"}, "WOUND_UP",
                              "the order %s is wound up: %s; its records are removed, its key is kept%s%s%s", o->saved.id, why,
                              late ? ": a certificate that still comes is taken by import --key keys/" : "", late ? o->saved.id : "",
                              late ? ".key" : "");
    order_jump(o, ORDER_FAILED);
}

/* An order keeps what it was begun with. true: it goes on. */
static bool still_wanted(struct run *r, struct order *o, struct cert_work *w)
{
    if (!o->conf) {
        if (o->state < ORDER_DONE)
            wind_up(o, "its section is gone from the configuration");
        return true;
    }
    const struct ca_rules *rules = cas_rules(r->cas, o->conf->ca);
    bool names = due_other_names(o->saved.names, &o->conf->names), ca = strcmp(o->saved.ca, o->conf->ca) != 0;
    bool left = o->saved.sent && o->state >= ORDER_VALIDATED; /* one that was only printed has not */
    if (o->state >= ORDER_ISSUED || left || (!names && !ca))
        return true;
    bool bought = (o->conf->reference_number && strcmp(o->conf->reference_number, o->saved.reference) != 0) ||
                  (o->conf->subscription_end && o->conf->subscription_end != o->saved.subscription_end);
    if (rules && rules->by_person && !bought && o->state > ORDER_NEW) {
        err_set(&w->err, RC_CONF, "NAMES_CHANGED",
                "names or CA of %s changed while its order is under way; give the new application's reference_number or subscription_end, "
                "put the old names back, or "
                "dcvagent cancel %s",
                w->name, w->name);
        return false;
    }
    wind_up(o, "names or CA changed in the configuration");
    return true;
}

/* The emergency is about keys: an order with one from before does not do, nor one that is stuck. But what was submitted by hand may be paid for. */
static void make_way(struct order *o, struct cert_work *w)
{
    const struct ca_rules *rules = order_rules(o);
    if (!rules || o->state >= ORDER_INSTALLED)
        return;
    bool stuck = !rules->by_person && o->saved.last.rc != RC_OK && !o->saved.last.again;
    bool older = fact_num(o, "replace") < o->run->setup.replace_since;
    if (older && rules->by_person && o->state >= ORDER_SUBMITTED)
        err_set(&w->err, RC_LATER, "REPLACE_AGAIN",
                "the order %s was submitted with a key made before this replace: import its certificate (or dcvagent cancel %s), then "
                "dcvagent replace %s again",
                o->saved.id, w->name, w->name);
    else if (older || stuck)
        wind_up(o, older ? "replace wants a new key" : "it is stuck, and replace asks for a new one");
}

/* false: it is held until a person has mended the configuration. */
static bool may_go_on(struct run *r, struct order *o, struct cert_work *w)
{
    if (o->conf && o->conf->broken)
        return false;
    if (r->setup.replace)
        make_way(o, w);
    if (!still_wanted(r, o, w))
        return false;
    return o->at || o->state == ORDER_FAILED || o->state == ORDER_DONE ||
           err_set(&o->err, RC_CONF, "CA_SECTION",
                   "the CA section [ca %s] of the order is gone or faulty; put it back, or dcvagent cancel %s", o->saved.ca, o->saved.cert);
}

static void wake_open(struct run *r, struct order *o)
{
    struct cert_work *w = run_cert(r, o->saved.cert);
    if (r->setup.csr_only) {
        if (o->state < ORDER_ISSUED)
            order_wake(o);
        return;
    }
    bool named = r->setup.names && r->setup.names->n && r->setup.terminal;
    int64_t now = clock_now();
    if (r->setup.force || r->setup.replace)
        o->saved.forced = true, o->saved.due = 0, o->dirty = true;
    o->held = !may_go_on(r, o, w);
    bool backoff = o->saved.due > now && o->saved.changed <= now;    /* noted in the future: the clock was wrong then */
    if (!o->held && backoff && !named && o->state != ORDER_FAILED) { /* nothing new is tried before */
        o->resting = true;
        o->err = o->saved.last;
        return;
    }
    order_wake(o);
}

static bool under_way(const struct run *r, const char *cert)
{
    for (const struct order *o = run_order_of(r, cert); o; o = o->older)
        if (o->saved.open && o->state != ORDER_FAILED)
            return true;
    return false;
}

static bool was_cancelled(void *arg, const struct saved_order *o)
{
    json_t *facts = json_loads(o->facts, 0, NULL);
    *(bool *)arg = json_num(facts, "cancelled") != 0;
    json_decref(facts);
    return false;
}

/* A CSR asked for early orders nothing by itself; now its certificate is due. */
static void end_sleep(struct cert_work *w, struct order *o)
{
    if (!due_sleeps(&o->saved))
        return;
    fact_set(o, "early", 0);
    if (w->cal.action == CALENDAR_RENEW)
        renewal_replaces(w, o);
    order_wake(o);
}

void run_start_due(struct run *r, struct cert_work *w)
{
    struct err e = {0};
    if (!w->conf || w->conf->broken)
        return;
    w->replaced = r->setup.replace && replacement_has(r->s->store, w->name, r->setup.replace_since);
    bool forced = r->setup.force || (r->setup.replace && !w->replaced);
    calendar_for(r, w, forced, &w->cal);
    if (r->setup.hand_only || r->setup.no_new)
        return;
    if (under_way(r, w->name)) {
        if (w->cal.due && !r->setup.csr_only)
            end_sleep(w, run_order_of(r, w->name));
        return;
    }
    if (w->cal.action == CALENDAR_REFUSED)
        err_set(&w->err, RC_CONF, "NAMES_CHANGED", "certificate %s: %s", w->name, w->cal.why);
    if (w->err.rc != RC_OK || (!w->cal.due && !r->setup.csr_only))
        return;
    bool cancelled = false; /* what a person stopped, a person starts again */
    order_history(r->s->store, w->name, was_cancelled, &cancelled, NULL);
    struct order *o = run_begin(r, w->conf, forced, &e);
    if (!o) {
        w->err = e;
        return;
    }
    fact_set(o, "first", w->cal.action == CALENDAR_FIRST || cancelled);
    fact_set(o, "early", !w->cal.due);
    fact_set(o, "replace", r->setup.replace ? r->setup.replace_since : 0);
    if (w->cal.action == CALENDAR_RENEW)
        renewal_replaces(w, o);
}

bool run_gather(struct run *r, struct err *e)
{
    const struct conf *c = r->s->conf;
    if (!store_begin(r->s->store, e))
        return false;
    r->cas = cas_open(r->s, true);
    for (size_t i = 0; i < c->n_cert; i++)
        if (selected(r, c->cert[i].name))
            add_cert(r, c->cert[i].name, &c->cert[i]);
    if (!order_each(r->s->store, NULL, load_open, r, e) || r->err.rc != RC_OK)
        return false;
    size_t loaded = r->n_order;
    for (size_t i = 0; i < loaded; i++)
        wake_open(r, r->order[i]);
    for (size_t i = 0; i < r->n_cert; i++)
        if (!renewal_ask(r, r->cert[i]))
            run_start_due(r, r->cert[i]);
    return true;
}

struct order *run_order_of(const struct run *r, const char *cert)
{
    return map_get(&r->order_of, cert);
}
