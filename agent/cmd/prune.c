/* prune: moves keys and archived sets that are long out of use to another folder. Nothing is deleted, and only a person starts it. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "cmd/input.h"
#include "cmd/stored.h"
#include "order/evidence.h"
#include "order/session.h"
#include "store/store.h"

struct old_key { /* a key file that is old enough */
    char id[24], spki[65];
    char *file;
    bool stays; /* its order is open, or its certificate was valid until lately */
};

struct pruning {
    struct call *c;
    struct session s;
    int64_t before; /* what was over by then goes */
    char *to;
    struct old_key *key;
    size_t n;
    struct map by_id;
    struct strs spki; /* keys that stay: of live sets and of open orders */
    struct strs item; /* "keys/ID.key", "archive/NAME/N" */
};

static bool old_file(const struct pruning *p, const char *file)
{
    struct stat st;
    char *path = mem_fmt("%s/%s", p->s.state_dir, file);
    bool old = lstat(path, &st) == 0 && (int64_t)st.st_mtime < p->before;
    free(path);
    return old;
}

static void look_at_key(void *arg, const struct stored_key *k)
{
    struct pruning *p = arg;
    if (!old_file(p, k->file))
        return;
    p->key = mem_grow(p->key, p->n + 1, sizeof *p->key);
    struct old_key *o = &p->key[p->n++];
    *o = (struct old_key){.file = mem_str(k->file)};
    memcpy(o->id, k->id, sizeof o->id);
    memcpy(o->spki, k->spki, sizeof o->spki);
}

/* Until when the certificate of an order is valid; 0: it has none. */
static int64_t end_of(const struct saved_order *o)
{
    struct cert_facts f = {0};
    int64_t end = issued_first(o->certificate.p, o->certificate.n, &f) ? f.not_after : 0;
    cert_facts_clear(&f);
    return end;
}

static bool look_at_order(void *arg, const struct saved_order *o)
{
    struct pruning *p = arg;
    struct old_key *k = map_get(&p->by_id, o->id);
    if (o->open && *o->spki)
        strs_add(&p->spki, o->spki);
    if (k)
        k->stays |= o->open || end_of(o) >= p->before;
    return true;
}

static void look_at_set(void *arg, const struct stored_set *set)
{
    struct pruning *p = arg;
    if (set->live && set->cert)
        strs_add(&p->spki, set->cert->spki);
    if (!set->live && (set->cert ? set->cert->not_after < p->before : old_file(p, set->folder)))
        strs_add(&p->item, set->folder);
}

/* The keys last: which of them are in use the orders and sets have said. */
static bool gather(struct pruning *p, struct err *e)
{
    stored_keys(p->s.state_dir, look_at_key, p);
    for (size_t i = 0; i < p->n; i++)
        map_put(&p->by_id, p->key[i].id, &p->key[i]);
    if (!order_history(p->s.store, NULL, look_at_order, p, e))
        return false;
    stored_sets(p->s.state_dir, NULL, look_at_set, p);
    for (size_t i = 0; i < p->n; i++)
        if (!p->key[i].stays && !strs_has(&p->spki, p->key[i].spki))
            strs_add(&p->item, p->key[i].file);
    return true;
}

/* --- moving --------------------------------------------------------------------------------------------------------------------------------- */

/* A folder that is there keeps its mode: it may be somebody's. */
static bool make_folders(const struct pruning *p, const char *item, struct err *e)
{
    struct stat st;
    char *path = mem_fmt("%s/%s", p->to, item);
    bool ok = true;
    for (char *slash = path + strlen(p->to); ok && slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        ok = (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) || fs_folder(path, 0700, e);
        *slash = '/';
    }
    free(path);
    return ok;
}

static bool move(const struct pruning *p, const char *item, struct err *e)
{
    struct stat st;
    char *from = mem_fmt("%s/%s", p->s.state_dir, item), *to = mem_fmt("%s/%s", p->to, item);
    bool ok = make_folders(p, item, e);
    if (ok && lstat(to, &st) == 0)
        ok = err_set(e, RC_CREATE, "PRUNE", "%s is there already; it is not overwritten: choose another folder with --to", to);
    if (ok && rename(from, to) != 0)
        ok = err_set(e, RC_CREATE, "PRUNE", "cannot move %s to %s: %s%s", from, to, strerror(errno),
                     errno == EXDEV ? "; choose a folder on the same file system and copy it from there" : "");
    free(from);
    free(to);
    return ok;
}

static void report(const struct pruning *p, size_t moved)
{
    if (p->c->json) {
        json_t *items = json_array();
        for (size_t i = 0; i < moved; i++)
            json_array_append_new(items, json_text(p->item.s[i]));
        json_print(json_pack("{s:i, s:o, s:o}", "version", 1, "to", json_text(p->to), "moved", items));
        return;
    }
    for (size_t i = 0; i < moved; i++)
        printf("moved: %s\n", p->item.s[i]);
    if (p->item.n == 0)
        printf("nothing is that old\n");
    else
        printf("%zu moved to %s; delete them there when you are sure\n", moved, p->to);
}

static bool agreed(const struct pruning *p, struct err *e)
{
    char question[600];
    if (p->item.n == 0 || call_has(p->c, "yes"))
        return true;
    snprintf(question, sizeof question, "Move %zu old keys and certificate sets (%s ...) to %s?", p->item.n, p->item.s[0], p->to);
    if (input_yes(question))
        return true;
    return err_set(e, RC_USAGE, "NOT_AGREED",
                   "nothing was moved: prune wants a yes on the terminal, or --yes (%zu keys and sets are that old)", p->item.n);
}

static enum rc prune(struct pruning *p)
{
    struct err e = {0};
    size_t moved = 0;
    bool ok = gather(p, &e) && agreed(p, &e);
    if (ok && p->item.n)
        ok = evidence_command(p->s.store, "", p->c->argc, p->c->argv, &e);
    while (ok && moved < p->item.n && (ok = move(p, p->item.s[moved], &e)))
        moved++;
    if (ok || moved)
        report(p, moved);
    return ok ? RC_OK : call_fail(p->c, &e);
}

enum rc cmd_prune(struct call *c)
{
    struct pruning p = {.c = c};
    const char *older = call_flag(c, "older"), *to = call_flag(c, "to");
    int64_t age = (int64_t)400 * DAY;
    enum rc rc = RC_OK;
    if (older && (!duration_parse(older, &age) || age < DAY)) {
        say(LEVEL_ERROR, &(struct about){.step = "prune"}, "USAGE", "--older wants a duration of at least a day, such as 400d");
        return RC_USAGE;
    }
    if (to && to[0] != '/') {
        say(LEVEL_ERROR, &(struct about){.step = "prune"}, "USAGE", "--to wants the absolute path of a folder");
        return RC_USAGE;
    }
    if (!call_session(c, &p.s, SESSION_LOCK, &rc))
        return rc;
    p.before = clock_now() - age;
    p.to = to ? mem_str(to) : mem_fmt("%s/pruned", p.s.state_dir);
    rc = prune(&p);
    free(p.to);
    for (size_t i = 0; i < p.n; i++)
        free(p.key[i].file);
    free(p.key);
    map_free(&p.by_id);
    strs_free(&p.spki);
    strs_free(&p.item);
    session_close(&p.s);
    return rc;
}
