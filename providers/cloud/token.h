/* token.h: an OAuth 2.0 access token: asked for once, kept until a minute before its end, shared by all who wait for it. Never shown. */
#ifndef DCV_PROVIDERS_CLOUD_TOKEN_H
#define DCV_PROVIDERS_CLOUD_TOKEN_H

#include "providers/http/api.h"

struct token {
    struct api *api;                                  /* where it is asked for; the owner's */
    bool (*request)(struct token *t, struct err *e);  /* fills t->call: method, url, headers, body */
    void *owner;
    struct api_call call;
    struct secret value;                              /* the token, while it is good */
    int64_t until;                                    /* wall clock, s */
    struct token_wait *first;
};

struct token_wait {
    struct op op; /* success: t->value is good. Faults: those of api.h, of request(), RC_PAGES API_ANSWER */
    struct token *token;
    struct token_wait *next;
};

void token_get(struct token *t, struct token_wait *w);
void token_header(const struct token *t, struct strs *headers); /* Authorization: Bearer ... */
void token_refused(struct token *t);                            /* the API does not take it: the next one asks anew */
void token_free(struct token *t);                               /* nobody may wait any more */

#endif
