/* replace: the emergency: new keys and certificates now, whatever the calendar says. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "conf/conf.h"
#include "order/evidence.h"
#include "order/run.h"
#include "store/store.h"

static bool agreed(const struct call *c, const struct session *s)
{
    char answer[16] = "";
    if (call_has(c, "yes"))
        return true;
    size_t n = c->args.n ? c->args.n : s->conf->n_cert;
    if (!isatty(STDIN_FILENO)) {
        say(LEVEL_ERROR, &(struct about){.step = "replace"}, "USAGE",
            "replace orders %zu new certificate%s with new keys; without a terminal it wants --yes", n, n == 1 ? "" : "s");
        return false;
    }
    fprintf(stderr, "Order %zu new certificate%s with new keys now (dcvagent plan --replace shows what it takes)? [y/N] ", n,
            n == 1 ? "" : "s");
    return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

enum rc cmd_replace(struct call *c)
{
    struct session s;
    struct run_setup setup = {.names = &c->args, .replace = true, .terminal = c->terminal};
    struct run_result result = {0};
    enum rc rc = RC_OK;
    if ((c->args.n == 0) == !call_has(c, "all")) {
        say(LEVEL_ERROR, &(struct about){.step = "replace"}, "USAGE", "replace wants NAMEs, or --all for every certificate");
        return RC_USAGE;
    }
    if (!call_deadline(c, &setup.deadline))
        return RC_USAGE;
    if (!call_session(c, &s, SESSION_LOCK | SESSION_NET, &rc))
        return rc;
    if (call_names_known(c, &s, false, &rc) && !agreed(c, &s))
        rc = RC_USAGE;
    if (rc == RC_OK) {
        evidence_command(s.store, c->args.n == 1 ? c->args.s[0] : "", c->argc, c->argv, NULL);
        run_all(&s, &setup, &result);
        rc = result.rc;
        if (c->json)
            json_print(json_incref(result.json));
        json_decref(result.json);
    }
    session_close(&s);
    return rc;
}
