/* decide.h: what to do with one row of the ledger. Pure: the row, what was read, and the other open rows of the same record.
 *
 * The safety of other people's values is decided here (guard.c and foreign.c see to what a write took along all the same):
 *  - what stands there although none of our open rows has written it is FOUND, and is never deleted;
 *  - a record is deleted only by the last row that names it, and only if one of them wrote it. */
#ifndef DCV_DCV_PUBLISH_DECIDE_H
#define DCV_DCV_PUBLISH_DECIDE_H

#include "providers/provider.h"
#include "store/store.h"

enum { PUT_BACK_MAX = 3 };

struct standing {    /* the other open rows of this record: same provider, zone, owner, type and value */
    bool wanted;     /* at least one is wanted */
    bool found;      /* at least one found it there */
    int64_t written; /* the latest time one of them wrote it; 0: none has */
};

enum deed {
    DEED_NONE,    /* nothing to do */
    DEED_READ,    /* the set has to be read first */
    DEED_ADD,     /* write it */
    DEED_DELETE,  /* delete it */
    DEED_PRESENT, /* it stands there and is ours */
    DEED_FOUND,   /* it stands there and is not ours */
    DEED_GONE,    /* over, without another question to DNS */
    DEED_CNAME,   /* refused: a CNAME stands at the owner */
    DEED_SHARED,  /* refused: foreign values stand there and shared_rrset does not allow to write beside them */
    DEED_FRAIL,   /* refused: values of others stand there that could not be put back */
    DEED_REMOVED  /* refused: put back PUT_BACK_MAX times already, somebody removes it */
};

/* Before anything is asked: DEED_NONE, DEED_READ or DEED_GONE. recheck: somebody saw it missing. */
enum deed decide_before(const struct ledger_row *r, const struct standing *others, bool recheck);

/* With the set as it stands now. foreign: values that are none of our open rows'. unsure: an add of this row may still arrive late, so
 * that its delete is sent even if nothing stands there. uncommitted: what the read shows may not be in effect yet (COMMITS), so that it is
 * written once more. Never DEED_READ. */
enum deed decide_read(const struct ledger_row *r, const struct standing *others, const struct rrset *set, bool foreign, bool may_share,
                      bool unsure, bool uncommitted);

/* Of DEED_ADD and DEED_DELETE where values of others stand that could not be put back, should the write take them along. there: ours does, too;
 * late: a write of ours may still arrive. What is not there and can no more come is over. */
enum deed decide_frail(enum deed deed, bool there, bool late);

enum outcome {
    OUT_PRESENT,     /* read back: there, ours */
    OUT_FOUND,       /* there, but our write was refused and it had not been written before: a stranger's */
    OUT_GONE,        /* read back: absent */
    OUT_NOT_APPLIED, /* the server said yes and it is not there (add) or still there (delete) */
    OUT_REFUSED,     /* the change was refused: nothing was written */
    OUT_CONFLICT,    /* somebody else wrote at the same moment, and ours was not carried out: once more */
    OUT_AGAIN        /* unsure: once more */
};

/* After the read-back. there: what was read; before: `written` as it was before this write. commits: the read does not prove that it is in effect. */
enum outcome decide_after(bool add, enum change_result result, bool there, int64_t before, bool commits);

/* A value of others is missing and another one stands there: did its owner put that in its place? Yes where both begin alike as far as "="
 * ("v=spf1 ...", "vendor-verification=..."); where they have no such beginning it cannot be told: false. */
bool decide_succeeds(struct bytes gone, struct bytes there);

/* May values be written beside foreign ones? word: shared_rrset of the provider section (auto, merge, refuse). */
bool decide_share(const char *word, char grade);

#endif
