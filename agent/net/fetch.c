#include "net/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "net/http.h"

enum { LIMIT_MS = 10000, FILES_MAX = 4096, OCTETS_MAX = 64 << 20 };

struct file { /* one question, asked once */
    struct fetcher *f;
    char *key, *url, *body;
    struct strs headers;
    struct http http;
    struct fetch *waiting;
    bool known; /* answered, or err says why not */
    struct err err;
};

struct fetcher {
    struct http_client *client;
    struct map files;
    struct file **file;
    size_t n, octets;
};

struct fetcher *fetcher_new(struct net *n, const struct fetch_setup *setup, struct err *e)
{
    struct http_setup http = {.proxy = setup->proxy, .proxy_user = setup->proxy_user, .plain = true, .public_only = !setup->private_too};
    struct fetcher *f = mem_new(sizeof *f);
    f->client = http_client_new(n, &http, e);
    if (f->client)
        return f;
    free(f);
    return NULL;
}

void fetcher_free(struct fetcher *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n; i++) {
        struct file *one = f->file[i];
        http_clear(&one->http);
        strs_free(&one->headers);
        free(one->key);
        free(one->url);
        free(one->body);
        free(one);
    }
    free(f->file);
    map_free(&f->files);
    http_client_free(f->client);
    free(f);
}

static void give(const struct file *one, struct fetch *x)
{
    x->impl = NULL;
    if (one->err.rc == RC_OK)
        x->in = (struct bytes){(const uint8_t *)one->http.in.p, one->http.in.n};
    op_settle(&x->op, &one->err);
}

static void answered(struct op *op, const struct err *e)
{
    struct file *one = op->owner;
    one->known = true;
    if (e)
        one->err = *e;
    else if (one->http.status != 200)
        err_set(&one->err, RC_NET, "FETCH_STATUS", "the answer is status %ld", one->http.status);
    else
        one->f->octets += one->http.in.n;
    while (one->waiting) {
        struct fetch *x = one->waiting;
        one->waiting = x->next;
        give(one, x);
    }
}

static void leave(struct op *op)
{
    struct fetch *x = (struct fetch *)op;
    struct file *one = x->impl;
    struct fetch **at = one ? &one->waiting : NULL;
    while (at && *at && *at != x)
        at = &(*at)->next;
    if (at && *at)
        *at = x->next;
}

static char *key_of(const struct fetch *x)
{
    char *hex = mem_new(2 * x->body.n + 1);
    hex_show(hex, 2 * x->body.n + 1, x->body.p, x->body.n);
    char *key = mem_fmt("%s %s", x->url, hex);
    free(hex);
    return key;
}

static struct file *ask(struct fetcher *f, char *key, const struct fetch *x)
{
    struct file *one = mem_new(sizeof *one);
    one->f = f;
    one->key = key;
    one->url = mem_str(x->url);
    one->body = mem_copy(x->body.p ? x->body.p : (const uint8_t *)"", x->body.n);
    f->file = mem_grow(f->file, f->n + 1, sizeof *f->file);
    f->file[f->n++] = one;
    map_put(&f->files, key, one);
    if (x->body.n) {
        char *type = mem_fmt("Content-Type: %s", x->type);
        strs_add(&one->headers, type);
        free(type);
    }
    one->http = (struct http){.op = {.done = answered, .owner = one},
                              .method = x->body.n ? "POST" : "GET",
                              .url = one->url,
                              .headers = &one->headers,
                              .body = {(const uint8_t *)one->body, x->body.n},
                              .limit_ms = LIMIT_MS,
                              .max = x->max,
                              .repeatable = true};
    http_start(f->client, &one->http);
    return one;
}

void fetch_start(struct fetcher *f, struct fetch *x)
{
    struct err e = {0};
    char *key = key_of(x);
    struct file *one = map_get(&f->files, key);
    op_start(&x->op, leave);
    x->in = (struct bytes){0};
    x->impl = NULL;
    if (!one && (f->n >= FILES_MAX || f->octets >= OCTETS_MAX)) {
        free(key);
        err_set(&e, RC_NET, "FETCH_MANY", "too many different files or too large ones were asked for already");
        op_settle(&x->op, &e);
        return;
    }
    if (one)
        free(key);
    else
        one = ask(f, key, x);
    if (one->known) {
        give(one, x);
        return;
    }
    x->impl = one;
    x->next = one->waiting;
    one->waiting = x;
}
