/* account.h: what account.c and errand.c share. */
#ifndef DCV_CA_ACME_ACCOUNT_H
#define DCV_CA_ACME_ACCOUNT_H

#include "ca/acme/acme_impl.h"

bool account_key_there(const struct ca *c, unsigned n);
struct jws_key *account_key_read(const struct ca *c, unsigned n, struct err *e);
bool account_key_make(const struct ca *c, unsigned n, struct err *e); /* on the disk before anybody uses it */
void account_key_drop(const struct ca *c, unsigned n); /* one that the CA does not know */
void account_save(struct ca *c);
void account_reopen(struct ca *c); /* a person wants a new one after a deactivation: the next key */

/* c->account.request; done's owner is c. Takes payload; NULL: POST-as-GET. */
void account_post(struct ca *c, const char *url, json_t *payload, bool by_key, const struct jws_key *key, op_fn *done);

#endif
