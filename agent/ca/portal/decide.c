#include "ca/portal/decide.h"

/* What each page is to each goal, if nothing speaks against it. The later pages are never led back by us: who came for a code and finds the CSR page has
 * got more than that. */
static const enum walk_step table[ROLES][GOALS] = {
    /*                   code            confirm         csr             certificate     look */
    [ROLE_START] = {STEP_ON, STEP_ON, STEP_ON, STEP_ON, STEP_ON},
    [ROLE_LOGIN] = {STEP_LOGIN, STEP_LOGIN, STEP_LOGIN, STEP_LOGIN, STEP_LOGIN},
    [ROLE_DETAILS] = {STEP_ON, STEP_ON, STEP_ON, STEP_ON, STEP_ON},
    [ROLE_METHOD] = {STEP_ON, STEP_ON, STEP_ON, STEP_ASK, STEP_ON},
    [ROLE_PROOF] = {STEP_CODES, STEP_CONFIRM, STEP_CODES, STEP_ASK, STEP_CODES},
    [ROLE_MAILED] = {STEP_MAIL, STEP_CONFIRM, STEP_CODES, STEP_ASK, STEP_CODES},
    [ROLE_CHECKING] = {STEP_CHECKING, STEP_CHECKING, STEP_CHECKING, STEP_ASK, STEP_CHECKING},
    [ROLE_FAILED] = {STEP_ON, STEP_ON, STEP_ON, STEP_ASK, STEP_DCV_FAILED},
    [ROLE_CSR] = {STEP_PROVEN, STEP_PROVEN, STEP_GIVE_CSR, STEP_ASK, STEP_PROVEN},
    [ROLE_CSR_CHECK] = {STEP_ASK, STEP_ASK, STEP_ASK, STEP_ASK, STEP_ASK},
    [ROLE_ISSUING] = {STEP_ISSUING, STEP_ISSUING, STEP_ISSUING, STEP_ISSUING, STEP_ISSUING},
    [ROLE_DONE] = {STEP_PICKUP, STEP_PICKUP, STEP_PICKUP, STEP_PICKUP, STEP_PICKUP},
    [ROLE_REFUSED] = {STEP_REFUSED, STEP_REFUSED, STEP_REFUSED, STEP_REFUSED, STEP_REFUSED},
    [ROLE_CLOSED] = {STEP_LATER, STEP_LATER, STEP_LATER, STEP_LATER, STEP_LATER},
};

static enum walk_step at_login(const struct sight *s)
{
    if (!s->logged_in)
        return STEP_LOGIN;
    if (!s->let_in) /* a PIN that was good before may have been changed since: each try counts */
        return STEP_PIN_LOST;
    return s->again ? STEP_LATER : STEP_AGAIN;
}

/* A mailed code is sent for once; whoever has it goes the way of the others. */
static enum walk_step at_mailed(const struct sight *s, enum walk_step usual)
{
    if (s->mailed_code)
        return usual == STEP_MAIL ? STEP_CODES : usual;
    return usual == STEP_MAIL && !s->mailed ? STEP_MAIL : STEP_AWAIT_MAIL;
}

/* Only a page that the description calls a proof shows that a CSR whose way was lost never arrived. */
static enum walk_step at_csr(const struct sight *s, enum walk_step usual)
{
    if (usual != STEP_GIVE_CSR)
        return usual;
    if (s->pressed_csr || s->pressed_final)
        return STEP_ASK;
    return s->doubt == DOUBT_NOT || s->proves ? STEP_GIVE_CSR : STEP_ASK;
}

/* The last button is pressed for a CSR that we gave, and once. */
static enum walk_step at_csr_check(const struct sight *s)
{
    return s->goal == GOAL_CSR && s->given && !s->pressed_final && s->doubt != DOUBT_FINAL ? STEP_SUBMIT : STEP_ASK;
}

static bool of_proof(enum page_role r)
{
    return r == ROLE_PROOF || r == ROLE_MAILED || r == ROLE_FAILED;
}

static bool of_login(const struct sight *s)
{
    return s->error == PAGE_LOGIN_REFUSED || s->error == PAGE_LOCKED;
}

/* What an error text on the page means; STEP_UNKNOWN: nothing that the role does not say. Behind the login the PIN is good, whatever words a page has:
 * only the login page itself may take that back. */
static enum walk_step by_error(const struct sight *s)
{
    if (of_login(s) && s->let_in && s->role != ROLE_LOGIN)
        return STEP_ASK;
    switch (s->error) {
    case PAGE_LOGIN_REFUSED:
        return s->pressed_login ? STEP_PIN_REFUSED : STEP_UNKNOWN; /* else of a try that was not ours */
    case PAGE_LOCKED:
        return STEP_PIN_REFUSED;
    case PAGE_SESSION_LOST:
        return !s->logged_in ? STEP_UNKNOWN : !s->pin_proven ? STEP_PIN_LOST : s->again ? STEP_LATER : STEP_AGAIN;
    case PAGE_BUSY:
        return STEP_LATER;
    case PAGE_CODE_EXPIRED:
        return STEP_EXPIRED;
    case PAGE_CSR_REFUSED:
        return s->pressed_csr || s->pressed_final ? STEP_CSR_REFUSED : STEP_UNKNOWN;
    case PAGE_DCV_FAILED:
        return s->pressed_confirm || s->checking ? STEP_DCV_FAILED : STEP_UNKNOWN;
    case PAGE_FINE:
    case PAGE_ERRORS:
        break;
    }
    return STEP_UNKNOWN;
}

/* A page without a section of its own may still say what every page may. Of what became of a proof or a CSR only a page tells that is known. */
static enum walk_step at_stranger(const struct sight *s)
{
    bool for_all = (of_login(s) && !s->let_in) || s->error == PAGE_SESSION_LOST || s->error == PAGE_BUSY;
    enum walk_step told = for_all ? by_error(s) : STEP_UNKNOWN;
    if (s->error == PAGE_SESSION_LOST && !s->logged_in)
        return s->again ? STEP_LATER : STEP_AGAIN;
    if (told != STEP_UNKNOWN)
        return told;
    return s->status >= 500 || s->status == 429 ? STEP_LATER : STEP_UNKNOWN;
}

enum walk_step walk_decide(const struct sight *s)
{
    if (!s->known)
        return at_stranger(s);
    enum walk_step usual = table[s->role][s->goal];
    enum walk_step told = by_error(s);
    if (told != STEP_UNKNOWN && !(told == STEP_EXPIRED && s->goal == GOAL_CODE)) /* who comes for a new code knows already */
        return told;
    if (s->pressed_confirm && of_proof(s->role)) /* it was told to look, and is back where it began */
        return STEP_DCV_FAILED;
    switch (s->role) {
    case ROLE_LOGIN:
        return at_login(s);
    case ROLE_PROOF:
        return usual == STEP_CONFIRM && s->other_code ? STEP_CODES : usual;
    case ROLE_MAILED:
        return at_mailed(s, usual);
    case ROLE_CSR:
        return at_csr(s, usual);
    case ROLE_CSR_CHECK:
        return at_csr_check(s);
    default:
        return usual;
    }
}
