/* tell.c: evidence lines and the messages of the pump. */
#include "dcv/publish/publish_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/conf.h"

static const char *server_of(const struct source *s)
{
    const char *server = s->section ? section_text(s->section, "server") : NULL;

    if (!server && s->section)
        server = section_text(s->section, "url");
    return server ? server : s->name;
}

bool tell_evidence(struct publish *p, const struct prow *r, const char *action, struct err *e)
{
    json_t *j = json_object();
    char *line;
    bool ok;

    json_object_set_new(j, "action", json_text(action));
    json_object_set_new(j, "host", json_text(r->host));
    json_object_set_new(j, "owner", json_text(r->owner));
    json_object_set_new(j, "zone", json_text(r->zone));
    json_object_set_new(j, "provider", json_text(r->provider));
    json_object_set_new(j, "value", json_txt(r->row.rec.value));
    json_object_set_new(j, "ttl", json_integer(r->row.rec.ttl));
    line = json_line(j);
    ok = evidence_note(p->store, r->cert, r->row.order, "record", line, e);
    free(line);
    return ok;
}

bool tell_snapshot(struct lane *l, const struct rrset *set, struct err *e)
{
    json_t *j = json_object(), *values = json_array(), *native = json_array();
    char *line;
    bool ok;

    for (size_t i = 0; i < set->n; i++) {
        json_array_append_new(values, json_txt(set->octets[i]));
        json_array_append_new(native, json_text(set->native ? set->native[i] : NULL));
    }
    json_object_set_new(j, "action", json_text("snapshot"));
    json_object_set_new(j, "owner", json_text(set->owner));
    json_object_set_new(j, "zone", json_text(l->zone));
    json_object_set_new(j, "provider", json_text(l->src->name));
    json_object_set_new(j, "values", values);
    json_object_set_new(j, "native", native);
    json_object_set_new(j, "rest", json_text(set->rest));
    json_object_set_new(j, "ttl", json_integer(set->ttl));
    line = json_line(j);
    ok = evidence_note(l->p->store, "", "", "record", line, e);
    free(line);
    return ok;
}

static void say_lost(const struct lane *l, const struct lost *v, enum fate fate)
{
    struct about about = {.name = v->owner, .step = "publish", .server = server_of(l->src)};
    struct str value = STR_INIT(200);

    text_txt(&value, v->p, v->n);
    if (fate == FATE_RESTORED)
        say_loudly(LEVEL_WARNING, &about, "FOREIGN_RESTORED", "the TXT \"%s\" of others went missing while we wrote and was put back",
                   str_text(&value));
    else if (fate == FATE_HIDDEN)
        say(LEVEL_INFO, &about, "WILDCARD_HIDDEN", "the TXT \"%s\" of a wildcard does not show at this name while our record stands there",
            str_text(&value));
    else if (fate == FATE_CHANGED)
        say_loudly(LEVEL_WARNING, &about, "FOREIGN_CHANGED",
                   "the TXT \"%s\" of others stood there before our write; now another one that begins alike stands in its place, which is "
                   "left so: its owner has changed it. If nobody did, put it back; the evidence keeps it whole",
                   str_text(&value));
    else if (fate == FATE_UNSEEN)
        say_loudly(LEVEL_ERROR, &about, "FOREIGN_UNSEEN",
                   "whether the TXT \"%s\" (TTL %u) of others stands as before our last write was not seen for a week, and is looked at no "
                   "more; look yourself, and put it back where it is missing and still wanted; the evidence keeps it whole",
                   str_text(&value), (unsigned)v->ttl);
    else
        say_loudly(LEVEL_ERROR, &about, "FOREIGN_LOST",
                   "the TXT \"%s\" (TTL %u) of others stood there before our write and is missing after it; unless its owner removed it "
                   "this moment, put it back; the evidence keeps it whole",
                   str_text(&value), (unsigned)v->ttl);
    str_free(&value);
}

bool tell_lost(struct lane *l, const struct lost *v, enum fate fate, struct err *e)
{
    static const char *const actions[] = {[FATE_LOST] = "foreign-lost",
                                          [FATE_RESTORED] = "foreign-restored",
                                          [FATE_HIDDEN] = "wildcard-hidden",
                                          [FATE_CHANGED] = "foreign-changed",
                                          [FATE_UNSEEN] = "foreign-unseen"};
    json_t *j = json_object();
    char *line;
    bool ok;

    say_lost(l, v, fate);
    json_object_set_new(j, "action", json_text(actions[fate]));
    json_object_set_new(j, "owner", json_text(v->owner));
    json_object_set_new(j, "zone", json_text(l->zone));
    json_object_set_new(j, "provider", json_text(l->src->name));
    json_object_set_new(j, "value", json_txt((struct bytes){v->p, v->n}));
    json_object_set_new(j, "ttl", json_integer(v->ttl));
    line = json_line(j);
    ok = evidence_note(l->p->store, "", "", "record", line, e);
    free(line);
    return ok;
}

typedef void how_fn(enum level, const struct about *, const char *, const char *, ...) __attribute__((format(printf, 4, 5)));

/* Once a day for cron, always for the log. */
static how_fn *how_today(const struct publish *p, const char *key, int64_t now)
{
    return now - notice_last(p->store, key) >= DAY ? say_loudly : say_quietly;
}

void tell_unseen(const struct lane *l, const struct err *why)
{
    struct about about = {.name = l->zone, .step = "publish", .server = server_of(l->src)};
    char *key = mem_fmt("unseen/%s/%s", l->src->name, l->zone);
    int64_t now = clock_now();
    how_fn *how = how_today(l->p, key, now);

    how(LEVEL_WARNING, &about, "FOREIGN_UNSEEN",
        "whether the TXT values of others in zone %s stand as before our last write is not known: %s; nothing else is written there "
        "until then, the next run looks again",
        l->zone, why->text);
    if (how == say_loudly)
        notice_said(l->p->store, key, now, NULL);
    free(key);
}

/* For the log: the order that wants it reports once, when there is nothing more to try. */
void tell_failed(const struct prow *r, const struct err *why)
{
    struct about about = {.cert = *r->cert ? r->cert : NULL, .name = r->owner, .step = "publish", .attempt = r->tries};

    say(LEVEL_INFO, &about, why->code, "%s%s", why->text, r->failed ? "" : "; tried again in this run");
}

void tell_orphan(struct publish *p, const struct prow *r, const char *heir)
{
    struct about about = {.cert = *r->cert ? r->cert : NULL, .name = r->owner, .step = "publish"};
    char *key = mem_fmt("orphan/%s/%s", r->provider, r->owner);
    int64_t now = clock_now();
    how_fn *how = how_today(p, key, now);

    if (heir)
        how(LEVEL_WARNING, &about, "LEDGER_ORPHAN",
            "a TXT of ours in zone %s was written through [provider %s], which is configured no more; [provider %s] writes there now and "
            "goes on with it. If that is another server, remove the record from the old one",
            r->zone, r->provider, heir);
    else
        how(LEVEL_WARNING, &about, "LEDGER_ORPHAN",
            "a TXT of ours in zone %s was written through [provider %s], which is configured no more; it stays until that section, or "
            "another one that may write there, is configured",
            r->zone, r->provider);
    if (how == say_loudly)
        notice_said(p->store, key, now, NULL);
    free(key);
}

void tell_ttl(const struct lane *l, const char *owner, uint32_t was, uint32_t is)
{
    struct about about = {.name = owner, .step = "publish", .server = server_of(l->src)};

    say(LEVEL_WARNING, &about, "TTL_CHANGED", "the TTL of the TXT set was %u s before our write and is %u s after it", (unsigned)was,
        (unsigned)is);
}

void why_refused(const struct lane *l, const struct prow *r, struct err *why)
{
    err_at(why, "%s", r->owner);
    switch (r->deed) {
    case DEED_CNAME:
        err_set(why, RC_DELEGATION, "CNAME_AT_OWNER",
                "a CNAME stands at %s in zone %s and nothing can stand beside it; nothing was written; remove it, or set record_at for %s",
                r->owner, l->zone, r->host);
        break;
    case DEED_SHARED:
        err_set(why, RC_WRITE, "SHARED_REFUSED",
                "TXT values of others stand at %s and shared_rrset of [provider %s] (grade %c) does not allow to write beside them; "
                "nothing was "
                "written; set record_at for %s, or shared_rrset = merge",
                r->owner, l->src->name, source_grade(l->src), r->host);
        break;
    case DEED_FRAIL:
        err_set(why, RC_WRITE, "FOREIGN_FRAIL",
                "TXT values of others stand at %s that [provider %s] (grade D) might take along and could not write again: nothing was "
                "written there; %s by hand, or write through another provider",
                r->owner, l->src->name, r->row.wanted ? "put the TXT there" : "remove ours");
        break;
    default:
        err_set(why, RC_WRITE, "REMOVED_BY_OTHERS",
                "the TXT was put back %u times and removed again each time; find out who removes it from zone %s (another agent, a zone "
                "file that "
                "is loaded again?)",
                r->row.again, l->zone);
    }
}

void why_not_applied(const struct lane *l, const struct prow *r, bool add, struct err *why)
{
    err_at(why, "%s", r->owner);
    if (add)
        err_set(why, RC_WRITE, "UPDATE_NOT_APPLIED",
                "%s said yes to adding the TXT in zone %s, but does not have it; is it the primary of the zone, and the right view?",
                server_of(l->src), l->zone);
    else
        err_set(why, RC_WRITE, "DELETE_NOT_APPLIED",
                "%s said yes to deleting the TXT in zone %s, but still has it; it is tried again by each run until it is gone",
                server_of(l->src), l->zone);
}
