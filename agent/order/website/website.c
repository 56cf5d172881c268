/* website.c: names proven by a file on their web servers: put there through webroot= or website_hook=, seen at every address, removed.
 *
 * What is, or may be, on web servers stands in the order's facts, as records stand in the ledger:
 *   "website": [{"host", "webroot" or "hook", "value", "folders", "state"}]
 *   found     stood there before us: used, never removed    intended  may be there
 *   present   put there by us                               leaving   to be removed; the entry goes with the file
 * One file in a web root serves all names; a hook is called for each. */
#include "order/website/website_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dcv/webfile.h"

enum { PUT_BACK_MAX = 3 };

struct website *website_of(struct order *o)
{
    if (!o->website)
        o->website = mem_new(sizeof *o->website);
    return o->website;
}

/* --- the entries ----------------------------------------------------------------------------------------------------------------------- */

static json_t *entries(const struct order *o)
{
    return json_object_get(o->facts, "website"); /* NULL: none, which all of jansson's list functions accept */
}

static bool is_at(const json_t *entry, const char *state)
{
    return strcmp(json_str(entry, "state"), state) == 0;
}

static void put_at(struct order *o, json_t *entry, const char *state)
{
    json_object_set_new(entry, "state", json_string(state));
    order_save(o);
}

static bool first_at(const struct order *o, const char *state, size_t *at)
{
    json_t *entry;
    size_t i;
    json_array_foreach(entries(o), i, entry)
    {
        *at = i;
        if (is_at(entry, state))
            return true;
    }
    return false;
}

/* The one entry for this spot with this value: with a web root that of any other name will do. */
static json_t *entry_for(const struct order *o, const struct spot *s, const char *value)
{
    char *hook = strs_join(&o->conf->website_hook, " ");
    json_t *entry, *found = NULL;
    size_t i;
    json_array_foreach(entries(o), i, entry)
    {
        bool here = o->conf->webroot ? strcmp(json_str(entry, "webroot"), o->conf->webroot) == 0
                                     : strcmp(json_str(entry, "hook"), hook) == 0 && strcmp(json_str(entry, "host"), s->name) == 0;
        if (here && !is_at(entry, "leaving") && strcmp(json_str(entry, "value"), value) == 0)
            found = entry;
    }
    free(hook);
    return found;
}

const char *website_value(const struct spot *s)
{
    const struct proof *p = spot_proof(s);
    return p->valid ? NULL : p->value;
}

static void tell(struct order *o, const json_t *entry, const char *what)
{
    const char *root = json_str(entry, "webroot");
    order_log(o, LEVEL_INFO, "website", NULL, "%s: %s%s (%s)", what, *root ? root : json_str(entry, "host"), WEBFILE_URL_PATH,
              json_str(entry, "value"));
    order_evidence(o, "website",
                   json_pack("{s:s, s:o, s:o}", "what", what, "host", json_text(json_str(entry, "host")), "value",
                             json_text(json_str(entry, "value"))));
}

static bool taken(const char *webroot, struct err *e)
{
    err_set(e, RC_CREATE, "WEBSITE_TAKEN",
            "%s" WEBFILE_URL_PATH " stands there and is not ours (an older code? another order?); it is not overwritten: move it away",
            webroot);
    return err_at(e, "%s", webroot);
}

/* --- effects: one entry put or removed ------------------------------------------------------------------------------------------------- */

static void drop_entry(struct order *o, size_t at)
{
    json_array_remove(entries(o), at);
    if (json_array_size(entries(o)) == 0)
        json_object_del(o->facts, "website");
    order_save(o);
}

static void done_with(struct order *o, json_t *entry, bool put)
{
    tell(o, entry, put ? "file put" : "file removed");
    if (put)
        put_at(o, entry, "present");
    else
        drop_entry(o, o->website->at);
}

static void hook_ended(struct op *op, const struct err *e)
{
    struct order *o = op->owner;
    struct website *w = o->website;
    json_t *entry = json_array_get(entries(o), w->at);
    if (website_call_judge(&w->call, e, &w->err))
        done_with(o, entry, strcmp(w->call.argv.s[w->call.argv.n - 2], "add") == 0);
    err_again(&w->err, 0);
    order_settled(o);
}

static void start_hook(struct order *o, const json_t *entry, const char *verb)
{
    struct website *w = o->website;
    struct website_file f = website_file_of(&o->saved, entry);
    if (!website_call_make(&w->call, o->run->s->state_dir, &f, verb, &w->err))
        return;
    w->call.hook.op = (struct op){.done = hook_ended, .owner = o};
    o->pending++;
    child_start(net_loop(o->run->s->net), &w->call.hook);
}

static void put_now(void *arg)
{
    struct order *o = arg;
    struct website *w = o->website;
    json_t *entry = json_array_get(entries(o), w->at);
    const char *root = json_str(entry, "webroot"), *value = json_str(entry, "value");
    enum webfile_is is;
    unsigned folders;
    if (!*root)
        start_hook(o, entry, "add");
    else if (webfile_look(root, value, &is, &folders, &w->err) && (is == WEBFILE_SAME || webfile_put(root, value, &w->err)))
        done_with(o, entry, true); /* SAME: put there before a crash */
}

static void remove_now(void *arg)
{
    struct order *o = arg;
    struct website *w = o->website;
    json_t *entry = json_array_get(entries(o), w->at);
    const char *root = json_str(entry, "webroot"), *value = json_str(entry, "value");
    enum webfile_is was;
    if (!*root) {
        start_hook(o, entry, "del");
    } else if (webfile_remove(root, value, (unsigned)json_num(entry, "folders"), &was, &w->err)) {
        if (was == WEBFILE_OTHER)
            order_log(o, LEVEL_NOTICE, "website", NULL, "%s" WEBFILE_URL_PATH " is no longer ours; it is left as it is", root);
        done_with(o, entry, false);
    }
}

/* true: nothing is under way. false: *t says how it went on. */
static bool idle(struct order *o, enum turn *t)
{
    struct website *w = website_of(o);
    *t = TURN_WAIT;
    if (o->effect || op_busy(&w->call.hook.op))
        return false;
    if (w->err.rc == RC_OK)
        return true;
    struct err e = w->err;
    w->err = (struct err){0};
    *t = order_fault(o, &e);
    return false;
}

/* The next entry at this state, if any. */
static enum turn work_on(struct order *o, const char *state, void (*effect)(void *arg))
{
    size_t at;
    if (!first_at(o, state, &at))
        return TURN_NEXT;
    o->website->at = at;
    order_effect(o, effect);
    return TURN_WAIT;
}

/* --- what the CA wants, put in place --------------------------------------------------------------------------------------------------- */

static enum turn website_possible(struct order *o)
{
    struct err e = {0};
    if (o->conf->webroot && !webfile_possible(o->conf->webroot, &e))
        return order_fault(o, &e);
    return TURN_NEXT;
}

static bool still_wanted(const struct order *o, const json_t *entry)
{
    for (size_t i = 0; i < o->n_spot; i++) {
        const char *value = website_value(&o->spot[i]);
        if (value && entry_for(o, &o->spot[i], value) == entry)
            return true;
    }
    return false;
}

static void leave(struct order *o, bool all)
{
    json_t *entry;
    for (size_t i = json_array_size(entries(o)); i > 0; i--) {
        entry = json_array_get(entries(o), i - 1);
        if (!all && (is_at(entry, "leaving") || still_wanted(o, entry)))
            continue;
        if (is_at(entry, "found"))
            drop_entry(o, i - 1);
        else
            put_at(o, entry, "leaving");
    }
}

/* A web root has one file: all names that are proven through it must want the same. */
static bool one_value(const struct order *o, struct err *e)
{
    const char *first = NULL;
    for (size_t i = 0; o->conf->webroot && i < o->n_spot; i++) {
        const char *value = website_value(&o->spot[i]);
        if (value && first && strcmp(value, first) != 0)
            return err_set(e, RC_CONF, "WEBSITE_CODES",
                           "the CA gave a code of its own for each name, and webroot = %s has one file for all of %s; use website_hook=, "
                           "which is told "
                           "the name",
                           o->conf->webroot, o->saved.names);
        first = first ? first : value;
    }
    return true;
}

static bool note_wanted(struct order *o, struct err *e)
{
    for (size_t i = 0; i < o->n_spot; i++) {
        const struct spot *s = &o->spot[i];
        const char *value = website_value(s), *root = o->conf->webroot;
        enum webfile_is is = WEBFILE_ABSENT;
        unsigned folders = 0;
        if (!value || entry_for(o, s, value))
            continue;
        if (root && !webfile_look(root, value, &is, &folders, e))
            return false;
        if (is == WEBFILE_OTHER)
            return taken(root, e);
        char *hook = root ? NULL : strs_join(&o->conf->website_hook, " ");
        json_t *entry = json_pack("{s:s, s:s, s:s, s:i, s:s}", "host", s->name, root ? "webroot" : "hook", root ? root : hook, "value",
                                  value, "folders", (int)folders, "state", is == WEBFILE_SAME ? "found" : "intended");
        if (!entries(o))
            json_object_set_new(o->facts, "website", json_array());
        json_array_append_new(entries(o), entry);
        order_save(o);
        free(hook);
    }
    return true;
}

/* Does what stands in this entry still stand on the disk? Of a hook nothing can be known. */
static bool stands(const json_t *entry, enum webfile_is *is, struct err *e)
{
    unsigned folders;
    *is = WEBFILE_SAME;
    return !*json_str(entry, "webroot") || webfile_look(json_str(entry, "webroot"), json_str(entry, "value"), is, &folders, e);
}

/* Somebody removed it: put back, some times. */
static bool mend(struct order *o, struct err *e)
{
    json_t *entry;
    size_t i;
    json_array_foreach(entries(o), i, entry)
    {
        enum webfile_is is;
        if (is_at(entry, "intended"))
            continue;
        if (!stands(entry, &is, e))
            return false;
        if (is == WEBFILE_OTHER)
            return taken(json_str(entry, "webroot"), e);
        if (is == WEBFILE_SAME)
            continue;
        if (++o->website->put_back > PUT_BACK_MAX)
            return err_set(e, RC_WRITE, "WEBSITE_REMOVED",
                           "somebody removes %s" WEBFILE_URL_PATH " again and again; it was put back %d times", json_str(entry, "webroot"),
                           PUT_BACK_MAX);
        put_at(o, entry, "intended");
    }
    return true;
}

static enum turn website_put(struct order *o)
{
    struct err e = {0};
    enum turn t;
    if (!idle(o, &t))
        return t;
    leave(o, false);
    t = work_on(o, "leaving", remove_now);
    if (t != TURN_NEXT)
        return t;
    if (!one_value(o, &e) || !note_wanted(o, &e) || !mend(o, &e))
        return order_fault(o, &e);
    return work_on(o, "intended", put_now);
}

static bool in_place(const struct order *o)
{
    for (size_t i = 0; i < o->n_spot; i++) {
        const char *value = website_value(&o->spot[i]);
        const json_t *entry = value ? entry_for(o, &o->spot[i], value) : NULL;
        enum webfile_is is;
        if (value && (!entry || is_at(entry, "intended") || !stands(entry, &is, NULL) || is != WEBFILE_SAME))
            return false;
    }
    return true;
}

/* --- the method ------------------------------------------------------------------------------------------------------------------------- */

static enum turn website_seen(struct order *o)
{
    enum turn t = spots_find(o);
    if (t != TURN_NEXT)
        return t;
    return in_place(o) ? website_watch(o) : TURN_BACK;
}

static enum turn website_ready(struct order *o)
{
    if (!in_place(o))
        return TURN_BACK;
    return o->saved.failures ? website_watch(o) : TURN_NEXT; /* the CA said no: what do we see ourselves? */
}

/* What caches in front of a web server keep nobody tells; the views are the answer. */
static int64_t website_settled(const struct order *o)
{
    (void)o;
    return 0;
}

const struct method_ops by_website = {.possible = website_possible,
                                      .put = website_put,
                                      .seen = website_seen,
                                      .ready = website_ready,
                                      .settled = website_settled,
                                      .look_anew = website_look_anew};

/* --- the end --------------------------------------------------------------------------------------------------------------------------- */

void website_release(struct order *o)
{
    leave(o, true);
}

enum turn website_gone(struct order *o)
{
    enum turn t;
    if (!entries(o))
        return TURN_NEXT;
    return idle(o, &t) ? work_on(o, "leaving", remove_now) : t;
}

void website_stop(struct order *o)
{
    if (!o->website)
        return;
    op_cancel(&o->website->call.hook.op);
    website_pages_clear(o->website);
}

void website_free(struct order *o)
{
    struct website *w = o->website;
    if (!w)
        return;
    website_stop(o);
    website_call_clear(&w->call);
    proxy_clear(&w->proxy);
    free(w);
    o->website = NULL;
}
