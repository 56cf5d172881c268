/* acme.h: any CA that speaks RFC 8555, by dns-01. One section is one account at one directory, over one HTTP/2 connection.
 *
 * The way of an order: directory once a run; nonces fetched ahead, as many as there are names; account found or made; newOrder; all
 * authorizations side by side; all challenges side by side; poll; finalize; poll; certificate. Everything sent is signed by the account key
 * keys/account-SECTION-N.key. What has to be remembered of an order is its handle:
 *   {"order":URL, "finalize":URL, "certificate":URL, "sent":true once the CSR may have left, "replaces":certID (the order machine's),
 *    "authz":[{"name","url","challenge","value","expires","valid"}]}
 * In the store (values of module "acme"): "SECTION/account" {"directory","n","url","contact","deactivated"} and "SECTION/wait" and
 * "SECTION/wait/HASH", moments before which the CA asked not to be asked (at all; for an order of these names).
 *
 * An order that became invalid is told once, with every name that failed and why, and forgotten: the next look says CA_NONE, and a new
 * order uses again the authorizations of the names that passed. One that the CA no longer has is forgotten too, unless its CSR was sent. */
#ifndef DCV_CA_ACME_ACME_H
#define DCV_CA_ACME_ACME_H

#include "ca/ca.h"

extern const struct ca_ops acme_ca;

#endif
