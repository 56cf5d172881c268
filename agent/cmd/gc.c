/* gc: the agent's own leftovers: records of orders that are over, and of probes; files that no order needs. Never what an open order needs, never of
 * txt add. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/leftovers.h"
#include "dcv/publish/publish.h"
#include "order/ask/sweep.h"
#include "order/evidence.h"
#include "order/session.h"
#include "order/website/website.h"

enum { LIMIT_S = 60 };

/* --- what stands, and whose it is --------------------------------------------------------------------------------------------------------- */

static bool note_open(void *arg, const struct saved_order *o)
{
    strs_add(arg, o->id);
    return true;
}

static bool note_row(void *arg, const struct ledger_row *row)
{
    struct leftovers *l = arg;
    l->row = mem_grow(l->row, l->n + 1, sizeof *l->row);
    struct leftover *o = &l->row[l->n++];
    *o = (struct leftover){.cert = mem_str(row->cert),
                           .host = mem_str(row->host),
                           .owner = mem_str(row->rec.owner),
                           .provider = mem_str(row->provider),
                           .zone = mem_str(row->zone),
                           .value = {mem_copy(row->rec.value.p, row->rec.value.n), row->rec.value.n},
                           .state = row->state,
                           .wanted = row->wanted,
                           .err = row->last};
    snprintf(o->order, sizeof o->order, "%s", row->order);
    o->whose = !*row->order                                ? OF_TXT
               : strcmp(row->order, LEDGER_REHEARSAL) == 0 ? OF_PROBE
               : strs_has(&l->open, row->order)            ? OF_OPEN_ORDER
                                                           : OF_OVER_ORDER;
    return true;
}

/* An order's last fault may be about anything. */
static const char about_files[] = "WEBSITE_";

static void note_file(void *arg, const struct website_file *f)
{
    struct leftovers *l = arg;
    const struct saved_order *o = f->order;
    l->row = mem_grow(l->row, l->n + 1, sizeof *l->row);
    struct leftover *row = &l->row[l->n++];
    *row = (struct leftover){.file = true,
                             .cert = mem_str(o->cert),
                             .host = mem_str(f->host),
                             .owner = website_place(f),
                             .provider = mem_str(*f->webroot ? "webroot" : f->hook),
                             .zone = mem_str(""),
                             .value = {mem_copy(f->value, strlen(f->value)), strlen(f->value)},
                             .state = f->state,
                             .whose = f->wanted ? OF_OPEN_ORDER : OF_OVER_ORDER,
                             .wanted = f->wanted};
    snprintf(row->order, sizeof row->order, "%s", o->id);
    if (o->last.code && strncmp(o->last.code, about_files, sizeof about_files - 1) == 0)
        row->err = o->last;
}

bool leftovers_load(struct leftovers *l, struct session *s, struct err *e)
{
    return order_each(s->store, NULL, note_open, &l->open, e) && ledger_each(s->store, NULL, note_row, l, e) &&
           website_each(s->store, note_file, l, e);
}

void leftovers_free(struct leftovers *l)
{
    for (size_t i = 0; i < l->n; i++) {
        struct leftover *o = &l->row[i];
        free(o->cert);
        free(o->host);
        free(o->owner);
        free(o->provider);
        free(o->zone);
        free((void *)(uintptr_t)o->value.p);
    }
    free(l->row);
    strs_free(&l->open);
    *l = (struct leftovers){0};
}

bool leftover_goes(const struct leftover *o)
{
    return o->whose == OF_OVER_ORDER || o->whose == OF_PROBE || (o->whose == OF_TXT && !o->wanted);
}

json_t *leftover_json(const struct leftover *o)
{
    static const char *const whose[] = {[OF_TXT] = "txt", [OF_PROBE] = "rehearse", [OF_OPEN_ORDER] = "order", [OF_OVER_ORDER] = "order"};
    json_t *j = json_pack("{s:o, s:o, s:o}", "host", json_text(o->host), o->file ? "file" : "owner", json_text(o->owner), "value",
                          json_txt(o->value));
    if (!o->file)
        json_object_set_new(j, "zone", json_text(o->zone));
    json_object_set_new(j, o->file ? "by" : "provider", json_text(o->provider));
    json_object_set_new(j, "state", json_string(ledger_state_words[o->state]));
    json_object_set_new(j, "wanted", json_boolean(o->wanted));
    json_object_set_new(j, "whose", json_string(whose[o->whose]));
    json_object_set_new(j, "leftover", json_boolean(leftover_goes(o)));
    json_object_set_new(j, "cert", *o->cert ? json_text(o->cert) : json_null());
    json_object_set_new(j, "order", *o->order ? json_text(o->order) : json_null());
    if (o->err.rc != RC_OK)
        json_object_set_new(j, "error", json_pack("{s:o, s:o}", "code", json_text(o->err.code), "text", json_text(o->err.text)));
    return j;
}

/* --- removing ----------------------------------------------------------------------------------------------------------------------------- */

struct gathered {
    struct session *s;
    const struct leftovers *l;
};

static bool release(struct session *s, const struct leftovers *l, struct err *e)
{
    for (size_t i = 0; i < l->n; i++)
        if (!l->row[i].file && l->row[i].whose != OF_TXT && leftover_goes(&l->row[i]) &&
            !publish_release(s->publish, l->row[i].order, NULL, NULL, e))
            return false;
    return true;
}

static bool all_gone(void *arg)
{
    struct gathered *g = arg;
    for (size_t i = 0; i < g->l->n; i++) {
        struct publish_state st;
        if (g->l->row[i].file || !leftover_goes(&g->l->row[i]))
            continue;
        publish_state(g->s->publish, g->l->row[i].order, &st);
        if (st.going > st.failed)
            return false;
    }
    return true;
}

struct orders {
    struct saved_order *o;
    size_t n;
};

static bool note_order(void *arg, const struct saved_order *o)
{
    struct orders *l = arg;
    if (!website_left(o->facts))
        return true;
    l->o = mem_grow(l->o, l->n + 1, sizeof *l->o);
    saved_order_copy(&l->o[l->n++], o);
    return true;
}

static bool remove_files(struct session *s, struct err *e)
{
    struct orders l = {0};
    bool ok = order_history(s->store, NULL, note_order, &l, e);
    for (size_t i = 0; i < l.n; i++) {
        ok = ok && sweep_files(s, &l.o[i], e);
        saved_order_clear(&l.o[i]);
    }
    free(l.o);
    return ok;
}

static bool still_there(const struct leftovers *after, const struct leftover *o)
{
    for (size_t i = 0; i < after->n; i++) {
        const struct leftover *a = &after->row[i];
        if (a->file == o->file && strcmp(a->order, o->order) == 0 && strcmp(a->owner, o->owner) == 0 && a->value.n == o->value.n &&
            memcmp(a->value.p, o->value.p, o->value.n) == 0)
            return true;
    }
    return false;
}

static enum rc report(const struct call *c, const struct leftovers *before, const struct leftovers *after)
{
    json_t *removed = json_array(), *remaining = json_array();
    enum rc rc = RC_OK;
    for (size_t i = 0; i < before->n; i++) {
        const struct leftover *o = &before->row[i];
        if (!leftover_goes(o) || still_there(after, o))
            continue;
        json_array_append_new(removed, leftover_json(o));
        if (!c->json && c->terminal)
            printf(o->state == LEDGER_FOUND ? "let go: %s (it stood there before, so it stays)\n" : "removed: %s\n", o->owner);
    }
    for (size_t i = 0; i < after->n; i++) {
        const struct leftover *o = &after->row[i];
        if (!leftover_goes(o))
            continue;
        json_array_append_new(remaining, leftover_json(o));
        rc = rc_worse(rc, o->err.rc != RC_OK ? o->err.rc : RC_LATER);
        say(LEVEL_ERROR, &(struct about){.cert = o->cert, .name = o->owner, .step = "gc"}, o->err.code ? o->err.code : "NOT_FINISHED",
            "still to be removed (%s%s%s%s): %s", o->file ? "" : "provider ", o->provider, o->file ? "" : ", zone ", o->zone,
            o->err.rc != RC_OK ? o->err.text : "not finished in time; tried again by the next run");
    }
    if (c->json)
        json_print(json_pack("{s:i, s:o, s:o}", "version", 1, "removed", removed, "remaining", remaining));
    else
        json_decref(removed), json_decref(remaining);
    return rc;
}

static enum rc collect(struct call *c, struct session *s)
{
    struct leftovers before = {0}, after = {0};
    struct err e = {0}, pumped = {0};
    struct gathered g = {s, &before};
    enum rc rc;
    if (evidence_command(s->store, "", c->argc, c->argv, &e) && publish_load(s->publish, &e) && leftovers_load(&before, s, &e) &&
        release(s, &before, &e) && (session_pump_until(s, LIMIT_S, all_gone, &g, &pumped) || pumped.rc == RC_LATER) &&
        remove_files(s, &e) && leftovers_load(&after, s, &e))
        rc = report(c, &before, &after);
    else
        rc = call_fail(c, pumped.rc != RC_OK ? &pumped : &e);
    leftovers_free(&before);
    leftovers_free(&after);
    return rc;
}

enum rc cmd_gc(struct call *c)
{
    struct session s;
    enum rc rc = RC_OK;
    bool list = call_has(c, "list");
    if (!call_session(c, &s, SESSION_NET | (list ? SESSION_READ : SESSION_LOCK), &rc))
        return rc;
    rc = list ? leftovers_list(c, &s) : collect(c, &s);
    session_close(&s);
    return rc;
}
