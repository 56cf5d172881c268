/* run: what cron calls. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "conf/conf.h"
#include "cmd/live.h"
#include "order/evidence.h"
#include "order/run.h"
#include "store/store.h"

static bool setup_from(struct call *c, struct run_setup *setup)
{
    setup->names = &c->args;
    setup->terminal = c->terminal;
    setup->force = call_has(c, "force");
    if (setup->force && c->args.n == 0 && !call_has(c, "all")) {
        say(LEVEL_ERROR, &(struct about){.step = "run"}, "USAGE", "run --force wants NAME, or --all for every certificate");
        return false;
    }
    return call_deadline(c, &setup->deadline);
}

/* Faults that stop only some certificates are worth a line each run would hide otherwise; they are in config check in full. */
static enum rc conf_faults(const struct session *s)
{
    for (size_t i = 0; i < s->conf->n_fault; i++) {
        struct str line = STR_INIT(1024);
        conf_fault_show(&s->conf->fault[i], &line);
        say(LEVEL_INFO, &(struct about){.step = "config"}, "CONFIG", "%s", str_text(&line));
        str_free(&line);
    }
    return s->conf->n_fault ? conf_worst(s->conf) : RC_OK;
}

static void show(void *arg, const struct look_row *row, size_t n, int64_t left)
{
    live_show(arg, row, n, left);
}

enum rc cmd_run(struct call *c)
{
    struct session s;
    struct run_setup setup = {0};
    struct run_result result = {0};
    enum rc rc = RC_OK;
    if (!setup_from(c, &setup))
        return RC_USAGE;
    if (!call_session(c, &s, SESSION_LOCK | SESSION_NET, &rc))
        return rc;
    if (!call_names_known(c, &s, true, &rc)) {
        session_close(&s);
        return rc;
    }
    if (setup.force)
        evidence_command(s.store, c->args.n == 1 ? c->args.s[0] : "", c->argc, c->argv, NULL);
    enum rc faults = conf_faults(&s);
    setup.show_arg = live_open(c);
    setup.show = setup.show_arg ? show : NULL;
    run_all(&s, &setup, &result);
    live_close(setup.show_arg);
    rc = c->args.n ? result.rc : rc_worse(result.rc, faults);
    if (rc == RC_OK && result.changed && call_has(c, "exit-changed"))
        rc = RC_CHANGED;
    if (c->json) {
        json_object_set_new(result.json, "exit", json_integer(rc));
        json_print(json_incref(result.json));
    }
    json_decref(result.json);
    session_close(&s);
    return rc;
}
