/* tell.c: what people hear of a run, and what `status` will show.
 *
 * Without a terminal a run is silent on success; entering a wait for a person, a failure, a nearing end are said once, then at most daily and at the
 * marks of calendar_remind(). With a terminal everything is said. Each thing said also goes to notify_hook. */
#include "order/order_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { NOTIFY_LIMIT_MS = 30000, SHORT_LIFE = 30 * DAY };

struct call {
    struct child child;
    struct strs env;
    struct teller *teller;
};

struct teller {
    struct run *run;
    struct call **call;
    size_t n, busy;
};

static void notified(struct op *op, const struct err *e)
{
    struct call *c = op->owner;
    c->teller->busy--;
    if (e)
        say_err(LEVEL_WARNING, &(struct about){.step = "notify_hook"}, e);
    else if (c->child.status != 0)
        say(LEVEL_WARNING, &(struct about){.step = "notify_hook"}, "NOTIFY_HOOK", "notify_hook ended with %d", c->child.status);
}

static void notify(struct run *r, const char *event, const char *cert, const char *text, int64_t deadline)
{
    const struct strs *hook = &r->s->conf->agent.notify_hook;
    if (hook->n == 0 || r->setup.hand_only || loop_signal(net_loop(r->s->net)))
        return;
    struct teller *t = r->teller;
    struct call *c = mem_new(sizeof *c);
    char when[32] = "";
    if (deadline)
        time_show(deadline, when);
    hook_env(&c->env, "DCVAGENT_EVENT", event);
    hook_env(&c->env, "DCVAGENT_NAME", cert);
    hook_env(&c->env, "DCVAGENT_TEXT", text);
    hook_env(&c->env, "DCVAGENT_DEADLINE", when);
    c->teller = t;
    c->child = (struct child){.op = {.done = notified, .owner = c}, .argv = hook, .env = &c->env, .limit_ms = NOTIFY_LIMIT_MS};
    t->call = mem_grow(t->call, t->n + 1, sizeof *t->call);
    t->call[t->n++] = c;
    t->busy++;
    child_start(net_loop(r->s->net), &c->child);
}

/* Is it time to say this again? With a terminal always. Notes that it was said. */
static bool fresh(struct run *r, const char *key, int64_t deadline)
{
    int64_t now = clock_now(), last = notice_last(r->s->store, key);
    bool due = calendar_remind(now, last, deadline);
    if (due)
        notice_said(r->s->store, key, now, &r->err);
    return due;
}

static const char *wait_text(enum waits w)
{
    static const char *const text[WAITS] = {
        [WAITS_PIN] = "waiting for a PIN or for the word to start",
        [WAITS_CODE] = "waiting for the verification code",
        [WAITS_PROPAGATION] = "waiting until the public sees the records",
        [WAITS_CONFIRM] = "proofs are visible: waiting for the confirm button",
        [WAITS_CERTIFICATE] = "waiting for the issued certificate",
        [WAITS_CA] = "the CA is working",
        [WAITS_OPERATOR] = "waiting for a person at the CA's page",
        [WAITS_TIME] = "waiting for a time",
    };
    return text[w] ? text[w] : "";
}

static bool is_person(enum waits w)
{
    return w == WAITS_PIN || w == WAITS_CODE || w == WAITS_CONFIRM || w == WAITS_OPERATOR || w == WAITS_CERTIFICATE;
}

/* cron gets one line; a person at a terminal the steps as they are. */
static void tell_wait(struct run *r, const struct order *o)
{
    char code[40], key[256], day[32], text[1400];
    struct str flat = STR_INIT(1200);
    for (const char *p = o->ca.ask; *p; p++) {
        if (*p == '\n')
            str_add(&flat, " ");
        else if (!(*p == ' ' && p > o->ca.ask && p[-1] == ' '))
            str_put(&flat, p, 1);
    }
    day_show(o->saved.deadline, day);
    snprintf(text, sizeof text, "%s%s%s. %s", wait_text(o->waits), o->saved.deadline ? ", before " : "", o->saved.deadline ? day : "",
             r->setup.terminal ? "" : str_text(&flat));
    snprintf(code, sizeof code, "WAITING_%s", waits_words[o->waits]);
    for (char *p = code; *p; p++)
        *p = (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
    snprintf(key, sizeof key, "wait/%s/%s/%s/%lld", o->saved.cert, o->saved.id, waits_words[o->waits], (long long)o->saved.waiting_since);
    bool now = fresh(r, key, o->saved.deadline);
    struct about about = {.cert = o->saved.cert, .step = "order"};
    if (now || r->setup.terminal)
        say_loudly(LEVEL_NOTICE, &about, code, "%s", text);
    else
        say_quietly(LEVEL_NOTICE, &about, code, "%s", text);
    if (r->setup.terminal && *o->ca.ask)
        fprintf(stderr, "%s\n", o->ca.ask);
    if (now)
        notify(r, "waiting", o->saved.cert, text, o->saved.deadline);
    str_free(&flat);
}

static void tell_failure(struct run *r, const char *cert, const char *step, const struct err *e, int64_t again_at)
{
    char key[256], text[640];
    struct about about = {.cert = *cert ? cert : NULL, .name = *e->where ? e->where : cert, .step = step, .retry_at = e->not_before};
    snprintf(key, sizeof key, "fail/%s/%s", cert, e->code ? e->code : "");
    char when[32];
    time_local(again_at, when);
    if (strstr(e->text, "tried again"))
        snprintf(text, sizeof text, "%s", e->text);
    else if (again_at > clock_now())
        snprintf(text, sizeof text, "%s; tried again by itself after %s", e->text, when);
    else
        snprintf(text, sizeof text, "%s; %s", e->text, again_at < 0 ? "a person has to act" : "tried again by the next run");
    bool now = fresh(r, key, 0);
    if (now || r->setup.terminal)
        say(LEVEL_ERROR, &about, e->code, "%s", text);
    else
        say_quietly(LEVEL_ERROR, &about, e->code, "%s", text);
    if (now)
        notify(r, "failed", cert, text, e->not_before);
}

/* What nears its end whatever the orders do. */
static void tell_ends(struct run *r, struct cert_work *w)
{
    const struct saved_cert *c = &w->row->c;
    int64_t now = clock_now();
    char key[256], day[32], text[256];
    struct about about = {.cert = w->name, .step = "calendar"};
    int64_t threshold = (c->not_after - c->not_before) / 6 < 14 * DAY ? (c->not_after - c->not_before) / 6 : 14 * DAY;
    if (c->not_after && now > c->not_after - threshold) {
        day_show(c->not_after, day);
        snprintf(key, sizeof key, "expire/%s/%s", w->name, c->serial);
        snprintf(text, sizeof text,
                 now < c->not_after ? "the certificate in use ends on %s and is not replaced yet"
                                    : "the certificate in use has ended on %s",
                 day);
        if (fresh(r, key, c->not_after)) {
            say_loudly(LEVEL_WARNING, &about, "EXPIRING", "%s; dcvagent status %s", text, w->name);
            notify(r, "expiring", w->name, text, c->not_after);
        }
    }
    snprintf(key, sizeof key, "subscription/%s", w->name);
    int64_t last = notice_last(r->s->store, key), end = w->conf ? w->conf->subscription_end : 0;
    unsigned days = w->conf ? calendar_paid_reminder(now, end, last) : 0;
    if (days) {
        day_show(end - 1, day);
        snprintf(text, sizeof text,
                 "the subscription with the CA ends on %s: apply for the paid renewal now (vetting and the PIN envelope take weeks), then "
                 "put the new "
                 "subscription_end into [certificate %s]",
                 day, w->name);
        say_loudly(LEVEL_WARNING, &about, "PAID_RENEWAL", "%s", text);
        notify(r, "expiring", w->name, text, end);
        notice_said(r->s->store, key, now, &r->err);
    }
}

/* What the order was doing, in an administrator's words. */
static const char *step_word(enum order_state state)
{
    static const char *const words[ORDER_STATES] = {
        [ORDER_NEW] = "key",
        [ORDER_PREPARED] = "preflight",
        [ORDER_CHALLENGED] = "publish",
        [ORDER_PUBLISHED] = "verify",
        [ORDER_VISIBLE] = "confirm",
        [ORDER_VALIDATED] = "submit",
        [ORDER_SUBMITTED] = "certificate",
        [ORDER_ISSUED] = "install",
        [ORDER_INSTALLED] = "clean-up",
        [ORDER_DONE] = "done",
        [ORDER_FAILED] = "clean-up",
    };
    return words[state];
}

static bool failed_now(const struct order *o)
{
    return o && o->err.rc != RC_OK && o->err.rc != RC_LATER;
}

/* The newest one's, else that of one whose records are still on their way out. */
static const struct order *failing(const struct order *o)
{
    while (o && !failed_now(o))
        o = o->older;
    return o;
}

/* An order's failure is over once it moves on: then the same failure is news again. */
static void forget_failures(struct run *r, const struct cert_work *w)
{
    char key[256];
    snprintf(key, sizeof key, "fail/%s/", w->name);
    notice_forget(r->s->store, key, &r->err);
}

static void note_schedule(struct run *r, struct cert_work *w, const struct order *o)
{
    struct saved_cert *c = &w->row->c;
    const char *action = "none";
    int64_t at = 0;
    if (o && o->saved.open && !due_sleeps(&o->saved)) {
        action = is_person(o->waits) ? wait_text(o->waits) : "continue the order";
        at = o->saved.due ? o->saved.due : o->waits == WAITS_TIME || o->waits == WAITS_PROPAGATION ? fact_num(o, "forecast") : 0;
    } else if (w->conf && !w->conf->broken) {
        if (w->changed)
            calendar_for(r, w, false, &w->cal);
        action = w->cal.action == CALENDAR_PAID_RENEWAL ? "paid renewal with the CA"
                 : w->cal.action == CALENDAR_REFUSED    ? "mend the configuration"
                                                        : "renew";
        at = w->cal.next_at;
    }
    const struct order *bad = failing(o);
    const struct err *e = w->err.rc != RC_OK ? &w->err : bad ? &bad->err : NULL;
    if (e) {
        c->last = *e;
        c->last_at = clock_now();
    } else if (!o || o->err.rc == RC_OK) {
        c->last = (struct err){0};
        c->last_at = 0;
    }
    cert_row_set(w->row, &c->next_action, action);
    c->next_at = at;
    c->last_run = clock_now();
    w->dirty = true;
}

static void tell_issued(struct run *r, struct cert_work *w)
{
    char day[32], text[200];
    day_show(w->row->c.not_after, day);
    snprintf(text, sizeof text, "new certificate installed, valid until %s", day);
    say(LEVEL_NOTICE, &(struct about){.cert = w->name, .step = "install"}, NULL, "%s", text);
    notify(r, "issued", w->name, text, w->row->c.not_after);
}

/* What an order that is well waits for. */
static void tell_standing(struct run *r, const struct order *o)
{
    struct about about = {.cert = o->saved.cert, .name = o->err.where, .step = step_word(o->state)};
    if (is_person(o->waits))
        tell_wait(r, o);
    else if (o->waits == WAITS_PROPAGATION && o->err.rc == RC_LATER)
        say(LEVEL_NOTICE, &about, o->err.code, "%s", o->err.text);
    else if (o->waits != WAITS_NOT)
        say(LEVEL_NOTICE, &(struct about){.cert = o->saved.cert, .step = "order"}, NULL, "%s", wait_text(o->waits));
}

static bool gone(const char *state_dir, const char *set, const char *file)
{
    char *path = mem_fmt("%s/%s/%s", state_dir, set, file);
    bool is = access(path, F_OK) != 0 && errno == ENOENT;
    free(path);
    return is;
}

/* Somebody took away what servers read, and no order is under way that would put it back. */
static void look_at_live(const struct run *r, struct cert_work *w, const struct order *o)
{
    const char *dir = r->s->state_dir;
    long long n = w->row->c.archive;
    if (!w->conf || !n || (o && o->saved.open))
        return;
    char *live = mem_fmt("live/%s", w->name), *set = mem_fmt("archive/%s/%lld", w->name, n);
    if (gone(dir, live, "cert.pem") && gone(dir, set, "cert.pem"))
        err_set(&w->err, RC_STATE, "LIVE_GONE",
                "%s/%s/cert.pem is gone, which %s showed; put it back from a backup of the state folder, or dcvagent run --force %s makes "
                "another set",
                dir, set, live, w->name);
    else if (gone(dir, live, "cert.pem"))
        err_set(&w->err, RC_STATE, "LIVE_GONE",
                "%s/%s/cert.pem is gone, though set %lld was installed; ln -sfn ../%s %s/%s puts it back, dcvagent run --force %s makes "
                "another one",
                dir, live, n, set, dir, live, w->name);
    else if (strcmp(w->row->c.key_type, "csr") != 0 && gone(dir, live, "privkey.pem"))
        err_set(
            &w->err, RC_STATE, "LIVE_GONE",
            "%s/%s/privkey.pem is gone, and no server can start with the certificate; dcvagent key restore %s FILE.pfx puts it back from a "
            "copy, dcvagent replace %s makes another one",
            dir, live, w->name, w->name);
    free(live);
    free(set);
}

static const char *cert_step(enum rc rc)
{
    return rc == RC_HOOK ? "hook" : rc == RC_STATE ? "install" : "config";
}

static void tell_cert(struct run *r, struct cert_work *w)
{
    const struct order *o = run_order_of(r, w->name), *bad = failing(o);
    if (r->setup.hand_only) {
        if (o && o->saved.open && r->setup.terminal && *o->ca.ask)
            fprintf(stderr, "%s\n", o->ca.ask);
        return;
    }
    if (r->setup.csr_only) {
        if (w->err.rc != RC_OK || failed_now(o))
            say_err(LEVEL_ERROR, &(struct about){.cert = w->name, .step = "csr"}, w->err.rc != RC_OK ? &w->err : &o->err);
        return;
    }
    if (w->changed)
        tell_issued(r, w);
    look_at_live(r, w, o);
    if (w->err.rc != RC_OK)
        tell_failure(r, w->name, cert_step(w->err.rc), &w->err, w->err.again ? 0 : -1);
    if (bad)
        tell_failure(r, w->name, step_word(bad->state), &bad->err, bad->saved.due);
    if (bad && is_person(bad->waits) && r->setup.terminal && *bad->ca.ask)
        fprintf(stderr, "%s\n", bad->ca.ask);
    if (o && o != bad && o->saved.open)
        tell_standing(r, o);
    if (w->err.rc == RC_OK && !bad && w->row->c.last.rc != RC_OK)
        forget_failures(r, w);
    tell_ends(r, w);
    note_schedule(r, w, o);
}

/* Records of `txt` are no certificate's; a run for all of them tries them, too. */
static bool records_of_txt(const struct run *r, struct publish_state *st)
{
    if ((r->setup.names && r->setup.names->n) || r->setup.no_new || r->setup.hand_only || r->setup.csr_only)
        return false;
    publish_state(r->s->publish, "", st);
    return st->failed > 0;
}

static void tell_records(struct run *r)
{
    struct publish_state st;
    if (records_of_txt(r, &st))
        tell_failure(r, "", "txt", &st.err, st.err.again ? 0 : -1);
}

bool tell_start(struct run *r, struct err *e)
{
    r->teller = mem_new(sizeof *r->teller);
    r->teller->run = r;
    store_begin(r->s->store, &r->err);
    for (size_t i = 0; i < r->n_cert; i++)
        tell_cert(r, r->cert[i]);
    tell_records(r);
    if (r->err.rc != RC_OK && e != &r->err)
        *e = r->err;
    return r->err.rc == RC_OK;
}

bool tell_busy(const struct run *r)
{
    return r->teller && r->teller->busy > 0;
}

void tell_free(struct run *r)
{
    for (size_t i = 0; r->teller && i < r->teller->n; i++) {
        struct call *c = r->teller->call[i];
        op_cancel(&c->child.op);
        child_clear(&c->child);
        strs_free(&c->env);
        free(c);
    }
    if (r->teller)
        free(r->teller->call);
    free(r->teller);
    r->teller = NULL;
}

static enum rc rc_of_cert(const struct run *r, const struct cert_work *w)
{
    enum rc rc = rc_worse(w->err.rc, w->row->c.hook_due ? RC_LATER : RC_OK); /* still due: the run's time was up before the hook ended */
    for (const struct order *o = run_order_of(r, w->name); o; o = o->older)
        if (o->err.rc != RC_OK)
            rc = rc_worse(rc, o->err.rc);
        else if (o->saved.open && !due_sleeps(&o->saved))
            rc = rc_worse(rc, RC_LATER);
    return rc;
}

static json_t *err_json(const struct err *e)
{
    if (e->rc == RC_OK)
        return json_null();
    return json_pack("{s:o, s:o}", "code", json_text(e->code), "text", json_text(e->text));
}

enum rc tell_rc(const struct run *r)
{
    struct publish_state st;
    enum rc rc = rc_worse(r->err.rc, records_of_txt(r, &st) ? st.err.rc : RC_OK);
    for (size_t i = 0; i < r->n_cert; i++)
        rc = rc_worse(rc, rc_of_cert(r, r->cert[i]));
    return rc;
}

json_t *tell_json(const struct run *r)
{
    json_t *certs = json_array();
    for (size_t i = 0; i < r->n_cert; i++) {
        const struct cert_work *w = r->cert[i];
        const struct order *o = run_order_of(r, w->name);
        const char *state = o ? order_rows[o->state].name : w->row->c.not_after ? "done" : "new";
        const struct err *e = w->err.rc != RC_OK ? &w->err : o ? &o->err : &w->err;
        json_array_append_new(certs, json_pack("{s:s, s:s, s:o, s:b, s:o}", "name", w->name, "state", state, "waiting_for",
                                               o && o->waits != WAITS_NOT ? json_string(waits_words[o->waits]) : json_null(), "changed",
                                               w->changed, "error", err_json(e)));
    }
    return json_pack("{s:i, s:i, s:o}", "version", 1, "exit", (int)tell_rc(r), "certificates", certs);
}
