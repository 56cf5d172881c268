/* issuer.h: the CA behind a manual order: one root, certificates for CSRs. */
#ifndef DCV_SCENARIO_ISSUER_H
#define DCV_SCENARIO_ISSUER_H

#include "base/record.h"

void issuer_root(const char *path); /* the root's certificate, PEM; the same one in every scene */
/* PEM. csr.n 0: for a key of the issuer's own. names: blanks between. The caller frees. */
char *issuer_sign(struct bytes csr, const char *names, int64_t until);
char *issuer_csr(const char *names); /* PEM, made elsewhere: csr_file; the caller frees */

#endif
