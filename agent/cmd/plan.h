/* plan.h: what plan.c found out and plan_print.c shows. */
#ifndef DCV_CMD_PLAN_H
#define DCV_CMD_PLAN_H

#include "base/json.h"
#include "cmd/cmd.h"
#include "dcv/preflight.h"
#include "order/when/calendar.h"
#include "order/when/due.h"
#include "order/ask/where.h"
#include "store/store.h"

struct plan_record {
    struct where *where;
    const struct section *provider; /* NULL: none may write there */
    uint32_t ttl;                   /* of the set already there, else what would be asked for */
    bool exists;                    /* a TXT set stands there */
    char *value;                    /* NULL: not known yet */
    int64_t visible_at; /* to every resolver, if it were written now; its servers see it once they have it */
    int64_t settle;     /* s from the write until the CA is told */
    struct preflight preflight;
    struct conf_verify *verify; /* the preflight's */
};

struct plan_request { /* to one provider: to add, and later to delete; what is read before and after is counted where it takes requests */
    const struct section *provider;
    size_t writes, reads;
};

struct plan_ca { /* what an automatic CA is asked, and what it counts */
    unsigned requests;
    size_t names;
    bool counted;    /* the order was made, and counted, before */
    bool same_names; /* as the certificate in use */
    bool replaces;   /* the order names the certificate that it replaces */
};

struct plan_cert {
    const struct conf_cert *conf;
    const struct ca_rules *rules; /* NULL: the CA section is faulty */
    struct calendar_out cal;
    struct saved_order order; /* the open one; id "" where there is none */
    bool shown;               /* its records were looked for */
    size_t from, n;           /* among the plan's records */
    struct plan_request *request;
    size_t n_request;
    int64_t visible_at, settled_at;
    bool unattended; /* its CA's pages are walked without a person */
    bool other_names; /* than the certificate in use, or there is none */
    struct due_renewal renewal;
    struct plan_ca ca;
};

struct plan {
    struct call *c;
    struct session *s;
    bool replace;
    struct plan_cert *cert;
    size_t n;
    struct wheres wheres;
    struct plan_record *record; /* as many as wheres */
};

bool plan_due(const struct plan_cert *p); /* starts or goes on */
const char *plan_why(const struct plan_cert *p);
bool plan_person(const struct plan_cert *p);
void plan_print(const struct plan *p);

/* plan_ca.c */
/* Requests to an ACME CA for an order of so many names at this state ("": not begun), nonces included: about, since its answers decide how often it is
 * asked again. */
unsigned plan_ca_requests(const char *state, size_t names);
void plan_ca(struct plan_cert *at);                          /* fills in at->ca */
void plan_ca_words(const struct plan_ca *ca, struct str *s); /* what counts for rate limits */

/* plan_drill.c: to replace all that the plan holds */
struct plan_drill {
    size_t orders, by_hand;
    int64_t unattended; /* s, roughly: orders of automatic CAs */
    int64_t person;     /* s, roughly: of a person's work, for all of them */
    int64_t wait;       /* s: until caches have forgotten, once for those that are done side by side */
};
void plan_drill(const struct plan *p, struct plan_drill *d);
int64_t plan_drill_unattended(size_t orders, int64_t parallel);

struct plan_drill_ca { /* the same for one CA */
    const char *ca;
    size_t orders, names, by_hand;
    size_t pins, codes; /* that a person types */
};
size_t plan_drill_cas(const struct plan *p, struct plan_drill_ca **out); /* caller frees *out */

void plan_drill_print(const struct plan *p);
json_t *plan_drill_json(const struct plan *p);

#endif
