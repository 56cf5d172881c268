#include "dcv/publish/decide.h"

#include <string.h>
#include <strings.h>

enum deed decide_before(const struct ledger_row *r, const struct standing *others, bool recheck)
{
    if (r->state == LEDGER_GONE)
        return DEED_NONE;
    if (r->wanted) {
        if (r->state == LEDGER_PRESENT || r->state == LEDGER_FOUND)
            return recheck ? DEED_READ : DEED_NONE;
        return DEED_READ;
    }
    if (r->state == LEDGER_FOUND) /* a stranger's: it stays where it is */
        return DEED_GONE;
    if (r->written == 0) /* nothing has ever left for it */
        return DEED_GONE;
    if (others->wanted) /* the other row goes on with it, and deletes it in the end */
        return DEED_GONE;
    return DEED_READ;
}

static enum deed decide_unwanted(const struct ledger_row *r, const struct standing *others, bool there, bool unsure)
{
    if (r->state == LEDGER_FOUND || r->written == 0 || others->wanted)
        return DEED_GONE;
    return there || unsure ? DEED_DELETE : DEED_GONE;
}

enum deed decide_read(const struct ledger_row *r, const struct standing *others, const struct rrset *set, bool foreign, bool may_share,
                      bool unsure, bool uncommitted)
{
    bool there = !set->cname && rrset_has(set, r->rec.value);

    if (r->state == LEDGER_GONE)
        return DEED_NONE;
    if (!r->wanted)
        return decide_unwanted(r, others, there, unsure || uncommitted);
    if (there && r->state == LEDGER_FOUND)
        return DEED_FOUND;
    if (there && uncommitted && r->written)
        return DEED_ADD;
    if (there)
        return r->written || (others->written && !others->found) ? DEED_PRESENT : DEED_FOUND;
    if (set->cname)
        return DEED_CNAME;
    if ((r->state == LEDGER_PRESENT || r->state == LEDGER_FOUND) && r->again >= PUT_BACK_MAX)
        return DEED_REMOVED;
    return foreign && !may_share ? DEED_SHARED : DEED_ADD;
}

enum deed decide_frail(enum deed deed, bool there, bool late)
{
    if (deed != DEED_ADD && deed != DEED_DELETE)
        return deed;
    return deed == DEED_DELETE && !there && !late ? DEED_GONE : DEED_FRAIL;
}

enum outcome decide_after(bool add, enum change_result result, bool there, int64_t before, bool commits)
{
    if (commits && result == CHANGE_UNSURE)
        return OUT_AGAIN;
    if (add == there) {
        if (add && before == 0 && (result == CHANGE_REFUSED || result == CHANGE_CONFLICT))
            return OUT_FOUND;
        return add ? OUT_PRESENT : OUT_GONE;
    }
    switch (result) {
    case CHANGE_DONE:
        return OUT_NOT_APPLIED;
    case CHANGE_REFUSED:
        return OUT_REFUSED;
    case CHANGE_CONFLICT:
        return OUT_CONFLICT;
    default:
        return OUT_AGAIN;
    }
}

/* Length of what says the kind: as far as "=", of "v=" with the word behind it. 0: it says none. */
static size_t kind(struct bytes v)
{
    size_t n = 0;

    while (n < v.n && v.p[n] > ' ' && v.p[n] <= '~' && v.p[n] != '=')
        n++;
    if (n == 0 || n == v.n || v.p[n] != '=')
        return 0;
    if (n++ == 1 && (v.p[0] | 0x20) == 'v')
        while (n < v.n && v.p[n] > ' ' && v.p[n] != ';')
            n++;
    return n;
}

bool decide_succeeds(struct bytes gone, struct bytes there)
{
    size_t n = kind(gone);

    return n && kind(there) == n && strncasecmp((const char *)gone.p, (const char *)there.p, n) == 0;
}

bool decide_share(const char *word, char grade)
{
    if (word && strcmp(word, "refuse") == 0)
        return false;
    if (word && strcmp(word, "merge") == 0)
        return grade <= 'D';
    return grade == 'A' || grade == 'B';
}
