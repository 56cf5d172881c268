/* proofs.c: authorizations and challenges of an order, all side by side. */
#include "ca/acme/work.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

static bool make_parts(struct work *w, size_t n, struct err *e)
{
    if (n == 0 || n > NAMES_MAX)
        return err_set(e, RC_CA, "CA_ANSWER", "the CA's order has %zu authorizations; 1 to %d are possible", n, NAMES_MAX);
    for (size_t i = 0; i < w->n_part; i++) {
        acme_request_clear(&w->part[i].request);
        authz_clear(&w->part[i].authz);
    }
    free(w->part);
    w->part = mem_array(n, sizeof *w->part);
    w->n_part = n;
    for (size_t i = 0; i < n; i++)
        w->part[i].work = w;
    return true;
}

static void ask(struct part *p, const char *about, const char *url, char *payload, op_fn *done)
{
    acme_request_clear(&p->request);
    p->request = (struct acme_request){
        .op = {.done = done, .owner = p}, .about = about, .url = mem_str(url), .payload = payload, .repeatable = true};
    p->work->under_way++;
    acme_send(p->work->c, &p->request);
}

static void note(struct work *w, const struct err *e)
{
    if (w->err.rc == RC_OK)
        w->err = *e;
}

/* --- what they are -------------------------------------------------------------------------------------------------------------------- */

/* For the order machine, and for the handle: a confirm of the same run needs no second look. */
static void take_proofs(struct work *w)
{
    json_t *all = json_array();
    int64_t now = clock_now();
    ca_case_clear(w->k);
    for (size_t i = 0; i < w->n_part; i++) {
        const struct authz *a = &w->part[i].authz;
        struct proof *p = ca_case_proof(w->k, a->name);
        free(p->value);
        p->value = mem_str(a->value);
        p->received = now;
        p->expires = a->expires;
        p->valid = a->state == AUTHZ_VALID;
        p->err = a->err;
        json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:I, s:b, s:b}", "name", a->name, "challenge", a->challenge, "value",
                                             a->value, "expires", (json_int_t)a->expires, "valid", a->state == AUTHZ_VALID, "asked",
                                             a->state == AUTHZ_ASKED));
    }
    json_object_set_new(w->handle, "authz", all);
}

static size_t count(const struct work *w, enum authz_state state)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n_part; i++)
        n += w->part[i].authz.state == state;
    return n;
}

static void all_read(struct work *w)
{
    struct ca_case *k = w->k;
    if (w->err.rc != RC_OK) {
        work_fail(w, &w->err);
        return;
    }
    take_proofs(w);
    if (w->invalid || count(w, AUTHZ_FAILED)) {
        work_refused(w);
    } else if (count(w, AUTHZ_VALID) == w->n_part) { /* the order will be ready in a moment */
        w->asked = true;
        work_poll(w, 0);
    } else if (w->call == CALL_CONFIRM) {
        work_challenge(w);
    } else {
        enum ca_stage stage = order_stage("pending", false, false, count(w, AUTHZ_OPEN) > 0);
        k->look_again = stage == CA_CHECKING ? clock_now() + 10 : 0;
        work_settle(w, stage, NULL);
    }
}

static bool challenge_ok(const struct work *w, const struct authz *a, struct err *e)
{
    return (a->state != AUTHZ_OPEN && a->state != AUTHZ_ASKED) || acme_url_ok(w->c, a->challenge, "URL of the challenge", e);
}

static void read_one(struct op *op, const struct err *e)
{
    struct part *p = op->owner;
    struct work *w = p->work;
    struct err fault = {0};
    w->under_way--;
    authz_clear(&p->authz);
    if (e)
        note(w, e);
    else if (!authz_read(p->request.json, w->k->o->names, jws_thumbprint(w->c->account.key), &p->authz, &fault) ||
             !challenge_ok(w, &p->authz, &fault))
        note(w, &fault);
    acme_request_clear(&p->request);
    if (w->under_way == 0)
        all_read(w);
}

void work_ask_authz(struct work *w, const json_t *urls)
{
    struct err e = {0};
    if (!make_parts(w, json_array_size(urls), &e)) {
        work_fail(w, &e);
        return;
    }
    for (size_t i = 0; i < w->n_part; i++) {
        const char *url = json_string_value(json_array_get(urls, i));
        if (!acme_url_ok(w->c, url ? url : "", "URL of an authorization", &e)) {
            work_fail(w, &e);
            return;
        }
    }
    for (size_t i = 0; i < w->n_part; i++)
        ask(&w->part[i], "an authorization", json_string_value(json_array_get(urls, i)), NULL, read_one);
}

bool work_known_authz(struct work *w)
{
    const json_t *all = json_object_get(w->handle, "authz");
    bool all_open = json_array_size(all) > 0 && w->k->n_proof > 0 && make_parts(w, json_array_size(all), NULL);
    for (size_t i = 0; all_open && i < w->n_part; i++) {
        const json_t *j = json_array_get(all, i);
        struct authz *a = &w->part[i].authz;
        bool valid = json_is_true(json_object_get(j, "valid"));
        all_open = !json_is_true(json_object_get(j, "asked")) && (valid || acme_url_ok(w->c, json_str(j, "challenge"), "URL", NULL));
        strncat(a->name, json_str(j, "name"), sizeof a->name - 1);
        a->challenge = mem_str(json_str(j, "challenge"));
        a->value = mem_str(json_str(j, "value"));
        a->expires = json_num(j, "expires");
        a->state = valid ? AUTHZ_VALID : AUTHZ_OPEN;
    }
    return all_open;
}

/* --- asking the CA to check ------------------------------------------------------------------------------------------------------------ */

static void challenged(struct op *op, const struct err *e)
{
    struct part *p = op->owner;
    struct work *w = p->work;
    w->under_way--;
    /* A challenge that the CA will not take (it is under way, or over) shows in the order; what did not reach the CA is tried again. */
    bool answered = e && p->request.problem.kind && p->request.http.status < 500 && e->not_before == 0;
    if (e && !answered)
        note(w, e);
    if (!e)
        p->authz.state = AUTHZ_ASKED;
    acme_request_clear(&p->request);
    if (w->under_way) {
        early_ask(w);
        return;
    }
    take_proofs(w);
    if (w->err.rc != RC_OK)
        work_settle(w, CA_PROOF, &w->err);
    else
        early_take(w);
}

void work_challenge(struct work *w)
{
    w->asked = true;
    for (size_t i = 0; i < w->n_part; i++)
        if (w->part[i].authz.state == AUTHZ_OPEN)
            ask(&w->part[i], "a challenge", w->part[i].authz.challenge, mem_str("{}"), challenged);
    if (w->under_way == 0)
        work_poll(w, 0);
}

/* --- the order is invalid --------------------------------------------------------------------------------------------------------------- */

void work_refused(struct work *w)
{
    struct err *err = mem_array(NAMES_MAX, sizeof *err), all = {0};
    size_t n = 0;
    for (size_t i = 0; i < w->n_part; i++)
        if (w->part[i].authz.state == AUTHZ_FAILED)
            err[n++] = w->part[i].authz.err;
    if (n) {
        names_err(err, n, w->n_part, &all);
    } else {
        n = order_error(w->order_error, "the order", err, NAMES_MAX, &all);
        for (size_t i = 0; i < n; i++)
            ca_case_proof(w->k, err[i].where)->err = err[i];
    }
    free(err);
    err_set(&all, RC_CA, "CA_REFUSED", "the CA made the order invalid and gave no reason");
    work_forget_order(w);
    work_settle(w, CA_REFUSED, &all);
}
