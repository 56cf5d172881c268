/* look.h: questions that a command asks through the session's loop, and waits for: zones, TXT sets, preflight, views. Nothing is written.
 *
 * The session has SESSION_NET. Bulk forms ask side by side; err[i] (zeroed by the caller) says how question i went. A signal ends them
 * all: false with RC_LATER, code STOPPED. Where false is returned nothing is under way any more. */
#ifndef DCV_ORDER_LOOK_H
#define DCV_ORDER_LOOK_H

#include "base/record.h"
#include "dcv/preflight.h"
#include "dcv/visible.h"
#include "dcv/zone/zone.h"
#include "order/session.h"

bool look_site(struct session *s, const char *host, const struct site **site, struct err *e); /* follows CNAMEs */
bool look_sites(struct session *s, struct find *f, struct err *err, size_t n, struct err *e); /* those with name NULL are left out */

struct look_txt {            /* the TXT set at a site's owner, as its own authority gives it */
    const struct site *site; /* in; NULL: left out */
    struct bytes *value;     /* out; look_txt_clear frees */
    size_t n;
    uint32_t ttl; /* 0 where there is no set */
};
/* By TCP with RD=0; the first server that answers with authority. Nobody does: RC_NET, NOBODY_ASKED. */
bool look_txt(struct session *s, struct look_txt *l, struct err *e);
bool look_txts(struct session *s, struct look_txt *l, struct err *err, size_t n, struct err *e);
void look_txt_clear(struct look_txt *l);

bool look_preflights(struct session *s, struct preflight *p, size_t n, struct err *e); /* those with site NULL are left out */

struct look_row { /* a name and who sees its record, for whoever shows it */
    const char *host;
    const struct watch *watch;
};

/* Watches that have a site. round (may be NULL) is called after each round of one of them, and with NULL four times a second. */
bool look_watches(struct session *s, struct watch *w, struct err *err, size_t n, void (*round)(void *arg, struct watch *w), void *arg,
                  struct err *e);

#endif
