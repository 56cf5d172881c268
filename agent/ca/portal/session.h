/* session.h: visits to a portal's pages as one browser window makes them: cookies kept, redirects followed, only inside the origins that the
 * description allows. One visit at a time. Nothing of it is ever written down.
 *
 * Faults: those of net/http.h; RC_PAGES PORTAL_ORIGIN (a page leads to another origin: nothing is sent there), PORTAL_REDIRECT (in circles, or a form
 * that would have to be sent again). Any status is success. */
#ifndef DCV_CA_PORTAL_SESSION_H
#define DCV_CA_PORTAL_SESSION_H

#include "base/op.h"
#include "base/record.h"
#include "base/str.h"

struct http_client;
struct net;
struct page;
struct portal_session;

/* Both borrowed: https only in client; origins as "https://HOST[:PORT]". */
struct portal_session *portal_session_new(struct http_client *client, const struct strs *origins);
void portal_session_free(struct portal_session *s);
void portal_session_forget(struct portal_session *s); /* cookies go: the next visit is a stranger's */

struct visit {
    struct op op;
    const char *url;          /* where to; borrowed, as what follows, until done() */
    bool post;
    struct bytes body;        /* post */
    const char *content_type; /* post */
    const char *from;         /* URL of the page that leads here; NULL: typed in */
    bool raw;                 /* a file, not a page */
    bool once;                /* a button was pressed: never sent a second time by itself, a form by GET either. post: always so */
    bool sent;                /* out, of once: it may have reached the portal, whatever became of the answer */
    long status;              /* out */
    int64_t not_before;       /* out: Retry-After; 0 */
    char *at;                 /* out: where the answer came from */
    struct page *page;        /* out; NULL: raw. The caller may take it and set NULL */
    struct str file;          /* out: what came, a page's octets too */
    char charset[40];         /* out: of its header; "" : it says nothing */
    void *impl;
};
void portal_visit(struct portal_session *s, struct visit *v);
void visit_clear(struct visit *v); /* cancels, frees what it got */

/* Octets of the URL that people and logs may see: what comes behind (;jsessionid=, the query) can hold a session or what was filled in. */
size_t url_bare(const char *url);

/* Is the URL's origin one of these? plain: http counts too. */
bool origin_in(const struct strs *origins, const char *url, bool plain);

#endif
