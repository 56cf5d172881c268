/* names.h: host names: U-labels in, A-labels inside and on the wire, both shown.
 * Inside the program a name is always A-labels, lower case, without final dot (RFC 5890, RFC 1035 2.3.4); "" is the root. */
#ifndef DCV_BASE_NAMES_H
#define DCV_BASE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { NAME_SIZE = 254 }; /* 253 characters and the NUL */
enum name_may { NAME_HOST = 0, NAME_WILDCARD = 1 /* "*." in front is allowed */, NAME_UNDERSCORE = 2 /* _labels are allowed */,
                NAME_SINGLE = 4 /* one label alone is allowed (zones, local servers) */ };

/* Text as a person wrote it (U-labels, capitals, full-width dots, a final dot, blanks around) into the inner form.
 * Refuses, saying why and which label: empty labels, labels over 63 or names over 253 octets after conversion, other characters than
 * letters, digits, hyphen; leading or trailing hyphen; bad xn-- labels; "*" elsewhere than as the whole first label; IP addresses;
 * a name of one label only (unless NAME_SINGLE). Fills e with RC_CONF, code NAME. */
bool name_parse(const char *text, unsigned may, char out[NAME_SIZE], struct err *e);

/* "電子核證.gov.hk (xn--...)" where the name has U-labels, else the name alone. */
void name_show(const char *name, char *out, size_t size);
void name_unicode(const char *name, char *out, size_t size); /* the U-label form alone */

const char *name_base(const char *name);                   /* without a leading "*." */
bool name_is_wildcard(const char *name);
bool name_same(const char *a, const char *b);              /* case and a final dot do not matter */
bool name_within(const char *name, const char *zone);      /* equal or below, by whole labels; every name is within "" */
const char *name_parent(const char *name);                 /* "b.c" of "a.b.c", "" of "c"; NULL of "" */
unsigned name_labels(const char *name);                    /* 0 for "" */

#endif
