#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"

static atomic_ulong passed;

void durable(const char *point)
{
    unsigned long number = atomic_fetch_add(&passed, 1) + 1;
    say(LEVEL_DEBUG, NULL, NULL, "durable %lu %s", number, point);
#ifdef DCV_FAULTS
    const char *at = getenv("DCVAGENT_KILL");
    if (at && strtoul(at, NULL, 10) == number)
        kill(getpid(), SIGKILL);
#endif
}

#ifdef DCV_FAULTS

static int errno_named(const char *text, size_t n)
{
    enum { LAST_ERRNO = 133 };
    if (n && text[0] >= '0' && text[0] <= '9')
        return (int)strtol(text, NULL, 10);
    for (int number = 1; number <= LAST_ERRNO; number++) {
        const char *name = strerrorname_np(number);
        if (name && strlen(name) == n && memcmp(name, text, n) == 0)
            return number;
    }
    return EIO;
}

/* DCVAGENT_FAIL=POINT:ERRNO[@NTH]; @NTH: only that time the point is asked about. */
int fault_errno(const char *point)
{
    static atomic_ulong asked;
    const char *plan = getenv("DCVAGENT_FAIL");
    size_t n = strlen(point);
    if (!plan || strncmp(plan, point, n) != 0 || plan[n] != ':')
        return 0;
    const char *name = plan + n + 1, *nth = strchr(name, '@');
    unsigned long time = atomic_fetch_add(&asked, 1) + 1;
    if (nth && strtoul(nth + 1, NULL, 10) != time)
        return 0;
    return errno_named(name, nth ? (size_t)(nth - name) : strlen(name));
}

#else

int fault_errno(const char *point)
{
    (void)point;
    return 0;
}

#endif
