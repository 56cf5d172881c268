/* preflight_impl.h: answers that all preflights of a run share. */
#ifndef DCV_DCV_PREFLIGHT_IMPL_H
#define DCV_DCV_PREFLIGHT_IMPL_H

#include "dcv/preflight.h"
#include "dcv/zone/zone_impl.h"

enum { CAA_MAX = 64, SEC_ASKED = 3 };

struct caa_known { /* the CAA set at one owner */
    char name[254];
    struct caa_rr *set;
    size_t n;
    bool alias; /* a CNAME stands there, and no CAA came with it */
    bool done, failed;
    char why[128];
    struct caa_asking { /* NULL once it is done: thousands of sets are kept */
        struct endpoints at;
        struct tour tour;
    } *asking;
    struct waits waits;
};
struct climb { /* from the name to the root */
    struct zones *z;
    const struct site *site; /* of `at`; NULL: not asked yet */
    char at[254];
    struct find find;
    bool found; /* site is of find */
    const struct caa_known *known;
    bool failed;
    char why[200];
    void (*end)(struct climb *c); /* known->n > 0: the set that counts; else there is none, or failed */
    void *owner;
};
void climb_start(struct climb *c, const char *name, const struct site *site);
void climb_cancel(struct climb *c);

enum security { SEC_SILENT, SEC_PLAIN, SEC_SIGNED, SEC_BOGUS };
struct sec_ask {
    struct dns_ask ask;
    struct sec_known *of;
    enum security is;
    char ede[96];
    bool soa; /* it gave one: */
    char mname[254];
    uint32_t serial;
};
struct sec_known { /* what resolvers say of one zone's signatures */
    struct sec_known *next;
    char apex[254];
    const struct endpoint *first; /* the list that was asked */
    struct net *net;
    struct sec_ask *ask;
    size_t n, open;
    bool done;
    struct waits waits;
};
/* most: how many of them are asked; who asks first decides. go() may be called before this returns. */
void sec_start(struct zones *z, const char *apex, const struct endpoints *resolvers, size_t most, void (*go)(void *arg), void *arg);
const struct sec_known *sec_of(const struct zones *z, const char *apex, const struct endpoints *resolvers); /* NULL: not asked */

#endif
