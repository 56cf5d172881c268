/* rights.h: may a provider write what names need, asked without changing anything: what will be written to is read as a run would read it, and, where
 * the provider can tell (ops.probe), the right to write is tried. */
#ifndef DCV_DCV_RIGHTS_H
#define DCV_DCV_RIGHTS_H

#include "base/op.h"
#include "base/str.h"
#include "dcv/finding.h"
#include "providers/provider.h"

struct rights { /* one zone at one provider section */
    struct op op;
    const struct section *section; /* sound, of a known type */
    const char *zone;
    struct strs owners; /* where records will go; rights_clear frees */
    /* out */
    struct err open, read, probe; /* RC_OK: no fault */
    struct lookup lookup;
    struct batch batch; /* what a probe says of each owner; n 0: not asked */
    struct record *rec;
    struct provider *provider;
    const struct provider_ops *ops;
    unsigned pending;
};

/* Always settles with success; what was found is judged by rights_judge(). */
void rights_start(struct net *n, struct rights *r);
void rights_judge(const struct rights *r, struct findings *out);
void rights_clear(struct rights *r);

#endif
