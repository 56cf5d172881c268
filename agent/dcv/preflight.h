/* preflight.h: what can be known to fail before a CA is asked: CAA, DNSSEC, CNAME, wildcard synthesis. First form. */
#ifndef DCV_DCV_PREFLIGHT_H
#define DCV_DCV_PREFLIGHT_H

#include "base/op.h"
#include "base/str.h"

struct conf_verify;
struct net;
struct site;
struct zones;

enum severity { SEV_OK, SEV_INFO, SEV_WARNING, SEV_ERROR };
extern const char *const severity_words[];

struct finding {
    const char *code; /* static: CAA_FORBIDS, DNSSEC_BOGUS, ... */
    enum severity severity;
    char host[254];
    char cause[256], remedy[256];
};

struct preflight {
    struct op op;
    const char *name; /* as in the certificate, "*." included; caller's */
    const struct site *site;
    const struct strs *caa; /* the CA's CAA identifiers; empty: CAA is shown, never blocks */
    const struct conf_verify *verify;
    bool placed;             /* the owner was chosen by record_at: WILDCARD_SYNTHESIS is a warning then, not an error */
    struct finding *finding; /* out; preflight_clear frees */
    size_t n;
    void *impl;
};

/* CAA: climbed from the name to the root at the authorities (RFC 8659), issue and issuewild apart. DNSSEC: the resolvers= are asked the SOA of the
 * zone cut (it exists, nothing negative is cached) with and without CD; without resolvers the finding is "not asked" (info).
 * Always settles with success; what was found is in the findings, worst first. */
void preflight_start(struct net *n, struct zones *z, struct preflight *p);
/* What the climb for this name will ask, asked at once and early. */
void preflight_warm(struct zones *z, const char *name);
enum severity preflight_worst(const struct preflight *p);
void preflight_clear(struct preflight *p);

/* Pure: may a CA with these identifiers issue for this CAA set? */
struct caa_rr {
    unsigned char flags;
    char tag[16];
    char value[256];
};
bool caa_allows(const struct caa_rr *set, size_t n, const struct strs *ids, bool wildcard, char why[160]);

#endif
