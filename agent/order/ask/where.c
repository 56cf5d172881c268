#include "order/ask/where.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ca/ca.h"
#include "conf/conf.h"
#include "dcv/owner.h"

enum { PLACES_MAX = 8 };

/* As in an order (spots.c): proven with the same value they share a place, and the wildcard's rules are the stricter ones. */
static bool shared(struct wheres *all, size_t from, const char *listed, const struct ca_rules *rules)
{
    bool found = false;
    if (rules->each_listed)
        return false;
    for (size_t i = from; i < all->n; i++) {
        if (strcmp(all->w[i].name, name_base(listed)) != 0)
            continue;
        found = true;
        if (name_is_wildcard(listed))
            snprintf(all->w[i].listed, sizeof all->w[i].listed, "%s", listed);
    }
    return found;
}

void where_add(struct wheres *all, const struct conf_cert *c, const struct strs *names, const struct ca_rules *rules)
{
    size_t from = all->n, n_ca = rules->n_place < PLACES_MAX ? rules->n_place : PLACES_MAX;
    for (size_t i = 0; i < names->n; i++) {
        struct place place[PLACES_MAX];
        const char *name = name_base(names->s[i]);
        if (shared(all, from, names->s[i], rules))
            continue;
        size_t n = owner_places(c, name, rules->place, n_ca, place);
        for (size_t k = 0; k < n; k++) {
            all->w = mem_grow(all->w, all->n + 1, sizeof *all->w);
            struct where *w = &all->w[all->n++];
            *w = (struct where){.conf = c, .ca = c->ca, .place = place[k], .placed = owner_placed(c, name)};
            snprintf(w->name, sizeof w->name, "%s", name);
            snprintf(w->listed, sizeof w->listed, "%s", names->s[i]);
        }
    }
}

struct caa_ca where_caa(const struct ca_rules *rules)
{
    return (struct caa_ca){.ids = rules->caa, .method = rules->caa_method, .account = rules->caa_account ? *rules->caa_account : NULL};
}

/* One round: the zone cuts of those at an apex, or the owners of all. */
static bool find(struct session *s, struct wheres *all, bool apexes, struct err *e)
{
    struct find *f = mem_array(all->n ? all->n : 1, sizeof *f);
    struct err *err = mem_array(all->n ? all->n : 1, sizeof *err);
    for (size_t i = 0; i < all->n; i++) {
        struct where *w = &all->w[i];
        if (w->err.rc != RC_OK || (apexes && w->place.at != AT_APEX))
            continue;
        f[i] = (struct find){.name = apexes ? w->name : w->owner, .no_follow = apexes, .refuse_cname = w->conf->cname == CNAME_REFUSE};
    }
    bool ok = look_sites(s, f, err, all->n, e);
    for (size_t i = 0; i < all->n && ok; i++) {
        struct where *w = &all->w[i];
        if (!f[i].name)
            continue;
        w->site = err[i].rc == RC_OK ? f[i].site : NULL;
        if (err[i].rc != RC_OK)
            w->err = err[i], err_at(&w->err, "%s", w->name);
    }
    free(f);
    free(err);
    return ok;
}

bool where_find(struct session *s, struct wheres *all, struct err *e)
{
    if (!find(s, all, true, e)) /* the zone cut first, where the record goes to the apex */
        return false;
    for (size_t i = 0; i < all->n; i++) {
        struct where *w = &all->w[i];
        if (w->err.rc == RC_OK)
            owner_of(w->name, w->place, w->place.at == AT_APEX ? w->site->zone->apex : NULL, w->owner, &w->err);
        w->site = NULL;
    }
    return find(s, all, false, e);
}

void where_free(struct wheres *all)
{
    free(all->w);
    *all = (struct wheres){0};
}
