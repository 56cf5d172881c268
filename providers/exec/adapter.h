/* adapter.h: what the adapters share. An adapter lets a program of somebody else write the records: exec.c in a protocol of our own,
 * lego.c and acmesh.c in those of lego and acme.sh (docs/HOOKS.md). A section's program runs once at a time, in a clean environment, as a
 * process group that is ended at its time limit. What it did is read at the zone's authority (server=), or told by the program itself where
 * it can (exec).
 *
 * Errors: PROGRAM_START (it did not run), PROGRAM_TIMEOUT, PROGRAM_FAILED (not 0), PROGRAM_ANSWER (not what its protocol promises),
 * PROGRAM_VALUE (a change that cannot be handed to it). What a program says is hostile: capped, escaped, and without the values of env_file. */
#ifndef DCV_PROVIDERS_EXEC_ADAPTER_H
#define DCV_PROVIDERS_EXEC_ADAPTER_H

#include "conf/conf.h"
#include "net/child.h"
#include "net/net.h"
#include "providers/provider.h"
#include "providers/seen.h"

struct spawn;
struct stream;

struct provider {
    struct net *net;
    const struct section *section;
    struct strs program;         /* path and first arguments */
    struct strs env, hidden;     /* its whole environment; values of it that are never shown. Wiped at the end */
    uint32_t limit_ms, wait_ms;
    char grade;
    struct stream *stream;       /* to server=; NULL: not given */
    char server[320];            /* as messages show it */
    struct spawn *first, *last;  /* the first one is under way, the others wait */
    char *folder;                /* acmesh: private, in memory; NULL */
    int folder_lock;             /* descriptor; held as long as we live, so that other runs leave the folder alone */
};

/* Keys of adapters beside their program; ADAPTER_SERVER(true) where there is no other way to read. */
#define ADAPTER_KEYS                                                                                                                       \
    {.name = "env_file",                                                                                                                   \
     .type = CONF_SECRET,                                                                                                                  \
     .allowed = "/etc/dcvagent/dns.env",                                                                                                   \
     .help = "File of NAME=value lines: the program's environment, and the place for its secrets; it gets nothing else but PATH."},        \
    {                                                                                                                                      \
        .name = "limit", .type = CONF_DURATION, .standard = "2m", .check = conf_check_positive,                                            \
        .help = "How long one run of the program may take; then it is ended, with all that it started."                                    \
    }
#define ADAPTER_SERVER(REQUIRED, HELP)                                                                                                     \
    {.name = "server", .type = CONF_SERVER, .allowed = "192.0.2.53", .required = (REQUIRED), .help = HELP},                                \
    {                                                                                                                                      \
        .name = "wait", .type = CONF_DURATION, .standard = "1m",                                                                           \
        .help = "How long server= may take to show what the program has done."                                                             \
    }
#define ADAPTER_GRADE                                                                                                                      \
    {                                                                                                                                      \
        .name = "grade", .type = CONF_WORD, .standard = "C", .allowed = "A|B|C|D",                                                         \
        .help = "What the program promises beside values of others: A adds and deletes single values, B replaces sets after a look, C "    \
                "unknown, D deletes whole sets."                                                                                           \
    }

void adapter_examine(const struct section *s, struct conf_sink *to); /* env_file */
bool adapter_open(struct provider **out, const struct section *s, struct net *n, struct err *e); /* program: from command=, where given */
void adapter_close(struct provider *p);
char adapter_grade(const struct provider *p);
void adapter_read(struct provider *p, struct lookup *l); /* at server= */

/* One run of the program. */
struct spawn {
    struct op op;       /* success: it ended with 0 */
    struct strs args;   /* behind the program's own */
    const char *in;     /* for its stdin; NULL: /dev/null; caller's */
    size_t n_in;
    size_t answer;      /* octets of its stdout that are wanted; 0: they are only words for messages */
    char what[320];     /* "add the TXT at www.example.hk": for messages */
    const char *durable; /* as in struct exchange (net/stream.h) */
    bool started;       /* out: it may have had an effect */
    struct child child; /* out */
    struct strs argv;
    struct provider *p;
    struct spawn *next;
};
void spawn_start(struct provider *p, struct spawn *c);
void spawn_clear(struct spawn *c); /* not while under way */
/* What a program said, made harmless; its end where it is long. */
void spawn_words(const struct provider *p, const char *text, char *out, size_t size);

/* Waits until server= shows what was done (providers/seen.h). s: its op is filled in. */
void adapter_seen(struct provider *p, struct batch *b, struct seen *s);

/* After the run for this change. */
void change_judge(struct change *c, const struct spawn *run, const struct err *e);
/* Ends an apply: settles with the first error among the changes. */
void batch_settle(struct batch *b);

/* A batch as one run a change, one after the other. `args` appends what stands behind the program's own words; false: it cannot be handed to
 * this program, with why. */
typedef bool each_args_fn(const struct provider *p, const struct change *c, struct strs *args, struct err *e);
struct cost each_cost(const struct provider_ops *p, size_t owners, size_t changes);
void each_apply(struct provider *p, struct batch *b, each_args_fn *args);

#endif
