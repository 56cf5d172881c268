/* outcome.c: what the end of a walk means for the order: the handle, the stage, what is waited for, and what a person is told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/names.h"
#include "ca/handover.h"
#include "ca/portal/portal_impl.h"

enum { ASK_SIZE = 1023, SOON = 5, SELDOM = 10 * MINUTE, CLOSED_FOR = 15 * MINUTE, EXPIRED_AGAIN = HOUR };

static void waits_for(struct walk *w, const char *what, struct str *ask)
{
    w->k->waits = what;
    ask_set(w->k, ask);
}

/* --- codes ------------------------------------------------------------------------------------------------------------------------------ */

/* The page's code for a name: its own, else that of the whole order; NULL. */
static const char *shown_code(const struct walk *w, const char *name)
{
    const char *common = NULL;
    for (size_t i = 0; i < w->reading.n_code; i++) {
        const struct act_code *c = &w->reading.code[i];
        if (strcmp(c->name, name) == 0)
            return c->value;
        if (!*c->name)
            common = c->value;
    }
    return common;
}

/* What was published for it, expired or not. */
static const char *kept_code(const struct walk *w, const char *name)
{
    const json_t *codes = json_object_get(w->h, "codes"), *own = json_object_get(codes, name);
    return json_str(own ? own : json_object_get(codes, "*"), "value");
}

bool walk_other_code(const struct walk *w)
{
    for (size_t i = 0; i < w->names.n; i++) {
        const char *name = name_base(w->names.s[i]), *shown = shown_code(w, name);
        if (!shown || strcmp(shown, kept_code(w, name)) != 0)
            return true;
    }
    return false;
}

/* The handle is written by handover.c from here to the end. */
static bool take_code(struct walk *w, const struct act_code *c, struct err *e)
{
    const json_t *codes = json_object_get(w->h, "codes"), *kept = json_object_get(codes, *c->name ? c->name : "*");
    int64_t now = clock_now(), received = json_num(kept, "received"), lifetime = (int64_t)w->c->rules.lifetime;
    bool over = received && lifetime && received + lifetime <= now; /* the portal still shows it: it is good after all */
    struct inbox_row row = {.at = now,
                            .cert = w->k->o->cert,
                            .kind = "code",
                            .host = c->name,
                            .text = {(const uint8_t *)c->value, strlen(c->value)},
                            .received = over ? now : 0};
    return handover_take(w->k, &row, e);
}

static void took_codes(struct walk *w)
{
    struct err e = {0};
    for (size_t i = 0; i < w->names.n; i++)
        if (!shown_code(w, name_base(w->names.s[i])))
            err_set(&e, RC_PAGES, "PORTAL_CODE", "the page shows no code for %s", w->names.s[i]);
    handover_save(w->k->o, json_incref(w->h));
    for (size_t i = 0; e.rc == RC_OK && i < w->reading.n_code; i++)
        take_code(w, &w->reading.code[i], &e);
    if (e.rc != RC_OK) {
        e.rc = RC_PAGES; /* the portal's word, not a person's */
        walk_unknown(w, &e);
        return;
    }
    json_decref(w->h);
    w->h = handover_load(w->k->o);
    json_object_del(w->h, "checking");
    if (w->sight.pressed_csr) /* a portal that wants the CSR first, and has it */
        json_object_del(w->h, "sent");
    say(LEVEL_INFO, &(struct about){.cert = w->k->o->cert, .step = "portal"}, NULL, "%zu code%s taken from the portal", w->reading.n_code,
        w->reading.n_code == 1 ? "" : "s");
    walk_finish(w, NULL);
}

/* By e-mail there is no code on a page: the mailed one stands in the handle. The proof is still to be given, whatever was noted. */
static void back_to_proof(struct walk *w)
{
    json_object_del(w->h, "confirmed");
    json_object_del(w->h, "checking");
    walk_finish(w, NULL);
}

void walk_await_mail(struct walk *w)
{
    struct str ask = STR_INIT(ASK_SIZE);
    const char *to = w->order.email ? w->order.email : "the address chosen";
    str_fmt(&ask, "The CA has sent its code to %s. Hand it over as it stands there:\n  dcvagent code %s 'CODE'", to, w->k->o->cert);
    waits_for(w, "code", &ask);
    w->stage = CA_PERSON;
    walk_finish(w, NULL);
}

/* --- nearer to the end ------------------------------------------------------------------------------------------------------------------ */

static void proven(struct walk *w)
{
    if (!json_num(w->h, "confirmed"))
        json_object_set_new(w->h, "confirmed", json_integer(clock_now()));
    json_object_del(w->h, "checking");
    json_object_del(w->h, "failed");
    walk_finish(w, NULL);
}

void walk_has_csr(struct walk *w)
{
    if (!json_num(w->h, "submitted"))
        json_object_set_new(w->h, "submitted", json_integer(clock_now()));
    json_object_del(w->h, "sent");
    json_object_del(w->h, "checking");
    w->k->o->sent = true;
}

/* The longer it takes, the less often it is asked. */
static void come_back(struct walk *w, enum ca_stage stage, const char *since)
{
    int64_t now = clock_now(), age = now - json_num(w->h, since);
    w->k->look_again = now + (age < SOON ? SOON : age > SELDOM ? SELDOM : age);
    w->stage = stage;
    walk_finish(w, NULL);
}

/* --- the portal says no ----------------------------------------------------------------------------------------------------------------- */

static const char *words_of(const struct walk *w)
{
    return *w->reading.said ? w->reading.said : "no reason given";
}

static void later(struct walk *w)
{
    struct err e = {0};
    int64_t until = w->visit.not_before ? w->visit.not_before : clock_now() + CLOSED_FOR;
    err_set(&e, RC_LATER, "PORTAL_CLOSED", "the portal has no time for us (%s); nothing is lost",
            *w->reading.said         ? w->reading.said
            : w->visit.status >= 400 ? "a server fault"
                                     : "maintenance, or too busy");
    err_again(&e, until);
    say(LEVEL_NOTICE, &(struct about){.cert = w->k->o->cert, .step = "portal", .retry_at = until}, e.code, "%s", e.text);
    walk_finish(w, &e);
}

static void ask_pin(struct walk *w, const char *why)
{
    struct str ask = STR_INIT(ASK_SIZE);
    str_fmt(&ask,
            "%s\n  dcvagent pin %s --reference N   (9 digits on the PIN envelope; the PIN is asked for), or reference_number and "
            "pin_file.\nWithout "
            "it: ",
            why, w->k->o->cert);
    told_by_hand(w, &ask);
    waits_for(w, "pin", &ask);
}

void walk_no_pin(struct walk *w)
{
    const struct conf_cert *conf = w->k->conf;
    const char *written = conf && conf->reference_number ? conf->reference_number : w->reference;
    ask_pin(w, w->pin.n ? "The reference number that belongs to the PIN is not known."
               : strcmp(written, w->reference) != 0
                   ? "The order is under way with another reference number than reference_number= says: the PIN "
                     "of pin_file is not sent with it. Put the old pair back, or cancel and run --force."
                   : "The portal wants a PIN.");
    if (w->goal != GOAL_CODE)
        w->k->waits = "operator";
    walk_finish(w, NULL);
}

void walk_pin_spent(struct walk *w)
{
    if (w->pair.fate == PIN_REFUSED) {
        ask_pin(w, "This PIN with this reference number was refused by the portal and is not sent again: another one is wanted.");
    } else {
        struct str why = STR_INIT(400);
        str_fmt(
            &why,
            "This PIN was sent once and the answer was lost: it may count as a wrong try. Send it again?\n  dcvagent run --force %s   or "
            "hand it over again:",
            w->k->o->cert);
        ask_pin(w, str_text(&why));
        str_free(&why);
    }
    walk_finish(w, NULL);
}

static void pin_refused(struct walk *w)
{
    struct err e = {0};
    const char *dir = store_dir(w->c->store), *cert = w->k->o->cert;
    if (w->sight.logged_in && w->pair_known && pin_note(dir, &w->pair, PIN_REFUSED, clock_now(), &e))
        pin_wipe(dir, cert, &e); /* of no use to anybody */
    err_set(&e, RC_CA, "PORTAL_LOGIN",
            "the portal refused the login: %s. This PIN with this reference number is not tried again; another one: dcvagent pin %s "
            "--reference N",
            words_of(w), cert);
    ask_pin(w, "The portal refused the login. It is not tried again with the same reference number and PIN.");
    walk_finish(w, &e);
}

static void pin_lost(struct walk *w)
{
    struct err e = {0};
    if (w->pair_known && !pin_note(store_dir(w->c->store), &w->pair, PIN_SENT, clock_now(), &e)) { /* however good it was before */
        walk_finish(w, &e);
        return;
    }
    err_set(&e, RC_CA, "PORTAL_LOGIN_UNCLEAR",
            "the portal shows the login page again and does not say why (%s); the PIN counts as tried. Look for yourself, then dcvagent "
            "run --force %s "
            "or dcvagent pin %s --reference N",
            words_of(w), w->k->o->cert, w->k->o->cert);
    ask_pin(w, "The portal showed the login page again and did not say why.");
    walk_finish(w, &e);
}

static void dcv_failed(struct walk *w)
{
    struct err e = {0};
    const char *name = *w->reading.failed_name ? w->reading.failed_name : NULL;
    json_object_set_new(w->h, "failed", json_pack("{s:I, s:o}", "at", (json_int_t)clock_now(), "text", json_text(words_of(w))));
    json_object_del(w->h, "checking");
    json_object_del(w->h, "confirmed");
    if (name)
        err_at(&e, "%s", name);
    err_set(&e, RC_CA, "PORTAL_DCV",
            by_mail(w->k)
                ? "the portal could not prove %s: %s; hand over the code of the last e-mail: dcvagent code %s 'CODE'"
                : "the portal could not prove %s: %s; when it was told to look our own views saw it in place, and they look again before "
                  "the next try (now: dcvagent check %s)",
            name ? name : "control of the names", words_of(w), w->k->o->cert);
    err_again(&e, 0);
    walk_finish(w, &e);
}

/* Once a new code is asked for at once. A portal that goes on saying so is left alone for a while. */
static void code_expired(struct walk *w)
{
    int64_t now = clock_now(), before = json_num(w->h, "expired");
    struct err e = {0};
    json_object_del(w->h, "codes");
    json_object_del(w->h, "mailed");
    json_object_del(w->h, "confirmed");
    json_object_del(w->h, "checking");
    say(LEVEL_NOTICE, &(struct about){.cert = w->k->o->cert, .step = "portal"}, "PORTAL_EXPIRED",
        "the portal says that its code has expired (%s): a new one is asked for", words_of(w));
    json_object_set_new(w->h, "expired", json_integer(now));
    if (before && now - before < EXPIRED_AGAIN) {
        err_set(&e, RC_CA, "PORTAL_EXPIRED", "the portal says again that its code has expired: %s", words_of(w));
        err_again(&e, 0);
    }
    walk_finish(w, e.rc == RC_OK ? NULL : &e);
}

static void csr_refused(struct walk *w)
{
    struct err e = {0};
    struct str ask = STR_INIT(ASK_SIZE);
    json_object_del(w->h, "sent");
    json_object_del(w->h, "given");
    err_set(&e, RC_CA, "PORTAL_CSR",
            "the portal refused the CSR: %s; an order keeps its CSR: mend subject or key_type, then dcvagent cancel %s and dcvagent run "
            "--force %s",
            words_of(w), w->k->o->cert, w->k->o->cert);
    str_fmt(&ask, "The portal refused the CSR: %s\nBy hand: ", words_of(w));
    told_by_hand(w, &ask);
    waits_for(w, "operator", &ask);
    walk_finish(w, &e);
}

static void refused(struct walk *w)
{
    struct err e = {0};
    err_set(&e, RC_CA, "PORTAL_REFUSED", "the portal refuses this application: %s; ask the CA, then dcvagent cancel %s", words_of(w),
            w->k->o->cert);
    w->stage = CA_REFUSED;
    walk_finish(w, &e);
}

/* --- a person is needed ----------------------------------------------------------------------------------------------------------------- */

void walk_would_press(struct walk *w)
{
    struct str ask = STR_INIT(ASK_SIZE);
    told_plan(w, &ask);
    if (!w->probe) {
        str_fmt(&ask, "\nNothing was pressed. Go on with dcvagent portal %s --step, or by hand: ", w->k->o->cert);
        told_by_hand(w, &ask);
    }
    waits_for(w, "operator", &ask);
    walk_finish(w, NULL);
}

void walk_unknown(struct walk *w, const struct err *e)
{
    struct err own = {.rc = e->rc, .code = e->code, .again = true, .not_before = e->not_before}, kept = {0};
    struct str ask = STR_INIT(ASK_SIZE);
    char *copy = w->probe || e->rc == RC_LATER ? NULL : page_copy(w, &kept);
    snprintf(own.where, sizeof own.where, "%s", e->where);
    snprintf(own.text, sizeof own.text, "%.220s%s%s%s", e->text, strstr(e->text, "pressed") ? "" : "; nothing was pressed",
             copy ? "; a copy of the page, secrets masked, is " : "", copy ? copy : "");
    str_fmt(&ask, "%s\nGo on by hand: ", own.text);
    told_by_hand(w, &ask);
    if (copy)
        str_fmt(&ask, "\nOr mend the description of the pages and try it: dcvagent portal %s --page %s", w->k->o->cert, copy);
    waits_for(w, e->rc == RC_LATER ? "pin" : "operator", &ask);
    free(copy);
    walk_finish(w, &own);
}

static void unknown(struct walk *w)
{
    struct err e = {0};
    if (w->reading.page)
        err_set(&e, RC_PAGES, "PORTAL_PAGE", "the portal's page \"%s\" does not belong here%s%s", guide_page_name(w->reading.page),
                *w->reading.said ? ": " : "", w->reading.said);
    else
        err_set(&e, RC_PAGES, "PORTAL_PAGE", "the portal shows a page that the description %s does not know (HTTP status %ld)",
                section_text(w->c->section, "profile"), w->visit.status);
    walk_unknown(w, &e);
}

/* A CSR may have arrived, or somebody else's has. Pressing would risk a second submission. */
static void doubtful(struct walk *w)
{
    struct err kept = {0};
    char *copy = page_copy(w, &kept);
    json_object_set_new(w->h, "asked",
                        json_pack("{s:I, s:s, s:o}", "at", (json_int_t)clock_now(), "page", guide_page_name(w->reading.page), "copy",
                                  json_text(copy ? copy : "")));
    free(copy);
    walk_ask_again(w);
}

void walk_ask_again(struct walk *w)
{
    struct str ask = STR_INIT(ASK_SIZE);
    const char *name = w->k->o->cert, *copy = json_str(json_object_get(w->h, "asked"), "copy");
    bool sent = json_object_get(w->h, "sent") != NULL;
    str_fmt(&ask,
            "%s The portal shows its page \"%s\"%s%s, which does not tell. Look at the portal:\n"
            "  the CSR is there or the certificate issued: dcvagent submitted %s (or dcvagent import %s FILE)\n"
            "  it is not there: dcvagent confirmed %s (the agent submits it)",
            sent ? "The CSR left this machine, and whether it arrived is not known."
                 : "This page was not expected now: a CSR may have been entered there by somebody else.",
            json_str(json_object_get(w->h, "asked"), "page"), *copy ? ", kept as " : "", copy, name, name, name);
    w->step = STEP_ASK;
    waits_for(w, "operator", &ask);
    walk_finish(w, NULL);
}

void walk_lost(struct walk *w, const struct err *e)
{
    struct err own = *e;
    const char *name = w->k->o->cert;
    size_t at = strlen(own.text);
    if (w->sends_pin && w->pair.fate == PIN_SENT) {
        snprintf(own.text + at, sizeof own.text - at,
                 "; the login may have arrived: the PIN counts as tried. dcvagent run --force %s sends it once more", name);
        ask_pin(w, "The answer to the login was lost.");
    } else if (w->step == STEP_GIVE_CSR || w->step == STEP_SUBMIT) {
        snprintf(own.text + at, sizeof own.text - at,
                 "; the CSR may have arrived: it is not sent again before the portal has shown that it did not");
    } else {
        snprintf(own.text + at, sizeof own.text - at, "; the next run looks where the portal stands");
    }
    walk_finish(w, &own);
}

/* --- the end of a walk ------------------------------------------------------------------------------------------------------------------ */

static void probe_says(struct walk *w)
{
    static const char *const words[] = {
        [STEP_UNKNOWN] = "this page is not known: nothing would be pressed",
        [STEP_CODES] = "the codes on it would be taken and published",
        [STEP_AWAIT_MAIL] = "the code that was mailed is waited for",
        [STEP_CHECKING] = "the portal is checking: it would be looked at again",
        [STEP_PROVEN] = "the portal wants the CSR: it would be submitted next",
        [STEP_ISSUING] = "the portal has the CSR: the certificate would be waited for",
        [STEP_PICKUP] = "the certificate would be fetched",
        [STEP_LATER] = "the portal is closed or busy: it would be visited later",
        [STEP_DCV_FAILED] = "the proof of control has failed: it would be tried again",
        [STEP_EXPIRED] = "the code has expired: a new one would be asked for",
        [STEP_REFUSED] = "the portal refuses the application",
        [STEP_ASK] = "this page was not expected now: a person would be asked",
    };
    struct str ask = STR_INIT(ASK_SIZE);
    told_plan(w, &ask);
    const char *text = (size_t)w->step < sizeof words / sizeof *words ? words[w->step] : NULL;
    str_fmt(&ask, "\n  %s", text ? text : "nothing would be pressed");
    if (*w->reading.said)
        str_fmt(&ask, "\n  it says: %s", w->reading.said);
    waits_for(w, "operator", &ask);
    walk_finish(w, NULL);
}

void walk_outcome(struct walk *w)
{
    if (w->probe) {
        probe_says(w);
        return;
    }
    switch (w->step) {
    case STEP_CODES:
        (w->reading.role == ROLE_MAILED ? back_to_proof : took_codes)(w);
        break;
    case STEP_AWAIT_MAIL:
        walk_await_mail(w);
        break;
    case STEP_CHECKING:
        if (!json_num(w->h, "checking"))
            json_object_set_new(w->h, "checking", json_integer(clock_now()));
        come_back(w, CA_CHECKING, "checking");
        break;
    case STEP_PROVEN:
        proven(w);
        break;
    case STEP_ISSUING:
        walk_has_csr(w);
        come_back(w, CA_ISSUING, "submitted");
        break;
    case STEP_PICKUP:
        if (json_object_get(w->h, "sent") || json_object_get(w->h, "given"))
            walk_has_csr(w);
        pickup_start(w);
        break;
    case STEP_LATER:
        later(w);
        break;
    case STEP_PIN_REFUSED:
        pin_refused(w);
        break;
    case STEP_PIN_LOST:
        pin_lost(w);
        break;
    case STEP_DCV_FAILED:
        dcv_failed(w);
        break;
    case STEP_EXPIRED:
        code_expired(w);
        break;
    case STEP_CSR_REFUSED:
        csr_refused(w);
        break;
    case STEP_REFUSED:
        refused(w);
        break;
    case STEP_ASK:
        doubtful(w);
        break;
    default:
        unknown(w);
    }
}
