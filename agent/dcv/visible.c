#include "dcv/visible.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "dcv/visible_tell.h"
#include "dcv/zone/zone.h"
#include "net/dnsx.h"

enum {
    AUTHORITY_MS = 3000, /* one question, tries included */
    RESOLVER_MS = 5000,
    KEEP_ASKING_MS = 30000, /* longest pause; also how often a matching authority is looked at again while resolvers are awaited */
    SLACK_MS = 100          /* what falls due this soon is asked along */
};

struct sight { /* one question under way */
    struct dns_ask ask;
    struct sight *prev, *next;
    struct looking *of;
    struct view *view;
    bool counted; /* the round waits for it */
};

struct looking {
    struct net *net;
    struct watch *w;
    struct quorum quorum;
    struct timer wait, end;
    struct sight *sight;
    size_t pending;
    int64_t *due; /* for each view: loop_now(), ms */
    int64_t started;
    bool resolvers; /* all authorities agree: their turn */
};

static void start_round(struct looking *k);

static int64_t now_of(const struct looking *k)
{
    return loop_now(net_loop(k->net));
}

static void sight_drop(struct sight *s)
{
    if (s->prev)
        s->prev->next = s->next;
    else
        s->of->sight = s->next;
    if (s->next)
        s->next->prev = s->prev;
    free(s);
}

static void halt(struct looking *k)
{
    op_cancel(&k->wait.op);
    op_cancel(&k->end.op);
    while (k->sight) {
        op_cancel(&k->sight->ask.op);
        sight_drop(k->sight);
    }
    k->pending = 0;
}

static void judge(struct looking *k)
{
    k->w->seen = visible_judge(k->w->view, k->w->n, &k->quorum, clock_now());
}

static void finish(struct looking *k)
{
    struct watch *w = k->w;
    struct err e = {0};

    halt(k);
    judge(k);
    if (!w->seen.visible)
        watch_err(w, (now_of(k) - k->started) / 1000, &e);
    else if (!w->once)
        watch_warn(w);
    op_settle(&w->op, &e);
}

/* --- one question ---------------------------------------------------------------------------------------------------------------- */

static int64_t pause_after(const struct view *v)
{
    static const int steps[] = {200, 500, 1000, 2000, 4000, 8000, 15000, KEEP_ASKING_MS};
    int64_t ms = steps[v->tries > 8 ? 7 : v->tries ? v->tries - 1 : 0], keeps;

    if (v->verdict == V_MATCH)
        return KEEP_ASKING_MS;
    if (v->authority || verdict_answer(v->verdict) != NOT_THERE)
        return ms;
    /* A cached "no" stays for its TTL; but a resolver is many caches, and another one may answer next. */
    keeps = (int64_t)(v->verdict == V_OTHER ? v->ttl : v->negative_ttl) * 1000 + 50;
    keeps = keeps < KEEP_ASKING_MS ? keeps : KEEP_ASKING_MS;
    return keeps > ms ? keeps : ms;
}

/* "NAME (TXT) asked at SERVER: what happened": the view tells the first half itself. */
static const char *what_happened(const char *text)
{
    const char *asked = strstr(text, " asked at "), *what = asked ? strstr(asked, ": ") : NULL;

    return what ? what + 2 : text;
}

static void note(struct looking *k, struct view *v, enum verdict verdict, uint32_t ms, const char *why)
{
    bool vanished = v->verdict == V_MATCH && verdict != V_MATCH;

    v->verdict = verdict;
    free(v->why);
    v->why = verdict == V_UNREACHABLE ? mem_str(what_happened(why)) : NULL;
    v->ms = ms;
    v->tries = vanished ? 1 : v->tries + 1;
    v->asked = clock_now();
    k->due[v - k->w->view] = now_of(k) + pause_after(v);
}

/* Would it be enough even if everyone still under way said no? Then nobody waits for the slow ones. */
static bool sure_already(const struct looking *k)
{
    const struct watch *w = k->w;
    struct view *v;
    bool sure;

    if (w->once || !k->resolvers)
        return false;
    v = mem_copy(w->view, w->n * sizeof(*v));
    for (const struct sight *s = k->sight; s; s = s->next)
        v[s->view - w->view].verdict = V_ABSENT;
    sure = visible_judge(v, w->n, &k->quorum, clock_now()).visible;
    free(v);
    return sure;
}

static void round_end(struct looking *k)
{
    struct watch *w = k->w;

    judge(k);
    if (w->seen.authorities_agree && !w->seen.visible && !k->resolvers) {
        k->resolvers = true;
        start_round(k);
        return;
    }
    if (w->round)
        w->round(w);
    if (w->seen.visible || w->once)
        finish(k);
    else
        start_round(k);
}

static void counted_down(struct looking *k, bool counted)
{
    if (counted && --k->pending == 0)
        round_end(k);
    else if (sure_already(k))
        finish(k);
}

static void ask(struct looking *k, struct view *v, bool counted, bool cd);

static void answered(struct op *op, const struct err *e)
{
    struct sight *s = op->owner;
    struct looking *k = s->of;
    struct view *v = s->view;
    const struct watch *w = k->w;
    bool counted = s->counted, cd = s->ask.cd;
    enum verdict verdict = V_UNREACHABLE;

    if (!e && !cd) {
        const char *owner = v->authority ? w->site->owner : w->ask_name ? w->ask_name : w->site->name;

        verdict = verdict_of(&s->ask.reply, owner, w->value, v->authority, &v->ttl, &v->negative_ttl);
        v->rcode = s->ask.reply.rcode;
    } else if (cd) { /* with checking disabled it answers: the data are there, their signatures are wrong */
        verdict = !e && (s->ask.reply.rcode == DNS_NOERROR || s->ask.reply.rcode == DNS_NXDOMAIN) ? V_BOGUS : V_SERVFAIL;
    } else {
        v->rcode = 0;
        v->ttl = v->negative_ttl = 0;
    }
    if (verdict == V_SERVFAIL && !v->authority && !cd) {
        sight_drop(s);
        ask(k, v, counted, true);
        return;
    }
    note(k, v, verdict, s->ask.ms, e ? e->text : "");
    sight_drop(s);
    counted_down(k, counted);
}

/* A server that is dead may be left out, but the only address of an authority never: it is what everything waits for. */
static bool may_skip(const struct looking *k, const struct view *v)
{
    return !v->authority || k->w->site->zone->server[v->server].at.n > 1;
}

static void ask(struct looking *k, struct view *v, bool counted, bool cd)
{
    const struct watch *w = k->w;
    struct sight *s = mem_new(sizeof *s);

    s->of = k;
    s->view = v;
    s->counted = counted;
    s->next = k->sight;
    if (k->sight)
        k->sight->prev = s;
    k->sight = s;
    s->ask = (struct dns_ask){.op = {.done = answered, .owner = s},
                              .to = v->at,
                              .name = v->authority  ? w->site->owner
                                      : w->ask_name ? w->ask_name
                                                    : w->site->name,
                              .type = TYPE_TXT,
                              .rd = !v->authority,
                              .cd = cd,
                              .may_skip = may_skip(k, v),
                              .limit_ms = v->authority ? AUTHORITY_MS : RESOLVER_MS};
    dns_start(k->net, &s->ask);
}

/* --- rounds ---------------------------------------------------------------------------------------------------------------------- */

static bool under_way(const struct looking *k, const struct view *v)
{
    for (const struct sight *s = k->sight; s; s = s->next)
        if (s->view == v)
            return true;
    return false;
}

static bool askable(const struct looking *k, const struct view *v)
{
    if (v->no_route)
        return false;
    if (v->authority)
        return v->verdict != V_MATCH || k->resolvers;
    return k->resolvers && v->verdict != V_MATCH;
}

static void next_round(struct op *op, const struct err *e)
{
    (void)e;
    start_round(op->owner);
}

static void wait_for(struct looking *k, int64_t at)
{
    k->wait.at = at;
    k->wait.op.done = next_round;
    k->wait.op.owner = k;
    loop_timer(net_loop(k->net), &k->wait);
}

static void start_round(struct looking *k)
{
    struct watch *w = k->w;
    int64_t now = now_of(k), next = INT64_MAX;

    for (size_t i = 0; i < w->n; i++) {
        struct view *v = &w->view[i];
        bool counted = w->once || !v->ignored;

        if (!askable(k, v) || under_way(k, v))
            continue;
        if (k->due[i] > now + SLACK_MS) {
            if (!v->ignored && k->due[i] < next)
                next = k->due[i];
            continue;
        }
        k->pending += counted;
        ask(k, v, counted, false);
    }
    if (k->pending)
        return;
    if (w->once || next == INT64_MAX) { /* nobody is left who could be asked */
        if (w->round)
            w->round(w);
        finish(k);
        return;
    }
    wait_for(k, next);
}

static void at_deadline(struct op *op, const struct err *e)
{
    (void)e;
    finish(op->owner);
}

/* --- who is asked ---------------------------------------------------------------------------------------------------------------- */

static bool listed(const struct endpoints *l, const struct endpoint *p)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->e[i].addr, p->addr) == 0 && l->e[i].port == p->port && (l->e[i].via == p->via || l->e[i].via == VIA_UDP))
            return true;
    return false;
}

static void add_view(struct looking *k, const struct endpoint *at, bool authority, size_t server)
{
    struct watch *w = k->w;
    struct view *v = &w->view[w->n++];

    *v = (struct view){.authority = authority, .at = at, .server = (uint16_t)server, .verdict = V_NOT_ASKED};
    v->must = listed(&w->verify->must, at);
    v->ignored = !v->must && listed(&w->verify->ignore, at);
    v->no_route = at->via != VIA_HTTPS && *at->addr && !net_has_route(k->net, at);
}

static bool has_view(const struct watch *w, const struct endpoint *p)
{
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->view[i].at->addr, p->addr) == 0 && w->view[i].at->port == p->port)
            return true;
    return false;
}

static void make_views(struct looking *k)
{
    struct watch *w = k->w;
    const struct zone *z = w->site->zone;
    const struct conf_verify *f = w->verify;
    size_t room = f->resolvers.n + f->must.n;

    for (size_t i = 0; i < z->n; i++)
        room += z->server[i].at.n;
    w->view = mem_array(room ? room : 1, sizeof(*w->view));
    w->n = 0;
    for (size_t i = 0; i < z->n && f->authoritative != AUTHORITATIVE_OFF; i++)
        for (size_t j = 0; j < z->server[i].at.n; j++)
            add_view(k, &z->server[i].at.e[j], true, i);
    for (size_t i = 0; i < f->resolvers.n; i++)
        add_view(k, &f->resolvers.e[i], false, 0);
    for (size_t i = 0; i < f->must.n; i++) /* a must= that is neither: somebody else who has to see it */
        if (!has_view(w, &f->must.e[i]))
            add_view(k, &f->must.e[i], false, 0);
    k->due = mem_array(w->n ? w->n : 1, sizeof(*k->due));
}

static struct quorum quorum_of(const struct conf_verify *f)
{
    static const enum quorum_rule authorities[] = {[AUTHORITATIVE_ALL] = Q_ALL, [AUTHORITATIVE_ANY] = Q_ANY, [AUTHORITATIVE_OFF] = Q_OFF};
    static const enum quorum_rule resolvers[] = {[QUORUM_ALL] = Q_ALL, [QUORUM_MAJORITY] = Q_MAJORITY, [QUORUM_NUMBER] = Q_COUNT};

    return (struct quorum){authorities[f->authoritative], resolvers[f->quorum.rule], f->quorum.number};
}

static void detach(struct op *op)
{
    struct watch *w = (struct watch *)op;

    halt(w->impl);
}

void visible_start(struct net *n, struct watch *w)
{
    struct looking *k;

    watch_clear(w);
    k = w->impl = mem_new(sizeof *k);
    k->net = n;
    k->w = w;
    k->quorum = quorum_of(w->verify);
    k->resolvers = w->resolvers_at_once;
    op_start(&w->op, detach);
    make_views(k);
    k->started = now_of(k);
    if (!w->once) {
        k->end.at = w->deadline_ms;
        k->end.op.done = at_deadline;
        k->end.op.owner = k;
        loop_timer(net_loop(n), &k->end);
    }
    judge(k);
    if (w->seen.authorities_agree) /* authoritative = off */
        k->resolvers = true;
    start_round(k);
}

void watch_clear(struct watch *w)
{
    struct looking *k = w->impl;

    if (!k)
        return;
    halt(k);
    free(k->due);
    free(k);
    for (size_t i = 0; i < w->n; i++)
        free(w->view[i].why);
    free(w->view);
    w->view = NULL;
    w->n = 0;
    w->impl = NULL;
    w->seen = (struct seen){0};
}
