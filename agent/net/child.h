/* child.h: programs run for us: no shell, own process group, clean environment, time limit, TERM then KILL after 5 s to the group. */
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
    size_t answer;     /* octets of stdout that are kept, apart from stderr; 0: stdout and stderr go together */
    int status;        /* exit code; 128 + signal */
    bool timed_out;
    struct str out;    /* what it wrote: the first 4 KiB; where `answer` is set stdout alone. Freed by child_clear */
    struct str said;   /* stderr, where it is apart, the first 4 KiB; likewise */
    void *impl;
};

/* Success: it ran (look at status). An error: it could not be started (RC_HOOK, code HOOK_START). A cancel ends the group too. */
void child_start(struct loop *l, struct child *c);
void child_clear(struct child *c);

#endif
