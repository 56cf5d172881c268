/* key list: the private keys of the state folder: what each is for, which certificate it has, where it lies. Keys are never shown. */
#include "cmd/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "cmd/columns.h"
#include "cmd/stored.h"
#include "order/session.h"
#include "store/store.h"

struct row {     /* a key: one file in keys/, or one that a set alone has */
    char *name;  /* certificate; "": not known whose */
    char id[24]; /* of the order, which names the file; "": in a set alone */
    char type[16], spki[65];
    char state[16]; /* of its order; "": none is known */
    bool open;
    int64_t set; /* the newest set that has it; 0: none */
    bool live;
    int64_t begun, not_before, not_after;
    char fingerprint[65]; /* of the set's certificate */
};

struct listing {
    struct call *c;
    struct session s;
    struct row *row;
    size_t n;
};

/* --- gathering -------------------------------------------------------------------------------------------------------------------------- */

static struct row *add(struct listing *l, const char *name)
{
    l->row = mem_grow(l->row, l->n + 1, sizeof *l->row);
    l->row[l->n] = (struct row){.name = mem_str(name)};
    return &l->row[l->n++];
}

static void note_key(void *arg, const struct stored_key *k)
{
    struct row *r = add(arg, "");
    memcpy(r->id, k->id, sizeof r->id);
    memcpy(r->type, k->type, sizeof r->type);
    memcpy(r->spki, k->spki, sizeof r->spki);
}

static bool note_order(void *arg, const struct saved_order *o)
{
    struct listing *l = arg;
    for (size_t i = 0; i < l->n; i++) {
        struct row *r = &l->row[i];
        if (strcmp(r->id, o->id) != 0)
            continue;
        free(r->name);
        r->name = mem_str(o->cert);
        r->open = o->open;
        r->begun = o->begun;
        snprintf(r->state, sizeof r->state, "%s", o->state);
    }
    return true;
}

/* Several orders may have one key (key_reuse): then the newest one's file stands for the set. */
static struct row *row_of(struct listing *l, const char *name, const char *spki)
{
    struct row *found = NULL;
    for (size_t i = 0; i < l->n; i++) {
        struct row *r = &l->row[i];
        if (strcmp(r->spki, spki) == 0 && (!*r->name || strcmp(r->name, name) == 0))
            found = r;
    }
    return found;
}

static void note_set(void *arg, const struct stored_set *set)
{
    struct listing *l = arg;
    char type[16], spki[65], *key = mem_fmt("%s/%s/privkey.pem", l->s.state_dir, set->folder);
    if (set->cert && stored_key_facts(key, type, spki)) {
        struct row *r = row_of(l, set->name, spki);
        if (!r) {
            r = add(l, set->name);
            memcpy(r->type, type, sizeof type);
            memcpy(r->spki, spki, sizeof spki);
        }
        if (!*r->name) {
            free(r->name);
            r->name = mem_str(set->name);
        }
        if (set->live || (!r->live && set->n > r->set)) {
            r->set = set->n;
            r->live = set->live;
            r->not_before = set->cert->not_before;
            r->not_after = set->cert->not_after;
            memcpy(r->fingerprint, set->cert->fingerprint, sizeof r->fingerprint);
        }
    }
    free(key);
}

static int by_name(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int names = strcmp(x->name, y->name);
    return names ? names : x->begun != y->begun ? (x->begun > y->begun) - (x->begun < y->begun) : strcmp(x->id, y->id);
}

/* --- telling ---------------------------------------------------------------------------------------------------------------------------- */

static bool wanted(const struct listing *l, const struct row *r)
{
    return l->c->args.n == 0 || strs_has(&l->c->args, r->name);
}

static const char *use_of(const struct row *r)
{
    return r->live ? "in use" : r->open ? "order under way" : r->set ? "replaced" : "no certificate";
}

static void where_text(const struct row *r, char *out, size_t size)
{
    if (*r->id)
        snprintf(out, size, "keys/%s.key", r->id);
    else
        snprintf(out, size, "archive/%s/%" PRId64 "/privkey.pem", r->name, r->set);
}

static json_t *row_json(const struct row *r)
{
    char where[300];
    where_text(r, where, sizeof where);
    return json_pack("{s:o, s:o, s:s, s:s, s:s, s:o, s:I, s:o, s:o, s:o, s:o}", "name", *r->name ? json_text(r->name) : json_null(),
                     "order", *r->id ? json_string(r->id) : json_null(), "type", r->type, "spki_sha256", r->spki, "use", use_of(r),
                     "order_state", *r->state ? json_string(r->state) : json_null(), "archive", (json_int_t)r->set, "not_before",
                     json_time(r->not_before), "not_after", json_time(r->not_after), "fingerprint_sha256",
                     *r->fingerprint ? json_string(r->fingerprint) : json_null(), "file", json_text(where));
}

static void print_table(const struct listing *l)
{
    struct columns t = {.n = 7};
    columns_row(&t, "CERTIFICATE", "TYPE", "USE", "FROM", "UNTIL", "FINGERPRINT", "FILE", NULL);
    for (size_t i = 0; i < l->n; i++) {
        const struct row *r = &l->row[i];
        char from[32] = "-", until[32] = "-", where[300], print[20] = "-";
        if (!wanted(l, r))
            continue;
        if (r->not_after) {
            day_show(r->not_before, from);
            day_show(r->not_after, until);
            snprintf(print, sizeof print, "%.16s", r->fingerprint);
        }
        where_text(r, where, sizeof where);
        columns_row(&t, *r->name ? r->name : "?", r->type, use_of(r), from, until, print, where, NULL);
    }
    if (t.cells.n > t.n)
        columns_print(&t, "");
    else
        printf("there are no keys\n");
    strs_free(&t.cells);
}

enum rc key_list(struct call *c)
{
    struct listing l = {.c = c};
    struct err e = {0};
    enum rc rc = RC_OK;
    if (!key_session(c, &l.s, SESSION_READ | SESSION_TOLERANT, &rc))
        return rc;
    stored_keys(l.s.state_dir, note_key, &l);
    if (order_history(l.s.store, NULL, note_order, &l, &e)) {
        stored_sets(l.s.state_dir, NULL, note_set, &l);
        if (l.n)
            qsort(l.row, l.n, sizeof *l.row, by_name);
        json_t *keys = json_array();
        for (size_t i = 0; i < l.n; i++)
            if (wanted(&l, &l.row[i]))
                json_array_append_new(keys, row_json(&l.row[i]));
        if (c->json)
            json_print(json_pack("{s:i, s:O}", "version", 1, "keys", keys));
        else
            print_table(&l);
        json_decref(keys);
    } else {
        rc = call_fail(c, &e);
    }
    for (size_t i = 0; i < l.n; i++)
        free(l.row[i].name);
    free(l.row);
    session_close(&l.s);
    return rc;
}
