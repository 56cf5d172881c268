/* probe.h: what would be done at a CA's page now, without doing it (portal NAME --probe). */
#ifndef DCV_ORDER_PROBE_H
#define DCV_ORDER_PROBE_H

#include "base/str.h"
#include "order/session.h"

/* Visits the CA of this certificate for its open order, or one that could be begun now; nothing is pressed, nothing is kept. out: several lines for a
 * person. s: SESSION_LOCK | SESSION_NET. RC_USAGE where the CA has no pages. */
bool probe_run(struct session *s, const char *cert, struct str *out, struct err *e);

#endif
