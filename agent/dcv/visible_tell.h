/* visible_tell.h: why a record does not count as visible, in words. */
#ifndef DCV_DCV_VISIBLE_TELL_H
#define DCV_DCV_VISIBLE_TELL_H

#include "dcv/visible.h"

/* From w->seen and the views. waited: s. */
void watch_err(const struct watch *w, int64_t waited, struct err *e);

/* It is visible all the same: which resolvers do not see it, one WARNING each. */
void watch_warn(const struct watch *w);

#endif
