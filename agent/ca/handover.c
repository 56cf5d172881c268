#include "ca/handover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/names.h"
#include "conf/conf.h"

enum { CODE_MAX = 255 }; /* one TXT string; CA codes are 30 to 70 characters */

json_t *handover_load(const struct saved_order *o)
{
    json_t *h = o->handle && *o->handle ? json_loads(o->handle, 0, NULL) : NULL;
    if (!json_is_object(h)) {
        json_decref(h);
        h = json_object();
    }
    return h;
}

void handover_save(struct saved_order *o, json_t *h)
{
    free(o->handle);
    o->handle = json_line(h);
}

static json_t *object_in(json_t *h, const char *key)
{
    json_t *o = json_object_get(h, key);
    if (!json_is_object(o)) {
        o = json_object();
        json_object_set_new(h, key, o);
    }
    return o;
}

/* The code for a name: its own, else the order's common one (key "*"). */
static const json_t *code_for(const json_t *codes, const char *name)
{
    const json_t *own = json_object_get(codes, name);
    return own ? own : json_object_get(codes, "*");
}

bool handover_proofs(const json_t *h, struct ca_case *k, uint32_t lifetime, int64_t now, bool *expired)
{
    ca_case_clear(k);
    const json_t *codes = json_object_get(h, "codes");
    struct strs names = {0};
    strs_split(&names, k->o->names);
    bool all = names.n > 0;
    for (size_t i = 0; i < names.n; i++) {
        const char *name = name_base(names.s[i]);
        const json_t *code = code_for(codes, name);
        const char *value = json_str(code, "value");
        int64_t received = json_num(code, "received");
        if (*value && lifetime && received + lifetime <= now) {
            *expired = true;
            value = "";
        }
        if (!*value) {
            all = false;
            continue;
        }
        struct proof *p = ca_case_proof(k, name);
        free(p->value);
        p->value = mem_str(value);
        p->received = received;
        p->expires = lifetime ? received + lifetime : 0;
    }
    strs_free(&names);
    return all;
}

int64_t handover_deadline(const struct ca_case *k)
{
    int64_t first = 0;
    for (size_t i = 0; i < k->n_proof; i++)
        if (k->proof[i].expires && (!first || k->proof[i].expires < first))
            first = k->proof[i].expires;
    return first;
}

static bool in_order(const struct saved_order *o, const char *host)
{
    struct strs names = {0};
    strs_split(&names, o->names);
    bool found = false;
    for (size_t i = 0; i < names.n; i++)
        found |= strcmp(name_base(names.s[i]), host) == 0;
    strs_free(&names);
    return found;
}

char *handover_code(struct bytes text)
{
    const char *p = (const char *)text.p;
    size_t n = text.n;
    for (bool more = true; more && n;) {
        more = strchr(" \t\r\n\"'", p[n - 1]) && p[n - 1];
        n -= more;
    }
    while (n && *p && strchr(" \t\r\n\"'", *p))
        p++, n--;
    return mem_copy(p, n);
}

static bool code_ok(const char *code, size_t n, struct err *e)
{
    if (n == 0)
        return err_set(e, RC_USAGE, "CODE_EMPTY", "the verification code is empty; copy it from the CA's page and hand it over again");
    if (n > CODE_MAX)
        return err_set(e, RC_USAGE, "CODE_LONG",
                       "the verification code has %zu characters, at most %d are possible; was more than the code copied?", n, CODE_MAX);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)code[i] < 0x20 || (unsigned char)code[i] > 0x7e)
            return err_set(
                e, RC_USAGE, "CODE_CHARACTERS",
                "the verification code has a character that is not printable ASCII at position %zu; copy it again from the CA's page",
                i + 1);
    return true;
}

static bool take_code(struct ca_case *k, json_t *h, const struct inbox_row *row, struct err *e)
{
    if (*row->host && !in_order(k->o, row->host))
        return err_set(e, RC_USAGE, "CODE_NAME", "%s is not a name of this order; its names: %s", row->host, k->o->names);
    char *code = handover_code(row->text);
    bool ok = row->text.n == 0 || !memchr(row->text.p, 0, row->text.n) ||
              err_set(e, RC_USAGE, "CODE_CHARACTERS", "the verification code has a NUL octet; copy it again from the CA's page");
    if (ok)
        ok = code_ok(code, strlen(code), e);
    if (!ok) {
        free(code);
        return false;
    }
    json_t *codes = object_in(h, "codes");
    const char *key = *row->host ? row->host : "*";
    json_t *before = json_object_get(codes, key);
    int64_t received = row->received ? row->received : row->at;
    if (!before || strcmp(json_str(before, "value"), code) != 0 || row->received)
        json_object_set_new(codes, key, json_pack("{s:s, s:I}", "value", code, "received", (json_int_t)received));
    /* A new code for the whole order replaces the ones of single names: the page shows one or the other. */
    if (!*row->host) {
        const char *name;
        json_t *value;
        void *next;
        json_object_foreach_safe(codes, next, name, value)
        {
            if (strcmp(name, "*") != 0)
                json_object_del(codes, name);
        }
    }
    json_object_del(h, "confirmed");
    json_object_del(h, "failed");
    free(code);
    return true;
}

static bool take_pin(struct ca_case *k, json_t *h, const struct inbox_row *row)
{
    char *reference = mem_copy(row->text.p, row->text.n);
    json_object_set_new(h, "started", json_integer(row->at));
    if (*reference) {
        const char *written = k->conf ? k->conf->reference_number : NULL;
        json_object_set_new(h, "reference", json_string(reference));
        if (written && strcmp(written, reference) != 0)
            json_object_set_new(h, "instead_of", json_string(written));
        free(k->o->reference);
        k->o->reference = reference;
    } else {
        free(reference);
    }
    return true;
}

static bool take_failed(json_t *h, const struct inbox_row *row)
{
    char safe[200];
    text_safe(safe, sizeof safe, row->text.p, row->text.n);
    json_object_set_new(h, "failed", json_pack("{s:I, s:s}", "at", (json_int_t)row->at, "text", *safe ? safe : "no reason given"));
    json_object_del(h, "confirmed");
    return true;
}

bool handover_take(struct ca_case *k, const struct inbox_row *row, struct err *e)
{
    json_t *h = handover_load(k->o);
    bool ok = true;
    if (strcmp(row->kind, "code") == 0)
        ok = take_code(k, h, row, e);
    else if (strcmp(row->kind, "pin") == 0)
        ok = take_pin(k, h, row);
    else if (strcmp(row->kind, "failed") == 0)
        ok = take_failed(h, row);
    else if (strcmp(row->kind, "confirmed") == 0)
        json_object_set_new(h, "confirmed", json_integer(row->at)), json_object_del(h, "failed");
    else if (strcmp(row->kind, "submitted") == 0)
        json_object_set_new(h, "submitted", json_integer(row->at));
    else
        ok = err_set(e, RC_BUG, "INBOX_KIND", "unknown hand-over '%s'", row->kind);
    if (ok)
        handover_save(k->o, json_incref(h));
    json_decref(h);
    return ok;
}

void handover_csr_path(const struct saved_order *o, char *out, size_t size)
{
    json_t *h = handover_load(o);
    snprintf(out, size, "%s", json_str(h, "csr_path"));
    json_decref(h);
}
