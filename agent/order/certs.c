/* certs.c: certificates in use, with strings of their own. */
#include "order/order_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char **field(struct cert_row *row, size_t i)
{
    const char **fields[] = {&row->c.name,      &row->c.ca,          &row->c.names, &row->c.key_type,
                             &row->c.reference, &row->c.next_action, &row->c.ari};
    return i < sizeof fields / sizeof *fields ? fields[i] : NULL;
}

static bool copy_row(void *arg, const struct saved_cert *c)
{
    struct cert_row *row = arg;
    row->c = *c;
    for (size_t i = 0; field(row, i); i++)
        *field(row, i) = row->own[i] = mem_str(*field(row, i) ? *field(row, i) : "");
    return true;
}

struct cert_row *cert_row_load(struct store *s, const char *name, struct err *e)
{
    struct cert_row *row = mem_new(sizeof *row);
    cert_get(s, name, copy_row, row, e);
    if (!row->c.name)
        copy_row(row, &(struct saved_cert){.name = name});
    return row;
}

void cert_row_set(struct cert_row *row, const char **at, const char *text)
{
    for (size_t i = 0; field(row, i); i++)
        if (field(row, i) == at) {
            char *fresh = mem_str(text ? text : "");
            free(row->own[i]);
            *at = row->own[i] = fresh;
        }
}

void cert_row_free(struct cert_row *row)
{
    if (!row)
        return;
    for (size_t i = 0; field(row, i); i++)
        free(row->own[i]);
    free(row);
}

void cert_row_facts(struct cert_row *row, const struct cert_facts *f)
{
    memcpy(row->c.serial, f->serial, sizeof row->c.serial);
    memcpy(row->c.fingerprint, f->fingerprint, sizeof row->c.fingerprint);
    row->c.not_before = f->not_before;
    row->c.not_after = f->not_after;
}
