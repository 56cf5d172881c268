/* memory.c: what an earlier run learned of the CA's servers; believed for 30 days, and never needed: a run that knows nothing does the same, later. */
#include "ca/acme/acme_impl.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

static char *memory_key(const struct ca *c, const char *topic)
{
    return mem_fmt("%s/%s", c->name, topic);
}

json_t *memory_recall(const struct ca *c, const char *topic)
{
    char *key = memory_key(c, topic), *text = value_get(c->store, "acme", key);
    json_t *j = text ? json_loads(text, 0, NULL) : NULL;
    int64_t age = clock_now() - json_num(j, "since");
    if (age < 0 || age >= REMEMBERED) {
        json_decref(j);
        j = NULL;
    }
    free(text);
    free(key);
    return j;
}

void memory_keep(struct ca *c, const char *topic, json_t *j)
{
    json_object_set_new(j, "since", json_integer(clock_now()));
    char *key = memory_key(c, topic), *text = json_line(j);
    struct err e = {0};
    value_put(c->store, "acme", key, text, &e); /* where it fails the turn fails, and says so */
    free(text);
    free(key);
}
