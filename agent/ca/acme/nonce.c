/* nonce.c: replay nonces. What answers bring is kept; what is missing is asked for with HEAD, many side by side, and earlier than it is needed: beside
 * the directory where newNonce's URL is known of an earlier run.
 *
 * Every signed request brings a nonce back for the one that it took, so others may wait for those under way instead of asking. Some CAs bear few HEADs at
 * once (Let's Encrypt: 10, then 20 a second) and refuse the others: how many it gave is remembered, and no more are asked for in a run. */
#include "ca/acme/acme_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { NONCE_SIZE = 512, URGENT = 2 /* nonces, with which orders begin */ };

struct nonce_head {
    struct http http;
    struct ca *ca;
    struct nonce_head *next, **at;
};

/* --- across runs ---------------------------------------------------------------------------------------------------------------------- */

static void remember(struct ca *c)
{
    memory_keep(c, "nonces",
                json_pack("{s:s, s:s, s:I}", "directory", c->directory, "url", c->nonce_url, "most", (json_int_t)c->nonce_most));
}

void nonce_recall(struct ca *c)
{
    json_t *j = memory_recall(c, "nonces");
    int64_t most = json_num(j, "most");
    if (!c->nonce_url && strcmp(json_str(j, "directory"), c->directory) == 0) {
        c->nonce_url = mem_str(json_str(j, "url"));
        if (most > 0 && most < NONCES_MAX)
            c->nonce_most = c->nonce_left = (size_t)most;
    }
    json_decref(j);
}

void nonce_at(struct ca *c, const char *url)
{
    if (c->nonce_url && strcmp(c->nonce_url, url) == 0)
        return;
    nonce_close(c);
    c->nonce_url = mem_str(url);
    remember(c);
}

/* --- the pool --------------------------------------------------------------------------------------------------------------------------- */

static void leave(struct nonce_head *h)
{
    *h->at = h->next;
    if (h->next)
        h->next->at = h->at;
    h->ca->n_head--;
    http_clear(&h->http);
    free(h);
}

bool nonce_take(struct ca *c, const struct http *h)
{
    char nonce[NONCE_SIZE];
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if (!http_header(h, "Replay-Nonce", nonce, sizeof nonce) || !*nonce || nonce[strspn(nonce, allowed)])
        return false;
    if (c->nonces.n < NONCES_MAX)
        strs_add(&c->nonces, nonce);
    c->nonce_status = 0;
    return true;
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

/* Those who wait get what is at hand, the newest first: it is the least likely to have expired. HEADs make up for what nothing under way will bring. */
void nonce_pump(struct ca *c)
{
    while (c->first && c->nonces.n) {
        char *nonce = c->nonces.s[--c->nonces.n];
        acme_request_go(pop(c), nonce);
        free(nonce);
    }
    if (c->n_waiting > c->n_head + c->n_signed)
        nonce_more(c, c->n_waiting - c->n_head - c->n_signed);
}

/* --- HEAD ------------------------------------------------------------------------------------------------------------------------------- */

bool nonce_refused(const struct ca *c, struct err *e, int64_t away)
{
    err_set(e, RC_NET, "CA_NONCE", "the CA gives out no nonce (HTTP status %ld), so nothing can be asked of it", c->nonce_status);
    return err_again(e, away);
}

static void nobody_gives(struct ca *c, const struct err *e, int64_t away)
{
    struct err fault = e ? *e : (struct err){0};
    if (!e)
        nonce_refused(c, &fault, away);
    while (c->first)
        acme_request_fail(pop(c), &fault);
}

static void burst_over(struct ca *c)
{
    if (c->n_given && c->too_many) {
        c->nonce_most = c->n_given;
        remember(c);
    }
    if (c->too_many || !c->n_given)
        c->nonce_left = 0;
    c->n_given = 0;
    c->too_many = false;
}

static void answered(struct op *op, const struct err *e)
{
    struct nonce_head *h = op->owner;
    struct ca *c = h->ca;
    long status = h->http.status;
    bool last = c->n_head == 1;
    c->n_given += nonce_take(c, &h->http);
    c->too_many |= status == 429 || status == 503;
    bool none = last && c->n_given == 0;
    c->nonce_status = none && !e ? status : 0;
    int64_t away = c->nonce_status ? acme_stay_away(c, NULL, &h->http, false) : 0;
    leave(h);
    if (last)
        burst_over(c);
    if (none && !c->nonces.n && !c->n_signed)
        nobody_gives(c, e, away);
    else
        nonce_pump(c);
}

void nonce_more(struct ca *c, size_t n)
{
    struct err e = {0};
    bool needed = !c->nonces.n && !c->n_head && !c->n_signed;
    size_t most = needed && !c->nonce_left ? 1 : c->nonce_left;
    n = n < most ? n : most;
    for (size_t i = 0; i < n && acme_http(c, &e); i++) {
        struct nonce_head *h = mem_new(sizeof *h);
        h->ca = c;
        h->next = c->head;
        h->at = &c->head;
        if (h->next)
            h->next->at = &h->next;
        c->head = h;
        c->n_head++;
        c->nonce_left -= c->nonce_left > 0;
        h->http = (struct http){.op = {.done = answered, .owner = h}, .method = "HEAD", .url = c->nonce_url, .patient = i >= URGENT};
        http_start(c->http, &h->http);
    }
}

void nonce_fetch(struct ca *c, size_t n)
{
    size_t have = c->nonces.n + (c->n_head > c->n_waiting ? c->n_head - c->n_waiting : 0);
    if (n > have && c->nonce_url)
        nonce_more(c, n - have);
}

/* --- who waits -------------------------------------------------------------------------------------------------------------------------- */

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
    nonce_pump(c);
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
    free(c->nonce_url);
    c->nonce_url = NULL;
}
