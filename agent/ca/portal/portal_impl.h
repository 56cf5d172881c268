/* portal_impl.h: what the files of ca/portal/ that walk share. Nobody else includes this.
 *
 *   portal.c   the section and the CA interface        walk.c     from page to page
 *   case.c     where an order stands, from its handle  press.c    what is sent, and when it may be
 *   decide.c   the judgement (pure)                    outcome.c  what the end of a walk means for the order
 *   session.c  cookies.c  pin.c                        pickup.c   the certificate and what belongs to it
 *   codefile.c the code of the website method           words.c    what a person is asked, page copies */
#ifndef DCV_CA_PORTAL_IMPL_H
#define DCV_CA_PORTAL_IMPL_H

#include "base/json.h"
#include "base/secret.h"
#include "ca/ca.h"
#include "ca/portal/act.h"
#include "ca/portal/decide.h"
#include "ca/portal/pin.h"
#include "ca/portal/session.h"
#include "conf/conf.h"
#include "net/http.h"
#include "net/net.h"

struct window { /* an order's session with the portal, as long as the run lasts */
    char order[24];
    struct portal_session *session;
    struct str left;         /* the page where its last walk ended: the next one goes on from there; n 0: from the start page */
    char *left_url, left_charset[40];
    int64_t left_at;         /* ms, loop_now() scale */
};

struct public_file { /* a certificate that anybody may fetch: one run fetches it once */
    char *url;
    struct bytes octets;
};

struct ca {
    struct ca_rules rules;
    struct places places;
    struct strs caa, chain_files;
    const struct section *section;
    const char *name;
    bool unattended;
    struct guide *guide;
    struct net *net;
    struct store *store;
    struct http_client *http, *plain; /* plain: public certificates, http allowed, no cookies */
    struct window **window;
    size_t n_window;
    struct public_file file[16];
    size_t n_file;
};
bool portal_http(struct ca *c, struct err *e); /* both clients are there */
void window_forget_page(struct window *o);

/* --- case.c ---------------------------------------------------------------------------------------------------------------------------- */

bool by_mail(const struct ca_case *k);
bool by_file(const struct ca_case *k);
void case_stand(struct ca *c, struct ca_case *k, json_t *h); /* stage, proofs and deadline as the handle says */
bool case_hand(struct ca *c, struct ca_case *k, const struct inbox_row *row, struct err *e);

/* --- a walk ---------------------------------------------------------------------------------------------------------------------------- */

struct codefile;
struct pickup;

struct walk {
    struct ca *c;
    struct ca_case *k;
    enum walk_goal goal;
    bool probe;              /* nothing is pressed: the first button is told */
    json_t *h;               /* the handle */
    struct strs names;
    struct act_order order;  /* borrows from what follows */
    struct secret pin;
    char reference[REFERENCE_DIGITS + 1];
    char *csr, *mailed_code;
    uint8_t spki[32];
    struct pin_pair pair;
    bool pair_known;
    struct pin_pair before;  /* the pair as it was known before this walk sent it, */
    int64_t used_before;     /* and the hand-over that the last login had */
    bool sends_pin;          /* what is about to be sent holds it */
    struct window *window;
    struct visit visit;
    char *to, *from;         /* its address, and the page that it started from */
    struct page *page;       /* where we are */
    struct reading reading;
    struct act act;
    struct sight sight;      /* what this walk has done, and the page */
    enum walk_step step;
    unsigned pages, refreshes, pressed[ROLES];
    struct job job;          /* a PIN's fingerprint, or a person asked */
    struct timer timer;      /* a page that was left is taken up from the loop, as one that comes */
    struct codefile *codefile;
    struct pickup *pickup;
    enum ca_stage stage;     /* of an outcome that the handle cannot say; CA_NONE: as the handle says */
};
void walk_start(struct ca *c, struct ca_case *k, enum walk_goal goal, bool probe);
void walk_finish(struct walk *w, const struct err *e); /* w is gone */
void walk_visit(struct walk *w, const char *url, const struct page_send *form); /* form: what a button sends; NULL: no more than a look */
void walk_press(struct walk *w);                       /* press.c: the button of w->step, if all is well */

/* outcome.c */
void walk_outcome(struct walk *w);                          /* w->step ends the walk */
void walk_unknown(struct walk *w, const struct err *e);     /* a page that cannot be used; e: why */
void walk_would_press(struct walk *w);                      /* unattended = no, and nobody is there */
void walk_no_pin(struct walk *w);
void walk_pin_spent(struct walk *w);                        /* refused before, or its answer was lost */
void walk_lost(struct walk *w, const struct err *e);        /* no answer to what was sent */
void walk_has_csr(struct walk *w);                          /* the portal has the order's CSR: noted */
void walk_await_mail(struct walk *w);                       /* the code was sent for: a person hands it over */
void walk_ask_again(struct walk *w);                        /* what a person was asked about a page that did not tell */
bool walk_other_code(const struct walk *w);                 /* the page's codes are not (all) those of the handle */

/* codefile.c: the code of the website method is in a file behind a link: into the reading. then: with an error where it cannot be had. */
bool codefile_wanted(const struct walk *w);
void codefile_fetch(struct walk *w, void (*then)(struct walk *w, const struct err *e));
void codefile_free(struct codefile *f);

/* pickup.c: from the last page's links to o->certificate (PEM, the leaf's file first, and whatever else belongs to the chain). */
void pickup_start(struct walk *w);
void pickup_free(struct pickup *p);

/* words.c */
void told_plan(const struct walk *w, struct str *out);      /* page, what is filled in and checked, button */
void told_by_hand(const struct walk *w, struct str *out);   /* how a person does this step without us, and hands over the outcome */
void ask_set(struct ca_case *k, struct str *text);          /* takes the text into k->ask */
char *page_copy(const struct walk *w, struct err *e);       /* masked, 0600 under state_dir/pages; where; NULL */

#endif
