#include "dcv/publish/publish_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "net/net.h"

struct publish *publish_new(struct net *n, struct store *s, const struct conf *c)
{
    struct publish *p = mem_new(sizeof *p);

    p->net = n;
    p->store = s;
    p->conf = c;
    return p;
}

void publish_free(struct publish *p)
{
    if (!p)
        return;
    op_cancel(&p->timer.op);
    while (p->lane) {
        struct lane *l = p->lane;

        p->lane = l->next;
        lane_free(l);
    }
    while (p->source) {
        struct source *s = p->source;

        p->source = s->next;
        if (s->prov)
            s->ops->close(s->prov);
        strs_free(&s->zones);
        free(s->name);
        free(s);
    }
    for (size_t i = 0; i < p->n; i++)
        row_free(p->row[i]);
    free(p->row);
    free(p);
}

void publish_watch(struct publish *p, void (*changed)(void *arg, const char *order), void *arg)
{
    p->changed = changed;
    p->arg = arg;
}

/* --- what is wanted -------------------------------------------------------------------------------------------------------------- */

/* A server that wanted to be left alone is left alone by this run, too. No wait of ours is longer than a day (http.h): one that is comes from a
 * clock that was ahead. */
static void keep_distance(const struct publish *p, struct prow *r)
{
    int64_t wait = r->row.last.not_before - clock_now();

    if (wait <= 0 || wait > DAY)
        return;
    r->failed = wait > PATIENCE_S;
    r->due = loop_now(net_loop(p->net)) + wait * 1000;
    if (r->lane->owed_at < r->due)
        r->lane->owed_at = r->due;
    if (r->failed)
        r->lane->owed_why = r->row.last;
}

static bool load_row(void *arg, const struct ledger_row *row)
{
    struct publish *p = arg;
    struct prow *r;

    if (row_find(p, row)) /* already taken up by publish_want() */
        return true;
    r = row_add(p, row);
    r->unsure = row->written > row->settled; /* a run that ended between the write and its read-back: the server may still be at it */
    r->unsure |= row->state == LEDGER_LEAVING && source_commits(r->lane->src);
    /* Somebody may have removed it since the last run. What `txt add` put there is looked at by `txt check`, and here where a put-back of ours may have
     * taken it along (foreign.c). */
    r->recheck = (*row->order || r->unsure) && (row->state == LEDGER_PRESENT || row->state == LEDGER_FOUND);
    keep_distance(p, r);
    return true;
}

/* Written by a clock that was ahead: as of now, or whoever waits for caches to run out would wait for years. */
static bool not_ahead(struct publish *p, struct prow *r, struct err *e)
{
    int64_t now = clock_now();

    if (r->row.written <= now && r->row.settled <= now)
        return true;
    r->row.written = r->row.written < now ? r->row.written : now;
    r->row.settled = r->row.settled < now ? r->row.settled : now;
    return row_put(p, r, e);
}

/* Its provider section is gone, or has another name now: who may write there goes on with it. */
static bool take_over(struct publish *p, struct prow *r, struct err *e)
{
    const struct conf_cert *c = conf_cert(p->conf, r->cert);
    const struct section *s = conf_writer(p->conf, r->owner, c ? c->provider : NULL, NULL);
    char *now;

    tell_orphan(p, r, s ? s->name : NULL);
    if (!s)
        return true;
    now = mem_str(s->name);
    free(r->provider);
    r->row.provider = r->provider = now;
    r->row.ref[0] = '\0'; /* it was the other API's */
    r->lane = lane_get(p, r->provider, r->zone);
    return row_put(p, r, e);
}

bool publish_load(struct publish *p, struct err *e)
{
    if (!ledger_each(p->store, NULL, load_row, p, e))
        return false;
    for (size_t i = 0; i < p->n; i++)
        if (!not_ahead(p, p->row[i], e) || (!p->row[i]->lane->src->section && !take_over(p, p->row[i], e)))
            return false;
    return guard_load(p, e) && publish_release(p, LEDGER_REHEARSAL, NULL, NULL, e);
}

bool publish_want(struct publish *p, const struct ledger_row *row, struct err *e)
{
    struct prow *r = row_find(p, row);

    if (r && r->row.wanted) { /* `txt add` once more: it says that it stands there, so it looks */
        r->recheck |= !*r->row.order && !r->busy && (r->row.state == LEDGER_PRESENT || r->row.state == LEDGER_FOUND);
        return true;
    }
    if (!r) {
        struct ledger_row fresh = *row;

        fresh.id = 0;
        fresh.state = LEDGER_INTENDED;
        fresh.wanted = true;
        fresh.written = fresh.settled = 0;
        fresh.again = 0;
        fresh.ref[0] = '\0';
        fresh.last = (struct err){0};
        return row_put(p, row_add(p, &fresh), e);
    }
    r->row.wanted = true;
    if (r->row.state == LEDGER_LEAVING)
        r->row.state = LEDGER_INTENDED;
    r->failed = false;
    r->tries = 0;
    r->due = 0;
    return row_put(p, r, e);
}

static bool matches(const struct prow *r, const char *order, const char *owner, const struct bytes *value)
{
    const struct bytes *v = &r->row.rec.value;

    if (r->row.state == LEDGER_GONE || !r->row.wanted || strcmp(r->row.order, order) != 0 || (owner && strcmp(r->owner, owner) != 0))
        return false;
    return !value || (v->n == value->n && (v->n == 0 || memcmp(v->p, value->p, v->n) == 0));
}

bool publish_release(struct publish *p, const char *order, const char *owner, const struct bytes *value, struct err *e)
{
    if (!*order && !owner)
        return err_set(e, RC_BUG, "RELEASE", "records that no order holds are only released by owner");
    for (size_t i = 0; i < p->n; i++) {
        struct prow *r = p->row[i];

        if (!matches(r, order, owner, value))
            continue;
        r->row.wanted = false;
        r->failed = false;
        r->tries = 0;
        r->due = 0;
        if (!row_put(p, r, e))
            return false;
    }
    return true;
}

void publish_recheck(struct publish *p, const char *order)
{
    for (size_t i = 0; i < p->n; i++) {
        struct prow *r = p->row[i];

        if (strcmp(r->row.order, order) == 0 && r->row.wanted && !r->busy &&
            (r->row.state == LEDGER_PRESENT || r->row.state == LEDGER_FOUND))
            r->recheck = true;
    }
}

/* --- the pump -------------------------------------------------------------------------------------------------------------------- */

static bool owes(const struct lane *l)
{
    return l->owed && l->owed_why.rc == RC_OK;
}

static int64_t mark_due(struct publish *p)
{
    int64_t now = loop_now(net_loop(p->net)), next = 0;

    for (struct lane *l = p->lane; l; l = l->next) {
        l->due = owes(l) && l->owed_at <= now;
        if (owes(l) && l->owed_at > now && (!next || l->owed_at < next))
            next = l->owed_at;
    }
    for (size_t i = 0; i < p->n; i++) {
        const struct prow *r = p->row[i];

        if (r->failed || !row_has_work(r))
            continue;
        if (r->due <= now)
            r->lane->due = true;
        else if (!next || r->due < next)
            next = r->due;
    }
    return next;
}

static void wait_over(struct op *op, const struct err *e)
{
    (void)op; /* the turn that follows looks for what is due */
    (void)e;
}

static void set_timer(struct publish *p, int64_t at)
{
    if (op_busy(&p->timer.op) && p->timer.at == at)
        return;
    op_cancel(&p->timer.op);
    if (!at)
        return;
    p->timer.at = at;
    p->timer.op.done = wait_over;
    loop_timer(net_loop(p->net), &p->timer);
}

/* Tells the orders, then lets go of rows that are over. */
static void tell_changed(struct publish *p)
{
    size_t kept = 0;
    bool any = false;

    for (size_t i = 0; i < p->n; i++) {
        bool changed = p->row[i]->changed;

        p->row[i]->changed = false;
        any |= changed;
        if (changed && p->changed)
            p->changed(p->arg, p->row[i]->row.order);
    }
    for (size_t i = 0; i < p->n; i++) {
        if (p->row[i]->row.state == LEDGER_GONE && !p->row[i]->busy)
            row_free(p->row[i]);
        else
            p->row[kept++] = p->row[i];
    }
    p->n = kept;
    if (any)
        loop_again(net_loop(p->net));
}

bool publish_pump(struct publish *p, struct err *e)
{
    bool more;

    mark_due(p);
    do { /* a lane whose batch has ended, or whose first read is known already, goes on in the same turn */
        more = false;
        for (struct lane *l = p->lane; l; l = l->next) {
            enum phase was = l->phase;

            if (!lane_pump(l, e))
                return false;
            more |= l->phase == LANE_IDLE ? was != LANE_IDLE : l->ready;
        }
        set_timer(p, mark_due(p));
    } while (more);
    tell_changed(p);
    return true;
}

bool publish_busy(const struct publish *p)
{
    for (const struct lane *l = p->lane; l; l = l->next)
        if (l->phase != LANE_IDLE || warm_busy(l) || owes(l))
            return true;
    for (size_t i = 0; i < p->n; i++)
        if (!p->row[i]->failed && row_has_work(p->row[i]))
            return true;
    return false;
}

/* A row of ours that has to be put back too. Those of orders look again at the beginning of every run, those of `txt add` look only now; where an earlier
 * run left them to look (unsure), once, since their server may be dead. */
static bool is_mended(const struct prow *r, int64_t now)
{
    bool looks = r->recheck && (!r->unsure || (r->tries == 0 && r->due <= now));

    return !*r->row.order && !r->failed && (looks || (r->busy && r->row.again));
}

/* One look at what an earlier run owes, since its server may be dead; the way back as long as something is known to be missing. */
static bool is_mending(const struct lane *l, int64_t now)
{
    if (l->missing)
        return l->n_lost || owes(l);
    return l->owed_tries == 0 && (l->n_lost || (owes(l) && l->owed_at <= now));
}

bool publish_mending(const struct publish *p)
{
    int64_t now = loop_now(net_loop(p->net));

    for (const struct lane *l = p->lane; l; l = l->next)
        if (is_mending(l, now))
            return true;
    for (size_t i = 0; i < p->n; i++)
        if (is_mended(p->row[i], now))
            return true;
    return false;
}

/* The server has said yes, the read-back is under way. */
static bool is_applied(const struct prow *r)
{
    const struct lane *l = r->lane;

    return r->busy && !l->restoring && l->phase == LANE_BACK && l->batch.c[r->change].add && l->batch.c[r->change].result == CHANGE_DONE;
}

/* --- what became of it ----------------------------------------------------------------------------------------------------------- */

/* One error for several names: the first one's text, and where names them all, as far as there is room. */
static void also_at(struct err *e, const char *owner)
{
    size_t n = strlen(e->where), room = sizeof e->where - n;

    if (n < 4 || strcmp(e->where + n - 3, "...") == 0)
        return;
    if (strlen(owner) + sizeof ", ..." < room)
        snprintf(e->where + n, room, ", %s", owner);
    else
        snprintf(e->where + n, room, ", ...");
}

void publish_state(const struct publish *p, const char *order, struct publish_state *out)
{
    *out = (struct publish_state){0};
    for (size_t i = 0; i < p->n; i++) {
        const struct prow *r = p->row[i];
        int64_t settle = r->row.written + (r->row.old_ttl ? r->row.old_ttl : r->row.negative_ttl);

        if (r->row.state == LEDGER_GONE || strcmp(r->row.order, order) != 0)
            continue;
        out->rows++;
        out->wanted += r->row.wanted;
        out->going += !r->row.wanted;
        out->present += r->row.wanted && (r->row.state == LEDGER_PRESENT || r->row.state == LEDGER_FOUND);
        out->applied += r->row.wanted && r->row.state == LEDGER_INTENDED && is_applied(r);
        out->denied += r->failed && r->row.wanted;
        if (r->failed && !out->failed++)
            out->err = r->row.last;
        else if (r->failed)
            also_at(&out->err, r->owner);
        if (!r->row.wanted || !r->row.written)
            continue;
        if (r->row.written > out->written)
            out->written = r->row.written;
        if (settle > out->settle_at)
            out->settle_at = settle;
    }
}

unsigned publish_requests(const struct publish *p, const char *provider)
{
    for (const struct source *s = p->source; s; s = s->next)
        if (strcmp(s->name, provider) == 0)
            return s->requests;
    return 0;
}
