/* pool.h: the certificates a chain may be built of: what came with the leaf, chain_files, roots. For this folder alone. */
#ifndef DCV_CERT_POOL_H
#define DCV_CERT_POOL_H

#include "cert/certs.h"
#include "cert/chain.h"

struct x509_store_st;

enum { CHAIN_LEVELS = 8 };

struct candidate {
    struct x509_st *x; /* borrowed from what was given or from files */
    enum eku eku;
    int64_t from, to;
    const struct known *known; /* NULL: nothing is */
    bool ca, self_signed, trusted;
    bool outdated; /* for this leaf: its CA has reissued it */
};

struct pool {
    struct candidate c[CERTS_MAX];
    size_t n;
    struct issued *files;        /* what the files held, owned */
    struct x509_store_st *store; /* trusted roots */
    bool own_roots;              /* roots out of files; else the system's */
    struct str trouble;          /* first file that could not be used, for messages */
};

/* Files that cannot be used are warnings. false: no memory for a store, or the trusted file (ca_file) cannot be used. */
bool pool_fill(struct pool *p, const struct chain_in *in, struct strs *warnings, struct err *e);
void pool_clear(struct pool *p);

/* The store for a cross certificate's root: trusted files and the system's roots together. Caller frees. */
struct x509_store_st *pool_all_roots(const struct pool *p);

/* Did `issuer` sign x, by name, key identifiers, key usage and signature? */
bool pool_issued(const struct x509_st *x, const struct x509_st *issuer);

/* Trusted certificates of this store with x's issuer as subject that signed x and are valid: up to max, each with a reference to be freed. */
size_t pool_anchors(struct x509_store_st *store, const struct x509_st *x, int64_t now, struct x509_st **out, size_t max);

/* --- select.c ------------------------------------------------------------------------------------------------------------------ */

/* Called with each way from the leaf to below a trusted root, best first; true: taken, the search ends. */
typedef bool path_fn(void *arg, struct x509_st *const *path, size_t n);

enum selected { SELECT_TAKEN, SELECT_NONE, SELECT_REFUSED }; /* refused: there were ways, none was taken */
struct selection {
    struct x509_st *dead_end; /* SELECT_NONE: the highest certificate reached whose issuer is missing; borrowed */
    struct str why;           /* issuers that are there and cannot be used, or why the search ended */
};
enum selected select_path(const struct pool *p, struct x509_st *leaf, int64_t now, path_fn *fn, void *arg, struct selection *out);

/* Why a candidate cannot be an issuer at `now`; NULL: it can. */
const char *select_refuses(const struct candidate *c, int64_t now);

#endif
