/* dns_tls.c: DNS over TLS (RFC 7858): framed messages on one connection, several under way, matched by id.
 *
 * Ids on the wire are this file's, so that no two under way are the same. A connection that breaks is made anew for what was not answered, questions
 * change nothing: once, and again as long as each connection brings an answer (some servers end it after one, or after a few). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/dns_impl.h"
#include "net/http.h"
#include "net/loop_uv.h"
#include "net/net_impl.h"

enum {
    FRAME = 2,
    IN_MAX = FRAME + 65535,
    OUT_MAX = 1 << 20,
    STRAYS_MAX = 1000,
    CONNECT_MS = 10000,
    LIFE_MS = 20000 /* dnsx keeps the deadlines */
};

struct sent {
    struct sent *next;
    void *item;
    uint8_t id[2]; /* the asker's */
    uint16_t wire;
    int64_t due; /* dns_ms(): it comes back unanswered */
    bool again;  /* it was under way when a connection broke that had brought nothing */
    size_t n;
    uint8_t msg[FRAME + QUESTION_MAX];
};

struct tls_channel {
    struct channel base;
    struct http_client *client; /* NULL until first used */
    struct http line;
    char called[270], url[300]; /* "dns.example:853", and the same for curl */
    enum { LINE_DOWN, LINE_CONNECTS, LINE_UP } at;
    uv_poll_t *poll;
    struct sent *sent; /* newest first */
    uint16_t wire;     /* the next id */
    struct str out;    /* not yet taken by TLS */
    uint8_t *in;
    size_t n_in;
    unsigned answers, strays; /* on this connection; strays: that nobody waits for */
};

static void line_down(struct tls_channel *c)
{
    loop_uv_close(c->poll);
    c->poll = NULL;
    http_clear(&c->line);
    str_free(&c->out);
    c->n_in = 0;
    c->at = LINE_DOWN;
}

static bool any(const struct sent *s)
{
    (void)s;
    return true;
}

static bool had_its_chance(const struct sent *s)
{
    return s->again;
}

static bool over(const struct sent *s)
{
    return s->due <= dns_ms();
}

/* What is under way and meant by `which` comes back. */
static void give_up(struct tls_channel *c, enum fate fate, int why, bool (*which)(const struct sent *s))
{
    struct sent *keep = NULL, *gone = NULL;
    for (struct sent *s = c->sent, *next; s; s = next) {
        struct sent **to = which(s) ? &gone : &keep;
        next = s->next;
        s->next = *to;
        *to = s;
    }
    c->sent = keep; /* before anybody hears: they may ask anew */
    while (gone) {
        struct sent *s = gone;
        gone = s->next;
        channel_fate(&c->base, s->item, fate, why, NULL, 0);
        free(s);
    }
}

static void line_up(struct tls_channel *c);

/* The connection broke: once more for what was under way. */
static void line_broken(struct tls_channel *c)
{
    bool brought = c->answers > 0;
    line_down(c);
    if (!brought)
        give_up(c, FATE_REFUSED, ECONNRESET, had_its_chance);
    for (struct sent *s = c->sent; s && !brought; s = s->next)
        s->again = true;
    if (c->sent)
        line_up(c);
}

/* --- octets ------------------------------------------------------------------------------------------------------------------------------ */

static void on_ready(uv_poll_t *h, int status, int events);

static void watch(struct tls_channel *c)
{
    uv_poll_start(c->poll, UV_READABLE | (c->out.n ? UV_WRITABLE : 0), on_ready);
}

static bool flush(struct tls_channel *c)
{
    while (c->out.n) {
        long n = http_line_send(&c->line, c->out.p, c->out.n);
        if (n < 0)
            return false;
        if (n == 0)
            break;
        memmove(c->out.p, c->out.p + n, c->out.n - (size_t)n);
        c->out.n -= (size_t)n;
    }
    return true;
}

static void answered(struct tls_channel *c, uint8_t *msg, size_t n)
{
    uint16_t wire = n >= DNS_HEADER ? (uint16_t)(msg[0] << 8 | msg[1]) : 0;
    struct sent **at = &c->sent, *s;
    while (*at && (n < DNS_HEADER || (*at)->wire != wire))
        at = &(*at)->next;
    s = *at;
    if (!s) {
        c->strays++;
        return;
    }
    c->answers++;
    *at = s->next;
    memcpy(msg, s->id, sizeof s->id);
    channel_fate(&c->base, s->item, FATE_ANSWER, 0, msg, n);
    free(s);
}

/* Frames as they get whole. false: the connection is broken, or would never let us go. */
static bool take(struct tls_channel *c)
{
    if (!c->in)
        c->in = mem_array(IN_MAX, 1);
    while (c->strays < STRAYS_MAX) {
        size_t need = c->n_in < FRAME ? FRAME : FRAME + ((size_t)c->in[0] << 8 | c->in[1]);
        if (c->n_in < need) {
            long n = http_line_take(&c->line, c->in + c->n_in, need - c->n_in);
            if (n <= 0)
                return n == 0;
            c->n_in += (size_t)n;
        } else if (need > FRAME) {
            c->n_in = 0;
            answered(c, c->in + FRAME, need - FRAME);
        } else if (c->in[0] == 0 && c->in[1] == 0) { /* an empty frame */
            return false;
        }
    }
    return false;
}

static void on_ready(uv_poll_t *h, int status, int events)
{
    struct tls_channel *c = h->data;
    (void)events;
    if (status < 0 || !flush(c) || !take(c))
        line_broken(c);
    else if (c->poll)
        watch(c);
    c->base.event(c->base.arg);
}

/* --- the line ---------------------------------------------------------------------------------------------------------------------------- */

static void connected(struct op *op, const struct err *e)
{
    struct tls_channel *c = op->owner;
    int fd = e ? -1 : http_line_fd(&c->line);
    uv_poll_t *poll = fd < 0 ? NULL : mem_new(sizeof *poll);
    if (poll && uv_poll_init(loop_uv(net_loop(c->base.net)), poll, fd) < 0) {
        free(poll);
        poll = NULL;
    }
    if (!poll) {
        snprintf(c->base.text, sizeof c->base.text, "%s", e ? e->text : "the connection cannot be watched");
        line_down(c);
        give_up(c, e && strcmp(e->code, "HTTP_TIMEOUT") == 0 ? FATE_TIMEOUT : FATE_FAILED, 0, any);
    } else {
        poll->data = c;
        uv_unref((uv_handle_t *)poll); /* the channel's timer keeps the loop alive while somebody waits */
        c->poll = poll;
        c->at = LINE_UP;
        if (flush(c))
            watch(c);
        else
            line_broken(c);
    }
    c->base.event(c->base.arg);
}

static void put(struct tls_channel *c, const struct sent *s)
{
    str_put(&c->out, s->msg, s->n);
}

static void line_up(struct tls_channel *c)
{
    const struct endpoint *to = &c->base.to;
    struct http_setup setup = *net_secure(c->base.net);
    struct err e = {0};
    setup.address = to->addr;
    c->out = STR_INIT(OUT_MAX);
    if (!c->client)
        c->client = http_client_new(c->base.net, &setup, &e);
    if (!c->client) {
        snprintf(c->base.text, sizeof c->base.text, "%s", e.text);
        give_up(c, FATE_FAILED, 0, any);
        return;
    }
    for (const struct sent *s = c->sent; s; s = s->next)
        put(c, s);
    snprintf(c->called, sizeof c->called, "%s:%u", to->name, (unsigned)to->port);
    snprintf(c->url, sizeof c->url, "https://%s/", c->called);
    c->line = (struct http){
        .op = {.done = connected, .owner = c}, .method = "GET", .url = c->url, .called = c->called, .line = true, .limit_ms = CONNECT_MS};
    c->at = LINE_CONNECTS;
    c->answers = c->strays = 0;
    http_start(c->client, &c->line);
}

static uint16_t free_id(struct tls_channel *c)
{
    for (;;) {
        const struct sent *s = c->sent;
        c->wire++;
        while (s && s->wire != c->wire)
            s = s->next;
        if (!s)
            return c->wire;
    }
}

static void carry(struct channel *base, const uint8_t *msg, size_t n, void *item)
{
    struct tls_channel *c = (struct tls_channel *)base;
    struct sent *s = mem_new(sizeof *s);
    *s = (struct sent){.item = item, .wire = free_id(c), .due = dns_ms() + LIFE_MS, .n = FRAME + n};
    memcpy(s->id, msg, sizeof s->id);
    s->msg[0] = (uint8_t)(n >> 8);
    s->msg[1] = (uint8_t)n;
    memcpy(s->msg + FRAME, msg, n);
    s->msg[FRAME] = (uint8_t)(s->wire >> 8);
    s->msg[FRAME + 1] = (uint8_t)s->wire;
    s->next = c->sent;
    c->sent = s;
    channel_wake(base, s->due);
    if (c->at == LINE_DOWN) {
        line_up(c);
        return;
    }
    put(c, s);
    if (c->at == LINE_UP)
        watch(c); /* leaves with the next round: not inside the asker's call */
}

static void tls_tick(struct channel *base)
{
    struct tls_channel *c = (struct tls_channel *)base;
    give_up(c, FATE_TIMEOUT, 0, over);
    for (const struct sent *s = c->sent; s; s = s->next)
        channel_wake(base, s->due);
}

static void tls_rest(struct channel *base)
{
    struct tls_channel *c = (struct tls_channel *)base;
    line_down(c);
    http_client_free(c->client);
    c->client = NULL;
    free(c->in);
    c->in = NULL;
}

static void tls_close(struct channel *base)
{
    give_up((struct tls_channel *)base, FATE_GONE, 0, any);
    tls_rest(base);
}

const struct carrier by_tls = {.size = sizeof(struct tls_channel), .send = carry, .tick = tls_tick, .rest = tls_rest, .close = tls_close};
