/* err.h: what went wrong, carried by pointer from where it happened to where it is told.
 *
 * An error has one owner, the caller who declared it; functions that can fail take a `struct err *` last and return
 * false after filling it. The first fault wins: err_set() on an error that is already set changes nothing, so a clean-up
 * that fails too does not hide the cause. A NULL pointer is allowed everywhere and means "the caller does not care". */
#ifndef DCV_BASE_ERR_H
#define DCV_BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

/* Exit codes of the program and, inside it, the class of an error. */
enum rc {
    RC_OK = 0,
    RC_FAILED = 1,      /* failed otherwise */
    RC_USAGE = 2,       /* wrong command line */
    RC_CHANGED = 10,    /* --exit-changed: a certificate changed */
    RC_WRITE = 11,      /* a DNS write was refused */
    RC_UNSEEN = 12,     /* not visible although its forecast time has passed */
    RC_DELEGATION = 13, /* delegation, zone or CNAME fault */
    RC_CA = 14,         /* the CA refused, or its certificate was not accepted */
    RC_HOOK = 15,       /* a hook failed */
    RC_NET = 69,        /* nobody could be asked */
    RC_BUG = 70,        /* broken invariant */
    RC_RESOURCE = 71,   /* memory, descriptors */
    RC_CREATE = 73,     /* cannot create output */
    RC_STATE = 74,      /* state or I/O */
    RC_LATER = 75,      /* pending, waiting, locked: run again */
    RC_PAGES = 76,      /* a portal's pages changed, protocol fault */
    RC_PERM = 77,       /* permissions */
    RC_CONF = 78        /* configuration */
};

struct err {
    enum rc rc;         /* RC_OK: no error */
    const char *code;   /* stable code such as "SECONDARY_LAG": static text, one manual entry each */
    bool again;         /* true: repeats by itself; false: a person must act */
    int64_t not_before; /* wall clock, seconds; 0: no bound (Retry-After, backoff) */
    char where[128];    /* the name, server or file concerned; may be empty */
    char text[384];     /* what, why, what next; remote text escaped and cut; never a secret */
};

/* Fills e unless it is set already. Always returns false, so that `return err_set(...)` reads well. */
bool err_set(struct err *e, enum rc rc, const char *code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Names the thing concerned (a host, server or file); only the first call for an error counts. Always false. */
bool err_at(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Marks the error as one that repeats by itself, not before `not_before` (0: no bound). Always false. */
bool err_again(struct err *e, int64_t not_before);

/* The worse of two exit codes: 70 74 73 71 78 77 13 11 14 76 12 69 15 1 75 10 0, worst first. */
enum rc rc_worse(enum rc a, enum rc b);

/* A broken invariant: one line on stderr, then exit code 70. Safe at every point, as running out of memory is (base/mem.h). */
void err_bug(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
