/* plan.h: what plan.c found out and plan_print.c shows. */
#ifndef DCV_CMD_PLAN_H
#define DCV_CMD_PLAN_H

#include "cmd/cmd.h"
#include "dcv/preflight.h"
#include "order/calendar.h"
#include "order/where.h"
#include "store/store.h"

struct plan_record {
    struct where *where;
    const struct section *provider; /* NULL: none may write there */
    uint32_t ttl;                   /* of the set already there, else what would be asked for */
    bool exists;                    /* a TXT set stands there */
    char *value;                    /* NULL: not known yet */
    int64_t visible_at;
    struct preflight preflight;
    struct conf_verify *verify; /* the preflight's */
};

struct plan_request { /* UPDATEs to one provider */
    const char *provider;
    unsigned n;
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
    int64_t visible_at;
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

#endif
