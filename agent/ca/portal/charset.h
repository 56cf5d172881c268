/* charset.h: octets of a page to UTF-8, and what is sent back to the page's own charset (WHATWG Encoding, names as browsers take them). */
#ifndef DCV_CA_PORTAL_CHARSET_H
#define DCV_CA_PORTAL_CHARSET_H

#include "base/err.h"
#include "base/str.h"

/* By byte order mark, HTTP header (NULL: says nothing; a name that is not known neither), meta element, else UTF-8: a name that iconv knows; "" : all
 * that is told is unknown. */
const char *charset_find(const void *octets, size_t n, const char *header);

/* UTF-8 without byte order mark and control characters; what is no character becomes U+FFFD. The caller frees. */
bool charset_decode(const void *octets, size_t n, const char *charset, char **out, size_t *n_out, struct err *e);

/* A character that the charset does not have becomes &#N; as browsers send it. */
void charset_encode(const char *utf8, size_t n, const char *charset, struct str *out);

/* Of accept-charset and the like; "" : unknown. */
const char *charset_named(const char *name, size_t n);

#endif
