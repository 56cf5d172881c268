/* plan_ca.c: what a plan asks of a CA: requests, and what it counts for its rate limits. Nobody is asked. */
#include "cmd/plan.h"

#include <string.h>

#include "base/mem.h"
#include "ca/ca.h"
#include "conf/conf.h"

enum {
    /* For each name: a nonce, its authorization, its challenge. For each order: the directory, newOrder, finalize, the certificate, and the order itself
     * until it is ready and valid. */
    EACH_NAME = 3,
    EACH_ORDER = 7,
    EACH_FETCH = 6 /* the CSR is there already */
};

static bool one_of(const char *state, const char *const *words)
{
    while (*words && strcmp(*words, state) != 0)
        words++;
    return *words != NULL;
}

unsigned plan_ca_requests(const char *state, size_t names)
{
    static const char *const over[] = {"issued", "installed", "done", "failed", NULL};
    if (one_of(state, over))
        return 0;
    if (strcmp(state, "submitted") == 0)
        return EACH_FETCH;
    if (strcmp(state, "validated") == 0)
        return (unsigned)names + EACH_ORDER;
    return (unsigned)names * EACH_NAME + EACH_ORDER;
}

void plan_ca(struct plan_cert *at)
{
    static const char *const before[] = {"", "new", "prepared", NULL};
    const char *state = *at->order.id ? at->order.state : "";
    struct strs ordered = {0};
    if (!at->rules || at->rules->by_person || !at->shown)
        return;
    if (*at->order.id)
        strs_split(&ordered, at->order.names);
    at->ca.names = ordered.n ? ordered.n : at->conf->names.n;
    at->ca.requests = plan_ca_requests(state, at->ca.names);
    at->ca.counted = !one_of(state, before);
    at->ca.same_names = !at->other_names;
    at->ca.replaces = at->cal.action == CALENDAR_RENEW && at->renewal.named;
    strs_free(&ordered);
}

void plan_ca_words(const struct plan_ca *ca, struct str *s)
{
    if (ca->counted) {
        str_fmt(s, "the order exists there and was counted when it was made");
        return;
    }
    str_fmt(s, "counts for its rate limits as 1 order of %zu name%s", ca->names, ca->names == 1 ? "" : "s");
    if (ca->replaces)
        str_fmt(s, ", which names the certificate it replaces (ARI): most CAs exempt that from their limits");
    else if (ca->same_names)
        str_fmt(s, ", the same set as in the certificate in use: a renewal, or a duplicate if it comes often");
    else
        str_fmt(s, ", a set that is not in use yet: it counts in full");
}
