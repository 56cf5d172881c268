/* map.h: from a text to what it names, for look-ups that would otherwise walk thousands of entries. */
#ifndef DCV_BASE_MAP_H
#define DCV_BASE_MAP_H

#include <stddef.h>

struct map {
    struct map_slot {
        const char *key; /* NULL: free */
        void *value;
    } *slot;
    size_t n, size; /* to see all: slot[0..size) with a key */
};

void map_put(struct map *m, const char *key, void *value); /* over an older value; the key is borrowed while the map lives */
void *map_get(const struct map *m, const char *key);       /* NULL: not there */
void *map_take(struct map *m, const char *key);            /* out of the map; NULL: was not there */
void map_free(struct map *m);

#endif
