/* status: a line for each certificate. Reads only; never waits. */
#include "cmd/cmd.h"
#include "cmd/columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/names.h"
#include "conf/conf.h"
#include "order/order.h"
#include "order/session.h"
#include "store/store.h"

/* What is known of one certificate: its section, its row, its open (else newest) order. */
struct line {
    char *name;
    const struct conf_cert *conf;
    json_t *row;               /* fields of the saved certificate, ready for JSON */
    struct saved_order *order; /* NULL: none */
    int64_t not_after, next_at, subscription_end;
    char *names, *next_action;
    char *trouble; /* the certificate's own last failure (its hook, its files), not its order's; NULL: none */
};

struct lines {
    struct line *l;
    size_t n, sorted;
    const struct strs *wanted;
    const struct conf *conf;
    bool json;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct line *)a)->name, ((const struct line *)b)->name);
}

/* Sections of the configuration are many and sorted; what is left of sections that are gone stands behind them. */
static struct line *find(const struct lines *all, const char *name)
{
    struct line key = {.name = (char *)(uintptr_t)name};
    struct line *l = all->sorted ? bsearch(&key, all->l, all->sorted, sizeof *all->l, by_name) : NULL;
    for (size_t i = all->sorted; i < all->n && !l; i++)
        if (strcmp(all->l[i].name, name) == 0)
            l = &all->l[i];
    return l;
}

static struct line *add(struct lines *all, const char *name, const struct conf_cert *conf)
{
    if (all->wanted->n && !strs_has(all->wanted, name))
        return NULL;
    if ((all->n & (all->n - 1)) == 0)
        all->l = mem_grow(all->l, all->n ? all->n * 2 : 1, sizeof *all->l);
    struct line *l = &all->l[all->n++];
    *l = (struct line){.name = mem_str(name), .conf = conf, .names = conf ? strs_join(&conf->names, " ") : mem_str("")};
    return l;
}

static struct line *find_or_add(struct lines *all, const char *name)
{
    struct line *l = find(all, name);
    return l || conf_cert(all->conf, name) ? l : add(all, name, NULL);
}

static json_t *error_json(const struct err *e, int64_t at)
{
    return e->rc == RC_OK ? json_null()
                          : json_pack("{s:o, s:o, s:o}", "code", json_text(e->code), "text", json_text(e->text), "at", json_time(at));
}

static bool take_row(void *arg, const struct saved_cert *c)
{
    const struct lines *all = arg;
    struct line *l = find_or_add(arg, c->name);
    if (!l)
        return true;
    l->not_after = c->not_after;
    l->next_at = c->next_at;
    l->subscription_end = c->subscription_end;
    l->next_action = mem_str(c->next_action);
    l->trouble = c->last.rc != RC_OK ? mem_fmt("%s [%s]", c->last.text, c->last.code ? c->last.code : "") : NULL;
    if (!l->conf) {
        free(l->names);
        l->names = mem_str(c->names);
    }
    if (!all->json)
        return true;
    l->row = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "not_before", json_time(c->not_before), "not_after", json_time(c->not_after),
                       "serial", *c->serial ? json_string(c->serial) : json_null(), "fingerprint_sha256",
                       *c->fingerprint ? json_string(c->fingerprint) : json_null(), "last_run", json_time(c->last_run), "last_error",
                       error_json(&c->last, c->last_at));
    return true;
}

static bool take_order(void *arg, const struct saved_order *o)
{
    struct line *l = find_or_add(arg, o->cert);
    if (!l)
        return true;
    if (l->order)
        saved_order_clear(l->order);
    else
        l->order = mem_new(sizeof *l->order);
    saved_order_copy(l->order, o);
    return true;
}

/* One that was adopted has no schedule before a run has looked at it. */
static const char *next_of(const struct line *l)
{
    return l->next_action && *l->next_action ? l->next_action : l->not_after ? "the next run says" : "first order";
}

static const char *state_of(const struct line *l)
{
    return l->order ? l->order->state : l->not_after ? "done" : "new";
}

static json_t *null_time(int64_t t)
{
    return t ? json_time(t) : json_null();
}

static json_t *line_json(void *arg, size_t at)
{
    const struct line *l = &((const struct lines *)arg)->l[at];
    struct strs names = {0};
    strs_split(&names, l->names);
    int64_t end = l->conf && l->conf->subscription_end ? l->conf->subscription_end : l->subscription_end;
    const char *waits = l->order ? l->order->waits : "";
    json_t *row = l->row ? json_incref(l->row) : json_object();
    json_t *j = json_pack("{s:s, s:o, s:o, s:s, s:o, s:o, s:o}", "name", l->name, "ca",
                          json_text(l->conf && *l->conf->ca ? l->conf->ca : NULL), "names", json_strs(&names), "state", state_of(l),
                          "waiting_for", *waits ? json_string(waits) : json_null(), "waiting_since",
                          null_time(l->order ? l->order->waiting_since : 0), "deadline", null_time(l->order ? l->order->deadline : 0));
    static const char *const copied[] = {"not_before", "not_after", "serial", "fingerprint_sha256"};
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        json_object_set_new(j, copied[i], json_object_get(row, copied[i]) ? json_incref(json_object_get(row, copied[i])) : json_null());
    json_object_set_new(j, "subscription_end", null_time(end ? end - 1 : 0));
    json_object_set_new(j, "next_action", json_text(next_of(l)));
    json_object_set_new(j, "next_at", null_time(l->next_at));
    json_object_set_new(j, "last_run", json_object_get(row, "last_run") ? json_incref(json_object_get(row, "last_run")) : json_null());
    json_t *error = json_object_get(row, "last_error");
    if (l->order && l->order->last.rc != RC_OK)
        json_object_set_new(j, "last_error", error_json(&l->order->last, l->order->last_at));
    else
        json_object_set_new(j, "last_error", error ? json_incref(error) : json_null());
    json_decref(row);
    strs_free(&names);
    return j;
}

static void add_line(struct columns *t, const struct line *l)
{
    char first[NAME_SIZE * 2], shown[NAME_SIZE * 2 + 32], end[32] = "-", next[32] = "";
    struct strs names = {0};
    strs_split(&names, l->names);
    name_show(names.n ? names.s[0] : "-", first, sizeof first);
    if (names.n > 1)
        snprintf(shown, sizeof shown, "%s (+%zu)", first, names.n - 1);
    else
        snprintf(shown, sizeof shown, "%s", first);
    if (l->not_after)
        day_show(l->not_after, end);
    if (l->next_at)
        time_local(l->next_at, next);
    char *todo = mem_fmt("%s%s%s", next_of(l), *next ? " " : "", next);
    columns_row(t, l->name, state_of(l), l->order && *l->order->waits ? l->order->waits : "-", end, shown, todo, NULL);
    free(todo);
    strs_free(&names);
}

static void print_all(const struct lines *all)
{
    struct columns t = {.n = 6};
    if (all->n == 0) {
        printf("no certificates: add a [certificate NAME] section to the configuration\n");
        return;
    }
    columns_row(&t, "NAME", "STATE", "WAITS FOR", "ENDS", "NAMES", "NEXT", NULL);
    for (size_t i = 0; i < all->n; i++)
        add_line(&t, &all->l[i]);
    columns_print(&t, "");
    for (size_t i = 0; i < all->n; i++) {
        const struct line *l = &all->l[i];
        if (l->order && l->order->last.rc != RC_OK)
            printf("%s: %s [%s]\n", l->name, l->order->last.text, l->order->last.code ? l->order->last.code : "");
        else if (l->trouble)
            printf("%s: %s\n", l->name, l->trouble);
    }
}

static void free_lines(struct lines *all)
{
    for (size_t i = 0; i < all->n; i++) {
        free(all->l[i].name);
        free(all->l[i].names);
        free(all->l[i].next_action);
        free(all->l[i].trouble);
        json_decref(all->l[i].row);
        if (all->l[i].order)
            saved_order_clear(all->l[i].order);
        free(all->l[i].order);
    }
    free(all->l);
}

static void sort(struct lines *all)
{
    if (all->n) /* qsort() takes no NULL */
        qsort(all->l, all->n, sizeof *all->l, by_name);
}

static bool gather(struct session *s, struct lines *all, struct err *e)
{
    for (size_t i = 0; i < s->conf->n_cert; i++)
        add(all, s->conf->cert[i].name, &s->conf->cert[i]);
    sort(all);
    all->sorted = all->n;
    bool ok = cert_each(s->store, take_row, all, e) && order_each(s->store, NULL, take_order, all, e);
    sort(all);
    return ok;
}

enum rc cmd_status(struct call *c)
{
    struct session s;
    struct err e = {0};
    enum rc rc = RC_OK;
    if (!call_session(c, &s, SESSION_READ | SESSION_TOLERANT, &rc))
        return rc;
    struct lines all = {.wanted = &c->args, .conf = s.conf, .json = c->json};
    if (call_names_known(c, &s, true, &rc)) {
        if (!gather(&s, &all, &e)) {
            rc = call_fail(c, &e);
        } else if (c->json) {
            json_print_list(json_pack("{s:i}", "version", 1), "certificates", line_json, &all, all.n);
        } else {
            print_all(&all);
        }
    }
    free_lines(&all);
    session_close(&s);
    return rc;
}
