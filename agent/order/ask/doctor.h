/* doctor.h: everything that can be known to fail, or to be late, before a CA is asked: the configuration, every name of the certificates, their
 * zones and servers, the resolvers, the providers. Changes nothing anywhere.
 *
 * Every question is asked once, whoever needs the answer, and all of them side by side: after the walk to the zones it takes two round trips. */
#ifndef DCV_ORDER_DOCTOR_H
#define DCV_ORDER_DOCTOR_H

#include "dcv/finding.h"
#include "order/session.h"

struct strs;

struct diagnosis {
    const char *cert; /* section, of the configuration; NULL: it concerns no one certificate */
    struct finding f; /* f.code: static, or (of a provider, a zone that was not found) that of the error. f.host "": the configuration */
};

struct diagnoses { /* the worst first */
    struct diagnosis *d;
    size_t n;
};

/* certs: sections to look at; empty: all. What concerns a zone is said for each certificate that has names in it. The session has SESSION_NET, and
 * SESSION_TOLERANT: faults of the configuration are findings. false: a signal (RC_LATER), or the store (RC_STATE). */
bool doctor_run(struct session *s, const struct strs *certs, struct diagnoses *out, struct err *e);
bool diagnoses_bad(const struct diagnoses *l); /* an error among them */
void diagnoses_free(struct diagnoses *l);

#endif
