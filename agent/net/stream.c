/* stream.c: framed messages on libuv's TCP. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "base/mem.h"
#include "net/net_impl.h"
#include "net/stream_impl.h"
#include "net/wire.h"

enum { CONNECT_MS = 5000, LIMIT_MS = 10000, FRAME = 2, DNS_PORT = 53 };

static void pump(struct stream *s);
static void connect_next(struct stream *s);

static int64_t now(const struct stream *s)
{
    return loop_now(net_loop(s->net));
}

/* Why no octet could be sent, as it is told if no other address helps. */
static void note_why(struct stream *s, const char *why)
{
    const struct endpoint *p = &s->addrs.e[s->next_addr - 1];
    s->why = (struct err){0};
    err_set(&s->why, RC_NET, "STREAM_CONNECT", "%s port %u cannot be reached by TCP: %s; nothing was sent", p->addr, p->port, why);
}

static void refs(struct stream *s)
{
    void (*set)(uv_handle_t *) = s->live ? uv_ref : uv_unref;
    set((uv_handle_t *)s->timer);
    if (s->conn)
        set((uv_handle_t *)&s->conn->tcp);
}

static void on_timer(uv_timer_t *h);

static void arm(struct stream *s)
{
    int64_t at = s->conn && !s->conn->up ? s->connect_deadline : INT64_MAX;
    for (struct slot *t = s->first; t; t = t->next)
        if (t->x && t->deadline < at)
            at = t->deadline;
    if (at == INT64_MAX)
        uv_timer_stop(s->timer);
    else
        uv_timer_start(s->timer, on_timer, at > now(s) ? (uint64_t)(at - now(s)) : 0, 0);
    refs(s);
}

/* The connection. */

static void drop_conn(struct stream *s)
{
    struct conn *c = s->conn;
    if (!c)
        return;
    for (struct slot *t = s->first, *next; t; t = next) {
        next = t->next;
        if (!t->x) /* its late answer will not come any more */
            slot_free(t);
    }
    s->conn = NULL;
    c->s = NULL;
    free(c->in);
    c->in = NULL;
    uv_ref((uv_handle_t *)&c->tcp); /* its end is waited for */
    loop_uv_close(&c->tcp);
}

/* The connection is gone: what was sent is unsure, what was not may have one new connection. */
static void lost(struct stream *s)
{
    drop_conn(s);
    while (s->first && s->first->sent) /* sent ones stand in front */
        slot_fail(s->first);
    if (s->first)
        pump(s);
    else
        arm(s);
}

static void no_connection(struct stream *s)
{
    drop_conn(s);
    while (s->first)
        slot_fail(s->first);
    arm(s);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct conn *c = h->data;
    size_t want = c->n >= FRAME ? FRAME + (size_t)wire_at16(c->in) : 0;
    want = want > c->n ? want : c->n + 1;
    if (want < 4096)
        want = 4096;
    if (want > c->size) {
        c->in = mem_grow(c->in, want, 1);
        c->size = want;
    }
    *buf = uv_buf_init((char *)c->in + c->n, (unsigned)(c->size - c->n));
}

static void answer(struct stream *s, const uint8_t *p, size_t n)
{
    struct slot *t = s->first;
    while (t && !(t->sent && t->id == wire_at16(p)))
        t = t->next;
    if (!t)
        return; /* nobody asked */
    s->opened = 0;
    if (!t->x) {
        slot_free(t);
        return;
    }
    t->answer = mem_copy(p, n);
    t->x->in = (struct bytes){t->answer, n};
    slot_settle(t, NULL);
}

/* A server that sends small answers one by one (Nagle: named) keeps the next one back until this one is acknowledged, which the kernel would put
 * off by 40 ms. */
static void acknowledge(struct conn *c)
{
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&c->tcp, &fd) == 0)
        setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
}

static void on_read(uv_stream_t *h, ssize_t got, const uv_buf_t *buf)
{
    (void)buf;
    struct conn *c = h->data;
    struct stream *s = c->s;
    if (!s || got == 0)
        return;
    if (got < 0) {
        lost(s);
        return;
    }
    c->n += (size_t)got;
    size_t at = 0;
    while (c->n - at >= FRAME) {
        size_t n = wire_at16(c->in + at);
        if (n < WIRE_HEADER) { /* no DNS message is that short: the framing is lost */
            lost(s);
            return;
        }
        if (c->n - at < FRAME + n)
            break;
        answer(s, c->in + at + FRAME, n);
        at += FRAME + n;
    }
    memmove(c->in, c->in + at, c->n - at);
    c->n -= at;
    if (s->live)
        acknowledge(c);
    arm(s);
}

struct rest { /* what the kernel did not take at once */
    uv_write_t req;
    uint8_t p[];
};

static void on_written(uv_write_t *req, int status)
{
    (void)status; /* a broken connection is told by on_read */
    free(req);
}

/* false: the connection is broken and no octet of this exchange left. */
static bool write_slot(struct conn *c, struct slot *t)
{
    struct bytes out = t->x->out;
    uint8_t frame[FRAME] = {(uint8_t)(out.n >> 8), (uint8_t)out.n};
    uv_buf_t buf[2] = {uv_buf_init((char *)frame, FRAME), {.base = (char *)(uintptr_t)out.p, .len = out.n}};
    int took = uv_try_write((uv_stream_t *)&c->tcp, buf, 2);
    if (took < 0 && took != UV_EAGAIN)
        return false;
    size_t done = took < 0 ? 0 : (size_t)took;
    t->sent = t->x->sent = true;
    if (done < FRAME + out.n) {
        struct rest *r = mem_new(sizeof *r + FRAME + out.n);
        memcpy(r->p, frame, FRAME);
        memcpy(r->p + FRAME, out.p, out.n);
        uv_buf_t left = uv_buf_init((char *)r->p + done, (unsigned)(FRAME + out.n - done));
        if (uv_write(&r->req, (uv_stream_t *)&c->tcp, &left, 1, on_written) < 0)
            free(r); /* on_read tells */
    }
    if (t->x->durable)
        durable(t->x->durable);
    return true;
}

/* An idle connection that the server has closed: known before anything is written to it. */
static bool found_closed(struct conn *c)
{
    uv_os_fd_t fd;
    uint8_t octet;
    if (uv_fileno((uv_handle_t *)&c->tcp, &fd) < 0)
        return true;
    ssize_t n = recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static void on_connect(uv_connect_t *req, int status)
{
    struct conn *c = req->data;
    struct stream *s = c->s;
    if (!s)
        return;
    if (status < 0) {
        note_why(s, uv_strerror(status));
        connect_next(s);
        return;
    }
    c->up = true;
    uv_tcp_nodelay(&c->tcp, 1);
    if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0) {
        lost(s);
        return;
    }
    pump(s);
}

/* Tries the next address; without any left, what waits has failed. */
static void connect_next(struct stream *s)
{
    drop_conn(s);
    while (s->next_addr < s->addrs.n) {
        const struct endpoint *p = &s->addrs.e[s->next_addr++];
        union address a;
        socklen_t n;
        if (!net_address(p->addr, p->port, &a, NULL))
            continue;
        struct conn *c = mem_new(sizeof *c);
        uv_tcp_init(loop_uv(net_loop(s->net)), &c->tcp);
        c->tcp.data = c->connect.data = c;
        c->s = s;
        s->conn = c;
        const struct sockaddr *source = net_source(s->net, a.sa.sa_family, &n);
        int r = source ? uv_tcp_bind(&c->tcp, source, 0) : 0;
        r = r < 0 ? r : uv_tcp_connect(&c->connect, &c->tcp, &a.sa, on_connect);
        if (r >= 0) {
            s->connect_deadline = now(s) + CONNECT_MS;
            arm(s);
            return;
        }
        note_why(s, uv_strerror(r));
        drop_conn(s);
    }
    no_connection(s);
}

static void resolved(struct op *op, const struct err *e)
{
    struct stream *s = op->owner;
    if (e) {
        s->why = *e;
        no_connection(s);
        return;
    }
    for (size_t i = 0; i < s->resolve.out.n; i++)
        if (net_has_route(s->net, &s->resolve.out.e[i]))
            endpoints_add(&s->addrs, &s->resolve.out.e[i]);
    for (size_t i = 0; i < s->resolve.out.n && !s->addrs.n; i++)
        endpoints_add(&s->addrs, &s->resolve.out.e[i]);
    endpoints_free(&s->resolve.out);
    connect_next(s);
}

static void open_conn(struct stream *s)
{
    if (s->opened >= 2) {
        note_why(s, "the connection is closed at once");
        no_connection(s);
        return;
    }
    s->opened++;
    s->next_addr = 0;
    s->why = (struct err){0};
    if (s->addrs.n) {
        connect_next(s);
        return;
    }
    s->resolve.name = s->to.name;
    s->resolve.port = s->to.port;
    s->resolve.op.done = resolved;
    s->resolve.op.owner = s;
    resolve_start(s->net, &s->resolve);
    arm(s);
}

/* Sends what waits, where there is a connection; else makes one. */
static void pump(struct stream *s)
{
    if (op_busy(&s->resolve.op) || (s->conn && !s->conn->up)) {
        arm(s);
        return;
    }
    if (s->conn && s->first && !s->first->sent && found_closed(s->conn))
        drop_conn(s);
    if (!s->conn) {
        open_conn(s);
        return;
    }
    for (struct slot *t = s->first; t; t = t->next) {
        if (!t->sent && !write_slot(s->conn, t)) {
            lost(s);
            return;
        }
    }
    arm(s);
}

static void on_timer(uv_timer_t *h)
{
    struct stream *s = h->data;
    bool silent = false;
    for (struct slot *t = s->first, *next; t; t = next) {
        next = t->next;
        if (!t->x || t->deadline > now(s))
            continue;
        struct err e = slot_fault(s, t, true);
        struct exchange *x = t->x;
        silent |= t->sent;
        slot_abandon(t);
        op_settle(&x->op, &e);
    }
    if (silent && !s->live) /* the next exchange shall not inherit a dead connection */
        drop_conn(s);
    if (s->conn && !s->conn->up && s->connect_deadline <= now(s)) {
        note_why(s, "no answer within 5 s (a firewall?)");
        connect_next(s);
        return;
    }
    arm(s);
}

/* What callers see. */

struct stream *stream_open(struct net *n, const struct endpoint *to)
{
    struct stream *s = mem_new(sizeof *s);
    s->net = n;
    s->to = *to;
    s->to.via = VIA_TCP;
    if (!s->to.port)
        s->to.port = DNS_PORT;
    endpoint_show(&s->to, s->shown, sizeof s->shown);
    if (s->to.addr[0])
        endpoints_add(&s->addrs, &s->to);
    s->timer = mem_new(sizeof *s->timer);
    uv_timer_init(loop_uv(net_loop(n)), s->timer);
    s->timer->data = s;
    refs(s);
    return s;
}

void stream_warm(struct stream *s)
{
    if (s->conn || op_busy(&s->resolve.op))
        return;
    s->opened = 0;
    open_conn(s);
}

static void detach(struct op *op)
{
    struct slot *t = ((struct exchange *)op)->impl;
    struct stream *s = t->s;
    slot_abandon(t);
    arm(s);
}

uint16_t stream_id(struct stream *s)
{
    uint16_t id;
    struct slot *t;
    do {
        if (getrandom(&id, sizeof id, 0) != sizeof id)
            continue;
        for (t = s->first; t && t->id != id; t = t->next)
            ;
        if (!t)
            return id;
    } while (true);
}

void stream_send(struct stream *s, struct exchange *x)
{
    struct slot *t = mem_new(sizeof *t);
    *t = (struct slot){.x = x, .s = s, .id = (uint16_t)wire_at16(x->out.p), .prev = s->last};
    t->deadline = now(s) + (x->limit_ms ? x->limit_ms : LIMIT_MS);
    *(s->last ? &s->last->next : &s->first) = t;
    s->last = t;
    if (!s->live++)
        s->opened = 0;
    x->sent = false;
    x->in = (struct bytes){0};
    x->impl = t;
    op_start(&x->op, detach);
    pump(s);
}

void stream_close(struct stream *s)
{
    if (!s)
        return;
    op_cancel(&s->resolve.op);
    endpoints_free(&s->resolve.out);
    drop_conn(s);
    while (s->first)
        slot_fail(s->first);
    uv_ref((uv_handle_t *)s->timer);
    loop_uv_close(s->timer);
    endpoints_free(&s->addrs);
    free(s);
}
