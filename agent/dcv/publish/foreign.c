/* foreign.c: the proof that values of others survived our write, and their way back where a provider lost them. */
#include "dcv/publish/publish_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/names.h"

static bool deleted_by_us(const struct lane *l, const char *owner, struct bytes value)
{
    for (size_t k = 0; k < l->batch.n; k++)
        if (!l->batch.c[k].add && strcmp(l->rec[k].owner, owner) == 0 && l->rec[k].value.n == value.n &&
            (value.n == 0 || memcmp(l->rec[k].value.p, value.p, value.n) == 0))
            return true;
    return false;
}

/* Rows of orders look in every run. Those of `txt add` do not: what this run does not come to, the next one finds out by their not being settled. */
static bool look_again(struct prow *r, struct err *e)
{
    r->recheck = true;
    if (*r->row.order || r->row.state != LEDGER_PRESENT || !r->row.settled)
        return true;
    r->row.settled = 0;
    return row_put(r->lane->p, r, e);
}

/* A value of ours that went too: its rows look again, and put it back. */
bool foreign_look_again(struct prow *const *all, size_t n, const char *owner, struct bytes value, struct err *e)
{
    bool ok = true;

    for (size_t i = 0; ok && i < n; i++)
        if (!all[i]->busy && strcmp(all[i]->owner, owner) == 0 && all[i]->row.rec.value.n == value.n &&
            (value.n == 0 || memcmp(all[i]->value, value.p, value.n) == 0))
            ok = look_again(all[i], e);
    return ok;
}

void foreign_note(struct lane *l, const struct rrset *set, size_t i)
{
    struct lost *v;

    l->lost = mem_grow(l->lost, l->n_lost + 1, sizeof(*l->lost));
    v = &l->lost[l->n_lost++];
    *v = (struct lost){.owner = mem_str(set->owner), .n = set->octets[i].n, .ttl = set->ttl};
    v->p = mem_copy(set->octets[i].p, v->n);
    v->native = mem_str(set->native ? set->native[i] : NULL);
}

static bool compare(struct lane *l, struct prow *const *all, size_t n, const struct rrset *was, const struct rrset *is, struct err *e)
{
    bool ok = true;

    for (size_t i = 0; ok && i < was->n; i++) {
        struct bytes v = was->octets[i];

        if (rrset_has(is, v) || deleted_by_us(l, was->owner, v))
            continue;
        if (value_ours(all, n, was->owner, v))
            ok = foreign_look_again(all, n, was->owner, v, e);
        else
            foreign_note(l, was, i);
    }
    if (was->n && is->n && was->ttl != is->ttl)
        tell_ttl(l, was->owner, was->ttl, is->ttl);
    return ok;
}

bool foreign_missing(struct lane *l, bool *missing, struct err *e)
{
    struct prow **all;
    size_t n, had = l->n_lost;
    bool ok = true;

    *missing = false;
    if (l->src->ops->caps & KEEPS)
        return true;
    n = lane_rows(l, &all);
    for (size_t i = 0; ok && i < l->back.n; i++) {
        const struct rrset *was = sets_find(&l->look, l->back.set[i].owner);

        ok = !was || compare(l, all, n, was, &l->back.set[i], e);
    }
    free(all);
    *missing = l->n_lost > had;
    return ok;
}

static void leave_rows(struct lane *l)
{
    for (size_t i = 0; i < l->n; i++)
        l->row[i]->busy = false;
    l->n = 0;
}

static void look_at(struct lookup *l, const char *owner)
{
    if (!sets_find(l, owner))
        l->set[l->n++].owner = owner;
}

/* Looks once more, and beside: what a wildcard showed at this name is hidden by the first record of the name's own (RFC 4592), and not lost. */
void foreign_probe(struct lane *l)
{
    leave_rows(l);
    sets_clear(&l->back);
    sets_for(&l->back, l->zone, 2 * l->n_lost);
    for (size_t i = 0; i < l->n_lost; i++) {
        struct lost *v = &l->lost[i];

        look_at(&l->back, v->owner);
        if (name_same(v->owner, l->zone) || !name_within(v->owner, l->zone))
            continue;
        v->sibling = mem_fmt("dcv-%08x.%s", (unsigned)(clock_now() * 2654435761u), name_parent(v->owner));
        if (strlen(v->sibling) < NAME_SIZE)
            look_at(&l->back, v->sibling);
    }
    lane_probe(l);
}

static void lost_free(struct lost *v)
{
    free(v->owner);
    free(v->native);
    free(v->sibling);
    free(v->p);
}

static bool stands_at(const struct lane *l, const struct lost *v, const char *owner)
{
    const struct rrset *set = owner && l->err.rc == RC_OK ? sets_find(&l->back, owner) : NULL;

    return set && rrset_has(set, (struct bytes){v->p, v->n});
}

/* The sets as they stand now, of the owners concerned; their names are the lost values', since the rows may be gone by then. */
static void keep_sets(struct lane *l)
{
    size_t kept = 0;

    sets_clear(&l->look);
    l->look = l->back;
    l->back = (struct lookup){0};
    for (size_t i = 0; i < l->look.n; i++) {
        struct rrset set = l->look.set[i];
        const char *owner = NULL;

        for (size_t k = 0; k < l->n_lost && !owner; k++)
            owner = strcmp(l->lost[k].owner, set.owner) == 0 ? l->lost[k].owner : NULL;
        set.owner = owner;
        if (owner)
            l->look.set[kept++] = set;
        else
            rrset_clear(&set);
    }
    l->look.n = kept;
}

static bool foreign_restore(struct lane *l, struct prow *const *all, size_t n, struct err *e)
{
    batch_clear(l);
    keep_sets(l);
    l->restoring = l->missing = true;
    l->batch = (struct batch){.zone = l->zone, .c = mem_array(l->n_lost, sizeof(struct change)), .n = l->n_lost};
    l->rec = mem_array(l->n_lost, sizeof(*l->rec));
    for (size_t i = 0; i < l->n_lost; i++) {
        const struct lost *v = &l->lost[i];

        l->rec[i] = (struct record){.owner = v->owner, .type = TYPE_TXT, .ttl = v->ttl, .value = {v->p, v->n}};
        l->batch.c[i] = (struct change){.add = true, .rec = &l->rec[i], .ref = ""};
    }
    if (!guard_set(l, all, n, e))
        return false;
    lane_write(l);
    return true;
}

/* Another value of its kind stands there, which neither stood there before our write nor is ours. */
static bool is_changed(const struct lane *l, struct prow *const *all, size_t n, const struct lost *v)
{
    const struct rrset *was = sets_find(&l->look, v->owner), *is = l->err.rc == RC_OK ? sets_find(&l->back, v->owner) : NULL;

    for (size_t i = 0; was && is && i < is->n; i++)
        if (decide_succeeds((struct bytes){v->p, v->n}, is->octets[i]) && !rrset_has(was, is->octets[i]) &&
            !value_ours(all, n, v->owner, is->octets[i]))
            return true;
    return false;
}

/* false: it has to be put back. */
static bool is_settled(const struct lane *l, struct prow *const *all, size_t n, const struct lost *v, enum fate *fate)
{
    *fate = stands_at(l, v, v->sibling) ? FATE_HIDDEN : is_changed(l, all, n, v) ? FATE_CHANGED : FATE_LOST;
    return *fate != FATE_LOST || !l->guarded || guard_is_old(l);
}

/* What is still missing may be our doing, and is put back then. Not guarded: the loss is somebody else's doing. */
bool foreign_probed(struct lane *l, struct err *e)
{
    size_t n = l->n_lost, kept = 0, n_all;
    struct prow **all;
    bool ok = true;

    if (l->guarded && l->err.rc != RC_OK)
        return guard_later(l, e);
    n_all = lane_rows(l, &all);
    for (size_t i = 0; i < n; i++) {
        struct lost v = l->lost[i];
        enum fate fate;

        if (stands_at(l, &v, v.owner))
            continue;
        if (is_settled(l, all, n_all, &v, &fate)) {
            ok = ok && tell_lost(l, &v, fate, e);
        } else {
            l->lost[i] = l->lost[kept];
            l->lost[kept++] = v;
        }
    }
    l->n_lost = kept;
    if (ok && kept)
        ok = foreign_restore(l, all, n_all, e);
    else if (ok && l->guarded)
        ok = guard_drop(l, e);
    free(all);
    for (size_t i = kept; i < n; i++) /* the sets that were probed bear their names until here */
        lost_free(&l->lost[i]);
    return ok;
}

/* Worth another try in this run, with why. */
static bool may_come(const struct lane *l, const struct change *c, struct err *why)
{
    if ((c->result == CHANGE_REFUSED && !c->err.again) || l->owed_tries + 1 >= TRIES_ANSWERED)
        return false;
    *why = c->err;
    return true;
}

/* The write that puts values back may lose others in its turn. */
bool foreign_restored(struct lane *l, struct err *e)
{
    struct err why = {0};
    size_t n = l->n_lost;
    bool open;

    if (l->err.rc != RC_OK)
        return guard_later(l, e);
    if (!foreign_missing(l, &open, e))
        return false;
    for (size_t i = 0; i < n; i++)
        open |= !stands_at(l, &l->lost[i], l->lost[i].owner) && may_come(l, &l->batch.c[i], &why);
    for (size_t i = 0; i < n; i++) {
        bool back = stands_at(l, &l->lost[i], l->lost[i].owner);

        if ((back || !open) && !tell_lost(l, &l->lost[i], back ? FATE_RESTORED : FATE_LOST, e)) /* lost: said at the last try */
            return false;
    }
    if (!open)
        return guard_drop(l, e);
    l->err = why;
    err_set(&l->err, RC_NET, "WRITE_UNSURE", "[provider %s] does not show all TXT values of others in zone %s that were put back",
            l->src->name, l->zone);
    err_again(&l->err, l->err.not_before);
    return guard_later(l, e);
}

void foreign_clear(struct lane *l)
{
    for (size_t i = 0; i < l->n_lost; i++)
        lost_free(&l->lost[i]);
    free(l->lost);
    l->lost = NULL;
    l->n_lost = 0;
}
