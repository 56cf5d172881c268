/* where.h: where the records of a certificate's names go: the places by configuration and CA, and their sites as found in DNS. For commands; a run
 * does the same inside its orders (spots.c). */
#ifndef DCV_ORDER_WHERE_H
#define DCV_ORDER_WHERE_H

#include "base/names.h"
#include "order/ask/look.h"

struct ca_rules;
struct conf_cert;

struct where {
    const struct conf_cert *conf;
    const char *ca;             /* its CA section */
    char name[NAME_SIZE];       /* without "*." */
    char listed[NAME_SIZE + 2]; /* as in the certificate: the wildcard where there is one */
    struct place place;         /* borrowed from the configuration */
    bool placed;                /* by record_at */
    char owner[NAME_SIZE];      /* before CNAMEs: what resolvers are asked; "" until the apex is known */
    const struct site *site;    /* NULL: err says why */
    struct err err;
};

struct wheres {
    struct where *w;
    size_t n;
};

/* Adds the places of these names (as saved in an order, or the section's). A wildcard and its base share one, unless the CA proves each_listed. */
void where_add(struct wheres *all, const struct conf_cert *c, const struct strs *names, const struct ca_rules *rules);

struct caa_ca where_caa(const struct ca_rules *rules); /* the CA as CAA records speak of it; borrows */

/* Finds all sites, side by side. false: stopped by a signal. */
bool where_find(struct session *s, struct wheres *all, struct err *e);
void where_free(struct wheres *all);

#endif
