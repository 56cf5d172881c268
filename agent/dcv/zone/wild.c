/* wild.c: does a name exist by itself, or does a wildcard stand in for it?
 *
 * A TXT written at a synthesised name takes the wildcard's addresses away from it (RFC 4592, 2.2.1). Comparing answers alone would take every
 * name for synthesised that has the same address as the wildcard beside it. So the closest encloser is asked for first:
 *   RANDOM.NAME    NXDOMAIN: the name exists by itself. The usual case, one question.
 *   RANDOM.*.NAME  NXDOMAIN: the name or *.NAME exists. Else neither does.
 * Then the answers must be those of a random sibling, for servers that do not answer NXDOMAIN as they should. */
#include "dcv/zone/zone_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"

enum { TYPE_MX = 15 };
static const uint16_t types[] = {TYPE_A, TYPE_AAAA, TYPE_TXT, TYPE_MX};
enum { N_TYPES = sizeof types / sizeof *types, STEPS = 2 + 2 * N_TYPES };

struct tally { /* of an answer, in any order */
    uint64_t sum;
    unsigned n;
};

struct wild {
    struct zsite *s;
    void (*go)(void *arg);
    struct tour tour;
    unsigned step;
    bool nxdomain;
    struct tally got[2][N_TYPES]; /* of the name and of its sibling */
};

static void next(struct wild *w);

static void count(struct tally *t, const struct dns_rr *rr)
{
    uint64_t h = 14695981039346656037u ^ rr->type;

    for (size_t i = 0; i < rr->rdata.n; i++)
        h = (h ^ rr->rdata.p[i]) * 1099511628211u;
    t->sum += h;
    t->n++;
}

static bool look(struct tour *t, const struct dns_reply *r)
{
    struct wild *w = t->owner;
    unsigned k = w->step - 2;

    if (!r->aa || (r->rcode != DNS_NOERROR && r->rcode != DNS_NXDOMAIN))
        return false;
    w->nxdomain = r->rcode == DNS_NXDOMAIN;
    for (size_t i = 0; i < r->n; i++) {
        const struct dns_rr *rr = &r->rr[i];

        if (rr->section != SECTION_ANSWER || !name_same(rr->owner, t->name))
            continue;
        w->nxdomain = false; /* a CNAME whose target does not exist: the name does */
        if (w->step >= 2 && (rr->type == t->ask.type || rr->type == TYPE_CNAME))
            count(&w->got[k / N_TYPES][k % N_TYPES], rr);
    }
    return true;
}

static void finish(struct wild *w, bool wildcard)
{
    struct zsite *s = w->s;
    void (*go)(void *arg) = w->go;

    s->s.wildcard = wildcard;
    wild_free(s);
    go(s);
}

static bool same_answers(const struct wild *w)
{
    unsigned any = 0;

    for (int i = 0; i < N_TYPES; i++) {
        if (w->got[0][i].n != w->got[1][i].n || w->got[0][i].sum != w->got[1][i].sum)
            return false;
        any += w->got[0][i].n;
    }
    return any > 0;
}

static void told(struct tour *t, bool good)
{
    struct wild *w = t->owner;

    if (!good || (w->step < 2 && w->nxdomain)) {
        finish(w, false);
        return;
    }
    if (++w->step < STEPS)
        next(w);
    else
        finish(w, same_answers(w));
}

static void next(struct wild *w)
{
    const struct zsite *s = w->s;
    char name[600];
    uint16_t type = TYPE_A;

    if (w->step < 2)
        snprintf(name, sizeof name, "%s%s%s", s->of->random, w->step ? ".*." : ".", s->s.name);
    else if (w->step < 2 + N_TYPES)
        snprintf(name, sizeof name, "%s", s->s.name);
    else
        snprintf(name, sizeof name, "%s.%s", s->of->random, name_parent(s->s.name));
    if (w->step >= 2)
        type = types[(w->step - 2) % N_TYPES];
    if (strlen(name) > 253) {
        finish(w, false);
        return;
    }
    tour_start(&w->tour, s->of->net, s->cut->walk, name, type, false);
}

void wild_start(struct zsite *s, void (*go)(void *arg))
{
    struct wild *w = s->wild = mem_new(sizeof *w);

    w->s = s;
    w->go = go;
    w->tour.look = look;
    w->tour.end = told;
    w->tour.owner = w;
    next(w);
}

void wild_free(struct zsite *s)
{
    if (!s->wild)
        return;
    tour_free(&s->wild->tour);
    free(s->wild);
    s->wild = NULL;
}
