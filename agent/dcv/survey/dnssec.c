/* dnssec.c: what a survey says of the zone's signatures, by their dates and by what the parent promises. Whether they are right only a validating
 * resolver knows (preflight's DNSSEC_BOGUS). */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "dcv/survey/survey.h"
#include "dcv/zone/zone.h"
#include "net/dnsx.h"

enum { ITERATIONS_MANY = 50 }; /* RFC 9276: validators may treat more as insecure, or refuse */

/* s: how close to its end a signature may come before something is wrong. */
static int64_t margin(const struct survey_span *span)
{
    int64_t life = span->until - span->from;
    return life > 0 ? life / 10 : 0;
}

/* Without a DS above nobody checks them. */
static enum severity severity_of(const struct survey *s)
{
    return s->parent.ds_known && !s->parent.n_ds ? SEV_INFO : SEV_ERROR;
}

void survey_judge_dates(const struct survey *s, const struct survey_span *span, const char *over, int64_t now, const char *host,
                        struct findings *out)
{
    enum severity severity = severity_of(s);
    struct finding *f;
    char when[32], left[32];
    time_local(span->until, when);
    if (span->until <= now) {
        f = finding_add(out, "DNSSEC_EXPIRED", severity, host);
        finding_cause(f, "the signatures over the %.160s ended at %s; every CA has to refuse", over, when);
        finding_remedy(f, "sign the zone again, and see why its signer has stopped (disk, keys, clock, a zone file copied by hand)");
    } else if (span->from > now) {
        time_local(span->from, when);
        f = finding_add(out, "DNSSEC_FUTURE", severity, host);
        finding_cause(f, "the signatures over the %.160s begin at %s only; every CA has to refuse until then", over, when);
        finding_remedy(f, "set the clock of the signer (or of this machine) right and sign again");
    } else if (span->until - now < margin(span)) {
        duration_show(span->until - now, left);
        f = finding_add(out, "DNSSEC_EXPIRING", severity == SEV_ERROR ? SEV_WARNING : SEV_INFO, host);
        finding_cause(f, "the signatures over the %.160s end in %s, at %s, and have not been renewed", over, left, when);
        finding_remedy(f, "see that the signer is running: it should have renewed them by now");
    }
}

struct worst { /* of all signatures that were seen */
    const struct survey_span *span;
    const char *over;
    const struct endpoint *at; /* NULL: of all servers */
};

static void consider(struct worst *w, const struct survey_span *span, const char *over, const struct endpoint *at)
{
    if (span->n && (!w->span || span->until < w->span->until))
        *w = (struct worst){span, over, at};
}

static void judge_worst(const struct survey *s, const struct worst *w, int64_t now, struct findings *out)
{
    char who[320] = "", where[400];
    if (w->at)
        endpoint_show(w->at, who, sizeof who);
    snprintf(where, sizeof where, "zone's %s%s%s", w->over, w->at ? " at " : "", who);
    survey_judge_dates(s, w->span, where, now, s->zone->apex, out);
}

/* Each server has to send signatures where the parent promises them. */
static void judge_unsigned(const struct survey *s, struct findings *out)
{
    char who[320];
    for (size_t i = 0; i < s->n; i++) {
        const struct survey_address *a = &s->address[i];
        if (!a->udp.zone || !a->udp.edns || a->soa_signed.n || a->server == s->zone->n)
            continue;
        endpoint_show(a->at, who, sizeof who);
        struct finding *f = finding_add(out, "DNSSEC_UNSIGNED", SEV_ERROR, s->zone->apex);
        finding_cause(f, "%.60s has a DS for the zone, but %.160s sends no signatures: validators refuse its answers", s->parent.apex, who);
        finding_remedy(f, "serve the signed zone there, or have the DS removed at the parent and wait out its TTL");
    }
}

static void judge_keys(const struct survey *s, struct findings *out)
{
    if (!s->dnskey.known)
        return;
    for (size_t i = 0; i < s->parent.n_ds; i++)
        for (size_t k = 0; k < s->dnskey.n; k++)
            if (s->parent.ds[i].tag == s->dnskey.key[k].tag && s->parent.ds[i].algorithm == s->dnskey.key[k].algorithm)
                return;
    struct finding *f = finding_add(out, "DNSSEC_NO_KEY", SEV_ERROR, s->zone->apex);
    finding_cause(f, "the DS at %.60s names key %u (algorithm %u), the zone has no such key: nothing in it validates", s->parent.apex,
                  (unsigned)s->parent.ds[0].tag, (unsigned)s->parent.ds[0].algorithm);
    finding_remedy(f, "publish the DS of the key that signs the zone now, or bring the old key back");
}

static void judge_nsec3(const struct survey *s, struct findings *out)
{
    if (!s->nsec3 || s->nsec3_iterations <= ITERATIONS_MANY)
        return;
    struct finding *f = finding_add(out, "NSEC3_ITERATIONS", SEV_WARNING, s->zone->apex);
    finding_cause(f, "NSEC3 with %u iterations: validators take such a zone for insecure, or refuse it (RFC 9276)",
                  (unsigned)s->nsec3_iterations);
    finding_remedy(f, "sign with NSEC, or with NSEC3 of 0 iterations");
}

void survey_judge_dnssec(const struct survey *s, int64_t now, struct findings *out)
{
    struct worst w = {0};
    for (size_t i = 0; i < s->n; i++) {
        const struct survey_address *a = &s->address[i];
        if (a->server == s->zone->n)
            continue;
        consider(&w, &a->soa_signed, "SOA", a->at);
        consider(&w, &a->ns_signed, "NS set", a->at);
    }
    consider(&w, &s->dnskey.is_signed, "DNSKEY set", NULL);
    if (w.span)
        judge_worst(s, &w, now, out);
    if (s->parent.ds_known && s->parent.n_ds) {
        judge_unsigned(s, out);
        judge_keys(s, out);
    } else if (w.span && s->parent.ds_known) {
        struct finding *f = finding_add(out, "DNSSEC_NO_DS", SEV_INFO, s->zone->apex);
        finding_cause(f, "the zone is signed, but %.100s has no DS for it: it counts as insecure, which CAs accept", s->parent.apex);
        finding_remedy(f, "publish its DS at the parent if it is meant to be secure");
    }
    judge_nsec3(s, out);
}
