/* work.h: one call of ca.h under way, as case.c, proofs.c, early.c and chain.c share it. */
#ifndef DCV_CA_ACME_WORK_H
#define DCV_CA_ACME_WORK_H

#include "ca/acme/acme_impl.h"
#include "ca/acme/order_json.h"

enum call { CALL_LOOK, CALL_BEGIN, CALL_CONFIRM, CALL_SUBMIT, CALL_FETCH };

struct part { /* one authorization and what is asked about it */
    struct work *work;
    struct acme_request request;
    struct authz authz;
};

enum early_at {
    EARLY_NOT,     /* asked for */
    EARLY_TIMED,   /* about to be */
    EARLY_SENT,
    EARLY_AWAITED, /* the other answer is there */
    EARLY_THROUGH, /* the CA is */
    EARLY_OVER     /* nothing more comes of it */
};

struct early {
    enum early_at at;
    struct timer timer;
    struct acme_request request;
    struct err err;      /* the CA is not to be asked again yet */
    int64_t retry_after; /* it was answered, and the CA said when to ask again; wall clock, s */
};

struct work {
    struct ca *c;
    struct ca_case *k;
    enum call call;
    json_t *handle;
    struct acme_ready ready;
    struct acme_request one;  /* everything that goes one by one */
    struct part *part;
    size_t n_part, under_way;
    struct timer timer;
    struct poll poll;
    struct early early;
    bool asked;               /* the challenges: the CA checks */
    bool again;               /* newOrder was repeated once */
    bool finalized;           /* in this call */
    bool invalid;
    json_t *order_error;
    struct err err;           /* first of the parts */
    char *wait_key;
    char *pem;                /* the chain that the CA sent first */
    size_t n_pem;
    struct strs alternate;
    size_t at_alternate;
};

void work_settle(struct work *w, enum ca_stage stage, const struct err *e); /* w is gone */
void work_fail(struct work *w, const struct err *e);                        /* the stage stays */
void work_keep(struct work *w);                                             /* the handle into the order */
void work_forget_order(struct work *w);
void work_ask(struct work *w, const char *about, const char *url, char *payload, op_fn *done);
void work_ask_order(struct work *w);
void work_take_order(struct work *w);
void work_poll(struct work *w, int64_t retry_after); /* wall clock, s; 0: the CA did not say */
void work_finalize(struct work *w);

/* proofs.c */
void work_ask_authz(struct work *w, const json_t *urls);
bool work_known_authz(struct work *w); /* the handle has all challenges, none asked for yet: into the parts */
void work_challenge(struct work *w);
void work_refused(struct work *w);     /* the order is invalid: told with its names, and forgotten */

/* early.c */
void early_ask(struct work *w);   /* the challenges, or the CSR, are on their way */
void early_take(struct work *w);  /* all answers to them are there, that to the CSR in w->one: the order is taken, awaited or asked for */
void early_close(struct work *w);

/* chain.c */
void work_download(struct work *w);

#endif
