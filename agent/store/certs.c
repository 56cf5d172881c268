/* certs.c: the certificates in use. */
#include "store/store_impl.h"

#define COLUMNS                                                                                                                            \
    "name, ca, names, key_type, reference, serial, fingerprint, not_before, not_after, subscription_end, archive, installed, hook_due, "   \
    "last_run, next_at, next_action, ari, " ERR_COLUMNS ", last_at, failures, not_before_retry"

bool cert_put(struct store *s, const struct saved_cert *c, struct err *e)
{
    struct query q;

    if (!write_begin(s, NULL, e) ||
        !query_open(&q, s,
                    "REPLACE INTO certs (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                    "?, ?, ?)",
                    e))
        return false;
    query_text(&q, c->name);
    query_text(&q, c->ca);
    query_text(&q, c->names);
    query_text(&q, c->key_type);
    query_text(&q, c->reference);
    query_text(&q, c->serial);
    query_text(&q, c->fingerprint);
    query_int(&q, c->not_before);
    query_int(&q, c->not_after);
    query_int(&q, c->subscription_end);
    query_int(&q, c->archive);
    query_int(&q, c->installed);
    query_int(&q, c->hook_due);
    query_int(&q, c->last_run);
    query_int(&q, c->next_at);
    query_text(&q, c->next_action);
    query_text(&q, c->ari);
    query_err(&q, &c->last);
    query_int(&q, c->last_at);
    query_int(&q, c->failures);
    query_int(&q, c->not_before_retry);
    return query_run(&q, e);
}

struct reader {
    cert_fn *fn;
    void *arg;
};

static bool read_row(void *arg, struct row *r)
{
    const struct reader *to = arg;
    struct saved_cert c = {.name = row_text(r)};

    c.ca = row_text(r);
    c.names = row_text(r);
    c.key_type = row_text(r);
    c.reference = row_text(r);
    row_copy(r, c.serial, sizeof c.serial);
    row_copy(r, c.fingerprint, sizeof c.fingerprint);
    c.not_before = row_int(r);
    c.not_after = row_int(r);
    c.subscription_end = row_int(r);
    c.archive = row_int(r);
    c.installed = row_int(r);
    c.hook_due = row_int(r);
    c.last_run = row_int(r);
    c.next_at = row_int(r);
    c.next_action = row_text(r);
    c.ari = row_text(r);
    row_err(r, &c.last);
    c.last_at = row_int(r);
    c.failures = (unsigned)row_int(r);
    c.not_before_retry = row_int(r);
    return to->fn(to->arg, &c);
}

bool cert_get(struct store *s, const char *name, cert_fn *fn, void *arg, struct err *e)
{
    struct reader to = {fn, arg};
    struct query q;

    if (!query_open(&q, s, "SELECT " COLUMNS " FROM certs WHERE name = ?", e))
        return false;
    query_text(&q, name);
    return query_each(&q, read_row, &to, e);
}

bool cert_each(struct store *s, cert_fn *fn, void *arg, struct err *e)
{
    struct reader to = {fn, arg};
    struct query q;

    return query_open(&q, s, "SELECT " COLUMNS " FROM certs ORDER BY name", e) && query_each(&q, read_row, &to, e);
}

static bool delete_of(struct store *s, const char *sql, const char *name, struct err *e)
{
    struct query q;

    if (!query_open(&q, s, sql, e))
        return false;
    query_text(&q, name);
    return query_run(&q, e);
}

bool cert_forget(struct store *s, const char *name, struct err *e)
{
    return write_begin(s, NULL, e) && delete_of(s, "DELETE FROM certs WHERE name = ?", name, e) &&
           delete_of(s, "DELETE FROM inbox WHERE cert = ?", name, e);
}
