/* plan: what run would do. Reads the store and asks DNS; writes nothing anywhere. */
#include "cmd/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "ca/handover.h"
#include "conf/conf.h"
#include "order/cas.h"
#include "order/when/due.h"
#include "order/session.h"
#include "providers/provider.h"

enum { TTL_ABSENT = 3600 };

bool plan_due(const struct plan_cert *p)
{
    return *p->order.id || p->cal.due;
}

const char *plan_why(const struct plan_cert *p)
{
    return *p->order.id ? "an order is under way" : p->cal.why;
}

bool plan_person(const struct plan_cert *p)
{
    return !p->rules || (p->rules->by_person && !p->unattended);
}

static bool note_order(void *arg, const struct saved_order *o)
{
    if (due_sleeps(o))
        return true;
    saved_order_clear(arg);
    saved_order_copy(arg, o);
    return true;
}

static bool decide(void *arg, const struct saved_cert *row)
{
    struct plan_cert *p = arg;
    struct calendar_in in;
    due_in(p->conf, row, p->rules, p->cal.due, &in);
    calendar_decide(&in, &p->cal);
    p->other_names = in.names_changed || !*row->names;
    due_renewal(row->ari, &p->renewal);
    return true;
}

static bool add_cert(struct plan *p, const struct conf_cert *c, const struct cas *cas, struct err *e)
{
    p->cert = mem_grow(p->cert, p->n + 1, sizeof *p->cert);
    struct plan_cert *at = &p->cert[p->n++];
    const struct section *ca = conf_ca(p->s->conf, c->ca);
    *at = (struct plan_cert){.conf = c, .rules = cas_rules(cas, c->ca), .unattended = ca && section_yes(ca, "unattended")};
    at->cal.due = p->replace; /* forced, until it is decided */
    if (!order_each(p->s->store, c->name, note_order, &at->order, e) || !cert_get(p->s->store, c->name, decide, at, e))
        return false;
    if (!at->cal.why)
        decide(at, &(struct saved_cert){.name = c->name, .ca = "", .names = "", .key_type = "", .reference = "", .ari = ""});
    return true;
}

/* Which certificates' records are looked for: what is due; and what was asked for by name. */
static void add_records(struct plan *p, struct plan_cert *at)
{
    struct strs ordered = {0};
    bool due = plan_due(at) || p->replace || p->c->args.n;
    at->from = p->wheres.n;
    at->shown = due && at->rules && !at->conf->broken && at->conf->method == METHOD_DNS;
    if (at->shown) {
        if (*at->order.id)
            strs_split(&ordered, at->order.names);
        where_add(&p->wheres, at->conf, ordered.n ? &ordered : &at->conf->names, at->rules);
    }
    at->n = p->wheres.n - at->from;
    strs_free(&ordered);
}

/* --- values: what the ledger has, else the codes handed over -------------------------------------------------------------------------- */

struct valuing {
    struct plan *p;
    struct plan_cert *at;
};

/* A row serves every place of its name; where a wildcard and its base have a value each, the rows stand in the order of the names. */
static bool take_value(void *arg, const struct ledger_row *row)
{
    const struct valuing *v = arg;
    if (!row->wanted || row->state == LEDGER_GONE)
        return true;
    bool each = v->at->rules && v->at->rules->each_listed;
    for (size_t i = v->at->from; i < v->at->from + v->at->n; i++) {
        struct plan_record *r = &v->p->record[i];
        if (strcmp(r->where->name, row->host) != 0 || (each && r->value))
            continue;
        free(r->value);
        r->value = mem_copy(row->rec.value.p, row->rec.value.n);
        if (each)
            break;
    }
    return true;
}

static void find_values(struct plan *p, struct plan_cert *at)
{
    struct valuing v = {p, at};
    struct ca_case k = {.o = &at->order};
    bool expired = false;
    if (!*at->order.id)
        return;
    json_t *h = handover_load(&at->order);
    handover_proofs(h, &k, at->rules ? at->rules->lifetime : 0, clock_now(), &expired);
    json_decref(h);
    for (size_t i = at->from; i < at->from + at->n; i++)
        for (size_t j = 0; j < k.n_proof; j++)
            if (strcmp(k.proof[j].name, p->record[i].where->name) == 0) {
                free(p->record[i].value);
                p->record[i].value = mem_str(k.proof[j].value);
            }
    ca_case_clear(&k);
    ledger_of(p->s->store, at->order.id, take_value, &v, NULL);
}

/* --- what DNS says --------------------------------------------------------------------------------------------------------------------- */

static bool ask_sets(struct plan *p, struct err *e)
{
    size_t n = p->wheres.n;
    struct look_txt *set = mem_array(n + 1, sizeof *set);
    struct err *err = mem_array(n + 1, sizeof *err);
    for (size_t i = 0; i < n; i++)
        set[i].site = p->wheres.w[i].site;
    bool ok = look_txts(p->s, set, err, n, e);
    for (size_t i = 0; i < n && ok; i++) {
        struct plan_record *r = &p->record[i];
        r->exists = set[i].n > 0;
        if (r->exists)
            r->ttl = set[i].ttl;
        if (r->where->site)
            r->visible_at = clock_now() + (r->exists ? r->ttl : r->where->site->zone->negative_ttl);
        look_txt_clear(&set[i]);
    }
    free(set);
    free(err);
    return ok;
}

static bool ask_preflights(struct plan *p, struct err *e)
{
    size_t n = p->wheres.n;
    struct preflight *f = mem_array(n + 1, sizeof *f);
    for (size_t i = 0; i < p->n; i++)
        for (size_t k = p->cert[i].from; k < p->cert[i].from + p->cert[i].n; k++) {
            const struct where *w = &p->wheres.w[k];
            if (!w->site)
                continue;
            p->record[k].verify = mem_new(sizeof *p->record[k].verify);
            *p->record[k].verify = conf_verify(p->s->conf, conf_zone(p->s->conf, w->site->owner), conf_ca(p->s->conf, w->ca));
            f[k] = (struct preflight){
                .name = w->listed, .site = w->site, .caa = where_caa(p->cert[i].rules), .verify = p->record[k].verify, .placed = w->placed};
        }
    bool ok = look_preflights(p->s, f, n, e);
    for (size_t i = 0; i < n; i++)
        p->record[i].preflight = f[i];
    free(f);
    return ok;
}

/* --- what follows from it ---------------------------------------------------------------------------------------------------------------- */

static void name_provider(struct plan *p, struct plan_record *r, const struct ca_rules *rules)
{
    const char *zone;
    if (!r->where->site)
        return;
    r->provider = conf_writer(p->s->conf, r->where->site->owner, r->where->conf->provider, &zone);
    if (r->ttl)
        return;
    r->ttl = r->provider && section_given(r->provider, "ttl") ? (uint32_t)section_number(r->provider, "ttl")
             : rules->ttl                                     ? rules->ttl
                                                              : TTL_ABSENT;
}

/* With no order's write to count from, as if it were written now. */
static void forecast(const struct plan *p, struct plan_cert *at)
{
    int64_t now = clock_now();
    for (size_t i = at->from; i < at->from + at->n; i++) {
        struct plan_record *r = &p->record[i];
        if (!r->where->site)
            continue;
        r->settle = r->verify && r->verify->settle >= 0 ? r->verify->settle : at->rules->settles ? r->visible_at - now : 0;
        at->visible_at = r->visible_at > at->visible_at ? r->visible_at : at->visible_at;
        at->settled_at = now + r->settle > at->settled_at ? now + r->settle : at->settled_at;
    }
}

static bool together(const struct plan_record *a, const struct plan_record *b)
{
    return a->provider == b->provider && a->where->site && b->where->site && a->where->site->zone == b->where->site->zone;
}

/* What goes into one zone with record i: false where an earlier one was counted with it. */
static bool count_zone(const struct plan *p, const struct plan_cert *at, size_t i, size_t *owners, size_t *changes)
{
    struct strs owner = {0};
    *changes = 0;
    for (size_t k = at->from; k < at->from + at->n; k++) {
        if (!together(&p->record[k], &p->record[i]))
            continue;
        if (k < i)
            break;
        ++*changes;
        if (!strs_has(&owner, p->record[k].where->site->owner))
            strs_add(&owner, p->record[k].where->site->owner);
    }
    *owners = owner.n;
    strs_free(&owner);
    return *changes > 0;
}

static struct plan_request *request_for(struct plan_cert *at, const struct section *provider)
{
    for (size_t k = 0; k < at->n_request; k++)
        if (at->request[k].provider == provider)
            return &at->request[k];
    at->request = mem_grow(at->request, at->n_request + 1, sizeof *at->request);
    at->request[at->n_request] = (struct plan_request){.provider = provider};
    return &at->request[at->n_request++];
}

/* Each zone is written to once to add and once to delete, and read before and after either. */
static void count_requests(const struct plan *p, struct plan_cert *at)
{
    for (size_t i = at->from; i < at->from + at->n; i++) {
        const struct plan_record *r = &p->record[i];
        size_t owners, changes;
        const struct provider_ops *ops = r->provider && !r->provider->broken ? provider_of(r->provider) : NULL;
        if (!ops || !count_zone(p, at, i, &owners, &changes))
            continue;
        struct cost c = provider_cost(ops, owners, changes);
        struct plan_request *q = request_for(at, r->provider);
        q->writes += 2 * c.writes;
        q->reads += 4 * c.reads;
    }
}

static bool gather(struct plan *p, struct err *e)
{
    struct cas *cas = cas_open(p->s, false);
    bool ok = true;
    for (size_t i = 0; i < p->s->conf->n_cert && ok; i++)
        if (p->c->args.n == 0 || strs_has(&p->c->args, p->s->conf->cert[i].name))
            ok = add_cert(p, &p->s->conf->cert[i], cas, e);
    for (size_t i = 0; i < p->n && ok; i++)
        add_records(p, &p->cert[i]);
    p->record = mem_array(p->wheres.n + 1, sizeof *p->record);
    for (size_t i = 0; i < p->wheres.n; i++)
        p->record[i].where = &p->wheres.w[i];
    ok = ok && where_find(p->s, &p->wheres, e) && ask_sets(p, e) && ask_preflights(p, e);
    for (size_t i = 0; i < p->n && ok; i++) {
        struct plan_cert *at = &p->cert[i];
        find_values(p, at);
        for (size_t k = at->from; k < at->from + at->n; k++)
            name_provider(p, &p->record[k], at->rules);
        forecast(p, at);
        count_requests(p, at);
        plan_ca(at);
    }
    if (ok)
        plan_print(p);
    cas_close(cas);
    return ok;
}

/* 69 only where nobody could be asked about any name: else it could tell. */
static enum rc told(const struct plan *p)
{
    for (size_t i = 0; i < p->wheres.n; i++)
        if (p->wheres.w[i].err.rc != RC_NET)
            return RC_OK;
    return p->wheres.n ? RC_NET : RC_OK;
}

static void plan_free(struct plan *p)
{
    for (size_t i = 0; i < p->wheres.n && p->record; i++) {
        preflight_clear(&p->record[i].preflight);
        free(p->record[i].verify);
        free(p->record[i].value);
    }
    for (size_t i = 0; i < p->n; i++) {
        saved_order_clear(&p->cert[i].order);
        free(p->cert[i].request);
    }
    free(p->record);
    free(p->cert);
    where_free(&p->wheres);
}

enum rc cmd_plan(struct call *c)
{
    struct session s;
    struct err e = {0};
    enum rc rc = RC_OK;
    if (!call_session(c, &s, SESSION_READ | SESSION_NET, &rc))
        return rc;
    struct plan p = {.c = c, .s = &s, .replace = call_has(c, "replace")};
    if (call_names_known(c, &s, false, &rc))
        rc = gather(&p, &e) ? told(&p) : call_fail(c, &e);
    plan_free(&p);
    session_close(&s);
    return rc;
}
