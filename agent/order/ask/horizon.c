#include "order/ask/horizon.h"

enum { A_DAY = 86400, APPLY_DAYS = 60, A_YEAR = 365 * A_DAY };

struct walk {
    struct calendar_in in;
    struct horizon_event *out;
    size_t n, max;
    int64_t until;
};

static bool add(struct walk *w, int64_t at, enum calendar_action action, bool person, int64_t end, const char *why)
{
    if (at > w->until || w->n == w->max)
        return false;
    w->out[w->n++] = (struct horizon_event){at, action, person, end, why};
    return true;
}

/* When the paid renewal has to be applied for; INT64_MAX: never. */
static int64_t apply_at(const struct calendar_in *in)
{
    if (in->kind != CALENDAR_PERSON || !in->subscription_end)
        return INT64_MAX;
    int64_t at = in->subscription_end - (int64_t)APPLY_DAYS * A_DAY;
    return at > in->now ? at : in->now;
}

static bool pay(struct walk *w, int64_t at)
{
    if (!add(w, at, CALENDAR_PAID_RENEWAL, true, 0, "the subscription has to be renewed with the CA"))
        return false;
    w->in.now = at;
    while (w->in.subscription_end <= at + (int64_t)APPLY_DAYS * A_DAY)
        w->in.subscription_end += A_YEAR;
    return true;
}

static bool issue(struct walk *w, const struct calendar_out *now)
{
    if (!add(w, w->in.now, now->action, w->in.kind == CALENDAR_PERSON, now->expected_end, now->why))
        return false;
    w->in.not_before = w->in.now;
    w->in.not_after = now->expected_end;
    w->in.ari_at = 0;
    w->in.names_changed = w->in.ca_changed = w->in.key_changed = w->in.new_reference = w->in.new_subscription = w->in.forced = false;
    return true;
}

/* One event further; false: the end. */
static bool step(struct walk *w)
{
    struct calendar_out now;
    calendar_decide(&w->in, &now);
    int64_t apply = apply_at(&w->in);
    if (now.action == CALENDAR_REFUSED) {
        add(w, w->in.now, now.action, true, 0, now.why);
        return false;
    }
    if (now.action == CALENDAR_PAID_RENEWAL)
        return apply != INT64_MAX && pay(w, apply);
    if (now.due && now.expected_end > w->in.now)
        return issue(w, &now);
    if (now.due) /* the subscription is over: nothing can be issued before it is renewed */
        return apply != INT64_MAX && pay(w, apply);
    int64_t next = now.next_at > w->in.now ? now.next_at : w->in.now + A_DAY;
    if (apply <= next)
        return pay(w, apply);
    w->in.now = next;
    return next <= w->until;
}

size_t horizon(const struct calendar_in *in, int64_t until, struct horizon_event *out, size_t max)
{
    struct walk w = {.in = *in, .out = out, .max = max, .until = until};
    while (w.n < max && step(&w))
        ;
    return w.n;
}
