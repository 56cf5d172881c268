/* calendar.h: what is due, when, and why. Pure: every input is an argument, so that years can be tested in a table.
 * All times are wall clock seconds; a day has 86,400 of them and any second beyond counts as another day (BR 6.3.2). */
#ifndef DCV_ORDER_CALENDAR_H
#define DCV_ORDER_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

struct calendar_phase {
    int64_t from;            /* issued from this moment on */
    unsigned days;           /* longest validity a CA gives in practice: 397 199 99 46 */
    unsigned rule_days;      /* the rule's own limit: 398 200 100 47 */
    unsigned reuse_days;     /* domain validation reuse: 398 200 100 10 */
};
extern const struct calendar_phase calendar_phases[]; /* ascending; the last has days 0 */
const struct calendar_phase *calendar_phase(int64_t when);
int64_t calendar_longest(int64_t issued); /* s: the rule's limit for a certificate issued then */

enum calendar_kind { CALENDAR_ACME, CALENDAR_PERSON /* portal, manual */ };
enum calendar_action {
    CALENDAR_NOTHING,        /* not due: next_at says when it will be */
    CALENDAR_FIRST,          /* no certificate yet: a first order */
    CALENDAR_RENEW,          /* a reissue is due */
    CALENDAR_PAID_RENEWAL,   /* a reissue could not end later than now's: the subscription has to be renewed by a person */
    CALENDAR_CHANGED,        /* names, CA or key type changed: a new order */
    CALENDAR_REFUSED         /* names or CA changed without a new reference_number or subscription_end */
};

struct calendar_in {
    enum calendar_kind kind;
    int64_t now;
    int64_t not_before, not_after;   /* of the certificate in use; 0: none */
    int64_t subscription_end;        /* end of that day, s; 0: unknown */
    int64_t renew_before;            /* s; -1: auto. At most two thirds of the life are heeded */
    int64_t ari_at;                  /* ACME: chosen moment in the ARI window; 0: none. Heeded but for the last third of the usual lead */
    bool names_changed, ca_changed, key_changed; /* against the certificate in use */
    bool new_reference, new_subscription;        /* against the order that made it */
    bool forced;                     /* run --force, replace */
};
struct calendar_out {
    enum calendar_action action;
    bool due;                        /* start (or go on to) a new order now */
    int64_t next_at;                 /* when the next action falls due; 0: never by itself */
    int64_t expected_end;            /* what a certificate issued now would end at: min(phase limit, subscription_end) */
    const char *why;                 /* static: one clause for plan and status */
};
void calendar_decide(const struct calendar_in *in, struct calendar_out *out);

/* Backoff after the nth failure in a row (1..): 1, 10, 100 min, then a day. s. */
int64_t calendar_backoff(unsigned failures);

/* Should a reminder of a wait be said? Entering: yes. Then daily at most, and on the first run after 14, 7, 3 and 1 days before the deadline. */
bool calendar_remind(int64_t now, int64_t last_said, int64_t deadline);

/* Reminders for the paid renewal: 60, 30, 14 days before subscription_end: the one that is due and not said yet (its day count); 0: none. */
unsigned calendar_paid_reminder(int64_t now, int64_t subscription_end, int64_t last_said);

#endif
