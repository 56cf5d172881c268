/* rrset.c: sets of TXT values. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "providers/provider.h"

void rrset_clear(struct rrset *set)
{
    for (size_t i = 0; i < set->n; i++) {
        free((void *)(uintptr_t)set->octets[i].p);
        if (set->native)
            free(set->native[i]);
    }
    free(set->octets);
    free(set->native);
    free(set->rest);
    *set = (struct rrset){.owner = set->owner};
}

bool rrset_has(const struct rrset *set, struct bytes value)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->octets[i].n == value.n && (value.n == 0 || memcmp(set->octets[i].p, value.p, value.n) == 0))
            return true;
    return false;
}

void rrset_add(struct rrset *set, const uint8_t *p, size_t n)
{
    set->octets = mem_grow(set->octets, set->n + 1, sizeof *set->octets);
    if (set->native) {
        set->native = mem_grow(set->native, set->n + 1, sizeof *set->native);
        set->native[set->n] = NULL;
    }
    set->octets[set->n++] = (struct bytes){mem_copy(p, n), n};
}

void rrset_add_native(struct rrset *set, const uint8_t *p, size_t n, const char *native)
{
    rrset_add(set, p, n);
    set->native = mem_grow(set->native, set->n, sizeof *set->native);
    set->native[set->n - 1] = mem_str(native);
}
