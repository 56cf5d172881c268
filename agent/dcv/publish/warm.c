/* warm.c: connection and first read before the value is known, so that the write needs no round trip more. */
#include "dcv/publish/publish_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/net.h"

static int64_t now_of(const struct lane *l)
{
    return loop_now(net_loop(l->p->net));
}

static void entry_free(struct early *w)
{
    rrset_clear(&w->set);
    free(w->owner);
    free(w);
}

static void drop(struct lane *l, size_t i)
{
    entry_free(l->early[i]);
    l->early[i] = l->early[--l->n_early];
}

static struct early *entry(const struct lane *l, const char *owner, size_t *at)
{
    for (size_t i = 0; i < l->n_early; i++)
        if (strcmp(l->early[i]->owner, owner) == 0) {
            if (at)
                *at = i;
            return l->early[i];
        }
    return NULL;
}

static void warm_end(struct lane *l)
{
    free(l->warm.set); /* the values were moved or cleared */
    l->warm = (struct lookup){0};
}

static void warm_done(struct op *op, const struct err *e)
{
    struct lane *l = op->owner;

    for (size_t i = 0; i < l->warm.n; i++) {
        struct early *w = entry(l, l->warm.set[i].owner, NULL);
        const char *owner = w ? w->owner : NULL;

        if (!w || e) {
            rrset_clear(&l->warm.set[i]);
            continue;
        }
        w->set = l->warm.set[i];
        w->set.owner = owner;
        w->known = true;
        w->at = now_of(l);
    }
    for (size_t i = l->n_early; i-- > 0;)
        if (l->early[i]->asked && !l->early[i]->known)
            drop(l, i);
    warm_end(l);
}

static void effect_warm(void *arg)
{
    struct lane *l = ((struct lookup *)arg)->op.owner;

    l->warm.op.done = warm_done;
    l->src->requests++;
    l->src->ops->read(l->src->prov, &l->warm);
}

bool warm_busy(const struct lane *l)
{
    return l->warm.set != NULL;
}

void warm_pump(struct lane *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n_early; i++)
        n += !l->early[i]->asked;
    if (!n || warm_busy(l) || l->phase != LANE_IDLE)
        return;
    sets_for(&l->warm, l->zone, n);
    l->warm.op.owner = l;
    for (size_t i = 0; i < l->n_early; i++)
        if (!l->early[i]->asked) {
            l->early[i]->asked = true;
            l->warm.set[l->warm.n++].owner = l->early[i]->owner;
        }
    store_then(l->p->store, effect_warm, &l->warm);
}

/* Whoever may take values of others along writes and deletes from a read of that moment alone. */
static bool leans(const struct lane *l)
{
    return source_grade(l->src) == 'A' && !(l->src->ops->caps & (WRITES_SETS | WRITES_ZONE));
}

bool publish_connect(struct publish *p, const char *provider, const char *zone)
{
    struct source *s = source_get(p, provider);

    if (!source_open(p, s))
        return false; /* told when a row needs it */
    if (s->ops->warm)
        s->ops->warm(s->prov, zone);
    return true;
}

void publish_warm(struct publish *p, const char *provider, const char *zone, const char *owner)
{
    struct lane *l = lane_get(p, provider, zone);
    struct early *w;

    if (!publish_connect(p, provider, zone) || entry(l, owner, NULL) || !leans(l))
        return;
    w = mem_new(sizeof *w);
    w->owner = mem_str(owner);
    l->early = mem_grow(l->early, l->n_early + 1, sizeof(*l->early));
    l->early[l->n_early++] = w;
}

void warm_keep(struct lane *l)
{
    struct prow **all;
    size_t n;

    if (!leans(l))
        return;
    n = lane_rows(l, &all);
    for (size_t i = 0; i < l->back.n; i++) {
        struct rrset *set = &l->back.set[i];
        struct early *w;

        if (!set->n || set->cname || set_foreign(all, n, set) || entry(l, set->owner, NULL))
            continue;
        w = mem_new(sizeof *w);
        *w = (struct early){.owner = mem_str(set->owner), .set = *set, .at = now_of(l), .asked = true, .known = true, .ours = true};
        w->set.owner = w->owner;
        *set = (struct rrset){.owner = set->owner};
        l->early = mem_grow(l->early, l->n_early + 1, sizeof(*l->early));
        l->early[l->n_early++] = w;
    }
    free(all);
}

/* A first write may lean on an early read: the value is random, so nobody else can have put it there meanwhile. A delete may lean on the
 * read-back of the write: where no value of others stands, none can get lost. */
static bool may_lean(const struct prow *p, const struct early *w)
{
    const struct ledger_row *r = &p->row;

    if (!w || !w->known || p->tries)
        return false;
    return w->ours ? !r->wanted && r->state == LEDGER_LEAVING && !p->unsure : r->wanted && r->state == LEDGER_INTENDED && !r->written;
}

bool warm_take(struct lane *l)
{
    int64_t now = now_of(l);

    for (size_t i = 0; i < l->n; i++) {
        const struct early *w = entry(l, l->row[i]->owner, NULL);

        if (!may_lean(l->row[i], w) || now - w->at > WARM_MS)
            return false;
    }
    for (size_t i = 0; i < l->look.n; i++) {
        size_t at = 0;
        const char *owner = l->look.set[i].owner;
        struct early *w = entry(l, owner, &at);

        l->look.set[i] = w->set;
        l->look.set[i].owner = owner;
        w->set = (struct rrset){0};
        drop(l, at);
    }
    return true;
}

void warm_forget(struct lane *l, const char *owner)
{
    size_t at = 0;

    if (!warm_busy(l) && entry(l, owner, &at))
        drop(l, at);
}

void warm_free(struct lane *l)
{
    store_then_forget(l->p->store, &l->warm);
    op_cancel(&l->warm.op);
    if (warm_busy(l)) {
        for (size_t i = 0; i < l->warm.n; i++)
            rrset_clear(&l->warm.set[i]);
        warm_end(l);
    }
    while (l->n_early)
        drop(l, 0);
    free(l->early);
    l->early = NULL;
}
