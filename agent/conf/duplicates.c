/* duplicates.c: sections and keys that are given twice. Sorting finds them, so ten thousand sections cost no square. */
#include "conf/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int by_place(const struct place_in *a, const struct place_in *b)
{
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}

static int same_header(const struct raw_section *a, const struct raw_section *b)
{
    int d = strcmp(a->kind, b->kind);

    return d ? d : strcmp(a->name, b->name);
}

static int by_header(const void *a, const void *b)
{
    const struct raw_section *x = *(struct raw_section *const *)a, *y = *(struct raw_section *const *)b;
    int d = same_header(x, y);

    return d ? d : by_place(&x->at, &y->at);
}

static int by_key(const void *a, const void *b)
{
    const struct section_entry *x = *(struct section_entry *const *)a, *y = *(struct section_entry *const *)b;
    int d = strcmp(x->key, y->key);

    return d ? d : by_place(&x->at, &y->at);
}

static bool stops_all(const char *kind)
{
    return strcmp(kind, "agent") == 0 || strcmp(kind, "verify") == 0;
}

static void join(struct loader *l, struct raw_section *first, struct raw_section *again)
{
    char *label = mem_fmt("%s%s%s", again->kind, *again->name ? " " : "", again->name);

    loader_fault(l, &again->at, label, NULL, RC_CONF, stops_all(again->kind), "the section is given twice, first in %s:%u; join the two",
                 first->at.file, first->at.line);
    free(label);
    first->faulty = true;
    first->e = mem_grow(first->e, first->n + again->n + 1, sizeof(*first->e));
    first->room = first->n + again->n + 1;
    if (again->n)
        memcpy(first->e + first->n, again->e, again->n * sizeof(*first->e));
    first->n += again->n;
    again->n = 0;
}

static void drop_repeated_keys(struct loader *l, struct raw_section *s)
{
    struct section_entry **sorted = mem_array(s->n + 1, sizeof(struct section_entry *));
    char *label = mem_fmt("%s%s%s", s->kind, *s->name ? " " : "", s->name);
    size_t first = 0;

    for (size_t i = 0; i < s->n; i++)
        sorted[i] = &s->e[i];
    qsort(sorted, s->n, sizeof(struct section_entry *), by_key);
    for (size_t i = 1; i < s->n; i++) {
        if (strcmp(sorted[first]->key, sorted[i]->key) != 0) {
            first = i;
            continue;
        }
        loader_fault(l, &sorted[i]->at, label, sorted[i]->key, RC_CONF, stops_all(s->kind),
                     "the key is given twice, first in %s:%u; remove one", sorted[first]->at.file, sorted[first]->at.line);
        s->faulty = true;
        free(sorted[i]->value);
        sorted[i]->value = NULL;
    }
    free(sorted);
    free(label);
}

/* Sections that were joined to another leave the list; the order of the files stays. */
void drop_repeated(struct loader *l)
{
    struct raw_section **sorted = mem_array(l->n_raw + 1, sizeof(struct raw_section *));
    size_t first = 0, n = 0;

    if (l->n_raw)
        memcpy(sorted, l->raw, l->n_raw * sizeof(struct raw_section *));
    qsort(sorted, l->n_raw, sizeof(struct raw_section *), by_header);
    for (size_t i = 1; i < l->n_raw; i++) {
        if (same_header(sorted[first], sorted[i]) != 0) {
            first = i;
            continue;
        }
        join(l, sorted[first], sorted[i]);
        free(sorted[i]->kind); /* marks it for the loop below */
        sorted[i]->kind = NULL;
    }
    free(sorted);
    for (size_t i = 0; i < l->n_raw; i++) {
        struct raw_section *s = l->raw[i];

        if (s->kind) {
            drop_repeated_keys(l, s);
            l->raw[n++] = s;
            continue;
        }
        free(s->name);
        free(s->e);
        free(s);
    }
    l->n_raw = n;
}
