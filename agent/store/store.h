/* store.h: what the agent remembers: orders, ledger of records, certificates, evidence, inbox. The only SQL of the project.
 *
 * One SQLite database state_dir/state.db (0600, WAL, synchronous FULL). One writer at a time: the holder of run.lock; people's hand-overs
 * (inbox_put) are short transactions of their own. Readers need nothing.
 *
 * A writer works in turns: all changes of a turn are one transaction, opened by the first change and ended by store_turn().
 * Effects on the world are queued with store_then() and start only after that COMMIT (intent before effect).
 *
 * Callbacks may write and ask again: all rows were read before the first call (not so order_history and evidence_each, which may be long:
 * their callbacks must not write). A failed change spoils its turn: store_turn() then rolls it back and gives that first error.
 *
 * Ownership: rows handed to callbacks are borrowed until the callback returns; their strings are never NULL. Strings in rows given to *_put
 * are copied; NULL is stored as "". struct err of a row: code is static text for good, NULL where rc is RC_OK.
 * Times are wall clock, seconds. Faults: RC_STATE, code STORE (or STORE_NEWER, STORE_DAMAGED); RC_PERM where this user has no right;
 * RC_BUG for a change through a reader. */
#ifndef DCV_STORE_STORE_H
#define DCV_STORE_STORE_H

#include "base/err.h"
#include "base/record.h"

struct store;

/* --- opening ------------------------------------------------------------------------------------------------------------------- */

/* Opens dir/state.db. writer: creates folder (0711), keys/ (0700), archive/ and live/ (0755) and database where missing, migrates an older
 * schema.
 * A reader of a store that does not exist yet gets an empty one in memory. Refuses a newer schema version, network file systems and a
 * database that fails SQLite's quick check (made by writers where the file is below 64 MiB or was not closed cleanly; the file stays, one
 * copy is kept as state.db.damaged-TIME). On failure *s is NULL. A symbolic link as dir is followed if it is root's or ours. */
bool store_open(struct store **s, const char *dir, bool writer, struct err *e);
void store_close(struct store *s);
const char *store_dir(const struct store *s); /* without symbolic links */
const char *store_library(void);              /* version of SQLite, as it runs */

/* The one run lock (flock on dir/run.lock). false with RC_LATER, code LOCKED, where another run holds it; file systems without
 * locks are refused with RC_STATE. Held until store_close. */
bool store_lock(struct store *s, struct err *e);

/* The machine this store belongs to (machine-id). First writer: noted. Another machine: RC_LATER, code STORE_FOREIGN_MACHINE, says
 * `dcvagent state adopt`. A machine without an id is accepted. Both are in the turn's transaction if one is open, else in their own. */
bool store_machine(struct store *s, struct err *e);
bool store_adopt(struct store *s, struct err *e);

/* A consistent copy of the database, keys/, archive/ and live/ as one file (tar, 0600), never overwriting (code EXISTS). Not inside a
 * turn. */
bool store_backup(struct store *s, const char *file, struct err *e);

/* --- turns --------------------------------------------------------------------------------------------------------------------- */

bool store_begin(struct store *s, struct err *e); /* opens the turn before its first change: thousands of reads behind it need no lock each */
void store_then(struct store *s, void (*effect)(void *arg), void *arg); /* runs after the commit of this turn, in order */
void store_then_forget(struct store *s, void *arg);                     /* drops queued effects with this arg */
bool store_turn(struct store *s, struct err *e); /* COMMIT, then the effects; on failure none of them starts: RC_STATE */
bool store_clean(const struct store *s);         /* nothing uncommitted; every effect asserts it */
bool store_effects(const struct store *s);       /* effects are queued */
int64_t store_version(struct store *s);          /* changes when another connection wrote (PRAGMA data_version) */

/* --- ledger of records --------------------------------------------------------------------------------------------------------- */

enum ledger_state {
    LEDGER_FOUND,    /* stood there before us: used, never deleted */
    LEDGER_INTENDED, /* may exist */
    LEDGER_PRESENT,  /* read back at the authority */
    LEDGER_LEAVING,  /* delete intended */
    LEDGER_GONE      /* read back as absent */
};
extern const char *const ledger_state_words[];

#define LEDGER_REHEARSAL "rehearse" /* the order of probe rows */

struct ledger_row {
    int64_t id;
    char order[24];   /* "" for txt add, LEDGER_REHEARSAL for probes */
    const char *cert; /* certificate section; "" */
    const char *host; /* the name it proves */
    const char *provider, *zone;
    struct record rec;
    enum ledger_state state;
    bool wanted;
    char ref[192];         /* the provider's handle for deletes */
    int64_t written;       /* when we first sent it; 0: never. A value found with written 0 was not ours */
    int64_t settled;       /* when it was read back; PRESENT and 0: a put-back may have taken it along since, it is to be looked at again */
    uint32_t old_ttl;      /* TTL of the set that stood there before; 0: there was none */
    uint32_t negative_ttl; /* of the zone, for settle = auto */
    unsigned again;        /* times it was put back after somebody removed it */
    struct err last;
};
typedef bool ledger_fn(void *arg, const struct ledger_row *row);         /* false: stop */
bool ledger_put(struct store *s, struct ledger_row *row, struct err *e); /* id 0: insert and set id; else update */
bool ledger_each(struct store *s, const char *zone, ledger_fn *fn, void *arg, struct err *e); /* open rows (not GONE); NULL: all zones */
bool ledger_of(struct store *s, const char *order, ledger_fn *fn, void *arg, struct err *e);  /* all rows of an order, GONE too */

/* --- orders -------------------------------------------------------------------------------------------------------------------- */

struct saved_order {
    char id[24];     /* date and 40 random bits, "20261128-0f3a9c21d7": never used again, names the key file */
    char *cert, *ca; /* sections it was begun with */
    char *names;     /* as ordered, blanks between, first is the CN */
    char *key_type;  /* words of conf */
    char *reference; /* reference number it was begun with; "" */
    char *handle;    /* the CA's JSON (URLs, codes, flags), no secret */
    char *facts;     /* the order's JSON: what steps remember (places, forecast, attempts, chosen archive number), no secret */
    char state[12], waits[12];
    int64_t begun, changed, waiting_since, deadline, due; /* due: not before; deadline: of the wait or the code; 0: none */
    int64_t subscription_end;
    struct bytes csr, certificate; /* DER; PEM of leaf and chain as accepted */
    char spki[65];                 /* SHA-256 of the key's SubjectPublicKeyInfo, hex; "" before the key exists */
    bool sent;                     /* the CSR may have left the machine */
    unsigned failures;             /* in a row, for backoff */
    bool forced;                   /* run --force or replace: needs no due date */
    bool open;                     /* not done and not wound up */
    struct err last;               /* last failure; rc RC_OK: none */
    int64_t last_at;
};
typedef bool saved_fn(void *arg, const struct saved_order *o);
bool order_new_id(char id[24], int64_t now, struct err *e);
bool order_put(struct store *s, const struct saved_order *o, struct err *e);
bool order_each(struct store *s, const char *cert, saved_fn *fn, void *arg,
                struct err *e); /* open orders; NULL: of all certificates; oldest first */
bool order_history(struct store *s, const char *cert, saved_fn *fn, void *arg, struct err *e); /* open and closed, newest first */
void saved_order_copy(struct saved_order *to, const struct saved_order *from);
void saved_order_clear(struct saved_order *o); /* frees its strings */

/* --- certificates in use ------------------------------------------------------------------------------------------------------- */

struct saved_cert {
    const char *name;                              /* section */
    const char *ca, *names, *key_type, *reference; /* of the order that made it; "" where adopted. reference: two where reference_number= said another one */
    char serial[64], fingerprint[65];
    int64_t not_before, not_after, subscription_end;
    int64_t archive; /* N of archive/NAME/N that live/NAME shows; 0: none */
    int64_t installed;
    bool hook_due;             /* deploy_hook has not exited 0 yet: run again by each run */
    int64_t last_run, next_at; /* for status */
    const char *next_action;
    const char *ari; /* JSON kept by ACME: window, Retry-After; "" */
    struct err last;
    int64_t last_at;
    unsigned failures;
    int64_t not_before_retry; /* backoff: no new order before */
};
typedef bool cert_fn(void *arg, const struct saved_cert *c);
bool cert_put(struct store *s, const struct saved_cert *c, struct err *e);
bool cert_get(struct store *s, const char *name, cert_fn *fn, void *arg, struct err *e); /* fn not called: unknown */
bool cert_each(struct store *s, cert_fn *fn, void *arg, struct err *e);                  /* by name */
bool cert_forget(struct store *s, const char *name, struct err *e);                      /* and what waits for it in the inbox */

/* --- inbox: what a person hands over ------------------------------------------------------------------------------------------- */

struct inbox_row {
    int64_t id, at;
    const char *cert, *kind, *host; /* kind: pin code confirmed failed submitted import cancel */
    struct bytes text;              /* code, error text, certificate; never a PIN */
    int64_t received;               /* --received DATE; 0 */
};
typedef bool inbox_fn(void *arg, const struct inbox_row *row);
bool inbox_put(struct store *s, const char *cert, const char *kind, const char *host, struct bytes text, int64_t received,
               struct err *e); /* a transaction of its own (inside an open turn: the turn's), busy time 5 s */
bool inbox_each(struct store *s, inbox_fn *fn, void *arg, struct err *e); /* oldest first */
bool inbox_done(struct store *s, int64_t id, struct err *e);

/* --- evidence, notices, small values ------------------------------------------------------------------------------------------- */

/* One line of JSON about what was seen, done, or commanded by a person. order "" where none. evidence_put: in the turn's transaction if one is
 * open, else on the disk before it returns. evidence_note, for who works in turns: opens the turn, and is on the disk with it (hundreds of
 * observations a run would cost a disk flush each); called from an effect it is evidence_put. */
bool evidence_put(struct store *s, const char *cert, const char *order, const char *kind, const char *json, struct err *e);
bool evidence_note(struct store *s, const char *cert, const char *order, const char *kind, const char *json, struct err *e);
typedef bool evidence_fn(void *arg, int64_t at, const char *cert, const char *order, const char *kind, const char *json);
bool evidence_each(struct store *s, const char *cert, const char *order, evidence_fn *fn, void *arg, struct err *e); /* NULL: any; order: of this cert */

/* When this notice was said last (0: never), and noting that it is said now. Keys: "wait/shop/confirm", "fail/shop/CODE". */
int64_t notice_last(struct store *s, const char *key);
bool notice_said(struct store *s, const char *key, int64_t at, struct err *e);
bool notice_forget(struct store *s, const char *prefix, struct err *e);

/* Small values of a module (CA accounts, provider hints): text by module and key. */
bool value_put(struct store *s, const char *module, const char *key, const char *text, struct err *e); /* NULL: remove */
char *value_get(struct store *s, const char *module, const char *key);                                 /* caller frees; NULL: none */
typedef bool value_fn(void *arg, const char *key, const char *text);
bool value_each(struct store *s, const char *module, value_fn *fn, void *arg, struct err *e); /* by key */

#endif
