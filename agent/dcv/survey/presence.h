/* presence.h: what stands already at a name where a record will go, as its authority gives it: values, TTL, size, signatures. With what follows
 * from it: when a new value will be seen everywhere, and what others have left there. */
#ifndef DCV_DCV_SURVEY_PRESENCE_H
#define DCV_DCV_SURVEY_PRESENCE_H

#include "base/record.h"
#include "dcv/survey/survey.h"

struct presence {
    struct op op;
    const char *owner; /* caller's */
    const struct zone *zone;
    /* out; presence_clear frees */
    bool known;      /* an authority answered */
    char alias[254]; /* a CNAME stands there instead; "" */
    struct bytes *value;
    size_t n;
    uint32_t ttl, size; /* size: of the whole answer, octets */
    struct survey_span is_signed;
    void *impl;
};

/* By UDP with RD=0, its servers in turn. Settles with success whatever was found. */
void presence_start(struct zones *z, struct presence *p);
void presence_clear(struct presence *p);

struct presence_about {
    const char *host;            /* the name to prove */
    const struct survey *survey; /* of the zone */
    const struct bytes *ours;    /* values that open rows of our ledger name */
    size_t n_ours;
};

/* Where our record will go: what stands there, and the forecast. Pure. */
void presence_judge(const struct presence *p, const struct presence_about *about, int64_t now, struct findings *out);

/* _acme-challenge of a name that is proven elsewhere: who else may have certificates for it. covered: its CNAME's target lies in zones=. Pure. */
void presence_judge_challenge(const struct presence *p, const struct presence_about *about, bool covered, struct findings *out);

/* Whose validation record does this look like ("ACME", "GlobalSign", ...)? NULL: nobody's. Pure. */
const char *presence_kind(const char *owner, struct bytes value);

#endif
