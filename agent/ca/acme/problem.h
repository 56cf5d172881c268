/* problem.h: problem documents of a CA (RFC 7807, RFC 8555 6.7) as our errors. Pure. */
#ifndef DCV_CA_ACME_PROBLEM_H
#define DCV_CA_ACME_PROBLEM_H

#include "base/err.h"
#include "base/json.h"
#include "base/names.h"

struct problem_kind {
    const char *type; /* what follows urn:ietf:params:acme:error: */
    enum rc rc;
    const char *code;
    bool again;         /* may pass by itself */
    const char *advice; /* what to do; "" */
};

/* Of the whole URN; an unknown one (and NULL) has the last entry: CA_PROBLEM. Never NULL. */
const struct problem_kind *problem_kind(const char *type);
extern const struct problem_kind problem_kinds[]; /* the last has type NULL */

struct problem {
    const struct problem_kind *kind; /* NULL: there was none */
    char detail[256];                /* safe text */
    char url[256];                   /* of instance or Link: terms to agree to; "" */
};

/* The document's own text, in our words: about ("the order"), the status, what the CA says, what to do. */
void problem_read(struct problem *p, const json_t *doc);
void problem_err(const struct problem *p, const char *about, long status, struct err *e);
bool problem_is(const struct problem *p, const char *type);

/* What subproblem i says of which name (wildcards with "*."): false: no more. Such without a name are passed over. */
bool problem_sub(const json_t *doc, size_t *i, char name[NAME_SIZE + 2], struct err *e);

#endif
