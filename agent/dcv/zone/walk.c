/* walk.c: from the start down to the authority of a name, with RD=0, by referrals. */
#include "dcv/zone/zone_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"

/* --- what an answer says --------------------------------------------------------------------------------------------------------- */

/* BIND's negative answers to questions for SOA carry it with TTL 0 (zero-no-soa-ttl), so that nobody caches them; to other questions they do not. */
static uint32_t negative_of(const struct dns_rr *soa, uint32_t minimum)
{
    bool hidden = soa->section == SECTION_AUTHORITY && soa->ttl == 0;

    return hidden || minimum < soa->ttl ? minimum : soa->ttl;
}

static bool say_zone(struct zsite *s, const struct dns_reply *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct dns_rr *rr = &r->rr[i];
        uint32_t minimum;

        if (rr->type != TYPE_SOA || rr->section == SECTION_ADDITIONAL || !name_within(s->way->ask, rr->owner))
            continue;
        if (rr->section == SECTION_ANSWER && !name_same(rr->owner, s->way->ask))
            continue;
        if (!dns_soa(rr->rdata, s->way->mname, &s->serial, &minimum))
            continue;
        s->negative_ttl = negative_of(rr, minimum);
        snprintf(s->way->apex, sizeof s->way->apex, "%s", rr->owner);
        s->nxdomain = r->rcode == DNS_NXDOMAIN;
        s->said = SAID_ZONE;
        return true;
    }
    return false;
}

/* A DNAME above the name: what stands in front of its owner is put in front of its target (RFC 6672). */
static bool dname_target(struct zsite *s, const struct dns_rr *rr)
{
    char to[254];
    size_t keep = strlen(s->way->ask) - strlen(rr->owner);

    if (name_same(s->way->ask, rr->owner) || !name_within(s->way->ask, rr->owner) || !dns_name_rdata(rr->rdata, to))
        return false;
    s->s.dname = true;
    return snprintf(s->way->target, sizeof s->way->target, "%.*s%s", (int)keep, s->way->ask, to) < 254;
}

static bool say_alias(struct zsite *s, const struct dns_reply *r)
{
    bool found = false;

    for (size_t i = 0; i < r->n; i++) {
        const struct dns_rr *rr = &r->rr[i];

        if (rr->section != SECTION_ANSWER)
            continue;
        if (rr->type == TYPE_DNAME)
            found |= dname_target(s, rr);
        else if (rr->type == TYPE_CNAME && name_same(rr->owner, s->way->ask))
            found |= dns_name_rdata(rr->rdata, s->way->target);
    }
    if (found)
        s->said = SAID_ALIAS;
    return found;
}

static void take_glue(struct zsite *s, const struct dns_reply *r)
{
    for (size_t i = 0; i < r->n && s->glue.n < GLUE_MAX; i++) {
        struct endpoint p = {.port = 53, .via = VIA_UDP};

        if (r->rr[i].section != SECTION_ADDITIONAL || (r->rr[i].type != TYPE_A && r->rr[i].type != TYPE_AAAA) ||
            !strs_has(&s->ns, r->rr[i].owner))
            continue;
        if (!dns_addr_rdata(r->rr[i].type, r->rr[i].rdata, p.addr))
            continue;
        snprintf(p.name, sizeof p.name, "%s", r->rr[i].owner);
        endpoints_add(&s->glue, &p);
    }
}

/* Only downwards and only towards the name: anything else is a lame server's upward referral. */
static bool say_referral(struct zsite *s, const struct dns_reply *r)
{
    char name[254];

    s->way->apex[0] = '\0';
    for (size_t i = 0; i < r->n && s->ns.n < NS_MAX; i++) {
        const struct dns_rr *rr = &r->rr[i];

        if (rr->section != SECTION_AUTHORITY || rr->type != TYPE_NS || name_same(rr->owner, s->cut->z.apex) ||
            !name_within(rr->owner, s->cut->z.apex) || !name_within(s->way->ask, rr->owner))
            continue;
        if (*s->way->apex && !name_same(s->way->apex, rr->owner))
            continue;
        snprintf(s->way->apex, sizeof s->way->apex, "%s", rr->owner);
        if (dns_name_rdata(rr->rdata, name) && !strs_has(&s->ns, name))
            strs_add(&s->ns, name);
    }
    if (!s->ns.n)
        return false;
    take_glue(s, r);
    s->said = SAID_REFERRAL;
    return true;
}

static bool site_look(struct tour *t, const struct dns_reply *r)
{
    struct zsite *s = t->owner;

    if (r->rcode == DNS_SERVFAIL && r->aa) /* BIND, of a chain that it did not follow to the end: its beginning is there */
        return say_alias(s, r);
    if (r->rcode != DNS_NOERROR && r->rcode != DNS_NXDOMAIN)
        return false;
    if (r->aa)
        return say_alias(s, r) || say_zone(s, r);
    return r->rcode == DNS_NOERROR && say_referral(s, r);
}

/* --- the start ------------------------------------------------------------------------------------------------------------------- */

static const char *top_level(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot ? dot + 1 : name;
}

static const char *longer(const char *a, const char *b)
{
    return a && (!b || name_labels(a) >= name_labels(b)) ? a : b;
}

/* The deepest place from which this name can be asked: what is configured, or what another name's walk has found. */
static struct zcut *start_of(struct zones *z, const char *name)
{
    const struct conf_zone *cz = conf_zone(z->conf, name);
    const char *zone = NULL, *best = top_level(name);
    struct zcut *deepest = NULL, *c;

    if (cz)
        best = longer(cz->name, best);
    if (conf_writer(z->conf, name, NULL, &zone) && zone && name_within(name, zone))
        best = longer(zone, best);
    for (c = z->cut; c; c = c->next)
        if (name_within(name, c->z.apex) && !*c->moved && (!deepest || name_labels(c->z.apex) > name_labels(deepest->z.apex)))
            deepest = c;
    if (deepest && name_labels(deepest->z.apex) >= name_labels(best))
        return deepest;
    for (c = cut_known(z, best); c && *c->moved; c = cut_known(z, best)) {
        best = c->moved;
        if (deepest && name_labels(deepest->z.apex) >= name_labels(best))
            return deepest;
    }
    return c ? c : cut_make(z, best);
}

/* --- steps ----------------------------------------------------------------------------------------------------------------------- */

static void site_step(void *arg);

static void go_to(struct zsite *s, struct zcut *c)
{
    s->cut = c;
    s->gate_depth = 0;
    cut_ready(c, site_step, s);
}

static struct gate *gate_find(const struct zcut *c, const char *key)
{
    struct gate *g = c->gate;

    while (g && !name_same(g->key, key))
        g = g->next;
    return g;
}

static void gate_open(struct zsite *s)
{
    struct gate *g = s->gate;

    s->gate = NULL;
    if (!g)
        return;
    for (struct gate **p = &s->cut->gate; *p; p = &(*p)->next)
        if (*p == g) {
            *p = g->next;
            break;
        }
    waits_wake(&g->waits);
    free(g);
}

/* The ancestor of the name with so many labels. */
static const char *cut_to(const char *name, unsigned labels)
{
    while (name_labels(name) > labels)
        name = name_parent(name);
    return name;
}

static void alias_cut(struct zsite *s)
{
    s->climbing = true;
    snprintf(s->way->ask, sizeof s->way->ask, "%s", name_parent(s->way->ask));
    go_to(s, start_of(s->of, s->way->ask));
}

static void no_home(struct zsite *s, const char *code, const char *what)
{
    struct err e = {0};

    err_at(&e, "%s", s->s.name);
    err_set(&e, RC_DELEGATION, code, "%s", what);
    site_failed(s, &e);
}

static void is_whole(void *arg)
{
    struct zsite *s = arg;

    if (s->home->err.rc != RC_OK)
        site_failed(s, &s->home->err);
    else
        site_finish(s);
}

static void when_wild_known(void *arg)
{
    struct zsite *s = arg;

    cut_whole(s->home, is_whole, s);
}

static void no_op(void *arg)
{
    (void)arg;
}

/* The authority that answered serves the cut; its servers are known from there. */
static struct zcut *home_of(struct zsite *s)
{
    struct zcut *c = cut_known(s->of, s->way->apex);

    if (!c)
        c = cut_make(s->of, s->way->apex);
    if (!c->started) {
        c->started = c->ready = true;
        for (size_t i = 0; i < s->cut->walk.n; i++)
            endpoints_add(&c->walk, &s->cut->walk.e[i]);
    }
    if (s->cut->z.configured && !c->z.configured && !c->completing) { /* [zone] names no cut: its servers serve this zone */
        c->z.configured = c->whole = true;
        c->z.n = s->cut->z.n;
        c->z.server = mem_array(c->z.n, sizeof(*c->z.server));
        for (size_t i = 0; i < c->z.n; i++) {
            memcpy(c->z.server[i].name, s->cut->z.server[i].name, sizeof c->z.server[i].name);
            for (size_t k = 0; k < s->cut->z.server[i].at.n; k++)
                endpoints_add(&c->z.server[i].at, &s->cut->z.server[i].at.e[k]);
        }
    }
    return c;
}

static void said_zone(struct zsite *s)
{
    struct zcut *c = home_of(s);

    if (!*c->z.mname) {
        memcpy(c->z.mname, s->way->mname, sizeof c->z.mname);
        c->z.serial = s->serial;
        c->z.negative_ttl = s->negative_ttl;
    }
    s->home = c;
    if (!s->climbing)
        s->s.exists = !s->nxdomain;
    if (!s->climbing && s->s.exists && !name_same(s->s.name, s->way->apex)) {
        cut_whole(c, no_op, s); /* beside the probe */
        wild_start(s, when_wild_known);
    } else {
        cut_whole(c, is_whole, s);
    }
}

static void target_done(void *arg)
{
    struct zsite *s = arg;

    site_finish(s);
}

static void follow(struct zsite *s)
{
    struct zsite *to = site_get(s->of, s->way->target, s->mode, s->depth + 1);
    struct err e = {0};

    for (const struct zsite *k = to; k; k = k->waiting_for)
        if (k == s) {
            strs_add(&s->s.chain, s->way->target);
            err_at(&e, "%s", s->s.name);
            err_set(&e, RC_DELEGATION, "CNAME_LOOP", "its CNAMEs lead in a circle; mend one of them");
            site_failed(s, &e);
            return;
        }
    s->waiting_for = to;
    if (to->done)
        target_done(s);
    else
        waits_add(&to->waits, target_done, s);
}

static void foreign(struct zsite *s)
{
    struct err e = {0};

    strs_add(&s->s.chain, s->way->target);
    err_at(&e, "%s", s->s.name);
    err_set(
        &e, RC_DELEGATION, "CNAME_FOREIGN",
        "a CNAME leads to %.100s, which no provider's zones= covers; add its zone to one, or set record_at = HOST:apex or HOST:_LABEL, or "
        "remove the CNAME, or use method = website",
        s->way->target);
    site_failed(s, &e);
}

static void alias_known(void *arg)
{
    struct zsite *s = arg;
    const char *zone;

    if (s->mode == SITE_STAY ||
        (s->s.wildcard && s->mode == SITE_FOLLOW)) /* a wildcard's CNAME delegates nothing: the record goes to the name itself */
        alias_cut(s);
    else if (s->depth >= DEPTH_MAX)
        no_home(s, "CNAME_DEEP", "its CNAME chain has no end; mend it");
    else if (s->mode == SITE_FOLLOW && !conf_writer(s->of->conf, s->way->target, NULL, &zone))
        foreign(s);
    else
        follow(s);
}

static void said_alias(struct zsite *s)
{
    if (s->climbing) { /* an alias above an alias: its cut lies higher still */
        alias_cut(s);
        return;
    }
    s->s.exists = true;
    wild_start(s, alias_known);
}

static void said_referral(struct zsite *s)
{
    struct zcut *c = cut_known(s->of, s->way->apex);

    if (!c)
        c = cut_make(s->of, s->way->apex);
    if (!c->started) {
        strs_free(&c->ns);
        c->ns = s->ns;
        c->glue = s->glue;
        s->ns = (struct strs){0};
        s->glue = (struct endpoints){0};
    }
    strs_free(&s->ns);
    endpoints_free(&s->glue);
    gate_open(s);
    go_to(s, c);
}

static void said_nothing(struct zsite *s)
{
    struct err e = {0};
    char *list = strs_join(&s->cut->ns, " ");

    err_at(&e, "%s", s->s.name);
    if (s->way->tour.answered) {
        err_set(&e, RC_DELEGATION, "LAME", "no server of %s (%.120s) answers for %s with authority; mend the delegation", s->cut->z.apex,
                s->cut->ns.n ? list : "as configured", s->way->ask);
    } else {
        err_set(&e, RC_NET, "DISCOVERY",
                "no server of %s (%.100s) could be asked: %.150s; if only an inside view reaches them, set [zone %s] servers=",
                s->cut->z.apex, s->cut->ns.n ? list : "as configured", s->way->tour.last.text, s->cut->z.apex);
        err_again(&e, 0);
    }
    free(list);
    site_failed(s, &e);
}

static void site_told(struct tour *t, bool good)
{
    struct zsite *s = t->owner;
    enum site_answer said = good ? s->said : SAID_NOTHING;

    if (said == SAID_REFERRAL) {
        said_referral(s);
        return;
    }
    gate_open(s);
    if (said == SAID_ZONE)
        said_zone(s);
    else if (said == SAID_ALIAS)
        said_alias(s);
    else
        said_nothing(s);
}

static void site_step(void *arg)
{
    struct zsite *s = arg;
    struct zcut *deeper;
    const char *key;
    struct gate *g;

    if (*s->cut->moved) {
        go_to(s, start_of(s->of, s->way->ask));
        return;
    }
    if (s->cut->err.rc != RC_OK) {
        site_failed(s, &s->cut->err);
        return;
    }
    deeper = start_of(s->of, s->way->ask);
    if (deeper != s->cut && name_labels(deeper->z.apex) > name_labels(s->cut->z.apex)) {
        go_to(s, deeper);
        return;
    }
    key = cut_to(s->way->ask, name_labels(s->cut->z.apex) + 1 + s->gate_depth);
    g = gate_find(s->cut, key);
    if (g) {
        s->gate_depth++;
        waits_add(&g->waits, site_step, s);
        return;
    }
    g = s->gate = mem_new(sizeof *g);
    snprintf(g->key, sizeof g->key, "%s", key);
    g->next = s->cut->gate;
    s->cut->gate = g;
    s->said = SAID_NOTHING;
    s->way->tour.look = site_look;
    s->way->tour.end = site_told;
    s->way->tour.owner = s;
    tour_start(&s->way->tour, s->of->net, s->cut->walk, s->way->ask, TYPE_SOA, false);
}

void site_begin(struct zsite *s)
{
    go_to(s, start_of(s->of, s->way->ask));
}
