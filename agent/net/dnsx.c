/* dnsx.c: requests on their way through a server's line and window, and what an answer is worth.
 *
 * An answer by UDP that is truncated, unreadable or does not echo the question letter by letter is asked for once more by TCP, where
 * nobody can forge it: who sends us a lucky guess costs us a connection, no more. c-ares cannot take a question back, so each has
 * a small block of its own (struct flight) that stays behind when the request is cancelled or out of time. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/dns_impl.h"
#include "net/loop_uv.h"
#include "net/net_impl.h"

enum {
    WINDOW = 50,            /* of a resolver: the public ones count */
    WINDOW_AUTHORITY = 128, /* far more at once and answers are lost in socket buffers */
    CARRIED_MAX = 200,      /* the same, what c-ares still carries for nobody included */
    SILENT = 5,             /* timeouts in a row */
    OPEN_MAX = 24,          /* c-ares needs 75 KiB a channel: beyond that many servers idle ones are closed */
    LIMIT_MS = 5000,
    LINE_LIMITS = 3, /* limits a request may stand in line */
    DNS_PORT = 53,
    DNS_TLS_PORT = 853,
    FLAG_TC = 2
};

enum why { WHY_ASKED, WHY_TRUNCATED, WHY_ECHO, WHY_BROKEN, WHY_EDNS };

struct server {
    struct server *next;
    struct dns *dns;
    struct channel *channel;
    struct server *tcp; /* of a UDP one, once needed; of a TCP one itself */
    struct flight *live, *line, *line_end;
    unsigned n_live, n_line, timeouts; /* in a row, of questions sent after the last answer */
    int64_t heard;                     /* the last answer, dns_ms(); 0: none */
    int64_t due;                       /* the first deadline of all that is here; 0: none */
    bool pumping;
};

struct flight {
    struct flight *prev, *next; /* in live or line */
    struct server *server;
    struct dns_ask *ask; /* NULL: nobody waits any more */
    int64_t due;         /* deadline: in line for its turn, then for the answer */
    int64_t sent;        /* 0: not yet */
    uint16_t id;
    uint8_t why;
    bool in_line, edns;
    uint8_t mask[32];
};

/* Memory of the replies of a round. An answer by HTTPS is known in the delivery of one round and handed on in the next one's. */
struct holds {
    void **p;
    size_t n, size;
};

struct dns {
    struct net *net;
    struct server *servers;
    size_t n_servers;
    uv_prepare_t *prepare;
    struct holds now, last;
};

/* ---- lists */

static void live_add(struct server *s, struct flight *f)
{
    f->prev = NULL;
    f->next = s->live;
    if (s->live)
        s->live->prev = f;
    s->live = f;
    s->n_live++;
}

static void live_remove(struct server *s, struct flight *f)
{
    if (f->next)
        f->next->prev = f->prev;
    if (f->prev)
        f->prev->next = f->next;
    else
        s->live = f->next;
    s->n_live--;
}

static void line_add(struct server *s, struct flight *f)
{
    f->server = s;
    f->in_line = true;
    f->next = NULL;
    f->prev = s->line_end;
    if (s->line_end)
        s->line_end->next = f;
    else
        s->line = f;
    s->line_end = f;
    s->n_line++;
}

static void line_remove(struct server *s, struct flight *f)
{
    if (f->next)
        f->next->prev = f->prev;
    else
        s->line_end = f->prev;
    if (f->prev)
        f->prev->next = f->next;
    else
        s->line = f->next;
    f->in_line = false;
    s->n_line--;
}

static void note_due(struct server *s, int64_t due)
{
    if (!s->due || due < s->due)
        s->due = due;
    channel_wake(s->channel, due);
}

/* Outside of c-ares only. */
static void settle_down(struct server *s)
{
    channel_waits(s->channel, s->n_live || s->n_line);
    if (!s->n_live && !s->n_line && s->dns->n_servers > OPEN_MAX)
        channel_rest(s->channel);
}

/* ---- results */

static uint32_t limit_of(const struct dns_ask *ask)
{
    return ask->limit_ms ? ask->limit_ms : LIMIT_MS;
}

static const char *type_word(uint16_t type)
{
    static char other[16];
    switch (type) {
    case TYPE_A:
        return "A";
    case TYPE_NS:
        return "NS";
    case TYPE_CNAME:
        return "CNAME";
    case TYPE_SOA:
        return "SOA";
    case TYPE_TXT:
        return "TXT";
    case TYPE_AAAA:
        return "AAAA";
    case TYPE_DS:
        return "DS";
    case TYPE_DNSKEY:
        return "DNSKEY";
    case TYPE_CAA:
        return "CAA";
    default:
        snprintf(other, sizeof other, "TYPE%u", type);
        return other;
    }
}

/* The request ends with this error; its memory may be gone after the next op_deliver(). */
static void fail(struct dns_ask *ask, enum why why, const char *code, const char *text)
{
    static const char *const before[] = {
        [WHY_ASKED] = "",
        [WHY_TRUNCATED] = "the answer by UDP was truncated, and by TCP: ",
        [WHY_ECHO] = "the answer by UDP did not repeat the question letter by letter, and by TCP: ",
        [WHY_BROKEN] = "the answer by UDP could not be read, and by TCP: ",
        [WHY_EDNS] = "FORMERR to a question with EDNS, and by TCP without it: ",
    };
    struct err e = {0};
    char shown[300];
    endpoint_show(ask->to, shown, sizeof shown);
    if (why == WHY_ECHO || why == WHY_BROKEN)
        code = "DNS_MALFORMED";
    err_at(&e, "%s", shown);
    err_set(&e, RC_NET, code, "%s (%s) asked at %s: %s%s", *ask->name ? ask->name : ".", type_word(ask->type), shown, before[why], text);
    err_again(&e, 0);
    ask->flight = NULL;
    op_settle(&ask->op, &e);
}

/* Losing some is not being silent: an answer to what was sent with it or later speaks for the server. */
static void note_timeout(struct server *s, const struct flight *f)
{
    if (f->sent > s->heard)
        s->timeouts++;
}

static void fail_flight(struct flight *f, const char *code, const char *text)
{
    f->ask->ms = f->sent ? (uint32_t)(dns_ms() - f->sent) : 0;
    fail(f->ask, f->why, code, text);
    f->ask = NULL;
}

static void fail_time(struct flight *f)
{
    char text[64];
    snprintf(text, sizeof text, f->sent ? "no answer within %u ms" : "no turn within %u ms, too many questions before it",
             f->sent ? limit_of(f->ask) : LINE_LIMITS * limit_of(f->ask));
    fail_flight(f, "DNS_TIMEOUT", text);
}

static const char skipped[] = "left out: it was silent several times in a row and is asked no more in this run";

static bool to_be_skipped(const struct server *s, const struct dns_ask *ask)
{
    return ask->may_skip && s->timeouts >= SILENT;
}

static struct server *server_for(struct dns *d, const struct endpoint *to, enum via via);

/* Once more by TCP, in what is left of its time. The TCP line moves on after this event. */
static void by_tcp(struct flight *f, enum why why)
{
    struct server *s = f->server;
    const struct endpoint *to = f->ask->to;
    if (!s->tcp)
        s->tcp = server_for(s->dns, to, VIA_TCP);
    f->why = (uint8_t)why;
    if (to_be_skipped(s->tcp, f->ask)) {
        fail_flight(f, "DNS_SKIPPED", skipped);
        free(f);
        return;
    }
    line_add(s->tcp, f);
    note_due(s->tcp, f->due);
    channel_waits(s->tcp->channel, true);
}

static struct question question_of(const struct flight *f)
{
    const struct dns_ask *a = f->ask;
    struct question q = {.name = a->name, .type = a->type, .id = f->id, .rd = a->rd, .dnssec = a->dnssec, .cd = a->cd, .edns = f->edns};
    memcpy(q.mask, f->mask, sizeof q.mask);
    return q;
}

static void succeed(struct flight *f, const struct dns_reply *reply, void *hold)
{
    struct holds *now = &f->server->dns->now;
    struct dns_ask *ask = f->ask;
    if (now->n == now->size) {
        now->size = now->size ? 2 * now->size : 16;
        now->p = mem_grow(now->p, now->size, sizeof *now->p);
    }
    now->p[now->n++] = hold;
    ask->reply = *reply;
    ask->ms = (uint32_t)(dns_ms() - f->sent);
    ask->flight = NULL;
    op_settle(&ask->op, NULL);
    free(f);
}

static void judge(struct flight *f, const uint8_t *msg, size_t n)
{
    bool tcp = f->server->tcp == f->server;
    struct question q = question_of(f);
    struct dns_reply reply;
    void *hold = NULL;
    struct err e = {0};
    if (!question_echoed(&q, !tcp, msg, n)) {
        if (!tcp)
            return by_tcp(f, WHY_ECHO);
        fail_flight(f, "DNS_MALFORMED", "the answer does not repeat the question");
        free(f);
        return;
    }
    if (!tcp && (msg[2] & FLAG_TC))
        return by_tcp(f, WHY_TRUNCATED);
    if (!dns_parse(msg, n, &reply, &hold, &e)) {
        if (!tcp)
            return by_tcp(f, WHY_BROKEN);
        fail_flight(f, "DNS_MALFORMED", e.text);
        free(f);
        return;
    }
    if (reply.rcode == DNS_FORMERR && f->edns && !msg[10] && !msg[11]) { /* no OPT in it: a server from before EDNS */
        free(hold);
        f->edns = false;
        return by_tcp(f, WHY_EDNS);
    }
    reply.tcp = tcp;
    succeed(f, &reply, hold);
}

static void on_fate(void *item, enum fate fate, int why, const uint8_t *msg, size_t n)
{
    struct flight *f = item;
    struct server *s = f->server;
    if (!f->ask) {
        free(f);
        return;
    }
    live_remove(s, f);
    if (fate == FATE_ANSWER) {
        s->timeouts = 0;
        s->heard = dns_ms();
        judge(f, msg, n);
        return;
    }
    if (fate == FATE_TIMEOUT) {
        note_timeout(s, f);
        fail_flight(f, "DNS_TIMEOUT", "no answer");
    } else if (fate == FATE_REFUSED) {
        fail_flight(f, "DNS_REFUSED_CONNECTION", why == ECONNREFUSED ? "nothing listens there" : "the server closed the connection");
    } else if (fate == FATE_UNREACHABLE) {
        fail_flight(f, "DNS_UNREACHABLE", why ? strerror(why) : "it cannot be reached");
    } else if (fate == FATE_FAILED) {
        s->timeouts++; /* each new question would cost a handshake */
        fail_flight(f, "DNS_SECURE", channel_text(s->channel));
    } else {
        f->ask->flight = NULL;
    }
    free(f);
}

/* ---- line and window */

static void send_flight(struct server *s, struct flight *f)
{
    uint8_t msg[QUESTION_MAX];
    if (!f->sent) {
        f->sent = dns_ms();
        f->due = f->sent + limit_of(f->ask);
    }
    struct question q = question_of(f);
    bool random = question_random(&q);
    f->id = q.id;
    memcpy(f->mask, q.mask, sizeof f->mask);
    size_t n = random ? question_build(&q, msg) : 0;
    if (!n) {
        fail_flight(f, "DNS_MALFORMED", random ? "this name cannot be asked in the DNS" : "the system has no random numbers");
        free(f);
        return;
    }
    live_add(s, f);
    note_due(s, f->due);
    channel_send(s->channel, msg, n, f); /* f may be gone */
}

static void pump(struct server *s)
{
    if (s->pumping)
        return;
    s->pumping = true;
    while (s->line && s->n_live < (s->line->ask->rd ? WINDOW : WINDOW_AUTHORITY) && channel_carried(s->channel) < CARRIED_MAX) {
        struct flight *f = s->line;
        line_remove(s, f);
        if (to_be_skipped(s, f->ask)) {
            fail_flight(f, "DNS_SKIPPED", skipped);
            free(f);
        } else {
            send_flight(s, f);
        }
    }
    s->pumping = false;
    settle_down(s);
}

/* Deadlines are ours: c-ares has none for a question as a whole. What it still carries then comes back to nobody. */
static void expire(struct server *s)
{
    int64_t now = dns_ms();
    if (!s->due)
        return;
    if (now < s->due) { /* woken earlier, by c-ares' own tries */
        channel_wake(s->channel, s->due);
        return;
    }
    s->due = 0;
    for (struct flight *f = s->live, *next; f; f = next) {
        next = f->next;
        if (f->due > now) {
            note_due(s, f->due);
            continue;
        }
        note_timeout(s, f);
        live_remove(s, f);
        fail_time(f);
    }
    for (struct flight *f = s->line, *next; f; f = next) {
        next = f->next;
        if (f->due <= now && s->heard + limit_of(f->ask) > now) /* it answers, the line moves: who is in it keeps the place */
            f->due = now + LINE_LIMITS * (int64_t)limit_of(f->ask);
        if (f->due > now) {
            note_due(s, f->due);
            continue;
        }
        line_remove(s, f);
        fail_time(f);
        free(f);
    }
}

static void on_event(void *arg)
{
    struct server *s = arg;
    expire(s);
    pump(s);
    if (s->tcp && s->tcp != s)
        pump(s->tcp);
}

static struct endpoint as_asked(const struct endpoint *to, enum via via)
{
    struct endpoint at = *to;
    at.via = via;
    if (!at.port)
        at.port = via == VIA_TLS ? DNS_TLS_PORT : DNS_PORT;
    return at;
}

static struct server *server_for(struct dns *d, const struct endpoint *to, enum via via)
{
    struct endpoint at = as_asked(to, via);
    for (struct server *s = d->servers; s; s = s->next)
        if (channel_is(s->channel, &at))
            return s;
    struct server *s = mem_new(sizeof *s);
    *s = (struct server){.next = d->servers, .dns = d, .channel = channel_new(d->net, &at, on_fate)};
    if (via != VIA_UDP)
        s->tcp = s;
    channel_on_event(s->channel, on_event, s);
    d->servers = s;
    d->n_servers++;
    return s;
}

static void detach(struct op *op)
{
    struct dns_ask *ask = (struct dns_ask *)op;
    struct flight *f = ask->flight;
    struct server *s = f->server;
    ask->flight = NULL;
    if (f->in_line) {
        line_remove(s, f);
        free(f);
    } else {
        live_remove(s, f);
        f->ask = NULL;
        if (s->line)
            channel_wake(s->channel, dns_ms()); /* the next in line takes its place */
    }
    settle_down(s);
}

void dns_start(struct net *n, struct dns_ask *ask)
{
    const struct endpoint *to = ask->to;
    struct dns *d = net_dns(n);
    op_start(&ask->op, detach);
    ask->reply = (struct dns_reply){0};
    ask->ms = 0;
    ask->flight = NULL;
    if (!*to->addr) {
        fail(ask, WHY_ASKED, "DNS_UNREACHABLE", "its address is not known");
        return;
    }
    struct server *s = server_for(d, to, to->via);
    if (to_be_skipped(s, ask)) {
        fail(ask, WHY_ASKED, "DNS_SKIPPED", skipped);
        return;
    }
    struct flight *f = mem_new(sizeof *f);
    *f = (struct flight){.ask = ask, .due = dns_ms() + LINE_LIMITS * (int64_t)limit_of(ask), .edns = !ask->no_edns};
    ask->flight = f;
    line_add(s, f);
    note_due(s, f->due);
    pump(s);
}

bool dns_silent(struct net *n, const struct endpoint *to)
{
    struct endpoint at = as_asked(to, VIA_UDP);
    for (const struct server *s = net_dns(n)->servers; s; s = s->next)
        if (channel_is(s->channel, &at))
            return s->timeouts > 0;
    return false;
}

/* ---- life */

static void drop_holds(struct holds *h)
{
    for (size_t i = 0; i < h->n; i++)
        free(h->p[i]);
    h->n = 0;
}

/* A new round: all done()s of the last but one are through. */
static void on_round(uv_prepare_t *h)
{
    struct dns *d = h->data;
    struct holds last = d->last;
    drop_holds(&last);
    d->last = d->now;
    d->now = last;
}

struct dns *dns_new(struct net *n, struct err *e)
{
    if (!channels_begin(e))
        return NULL;
    struct dns *d = mem_new(sizeof *d);
    d->net = n;
    d->prepare = mem_new(sizeof *d->prepare);
    uv_prepare_init(loop_uv(net_loop(n)), d->prepare);
    d->prepare->data = d;
    uv_prepare_start(d->prepare, on_round);
    uv_unref((uv_handle_t *)d->prepare);
    return d;
}

static void server_free(struct server *s)
{
    channel_free(s->channel); /* hands all flights back */
    for (struct flight *f; (f = s->line);) {
        line_remove(s, f);
        f->ask->flight = NULL;
        free(f);
    }
    free(s);
}

void dns_free(struct dns *d)
{
    if (!d)
        return;
    for (struct server *s; (s = d->servers);) {
        d->servers = s->next;
        server_free(s);
    }
    loop_uv_close(d->prepare);
    drop_holds(&d->now);
    drop_holds(&d->last);
    free(d->now.p);
    free(d->last.p);
    free(d);
    channels_end();
}
