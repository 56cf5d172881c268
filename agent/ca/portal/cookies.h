/* cookies.h: what a portal wants remembered while a session lasts (RFC 6265). In memory only, wiped when dropped: whoever has the cookie of a
 * logged-in session needs no PIN. Pure. */
#ifndef DCV_CA_PORTAL_COOKIES_H
#define DCV_CA_PORTAL_COOKIES_H

#include <stdint.h>

#include "base/str.h"

struct cookie {
    char *name, *value;
    char host[254]; /* lower case */
    char *path;     /* begins with "/" */
    bool below;     /* also for hosts below it (Domain=) */
    int64_t ends;   /* wall clock, s; 0: with the session */
};
struct cookies {
    struct cookie *c; /* at most 50, the oldest go */
    size_t n;
};

/* The Set-Cookie fields of an answer's header lines. A cookie for another host than the one that sets it is dropped, so is one over 4,096 octets. */
void cookies_read(struct cookies *j, const char *url, const char *head, size_t n, int64_t now);

/* "Cookie: a=1; b=2" for a request to this URL; false: there is none. */
bool cookies_line(const struct cookies *j, const char *url, int64_t now, struct str *out);
void cookies_clear(struct cookies *j);

#endif
