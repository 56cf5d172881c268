#include "cert/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/names.h"
#include "cert/pool.h"

struct build {
    const struct chain_in *in;
    struct pool pool;
    X509 *leaf;
    STACK_OF(X509) * built; /* as OpenSSL verified it: leaf to root */
    X509 *cross;            /* borrowed from the pool */
    struct err refused;     /* why the last way did not verify */
};

/* --- verification as a whole --- */

static bool set_parameters(X509_STORE_CTX *ctx, const struct chain_in *in)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    char host[NAME_SIZE + 2];
    X509_VERIFY_PARAM_set_time(param, (time_t)in->now);
    X509_VERIFY_PARAM_set_depth(param, CHAIN_LEVELS);
    X509_VERIFY_PARAM_set_auth_level(param, 2); /* what Debian's own TLS clients ask for: no SHA-1, no RSA below 2048 */
    if (X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER) != 1)
        return false;
    if (!in->host)
        return true;
    snprintf(host, sizeof host, "%s%s", name_is_wildcard(in->host) ? "a." : "", name_base(in->host));
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

/* Leaf and exactly these intermediates against the roots in store. NULL: e says why. */
static STACK_OF(X509) * verify(const struct chain_in *in, X509_STORE *store, X509 *const *path, size_t n, struct err *e)
{
    STACK_OF(X509) *untrusted = sk_X509_new_null(), *chain = NULL;
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    bool ready = untrusted && ctx;
    for (size_t i = 1; ready && i < n; i++)
        ready = sk_X509_push(untrusted, path[i]) > 0;
    ready = ready && X509_STORE_CTX_init(ctx, store, path[0], untrusted) == 1 && set_parameters(ctx, in);
    if (!ready) {
        ossl_fault(e, RC_CA, "CHAIN_BAD", "the chain cannot be verified");
    } else if (X509_verify_cert(ctx) == 1) {
        chain = X509_STORE_CTX_get1_chain(ctx);
    } else {
        X509 *at = X509_STORE_CTX_get_current_cert(ctx);
        char name[128] = "the chain";
        if (at)
            cert_subject(at, name, sizeof name);
        err_set(e, RC_CA, "CHAIN_BAD", "the chain does not verify at \"%s\": %s", name,
                X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    }
    X509_STORE_CTX_free(ctx);
    sk_X509_free(untrusted);
    ossl_forget();
    return chain;
}

static bool take(void *arg, X509 *const *path, size_t n)
{
    struct build *b = arg;
    struct err fault = {0};
    b->built = verify(b->in, b->pool.store, path, n, &fault);
    if (!b->built && !b->refused.code) /* the best way came first: its fault is the one to tell */
        b->refused = fault;
    return b->built != NULL;
}

/* --- the chain as the CA gave it --- */

/* The one of those given that signed x and is not in the path yet; the first, where there are several: the CA put it there. */
static X509 *given_issuer(const struct build *b, const X509 *x, X509 *const *path, size_t n)
{
    const struct issued *given = b->in->given;
    for (size_t i = 0; i < given->n; i++) {
        bool used = false;
        for (size_t k = 0; k < n; k++)
            used |= path[k] == given->x[i];
        if (!used && pool_issued(x, given->x[i]))
            return given->x[i];
    }
    return NULL;
}

/* false: nothing given signed the leaf. Else built, or refused says why not. */
static bool as_given(struct build *b)
{
    X509 *path[CHAIN_LEVELS + 1] = {b->leaf}, *up;
    size_t n = 1;
    while (n <= CHAIN_LEVELS && (up = given_issuer(b, path[n - 1], path, n)))
        path[n++] = up;
    if (n == 1)
        return false;
    X509 *top = path[n - 1];
    X509_STORE *only = X509_STORE_new();
    if (only && X509_STORE_add_cert(only, top) == 1 && X509_STORE_set_flags(only, X509_V_FLAG_PARTIAL_CHAIN) == 1)
        b->built = verify(b->in, only, path, n - 1, &b->refused);
    if (b->built && X509_self_signed(top, 1) != 1)
        b->cross = top; /* it stands where a root would, but it is part of what is delivered */
    X509_STORE_free(only);
    ossl_forget();
    return true;
}

/* --- with-cross --- */

/* Does leaf, intermediates and this cross certificate lead to another trusted root? */
static bool cross_verifies(struct build *b, X509_STORE *roots, X509 *cross)
{
    X509 *anchor[4], *path[CHAIN_LEVELS + 1];
    size_t n = 0, anchors = pool_anchors(roots, cross, b->in->now, anchor, 4);
    bool ok = false;
    for (int i = 0; i < sk_X509_num(b->built) - 1 && n < CHAIN_LEVELS; i++)
        path[n++] = sk_X509_value(b->built, i);
    path[n++] = cross;
    for (size_t i = 0; i < anchors; i++) {
        X509_STORE *only = ok ? NULL : X509_STORE_new();
        if (only && X509_STORE_add_cert(only, anchor[i]) == 1) {
            STACK_OF(X509) *chain = verify(b->in, only, path, n, NULL);
            ok = chain != NULL;
            sk_X509_pop_free(chain, X509_free);
        }
        X509_STORE_free(only);
        X509_free(anchor[i]);
    }
    return ok;
}

static void find_cross(struct build *b, struct strs *warnings)
{
    X509 *root = sk_X509_value(b->built, sk_X509_num(b->built) - 1);
    X509_STORE *roots = pool_all_roots(&b->pool);
    const struct candidate *best = NULL;
    bool seen = false;
    char name[128];
    for (size_t i = 0; roots && i < b->pool.n; i++) {
        const struct candidate *c = &b->pool.c[i];
        if (c->self_signed || X509_NAME_cmp(X509_get_subject_name(c->x), X509_get_subject_name(root)) != 0 ||
            EVP_PKEY_eq(X509_get0_pubkey(c->x), X509_get0_pubkey(root)) != 1)
            continue;
        seen = true;
        if (!select_refuses(c, b->in->now) && !(c->known && c->known->ends && b->in->now >= c->known->ends) &&
            (!best || c->from > best->from) && cross_verifies(b, roots, c->x))
            best = c;
    }
    X509_STORE_free(roots);
    ossl_forget();
    if (best) {
        b->cross = best->x;
        return;
    }
    char *text = mem_fmt(
        seen ? "the cross certificate of the root \"%s\" is there, but it leads to no trusted root: the chain is delivered without it"
             : "chain = with-cross, but no cross certificate of the root \"%s\" is in the set: put it into chain_files",
        cert_subject(root, name, sizeof name));
    strs_add(warnings, text);
    free(text);
}

/* --- the outcome --- */

static bool in_chain(const struct build *b, const X509 *x)
{
    for (int i = 0; i < sk_X509_num(b->built); i++)
        if (cert_same(sk_X509_value(b->built, i), x))
            return true;
    return x == b->cross;
}

/* A certificate of the same CA that was passed over: an administrator who compares the set with the outcome wants to know. */
static void warn_unused(const struct build *b, struct strs *warnings)
{
    for (size_t i = 0; i < b->pool.n; i++) {
        const struct candidate *c = &b->pool.c[i];
        if (c->self_signed || in_chain(b, c->x))
            continue;
        for (int k = 1; k < sk_X509_num(b->built) - 1; k++) {
            X509 *used = sk_X509_value(b->built, k);
            char name[128], old[64], new[64], day[32];
            if (X509_NAME_cmp(X509_get_subject_name(used), X509_get_subject_name(c->x)) != 0)
                continue;
            const char *why = select_refuses(c, b->in->now);
            struct str reissued = STR_INIT(400);
            if (c->outdated)
                known_reason(c->known, b->in->now, &reissued);
            cert_subject(c->x, name, sizeof name);
            cert_serial(c->x, old, sizeof old);
            cert_serial(used, new, sizeof new);
            day_show(c->from, day);
            char *text = mem_fmt("another intermediate \"%s\" (serial %s, from %s) is in the set and was not used: %s; serial %s was", name,
                                 old, day,
                                 why                                                 ? why
                                 : c->outdated                                       ? str_text(&reissued)
                                 : pool_issued(sk_X509_value(b->built, k - 1), c->x) ? "an older certificate of the same CA"
                                                                                     : "another key",
                                 new);
            strs_add(warnings, text);
            free(text);
            str_free(&reissued);
        }
    }
}

static const struct candidate *candidate_of(const struct build *b, const X509 *x)
{
    for (size_t i = 0; i < b->pool.n; i++)
        if (cert_same(b->pool.c[i].x, x))
            return &b->pool.c[i];
    return NULL;
}

/* Nothing better was there: the chain verifies, and may not do so for others any more. */
static void note_outdated(const struct build *b, struct chain *out)
{
    for (int i = 1; i < sk_X509_num(b->built); i++) {
        const struct candidate *c = candidate_of(b, sk_X509_value(b->built, i));
        struct str why = STR_INIT(400);
        char name[128], serial[64];
        if (!c || !c->outdated)
            continue;
        out->outdated = true;
        cert_urls(sk_X509_value(b->built, i - 1), URL_ISSUER, &out->wanted);
        if (c->known->next_url)
            strs_add(&out->wanted, c->known->next_url);
        cert_serial(c->x, serial, sizeof serial);
        known_reason(c->known, b->in->now, &why);
        char *text = mem_fmt("the old intermediate \"%s\" (serial %s) is in the chain. %s", cert_subject(c->x, name, sizeof name), serial,
                             str_text(&why));
        strs_add(&out->warnings, text);
        free(text);
        str_free(&why);
    }
}

/* When a client stops believing it: a cross certificate is worth nothing without its root. */
static int64_t end_of(const struct build *b, const X509 *x)
{
    int64_t from, to;
    const struct candidate *c = candidate_of(b, x);
    if (!cert_validity(x, &from, &to))
        return INT64_MAX;
    return c && c->known && c->known->ends && c->known->ends < to ? c->known->ends : to;
}

static void deliver(const struct build *b, struct chain *out)
{
    struct str leaf = STR_INIT(4 << 20), chain = STR_INIT(4 << 20), full = STR_INIT(8 << 20), path = STR_INIT(8 << 20);
    int64_t from, to;
    int last = b->built ? sk_X509_num(b->built) - 1 : 0;
    ossl_pem(b->leaf, &leaf);
    if (cert_validity(b->leaf, &from, &to))
        out->not_after = to;
    for (int i = 1; b->in->form != CHAIN_LEAF && i <= last; i++) {
        X509 *x = i < last ? sk_X509_value(b->built, i) : b->cross;
        if (!x)
            continue;
        ossl_pem(x, &chain);
        to = end_of(b, x);
        if (to < out->not_after) {
            char name[128], day[32];
            day_show(to, day);
            char *text = mem_fmt("\"%s\" of the chain ends on %s, before the certificate itself", cert_subject(x, name, sizeof name), day);
            strs_add(&out->warnings, text);
            free(text);
            out->not_after = to;
        }
    }
    str_add(&full, str_text(&leaf));
    str_add(&full, str_text(&chain));
    for (int i = 0; i < sk_X509_num(b->built); i++)
        ossl_pem(sk_X509_value(b->built, i), &path);
    if (path.n)
        out->path_pem = str_take(&path);
    out->cert_pem = str_take(&leaf);
    out->chain_pem = str_take(&chain);
    out->fullchain_pem = str_take(&full);
}

static bool ends_at_given_root(const struct build *b, X509 *x)
{
    for (size_t i = 0; i < b->pool.n; i++)
        if (b->pool.c[i].self_signed && !b->pool.c[i].trusted && pool_issued(x, b->pool.c[i].x))
            return true;
    return false;
}

/* Says where the CA has what is missing: the administrator needs no search engine then. */
static bool incomplete(const struct build *b, struct selection *s, struct chain *out, struct err *e)
{
    char issuer[80], subject[80], url[100] = "";
    X509 *x = s->dead_end ? s->dead_end : b->leaf;
    const char *why = str_text(&s->why), *trouble = b->pool.trouble.n ? b->pool.trouble.p : "";
    cert_issuer(x, issuer, sizeof issuer);
    cert_subject(x, subject, sizeof subject);
    cert_urls(x, URL_ISSUER, &out->wanted);
    if (out->wanted.n)
        text_safe(url, sizeof url, out->wanted.s[0], strlen(out->wanted.s[0]));
    out->untrusted = ends_at_given_root(b, x);
    out->missing =
        mem_fmt("the issuer \"%s\" of \"%s\" is missing%s%s", issuer, subject, *why ? ", those of that name cannot be used: " : "", why);
    err_set(e, RC_CA, "CHAIN_INCOMPLETE", "%s; put it into chain_files%s%s%s%s%s", out->missing, *url ? " (the CA has it at " : "", url,
            *url ? ")" : "", *trouble ? "; " : "", trouble);
    return err_at(e, "%s", subject);
}

static bool build(struct build *b, struct chain *out, struct err *e)
{
    struct selection s;
    struct err missing = {0};
    bool files = b->in->ca_file || (b->in->files && b->in->files->n);
    if (b->in->trust_given && !files && as_given(b)) {
        if (b->built)
            deliver(b, out);
        return b->built || err_set(e, b->refused.rc ? b->refused.rc : RC_CA, "CHAIN_BAD", "%s", b->refused.text);
    }
    if (!pool_fill(&b->pool, b->in, &out->warnings, e))
        return false;
    enum selected how = select_path(&b->pool, b->leaf, b->in->now, take, b, &s);
    bool ok = how == SELECT_TAKEN;
    if (how == SELECT_REFUSED) {
        err_set(e, b->refused.rc, b->refused.code, "%s", b->refused.text);
    } else if (how == SELECT_NONE) {
        incomplete(b, &s, out, &missing);
        ok = b->in->form == CHAIN_LEAF;
        if (ok)
            strs_add(&out->warnings, missing.text);
        else
            err_set(e, missing.rc, missing.code, "%s", missing.text), err_at(e, "%s", missing.where);
    }
    str_free(&s.why);
    if (ok && b->built && b->in->form == CHAIN_WITH_CROSS)
        find_cross(b, &out->warnings);
    if (ok) {
        note_outdated(b, out);
        warn_unused(b, &out->warnings);
        deliver(b, out);
    }
    return ok;
}

bool chain_build(const struct chain_in *in, struct chain *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    if (in->leaf >= issued_count(in->given))
        return err_set(e, RC_BUG, "CHAIN_LEAF", "leaf %zu of %zu certificates", in->leaf, issued_count(in->given));
    struct build b = {.in = in, .leaf = in->given->x[in->leaf]};
    bool ok = build(&b, out, e);
    sk_X509_pop_free(b.built, X509_free);
    pool_clear(&b.pool);
    ossl_forget();
    return ok;
}

void chain_clear(struct chain *c)
{
    free(c->cert_pem);
    free(c->chain_pem);
    free(c->fullchain_pem);
    free(c->path_pem);
    free(c->missing);
    strs_free(&c->warnings);
    strs_free(&c->wanted);
    memset(c, 0, sizeof *c);
}
