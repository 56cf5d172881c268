/* webview.h: who sees the validation file of a name: every address of the name is asked for it by http, and by https where http does not show it, as
 * a CA would (BR 3.2.2.4.18): plain GET, no cookies, 10 redirects at most (301 302 307 308, http and https on their own ports).
 *
 * The addresses come from the name's own authority, not from /etc/hosts or a cache. Certificates are not judged: the one to be replaced may have
 * expired, and what the CA makes of it is not known. Nobody should look before the file is in place: caches keep a 404, too. */
#ifndef DCV_DCV_WEBVIEW_H
#define DCV_DCV_WEBVIEW_H

#include <stddef.h>

#include "base/op.h"

struct net;
struct proxy;
struct site;

enum web_verdict {
    WEB_MATCH,
    WEB_ABSENT,      /* 404, 410 */
    WEB_OTHER,       /* another content */
    WEB_REFUSED,     /* any other status */
    WEB_ASTRAY,      /* redirects that no CA follows */
    WEB_UNREACHABLE,
    WEB_NOT_ASKED,   /* no route to this family from here */
    WEB_VERDICTS
};
extern const char *const web_verdict_words[WEB_VERDICTS]; /* match absent other refused astray unreachable not-asked */

struct web_view {
    char addr[46];
    enum web_verdict verdict;
    long status;     /* of the last answer; 0: none */
    char url[512];   /* where the last answer came from, made safe */
    char why[160];   /* what happened; "" with WEB_MATCH */
    int64_t asked;   /* wall clock, s; 0: never */
    unsigned ms;     /* until the last answer, redirects and the try by http included */
};

/* Pure: a wrong answer of any address blocks; one that cannot be reached blocks only if no other shows the file; an address without a route counts as
 * not asked. blocking: the view to name in a message; NULL: none. */
bool web_judge(const struct web_view *v, size_t n, const struct web_view **blocking);

/* Is this content the file's? Blanks and line ends around it do not count. */
bool web_content_is(const char *text, size_t n, const char *value);

struct web_watch {           /* one name looked at until its file is seen */
    struct op op;
    const struct site *site; /* of the name, CNAMEs followed */
    const char *value;       /* copied; all else is the caller's until done() */
    const char *path;        /* of the URL; NULL: the file's */
    const struct proxy *proxy; /* NULL: none */
    bool once;               /* one round, no waiting */
    int64_t deadline_ms;     /* loop_now() scale; with once: ignored */
    void (*round)(struct web_watch *w); /* every address was asked once more; may be NULL. It may not end the watch */
    struct web_view *view;   /* out; until web_watch_clear() */
    size_t n;
    void *impl;
};

/* Settles with success when it is seen; else RC_UNSEEN WEBSITE_UNSEEN, or WEBSITE_NO_ADDRESS, RC_NET WEBSITE_UNREACHABLE, `again` set. */
void web_watch_start(struct net *n, struct web_watch *w);
void web_watch_clear(struct web_watch *w);

#endif
