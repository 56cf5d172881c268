/* rehearse.h: every zone that records will be written in is tried for real, without a CA: a probe record is written through the ledger, watched until
 * enough see it, and deleted.
 *
 * Its name, _dcvagent-probe-RANDOM below the zone's apex, is new each time and asked of nobody but the zone's own servers before it stands there: no
 * cache comes to hold a "no" for a name that matters. Its rows in the ledger are those of the order LEDGER_REHEARSAL: what a killed rehearsal has
 * left goes with the next run, gc or rehearsal (publish_load). */
#ifndef DCV_ORDER_REHEARSE_H
#define DCV_ORDER_REHEARSE_H

#include "base/names.h"
#include "dcv/visible.h"
#include "dcv/zone/zone.h"
#include "order/session.h"

struct conf_verify;
struct section;
struct strs;

struct rehearsal {                  /* one zone at one provider; or one name that leads to none */
    char host[NAME_SIZE];           /* of a certificate: the first one that leads here */
    const struct section *provider; /* NULL: none may write there */
    const struct zone *zone;        /* NULL: not found */
    struct site probe;              /* the probe's name in it */
    char value[40];
    struct conf_verify *verify;
    int64_t written_ms, deleted_ms; /* until it was read back at the update server; -1: it was not */
    struct watch watch;             /* its views; n 0: nobody was asked */
    int64_t *seen_ms;               /* of each view, from the moment it was written; -1: not seen */
    struct err err;                 /* what went wrong first; RC_OK: nothing */
};

struct rehearsals {
    struct rehearsal *r;
    size_t n;
};

/* certs: sections; empty: all. The session has SESSION_LOCK and SESSION_NET. round (may be NULL) after each round of answers about one of them.
 * false: a signal or the store; what was written and could not be deleted within some seconds is in the ledger. */
bool rehearse(struct session *s, const struct strs *certs, void (*round)(void *arg), void *arg, struct rehearsals *out, struct err *e);
void rehearsals_free(struct rehearsals *l);

#endif
