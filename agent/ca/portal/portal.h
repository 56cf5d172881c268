/* portal.h: a CA that has no API: its web pages are walked as a careful person would walk them, with the pages as data (guide.h, docs/PORTALS.md).
 *
 * The handle is the manual CA's (codes, confirmed, failed, submitted; ca/manual.h): a person may take over at any point and give the order back. Beside
 * these: "sent" {"what":"csr" or "final","at"} (left the machine, and what came of it is not known yet), "given" (the CSR was entered there),
 * "mailed" (the code was sent for by e-mail), "checking" (the portal was told to look and had not finished), "expired" (it said so of a code),
 * "asked" {"at","page","copy"} (a page that did not tell, and a person has not yet either). No page, cookie or PIN. */
#ifndef DCV_CA_PORTAL_PORTAL_H
#define DCV_CA_PORTAL_PORTAL_H

#include "ca/ca.h"

extern const struct ca_ops portal_ca;

#endif
