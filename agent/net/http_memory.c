/* http_memory.c: where hosts were in an earlier run (struct http_memory). */
#include "net/http_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/public.h"

struct curl_slist *host_list(const struct host *h, const char *addresses)
{
    char *full = mem_fmt("%s:%u:%s", h->name, (unsigned)h->port, addresses);
    struct curl_slist *list = curl_slist_append(NULL, full);
    free(full);
    return list;
}

static bool usable(const struct http_client *c, const char *addresses)
{
    struct strs all = {0};
    union address a;
    strs_split(&all, addresses);
    bool ok = all.n > 0;
    for (size_t i = 0; i < all.n; i++)
        ok = ok && net_address(all.s[i], 0, &a, NULL) && (!c->public_only || address_public(all.s[i]));
    strs_free(&all);
    return ok;
}

void host_recall(struct host *h)
{
    const struct http_memory *m = &h->client->memory;
    if (m->recall)
        h->remembered = m->recall(m->owner, h->name);
    if (h->remembered && !usable(h->client, h->remembered)) {
        free(h->remembered);
        h->remembered = NULL;
    }
    if (h->remembered)
        h->old = host_list(h, h->remembered);
}

/* Resolvers turn the order of addresses from answer to answer; that is nothing new. */
static bool same_addresses(const char *a, const char *b)
{
    struct strs one = {0}, other = {0};
    strs_split(&one, a);
    strs_split(&other, b);
    bool same = strs_equal_sets(&one, &other);
    strs_free(&one);
    strs_free(&other);
    return same;
}

void host_learn(struct host *h, const char *addresses)
{
    const struct http_memory *m = &h->client->memory;
    if (m->learn && !(h->remembered && same_addresses(h->remembered, addresses)))
        m->learn(m->owner, h->name, addresses);
}

void host_gone(struct host *h)
{
    free(h->remembered);
    h->remembered = NULL;
}
