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

/* The gap is closed: whoever was moved on past it by a collision moves back, so that look-ups still find him. */
void *map_take(struct map *m, const char *key)
{
    if (!m->n)
        return NULL;
    size_t gap = (size_t)(place(m, key) - m->slot), mask = m->size - 1;
    if (!m->slot[gap].key)
        return NULL;
    void *value = m->slot[gap].value;
    for (size_t i = (gap + 1) & mask; m->slot[i].key; i = (i + 1) & mask) {
        size_t home = hash(m->slot[i].key) & mask;
        if (((i - home) & mask) < ((i - gap) & mask))
            continue;
        m->slot[gap] = m->slot[i];
        gap = i;
    }
    m->slot[gap] = (struct map_slot){0};
    m->n--;
    return value;
}

void map_free(struct map *m)
{
    free(m->slot);
    *m = (struct map){0};
}
