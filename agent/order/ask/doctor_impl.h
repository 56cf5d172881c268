/* doctor_impl.h: between doctor.c, which asks, and doctor_tell.c, which says what the answers mean. */
#ifndef DCV_ORDER_DOCTOR_IMPL_H
#define DCV_ORDER_DOCTOR_IMPL_H

#include "base/map.h"
#include "conf/conf.h"
#include "dcv/rights.h"
#include "dcv/survey/checkup.h"
#include "dcv/survey/presence.h"
#include "order/ask/doctor.h"
#include "order/due.h"
#include "order/ask/where.h"

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

struct doctor {
    struct session *s;
    const struct strs *certs;
    struct due_cas *cas;
    struct wheres wheres;
    struct doctor_place *place; /* as many as wheres */
    struct doctor_zone *zone;
    struct doctor_owner *owner;
    struct doctor_rights *rights;
    struct map owner_of;
    struct checkup checkup;
    struct bytes *ours; /* values of the ledger's open rows */
    size_t n_ours;
};

void doctor_tell(struct doctor *d, struct diagnoses *out);

#endif
