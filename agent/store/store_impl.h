/* store_impl.h: what the files of the store share. Nobody else includes it. */
#ifndef DCV_STORE_STORE_IMPL_H
#define DCV_STORE_STORE_IMPL_H

#include <sqlite3.h>

#include "store/store.h"

struct effect {
    void (*fn)(void *arg); /* NULL: forgotten */
    void *arg;
};

struct effects {
    struct effect *e;
    size_t n, size;
};

struct prepared {
    const char *sql; /* the literal's address is the key */
    sqlite3_stmt *st;
};

struct store {
    sqlite3 *db;
    char *dir, *path; /* path: dir without symbolic links, plus /state.db; NULL: an empty store in memory */
    bool writer;
    bool turn;        /* a transaction is open */
    struct err fault; /* first failed write of this turn: it cannot be committed any more */
    int lock_fd;      /* run.lock; -1 */
    int64_t version;  /* last data_version seen */
    struct prepared *prepared;
    size_t n_prepared;
    struct effects then, now; /* queued; being run */
};

/* --- query.c: statements, bound and read in the order of their columns ---------------------------------------------------------- */

struct query {
    struct store *s;
    sqlite3_stmt *st;
    int at;    /* parameters bound so far */
    bool busy; /* the prepared one was in use: this is one of its own */
};
bool query_open(struct query *q, struct store *s, const char *sql, struct err *e); /* sql: a literal */
void query_int(struct query *q, int64_t v);
void query_text(struct query *q, const char *text); /* NULL is stored as "" */
void query_blob(struct query *q, struct bytes b);
void query_err(struct query *q, const struct err *err); /* the six columns of ERR_COLUMNS */
bool query_run(struct query *q, struct err *e);         /* a change: a failure spoils the turn */

#define ERR_COLUMNS "err_rc, err_code, err_again, err_not_before, err_where, err_text"

struct cell {
    int64_t i;
    const uint8_t *p; /* NUL-terminated beyond n; never NULL */
    size_t n;
};
struct row {
    const struct cell *next;
};
int64_t row_int(struct row *r);
const char *row_text(struct row *r);
void row_copy(struct row *r, char *out, size_t size); /* a text into a fixed array */
struct bytes row_blob(struct row *r);
void row_err(struct row *r, struct err *err);

typedef bool row_fn(void *arg, struct row *r);                            /* false: stop */
bool query_each(struct query *q, row_fn *fn, void *arg, struct err *e);   /* reads all rows first: fn may write, and ask again */
bool query_stream(struct query *q, row_fn *fn, void *arg, struct err *e); /* row by row, for long histories: fn must not write */

bool store_exec(struct store *s, const char *sql, struct err *e);
bool store_number(struct store *s, const char *sql, int64_t *out, struct err *e); /* first column of the first row */
bool store_fault(struct store *s, const char *doing, struct err *e);              /* SQLite's last error in words; false */

/* --- turn.c ---------------------------------------------------------------------------------------------------------------------- */

/* Opens the turn's transaction if none is open. own (may be NULL): it was opened here, write_end() commits it at once. */
bool write_begin(struct store *s, bool *own, struct err *e);
bool write_end(struct store *s, bool own, bool ok, struct err *e);

/* --- schema.c -------------------------------------------------------------------------------------------------------------------- */

enum { SCHEMA_APPLICATION = 0x44435641 }; /* "DCVA" in the file's header */

/* Is this our database, sound, and of our version? Writers set up and migrate. *empty (readers): nothing is in it yet. */
bool schema_open(struct store *s, bool unclean, bool *empty, struct err *e);
bool schema_memory(struct store *s, struct err *e);    /* the tables of an empty store in memory */
bool schema_lost(struct store *s, struct err *e);      /* no database, yet keys: true, and a fault */
int store_folder_lock(struct store *s, struct err *e); /* short and exclusive, on the folder itself; close() ends it; -1: fault */

/* --- newfile.c: files that appear whole, under a name that was free --------------------------------------------------------------- */

struct new_file {
    char *path, *part;
    int fd;
};
bool new_file_begin(struct new_file *f, const char *path, struct err *e);
bool new_file_write(struct new_file *f, const void *p, size_t n, struct err *e);
bool new_file_end(struct new_file *f, struct err *e); /* fsync, link(2), fsync of the folder; code EXISTS where the name is taken */
void new_file_drop(struct new_file *f);               /* after a failure; also after new_file_end, where it does nothing */
bool new_file_copy(struct new_file *f, int from, uint64_t size, struct err *e); /* size octets of an open file */

/* --- evidence.c ------------------------------------------------------------------------------------------------------------------ */

bool value_set(struct store *s, const char *module, const char *key, const char *text, struct err *e); /* inside an open transaction */

#endif
