/* cloud_impl.h: what cloud.c and cloud_write.c share: a visit and its life. */
#ifndef DCV_PROVIDERS_CLOUD_CLOUD_IMPL_H
#define DCV_PROVIDERS_CLOUD_CLOUD_IMPL_H

#include "providers/cloud/cloud.h"
#include "providers/ranges.h"

struct visit {
    struct provider *p;
    struct lookup *l; /* one of the two */
    struct batch *b;
    struct token_wait wait;
    char *zone_id;
    struct leg *first; /* under way */
    struct swap *swap;
    size_t n_swap;
    struct ranges todo; /* of swaps */
    struct err err; /* the first one */
};

struct leg *leg_new(struct visit *v);
void leg_free(struct leg *s);                                     /* cancels what is under way */
void leg_start(struct leg *s, const char *what, op_fn *done);     /* sends s->call */
void leg_look_at_token(const struct leg *s);                      /* an answer came: is the token still good? */

void visit_start(struct visit *v);                                  /* token, zone, then the requests */
void visit_note(struct visit *v, const struct err *e);              /* the first error is the visit's */
void visit_finish(struct visit *v);                                 /* settles and frees */
void visit_free(struct visit *v);

/* cloud_write.c */
void visit_write_next(struct visit *v);                             /* token and zone are there; finishes when nothing is left */
void visit_refuse_rest(struct visit *v, const struct err *e);       /* what was not sent yet */

#endif
