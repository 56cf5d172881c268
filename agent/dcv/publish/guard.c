/* guard.c: what others have at the names that a write touches lies in the store from before the write until a read has shown it
 * again. Where a run ends in between, or the read-back fails, the lane owes that read: it comes before every other batch, in this run or
 * the next.
 *
 * What is missing then is put back (publish/foreign.c), since whoever deletes whole sets, or writes them over, may have lost it. It stays away
 *  - where a read after the write has shown it: what went later its owner took away;
 *  - where a value of the same kind, which neither the snapshot had nor we wrote, stands in its place: its owner has changed it;
 *  - where the snapshot is older than a week (a machine that was off, a state folder from a backup): that is told, and for a person.
 * Nothing else tells a value that we lost from one that its owner removed between the write and the end of the run before anybody looked.
 *
 * Grade A needs none of this: single records, and sets under compare-and-swap, cannot take a value of others along. */
#include "dcv/publish/publish_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "net/net.h"

static const char module[] = "guard";

static char *key_of(const char *provider, const char *zone)
{
    return mem_fmt("%s/%s", provider, zone);
}

static bool put(struct lane *l, const char *text, struct err *e)
{
    char *key = key_of(l->src->name, l->zone);
    bool ok = value_put(l->p->store, module, key, text, e);

    free(key);
    return ok;
}

/* --- before the write ------------------------------------------------------------------------------------------------------------ */

/* One value; `guarded` says that it is put back where it is missing. The others are kept to tell what is new. */
static json_t *value_json(struct bytes v, const char *native, bool guarded)
{
    struct str base64 = STR_INIT(2 * v.n + 8);
    json_t *j;

    b64_put(&base64, v.p, v.n);
    j = json_pack("{s:s, s:b}", "value", str_text(&base64), "guarded", guarded);
    if (native)
        json_object_set_new(j, "native", json_string(native));
    str_free(&base64);
    return j;
}

/* What stands there, guarded where it is not ours, and what is to be put back. NULL: nothing of it is guarded. */
static json_t *set_json(const struct lane *l, struct prow *const *all, size_t n, const struct rrset *set)
{
    json_t *values = json_array();
    uint32_t ttl = set->ttl;
    bool any = false;

    for (size_t i = 0; i < set->n; i++) {
        bool guarded = !value_ours(all, n, set->owner, set->octets[i]);

        json_array_append_new(values, value_json(set->octets[i], set->native ? set->native[i] : NULL, guarded));
        any |= guarded;
    }
    for (size_t i = 0; i < l->n_lost; i++) {
        const struct lost *v = &l->lost[i];

        if (strcmp(v->owner, set->owner) != 0)
            continue;
        json_array_append_new(values, value_json((struct bytes){v->p, v->n}, v->native, true));
        ttl = set->n ? ttl : v->ttl;
        any = true;
    }
    if (any)
        return json_pack("{s:s, s:I, s:o}", "owner", set->owner, "ttl", (json_int_t)ttl, "values", values);
    json_decref(values);
    return NULL;
}

/* The read that the write leans on may have covered more names: what goes there later is not our doing. */
static bool writes_at(const struct lane *l, const char *owner)
{
    for (size_t k = 0; k < l->batch.n; k++)
        if (strcmp(l->rec[k].owner, owner) == 0)
            return true;
    return l->src->ops->caps & WRITES_ZONE;
}

bool guard_set(struct lane *l, struct prow *const *all, size_t n, struct err *e)
{
    json_t *sets, *one;
    char *text;
    bool ok;

    if (!l->batch.n || (!l->guarded && (source_grade(l->src) == 'A' || l->src->ops->caps & KEEPS)))
        return true;
    sets = json_array();
    for (size_t i = 0; i < l->look.n; i++)
        if (writes_at(l, l->look.set[i].owner) && (one = set_json(l, all, n, &l->look.set[i])))
            json_array_append_new(sets, one);
    if (!json_array_size(sets)) {
        json_decref(sets);
        return true;
    }
    l->guarded_at = l->guarded ? l->guarded_at : clock_now();
    l->guarded = true;
    text = json_line(
        json_pack("{s:s, s:s, s:I, s:o}", "provider", l->src->name, "zone", l->zone, "at", (json_int_t)l->guarded_at, "sets", sets));
    ok = put(l, text, e);
    free(text);
    return ok;
}

enum { GUARDED_MAX = 7 * DAY };

bool guard_is_old(const struct lane *l)
{
    return clock_now() - l->guarded_at > GUARDED_MAX;
}

bool guard_drop(struct lane *l, struct err *e)
{
    l->guarded = l->owed = l->missing = false;
    l->owed_tries = 0;
    return put(l, NULL, e);
}

/* --- what is owed ---------------------------------------------------------------------------------------------------------------- */

/* Nothing else is written there before it is known what the last write has done. */
static bool fail_rows(struct lane *l, struct err *e)
{
    struct prow **all;
    size_t n = lane_rows(l, &all);
    bool ok = true;

    for (size_t i = 0; i < n && ok; i++) {
        struct err why = l->owed_why;

        if (all[i]->failed || !row_has_work(all[i]))
            continue;
        why.where[0] = '\0'; /* it may be another row's */
        err_at(&why, "%s", all[i]->owner);
        ok = row_stopped(l->p, all[i], &why, e);
    }
    free(all);
    return ok;
}

static bool give_up(struct lane *l, const struct err *why, struct err *e)
{
    l->owed = true;
    l->owed_why = *why;
    tell_unseen(l, why);
    return fail_rows(l, e);
}

bool guard_later(struct lane *l, struct err *e)
{
    int64_t now = clock_now(), wait = pause_s(++l->owed_tries);

    if (l->err.not_before > now + wait)
        wait = l->err.not_before - now;
    if (!l->err.again || l->owed_tries >= TRIES_MAX || wait > PATIENCE_S)
        return give_up(l, &l->err, e);
    l->owed = true;
    l->owed_why = (struct err){0};
    l->owed_at = loop_now(net_loop(l->p->net)) + wait * 1000;
    return true;
}

static bool take_value(struct rrset *set, const json_t *j)
{
    const char *base64 = json_str(j, "value");
    struct secret octets = {0};

    if (*base64 && !b64url_read(base64, strlen(base64), &octets)) /* a TXT may have no octets */
        return false;
    if (rrset_has(set, (struct bytes){octets.p, octets.n})) { /* two guards that became one may both have it */
        secret_free(&octets);
        return false;
    }
    rrset_add_native(set, octets.p, octets.n, json_string_value(json_object_get(j, "native")));
    secret_free(&octets);
    return json_is_true(json_object_get(j, "guarded"));
}

/* A record of ours may be gone with the others. */
static bool take_set(struct lane *l, struct prow *const *all, size_t n, struct rrset *set, const json_t *j, struct err *e)
{
    json_t *values = json_object_get(j, "values"), *one;
    bool ok = true;
    size_t i;

    set->ttl = (uint32_t)json_num(j, "ttl");
    json_array_foreach(values, i, one)
    {
        size_t was = set->n;
        bool guarded = take_value(set, one);

        if (guarded)
            foreign_note(l, set, set->n - 1);
        else if (set->n > was)
            ok = ok && foreign_look_again(all, n, set->owner, set->octets[was], e);
    }
    return ok;
}

/* Everything as it would be if this run had written, and read back that nothing of it stands there. */
static bool take_up(struct lane *l, const json_t *guard, struct err *e)
{
    json_t *sets = json_object_get(guard, "sets"), *one;
    struct prow **all;
    size_t n = lane_rows(l, &all), i;
    bool ok = true;

    sets_for(&l->look, l->zone, json_array_size(sets));
    json_array_foreach(sets, i, one)
    {
        const char *owner = json_str(one, "owner");
        struct rrset *set = sets_find(&l->look, owner);

        if (!set) {
            strs_add(&l->owners, owner);
            set = &l->look.set[l->look.n];
            set->owner = l->owners.s[l->look.n++];
        }
        ok = ok && take_set(l, all, n, set, one, e);
    }
    free(all);
    return ok;
}

static bool read_guard(struct lane *l, struct err *e)
{
    char *key = key_of(l->src->name, l->zone), *text = value_get(l->p->store, module, key);
    json_t *guard = text ? json_loads(text, 0, NULL) : NULL;

    bool ok = take_up(l, guard, e);
    json_decref(guard);
    free(text);
    free(key);
    return ok;
}

/* Nothing is left to look for, or nobody to ask: the rows of the lane go on. */
static bool end_debt(struct lane *l, struct err *e)
{
    for (size_t i = 0; i < l->n_lost; i++)
        if (!tell_lost(l, &l->lost[i], FATE_UNSEEN, e))
            return false;
    lane_idle(l);
    loop_again(net_loop(l->p->net));
    return guard_drop(l, e);
}

bool guard_pump(struct lane *l, struct err *e)
{
    bool open;

    if (!lane_finish(l, e))
        return false;
    if (l->owed_why.rc != RC_OK)
        return fail_rows(l, e);
    if (l->owed_at > loop_now(net_loop(l->p->net)))
        return true;
    open = source_open(l->p, l->src);
    if (!open && !guard_is_old(l))
        return give_up(l, &l->src->err, e);
    if (!read_guard(l, e))
        return false;
    l->owed = false;
    if (!open || !l->n_lost)
        return end_debt(l, e);
    foreign_probe(l);
    return true;
}

/* --- at the start of a run ------------------------------------------------------------------------------------------------------- */

/* What the heir owes there itself stays owed, as of the older of both. */
static void join(json_t *guard, const char *text)
{
    json_t *own = text ? json_loads(text, 0, NULL) : NULL;

    if (!own)
        return;
    json_array_extend(json_object_get(guard, "sets"), json_object_get(own, "sets"));
    if (json_num(own, "at") < json_num(guard, "at"))
        json_object_set(guard, "at", json_object_get(own, "at"));
    json_decref(own);
}

/* Under the name of the section that may write there now. */
static bool move(struct publish *p, const char *from, const char *to, json_t *guard, struct err *e)
{
    char *key = key_of(to, json_str(guard, "zone")), *text = value_get(p->store, module, key), *line;
    bool ok;

    json_object_set_new(guard, "provider", json_string(to));
    join(guard, text);
    free(text);
    line = json_line(json_incref(guard));
    ok = value_put(p->store, module, from, NULL, e) && value_put(p->store, module, key, line, e);
    free(line);
    free(key);
    return ok;
}

struct loading {
    struct publish *p;
    struct err *e;
};

static bool load_guard(void *arg, const char *key, const char *text)
{
    struct loading *to = arg;
    json_t *guard = json_loads(text, 0, NULL);
    const char *provider = json_str(guard, "provider"), *zone = json_str(guard, "zone");
    const char *owner = json_str(json_array_get(json_object_get(guard, "sets"), 0), "owner");
    const struct section *own = conf_provider(to->p->conf, provider), *now = own ? own : conf_writer(to->p->conf, owner, NULL, NULL);
    bool ok = own || !now || move(to->p, key, now->name, guard, to->e);
    struct lane *l = ok && *zone ? lane_get(to->p, now ? now->name : provider, zone) : NULL;

    if (l) {
        l->guarded_at = l->guarded && l->guarded_at < json_num(guard, "at") ? l->guarded_at : json_num(guard, "at");
        l->guarded = l->owed = true;
    }
    json_decref(guard);
    return ok;
}

bool guard_load(struct publish *p, struct err *e)
{
    struct loading to = {p, e};

    return value_each(p->store, module, load_guard, &to, e) && e->rc == RC_OK;
}
