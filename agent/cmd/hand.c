/* code confirmed submitted import cancel (and pin, in pin.c): what a person hands over.
 *
 * Each is one short transaction into the inbox, whether a run is on or not. Where the run lock is free the command takes the inbox up itself, so that
 * the person hears at once what is wrong; else the run that holds it does. */
#include "cmd/cmd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/names.h"
#include "ca/handover.h"
#include "cert/issued.h"
#include "cmd/adopt.h"
#include "cmd/hand.h"
#include "cmd/input.h"
#include "conf/conf.h"
#include "order/evidence.h"
#include "order/run.h"
#include "store/store.h"

enum { HAND_MAX = 1 << 20 };

static enum rc take_up(struct call *c, struct session *s, const struct hand *h)
{
    bool cancels = strcmp(h->kind, "cancel") == 0; /* whose records go at once */
    struct run_setup setup = {.hand_only = !cancels, .no_new = true, .terminal = c->terminal};
    struct run_result result = {0};
    struct strs names = {0};
    strs_add(&names, h->cert);
    setup.names = &names;
    run_all(s, &setup, &result);
    strs_free(&names);
    enum rc rc = result.hand.rc;
    if (rc == RC_OK && result.rc == RC_STATE)
        rc = RC_STATE;
    if (rc == RC_OK && cancels)
        rc = result.rc;
    if (c->json)
        json_print(json_incref(result.json));
    else if (rc == RC_OK && !c->quiet)
        printf(cancels ? "%s: %s\n" : "%s: %s; the next run goes on with it (now: dcvagent run %s)\n", h->cert, h->done, h->cert);
    json_decref(result.json);
    return rc;
}

enum rc hand_over(struct call *c, struct hand *h)
{
    struct session s;
    struct err e = {0};
    enum rc rc = RC_OK;
    if (!call_session(c, &s, SESSION_WRITE | SESSION_NET, &rc))
        return rc;
    struct strs only = {0};
    strs_add(&only, h->cert);
    struct strs all = c->args;
    c->args = only;
    bool known = call_names_known(c, &s, true, &rc);
    c->args = all;
    strs_free(&only);
    if (known &&
        ((h->before && !h->before(&s, h, &e)) || !store_machine(s.store, &e) || !evidence_command(s.store, h->cert, c->argc, c->argv, &e) ||
         !inbox_put(s.store, h->cert, h->kind, h->host ? h->host : "", h->text, h->received, &e)))
        rc = call_fail(c, &e);
    else if (known) {
        struct err busy = {0};
        if (store_lock(s.store, &busy))
            rc = take_up(c, &s, h);
        else if (busy.rc != RC_LATER)
            rc = call_fail(c, &busy);
        else if (c->json)
            json_print(json_pack("{s:i, s:o, s:b}", "version", 1, "name", json_text(h->cert), "handed_over", true));
        else if (!c->quiet)
            printf("%s: handed over to the run that is on; dcvagent status %s shows what it makes of it\n", h->cert, h->cert);
    }
    session_close(&s);
    return rc;
}

static enum rc usage_error(const struct call *c, const char *text)
{
    say(LEVEL_ERROR, &(struct about){.step = c->command->name}, "USAGE", "%s", text);
    return RC_USAGE;
}

/* A host as written by a person, in the order's form. */
static bool host_flag(struct call *c, const char *text, char out[NAME_SIZE])
{
    struct err e = {0};
    if (name_parse(text, NAME_WILDCARD | NAME_UNDERSCORE, out, &e))
        return true;
    call_fail(c, &e);
    return false;
}

enum rc cmd_code(struct call *c)
{
    char host[NAME_SIZE] = "";
    const char *of = call_flag(c, "for"), *received = call_flag(c, "received");
    struct hand h = {.cert = c->args.s[0], .kind = "code"};
    struct err e = {0};
    char *text;
    size_t n;
    if (of && !host_flag(c, of, host))
        return RC_USAGE;
    if (received && (!time_parse(received, &h.received) || h.received > clock_now() + DAY))
        return usage_error(c, "--received wants a date that has been, such as 2026-11-28");
    if (!input_value(c->args.s[1], HAND_MAX, &text, &n, &e))
        return call_fail(c, &e);
    h.host = name_base(host);
    h.text = (struct bytes){(const uint8_t *)text, n};
    char shown[300], said[640];
    char *code = handover_code(h.text);
    text_safe(shown, sizeof shown, code, strlen(code));
    free(code);
    snprintf(said, sizeof said, "code \"%s\" is noted%s%s", shown, *host ? " for " : "", host);
    h.done = said;
    enum rc rc = hand_over(c, &h);
    free(text);
    return rc;
}

enum rc cmd_confirmed(struct call *c)
{
    const char *failed = call_flag(c, "failed");
    struct hand h = {.cert = c->args.s[0], .kind = failed ? "failed" : "confirmed"};
    if (failed)
        h.text = (struct bytes){(const uint8_t *)failed, strlen(failed)};
    h.done = failed ? "noted that the CA said no; the records are checked again" : "noted that the CA has confirmed";
    return hand_over(c, &h);
}

enum rc cmd_submitted(struct call *c)
{
    struct hand h = {.cert = c->args.s[0], .kind = "submitted", .done = "noted that the CSR was submitted"};
    return hand_over(c, &h);
}

enum rc cmd_cancel(struct call *c)
{
    struct hand h = {.cert = c->args.s[0], .kind = "cancel", .done = "the order is stopped, its records are removed, its key is kept"};
    return hand_over(c, &h);
}

enum rc cmd_import(struct call *c)
{
    struct err e = {0};
    char *text;
    size_t n;
    if (!input_file(c->args.s[1], HAND_MAX, &text, &n, &e))
        return call_fail(c, &e);
    enum rc rc;
    struct issued *issued = NULL;
    if (!issued_read(&issued, text, n, &e)) { /* before it is kept anywhere: it may be a private key */
        rc = call_fail(c, &e);
    } else if (call_has(c, "key")) {
        rc = adopt_certificate(c, c->args.s[0], text, n, call_flag(c, "key"));
    } else {
        struct hand h = {.cert = c->args.s[0],
                         .kind = "import",
                         .text = {(const uint8_t *)text, n},
                         .done = "the certificate is the one that was ordered"};
        rc = hand_over(c, &h);
    }
    issued_free(issued);
    explicit_bzero(text, n);
    free(text);
    return rc;
}
