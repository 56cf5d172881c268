/* hand.h: a hand-over by a person: one short transaction into the inbox, taken up at once where no run is on. */
#ifndef DCV_CMD_HAND_H
#define DCV_CMD_HAND_H

#include "base/record.h"
#include "cmd/cmd.h"

struct hand {
    const char *cert, *kind, *host; /* of struct inbox_row; host NULL: none */
    struct bytes text;
    int64_t received;
    const char *done;               /* what to say when it was taken up */
    bool (*before)(struct session *s, struct hand *h, struct err *e); /* once the certificate is known to be there; false: nothing is handed over. NULL */
};
enum rc hand_over(struct call *c, struct hand *h);

#endif
