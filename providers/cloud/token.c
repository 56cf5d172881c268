#include "providers/cloud/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

enum { MARGIN_S = 60, LIFE_MAX_S = 86400, TOKEN_MAX = 16384 };

static void detach(struct op *op)
{
    struct token_wait *w = (struct token_wait *)op, **at = &w->token->first;
    while (*at && *at != w)
        at = &(*at)->next;
    if (*at)
        *at = w->next;
}

static void tell(struct token *t, const struct err *e)
{
    while (t->first) {
        struct token_wait *w = t->first;
        t->first = w->next;
        op_settle(&w->op, e);
    }
}

/* What an answer without a token says is its own matter; one that cannot be read might hold one, and is not shown. */
static bool take(struct token *t, struct err *e)
{
    json_t *j = json_loadb(str_text(&t->call.in), t->call.in.n, JSON_REJECT_DUPLICATES, NULL);
    const char *value = json_str(j, "access_token"), *text = json_str(j, "expires_in");
    int64_t life = *text ? strtoll(text, NULL, 10) : json_num(j, "expires_in"); /* Azure's metadata server writes the number as a text */
    size_t n = strlen(value);
    bool good = n && n < TOKEN_MAX && strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=") == n;
    if (good) {
        secret_set(&t->value, value, n);
        t->until = clock_now() + (life < 0 ? 0 : life > LIFE_MAX_S ? LIFE_MAX_S : life);
    } else {
        err_set(e, RC_PAGES, "API_ANSWER", "could not %s: what the server answers holds no access token", t->call.what);
    }
    json_decref(j);
    if (t->call.in.p)
        explicit_bzero(t->call.in.p, t->call.in.n);
    return good;
}

static void answered(struct op *op, const struct err *fault)
{
    struct token *t = op->owner;
    struct err e = fault ? *fault : (struct err){0};
    if (e.rc == RC_OK)
        take(t, &e);
    api_call_clear(&t->call);
    tell(t, e.rc == RC_OK ? NULL : &e);
}

void token_get(struct token *t, struct token_wait *w)
{
    struct err e = {0};
    w->token = t;
    op_start(&w->op, detach);
    if (t->value.n && t->until - MARGIN_S > clock_now()) {
        op_settle(&w->op, NULL);
        return;
    }
    w->next = t->first;
    t->first = w;
    if (op_busy(&t->call.op))
        return;
    t->call = (struct api_call){.op = {.done = answered, .owner = t}, .what = "get an access token", .repeatable = true, .raw = true};
    if (t->request(t, &e)) {
        api_start(t->api, &t->call);
    } else {
        api_call_clear(&t->call);
        tell(t, &e);
    }
}

void token_header(const struct token *t, struct strs *headers)
{
    char *line = mem_fmt("Authorization: Bearer %s", (const char *)t->value.p);
    strs_add(headers, line);
    explicit_bzero(line, strlen(line));
    free(line);
}

void token_refused(struct token *t)
{
    t->until = 0;
}

void token_free(struct token *t)
{
    op_cancel(&t->call.op);
    api_call_clear(&t->call);
    secret_free(&t->value);
}
