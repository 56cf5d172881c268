/* evidence.h: what was seen where and when, and who did what, as one document: archived with each certificate, printed by `evidence`. */
#ifndef DCV_ORDER_EVIDENCE_H
#define DCV_ORDER_EVIDENCE_H

#include "base/json.h"
#include "store/store.h"

/* {"version":1,"certificate","order","lines":[{"at","kind",...}]}; order NULL: of all orders of the certificate. New reference. */
json_t *evidence_collect(struct store *s, const char *cert, const char *order);
char *evidence_document(struct store *s, const char *cert, const char *order); /* the same of one order as text, a line each; caller frees */

/* A person's command that changes something: time, uid, SUDO_USER or loginuid, arguments without secrets. */
bool evidence_command(struct store *s, const char *cert, int argc, char *const *argv, struct err *e);

#endif
