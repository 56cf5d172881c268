#include "dcv/preflight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "dcv/preflight_impl.h"

enum { LONG_NEGATIVE = 3600 };

struct looking_ahead {
    struct preflight *p;
    struct zones *z;
    struct climb climb;
    unsigned open;
};

static struct finding *add(struct preflight *p, const char *code, enum severity severity)
{
    return finding_add(&p->found, code, severity, p->name);
}

/* --- what the walk has told already ---------------------------------------------------------------------------------------------- */

static void look_at_chain(struct preflight *p)
{
    char *chain;

    if (p->site->chain.n < 2)
        return;
    chain = strs_join(&p->site->chain, " -> ");
    if (p->site->dname)
        finding_cause(add(p, "DNAME_FOLLOWED", SEV_INFO), "a DNAME above the name moves all below it; the record goes to the end: %.200s",
                      chain);
    else
        finding_cause(add(p, "CNAME_FOLLOWED", SEV_INFO), "the record goes to the end of a CNAME chain: %.200s", chain);
    free(chain);
}

static void look_at_wildcard(struct preflight *p)
{
    struct finding *f;

    if (!p->site->wildcard || !name_same(p->site->owner, name_base(p->name)))
        return;
    f = add(p, "WILDCARD_SYNTHESIS", p->placed ? SEV_WARNING : SEV_ERROR);
    finding_cause(f, "%.120s exists only through a wildcard; a TXT at it would take the wildcard's addresses away from it (RFC 4592)",
                  p->site->owner);
    finding_remedy(f, "give the name address records of its own first, or set record_at = HOST:apex or HOST:_LABEL");
}

/* A labelled owner below a name that a wildcard alone gives makes that name an empty non-terminal while it stands (RFC 4592, 2.2.2). The climb has
 * found the name's own site: nothing more is asked. */
static void look_at_non_terminal(struct preflight *p, const struct zones *z)
{
    const char *name = name_base(p->name);
    const struct zsite *s = map_get(&z->site_of[SITE_FOLLOW], name);
    struct finding *f;

    if (p->no_record || !s || !s->done || !s->s.wildcard || name_same(p->site->owner, name) || !name_within(p->site->owner, name))
        return;
    f = add(p, "EMPTY_NON_TERMINAL", SEV_WARNING);
    finding_cause(f, "%.100s exists only through a wildcard: while a record stands at %.100s the name has no addresses (RFC 4592)", name,
                  p->site->owner);
    finding_remedy(f, "give %.120s address records of its own", name);
}

static void look_at_negative_ttl(struct preflight *p)
{
    struct finding *f;

    if (!p->site->zone || p->site->zone->negative_ttl <= LONG_NEGATIVE)
        return;
    f = add(p, "NEGATIVE_TTL_LONG", SEV_INFO);
    finding_cause(f,
                  "zone %.100s lets resolvers keep a \"does not exist\" for %u s: whoever asked too early sees the record that much later",
                  p->site->zone->apex, (unsigned)p->site->zone->negative_ttl);
    finding_remedy(f, "lower the last number of its SOA to 300");
}

/* --- CAA ------------------------------------------------------------------------------------------------------------------------- */

static void finish_one(struct looking_ahead *k);

static void judge_caa(struct preflight *p, const struct climb *c)
{
    const struct caa_known *set = c->known;
    bool wildcard = name_is_wildcard(p->name);
    struct finding *f;
    enum caa_says says;
    char why[200];

    if (c->failed) {
        f = add(p, "CAA_UNKNOWN", SEV_WARNING);
        finding_cause(f, "%.200s; a CA that cannot ask either has to refuse", c->why);
        finding_remedy(f, "mend the name servers of that zone");
        return;
    }
    if (!set || !set->n) {
        finding_cause(add(p, "CAA_NONE", SEV_OK), "no CAA record from the name up to its top-level domain: every CA may issue");
        return;
    }
    says = caa_judge(set->set, set->n, &p->caa, wildcard, why);
    if (!p->caa.ids->n) {
        f = add(p, "CAA_SHOWN", SEV_INFO);
        finding_cause(f, "CAA at %.80s: %s; the CA's identifier is not configured, so this is not judged", set->name, why);
        finding_remedy(f, "set caa = in the [ca] section to have it judged");
    } else if (says == CAA_YES) {
        finding_cause(add(p, "CAA_ALLOWS", SEV_OK), "CAA at %.80s: %s", set->name, why);
    } else if (says == CAA_BOUND) {
        f = add(p, "CAA_PARAMETERS", SEV_WARNING);
        finding_cause(f, "CAA at %.80s: %s", set->name, why);
        finding_remedy(f, "see that the parameters mean this CA and account, or add %.80s CAA 0 %s \"%.80s\"", set->name,
                       wildcard ? "issuewild" : "issue", p->caa.ids->s[0]);
    } else {
        f = add(p, "CAA_FORBIDS", SEV_ERROR);
        finding_cause(f, "CAA at %.80s: %s", set->name, why);
        finding_remedy(f, "add %.80s CAA 0 %s \"%.80s\"", set->name, wildcard ? "issuewild" : "issue", p->caa.ids->s[0]);
    }
}

static void climbed(struct climb *c)
{
    struct looking_ahead *k = c->owner;

    judge_caa(k->p, c);
    look_at_non_terminal(k->p, k->z);
    finish_one(k);
}

/* --- DNSSEC ---------------------------------------------------------------------------------------------------------------------- */

static const struct sec_ask *first_that(const struct sec_known *s, enum security is)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->ask[i].is == is)
            return &s->ask[i];
    return NULL;
}

static void judge_dnssec(struct preflight *p, const struct sec_known *s)
{
    const struct sec_ask *bogus = first_that(s, SEC_BOGUS);
    struct finding *f;
    char who[128];

    if (bogus) {
        endpoint_show(bogus->ask.to, who, sizeof who);
        f = add(p, "DNSSEC_BOGUS", SEV_ERROR);
        finding_cause(f, "%.60s finds the signatures of zone %.80s bogus%s%.70s; every CA has to refuse", who, s->apex,
                      *bogus->ede ? ": " : "", bogus->ede);
        finding_remedy(f, "sign the zone again, or mend the DS at the parent (`delv` and DNSViz show where the chain breaks)");
    } else if (first_that(s, SEC_SIGNED)) {
        finding_cause(add(p, "DNSSEC_VALID", SEV_OK), "zone %.100s is signed, and its signatures are valid", s->apex);
    } else if (first_that(s, SEC_PLAIN)) {
        finding_cause(add(p, "DNSSEC_INSECURE", SEV_OK), "zone %.100s is not signed, or no resolver asked validates", s->apex);
    } else {
        finding_cause(add(p, "DNSSEC_NOT_ASKED", SEV_INFO), "no resolver told anything about the signatures of zone %.100s", s->apex);
    }
}

static void secured(void *arg)
{
    struct looking_ahead *k = arg;

    judge_dnssec(k->p, sec_of(k->z, k->p->site->zone->apex, &k->p->verify->resolvers));
    finish_one(k);
}

static void ask_dnssec(struct looking_ahead *k)
{
    struct preflight *p = k->p;
    struct finding *f;

    if (p->verify && p->verify->resolvers.n && p->site->zone) {
        k->open++;
        sec_start(k->z, p->site->zone->apex, &p->verify->resolvers, SEC_ASKED, secured, k);
        return;
    }
    f = add(p, "DNSSEC_NOT_ASKED", SEV_INFO);
    finding_cause(f, "no resolvers= are configured: nobody was asked whether DNSSEC signatures are valid");
    finding_remedy(f, "set [verify] resolvers=");
}

/* --- the request ----------------------------------------------------------------------------------------------------------------- */

static void stop(struct looking_ahead *k)
{
    climb_cancel(&k->climb);
    for (struct sec_known *s = k->z->sec; s; s = s->next)
        waits_drop(&s->waits, k);
}

static void finish_one(struct looking_ahead *k)
{
    struct preflight *p = k->p;

    if (--k->open)
        return;
    p->impl = NULL;
    free(k);
    findings_sort(&p->found);
    op_settle(&p->op, NULL);
}

static void detach(struct op *op)
{
    struct preflight *p = (struct preflight *)op;

    stop(p->impl);
}

void preflight_start(struct net *n, struct zones *z, struct preflight *p)
{
    struct looking_ahead *k;

    (void)n; /* the zones' own */
    preflight_clear(p);
    k = p->impl = mem_new(sizeof *k);
    k->p = p;
    k->z = z;
    k->climb.z = z;
    k->climb.end = climbed;
    k->climb.owner = k;
    op_start(&p->op, detach);
    if (!p->no_record) {
        look_at_chain(p);
        look_at_wildcard(p);
        look_at_negative_ttl(p);
    }
    k->open = 2; /* the climb, and this function */
    climb_start(&k->climb, name_base(p->name), p->site);
    ask_dnssec(k);
    finish_one(k);
}

void preflight_clear(struct preflight *p)
{
    if (p->impl)
        stop(p->impl);
    free(p->impl);
    findings_free(&p->found);
    p->impl = NULL;
}
