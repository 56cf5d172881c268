/* windows.h: certificates in the two forms that IIS and MMC complete a request with. */
#ifndef DCV_CERT_WINDOWS_H
#define DCV_CERT_WINDOWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The first certificate of a PEM text in DER (.cer); out is malloc'd. RC_FAILED, WINDOWS_FILES. */
bool windows_cer(const char *pem, uint8_t **out, size_t *n, struct err *e);

/* All of them, in order, as PKCS#7 without a signature, in DER (.p7b). */
bool windows_p7b(const char *pem, uint8_t **out, size_t *n, struct err *e);

#endif
