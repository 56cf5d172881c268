/* leaf.h: what ACME wants to know of a certificate in PEM: its DER, its id for renewal information, where its chain ends. */
#ifndef DCV_CERT_LEAF_H
#define DCV_CERT_LEAF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* base64url of the first certificate's DER, as revokeCert wants it; caller frees. NULL: CERT_READ. */
char *leaf_base64url(const char *pem, struct err *e);

/* The certID of RFC 9773 4.1: base64url(authority key identifier) "." base64url(serial). RC_CA: CERT_NO_AKI. */
bool leaf_renewal_id(const char *pem, char *out, size_t size, struct err *e);

/* Common name of the issuer of the last certificate, where a chain ends: "ISRG Root X1". false: none can be read. */
bool leaf_top_issuer(const void *pem, size_t n, char *out, size_t size);

#endif
