/* api_impl.h: what api.c, account.c and words.c share. */
#ifndef DCV_PROVIDERS_HTTP_API_IMPL_H
#define DCV_PROVIDERS_HTTP_API_IMPL_H

#include "net/http.h"
#include "net/loop.h"
#include "providers/http/api.h"

struct account; /* one credential at one kind of API: what it may still send */

struct account *account_take(const char *type, const char *credential, unsigned rate, unsigned rate_s);
void account_leave(struct account *a);
int64_t account_wait(const struct account *a, int64_t now); /* ms until the next request may leave; now: loop_now() */
void account_sent(struct account *a, int64_t now);
void account_hold(struct account *a, int64_t until); /* ms, loop_now() scale */

struct flight { /* a call in the queue or under way */
    struct api *api;
    struct api_call *call;
    struct flight *prev, *next;
    struct http http;
    bool queued;
};

struct flights {
    struct flight *first, *last;
    unsigned n;
};

struct api {
    struct net *net;
    const struct section *section;
    struct http_client *http;
    struct account *account;
    unsigned parallel, requests;
    size_t max;
    struct flights waiting, flying;
    struct timer timer;
    struct secret *hidden;
    size_t n_hidden;
};

void api_refused(const struct api *a, struct api_call *c); /* why: what a status that is not accepted means */

#endif
