/* place.h: archive/NAME/N and live/NAME as paths. For this folder alone. */
#ifndef DCV_CERT_PLACE_H
#define DCV_CERT_PLACE_H

#include "base/err.h"

#define PLACE_NUMBER_MAX INT64_C(999999999)

bool place_name(const char *name, struct err *e); /* may NAME be a folder's name? RC_BUG: conf/ checks names before */
bool place_number(const char *text, int64_t *n);  /* "12", without sign and leading zeros */
char *place_archive(const char *state_dir, const char *name, struct err *e); /* archive/NAME, made where missing; caller frees; NULL: e */

#endif
