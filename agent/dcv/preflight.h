/* preflight.h: what can be known to fail before a CA is asked about one name: CAA, DNSSEC, CNAME, wildcard synthesis. What its zone's servers are
 * worth is asked by survey/, for the doctor alone. */
#ifndef DCV_DCV_PREFLIGHT_H
#define DCV_DCV_PREFLIGHT_H

#include "base/op.h"
#include "base/str.h"
#include "dcv/finding.h"

struct conf_verify;
struct net;
struct site;
struct zones;

/* A CA as CAA records speak of it. */
struct caa_ca {
    const struct strs *ids; /* its identifiers; empty: CAA is shown, never blocks */
    const char *method;     /* RFC 8657 validationmethods: what it calls our method, "dns-01"; NULL: it is not known to heed parameters */
    const char *account;    /* RFC 8657 accounturi; NULL: not known */
};

struct preflight {
    struct op op;
    const char *name; /* as in the certificate, "*." included; caller's */
    const struct site *site;
    struct caa_ca caa;
    const struct conf_verify *verify;
    bool placed;           /* the owner was chosen by record_at: WILDCARD_SYNTHESIS is a warning then, not an error */
    bool no_record;        /* the name is proven without a record: only what every CA asks counts, CAA and DNSSEC */
    struct findings found; /* out; preflight_clear frees */
    void *impl;
};

/* CAA: climbed from the name to the root at the authorities (RFC 8659), issue and issuewild apart. DNSSEC: the resolvers= are asked the SOA of the
 * zone cut (it exists, nothing negative is cached) with and without CD; without resolvers the finding is "not asked" (info).
 * Always settles with success; what was found is in the findings, worst first. */
void preflight_start(struct net *n, struct zones *z, struct preflight *p);
/* What the climb for this name will ask, asked at once and early. */
void preflight_warm(struct zones *z, const char *name);
void preflight_clear(struct preflight *p);

/* Pure: may this CA issue for this CAA set? */
struct caa_rr {
    unsigned char flags;
    char tag[16];
    char value[256];
};
enum caa_says {
    CAA_NO,
    CAA_YES,
    CAA_BOUND /* yes, if a parameter means us: an account that is not known here, or a CA of which it is not known whether it heeds parameters */
};
enum caa_says caa_judge(const struct caa_rr *set, size_t n, const struct caa_ca *ca, bool wildcard, char why[200]);

#endif
