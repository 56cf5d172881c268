/* rfc2136.h: what the files of the rfc2136 provider share. */
#ifndef DCV_PROVIDERS_RFC2136_H
#define DCV_PROVIDERS_RFC2136_H

#include "net/stream.h"
#include "net/tsig_key.h"
#include "net/update.h"
#include "providers/provider.h"

struct provider {
    struct net *net;
    struct stream *stream;
    char server[320]; /* as it is shown */
    struct tsig_key key;
    bool has_key, sign_query;
};

static inline const struct tsig_key *rfc2136_key(const struct provider *p)
{
    return p->has_key ? &p->key : NULL;
}

void rfc2136_read(struct provider *p, struct lookup *l);
void rfc2136_apply(struct provider *p, struct batch *b);

#endif
