/* request.c: one request to the CA: signed, repeated where only the nonce was bad, its answer judged. */
#include "ca/acme/acme_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"

enum { BROKEN_MAX = 2, JWS_MAX = 4 << 20 };
static const char module[] = "acme";

/* --- the CA wants to be left alone ------------------------------------------------------------------------------------------------- */

static char *wait_name(const struct ca *c, const char *key)
{
    return key ? mem_str(key) : mem_fmt("%s/wait", c->name);
}

static int64_t read_wait(struct ca *c, const char *key)
{
    char *name = wait_name(c, key), *text = value_get(c->store, module, name);
    int64_t at = text ? strtoll(text, NULL, 10) : 0;
    free(text);
    free(name);
    return at > clock_now() + DAY ? 0 : at; /* longer is believed of nobody: a clock was wrong */
}

static int64_t waits(struct ca *c, const char *key)
{
    if (c->waits < 0)
        c->waits = read_wait(c, NULL);
    int64_t at = key ? read_wait(c, key) : 0, now = clock_now();
    at = at > c->waits ? at : c->waits;
    return at > now ? at : 0;
}

static void note_wait(struct ca *c, const char *key, int64_t at)
{
    char *name = wait_name(c, key), *text = at ? mem_fmt("%lld", (long long)at) : NULL;
    struct err e = {0};
    if (!key)
        c->waits = at;
    value_put(c->store, module, name, text, &e); /* where it fails the turn fails, and says so */
    free(text);
    free(name);
}

bool acme_may_ask(struct ca *c, const char *key, struct err *e)
{
    int64_t until = waits(c, key);
    char when[32];
    if (!until)
        return true;
    if (c->nonce_status) /* learnt in this run, by a nonce asked for early: nobody was told yet */
        return nonce_refused(c, e, until);
    time_local(until, when);
    err_set(e, RC_LATER, "CA_WAITS", "the CA asked not to be asked before %s; nothing is sent to it until then", when);
    return err_again(e, until);
}

int64_t acme_stay_away(struct ca *c, const char *key, const struct http *h, bool limited)
{
    int64_t now = clock_now(), at = http_retry_after(h, now);
    limited |= h->status == 429;
    if ((!limited && h->status != 503) || at <= now)
        return 0;
    note_wait(c, limited ? key : NULL, at);
    return at;
}

/* --- sending --------------------------------------------------------------------------------------------------------------------- */

static void answered(struct op *op, const struct err *e);

static void settle(struct acme_request *r, const struct err *e)
{
    struct err own = e ? *e : (struct err){0};
    if (e)
        err_at(&own, "%s", r->ca->name);
    op_settle(&r->op, e ? &own : NULL);
}

void acme_request_fail(struct acme_request *r, const struct err *e)
{
    settle(r, e);
}

static void over(struct acme_request *r)
{
    r->ca->n_signed -= r->counted;
    r->counted = false;
}

static void detach(struct op *op)
{
    struct acme_request *r = (struct acme_request *)op;
    nonce_leave(r->ca, r);
    over(r);
    http_clear(&r->http);
    nonce_pump(r->ca);
}

static void transfer(struct acme_request *r)
{
    struct err e = {0};
    if (!acme_http(r->ca, &e)) {
        settle(r, &e);
        return;
    }
    r->http.op.done = answered;
    r->http.op.owner = r;
    r->http.method = r->plain ? "GET" : "POST";
    r->http.url = r->url;
    r->http.headers = &r->headers;
    r->http.body = (struct bytes){(const uint8_t *)r->body.p, r->body.n};
    r->http.max = ANSWER_MAX;
    r->http.repeatable = r->repeatable || !r->payload;
    r->counted = !r->plain;
    r->ca->n_signed += r->counted;
    http_start(r->ca->http, &r->http);
}

void acme_request_go(struct acme_request *r, const char *nonce)
{
    const struct jws_key *key = r->key ? r->key : r->ca->account.key;
    json_t *head = json_pack("{s:s, s:s, s:s}", "alg", jws_alg(key), "nonce", nonce, "url", r->url);
    if (r->by_key)
        json_object_set_new(head, "jwk", json_loads(jws_jwk(key), 0, NULL));
    else
        json_object_set_new(head, "kid", json_string(r->ca->account.url ? r->ca->account.url : ""));
    char *header = json_line(head);
    struct bytes payload = {(const uint8_t *)r->payload, r->payload ? strlen(r->payload) : 0};
    struct err e = {0};
    str_free(&r->body);
    r->body = STR_INIT(JWS_MAX);
    if (jws_sign(key, header, payload, &r->body, &e))
        transfer(r);
    else
        settle(r, &e);
    free(header);
}

void acme_send(struct ca *c, struct acme_request *r)
{
    op_start(&r->op, detach);
    r->ca = c;
    struct err e = {0};
    if (!acme_may_ask(c, r->wait_key, &e)) {
        settle(r, &e);
        return;
    }
    if (!r->headers.n) {
        char *accept = mem_fmt("Accept: %s", r->accept ? r->accept : "application/json");
        strs_add(&r->headers, accept);
        free(accept);
        if (!r->plain)
            strs_add(&r->headers, "Content-Type: application/jose+json");
    }
    if (r->plain)
        transfer(r);
    else
        nonce_wait(c, r);
}

void acme_request_clear(struct acme_request *r)
{
    op_cancel(&r->op);
    http_clear(&r->http);
    strs_free(&r->headers);
    str_free(&r->body);
    json_decref(r->json);
    free(r->url);
    free(r->payload);
    *r = (struct acme_request){0};
}

/* --- judging --------------------------------------------------------------------------------------------------------------------- */

static bool is_type(const struct http *h, const char *wanted)
{
    char type[128];
    size_t n = strlen(wanted);
    if (!http_header(h, "Content-Type", type, sizeof type) || strncasecmp(type, wanted, n) != 0)
        return false;
    return type[n] == 0 || strchr("; \t", type[n]) != NULL;
}

/* The body itself is not shown: it is whatever stands at that address. */
static bool strange(struct acme_request *r, const char *what, struct err *e)
{
    char type[64] = "", safe_type[80], where[40] = "";
    http_header(&r->http, "Content-Type", type, sizeof type);
    text_safe(safe_type, sizeof safe_type, type, strlen(type));
    if (r->unread)
        snprintf(where, sizeof where, " (octet %zu)", r->unread - 1);
    bool elsewhere = r->http.status >= 300 && r->http.status < 400;
    err_set(e, r->http.status >= 500 ? RC_NET : RC_CA, "CA_ANSWER", "the CA's answer about %s (HTTP %ld, %s, %zu octets) %s%s", r->about,
            r->http.status, *safe_type ? safe_type : "no type", r->http.in.n,
            elsewhere ? "sends us elsewhere, which is not followed" : what, where);
    return err_again(e, 0);
}

/* r->unread: where it stops to be JSON, counted from 1. */
static bool parse(struct acme_request *r)
{
    json_error_t why = {0};
    json_decref(r->json);
    r->json = r->http.in.n ? json_loadb(r->http.in.p, r->http.in.n, JSON_REJECT_DUPLICATES, &why) : NULL;
    r->unread = r->json || r->http.in.n == 0 ? 0 : (size_t)why.position + 1;
    if (json_is_object(r->json))
        return true;
    json_decref(r->json);
    r->json = NULL;
    return false;
}

static bool good(struct acme_request *r, struct err *e)
{
    r->problem = (struct problem){0};
    if (r->accept)
        return is_type(&r->http, r->accept) || strange(r, "is not of the type that was asked for", e);
    if (r->http.in.n == 0)
        return true;
    if (!is_type(&r->http, "application/json"))
        return strange(r, "is not JSON", e);
    return parse(r) || strange(r, "is no JSON object", e);
}

static bool refused(struct acme_request *r, struct err *e)
{
    bool json = is_type(&r->http, "application/problem+json") || is_type(&r->http, "application/json");
    r->problem = (struct problem){0};
    if (json && parse(r)) {
        problem_read(&r->problem, r->json);
        size_t at = 0;
        char terms[256];
        if (problem_is(&r->problem, "userActionRequired") && http_link(&r->http, "terms-of-service", &at, terms, sizeof terms))
            text_safe(r->problem.url, sizeof r->problem.url, terms, strlen(terms));
        problem_err(&r->problem, r->about, r->http.status, e);
    } else {
        strange(r, "is no problem document", e);
    }
    int64_t at = acme_stay_away(r->ca, r->wait_key, &r->http, problem_is(&r->problem, "rateLimited"));
    return at ? err_again(e, at) : false;
}

/* Asked again where that can do no harm: a question that broke off, or one whose nonce was not taken. */
static bool again(struct acme_request *r, const struct err *e)
{
    bool effect = r->payload != NULL;
    if (e && !effect && r->broken < BROKEN_MAX && e->code && strcmp(e->code, "HTTP_BROKEN") == 0) {
        r->broken++;
    } else if (!e && problem_is(&r->problem, "badNonce") && r->bad_nonces < BAD_NONCES) {
        r->bad_nonces++;
    } else {
        return false;
    }
    if (r->plain)
        transfer(r);
    else
        nonce_wait(r->ca, r);
    return true;
}

static void judge(struct acme_request *r)
{
    struct err fault = {0};
    r->retry_after = http_retry_after(&r->http, clock_now());
    bool ok = r->http.status >= 200 && r->http.status < 300 ? good(r, &fault) : refused(r, &fault);
    if (ok && r->ca->waits > 0 && r->ca->waits <= clock_now())
        note_wait(r->ca, NULL, 0);
    if (!ok && again(r, NULL))
        return;
    settle(r, ok ? NULL : &fault);
}

static void answered(struct op *op, const struct err *e)
{
    struct acme_request *r = op->owner;
    struct ca *c = r->ca;
    r->sent = r->http.sent;
    over(r);
    if (!e && r->payload)
        durable("acme");
    if (!e)
        nonce_take(c, &r->http);
    if (!e)
        judge(r);
    else if (!again(r, e))
        settle(r, e);
    nonce_pump(c);
}
