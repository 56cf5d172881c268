/* refs.c: what the API calls the records that were read a moment ago: a record is deleted by the name that this very value had just now,
 * never by one that was written down long ago and may be another record's by today. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/loop.h"
#include "net/net.h"
#include "providers/http/described_impl.h"

enum { FRESH_MS = 60000 };

static bool concerns(const struct known_ref *k, const char *zone, const char *owner)
{
    return strcmp(k->owner, owner) == 0 && strcmp(k->zone, zone) == 0;
}

static void drop(struct known_ref *k)
{
    free(k->zone);
    free(k->owner);
    free(k->ref);
    free(k->p);
}

void refs_note(struct provider *p, const char *zone, const char *owner, const struct bytes *value, const char *ref)
{
    p->ref = mem_grow(p->ref, p->n_ref + 1, sizeof *p->ref);
    p->ref[p->n_ref++] = (struct known_ref){.zone = mem_str(zone),
                                            .owner = mem_str(owner),
                                            .ref = mem_str(ref),
                                            .p = value ? mem_copy(value->p, value->n) : NULL,
                                            .n = value ? value->n : 0,
                                            .at = loop_now(net_loop(api_net(p->api)))};
}

void refs_forget(struct provider *p, const char *zone, const char *owner)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->n_ref; i++)
        if (!owner || concerns(&p->ref[i], zone, owner))
            drop(&p->ref[i]);
        else
            p->ref[kept++] = p->ref[i];
    p->n_ref = kept;
}

bool refs_known(const struct provider *p, const char *zone, const char *owner)
{
    int64_t now = loop_now(net_loop(api_net(p->api)));
    for (size_t i = 0; i < p->n_ref; i++)
        if (concerns(&p->ref[i], zone, owner))
            return now - p->ref[i].at < FRESH_MS;
    return false;
}

static const struct known_ref *find(const struct provider *p, const char *zone, const char *owner, struct bytes value)
{
    for (size_t i = 0; i < p->n_ref; i++) {
        const struct known_ref *k = &p->ref[i];
        if (k->p && concerns(k, zone, owner) && k->n == value.n && memcmp(k->p, value.p, value.n) == 0)
            return k;
    }
    return NULL;
}

void refs_spend(struct provider *p, const char *zone, const char *owner, struct bytes value)
{
    const struct known_ref *k = find(p, zone, owner, value);
    if (!k)
        return;
    size_t at = (size_t)(k - p->ref);
    drop(&p->ref[at]);
    p->ref[at] = p->ref[--p->n_ref];
}

bool refs_has(const struct provider *p, const char *zone, const char *owner, struct bytes value)
{
    return find(p, zone, owner, value) != NULL;
}

const char *refs_find(const struct provider *p, const char *zone, const char *owner, struct bytes value)
{
    const struct known_ref *k = find(p, zone, owner, value);
    return k ? k->ref : NULL;
}
