#include "dcv/preflight.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "dcv/preflight_impl.h"

const char *const severity_words[] = {[SEV_OK] = "ok", [SEV_INFO] = "info", [SEV_WARNING] = "warning", [SEV_ERROR] = "error"};

enum { LONG_NEGATIVE = 3600 };

struct looking_ahead {
    struct preflight *p;
    struct zones *z;
    struct climb climb;
    unsigned open;
};

static struct finding *add(struct preflight *p, const char *code, enum severity severity)
{
    struct finding *f;

    p->finding = mem_grow(p->finding, p->n + 1, sizeof(*p->finding));
    f = &p->finding[p->n++];
    *f = (struct finding){.code = code, .severity = severity};
    snprintf(f->host, sizeof f->host, "%s", p->name);
    return f;
}

static void cause(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void cause(struct finding *f, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(f->cause, sizeof f->cause, fmt, ap);
    va_end(ap);
}

static void remedy(struct finding *f, const char *text)
{
    snprintf(f->remedy, sizeof f->remedy, "%s", text);
}

/* --- what the walk has told already ---------------------------------------------------------------------------------------------- */

static void look_at_chain(struct preflight *p)
{
    char *chain;

    if (p->site->chain.n < 2)
        return;
    chain = strs_join(&p->site->chain, " -> ");
    cause(add(p, "CNAME_FOLLOWED", SEV_INFO), "the record goes to the end of a CNAME chain: %.200s", chain);
    free(chain);
}

/* Only the owner itself is looked at. A labelled owner below a name that a wildcard alone gives makes that name an empty non-terminal while it stands
 * (RFC 4592, 2.2.2): not seen here. */
static void look_at_wildcard(struct preflight *p)
{
    struct finding *f;

    if (!p->site->wildcard || !name_same(p->site->owner, name_base(p->name)))
        return;
    f = add(p, "WILDCARD_SYNTHESIS", p->placed ? SEV_WARNING : SEV_ERROR);
    cause(f, "%.120s exists only through a wildcard; a TXT at it would take the wildcard's addresses away from it (RFC 4592)",
          p->site->owner);
    remedy(f, "give the name address records of its own first, or set record_at = HOST:apex or HOST:_LABEL");
}

static void look_at_negative_ttl(struct preflight *p)
{
    struct finding *f;

    if (!p->site->zone || p->site->zone->negative_ttl <= LONG_NEGATIVE)
        return;
    f = add(p, "NEGATIVE_TTL_LONG", SEV_INFO);
    cause(f, "zone %.100s lets resolvers keep a \"does not exist\" for %u s: whoever asked too early sees the record that much later",
          p->site->zone->apex, (unsigned)p->site->zone->negative_ttl);
    remedy(f, "lower the last number of its SOA to 300");
}

/* --- CAA ------------------------------------------------------------------------------------------------------------------------- */

static void finish_one(struct looking_ahead *k);

static void judge_caa(struct preflight *p, const struct climb *c)
{
    const struct caa_known *set = c->known;
    struct finding *f;
    char why[160];
    bool allowed;

    if (c->failed) {
        f = add(p, "CAA_UNKNOWN", SEV_WARNING);
        cause(f, "%.200s; a CA that cannot ask either has to refuse", c->why);
        remedy(f, "mend the name servers of that zone");
        return;
    }
    if (!set || !set->n) {
        cause(add(p, "CAA_NONE", SEV_OK), "no CAA record from the name up to its top-level domain: every CA may issue");
        return;
    }
    allowed = caa_allows(set->set, set->n, p->caa, name_is_wildcard(p->name), why);
    if (!p->caa->n) {
        f = add(p, "CAA_SHOWN", SEV_INFO);
        cause(f, "CAA at %.80s: %s; the CA's identifier is not configured, so this is not judged", set->name, why);
        remedy(f, "set caa = in the [ca] section to have it judged");
    } else if (allowed) {
        cause(add(p, "CAA_ALLOWS", SEV_OK), "CAA at %.80s: %s", set->name, why);
    } else {
        f = add(p, "CAA_FORBIDS", SEV_ERROR);
        cause(f, "CAA at %.80s: %s", set->name, why);
        snprintf(f->remedy, sizeof f->remedy, "add %.80s CAA 0 %s \"%.80s\"", set->name, name_is_wildcard(p->name) ? "issuewild" : "issue",
                 p->caa->s[0]);
    }
}

static void climbed(struct climb *c)
{
    struct looking_ahead *k = c->owner;

    judge_caa(k->p, c);
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
        cause(f, "%.60s finds the signatures of zone %.80s bogus%s%.70s; every CA has to refuse", who, s->apex, *bogus->ede ? ": " : "",
              bogus->ede);
        remedy(f, "sign the zone again, or mend the DS at the parent (`delv` and DNSViz show where the chain breaks)");
    } else if (first_that(s, SEC_SIGNED)) {
        cause(add(p, "DNSSEC_VALID", SEV_OK), "zone %.100s is signed, and its signatures are valid", s->apex);
    } else if (first_that(s, SEC_PLAIN)) {
        cause(add(p, "DNSSEC_INSECURE", SEV_OK), "zone %.100s is not signed, or no resolver asked validates", s->apex);
    } else {
        cause(add(p, "DNSSEC_NOT_ASKED", SEV_INFO), "no resolver told anything about the signatures of zone %.100s", s->apex);
    }
}

static void secured(void *arg)
{
    struct looking_ahead *k = arg;
    const struct sec_known *s = k->z->sec;

    while (!name_same(s->apex, k->p->site->zone->apex) || s->first != k->p->verify->resolvers.e)
        s = s->next;
    judge_dnssec(k->p, s);
    finish_one(k);
}

static void ask_dnssec(struct looking_ahead *k)
{
    struct preflight *p = k->p;
    struct finding *f;

    if (p->verify && p->verify->resolvers.n && p->site->zone) {
        k->open++;
        sec_start(k->z, p->site->zone->apex, &p->verify->resolvers, secured, k);
        return;
    }
    f = add(p, "DNSSEC_NOT_ASKED", SEV_INFO);
    cause(f, "no resolvers= are configured: nobody was asked whether DNSSEC signatures are valid");
    remedy(f, "set [verify] resolvers=");
}

/* --- the request ----------------------------------------------------------------------------------------------------------------- */

static int worst_first(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;

    return x->severity != y->severity ? (int)y->severity - (int)x->severity : strcmp(x->code, y->code);
}

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
    qsort(p->finding, p->n, sizeof(*p->finding), worst_first);
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
    look_at_chain(p);
    look_at_wildcard(p);
    look_at_negative_ttl(p);
    k->open = 2; /* the climb, and this function */
    climb_start(&k->climb, name_base(p->name), p->site);
    ask_dnssec(k);
    finish_one(k);
}

enum severity preflight_worst(const struct preflight *p)
{
    enum severity worst = SEV_OK;

    for (size_t i = 0; i < p->n; i++)
        worst = p->finding[i].severity > worst ? p->finding[i].severity : worst;
    return worst;
}

void preflight_clear(struct preflight *p)
{
    if (p->impl)
        stop(p->impl);
    free(p->impl);
    free(p->finding);
    p->impl = NULL;
    p->finding = NULL;
    p->n = 0;
}
