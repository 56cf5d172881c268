/* chain.c: the certificate and its chain: the CA's first, or the alternate one that ends where preferred_chain says. */
#include "ca/acme/work.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cert/leaf.h"

enum { ALTERNATES_MAX = 8 };
static const char pem_type[] = "application/pem-certificate-chain";

static void take(struct work *w, char *pem, size_t n)
{
    struct saved_order *o = w->k->o;
    free((void *)(uintptr_t)o->certificate.p);
    o->certificate = (struct bytes){(const uint8_t *)pem, n};
    work_settle(w, CA_ISSUED, NULL);
}

static bool preferred(const struct work *w, const void *pem, size_t n)
{
    const char *want = section_text(w->c->section, "preferred_chain");
    char top[256];
    return !want || (leaf_top_issuer(pem, n, top, sizeof top) && strcmp(top, want) == 0);
}

static void take_first(struct work *w)
{
    char *pem = w->pem;
    w->pem = NULL;
    take(w, pem, w->n_pem);
}

static void got_alternate(struct op *op, const struct err *e);

static void ask_chain(struct work *w, const char *url, op_fn *done)
{
    acme_request_clear(&w->one);
    w->one = (struct acme_request){.op = {.done = done, .owner = w}, .about = "the certificate", .url = mem_str(url), .accept = pem_type};
    acme_send(w->c, &w->one);
}

static void next_alternate(struct work *w)
{
    const char *want = section_text(w->c->section, "preferred_chain");
    if (w->at_alternate < w->alternate.n) {
        ask_chain(w, w->alternate.s[w->at_alternate++], got_alternate);
        return;
    }
    say(LEVEL_WARNING, &(struct about){.cert = w->k->o->cert, .step = "chain"}, "CHAIN_NOT_OFFERED",
        "none of the %zu chains that the CA offers ends at \"%s\" (preferred_chain); its first one is used", w->alternate.n + 1, want);
    take_first(w);
}

static void got_alternate(struct op *op, const struct err *e)
{
    struct work *w = op->owner;
    const struct str *in = &w->one.http.in;
    if (!e && in->n && preferred(w, in->p, in->n))
        take(w, mem_copy(in->p, in->n), in->n);
    else
        next_alternate(w);
}

static void got_certificate(struct op *op, const struct err *e)
{
    struct work *w = op->owner;
    char url[URL_SIZE];
    struct err fault = {0};
    if (e || w->one.http.in.n == 0) {
        err_set(&fault, RC_CA, "CA_ANSWER", "the CA's answer about the certificate is empty");
        work_settle(w, CA_ISSUING, e ? e : &fault);
        return;
    }
    w->n_pem = w->one.http.in.n;
    w->pem = mem_copy(w->one.http.in.p, w->n_pem);
    if (preferred(w, w->pem, w->n_pem)) {
        take_first(w);
        return;
    }
    for (size_t at = 0; w->alternate.n < ALTERNATES_MAX && http_link(&w->one.http, "alternate", &at, url, sizeof url);)
        if (acme_url_ok(w->c, url, "URL of a chain", NULL))
            strs_add(&w->alternate, url);
    next_alternate(w);
}

void work_download(struct work *w)
{
    ask_chain(w, json_str(w->handle, "certificate"), got_certificate);
}
