#include "order/served.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "cert/vouch.h"
#include "net/tls_peer.h"
#include "net/resolve.h"
#include "store/store.h"

enum { WINDOW = 250 }; /* below the 1,024 descriptors that a process usually has */

struct served_work { /* a target while it is looked at: its addresses side by side */
    struct served *s;
    struct served_target *t;
    struct resolve resolve;
    struct look *look;
    size_t left;
    struct served_work *next, *prev;
};

struct look { /* one address */
    struct served_work *work;
    struct served_view *view;
    struct peer peer;
    struct vouch vouch;
};

static void fill(struct served *s);

static void work_free(struct served_work *w)
{
    op_cancel(&w->resolve.op);
    endpoints_free(&w->resolve.out);
    for (size_t i = 0; w->look && i < w->t->n; i++) {
        peer_clear(&w->look[i].peer);
        vouch_clear(&w->look[i].vouch);
    }
    free(w->look);
    *(w->prev ? &w->prev->next : &w->s->work) = w->next;
    if (w->next)
        w->next->prev = w->prev;
    free(w);
}

static void target_over(struct served_work *w)
{
    struct served *s = w->s;
    work_free(w);
    s->busy--;
    fill(s);
}

static void look_over(struct look *l)
{
    struct served_work *w = l->work;
    peer_clear(&l->peer);
    vouch_clear(&l->vouch);
    if (--w->left == 0)
        target_over(w);
}

/* --- one address ----------------------------------------------------------------------------------------------------------------------- */

static void vouched(struct op *op, const struct err *e)
{
    (void)e;
    struct look *l = op->owner;
    struct shown *shown = &l->view->shown;
    for (size_t i = 0; i < l->vouch.n; i++) {
        const struct vouch_one *one = &l->vouch.one[i];
        struct str text = STR_INIT(500);
        vouch_tell(&l->vouch, one, &text);
        if (one->is.is == REVOKED_YES)
            shown_add(shown, LEVEL_ERROR, "SERVED_REVOKED", "%s", str_text(&text));
        else if (one->is.is == REVOKED_UNKNOWN)
            shown_add(shown, LEVEL_INFO, "SERVED_UNVOUCHED", "%s", str_text(&text));
        str_free(&text);
    }
    look_over(l);
}

static void peered(struct op *op, const struct err *e)
{
    struct look *l = op->owner;
    struct served *s = l->work->s;
    struct served_view *v = l->view;
    if (e) {
        v->err = *e;
        look_over(l);
        return;
    }
    snprintf(v->version, sizeof v->version, "%s", l->peer.version);
    snprintf(v->cipher, sizeof v->cipher, "%s", l->peer.cipher);
    struct shown_in in = {.cert = l->peer.cert,
                          .n = l->peer.n,
                          .broken = l->peer.broken,
                          .host = l->work->t->at.name,
                          .live = &l->work->t->live,
                          .roots = s->roots,
                          .known = s->known,
                          .now = s->now};
    shown_judge(&in, &v->shown);
    if (!s->fetcher || !v->shown.path_pem) {
        look_over(l);
        return;
    }
    l->vouch = (struct vouch){.op = {.done = vouched, .owner = l}, .path_pem = v->shown.path_pem, .staple = l->peer.staple, .now = s->now};
    vouch_start(s->fetcher, &l->vouch);
}

/* --- one target ------------------------------------------------------------------------------------------------------------------------ */

static void add_view(struct served_target *t, const struct endpoint *at)
{
    t->view = mem_grow(t->view, t->n + 1, sizeof *t->view);
    t->view[t->n] = (struct served_view){.at = *at};
    t->n++;
}

static void look_at_all(struct served_work *w)
{
    struct served_target *t = w->t;
    w->look = mem_array(t->n, sizeof *w->look);
    w->left = t->n;
    for (size_t i = 0; i < t->n; i++) {
        struct look *l = &w->look[i];
        l->work = w;
        l->view = &t->view[i];
        l->peer = (struct peer){.op = {.done = peered, .owner = l}, .name = t->at.name, .at = t->view[i].at};
        peer_start(w->s->net, &l->peer);
    }
}

static void resolved(struct op *op, const struct err *e)
{
    struct served_work *w = op->owner;
    if (e) {
        w->t->err = *e;
        target_over(w);
        return;
    }
    for (size_t i = 0; i < w->resolve.out.n; i++) /* a family without a route here says nothing of the server */
        if (net_has_route(w->s->net, &w->resolve.out.e[i]))
            add_view(w->t, &w->resolve.out.e[i]);
    for (size_t i = 0; i < w->resolve.out.n && !w->t->n; i++)
        add_view(w->t, &w->resolve.out.e[i]);
    endpoints_free(&w->resolve.out);
    look_at_all(w);
}

static void start(struct served *s, struct served_target *t)
{
    struct served_work *w = mem_new(sizeof *w);
    w->s = s;
    w->t = t;
    w->next = s->work;
    if (w->next)
        w->next->prev = w;
    s->work = w;
    s->busy++;
    if (*t->at.addr) {
        add_view(t, &t->at);
        look_at_all(w);
        return;
    }
    w->resolve = (struct resolve){.op = {.done = resolved, .owner = w}, .name = t->at.name, .port = t->at.port};
    resolve_start(s->net, &w->resolve);
}

static void fill(struct served *s)
{
    while (s->next < s->n && s->busy < WINDOW)
        start(s, &s->target[s->next++]);
    if (!s->busy)
        op_settle(&s->op, NULL);
}

static void forget(struct op *op)
{
    struct served *s = (struct served *)op;
    while (s->work)
        work_free(s->work);
    s->busy = 0;
}

void served_start(struct served *s)
{
    s->next = s->busy = 0;
    s->work = NULL;
    op_start(&s->op, forget);
    fill(s);
}

static void target_clear(struct served_target *t)
{
    for (size_t i = 0; i < t->n; i++)
        shown_clear(&t->view[i].shown);
    free(t->view);
    strs_free(&t->live);
    t->view = NULL;
    t->n = 0;
}

void served_clear(struct served *s)
{
    op_cancel(&s->op);
    for (size_t i = 0; i < s->n; i++)
        target_clear(&s->target[i]);
}

/* --- what comes of it ------------------------------------------------------------------------------------------------------------------ */

enum rc served_rc(const struct served *s)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < s->n; i++) {
        const struct served_target *t = &s->target[i];
        rc = rc_worse(rc, t->err.rc);
        for (size_t k = 0; k < t->n; k++) {
            rc = rc_worse(rc, t->view[k].err.rc);
            if (shown_worst(&t->view[k].shown) == LEVEL_ERROR)
                rc = rc_worse(rc, RC_FAILED);
        }
    }
    return rc;
}

void served_show(const struct endpoint *at, char *out, size_t size)
{
    snprintf(out, size, "%s:%u", at->name, (unsigned)at->port);
}

struct covering {
    const char *host;
    struct strs *out;
};

static bool covers(const char *name, const char *host)
{
    const char *parent = name_parent(host);
    return name_is_wildcard(name) ? parent && name_same(name_base(name), parent) : name_same(name, host);
}

static bool take_cert(void *arg, const struct saved_cert *c)
{
    const struct covering *k = arg;
    struct strs names = {0};
    bool mine = false;
    strs_split(&names, c->names);
    for (size_t i = 0; i < names.n && !mine; i++)
        mine = covers(names.s[i], k->host);
    if (mine && c->archive && *c->fingerprint)
        strs_add(k->out, c->fingerprint);
    strs_free(&names);
    return true;
}

void served_live(struct store *s, const char *host, struct strs *out)
{
    struct covering k = {host, out};
    cert_each(s, take_cert, &k, NULL);
}
