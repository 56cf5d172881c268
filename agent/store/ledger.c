/* ledger.c: the records we wrote, are about to write, or found. */
#include "store/store_impl.h"

#include <string.h>

const char *const ledger_state_words[] = {"found", "intended", "present", "leaving", "gone", NULL};

#define COLUMNS                                                                                                                            \
    "id, order_id, cert, host, provider, zone, owner, type, ttl, value, state, wanted, ref, written, settled, old_ttl, negative_ttl, "     \
    "again, " ERR_COLUMNS

bool ledger_put(struct store *s, struct ledger_row *row, struct err *e)
{
    struct query q;

    /* A new row has no id: SQLite gives the next one, never one that was used before. */
    if (!write_begin(s, NULL, e) ||
        !query_open(&q, s,
                    "REPLACE INTO ledger (" COLUMNS ") VALUES (NULLIF(?, 0), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                    "?, ?, ?, ?, ?, ?)",
                    e))
        return false;
    query_int(&q, row->id);
    query_text(&q, row->order);
    query_text(&q, row->cert);
    query_text(&q, row->host);
    query_text(&q, row->provider);
    query_text(&q, row->zone);
    query_text(&q, row->rec.owner);
    query_int(&q, row->rec.type);
    query_int(&q, row->rec.ttl);
    query_blob(&q, row->rec.value);
    query_text(&q, ledger_state_words[row->state]);
    query_int(&q, row->wanted);
    query_text(&q, row->ref);
    query_int(&q, row->written);
    query_int(&q, row->settled);
    query_int(&q, row->old_ttl);
    query_int(&q, row->negative_ttl);
    query_int(&q, row->again);
    query_err(&q, &row->last);
    if (!query_run(&q, e))
        return false;
    if (!row->id)
        row->id = sqlite3_last_insert_rowid(s->db);
    return true;
}

static enum ledger_state state_of(const char *word)
{
    for (int i = LEDGER_FOUND; i <= LEDGER_GONE; i++)
        if (!strcmp(word, ledger_state_words[i]))
            return (enum ledger_state)i;
    return LEDGER_INTENDED;
}

struct reader {
    ledger_fn *fn;
    void *arg;
};

static bool read_row(void *arg, struct row *r)
{
    const struct reader *to = arg;
    struct ledger_row row = {.id = row_int(r)};

    row_copy(r, row.order, sizeof row.order);
    row.cert = row_text(r);
    row.host = row_text(r);
    row.provider = row_text(r);
    row.zone = row_text(r);
    row.rec.owner = row_text(r);
    row.rec.type = (uint16_t)row_int(r);
    row.rec.ttl = (uint32_t)row_int(r);
    row.rec.value = row_blob(r);
    row.state = state_of(row_text(r));
    row.wanted = row_int(r);
    row_copy(r, row.ref, sizeof row.ref);
    row.written = row_int(r);
    row.settled = row_int(r);
    row.old_ttl = (uint32_t)row_int(r);
    row.negative_ttl = (uint32_t)row_int(r);
    row.again = (unsigned)row_int(r);
    row_err(r, &row.last);
    return to->fn(to->arg, &row);
}

bool ledger_each(struct store *s, const char *zone, ledger_fn *fn, void *arg, struct err *e)
{
    struct reader to = {fn, arg};
    struct query q;

    if (!zone) /* in the order of the index of open rows: settled ones may be a hundred times as many */
        return query_open(&q, s, "SELECT " COLUMNS " FROM ledger WHERE state <> 'gone' ORDER BY zone, id", e) &&
               query_each(&q, read_row, &to, e);
    if (!query_open(&q, s, "SELECT " COLUMNS " FROM ledger WHERE state <> 'gone' AND zone = ? ORDER BY id", e))
        return false;
    query_text(&q, zone);
    return query_each(&q, read_row, &to, e);
}

bool ledger_of(struct store *s, const char *order, ledger_fn *fn, void *arg, struct err *e)
{
    struct reader to = {fn, arg};
    struct query q;

    if (!query_open(&q, s, "SELECT " COLUMNS " FROM ledger WHERE order_id = ? ORDER BY id", e))
        return false;
    query_text(&q, order);
    return query_each(&q, read_row, &to, e);
}
