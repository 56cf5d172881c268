/* calendar.c: dates in, one decision out. */
#include "order/when/calendar.h"

#include <stddef.h>

enum { A_DAY = 86400, AN_HOUR = 3600, A_MINUTE = 60 };

/* CA/Browser Forum Baseline Requirements 6.3.2 and 4.2.1 (SC-081v3). The moments are 00:00 UTC of 2026-03-15, 2027-03-15, 2029-03-15. */
const struct calendar_phase calendar_phases[] = {
    {.from = 0, .days = 397, .rule_days = 398, .reuse_days = 398},
    {.from = 1773532800, .days = 199, .rule_days = 200, .reuse_days = 200},
    {.from = 1805068800, .days = 99, .rule_days = 100, .reuse_days = 100},
    {.from = 1868227200, .days = 46, .rule_days = 47, .reuse_days = 10},
    {0},
};

const struct calendar_phase *calendar_phase(int64_t when)
{
    const struct calendar_phase *found = &calendar_phases[0];
    for (const struct calendar_phase *p = calendar_phases; p->days; p++)
        if (when >= p->from)
            found = p;
    return found;
}

int64_t calendar_longest(int64_t issued)
{
    return (int64_t)calendar_phase(issued)->rule_days * A_DAY;
}

/* How long before its end a certificate is replaced. A renew_before from the days of longer lives would replace it the moment it is there, run by run:
 * it serves for a third of its life at least. */
static int64_t lead(const struct calendar_in *in)
{
    int64_t life = in->not_after - in->not_before, most = life - life / 3;
    if (in->renew_before >= 0)
        return in->renew_before < most ? in->renew_before : most;
    if (in->kind == CALENDAR_ACME)
        return life < 10 * A_DAY ? life / 2 : life / 3;
    return life / 3 < 30 * A_DAY ? life / 3 : 30 * A_DAY;
}

/* The CA's word counts as long as it leaves time for what may go wrong: a moment behind the end would be an outage. */
static int64_t renew_at(const struct calendar_in *in)
{
    int64_t latest = in->not_after - lead(in) / 3;
    if (in->kind == CALENDAR_ACME && in->renew_before < 0 && in->ari_at)
        return in->ari_at < latest ? in->ari_at : latest;
    return in->not_after - lead(in);
}

static void set(struct calendar_out *out, enum calendar_action action, bool due, int64_t next_at, const char *why)
{
    out->action = action;
    out->due = due;
    out->next_at = next_at;
    out->why = why;
}

static void changed(const struct calendar_in *in, struct calendar_out *out, int64_t at)
{
    bool bought = in->new_reference || in->new_subscription;
    if (in->kind == CALENDAR_ACME)
        set(out, CALENDAR_CHANGED, true, in->now, "names, CA or key type changed");
    else if ((in->names_changed || in->ca_changed) && !bought)
        set(out, CALENDAR_REFUSED, false, 0,
            "names or CA changed, but the CA ties them to the application: give the new application's reference_number or "
            "subscription_end, or put the old names back");
    else if (in->names_changed || in->ca_changed)
        set(out, CALENDAR_CHANGED, true, in->now, "names or CA changed with a new application");
    else
        set(out, CALENDAR_NOTHING, in->now >= at, at, "the new key type comes with the next reissue");
    if (out->action == CALENDAR_NOTHING && out->due)
        set(out, CALENDAR_RENEW, true, in->now, "the certificate nears its end");
}

/* A reissue that could not end later than now's is no use; then only a paid renewal helps, and that is a person's. */
static bool useless(const struct calendar_in *in, const struct calendar_out *out)
{
    return in->kind == CALENDAR_PERSON && !in->forced && in->not_after && out->expected_end <= in->not_after;
}

void calendar_decide(const struct calendar_in *in, struct calendar_out *out)
{
    int64_t phase_end = in->now + (int64_t)calendar_phase(in->now)->days * A_DAY;
    out->expected_end = in->subscription_end && in->subscription_end < phase_end ? in->subscription_end : phase_end;
    if (in->not_after == 0) {
        set(out, CALENDAR_FIRST, true, in->now, "there is no certificate yet");
        return;
    }
    int64_t at = renew_at(in);
    bool change = in->names_changed || in->ca_changed || (in->key_changed && in->kind == CALENDAR_ACME);
    if (in->forced) {
        set(out, CALENDAR_RENEW, true, in->now, "asked for by a person");
    } else if (change) {
        changed(in, out, at);
    } else if (in->kind == CALENDAR_PERSON && (in->new_reference || in->new_subscription)) {
        set(out, CALENDAR_RENEW, true, in->now, "a new application (reference_number or subscription_end)");
    } else if (in->now >= at) {
        set(out, CALENDAR_RENEW, true, in->now, "the certificate nears its end");
    } else {
        set(out, CALENDAR_NOTHING, false, at, "not due yet");
    }
    if (out->due && useless(in, out))
        set(out, CALENDAR_PAID_RENEWAL, false, in->subscription_end,
            "a reissue would not end later than the certificate in use: the subscription has to be renewed with the CA first");
}

int64_t calendar_backoff(unsigned failures)
{
    static const int64_t steps[] = {A_MINUTE, 10 * A_MINUTE, 100 * A_MINUTE};
    if (failures == 0)
        return 0;
    return failures <= sizeof steps / sizeof *steps ? steps[failures - 1] : A_DAY;
}

static bool crossed(int64_t now, int64_t last, int64_t end, const unsigned *days, size_t n, unsigned *which)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        int64_t mark = end - (int64_t)days[i] * A_DAY;
        if (now >= mark && last < mark) {
            *which = days[i];
            any = true;
        }
    }
    return any;
}

bool calendar_remind(int64_t now, int64_t last_said, int64_t deadline)
{
    static const unsigned marks[] = {14, 7, 3, 1};
    unsigned which;
    if (last_said == 0 || now - last_said >= A_DAY || last_said > now) /* said by a clock that was ahead */
        return true;
    return deadline && crossed(now, last_said, deadline, marks, sizeof marks / sizeof *marks, &which);
}

unsigned calendar_paid_reminder(int64_t now, int64_t subscription_end, int64_t last_said)
{
    static const unsigned marks[] = {60, 30, 14};
    unsigned which = 0;
    if (subscription_end == 0 || now >= subscription_end)
        return 0;
    if (last_said > now) /* by a clock that was ahead */
        last_said = 0;
    return crossed(now, last_said, subscription_end, marks, sizeof marks / sizeof *marks, &which) ? which : 0;
}
