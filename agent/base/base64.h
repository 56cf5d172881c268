/* base64.h: octets as text in 64 characters (RFC 4648): the alphabet of URLs, as JOSE writes it, and the plain one of HTTP. */
#ifndef DCV_BASE_BASE64_H
#define DCV_BASE_BASE64_H

#include "base/secret.h"
#include "base/str.h"

void b64_put(struct str *out, const void *p, size_t n);           /* plain alphabet, padded */
void b64url_put(struct str *out, const void *p, size_t n);        /* "-" and "_", without padding */
bool b64url_read(const char *text, size_t n, struct secret *out); /* padding and the plain alphabet are accepted too; false: it is none */

#endif
