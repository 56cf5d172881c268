/* authority.h: TXT sets as a server that is authoritative for them tells them: by TCP, without recursion, signed where wanted. For
 * providers that are read by DNS. */
#ifndef DCV_PROVIDERS_AUTHORITY_H
#define DCV_PROVIDERS_AUTHORITY_H

#include "net/stream.h"
#include "net/tsig_key.h"
#include "providers/provider.h"

struct authority {
    struct stream *stream;      /* to it; the caller's, open while a lookup is under way */
    const char *server;         /* as messages show it; this long too */
    const struct tsig_key *key; /* the questions are signed with it; NULL: not signed */
    const char *refused;        /* what else one can do where it refuses to answer; "" */
};

/* provider.h's read. An answer without AA, or with an error, is an error of the whole. Codes: READ_FAILED, READ_REFUSED,
 * READ_NOT_AUTHORITATIVE, those of update_err() (net/update.h) for a signature that does not hold, and of net/stream.h. */
void authority_read(const struct authority *a, struct lookup *l);

#endif
