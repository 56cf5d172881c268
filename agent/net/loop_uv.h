/* loop_uv.h: the loop's libuv side, for the files of net/ alone.
 *
 * Handles belong to who inits them. Rules:
 * - Only what a request waits for keeps the loop alive: a handle that merely watches (an idle connection) is uv_unref'd, and uv_ref'd
 *   again while an exchange is under way. Otherwise a run that waits for nothing would hang instead of ending as a bug.
 * - uv_close() finishes in a later round: the memory of a handle is freed in its close callback, which loop_free() still calls for
 *   everything closed before it. Objects that must be freed at once (op_cancel) keep their handles in blocks of their own.
 * - Callbacks only note and op_settle(). */
#ifndef DCV_NET_LOOP_UV_H
#define DCV_NET_LOOP_UV_H

#include <uv.h>

#include "net/loop.h"

uv_loop_t *loop_uv(struct loop *l);

/* A handle of its own allocation (mem_new), nothing else in that block: closes it and frees it afterwards. NULL allowed. */
void loop_uv_close(void *handle);

#endif
