/* select.c: ways from the leaf up to a trusted root. OpenSSL takes the first issuer of the right name and never comes back to try
 * another, so the way is chosen here and only then verified by it. */
#include "cert/pool.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

enum { STEPS_MAX = 2000, WAYS_MAX = 32 };

struct search {
    const struct pool *p;
    int64_t now;
    path_fn *fn;
    void *arg;
    X509 *path[CHAIN_LEVELS];
    size_t n;
    unsigned steps, ways;
    signed char signer[CERTS_MAX][CERTS_MAX]; /* [of][by]: signature known good 1, bad -1, not tried 0 */
    size_t highest;                           /* length of the longest way that ended nowhere */
    struct selection *out;
};

const char *select_refuses(const struct candidate *c, int64_t now)
{
    return !c->ca                ? "not a CA certificate"
           : c->eku == EKU_OTHER ? "not for servers: its extended key usage lacks serverAuth"
           : now > c->to         ? "expired"
           : now < c->from       ? "not valid yet"
                                 : NULL;
}

static size_t index_of(const struct pool *p, const X509 *x)
{
    size_t i = 0;
    while (i < p->n && p->c[i].x != x)
        i++;
    return i;
}

static bool signed_by(struct search *s, X509 *x, size_t by)
{
    size_t of = index_of(s->p, x);
    if (of == s->p->n) /* the leaf */
        return pool_issued(x, s->p->c[by].x);
    signed char *known = &s->signer[of][by];
    if (!*known)
        *known = pool_issued(x, s->p->c[by].x) ? 1 : -1;
    return *known > 0;
}

/* A way never comes through the same CA twice, whatever certificate it shows. */
static bool on_path(const struct search *s, const X509 *x)
{
    for (size_t i = 0; i < s->n; i++)
        if (X509_NAME_cmp(X509_get_subject_name(s->path[i]), X509_get_subject_name(x)) == 0 &&
            EVP_PKEY_eq(X509_get0_pubkey(s->path[i]), X509_get0_pubkey(x)) == 1)
            return true;
    return false;
}

static bool better(const struct candidate *a, const struct candidate *b)
{
    if (a->outdated != b->outdated)
        return b->outdated;
    if ((a->eku == EKU_SERVER) != (b->eku == EKU_SERVER))
        return a->eku == EKU_SERVER;
    return a->from > b->from;
}

/* Issuers of x among the candidates, best first. */
static size_t issuers(struct search *s, X509 *x, size_t order[CERTS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < s->p->n; i++) {
        const struct candidate *c = &s->p->c[i];
        if (c->self_signed || X509_NAME_cmp(X509_get_subject_name(c->x), X509_get_issuer_name(x)) != 0 || select_refuses(c, s->now) ||
            !signed_by(s, x, i) || on_path(s, c->x))
            continue;
        size_t at = n++;
        for (; at > 0 && better(c, &s->p->c[order[at - 1]]); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return n;
}

/* The way ends at x: note it if none went higher, with the candidates of the issuer's name and what is wrong with them. */
static void dead_end(struct search *s, X509 *x)
{
    if (s->n <= s->highest)
        return;
    s->highest = s->n;
    s->out->dead_end = x;
    str_free(&s->out->why);
    for (size_t i = 0; i < s->p->n; i++) {
        const struct candidate *c = &s->p->c[i];
        if (X509_NAME_cmp(X509_get_subject_name(c->x), X509_get_issuer_name(x)) != 0)
            continue;
        const char *why = select_refuses(c, s->now);
        if (!why && !signed_by(s, x, i))
            why = "it has the name, but its key did not sign this";
        else if (!why && c->self_signed && !c->trusted)
            why = "a root that came with the certificate and is not trusted here";
        else if (!why && s->n == CHAIN_LEVELS)
            why = "the way up is longer than any real chain";
        else if (!why)
            why = "leads round in a circle";
        char serial[64];
        cert_serial(c->x, serial, sizeof serial);
        str_fmt(&s->out->why, "%sserial %.40s: %s", s->out->why.n ? "; " : "", *serial ? serial : "?", why);
    }
}

static bool anchored(struct search *s, X509 *x)
{
    X509 *root[1];
    size_t n = pool_anchors(s->p->store, x, s->now, root, 1);
    for (size_t i = 0; i < n; i++)
        X509_free(root[i]);
    return n > 0;
}

static bool walk(struct search *s)
{
    X509 *top = s->path[s->n - 1];
    if (++s->steps > STEPS_MAX || s->ways > WAYS_MAX)
        return false;
    if (anchored(s, top)) {
        s->ways++;
        if (s->fn(s->arg, s->path, s->n))
            return true;
    }
    size_t order[CERTS_MAX];
    size_t n = s->n < CHAIN_LEVELS ? issuers(s, top, order) : 0;
    if (!n)
        dead_end(s, top);
    for (size_t i = 0; i < n; i++) {
        s->path[s->n++] = s->p->c[order[i]].x;
        if (walk(s))
            return true;
        s->n--;
    }
    return false;
}

enum selected select_path(const struct pool *p, X509 *leaf, int64_t now, path_fn *fn, void *arg, struct selection *out)
{
    struct search s = {.p = p, .now = now, .fn = fn, .arg = arg, .out = out};
    *out = (struct selection){.why = STR_INIT(220)};
    s.path[s.n++] = leaf;
    if (walk(&s))
        return SELECT_TAKEN;
    return s.ways ? SELECT_REFUSED : SELECT_NONE;
}
