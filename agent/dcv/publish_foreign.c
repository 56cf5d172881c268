/* publish_foreign.c: the proof that values of others survived our write, and their way back where a provider lost them. */
#include "dcv/publish_impl.h"

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

/* A value of ours that went too: its rows look again, and put it back. */
static void look_again(struct prow *const *all, size_t n, const char *owner, struct bytes value)
{
    for (size_t i = 0; i < n; i++)
        if (!all[i]->busy && strcmp(all[i]->owner, owner) == 0 && all[i]->row.rec.value.n == value.n &&
            (value.n == 0 || memcmp(all[i]->value, value.p, value.n) == 0))
            all[i]->recheck = true;
}

static void note_lost(struct lane *l, const struct rrset *set, size_t i)
{
    struct lost *v;

    l->lost = mem_grow(l->lost, l->n_lost + 1, sizeof(*l->lost));
    v = &l->lost[l->n_lost++];
    *v = (struct lost){.owner = mem_str(set->owner), .n = set->octets[i].n, .ttl = set->ttl};
    v->p = mem_copy(set->octets[i].p, v->n);
    v->native = mem_str(set->native ? set->native[i] : NULL);
}

static void compare(struct lane *l, struct prow *const *all, size_t n, const struct rrset *was, const struct rrset *is)
{
    for (size_t i = 0; i < was->n; i++) {
        struct bytes v = was->octets[i];

        if (rrset_has(is, v) || deleted_by_us(l, was->owner, v))
            continue;
        if (value_ours(all, n, was->owner, v))
            look_again(all, n, was->owner, v);
        else
            note_lost(l, was, i);
    }
    if (was->n && is->n && was->ttl != is->ttl)
        tell_ttl(l, was->owner, was->ttl, is->ttl);
}

bool foreign_missing(struct lane *l)
{
    struct prow **all;
    size_t n;

    if (l->src->ops->caps & KEEPS)
        return false;
    n = lane_rows(l, &all);
    for (size_t i = 0; i < l->back.n; i++) {
        const struct rrset *was = sets_find(&l->look, l->back.set[i].owner);

        if (was)
            compare(l, all, n, was, &l->back.set[i]);
    }
    free(all);
    return l->n_lost > 0;
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

static void foreign_restore(struct lane *l)
{
    batch_clear(l);
    keep_sets(l);
    l->restoring = true;
    l->batch = (struct batch){.zone = l->zone, .c = mem_array(l->n_lost, sizeof(struct change)), .n = l->n_lost};
    l->rec = mem_array(l->n_lost, sizeof(*l->rec));
    for (size_t i = 0; i < l->n_lost; i++) {
        const struct lost *v = &l->lost[i];

        l->rec[i] = (struct record){.owner = v->owner, .type = TYPE_TXT, .ttl = v->ttl, .value = {v->p, v->n}};
        l->batch.c[i] = (struct change){.add = true, .rec = &l->rec[i], .ref = ""};
    }
    lane_write(l);
}

/* What is still missing may be our doing: it is put back, unless nothing is known of how the sets stand now. */
bool foreign_probed(struct lane *l, struct err *e)
{
    /* Single records, or a compare-and-swap that went through: the loss is somebody else's doing. */
    bool ours = source_grade(l->src) != 'A' && l->err.rc == RC_OK;
    size_t n = l->n_lost, kept = 0;
    bool ok = true;

    for (size_t i = 0; i < n; i++) {
        struct lost v = l->lost[i];
        bool hidden = stands_at(l, &v, v.sibling), back = stands_at(l, &v, v.owner);

        if (ours && !hidden && !back) {
            l->lost[i] = l->lost[kept];
            l->lost[kept++] = v;
        } else if (!back) {
            ok = ok && tell_lost(l, &v, hidden ? FATE_HIDDEN : FATE_LOST, e);
        }
    }
    l->n_lost = kept;
    if (ok && kept)
        foreign_restore(l);
    for (size_t i = kept; i < n; i++) /* the sets that were probed bear their names until here */
        lost_free(&l->lost[i]);
    return ok;
}

bool foreign_restored(struct lane *l, struct err *e)
{
    for (size_t i = 0; i < l->n_lost; i++) {
        bool back = stands_at(l, &l->lost[i], l->lost[i].owner);

        if (!tell_lost(l, &l->lost[i], back ? FATE_RESTORED : FATE_LOST, e))
            return false;
    }
    return true;
}

void foreign_clear(struct lane *l)
{
    for (size_t i = 0; i < l->n_lost; i++)
        lost_free(&l->lost[i]);
    free(l->lost);
    l->lost = NULL;
    l->n_lost = 0;
}
