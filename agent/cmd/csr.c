/* csr: prints the CSR of the order under way; makes key and CSR where there is none. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "cert/csr.h"
#include "conf/conf.h"
#include "order/evidence.h"
#include "order/run.h"
#include "store/store.h"

static bool note_order(void *arg, const struct saved_order *o)
{
    if (strcmp(o->state, "failed") == 0)
        return true;
    saved_order_clear(arg);
    saved_order_copy(arg, o);
    return true;
}

/* Noted as one that may have left: then printing it once more changes nothing. */
static bool ready(const struct saved_order *o)
{
    return o->csr.n && o->sent;
}

static enum rc print_csr(const struct call *c, const struct saved_order *o)
{
    struct err e = {0};
    struct str pem = STR_INIT(1 << 20);
    enum rc rc = RC_OK;
    if (!csr_pem(o->csr.p, o->csr.n, &pem)) {
        err_set(&e, RC_STATE, "CSR_DAMAGED",
                "the CSR of the order %s in the state database is damaged; dcvagent cancel %s, then order anew", o->id, o->cert);
        rc = call_fail(c, &e);
    } else if (c->json) {
        json_print(json_pack("{s:i, s:o, s:s, s:o, s:s}", "version", 1, "name", json_text(o->cert), "order", o->id, "names",
                             json_text(o->names), "csr", str_text(&pem)));
    } else {
        fputs(str_text(&pem), stdout);
    }
    str_free(&pem);
    return rc;
}

static enum rc make(struct call *c, struct saved_order *o)
{
    struct session s;
    struct err e = {0};
    struct run_setup setup = {.names = &c->args, .csr_only = true, .terminal = c->terminal};
    struct run_result result = {0};
    enum rc rc = RC_OK;
    if (!call_session(c, &s, SESSION_LOCK | SESSION_NET, &rc))
        return rc;
    if (!evidence_command(s.store, c->args.s[0], c->argc, c->argv, &e)) {
        rc = call_fail(c, &e);
    } else {
        run_all(&s, &setup, &result);
        json_decref(result.json);
        rc = result.rc;
        if (!order_each(s.store, c->args.s[0], note_order, o, &e))
            rc = call_fail(c, &e);
        else if (ready(o))
            rc = RC_OK;
        else if (rc == RC_OK || rc == RC_LATER)
            err_set(&e, RC_LATER, "NO_CSR", "the key is not made yet; run the command again"), rc = call_fail(c, &e);
    }
    session_close(&s);
    return rc;
}

enum rc cmd_csr(struct call *c)
{
    struct session s;
    struct err e = {0};
    struct saved_order o = {0};
    enum rc rc = RC_OK;
    if (!call_session(c, &s, SESSION_READ, &rc))
        return rc;
    bool known = call_names_known(c, &s, true, &rc);
    if (known && !order_each(s.store, c->args.s[0], note_order, &o, &e)) {
        rc = call_fail(c, &e);
        known = false;
    }
    session_close(&s);
    if (known && !ready(&o))
        rc = make(c, &o);
    if (known && rc == RC_OK)
        rc = print_csr(c, &o);
    saved_order_clear(&o);
    return rc;
}
