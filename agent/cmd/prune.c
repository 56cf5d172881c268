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
#include "base/mem.h"
#include "cert/install.h"
#include "cert/key.h"
#include "cmd/input.h"
#include "cmd/stored.h"
#include "order/evidence.h"
#include "order/session.h"
#include "store/store.h"

struct pruning {
    struct call *c;
    struct session s;
    int64_t before; /* what was over by then goes */
    char *to;
    struct strs spki; /* keys that stay: of live sets and of open orders */
    struct strs open; /* open orders' ids */
    struct strs item; /* "keys/ID.key", "archive/NAME/N" */
    int64_t ended;    /* of the order looked for */
    const char *id;
};

/* --- what stays ---------------------------------------------------------------------------------------------------------------------------- */

static void keep_live(void *arg, const char *folder, const char *name)
{
    struct pruning *p = arg;
    struct cert_facts f = {0};
    char *path = mem_fmt("%s/%s/%s/cert.pem", p->s.state_dir, folder, name);
    if (stored_facts(path, &f))
        strs_add(&p->spki, f.spki);
    cert_facts_clear(&f);
    free(path);
}

static bool keep_order(void *arg, const struct saved_order *o)
{
    struct pruning *p = arg;
    strs_add(&p->open, o->id);
    if (*o->spki)
        strs_add(&p->spki, o->spki);
    return true;
}

/* --- what goes ------------------------------------------------------------------------------------------------------------------------------ */

static bool old_file(const char *path, int64_t before)
{
    struct stat st;
    return lstat(path, &st) == 0 && (int64_t)st.st_mtime < before;
}

static bool end_of_order(void *arg, const struct saved_order *o)
{
    struct pruning *p = arg;
    struct issued *i = NULL;
    struct cert_facts f = {0};
    if (strcmp(o->id, p->id) != 0)
        return true;
    if (o->certificate.n && issued_read(&i, o->certificate.p, o->certificate.n, NULL) && issued_facts(i, 0, &f, NULL))
        p->ended = f.not_after;
    cert_facts_clear(&f);
    issued_free(i);
    return false;
}

static void look_at_key(void *arg, const char *folder, const char *file)
{
    struct pruning *p = arg;
    struct secret pem = {0};
    char spki[65], id[24] = "", *path = mem_fmt("%s/%s/%s", p->s.state_dir, folder, file);
    size_t n = strlen(file);
    if (n > 4 && n < sizeof id + 4 && strcmp(file + n - 4, ".key") == 0 && old_file(path, p->before)) {
        memcpy(id, file, n - 4);
        p->id = id;
        p->ended = 0;
        order_history(p->s.store, NULL, end_of_order, p, NULL);
        bool used = strs_has(&p->open, id) || p->ended >= p->before || !key_load(p->s.state_dir, id, &pem, NULL) ||
                    !key_spki(&pem, spki, NULL) || strs_has(&p->spki, spki);
        if (!used) {
            char *item = mem_fmt("%s/%s", folder, file);
            strs_add(&p->item, item);
            free(item);
        }
        secret_free(&pem);
    }
    free(path);
}

static void look_at_set(void *arg, const char *folder, const char *number)
{
    struct pruning *p = arg;
    struct cert_facts f = {0};
    const char *name = folder + strlen("archive/");
    char *item = mem_fmt("%s/%s", folder, number), *path = mem_fmt("%s/%s/cert.pem", p->s.state_dir, item),
         *whole = mem_fmt("%s/%s", p->s.state_dir, item);
    char *end;
    long long n = strtoll(number, &end, 10);
    if (n > 0 && !*end && n != install_live(p->s.state_dir, name) &&
        (stored_facts(path, &f) ? f.not_after < p->before : old_file(whole, p->before)))
        strs_add(&p->item, item);
    cert_facts_clear(&f);
    free(item);
    free(path);
    free(whole);
}

static void look_at_archive(void *arg, const char *folder, const char *name)
{
    struct pruning *p = arg;
    char *inner = mem_fmt("%s/%s", folder, name);
    stored_each(p->s.state_dir, inner, look_at_set, p);
    free(inner);
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
    bool ok = order_each(p->s.store, NULL, keep_order, p, &e);
    if (ok) {
        stored_each(p->s.state_dir, "live", keep_live, p);
        stored_each(p->s.state_dir, "keys", look_at_key, p);
        stored_each(p->s.state_dir, "archive", look_at_archive, p);
        ok = agreed(p, &e);
    }
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
    strs_free(&p.spki);
    strs_free(&p.open);
    strs_free(&p.item);
    session_close(&p.s);
    return rc;
}
