/* live.h: the wait for visibility on a terminal: a matrix of names and views at its foot, drawn over and over in place.
 *
 * Drawn on standard error. Nothing of the terminal is switched, so nothing has to be restored: what is drawn is erased before a message is written
 * (base/log.h tells) and at the end, and the cursor is always in column 0 below it. Its width is asked each time. */
#ifndef DCV_CMD_LIVE_H
#define DCV_CMD_LIVE_H

#include "base/str.h"
#include "cmd/cmd.h"
#include "order/ask/look.h"

/* NULL where nobody could look at it: no terminal, one that cannot move the cursor, --json, --log-json, -q. All below take NULL. */
struct live *live_open(const struct call *c);

/* left: ms until the wait ends at the latest. Names that enough see are counted, not shown. n 0: erased. */
void live_show(struct live *l, const struct look_row *row, size_t n, int64_t left);
void live_close(struct live *l); /* erased */

struct live_size {
    size_t columns, lines;
    bool colour;
};

/* What is drawn, a line each, none wider than the terminal: pure. gone, left: ms. */
void live_frame(const struct look_row *row, size_t n, const struct live_size *size, int64_t gone, int64_t left, struct strs *out);

#endif
