/* website.h: what orders have on web servers, or may have, out of their saved facts: what the ledger is for records. For commands; the order itself
 * works on it in website.c. */
#ifndef DCV_ORDER_WEBSITE_H
#define DCV_ORDER_WEBSITE_H

#include <stddef.h>

#include "store/store.h"

struct website_file {           /* borrowed, for the call */
    const struct saved_order *order;
    const char *host;           /* told to the hook; of a web root's file, which serves all names, the first */
    const char *webroot, *hook; /* one of them is "" */
    const char *value;
    enum ledger_state state;    /* found intended present leaving */
    bool wanted;                /* false: no order needs it any more */
};

/* What anybody would call it: its path in the web root, or the URL where a hook puts it. The caller frees. */
char *website_place(const struct website_file *f);

typedef void website_fn(void *arg, const struct website_file *f);
void website_files(const struct saved_order *o, website_fn *fn, void *arg);   /* of one order */
bool website_each(struct store *s, website_fn *fn, void *arg, struct err *e); /* of all, closed ones too: the newest first */
size_t website_left(const char *facts);                                       /* how many; facts: of a saved order */

#endif
