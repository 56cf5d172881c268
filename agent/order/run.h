/* run.h: one run: everything that is due is brought as far as it gets, side by side, in one loop.
 *
 * The turn: inbox, orders, ledger pump, commit, effects. It ends when nothing is under way and every order is done, waits for a person or a time beyond
 * this run, or failed; at the deadline; or by a signal (then what was sent stays in the ledger, and the next run goes on). */
#ifndef DCV_ORDER_RUN_H
#define DCV_ORDER_RUN_H

#include "base/json.h"
#include "order/ask/look.h"
#include "order/when/replacement.h"
#include "order/session.h"

struct run_setup {
    const struct strs *names;   /* certificate sections; empty: all */
    bool force;                 /* orders are due whatever the calendar says; starts first orders of by-person CAs */
    bool replace;               /* force, with a new key; not what this replacement has replaced already */
    int64_t replace_since;      /* when it was begun (replacement.h); 0: now */
    /* A few times a second while it goes on. */
    void (*count)(void *arg, const struct replacement_count *n);
    void *count_arg;
    bool no_new;                /* only what is open goes on: cancel */
    bool hand_only;             /* take the inbox and stop: for code, confirmed, import ... when no run is on */
    bool csr_only;              /* orders get key and CSR, the key its backup, and rest; one is begun where none is under way. No discovery, no records,
                                   no CA. The CSR is printed next, so the order is marked as one whose CSR may have left. */
    bool terminal;
    bool (*permit)(void *arg, const char *told); /* asked before each button of a portal (ca.h); NULL: nobody is there */
    void *permit_arg;
    /* While records are waited for, a few times a second: who sees which; left: ms until the wait ends at the latest. n 0: none is waited for. */
    void (*show)(void *arg, const struct look_row *row, size_t n, int64_t left);
    void *show_arg;
    int64_t deadline;           /* s; 0: the configuration's */
};

struct run_result {
    enum rc rc;                 /* the worst of all */
    bool changed;               /* a certificate was installed */
    int signal;                 /* ended by this signal */
    json_t *json;               /* {"version","exit","certificates":[...]} */
    struct err hand;            /* hand_only: the first hand-over that was refused */
};

/* s: opened with SESSION_LOCK | SESSION_NET. */
void run_all(struct session *s, const struct run_setup *setup, struct run_result *out);

#endif
