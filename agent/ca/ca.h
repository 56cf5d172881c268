/* ca.h: a certificate authority as the order sees it. Data plus a small interface: where the record goes, what is asked first, who acts.
 *
 * A CA works on a struct ca_case, the CA's part of one order. Every function settles k->op; afterwards `stage` says where the order
 * stands with the CA and `waits` what it waits for. `look` only reads and is the one way back after a doubt; `begin`, `confirm` and
 * `submit` have effects and are called through store_then only (the order's row is committed before).
 * Everything a CA must remember goes into o->handle (JSON, no secret). */
#ifndef DCV_CA_CA_H
#define DCV_CA_CA_H

#include "base/op.h"
#include "base/record.h"
#include "base/str.h"
#include "store/store.h"

struct section;
struct conf_key;
struct conf_sink;
struct conf_cert;
struct net;

enum ca_stage {
    CA_NONE,     /* the CA knows nothing of this order yet */
    CA_PERSON,   /* a person has to do something first (k->ask says what) */
    CA_PROOF,    /* proofs are known: publish them */
    CA_CHECKING, /* the CA checks the proofs */
    CA_CSR,      /* all proofs valid: the CSR is wanted */
    CA_ISSUING,  /* the CSR is there, the CA works */
    CA_ISSUED,   /* o->certificate is filled in */
    CA_REFUSED   /* over; k->err says why */
};

struct ca_rules {
    const struct place *place; /* where records go; several: published at each */
    size_t n_place;
    uint16_t type;
    uint32_t ttl;              /* s; what the CA advises */
    uint32_t lifetime;         /* s; of a code; 0: unbounded */
    unsigned parallel;         /* orders at once; 0: any */
    uint32_t grace;            /* s; a run whose time is up lets a call that has begun go on for so long: pages that were left half-way need a person.
                                  0: it is broken off at once, and taken up where it was */
    bool by_person;            /* portal and manual: needs product, a first order waits for --force or a PIN, names cannot change */
    bool csr_first;            /* CSR before DCV */
    bool by_email;             /* method = email is possible: no record is published then, the code comes by `code` */
    bool by_website;           /* method = website is possible: the code is put on the names' web servers instead of a record */
    bool release_early;        /* records go as soon as validated (ACME); else when issued */
    bool each_listed;          /* a wildcard and its base are proven apart, each with a value of its own (ACME) */
    bool chain_given;          /* the chain that came with the certificate is taken as it is: no root of ours need know it (ACME) */
    bool settles;              /* settle = auto waits for the previous or negative TTL; false: 0 */
    const char *key_type;      /* default key type */
    const struct strs *caa;    /* CAA identifiers; empty: never blocks */
    const char *caa_method;    /* what it calls proof by these records in CAA validationmethods (RFC 8657); NULL: it is not known to heed parameters */
    char *const *caa_account;  /* where the URL of our account is found once it is known (accounturi); NULL: it has none */
    const struct strs *chain_files;
    const char *ca_file;
};

struct proof {
    char name[256];            /* inner form, without "*." unless rules.each_listed */
    char *value;               /* TXT value, octets of a NUL-terminated text (codes cannot hold NUL) */
    int64_t received, expires; /* s; 0: unknown */
    bool valid;                /* nothing is to be published for it: the CA has accepted it already, or it is proven by e-mail */
    struct err err;
};

struct ca_case {
    struct op op;
    struct saved_order *o;     /* in: names, csr; in and out: handle, certificate, waits, deadline */
    const struct conf_cert *conf; /* may be NULL: the section is gone */
    bool forced;                  /* in: a person started this run for this order (run --force) */
    bool (*permit)(void *arg, const char *told); /* in: a person at the terminal, asked before each button (portal --step); blocks, called in the worker.
                                                    NULL: nobody is there */
    void *permit_arg;
    enum ca_stage stage;
    const char *waits;         /* "" or the waiting_for word: pin code confirm operator certificate ca */
    char ask[1024];            /* for the person: exactly what to do next, several lines */
    struct proof *proof;
    size_t n_proof;
    int64_t look_again;        /* wall clock, s; 0: when something happens */
    void *impl;
};
void ca_case_clear(struct ca_case *k); /* frees the proofs */

/* The proof of this name (see struct proof), made where there is none. Pointers move when one is made. */
struct proof *ca_case_proof(struct ca_case *k, const char *name);

/* When the CA wants a certificate replaced (ACME Renewal Information, RFC 9773). */
struct ca_renewal {
    struct op op;
    const char *certificate;   /* PEM of the leaf, as it is in use; caller's until done() */
    int64_t from, to;          /* out: the window, s; 0: the CA says nothing */
    int64_t ask_again;         /* out: Retry-After */
    char explanation[256];     /* out: URL; "" */
    char id[256];              /* out: what a new order names as the certificate it replaces; "" */
    void *impl;
};

/* Work on the account or a certificate that a person asked for: `account`, `revoke`. */
struct ca_errand {
    struct op op;
    enum { ERRAND_ACCOUNT, ERRAND_ROLLOVER, ERRAND_DEACTIVATE, ERRAND_REVOKE } what;
    const char *certificate;   /* ERRAND_REVOKE: PEM of the leaf */
    int reason;                /* ERRAND_REVOKE: RFC 5280 5.3.1 */
    char url[512];             /* out: the account */
    char status[32];           /* out: valid, deactivated, revoked */
    void *impl;
};

struct ca;
struct ca_ops {
    const char *type, *summary;
    bool by_person; /* a person is involved: product= is needed */
    bool by_pin;    /* logs in with a PIN, which `pin` asks for */
    const struct conf_key *keys;
    void (*examine)(const struct section *s, struct conf_sink *to); /* what its keys say together, files that it uses; NULL */
    bool (*open)(struct ca **c, const struct section *s, struct net *n, struct store *st, struct err *e);
    const struct ca_rules *(*rules)(const struct ca *c);
    void (*warm)(struct ca *c, const struct ca_case *k); /* what begin will need and what has no effect, early; NULL */
    void (*look)(struct ca *c, struct ca_case *k);
    void (*begin)(struct ca *c, struct ca_case *k);
    void (*confirm)(struct ca *c, struct ca_case *k);
    void (*submit)(struct ca *c, struct ca_case *k);
    void (*fetch)(struct ca *c, struct ca_case *k);
    /* What a person handed over (all kinds but import and cancel); only edits the case. Synchronous. */
    bool (*hand)(struct ca *c, struct ca_case *k, const struct inbox_row *row, struct err *e);
    void (*ask_start)(struct ca *c, struct ca_case *k); /* by_person: fills k->ask for an order that waits to be started; NULL */
    void (*probe)(struct ca *c, struct ca_case *k);      /* only reads: fills k->ask with what would be done at the CA's page; NULL: it has none */
    void (*over)(struct ca *c, struct ca_case *k);       /* installed: what was kept for this order alone may go. Synchronous; NULL: nothing was */
    void (*renewal)(struct ca *c, struct ca_renewal *r); /* NULL: the CA says nothing of renewals */
    void (*errand)(struct ca *c, struct ca_errand *r);   /* NULL: there is no account */
    unsigned (*requests)(const struct ca *c);            /* sent so far; NULL: none ever */
    void (*close)(struct ca *c);
};
extern const struct ca_ops *const ca_types[]; /* NULL-ended */
const struct ca_ops *ca_type(const char *type);

#endif
