/* inbox.c: what a person handed over, waiting for the next turn. */
#include "store/store_impl.h"

#include "base/clock.h"

bool inbox_put(struct store *s, const char *cert, const char *kind, const char *host, struct bytes text, int64_t received, struct err *e)
{
    struct query q;
    bool own;

    if (!write_begin(s, &own, e))
        return false;
    bool ok = query_open(&q, s, "INSERT INTO inbox (at, cert, kind, host, text, received) VALUES (?, ?, ?, ?, ?, ?)", e);
    if (ok) {
        query_int(&q, clock_now());
        query_text(&q, cert);
        query_text(&q, kind);
        query_text(&q, host);
        query_blob(&q, text);
        query_int(&q, received);
        ok = query_run(&q, e);
    }
    return write_end(s, own, ok, e);
}

struct reader {
    inbox_fn *fn;
    void *arg;
};

static bool read_row(void *arg, struct row *r)
{
    const struct reader *to = arg;
    struct inbox_row row = {.id = row_int(r)};

    row.at = row_int(r);
    row.cert = row_text(r);
    row.kind = row_text(r);
    row.host = row_text(r);
    row.text = row_blob(r);
    row.received = row_int(r);
    return to->fn(to->arg, &row);
}

bool inbox_each(struct store *s, inbox_fn *fn, void *arg, struct err *e)
{
    struct reader to = {fn, arg};
    struct query q;

    return query_open(&q, s, "SELECT id, at, cert, kind, host, text, received FROM inbox ORDER BY id", e) &&
           query_each(&q, read_row, &to, e);
}

bool inbox_done(struct store *s, int64_t id, struct err *e)
{
    struct query q;

    if (!write_begin(s, NULL, e) || !query_open(&q, s, "DELETE FROM inbox WHERE id = ?", e))
        return false;
    query_int(&q, id);
    return query_run(&q, e);
}
