#include "cert/pool.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/fs.h"
#include "base/mem.h"
#include "cert/pem.h"

enum { FILES_MAX = 256 };

static void warn(struct pool *p, struct strs *warnings, const char *file, const char *why)
{
    char *text = mem_fmt("chain file %s: %s", file, why);
    strs_add(warnings, text);
    if (!p->trouble.n)
        str_add(&p->trouble, text);
    free(text);
}

static void add_candidate(struct pool *p, const struct chain_in *in, X509 *x, bool trust)
{
    const X509 *leaf = in->given->x[in->leaf];
    int64_t leaf_from, leaf_to;
    if (cert_same(x, leaf))
        return;
    bool self_signed = X509_self_signed(x, 1) == 1;
    ossl_forget();
    for (size_t i = 0; i < p->n; i++)
        if (cert_same(p->c[i].x, x)) {
            p->c[i].trusted = p->c[i].trusted || (trust && self_signed);
            return;
        }
    if (p->n == CERTS_MAX)
        return;
    struct candidate *c = &p->c[p->n];
    *c = (struct candidate){.x = x, .eku = cert_eku(x), .self_signed = self_signed};
    if (!cert_validity(x, &c->from, &c->to))
        return;
    int ca = X509_check_ca(x);
    ossl_forget();
    c->ca = self_signed ? ca != 0 : ca == 1; /* old roots have no basicConstraints */
    c->trusted = trust && self_signed && c->ca;
    c->known = hierarchy_find(in->known, x);
    c->outdated = cert_validity(leaf, &leaf_from, &leaf_to) && known_outdated(c->known, leaf_from, in->now);
    p->n++;
}

static bool read_file(struct pool *p, const char *file, struct err *e)
{
    char *text = NULL;
    size_t n = 0;
    bool ok = fs_read(file, CERT_FILE_MAX, &text, &n, e) && issued_read(&p->files, text, n, e);
    free(text);
    return ok;
}

static void read_pattern(struct pool *p, const char *pattern, struct strs *warnings)
{
    glob_t g;
    int rc = glob(pattern, GLOB_ERR, NULL, &g);
    if (rc == GLOB_NOMATCH) {
        warn(p, warnings, pattern, strpbrk(pattern, "*?[") ? "no file matches" : "there is no such file");
    } else if (rc != 0) {
        warn(p, warnings, pattern, rc == GLOB_ABORTED ? "its folder is not there or cannot be read" : "the pattern cannot be expanded");
    }
    for (size_t i = 0; rc == 0 && i < g.gl_pathc; i++) {
        struct err fault = {0};
        if (i == FILES_MAX) {
            warn(p, warnings, pattern, "too many files match; those beyond the first 256 were passed over");
            break;
        }
        if (!read_file(p, g.gl_pathv[i], &fault))
            warn(p, warnings, g.gl_pathv[i], fault.text);
    }
    globfree(&g);
}

/* Roots of ca_file go straight into the store: it may be a whole bundle of them. What else is in it may serve as intermediate. */
static bool add_roots(struct pool *p, const char *file, struct err *e)
{
    char *text = NULL;
    size_t n = 0;
    struct err fault = {0};
    bool read = fs_read(file, CERT_FILE_MAX, &text, &n, &fault), cut = false;
    const char *at = text;
    struct pem_block b;
    while (read && pem_next(&at, text + n, &b, &cut)) {
        const unsigned char *der = b.der;
        X509 *x = der && !strcmp(b.label, "CERTIFICATE") ? d2i_X509(NULL, &der, (long)b.n) : NULL;
        if (x && X509_self_signed(x, 1) == 1 && X509_check_ca(x)) {
            p->own_roots = X509_STORE_add_cert(p->store, x) == 1 || p->own_roots;
            X509_free(x);
        } else if (x) {
            issued_add(p->files, x);
        }
        free(b.der);
    }
    free(text);
    ossl_forget();
    if (p->own_roots)
        return true;
    err_set(e, RC_CONF, "CA_FILE", "no trusted root can be taken from %s: %s", file,
            read ? "there is no self-signed CA certificate in PEM in it" : fault.text);
    return err_at(e, "%s", file);
}

static bool fill_store(struct pool *p, struct err *e)
{
    bool ok = true;
    for (size_t i = 0; ok && i < p->n; i++)
        if (p->c[i].trusted) {
            p->own_roots = true;
            ok = X509_STORE_add_cert(p->store, p->c[i].x) == 1;
        }
    if (ok && !p->own_roots)
        ok = X509_STORE_set_default_paths(p->store) == 1;
    ossl_forget(); /* a system without root certificates shows as an incomplete chain */
    return ok || err_set(e, RC_RESOURCE, "CHAIN_STORE", "the trusted roots cannot be loaded");
}

struct roots {
    X509_STORE *store;
};

struct roots *roots_new(const struct strs *files)
{
    struct roots *r = mem_new(sizeof *r);
    struct pool p = {.trouble = STR_INIT(200), .files = mem_new(sizeof *p.files)};
    struct strs warnings = {0};
    r->store = X509_STORE_new();
    if (r->store)
        X509_STORE_set_default_paths(r->store);
    for (size_t i = 0; files && i < files->n; i++)
        read_pattern(&p, files->s[i], &warnings);
    for (size_t i = 0; r->store && i < p.files->n; i++)
        if (X509_self_signed(p.files->x[i], 1) == 1 && X509_check_ca(p.files->x[i]) != 0)
            X509_STORE_add_cert(r->store, p.files->x[i]);
    issued_free(p.files);
    str_free(&p.trouble);
    strs_free(&warnings);
    ossl_forget();
    return r;
}

void roots_free(struct roots *r)
{
    if (r)
        X509_STORE_free(r->store);
    free(r);
}

bool pool_fill(struct pool *p, const struct chain_in *in, struct strs *warnings, struct err *e)
{
    *p = (struct pool){.trouble = STR_INIT(200), .files = mem_new(sizeof *p->files)};
    if (in->roots && X509_STORE_up_ref(in->roots->store) == 1)
        p->store = in->roots->store;
    else
        p->store = X509_STORE_new();
    if (!p->store)
        return ossl_fault(e, RC_RESOURCE, "CHAIN_STORE", "no memory for the trusted roots");
    for (size_t i = 0; in->files && !in->roots && i < in->files->n; i++)
        read_pattern(p, in->files->s[i], warnings);
    if (in->ca_file && !in->roots && !add_roots(p, in->ca_file, e))
        return false;
    for (size_t i = 0; i < issued_count(p->files); i++)
        add_candidate(p, in, p->files->x[i], true);
    for (size_t i = 0; i < in->given->n; i++)
        add_candidate(p, in, in->given->x[i], false);
    return in->roots || fill_store(p, e);
}

void pool_clear(struct pool *p)
{
    X509_STORE_free(p->store);
    issued_free(p->files);
    str_free(&p->trouble);
    *p = (struct pool){0};
}

X509_STORE *pool_all_roots(const struct pool *p)
{
    X509_STORE *s = X509_STORE_new();
    if (s)
        X509_STORE_set_default_paths(s);
    STACK_OF(X509_OBJECT) *own = X509_STORE_get0_objects(p->store);
    for (int i = 0; s && i < sk_X509_OBJECT_num(own); i++) {
        X509 *x = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(own, i));
        if (x)
            X509_STORE_add_cert(s, x);
    }
    ossl_forget();
    return s;
}

/* OpenSSL fills in what it knows of a certificate when it is first looked at, and verifies only those that are not const. */
static X509 *open_up(const X509 *x)
{
    return (X509 *)(uintptr_t)x;
}

bool pool_issued(const X509 *x, const X509 *issuer)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    bool ok = key && X509_check_issued(open_up(issuer), open_up(x)) == X509_V_OK && X509_verify(open_up(x), key) == 1;
    ossl_forget();
    return ok;
}

size_t pool_anchors(X509_STORE *store, const X509 *x, int64_t now, X509 **out, size_t max)
{
    size_t n = 0;
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *found = NULL;
    if (ctx && X509_STORE_CTX_init(ctx, store, NULL, NULL) == 1)
        found = X509_STORE_CTX_get1_certs(ctx, X509_get_issuer_name(x));
    for (int i = 0; i < sk_X509_num(found) && n < max; i++) {
        X509 *root = sk_X509_value(found, i);
        int64_t from, to;
        if (!cert_validity(root, &from, &to) || now < from || now > to || X509_self_signed(root, 0) != 1 || !pool_issued(x, root))
            continue;
        X509_up_ref(root);
        out[n++] = root;
    }
    sk_X509_pop_free(found, X509_free);
    X509_STORE_CTX_free(ctx);
    ossl_forget();
    return n;
}
