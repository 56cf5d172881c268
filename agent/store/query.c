/* query.c: prepared statements, rows kept in memory, and SQLite's errors in words. */
#include "store/store_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

bool store_fault(struct store *s, const char *doing, struct err *e)
{
    int rc = sqlite3_extended_errcode(s->db), no = sqlite3_system_errno(s->db);
    const char *why = sqlite3_errmsg(s->db), *path = s->path ? s->path : "(in memory)";

    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        err_set(e, RC_STATE, "STORE", "cannot %s: another process has kept %s locked for more than 5 s; tried again by the next run", doing,
                path);
        return err_again(e, 0);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return err_set(e, RC_STATE, "STORE_DAMAGED",
                       "cannot %s: the database %s is damaged (%s); nothing was changed, keys/ is untouched; "
                       "the next run keeps a copy and says what to do",
                       doing, path, why);
    case SQLITE_NOMEM:
        return err_set(e, RC_RESOURCE, "STORE", "cannot %s: out of memory", doing);
    case SQLITE_FULL:
        return err_set(e, RC_STATE, "STORE", "cannot %s: no space left on the file system of %s; free some and run again", doing, path);
    case SQLITE_CANTOPEN:
        if (no == EMFILE || no == ENFILE)
            return err_set(e, RC_RESOURCE, "STORE", "cannot %s: no file descriptor left for %s", doing, path);
        if (no == ENOENT || no == EIO || no == ENOSPC)
            break;
        return err_set(e, RC_PERM, "STORE",
                       "cannot %s: no right to open %s or its -wal and -shm files (%s); run as the agent's user or as root", doing, path,
                       no ? strerror(no) : why);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return err_set(e, RC_PERM, "STORE",
                       "cannot %s: %s cannot be written (%s); run as the agent's user or as root, and see that the "
                       "file system is not mounted read-only",
                       doing, path, no ? strerror(no) : why);
    default:
        break;
    }
    return err_set(e, RC_STATE, "STORE", "cannot %s in %s: %s%s%s", doing, path, why, no ? ": " : "", no ? strerror(no) : "");
}

bool query_open(struct query *q, struct store *s, const char *sql, struct err *e)
{
    struct prepared *p = NULL;

    *q = (struct query){.s = s};
    for (size_t i = 0; i < s->n_prepared && !p; i++)
        if (s->prepared[i].sql == sql)
            p = &s->prepared[i];
    if (p && !sqlite3_stmt_busy(p->st)) {
        q->st = p->st;
        return true;
    }
    if (sqlite3_prepare_v3(s->db, sql, -1, p ? 0 : SQLITE_PREPARE_PERSISTENT, &q->st, NULL) != SQLITE_OK)
        return store_fault(s, "use the store", e);
    q->busy = p;
    if (!p) {
        s->prepared = mem_grow(s->prepared, s->n_prepared + 1, sizeof *s->prepared);
        s->prepared[s->n_prepared++] = (struct prepared){.sql = sql, .st = q->st};
    }
    return true;
}

static void query_close(struct query *q)
{
    if (q->busy) {
        sqlite3_finalize(q->st);
    } else {
        sqlite3_reset(q->st);
        sqlite3_clear_bindings(q->st);
    }
    q->st = NULL;
}

/* Values are bound without a copy: they live until query_run() or the first rows are read. */
void query_int(struct query *q, int64_t v)
{
    sqlite3_bind_int64(q->st, ++q->at, v);
}

void query_text(struct query *q, const char *text)
{
    sqlite3_bind_text(q->st, ++q->at, text ? text : "", -1, SQLITE_STATIC);
}

void query_blob(struct query *q, struct bytes b)
{
    sqlite3_bind_blob64(q->st, ++q->at, b.n ? (const void *)b.p : "", b.n, SQLITE_STATIC);
}

void query_err(struct query *q, const struct err *err)
{
    query_int(q, err->rc);
    query_text(q, err->code);
    query_int(q, err->again);
    query_int(q, err->not_before);
    query_text(q, err->where);
    query_text(q, err->text);
}

bool query_run(struct query *q, struct err *e)
{
    struct store *s = q->s;
    int rc;

    do
        rc = sqlite3_step(q->st);
    while (rc == SQLITE_ROW);
    if (rc != SQLITE_DONE) {
        struct err why = {0};
        store_fault(s, "change the store", &why);
        if (s->fault.rc == RC_OK)
            s->fault = why;
        if (e && e->rc == RC_OK)
            *e = why;
    }
    query_close(q);
    return rc == SQLITE_DONE;
}

/* One row in one piece of memory: SQLite's own may be gone or change as soon as a callback writes. */
struct kept {
    struct kept *next;
    struct cell cell[];
};

static struct kept *keep(sqlite3_stmt *st)
{
    int n = sqlite3_column_count(st);
    size_t size = sizeof(struct kept) + (size_t)n * sizeof(struct cell);

    for (int i = 0; i < n; i++)
        if (sqlite3_column_type(st, i) != SQLITE_INTEGER)
            size += (size_t)sqlite3_column_bytes(st, i) + 1;
    struct kept *k = mem_new(size);
    uint8_t *to = (uint8_t *)&k->cell[n];
    for (int i = 0; i < n; i++) {
        struct cell *c = &k->cell[i];
        if (sqlite3_column_type(st, i) == SQLITE_INTEGER) {
            c->i = sqlite3_column_int64(st, i);
            c->p = (const uint8_t *)"";
            continue;
        }
        const void *from = sqlite3_column_blob(st, i);
        c->n = (size_t)sqlite3_column_bytes(st, i);
        if (c->n)
            memcpy(to, from, c->n);
        c->p = to;
        to += c->n + 1;
    }
    return k;
}

static bool read_fault(struct query *q, int rc, struct err *e)
{
    bool ok = rc == SQLITE_DONE || rc == SQLITE_ROW || store_fault(q->s, "read the store", e);
    query_close(q);
    return ok;
}

bool query_each(struct query *q, row_fn *fn, void *arg, struct err *e)
{
    struct kept *first = NULL, **last = &first, *next;
    bool more = true;
    int rc;

    while ((rc = sqlite3_step(q->st)) == SQLITE_ROW) {
        *last = keep(q->st);
        last = &(*last)->next;
    }
    bool ok = read_fault(q, rc, e);
    for (struct kept *k = first; k; k = next) {
        next = k->next;
        more = more && ok && fn(arg, &(struct row){k->cell});
        free(k);
    }
    return ok;
}

bool query_stream(struct query *q, row_fn *fn, void *arg, struct err *e)
{
    bool more = true;
    int rc;

    while ((rc = sqlite3_step(q->st)) == SQLITE_ROW && more) {
        struct kept *k = keep(q->st);
        more = fn(arg, &(struct row){k->cell});
        free(k);
    }
    return read_fault(q, rc, e);
}

int64_t row_int(struct row *r)
{
    return r->next++->i;
}

const char *row_text(struct row *r)
{
    return (const char *)r->next++->p;
}

void row_copy(struct row *r, char *out, size_t size)
{
    const struct cell *c = r->next++;
    size_t n = c->n < size ? c->n : size - 1;

    memcpy(out, c->p, n);
    out[n] = '\0';
}

struct bytes row_blob(struct row *r)
{
    const struct cell *c = r->next++;

    return (struct bytes){.p = c->p, .n = c->n};
}

/* err.code is static text by contract, and outlives rows and stores. There are few codes. */
static const char *code_static(const char *code)
{
    static struct strs known;

    for (size_t i = 0; i < known.n; i++)
        if (!strcmp(known.s[i], code))
            return known.s[i];
    strs_add(&known, code);
    return known.s[known.n - 1];
}

void row_err(struct row *r, struct err *err)
{
    err->rc = (enum rc)row_int(r);
    const char *code = row_text(r);
    err->code = err->rc == RC_OK ? NULL : code_static(code);
    err->again = row_int(r);
    err->not_before = row_int(r);
    row_copy(r, err->where, sizeof err->where);
    row_copy(r, err->text, sizeof err->text);
}

bool store_exec(struct store *s, const char *sql, struct err *e)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK || store_fault(s, "use the store", e);
}

bool store_number(struct store *s, const char *sql, int64_t *out, struct err *e)
{
    sqlite3_stmt *st = NULL;
    bool ok = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW;

    if (ok)
        *out = sqlite3_column_int64(st, 0);
    else
        store_fault(s, "read the store", e);
    sqlite3_finalize(st);
    return ok;
}
