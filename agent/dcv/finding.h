/* finding.h: what a check has found, for people and programs: a stable code, how bad it is, the cause and the remedy.
 *
 * docs/DOCTOR.md lists every code. An error means that a CA would have to refuse, or that an order could not get through; a warning that it may
 * fail, or works by luck; info and ok are told, nothing has to be done. */
#ifndef DCV_DCV_FINDING_H
#define DCV_DCV_FINDING_H

#include <stddef.h>

enum severity { SEV_OK, SEV_INFO, SEV_WARNING, SEV_ERROR };
extern const char *const severity_words[]; /* ok info warning error */

struct finding {
    const char *code; /* static: CAA_FORBIDS, DNSSEC_BOGUS, ... */
    enum severity severity;
    char host[256]; /* a name as in the certificate, a zone, a server */
    char cause[320], remedy[256];
};

struct findings { /* zero-initialised: empty */
    struct finding *f;
    size_t n;
};

/* The new one: valid until the next is added. */
struct finding *finding_add(struct findings *l, const char *code, enum severity severity, const char *host);
void finding_cause(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void finding_remedy(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int finding_worse(const struct finding *a, const struct finding *b); /* for sorting: the worst first, then by code and host */
void findings_sort(struct findings *l);
void findings_free(struct findings *l);

#endif
