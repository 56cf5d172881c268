/* evidence: what was seen where and when, and who did what. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "order/evidence.h"
#include "order/session.h"
#include "store/store.h"

enum { BEFORE = 60 }; /* s: the command that begins an order is noted shortly before it */

struct nth {
    long wanted, seen;
    char id[24];
    int64_t from, to; /* from this order's beginning to the next one's */
};

static bool count_down(void *arg, const struct saved_order *o)
{
    struct nth *n = arg;
    if (++n->seen != n->wanted) {
        n->to = o->begun;
        return true;
    }
    snprintf(n->id, sizeof n->id, "%s", o->id);
    n->from = o->begun;
    return false;
}

/* Commands and hand-overs know the certificate, not the order: they belong to the one that was under way. */
static bool belongs(const json_t *line, const struct nth *n)
{
    int64_t at = 0;
    if (!*n->id)
        return true;
    if (*json_str(line, "order"))
        return strcmp(json_str(line, "order"), n->id) == 0;
    return time_parse(json_str(line, "at"), &at) && at >= n->from - BEFORE && (!n->to || at < n->to - BEFORE);
}

static bool is_scalar(const json_t *v)
{
    return !json_is_object(v) && !json_is_array(v);
}

static void print_scalar(const char *key, const json_t *v)
{
    char safe[800];
    const char *text = json_string_value(v);
    if (json_is_null(v) || (text && !*text))
        return;
    printf("  %s=", key);
    if (text)
        printf("%s", text_safe(safe, sizeof safe, text, strlen(text)));
    else if (json_is_integer(v))
        printf("%lld", (long long)json_integer_value(v));
    else
        printf("%s", json_is_true(v) ? "yes" : "no");
}

/* Lists of objects (views) are a line each, lists of texts (arguments) one line. */
static void print_list(const char *key, const json_t *list)
{
    size_t i;
    json_t *item;
    bool flat = json_array_size(list) > 0 && is_scalar(json_array_get(list, 0));
    if (flat)
        printf("  %s=", key);
    json_array_foreach(list, i, item)
    {
        char safe[400];
        const char *name;
        json_t *v;
        if (flat) {
            const char *text = json_string_value(item) ? json_string_value(item) : "";
            printf("%s%s", i ? " " : "", text_safe(safe, sizeof safe, text, strlen(text)));
            continue;
        }
        printf("\n      ");
        json_object_foreach(item, name, v)
        {
            if (is_scalar(v))
                print_scalar(name, v);
        }
    }
}

static void print_line(const json_t *line, bool with_order)
{
    char when[32] = "", safe[80];
    int64_t at = 0;
    const char *key, *kind = json_str(line, "kind");
    json_t *v;
    if (time_parse(json_str(line, "at"), &at))
        time_local(at, when);
    printf("%s  %s", when, text_safe(safe, sizeof safe, kind, strlen(kind)));
    json_object_foreach((json_t *)(uintptr_t)line, key, v)
    {
        if (strcmp(key, "at") == 0 || strcmp(key, "kind") == 0 || (strcmp(key, "order") == 0 && !with_order))
            continue;
        if (is_scalar(v))
            print_scalar(key, v);
        else if (json_is_array(v))
            print_list(key, v);
    }
    printf("\n");
}

static json_t *collect(struct session *s, const char *name, const struct nth *n)
{
    json_t *doc = evidence_collect(s->store, name, NULL), *kept = json_array(), *line;
    size_t i;
    json_array_foreach(json_object_get(doc, "lines"), i, line)
    {
        if (belongs(line, n))
            json_array_append(kept, line);
    }
    if (*n->id)
        json_object_set_new(doc, "order", json_string(n->id));
    json_object_set_new(doc, "lines", kept);
    return doc;
}

static void show(const struct call *c, struct session *s, const char *name, const struct nth *n)
{
    json_t *doc = collect(s, name, n), *line;
    const json_t *lines = json_object_get(doc, "lines");
    size_t i;
    if (c->json) {
        json_print(doc);
        return;
    }
    if (*n->id)
        printf("order %s of %s\n", n->id, name);
    json_array_foreach(lines, i, line)
    {
        print_line(line, !*n->id);
    }
    if (json_array_size(lines) == 0)
        printf("nothing was noted about %s yet\n", name);
    json_decref(doc);
}

/* N as a word: "all" is 0, nothing is 1. */
static bool which(const struct call *c, long *n)
{
    char *end;
    *n = 1;
    if (c->args.n < 2)
        return true;
    if (strcmp(c->args.s[1], "all") == 0) {
        *n = 0;
        return true;
    }
    *n = strtol(c->args.s[1], &end, 10);
    return *n > 0 && *n < 1000000 && !*end;
}

static bool known(struct call *c, struct session *s, enum rc *rc)
{
    struct strs all = c->args, only = {.s = all.s, .n = 1};
    c->args = only;
    bool ok = call_names_known(c, s, true, rc);
    c->args = all;
    return ok;
}

enum rc cmd_evidence(struct call *c)
{
    struct session s;
    struct err e = {0};
    struct nth n = {0};
    enum rc rc = RC_OK;
    if (!which(c, &n.wanted)) {
        say(LEVEL_ERROR, &(struct about){.step = "evidence"}, "USAGE",
            "evidence wants a number (1: the last order, 2: the one before) or all");
        return RC_USAGE;
    }
    if (!call_session(c, &s, SESSION_READ | SESSION_TOLERANT, &rc))
        return rc;
    const char *name = c->args.s[0];
    if (known(c, &s, &rc)) {
        if (n.wanted && !order_history(s.store, name, count_down, &n, &e)) {
            rc = call_fail(c, &e);
        } else if (n.wanted > 1 && !*n.id) {
            say(LEVEL_ERROR, &(struct about){.cert = name, .step = "evidence"}, "NO_ORDER", "there %s only %ld order%s of %s",
                n.seen == 1 ? "was" : "were", n.seen, n.seen == 1 ? "" : "s", name);
            rc = RC_USAGE;
        } else {
            show(c, &s, name, &n); /* without any order: what there is, such as an adoption */
        }
    }
    session_close(&s);
    return rc;
}
