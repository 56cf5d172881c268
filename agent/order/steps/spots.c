/* spots.c: the places where an order's records go: found, checked beforehand, and watched until the public sees them. */
#include "order/order_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "dcv/owner.h"
#include "order/ask/where.h"

enum { PLACES_MAX = 8, RECHECK_TRIES = 4 };

static struct spot *add_spot(struct order *o, const char *listed, struct place place, bool placed)
{
    o->spot = mem_grow(o->spot, o->n_spot + 1, sizeof *o->spot);
    struct spot *s = &o->spot[o->n_spot++];
    memset(s, 0, sizeof *s);
    snprintf(s->listed, sizeof s->listed, "%s", listed);
    snprintf(s->name, sizeof s->name, "%s", name_base(listed));
    s->place = place;
    s->placed = placed;
    s->order = o;
    return s;
}

/* Where a wildcard and its base prove the same name with the same value they share a spot, and preflight looks at the wildcard, whose rules are the
 * stricter ones. */
static bool shared(struct order *o, const char *listed)
{
    if (order_rules(o)->each_listed)
        return false;
    for (size_t i = 0; i < o->n_spot; i++) {
        if (strcmp(o->spot[i].name, name_base(listed)) != 0)
            continue;
        for (size_t j = i; j < o->n_spot; j++)
            if (name_is_wildcard(listed) && strcmp(o->spot[j].name, name_base(listed)) == 0)
                snprintf(o->spot[j].listed, sizeof o->spot[j].listed, "%s", listed);
        return true;
    }
    return false;
}

static bool by_file(const struct order *o)
{
    return o->conf && o->conf->method == METHOD_WEBSITE;
}

/* None where the names are proven by e-mail; the names themselves where by files. */
static void spots_make(struct order *o)
{
    static const struct place name = {.at = AT_NAME};
    if (o->conf && o->conf->method == METHOD_EMAIL)
        return;
    const struct ca_rules *rules = order_rules(o);
    struct strs names = {0};
    strs_split(&names, o->saved.names);
    for (size_t i = 0; i < names.n; i++) {
        if (shared(o, names.s[i]))
            continue;
        if (by_file(o)) {
            add_spot(o, names.s[i], name, false);
            continue;
        }
        struct place place[PLACES_MAX];
        size_t n =
            owner_places(o->conf, name_base(names.s[i]), rules->place, rules->n_place < PLACES_MAX ? rules->n_place : PLACES_MAX, place);
        for (size_t k = 0; k < n; k++)
            add_spot(o, names.s[i], place[k], owner_placed(o->conf, names.s[i]));
    }
    strs_free(&names);
}

/* --- where: zone cut, servers, CNAMEs ---------------------------------------------------------------------------------------------- */

static void found(struct op *op, const struct err *e)
{
    struct spot *s = op->owner;
    if (e)
        s->err = *e;
    else
        s->site = s->find.site;
    order_settled(s->order);
}

static void start_find(struct spot *s, const char *name, bool no_follow)
{
    const struct order *o = s->order;
    bool website = by_file(o); /* a CNAME to a CDN is what it is for */
    s->find = (struct find){.op = {.done = found, .owner = s},
                            .name = name,
                            .no_follow = no_follow,
                            .anywhere = website,
                            .refuse_cname = !website && o->conf && o->conf->cname == CNAME_REFUSE};
    s->site = NULL;
    s->order->pending++;
    zone_find(o->run->s->zones, &s->find);
}

static void start_spot(struct spot *s)
{
    *s->owner = 0; /* begun anew, the way to an apex begins at the name again */
    if (s->place.at == AT_APEX)
        start_find(s, s->name, true);
    else if (owner_of(s->name, s->place, NULL, s->owner, &s->err))
        start_find(s, s->owner, false);
}

/* The apex is known only once the cut of the name is; then the apex itself is looked at like any owner. */
static bool apex_next(struct spot *s)
{
    if (s->place.at != AT_APEX || *s->owner || !s->site)
        return false;
    if (!owner_of(s->name, s->place, s->site->zone->apex, s->owner, &s->err))
        return false;
    start_find(s, s->owner, false);
    return true;
}

/* One failure an order, naming all the names concerned. */
static enum turn spots_fault(struct order *o, const char *step)
{
    struct err all = {0};
    struct str names = STR_INIT(200);
    unsigned n = 0;
    for (size_t i = 0; i < o->n_spot; i++) {
        struct spot *s = &o->spot[i];
        if (s->err.rc == RC_OK)
            continue;
        if (n == 0 || rc_worse(s->err.rc, all.rc) != all.rc)
            all = s->err;
        say(LEVEL_INFO, &(struct about){.cert = o->saved.cert, .name = s->name, .step = step}, s->err.code, "%s", s->err.text);
        str_fmt(&names, "%s%s", n++ ? ", " : "", s->name);
    }
    if (n == 0)
        return TURN_NEXT;
    if (n > 1) {
        struct err many = {.rc = all.rc, .code = all.code, .again = all.again, .not_before = all.not_before};
        snprintf(many.where, sizeof many.where, "%u names", n);
        snprintf(many.text, sizeof many.text, "%s: %.200s", str_text(&names), all.text);
        all = many;
    }
    str_free(&names);
    for (size_t i = 0; i < o->n_spot; i++)
        memset(&o->spot[i].err, 0, sizeof o->spot[i].err);
    return order_fault(o, &all);
}

/* What can be had before the way of the name is known. */
static void warm_spot(const struct spot *s)
{
    const struct order *o = s->order;
    const char *zone = NULL;
    const struct section *p =
        *s->owner && !by_file(o) ? conf_writer(o->run->s->conf, s->owner, o->conf ? o->conf->provider : NULL, &zone) : NULL;
    if (p)
        publish_connect(o->run->s->publish, p->name, zone);
    preflight_warm(o->run->s->zones, s->name);
}

void spots_start(struct order *o)
{
    if (o->spots_started)
        return;
    o->spots_started = true;
    if (o->n_spot == 0)
        spots_make(o);
    for (size_t i = 0; i < o->n_spot; i++) {
        start_spot(&o->spot[i]);
        if (!order_rules(o)->by_person) /* where a person walks between the steps nothing is gained */
            warm_spot(&o->spot[i]);
    }
}

enum turn spots_find(struct order *o)
{
    spots_start(o);
    bool all = true;
    for (size_t i = 0; i < o->n_spot; i++) {
        struct spot *s = &o->spot[i];
        if (op_busy(&s->find.op) || apex_next(s))
            all = false;
    }
    if (!all)
        return TURN_WAIT;
    enum turn t = spots_fault(o, "discover");
    o->spots_found = t == TURN_NEXT;
    if (t == TURN_FAILED)
        o->spots_started = false;
    return t;
}

/* --- by whom ------------------------------------------------------------------------------------------------------------------------- */

const struct section *spot_writer(const struct spot *s, struct err *e)
{
    const struct order *o = s->order;
    const char *zone = NULL;
    const struct section *provider = conf_writer(o->run->s->conf, s->site->owner, o->conf ? o->conf->provider : NULL, &zone);
    if (provider)
        return provider;
    err_at(e, "%s", s->name);
    err_set(e, RC_DELEGATION, "NO_PROVIDER",
            "no provider may write at %s (zone %s): add the zone to zones= of a [provider], or choose another place with record_at",
            s->site->owner, s->site->zone->apex);
    return NULL;
}

enum turn spots_writable(struct order *o)
{
    for (size_t i = 0; i < o->n_spot; i++)
        spot_writer(&o->spot[i], &o->spot[i].err);
    return spots_fault(o, "preflight");
}

/* The connection to the update server and the read before the write, early: an automatic CA's values are a moment away. */
void spots_warm(struct order *o)
{
    if (o->spots_warm || order_rules(o)->by_person)
        return;
    o->spots_warm = true;
    for (size_t i = 0; i < o->n_spot; i++) {
        const struct section *provider = spot_writer(&o->spot[i], NULL);
        if (provider)
            publish_warm(o->run->s->publish, provider->name, o->spot[i].site->zone->apex, o->spot[i].site->owner);
    }
}

/* --- preflight --------------------------------------------------------------------------------------------------------------------- */

static void checked(struct op *op, const struct err *e)
{
    (void)e;
    struct spot *s = op->owner;
    s->preflight_done = true;
    order_settled(s->order);
}

static void start_preflight(struct spot *s)
{
    struct order *o = s->order;
    s->verify = conf_verify(o->run->s->conf, conf_zone(o->run->s->conf, s->site->owner), o->at->section);
    s->preflight = (struct preflight){.op = {.done = checked, .owner = s},
                                      .name = s->listed,
                                      .site = s->site,
                                      .caa = where_caa(order_rules(o)),
                                      .verify = &s->verify,
                                      .placed = s->placed,
                                      .no_record = by_file(o)};
    o->pending++;
    preflight_start(o->run->s->net, o->run->s->zones, &s->preflight);
}

static void note_findings(struct spot *s)
{
    for (size_t i = 0; i < s->preflight.found.n; i++) {
        const struct finding *f = &s->preflight.found.f[i];
        order_evidence(s->order, "preflight",
                       json_pack("{s:s, s:s, s:s, s:s}", "host", s->listed, "code", f->code, "severity", severity_words[f->severity],
                                 "cause", f->cause));
        if (f->severity == SEV_ERROR)
            err_set(&s->err, RC_DELEGATION, f->code, "%s; %s", f->cause, f->remedy), err_at(&s->err, "%s", s->listed);
        else if (f->severity == SEV_WARNING)
            say(LEVEL_WARNING, &(struct about){.cert = s->order->saved.cert, .name = s->listed, .step = "preflight"}, f->code, "%s; %s",
                f->cause, f->remedy);
    }
}

enum turn spots_preflight(struct order *o)
{
    bool all = true;
    for (size_t i = 0; i < o->n_spot; i++) {
        struct spot *s = &o->spot[i];
        if (s->preflight_done)
            continue;
        all = false;
        if (!op_busy(&s->preflight.op))
            start_preflight(s);
    }
    if (!all)
        return TURN_WAIT;
    for (size_t i = 0; i < o->n_spot; i++)
        note_findings(&o->spot[i]);
    enum turn t = spots_fault(o, "preflight");
    for (size_t i = 0; i < o->n_spot; i++) {
        preflight_clear(&o->spot[i].preflight);
        o->spot[i].preflight_done = t == TURN_NEXT;
    }
    return t;
}

struct proof *spot_proof(const struct spot *s)
{
    return ca_case_proof(&s->order->ca, order_rules(s->order)->each_listed ? s->listed : s->name);
}

/* --- watching ---------------------------------------------------------------------------------------------------------------------- */

/* Somebody may have removed what we wrote: after some rounds without it the ledger's pump looks again and puts it back. */
static void watch_round(struct watch *w)
{
    struct spot *s = w->op.owner;
    for (size_t i = 0; i < w->n; i++)
        if (w->view[i].authority && w->view[i].tries == RECHECK_TRIES && verdict_answer(w->view[i].verdict) == NOT_THERE) {
            publish_recheck(s->order->run->s->publish, s->order->saved.id);
            return;
        }
}

static json_t *views_json(const struct watch *w)
{
    json_t *views = json_array();
    for (size_t i = 0; i < w->n; i++) {
        const struct view *v = &w->view[i];
        json_array_append_new(views, json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:o}", "kind", v->authority ? "authoritative" : "resolver",
                                               "server", v->at->name, "address", v->at->addr, "verdict", verdict_words[v->verdict], "ttl",
                                               (int)v->ttl, "ms", (int)v->ms, "at", json_time(v->asked)));
    }
    return views;
}

static void watched(struct op *op, const struct err *e)
{
    struct spot *s = op->owner;
    struct order *o = s->order;
    s->seen = !e;
    if (e)
        s->unseen = *e;
    order_evidence(
        o, "views",
        json_pack("{s:s, s:s, s:b, s:o}", "host", s->name, "owner", s->site->owner, "visible", !e, "views", views_json(&s->watch)));
    order_settled(o);
}

static void start_watch(struct spot *s)
{
    struct order *o = s->order;
    const struct proof *p = spot_proof(s);
    const struct session *ses = o->run->s;
    s->verify = conf_verify(ses->conf, conf_zone(ses->conf, s->site->owner), o->at->section);
    watch_clear(&s->watch);
    s->watch = (struct watch){.op = {.done = watched, .owner = s},
                              .site = s->site,
                              .ask_name = s->owner,
                              .value = {(const uint8_t *)p->value, strlen(p->value)},
                              .verify = &s->verify,
                              .round = watch_round,
                              .deadline_ms = loop_now(net_loop(ses->net)) + s->verify.timeout * 1000};
    if (s->watch.deadline_ms > o->run->deadline_ms)
        s->watch.deadline_ms = o->run->deadline_ms;
    o->pending++;
    visible_start(ses->net, &s->watch);
}

/* A forecast that still lies ahead is no failure: 75 and the next run; after it: 12. The first one counts: whoever asks and is told no again
 * would put it off for ever. */
static bool as_forecast(struct order *o, int64_t forecast)
{
    int64_t now = clock_now();
    fact_set(o, "forecast", forecast);
    if (!fact_num(o, "promised") && forecast > now)
        fact_set(o, "promised", forecast);
    return now < fact_num(o, "promised");
}

/* What the caches of resolvers may explain is not late before they have run out; that an authority lacks it is late at once. */
static int64_t forecast_of(const struct spot *s, const struct publish_state *st)
{
    const struct view *b = s->watch.seen.blocking;
    if (s->unseen.rc != RC_UNSEEN || !b || b->authority)
        return 0;
    return s->unseen.not_before > st->settle_at ? s->unseen.not_before : st->settle_at;
}

static enum turn not_seen_yet(struct order *o)
{
    struct err worst = {0};
    int64_t forecast = 0;
    struct publish_state st;
    publish_state(o->run->s->publish, o->saved.id, &st);
    for (size_t i = 0; i < o->n_spot; i++) {
        const struct spot *s = &o->spot[i];
        int64_t at = s->seen || spot_proof(s)->valid ? 0 : forecast_of(s, &st);
        forecast = at > forecast ? at : forecast;
    }
    bool later = as_forecast(o, forecast);
    for (size_t i = 0; i < o->n_spot; i++) {
        struct spot *s = &o->spot[i];
        if (s->seen || spot_proof(s)->valid)
            continue;
        struct err e = s->unseen;
        err_at(&e, "%s", s->name);
        if (later && forecast_of(s, &st))
            e.rc = RC_LATER;
        if (worst.rc == RC_OK || (e.rc == worst.rc ? e.not_before > worst.not_before : rc_worse(e.rc, worst.rc) == e.rc))
            worst = e;
        say(LEVEL_INFO, &(struct about){.cert = o->saved.cert, .name = s->name, .step = "verify"}, s->unseen.code, "%s", s->unseen.text);
    }
    return order_unseen(o, &worst);
}

enum turn spots_watch(struct order *o)
{
    bool busy = false, missing = false;
    for (size_t i = 0; i < o->n_spot; i++) {
        struct spot *s = &o->spot[i];
        if (s->seen || spot_proof(s)->valid)
            continue;
        if (op_busy(&s->watch.op))
            busy = true;
        else if (s->unseen.rc == RC_OK)
            start_watch(s), busy = true;
        else
            missing = true;
    }
    if (busy) {
        order_wait(o, WAITS_PROPAGATION);
        return TURN_WAIT;
    }
    return missing ? not_seen_yet(o) : TURN_NEXT;
}

bool spots_served(struct order *o)
{
    for (size_t i = 0; i < o->n_spot; i++) {
        const struct spot *s = &o->spot[i];
        if (!spot_proof(s)->valid && (!s->seen || s->verify.authoritative == AUTHORITATIVE_OFF))
            return false;
    }
    return true;
}

void spots_reset_watch(struct order *o)
{
    for (size_t i = 0; i < o->n_spot; i++) {
        struct spot *s = &o->spot[i];
        if (op_busy(&s->watch.op)) {
            op_cancel(&s->watch.op);
            o->pending--;
        }
        watch_clear(&s->watch);
        s->seen = false;
        memset(&s->unseen, 0, sizeof s->unseen);
    }
}

static bool named_elsewhere(const struct order *o, const char *name)
{
    const struct run *r = o->run;
    for (size_t i = 0; i < r->n_order; i++)
        for (size_t k = 0; r->order[i] != o && k < r->order[i]->n_spot; k++)
            if (strcmp(r->order[i]->spot[k].name, name) == 0 || strcmp(r->order[i]->spot[k].owner, name) == 0)
                return true;
    return false;
}

/* A thousand orders of ten names would keep ten thousand names in memory, though some hundreds are under way at a time. */
void spots_forget(struct order *o)
{
    for (size_t i = 0; i < o->n_spot; i++) {
        struct spot *s = &o->spot[i];
        s->site = NULL;
        if (!named_elsewhere(o, s->name))
            zones_forget(o->run->s->zones, s->name);
        if (!named_elsewhere(o, s->owner))
            zones_forget(o->run->s->zones, s->owner);
    }
}

void spots_free(struct order *o)
{
    for (size_t i = 0; i < o->n_spot; i++) {
        struct spot *s = &o->spot[i];
        op_cancel(&s->find.op);
        op_cancel(&s->preflight.op);
        op_cancel(&s->watch.op);
        preflight_clear(&s->preflight);
        watch_clear(&s->watch);
    }
    free(o->spot);
    o->spot = NULL;
    o->n_spot = 0;
}
