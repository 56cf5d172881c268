/* errand.h: work on a CA account or a certificate that a person asked for, outside any order. */
#ifndef DCV_ORDER_ERRAND_H
#define DCV_ORDER_ERRAND_H

#include "ca/ca.h"
#include "order/session.h"

/* Runs one errand at the CA section and waits for it (Ctrl-C: RC_LATER). s: SESSION_LOCK | SESSION_NET. RC_USAGE where the CA has no accounts. */
bool errand_run(struct session *s, const char *ca_section, struct ca_errand *errand, struct err *e);

#endif
