/* csr.h: certificate signing requests: PKCS#10 made from names and a subject, or read from a file made elsewhere (IIS). */
#ifndef DCV_CERT_CSR_H
#define DCV_CERT_CSR_H

#include "base/secret.h"
#include "base/str.h"
#include "conf/conf.h"

struct csr {
    uint8_t *der;
    size_t n;
    char spki[65];     /* hex SHA-256 of its public key's SPKI */
    char cn[254];      /* inner form; "" where there is none or it is no host name */
    struct strs names; /* SAN dNSNames, inner form */
};

/* names[0] is the CN (left out where longer than 64 octets); all names become SAN dNSNames, built as GENERAL_NAMEs (a comma in a name can inject nothing).
 * subject: as in the configuration (conf/subject.h); NULL: CN alone.
 * Faults RC_CONF: SUBJECT, CSR_NAMES. */
bool csr_make(const struct secret *key_pem, const struct strs *names, const char *subject, struct csr *out, struct err *e);

/* A new key (key_generate) and its request at once: to read a key back from PEM takes OpenSSL 3.0 four times as long as to make one. Blocks; out has
 * to be empty. */
bool csr_with_key(enum key_type type, const struct strs *names, const char *subject, struct secret *key_pem, struct csr *out, struct err *e);

/* PEM (CRLF, BOM, leading text; NEW CERTIFICATE REQUEST too), DER, or base64 alone. Faults RC_CONF: CSR_READ, CSR_SIGNATURE (not signed by its
 * own key), CSR_KEY (RSA below 2048, other curves than P-256, P-384, P-521), CSR_NAMES (a SAN that is no host name). */
bool csr_read(const void *p, size_t n, struct csr *out, struct err *e);
bool csr_pem(const uint8_t *der, size_t n, struct str *out);
void csr_clear(struct csr *c);

#endif
