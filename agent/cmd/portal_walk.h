/* portal_walk.h: `portal NAME --probe` and `--step`; --page is cmd/portal.c's. */
#ifndef DCV_CMD_PORTAL_WALK_H
#define DCV_CMD_PORTAL_WALK_H

#include "cmd/cmd.h"

enum rc portal_probe(struct call *c);
enum rc portal_step(struct call *c);

#endif
