/* owner.h: where a record goes. Pure. */
#ifndef DCV_DCV_OWNER_H
#define DCV_DCV_OWNER_H

#include "base/err.h"
#include "base/record.h"

struct conf_cert;

/* The place for one name: the certificate's record_at for that host wins over the CA's places. At most n_ca results. */
size_t owner_places(const struct conf_cert *c, const char *name, const struct place *ca, size_t n_ca, struct place *out);

bool owner_placed(const struct conf_cert *c, const char *name); /* by record_at */

/* The owner before any CNAME: name (without "*."), apex of the cut, or LABEL.name. false: longer than 253 octets (RC_DELEGATION, OWNER_LONG). */
bool owner_of(const char *name, struct place at, const char *apex, char out[254], struct err *e);

#endif
