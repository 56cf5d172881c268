/* hierarchy.h: what is publicly known of a CA's own certificates: which one replaces which, from when, until when.
 *
 * Data in conf/ca/chains/NAME.ini, for whoever owns certificates to mend when a CA reissues its own: chains prefer what is current (cert/chain.h), and
 * an old intermediate is told of wherever it is met. It decides no trust: a chain is verified by signatures and roots as without it. */
#ifndef DCV_CERT_HIERARCHY_H
#define DCV_CERT_HIERARCHY_H

#include "base/str.h"

struct hierarchy;
struct description;
struct conf_fault;

/* All the files of conf_path and the installed ones. Always gives one; what is wrong with a file is told by hierarchy_faults(), and its sections
 * with a fault are left out. */
struct hierarchy *hierarchy_open(const struct strs *conf_path);
struct hierarchy *hierarchy_add(struct hierarchy *h, struct description *d); /* one file more, which it takes; h NULL: a new one */
void hierarchy_free(struct hierarchy *h);
const struct conf_fault *hierarchy_faults(const struct hierarchy *h, size_t *n);

#endif
