/* ranges.h: a batch that goes in pieces: what is still to be sent, as ranges of its changes or sets. A piece that the service refuses without
 * naming the culprit is halved, down to single ones, so that one bad name does not hold up the others. */
#ifndef DCV_PROVIDERS_RANGES_H
#define DCV_PROVIDERS_RANGES_H

#include <stdbool.h>
#include <stddef.h>

struct range {
    size_t from, n;
};

struct ranges { /* a stack: the next one last */
    struct range *r;
    size_t n;
};

void ranges_push(struct ranges *l, size_t from, size_t n); /* before all that waits; n 0: nothing */
void ranges_halve(struct ranges *l, struct range r);       /* both halves, the first one next */
struct range ranges_pop(struct ranges *l);                 /* there is one */
void ranges_free(struct ranges *l);

#endif
