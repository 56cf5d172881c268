/* nonce.c: replay nonces: those of answers are kept, what is missing is asked for with HEAD, as many at once as there are requests waiting. */
#include "ca/acme/acme_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { NONCE_SIZE = 512 };

struct nonce_head {
    struct http http;
    struct ca *ca;
    struct nonce_head *next, **at;
};

static void leave(struct nonce_head *h)
{
    *h->at = h->next;
    if (h->next)
        h->next->at = h->at;
    h->ca->n_head--;
    http_clear(&h->http);
    free(h);
}

void nonce_take(struct ca *c, const struct http *h)
{
    char nonce[NONCE_SIZE];
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if (c->nonces.n < NONCES_MAX && http_header(h, "Replay-Nonce", nonce, sizeof nonce) && *nonce && !nonce[strspn(nonce, allowed)])
        strs_add(&c->nonces, nonce);
}

static struct acme_request *pop(struct ca *c)
{
    struct acme_request *r = c->first;
    c->first = r->next;
    if (!c->first)
        c->last = NULL;
    c->n_waiting--;
    r->queued = false;
    r->next = NULL;
    return r;
}

/* The newest first: it is the least likely to have expired. */
static void serve(struct ca *c)
{
    while (c->first && c->nonces.n) {
        char *nonce = c->nonces.s[--c->nonces.n];
        acme_request_go(pop(c), nonce);
        free(nonce);
    }
}

static void answered(struct op *op, const struct err *e)
{
    struct nonce_head *h = op->owner;
    struct ca *c = h->ca;
    struct err fault = e ? *e : (struct err){0};
    size_t before = c->nonces.n;
    long status = h->http.status;
    int64_t away = e ? 0 : acme_stay_away(c, NULL, &h->http, false);
    nonce_take(c, &h->http);
    bool got = c->nonces.n > before || before == NONCES_MAX;
    leave(h);
    serve(c);
    if (got || !c->first || c->n_head)
        return;
    if (!e) {
        err_set(&fault, RC_NET, "CA_NONCE", "the CA gives out no nonce (HTTP status %ld), so nothing can be asked of it", status);
        err_again(&fault, away);
    }
    while (c->first)
        acme_request_fail(pop(c), &fault);
}

void nonce_more(struct ca *c, size_t n)
{
    struct err e = {0};
    if (n > NONCES_MAX)
        n = NONCES_MAX;
    for (size_t i = 0; i < n && acme_http(c, &e); i++) {
        struct nonce_head *h = mem_new(sizeof *h);
        h->ca = c;
        h->next = c->head;
        h->at = &c->head;
        if (h->next)
            h->next->at = &h->next;
        c->head = h;
        c->n_head++;
        h->http = (struct http){.op = {.done = answered, .owner = h}, .method = "HEAD", .url = c->dir.new_nonce};
        http_start(c->http, &h->http);
    }
}

void nonce_fetch(struct ca *c, size_t n)
{
    size_t have = c->nonces.n + (c->n_head > c->n_waiting ? c->n_head - c->n_waiting : 0);
    if (n > have)
        nonce_more(c, n - have);
}

void nonce_wait(struct ca *c, struct acme_request *r)
{
    r->next = NULL;
    r->queued = true;
    if (c->last)
        c->last->next = r;
    else
        c->first = r;
    c->last = r;
    c->n_waiting++;
    serve(c);
    if (c->n_waiting > c->n_head)
        nonce_more(c, c->n_waiting - c->n_head);
}

void nonce_leave(struct ca *c, struct acme_request *r)
{
    struct acme_request *before = NULL;
    if (!r->queued)
        return;
    for (struct acme_request *q = c->first; q && q != r; q = q->next)
        before = q;
    *(before ? &before->next : &c->first) = r->next;
    if (c->last == r)
        c->last = before;
    c->n_waiting--;
    r->queued = false;
    r->next = NULL;
}

void nonce_close(struct ca *c)
{
    while (c->head)
        leave(c->head);
    strs_free(&c->nonces);
}
