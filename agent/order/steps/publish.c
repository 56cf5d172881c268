/* publish.c: challenged -> published -> visible -> validated: proofs put in place, seen by everybody who counts, confirmed. What that is for
 * records and for files is in records.c and website.c. */
#include "order/order_impl.h"

#include <string.h>

#include "base/clock.h"

static const struct method_ops *method_of(const struct order *o)
{
    return o->conf && o->conf->method == METHOD_WEBSITE ? &by_website : &by_record;
}

enum turn proofs_possible(struct order *o)
{
    return method_of(o)->possible(o);
}

void proofs_look_anew(struct order *o)
{
    method_of(o)->look_anew(o);
}

/* Whatever was put in place, by whatever method: the configuration may have changed since. */
bool proofs_release(struct order *o, struct err *e)
{
    website_release(o);
    return publish_release(o->run->s->publish, o->saved.id, NULL, NULL, e);
}

enum turn proofs_gone(struct order *o)
{
    struct publish_state st;
    struct err e = {0};
    if (!proofs_release(o, &e))
        return order_fault(o, &e);
    enum turn t = website_gone(o);
    publish_state(o->run->s->publish, o->saved.id, &st);
    if (t == TURN_NEXT && st.failed && st.going)
        return order_fault(o, &st.err);
    return t == TURN_NEXT && st.going ? TURN_WAIT : t;
}

/* These steps stand on the CA's codes. false: they do not, and *t is what the step returns: back to where codes are asked for when there are none any
 * more (expired), on when the CA is satisfied already. */
static bool on_codes(struct order *o, enum turn *t)
{
    struct err e = {0};
    if (!ca_ready(o))
        *t = TURN_WAIT;
    else if (o->ca_err.rc != RC_OK || o->ca.stage == CA_REFUSED)
        *t = order_refused(o);
    else if (o->ca.stage <= CA_PERSON)
        *t = proofs_release(o, &e) ? TURN_BACK : order_fault(o, &e);
    else if (o->ca.stage >= CA_CSR)
        *t = TURN_NEXT;
    else
        return true;
    return false;
}

enum turn step_challenged(struct order *o, struct run *r)
{
    (void)r;
    enum turn t;
    if (!on_codes(o, &t))
        return t;
    t = spots_find(o);
    if (t == TURN_NEXT)
        t = method_of(o)->put(o);
    if (t != TURN_NEXT)
        return t;
    proofs_look_anew(o);
    fact_set(o, "promised", 0);
    return TURN_NEXT;
}

enum turn step_published(struct order *o, struct run *r)
{
    (void)r;
    enum turn t;
    return on_codes(o, &t) ? method_of(o)->seen(o) : t;
}

enum turn step_visible(struct order *o, struct run *r)
{
    (void)r;
    if (op_busy(&o->timer.op))
        return TURN_WAIT;
    enum turn t;
    if (!on_codes(o, &t))
        return t;
    t = spots_find(o);
    if (t == TURN_NEXT)
        t = method_of(o)->ready(o);
    if (t == TURN_NEXT)
        t = spots_preflight(o);
    if (t != TURN_NEXT)
        return t;
    int64_t until = method_of(o)->settled(o);
    if (clock_now() < until)
        return order_wait_until(o, until, WAITS_TIME);
    if (!o->confirmed) {
        o->confirmed = true;
        ca_effect(o, o->at->ops->confirm);
        return TURN_WAIT;
    }
    return order_wait_ca(o);
}
