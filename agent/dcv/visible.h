/* visible.h: who sees a record, and whether that is enough.
 *
 * Every address of every authoritative server is asked; resolvers only once all authorities agree (unless `resolvers_at_once`). The
 * verdict of a view and the judgement of all views are pure functions. */
#ifndef DCV_DCV_VISIBLE_H
#define DCV_DCV_VISIBLE_H

#include "base/endpoint.h"
#include "base/op.h"
#include "base/record.h"

struct conf_verify;
struct dns_reply;
struct net;
struct site;

enum verdict { V_MATCH, V_ABSENT, V_OTHER, V_NXDOMAIN, V_SERVFAIL, V_REFUSED, V_LAME, V_BOGUS, V_UNREACHABLE, V_NOT_ASKED, VERDICTS };
extern const char *const verdict_words[VERDICTS]; /* match absent other nxdomain servfail refused lame bogus unreachable not-asked */
enum answer {
    SEEN,
    NOT_THERE,
    COULD_NOT_ASK
}; /* absent other nxdomain bogus: NOT_THERE; servfail refused lame unreachable: COULD_NOT_ASK */

struct view {
    bool authority, must, ignored;
    bool no_route;   /* family without a local route: counts as not asked */
    uint16_t server; /* authorities: index of the server it is an address of */
    const struct endpoint *at;
    enum verdict verdict;
    uint8_t rcode;
    uint32_t ttl, negative_ttl, ms;
    unsigned tries;
    int64_t asked; /* wall clock, s; 0: never */
    char *why;     /* V_UNREACHABLE: what happened; else NULL */
};

enum quorum_rule { Q_OFF, Q_ANY, Q_MAJORITY, Q_ALL, Q_COUNT };
struct quorum {
    enum quorum_rule authorities /* Q_ALL, Q_ANY, Q_OFF */, resolvers;
    unsigned count;
};

struct seen {
    bool visible;
    bool authorities_agree;
    unsigned want, got;          /* of the resolvers */
    bool asked_any;              /* false: nobody could be asked */
    int64_t ask_again;           /* wall clock, s: when asking again can make a difference (negative TTL, stale value's TTL) */
    const struct view *blocking; /* the view to name in a message; NULL when visible */
};

enum verdict verdict_of(const struct dns_reply *r, const char *owner, struct bytes value, bool authority, uint32_t *ttl,
                        uint32_t *negative_ttl);
enum answer verdict_answer(enum verdict v);

/* Who counts (interface.md, Views): a wrong or absent answer of any authority blocks; an unreachable address blocks only if no other address
 * of that server answers; no route: not asked. Of the resolvers those count that could be asked, at least one where any is
 * configured; none configured: met. A must= that could not be asked blocks; an ignore= is shown, never counted. */
struct seen visible_judge(const struct view *v, size_t n, const struct quorum *q, int64_t now);

struct watch { /* one record watched until enough see it */
    struct op op;
    const struct site *site; /* whose owner is asked at its own authorities, and at resolvers */
    const char *ask_name;    /* what resolvers are asked: the name before CNAMEs; NULL: site->name */
    struct bytes value;
    const struct conf_verify *verify; /* merged; caller's */
    bool once;                        /* one round (check), no waiting */
    bool resolvers_at_once;
    bool brief;                       /* no run goes on with it: errors say what was seen, and promise nothing */
    int64_t deadline_ms; /* loop_now() scale; with once: ignored */
    /* out; views live until watch_clear() */
    struct view *view;
    size_t n;
    struct seen seen;               /* after done(), and after each round for progress */
    void (*round)(struct watch *w); /* after each round of answers; NULL */
    void *impl;
};

/* Settles with success when visible; with an error otherwise: RC_UNSEEN (UNSEEN, SECONDARY_LAG: authorities differ) or RC_NET (NOBODY_ASKED),
 * `again` set and not_before = the forecast time. Many watches at once share windows and health. */
void visible_start(struct net *n, struct watch *w);
void watch_clear(struct watch *w);

#endif
