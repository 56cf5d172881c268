#include "cmd/views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/columns.h"
#include "cmd/live.h"
#include "cmd/webviews.h"
#include "conf/conf.h"
#include "net/dnsx.h"
#include "net/net.h"
#include "order/ask/look.h"

static const char *const transport_words[] = {[VIA_UDP] = "udp", [VIA_TCP] = "tcp", [VIA_TLS] = "tls", [VIA_HTTPS] = "https"};

struct viewing {
    struct call *c;
    struct view_check *v;
    size_t n;
    struct webviews *web;
    struct watch *w;
    struct err *err;
    struct conf_verify *verify;
    struct strs *said; /* --watch: last line of each view, by watch */
    struct live *live; /* --watch on a terminal */
    struct look_row *row;
    struct loop *loop;
};

static bool answered(const struct view *v)
{
    return v->asked && v->verdict != V_UNREACHABLE && v->verdict != V_NOT_ASKED;
}

/* A resolver whose turn has not come has nothing to tell; an address without a route is unreachable from here, though nothing was sent. */
json_t *view_json(const struct view *v)
{
    enum verdict verdict = v->verdict == V_NOT_ASKED ? V_UNREACHABLE : v->verdict;
    json_t *j =
        json_pack("{s:s, s:o, s:s, s:s, s:s, s:o, s:o, s:o}", "kind", v->authority ? "authoritative" : "resolver", "server",
                  json_text(v->at->name), "address", *v->at->addr ? v->at->addr : v->at->url, "transport", transport_words[v->at->via],
                  "verdict", verdict_words[verdict], "rcode", answered(v) ? json_integer(v->rcode) : json_null(), "ttl",
                  v->verdict == V_MATCH || v->verdict == V_OTHER ? json_integer(v->ttl) : json_null(), "ms",
                  v->asked ? json_integer(v->ms) : json_null());
    json_object_set_new(j, "port", json_integer(v->at->port));
    if (v->no_route)
        json_object_set_new(j, "no_route", json_true());
    if (v->must || v->ignored)
        json_object_set_new(j, v->must ? "must" : "ignore", json_true());
    return j;
}

static json_t *check_json(void *arg, size_t i)
{
    const struct viewing *a = arg;
    if (i >= a->n)
        return webview_json(&a->web->p[i - a->n]);
    const struct watch *w = &a->w[i];
    const struct err *e = &a->v[i].err;
    json_t *views = json_array();
    for (size_t k = 0; k < w->n; k++)
        if (w->view[k].verdict != V_NOT_ASKED || w->view[k].no_route)
            json_array_append_new(views, view_json(&w->view[k]));
    json_t *j = json_pack("{s:s, s:o, s:b, s:{s:i, s:i}, s:o}", "host", a->v[i].host, "value", json_txt(a->v[i].value), "ok",
                          w->seen.visible, "quorum", "want", (int)w->seen.want, "got", (int)w->seen.got, "views", views);
    if (a->v[i].site)
        json_object_set_new(j, "owner", json_string(a->v[i].site->owner));
    if (a->v[i].cert && *a->v[i].cert)
        json_object_set_new(j, "cert", json_string(a->v[i].cert));
    if (e->rc != RC_OK)
        json_object_set_new(j, "error", json_pack("{s:o, s:o}", "code", json_text(e->code), "text", json_text(e->text)));
    return j;
}

const char *view_word(const struct view *v)
{
    return v->no_route ? "no route" : v->verdict == V_NOT_ASKED ? "not asked yet" : verdict_words[v->verdict];
}

static void server_text(const struct view *v, char *out, size_t size)
{
    const char *name = *v->at->name ? v->at->name : "-", *kind = v->authority ? "" : " (resolver)";
    snprintf(out, size, "%s%s", name, kind);
}

void view_address(const struct view *v, char *out, size_t size)
{
    struct endpoint bare = *v->at;
    *bare.name = 0;
    endpoint_show(&bare, out, size);
}

static void print_table(const struct viewing *a, size_t i)
{
    const struct view_check *v = &a->v[i];
    const struct watch *w = &a->w[i];
    struct columns t = {.n = 7};
    struct str value = STR_INIT(400);
    char host[NAME_SIZE * 2], address[320], ttl[16], ms[16];
    name_show(v->host, host, sizeof host);
    text_txt(&value, v->value.p, v->value.n);
    printf("%s%s%s: TXT \"%s\"", v->cert ? v->cert : "", v->cert && *v->cert ? " " : "", host, str_text(&value));
    str_free(&value);
    if (!v->site) {
        printf("\n  could not be asked: %s [%s]\n", v->err.text, v->err.code ? v->err.code : "");
        return;
    }
    printf(" at %s (zone %s)\n", v->site->owner, v->site->zone->apex);
    columns_row(&t, "KIND", "SERVER", "ADDRESS", "VERDICT", "RCODE", "TTL", "MS", NULL);
    for (size_t k = 0; k < w->n; k++) {
        const struct view *view = &w->view[k];
        view_address(view, address, sizeof address);
        snprintf(ttl, sizeof ttl, view->verdict == V_MATCH || view->verdict == V_OTHER ? "%u" : "-", view->ttl);
        snprintf(ms, sizeof ms, view->asked ? "%u" : "-", view->ms);
        columns_row(&t, view->authority ? "authoritative" : "resolver", *view->at->name ? view->at->name : "-", address, view_word(view),
                    answered(view) ? dns_rcode_word(view->rcode) : "-", ttl, ms, NULL);
    }
    columns_print(&t, "  ");
    for (size_t k = 0; k < w->n; k++)
        if (w->view[k].why) {
            view_address(&w->view[k], address, sizeof address);
            printf("  %s: %s\n", address, w->view[k].why);
        }
    printf("  quorum: want %u, got %u of the resolvers; authorities %s: %s\n", w->seen.want, w->seen.got,
           w->seen.authorities_agree ? "agree" : "do not agree", w->seen.visible ? "visible" : "not visible");
    if (v->err.rc != RC_OK)
        printf("  %s\n", v->err.text);
}

static void draw(struct viewing *a)
{
    int64_t until = 0;
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++) {
        if (!a->w[i].n)
            continue;
        a->row[n++] = (struct look_row){a->v[i].host, &a->w[i]};
        until = a->w[i].deadline_ms > until ? a->w[i].deadline_ms : until;
    }
    live_show(a->live, a->row, n, until - loop_now(a->loop));
}

/* --watch without a terminal: what changed since the last round, one line each. */
static void print_changes(struct viewing *a, const struct watch *w)
{
    size_t i = (size_t)(w - a->w);
    struct strs now = {0};
    for (size_t k = 0; k < w->n; k++) {
        char server[320], address[320], at[32];
        server_text(&w->view[k], server, sizeof server);
        view_address(&w->view[k], address, sizeof address);
        strs_add(&now, view_word(&w->view[k]));
        if (k < a->said[i].n && strcmp(a->said[i].s[k], now.s[k]) == 0)
            continue;
        time_local(clock_now(), at);
        if (!a->c->json)
            printf("%s  %s: %s %s %s\n", at, a->v[i].host, server, address, now.s[k]);
    }
    strs_free(&a->said[i]);
    a->said[i] = now;
    fflush(stdout);
}

static void round_over(void *arg, struct watch *w)
{
    struct viewing *a = arg;
    if (a->live)
        draw(a);
    else if (w)
        print_changes(a, w);
}

static enum rc verdict_rc(const struct viewing *a)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < a->n; i++) {
        const struct view_check *v = &a->v[i];
        bool silent = v->site ? !a->w[i].seen.asked_any : v->err.rc == RC_NET;
        if (!v->site || !a->w[i].seen.visible)
            rc = rc_worse(rc, silent ? RC_NET : RC_UNSEEN);
    }
    return rc;
}

static void say_time(const struct viewing *a, int64_t ms)
{
    size_t views = 0;
    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < a->w[i].n; k++)
            views += a->w[i].view[k].asked != 0;
    say(LEVEL_INFO, &(struct about){.step = "check"}, NULL, "%zu records, %zu views asked in %lld ms", a->n, views, (long long)ms);
}

static void prepare(struct viewing *a, struct session *s, const struct view_how *how)
{
    int64_t now = loop_now(net_loop(s->net));
    for (size_t i = 0; i < a->n; i++) {
        struct view_check *v = &a->v[i];
        if (!v->site)
            continue;
        a->verify[i] = conf_verify(s->conf, conf_zone(s->conf, v->site->owner), v->ca);
        a->w[i] = (struct watch){.site = v->site,
                                 .ask_name = *v->ask ? v->ask : NULL,
                                 .value = v->value,
                                 .verify = &a->verify[i],
                                 .once = !how->watch,
                                 .resolvers_at_once = how->resolvers_at_once,
                                 .deadline_ms = now + a->verify[i].timeout * 1000};
    }
}

static void print_all(struct viewing *a, enum rc rc)
{
    if (!a->c->json) {
        for (size_t i = 0; i < a->n; i++)
            print_table(a, i);
        for (size_t i = 0; i < a->web->n; i++)
            webview_print(&a->web->p[i]);
        return;
    }
    json_print_list(json_pack("{s:i, s:b}", "version", 1, "ok", rc == RC_OK), "checks", check_json, a, a->n + a->web->n);
}

enum rc views_run(struct call *c, struct session *s, struct view_check *v, size_t n, const struct view_how *how)
{
    struct err e = {0};
    struct webviews none = {0};
    struct viewing a = {.c = c, .v = v, .n = n, .web = how->web ? how->web : &none};
    a.w = mem_array(n + 1, sizeof *a.w);
    a.err = mem_array(n + 1, sizeof *a.err);
    a.verify = mem_array(n + 1, sizeof *a.verify);
    a.said = mem_array(n + 1, sizeof *a.said);
    a.row = mem_array(n + 1, sizeof *a.row);
    a.live = how->watch ? live_open(c) : NULL;
    a.loop = net_loop(s->net);
    prepare(&a, s, how);
    enum rc rc;
    int64_t began = clock_monotonic();
    bool all = look_watches(s, a.w, a.err, n, how->watch ? round_over : NULL, &a, &e);
    live_close(a.live);
    if (all && webviews_look(c, s, a.web, how->watch, &e)) {
        for (size_t i = 0; i < n; i++)
            if (v[i].site)
                v[i].err = a.err[i];
        say_time(&a, clock_monotonic() - began);
        rc = rc_worse(verdict_rc(&a), webviews_rc(a.web));
        print_all(&a, rc);
    } else {
        rc = call_fail(c, &e);
    }
    for (size_t i = 0; i < n; i++) {
        watch_clear(&a.w[i]);
        strs_free(&a.said[i]);
    }
    free(a.w);
    free(a.err);
    free(a.verify);
    free(a.said);
    free(a.row);
    return rc;
}

enum rc views_check(struct call *c, struct session *s, const char *host, const struct site *site, struct bytes value)
{
    struct view_check v = {.site = site, .value = value};
    snprintf(v.host, sizeof v.host, "%s", host);
    return views_run(c, s, &v, 1, &(struct view_how){0});
}
