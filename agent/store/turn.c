/* turn.c: one transaction a turn; effects start after its COMMIT, or not at all. */
#include "store/store_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"

static void rollback(struct store *s)
{
    /* SQLite may have rolled back by itself (disk full); then there is nothing left to do. */
    if (!sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    s->turn = false;
    s->fault = (struct err){0};
}

static bool refuse(struct err *e, const struct err *why)
{
    if (e && e->rc == RC_OK)
        *e = *why;
    return false;
}

bool write_begin(struct store *s, bool *own, struct err *e)
{
    if (own)
        *own = false;
    if (!s->writer)
        return err_set(e, RC_BUG, "STORE", "a change of %s was asked for, but it was opened for reading only", s->dir);
    if (s->turn)
        return s->fault.rc == RC_OK || refuse(e, &s->fault);
    /* The busy time of 5 s covers people's hand-overs, which hold the lock for milliseconds. */
    if (sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return store_fault(s, "begin a transaction", e);
    s->turn = true;
    if (own)
        *own = true;
    return true;
}

bool store_begin(struct store *s, struct err *e)
{
    return write_begin(s, NULL, e);
}

static bool commit(struct store *s, struct err *e)
{
    int injected = fault_errno("commit");

    if (s->fault.rc != RC_OK) {
        refuse(e, &s->fault);
    } else if (injected) {
        err_set(e, RC_STATE, "STORE", "cannot commit to %s: %s; nothing of it was done", s->path, strerror(injected));
    } else if (sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
        store_fault(s, "commit", e);
    } else {
        s->turn = false;
        durable("commit");
        return true;
    }
    rollback(s);
    return false;
}

bool write_end(struct store *s, bool own, bool ok, struct err *e)
{
    if (!own)
        return ok;
    if (ok)
        return commit(s, e);
    rollback(s);
    return false;
}

static void effects_free(struct effects *q)
{
    free(q->e);
    *q = (struct effects){0};
}

void store_then(struct store *s, void (*effect)(void *arg), void *arg)
{
    struct effects *q = &s->then;

    if (q->n == q->size) {
        q->size = q->size ? 2 * q->size : 16;
        q->e = mem_grow(q->e, q->size, sizeof *q->e);
    }
    q->e[q->n++] = (struct effect){.fn = effect, .arg = arg};
}

static void forget(struct effects *q, const void *arg)
{
    for (size_t i = 0; i < q->n; i++)
        if (q->e[i].arg == arg)
            q->e[i].fn = NULL;
}

void store_then_forget(struct store *s, void *arg)
{
    forget(&s->then, arg);
    forget(&s->now, arg); /* an effect may end what a later one of the same turn is about */
}

bool store_turn(struct store *s, struct err *e)
{
    if (s->turn && !commit(s, e)) {
        effects_free(&s->then);
        return false;
    }
    /* What an effect queues is for the next turn. */
    s->now = s->then;
    s->then = (struct effects){0};
    for (size_t i = 0; i < s->now.n; i++)
        if (s->now.e[i].fn)
            s->now.e[i].fn(s->now.e[i].arg);
    effects_free(&s->now);
    return true;
}

bool store_clean(const struct store *s)
{
    return !s->turn;
}

bool store_effects(const struct store *s)
{
    for (size_t i = 0; i < s->then.n; i++)
        if (s->then.e[i].fn)
            return true;
    return false;
}

int64_t store_version(struct store *s)
{
    struct query q;

    if (query_open(&q, s, "PRAGMA data_version", NULL)) {
        if (sqlite3_step(q.st) == SQLITE_ROW)
            s->version = sqlite3_column_int64(q.st, 0);
        sqlite3_reset(q.st);
    }
    return s->version;
}
