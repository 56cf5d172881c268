/* sets.c: RRsets of a batch: what stands there, whose it is, and what will stand there. */
#include "dcv/publish/publish_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"

void sets_for(struct lookup *l, const char *zone, size_t n)
{
    *l = (struct lookup){.zone = zone, .set = mem_array(n ? n : 1, sizeof(struct rrset))};
}

void sets_clear(struct lookup *l)
{
    for (size_t i = 0; i < l->n; i++)
        rrset_clear(&l->set[i]);
    free(l->set);
    *l = (struct lookup){0};
}

struct rrset *sets_find(const struct lookup *l, const char *owner)
{
    for (size_t i = 0; i < l->n; i++)
        if (name_same(l->set[i].owner, owner))
            return &l->set[i];
    return NULL;
}

static bool same_bytes(struct bytes a, struct bytes b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool value_ours(struct prow *const *all, size_t n, const char *owner, struct bytes value)
{
    for (size_t i = 0; i < n; i++) {
        const struct ledger_row *r = &all[i]->row;

        if (r->state != LEDGER_GONE && r->state != LEDGER_FOUND && r->written && strcmp(r->rec.owner, owner) == 0 &&
            same_bytes(r->rec.value, value))
            return true;
    }
    return false;
}

bool set_foreign(struct prow *const *all, size_t n, const struct rrset *set)
{
    for (size_t i = 0; i < set->n; i++)
        if (!value_ours(all, n, set->owner, set->octets[i]))
            return true;
    return false;
}

static const char *lost_native(const struct lane *l, const char *owner, struct bytes value)
{
    for (size_t i = 0; i < l->n_lost; i++)
        if (strcmp(l->lost[i].owner, owner) == 0 && same_bytes((struct bytes){l->lost[i].p, l->lost[i].n}, value))
            return l->lost[i].native;
    return NULL;
}

/* What stands there, less what is deleted, plus what is added; values of others in the very form that the API gave. */
static void merge(const struct lane *l, const struct rrset *before, struct rrset *after)
{
    *after = (struct rrset){.owner = before->owner, .ttl = before->ttl};
    memcpy(after->tag, before->tag, sizeof(after->tag));
    for (size_t i = 0; i < before->n; i++) {
        bool goes = false;

        for (size_t k = 0; k < l->batch.n && !goes; k++)
            goes = !l->batch.c[k].add && l->batch.c[k].before == before && same_bytes(l->batch.c[k].rec->value, before->octets[i]);
        if (goes)
            continue;
        rrset_add_native(after, before->octets[i].p, before->octets[i].n, before->native ? before->native[i] : NULL);
    }
    for (size_t k = 0; k < l->batch.n; k++) {
        const struct change *c = &l->batch.c[k];

        if (!c->add || c->before != before || rrset_has(after, c->rec->value))
            continue;
        rrset_add_native(after, c->rec->value.p, c->rec->value.n, lost_native(l, before->owner, c->rec->value));
        if (!before->n)
            after->ttl = c->rec->ttl;
    }
}

void sets_merge(struct lane *l)
{
    if (!(l->src->ops->caps & WRITES_SETS))
        return;
    l->after = mem_array(l->look.n ? l->look.n : 1, sizeof(*l->after));
    for (size_t k = 0; k < l->batch.n; k++) {
        struct rrset *before = sets_find(&l->look, l->rec[k].owner);

        l->batch.c[k].before = before;
        l->batch.c[k].after = &l->after[before - l->look.set];
    }
    for (size_t i = 0; i < l->look.n; i++)
        merge(l, &l->look.set[i], &l->after[i]);
}

void batch_clear(struct lane *l)
{
    for (size_t i = 0; l->after && i < l->look.n; i++)
        rrset_clear(&l->after[i]);
    free(l->after);
    l->after = NULL;
    free(l->batch.c);
    l->batch = (struct batch){0};
    free(l->rec);
    l->rec = NULL;
}
