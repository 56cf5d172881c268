/* evidence.c: evidence, notices that were said, small values of modules. */
#include "store/store_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

static bool put(struct store *s, const char *cert, const char *order, const char *kind, const char *json, struct err *e)
{
    struct query q;

    if (!query_open(&q, s, "INSERT INTO evidence (at, cert, order_id, kind, json) VALUES (?, ?, ?, ?, ?)", e))
        return false;
    query_int(&q, clock_now());
    query_text(&q, cert);
    query_text(&q, order);
    query_text(&q, kind);
    query_text(&q, json);
    return query_run(&q, e);
}

bool evidence_put(struct store *s, const char *cert, const char *order, const char *kind, const char *json, struct err *e)
{
    bool own;

    return write_begin(s, &own, e) && write_end(s, own, put(s, cert, order, kind, json, e), e);
}

bool evidence_note(struct store *s, const char *cert, const char *order, const char *kind, const char *json, struct err *e)
{
    if (s->now.n) /* the next effect of this turn wants a clean store */
        return evidence_put(s, cert, order, kind, json, e);
    return write_begin(s, NULL, e) && put(s, cert, order, kind, json, e);
}

struct reader {
    evidence_fn *fn;
    void *arg;
};

static bool read_evidence(void *arg, struct row *r)
{
    const struct reader *to = arg;
    int64_t at = row_int(r);
    const char *cert = row_text(r), *order = row_text(r), *kind = row_text(r), *json = row_text(r);

    return to->fn(to->arg, at, cert, order, kind, json);
}

bool evidence_each(struct store *s, const char *cert, const char *order, evidence_fn *fn, void *arg, struct err *e)
{
    const char *by = !cert    ? "SELECT at, cert, order_id, kind, json FROM evidence ORDER BY id"
                     : !order ? "SELECT at, cert, order_id, kind, json FROM evidence WHERE cert = ? ORDER BY id"
                              : "SELECT at, cert, order_id, kind, json FROM evidence WHERE cert = ? AND order_id = ? ORDER BY id";
    struct reader to = {fn, arg};
    struct query q;

    if (!query_open(&q, s, by, e))
        return false;
    if (cert)
        query_text(&q, cert);
    if (cert && order)
        query_text(&q, order);
    return query_stream(&q, read_evidence, &to, e);
}

/* --- notices ---------------------------------------------------------------------------------------------------------------------- */

static bool note_int(void *arg, struct row *r)
{
    *(int64_t *)arg = row_int(r);
    return false;
}

int64_t notice_last(struct store *s, const char *key)
{
    struct query q;
    int64_t at = 0;

    if (query_open(&q, s, "SELECT at FROM notices WHERE key = ?", NULL)) {
        query_text(&q, key);
        query_each(&q, note_int, &at, NULL);
    }
    return at;
}

bool notice_said(struct store *s, const char *key, int64_t at, struct err *e)
{
    struct query q;

    if (!write_begin(s, NULL, e) || !query_open(&q, s, "REPLACE INTO notices (key, at) VALUES (?, ?)", e))
        return false;
    query_text(&q, key);
    query_int(&q, at);
    return query_run(&q, e);
}

bool notice_forget(struct store *s, const char *prefix, struct err *e)
{
    struct query q;
    size_t n = strlen(prefix);

    if (n == 0)
        return err_set(e, RC_BUG, "STORE", "all notices were to be forgotten at once");
    if (!write_begin(s, NULL, e) || !query_open(&q, s, "DELETE FROM notices WHERE key >= ? AND key < ?", e))
        return false;
    /* Keys are compared octet by octet, and UTF-8 has no octet 0xff: this is the first text beyond all with that prefix. */
    char *beyond = mem_str(prefix);
    beyond[n - 1]++;
    query_text(&q, prefix);
    query_text(&q, beyond);
    bool ok = query_run(&q, e);
    free(beyond);
    return ok;
}

/* --- small values ----------------------------------------------------------------------------------------------------------------- */

bool value_set(struct store *s, const char *module, const char *key, const char *text, struct err *e)
{
    struct query q;

    if (!query_open(&q, s,
                    text ? "REPLACE INTO vals (module, key, text) VALUES (?, ?, ?)" : "DELETE FROM vals WHERE module = ? AND key = ?", e))
        return false;
    query_text(&q, module);
    query_text(&q, key);
    if (text)
        query_text(&q, text);
    return query_run(&q, e);
}

bool value_put(struct store *s, const char *module, const char *key, const char *text, struct err *e)
{
    return write_begin(s, NULL, e) && value_set(s, module, key, text, e);
}

static bool note_text(void *arg, struct row *r)
{
    *(char **)arg = mem_str(row_text(r));
    return false;
}

char *value_get(struct store *s, const char *module, const char *key)
{
    struct query q;
    char *text = NULL;

    if (query_open(&q, s, "SELECT text FROM vals WHERE module = ? AND key = ?", NULL)) {
        query_text(&q, module);
        query_text(&q, key);
        query_each(&q, note_text, &text, NULL);
    }
    return text;
}

struct value_reader {
    value_fn *fn;
    void *arg;
};

static bool read_value(void *arg, struct row *r)
{
    const struct value_reader *to = arg;
    const char *key = row_text(r);

    return to->fn(to->arg, key, row_text(r));
}

bool value_each(struct store *s, const char *module, value_fn *fn, void *arg, struct err *e)
{
    struct value_reader to = {fn, arg};
    struct query q;

    if (!query_open(&q, s, "SELECT key, text FROM vals WHERE module = ? ORDER BY key", e))
        return false;
    query_text(&q, module);
    return query_each(&q, read_value, &to, e);
}
