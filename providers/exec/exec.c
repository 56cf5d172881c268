/* exec.c: a program of the administrator's own: one JSON document on its stdin for a whole batch, one on its stdout with a result for each
 * change (docs/HOOKS.md is the protocol's manual). */
#include "providers/exec/adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/mem.h"

enum { ANSWER_MAX = 1 << 20 };

static const struct conf_key keys[] = {
    {.name = "command",
     .type = CONF_COMMAND,
     .required = true,
     .allowed = "/usr/local/lib/dcvagent/dns",
     .help = "The program, with arguments of its own; what to do comes as JSON on its stdin."},
    ADAPTER_SERVER(false, "A name server of the zone where what was done can be read: address[:port] or a name; without it the program is "
                          "asked (action read)."),
    ADAPTER_GRADE,
    ADAPTER_KEYS,
    {0}};

struct work { /* a batch or a lookup */
    struct provider *p;
    struct batch *b;  /* either, */
    struct lookup *l; /* or */
    char *in;
    struct spawn spawn;
    struct seen seen;
};

static void work_free(struct work *w)
{
    if (w->b)
        w->b->impl = NULL;
    else
        w->l->impl = NULL;
    op_cancel(&w->spawn.op);
    op_cancel(&w->seen.op);
    spawn_clear(&w->spawn);
    free(w->in);
    free(w);
}

/* Takes the question. */
static void ask(struct work *w, json_t *question, op_fn *done)
{
    w->in = json_line(question);
    w->spawn.op.done = done;
    w->spawn.op.owner = w;
    w->spawn.in = w->in;
    w->spawn.n_in = strlen(w->in);
    w->spawn.answer = ANSWER_MAX;
    spawn_start(w->p, &w->spawn);
}

static bool bad_answer(const struct work *w, struct err *e, const char *why)
{
    err_set(e, RC_PAGES, "PROGRAM_ANSWER", "[provider %s]: %s was to %s and ended with 0, but its answer cannot be used: %s",
            w->p->section->name, w->p->program.s[0], w->spawn.what, why);
    err_again(e, 0);
    return false;
}

/* The list `key` of the answer; NULL: an error. *root is the caller's. */
static const json_t *answer_list(const struct work *w, const char *key, json_t **root, struct err *e)
{
    const struct str *out = &w->spawn.child.out;
    char why[200];
    json_error_t fault;
    *root = NULL;
    if (out->cut) {
        bad_answer(w, e, "it is longer than 1 MiB");
        return NULL;
    }
    *root = json_loadb(out->n ? out->p : "", out->n, JSON_REJECT_DUPLICATES, &fault);
    if (!*root) {
        snprintf(why, sizeof why, "no JSON in line %d", fault.line);
        bad_answer(w, e, out->n ? why : "it is empty");
        return NULL;
    }
    const json_t *list = json_object_get(*root, key);
    if (!json_is_array(list)) {
        snprintf(why, sizeof why, "there is no list \"%s\"", key);
        bad_answer(w, e, why);
        return NULL;
    }
    return list;
}

/* --- apply ------------------------------------------------------------------------------------------------------------------------------- */

static json_t *change_json(const struct change *c)
{
    const struct bytes v = c->rec->value;
    struct str base64 = STR_INIT(2 * TXT_VALUE_MAX);
    b64_put(&base64, v.p, v.n);
    json_t *j = json_pack("{s:s, s:s, s:s, s:o, s:s, s:I, s:s}", "op", c->add ? "add" : "delete", "owner", c->rec->owner, "type",
                          c->rec->type == TYPE_CNAME ? "CNAME" : "TXT", "value",
                          text_is_utf8(v.p, v.n) ? json_stringn((const char *)v.p, v.n) : json_null(), "value_base64", str_text(&base64),
                          "ttl", (json_int_t)c->rec->ttl, "ref", c->ref ? c->ref : "");
    str_free(&base64);
    return j;
}

static bool take_result(const struct work *w, const json_t *j, struct change *c, struct err *e)
{
    const char *result = json_str(j, "result"), *ref = json_str(j, "ref");
    char words[200];
    if (strcmp(result, "done") == 0)
        c->result = CHANGE_DONE;
    else if (strcmp(result, "refused") == 0)
        c->result = CHANGE_REFUSED;
    else if (strcmp(result, "unsure") == 0)
        c->result = CHANGE_UNSURE;
    else
        return bad_answer(w, e, "a result is none of done, refused, unsure");
    if (strlen(ref) >= sizeof c->new_ref)
        return bad_answer(w, e, "a ref is longer than 191 octets");
    memcpy(c->new_ref, ref, strlen(ref) + 1);
    if (c->result == CHANGE_DONE)
        return true;
    spawn_words(w->p, json_str(j, "error"), words, sizeof words);
    err_at(&c->err, "%s", c->rec->owner);
    err_set(&c->err, RC_WRITE, "PROGRAM_FAILED", "[provider %s]: %s did not %s the record%s (%s)", w->p->section->name, w->p->program.s[0],
            c->add ? "add" : "delete", c->result == CHANGE_UNSURE ? " for certain" : "", *words ? words : "it did not say why");
    if (c->result == CHANGE_UNSURE)
        err_again(&c->err, 0);
    return true;
}

static bool take_results(struct work *w, struct err *e)
{
    json_t *root;
    const json_t *list = answer_list(w, "results", &root, e);
    bool good = list != NULL;
    if (good && json_array_size(list) != w->b->n)
        good = bad_answer(w, e, "it must have one result for each change, in their order");
    for (size_t i = 0; good && i < w->b->n; i++)
        good = take_result(w, json_array_get(list, i), &w->b->c[i], e);
    json_decref(root);
    return good;
}

static void apply_detach(struct op *op)
{
    work_free(((struct batch *)op)->impl);
}

static void on_seen(struct op *op, const struct err *e)
{
    struct work *w = op->owner;
    struct batch *b = w->b;
    (void)e;
    work_free(w);
    batch_settle(b);
}

static void on_applied(struct op *op, const struct err *e)
{
    struct work *w = op->owner;
    struct err fault = e ? *e : (struct err){0};
    if (e || !take_results(w, &fault))
        for (size_t i = 0; i < w->b->n; i++)
            change_judge(&w->b->c[i], &w->spawn, &fault);
    w->seen.op.done = on_seen;
    w->seen.op.owner = w;
    adapter_seen(w->p, w->b, &w->seen);
}

static void apply(struct provider *p, struct batch *b)
{
    struct work *w = mem_new(sizeof *w);
    json_t *changes = json_array();
    *w = (struct work){.p = p, .b = b};
    b->impl = w;
    op_start(&b->op, apply_detach);
    for (size_t i = 0; i < b->n; i++)
        json_array_append_new(changes, change_json(&b->c[i]));
    w->spawn.durable = "program";
    snprintf(w->spawn.what, sizeof w->spawn.what, "change %zu record%s in zone %s", b->n, b->n == 1 ? "" : "s", b->zone);
    ask(w, json_pack("{s:i, s:s, s:s, s:o}", "version", 1, "action", "apply", "zone", b->zone, "changes", changes), on_applied);
}

/* --- read -------------------------------------------------------------------------------------------------------------------------------- */

/* "text", or {"base64": "octets"}. */
static bool take_value(struct rrset *set, const json_t *j)
{
    struct secret octets = {0};
    if (json_is_string(j)) {
        rrset_add(set, (const uint8_t *)json_string_value(j), json_string_length(j));
        return true;
    }
    const char *base64 = json_string_value(json_object_get(j, "base64"));
    if (!base64 || !b64url_read(base64, strlen(base64), &octets))
        return false;
    rrset_add(set, octets.p, octets.n);
    secret_free(&octets);
    return true;
}

static bool take_set(const struct work *w, struct rrset *set, const json_t *list, struct err *e)
{
    const json_t *j = NULL;
    for (size_t i = 0; !j && i < json_array_size(list); i++)
        if (strcmp(json_str(json_array_get(list, i), "owner"), set->owner) == 0)
            j = json_array_get(list, i);
    const json_t *values = json_object_get(j, "values");
    json_int_t ttl = json_num(j, "ttl");
    if (!j || (values && !json_is_array(values)))
        return bad_answer(w, e, "a set that was asked for is missing, or its values are no list");
    if (ttl < 0 || ttl > INT32_MAX)
        return bad_answer(w, e, "a TTL is out of bounds");
    set->cname = json_is_true(json_object_get(j, "cname"));
    for (size_t i = 0; i < json_array_size(values); i++)
        if (!take_value(set, json_array_get(values, i)))
            return bad_answer(w, e, "a value is neither a text nor {\"base64\": ...}");
    set->ttl = set->n ? (uint32_t)ttl : 0;
    return true;
}

static bool take_sets(const struct work *w, struct err *e)
{
    json_t *root;
    const json_t *list = answer_list(w, "sets", &root, e);
    bool good = list != NULL;
    for (size_t i = 0; good && i < w->l->n; i++)
        good = take_set(w, &w->l->set[i], list, e);
    json_decref(root);
    return good;
}

static void read_detach(struct op *op)
{
    work_free(((struct lookup *)op)->impl);
}

static void on_read(struct op *op, const struct err *e)
{
    struct work *w = op->owner;
    struct lookup *l = w->l;
    struct err fault = e ? *e : (struct err){0};
    if (!e)
        take_sets(w, &fault);
    for (size_t i = 0; fault.rc != RC_OK && i < l->n; i++)
        rrset_clear(&l->set[i]);
    work_free(w);
    op_settle(&l->op, &fault);
}

static void read_sets(struct provider *p, struct lookup *l)
{
    if (p->stream) {
        adapter_read(p, l);
        return;
    }
    struct work *w = mem_new(sizeof *w);
    json_t *names = json_array();
    *w = (struct work){.p = p, .l = l};
    l->impl = w;
    op_start(&l->op, read_detach);
    for (size_t i = 0; i < l->n; i++) {
        rrset_clear(&l->set[i]);
        json_array_append_new(names, json_string(l->set[i].owner));
    }
    snprintf(w->spawn.what, sizeof w->spawn.what, "read %zu TXT set%s in zone %s", l->n, l->n == 1 ? "" : "s", l->zone);
    ask(w, json_pack("{s:i, s:s, s:s, s:o}", "version", 1, "action", "read", "zone", l->zone, "owners", names), on_read);
}

extern const struct provider_ops provider_exec;
const struct provider_ops provider_exec = {
    .type = "exec",
    .summary = "A program of yours: one JSON document with all changes of a zone on its stdin, one with their results on its stdout",
    .rights = "Whatever the program needs, in env_file.",
    .limits = "One run at a time. docs/HOOKS.md is the protocol's manual.",
    .tried = "contrib/windows-dns/dcvagent-nsupdate with a TSIG key beside named of Debian 12: grade A.",
    .caps = CAN_READ | CAN_BATCH,
    .grade = 'C',
    .graded = adapter_grade,
    .keys = keys,
    .examine = adapter_examine,
    .open = adapter_open,
    .read = read_sets,
    .apply = apply,
    .close = adapter_close,
};
