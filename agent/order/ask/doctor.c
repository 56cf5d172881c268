/* doctor.c: what the doctor asks, and whom. */
#include "order/ask/doctor_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/ca.h"
#include "base/mem.h"
#include "dcv/zone/zone.h"
#include "net/net.h"
#include "order/ask/many.h"
#include "store/store.h"

static bool selected(const struct doctor *d, const char *cert)
{
    return d->certs->n == 0 || strs_has(d->certs, cert);
}

static void gather_names(struct doctor *d)
{
    const struct conf *c = d->s->conf;
    d->cas = cas_open(d->s, false);
    for (size_t i = 0; i < c->n_cert; i++) {
        const struct ca_rules *rules = cas_rules(d->cas, c->cert[i].ca);
        if (!selected(d, c->cert[i].name) || !rules)
            continue;
        if (c->cert[i].method == METHOD_DNS)
            where_add(&d->wheres, &c->cert[i], &c->cert[i].names, rules);
        else if (c->cert[i].method == METHOD_WEBSITE)
            doctor_web_add(d, &c->cert[i], rules);
    }
    for (size_t i = 0; i < d->wheres.n; i++) /* beside the walk to the zones */
        preflight_warm(d->s->zones, d->wheres.w[i].name);
    for (size_t i = 0; i < d->n_web; i++)
        preflight_warm(d->s->zones, d->web[i].name);
}

static bool take_value(void *arg, const struct ledger_row *row)
{
    struct doctor *d = arg;
    d->ours = mem_grow(d->ours, d->n_ours + 1, sizeof *d->ours);
    d->ours[d->n_ours++] = (struct bytes){mem_copy(row->rec.value.p, row->rec.value.n), row->rec.value.n};
    return true;
}

/* --- zones ----------------------------------------------------------------------------------------------------------------------------- */

static bool serves(const struct zone *z, const struct endpoint *p)
{
    for (size_t i = 0; i < z->n; i++) {
        if (*p->name && name_same(z->server[i].name, p->name))
            return true;
        for (size_t j = 0; j < z->server[i].at.n; j++)
            if (strcmp(z->server[i].at.e[j].addr, p->addr) == 0)
                return true;
    }
    return false;
}

/* The server that updates go to, where it is none that resolvers ask and its address is known. */
static void note_primary(struct doctor_zone *z, const struct section *provider)
{
    struct endpoints server = {0};
    if (!provider || strcmp(provider->type, "rfc2136") != 0)
        return;
    section_servers(provider, "server", &server);
    if (server.n && *server.e[0].addr && !serves(z->zone, &server.e[0])) {
        z->primary = server.e[0];
        z->survey.primary = &z->primary;
    }
    endpoints_free(&server);
}

static struct doctor_zone *zone_for(struct doctor *d, const struct doctor_place *p)
{
    const struct zone *zone = p->where->site->zone;
    struct doctor_zone *z = d->zone;
    while (z && z->zone != zone)
        z = z->next;
    if (z)
        return z;
    z = mem_new(sizeof *z);
    *z = (struct doctor_zone){.next = d->zone, .zone = zone, .verify = p->verify};
    z->survey = (struct survey){.zone = zone, .verify = &z->verify};
    note_primary(z, p->provider);
    d->zone = z;
    return z;
}

/* --- owners ---------------------------------------------------------------------------------------------------------------------------- */

static struct doctor_owner *owner_for(struct doctor *d, const char *name, struct doctor_zone *z)
{
    struct doctor_owner *o = map_get(&d->owner_of, name);
    if (o)
        return o;
    o = mem_new(sizeof *o);
    *o = (struct doctor_owner){.next = d->owner, .zone = z};
    snprintf(o->name, sizeof o->name, "%s", name);
    o->presence = (struct presence){.owner = o->name, .zone = z->zone};
    map_put(&d->owner_of, o->name, o);
    d->owner = o;
    return o;
}

static struct doctor_owner *challenge_for(struct doctor *d, const struct doctor_place *p)
{
    char name[NAME_SIZE + 20];
    int n = snprintf(name, sizeof name, "_acme-challenge.%s", p->where->name);
    if (n >= NAME_SIZE || name_same(name, p->where->owner) || !name_within(p->where->name, p->zone->zone->apex))
        return NULL;
    return owner_for(d, name, p->zone);
}

/* --- providers ------------------------------------------------------------------------------------------------------------------------- */

static void add_rights(struct doctor *d, const struct doctor_place *at)
{
    const struct zone *zone = at->zone->zone;
    const char *owner = at->where->site->owner;
    struct doctor_rights *r = d->rights;
    if (!at->provider || at->provider->broken || !provider_of(at->provider))
        return;
    while (r && (r->rights.section != at->provider || strcmp(r->rights.zone, zone->apex) != 0))
        r = r->next;
    if (!r) {
        r = mem_new(sizeof *r);
        *r = (struct doctor_rights){.next = d->rights, .rights = {.section = at->provider, .zone = zone->apex}};
        d->rights = r;
    }
    if (!strs_has(&r->rights.owners, owner))
        strs_add(&r->rights.owners, owner);
}

/* --- all at once ----------------------------------------------------------------------------------------------------------------------- */

static void add_resolvers(struct doctor *d, const struct conf_verify *v)
{
    for (size_t i = 0; i < v->resolvers.n; i++)
        endpoints_add(&d->checkup.resolvers, &v->resolvers.e[i]);
}

static void prepare(struct doctor *d)
{
    const struct conf *c = d->s->conf;
    d->place = mem_array(d->wheres.n + 1, sizeof *d->place);
    for (size_t i = 0; i < d->wheres.n; i++) {
        const struct where *w = &d->wheres.w[i];
        struct doctor_place *p = &d->place[i];
        *p = (struct doctor_place){.where = w, .rules = cas_rules(d->cas, w->ca)};
        if (!w->site)
            continue;
        p->verify = conf_verify(c, conf_zone(c, w->site->owner), conf_ca(c, w->ca));
        p->provider = conf_writer(c, w->site->owner, w->conf->provider, &p->matched);
        p->zone = zone_for(d, p);
        p->owner = owner_for(d, w->site->owner, p->zone);
        p->challenge = challenge_for(d, p);
        p->preflight =
            (struct preflight){.name = w->listed, .site = w->site, .caa = where_caa(p->rules), .verify = &p->verify, .placed = w->placed};
        add_rights(d, p);
        add_resolvers(d, &p->verify);
    }
    for (size_t i = 0; i < d->n_web; i++) {
        struct conf_verify v = conf_verify(c, conf_zone(c, d->web[i].name), conf_ca(c, d->web[i].conf->ca));
        add_resolvers(d, &v);
    }
    if (!d->wheres.n && !d->n_web)
        add_resolvers(d, &c->verify);
}

static size_t count(const struct doctor *d)
{
    size_t n = d->wheres.n + 2 * d->n_web + 1;
    for (const struct doctor_zone *z = d->zone; z; z = z->next)
        n++;
    for (const struct doctor_owner *o = d->owner; o; o = o->next)
        n++;
    for (const struct doctor_rights *r = d->rights; r; r = r->next)
        n++;
    return n;
}

static bool ask_all(struct doctor *d, struct err *e)
{
    struct many m;
    many_begin(&m, d->s, count(d));
    for (struct doctor_zone *z = d->zone; z;
         z = z->next) { /* before the preflights: they share what all resolvers say, not a few of them */
        many_add(&m, &z->survey.op, NULL);
        survey_start(d->s->zones, &z->survey);
    }
    for (struct doctor_owner *o = d->owner; o; o = o->next) {
        many_add(&m, &o->presence.op, NULL);
        presence_start(d->s->zones, &o->presence);
    }
    for (size_t i = 0; i < d->wheres.n; i++) {
        if (!d->place[i].zone)
            continue;
        many_add(&m, &d->place[i].preflight.op, NULL);
        preflight_start(d->s->net, d->s->zones, &d->place[i].preflight);
    }
    for (struct doctor_rights *r = d->rights; r; r = r->next) {
        many_add(&m, &r->rights.op, NULL);
        rights_start(d->s->net, &r->rights);
    }
    doctor_web_ask(d, &m);
    many_add(&m, &d->checkup.op, NULL);
    checkup_start(d->s->net, &d->checkup);
    return many_end(&m, e);
}

/* --- life ------------------------------------------------------------------------------------------------------------------------------ */

static void free_rights(struct doctor *d)
{
    for (struct doctor_rights *r = d->rights, *next; r; r = next) {
        next = r->next;
        rights_clear(&r->rights);
        free(r);
    }
}

static void doctor_free(struct doctor *d)
{
    for (size_t i = 0; i < d->wheres.n && d->place; i++)
        preflight_clear(&d->place[i].preflight);
    free(d->place);
    for (struct doctor_zone *z = d->zone, *next; z; z = next) {
        next = z->next;
        survey_clear(&z->survey);
        free(z);
    }
    map_free(&d->owner_of);
    for (struct doctor_owner *o = d->owner, *next; o; o = next) {
        next = o->next;
        presence_clear(&o->presence);
        free(o);
    }
    free_rights(d);
    doctor_web_free(d);
    checkup_clear(&d->checkup);
    for (size_t i = 0; i < d->n_ours; i++)
        free((void *)(uintptr_t)d->ours[i].p);
    free(d->ours);
    where_free(&d->wheres);
    cas_close(d->cas);
}

bool doctor_run(struct session *s, const struct strs *certs, struct diagnoses *out, struct err *e)
{
    struct doctor d = {.s = s, .certs = certs};
    *out = (struct diagnoses){0};
    gather_names(&d);
    bool ok = ledger_each(s->store, NULL, take_value, &d, e) && where_find(s, &d.wheres, e) && doctor_web_find(&d, e);
    if (ok) {
        prepare(&d);
        ok = ask_all(&d, e);
    }
    if (ok)
        doctor_tell(&d, out);
    doctor_free(&d);
    return ok;
}

void diagnoses_free(struct diagnoses *l)
{
    free(l->d);
    *l = (struct diagnoses){0};
}

bool diagnoses_bad(const struct diagnoses *l)
{
    return l->n && l->d[0].f.severity == SEV_ERROR;
}
