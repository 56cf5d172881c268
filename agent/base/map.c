#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

/* FNV-1a */
static size_t hash(const char *key)
{
    uint64_t h = 0xcbf29ce484222325;
    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 0x100000001b3;
    return (size_t)(h ^ h >> 32);
}

/* Where the key is, or belongs. size is a power of two, and at least half of the slots are free. */
static struct map_slot *place(const struct map *m, const char *key)
{
    size_t i = hash(key) & (m->size - 1);
    while (m->slot[i].key && strcmp(m->slot[i].key, key) != 0)
        i = (i + 1) & (m->size - 1);
    return &m->slot[i];
}

static void grow(struct map *m)
{
    struct map old = *m;
    m->size = old.size ? 2 * old.size : 16;
    m->slot = mem_array(m->size, sizeof(*m->slot));
    for (size_t i = 0; i < old.size; i++)
        if (old.slot[i].key)
            *place(m, old.slot[i].key) = old.slot[i];
    free(old.slot);
}

void map_put(struct map *m, const char *key, void *value)
{
    if (2 * (m->n + 1) > m->size)
        grow(m);
    struct map_slot *s = place(m, key);
    m->n += !s->key;
    *s = (struct map_slot){key, value};
}

void *map_get(const struct map *m, const char *key)
{
    return m->n ? place(m, key)->value : NULL;
}

void map_free(struct map *m)
{
    free(m->slot);
    *m = (struct map){0};
}
