/* order_json.h: orders and authorizations in the CA's JSON, judged. Pure. */
#ifndef DCV_CA_ACME_ORDER_JSON_H
#define DCV_CA_ACME_ORDER_JSON_H

#include "base/json.h"
#include "base/names.h"
#include "ca/ca.h"

enum { LISTED_SIZE = NAME_SIZE + 2 };

/* Where the order stands. status: the CA's word, NULL: it does not know the order (any more). expired: its own date is past. sent: the CSR may have
 * left. unproven: a challenge has yet to be asked for. */
enum ca_stage order_stage(const char *status, bool expired, bool sent, bool unproven);

enum authz_state { AUTHZ_OPEN, AUTHZ_ASKED, AUTHZ_VALID, AUTHZ_FAILED };
struct authz {
    char name[LISTED_SIZE]; /* as listed in the order, wildcards with "*." */
    enum authz_state state;
    char *challenge;        /* URL; "" where none is needed */
    char *value;            /* of the TXT record; "" likewise */
    int64_t expires;
    struct err err;         /* AUTHZ_FAILED */
};

/* names: the order's, blanks between; thumbprint: of the account key. Faults RC_CA: CA_ANSWER, CA_NAME (a name that was not ordered), CA_TOKEN (one
 * that is not base64url), CA_NO_DNS (no dns-01 among its challenges). */
bool authz_read(const json_t *j, const char *names, const char *thumbprint, struct authz *a, struct err *e);
void authz_clear(struct authz *a);

bool acme_token_ok(const char *token);                                   /* ^[A-Za-z0-9_-]{1,128}$ */
void acme_dns_value(const char *token, const char *thumbprint, char out[44]); /* base64url(SHA-256(token "." thumbprint)) */

/* One error out of those of single names: how many of how many, the first ones in words. */
void names_err(const struct err *err, size_t n, size_t of, struct err *e);

/* What the CA says of an order that became invalid, or of a request that it refused with subproblems: those of names into err (at most max; their
 * names in err.where), and all in one into e. */
size_t order_error(const json_t *problem, const char *about, struct err *err, size_t max, struct err *e);

#endif
