/* cas.h: the CA sections of a configuration, opened. Runs and commands have one list each. */
#ifndef DCV_ORDER_CAS_H
#define DCV_ORDER_CAS_H

#include "order/session.h"

struct ca;
struct ca_ops;
struct ca_rules;
struct section;

struct ca_open {
    const struct section *section;
    const struct ca_ops *ops;
    struct ca *ca;
};

/* Every section that can be used. What is wrong with others is for config check to say; aloud: here too. The session has SESSION_NET, and outlives it. */
struct cas;
struct cas *cas_open(struct session *s, bool aloud);
const struct ca_open *cas_find(const struct cas *c, const char *section);   /* NULL: none, or faulty; so is section */
const struct ca_rules *cas_rules(const struct cas *c, const char *section); /* likewise */
void cas_close(struct cas *c);

#endif
