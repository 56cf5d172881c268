/* handover.h: what a person hands over to an order (codes, confirmations, certificates), kept in the order's handle. Shared by the CAs with a
 * person behind them; also the way out for a portal whose pages changed. */
#ifndef DCV_CA_HANDOVER_H
#define DCV_CA_HANDOVER_H

#include "base/json.h"
#include "ca/ca.h"

json_t *handover_load(const struct saved_order *o);           /* the handle as an object; new reference */
void handover_save(struct saved_order *o, json_t *h);         /* takes the reference */

/* Fills k's proofs from the codes; true: every name has one that has not expired. `expired`: a code was there but its time is over. */
bool handover_proofs(const json_t *h, struct ca_case *k, uint32_t lifetime, int64_t now, bool *expired);

/* When the first of the codes runs out; 0: never, or there is none. */
int64_t handover_deadline(const struct ca_case *k);

/* The code as it is published: outer blanks, quotes and line ends go, the rest is verbatim: people copy codes out of web pages and zone
 * files. The caller frees. */
char *handover_code(struct bytes text);

/* Applies one inbox row to the handle: pin code confirmed failed submitted. Refuses with RC_USAGE what makes no sense (a code for a name that is not in
 * the order, an empty or over-long code), saying what would. */
bool handover_take(struct ca_case *k, const struct inbox_row *row, struct err *e);

/* state_dir/csr/NAME.pem, as it is told to people. */
void handover_csr_path(const struct saved_order *o, char *out, size_t size);

#endif
