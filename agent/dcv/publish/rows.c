/* rows.c: rows in memory, written through to the ledger; what opens and closes them. */
#include "dcv/publish/publish_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/names.h"
#include "conf/conf.h"
#include "net/net.h"

static int bytes_order(struct bytes a, struct bytes b)
{
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return a.n ? memcmp(a.p, b.p, a.n) : 0;
}

int row_order(const void *a, const void *b)
{
    const struct record *x = &(*(struct prow *const *)a)->row.rec, *y = &(*(struct prow *const *)b)->row.rec;
    int d = strcmp(x->owner, y->owner);

    if (d == 0)
        d = (int)x->type - (int)y->type;
    return d ? d : bytes_order(x->value, y->value);
}

static bool same(const struct ledger_row *a, const struct ledger_row *b)
{
    return a->rec.type == b->rec.type && strcmp(a->rec.owner, b->rec.owner) == 0 && bytes_order(a->rec.value, b->rec.value) == 0 &&
           strcmp(a->provider, b->provider) == 0 && strcmp(a->zone, b->zone) == 0;
}

static uint32_t hash(uint32_t h, const void *p, size_t n)
{
    const uint8_t *b = p;

    for (size_t i = 0; i < n; i++)
        h = (h ^ b[i]) * 16777619u;
    return h;
}

/* An order asks for all of its records every turn: a number is compared before five strings are. */
static uint32_t key_of(const struct ledger_row *r)
{
    uint32_t h = hash(2166136261u, r->order, strlen(r->order));

    h = hash(h, r->rec.owner, strlen(r->rec.owner));
    return hash(h, r->rec.value.p, r->rec.value.n);
}

struct prow *row_find(const struct publish *p, const struct ledger_row *like)
{
    uint32_t key = key_of(like);

    for (size_t i = 0; i < p->n; i++)
        if (p->row[i]->key == key && p->row[i]->row.state != LEDGER_GONE && strcmp(p->row[i]->row.order, like->order) == 0 &&
            same(&p->row[i]->row, like))
            return p->row[i];
    return NULL;
}

struct prow *row_add(struct publish *p, const struct ledger_row *from)
{
    struct prow *r = mem_new(sizeof *r);

    r->row = *from;
    r->key = key_of(from);
    r->row.cert = r->cert = mem_str(from->cert ? from->cert : "");
    r->row.host = r->host = mem_str(from->host ? from->host : "");
    r->row.provider = r->provider = mem_str(from->provider);
    r->row.zone = r->zone = mem_str(from->zone);
    r->row.rec.owner = r->owner = mem_str(from->rec.owner);
    r->row.rec.value.p = r->value = mem_copy(from->rec.value.p, from->rec.value.n);
    r->lane = lane_get(p, r->provider, r->zone);
    if (p->n == p->size) {
        p->size = p->size ? 2 * p->size : 32;
        p->row = mem_grow(p->row, p->size, sizeof(*p->row));
    }
    p->row[p->n++] = r;
    return r;
}

void row_free(struct prow *r)
{
    free(r->cert);
    free(r->host);
    free(r->provider);
    free(r->zone);
    free(r->owner);
    free(r->value);
    free(r);
}

bool row_put(struct publish *p, struct prow *r, struct err *e)
{
    r->changed = true;
    return ledger_put(p->store, &r->row, e);
}

bool row_settled(struct publish *p, struct prow *r, enum ledger_state state, struct err *e)
{
    r->row.state = state;
    r->row.settled = clock_now();
    r->row.last = (struct err){0};
    r->tries = 0;
    r->due = 0;
    r->recheck = r->unsure = r->failed = false;
    return row_put(p, r, e);
}

int64_t pause_s(unsigned tries)
{
    static const unsigned pause[] = {1, 2, 4, 8, 16, 30};

    return pause[tries > 6 ? 5 : tries - 1];
}

bool row_failed(struct publish *p, struct prow *r, const struct err *why, struct err *e)
{
    int64_t now = clock_now(), wait;

    r->row.last = *why;
    wait = pause_s(++r->tries);
    if (why->not_before > now + wait)
        wait = why->not_before - now;
    r->failed = !why->again || r->tries >= (why->rc == RC_WRITE ? TRIES_ANSWERED : TRIES_MAX) || wait > PATIENCE_S;
    r->due = loop_now(net_loop(p->net)) + wait * 1000;
    tell_failed(r, why);
    return row_put(p, r, e);
}

bool row_stopped(struct publish *p, struct prow *r, const struct err *why, struct err *e)
{
    r->row.last = *why;
    r->failed = true;
    tell_failed(r, why);
    return row_put(p, r, e);
}

/* Rows of one record stand side by side in a sorted list: [*from, *to) around i. */
static void same_record(struct prow *const *all, size_t n, size_t i, size_t *from, size_t *to)
{
    for (*from = i; *from > 0 && row_order(&all[*from - 1], &all[i]) == 0;)
        --*from;
    for (*to = i + 1; *to < n && row_order(&all[*to], &all[i]) == 0;)
        ++*to;
}

struct standing row_others(struct prow *const *all, size_t n, size_t i)
{
    struct standing s = {0};
    size_t from, to;

    same_record(all, n, i, &from, &to);
    for (size_t k = from; k < to; k++) {
        const struct ledger_row *o = &all[k]->row;

        if (k == i || o->state == LEDGER_GONE)
            continue;
        s.wanted |= o->wanted;
        s.found |= o->state == LEDGER_FOUND;
        if (o->state != LEDGER_FOUND && o->written > s.written)
            s.written = o->written;
    }
    return s;
}

/* Row i goes while others still want its record: they are its writers from now on, or the value would be a stranger's in their eyes. */
bool row_hand_over(struct publish *p, struct prow *const *all, size_t n, size_t i, struct err *e)
{
    const struct ledger_row *r = &all[i]->row;
    size_t from, to;

    if (!r->written || r->state == LEDGER_FOUND)
        return true;
    same_record(all, n, i, &from, &to);
    for (size_t k = from; k < to; k++) {
        struct ledger_row *o = &all[k]->row;

        if (k == i || !o->wanted || o->state == LEDGER_GONE || o->state == LEDGER_FOUND || o->written)
            continue;
        o->written = r->written;
        o->old_ttl = r->old_ttl;
        memcpy(o->ref, r->ref, sizeof(o->ref));
        if (!row_put(p, all[k], e))
            return false;
    }
    return true;
}

struct source *source_get(struct publish *p, const char *name)
{
    struct source *s = p->source;

    while (s && strcmp(s->name, name) != 0)
        s = s->next;
    if (s)
        return s;
    s = mem_new(sizeof *s);
    s->name = mem_str(name);
    s->section = conf_provider(p->conf, name);
    s->next = p->source;
    p->source = s;
    if (!s->section) {
        err_at(&s->err, "%s", name);
        err_set(&s->err, RC_CONF, "LEDGER_ORPHAN",
                "there is no [provider %s] any more, but records written through it are still there; "
                "put the section back, or configure another one with their zone in zones=: it removes them",
                name);
        return s;
    }
    section_list(s->section, "zones", &s->zones);
    s->ops = s->section->broken ? NULL : provider_of(s->section);
    if (!s->ops) {
        err_at(&s->err, "%s", name);
        err_set(&s->err, RC_CONF, "PROVIDER_BROKEN", "[provider %s] has a fault (`dcvagent config check` names it): its records wait",
                name);
        return s;
    }
    return s;
}

bool source_open(struct publish *p, struct source *s)
{
    if (s->prov)
        return true;
    if (s->err.rc != RC_OK)
        return false;
    return s->ops->open(&s->prov, s->section, p->net, &s->err);
}

char source_grade(const struct source *s)
{
    return s->prov && s->ops->graded ? s->ops->graded(s->prov) : s->ops->grade;
}

bool source_shares(const struct source *s)
{
    return s->ops->caps & KEEPS || decide_share(section_text(s->section, "shared_rrset"), source_grade(s));
}

bool source_commits(const struct source *s)
{
    return s->ops && s->ops->caps & COMMITS;
}

struct lane *lane_get(struct publish *p, const char *provider, const char *zone)
{
    struct lane *l = p->lane;

    while (l && (strcmp(l->src->name, provider) != 0 || strcmp(l->zone, zone) != 0))
        l = l->next;
    if (l)
        return l;
    l = mem_new(sizeof *l);
    l->p = p;
    l->src = source_get(p, provider);
    l->zone = mem_str(zone);
    l->next = p->lane;
    p->lane = l;
    return l;
}

bool row_has_work(const struct prow *r)
{
    if (r->busy || r->row.state == LEDGER_GONE)
        return false;
    return r->recheck || !r->row.wanted || r->row.state == LEDGER_INTENDED || r->row.state == LEDGER_LEAVING;
}

size_t lane_rows(const struct lane *l, struct prow ***out)
{
    const struct publish *p = l->p;
    struct prow **all = mem_array(p->n + 1, sizeof(*all));
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++)
        if (p->row[i]->lane == l && p->row[i]->row.state != LEDGER_GONE)
            all[n++] = p->row[i];
    qsort(all, n, sizeof(*all), row_order);
    *out = all;
    return n;
}
