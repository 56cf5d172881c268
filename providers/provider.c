/* provider.c: the list of provider types, and sets of TXT values. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "providers/provider.h"

extern const struct provider_ops provider_rfc2136;

const struct provider_ops *const provider_types[] = {&provider_rfc2136, NULL};

const struct provider_ops *provider_type(const char *type)
{
    for (const struct provider_ops *const *p = provider_types; type && *p; p++)
        if (strcmp((*p)->type, type) == 0)
            return *p;
    return NULL;
}

void rrset_clear(struct rrset *set)
{
    for (size_t i = 0; i < set->n; i++) {
        free((void *)(uintptr_t)set->octets[i].p);
        if (set->native)
            free(set->native[i]);
    }
    free(set->octets);
    free(set->native);
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
