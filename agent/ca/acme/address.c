/* address.c: where the CA's servers were in an earlier run (net/http.h), which saves the first round trip of the next one. */
#include "ca/acme/acme_impl.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

static char *memory_key(const struct ca *c, const char *host)
{
    return mem_fmt("%s/at/%s", c->name, host);
}

static char *recall(void *owner, const char *host)
{
    const struct ca *c = owner;
    char *key = memory_key(c, host), *text = value_get(c->store, "acme", key), *addresses = NULL;
    json_t *j = text ? json_loads(text, 0, NULL) : NULL;
    int64_t age = clock_now() - json_num(j, "since");
    if (*json_str(j, "addresses") && age >= 0 && age < REMEMBERED)
        addresses = mem_str(json_str(j, "addresses"));
    json_decref(j);
    free(text);
    free(key);
    return addresses;
}

static void learn(void *owner, const char *host, const char *addresses)
{
    struct ca *c = owner;
    char *key = memory_key(c, host);
    char *text = json_line(json_pack("{s:s, s:I}", "addresses", addresses, "since", (json_int_t)clock_now()));
    struct err e = {0};
    value_put(c->store, "acme", key, text, &e); /* where it fails the turn fails, and says so */
    free(text);
    free(key);
}

struct http_memory acme_addresses(struct ca *c)
{
    return (struct http_memory){.owner = c, .recall = recall, .learn = learn};
}
