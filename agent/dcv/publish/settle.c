/* settle.c: what the read-back proves, row by row. */
#include "dcv/publish/publish_impl.h"

#include <string.h>

static void refused(const struct lane *l, const struct prow *r, const struct change *c, struct err *why)
{
    *why = c->err;
    err_at(why, "%s", r->owner);
    err_set(why, RC_WRITE, "WRITE_REFUSED", "[provider %s] refused to %s the TXT in zone %s and did not say why", l->src->name,
            c->add ? "add" : "delete", l->zone);
}

static void conflicted(const struct lane *l, const struct prow *r, const struct change *c, struct err *why)
{
    *why = c->err;
    err_at(why, "%s", r->owner);
    err_set(why, RC_WRITE, "WRITE_CONFLICT", "[provider %s]: somebody else changed the TXT in zone %s at the same moment; ours was not %s",
            l->src->name, l->zone, c->add ? "added" : "deleted");
    err_again(why, why->not_before);
}

static void unsure(const struct lane *l, const struct prow *r, const struct change *c, struct err *why)
{
    *why = c->err;
    err_at(why, "%s", r->owner);
    err_set(why, RC_NET, "WRITE_UNSURE", "[provider %s] did not say whether the TXT in zone %s was %s; read back: it was not", l->src->name,
            l->zone, c->add ? "added" : "deleted");
    err_again(why, why->not_before);
}

static bool is_gone(struct lane *l, struct prow *r, struct err *e)
{
    if (!tell_evidence(l->p, r, "deleted", e))
        return false;
    r->row.written = 0;
    r->row.ref[0] = '\0';
    if (!r->row.wanted)
        return row_settled(l->p, r, LEDGER_GONE, e);
    r->row.state = LEDGER_INTENDED; /* wanted again while the delete was under way */
    r->tries = 0;
    r->due = 0;
    r->unsure = r->failed = false;
    return row_put(l->p, r, e);
}

static bool is_present(struct lane *l, struct prow *r, const struct change *c, struct err *e)
{
    if (c->result == CHANGE_DONE)
        memcpy(r->row.ref, c->new_ref, sizeof(r->row.ref));
    return tell_evidence(l->p, r, "added", e) && row_settled(l->p, r, LEDGER_PRESENT, e);
}

static bool settle_row(struct lane *l, struct prow *r, struct err *e)
{
    const struct change *c = &l->batch.c[r->change];
    const struct rrset *set = sets_find(&l->back, r->owner);
    bool let_go = !c->add && l->src->ops->caps & KEEPS;
    bool there = set && !set->cname && !let_go && rrset_has(set, r->row.rec.value);
    struct err why = {0};

    switch (decide_after(c->add, c->result, there, r->before, source_commits(l->src))) {
    case OUT_PRESENT:
        return is_present(l, r, c, e);
    case OUT_FOUND:
        r->row.written = r->prior;
        return tell_evidence(l->p, r, "found", e) && row_settled(l->p, r, LEDGER_FOUND, e);
    case OUT_GONE:
        return is_gone(l, r, e);
    case OUT_NOT_APPLIED:
        r->unsure |= c->add; /* some servers hand updates on and say yes at once */
        why_not_applied(l, r, c->add, &why);
        why.again = true;
        break;
    case OUT_REFUSED:
        if (c->add) /* nothing left: what appears there later is not ours */
            r->row.written = r->prior;
        refused(l, r, c, &why);
        break;
    case OUT_CONFLICT:
        if (c->add)
            r->row.written = r->prior;
        conflicted(l, r, c, &why);
        break;
    case OUT_AGAIN:
        r->unsure |= c->add || source_commits(l->src);
        unsure(l, r, c, &why);
        break;
    }
    return row_failed(l->p, r, &why, e);
}

/* The read-back itself failed: nothing is known but what was refused for certain. */
static bool settle_blind(struct lane *l, struct prow *r, struct err *e)
{
    const struct change *c = &l->batch.c[r->change];
    struct err why = l->err;

    if (c->result == CHANGE_REFUSED || c->result == CHANGE_CONFLICT) {
        if (c->add)
            r->row.written = r->prior;
        (c->result == CHANGE_REFUSED ? refused : conflicted)(l, r, c, &why);
    } else {
        r->unsure |= c->add || source_commits(l->src);
    }
    return row_failed(l->p, r, &why, e);
}

bool lane_settle(struct lane *l, struct err *e)
{
    bool blind = l->err.rc != RC_OK, missing = false;

    if (l->restoring)
        return foreign_restored(l, e);
    if (!blind && !foreign_missing(l, &missing, e))
        return false;
    for (size_t i = 0; i < l->n; i++)
        if (!(blind ? settle_blind(l, l->row[i], e) : settle_row(l, l->row[i], e)))
            return false;
    if (missing)
        foreign_probe(l);
    else if (l->guarded)
        return blind ? guard_later(l, e) : guard_drop(l, e);
    return true;
}
