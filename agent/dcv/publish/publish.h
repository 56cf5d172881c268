/* publish.h: the ledger pumped into DNS: one batch in flight for each (provider, zone).
 *
 * The ledger is the work list: wanted and INTENDED -> read, add, read back -> PRESENT; not wanted -> delete, read back -> GONE. First try,
 * retry, crash recovery, clean-up, gc, txt and rehearse are this one pump. A value that stands there although no open row of ours has
 * written it is FOUND: used, never deleted. A record goes when its last wanting row goes. An existing set keeps its TTL.
 * What of others goes missing beside a write is put back, by the next run where this one ends too early (publish/guard.c).
 * Within a run what repeats by itself is tried 8 times at most (after 1, 2, 4 ... 30 s), 5 times where the server answers; the next run goes on
 * from there. */
#ifndef DCV_DCV_PUBLISH_H
#define DCV_DCV_PUBLISH_H

#include "store/store.h"

struct conf;
struct net;
struct publish;

struct publish *publish_new(struct net *n, struct store *s, const struct conf *c);
void publish_free(struct publish *p);

/* Called when a row changed state or failed: wakes whoever waits. order: "" for txt and probes. */
void publish_watch(struct publish *p, void (*changed)(void *arg, const char *order), void *arg);

/* Loads all open rows of the store (once, at the start of a run). Rows whose provider is no longer configured are said (LEDGER_ORPHAN) and go over
 * to the one that may write there now; without one they are kept and counted, never dropped. PRESENT rows of orders are checked again at the authority: somebody may have removed them.
 * Rows of a rehearsal, which did not live to delete them, are released. */
bool publish_load(struct publish *p, struct err *e);

/* A record that `order` wants; idempotent for the same (order, owner, value). ttl: what the configuration or the CA wants if there is no set yet.
 * Nothing is sent before the next turn's commit. */
bool publish_want(struct publish *p, const struct ledger_row *row, struct err *e);

/* Release: one value, or everything of an order (value NULL). */
bool publish_release(struct publish *p, const char *order, const char *owner, const struct bytes *value, struct err *e);

/* Somebody saw it missing: PRESENT rows of this order are read again and put back, at most 3 times each (then REMOVED_BY_OTHERS, RC_WRITE). */
void publish_recheck(struct publish *p, const char *order);

/* The early warmth: the connection, for which the zone may be a guess (one more, idle, of the few that a provider makes); false: the provider cannot be
 * used. */
bool publish_connect(struct publish *p, const char *provider, const char *zone);
/* And the first read too, of an owner that will be wanted soon. */
void publish_warm(struct publish *p, const char *provider, const char *zone, const char *owner);

/* Once a turn: starts what can be started, through store_then. false: the store failed. */
bool publish_pump(struct publish *p, struct err *e);
bool publish_busy(const struct publish *p); /* batches under way or retries due within this run */
/* What may have gone missing beside a write of ours is looked for (once, where an earlier run owes the look), or put back. */
bool publish_mending(const struct publish *p);

struct publish_state {
    unsigned rows, wanted, present; /* present counts FOUND too */
    unsigned applied;               /* accepted by the server, being read back */
    unsigned going;                 /* not wanted and not GONE yet */
    unsigned failed;                /* rows with an error that does not repeat by itself within this run */
    unsigned denied;                /* those of them that are wanted */
    int64_t written;                /* latest `written` of its rows */
    int64_t settle_at;              /* latest of written + (old_ttl, else negative_ttl) of its rows: settle = auto */
    struct err err;                 /* the first failed row's; where names the owners of all */
};
void publish_state(const struct publish *p, const char *order, struct publish_state *out);

/* Counters for bench and plan: requests sent to this provider section. */
unsigned publish_requests(const struct publish *p, const char *provider);

#endif
