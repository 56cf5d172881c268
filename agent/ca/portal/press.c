/* press.c: a button is pressed: what the page shows must fit the order (act_plan), a person has agreed (unattended = no, portal --step), a PIN may be sent,
 * and what is about to leave is committed with the order's handle. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ca/handover.h"
#include "ca/portal/portal_impl.h"

enum { PRESSES_MAX = 3 };

/* --- behind the commit ------------------------------------------------------------------------------------------------------------------ */

static void send_now(void *arg)
{
    struct walk *w = arg;
    struct err e = {0};
    if (w->sends_pin) {
        w->before = w->pair;
        if (w->pair.fate != PIN_PROVEN && !pin_note(store_dir(w->c->store), &w->pair, PIN_SENT, clock_now(), &e)) {
            walk_finish(w, &e);
            return;
        }
        w->sight.logged_in = true;
        w->sight.pin_proven = w->pair.fate == PIN_PROVEN;
    }
    w->sight.pressed_login |= w->step == STEP_LOGIN;
    w->sight.pressed_confirm |= w->step == STEP_CONFIRM;
    w->sight.pressed_csr |= w->step == STEP_GIVE_CSR;
    w->sight.pressed_final |= w->step == STEP_SUBMIT;
    walk_visit(w, w->act.send.url, &w->act.send);
}

/* Committed with the order before anything leaves; press by press the evidence says what was done in its owner's name. */
static void announce(struct walk *w)
{
    struct err e = {0};
    int64_t now = clock_now();
    struct saved_order *o = w->k->o;
    if (w->sends_pin) {
        w->used_before = json_num(w->h, "used");
        json_object_set_new(w->h, "used", json_integer(json_num(w->h, "started")));
    }
    if (w->step == STEP_GIVE_CSR || w->step == STEP_SUBMIT)
        json_object_set_new(w->h, "sent", json_pack("{s:s, s:I}", "what", w->step == STEP_SUBMIT ? "final" : "csr", "at", (json_int_t)now));
    if (w->step == STEP_GIVE_CSR)
        json_object_set_new(w->h, "given", json_integer(now));
    if (w->step == STEP_MAIL)
        json_object_set_new(w->h, "mailed", json_integer(now));
    handover_save(o, json_incref(w->h));
    char *line = json_line(json_pack("{s:s, s:o}", "page", guide_page_name(w->reading.page), "button", json_text(w->act.button)));
    bool ok = evidence_note(w->c->store, o->cert, o->id, "portal", line, &e) && order_put(w->c->store, o, &e);
    free(line);
    if (ok)
        store_then(w->c->store, send_now, w);
    else
        walk_finish(w, &e);
}

/* --- permission, and what a PIN is known by: in the worker ------------------------------------------------------------------------------ */

struct question {
    bool (*permit)(void *arg, const char *told);
    void *arg;
    char *told;
    bool yes;
};

static void ask_person(void *data)
{
    struct question *q = data;
    q->yes = q->permit(q->arg, q->told);
}

static void question_free(void *data)
{
    struct question *q = data;
    free(q->told);
    free(q);
}

static void person_said(struct op *op, const struct err *e)
{
    struct walk *w = op->owner;
    struct question *q = w->job.data;
    bool yes = !e && q->yes;
    question_free(q);
    if (yes)
        announce(w);
    else
        walk_would_press(w);
}

static void ask_permission(struct walk *w)
{
    struct question *q = mem_new(sizeof *q);
    struct str told = STR_INIT(4096);
    told_plan(w, &told);
    *q = (struct question){.permit = w->k->permit, .arg = w->k->permit_arg, .told = str_take(&told)};
    w->job = (struct job){.op = {.done = person_said, .owner = w}, .work = ask_person, .drop = question_free, .data = q};
    loop_job(net_loop(w->c->net), &w->job);
}

struct finding {
    char *dir, reference[REFERENCE_DIGITS + 1];
    struct secret pin;
    struct pin_pair pair;
    struct err err;
};

static void find_pair(void *data)
{
    struct finding *f = data;
    pin_find(f->dir, f->reference, &f->pin, &f->pair, &f->err);
}

static void finding_free(void *data)
{
    struct finding *f = data;
    secret_free(&f->pin);
    free(f->dir);
    free(f);
}

static void found_pair(struct op *op, const struct err *e)
{
    struct walk *w = op->owner;
    struct finding *f = w->job.data;
    struct err fault = e ? *e : f->err;
    w->pair = f->pair;
    w->pair_known = fault.rc == RC_OK;
    finding_free(f);
    if (fault.rc != RC_OK)
        walk_finish(w, &fault);
    else
        walk_press(w);
}

static void know_pair(struct walk *w)
{
    struct finding *f = mem_new(sizeof *f);
    f->dir = mem_str(store_dir(w->c->store));
    snprintf(f->reference, sizeof f->reference, "%s", w->reference);
    secret_set(&f->pin, w->pin.p, w->pin.n);
    w->job = (struct job){.op = {.done = found_pair, .owner = w}, .work = find_pair, .drop = finding_free, .data = f};
    loop_job(net_loop(w->c->net), &w->job);
}

/* --- may this button be pressed? -------------------------------------------------------------------------------------------------------- */

/* A lost answer counts as a try; `pin`, or run --force in the run's first login, lets one more through, once each. */
static bool pin_may_be_sent(struct walk *w)
{
    bool once_more =
        (w->pair.fate == PIN_SENT && w->k->forced) || pin_forgiven(&w->pair, json_num(w->h, "started"), json_num(w->h, "used"));
    w->k->forced = false;
    return once_more || w->pair.fate == PIN_NEW || w->pair.fate == PIN_PROVEN;
}

/* A login may have a page for each thing it asks. The PIN fills one field as a whole (guide.h), and digits are sent as they are. */
static bool holds_pin(const struct walk *w)
{
    const struct page_send *s = &w->act.send;
    return w->pin.n && ((s->body.p && memmem(s->body.p, s->body.n, w->pin.p, w->pin.n)) || strstr(s->url, (const char *)w->pin.p));
}

static bool leads_on(const struct walk *w)
{
    return w->step == STEP_ON && w->reading.role == ROLE_START && strcmp(w->act.send.method, "GET") == 0;
}

void walk_press(struct walk *w)
{
    struct err e = {0};
    bool login = w->step == STEP_LOGIN;
    act_clear(&w->act);
    if (!act_plan(w->c->guide, w->page, &w->reading, &w->order, &w->act, &e)) {
        if (w->probe && login && !w->pin.n)
            walk_would_press(w);
        else
            walk_unknown(w, &e);
        return;
    }
    if (!w->act.send.url) { /* a page to be read only */
        w->step = w->reading.role == ROLE_FAILED ? STEP_DCV_FAILED : STEP_UNKNOWN;
        walk_outcome(w);
        return;
    }
    w->sends_pin = holds_pin(w);
    if (w->sends_pin && !w->pair_known) { /* it comes back here */
        know_pair(w);
        return;
    }
    if (++w->pressed[w->reading.role] > PRESSES_MAX) {
        err_set(&e, RC_PAGES, "PORTAL_CIRCLE", "the page %s comes again and again; its button was pressed %d times",
                guide_page_name(w->reading.page), PRESSES_MAX);
        walk_unknown(w, &e);
        return;
    }
    if (leads_on(w))
        walk_visit(w, w->act.send.url, &w->act.send);
    else if (w->probe)
        walk_would_press(w);
    else if (w->sends_pin && !pin_may_be_sent(w))
        walk_pin_spent(w);
    else if (w->k->permit)
        ask_permission(w);
    else if (!w->c->unattended)
        walk_would_press(w);
    else
        announce(w);
}
