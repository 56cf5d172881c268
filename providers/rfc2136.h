/* rfc2136.h: what the files of the rfc2136 provider share. */
#ifndef DCV_PROVIDERS_RFC2136_H
#define DCV_PROVIDERS_RFC2136_H

#include "net/stream.h"
#include "net/tsig_key.h"
#include "net/update.h"
#include "providers/provider.h"

enum { LINES_MAX = 16 }; /* PowerDNS takes 20 connections in all */

struct provider {
    struct net *net;
    struct endpoint to;
    struct line { /* a connection of its own for each zone: servers hold small answers back until the one before has arrived (Nagle) */
        char zone[254];
        struct stream *stream;
    } line[LINES_MAX];
    size_t n_line;
    char server[320]; /* as it is shown */
    struct tsig_key key;
    bool has_key, sign_query;
};

static inline const struct tsig_key *rfc2136_key(const struct provider *p)
{
    return p->has_key ? &p->key : NULL;
}

struct stream *rfc2136_stream(struct provider *p, const char *zone);
void rfc2136_apply(struct provider *p, struct batch *b);
void rfc2136_try(struct provider *p, struct batch *b); /* the same under a prerequisite that cannot be met: CHANGE_DONE is what would be carried out */
void rfc2136_probe(struct provider *p, struct batch *b);

#endif
