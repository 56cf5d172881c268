/* publish_impl.h: what the files of the pump share. Rows live in memory and are written through; a lane is one (provider, zone). */
#ifndef DCV_DCV_PUBLISH_IMPL_H
#define DCV_DCV_PUBLISH_IMPL_H

#include "base/str.h"
#include "dcv/publish/publish.h"
#include "dcv/publish/decide.h"
#include "net/loop.h"
#include "providers/provider.h"

enum {
    TRIES_MAX = 8,      /* about two minutes of backoff, then the next run */
    TRIES_ANSWERED = 5, /* the server answers, but fails or does not do it: a quarter of a minute, for one that forwards updates */
    CHANGES_MAX = 400,  /* in one apply */
    OCTETS_MAX = 40000, /* of values and owners in one apply */
    WARM_MS = 30000,    /* how long the early read may stand for the read before the write */
    PATIENCE_S = 300    /* a server that wants to be left alone longer than this is left to the next run */
};

struct source { /* one provider section, opened once */
    struct source *next;
    char *name;
    const struct section *section; /* NULL: no longer configured */
    const struct provider_ops *ops;
    struct provider *prov;
    struct strs zones;
    struct err err; /* why it cannot be used */
    unsigned requests;
};

struct prow { /* one row, its strings owned */
    struct ledger_row row;
    char *cert, *host, *provider, *zone, *owner;
    uint8_t *value;
    uint32_t key; /* hash of order and record */
    struct lane *lane;
    bool recheck; /* somebody saw it missing */
    bool unsure;  /* an add may still arrive late; with COMMITS: what the last write left behind may not be in effect */
    bool failed;  /* stopped for this run */
    bool changed; /* its order has to hear of it */
    unsigned tries;
    int64_t due; /* loop_now(), ms: not before */
    /* of the batch under way: */
    bool busy;
    enum deed deed;
    int64_t prior, before; /* `written` of this row, and the latest of its record, before this write */
    size_t set, change;    /* indexes into the lane's sets and changes */
};

enum phase { LANE_IDLE, LANE_READ, LANE_APPLY, LANE_BACK, LANE_PROBE };

struct early { /* an owner read early */
    char *owner;
    struct rrset set;
    int64_t at; /* loop_now(), ms */
    bool asked, known;
    bool ours; /* read back after our write, and no value of others stands there */
};

struct lost { /* a value of others that went missing beside our write */
    char *owner, *native;
    char *sibling; /* a name that nobody has: does a wildcard give it the same value? NULL: not asked */
    uint8_t *p;
    size_t n;
    uint32_t ttl;
};

struct lane {
    struct lane *next;
    struct publish *p;
    struct source *src;
    char *zone;
    bool due; /* a row of it has something to do now */
    enum phase phase;
    bool ready;        /* what the phase waited for is in, */
    struct err err;    /* and how it went */
    struct prow **row; /* rows of the batch, by record */
    size_t n;
    struct strs owners; /* of look: rows may settle and go before the batch ends */
    struct lookup look; /* sets before the write */
    struct lookup back; /* sets after it */
    struct batch batch;
    struct record *rec;  /* one for each change */
    struct rrset *after; /* WRITES_SETS: one for each set of look */
    struct lost *lost;
    size_t n_lost;
    bool guarded;       /* what others had at the names of the last write is in the store, until it was seen to stand there still */
    int64_t guarded_at; /* when it was read; wall clock, s */
    bool owed;          /* the last write was never read back: that comes first, */
    int64_t owed_at;    /* loop_now(), ms: not before then, */
    unsigned owed_tries;
    struct err owed_why; /* and not in this run any more, for this reason */
    bool missing;       /* guarded values are known to be missing, until all is seen or told */
    bool restoring;     /* this apply puts values of others back */
    struct early **early;
    size_t n_early;
    struct lookup warm; /* the early read under way */
};

struct publish {
    struct net *net;
    struct store *store;
    const struct conf *conf;
    struct source *source;
    struct lane *lane;
    struct prow **row;
    size_t n, size;
    void (*changed)(void *arg, const char *order);
    void *arg;
    struct timer timer;
};

/* publish/rows.c. `all` is always the sorted list of lane_rows(). */
int row_order(const void *a, const void *b); /* qsort of struct prow *: owner, type, value */
struct prow *row_add(struct publish *p, const struct ledger_row *from);
struct prow *row_find(const struct publish *p, const struct ledger_row *like); /* same order and record */
void row_free(struct prow *r);
bool row_put(struct publish *p, struct prow *r, struct err *e);
bool row_settled(struct publish *p, struct prow *r, enum ledger_state state, struct err *e); /* FOUND, PRESENT, GONE */
bool row_failed(struct publish *p, struct prow *r, const struct err *why, struct err *e);
bool row_stopped(struct publish *p, struct prow *r, const struct err *why, struct err *e); /* the same, without another try in this run */
int64_t pause_s(unsigned tries); /* after so many */
struct standing row_others(struct prow *const *all, size_t n, size_t i);
bool row_hand_over(struct publish *p, struct prow *const *all, size_t n, size_t i, struct err *e);
struct source *source_get(struct publish *p, const char *name);
bool source_open(struct publish *p, struct source *s);
char source_grade(const struct source *s);  /* of the server, as far as it is known */
bool source_shares(const struct source *s); /* may it write beside values of others? */
struct lane *lane_get(struct publish *p, const char *provider, const char *zone);
bool source_commits(const struct source *s);
size_t lane_rows(const struct lane *l, struct prow ***out); /* its open rows, sorted; caller frees the list */
bool row_has_work(const struct prow *r); /* cheap and never too narrow; what exactly is to be done the lane finds out */

/* publish/batch.c: idle -> read -> apply -> back -> idle */
bool lane_pump(struct lane *l, struct err *e);
void lane_write(struct lane *l); /* the batch is filled in: apply it after the commit */
void lane_probe(struct lane *l); /* back is filled in: read it */
void lane_idle(struct lane *l);
bool lane_finish(struct lane *l, struct err *e); /* its rows that end without a question to DNS */
void lane_free(struct lane *l);

/* publish/sets.c */
void sets_for(struct lookup *l, const char *zone, size_t n); /* room for n owners */
void sets_clear(struct lookup *l);
struct rrset *sets_find(const struct lookup *l, const char *owner);
bool set_foreign(struct prow *const *all, size_t n, const struct rrset *set); /* has values that none of our rows wrote */
bool value_ours(struct prow *const *all, size_t n, const char *owner, struct bytes value);
void sets_merge(struct lane *l); /* WRITES_SETS: before and after of each change */
void batch_clear(struct lane *l);

/* publish/guard.c */
bool guard_load(struct publish *p, struct err *e);
bool guard_set(struct lane *l, struct prow *const *all, size_t n, struct err *e); /* look (and lost) and the batch are filled in: before each write */
bool guard_is_old(const struct lane *l);                                           /* too old to put back what it has */
bool guard_drop(struct lane *l, struct err *e);                                    /* all of it stands there, or was told */
bool guard_later(struct lane *l, struct err *e);                                   /* l->err: why nothing is known yet */
bool guard_pump(struct lane *l, struct err *e);                                    /* of a lane that owes: instead of a new batch */

/* publish/settle.c, publish/foreign.c */
bool lane_settle(struct lane *l, struct err *e); /* after the read-back; the lane is probing then, where something of others is missing */
bool foreign_missing(struct lane *l, bool *missing, struct err *e); /* values of others went while we wrote */
void foreign_note(struct lane *l, const struct rrset *set, size_t i); /* this value of a set of look is missing, or may be */
bool foreign_look_again(struct prow *const *all, size_t n, const char *owner, struct bytes value, struct err *e); /* ours may be gone too */
void foreign_probe(struct lane *l);   /* asks once more, and whether what is missing was a wildcard's */
bool foreign_probed(struct lane *l, struct err *e); /* the lane is idle, or puts back what may be missing by our doing */
bool foreign_restored(struct lane *l, struct err *e);
void foreign_clear(struct lane *l);

/* publish/warm.c */
void warm_pump(struct lane *l);
bool warm_busy(const struct lane *l);
bool warm_take(struct lane *l); /* look's values from early reads; false: they have to be asked */
void warm_forget(struct lane *l, const char *owner);
void warm_keep(struct lane *l); /* the read-back, for the deletes that may follow soon */
void warm_free(struct lane *l);

/* publish/tell.c */
bool tell_evidence(struct publish *p, const struct prow *r, const char *action, struct err *e);
enum fate { FATE_LOST, FATE_RESTORED, FATE_HIDDEN, FATE_CHANGED, FATE_UNSEEN };
bool tell_snapshot(struct lane *l, const struct rrset *set, struct err *e); /* what stands there before it is replaced */
bool tell_lost(struct lane *l, const struct lost *v, enum fate fate, struct err *e);
void tell_unseen(const struct lane *l, const struct err *why); /* what it owes waits for the next run; loudly once a day */
void tell_failed(const struct prow *r, const struct err *why);
void tell_orphan(struct publish *p, const struct prow *r, const char *heir); /* heir: the section that goes on with it; NULL: none */
void tell_ttl(const struct lane *l, const char *owner, uint32_t was, uint32_t is);
void why_refused(const struct lane *l, const struct prow *r, struct err *why); /* of DEED_CNAME, DEED_SHARED, DEED_FRAIL, DEED_REMOVED */
void why_not_applied(const struct lane *l, const struct prow *r, bool add, struct err *why);

#endif
