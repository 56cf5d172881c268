/* website.h: what an order has on web servers, out of its saved facts. */
#ifndef DCV_ORDER_WEBSITE_H
#define DCV_ORDER_WEBSITE_H

#include <stddef.h>

size_t website_left(const char *facts); /* files that are not removed yet; facts: of a saved order */

#endif
