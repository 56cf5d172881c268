/* renewal.c: when the CA wants a certificate replaced (RFC 9773). Nothing is signed, no account is needed. */
#include "ca/acme/acme_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cert/leaf.h"

enum { ASK_AGAIN = 6 * HOUR };

struct asking {
    struct ca *c;
    struct ca_renewal *r;
    struct acme_ready ready;
    struct acme_request request;
};

static void asking_free(struct asking *w)
{
    op_cancel(&w->ready.op);
    acme_request_clear(&w->request);
    free(w);
}

static void detach(struct op *op)
{
    struct ca_renewal *r = (struct ca_renewal *)op;
    asking_free(r->impl);
    r->impl = NULL;
}

static void settle(struct asking *w, const struct err *e)
{
    struct ca_renewal *r = w->r;
    struct err own = e ? *e : (struct err){0};
    r->impl = NULL;
    asking_free(w);
    op_settle(&r->op, &own);
}

void renewal_window(struct ca_renewal *r, const json_t *j)
{
    const json_t *window = json_object_get(j, "suggestedWindow");
    const char *url = json_str(j, "explanationURL");
    int64_t from, to;
    if (!time_parse(json_str(window, "start"), &from) || !time_parse(json_str(window, "end"), &to) || to <= from || from <= 0)
        return;
    r->from = from;
    r->to = to;
    text_safe(r->explanation, sizeof r->explanation, url, strlen(url));
}

static void answered(struct op *op, const struct err *e)
{
    struct asking *w = op->owner;
    bool unknown = e && w->request.http.status >= 400 && w->request.http.status < 500 && w->request.http.status != 429;
    if (!e)
        renewal_window(w->r, w->request.json);
    w->r->ask_again = w->request.retry_after ? w->request.retry_after : clock_now() + ASK_AGAIN;
    settle(w, unknown ? NULL : e);
}

static void ready(struct op *op, const struct err *e)
{
    struct asking *w = op->owner;
    if (e || !w->c->dir.renewal_info) {
        w->r->ask_again = clock_now() + ASK_AGAIN;
        settle(w, e);
        return;
    }
    struct err fault = {0};
    if (!leaf_renewal_id(w->r->certificate, w->r->id, sizeof w->r->id, &fault)) {
        *w->r->id = 0;
        settle(w, &fault);
        return;
    }
    size_t n = strlen(w->c->dir.renewal_info);
    char *url = mem_fmt("%s%s%s", w->c->dir.renewal_info, n && w->c->dir.renewal_info[n - 1] == '/' ? "" : "/", w->r->id);
    w->request = (struct acme_request){.op = {.done = answered, .owner = w}, .about = "the time to renew", .url = url, .plain = true};
    acme_send(w->c, &w->request);
}

void acme_renewal(struct ca *c, struct ca_renewal *r)
{
    struct asking *w = mem_new(sizeof *w);
    *w = (struct asking){.c = c, .r = r};
    r->from = r->to = r->ask_again = 0;
    *r->explanation = *r->id = 0;
    r->impl = w;
    op_start(&r->op, detach);
    w->ready.op.done = ready;
    w->ready.op.owner = w;
    acme_ready(c, &w->ready);
}
