#include "base/guess.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

void guess_try(struct guess *g, const char *candidate)
{
    size_t n = strlen(g->wanted), near = n / 3 > 0 ? n / 3 : 1, d;

    if (n > 64 || strlen(candidate) > 64)
        return;
    d = text_distance(g->wanted, candidate);
    if (d > near || (g->best && d >= g->distance))
        return;
    g->best = candidate;
    g->distance = d;
}

const char *guess_text(const struct guess *g, char out[96])
{
    out[0] = '\0';
    if (g->best)
        snprintf(out, 96, ", did you mean %s?", g->best);
    return out;
}
