/* doctor_impl.h: between doctor.c, which asks, doctor_tell.c, which says what the answers mean, and doctor_web.c, which does both where names are
 * proven by files. */
#ifndef DCV_ORDER_DOCTOR_IMPL_H
#define DCV_ORDER_DOCTOR_IMPL_H

#include "base/map.h"
#include "conf/conf.h"
#include "dcv/rights.h"
#include "dcv/survey/checkup.h"
#include "dcv/survey/presence.h"
#include "dcv/webview.h"
#include "net/proxy.h"
#include "order/ask/doctor.h"
#include "order/cas.h"
#include "order/ask/where.h"

struct many;

struct doctor_zone { /* a zone that names lie in */
    struct doctor_zone *next;
    const struct zone *zone;
    struct conf_verify verify; /* of the first certificate that came to it */
    struct endpoint primary;
    struct survey survey;
    const char *told; /* certificate that was told last */
};

struct doctor_owner { /* a name with TXT records, or where they may be */
    struct doctor_owner *next;
    char name[NAME_SIZE];
    struct doctor_zone *zone;
    struct presence presence;
};

struct doctor_rights { /* one zone at one provider */
    struct doctor_rights *next;
    struct rights rights;
};

struct doctor_place { /* one place of one name */
    const struct where *where;
    const struct ca_rules *rules;
    const struct section *provider; /* NULL: none may write there */
    const char *matched;            /* the zone of its zones= */
    struct conf_verify verify;
    struct preflight preflight;
    struct doctor_zone *zone;
    struct doctor_owner *owner, *challenge; /* challenge: _acme-challenge of the name, where the record goes elsewhere; NULL */
};

struct doctor_web { /* one name that is proven by a file */
    const struct conf_cert *conf;
    const struct ca_rules *rules;
    const char *name;
    const struct site *site; /* NULL: err says why */
    struct conf_verify verify;
    struct preflight preflight;
    struct web_watch watch;
    struct err err; /* of the watch, too */
};

struct doctor {
    struct session *s;
    const struct strs *certs;
    struct cas *cas;
    struct wheres wheres;
    struct doctor_place *place; /* as many as wheres */
    struct doctor_zone *zone;
    struct doctor_owner *owner;
    struct doctor_rights *rights;
    struct map owner_of;
    struct checkup checkup;
    struct doctor_web *web;
    size_t n_web;
    struct proxy proxy;
    struct bytes *ours; /* values of the ledger's open rows */
    size_t n_ours;
};

void doctor_tell(struct doctor *d, struct diagnoses *out);
void doctor_put(struct diagnoses *out, const char *cert, struct findings *l); /* empties l */
void doctor_from_error(struct finding *f, const struct err *e); /* cause and remedy out of a message */

/* doctor_web.c, in this order */
void doctor_web_add(struct doctor *d, const struct conf_cert *c, const struct ca_rules *rules);
bool doctor_web_find(struct doctor *d, struct err *e);
void doctor_web_ask(struct doctor *d, struct many *m); /* adds up to two for each */
void doctor_web_tell(const struct doctor *d, struct diagnoses *out);
void doctor_web_free(struct doctor *d);

#endif
