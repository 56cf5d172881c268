/* sweep.c: files that no order needs any more, removed. */
#include "order/ask/sweep.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "dcv/webfile.h"
#include "order/ask/many.h"
#include "order/website/website_impl.h"

struct sweep {
    struct session *s;
    struct saved_order *o;
    json_t *facts, *list; /* list: of the facts; kept beyond its place there */
    bool let_go;          /* the last one: not ours, or no longer; it stays as it is */
};

static bool write_down(struct sweep *w, struct err *e)
{
    if (json_array_size(w->list) == 0)
        json_object_del(w->facts, "website");
    free(w->o->facts);
    w->o->facts = json_line(json_incref(w->facts));
    w->o->changed = clock_now();
    return order_put(w->s->store, w->o, e) && store_turn(w->s->store, e);
}

/* false: stopped by a signal. What the hook said of it is in *fault. */
static bool call_hook(struct sweep *w, const struct website_file *f, struct err *fault, struct err *e)
{
    struct website_call call = {0};
    struct err failed = {0};
    struct many m;
    bool all = true;
    if (website_call_make(&call, w->s->state_dir, f, "del", fault)) {
        many_begin(&m, w->s, 1);
        m.stopped = "what was begun is written down, and the next run or gc goes on with it";
        many_add(&m, &call.hook.op, &failed);
        child_start(net_loop(w->s->net), &call.hook);
        all = many_end(&m, e);
        if (all)
            website_call_judge(&call, failed.rc != RC_OK ? &failed : NULL, fault);
    }
    website_call_clear(&call);
    return all;
}

static bool remove_file(struct sweep *w, const struct website_file *f, unsigned folders, struct err *fault, struct err *e)
{
    enum webfile_is was = WEBFILE_ABSENT;
    w->let_go = f->state == LEDGER_FOUND;
    if (w->let_go)
        return true;
    if (!*f->webroot)
        return call_hook(w, f, fault, e);
    w->let_go = webfile_remove(f->webroot, f->value, folders, &was, fault) && was == WEBFILE_OTHER;
    return true;
}

static bool note_removed(struct sweep *w, const struct website_file *f, struct err *e)
{
    char *line = json_line(json_pack("{s:s, s:o, s:o}", "what", w->let_go ? "file let go" : "file removed", "host", json_text(f->host),
                                     "value", json_text(f->value)));
    if (w->let_go)
        say(LEVEL_NOTICE, &(struct about){.cert = w->o->cert, .step = "website"}, NULL,
            "%s" WEBFILE_URL_PATH " is not ours%s; it is left as it is", f->webroot, f->state == LEDGER_FOUND ? "" : " any more");
    bool ok = evidence_note(w->s->store, w->o->cert, w->o->id, "website", line, e);
    free(line);
    return ok;
}

static bool sweep_entry(struct sweep *w, size_t at, bool *gone, struct err *e)
{
    json_t *entry = json_array_get(w->list, at);
    struct website_file f = website_file_of(w->o, entry);
    struct err fault = {0};
    *gone = false;
    if (f.state == LEDGER_INTENDED || f.state == LEDGER_PRESENT) {
        json_object_set_new(entry, "state", json_string(ledger_state_words[LEDGER_LEAVING]));
        if (!write_down(w, e))
            return false;
    }
    if (!remove_file(w, &f, (unsigned)json_num(entry, "folders"), &fault, e))
        return false;
    *gone = fault.rc == RC_OK;
    if (!*gone) {
        w->o->last = fault;
        w->o->last_at = clock_now();
        return write_down(w, e);
    }
    if (!note_removed(w, &f, e))
        return false;
    json_array_remove(w->list, at);
    return write_down(w, e);
}

bool sweep_files(struct session *s, struct saved_order *o, struct err *e)
{
    struct sweep w = {.s = s, .o = o, .facts = o->facts ? json_loads(o->facts, 0, NULL) : NULL};
    bool ok = true, gone;
    w.list = json_incref(json_object_get(w.facts, "website"));
    for (size_t i = 0; ok && i < json_array_size(w.list); i += !gone) {
        gone = false;
        if (!website_file_of(o, json_array_get(w.list, i)).wanted)
            ok = sweep_entry(&w, i, &gone, e);
    }
    json_decref(w.list);
    json_decref(w.facts);
    return ok;
}
