#include "order/ask/rehearse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "conf/conf.h"
#include "dcv/publish/publish.h"
#include "net/net.h"
#include "order/cas.h"
#include "order/ask/many.h"
#include "order/ask/where.h"
#include "store/store.h"

enum { PROBE_TTL = 60, LIMIT_S = 60, LAST_WORD_S = 8 };

struct rehearsing {
    struct session *s;
    struct rehearsals *l;
    struct many many;
    struct looking *at; /* as many as zones */
    void (*round)(void *arg);
    void *arg;
    bool deleting;
    int64_t began;   /* ms: the writing, then the deleting */
    int64_t limit_s; /* for either */
};

struct looking { /* a watch under way */
    struct many_one one;
    struct rehearsing *of;
    struct rehearsal *r;
    int64_t began;
};

/* --- which zones ------------------------------------------------------------------------------------------------------------------------- */

static struct rehearsal *add(struct rehearsals *l, const char *host)
{
    l->r = mem_grow(l->r, l->n + 1, sizeof *l->r);
    struct rehearsal *r = &l->r[l->n++];
    *r = (struct rehearsal){.written_ms = -1, .deleted_ms = -1};
    snprintf(r->host, sizeof r->host, "%s", host);
    return r;
}

static bool known(const struct rehearsals *l, const struct zone *z, const struct section *provider)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->r[i].zone == z && l->r[i].provider == provider)
            return true;
    return false;
}

static bool name_probe(struct rehearsal *r, struct err *e)
{
    char id[24], *name = r->probe.name;
    if (!order_new_id(id, clock_now(), e))
        return false;
    const char *random = strchr(id, '-') + 1;
    if (snprintf(name, NAME_SIZE, "_dcvagent-probe-%s.%s", random, r->zone->apex) >= NAME_SIZE)
        return !err_set(&r->err, RC_DELEGATION, "OWNER_LONG", "a probe's name below %s is too long", r->zone->apex);
    snprintf(r->value, sizeof r->value, "dcvagent probe %s", random);
    memcpy(r->probe.owner, name, sizeof r->probe.owner);
    r->probe.zone = r->zone;
    strs_add(&r->probe.chain, name);
    return true;
}

static bool add_place(struct rehearsing *h, const struct where *w, struct err *e)
{
    const struct conf *c = h->s->conf;
    const char *matched;
    if (!w->site) {
        add(h->l, w->listed)->err = w->err;
        return true;
    }
    const struct section *provider = conf_writer(c, w->site->owner, w->conf->provider, &matched);
    if (provider && known(h->l, w->site->zone, provider))
        return true;
    struct rehearsal *r = add(h->l, w->listed);
    r->provider = provider;
    r->zone = w->site->zone;
    r->verify = mem_new(sizeof *r->verify);
    *r->verify = conf_verify(c, conf_zone(c, w->site->owner), conf_ca(c, w->ca));
    if (!provider)
        err_set(&r->err, RC_DELEGATION, "NO_PROVIDER", "no provider may write at %s (zone %s): add the zone to zones= of a [provider]",
                w->site->owner, r->zone->apex);
    return name_probe(r, e);
}

static bool gather(struct rehearsing *h, const struct strs *certs, struct err *e)
{
    const struct conf *c = h->s->conf;
    struct cas *cas = cas_open(h->s, false);
    struct wheres all = {0};
    for (size_t i = 0; i < c->n_cert; i++) {
        const struct ca_rules *rules = cas_rules(cas, c->cert[i].ca);
        if ((certs->n == 0 || strs_has(certs, c->cert[i].name)) && rules && !c->cert[i].broken && c->cert[i].method == METHOD_DNS)
            where_add(&all, &c->cert[i], &c->cert[i].names, rules);
    }
    bool ok = where_find(h->s, &all, e);
    for (size_t i = 0; i < all.n && ok; i++)
        ok = add_place(h, &all.w[i], e);
    where_free(&all);
    cas_close(cas);
    return ok;
}

/* --- through the ledger -------------------------------------------------------------------------------------------------------------------- */

struct finding_row {
    const struct rehearsal *r;
    bool there;
    enum ledger_state state;
    struct err last;
};

static bool find_row(void *arg, const struct ledger_row *row)
{
    struct finding_row *f = arg;
    if (strcmp(row->order, LEDGER_REHEARSAL) != 0 || strcmp(row->rec.owner, f->r->probe.owner) != 0)
        return true;
    f->there = true;
    f->state = row->state;
    f->last = row->last;
    return false;
}

static struct finding_row row_of(const struct rehearsing *h, const struct rehearsal *r)
{
    struct finding_row f = {.r = r};
    ledger_each(h->s->store, r->zone->apex, find_row, &f, NULL);
    return f;
}

/* After each turn: what has come to its end, and when. true: all has, as far as it will in this rehearsal. */
static bool clocked(void *arg)
{
    struct rehearsing *h = arg;
    int64_t ms = loop_now(net_loop(h->s->net)) - h->began;
    for (size_t i = 0; i < h->l->n; i++) {
        struct rehearsal *r = &h->l->r[i];
        int64_t *at = h->deleting ? &r->deleted_ms : &r->written_ms;
        if (*at >= 0 || !r->provider || !*r->value)
            continue;
        struct finding_row f = row_of(h, r);
        if (h->deleting ? !f.there : f.there && f.state == LEDGER_PRESENT)
            *at = ms;
    }
    struct publish_state st;
    publish_state(h->s->publish, LEDGER_REHEARSAL, &st);
    return h->deleting ? st.going <= st.failed : st.present + st.denied >= st.wanted;
}

static bool pump(struct rehearsing *h, bool deleting, struct err *e)
{
    struct err pumped = {0};
    h->deleting = deleting;
    h->began = loop_now(net_loop(h->s->net));
    if (session_pump_until(h->s, h->limit_s, clocked, h, &pumped) || (pumped.rc == RC_LATER && !loop_signal(net_loop(h->s->net))))
        return true;
    *e = pumped;
    return false;
}

static bool write_all(struct rehearsing *h, struct err *e)
{
    for (size_t i = 0; i < h->l->n; i++) {
        const struct rehearsal *r = &h->l->r[i];
        if (r->err.rc != RC_OK)
            continue;
        struct bytes value = {(const uint8_t *)r->value, strlen(r->value)};
        struct ledger_row row = {.order = LEDGER_REHEARSAL,
                                 .cert = "",
                                 .host = r->host,
                                 .provider = r->provider->name,
                                 .zone = r->zone->apex,
                                 .rec = {r->probe.owner, TYPE_TXT, PROBE_TTL, value},
                                 .state = LEDGER_INTENDED,
                                 .wanted = true,
                                 .negative_ttl = r->zone->negative_ttl};
        if (section_given(r->provider, "ttl"))
            row.rec.ttl = (uint32_t)section_number(r->provider, "ttl");
        if (!publish_want(h->s->publish, &row, e))
            return false;
    }
    return pump(h, false, e);
}

static void note_faults(struct rehearsing *h)
{
    for (size_t i = 0; i < h->l->n; i++) {
        struct rehearsal *r = &h->l->r[i];
        if (r->err.rc != RC_OK || (h->deleting ? r->deleted_ms : r->written_ms) >= 0)
            continue;
        r->err = row_of(h, r).last;
        err_set(&r->err, RC_LATER, "NOT_FINISHED", "the probe was not %s within %d s", h->deleting ? "deleted" : "written", LIMIT_S);
    }
}

/* --- who sees it --------------------------------------------------------------------------------------------------------------------------- */

static void note_seen(struct looking *k)
{
    struct rehearsal *r = k->r;
    int64_t ms = loop_now(net_loop(k->of->s->net)) - k->began;
    if (!r->seen_ms) {
        r->seen_ms = mem_array(r->watch.n + 1, sizeof *r->seen_ms);
        for (size_t i = 0; i < r->watch.n; i++)
            r->seen_ms[i] = -1;
    }
    for (size_t i = 0; i < r->watch.n; i++)
        if (r->seen_ms[i] < 0 && r->watch.view[i].verdict == V_MATCH)
            r->seen_ms[i] = ms;
}

static void round_over(struct watch *w)
{
    struct looking *k = w->op.owner;
    note_seen(k);
    if (k->of->round)
        k->of->round(k->of->arg);
}

static void watched(struct op *op, const struct err *e)
{
    struct looking *k = op->owner;
    note_seen(k);
    many_ended(&k->one, e);
}

static bool watch_all(struct rehearsing *h, struct err *e)
{
    int64_t now = loop_now(net_loop(h->s->net));
    many_begin(&h->many, h->s, 0);
    h->many.stopped = "the probes are deleted, those that are left by the next run";
    h->at = mem_array(h->l->n + 1, sizeof *h->at);
    for (size_t i = 0; i < h->l->n; i++) {
        struct rehearsal *r = &h->l->r[i];
        struct looking *k = &h->at[i];
        if (r->written_ms < 0)
            continue;
        *k = (struct looking){.one = {.of = &h->many, .err = &r->err}, .of = h, .r = r, .began = h->began + r->written_ms};
        r->watch = (struct watch){.op = {.done = watched, .owner = k},
                                  .site = &r->probe,
                                  .value = {(const uint8_t *)r->value, strlen(r->value)},
                                  .verify = r->verify,
                                  .brief = true,
                                  .deadline_ms = now + r->verify->timeout * 1000,
                                  .round = round_over};
        h->many.pending++;
        visible_start(h->s->net, &r->watch);
    }
    bool ok = many_end(&h->many, e);
    for (size_t i = 0; i < h->l->n; i++)
        op_cancel(&h->l->r[i].watch.op);
    free(h->at);
    return ok;
}

/* --- all of it ----------------------------------------------------------------------------------------------------------------------------- */

static bool delete_all(struct rehearsing *h, struct err *e)
{
    if (!publish_release(h->s->publish, LEDGER_REHEARSAL, NULL, NULL, e) || !pump(h, true, e))
        return false;
    note_faults(h);
    return true;
}

bool rehearse(struct session *s, const struct strs *certs, void (*round)(void *arg), void *arg, struct rehearsals *out, struct err *e)
{
    struct rehearsing h = {.s = s, .l = out, .round = round, .arg = arg, .limit_s = LIMIT_S};
    *out = (struct rehearsals){0};
    if (!publish_load(s->publish, e) || !gather(&h, certs, e) || !write_all(&h, e))
        return false;
    note_faults(&h);
    if (watch_all(&h, e))
        return delete_all(&h, e);
    /* A signal, most likely of somebody who will not wait longer: what was written goes first, unless there comes another. */
    struct err also = {0};
    loop_last_word(net_loop(s->net));
    h.limit_s = LAST_WORD_S;
    delete_all(&h, &also);
    return false;
}

void rehearsals_free(struct rehearsals *l)
{
    for (size_t i = 0; i < l->n; i++) {
        watch_clear(&l->r[i].watch);
        strs_free(&l->r[i].probe.chain);
        free(l->r[i].verify);
        free(l->r[i].seen_ms);
    }
    free(l->r);
    *l = (struct rehearsals){0};
}
