/* order.h: one order as an explicit state machine in one table.
 *
 * A step starts operations or finds them done, and says go on, wait or failed. order_advance(), called by the turn alone, is the only writer of a
 * state. The way: new -> prepared (key, CSR) -> challenged (codes known) -> published -> visible -> validated -> submitted -> issued ->
 * installed -> done; failed is wound up: records removed, key kept. */
#ifndef DCV_ORDER_ORDER_H
#define DCV_ORDER_ORDER_H

#include "ca/ca.h"
#include "store/store.h"

enum order_state {
    ORDER_NEW, ORDER_PREPARED, ORDER_CHALLENGED, ORDER_PUBLISHED, ORDER_VISIBLE, ORDER_VALIDATED,
    ORDER_SUBMITTED, ORDER_ISSUED, ORDER_INSTALLED, ORDER_DONE, ORDER_FAILED, ORDER_STATES
};
enum waits {
    WAITS_NOT, WAITS_PIN, WAITS_CODE, WAITS_PROPAGATION, WAITS_CONFIRM, WAITS_CERTIFICATE, WAITS_CA, WAITS_OPERATOR, WAITS_TIME, WAITS
};
extern const char *const order_state_words[ORDER_STATES];
extern const char *const waits_words[WAITS]; /* "" pin code ... */
enum order_state order_state_of(const char *word);
enum waits waits_of(const char *word);

enum turn {
    TURN_NEXT,   /* to row.next, in the same turn */
    TURN_WAIT,   /* something under way, or a person or a time is waited for */
    TURN_FAILED, /* noted by order_fault(); to row.on_fail, or stay and try again at last.not_before */
    TURN_BACK    /* what this state stands on is gone (a code expired, a record vanished): to row.back */
};

struct run;
struct order;
struct order_row {
    const char *name;
    enum turn (*step)(struct order *o, struct run *r);
    enum order_state next, on_fail, back; /* on_fail == own row: stay, again at last.not_before */
};
extern const struct order_row order_rows[ORDER_STATES];

#endif
