#include "dcv/visible.h"

static bool counts(const struct view *v)
{
    return !v->ignored && !v->no_route;
}

static enum answer answer_of(const struct view *v)
{
    return v->no_route ? COULD_NOT_ASK : verdict_answer(v->verdict);
}

/* Does some other address of this server see it? Then one that cannot be asked does not block. */
static bool server_seen(const struct view *v, size_t n, uint16_t server)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].authority && v[i].server == server && counts(&v[i]) && answer_of(&v[i]) == SEEN)
            return true;
    return false;
}

/* The authority to name as blocking; NULL: they agree. A wrong answer is named before a missing one. */
static const struct view *authority_all(const struct view *v, size_t n, bool *any)
{
    const struct view *silent = NULL;

    for (size_t i = 0; i < n; i++) {
        if (!v[i].authority || !counts(&v[i]))
            continue;
        *any = true;
        if (answer_of(&v[i]) == NOT_THERE)
            return &v[i];
        if (answer_of(&v[i]) == COULD_NOT_ASK && !silent && !server_seen(v, n, v[i].server))
            silent = &v[i];
    }
    return silent;
}

static const struct view *authority_any(const struct view *v, size_t n, bool *any)
{
    const struct view *wrong = NULL, *silent = NULL;

    for (size_t i = 0; i < n; i++) {
        if (!v[i].authority || !counts(&v[i]))
            continue;
        *any = true;
        if (answer_of(&v[i]) == SEEN)
            return NULL;
        if (answer_of(&v[i]) == NOT_THERE && !wrong)
            wrong = &v[i];
        if (answer_of(&v[i]) == COULD_NOT_ASK && !silent)
            silent = &v[i];
    }
    return wrong ? wrong : silent;
}

static const struct view *missing_must(const struct view *v, size_t n, bool authority)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].authority == authority && v[i].must && !v[i].ignored && answer_of(&v[i]) != SEEN)
            return &v[i];
    return NULL;
}

static const struct view *first_of(const struct view *v, size_t n, bool authority)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].authority == authority && !v[i].ignored)
            return &v[i];
    return NULL;
}

static bool judge_authorities(const struct view *v, size_t n, enum quorum_rule rule, const struct view **blocking)
{
    const struct view *must = missing_must(v, n, true), *b;
    bool any = false;

    if (rule == Q_OFF)
        return true;
    b = rule == Q_ANY ? authority_any(v, n, &any) : authority_all(v, n, &any);
    if (!b)
        b = must;
    if (!b && !any) /* none has an address that this host can reach: that proves nothing */
        b = first_of(v, n, true);
    if (b && !*blocking)
        *blocking = b;
    return !b && any;
}

static unsigned wanted_of(const struct quorum *q, unsigned counted)
{
    switch (q->resolvers) {
    case Q_OFF:
        return 0;
    case Q_ANY:
        return 1;
    case Q_MAJORITY:
        return counted / 2 + 1;
    case Q_COUNT:
        return q->count;
    case Q_ALL:
        break;
    }
    return counted ? counted : 1; /* at least one where any is configured */
}

static const struct view *resolver_blocking(const struct view *v, size_t n)
{
    const struct view *silent = NULL;

    for (size_t i = 0; i < n; i++) {
        if (v[i].authority || !counts(&v[i]))
            continue;
        if (answer_of(&v[i]) == NOT_THERE)
            return &v[i];
        if (answer_of(&v[i]) == COULD_NOT_ASK && !silent)
            silent = &v[i];
    }
    return silent ? silent : first_of(v, n, false);
}

static bool judge_resolvers(const struct view *v, size_t n, const struct quorum *q, struct seen *s)
{
    unsigned configured = 0, counted = 0;
    const struct view *must = missing_must(v, n, false);
    bool met;

    for (size_t i = 0; i < n; i++) {
        if (v[i].authority || v[i].ignored)
            continue;
        configured++;
        if (answer_of(&v[i]) == COULD_NOT_ASK)
            continue;
        counted++;
        s->got += answer_of(&v[i]) == SEEN;
    }
    if (!configured)
        return true;
    s->want = wanted_of(q, counted);
    met = s->got >= s->want && !must;
    if (!met && !s->blocking)
        s->blocking = must && s->got >= s->want ? must : resolver_blocking(v, n);
    return met;
}

static int64_t stale_until(const struct view *v)
{
    return v->asked + (v->verdict == V_OTHER ? v->ttl : v->negative_ttl);
}

/* When the k-th of the resolvers that said no may have forgotten it: k more are needed for the quorum. */
static int64_t forecast(const struct view *v, size_t n, unsigned k, int64_t now)
{
    int64_t at = now;

    for (unsigned round = 0; round < k; round++) {
        int64_t next = INT64_MAX;
        unsigned same = 0;

        for (size_t i = 0; i < n; i++) {
            if (v[i].authority || !counts(&v[i]) || answer_of(&v[i]) != NOT_THERE || stale_until(&v[i]) <= at)
                continue;
            same = stale_until(&v[i]) < next ? 1 : same + (stale_until(&v[i]) == next);
            next = stale_until(&v[i]) < next ? stale_until(&v[i]) : next;
        }
        if (next == INT64_MAX)
            break;
        at = next;
        round += same - 1;
    }
    return at;
}

/* Resolvers whose "no" has run out already count for the forecast at once. */
static unsigned still_needed(const struct view *v, size_t n, const struct seen *s, int64_t now)
{
    unsigned need = s->want > s->got ? s->want - s->got : 1;

    for (size_t i = 0; i < n; i++)
        if (!v[i].authority && counts(&v[i]) && answer_of(&v[i]) == NOT_THERE && stale_until(&v[i]) <= now && need)
            need--;
    return need;
}

struct seen visible_judge(const struct view *v, size_t n, const struct quorum *q, int64_t now)
{
    struct seen s = {.ask_again = now};
    bool resolvers;

    for (size_t i = 0; i < n; i++)
        s.asked_any |= answer_of(&v[i]) != COULD_NOT_ASK;
    s.authorities_agree = judge_authorities(v, n, q->authorities, &s.blocking);
    resolvers = judge_resolvers(v, n, q, &s);
    s.visible = s.authorities_agree && resolvers;
    if (s.visible)
        s.blocking = NULL;
    else if (s.authorities_agree)
        s.ask_again = forecast(v, n, still_needed(v, n, &s, now), now);
    return s;
}
