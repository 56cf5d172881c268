/* pickup.c: the certificate from the last page's link, and from there and the description what else belongs to its chain.
 *
 * What comes is public and proves itself: the leaf by our key (order/steps/accept.c), the others by their signatures (cert/chain.c), so http will do for them
 * where the description allows it, without cookies. Self-signed ones are no more trusted for having come this way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ca/portal/portal_impl.h"
#include "cert/chain.h"

enum { FILES_MAX = 16 };

struct pickup {
    struct walk *w;
    struct strs url; /* the certificate's first */
    size_t at;
    struct issued *set;
    unsigned missing;   /* files beside the certificate that could not be had */
    struct err first;   /* why the first of them */
    struct visit visit; /* as the logged-in visitor */
    struct http http;   /* as anybody */
};

void pickup_free(struct pickup *p)
{
    if (!p)
        return;
    visit_clear(&p->visit);
    http_clear(&p->http);
    issued_free(p->set);
    strs_free(&p->url);
    free(p);
}

static void next(struct pickup *p);

/* Without all the files: is the chain whole all the same (chain_files, the system's roots)? */
static bool chain_is_whole(const struct pickup *p)
{
    const struct ca *c = p->w->c;
    struct chain chain = {0};
    struct err e = {0};
    struct chain_in in = {.given = p->set, .files = &c->chain_files, .form = CHAIN_FULL, .now = clock_now()};
    bool whole = chain_build(&in, &chain, &e);
    chain_clear(&chain);
    return whole;
}

/* A portal shows the last certificate until the CA has opened the next one: nothing of this order has arrived there then. */
static bool is_ours(const struct pickup *p, struct err *e)
{
    const struct walk *w = p->w;
    struct ordered want = {.spki = w->k->o->spki, .names = &w->names, .now = clock_now()};
    struct err why = {0};
    size_t leaf;
    return json_num(w->h, "submitted") || issued_check(p->set, &want, &leaf, &why) || !why.code || strcmp(why.code, "CERT_KEY") != 0 ||
           err_set(e, RC_CA, "PORTAL_OTHER",
                   "the portal shows a certificate of another key, though nothing of this order was submitted: one issued before, or for a "
                   "CSR of somebody else's. If the CA has not opened this order yet, wait; else ask it");
}

static void hand_on(struct pickup *p)
{
    struct walk *w = p->w;
    struct saved_order *o = w->k->o;
    struct err other = {0};
    if (!is_ours(p, &other)) {
        walk_finish(w, &other);
        return;
    }
    if (p->missing && !chain_is_whole(p)) {
        struct err e = p->first;
        walk_finish(w, &e);
        return;
    }
    char *pem = issued_pem(p->set, 0);
    free((void *)(uintptr_t)o->certificate.p);
    o->certificate = (struct bytes){(const uint8_t *)pem, strlen(pem)};
    walk_has_csr(w);
    walk_finish(w, NULL);
}

static void failed(struct pickup *p, struct err *e)
{
    char safe[160];
    const char *url = p->url.s[p->at];
    text_safe(safe, sizeof safe, url, url_bare(url));
    err_at(e, "%s", safe);
    if (p->at == 0) {
        walk_finish(p->w, e);
        return;
    }
    say(LEVEL_INFO, &(struct about){.cert = p->w->k->o->cert, .name = safe, .step = "portal"}, e->code, "%s", e->text);
    if (p->missing++ == 0)
        p->first = *e;
    p->at++;
    next(p);
}

static const struct public_file *kept_file(const struct ca *c, const char *url)
{
    for (size_t i = 0; i < c->n_file; i++)
        if (strcmp(c->file[i].url, url) == 0)
            return &c->file[i];
    return NULL;
}

static void keep_file(struct ca *c, const char *url, const char *octets, size_t n)
{
    if (c->n_file < sizeof c->file / sizeof *c->file && !kept_file(c, url))
        c->file[c->n_file++] = (struct public_file){mem_str(url), {mem_copy(octets, n), n}};
}

static void got(struct pickup *p, long status, const char *octets, size_t n)
{
    struct err e = {0};
    bool ok = status == 200 ||
              err_set(&e, status >= 500 ? RC_NET : RC_PAGES, "PORTAL_FILE", "the portal answers %ld instead of a certificate", status);
    ok = ok && issued_read(&p->set, octets, n, &e);
    if (ok && p->at > 0 && !origin_in(guide_origins(p->w->c->guide), p->url.s[p->at], false))
        keep_file(p->w->c, p->url.s[p->at], octets, n);
    if (!ok) {
        failed(p, &e);
        return;
    }
    p->at++;
    next(p);
}

static void visited(struct op *op, const struct err *e)
{
    struct pickup *p = op->owner;
    struct err fault = e ? *e : (struct err){0};
    if (e)
        failed(p, &fault);
    else
        got(p, p->visit.status, str_text(&p->visit.file), p->visit.file.n);
}

static void fetched(struct op *op, const struct err *e)
{
    struct pickup *p = op->owner;
    struct err fault = e ? *e : (struct err){0};
    if (e)
        failed(p, &fault);
    else
        got(p, p->http.status, str_text(&p->http.in), p->http.in.n);
}

static void next(struct pickup *p)
{
    struct ca *c = p->w->c;
    if (p->at == p->url.n) {
        hand_on(p);
        return;
    }
    const char *url = p->url.s[p->at];
    const struct public_file *kept = kept_file(c, url);
    if (kept && p->at > 0) {
        got(p, 200, (const char *)kept->octets.p, kept->octets.n);
    } else if (origin_in(guide_origins(c->guide), url, false)) {
        visit_clear(&p->visit);
        p->visit = (struct visit){.op = {.done = visited, .owner = p}, .url = url, .from = page_url(p->w->page), .raw = true};
        portal_visit(p->w->window->session, &p->visit);
    } else if (origin_in(guide_pickup(c->guide), url, true)) {
        http_clear(&p->http);
        p->http = (struct http){.op = {.done = fetched, .owner = p}, .method = "GET", .url = url, .repeatable = true};
        http_start(c->plain, &p->http);
    } else {
        struct err e = {0};
        err_set(&e, RC_PAGES, "PORTAL_ORIGIN",
                "it is on none of the origins that the description allows (origins, pickup); it was not fetched from there");
        failed(p, &e);
    }
}

static void add(struct pickup *p, const char *url)
{
    if (url && p->url.n < FILES_MAX && !strs_has(&p->url, url))
        strs_add(&p->url, url);
}

void pickup_start(struct walk *w)
{
    struct pickup *p = w->pickup = mem_new(sizeof *p);
    const struct strs *known = guide_chain_urls(w->c->guide);
    p->w = w;
    for (size_t i = 0; i < w->reading.n_link && p->url.n == 0; i++) /* the same in several forms: one is enough */
        if (strcmp(w->reading.link[i].role, "certificate") == 0)
            add(p, w->reading.link[i].url);
    if (p->url.n == 0) {
        struct err e = {0};
        err_set(&e, RC_PAGES, "PORTAL_PAGE", "the portal's page \"%s\" has no link to the certificate", guide_page_name(w->reading.page));
        walk_unknown(w, &e);
        return;
    }
    for (size_t i = 0; i < w->reading.n_link; i++)
        if (strcmp(w->reading.link[i].role, "intermediate") == 0 || strcmp(w->reading.link[i].role, "cross") == 0)
            add(p, w->reading.link[i].url);
    for (size_t i = 0; i < known->n; i++)
        add(p, known->s[i]);
    next(p);
}
