/* sweep.h: files on web servers that no order needs any more, removed by a command: what the ledger's pump is for records. */
#ifndef DCV_ORDER_SWEEP_H
#define DCV_ORDER_SWEEP_H

#include "order/session.h"

struct saved_order;

/* Those of one order: at once, a hook's too, and only what holds exactly our value. Each step is in the store before and after; what stays has its
 * fault in o->last. The session has SESSION_LOCK and SESSION_NET. false: the store failed, or a signal came (RC_LATER). */
bool sweep_files(struct session *s, struct saved_order *o, struct err *e);

#endif
