#include "cmd/webviews.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/columns.h"
#include "conf/conf.h"
#include "dcv/webfile.h"
#include "dcv/zone/zone.h"
#include "net/net.h"
#include "net/proxy.h"
#include "order/ask/look.h"
#include "order/ask/many.h"

void webviews_add(struct webviews *l, const char *cert, const struct section *ca, const char *host, const char *value)
{
    l->p = mem_grow(l->p, l->n + 1, sizeof *l->p);
    struct web_check *p = &l->p[l->n++];
    *p = (struct web_check){.cert = mem_str(cert), .value = mem_str(value), .ca = ca};
    snprintf(p->host, sizeof p->host, "%s", host);
}

/* --- asked ------------------------------------------------------------------------------------------------------------------------------ */

/* As an order looks: a CNAME may lead anywhere. */
static bool find_sites(struct session *s, struct webviews *l, struct err *e)
{
    struct find *f = mem_array(l->n + 1, sizeof *f);
    struct err *err = mem_array(l->n + 1, sizeof *err);
    for (size_t i = 0; i < l->n; i++)
        f[i] = (struct find){.name = l->p[i].host, .anywhere = true};
    bool ok = look_sites(s, f, err, l->n, e);
    for (size_t i = 0; i < l->n && ok; i++) {
        l->p[i].site = err[i].rc == RC_OK ? f[i].site : NULL;
        l->p[i].err = err[i];
    }
    free(f);
    free(err);
    return ok;
}

static const char *word_of(const struct web_view *v)
{
    return v->verdict == WEB_NOT_ASKED ? "no route" : web_verdict_words[v->verdict];
}

static void print_changes(struct web_watch *w)
{
    struct web_check *p = (struct web_check *)((char *)w - offsetof(struct web_check, watch));
    struct strs now = {0};
    char at[32];
    time_local(clock_now(), at);
    for (size_t i = 0; i < w->n; i++) {
        char *line = mem_fmt("%s %s", w->view[i].addr, word_of(&w->view[i]));
        if (!strs_has(&p->said, line))
            printf("%s  %s: %s\n", at, p->host, line);
        strs_add(&now, line);
        free(line);
    }
    strs_free(&p->said);
    p->said = now;
    fflush(stdout);
}

bool webviews_look(const struct call *c, struct session *s, struct webviews *l, bool wait, struct err *e)
{
    struct proxy proxy = {0};
    struct many m;
    if (!l->n)
        return true;
    if (!proxy_of_agent(&s->conf->agent, &proxy, e) || !find_sites(s, l, e)) {
        proxy_clear(&proxy);
        return false;
    }
    int64_t now = loop_now(net_loop(s->net));
    many_begin(&m, s, l->n);
    for (size_t i = 0; i < l->n; i++) {
        struct web_check *p = &l->p[i];
        if (!p->site)
            continue;
        int64_t timeout = conf_verify(s->conf, conf_zone(s->conf, p->host), p->ca).timeout;
        p->watch = (struct web_watch){.site = p->site,
                                      .value = p->value,
                                      .proxy = &proxy,
                                      .once = !wait,
                                      .round = wait && !c->json ? print_changes : NULL,
                                      .deadline_ms = now + timeout * 1000};
        many_add(&m, &p->watch.op, &p->err);
        web_watch_start(s->net, &p->watch);
    }
    bool all = many_end(&m, e);
    proxy_clear(&proxy);
    return all;
}

enum rc webviews_rc(const struct webviews *l)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < l->n; i++)
        if (l->p[i].err.rc != RC_OK)
            rc = rc_worse(rc, l->p[i].err.rc == RC_NET ? RC_NET : RC_UNSEEN);
    return rc;
}

void webviews_free(struct webviews *l)
{
    for (size_t i = 0; i < l->n; i++) {
        web_watch_clear(&l->p[i].watch);
        strs_free(&l->p[i].said);
        free(l->p[i].cert);
        free(l->p[i].value);
    }
    free(l->p);
    *l = (struct webviews){0};
}

/* --- told ------------------------------------------------------------------------------------------------------------------------------- */

static bool answered(const struct web_view *v)
{
    return v->verdict != WEB_UNREACHABLE && v->verdict != WEB_NOT_ASKED;
}

/* An address that does not answer counts only where no other shows the file. */
static void count(const struct web_check *p, unsigned *want, unsigned *got)
{
    *want = *got = 0;
    for (size_t i = 0; i < p->watch.n; i++) {
        *want += answered(&p->watch.view[i]);
        *got += p->watch.view[i].verdict == WEB_MATCH;
    }
    *want = *want ? *want : 1;
}

static json_t *view_json(const struct web_check *p, const struct web_view *v)
{
    bool no_route = v->verdict == WEB_NOT_ASKED;
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:n, s:n, s:o}", "kind", "web", "server", p->host, "address", v->addr, "transport",
                          strncmp(v->url, "https:", 6) == 0 ? "https" : "http", "verdict",
                          web_verdict_words[no_route ? WEB_UNREACHABLE : v->verdict], "rcode", "ttl", "ms",
                          v->asked ? json_integer(v->ms) : json_null());
    json_object_set_new(j, "status", v->status ? json_integer(v->status) : json_null());
    json_object_set_new(j, "url", json_text(*v->url ? v->url : NULL));
    if (*v->why)
        json_object_set_new(j, "why", json_text(v->why));
    if (no_route)
        json_object_set_new(j, "no_route", json_true());
    return j;
}

json_t *webview_json(const struct web_check *p)
{
    json_t *views = json_array();
    unsigned want, got;
    count(p, &want, &got);
    for (size_t i = 0; i < p->watch.n; i++)
        json_array_append_new(views, view_json(p, &p->watch.view[i]));
    json_t *j = json_pack("{s:s, s:o, s:b, s:{s:i, s:i}, s:o}", "host", p->host, "value", json_text(p->value), "ok", p->err.rc == RC_OK,
                          "quorum", "want", (int)want, "got", (int)got, "views", views);
    char *url = mem_fmt("http://%s" WEBFILE_URL_PATH, p->host);
    json_object_set_new(j, "file", json_text(url));
    json_object_set_new(j, "cert", json_text(p->cert));
    if (p->err.rc != RC_OK)
        json_object_set_new(j, "error", json_pack("{s:o, s:o}", "code", json_text(p->err.code), "text", json_text(p->err.text)));
    free(url);
    return j;
}

void webview_print(const struct web_check *p)
{
    struct columns t = {.n = 5};
    struct str value = STR_INIT(400);
    char host[NAME_SIZE * 2], status[24], ms[16];
    unsigned want, got;
    name_show(p->host, host, sizeof host);
    text_txt(&value, p->value, strlen(p->value));
    printf("%s %s: file \"%s\" at http://%s" WEBFILE_URL_PATH "\n", p->cert, host, str_text(&value), p->host);
    str_free(&value);
    if (!p->watch.n) {
        printf("  could not be asked: %s [%s]\n", p->err.text, p->err.code ? p->err.code : "");
        return;
    }
    columns_row(&t, "ADDRESS", "VERDICT", "STATUS", "MS", "URL", NULL);
    for (size_t i = 0; i < p->watch.n; i++) {
        const struct web_view *v = &p->watch.view[i];
        snprintf(status, sizeof status, v->status ? "%ld" : "-", v->status);
        snprintf(ms, sizeof ms, v->asked ? "%u" : "-", v->ms);
        columns_row(&t, v->addr, word_of(v), status, ms, *v->url ? v->url : "-", NULL);
    }
    columns_print(&t, "  ");
    for (size_t i = 0; i < p->watch.n; i++)
        if (*p->watch.view[i].why)
            printf("  %s: %s\n", p->watch.view[i].addr, p->watch.view[i].why);
    count(p, &want, &got);
    printf("  %u of %u addresses show it: %s\n", got, want, p->err.rc == RC_OK ? "visible" : "not visible");
}
