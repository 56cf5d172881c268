/* check: who sees the records and files of the orders under way. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cmd/webviews.h"
#include "cmd/views.h"
#include "conf/conf.h"
#include "order/cas.h"
#include "order/ask/where.h"
#include "order/website/website.h"
#include "store/store.h"

struct record_row { /* a record that an open order wants */
    char *cert, *ca, *host, *owner;
    struct bytes value;
    bool shown;
};

struct gathering {
    struct call *c;
    struct session *s;
    struct cas *cas;
    const struct saved_order *order;
    struct record_row *row;
    size_t n;
    struct wheres wheres;
    struct view_check *check;
    size_t n_check;
    struct webviews web; /* names proven by files */
    struct str waiting;  /* orders without a record or file yet */
};

static bool take_row(void *arg, const struct ledger_row *row)
{
    struct gathering *g = arg;
    if (!row->wanted || row->state == LEDGER_GONE)
        return true;
    g->row = mem_grow(g->row, g->n + 1, sizeof *g->row);
    g->row[g->n++] = (struct record_row){mem_str(g->order->cert),
                                         mem_str(g->order->ca),
                                         mem_str(row->host),
                                         mem_str(row->rec.owner),
                                         {mem_copy(row->rec.value.p, row->rec.value.n), row->rec.value.n},
                                         false};
    return true;
}

/* A web root's file serves all names; a hook's is one name's. */
static void take_file(void *arg, const struct website_file *f)
{
    struct gathering *g = arg;
    struct strs names = {0};
    if (!f->wanted)
        return;
    strs_split(&names, *f->webroot ? f->order->names : f->host);
    for (size_t i = 0; i < names.n; i++)
        webviews_add(&g->web, f->order->cert, conf_ca(g->s->conf, f->order->ca), names.s[i], f->value);
    strs_free(&names);
}

static bool take_order(void *arg, const struct saved_order *o)
{
    struct gathering *g = arg;
    if (g->c->args.n && !strs_has(&g->c->args, o->cert))
        return true;
    size_t before = g->n, files = g->web.n;
    g->order = o;
    ledger_of(g->s->store, o->id, take_row, g, NULL);
    website_files(o, take_file, g);
    if (g->n == before) {
        if (g->web.n == files)
            str_fmt(&g->waiting, "%s: the order is at state %s%s%s: it has no record to look for\n", o->cert, o->state,
                    *o->waits ? ", waits for " : "", o->waits);
        return true;
    }
    const struct conf_cert *conf = conf_cert(g->s->conf, o->cert);
    const struct ca_rules *rules = cas_rules(g->cas, o->ca);
    struct strs names = {0};
    strs_split(&names, o->names);
    if (conf && rules)
        where_add(&g->wheres, conf, &names, rules);
    strs_free(&names);
    return true;
}

static struct view_check *add(struct gathering *g, struct record_row *row, const char *host)
{
    g->check = mem_grow(g->check, g->n_check + 1, sizeof *g->check);
    struct view_check *v = &g->check[g->n_check++];
    *v = (struct view_check){.cert = row->cert, .value = row->value, .ca = conf_ca(g->s->conf, row->ca)};
    snprintf(v->host, sizeof v->host, "%s", host);
    row->shown = true;
    return v;
}

static bool stands_at(const struct record_row *row, const struct where *w)
{
    return strcmp(row->cert, w->conf->name) == 0 && w->site && strcmp(row->owner, w->site->owner) == 0;
}

/* A wildcard and its base that are proven apart have two values at one owner: all of them were added with the first. */
static bool repeated(const struct gathering *g, const struct where *w)
{
    for (const struct where *p = g->wheres.w; p < w; p++)
        if (p->conf == w->conf && p->site == w->site && strcmp(p->name, w->name) == 0 && strcmp(p->owner, w->owner) == 0)
            return true;
    return false;
}

/* Hosts that share an owner and a code share a row of the ledger: each is shown. */
static void add_host(struct gathering *g, const struct where *w)
{
    bool own = false;
    if (repeated(g, w))
        return;
    for (size_t i = 0; i < g->n; i++)
        own |= stands_at(&g->row[i], w) && strcmp(g->row[i].host, w->name) == 0;
    for (size_t i = 0; i < g->n; i++) {
        if (!stands_at(&g->row[i], w) || (own && strcmp(g->row[i].host, w->name) != 0))
            continue;
        struct view_check *v = add(g, &g->row[i], w->name);
        v->site = w->site;
        snprintf(v->ask, sizeof v->ask, "%s", w->owner);
    }
}

/* Records that the names' places do not lead to (the configuration or DNS changed since): looked for where they were written. */
static bool add_others(struct gathering *g, struct err *e)
{
    struct find *f = mem_array(g->n + 1, sizeof *f);
    struct err *err = mem_array(g->n + 1, sizeof *err);
    for (size_t i = 0; i < g->n; i++)
        f[i].name = g->row[i].shown ? NULL : g->row[i].owner;
    bool ok = look_sites(g->s, f, err, g->n, e);
    for (size_t i = 0; i < g->n && ok; i++) {
        if (!f[i].name)
            continue;
        struct view_check *v = add(g, &g->row[i], g->row[i].host);
        v->site = err[i].rc == RC_OK ? f[i].site : NULL;
        v->err = err[i];
        snprintf(v->ask, sizeof v->ask, "%s", g->row[i].owner);
    }
    free(f);
    free(err);
    return ok;
}

static enum rc check_all(struct call *c, struct gathering *g)
{
    struct err e = {0};
    struct view_how how = {.web = &g->web, .resolvers_at_once = call_has(c, "resolvers"), .watch = call_has(c, "watch")};
    if (!where_find(g->s, &g->wheres, &e))
        return call_fail(c, &e);
    for (size_t i = 0; i < g->wheres.n; i++)
        add_host(g, &g->wheres.w[i]);
    return add_others(g, &e) ? views_run(c, g->s, g->check, g->n_check, &how) : call_fail(c, &e);
}

static void nothing(struct call *c, struct gathering *g)
{
    if (c->json)
        json_print(json_pack("{s:i, s:b, s:[]}", "version", 1, "ok", 1, "checks"));
    else if (g->waiting.n == 0)
        printf("no order is under way: there is nothing to check\n");
}

enum rc cmd_check(struct call *c)
{
    struct session s;
    struct err e = {0};
    enum rc rc = RC_OK;
    if (!call_session(c, &s, SESSION_READ | SESSION_NET, &rc))
        return rc;
    struct gathering g = {.c = c, .s = &s, .waiting = STR_INIT(1 << 20)};
    if (call_names_known(c, &s, true, &rc)) {
        g.cas = cas_open(&s, false);
        bool ok = order_each(s.store, NULL, take_order, &g, &e);
        if (ok && !c->json)
            fputs(str_text(&g.waiting), stdout);
        if (!ok)
            rc = call_fail(c, &e);
        else if (g.n || g.web.n)
            rc = check_all(c, &g);
        else
            nothing(c, &g);
    }
    for (size_t i = 0; i < g.n; i++) {
        free(g.row[i].cert);
        free(g.row[i].ca);
        free(g.row[i].host);
        free(g.row[i].owner);
        free((void *)(uintptr_t)g.row[i].value.p);
    }
    free(g.row);
    free(g.check);
    where_free(&g.wheres);
    str_free(&g.waiting);
    webviews_free(&g.web);
    cas_close(g.cas);
    session_close(&s);
    return rc;
}
