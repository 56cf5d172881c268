/* call.c: what every command does before and after its own work. */
#include "cmd/cmd.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guess.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "order/session.h"
#include "store/store.h"

/* cron's run that meets another one has nothing to tell. */
static bool overlap(const struct call *c, const struct err *e)
{
    return c->command->run == cmd_run && !c->terminal && e->code && strcmp(e->code, "LOCKED") == 0;
}

enum rc call_fail(const struct call *c, const struct err *e)
{
    if (overlap(c, e))
        return e->rc;
    say_err(LEVEL_ERROR, &(struct about){.step = c->command->name}, e);
    return e->rc == RC_OK ? RC_FAILED : e->rc;
}

static struct log_setup log_setup(const struct call *c, const char *target)
{
    static char run[32];
    if (!*run)
        time_show(clock_now(), run);
    bool colour = c->terminal && !c->no_colour && !getenv("NO_COLOR");
    return (struct log_setup){.verbose = c->verbose,
                              .quiet = c->quiet,
                              .json = c->log_json,
                              .colour = colour,
                              .terminal = c->terminal,
                              .run = run,
                              .target = target};
}

bool call_session(struct call *c, struct session *s, unsigned parts, enum rc *rc)
{
    struct err e = {0};
    struct log_setup first = log_setup(c, "none");
    log_open(&first, NULL);
    if (!session_open(s, c->config, c->state_dir, parts, &e)) {
        *rc = call_fail(c, &e);
        session_close(s);
        return false;
    }
    struct log_setup full = log_setup(c, s->conf->agent.log);
    if (log_open(&full, &e))
        return true;
    *rc = call_fail(c, &e);
    session_close(s);
    return false;
}

bool call_deadline(const struct call *c, int64_t *seconds)
{
    const char *text = call_flag(c, "deadline");
    if (!text || (duration_parse(text, seconds) && *seconds > 0))
        return true;
    say(LEVEL_ERROR, &(struct about){.step = c->command->name}, "USAGE", "--deadline wants a duration such as 90s, 10m or 2h");
    return false;
}

static bool note_name(void *arg, const struct saved_cert *row)
{
    (void)row;
    *(bool *)arg = true;
    return false;
}

static bool note_order(void *arg, const struct saved_order *o)
{
    (void)o;
    *(bool *)arg = true;
    return false;
}

static bool in_store(struct session *s, const char *name)
{
    bool there = false;
    cert_get(s->store, name, note_name, &there, NULL);
    if (!there)
        order_history(s->store, name, note_order, &there, NULL);
    return there;
}

bool call_names_known(struct call *c, struct session *s, bool gone, enum rc *rc)
{
    for (size_t i = 0; i < c->args.n; i++) {
        const char *name = c->args.s[i];
        struct guess g = {.wanted = name};
        if (conf_cert(s->conf, name) || (gone && in_store(s, name)))
            continue;
        char safe[80], maybe[96];
        text_safe(safe, sizeof safe, name, strlen(name));
        for (size_t k = 0; k < s->conf->n_cert; k++)
            guess_try(&g, s->conf->cert[k].name);
        say(LEVEL_ERROR, &(struct about){.step = c->command->name}, "NO_SECTION", "there is no [certificate %s] in %s%s", safe,
            s->conf->path, guess_text(&g, maybe));
        *rc = RC_USAGE;
        return false;
    }
    return true;
}
