/* forget: cancels the orders of a certificate, removes their records now, and, where its section is gone, puts its state aside. */
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
#include "ca/portal/pin.h"
#include "cert/install.h"
#include "conf/conf.h"
#include "dcv/publish/publish.h"
#include "order/ask/sweep.h"
#include "order/evidence.h"
#include "order/session.h"
#include "order/website/website.h"
#include "store/store.h"

enum { LIMIT_S = 60 };

struct forgetting {
    struct call *c;
    struct session s;
    const char *name;
    struct saved_order *order;
    size_t n;
    char *folder; /* where the state went; NULL: nowhere */
};

static bool note_order(void *arg, const struct saved_order *o)
{
    struct forgetting *f = arg;
    f->order = mem_grow(f->order, f->n + 1, sizeof *f->order);
    saved_order_copy(&f->order[f->n++], o);
    return true;
}

/* "failed" and open until the records are gone: what is left over is the next run's. */
static bool wind_up(struct forgetting *f, bool open, struct err *e)
{
    for (size_t i = 0; i < f->n; i++) {
        struct saved_order *o = &f->order[i];
        snprintf(o->state, sizeof o->state, "failed");
        *o->waits = 0;
        o->deadline = o->due = o->waiting_since = 0;
        o->changed = clock_now();
        o->open = open;
        if (!order_put(f->s.store, o, e) || !publish_release(f->s.publish, o->id, NULL, NULL, e))
            return false;
    }
    return true;
}

/* Its own records alone: a dead server of another zone keeps a person waiting for one look at what is owed there, if that much. */
static bool own_settled(void *arg)
{
    const struct forgetting *f = arg;
    for (size_t i = 0; i < f->n; i++) {
        struct publish_state st;
        publish_state(f->s.publish, f->order[i].id, &st);
        if (st.going > st.failed)
            return false;
    }
    return true;
}

static bool records_gone(struct forgetting *f, struct err *e)
{
    struct err pumped = {0};
    if (!session_pump_until(&f->s, LIMIT_S, own_settled, f, &pumped) && pumped.rc != RC_LATER) {
        *e = pumped;
        return false;
    }
    for (size_t i = 0; i < f->n; i++) {
        struct publish_state st;
        publish_state(f->s.publish, f->order[i].id, &st);
        if (!sweep_files(&f->s, &f->order[i], e))
            return false;
        if (website_left(f->order[i].facts))
            return err_set(e, RC_LATER, "FILES_LEFT",
                           "the order %s still has its validation file on web servers (%s); the next run tries again, then forget %s again",
                           f->order[i].id, f->order[i].last.text, f->name);
        if (!st.going)
            continue;
        if (st.failed)
            *e = st.err;
        return err_set(e, RC_LATER, "RECORDS_LEFT",
                       "%u records of the order %s are not removed yet; the next run goes on, then forget %s again", st.going,
                       f->order[i].id, f->name);
    }
    return true;
}

/* Moves what is there; what is not there is no fault. */
static bool move(const char *from, const char *to, struct err *e)
{
    if (rename(from, to) == 0 || errno == ENOENT)
        return true;
    return err_set(e, RC_CREATE, "FORGET", "cannot move %s to %s: %s; nothing is lost, run the command again", from, to, strerror(errno));
}

static bool put_aside(struct forgetting *f, struct err *e)
{
    char when[32];
    const char *dir = f->s.state_dir;
    time_show(clock_now(), when);
    char *above = mem_fmt("%s/forgotten", dir), *folder = mem_fmt("%s/%s-%s", above, f->name, when),
         *archive = mem_fmt("%s/archive/%s", dir, f->name), *archive_to = mem_fmt("%s/archive", folder),
         *csr = mem_fmt("%s/csr/%s.pem", dir, f->name), *csr_to = mem_fmt("%s/csr.pem", folder), *archives = mem_fmt("%s/archive", dir);
    struct stat st;
    bool there = lstat(archive, &st) == 0 || lstat(csr, &st) == 0;
    bool ok = install_unswitch(dir, f->name, 0, e) && pin_wipe(dir, f->name, e);
    if (ok && there)
        ok = fs_folder(above, 0700, e) && fs_folder(folder, 0700, e) && move(archive, archive_to, e) && move(csr, csr_to, e) &&
             fs_sync_folder(folder, e) && fs_sync_folder(archives, e);
    if (ok && there)
        f->folder = mem_str(folder);
    free(above);
    free(folder);
    free(archive);
    free(archive_to);
    free(csr);
    free(csr_to);
    free(archives);
    return ok;
}

static bool forget_state(struct forgetting *f, struct err *e)
{
    int64_t live = install_live(f->s.state_dir, f->name);
    char *line = json_line(json_pack("{s:I}", "live", (json_int_t)live));
    /* Its row goes last: until then the name is known, and a forget that was cut short can be run again. */
    bool ok = evidence_put(f->s.store, f->name, "", "forgotten", line, e) && store_turn(f->s.store, e) && put_aside(f, e) &&
              cert_forget(f->s.store, f->name, e) && store_turn(f->s.store, e);
    free(line);
    return ok;
}

/* What status shows as next was the order's. */
static bool no_next(void *arg, const struct saved_cert *row)
{
    struct forgetting *f = arg;
    struct saved_cert now = *row;
    now.next_action = "";
    now.next_at = 0;
    cert_put(f->s.store, &now, NULL);
    return false;
}

static bool forget(struct forgetting *f, bool gone, struct err *e)
{
    struct store *st = f->s.store;
    return evidence_command(st, f->name, f->c->argc, f->c->argv, e) && publish_load(f->s.publish, e) &&
           order_each(st, f->name, note_order, f, e) && wind_up(f, true, e) && records_gone(f, e) && wind_up(f, false, e) &&
           cert_get(st, f->name, no_next, f, e) && store_turn(st, e) && (!gone || forget_state(f, e));
}

static void report(const struct forgetting *f, bool gone)
{
    if (f->c->json) {
        json_print(json_pack("{s:i, s:o, s:i, s:b, s:o}", "version", 1, "name", json_text(f->name), "cancelled", (int)f->n, "forgotten",
                             gone, "folder", json_text(f->folder)));
        return;
    }
    if (f->n)
        printf("%s: %zu order%s cancelled, records removed, keys kept\n", f->name, f->n, f->n == 1 ? "" : "s");
    if (!gone)
        say_loudly(LEVEL_NOTICE, &(struct about){.cert = f->name, .step = "forget"}, "SECTION_THERE",
                   "[certificate %s] is still in the configuration, so its certificate and files stay as they are; take the section out, "
                   "then forget it again",
                   f->name);
    else if (f->folder)
        printf("%s: forgotten; its archive is in %s, its keys stay in %s/keys\n", f->name, f->folder, f->s.state_dir);
    else
        printf("%s: forgotten\n", f->name);
}

enum rc cmd_forget(struct call *c)
{
    struct forgetting f = {.c = c, .name = c->args.s[0]};
    struct err e = {0};
    enum rc rc = RC_OK;
    if (!call_session(c, &f.s, SESSION_LOCK | SESSION_NET, &rc))
        return rc;
    if (call_names_known(c, &f.s, true, &rc)) {
        bool gone = !conf_cert(f.s.conf, f.name);
        if (forget(&f, gone, &e))
            report(&f, gone);
        else
            rc = call_fail(c, &e);
    }
    for (size_t i = 0; i < f.n; i++)
        saved_order_clear(&f.order[i]);
    free(f.order);
    free(f.folder);
    session_close(&f.s);
    return rc;
}
