#include "cmd/portal_walk.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "order/evidence.h"
#include "order/ask/probe.h"
#include "order/run.h"
#include "store/store.h"

enum { TOLD_MAX = 4096, PATIENCE = HOUR, WAIT_MS = 200 };

enum rc portal_probe(struct call *c)
{
    struct session s;
    struct err e = {0};
    struct str told = STR_INIT(TOLD_MAX);
    enum rc rc = RC_OK;
    if (!call_session(c, &s, SESSION_LOCK | SESSION_NET, &rc))
        return rc;
    const char *name = c->args.s[0];
    if (call_names_known(c, &s, false, &rc)) {
        if (!evidence_command(s.store, name, c->argc, c->argv, &e) || !probe_run(&s, name, &told, &e))
            rc = call_fail(c, &e);
        if (c->json)
            json_print(json_pack("{s:i, s:s, s:o}", "version", 1, "name", name, "told", json_text(str_text(&told))));
        else if (told.n)
            printf("%s: %s\n", name, str_text(&told));
    }
    str_free(&told);
    session_close(&s);
    return rc;
}

/* In the worker; the run's loop goes on and may end the wait (a signal, its deadline): then there is nobody to answer to. */
static bool permit(void *arg, const char *told)
{
    volatile bool *over = arg;
    char line[16] = "";
    tcflush(STDIN_FILENO, TCIFLUSH); /* what was typed before the question was there answers another one */
    fprintf(stderr, "\n%s\nPress it? [y/N] ", told);
    fflush(stderr);
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    for (;;) {
        int got = poll(&in, 1, WAIT_MS);
        if (*over)
            return false;
        if (got > 0)
            break;
    }
    if (read(STDIN_FILENO, line, sizeof line - 1) <= 0)
        return false;
    line[strcspn(line, "\r\n")] = 0;
    return strcmp(line, "y") == 0 || strcmp(line, "Y") == 0 || strcmp(line, "yes") == 0;
}

enum rc portal_step(struct call *c)
{
    static volatile bool over; /* outlives the run: so may the worker */
    struct session s;
    struct err e = {0};
    struct run_result result = {0};
    enum rc rc = RC_OK;
    if (!isatty(STDIN_FILENO) || !c->terminal) {
        say(LEVEL_ERROR, &(struct about){.step = "portal"}, "USAGE",
            "portal --step asks before each button, so it needs a terminal; without one: "
            "unattended = yes, or the steps by hand");
        return RC_USAGE;
    }
    if (!call_session(c, &s, SESSION_LOCK | SESSION_NET, &rc))
        return rc;
    struct run_setup setup = {
        .names = &c->args, .terminal = true, .permit = permit, .permit_arg = (void *)(uintptr_t)&over, .deadline = PATIENCE};
    if (call_names_known(c, &s, false, &rc)) {
        if (evidence_command(s.store, c->args.s[0], c->argc, c->argv, &e)) {
            run_all(&s, &setup, &result);
            rc = result.rc;
        } else {
            rc = call_fail(c, &e);
        }
        if (c->json && result.json)
            json_print(json_incref(result.json));
        json_decref(result.json);
    }
    over = true;
    session_close(&s);
    return rc;
}
