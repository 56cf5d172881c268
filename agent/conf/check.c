/* check.c: what only the whole shows: references, zones claimed twice, and which certificates a fault elsewhere stops. */
#include "conf/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/guess.h"
#include "base/mem.h"
#include "base/names.h"

static const char nothing_proven[] = "authoritative = off without resolvers proves nothing; set resolvers=, or authoritative to all or any";

static bool proves_nothing(const struct conf_verify *v)
{
    return v->authoritative == AUTHORITATIVE_OFF && v->resolvers.n == 0;
}

static void check_agent(struct loader *l)
{
    const struct raw_section *r = l->agent;
    struct place_in at;

    if (!r || !entry_find(r->e, r->n, "key_backup_dir") || entry_find(r->e, r->n, "key_backup_password_file"))
        return;
    at = entry_at(r, "key_backup_dir");
    loader_fault(l, &at, "agent", "key_backup_dir", RC_CONF, true, "the copies are encrypted: set key_backup_password_file= too");
}

/* Both sections are broken: nobody can say which of the two should write. */
static void check_claims(struct loader *l)
{
    const struct conf_index *x = l->c->index;

    for (size_t i = 1; i < x->n_claim; i++) {
        const struct claim *a = &x->claim[i - 1], *b = &x->claim[i];
        const struct section_entry *first, *again;
        char *label;

        if (strcmp(a->zone, b->zone) != 0)
            continue;
        first = entry_find(a->s->entry, a->s->n, "zones");
        again = entry_find(b->s->entry, b->s->n, "zones");
        label = mem_fmt("provider %s", b->s->name);
        loader_fault(l, &again->at, label, "zones", RC_CONF, false, "%s is claimed by provider %s too (%s:%u); a zone has one provider",
                     a->zone, a->s->name, first->at.file, first->at.line);
        free(label);
        a->s->broken = b->s->broken = true;
    }
}

static void zone_fault(struct loader *l, struct conf_zone *z, const struct raw_section *r, const char *key, const char *text)
{
    struct place_in at = key ? entry_at(r, key) : r->at;
    char *label = mem_fmt("zone %s", z->name);

    loader_fault(l, &at, label, key, RC_CONF, false, "%s", text);
    free(label);
    z->broken = true;
}

static void check_zone_provider(struct loader *l, struct conf_zone *z, const struct raw_section *r)
{
    const struct section *s = conf_provider(l->c, z->provider);
    struct guess g = {.wanted = z->provider};
    char maybe[96], shown[72], *text;

    if (!s) {
        for (size_t i = 0; i < l->c->n_provider; i++)
            guess_try(&g, l->c->provider[i].name);
        text = mem_fmt("there is no [provider %s]%s", quoted(shown, sizeof(shown), z->provider), guess_text(&g, maybe));
    } else if (!s->broken && !conf_writer(l->c, z->name, z->provider, NULL)) {
        text = mem_fmt("provider %s does not write here; its zones= must hold %s or a zone above", z->provider, z->name);
    } else {
        return;
    }
    zone_fault(l, z, r, "provider", text);
    free(text);
}

static void check_zones(struct loader *l, bool verify_sound)
{
    struct conf *c = l->c;

    for (size_t i = 0; i < c->n_zone; i++) {
        struct conf_zone *z = &c->zone[i];
        struct conf_verify v = conf_verify(c, z, NULL);

        if (z->provider)
            check_zone_provider(l, z, l->zone[i]);
        if (verify_sound && proves_nothing(&v))
            zone_fault(l, z, l->zone[i], entry_find(l->zone[i]->e, l->zone[i]->n, "authoritative") ? "authoritative" : "resolvers",
                       nothing_proven);
    }
    for (size_t i = 1; i < c->n_zone; i++) { /* the same zone under two spellings */
        struct conf_zone *a = c->index->zone[i - 1], *b = c->index->zone[i];
        char *text;

        if (strcmp(a->name, b->name) != 0)
            continue;
        text = mem_fmt("the section is given twice, first in %s:%u; join the two", a->file, a->line);
        zone_fault(l, b, l->zone[b - c->zone], NULL, text);
        free(text);
        a->broken = true;
    }
}

static void check_cas(struct loader *l)
{
    for (size_t i = 0; i < l->c->n_ca; i++) {
        struct section *s = &l->c->ca[i];
        struct conf_verify v = conf_verify(l->c, NULL, s);
        const struct section_entry *e = entry_find(s->entry, s->n, "authoritative");
        char *label;

        if (!proves_nothing(&v))
            continue;
        if (!e)
            e = entry_find(s->entry, s->n, "resolvers");
        label = mem_fmt("ca %s", s->name);
        loader_fault(l, &e->at, label, e->key, RC_CONF, false, "%s", nothing_proven);
        free(label);
        s->broken = true;
    }
}

/* Some provider is broken so that its zones cannot be told: any certificate without a named provider may be meant for it. */
static bool some_zones_unknown(const struct conf *c)
{
    for (size_t i = 0; i < c->n_provider; i++) {
        if (c->provider[i].broken && c->index->zones[i].n == 0)
            return true;
    }
    return false;
}

static bool uses_broken(const struct conf *c, const struct conf_cert *t, bool zones_unknown)
{
    const struct section *ca = conf_ca(c, t->ca);
    bool named = t->provider && strcmp(t->provider, "auto") != 0;

    if (ca && ca->broken)
        return true;
    for (size_t i = 0; i < t->names.n; i++) {
        const struct conf_zone *z = conf_zone(c, t->names.s[i]);

        if (z && z->broken)
            return true;
    }
    if (t->method != METHOD_DNS)
        return false;
    if (named) {
        const struct section *s = conf_provider(c, t->provider);

        return s && s->broken;
    }
    for (size_t i = 0; i < t->names.n; i++) {
        const struct section *s = conf_writer(c, t->names.s[i], NULL, NULL);

        if (s && s->broken)
            return true;
    }
    return zones_unknown;
}

/* [zone] and CA are sound each, but not together. */
static void check_views(struct loader *l, struct conf_cert *t, const struct raw_section *r)
{
    const struct section *ca = conf_ca(l->c, t->ca);

    for (size_t i = 0; i < t->names.n; i++) {
        const struct conf_zone *z = conf_zone(l->c, t->names.s[i]);
        struct conf_verify v = conf_verify(l->c, z, ca);
        char *label;

        if (!proves_nothing(&v))
            continue;
        label = mem_fmt("certificate %s", t->name);
        loader_fault(l, &r->at, label, NULL, RC_CONF, false, "%s: its [zone] and [ca] together leave nobody to ask: %s", t->names.s[i],
                     nothing_proven);
        free(label);
        t->broken = true;
        return;
    }
}

void check_whole(struct loader *l)
{
    struct conf *c = l->c;
    bool verify_sound = !proves_nothing(&c->verify), zones_unknown;

    check_agent(l);
    if (!verify_sound) {
        struct place_in at = entry_at(l->verify, "authoritative");

        loader_fault(l, &at, "verify", "authoritative", RC_CONF, true, "%s", nothing_proven);
    } else {
        check_cas(l);
    }
    check_claims(l);
    check_zones(l, verify_sound);
    zones_unknown = some_zones_unknown(c);
    for (size_t i = 0; i < c->n_cert; i++) {
        struct conf_cert *t = &c->cert[i];

        check_certificate(l, t, l->cert[i]);
        if (uses_broken(c, t, zones_unknown))
            t->broken = true;
        else if (verify_sound)
            check_views(l, t, l->cert[i]);
    }
}
