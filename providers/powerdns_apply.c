/* powerdns_apply.c: a batch as PATCHes of the zone, one after the other, each with as many names as fit. The API names one culprit at most
 * and carries out nothing of a PATCH that it refuses: such a PATCH is halved, down to single names. In the end the secondaries are
 * notified. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "providers/powerdns.h"
#include "providers/ranges.h"

enum { BODY_FULL = 512 << 10 }; /* octets: then no further name is added */

struct part { /* the changes of one owner, which are one set */
    size_t from, n;
};

struct writing {
    struct provider *p;
    struct pdns_zone *zone;
    struct batch *b;
    struct api_call call;
    char *what;
    struct part *part;
    size_t n_part;
    struct ranges todo; /* of parts */
    struct range now;   /* under way */
    bool wrote;
};

static void send_next(struct writing *w);

static void writing_free(struct writing *w)
{
    w->b->impl = NULL;
    op_cancel(&w->call.op);
    api_call_clear(&w->call);
    free(w->what);
    free(w->part);
    ranges_free(&w->todo);
    free(w);
}

static void apply_detach(struct op *op)
{
    writing_free(((struct batch *)op)->impl);
}

static void mark(struct writing *w, struct range r, enum change_result result, const struct err *e)
{
    const struct part *first = &w->part[r.from], *last = &w->part[r.from + r.n - 1];
    for (size_t i = first->from; i < last->from + last->n; i++) {
        struct change *c = &w->b->c[i];
        c->result = result;
        c->err = e ? *e : (struct err){0};
        if (e)
            err_at(&c->err, "%s", c->rec->owner);
    }
}

static void finish(struct writing *w)
{
    struct batch *b = w->b;
    const struct err *first = NULL;
    for (size_t i = 0; i < b->n && !first; i++)
        first = b->c[i].result == CHANGE_DONE ? NULL : &b->c[i].err;
    writing_free(w);
    op_settle(&b->op, first);
}

static void notified(struct op *op, const struct err *e)
{
    struct writing *w = op->owner;
    if (e)
        say(LEVEL_WARNING, &(struct about){.name = w->b->zone, .step = "publish"}, "POWERDNS_NOTIFY",
            "the records are written, but the secondaries of zone %s were not notified and may be a minute late: %s", w->b->zone, e->text);
    finish(w);
}

static void end(struct writing *w)
{
    bool wanted = w->p->notify == NOTIFY_YES || (w->p->notify == NOTIFY_AUTO && w->zone->primary);
    if (w->wrote && w->zone->primary && w->zone->still)
        say(LEVEL_WARNING, &(struct about){.name = w->b->zone, .step = "publish"}, "POWERDNS_SERIAL",
            "zone %s is a primary at [provider %s], but without SOA-EDIT-API: its serial stays when records are written, so its "
            "secondaries do not "
            "fetch them; set it once: pdnsutil set-meta %s SOA-EDIT-API DEFAULT",
            w->b->zone, w->p->name, w->b->zone);
    if (!w->wrote || !wanted) {
        finish(w);
        return;
    }
    pdns_call(w->p, &w->call, "PUT", mem_fmt("%s/notify", w->zone->url), notified, w);
    w->call.what = "notify the secondaries";
    api_start(w->p->api, &w->call);
}

/* Nothing more is sent: what waited was not carried out. */
static void give_up(struct writing *w, const struct err *e)
{
    while (w->todo.n)
        mark(w, ranges_pop(&w->todo), CHANGE_REFUSED, e);
    end(w);
}

/* It is about what the PATCH holds; others may fare better. */
static bool has_culprit(const struct writing *w)
{
    return w->call.status == 422 || w->call.status == 400 || w->call.status == 413;
}

static void patched(struct op *op, const struct err *e)
{
    struct writing *w = op->owner;
    if (!e) {
        w->wrote = true;
        mark(w, w->now, CHANGE_DONE, NULL);
        send_next(w);
    } else if (has_culprit(w) && w->now.n > 1) {
        ranges_halve(&w->todo, w->now);
        send_next(w);
    } else if (has_culprit(w)) {
        mark(w, w->now, CHANGE_REFUSED, e);
        send_next(w);
    } else {
        mark(w, w->now, api_unsure(&w->call) ? CHANGE_UNSURE : CHANGE_REFUSED, e);
        give_up(w, e);
    }
}

static bool accepted(struct api_call *c)
{
    struct writing *w = c->op.owner;
    if (c->status == 404)
        return pdns_missing(w->p, w->b->zone, &c->why);
    return c->status == 204 || c->status == 200;
}

static void add_entry(struct str *body, json_t *entry)
{
    char *text = json_line(entry);
    if (body->n && body->p[body->n - 1] == '}')
        str_add(body, ",");
    str_add(body, text);
    free(text);
}

/* Where the server takes single records it is left to keep the others, but for disabled ones: those it does not see then, and drops. */
static void add_part(const struct writing *w, const struct part *part, struct str *body)
{
    const struct change *first = &w->b->c[part->from];
    if (!pdns_single(w->p) || pdns_has_disabled(first->before)) {
        add_entry(body, pdns_replace(first->rec->owner, first->before, first->after));
        return;
    }
    for (size_t i = part->from; i < part->from + part->n; i++)
        add_entry(body, pdns_one(&w->b->c[i]));
}

/* As many names as one PATCH takes; the rest waits. */
static void fill(struct writing *w, struct range r, struct str *body)
{
    size_t n = 0;
    *body = STR_INIT(SIZE_MAX);
    str_add(body, "{\"rrsets\":[");
    do
        add_part(w, &w->part[r.from + n], body);
    while (++n < r.n && body->n < BODY_FULL);
    str_add(body, "]}");
    w->now = (struct range){r.from, n};
    ranges_push(&w->todo, r.from + n, r.n - n);
}

static void send_next(struct writing *w)
{
    struct str body;
    if (!w->todo.n) {
        end(w);
        return;
    }
    fill(w, ranges_pop(&w->todo), &body);
    free(w->what);
    w->what = w->now.n == 1 ? mem_fmt("write the TXT set at %s", w->b->c[w->part[w->now.from].from].rec->owner)
                            : mem_fmt("write %zu TXT sets in zone %s", w->now.n, w->b->zone);
    pdns_call(w->p, &w->call, "PATCH", mem_str(w->zone->url), patched, w);
    strs_add(&w->call.headers, "Content-Type: application/json");
    w->call.body = body;
    w->call.what = w->what;
    w->call.ok = accepted;
    api_start(w->p->api, &w->call);
}

void pdns_apply(struct provider *p, struct batch *b)
{
    struct writing *w = mem_new(sizeof *w);
    *w = (struct writing){.p = p, .zone = pdns_zone(p, b->zone), .b = b, .part = mem_array(b->n + 1, sizeof *w->part)};
    b->impl = w;
    op_start(&b->op, apply_detach);
    for (size_t i = 0; i < b->n; i++) {
        if (!i || b->c[i].before != b->c[i - 1].before)
            w->part[w->n_part++] = (struct part){.from = i};
        w->part[w->n_part - 1].n++;
    }
    ranges_push(&w->todo, 0, w->n_part);
    send_next(w);
}
