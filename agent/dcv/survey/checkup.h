/* checkup.h: the health of resolvers: does each answer, how fast, and does it validate? They are asked the SOA of the root, which every one has. */
#ifndef DCV_DCV_SURVEY_CHECKUP_H
#define DCV_DCV_SURVEY_CHECKUP_H

#include "dcv/survey/survey.h"
#include "net/dnsx.h"

struct checkup {
    struct op op;
    struct endpoints resolvers; /* in; the caller's */
    struct checkup_one {
        struct dns_ask ask;
        struct checkup *of;
        struct survey_answer heard; /* out */
        bool validates;             /* it says that the root's signatures are right */
        char why[160];              /* where it could not be asked */
    } * one;
    size_t open;
};

void checkup_start(struct net *n, struct checkup *c); /* settles with success */
void checkup_judge(const struct checkup *c, struct findings *out);
void checkup_clear(struct checkup *c); /* resolvers too */

#endif
