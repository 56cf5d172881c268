/* account.c: how much an account may send: at most so many requests in so many seconds, and nothing while the API wants to be left alone.
 *
 * The moments of the last `rate` requests are kept, so that the limit holds for every window of that length and not on average alone. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "providers/http/api_impl.h"

enum { RATE_MAX = 10000 };

struct account {
    struct account *next;
    char *name;
    unsigned users;
    int64_t *sent; /* a ring: moments of the last `rate` requests */
    unsigned rate, at, n;
    int64_t window, held; /* ms */
};

static struct account *accounts; /* of the run */

struct account *account_take(const char *type, const char *credential, unsigned rate, unsigned rate_s)
{
    char *name = mem_fmt("%s %s", type, credential);
    struct account *a = accounts;
    while (a && strcmp(a->name, name) != 0)
        a = a->next;
    if (a) {
        free(name);
        a->users++;
        return a;
    }
    a = mem_new(sizeof *a);
    a->name = name;
    a->users = 1;
    a->rate = rate_s ? rate < RATE_MAX ? rate : RATE_MAX : 0;
    a->window = (int64_t)rate_s * 1000;
    a->sent = mem_array(a->rate + 1, sizeof *a->sent);
    a->next = accounts;
    accounts = a;
    return a;
}

void account_leave(struct account *a)
{
    if (!a || --a->users)
        return;
    struct account **at = &accounts;
    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    free(a->sent);
    free(a->name);
    free(a);
}

int64_t account_wait(const struct account *a, int64_t now)
{
    int64_t wait = a->held > now ? a->held - now : 0;
    if (a->rate && a->n == a->rate && a->sent[a->at] + a->window - now > wait)
        wait = a->sent[a->at] + a->window - now;
    return wait;
}

void account_sent(struct account *a, int64_t now)
{
    if (!a->rate)
        return;
    a->sent[a->at] = now;
    a->at = (a->at + 1) % a->rate;
    a->n += a->n < a->rate;
}

void account_hold(struct account *a, int64_t until)
{
    if (until > a->held)
        a->held = until;
}
