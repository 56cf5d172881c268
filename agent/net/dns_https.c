/* dns_https.c: DNS over HTTPS (RFC 8484): each message is a POST of its own, streams on one connection. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/dns_impl.h"
#include "net/http.h"
#include "net/net_impl.h"

enum { ANSWER_MAX = 65535, POST_MS = 30000 /* dnsx keeps the deadlines */ };

struct https_channel {
    struct channel base;
    struct http_client *client; /* NULL until first used */
    struct strs headers;
    struct post *posts;
};

struct post {
    struct http h;
    struct https_channel *channel;
    struct post *prev, *next;
    void *item;
    uint8_t id[2]; /* a message travels with id 0 (RFC 8484 4.1): caches on the way can share answers */
    uint8_t msg[QUESTION_MAX];
};

static void post_free(struct post *p)
{
    if (p->next)
        p->next->prev = p->prev;
    *(p->prev ? &p->prev->next : &p->channel->posts) = p->next;
    http_clear(&p->h);
    free(p);
}

/* What is wrong with an answer that came; NULL: nothing. */
static const char *fault_of(const struct post *p, char *out, size_t size)
{
    char type[80];
    if (p->h.status != 200)
        snprintf(out, size, "the HTTP status is %ld, 200 is wanted; is the path of the URL right?", p->h.status);
    else if (!http_header(&p->h, "content-type", type, sizeof type) || strncasecmp(type, "application/dns-message", 23) != 0)
        snprintf(out, size, "the answer is no application/dns-message; is this a DoH server?");
    else if (p->h.in.n < DNS_HEADER)
        snprintf(out, size, "the answer is shorter than a DNS header");
    else
        return NULL;
    return out;
}

static void posted(struct op *op, const struct err *e)
{
    struct post *p = op->owner;
    struct https_channel *c = p->channel;
    struct channel *base = &c->base;
    const char *fault = e ? e->text : fault_of(p, base->text, sizeof base->text);
    if (fault && fault != base->text)
        snprintf(base->text, sizeof base->text, "%s", fault);
    if (!fault)
        memcpy(p->h.in.p, p->id, sizeof p->id);
    enum fate fate = !fault ? FATE_ANSWER : e && strcmp(e->code, "HTTP_TIMEOUT") == 0 ? FATE_TIMEOUT : FATE_FAILED;
    channel_fate(base, p->item, fate, 0, fault ? NULL : (const uint8_t *)p->h.in.p, fault ? 0 : p->h.in.n);
    post_free(p);
    base->event(base->arg);
}

static bool client_ready(struct https_channel *c)
{
    struct err e = {0};
    struct http_setup setup = *net_secure(c->base.net);
    if (c->client)
        return true;
    setup.address = c->base.to.addr;
    c->client = http_client_new(c->base.net, &setup, &e);
    if (!c->client) {
        snprintf(c->base.text, sizeof c->base.text, "%s", e.text);
        return false;
    }
    strs_add(&c->headers, "Content-Type: application/dns-message");
    strs_add(&c->headers, "Accept: application/dns-message");
    return true;
}

static void carry(struct channel *base, const uint8_t *msg, size_t n, void *item)
{
    struct https_channel *c = (struct https_channel *)base;
    if (!client_ready(c)) {
        channel_fate(base, item, FATE_FAILED, 0, NULL, 0);
        return;
    }
    struct post *p = mem_new(sizeof *p);
    *p = (struct post){.channel = c, .item = item, .next = c->posts};
    if (c->posts)
        c->posts->prev = p;
    c->posts = p;
    memcpy(p->msg, msg, n);
    memcpy(p->id, msg, sizeof p->id);
    memset(p->msg, 0, sizeof p->id);
    p->h = (struct http){.op = {.done = posted, .owner = p},
                         .method = "POST",
                         .url = base->to.url,
                         .headers = &c->headers,
                         .body = {p->msg, n},
                         .limit_ms = POST_MS,
                         .max = ANSWER_MAX,
                         .repeatable = true};
    http_start(c->client, &p->h);
}

static void https_close(struct channel *base)
{
    struct https_channel *c = (struct https_channel *)base;
    while (c->posts) {
        void *item = c->posts->item;
        post_free(c->posts);
        channel_fate(base, item, FATE_GONE, 0, NULL, 0);
    }
    http_client_free(c->client);
    c->client = NULL;
    strs_free(&c->headers);
}

const struct carrier by_https = {.size = sizeof(struct https_channel), .send = carry, .rest = https_close, .close = https_close};
