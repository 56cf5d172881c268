/* write.c: a batch as requests: single records, whole sets, or several of either in one request where the API can; then what the API wants
 * afterwards ([sync] for each, [commit] for all).
 *
 * A request of several changes that is refused is halved, down to single ones, so that one bad name does not hold up the others. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/net.h"
#include "providers/http/described_impl.h"

struct unit { /* one request, with the changes that it carries out */
    struct unit *next;
    struct writing *w;
    size_t from, n; /* changes of the batch; those with a result already are not in it */
    struct item *item;
    size_t n_item;
    struct request r;
    char *sync;    /* what [sync] asks about */
    int64_t until; /* s */
    struct timer pause;
};

struct writing {
    struct provider *p;
    struct batch *b;
    struct entry entry;
    struct lookup search; /* names of records to delete that were not read just now */
    struct unit *unit;
    size_t open;
    struct request commit;
    struct seen seen;
};

static void unit_add(struct writing *w, size_t from, size_t n);
static void unit_start(struct unit *u);

static bool sets(const struct writing *w)
{
    return w->p->type->ops.caps & WRITES_SETS;
}

static const struct step *step_of(const struct writing *w, int which)
{
    const struct step *s = &w->p->type->step[which];
    return s->given ? s : NULL;
}

static void unit_end(struct unit *u)
{
    request_clear(&u->r);
    op_cancel(&u->pause.op);
    free(u->item);
    free(u->sync);
    u->item = NULL;
    u->sync = NULL;
}

static void writing_free(struct writing *w)
{
    w->b->impl = NULL;
    op_cancel(&w->entry.op);
    op_cancel(&w->search.op);
    request_clear(&w->commit);
    op_cancel(&w->seen.op);
    for (size_t i = 0; i < w->search.n; i++)
        rrset_clear(&w->search.set[i]);
    free(w->search.set);
    while (w->unit) {
        struct unit *u = w->unit;
        w->unit = u->next;
        unit_end(u);
        free(u);
    }
    free(w);
}

static void detach(struct op *op)
{
    writing_free(((struct batch *)op)->impl);
}

/* --- results -------------------------------------------------------------------------------------------------------------------------- */

static void mark(struct writing *w, size_t from, size_t n, enum change_result result, const struct err *e)
{
    for (size_t i = from; i < from + n; i++) {
        struct change *c = &w->b->c[i];
        if (c->result != CHANGE_OPEN)
            continue;
        c->result = result;
        if (e) {
            c->err = *e;
            err_at(&c->err, "%s", c->rec->owner);
        }
    }
}

static void settle(struct writing *w)
{
    struct batch *b = w->b;
    const struct err *first = NULL;
    for (size_t i = 0; i < b->n && !first; i++)
        first = b->c[i].result == CHANGE_DONE ? NULL : &b->c[i].err;
    for (size_t i = 0; i < b->n; i++) /* what was read before is old now */
        refs_forget(w->p, b->zone, b->c[i].rec->owner);
    writing_free(w);
    op_settle(&b->op, first);
}

static void is_seen(struct op *op, const struct err *e)
{
    (void)e;
    settle(op->owner);
}

static void finish(struct writing *w)
{
    const struct provider *p = w->p;
    w->seen = (struct seen){.op = {.done = is_seen, .owner = w},
                            .at = p->at,
                            .loop = net_loop(api_net(p->api)),
                            .b = w->b,
                            .wait_ms = p->wait_ms,
                            .adds_alone = p->type->keeps,
                            .section = p->section->name,
                            .by = "its API"};
    seen_start(&w->seen);
}

static void committed(struct op *op, const struct err *e)
{
    struct writing *w = op->owner;
    for (size_t i = 0; e && i < w->b->n; i++)
        if (w->b->c[i].result == CHANGE_DONE)
            w->b->c[i].result = CHANGE_OPEN;
    if (e)
        mark(w, 0, w->b->n, CHANGE_UNSURE, e);
    finish(w);
}

static void all_written(struct writing *w)
{
    const struct scope s = {.zone = w->b->zone, .zone_id = w->entry.known ? w->entry.known->id : NULL};
    bool any = false;
    for (size_t i = 0; i < w->b->n; i++)
        any |= w->b->c[i].result == CHANGE_DONE || w->b->c[i].result == CHANGE_UNSURE;
    if (!any || !step_of(w, STEP_COMMIT)) {
        finish(w);
        return;
    }
    w->commit.op = (struct op){.done = committed, .owner = w};
    request_start(w->p, &w->commit, step_of(w, STEP_COMMIT), &s, NULL);
}

static void unit_settled(struct unit *u, enum change_result result, const struct err *e)
{
    struct writing *w = u->w;
    mark(w, u->from, u->n, result, e);
    unit_end(u);
    if (!--w->open)
        all_written(w);
}

/* --- [sync] --------------------------------------------------------------------------------------------------------------------------- */

static void ask_sync(struct unit *u);

static void paused(struct op *op, const struct err *e)
{
    (void)e;
    ask_sync(op->owner);
}

static void wait_sync(struct unit *u)
{
    struct loop *l = net_loop(api_net(u->w->p->api));
    u->pause = (struct timer){.at = loop_now(l) + step_of(u->w, STEP_SYNC)->every * 1000, .op = {.done = paused, .owner = u}};
    loop_timer(l, &u->pause);
}

static void sync_answered(struct op *op, const struct err *e)
{
    struct unit *u = op->owner;
    const struct step *s = step_of(u->w, STEP_SYNC);
    const json_t *answer = u->r.call.json;
    const char *name = u->w->p->section->name, *zone = u->w->b->zone;
    struct err why = {0};
    if (!e && conditions_hold(&s->done, answer, answer)) {
        unit_settled(u, CHANGE_DONE, NULL);
    } else if (!e && s->failed.n && conditions_hold(&s->failed, answer, answer)) {
        char shown[120];
        err_set(&why, RC_WRITE, "API_STATUS", "[provider %s]: the API took the change in zone %s and then could not carry it out: %s", name,
                zone, api_show(&u->r.call, api_words(answer), shown, sizeof shown));
        unit_settled(u, CHANGE_UNSURE, &why);
    } else if (clock_now() >= u->until) {
        err_set(&why, RC_NET, "API_SYNC", "[provider %s]: the API took the change in zone %s and does not say that it is done after %d s",
                name, zone, (int)s->limit);
        err_again(&why, 0);
        unit_settled(u, CHANGE_UNSURE, e ? e : &why);
    } else {
        wait_sync(u); /* an answer that went wrong is no reason to give up before the time is over */
    }
}

static void ask_sync(struct unit *u)
{
    const struct writing *w = u->w;
    const struct scope s = {.zone = w->b->zone, .zone_id = w->entry.known ? w->entry.known->id : NULL, .sync = u->sync};
    u->r.op = (struct op){.done = sync_answered, .owner = u};
    request_start(w->p, &u->r, step_of(w, STEP_SYNC), &s, NULL);
}

/* --- one request ---------------------------------------------------------------------------------------------------------------------- */

/* Halves end where a set ends. */
static size_t half(const struct unit *u)
{
    const struct change *c = u->w->b->c;
    size_t k = u->n / 2;
    while (k && k < u->n && sets(u->w) && c[u->from + k].after == c[u->from + k - 1].after)
        k++;
    return k;
}

static void refused(struct unit *u, const struct err *e)
{
    struct writing *w = u->w;
    bool unsure = api_unsure(&u->r.call), conflict = u->r.answer == ANSWER_CONFLICT;
    size_t k = half(u);
    if (u->n_item > 1 && !unsure && !conflict && k && k < u->n && strcmp(e->code, "API_STATUS") == 0) {
        size_t from = u->from, n = u->n;
        unit_end(u);
        w->open--;
        unit_add(w, from, k);
        unit_add(w, from + k, n - k);
        return;
    }
    unit_settled(u, unsure ? CHANGE_UNSURE : conflict ? CHANGE_CONFLICT : CHANGE_REFUSED, e);
}

/* A request whose answer got lost, and was made again, leaves a record twice: all of them go. */
static bool once_more(struct unit *u)
{
    struct provider *p = u->w->p;
    const struct item *i = u->item;
    if (u->n_item != 1 || i->add || i->after || !i->ref)
        return false;
    refs_spend(p, u->w->b->zone, i->owner, i->value);
    u->item->ref = refs_find(p, u->w->b->zone, i->owner, i->value);
    return u->item->ref != NULL;
}

static void answered(struct op *op, const struct err *e)
{
    struct unit *u = op->owner;
    const json_t *answer = u->r.call.json;
    if (e) {
        struct err why = *e;
        refused(u, &why);
        return;
    }
    if (once_more(u)) {
        unit_start(u);
        return;
    }
    char *ref = u->n_item == 1 && u->item->add ? pick_text(&u->r.step->ref, answer, answer) : NULL;
    if (ref)
        snprintf(u->w->b->c[u->from].new_ref, sizeof u->w->b->c[u->from].new_ref, "%s", ref);
    free(ref);
    u->sync = step_of(u->w, STEP_SYNC) ? pick_text(&u->r.step->sync, answer, answer) : NULL;
    if (!u->sync) {
        unit_settled(u, CHANGE_DONE, NULL);
        return;
    }
    u->until = clock_now() + step_of(u->w, STEP_SYNC)->limit;
    ask_sync(u);
}

static const struct step *unit_step(const struct unit *u)
{
    const struct writing *w = u->w;
    const struct step *batch = step_of(w, STEP_BATCH), *write = step_of(w, STEP_WRITE), *create = step_of(w, STEP_CREATE),
                      *empty = step_of(w, STEP_REMOVE);
    const struct change *c = &w->b->c[u->from];
    if (u->n_item > 1 && batch)
        return batch;
    if (!sets(w))
        return step_of(w, u->item->add ? STEP_ADD : STEP_DELETE);
    return !c->after->n && empty ? empty : !c->before->n && create ? create : write;
}

static void unit_start(struct unit *u)
{
    struct writing *w = u->w;
    const struct scope s = {
        .zone = w->b->zone, .zone_id = w->entry.known ? w->entry.known->id : NULL, .item = u->item, .all = u->item, .n = u->n_item};
    u->r.op = (struct op){.done = answered, .owner = u};
    request_start(w->p, &u->r, unit_step(u), &s, NULL);
}

/* --- which requests ------------------------------------------------------------------------------------------------------------------- */

static uint32_t ttl_of(const struct described *t, uint32_t ttl)
{
    return ttl < t->ttl_least ? t->ttl_least : ttl > t->ttl_most ? t->ttl_most : ttl;
}

static bool deletes_by_ref(const struct described *t)
{
    const struct step *s = &t->step[STEP_DELETE];
    return s->given && (t->step[STEP_READ].ref.given || t->step[STEP_LIST].ref.given);
}

static struct item item_of(const struct writing *w, const struct change *c)
{
    const struct described *t = w->p->type;
    struct item i = {.add = c->add, .owner = c->rec->owner, .value = c->rec->value, .ttl = ttl_of(t, c->rec->ttl), .ref = c->ref};
    if (sets(w)) {
        i.add = false;
        i.after = c->after;
        i.tag = c->before->tag;
        i.ref = c->before->rest;
        i.ttl = c->before->n && c->after->ttl ? c->after->ttl : ttl_of(t, c->after->ttl); /* an existing set keeps what it has */
    } else if (!c->add && deletes_by_ref(t)) {
        i.ref = refs_find(w->p, w->b->zone, c->rec->owner, c->rec->value);
    }
    return i;
}

static bool same_set(const struct writing *w, size_t a, size_t b)
{
    return sets(w) && w->b->c[a].after == w->b->c[b].after;
}

static void unit_add(struct writing *w, size_t from, size_t n)
{
    for (; n && w->b->c[from].result != CHANGE_OPEN; n--) /* the first one is what the request is made and judged by */
        from++;
    if (!n)
        return;
    struct unit *u = mem_new(sizeof *u);
    *u = (struct unit){.next = w->unit, .w = w, .from = from, .n = n, .item = mem_array(n, sizeof *u->item)};
    w->unit = u;
    for (size_t i = from; i < from + n; i++)
        if (w->b->c[i].result == CHANGE_OPEN && (i == from || !same_set(w, i, i - 1)))
            u->item[u->n_item++] = item_of(w, &w->b->c[i]);
    w->open++;
    unit_start(u);
}

/* A record that is not there to be deleted, one that the service drops by itself, one that stands there and waits for its [commit]. */
static bool needs_no_request(const struct writing *w, const struct change *c)
{
    const struct described *t = w->p->type;
    bool there = refs_has(w->p, w->b->zone, c->rec->owner, c->rec->value);
    if (sets(w))
        return false;
    return c->add ? there && t->ops.caps & COMMITS : t->keeps || (deletes_by_ref(t) && !there);
}

static void mark_done(struct writing *w)
{
    for (size_t i = 0; i < w->b->n; i++)
        if (needs_no_request(w, &w->b->c[i]))
            w->b->c[i].result = CHANGE_DONE;
}

static void make_units(struct writing *w)
{
    const struct step *batch = step_of(w, STEP_BATCH);
    size_t most = batch ? (size_t)batch->most : 1, from = 0, n = w->b->n;
    mark_done(w);
    w->open++; /* until all are made */
    while (from < n) {
        size_t end = from, items = 0;
        if (w->b->c[from].result != CHANGE_OPEN) {
            from++;
            continue;
        }
        for (; end < n; end++) {
            bool counts = w->b->c[end].result == CHANGE_OPEN && (end == from || !same_set(w, end, end - 1));
            if (counts && items == most)
                break;
            items += counts;
        }
        unit_add(w, from, end - from);
        from = end;
    }
    if (!--w->open)
        all_written(w);
}

/* Descriptions know TXT alone, and a condition that has no value is none. */
static void refuse_unsound(struct writing *w)
{
    const char *name = w->p->section->name, *type = w->p->type->ops.type;
    for (size_t i = 0; i < w->b->n; i++) {
        const struct change *c = &w->b->c[i];
        struct err e = {0};
        if (c->rec->type != TYPE_TXT)
            err_set(&e, RC_WRITE, "API_VALUE", "[provider %s]: providers of type %s write TXT records alone", name, type);
        else if (w->p->type->ops.caps & HAS_CAS && c->before->n && !*c->before->tag)
            err_set(&e, RC_PAGES, "API_ANSWER",
                    "[provider %s]: the TXT set at %s came without the tag that the description of type %s names; it is not written over "
                    "unguarded",
                    name, c->rec->owner, type);
        if (e.rc != RC_OK)
            mark(w, i, 1, CHANGE_REFUSED, &e);
    }
}

/* --- before --------------------------------------------------------------------------------------------------------------------------- */

static void searched(struct op *op, const struct err *e)
{
    struct writing *w = op->owner;
    if (!e) {
        make_units(w);
        return;
    }
    struct err why = *e;
    mark(w, 0, w->b->n, CHANGE_REFUSED, &why);
    finish(w);
}

static void entered(struct op *op, const struct err *e)
{
    struct writing *w = op->owner;
    if (e) {
        searched(op, e);
        return;
    }
    w->search =
        (struct lookup){.zone = w->b->zone, .set = mem_array(w->b->n + 1, sizeof(struct rrset)), .op = {.done = searched, .owner = w}};
    for (size_t i = 0; i < w->b->n && deletes_by_ref(w->p->type); i++) {
        const char *owner = w->b->c[i].rec->owner;
        bool asked = w->search.n && strcmp(w->search.set[w->search.n - 1].owner, owner) == 0;
        if (!w->b->c[i].add && !asked && !refs_known(w->p, w->b->zone, owner))
            w->search.set[w->search.n++].owner = owner;
    }
    if (w->search.n)
        described_read(w->p, &w->search);
    else
        make_units(w);
}

void described_apply(struct provider *p, struct batch *b)
{
    struct writing *w = mem_new(sizeof *w);
    *w = (struct writing){.p = p, .b = b, .entry = {.op = {.done = entered, .owner = w}}};
    b->impl = w;
    op_start(&b->op, detach);
    for (size_t i = 0; i < b->n; i++)
        b->c[i].result = CHANGE_OPEN;
    refuse_unsound(w);
    entry_start(p, &w->entry, b->zone);
}
