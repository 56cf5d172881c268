/* records.c: names proven by TXT records: wanted by the ledger, written and read back by its pump, seen at the authorities and by resolvers. */
#include "order/order_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { TTL_BY_CA_ABSENT = 3600 };

static enum turn records_possible(struct order *o)
{
    enum turn t = spots_writable(o);
    if (t == TURN_NEXT)
        spots_warm(o);
    return t;
}

static uint32_t ttl_wanted(const struct order *o, const struct section *provider)
{
    if (section_given(provider, "ttl"))
        return (uint32_t)section_number(provider, "ttl");
    uint32_t ttl = order_rules(o)->ttl;
    return ttl ? ttl : TTL_BY_CA_ABSENT;
}

static bool want_spot(struct order *o, struct spot *s, struct err *e)
{
    const struct proof *p = spot_proof(s);
    if (p->valid) /* proven already: no record is needed */
        return true;
    const struct section *provider = spot_writer(s, e);
    if (!provider)
        return false;
    struct ledger_row row = {.cert = o->saved.cert,
                             .host = s->name,
                             .provider = provider->name,
                             .zone = s->site->zone->apex,
                             .rec = {s->site->owner, TYPE_TXT, ttl_wanted(o, provider), {(const uint8_t *)p->value, strlen(p->value)}},
                             .state = LEDGER_INTENDED,
                             .wanted = true,
                             .negative_ttl = s->site->zone->negative_ttl};
    snprintf(row.order, sizeof row.order, "%s", o->saved.id);
    return publish_want(o->run->s->publish, &row, e);
}

/* What a second code replaced: still wanted by us, no longer by the CA. Released only now that the new values are present. */
struct stale {
    struct order *o;
    struct strs owners;
    struct bytes *value;
    size_t n;
};

static bool collect_stale(void *arg, const struct ledger_row *row)
{
    struct stale *st = arg;
    if (!row->wanted || row->state == LEDGER_GONE)
        return true;
    for (size_t i = 0; i < st->o->n_spot; i++) {
        const struct spot *s = &st->o->spot[i];
        const struct proof *p = spot_proof(s);
        if (s->site && strcmp(s->site->owner, row->rec.owner) == 0 && p->value && strlen(p->value) == row->rec.value.n &&
            memcmp(p->value, row->rec.value.p, row->rec.value.n) == 0)
            return true;
    }
    strs_add(&st->owners, row->rec.owner);
    st->value = mem_grow(st->value, st->n + 1, sizeof *st->value);
    st->value[st->n++] = (struct bytes){mem_copy(row->rec.value.p, row->rec.value.n), row->rec.value.n};
    return true;
}

static bool release_stale(struct order *o, struct err *e)
{
    struct stale st = {.o = o};
    bool ok = ledger_of(o->run->s->store, o->saved.id, collect_stale, &st, e);
    for (size_t i = 0; i < st.n; i++) {
        ok = ok && publish_release(o->run->s->publish, o->saved.id, st.owners.s[i], &st.value[i], e);
        free((void *)(uintptr_t)st.value[i].p);
    }
    strs_free(&st.owners);
    free(st.value);
    return ok;
}

static enum turn records_put(struct order *o)
{
    struct err e = {0};
    for (size_t i = 0; i < o->n_spot; i++)
        if (!want_spot(o, &o->spot[i], &e))
            return order_fault(o, &e);
    struct publish_state st;
    publish_state(o->run->s->publish, o->saved.id, &st);
    if (st.failed)
        return order_fault(o, &st.err);
    if (st.present + st.applied < st.wanted)
        return TURN_WAIT;
    return release_stale(o, &e) ? TURN_NEXT : order_fault(o, &e);
}

static bool all_valid(struct order *o)
{
    for (size_t i = 0; i < o->ca.n_proof; i++)
        if (!o->ca.proof[i].valid)
            return false;
    return o->ca.n_proof > 0;
}

static enum turn records_seen(struct order *o)
{
    struct publish_state st;
    publish_state(o->run->s->publish, o->saved.id, &st);
    if (st.failed)
        return order_fault(o, &st.err);
    if (st.wanted == 0 && !all_valid(o))
        return TURN_BACK;
    if (st.present + st.applied < st.wanted) /* the read-back and the views go side by side */
        return TURN_WAIT;
    enum turn t = spots_find(o);
    return t == TURN_NEXT ? spots_watch(o) : t;
}

/* A CA may show other codes when it is visited again: they are published before anybody confirms. */
struct standing {
    const struct order *o;
    bool *spot;
};

static bool note_standing(void *arg, const struct ledger_row *row)
{
    struct standing *st = arg;
    for (size_t i = 0; i < st->o->n_spot; i++) {
        const struct spot *s = &st->o->spot[i];
        const struct proof *p = spot_proof(s);
        st->spot[i] |= p->valid || (row->wanted && row->state != LEDGER_GONE && strcmp(s->site->owner, row->rec.owner) == 0 && p->value &&
                                    strlen(p->value) == row->rec.value.n && memcmp(p->value, row->rec.value.p, row->rec.value.n) == 0);
    }
    return true;
}

static bool codes_are_published(struct order *o)
{
    struct standing st = {.o = o, .spot = mem_array(o->n_spot + 1, sizeof *st.spot)};
    bool all = ledger_of(o->run->s->store, o->saved.id, note_standing, &st, NULL);
    for (size_t i = 0; i < o->n_spot; i++)
        all &= st.spot[i];
    free(st.spot);
    return all;
}

static enum turn records_ready(struct order *o)
{
    enum turn t;
    struct publish_state st;
    publish_state(o->run->s->publish, o->saved.id, &st);
    if (st.failed)
        return order_fault(o, &st.err);
    bool by_person = order_rules(o)->by_person;
    if (by_person && !codes_are_published(o))
        return TURN_BACK;
    if (by_person && o->saved.failures && (t = spots_watch(o)) != TURN_NEXT) /* the CA said no: what do our own views say now? */
        return t;
    /* Where the authorities themselves were seen to serve them, the read-back at the update server goes on beside the CA's check. */
    return st.present + (spots_served(o) ? st.applied : 0) < st.wanted ? TURN_WAIT : TURN_NEXT;
}

/* settle: from the write until no cache can hold what stood there before. */
static int64_t records_settled(const struct order *o)
{
    struct publish_state st;
    publish_state(o->run->s->publish, o->saved.id, &st);
    int64_t until = 0;
    for (size_t i = 0; i < o->n_spot; i++) {
        const struct conf *c = o->run->s->conf;
        struct conf_verify v = conf_verify(c, conf_zone(c, o->spot[i].site->owner), o->at->section);
        int64_t t = v.settle >= 0 ? st.written + v.settle : order_rules(o)->settles ? st.settle_at : 0;
        until = t > until ? t : until;
    }
    return st.written ? until : 0; /* nothing of ours was written: all stood there before */
}

const struct method_ops by_record = {.possible = records_possible,
                                     .put = records_put,
                                     .seen = records_seen,
                                     .ready = records_ready,
                                     .settled = records_settled,
                                     .look_anew = spots_reset_watch};
