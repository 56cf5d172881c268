#include "dcv/webview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/names.h"
#include "dcv/webfile.h"
#include "dcv/zone/zone.h"
#include "net/dnsx.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/proxy.h"
#include "net/public.h"

enum { HOPS_MAX = 10, BODY_MAX = 4096, LIMIT_MS = 10000, PAUSE_MS = 1000, PAUSE_MAX_MS = 30000, ADDRESSES_MAX = 32 };

const char *const web_verdict_words[WEB_VERDICTS] = {"match", "absent", "other", "refused", "astray", "unreachable", "not-asked"};

/* --- pure ------------------------------------------------------------------------------------------------------------------------------ */

bool web_content_is(const char *text, size_t n, const char *value)
{
    static const char blanks[] = " \t\r\n";
    while (n && memchr(blanks, text[n - 1], sizeof blanks - 1))
        n--;
    while (n && memchr(blanks, *text, sizeof blanks - 1))
        text++, n--;
    return n == strlen(value) && memcmp(text, value, n) == 0;
}

bool web_judge(const struct web_view *v, size_t n, const struct web_view **blocking)
{
    bool matches = false;
    const struct web_view *silent = NULL;
    *blocking = NULL;
    for (size_t i = 0; i < n; i++) {
        if (v[i].verdict == WEB_MATCH)
            matches = true;
        else if (v[i].verdict == WEB_UNREACHABLE || v[i].verdict == WEB_NOT_ASKED)
            silent = silent && silent->verdict == WEB_UNREACHABLE ? silent : &v[i];
        else if (!*blocking)
            *blocking = &v[i];
    }
    if (!*blocking && !matches)
        *blocking = silent;
    return !*blocking && matches;
}

/* --- a round --------------------------------------------------------------------------------------------------------------------------- */

struct asking { /* the addresses of one family */
    struct watching *of;
    struct dns_ask ask;
    size_t next; /* of the servers */
    bool told;
};

struct look { /* one address */
    struct watching *of;
    size_t at; /* its view */
    struct http_client *client, *elsewhere;
    struct http http;
    char url[2048];
    int64_t began; /* loop_now() */
    unsigned hops;
    bool tls; /* the second try, by https */
};

struct watching {
    struct web_watch *w;
    struct net *net;
    char *value;
    struct endpoints servers;
    struct asking asking[2];
    struct look *look;
    unsigned open; /* questions or requests under way */
    struct timer timer;
    uint32_t pause_ms;
};

static void ask_addresses(struct watching *g);
static void get(struct look *l);

static void looks_free(struct watching *g)
{
    for (size_t i = 0; g->look && i < g->w->n; i++) {
        struct look *l = &g->look[i];
        op_cancel(&l->http.op);
        http_clear(&l->http);
        http_client_free(l->client);
        http_client_free(l->elsewhere);
    }
    free(g->look);
    g->look = NULL;
}

static void watching_free(struct watching *g)
{
    op_cancel(&g->asking[0].ask.op);
    op_cancel(&g->asking[1].ask.op);
    op_cancel(&g->timer.op);
    looks_free(g);
    endpoints_free(&g->servers);
    free(g->value);
    free(g);
}

static void detach(struct op *op)
{
    struct web_watch *w = (struct web_watch *)op;
    watching_free(w->impl);
    w->impl = NULL;
}

static void finish(struct watching *g, const struct err *e)
{
    struct web_watch *w = g->w;
    w->impl = NULL;
    watching_free(g);
    op_settle(&w->op, e);
}

static void paused(struct op *op, const struct err *e)
{
    (void)e;
    ask_addresses(op->owner);
}

/* Once more after a while, as long as there is time. */
static void not_seen(struct watching *g, const struct err *e)
{
    struct loop *l = net_loop(g->net);
    int64_t at = loop_now(l) + g->pause_ms;
    if (g->w->once || at >= g->w->deadline_ms) {
        finish(g, e);
        return;
    }
    g->pause_ms = g->pause_ms * 2 < PAUSE_MAX_MS ? g->pause_ms * 2 : PAUSE_MAX_MS;
    g->timer = (struct timer){.op = {.done = paused, .owner = g}, .at = at};
    loop_timer(l, &g->timer);
}

static void judge(struct watching *g)
{
    const struct web_view *b;
    const char *name = g->w->site->name;
    struct err e = {0};
    looks_free(g);
    if (g->w->round)
        g->w->round(g->w);
    if (web_judge(g->w->view, g->w->n, &b)) {
        finish(g, NULL);
        return;
    }
    err_at(&e, "%s", name);
    if (b->verdict == WEB_UNREACHABLE || b->verdict == WEB_NOT_ASKED)
        err_set(&e, RC_NET, "WEBSITE_UNREACHABLE", "http://%s" WEBFILE_URL_PATH " cannot be looked at, at %s: %s", name, b->addr, b->why);
    else
        err_set(&e, RC_UNSEEN, "WEBSITE_UNSEEN", "http://%s" WEBFILE_URL_PATH " does not show the code at %s: %s", name, b->addr, b->why);
    err_again(&e, 0);
    not_seen(g, &e);
}

/* --- one address ----------------------------------------------------------------------------------------------------------------------- */

static void first_url(struct look *l)
{
    const struct web_watch *w = l->of->w;
    snprintf(l->url, sizeof l->url, "%s://%s%s", l->tls ? "https" : "http", w->site->name, w->path ? w->path : WEBFILE_URL_PATH);
    l->hops = 0;
}

/* By http first; what that said stays, unless https shows more. */
static void looked(struct look *l, enum web_verdict verdict, const char *why)
{
    struct watching *g = l->of;
    struct web_view *v = &g->w->view[l->at];
    if (!l->tls || verdict == WEB_MATCH || (v->verdict == WEB_UNREACHABLE && verdict != WEB_UNREACHABLE)) {
        v->verdict = verdict;
        v->status = l->http.status;
        v->asked = clock_now();
        v->ms = (unsigned)(loop_now(net_loop(g->net)) - l->began);
        text_safe(v->url, sizeof v->url, l->url, strlen(l->url));
        snprintf(v->why, sizeof v->why, "%.150s", why);
    }
    if (!l->tls && verdict != WEB_MATCH) {
        l->tls = true;
        first_url(l);
        get(l);
    } else if (--g->open == 0) {
        judge(g);
    }
}

static bool redirects(long status)
{
    return status == 301 || status == 302 || status == 307 || status == 308;
}

/* Of "https://host:443" the host; false: not on the ports of the web. */
static bool web_host(const char *origin, char host[NAME_SIZE])
{
    const char *name = strstr(origin, "://") + 3, *port = strrchr(origin, ':');
    return (strcmp(port, ":80") == 0 || strcmp(port, ":443") == 0) && (size_t)(port - name) < NAME_SIZE &&
           snprintf(host, NAME_SIZE, "%.*s", (int)(port - name), name) > 0;
}

/* A client for other hosts than the name. Who is on the internet does not send us into our own network. */
static struct http_client *client_for(struct look *l, bool other)
{
    struct watching *g = l->of;
    const struct web_view *v = &g->w->view[l->at];
    struct http_client **c = other ? &l->elsewhere : &l->client;
    const struct proxy *proxy = g->w->proxy;
    struct http_setup setup = {.agent = "dcvagent",
                               .plain = true,
                               .unverified = true,
                               .proxy = proxy ? proxy->url : NULL,
                               .proxy_user = proxy ? proxy_user(proxy) : NULL,
                               .address = other ? NULL : v->addr,
                               .public_only = other && address_public(v->addr)};
    if (!*c)
        *c = http_client_new(g->net, &setup, NULL);
    return *c;
}

static void redirected(struct look *l)
{
    char where[2048], next[2048], origin[300], host[NAME_SIZE], why[160];
    bool ok = http_header(&l->http, "Location", where, sizeof where) && http_join(l->url, where, next, sizeof next) &&
              http_origin(next, true, origin, sizeof origin) && web_host(origin, host);
    if (ok && ++l->hops <= HOPS_MAX) {
        snprintf(l->url, sizeof l->url, "%s", next);
        get(l);
        return;
    }
    if (ok)
        snprintf(why, sizeof why, "more than %d redirects", HOPS_MAX);
    else
        snprintf(why, sizeof why, "HTTP status %ld leads nowhere that a CA follows (http and https on ports 80 and 443)", l->http.status);
    looked(l, WEB_ASTRAY, why);
}

static void answered(struct look *l)
{
    long status = l->http.status;
    char why[160];
    if (redirects(status)) {
        redirected(l);
    } else if (status == 404 || status == 410) {
        snprintf(why, sizeof why, "HTTP status %ld, no such file", status);
        looked(l, WEB_ABSENT, why);
    } else if (status < 200 || status > 299) {
        snprintf(why, sizeof why, "HTTP status %ld", status);
        looked(l, WEB_REFUSED, why);
    } else if (web_content_is(str_text(&l->http.in), l->http.in.n, l->of->value)) {
        looked(l, WEB_MATCH, "");
    } else {
        looked(l, WEB_OTHER, "what is served there is not the code");
    }
}

static void got(struct op *op, const struct err *e)
{
    struct look *l = op->owner;
    if (!e)
        answered(l);
    else if (e->code && strcmp(e->code, "HTTP_LARGE") == 0)
        looked(l, WEB_OTHER, "what is served there is far longer than a code");
    else if (e->code && strcmp(e->code, "HTTP_PACKED") == 0)
        looked(l, WEB_OTHER, "what is served there is packed (gzip or the like), which nobody asked for");
    else
        looked(l, l->hops ? WEB_ASTRAY : WEB_UNREACHABLE, e->text);
}

static void get(struct look *l)
{
    char origin[300], host[NAME_SIZE];
    bool other = http_origin(l->url, true, origin, sizeof origin) && web_host(origin, host) && !name_same(host, l->of->w->site->name);
    struct http_client *client = client_for(l, other);
    http_clear(&l->http);
    l->http = (struct http){
        .op = {.done = got, .owner = l}, .method = "GET", .url = l->url, .limit_ms = LIMIT_MS, .max = BODY_MAX, .repeatable = true};
    if (client)
        http_start(client, &l->http);
    else
        looked(l, WEB_UNREACHABLE, "no connection can be made");
}

static void look_everywhere(struct watching *g)
{
    struct err e = {0};
    if (!g->w->n) {
        bool told = g->asking[0].told || g->asking[1].told;
        err_at(&e, "%s", g->w->site->name);
        if (told)
            err_set(&e, RC_UNSEEN, "WEBSITE_NO_ADDRESS", "%s has no address (A, AAAA): no CA can fetch its file; method = dns needs none",
                    g->w->site->owner);
        else
            err_set(&e, RC_NET, "WEBSITE_UNREACHABLE", "no name server of %s tells the addresses of %s", g->w->site->zone->apex,
                    g->w->site->owner);
        err_again(&e, 0);
        not_seen(g, &e);
        return;
    }
    g->look = mem_array(g->w->n, sizeof *g->look);
    g->open = 1; /* this function */
    for (size_t i = 0; i < g->w->n; i++) {
        struct web_view *v = &g->w->view[i];
        struct endpoint to = {.port = 80, .via = VIA_TCP};
        g->look[i] = (struct look){.of = g, .at = i, .began = loop_now(net_loop(g->net))};
        snprintf(to.addr, sizeof to.addr, "%s", v->addr);
        if (!g->w->proxy && !net_has_route(g->net, &to)) {
            v->verdict = WEB_NOT_ASKED;
            snprintf(v->why, sizeof v->why, "there is no route from here");
            continue;
        }
        g->open++;
        first_url(&g->look[i]);
        get(&g->look[i]);
    }
    if (--g->open == 0)
        judge(g);
}

/* --- the addresses --------------------------------------------------------------------------------------------------------------------- */

static void ask_next(struct asking *a);

static void add_views(struct watching *g, const struct dns_ask *ask)
{
    struct web_watch *w = g->w;
    for (size_t i = 0; i < ask->reply.n && w->n < ADDRESSES_MAX; i++) {
        const struct dns_rr *rr = &ask->reply.rr[i];
        struct web_view v = {.verdict = WEB_UNREACHABLE};
        if (rr->section != SECTION_ANSWER || rr->type != ask->type || !name_same(rr->owner, w->site->owner) ||
            !dns_addr_rdata(rr->type, rr->rdata, v.addr))
            continue;
        w->view = mem_grow(w->view, w->n + 1, sizeof *w->view);
        w->view[w->n++] = v;
    }
}

static void asked(struct op *op, const struct err *e)
{
    struct asking *a = op->owner;
    bool told = !e && (a->ask.reply.rcode == DNS_NOERROR || a->ask.reply.rcode == DNS_NXDOMAIN);
    if (!told && a->next < a->of->servers.n) {
        ask_next(a);
        return;
    }
    a->told = told;
    if (told)
        add_views(a->of, &a->ask);
    if (--a->of->open == 0)
        look_everywhere(a->of);
}

static void ask_next(struct asking *a)
{
    struct watching *g = a->of;
    a->ask = (struct dns_ask){.op = {.done = asked, .owner = a},
                              .to = &g->servers.e[a->next++],
                              .name = g->w->site->owner,
                              .type = a == g->asking ? TYPE_AAAA : TYPE_A,
                              .may_skip = true};
    dns_start(g->net, &a->ask);
}

static void ask_addresses(struct watching *g)
{
    free(g->w->view);
    g->w->view = NULL;
    g->w->n = 0;
    g->open = 2;
    for (int i = 0; i < 2; i++) {
        g->asking[i] = (struct asking){.of = g};
        ask_next(&g->asking[i]);
    }
}

void web_watch_start(struct net *n, struct web_watch *w)
{
    struct watching *g = mem_new(sizeof *g);
    const struct zone *zone = w->site->zone;
    struct err e = {0};
    web_watch_clear(w);
    g->w = w;
    g->net = n;
    g->value = mem_str(w->value);
    g->pause_ms = PAUSE_MS;
    w->impl = g;
    op_start(&w->op, detach);
    for (size_t i = 0; i < zone->n; i++)
        for (size_t k = 0; k < zone->server[i].at.n; k++)
            endpoints_add(&g->servers, &zone->server[i].at.e[k]);
    if (g->servers.n) {
        ask_addresses(g);
        return;
    }
    err_set(&e, RC_NET, "WEBSITE_UNREACHABLE", "zone %s has no name server to ask", zone->apex);
    finish(g, &e);
}

void web_watch_clear(struct web_watch *w)
{
    if (w->impl)
        watching_free(w->impl);
    free(w->view);
    w->impl = NULL;
    w->view = NULL;
    w->n = 0;
}
