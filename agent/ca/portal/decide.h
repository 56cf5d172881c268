/* decide.h: from a page that was read to what is done next. Pure: the whole judgement of a walk in one table and a few rules above it.
 *
 * A page alone never says enough: the same proof page means "take the code" to one who came for it, "press" to one whose records are in place, and "it
 * failed" to one who has just pressed. */
#ifndef DCV_CA_PORTAL_DECIDE_H
#define DCV_CA_PORTAL_DECIDE_H

#include "ca/portal/guide.h"

enum walk_goal {
    GOAL_CODE,        /* codes to publish, or a portal that asks for no proof */
    GOAL_CONFIRM,     /* the records are in place: the portal is told to look */
    GOAL_CSR,         /* the CSR is submitted, once */
    GOAL_CERTIFICATE, /* it was submitted: what came of it? */
    GOAL_LOOK,        /* the portal was checking: what came of it? Nothing is pressed that has an effect */
    GOALS
};

enum walk_step {
    STEP_UNKNOWN, /* a page that does not belong here: kept for a person, nothing is pressed */
    /* pressed */
    STEP_ON,        /* leads on: start, details, method, back from a failure */
    STEP_LOGIN,
    STEP_MAIL,      /* a code is sent for by e-mail, once */
    STEP_CONFIRM,
    STEP_GIVE_CSR,
    STEP_SUBMIT,    /* what was read from the CSR is right */
    /* the session ended: begin anew, once */
    STEP_AGAIN,
    /* the goal, or something nearer to the end than that */
    STEP_CODES,     /* the codes shown are taken */
    STEP_AWAIT_MAIL,
    STEP_CHECKING,
    STEP_PROVEN,    /* the CSR is wanted */
    STEP_ISSUING,
    STEP_PICKUP,
    /* not now, or not at all */
    STEP_LATER,
    STEP_PIN_REFUSED,
    STEP_PIN_LOST,  /* the login page came back and does not say why */
    STEP_DCV_FAILED,
    STEP_EXPIRED,   /* the code: a new one is wanted */
    STEP_CSR_REFUSED,
    STEP_REFUSED,
    STEP_ASK        /* what is shown does not fit what was done: a person looks */
};

enum walk_doubt {
    DOUBT_NOT,
    DOUBT_CSR,  /* the CSR was sent off, and what came of it is not known */
    DOUBT_FINAL /* the same of the last button */
};

struct sight {
    enum walk_goal goal;
    bool known;               /* the page is recognised */
    enum page_role role;
    enum page_error error;
    long status;              /* HTTP */
    bool other_code;          /* of a proof page: not (all) the codes that were published */
    bool proves;              /* guide_page_proves() */
    bool mailed, mailed_code; /* the code was sent for; it is there */
    bool pin_proven;          /* by this login or an earlier one */
    bool let_in;              /* a page behind the login was seen since the session began */
    enum walk_doubt doubt;
    bool given;               /* the CSR that the portal may be showing is ours */
    bool checking;            /* the portal was told to look before this walk, and had not finished */
    /* what this walk has done */
    bool pressed_login;       /* since the session began; a login may have several pages, */
    bool logged_in;           /* and one of them took the PIN */
    bool again;               /* the session was begun anew once already */
    bool pressed_confirm, pressed_csr, pressed_final;
};

enum walk_step walk_decide(const struct sight *s);

#endif
