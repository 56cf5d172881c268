/* fault.h: the points after which the world is different, named.
 *
 * durable() is called right after each commit, fsync, rename, link, and send of something that changes the world. It logs
 * its running number and the name at -vv. In the test build (-DDCV_FAULTS, never installed) it also obeys:
 *   DCVAGENT_KILL=N            SIGKILL to itself at the Nth point of this process
 *   DCVAGENT_FAIL=POINT:ERRNO[@N]  makes fault_errno("POINT") return that errno (a number or a name: EIO ENOSPC EROFS ...), with
 *                              @N only the Nth time it is asked. base/fs.c asks at open, read, write, chmod, fsync, rename, link, mkdir; libxml.c at dlopen
 *   DCVAGENT_CLOCK=+40d        shifts the wall clock (clock.c)                                                          */
#ifndef DCV_BASE_FAULT_H
#define DCV_BASE_FAULT_H

void durable(const char *point);

/* 0, or the errno that an injected fault wants the caller to behave as if the system call `point` had returned. */
int fault_errno(const char *point);

#endif
