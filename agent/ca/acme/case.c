/* case.c: one order at the CA, from newOrder to the chain. Each call of ca.h is one struct work: a row of questions, each answer deciding on the next.
 *
 *   look     order -> (pending: its authorizations | valid: the certificate)
 *   begin    ready -> newOrder -> authorizations
 *   confirm  (order -> authorizations ->) challenges -> order, order, ... until it is no longer pending
 *   submit   finalize -> order, order, ... -> certificate -> alternate chains
 *   fetch    order, order, ... -> certificate -> alternate chains */
#include "ca/acme/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ca/handover.h"

enum { LOOK_AGAIN = 10 /* s, where the CA does not say */ };

/* --- the work's own life ------------------------------------------------------------------------------------------------------------ */

static void work_free(struct work *w)
{
    op_cancel(&w->ready.op);
    op_cancel(&w->timer.op);
    early_close(w);
    acme_request_clear(&w->one);
    for (size_t i = 0; i < w->n_part; i++) {
        acme_request_clear(&w->part[i].request);
        authz_clear(&w->part[i].authz);
    }
    free(w->part);
    free(w->pem);
    strs_free(&w->alternate);
    free(w->wait_key);
    json_decref(w->order_error);
    json_decref(w->handle);
    free(w);
}

static void detach(struct op *op)
{
    struct ca_case *k = (struct ca_case *)op;
    work_free(k->impl);
    k->impl = NULL;
}

void work_keep(struct work *w)
{
    handover_save(w->k->o, json_incref(w->handle));
}

void work_settle(struct work *w, enum ca_stage stage, const struct err *e)
{
    struct ca_case *k = w->k;
    struct err own = e ? *e : (struct err){0};
    work_keep(w);
    k->stage = stage;
    k->waits = "";
    k->impl = NULL;
    if (e)
        err_at(&own, "%s", w->c->name);
    work_free(w);
    op_settle(&k->op, &own);
}

void work_fail(struct work *w, const struct err *e)
{
    work_settle(w, w->k->stage, e);
}

/* The CA is not through yet: when to come back. */
static void come_back(struct work *w, enum ca_stage stage, int64_t seconds)
{
    w->k->look_again = clock_now() + (seconds > 0 ? seconds : LOOK_AGAIN);
    work_settle(w, stage, NULL);
}

void work_forget_order(struct work *w)
{
    static const char *const keys[] = {"order", "finalize", "certificate", "sent", "authz"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        json_object_del(w->handle, keys[i]);
}

void work_ask(struct work *w, const char *about, const char *url, char *payload, op_fn *done)
{
    acme_request_clear(&w->one);
    w->one = (struct acme_request){.op = {.done = done, .owner = w}, .about = about, .url = mem_str(url), .payload = payload};
    acme_send(w->c, &w->one);
}

/* --- the order ---------------------------------------------------------------------------------------------------------------------- */

static void got_order(struct op *op, const struct err *e);

void work_ask_order(struct work *w)
{
    work_ask(w, "the order", json_str(w->handle, "order"), NULL, got_order);
}

static void time_to_ask(struct op *op, const struct err *e)
{
    (void)e;
    work_ask_order(op->owner);
}

/* Not through yet: asked again in a moment, or left to a later look. */
static void poll_again(struct work *w, enum ca_stage stage, int64_t retry_after)
{
    int64_t ms;
    struct loop *l = net_loop(w->c->net);
    if (!poll_next(&w->poll, retry_after, clock_now(), &ms)) {
        come_back(w, stage, (ms + 999) / 1000);
        return;
    }
    w->timer = (struct timer){.op = {.done = time_to_ask, .owner = w}, .at = loop_now(l) + ms};
    loop_timer(l, &w->timer);
}

void work_poll(struct work *w, int64_t retry_after)
{
    poll_again(w, CA_CHECKING, retry_after);
}

static bool keep_url(struct work *w, const json_t *j, const char *key, bool needed, struct err *e)
{
    if (!needed && !*json_str(j, key))
        return true;
    const char *url = acme_url(w->c, j, key, e);
    if (url)
        json_object_set_new(w->handle, key, json_string(url));
    return url != NULL;
}

static bool is(const char *status, const char *word)
{
    return strcmp(status, word) == 0;
}

/* An order from an earlier run that is over by our clock. In the run that made it the CA's word holds: if our clock is wrong, a new one would be
 * over too, and orders would be made without end. */
static bool expired(const struct work *w, const json_t *j)
{
    int64_t end;
    return w->call == CALL_LOOK && time_parse(json_str(j, "expires"), &end) && end <= clock_now();
}

static void pending(struct work *w)
{
    if (w->asked)
        poll_again(w, CA_CHECKING, w->one.retry_after);
    else if (expired(w, w->one.json)) {
        work_forget_order(w);
        work_settle(w, CA_NONE, NULL);
    } else {
        work_ask_authz(w, json_object_get(w->one.json, "authorizations"));
    }
}

static void issuing(struct work *w, const char *status)
{
    if (is(status, "valid"))
        work_download(w);
    else if (w->call == CALL_SUBMIT || w->call == CALL_FETCH)
        poll_again(w, CA_ISSUING, w->one.retry_after);
    else
        come_back(w, CA_ISSUING, w->one.retry_after - clock_now());
}

/* The CA could not make the order valid: with whom, and why, stands in its authorizations; the order's own error is about the CSR. */
static void invalid(struct work *w)
{
    json_t *authz = json_object_get(w->one.json, "authorizations");
    w->invalid = true;
    w->order_error = json_incref(json_object_get(w->one.json, "error"));
    if (json_array_size(authz) && !json_is_true(json_object_get(w->handle, "sent")))
        work_ask_authz(w, authz);
    else
        work_refused(w);
}

void work_take_order(struct work *w)
{
    const json_t *j = w->one.json;
    const char *status = json_str(j, "status");
    struct err e = {0};
    char safe[40];
    if (!keep_url(w, j, "finalize", true, &e) || !keep_url(w, j, "certificate", is(status, "valid"), &e))
        work_fail(w, &e);
    else if (is(status, "pending"))
        pending(w);
    else if (is(status, "ready") && w->call == CALL_SUBMIT)
        work_finalize(w);
    else if (is(status, "ready") && expired(w, j))
        work_forget_order(w), work_settle(w, CA_NONE, NULL);
    else if (is(status, "ready")) {
        json_object_del(w->handle, "sent"); /* a CSR that had come would have moved it */
        work_settle(w, CA_CSR, NULL);
    } else if (is(status, "processing") || is(status, "valid"))
        issuing(w, status);
    else if (is(status, "invalid"))
        invalid(w);
    else {
        err_set(&e, RC_CA, "CA_ANSWER", "the CA calls the order \"%s\", which RFC 8555 does not know",
                text_safe(safe, sizeof safe, status, strlen(status)));
        work_fail(w, &e);
    }
}

/* The CA does not have the order: before the CSR was sent nothing is lost. */
static void order_gone(struct work *w, const struct err *e)
{
    bool sent = json_is_true(json_object_get(w->handle, "sent"));
    struct err gone = {0};
    if (!sent) {
        say(LEVEL_INFO, &(struct about){.cert = w->k->o->cert, .step = "ca"}, NULL,
            "the CA does not have the order any more, a new one is made");
        work_forget_order(w);
        if (w->call != CALL_LOOK) { /* it was there a moment ago: orders are not made without end */
            err_set(&gone, RC_CA, "CA_ORDER_GONE", "the CA does not know the order any more (%.120s); a new one is made", e->text);
            err_again(&gone, 0);
        }
        work_settle(w, CA_NONE, gone.rc != RC_OK ? &gone : NULL);
        return;
    }
    err_set(&gone, RC_CA, "CA_ORDER_GONE",
            "the CA does not know the order any more, to which the CSR was sent, so nobody knows whether it was issued (%.120s); if it was "
            "not: dcvagent "
            "cancel %s",
            e->text, w->k->o->cert);
    work_settle(w, CA_REFUSED, &gone);
}

static void got_order(struct op *op, const struct err *e)
{
    struct work *w = op->owner;
    if (e && w->one.http.status == 404)
        order_gone(w, e);
    else if (e)
        work_fail(w, e);
    else
        work_take_order(w);
}

/* --- newOrder ------------------------------------------------------------------------------------------------------------------------- */

static bool profile_ok(const struct ca *c, const char *profile, struct err *e)
{
    char *all = strs_join(&c->dir.profiles, " ");
    bool ok = !profile || strs_has(&c->dir.profiles, profile) ||
              err_set(e, RC_CONF, "CA_PROFILE", "the CA offers no profile \"%s\"; its profiles: %s", profile, *all ? all : "none");
    free(all);
    return ok;
}

static json_t *new_order(struct work *w)
{
    struct strs names = {0};
    json_t *ids = json_array();
    const char *profile = section_text(w->c->section, "profile"), *replaces = json_str(w->handle, "replaces");
    strs_split(&names, w->k->o->names);
    for (size_t i = 0; i < names.n; i++)
        json_array_append_new(ids, json_pack("{s:s, s:s}", "type", "dns", "value", names.s[i]));
    json_t *j = json_pack("{s:o}", "identifiers", ids);
    if (profile)
        json_object_set_new(j, "profile", json_string(profile));
    if (*replaces && w->c->dir.renewal_info)
        json_object_set_new(j, "replaces", json_string(replaces));
    strs_free(&names);
    return j;
}

static void ordered(struct op *op, const struct err *e);

static void order_now(struct work *w)
{
    struct err e = {0};
    if (!profile_ok(w->c, section_text(w->c->section, "profile"), &e)) {
        work_fail(w, &e);
        return;
    }
    acme_request_clear(&w->one);
    w->one = (struct acme_request){.op = {.done = ordered, .owner = w},
                                   .about = "the order",
                                   .url = mem_str(w->c->dir.new_order),
                                   .payload = json_line(new_order(w)),
                                   .wait_key = w->wait_key};
    acme_send(w->c, &w->one);
}

static void get_ready(struct work *w, unsigned nonces);

/* An order that the CA refused at once: what can be mended by itself is, the rest is told with the names concerned. */
static void not_ordered(struct work *w, const struct err *e)
{
    struct err all = {0};
    struct err *err = NULL;
    size_t n = 0;
    if (problem_is(&w->one.problem, "accountDoesNotExist") && !w->again) {
        w->again = true;
        account_forget_url(w->c);
        get_ready(w, 1);
        return;
    }
    if (*json_str(w->handle, "replaces") && (problem_is(&w->one.problem, "alreadyReplaced") || w->one.http.status == 409) && !w->again) {
        w->again = true;
        json_object_del(w->handle, "replaces");
        order_now(w);
        return;
    }
    if (json_array_size(json_object_get(w->one.json, "subproblems"))) {
        err = mem_array(NAMES_MAX, sizeof *err);
        n = order_error(w->one.json, "the order", err, NAMES_MAX, &all);
    }
    for (size_t i = 0; i < n; i++)
        ca_case_proof(w->k, err[i].where)->err = err[i];
    free(err);
    if (all.rc != RC_OK && e->not_before)
        err_again(&all, e->not_before);
    work_fail(w, all.rc != RC_OK ? &all : e);
}

/* A run that is killed before the order's URL is committed leaves an order at the CA that nobody here knows. The next run asks for another one: it costs
 * nothing, and the CA drops the first when it expires. The account's list of orders (RFC 8555, 7.1.2.1) could tell, but Let's Encrypt gives none. */
static void ordered(struct op *op, const struct err *e)
{
    struct work *w = op->owner;
    struct err fault = {0};
    char url[URL_SIZE];
    if (e) {
        not_ordered(w, e);
        return;
    }
    if (!http_header(&w->one.http, "Location", url, sizeof url))
        *url = 0;
    if (!acme_url_ok(w->c, url, "URL of the order", &fault)) {
        work_fail(w, &fault);
        return;
    }
    json_object_set_new(w->handle, "order", json_string(url));
    work_keep(w);
    work_take_order(w);
}

/* --- finalize ------------------------------------------------------------------------------------------------------------------------- */

/* Only where nothing can have come of it is the CSR called unsent again. */
static void finalized(struct op *op, const struct err *e)
{
    struct work *w = op->owner;
    if (!e) {
        early_take(w);
        return;
    }
    bool refused = w->one.problem.kind && w->one.http.status < 500 && !problem_is(&w->one.problem, "orderNotReady");
    if (!w->one.sent || refused)
        json_object_del(w->handle, "sent");
    work_fail(w, e);
}

void work_finalize(struct work *w)
{
    struct str csr = STR_INIT(1 << 20);
    if (w->finalized) { /* asked again in this call, and it is still where it was */
        poll_again(w, CA_ISSUING, w->one.retry_after);
        return;
    }
    w->finalized = true;
    b64url_put(&csr, w->k->o->csr.p, w->k->o->csr.n);
    json_object_set_new(w->handle, "sent", json_true());
    work_keep(w);
    work_ask(w, "the CSR", json_str(w->handle, "finalize"), json_line(json_pack("{s:s}", "csr", str_text(&csr))), finalized);
    early_ask(w);
    str_free(&csr);
}

/* --- the calls ------------------------------------------------------------------------------------------------------------------------ */

static void ready(struct op *op, const struct err *e)
{
    struct work *w = op->owner;
    bool sent = json_is_true(json_object_get(w->handle, "sent")), known = *json_str(w->handle, "order");
    if (e)
        work_fail(w, e);
    else if (!known && w->call == CALL_BEGIN)
        order_now(w);
    else if (!known)
        work_settle(w, CA_NONE, NULL);
    else if (w->call == CALL_CONFIRM && work_known_authz(w))
        work_challenge(w);
    else if (w->call == CALL_SUBMIT && !sent && *json_str(w->handle, "finalize"))
        work_finalize(w);
    else
        work_ask_order(w);
}

static void get_ready(struct work *w, unsigned nonces)
{
    w->ready = (struct acme_ready){.op = {.done = ready, .owner = w}, .account = true, .nonces = nonces};
    acme_ready(w->c, &w->ready);
}

static char *wait_key(const struct ca *c, const char *names)
{
    uint8_t md[SHA256_SIZE];
    char hex[17];
    sha256(names, strlen(names), md);
    hex_show(hex, sizeof hex, md, 8);
    return mem_fmt("%s/wait/%s", c->name, hex);
}

/* As many things can be asked at once as there are names. */
static unsigned at_once(const char *names)
{
    struct strs l = {0};
    strs_split(&l, names);
    unsigned n = l.n < NAMES_MAX ? (unsigned)l.n : NAMES_MAX;
    strs_free(&l);
    return n;
}

static void start(struct ca *c, struct ca_case *k, enum call call)
{
    struct work *w = mem_new(sizeof *w);
    *w = (struct work){.c = c, .k = k, .call = call, .handle = handover_load(k->o)};
    k->impl = w;
    k->look_again = 0;
    *k->ask = 0;
    op_start(&k->op, detach);
    w->wait_key = wait_key(c, k->o->names);
    struct err e = {0};
    bool known = *json_str(w->handle, "order");
    if (k->o->certificate.n)
        work_settle(w, CA_ISSUED, NULL);
    else if (!known && call != CALL_BEGIN)
        work_settle(w, CA_NONE, NULL);
    else if (!known && !acme_may_ask(c, w->wait_key, &e)) /* nothing else is asked for its sake */
        work_fail(w, &e);
    else if (call == CALL_SUBMIT || call == CALL_FETCH || json_is_true(json_object_get(w->handle, "sent")))
        get_ready(w, 1); /* only the order itself is asked for */
    else
        get_ready(w, at_once(k->o->names));
}

static void warmed(struct op *op, const struct err *e)
{
    const struct ca *c = ((struct acme_ready *)op)->ca;
    if (e && e->not_before > clock_now()) /* who needs it would ask anew and tell why, but now nobody may ask */
        say(LEVEL_WARNING, &(struct about){.name = c->name, .step = "ca"}, e->code, "%s", e->text);
}

/* The directory and the nonces. */
void case_warm(struct ca *c, const struct ca_case *k)
{
    char *key = wait_key(c, k->o->names);
    unsigned n = at_once(k->o->names);
    if (!acme_may_ask(c, key, NULL)) {
        /* nothing is asked for its sake */
    } else if (c->dir.known) {
        nonce_more(c, n);
    } else if (op_busy(&c->warm.op)) {
        c->warm.nonces += n;
        nonce_fetch(c, c->warm.nonces);
    } else {
        c->warm = (struct acme_ready){.op = {.done = warmed}, .nonces = n};
        acme_ready(c, &c->warm);
    }
    free(key);
}

void case_look(struct ca *c, struct ca_case *k)
{
    start(c, k, CALL_LOOK);
}

void case_begin(struct ca *c, struct ca_case *k)
{
    start(c, k, CALL_BEGIN);
}

void case_confirm(struct ca *c, struct ca_case *k)
{
    start(c, k, CALL_CONFIRM);
}

void case_submit(struct ca *c, struct ca_case *k)
{
    start(c, k, CALL_SUBMIT);
}

void case_fetch(struct ca *c, struct ca_case *k)
{
    start(c, k, CALL_FETCH);
}
