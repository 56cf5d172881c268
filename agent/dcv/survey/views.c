/* views.c: do resolvers outside see the same zone as the servers that were asked from here?
 *
 * By SOA and NS alone: the existing TXT of an owner would tell more, but a resolver whose view has none would keep that "no" (RFC 2308). A serial
 * that is older outside proves nothing, resolvers keep it; a newer one cannot come from these servers. */
#include <stdio.h>
#include <string.h>

#include "dcv/survey/survey.h"
#include "dcv/zone/zone.h"

static bool set_known(const struct survey *s, const struct strs *ns)
{
    bool any = s->parent.known;
    if (any && strs_equal_sets(ns, &s->parent.ns))
        return true;
    for (size_t i = 0; i < s->n; i++) {
        if (!s->address[i].ns.n)
            continue;
        any = true;
        if (strs_equal_sets(ns, &s->address[i].ns))
            return true;
    }
    return !any;
}

static bool mname_known(const struct survey *s, const char *mname)
{
    for (size_t i = 0; i < s->n; i++)
        if (survey_good(&s->address[i]) && strcmp(s->address[i].mname, mname) == 0)
            return true;
    return false;
}

static bool differs(const struct survey *s, const struct survey_view *v, char why[200])
{
    const struct survey_address *newest = survey_newest(s);
    if (!newest)
        return false;
    if (v->soa && !mname_known(s, v->mname))
        snprintf(why, 200, "another primary in its SOA, %.60s instead of %.60s", v->mname, newest->mname);
    else if (v->soa && survey_newer(v->serial, newest->serial))
        snprintf(why, 200, "a newer serial, %u, than any server asked from here, %u", (unsigned)v->serial, (unsigned)newest->serial);
    else if (v->ns_answer.zone && !set_known(s, &v->ns))
        snprintf(why, 200, "another NS set, with %.100s", v->ns.n ? v->ns.s[0] : "nothing");
    else
        return false;
    return true;
}

static void judge_views(const struct survey *s, struct findings *out)
{
    char who[320], why[200];
    for (size_t i = 0; i < s->n_view; i++) {
        if (!differs(s, &s->view[i], why))
            continue;
        endpoint_show(s->view[i].at, who, sizeof who);
        struct finding *f = finding_add(out, "VIEWS_DIFFER", SEV_WARNING, s->zone->apex);
        finding_cause(f, "%.100s sees another zone than this machine (split DNS): %.170s", who, why);
        finding_remedy(
            f, "in [zone %.80s] set servers= to inside addresses of the public servers, and let the provider update the public view",
            s->zone->apex);
    }
}

void survey_judge(const struct survey *s, int64_t now, struct findings *out)
{
    survey_judge_servers(s, out);
    survey_judge_delegation(s, out);
    survey_judge_dnssec(s, now, out);
    judge_views(s, out);
}
