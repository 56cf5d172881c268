#include "dcv/visible_tell.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "dcv/zone/zone.h"

static const char *const faults[VERDICTS] = {
    [V_MATCH] = "has the TXT",
    [V_ABSENT] = "still lacks the TXT",
    [V_OTHER] = "has other TXT values, but not this one",
    [V_NXDOMAIN] = "says that the name does not exist",
    [V_SERVFAIL] = "answers SERVFAIL",
    [V_REFUSED] = "refuses the question",
    [V_LAME] = "does not answer with authority for the zone (lame delegation)",
    [V_BOGUS] = "says that the zone's DNSSEC signatures are bogus",
    [V_UNREACHABLE] = "does not answer",
    [V_NOT_ASKED] = "could not be asked",
};

static const char *fault_of(const struct view *v, char out[140])
{
    if (v->no_route)
        return "has no route from here";
    if (v->verdict != V_UNREACHABLE || !v->why)
        return faults[v->verdict];
    snprintf(out, 140, "%s (%.115s)", faults[v->verdict], v->why);
    return out;
}

void watch_warn(const struct watch *w)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct view *v = &w->view[i];
        char who[320], why[140];

        if (v->authority || v->ignored || v->no_route || v->verdict == V_MATCH)
            continue;
        endpoint_show(v->at, who, sizeof who);
        say(LEVEL_WARNING, &(struct about){.name = w->site->name, .step = "verify", .server = who}, "RESOLVER_DISSENTS",
            "%s %s; the quorum is met without it", who, v->verdict == V_NOT_ASKED ? "has not answered yet" : fault_of(v, why));
    }
}

static bool any_authority_sees(const struct watch *w)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->view[i].authority && w->view[i].verdict == V_MATCH)
            return true;
    return false;
}

static void waited_text(const struct watch *w, int64_t waited, char out[48])
{
    out[0] = '\0';
    if (!w->once)
        snprintf(out, 48, " after %lld s%s", (long long)waited, w->brief ? "" : "; records kept");
}

static void forecast_text(const struct watch *w, char out[96])
{
    char at[32];

    out[0] = '\0';
    if (w->once || w->seen.ask_again <= clock_now())
        return;
    time_local(w->seen.ask_again, at);
    snprintf(out, 96, "; its cache may keep that until %s", at);
}

void watch_err(const struct watch *w, int64_t waited, struct err *e)
{
    const struct view *b = w->seen.blocking;
    char who[320] = "nobody", after[48], until[96], why[140];
    const char *next = w->once || w->brief ? "" : "; tried again by the next run";
    const char *code = "UNSEEN";

    if (b)
        endpoint_show(b->at, who, sizeof who);
    waited_text(w, waited, after);
    forecast_text(w, until);
    if (b && b->authority && verdict_answer(b->verdict) == NOT_THERE && any_authority_sees(w))
        code = "SECONDARY_LAG";
    err_at(e, "%s", w->site->name);
    if (!w->seen.asked_any)
        err_set(e, RC_NET, "NOBODY_ASKED", "nobody could be asked for the TXT at %s (%s %s)%s%s", w->site->owner, who,
                b ? fault_of(b, why) : "has no route from here", after, next);
    else if (b)
        err_set(e, RC_UNSEEN, code, "%s %s%s%s%s", who, fault_of(b, why), after, until, next);
    else
        err_set(e, RC_UNSEEN, code, "%u of the resolvers see the TXT, %u are wanted%s%s%s", w->seen.got, w->seen.want, after, until, next);
    err_again(e, w->seen.ask_again);
}
