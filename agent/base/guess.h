/* guess.h: did-you-mean: the nearest of the words that would have been right, if it is near enough to be a slip of the finger. */
#ifndef DCV_BASE_GUESS_H
#define DCV_BASE_GUESS_H

#include <stddef.h>

struct guess {
    const char *wanted; /* as written */
    const char *best;   /* NULL: nothing is near; borrowed from who tried it */
    size_t distance;
};
void guess_try(struct guess *g, const char *candidate);
const char *guess_text(const struct guess *g, char out[96]); /* ", did you mean X?" or "" */

#endif
