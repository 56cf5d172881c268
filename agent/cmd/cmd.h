/* cmd.h: one table of commands drives dispatch, usage, --help and the manual page. One file a command: options in, output out. */
#ifndef DCV_CMD_CMD_H
#define DCV_CMD_CMD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct session;

struct flag {           /* an option of one command; arrays end with name == NULL */
    const char *name;   /* long name without -- */
    const char *value;  /* NULL: a switch; else the value's word for usage, such as "DATE" */
    const char *help;
};

struct call {           /* a command line, parsed */
    const struct command *command;
    const char *config, *state_dir;
    char *whole;        /* of a relative state_dir */
    int verbose;
    bool quiet, json, log_json, no_colour;
    bool terminal;      /* stderr is a terminal */
    struct strs args;   /* operands */
    const char *flag[16]; /* values by index in command->flags; "" for switches that were given; NULL: not given */
    int argc;           /* as started, for evidence */
    char **argv;
};

struct command {
    const char *name;
    const char *operands;     /* usage: "[NAME...]" */
    int least, most;          /* number of operands; most -1: any */
    const char *summary;      /* one line */
    const char *help;         /* paragraphs for --help and the manual */
    const struct flag *flags; /* NULL: none */
    enum rc (*run)(struct call *c);
};

extern const struct command commands[]; /* ends with name == NULL */
const struct command *command_named(const char *name);

/* Value of a flag, "" for a switch, NULL where it was not given. Asking for a flag that the command does not have is a bug. */
const char *call_flag(const struct call *c, const char *name);
bool call_has(const struct call *c, const char *name);
bool call_deadline(const struct call *c, int64_t *seconds); /* --deadline T: unchanged where not given; false: not a duration, said */

/* Parses global and command options in any order. false: usage was printed to stderr, exit 2. *done: help or version was printed, exit 0. */
bool call_parse(int argc, char **argv, struct call *c, bool *done);
void call_clear(struct call *c);

void help_program(void);
void help_command(const struct command *c);

/* Opens the session for this call and the log behind it; on failure says why and returns false with *rc. parts: enum session_part. */
bool call_session(struct call *c, struct session *s, unsigned parts, enum rc *rc);

/* All operands must be certificate sections (or, with gone: certificates of the store whose section is gone). */
bool call_names_known(struct call *c, struct session *s, bool gone, enum rc *rc);
enum rc call_fail(const struct call *c, const struct err *e); /* says it, returns e->rc */

/* commands, one file each */
enum rc cmd_run(struct call *c);
enum rc cmd_plan(struct call *c);
enum rc cmd_status(struct call *c);
enum rc cmd_check(struct call *c);
enum rc cmd_doctor(struct call *c);
enum rc cmd_rehearse(struct call *c);
enum rc cmd_policy(struct call *c);
enum rc cmd_pin(struct call *c);
enum rc cmd_code(struct call *c);
enum rc cmd_confirmed(struct call *c);
enum rc cmd_submitted(struct call *c);
enum rc cmd_import(struct call *c);
enum rc cmd_cancel(struct call *c);
enum rc cmd_forget(struct call *c);
enum rc cmd_csr(struct call *c);
enum rc cmd_portal(struct call *c);
enum rc cmd_key(struct call *c);
enum rc cmd_txt(struct call *c);
enum rc cmd_gc(struct call *c);
enum rc cmd_prune(struct call *c);
enum rc cmd_replace(struct call *c);
enum rc cmd_account(struct call *c);
enum rc cmd_revoke(struct call *c);
enum rc cmd_evidence(struct call *c);
enum rc cmd_served(struct call *c);
enum rc cmd_calendar(struct call *c);
enum rc cmd_config(struct call *c);
enum rc cmd_state(struct call *c);
enum rc cmd_metrics(struct call *c);
enum rc cmd_providers(struct call *c);

#endif
