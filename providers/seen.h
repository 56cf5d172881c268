/* seen.h: a service may show later what it has taken: the batch is not over before the zone's authority does, so that the read-back finds
 * it. For providers that write in one way and are read by DNS. */
#ifndef DCV_PROVIDERS_SEEN_H
#define DCV_PROVIDERS_SEEN_H

#include "net/loop.h"
#include "providers/authority.h"

/* Waits until the authority shows every change of the batch that is CHANGE_DONE; after wait_ms the others are CHANGE_UNSURE (WRITE_SLOW).
 * Settles at once, with success, where nobody can be asked or there is nothing to see. Never an error. */
struct seen {
    struct op op;
    struct authority at;  /* in, as all up to the blank line; stream NULL: nobody can be asked */
    struct loop *loop;
    struct batch *b;
    uint32_t wait_ms;
    bool adds_alone;      /* KEEPS: what was deleted still stands there */
    const char *section;  /* its name, */
    const char *by;       /* and who said that it is done, for messages; this long too */

    struct lookup look;
    struct timer pause;
    int64_t until; /* loop_now(), ms */
    unsigned turns;
};
void seen_start(struct seen *s);

#endif
