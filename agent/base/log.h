/* log.h: messages: to stderr for a person or cron, and all of them to syslog or a file.
 *
 * A message line: `dcvagent: ERROR step subject: text [CODE]`. Texts say what, where, why, what next, and whether it repeats
 * by itself. Any thread may call, after log_open(). Who calls decides what cron sees: without a terminal only what is said with `loud` reaches stderr. */
#ifndef DCV_BASE_LOG_H
#define DCV_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_NOTICE, LEVEL_INFO, LEVEL_DEBUG };

/* What the message is about; all may be NULL. Strings are only used during the call. */
struct about {
    const char *cert;   /* certificate section */
    const char *name;   /* host name */
    const char *step;   /* "verify", "publish", ... */
    const char *server; /* server or address concerned */
    int rcode;          /* DNS rcode + 1; 0: none */
    unsigned attempt;
    int64_t retry_at;   /* wall clock, s; 0: none */
};

struct log_setup {
    int verbose;         /* 0, 1 (-v), 2 (-vv) */
    bool quiet;          /* -q: errors only */
    bool json;           /* --log-json: one object a line on stderr instead of text */
    bool colour;         /* stderr is a terminal, no NO_COLOR, no --no-color */
    bool terminal;       /* a person watches: LEVEL_NOTICE and above are shown */
    const char *run;     /* id of this run, for JSON and syslog */
    const char *target;  /* "syslog", "none" or a file; NULL: syslog without terminal, none with one */
};

/* Called before a line is written to stderr: whoever has drawn something there takes it away. NULL: nobody has. */
void log_before(void (*before)(void *arg), void *arg);

bool log_open(const struct log_setup *setup, struct err *e); /* may be called again once the configuration is known */
void log_close(void);

/* stderr gets it by level: ERROR always; WARNING and NOTICE with a terminal or -v; INFO with -v; DEBUG with -vv. syslog or file: all to INFO,
 * with -vv DEBUG too. No text can add a line or a terminal control: it goes through text_safe(). */
void say(enum level level, const struct about *about, const char *code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The same without stderr: for what was said already today (throttled), kept in the log all the same. */
void say_quietly(enum level level, const struct about *about, const char *code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* On stderr even without a terminal (unless -q): entering a wait for a person, reminders, expiring certificates. */
void say_loudly(enum level level, const struct about *about, const char *code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* An error as a message; `about->name` wins over e->where. */
void say_err(enum level level, const struct about *about, const struct err *e);

#endif
