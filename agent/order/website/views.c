/* views.c: who sees an order's files: every name watched until all its addresses show it. */
#include "order/website/website_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void website_pages_clear(struct website *w)
{
    for (size_t i = 0; i < w->n; i++) {
        op_cancel(&w->page[i].watch.op);
        web_watch_clear(&w->page[i].watch);
    }
    free(w->page);
    w->page = NULL;
    w->n = 0;
}

static json_t *views_json(const struct web_watch *w)
{
    json_t *views = json_array();
    for (size_t i = 0; i < w->n; i++) {
        const struct web_view *v = &w->view[i];
        json_array_append_new(views, json_pack("{s:s, s:s, s:i, s:s, s:o}", "address", v->addr, "verdict", web_verdict_words[v->verdict],
                                               "status", (int)v->status, "url", v->url, "at", json_time(v->asked)));
    }
    return views;
}

static void watched(struct op *op, const struct err *e)
{
    struct page *p = op->owner;
    p->seen = !e;
    if (e)
        p->unseen = *e;
    order_evidence(p->o, "views", json_pack("{s:s, s:b, s:o}", "host", p->spot->name, "visible", !e, "views", views_json(&p->watch)));
    order_settled(p->o);
}

static void start_watch(struct order *o, struct page *p)
{
    const struct session *s = o->run->s;
    struct conf_verify v = conf_verify(s->conf, conf_zone(s->conf, p->spot->name), o->at->section);
    int64_t deadline = loop_now(net_loop(s->net)) + v.timeout * 1000;
    web_watch_clear(&p->watch);
    p->watch = (struct web_watch){.op = {.done = watched, .owner = p},
                                  .site = p->spot->site,
                                  .value = website_value(p->spot),
                                  .proxy = &o->website->proxy,
                                  .deadline_ms = deadline < o->run->deadline_ms ? deadline : o->run->deadline_ms};
    o->pending++;
    web_watch_start(s->net, &p->watch);
}

static bool make_pages(struct order *o, struct err *e)
{
    struct website *w = website_of(o);
    if (w->page)
        return true;
    proxy_clear(&w->proxy);
    if (!proxy_of_agent(&o->run->s->conf->agent, &w->proxy, e))
        return false;
    w->n = o->n_spot;
    w->page = mem_array(w->n + 1, sizeof *w->page);
    for (size_t i = 0; i < w->n; i++)
        w->page[i] = (struct page){.o = o, .spot = &o->spot[i]};
    return true;
}

static enum turn not_seen_yet(struct order *o)
{
    struct err worst = {0};
    for (size_t i = 0; i < o->website->n; i++) {
        const struct page *p = &o->website->page[i];
        if (p->seen || p->unseen.rc == RC_OK)
            continue;
        order_log(o, LEVEL_INFO, "verify", p->unseen.code, "%s", p->unseen.text);
        if (worst.rc == RC_OK || rc_worse(p->unseen.rc, worst.rc) != worst.rc)
            worst = p->unseen;
    }
    return order_unseen(o, &worst);
}

enum turn website_watch(struct order *o)
{
    struct err e = {0};
    bool busy = false, missing = false;
    if (!make_pages(o, &e))
        return order_fault(o, &e);
    for (size_t i = 0; i < o->website->n; i++) {
        struct page *p = &o->website->page[i];
        if (p->seen || !website_value(p->spot))
            continue;
        if (!op_busy(&p->watch.op) && p->unseen.rc == RC_OK)
            start_watch(o, p);
        busy |= op_busy(&p->watch.op);
        missing |= !op_busy(&p->watch.op);
    }
    if (busy)
        order_wait(o, WAITS_PROPAGATION);
    return busy ? TURN_WAIT : missing ? not_seen_yet(o) : TURN_NEXT;
}

void website_look_anew(struct order *o)
{
    struct website *w = o->website;
    for (size_t i = 0; w && i < w->n; i++)
        if (op_busy(&w->page[i].watch.op))
            o->pending--;
    if (w)
        website_pages_clear(w);
}
