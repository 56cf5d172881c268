/* tour.h: one question put to several servers in turn, and who waits for what comes of it.
 *
 * First in haste, those that were silent lately left out: one dead server among several costs a second, and that once. Then, where that
 * was not enough, all of them with patience: packets get lost, and a resolver may have to ask others first. */
#ifndef DCV_DCV_TOUR_H
#define DCV_DCV_TOUR_H

#include "base/endpoint.h"
#include "net/dnsx.h"

enum { HASTE_MS = 1000, ASK_MS = 3000 };

struct waits { /* who goes on when something is known */
    struct wait {
        void (*go)(void *arg);
        void *arg;
    } * w;
    size_t n;
};
void waits_add(struct waits *l, void (*go)(void *arg), void *arg);
void waits_drop(struct waits *l, const void *arg);
void waits_wake(struct waits *l);

struct tour { /* one question, put to several servers in turn until an answer will do */
    struct dns_ask ask;
    struct net *net;
    struct endpoints to; /* borrowed */
    size_t at;
    bool passed; /* one that has been silent lately was passed over */
    char name[254];
    bool (*look)(struct tour *t, const struct dns_reply *r); /* true: this answer will do */
    void (*end)(struct tour *t, bool good);
    void *owner;
    bool dnssec;       /* with DO; set before tour_start */
    bool patient;      /* second round: nobody asked in haste had an answer that would do, and somebody did not answer at all */
    unsigned answered; /* servers whose answer would not do */
    struct err last;   /* of those that could not be asked */
};
void tour_start(struct tour *t, struct net *n, struct endpoints to, const char *name, uint16_t type, bool rd);
void tour_free(struct tour *t);

#endif
