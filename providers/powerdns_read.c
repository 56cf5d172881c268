/* powerdns_read.c: sets out of the zone read once, or name by name: where they are few and the server shows disabled records there too, or
 * where the zone cannot be read as a whole. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "providers/powerdns.h"

enum { FEW = 4, FOUND_MAX = 1000 };

struct question { /* one name */
    struct api_call call;
    struct reading *r;
    struct rrset *set;
    bool searching; /* for disabled records, which the first answer hides */
    char *what;
};

struct reading {
    struct reading *next; /* waiting for the version */
    struct provider *p;
    struct pdns_zone *zone;
    struct lookup *l;
    struct api_call whole;
    struct question *q;
    size_t n_q, open;
    char *what;
};

static void leave_queue(struct reading *r)
{
    struct reading **at = &r->p->waiting;
    while (*at && *at != r)
        at = &(*at)->next;
    if (*at)
        *at = r->next;
}

static void reading_free(struct reading *r)
{
    leave_queue(r);
    op_cancel(&r->whole.op);
    api_call_clear(&r->whole);
    for (size_t i = 0; i < r->n_q; i++) {
        op_cancel(&r->q[i].call.op);
        api_call_clear(&r->q[i].call);
        free(r->q[i].what);
    }
    free(r->q);
    free(r->what);
    r->l->impl = NULL;
    free(r);
}

static void read_detach(struct op *op)
{
    reading_free(((struct lookup *)op)->impl);
}

/* A partial read is an error: nothing of it is given out. */
static void read_end(struct reading *r, const struct err *e)
{
    struct lookup *l = r->l;
    for (size_t i = 0; e && i < l->n; i++)
        rrset_clear(&l->set[i]);
    reading_free(r);
    op_settle(&l->op, e);
}

static bool word_is(const json_t *j, const char *key, const char *a, const char *b)
{
    return strcmp(json_str(j, key), a) == 0 || strcmp(json_str(j, key), b) == 0;
}

/* What any answer tells about the zone itself. */
static bool learn(struct reading *r, const json_t *zone, struct err *e)
{
    struct pdns_zone *z = r->zone;
    z->still = !*json_str(zone, "soa_edit_api");
    z->primary = word_is(zone, "kind", "Master", "Primary") || word_is(zone, "kind", "Producer", "Producer");
    if (word_is(zone, "kind", "Slave", "Secondary") || word_is(zone, "kind", "Consumer", "Consumer"))
        return err_set(e, RC_CONF, "POWERDNS_SECONDARY",
                       "zone %s is a secondary at [provider %s]: its next transfer would undo what is written there; configure its primary",
                       z->name, r->p->name);
    return true;
}

static bool found(struct api_call *c)
{
    struct reading *r = c->op.owner;
    return c->status == 404 ? pdns_missing(r->p, r->l->zone, &c->why) : c->status == 200;
}

static bool found_one(struct api_call *c)
{
    struct question *q = c->op.owner;
    if (c->status == 500) {
        err_set(&c->why, RC_WRITE, "POWERDNS_UNREADABLE",
                "[provider %s] cannot read what stands at %s (500): its database fails, or holds something ill-formed there, which "
                "`pdnsutil check-zone %s` names",
                q->r->p->name, q->set->owner, q->r->l->zone);
        return err_again(&c->why, 0);
    }
    return c->status == 404 ? pdns_missing(q->r->p, q->r->l->zone, &c->why) : c->status == 200;
}

/* --- name by name --------------------------------------------------------------------------------------------------------------------- */

static void question_done(struct op *op, const struct err *e);

static char *question_url(const struct question *q)
{
    const struct provider *p = q->r->p;
    struct str url = STR_INIT(4096);
    if (q->searching) {
        str_fmt(&url, "%s/search-data?object_type=record&max=%d&q=", p->server, FOUND_MAX);
        api_encode(&url, q->set->owner);
    } else {
        str_fmt(&url, "%s?%srrset_name=", q->r->zone->url, pdns_shows_disabled(p) ? "include_disabled=true&" : "");
        api_encode(&url, q->set->owner);
        str_add(&url, ".");
    }
    return str_take(&url);
}

static void ask(struct question *q)
{
    struct provider *p = q->r->p;
    pdns_call(p, &q->call, "GET", question_url(q), question_done, q);
    q->call.what = q->what;
    q->call.ok = found_one;
    q->r->open++;
    api_start(p->api, &q->call);
}

static bool take_answer(struct question *q, struct err *e)
{
    struct lookup one = {.zone = q->r->l->zone, .set = q->set, .n = 1};
    if (!q->searching)
        return learn(q->r, q->call.json, e) && pdns_take_zone(q->call.json, &one, e);
    if (json_array_size(q->call.json) < FOUND_MAX)
        return pdns_take_found(q->call.json, one.zone, q->set, e);
    return err_set(
        e, RC_WRITE, "POWERDNS_LARGE",
        "more than %d records of [provider %s] look like %s, and zone %s is too large to be read as a whole: what stands there cannot be "
        "known, nothing is written",
        FOUND_MAX, q->r->p->name, q->set->owner, one.zone);
}

static void question_done(struct op *op, const struct err *e)
{
    struct question *q = op->owner;
    struct reading *r = q->r;
    struct err why = {0};
    r->open--;
    if (e)
        why = *e;
    else if (take_answer(q, &why) && !q->searching && !pdns_shows_disabled(r->p)) {
        q->searching = true;
        ask(q);
        return;
    }
    if (why.rc != RC_OK) {
        err_at(&why, "%s", q->set->owner);
        read_end(r, &why);
    } else if (!r->open) {
        read_end(r, NULL);
    }
}

static void by_name(struct reading *r)
{
    r->n_q = r->l->n;
    r->q = mem_array(r->n_q, sizeof *r->q);
    for (size_t i = 0; i < r->n_q; i++) {
        r->q[i] = (struct question){.r = r, .set = &r->l->set[i]};
        r->q[i].what = mem_fmt("read the TXT set at %s", r->l->set[i].owner);
    }
    for (size_t i = 0; i < r->n_q; i++)
        ask(&r->q[i]);
}

/* --- the zone at once ----------------------------------------------------------------------------------------------------------------- */

static void whole_done(struct op *op, const struct err *e)
{
    struct reading *r = op->owner;
    struct err why = {0};
    if (e && (strcmp(e->code, "HTTP_LARGE") == 0 || r->whole.status == 500)) {
        r->zone->by_name = true;
        by_name(r);
        return;
    }
    if (e)
        why = *e;
    else if (learn(r, r->whole.json, &why))
        pdns_take_zone(r->whole.json, r->l, &why);
    read_end(r, why.rc == RC_OK ? NULL : &why);
}

void pdns_read_go(struct reading *r, const struct err *e)
{
    leave_queue(r);
    if (e) {
        read_end(r, e);
        return;
    }
    if (r->zone->by_name || (r->l->n <= FEW && pdns_shows_disabled(r->p))) {
        by_name(r);
        return;
    }
    r->what = mem_fmt("read zone %s", r->l->zone);
    pdns_call(r->p, &r->whole, "GET", mem_str(r->zone->url), whole_done, r);
    r->whole.what = r->what;
    r->whole.ok = found;
    api_start(r->p->api, &r->whole);
}

void pdns_read(struct provider *p, struct lookup *l)
{
    struct reading *r = mem_new(sizeof *r);
    *r = (struct reading){.p = p, .zone = pdns_zone(p, l->zone), .l = l};
    l->impl = r;
    op_start(&l->op, read_detach);
    for (size_t i = 0; i < l->n; i++)
        rrset_clear(&l->set[i]);
    if (!l->n) {
        read_end(r, NULL);
    } else if (p->greeted) {
        pdns_read_go(r, NULL);
    } else {
        r->next = p->waiting;
        p->waiting = r;
        pdns_greet(p);
    }
}

struct cost pdns_cost(const struct provider_ops *p, size_t owners, size_t changes)
{
    (void)p;
    (void)changes;
    return (struct cost){.reads = owners <= FEW ? owners : 1, .writes = 1};
}
