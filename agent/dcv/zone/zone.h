/* zone.h: what the authorities say of a name before anything is written: its zone cut, its servers, CNAMEs on the way.
 *
 * A name's own questions never go to a recursive resolver before the record is in place (a negative answer would stick for the
 * SOA minimum). Start: the longest [zone] or zones= of a provider that the name lies within, else its top-level domain. The discovery
 * servers are asked only the NS of that start and the addresses of name servers; from there referrals are followed with RD=0. [zone]
 * servers= replace what would be discovered. Every answer is asked once and shared by all names of the run.
 *
 * Faults: RC_DELEGATION with CNAME_FOREIGN, CNAME_LOOP, CNAME_DEEP (over 8 hops), CNAME_REFUSED (cname = refuse), LAME, NO_ZONE; RC_NET
 * DISCOVERY where nobody could be asked (the text names [zone] servers=). */
#ifndef DCV_DCV_ZONE_H
#define DCV_DCV_ZONE_H

#include "base/endpoint.h"
#include "base/op.h"
#include "base/record.h"
#include "base/str.h"

struct conf;
struct net;
struct zones; /* the shared memory of one run */

struct zone_server {
    char name[254];
    struct endpoints at; /* all its addresses, IPv4 and IPv6 */
};

struct zone { /* a zone cut; shared, lives until zones_free */
    char apex[254];
    struct zone_server *server;
    size_t n;
    bool configured; /* by [zone] servers= */
    char mname[254];
    uint32_t serial;       /* SOA serial as first seen */
    uint32_t negative_ttl; /* min(SOA minimum, SOA TTL), s */
};

struct site {                /* what is known of one name; shared, lives until zones_forget or zones_free */
    char name[254];          /* asked */
    char owner[254];         /* where a record for it has to be written: name, or the end of its CNAME chain */
    struct strs chain;       /* name, its CNAME target, ... owner; one entry without CNAME */
    const struct zone *zone; /* of owner */
    bool exists;             /* the owner has records (NOERROR) */
    bool wildcard;           /* it exists only by wildcard synthesis, as far as can be told; a synthesised CNAME is not followed */
    bool dname;
};

struct zones *zones_new(struct net *n, const struct conf *c);
void zones_free(struct zones *z);

/* What was found out of this name is not wanted any more: a run over thousands of names keeps what is under way. No pointer to a site of it may be
 * left with anybody. What is still being asked stays. */
void zones_forget(struct zones *z, const char *name);

struct find {
    struct op op;
    const char *name; /* inner form without "*."; caller's until done() */
    bool refuse_cname;
    bool
        no_follow; /* the zone cut of the name itself, whatever stands there (record at the apex): a CNAME is neither followed nor a fault */
    bool anywhere;           /* CNAMEs are followed beyond zones= too: for reading alone (CAA) */
    const struct site *site; /* out, on success; on CNAME faults too, for the chain */
    void *impl;
};
void zone_find(struct zones *z, struct find *f);

#endif
