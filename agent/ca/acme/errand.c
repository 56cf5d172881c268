/* errand.c: what a person asks for: the account shown, its key changed, deactivated; a certificate revoked. */
#include "ca/acme/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cert/leaf.h"

struct errand {
    struct ca *c;
    struct ca_errand *r;
    struct acme_ready ready;
    struct acme_request request;
};

static void errand_free(struct errand *w)
{
    op_cancel(&w->ready.op);
    acme_request_clear(&w->request);
    free(w);
}

static void detach(struct op *op)
{
    struct ca_errand *r = (struct ca_errand *)op;
    errand_free(r->impl);
    r->impl = NULL;
}

static void settle(struct errand *w, const struct err *e)
{
    struct ca_errand *r = w->r;
    struct err own = e ? *e : (struct err){0};
    snprintf(r->url, sizeof r->url, "%s", w->c->account.url ? w->c->account.url : "");
    r->impl = NULL;
    errand_free(w);
    op_settle(&r->op, &own);
}

static void send(struct errand *w, const char *about, const char *url, char *payload, op_fn *done)
{
    acme_request_clear(&w->request);
    w->request = (struct acme_request){.op = {.done = done, .owner = w}, .about = about, .url = mem_str(url), .payload = payload};
    acme_send(w->c, &w->request);
}

static void take_status(struct errand *w)
{
    const char *status = json_str(w->request.json, "status");
    text_safe(w->r->status, sizeof w->r->status, status, strlen(status));
}

static void shown(struct op *op, const struct err *e)
{
    struct errand *w = op->owner;
    if (!e)
        take_status(w);
    settle(w, e);
}

static void deactivated(struct op *op, const struct err *e)
{
    struct errand *w = op->owner;
    if (!e) {
        take_status(w);
        w->c->account.deactivated = true;
        w->c->account.step = ACCOUNT_UNKNOWN;
        account_save(w->c);
    }
    settle(w, e);
}

static void revoked(struct op *op, const struct err *e)
{
    struct errand *w = op->owner;
    bool before = e && problem_is(&w->request.problem, "alreadyRevoked");
    if (!e || before)
        snprintf(w->r->status, sizeof w->r->status, "revoked");
    settle(w, before ? NULL : e);
}

static void revoke(struct errand *w)
{
    struct err e = {0};
    char *der = w->c->dir.revoke_cert ? leaf_base64url(w->r->certificate, &e) : NULL;
    if (!w->c->dir.revoke_cert)
        err_set(&e, RC_CA, "CA_OFFERS", "the CA's directory has no revokeCert: revoke the certificate as the CA describes");
    if (der)
        send(w, "the revocation", w->c->dir.revoke_cert, json_line(json_pack("{s:s, s:i}", "certificate", der, "reason", w->r->reason)),
             revoked);
    else
        settle(w, &e);
    free(der);
}

/* --- key change (RFC 8555 7.3.5) ---------------------------------------------------------------------------------------------------- */

static void rolled(struct op *op, const struct err *e)
{
    struct errand *w = op->owner;
    struct acme_account *a = &w->c->account;
    if (!e) {
        jws_key_free(a->key);
        a->key = a->next;
        a->next = NULL;
        a->n++;
        account_save(w->c);
        snprintf(w->r->status, sizeof w->r->status, "valid");
    } else if (w->request.problem.kind && w->request.http.status < 500) {
        account_key_drop(w->c, a->n + 1);
    }
    settle(w, e);
}

/* The inner message, signed by the new key: that its owner agrees. */
static char *key_change(struct ca *c, struct err *e)
{
    struct acme_account *a = &c->account;
    struct str out = STR_INIT(65536);
    json_t *jwk = json_loads(jws_jwk(a->next), 0, NULL), *old = json_loads(jws_jwk(a->key), 0, NULL);
    char *header = json_line(json_pack("{s:s, s:o, s:s}", "alg", jws_alg(a->next), "jwk", jwk, "url", c->dir.key_change));
    char *payload = json_line(json_pack("{s:s, s:o}", "account", a->url, "oldKey", old));
    bool ok = jws_sign(a->next, header, (struct bytes){(const uint8_t *)payload, strlen(payload)}, &out, e);
    free(header);
    free(payload);
    char *text = str_take(&out);
    if (ok)
        return text;
    free(text);
    return NULL;
}

static void roll_over(struct errand *w)
{
    struct ca *c = w->c;
    struct acme_account *a = &c->account;
    struct err e = {0};
    char *inner = NULL;
    if (!c->dir.key_change)
        err_set(&e, RC_CA, "CA_OFFERS", "the CA's directory has no keyChange: the key of an account cannot be changed there");
    else if (account_key_there(c, a->n + 1) || account_key_make(c, a->n + 1, &e)) {
        jws_key_free(a->next);
        a->next = account_key_read(c, a->n + 1, &e);
        inner = a->next ? key_change(c, &e) : NULL;
    }
    if (inner)
        send(w, "the change of the account's key", c->dir.key_change, inner, rolled);
    else
        settle(w, &e);
}

static void ready(struct op *op, const struct err *e)
{
    struct errand *w = op->owner;
    if (e) {
        settle(w, e);
        return;
    }
    switch (w->r->what) {
    case ERRAND_ACCOUNT:
        send(w, "the account", w->c->account.url, NULL, shown);
        break;
    case ERRAND_DEACTIVATE:
        send(w, "the account's end", w->c->account.url, mem_str("{\"status\":\"deactivated\"}"), deactivated);
        break;
    case ERRAND_ROLLOVER:
        roll_over(w);
        break;
    case ERRAND_REVOKE:
        revoke(w);
        break;
    }
}

void account_errand(struct ca *c, struct ca_errand *r)
{
    struct errand *w = mem_new(sizeof *w);
    *w = (struct errand){.c = c, .r = r, .ready = {.account = true, .nonces = 1}};
    *r->url = *r->status = 0;
    r->impl = w;
    op_start(&r->op, detach);
    if (r->what == ERRAND_ACCOUNT)
        account_reopen(c);
    w->ready.op.done = ready;
    w->ready.op.owner = w;
    acme_ready(c, &w->ready);
}
