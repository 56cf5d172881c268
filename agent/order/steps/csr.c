/* csr.c: the CSR of an order before its time: made, its key backed up, and marked as one that may have left. */
#include "order/order_impl.h"

void order_csr(struct order *o)
{
    o->runnable = false;
    if (o->resting)
        return;
    enum turn t = order_key_and_csr(o);
    if (t == TURN_NEXT)
        t = order_key_backup(o);
    if (t != TURN_NEXT)
        return;
    o->saved.sent = true; /* a key whose CSR may have left is never deleted */
    o->resting = true;
    order_save(o);
}
