#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

/* Worst first. A code that is not here is worse than all: nobody planned it. */
static const enum rc severity[] = {RC_BUG,   RC_STATE,  RC_CREATE, RC_RESOURCE, RC_CONF,   RC_PERM,  RC_DELEGATION, RC_WRITE, RC_CA,
                                   RC_PAGES, RC_UNSEEN, RC_NET,    RC_HOOK,     RC_FAILED, RC_LATER, RC_CHANGED,    RC_OK};

/* snprintf, but what does not fit ends in "..." and not inside a UTF-8 character. */
static void format(char *out, size_t size, const char *fmt, va_list ap)
{
    int n = vsnprintf(out, size, fmt, ap);
    if (n < 0) {
        out[0] = '\0';
        return;
    }
    if ((size_t)n < size)
        return;
    size_t end = size - 4;
    while (end > 0 && ((unsigned char)out[end] & 0xc0) == 0x80)
        end--;
    memcpy(out + end, "...", 4);
}

bool err_set(struct err *e, enum rc rc, const char *code, const char *fmt, ...)
{
    if (!e || e->rc != RC_OK)
        return false;
    e->rc = rc == RC_OK ? RC_BUG : rc;
    e->code = code;
    va_list ap;
    va_start(ap, fmt);
    format(e->text, sizeof(e->text), fmt, ap);
    va_end(ap);
    return false;
}

bool err_at(struct err *e, const char *fmt, ...)
{
    if (!e || e->where[0])
        return false;
    va_list ap;
    va_start(ap, fmt);
    format(e->where, sizeof(e->where), fmt, ap);
    va_end(ap);
    return false;
}

bool err_again(struct err *e, int64_t not_before)
{
    if (!e)
        return false;
    e->again = true;
    if (not_before > e->not_before)
        e->not_before = not_before;
    return false;
}

static size_t rank(enum rc rc)
{
    size_t n = sizeof(severity) / sizeof(severity[0]);
    for (size_t i = 0; i < n; i++)
        if (severity[i] == rc)
            return i + 1;
    return 0;
}

enum rc rc_worse(enum rc a, enum rc b)
{
    return rank(b) < rank(a) ? b : a;
}

void err_bug(const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    format(text, sizeof(text), fmt, ap);
    va_end(ap);
    dprintf(STDERR_FILENO, "dcvagent: ERROR: broken invariant: %s; please report it; the next run goes on from here [BUG]\n", text);
    _exit(RC_BUG);
}
