/* deployed.c: do the servers of served= send the new certificate once the deploy hook is through? A reload takes its moment, so they are looked at for some
 * seconds; what is wrong after that is told, and looked at again by each run until it is right. */
#include "order/order_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "order/served.h"

enum { TRIES = 10, PAUSE_MS = 1000 };

struct deployed {
    struct cert_work *w;
    struct served served;
    struct roots *roots;
    struct timer pause;
    unsigned tries;
};

static void look(struct deployed *d);

static void notice_key(const struct cert_work *w, char key[256])
{
    snprintf(key, 256, "served/%s/", w->name); /* forgotten as a prefix: shop must not take shop2 along */
}

void deployed_stop(struct cert_work *w)
{
    if (!w->deployed)
        return;
    op_cancel(&w->deployed->pause.op);
    served_clear(&w->deployed->served);
    free(w->deployed->served.target);
    roots_free(w->deployed->roots);
    free(w->deployed);
    w->deployed = NULL;
    w->served_at = SERVED_NOT;
}

void deployed_expect(struct cert_work *w, bool installed)
{
    char key[256];
    notice_key(w, key);
    if (!w->conf || w->conf->served.n == 0)
        return;
    deployed_stop(w); /* it looked for an older one */
    if (installed)    /* until it was seen: after a crash the next run looks */
        notice_said(w->run->s->store, key, clock_now(), &w->run->err);
    if (!w->row->c.hook_due && notice_last(w->run->s->store, key))
        w->served_at = SERVED_DUE;
}

/* --- looking --------------------------------------------------------------------------------------------------------------------------- */

/* What is wrong at the first server where something is; false: nothing. */
static bool wrong(const struct served *s, char *where, size_t size, char *why, size_t n_why)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct served_target *t = &s->target[i];
        served_show(&t->at, where, size);
        if (t->err.rc != RC_OK) {
            snprintf(why, n_why, "%s", t->err.text);
            return true;
        }
        for (size_t k = 0; k < t->n; k++) {
            const struct served_view *v = &t->view[k];
            if (v->err.rc == RC_OK && shown_worst(&v->shown) != LEVEL_ERROR)
                continue;
            snprintf(why, n_why, "%s", v->err.rc != RC_OK ? v->err.text : v->shown.f[0].text);
            return true;
        }
    }
    return false;
}

static void again(struct op *op, const struct err *e)
{
    (void)e;
    look(op->owner);
}

static void looked(struct op *op, const struct err *e)
{
    (void)e;
    struct deployed *d = op->owner;
    struct loop *l = net_loop(d->w->run->s->net);
    char where[NAME_SIZE + 8], why[384];
    if (!wrong(&d->served, where, sizeof where, why, sizeof why) || ++d->tries >= TRIES) {
        d->w->served_at = SERVED_SEEN;
        return;
    }
    d->pause = (struct timer){.op = {.done = again, .owner = d}, .at = loop_now(l) + PAUSE_MS};
    loop_timer(l, &d->pause);
}

static void look(struct deployed *d)
{
    const struct cert_work *w = d->w;
    struct served *s = &d->served;
    served_clear(s);
    free(s->target);
    *s = (struct served){.op = {.done = looked, .owner = d},
                         .net = w->run->s->net,
                         .known = run_known(w->run),
                         .roots = d->roots,
                         .target = mem_array(w->conf->served.n, sizeof *s->target),
                         .now = clock_now()};
    for (size_t i = 0; i < w->conf->served.n; i++) {
        struct served_target *t = &s->target[s->n];
        if (!endpoint_parse_tls_host(w->conf->served.s[i], &t->at, NULL)) /* config check said so */
            continue;
        strs_add(&t->live, w->row->c.fingerprint);
        s->n++;
    }
    served_start(s);
}

/* --- the turn -------------------------------------------------------------------------------------------------------------------------- */

static void judge(struct cert_work *w)
{
    const struct served *s = &w->deployed->served;
    char key[256], where[NAME_SIZE + 8], why[384];
    bool bad = wrong(s, where, sizeof where, why, sizeof why);
    notice_key(w, key);
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < s->target[i].n; k++) {
            const struct served_view *v = &s->target[i].view[k];
            char host[NAME_SIZE + 8];
            served_show(&s->target[i].at, host, sizeof host);
            for (size_t f = 0; f < v->shown.n; f++)
                if (v->shown.f[f].level == LEVEL_WARNING)
                    say(LEVEL_WARNING, &(struct about){.cert = w->name, .name = host, .step = "served", .server = v->at.addr},
                        v->shown.f[f].code, "%s", v->shown.f[f].text);
            json_t *j = json_pack("{s:s, s:s, s:s, s:b}", "server", host, "address", v->at.addr, "serial", v->shown.facts.serial, "ok",
                                  v->err.rc == RC_OK && shown_worst(&v->shown) != LEVEL_ERROR);
            char *line = json_line(j);
            evidence_note(w->run->s->store, w->name, "", "served", line, &w->run->err);
            free(line);
        }
    if (bad) {
        err_set(&w->err, RC_HOOK, "NOT_SERVED", "after the deploy hook %s is not right: %s", where, why);
        err_again(&w->err, 0);
    } else {
        notice_forget(w->run->s->store, key, &w->run->err);
        say(LEVEL_INFO, &(struct about){.cert = w->name, .step = "served"}, NULL, "all servers send the new certificate");
    }
    w->dirty = true;
}

static void begin(struct cert_work *w)
{
    const struct ca_rules *rules = cas_rules(w->run->cas, w->conf->ca);
    struct deployed *d = w->deployed = mem_new(sizeof *d);
    d->w = w;
    d->roots = roots_new(rules ? rules->chain_files : NULL);
    d->tries = w->changed || w->hook_at == HOOK_ENDED ? 0 : TRIES - 1; /* else nothing was reloaded in this run */
    w->served_at = SERVED_LOOKS;
    look(d);
}

void deployed_pump(struct run *r)
{
    for (size_t i = 0; i < r->n_cert; i++) {
        struct cert_work *w = r->cert[i];
        if (w->served_at == SERVED_SEEN) {
            judge(w);
            deployed_stop(w);
        } else if (w->served_at == SERVED_DUE && !r->stop) {
            begin(w);
        }
    }
}

bool deployed_busy(const struct run *r)
{
    for (size_t i = 0; i < r->n_cert; i++)
        if (r->cert[i]->served_at == SERVED_LOOKS || r->cert[i]->served_at == SERVED_SEEN)
            return true;
    return false;
}
