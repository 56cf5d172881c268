#include "dcv/survey/presence.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/names.h"
#include "conf/conf.h"
#include "dcv/survey/read.h"
#include "dcv/zone/zone_impl.h"

enum { VALUES_MOST = 500, LONG_TTL = 3600, UDP_SAFE = 1232, RESOLVER_SAFE = 4096, TOKENS_MANY = 10, ACME_TOKEN = 43 };

struct looking {
    struct presence *p;
    struct endpoints to;
    struct tour tour;
    int64_t now;
};

/* --- asking ---------------------------------------------------------------------------------------------------------------------------- */

static void take(struct presence *p, const struct dns_rr *rr)
{
    uint8_t value[65536];
    size_t n;
    if (rr->type == TYPE_CNAME)
        dns_name_rdata(rr->rdata, p->alias);
    if (rr->type != TYPE_TXT || p->n >= VALUES_MOST || !dns_txt_value(rr->rdata, value, sizeof value, &n))
        return;
    p->value = mem_grow(p->value, p->n + 1, sizeof *p->value);
    p->value[p->n++] = (struct bytes){mem_copy(value, n), n};
    p->ttl = rr->ttl;
}

static bool look(struct tour *t, const struct dns_reply *r)
{
    const struct looking *k = t->owner;
    struct presence *p = k->p;
    if (!r->aa || (r->rcode != DNS_NOERROR && r->rcode != DNS_NXDOMAIN))
        return false;
    p->known = true;
    p->size = (uint32_t)r->size;
    for (size_t i = 0; i < r->n; i++)
        if (r->rr[i].section == SECTION_ANSWER && name_same(r->rr[i].owner, t->name))
            take(p, &r->rr[i]);
    p->is_signed = read_span(r, t->name, TYPE_TXT, k->now);
    return true;
}

static void stop(struct looking *k)
{
    tour_free(&k->tour);
    endpoints_free(&k->to);
    k->p->impl = NULL;
    free(k);
}

static void end(struct tour *t, bool good)
{
    struct looking *k = t->owner;
    struct presence *p = k->p;
    (void)good;
    stop(k);
    op_settle(&p->op, NULL);
}

static void detach(struct op *op)
{
    struct presence *p = (struct presence *)op;
    if (p->impl)
        stop(p->impl);
}

void presence_start(struct zones *z, struct presence *p)
{
    presence_clear(p);
    struct looking *k = p->impl = mem_new(sizeof *k);
    *k = (struct looking){.p = p, .now = clock_now(), .tour = {.look = look, .end = end, .owner = k, .dnssec = true}};
    for (size_t i = 0; i < p->zone->n; i++)
        for (size_t j = 0; j < p->zone->server[i].at.n; j++)
            endpoints_add(&k->to, &p->zone->server[i].at.e[j]);
    op_start(&p->op, detach);
    tour_start(&k->tour, z->net, k->to, p->owner, TYPE_TXT, false);
}

void presence_clear(struct presence *p)
{
    op_cancel(&p->op);
    for (size_t i = 0; i < p->n; i++)
        free((void *)(uintptr_t)p->value[i].p);
    free(p->value);
    *p = (struct presence){.op = p->op, .owner = p->owner, .zone = p->zone};
}

/* --- validation records of others -------------------------------------------------------------------------------------------------------- */

static bool begins(struct bytes v, const char *with)
{
    return v.n >= strlen(with) && memcmp(v.p, with, strlen(with)) == 0;
}

static bool all_of(struct bytes v, const char *more)
{
    for (size_t i = 0; i < v.n; i++)
        if (!isalnum(v.p[i]) && !(v.p[i] && strchr(more, v.p[i])))
            return false;
    return v.n > 0;
}

static bool mixed(struct bytes v)
{
    bool digit = false, letter = false;
    for (size_t i = 0; i < v.n; i++) {
        digit |= isdigit(v.p[i]) != 0;
        letter |= isalpha(v.p[i]) != 0;
    }
    return digit && letter;
}

static bool first_label(const char *owner, const char *label)
{
    size_t n = strlen(label);
    return strncmp(owner, label, n) == 0 && (owner[n] == '.' || !owner[n]);
}

const char *presence_kind(const char *owner, struct bytes value)
{
    if (begins(value, "_globalsign-domain-verification=") || begins(value, "globalsign-domain-verification="))
        return "GlobalSign";
    if (first_label(owner, "_validation-persist"))
        return NULL; /* meant to stay */
    if (value.n == ACME_TOKEN && all_of(value, "-_"))
        return "ACME";
    if (first_label(owner, "_dnsauth") && all_of(value, "-_"))
        return "DigiCert";
    if (value.n >= 20 && value.n <= 128 && all_of(value, "-_") && mixed(value))
        return "some CA"; /* a random value is all that it is */
    return NULL;
}

static bool is_ours(const struct presence_about *about, struct bytes v)
{
    for (size_t i = 0; i < about->n_ours; i++)
        if (about->ours[i].n == v.n && memcmp(about->ours[i].p, v.p, v.n) == 0)
            return true;
    return false;
}

static void judge_tokens(const struct presence *p, const struct presence_about *about, struct findings *out)
{
    const char *kind = NULL;
    size_t n = 0;
    char shown[64] = "";
    for (size_t i = 0; i < p->n; i++) {
        const char *looks_like = presence_kind(p->owner, p->value[i]);
        if (!looks_like || is_ours(about, p->value[i]))
            continue;
        kind = looks_like;
        n++;
        text_safe(shown, sizeof shown, p->value[i].p, p->value[i].n);
    }
    if (!n)
        return;
    struct finding *f = finding_add(out, "TOKENS_LEFT", n >= TOKENS_MANY ? SEV_WARNING : SEV_INFO, about->host);
    finding_cause(f, "%zu value%s at %.120s look%s like validation records of others, such as \"%.50s\" (%s)%s", n, n == 1 ? "" : "s",
                  p->owner, n == 1 ? "s" : "", shown, kind, n >= TOKENS_MANY ? ": so many make answers too large for some CAs" : "");
    finding_remedy(f, "have their owners remove what is no longer needed; dcvagent never touches them");
}

/* --- what follows for a new value --------------------------------------------------------------------------------------------------------- */

static void judge_forecast(const struct presence *p, const struct presence_about *about, int64_t now, struct findings *out)
{
    const struct endpoints *l = &about->survey->verify->resolvers;
    uint32_t delay = p->n ? p->ttl : p->zone->negative_ttl;
    struct str who = STR_INIT(120);
    char at[32], one[320];
    for (size_t i = 0; i < l->n; i++) {
        endpoint_show(&l->e[i], one, sizeof one);
        str_fmt(&who, "%s%s", i ? ", " : "", one);
    }
    time_local(now + delay, at);
    finding_cause(finding_add(out, "VISIBLE_BY", SEV_OK, about->host),
                  "written now, it is visible at %.115s%s from %s at the latest: %s of %u s", l->n ? str_text(&who) : "every resolver",
                  who.cut ? "..." : "", at, p->n ? "the set there has a TTL" : "the zone has a negative TTL", (unsigned)delay);
    str_free(&who);
    if (!p->n || p->ttl <= LONG_TTL)
        return;
    struct finding *f = finding_add(out, "TXT_TTL_LONG", SEV_INFO, about->host);
    finding_cause(f, "the TXT set at %.120s has a TTL of %u s: whoever has it cached sees a new value that much later", p->owner,
                  (unsigned)p->ttl);
    finding_remedy(
        f, "lower the set's TTL to 300 well before, or have the record elsewhere (record_at = HOST:_LABEL, where the CA allows it)");
}

static void judge_size(const struct presence *p, const struct presence_about *about, struct findings *out)
{
    if (p->size <= UDP_SAFE)
        return;
    bool too_large = p->size > RESOLVER_SAFE;
    struct finding *f = finding_add(out, "ANSWER_LARGE", too_large ? SEV_WARNING : SEV_INFO, about->host);
    finding_cause(f, "the answer for TXT at %.120s has %u octets: it comes by TCP only%s", p->owner, (unsigned)p->size,
                  too_large ? ", and some CAs refuse such answers" : "");
    finding_remedy(f, "have TXT values that nobody needs any more removed there");
}

void presence_judge(const struct presence *p, const struct presence_about *about, int64_t now, struct findings *out)
{
    if (!p->known)
        return;
    if (p->n)
        finding_cause(finding_add(out, "TXT_STANDS", SEV_INFO, about->host), "%zu TXT value%s at %.160s with TTL %u: they stay as they are",
                      p->n, p->n == 1 ? " stands" : "s stand", p->owner, (unsigned)p->ttl);
    if (p->is_signed.n)
        survey_judge_dates(about->survey, &p->is_signed, "TXT set at that name", now, about->host, out);
    judge_forecast(p, about, now, out);
    judge_size(p, about, out);
    judge_tokens(p, about, out);
}

void presence_judge_challenge(const struct presence *p, const struct presence_about *about, bool covered, struct findings *out)
{
    if (*p->alias && !covered) {
        struct finding *f = finding_add(out, "CHALLENGE_DELEGATED", SEV_INFO, about->host);
        finding_cause(f, "%.110s is a CNAME to %.110s: whoever holds that may have certificates for the name", p->owner, p->alias);
        finding_remedy(f, "remove the CNAME if that is not meant so");
    }
    judge_tokens(p, about, out);
}
