/* replace: the emergency: new keys and certificates now, whatever the calendar says, in as many runs as it takes. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "order/evidence.h"
#include "order/run.h"
#include "store/store.h"

enum { LINE_EVERY_MS = 30000 };

static const struct about about = {.step = "replace"};

/* --- before ---------------------------------------------------------------------------------------------------------------------------- */

/* What is going to be ordered, and what is not because this replacement has it already. */
static void tell_plan(const struct replacement *p, size_t n, struct str *out)
{
    char begun[32];
    time_local(p->since, begun);
    str_fmt(out, "%zu new certificate%s with new keys", n, n == 1 ? "" : "s");
    if (p->open)
        str_fmt(out, "; the replacement begun at %s goes on: %zu under way, %zu replaced already, which --again would order once more",
                begun, p->open, p->replaced);
}

static bool agreed(const struct call *c, const struct replacement *p)
{
    char answer[16] = "";
    struct str plan = STR_INIT(1024);
    size_t n = p->all - p->replaced;
    bool yes = call_has(c, "yes");
    tell_plan(p, n, &plan);
    if (yes && p->open)
        say_loudly(LEVEL_NOTICE, &about, NULL, "%s", str_text(&plan));
    if (!yes && !isatty(STDIN_FILENO)) {
        say(LEVEL_ERROR, &about, "USAGE", "replace orders %s; without a terminal it wants --yes", str_text(&plan));
    } else if (!yes) {
        fprintf(stderr, "Order %s (dcvagent plan --replace shows what it takes)? [y/N] ", str_text(&plan));
        yes = fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
    }
    str_free(&plan);
    return yes;
}

/* --- meanwhile ------------------------------------------------------------------------------------------------------------------------- */

struct progress {
    bool in_place; /* a line at the terminal's foot, drawn over and over; else one now and then */
    bool drawn;
    size_t at_first; /* replaced before this run */
    bool counted;
    int64_t began, said; /* clock_monotonic() */
};

static void erase(void *arg)
{
    struct progress *p = arg;
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = false;
}

static void words(const struct progress *p, const struct replacement_count *n, int64_t gone, struct str *out)
{
    size_t fresh = n->replaced - p->at_first, left = n->under_way + n->rest;
    char took[32];
    str_fmt(out, "%zu of %zu replaced", n->replaced, n->all);
    if (n->under_way)
        str_fmt(out, ", %zu under way", n->under_way);
    if (n->waiting)
        str_fmt(out, ", %zu wait", n->waiting);
    if (n->failed)
        str_fmt(out, ", %zu failed", n->failed);
    duration_show(gone / 1000, took);
    str_fmt(out, "; %s", took);
    if (fresh && left) {
        duration_show(gone * (int64_t)left / (int64_t)fresh / 1000, took);
        str_fmt(out, ", about %s to go", took);
    }
}

static void show(void *arg, const struct replacement_count *n)
{
    struct progress *p = arg;
    int64_t now = clock_monotonic();
    struct str text = STR_INIT(400);
    if (!p->counted) {
        p->counted = true;
        p->at_first = n->replaced;
        p->began = p->said = now;
    }
    if (!p->in_place && now - p->said < LINE_EVERY_MS)
        return;
    p->said = now;
    words(p, n, now - p->began, &text);
    if (p->in_place) {
        fprintf(stderr, "\r\033[K%s", str_text(&text));
        fflush(stderr);
        p->drawn = true;
    } else {
        say_loudly(LEVEL_NOTICE, &about, NULL, "%s", str_text(&text));
    }
    str_free(&text);
}

static void go(struct call *c, struct session *s, struct run_setup *setup, struct run_result *result)
{
    const char *term = getenv("TERM");
    struct progress p = {.in_place = c->terminal && !c->log_json && term && strcmp(term, "dumb") != 0};
    if (!c->quiet) {
        setup->count = show;
        setup->count_arg = &p;
    }
    if (p.in_place)
        log_before(erase, &p);
    run_all(s, setup, result);
    erase(&p);
    log_before(NULL, NULL);
}

/* --- the command ------------------------------------------------------------------------------------------------------------------------ */

static bool look(struct call *c, struct session *s, struct replacement *p, enum rc *rc)
{
    struct err e = {0};
    if (!replacement_look(s, &c->args, p, &e)) {
        *rc = call_fail(c, &e);
        return false;
    }
    if (!p->since || call_has(c, "again"))
        *p = (struct replacement){.since = clock_now(), .all = p->all};
    return true;
}

enum rc cmd_replace(struct call *c)
{
    struct session s;
    struct run_setup setup = {.names = &c->args, .replace = true, .terminal = c->terminal};
    struct run_result result = {0};
    struct replacement p;
    enum rc rc = RC_OK;
    if ((c->args.n == 0) == !call_has(c, "all")) {
        say(LEVEL_ERROR, &about, "USAGE", "replace wants NAMEs, or --all for every certificate");
        return RC_USAGE;
    }
    if (!call_deadline(c, &setup.deadline))
        return RC_USAGE;
    if (!call_session(c, &s, SESSION_LOCK | SESSION_NET, &rc))
        return rc;
    if (call_names_known(c, &s, false, &rc) && look(c, &s, &p, &rc) && !agreed(c, &p))
        rc = RC_USAGE;
    if (rc == RC_OK) {
        evidence_command(s.store, c->args.n == 1 ? c->args.s[0] : "", c->argc, c->argv, NULL);
        setup.replace_since = p.since;
        go(c, &s, &setup, &result);
        rc = result.rc;
        if (c->json)
            json_print(json_incref(result.json));
        json_decref(result.json);
    }
    session_close(&s);
    return rc;
}
