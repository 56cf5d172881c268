/* replacement.h: replacing many certificates as one piece of work, however many runs it takes: what a killed run, or one whose time was up, has left
 * is gone on with, and nothing that was replaced is ordered twice.
 *
 * Each order notes when its replacement was begun. The replacement is under way as long as one of its orders is; meanwhile `replace` joins it. */
#ifndef DCV_ORDER_REPLACEMENT_H
#define DCV_ORDER_REPLACEMENT_H

#include <stddef.h>

#include "base/str.h"
#include "order/session.h"

struct replacement {
    int64_t since;   /* when it was begun; 0: none is under way */
    size_t all;      /* certificates that were asked for */
    size_t replaced; /* of them by this replacement */
    size_t open;     /* of them with an order of it */
};

/* The replacement under way among these certificates (empty: all). Only reads. */
bool replacement_look(struct session *s, const struct strs *names, struct replacement *out, struct err *e);

/* Was this certificate replaced, to the end, by the replacement begun at `since`? */
bool replacement_has(struct store *s, const char *cert, int64_t since);

struct replacement_count { /* of a run */
    size_t all, replaced, under_way, waiting, failed; /* waiting: for a person or a later run */
    size_t rest;                                      /* not begun */
};

#endif
