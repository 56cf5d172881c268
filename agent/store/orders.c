/* orders.c: orders, open and closed. */
#include "store/store_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/str.h"

#define COLUMNS                                                                                                                            \
    "id, cert, ca, names, key_type, reference, handle, facts, state, waits, begun, changed, waiting_since, deadline, due, "                \
    "subscription_end, spki, sent, failures, forced, open, " ERR_COLUMNS ", last_at, csr, certificate"

bool order_new_id(char id[24], int64_t now, struct err *e)
{
    uint8_t random[5];
    char hex[11];
    struct tm tm;
    time_t t = (time_t)now;
    int injected = fault_errno("getrandom");
    ssize_t got;

    do
        got = injected ? -1 : getrandom(random, sizeof random, 0);
    while (got < 0 && !injected && errno == EINTR);
    if (got != sizeof random)
        return err_set(e, RC_STATE, "STORE",
                       "the kernel gave no random octets (%s), and no order begins without: its key file would not be safe "
                       "from being overwritten",
                       strerror(injected ? injected : errno));
    hex_show(hex, sizeof hex, random, sizeof random);
    gmtime_r(&t, &tm);
    snprintf(id, 24, "%04u%02u%02u-%s", (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100,
             hex);
    return true;
}

bool order_put(struct store *s, const struct saved_order *o, struct err *e)
{
    struct query q;

    if (!write_begin(s, NULL, e) ||
        !query_open(&q, s,
                    "REPLACE INTO orders (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                    "?, ?, ?, ?, ?, ?, ?)",
                    e))
        return false;
    query_text(&q, o->id);
    query_text(&q, o->cert);
    query_text(&q, o->ca);
    query_text(&q, o->names);
    query_text(&q, o->key_type);
    query_text(&q, o->reference);
    query_text(&q, o->handle);
    query_text(&q, o->facts);
    query_text(&q, o->state);
    query_text(&q, o->waits);
    query_int(&q, o->begun);
    query_int(&q, o->changed);
    query_int(&q, o->waiting_since);
    query_int(&q, o->deadline);
    query_int(&q, o->due);
    query_int(&q, o->subscription_end);
    query_text(&q, o->spki);
    query_int(&q, o->sent);
    query_int(&q, o->failures);
    query_int(&q, o->forced);
    query_int(&q, o->open);
    query_err(&q, &o->last);
    query_int(&q, o->last_at);
    query_blob(&q, o->csr);
    query_blob(&q, o->certificate);
    return query_run(&q, e);
}

struct reader {
    saved_fn *fn;
    void *arg;
};

/* The struct's strings are not const for the sake of its owners; a row's are borrowed all the same. */
static char *borrowed(const char *text)
{
    return (char *)(uintptr_t)text;
}

static bool read_row(void *arg, struct row *r)
{
    const struct reader *to = arg;
    struct saved_order o = {0};

    row_copy(r, o.id, sizeof o.id);
    o.cert = borrowed(row_text(r));
    o.ca = borrowed(row_text(r));
    o.names = borrowed(row_text(r));
    o.key_type = borrowed(row_text(r));
    o.reference = borrowed(row_text(r));
    o.handle = borrowed(row_text(r));
    o.facts = borrowed(row_text(r));
    row_copy(r, o.state, sizeof o.state);
    row_copy(r, o.waits, sizeof o.waits);
    o.begun = row_int(r);
    o.changed = row_int(r);
    o.waiting_since = row_int(r);
    o.deadline = row_int(r);
    o.due = row_int(r);
    o.subscription_end = row_int(r);
    row_copy(r, o.spki, sizeof o.spki);
    o.sent = row_int(r);
    o.failures = (unsigned)row_int(r);
    o.forced = row_int(r);
    o.open = row_int(r);
    row_err(r, &o.last);
    o.last_at = row_int(r);
    o.csr = row_blob(r);
    o.certificate = row_blob(r);
    return to->fn(to->arg, &o);
}

bool order_each(struct store *s, const char *cert, saved_fn *fn, void *arg, struct err *e)
{
    struct reader to = {fn, arg};
    struct query q;

    if (!cert)
        return query_open(&q, s, "SELECT " COLUMNS " FROM orders WHERE open = 1 ORDER BY begun, id", e) && query_each(&q, read_row, &to, e);
    if (!query_open(&q, s, "SELECT " COLUMNS " FROM orders WHERE open = 1 AND cert = ? ORDER BY begun, id", e))
        return false;
    query_text(&q, cert);
    return query_each(&q, read_row, &to, e);
}

bool order_history(struct store *s, const char *cert, saved_fn *fn, void *arg, struct err *e)
{
    struct reader to = {fn, arg};
    struct query q;

    if (!cert)
        return query_open(&q, s, "SELECT " COLUMNS " FROM orders ORDER BY begun DESC, id DESC", e) && query_stream(&q, read_row, &to, e);
    if (!query_open(&q, s, "SELECT " COLUMNS " FROM orders WHERE cert = ? ORDER BY begun DESC, id DESC", e))
        return false;
    query_text(&q, cert);
    return query_stream(&q, read_row, &to, e);
}

static struct bytes bytes_copy(struct bytes b)
{
    return (struct bytes){.p = b.n ? mem_copy(b.p, b.n) : NULL, .n = b.n};
}

void saved_order_copy(struct saved_order *to, const struct saved_order *from)
{
    *to = *from;
    to->cert = mem_str(from->cert);
    to->ca = mem_str(from->ca);
    to->names = mem_str(from->names);
    to->key_type = mem_str(from->key_type);
    to->reference = mem_str(from->reference);
    to->handle = mem_str(from->handle);
    to->facts = mem_str(from->facts);
    to->csr = bytes_copy(from->csr);
    to->certificate = bytes_copy(from->certificate);
}

void saved_order_clear(struct saved_order *o)
{
    free(o->cert);
    free(o->ca);
    free(o->names);
    free(o->key_type);
    free(o->reference);
    free(o->handle);
    free(o->facts);
    free(borrowed((const char *)o->csr.p));
    free(borrowed((const char *)o->certificate.p));
    *o = (struct saved_order){0};
}
