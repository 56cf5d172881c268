/* poll.h: when to ask again. Pure. */
#ifndef DCV_CA_ACME_POLL_H
#define DCV_CA_ACME_POLL_H

#include <stdbool.h>
#include <stdint.h>

enum { POLL_FIRST_MS = 20, POLL_MOST_MS = 5000, POLL_PATIENCE_MS = 300000, POLL_LONGEST_S = 60 };

struct poll { /* zeroed: nothing asked yet */
    unsigned asked;
    int64_t spent_ms; /* waited so far */
};

/* Milliseconds until the next question: what the CA's Retry-After (wall clock, s; 0: none) says, else 0, then 20 doubling to 5,000. false: not in this
 * run: the CA wants more than a minute, or 5 minutes are over; *ms then says how long to stay away. */
bool poll_next(struct poll *p, int64_t retry_after, int64_t now, int64_t *ms);

#endif
