/* act.h: a page held against an order: which page it is, what it says, what would be filled in and pressed. Pure: nothing is sent here.
 *
 * Ambiguity is an error, not a guess: two descriptions match, a label names two fields, a button text is on two buttons, a value that must
 * hold is missing: RC_PAGES and nothing is pressed. */
#ifndef DCV_CA_PORTAL_ACT_H
#define DCV_CA_PORTAL_ACT_H

#include "base/record.h"
#include "base/secret.h"
#include "ca/portal/guide.h"
#include "ca/portal/page.h"

enum act_method { ACT_DNS, ACT_WEBSITE, ACT_EMAIL };

/* The order as pages see it; all borrowed. */
struct act_order {
    const struct strs *names;     /* inner form; the first is the server name */
    const char *reference;        /* "" : none */
    const struct secret *pin;     /* NULL: none */
    const char *product;          /* standard wildcard multi-domain ev ev-multi-domain */
    const char *organisation;     /* expect_organisation; NULL: not compared */
    bool chinese;                 /* organisation_name = chinese */
    enum act_method method;
    const char *email;            /* validation_email; NULL */
    const char *mailed_code;      /* NULL: not there yet */
    struct bytes csr_pem;         /* n 0: not needed yet */
    struct bytes spki;            /* SHA-256 of the CSR's key, where a page shows one; n 0 */
};

struct act_code { char name[256]; char *value; }; /* name "": for the whole order */
struct act_link { char role[16]; char *url; };    /* certificate intermediate cross root guide file; absolute */

/* What a page says. */
struct reading {
    const struct guide_page *page;   /* NULL: not recognised, or ambiguous (said tells) */
    enum page_role role;             /* where page */
    enum page_error error;           /* of a page that is not recognised too: what [portal] names */
    char failed_name[256];           /* of PAGE_DCV_FAILED: the first, without "*."; "" : not told */
    char said[256];                  /* the portal's own words, made harmless; of a failed proof with the names; "" */
    struct act_code *code;
    size_t n_code;
    struct act_link *link;
    size_t n_link;
};
/* true: read; also a page that is not recognised, or fits two descriptions (page NULL, said tells). false: it is recognised (page is set), but a
 * code that must be read is missing or contradictory (RC_PAGES) or for a name that is not in the order (RC_CA), or what it says means two
 * things (RC_PAGES). */
bool reading_take(const struct guide *g, const struct page *p, const struct act_order *o, struct reading *out, struct err *e);
void reading_clear(struct reading *r);

/* For who mends a description: of each of its pages the first line that keeps this page from being it. */
void reading_misfits(const struct guide *g, const struct page *p, struct strs *out);

/* All must.* of the page, and what came of each told. false: as act_plan() says. What a page shows of another order counts for nothing. */
bool act_agrees(const struct guide *g, const struct page *p, const struct reading *r, const struct act_order *o, struct strs *told, struct err *e);

/* What would be filled in and pressed. */
struct act {
    struct strs told;         /* a line each for people: "reference number: 123456789", "PIN: (hidden)", "agrees: server name ..." */
    char button[128];         /* its text as shown; "" : nothing is to be pressed on this page */
    struct page_send send;    /* follows a link: method GET, no body */
};
/* true with send.url NULL: the page is only read. All must.* are compared even if one fails, and told.
 * false: what the page shows contradicts the order (RC_CA, PORTAL_CONTRADICTS, naming both), a field or button is missing or ambiguous
 * (RC_PAGES), or something of the order is missing (RC_LATER: PIN, mailed code). Nothing is left in button and send then. */
bool act_plan(const struct guide *g, const struct page *p, const struct reading *r, const struct act_order *o, struct act *out, struct err *e);
void act_clear(struct act *a); /* wipes */

#endif
