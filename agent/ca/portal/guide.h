/* guide.h: a portal's description file as structs: which pages there are, how each is known, what is filled in, checked, pressed and read.
 *
 * The file is conf/ca/NAME.ini (docs/PORTALS.md is its manual). It is data: whoever owns certificates mends a text file when the CA's pages change.
 * guide_load() checks everything that can be checked without a page (roles, XPath, words, that a page which is pressed says what must hold) and
 * notes faults with file:line. */
#ifndef DCV_CA_PORTAL_GUIDE_H
#define DCV_CA_PORTAL_GUIDE_H

#include "base/err.h"
#include "base/str.h"

/* What a page means for an order. The portal decides which one comes next; any may come first on a return. */
enum page_role {
    ROLE_START,     /* leads on: a language choice, "session expired, log in again" */
    ROLE_LOGIN,     /* server name, reference number, PIN */
    ROLE_DETAILS,   /* what was applied for is shown: must equal the order; which name of the organisation */
    ROLE_METHOD,    /* the DCV method is chosen */
    ROLE_PROOF,     /* shows the code(s); its button lets the CA check */
    ROLE_MAILED,    /* constructed e-mail: an address is chosen and a code sent for; the mailed code is entered */
    ROLE_CHECKING,  /* the CA is still checking */
    ROLE_FAILED,    /* DCV failed: for which name, why */
    ROLE_CSR,       /* the CSR is entered */
    ROLE_CSR_CHECK, /* what the CA read from the CSR is shown */
    ROLE_ISSUING,   /* the CA works */
    ROLE_DONE,      /* the certificate can be fetched */
    ROLE_REFUSED,   /* over: the portal says no for good */
    ROLE_CLOSED,    /* maintenance: later */
    ROLES
};
extern const char *const role_words[ROLES]; /* start login details method proof mailed checking failed csr csr-check issuing done refused closed */

/* Texts that a page shows when something went wrong, by meaning. */
enum page_error {
    PAGE_FINE,
    PAGE_LOGIN_REFUSED, /* wrong PIN, reference number or server name: never repeated with the same */
    PAGE_LOCKED,        /* too many tries */
    PAGE_DCV_FAILED,
    PAGE_CODE_EXPIRED,
    PAGE_CSR_REFUSED,
    PAGE_SESSION_LOST,
    PAGE_BUSY,          /* later */
    PAGE_ERRORS
};
extern const char *const page_error_words[PAGE_ERRORS]; /* "" login-refused locked dcv-failed code-expired csr-refused session-lost busy */

struct guide;
struct guide_page;
struct description;
struct conf_fault;

/* Takes d. Always gives a guide; faults are in guide_faults(). */
struct guide *guide_load(struct description *d);
/* By profile name; false: CONF with the first fault's file:line (all of them by `config check`). */
bool guide_open(struct guide **out, const struct strs *conf_path, const char *profile, struct err *e);
void guide_free(struct guide *g);
const struct conf_fault *guide_faults(const struct guide *g, size_t *n);

const struct strs *guide_caa(const struct guide *g);
const struct strs *guide_origins(const struct guide *g);   /* https origins that may be visited; exactly these */
const struct strs *guide_pickup(const struct guide *g);    /* origins (http allowed) that certificates may be fetched from, without cookies */
const struct strs *guide_chain_urls(const struct guide *g);/* known URLs of intermediates, cross certificates, roots */
const char *guide_start(const struct guide *g);            /* start URL; NULL: url= in the configuration is needed */
const char *guide_title(const struct guide *g);
const char *guide_page_name(const struct guide_page *p);
bool guide_page_proves(const struct guide_page *p);        /* CSR page: seeing it after a doubtful submission proves that the CA does not have it */

#endif
