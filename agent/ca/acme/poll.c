#include "ca/acme/poll.h"

bool poll_next(struct poll *p, int64_t retry_after, int64_t now, int64_t *ms)
{
    int64_t step = POLL_FIRST_MS;
    for (unsigned i = 1; i < p->asked && step < POLL_MOST_MS; i++)
        step *= 2;
    if (step > POLL_MOST_MS)
        step = POLL_MOST_MS;
    *ms = retry_after ? (retry_after > now ? (retry_after - now) * 1000 : POLL_FIRST_MS) : p->asked ? step : 0;
    p->asked++;
    if (*ms > POLL_LONGEST_S * 1000)
        return false;
    if (p->spent_ms + *ms > POLL_PATIENCE_MS) {
        *ms = POLL_LONGEST_S * 1000;
        return false;
    }
    p->spent_ms += *ms;
    return true;
}
