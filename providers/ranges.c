#include "providers/ranges.h"

#include <stdlib.h>

#include "base/mem.h"

void ranges_push(struct ranges *l, size_t from, size_t n)
{
    if (!n)
        return;
    l->r = mem_grow(l->r, l->n + 1, sizeof *l->r);
    l->r[l->n++] = (struct range){from, n};
}

void ranges_halve(struct ranges *l, struct range r)
{
    ranges_push(l, r.from + r.n / 2, r.n - r.n / 2);
    ranges_push(l, r.from, r.n / 2);
}

struct range ranges_pop(struct ranges *l)
{
    return l->r[--l->n];
}

void ranges_free(struct ranges *l)
{
    free(l->r);
    *l = (struct ranges){0};
}
