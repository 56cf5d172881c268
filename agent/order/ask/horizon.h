/* horizon.h: what falls due in the time to come, if every step is done when it falls due. Pure. */
#ifndef DCV_ORDER_HORIZON_H
#define DCV_ORDER_HORIZON_H

#include <stddef.h>

#include "order/when/calendar.h"

struct horizon_event {
    int64_t at;
    enum calendar_action action; /* never CALENDAR_NOTHING */
    bool person;                 /* somebody has to do something */
    int64_t end;                 /* of the certificate that comes of it; 0: none does */
    const char *why;             /* static */
};

/* From in->now to until (inclusive), ascending; at most max. A paid renewal is assumed to be bought for another year, 60 days before the old
 * subscription ends; a certificate to be issued the moment it falls due, for the longest time that its phase and subscription allow. */
size_t horizon(const struct calendar_in *in, int64_t until, struct horizon_event *out, size_t max);

#endif
