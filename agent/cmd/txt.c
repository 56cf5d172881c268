/* txt add|del|list|check: one record through the providers, with the ledger kept. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/names.h"
#include "cmd/input.h"
#include "cmd/views.h"
#include "conf/conf.h"
#include "dcv/publish/publish.h"
#include "dcv/zone/zone.h"
#include "net/net.h"
#include "order/evidence.h"
#include "order/ask/look.h"
#include "order/session.h"

enum { DEFAULT_TTL = 3600, LIMIT_S = 30 };

struct work {
    struct call *c;
    struct session s;
    char host[NAME_SIZE];
    struct bytes value;
    char *text;
    const struct site *site;
    const struct section *provider;
    uint32_t ttl;            /* --ttl; 0: not given */
    const char *done, *note; /* what came of it */
    bool pumped;             /* what an earlier run owes to others has had its turn */
};

static bool need_provider(struct work *w, struct err *e)
{
    const char *zone;
    w->provider = conf_writer(w->s.conf, w->site->owner, call_flag(w->c, "provider"), &zone);
    if (w->provider && w->provider->broken)
        return err_set(e, RC_CONF, "CONFIG", "[provider %s] has a fault in the configuration; dcvagent config check shows it",
                       w->provider->name);
    if (w->provider)
        return true;
    err_set(e, RC_DELEGATION, "NO_PROVIDER", "no provider may write at %s (zone %s): add the zone to zones= of a [provider]",
            w->site->owner, w->site->zone->apex);
    return err_at(e, "%s", w->host);
}

static uint32_t ttl_wanted(const struct work *w)
{
    if (w->ttl)
        return w->ttl;
    return section_given(w->provider, "ttl") ? (uint32_t)section_number(w->provider, "ttl") : DEFAULT_TTL;
}

/* Rows of this record: of txt add, and of orders. */
struct ours {
    const struct work *w;
    bool wanted, by_order, there;
    enum ledger_state state;
    struct err last;
};

static bool same_record(void *arg, const struct ledger_row *row)
{
    struct ours *o = arg;
    if (strcmp(row->rec.owner, o->w->site->owner) != 0 || row->rec.value.n != o->w->value.n ||
        memcmp(row->rec.value.p, o->w->value.p, o->w->value.n) != 0)
        return true;
    if (*row->order) {
        o->by_order = true;
        return true;
    }
    o->there = true;
    o->wanted = row->wanted;
    o->state = row->state;
    o->last = row->last;
    return true;
}

static bool settled(void *arg)
{
    struct ours *o = arg;
    o->there = false;
    ledger_each(o->w->s.store, NULL, same_record, o, NULL);
    return !o->there || (o->wanted && (o->state == LEDGER_PRESENT || o->state == LEDGER_FOUND));
}

/* What the pump made of this one row; the next run sees to others of the ledger, but for one look at what an earlier one owes to others. */
static bool pump(struct work *w, struct ours *o, struct err *e)
{
    struct err pumped = {0};
    w->pumped = true;
    *o = (struct ours){.w = w};
    if (!session_pump_until(&w->s, LIMIT_S, settled, o, &pumped) && pumped.rc != RC_LATER) {
        *e = pumped;
        return false;
    }
    if (settled(o))
        return true;
    *e = o->last.rc != RC_OK ? o->last : pumped;
    err_set(e, RC_LATER, "NOT_FINISHED", "not finished in time");
    size_t n = strlen(e->text);
    snprintf(e->text + n, sizeof e->text - n, "; %s",
             o->wanted ? "the record stays wanted, the next run tries again; dcvagent txt del takes it back" : "the next run tries again");
    return false;
}

static bool add(struct work *w, struct err *e)
{
    struct ours o;
    if (!need_provider(w, e))
        return false;
    struct ledger_row row = {.cert = "",
                             .host = w->host,
                             .provider = w->provider->name,
                             .zone = w->site->zone->apex,
                             .rec = {w->site->owner, TYPE_TXT, ttl_wanted(w), w->value},
                             .state = LEDGER_INTENDED,
                             .wanted = true,
                             .negative_ttl = w->site->zone->negative_ttl};
    if (!publish_want(w->s.publish, &row, e) || !pump(w, &o, e))
        return false;
    w->done = o.state == LEDGER_FOUND ? "found" : "added";
    w->note = o.state == LEDGER_FOUND ? "   (it stood there already: used, never deleted)" : "";
    return true;
}

static bool del(struct work *w, struct err *e)
{
    struct ours o = {.w = w}, after;
    if (!ledger_each(w->s.store, NULL, same_record, &o, e))
        return false;
    if (!o.there && o.by_order)
        return err_set(e, RC_WRITE, "OF_AN_ORDER", "this value at %s belongs to an order; dcvagent cancel or dcvagent gc removes it",
                       w->site->owner);
    if (!o.there)
        return err_set(e, RC_WRITE, "NOT_OURS",
                       "dcvagent has not written this value at %s, so it does not delete it; remove it where it was made", w->site->owner);
    if (!publish_release(w->s.publish, "", w->site->owner, &w->value, e) || !pump(w, &after, e))
        return false;
    bool stays = o.state == LEDGER_FOUND || o.by_order;
    w->done = stays ? "released" : "deleted";
    w->note = !stays ? "" : o.by_order ? "   (an order still needs it)" : "   (it stood there before dcvagent: not deleted)";
    return true;
}

static void report(struct work *w)
{
    struct str shown = STR_INIT(8192);
    text_txt(&shown, w->value.p, w->value.n);
    if (w->c->json)
        json_print(json_pack("{s:i, s:s, s:s, s:s, s:o, s:s}", "version", 1, "host", w->host, "owner", w->site->owner, "zone",
                             w->site->zone->apex, "value", json_txt(w->value), "result", w->done));
    else
        printf("%s: %s TXT \"%s\"%s\n", w->done, w->site->owner, str_text(&shown), w->note);
    str_free(&shown);
}

static bool list(struct work *w, struct err *e)
{
    struct look_txt l = {.site = w->site};
    if (!look_txt(&w->s, &l, e))
        return false;
    json_t *values = json_array();
    for (size_t i = 0; i < l.n; i++) {
        struct ours o = {.w = w};
        w->value = l.value[i];
        ledger_each(w->s.store, NULL, same_record, &o, NULL);
        bool ours = o.there || o.by_order;
        struct str shown = STR_INIT(8192);
        text_txt(&shown, l.value[i].p, l.value[i].n);
        if (w->c->json)
            json_array_append_new(values, json_pack("{s:o, s:i, s:b}", "value", json_txt(l.value[i]), "ttl", (int)l.ttl, "ours", ours));
        else
            printf("%s %u TXT \"%s\"%s\n", w->site->owner, l.ttl, str_text(&shown), ours ? "   (in dcvagent's ledger)" : "");
        str_free(&shown);
    }
    w->value = (struct bytes){0};
    if (w->c->json)
        json_print(json_pack("{s:i, s:s, s:s, s:s, s:o}", "version", 1, "host", w->host, "owner", w->site->owner, "zone",
                             w->site->zone->apex, "values", values));
    else
        json_decref(values);
    if (l.n == 0 && !w->c->json)
        printf("%s has no TXT record\n", w->site->owner);
    look_txt_clear(&l);
    return true;
}

static bool prepare(struct work *w, bool writes, struct err *e)
{
    struct call *c = w->c;
    const char *named = call_flag(c, "provider");
    size_t n;
    if (named && !conf_provider(w->s.conf, named))
        return err_set(e, RC_USAGE, "NO_SECTION", "there is no [provider %.80s] in %s", named, w->s.conf->path);
    if (!name_parse(c->args.s[1], NAME_UNDERSCORE | NAME_WILDCARD, w->host, e)) {
        e->rc = RC_USAGE;
        return false;
    }
    memmove(w->host, name_base(w->host), strlen(name_base(w->host)) + 1);
    if (c->args.n > 2) {
        if (!input_value(c->args.s[2], TXT_VALUE_MAX, &w->text, &n, e))
            return false;
        if (strcmp(c->args.s[2], "-") == 0 && n && w->text[n - 1] == '\n') /* the line end is the shell's, not the value's */
            n -= n > 1 && w->text[n - 2] == '\r' ? 2 : 1;
        if (n == 0)
            return err_set(e, RC_USAGE, "VALUE_EMPTY", "the value is empty: nothing to look for or to write");
        w->value = (struct bytes){(const uint8_t *)w->text, n};
    }
    return (!writes || publish_load(w->s.publish, e)) && look_site(&w->s, w->host, &w->site, e);
}

static bool at_once(void *arg)
{
    (void)arg;
    return true;
}

/* What an earlier run owes to others does not wait because this command came to nothing before it wrote. */
static void mend(struct work *w)
{
    struct err e = {0};
    if (publish_mending(w->s.publish))
        session_pump_until(&w->s, LIMIT_S, at_once, NULL, &e);
}

static enum rc verb(struct work *w, const char *what, bool writes)
{
    struct err e = {0};
    bool ok = prepare(w, writes, &e);
    if (ok && writes)
        ok = evidence_command(w->s.store, "", w->c->argc, w->c->argv, &e);
    if (!ok)
        return call_fail(w->c, &e);
    if (strcmp(what, "check") == 0)
        return views_check(w->c, &w->s, w->host, w->site, w->value);
    ok = strcmp(what, "list") == 0 ? list(w, &e) : strcmp(what, "add") == 0 ? add(w, &e) : del(w, &e);
    if (writes && !w->pumped)
        mend(w);
    if (!ok)
        return call_fail(w->c, &e);
    if (writes)
        report(w);
    return RC_OK;
}

static bool ttl_flag(const struct call *c, uint32_t *ttl)
{
    const char *flag = call_flag(c, "ttl");
    char *end = NULL;
    long long n = flag ? strtoll(flag, &end, 10) : 1;
    if (flag && (*end || end == flag || n < 1 || n > INT32_MAX))
        return false;
    *ttl = flag ? (uint32_t)n : 0;
    return true;
}

enum rc cmd_txt(struct call *c)
{
    const char *what = c->args.s[0];
    bool writes = strcmp(what, "add") == 0 || strcmp(what, "del") == 0, lists = strcmp(what, "list") == 0;
    if (!writes && !lists && strcmp(what, "check") != 0) {
        say(LEVEL_ERROR, &(struct about){.step = "txt"}, "USAGE", "txt wants add, del, list or check");
        return RC_USAGE;
    }
    if (lists ? c->args.n != 2 : c->args.n != 3) {
        say(LEVEL_ERROR, &(struct about){.step = "txt"}, "USAGE", "txt %s wants %s", what, lists ? "HOST alone" : "HOST and VALUE");
        return RC_USAGE;
    }
    struct work w = {.c = c};
    enum rc rc = RC_OK;
    if (!ttl_flag(c, &w.ttl)) {
        say(LEVEL_ERROR, &(struct about){.step = "txt"}, "USAGE", "--ttl wants seconds, 1 to 2147483647");
        return RC_USAGE;
    }
    if (!call_session(c, &w.s, SESSION_NET | (writes ? SESSION_LOCK : SESSION_READ), &rc))
        return rc;
    rc = verb(&w, what, writes);
    session_close(&w.s);
    free(w.text);
    return rc;
}
