/* http.c: there is no web in this world: every request finds nobody there. */
#include "net/http.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/scenario/world.h"

enum { TRIP_MS = 20 };

struct http_client {
    unsigned requests;
};

struct http_client *http_client_new(struct net *n, const struct http_setup *setup, struct err *e)
{
    (void)n;
    (void)setup;
    (void)e;
    return mem_new(sizeof(struct http_client));
}

void http_client_free(struct http_client *c)
{
    free(c);
}

unsigned http_client_requests(const struct http_client *c)
{
    return c->requests;
}

static void nobody(void *arg)
{
    struct http *h = arg;
    struct err e = {0};
    err_set(&e, RC_NET, "HTTP_CONNECT", "%s cannot be reached", h->url);
    err_again(&e, 0);
    op_settle(&h->op, &e);
}

static void forget(struct op *op)
{
    world_drop(op);
}

void http_start(struct http_client *c, struct http *h)
{
    c->requests++;
    op_start(&h->op, forget);
    world_at(world_ms() + TRIP_MS, nobody, h);
}

void http_clear(struct http *h)
{
    str_free(&h->head);
    str_free(&h->in);
}

bool http_origin(const char *url, bool plain, char *out, size_t size)
{
    (void)plain;
    size_t scheme = strlen("https://"), n = strncmp(url, "https://", scheme) == 0 ? scheme + strcspn(url + scheme, "/") : 0;
    if (n <= scheme || n >= size)
        return false;
    memcpy(out, url, n);
    out[n] = 0;
    return true;
}
