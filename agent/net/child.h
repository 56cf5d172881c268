/* child.h: programs run for a hook: no shell, own process group, clean environment, time limit, TERM then KILL after 5 s to the group. */
#ifndef DCV_NET_CHILD_H
#define DCV_NET_CHILD_H

#include "base/str.h"
#include "net/loop.h"

struct child {
    struct op op;
    const struct strs *argv; /* first an absolute path; caller's until done() */
    const struct strs *env;  /* all of its environment, "K=V"; PATH is added */
    const char *in;          /* for its stdin; NULL: /dev/null */
    size_t n_in;
    uint32_t limit_ms; /* 0: 300,000 */
    int status;        /* exit code; 128 + signal */
    bool timed_out;
    struct str out; /* stdout and stderr together, the first 4 KiB; freed by child_clear */
    void *impl;
};

/* Success: it ran (look at status). An error: it could not be started (RC_HOOK, code HOOK_START). A cancel ends the group too. */
void child_start(struct loop *l, struct child *c);
void child_clear(struct child *c);

#endif
