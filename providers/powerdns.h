/* powerdns.h: what the files of the powerdns provider share.
 *
 * The API writes whole sets (REPLACE), and single records from 4.9.12 and 5.0.2 on (EXTEND, PRUNE). What shapes this, measured on 4.7.3:
 *  - a read of one name (rrset_name=) hides disabled records, a read of the zone and search-data show them (from 5.0 on
 *    include_disabled=true does);
 *  - a read of one name also shows comments of other names, as sets without records;
 *  - a read of the zone ends in status 500 as soon as one record in the database is ill-formed; reads of single names do not;
 *  - a PATCH is carried out as a whole or not at all, its body may have 2 MB, equal records in a set are refused;
 *  - a set that loses its last record loses its comments, unless they come with the same PATCH;
 *  - every answer ends its connection. */
#ifndef DCV_PROVIDERS_POWERDNS_H
#define DCV_PROVIDERS_POWERDNS_H

#include "providers/http/api.h"
#include "providers/provider.h"

struct reading;

struct pdns_zone { /* what the answers of this run have told about a zone */
    struct pdns_zone *next;
    char *name, *url;
    bool by_name; /* it cannot be read as a whole: too large, or ill-formed somewhere */
    bool primary; /* secondaries fetch it: they want to be notified */
    bool still;   /* its serial does not move by writes through the API */
};

struct provider {
    struct api *api;
    const char *name;        /* of the section */
    char *server;            /* URL of the API's server object */
    struct secret header;    /* "X-API-Key: ..." */
    int notify;              /* index into the words of the key */
    struct api_call hello;   /* asks for the server's version, once */
    bool greeted, found;     /* the answer is in; it was one of PowerDNS */
    unsigned version;        /* 0xMMmmpp; 0: unknown */
    struct reading *waiting; /* for that answer */
    struct pdns_zone *zone;
};

enum { NOTIFY_AUTO, NOTIFY_YES, NOTIFY_NO };

/* powerdns.c */
struct pdns_zone *pdns_zone(struct provider *p, const char *name);
void pdns_greet(struct provider *p); /* asks for the version, then lets those go that wait for it */
/* A call with the key, not started; takes url. */
void pdns_call(struct provider *p, struct api_call *c, const char *method, char *url, op_fn *done, void *owner);
bool pdns_single(const struct provider *p);         /* EXTEND and PRUNE */
bool pdns_shows_disabled(const struct provider *p); /* reads of one name, where asked to */
bool pdns_missing(const struct provider *p, const char *zone, struct err *e); /* error of a 404; always false */

/* powerdns_sets.c: pure. A set's `rest` is JSON: its disabled records, its comments, the TTL. */
bool pdns_take_zone(const json_t *zone, struct lookup *l, struct err *e);                         /* the sets of an answer that l wants */
bool pdns_take_found(const json_t *found, const char *zone, struct rrset *set, struct err *e);    /* disabled records, from search-data */
json_t *pdns_replace(const char *owner, const struct rrset *before, const struct rrset *after);   /* one entry of a PATCH: the whole set */
json_t *pdns_one(const struct change *c);                                                         /* one record of it */
bool pdns_has_disabled(const struct rrset *set);

/* powerdns_read.c, powerdns_apply.c */
struct cost pdns_cost(const struct provider_ops *p, size_t owners, size_t changes);
void pdns_read(struct provider *p, struct lookup *l);
void pdns_read_go(struct reading *r, const struct err *e); /* what it waited for is known, or why it cannot be known */
void pdns_apply(struct provider *p, struct batch *b);

#endif
