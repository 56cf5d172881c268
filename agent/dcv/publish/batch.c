/* batch.c: one batch of one (provider, zone): read, decide, write after the commit, read back. */
#include "dcv/publish/publish_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/names.h"
#include "net/net.h"

static void lane_done(struct op *op, const struct err *e)
{
    struct lane *l = op->owner;

    l->err = e ? *e : (struct err){0};
    l->ready = true;
}

static void ask(struct lane *l, struct lookup *look)
{
    look->op.done = lane_done;
    look->op.owner = l;
    l->src->requests++;
    l->src->ops->read(l->src->prov, look);
}

static void effect_read(void *arg)
{
    struct lane *l = arg;

    ask(l, &l->look);
}

static void effect_back(void *arg)
{
    struct lane *l = arg;

    ask(l, &l->back);
}

static void effect_apply(void *arg)
{
    struct lane *l = arg;

    if (!store_clean(l->p->store))
        err_bug("zone %s: an UPDATE was about to leave before the ledger that says so is committed", l->zone);
    l->batch.op.done = lane_done;
    l->batch.op.owner = l;
    l->src->requests++;
    l->src->ops->apply(l->src->prov, &l->batch);
}

static void enter(struct lane *l, enum phase phase, void (*effect)(void *arg))
{
    l->phase = phase;
    l->ready = false;
    l->err = (struct err){0};
    if (effect)
        store_then(l->p->store, effect, l);
}

void lane_idle(struct lane *l)
{
    batch_clear(l);
    sets_clear(&l->look);
    sets_clear(&l->back);
    strs_free(&l->owners);
    foreign_clear(l);
    for (size_t i = 0; i < l->n; i++)
        l->row[i]->busy = false;
    free(l->row);
    l->row = NULL;
    l->n = 0;
    l->restoring = false;
    enter(l, LANE_IDLE, NULL);
}

void lane_write(struct lane *l)
{
    for (size_t i = 0; i < l->batch.n; i++)
        warm_forget(l, l->rec[i].owner);
    sets_merge(l);
    enter(l, LANE_APPLY, effect_apply);
}

/* --- which rows take part -------------------------------------------------------------------------------------------------------- */

static bool gone(struct lane *l, struct prow *const *all, size_t n, size_t i, struct err *e)
{
    return row_hand_over(l->p, all, n, i, e) && row_settled(l->p, all[i], LEDGER_GONE, e);
}

bool lane_finish(struct lane *l, struct err *e)
{
    struct prow **all;
    size_t n = lane_rows(l, &all);
    bool ok = true;

    for (size_t i = 0; i < n && ok; i++) {
        struct standing o = row_others(all, n, i);

        if (decide_before(&all[i]->row, &o, all[i]->recheck) != DEED_GONE)
            continue;
        if (all[i]->row.written)
            ok = tell_evidence(l->p, all[i], all[i]->row.state == LEDGER_FOUND ? "left" : "shared", e);
        ok = ok && gone(l, all, n, i, e);
    }
    free(all);
    return ok;
}

static bool row_due(struct prow *const *all, size_t n, size_t i, int64_t now)
{
    const struct prow *r = all[i];
    struct standing o = row_others(all, n, i);

    return !r->failed && r->due <= now && decide_before(&r->row, &o, r->recheck) == DEED_READ;
}

/* A record is read for all of its rows at once: what stands there decides for each. */
static void take_groups(struct lane *l, struct prow **all, size_t n)
{
    int64_t now = loop_now(net_loop(l->p->net));

    l->row = mem_array(n ? n : 1, sizeof(*l->row));
    for (size_t i = 0, end; i < n; i = end) {
        bool due = false;

        for (end = i; end < n && row_order(&all[i], &all[end]) == 0; end++)
            due |= row_due(all, n, end, now);
        for (size_t k = i; due && k < end; k++) {
            struct standing o = row_others(all, n, k);

            if (decide_before(&all[k]->row, &o, true) == DEED_READ)
                l->row[l->n++] = all[k];
        }
    }
}

static bool in_zones(const struct source *s, const char *owner)
{
    for (size_t i = 0; i < s->zones.n; i++)
        if (name_within(owner, s->zones.s[i]))
            return true;
    return s->zones.n == 0;
}

/* Drops what may not be asked for at all, and marks what is to leave. */
static bool admit(struct lane *l, struct err *e)
{
    size_t kept = 0;

    for (size_t i = 0; i < l->n; i++) {
        struct prow *r = l->row[i];
        struct err why = l->src->err;

        if (why.rc == RC_OK && r->row.wanted && !in_zones(l->src, r->owner)) {
            err_at(&why, "%s", r->owner);
            err_set(&why, RC_CONF, "ZONE_NOT_CONFIGURED",
                    "not within zones= of [provider %s], which writes there and nowhere else; add its zone %s", l->src->name, l->zone);
        }
        if (why.rc != RC_OK) {
            if (!row_failed(l->p, r, &why, e))
                return false;
            continue;
        }
        if (!r->row.wanted && r->row.state != LEDGER_LEAVING) {
            r->row.state = LEDGER_LEAVING;
            if (!row_put(l->p, r, e))
                return false;
        }
        r->busy = true;
        l->row[kept++] = r;
    }
    l->n = kept;
    return true;
}

static void owners(struct lane *l)
{
    sets_for(&l->look, l->zone, l->n);
    for (size_t i = 0; i < l->n; i++) {
        if (i == 0 || strcmp(l->row[i]->owner, l->row[i - 1]->owner) != 0) {
            strs_add(&l->owners, l->row[i]->owner);
            l->look.set[l->look.n].owner = l->owners.s[l->look.n];
            l->look.n++;
        }
        l->row[i]->set = l->look.n - 1;
    }
}

static bool lane_begin(struct lane *l, struct err *e)
{
    struct prow **all;
    size_t n;

    if (!lane_finish(l, e))
        return false;
    n = lane_rows(l, &all);
    take_groups(l, all, n);
    free(all);
    if (l->n)
        source_open(l->p, l->src);
    if (!admit(l, e))
        return false;
    if (!l->n) {
        lane_idle(l);
        return true;
    }
    owners(l);
    if (warm_take(l)) {
        enter(l, LANE_READ, NULL);
        l->ready = true;
    } else {
        enter(l, LANE_READ, effect_read);
    }
    return true;
}

/* --- what the read tells --------------------------------------------------------------------------------------------------------- */

static bool settle_read(struct lane *l, struct prow **all, size_t n, size_t i, struct err *e)
{
    struct prow *r = all[i];
    enum ledger_state was = r->row.state;
    struct standing o = row_others(all, n, i);
    struct err why = {0};

    switch (r->deed) {
    case DEED_PRESENT:
        if (!r->row.written)
            r->row.written = o.written;
        return row_settled(l->p, r, LEDGER_PRESENT, e) && (was == LEDGER_PRESENT || tell_evidence(l->p, r, "present", e));
    case DEED_FOUND:
        return row_settled(l->p, r, LEDGER_FOUND, e) && (was == LEDGER_FOUND || tell_evidence(l->p, r, "found", e));
    case DEED_GONE:
        return tell_evidence(l->p, r, "gone", e) && gone(l, all, n, i, e);
    case DEED_CNAME:
    case DEED_SHARED:
    case DEED_FRAIL:
    case DEED_REMOVED:
        why_refused(l, r, &why);
        return row_failed(l->p, r, &why, e);
    default:
        r->recheck = false;
        return true;
    }
}

static uint32_t owner_ttl(const struct lane *l, const struct prow *r)
{
    if (l->look.set[r->set].n) /* an existing set keeps its TTL */
        return l->look.set[r->set].ttl;
    for (size_t k = 0; k < l->batch.n; k++) /* and a new one has one TTL, whoever asks for it */
        if (l->batch.c[k].add && strcmp(l->rec[k].owner, r->owner) == 0)
            return l->rec[k].ttl;
    return r->row.rec.ttl;
}

static void change_for(struct lane *l, struct prow *r)
{
    struct change *c = &l->batch.c[l->batch.n];
    struct record *rec = &l->rec[l->batch.n];

    *rec = r->row.rec;
    rec->ttl = r->deed == DEED_ADD ? owner_ttl(l, r) : 0;
    *c = (struct change){.add = r->deed == DEED_ADD, .rec = rec, .ref = r->row.ref};
    l->batch.n++;
}

/* The intent: committed before the UPDATE leaves. */
static bool intend(struct lane *l, struct prow *r, int64_t before, struct err *e)
{
    const struct rrset *set = &l->look.set[r->set];

    r->prior = r->row.written;
    r->before = before;
    if (r->deed == DEED_DELETE)
        return true; /* LEAVING is committed already */
    if (r->row.state == LEDGER_PRESENT || r->row.state == LEDGER_FOUND)
        r->row.again++;
    r->row.state = LEDGER_INTENDED;
    r->row.written = clock_now();
    r->row.old_ttl = set->n ? set->ttl : 0;
    r->row.rec.ttl = l->rec[r->change].ttl;
    r->recheck = false;
    return row_put(l->p, r, e);
}

static size_t limit_of(const struct lane *l)
{
    return l->src->ops->caps & CAN_BATCH ? CHANGES_MAX : 1;
}

/* Rows with DEED_ADD or DEED_DELETE become changes, one a record; what does not fit waits for the next batch. */
static bool fill_batch(struct lane *l, struct err *e)
{
    size_t octets = 0, kept = 0, end;

    l->batch = (struct batch){.zone = l->zone, .c = mem_array(l->n + 1, sizeof(struct change))};
    l->rec = mem_array(l->n + 1, sizeof(*l->rec));
    for (size_t i = 0; i < l->n; i = end) {
        int64_t before = 0;
        size_t size = strlen(l->row[i]->owner) + l->row[i]->row.rec.value.n + 16;
        bool fits = l->batch.n < limit_of(l) && (l->batch.n == 0 || octets + size <= OCTETS_MAX);

        for (end = i; end < l->n && row_order(&l->row[i], &l->row[end]) == 0; end++) {
            before = l->row[end]->row.written > before ? l->row[end]->row.written : before;
            l->row[end]->busy = fits;
        }
        if (!fits)
            continue;
        octets += size;
        change_for(l, l->row[i]);
        for (size_t k = i; k < end; k++) {
            l->row[k]->change = l->batch.n - 1;
            if (!intend(l, l->row[k], before, e))
                return false;
            l->row[kept++] = l->row[k];
        }
    }
    l->n = kept;
    return true;
}

/* Whole sets get lost here, and not all of this one could be written again. */
static bool is_frail(const struct lane *l, struct prow *const *all, size_t n, const struct rrset *set)
{
    bool (*takes)(struct bytes value) = l->src->ops->takes;

    for (size_t i = 0; takes && source_grade(l->src) == 'D' && i < set->n; i++)
        if (!takes(set->octets[i]) && !value_ours(all, n, set->owner, set->octets[i]))
            return true;
    return false;
}

/* Longer than a program that a run left behind is still at it. */
static bool is_late(const struct lane *l, const struct prow *r)
{
    enum { LATE_S = 3600 };

    return source_commits(l->src) || clock_now() - r->row.written <= LATE_S;
}

static bool decide_all(struct lane *l, struct prow **all, size_t n, struct err *e)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        const struct rrset *set = all[i]->busy ? &l->look.set[all[i]->set] : NULL;
        struct standing o = row_others(all, n, i);

        if (set)
            all[i]->deed = decide_read(&all[i]->row, &o, set, set_foreign(all, n, set), source_shares(l->src), all[i]->unsure,
                                       all[i]->unsure && source_commits(l->src));
        if (set && is_frail(l, all, n, set))
            all[i]->deed = decide_frail(all[i]->deed, rrset_has(set, all[i]->row.rec.value), is_late(l, all[i]));
    }
    for (size_t i = 0; i < n; i++) {
        if (!all[i]->busy)
            continue;
        if (all[i]->deed == DEED_ADD || all[i]->deed == DEED_DELETE) {
            l->row[kept++] = all[i];
            continue;
        }
        all[i]->busy = false;
        if (!settle_read(l, all, n, i, e))
            return false;
    }
    l->n = kept;
    return fill_batch(l, e);
}

static bool all_failed(struct lane *l, struct err *e)
{
    for (size_t i = 0; i < l->n; i++)
        if (!row_failed(l->p, l->row[i], &l->err, e))
            return false;
    lane_idle(l);
    return true;
}

/* Who replaces whole sets keeps on disk what others have in them, before anything leaves. */
static bool snapshots(struct lane *l, struct prow *const *all, size_t n, struct err *e)
{
    if (!(l->src->ops->caps & (WRITES_SETS | WRITES_ZONE)))
        return true;
    for (size_t k = 0; k < l->batch.n; k++) {
        const struct rrset *set = sets_find(&l->look, l->rec[k].owner);
        bool again = k > 0 && sets_find(&l->look, l->rec[k - 1].owner) == set; /* changes of one set stand side by side */

        if (!again && set_foreign(all, n, set) && !tell_snapshot(l, set, e))
            return false;
    }
    return true;
}

static bool lane_decide(struct lane *l, struct err *e)
{
    struct prow **all;
    size_t n;
    bool ok;

    if (l->err.rc != RC_OK)
        return all_failed(l, e);
    n = lane_rows(l, &all);
    ok = decide_all(l, all, n, e) && snapshots(l, all, n, e) && guard_set(l, all, n, e);
    free(all);
    if (!ok)
        return false;
    if (l->batch.n)
        lane_write(l);
    else
        lane_idle(l);
    return true;
}

/* Whatever the results say: what stands there now is what counts. */
static void lane_read_back(struct lane *l)
{
    for (size_t i = 0; i < l->batch.n; i++)
        if (l->batch.c[i].result == CHANGE_OPEN)
            l->batch.c[i] = (struct change){.add = l->batch.c[i].add, .rec = l->batch.c[i].rec, .result = CHANGE_UNSURE, .err = l->err};
    sets_clear(&l->back);
    sets_for(&l->back, l->zone, l->batch.n);
    for (size_t i = 0; i < l->batch.n; i++)
        if (!sets_find(&l->back, l->rec[i].owner))
            l->back.set[l->back.n++].owner = l->rec[i].owner;
    for (size_t i = 0; i < l->n; i++)
        l->row[i]->changed = true; /* whoever waits may look at the public views meanwhile */
    enter(l, LANE_BACK, effect_back);
}

void lane_probe(struct lane *l)
{
    enter(l, LANE_PROBE, effect_back);
}

bool lane_pump(struct lane *l, struct err *e)
{
    warm_pump(l);
    if (l->phase == LANE_IDLE)
        return !l->due || warm_busy(l) || (l->owed ? guard_pump(l, e) : lane_begin(l, e));
    if (!l->ready)
        return true;
    switch (l->phase) {
    case LANE_READ:
        return lane_decide(l, e);
    case LANE_APPLY:
        lane_read_back(l);
        return true;
    case LANE_PROBE:
        if (!foreign_probed(l, e))
            return false;
        if (l->phase == LANE_PROBE)
            lane_idle(l);
        return true;
    default:
        if (!lane_settle(l, e))
            return false;
        if (l->phase == LANE_BACK) {
            warm_keep(l);
            lane_idle(l);
        }
        return true;
    }
}

void lane_free(struct lane *l)
{
    store_then_forget(l->p->store, l);
    op_cancel(&l->look.op);
    op_cancel(&l->back.op);
    op_cancel(&l->batch.op);
    warm_free(l);
    lane_idle(l);
    free(l->zone);
    free(l);
}
