#include "cert/shown.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/names.h"
#include "cert/certs.h"
#include "cert/chain.h"

enum { NAMES_SHOWN = 4 };

struct judging {
    const struct shown_in *in;
    struct issued *sent; /* without repetitions: chain.h wants a set */
    struct shown *out;
};

void shown_add(struct shown *s, enum level level, const char *code, const char *fmt, ...)
{
    struct str text = STR_INIT(600);
    char line[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    str_add(&text, line);
    s->f = mem_grow(s->f, s->n + 1, sizeof *s->f);
    size_t at = s->n++;
    for (; at > 0 && s->f[at - 1].level > level; at--)
        s->f[at] = s->f[at - 1];
    s->f[at] = (struct shown_finding){level, code, str_take(&text)};
}

enum level shown_worst(const struct shown *s)
{
    return s->n ? s->f[0].level : LEVEL_DEBUG;
}

void shown_clear(struct shown *s)
{
    cert_facts_clear(&s->facts);
    strs_free(&s->sent);
    for (size_t i = 0; i < s->n; i++)
        free(s->f[i].text);
    free(s->f);
    free(s->path_pem);
    memset(s, 0, sizeof *s);
}

/* --- the server's own certificate ------------------------------------------------------------------------------------------------------ */

static void judge_name(struct judging *j)
{
    const struct cert_facts *f = &j->out->facts;
    struct str names = STR_INIT(300);
    bool ok = X509_check_host(j->sent->x[0], j->in->host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
    ossl_forget();
    if (ok)
        return;
    for (size_t i = 0; i < f->names.n && i < NAMES_SHOWN; i++)
        str_fmt(&names, "%s%s", i ? ", " : "", f->names.s[i]);
    if (f->names.n > NAMES_SHOWN)
        str_fmt(&names, " and %zu more", f->names.n - NAMES_SHOWN);
    shown_add(j->out, LEVEL_ERROR, "SERVED_NAME", "the certificate is not for %s but for %s: is this name's site set up here?", j->in->host,
              str_text(&names));
    str_free(&names);
}

static void judge_time(struct judging *j)
{
    const struct cert_facts *f = &j->out->facts;
    int64_t now = j->in->now, life = f->not_after - f->not_before, soon = life / 6 < 14 * DAY ? life / 6 : 14 * DAY;
    char when[32];
    if (now > f->not_after) {
        time_show(f->not_after, when);
        shown_add(j->out, LEVEL_ERROR, "SERVED_EXPIRED", "the certificate ended at %s", when);
    } else if (now < f->not_before) {
        time_show(f->not_before, when);
        shown_add(j->out, LEVEL_ERROR, "SERVED_NOT_YET", "the certificate is valid from %s only", when);
    } else if (now > f->not_after - soon) {
        time_show(f->not_after, when);
        shown_add(j->out, LEVEL_WARNING, "SERVED_EXPIRING", "the certificate ends at %s", when);
    }
}

static void judge_live(struct judging *j)
{
    const struct cert_facts *f = &j->out->facts;
    char day[32];
    if (!j->in->live || !j->in->live->n || strs_has(j->in->live, f->fingerprint))
        return;
    day_show(f->not_after, day);
    shown_add(
        j->out, LEVEL_ERROR, "SERVED_NOT_LIVE",
        "this is not the certificate in use here (live/): serial %s until %s is served; does the server read live/, and was it reloaded?",
        f->serial, day);
}

/* --- what comes with it ---------------------------------------------------------------------------------------------------------------- */

static void judge_old(struct judging *j, const X509 *x)
{
    struct str why = STR_INIT(400);
    char name[128], serial[64];
    const struct known *k = hierarchy_find(j->in->known, x);
    if (!known_outdated(k, j->out->facts.not_before, j->in->now))
        return;
    known_reason(k, j->in->now, &why);
    cert_serial(x, serial, sizeof serial);
    shown_add(j->out, k->revoked_by && j->in->now >= k->revoked_by ? LEVEL_ERROR : LEVEL_WARNING, "SERVED_OLD_INTERMEDIATE",
              "the old intermediate \"%s\" (serial %s) is sent. %s", cert_subject(x, name, sizeof name), serial, str_text(&why));
    str_free(&why);
}

static bool was_signed_by_earlier(const struct judging *j, size_t k)
{
    for (size_t i = 0; i < k; i++)
        if (X509_NAME_cmp(X509_get_issuer_name(j->sent->x[i]), X509_get_subject_name(j->sent->x[k])) == 0)
            return true;
    return false;
}

/* Each should have signed the one before it (RFC 5246 7.4.2); TLS 1.3 clients sort, older ones may not. */
static void judge_order(struct judging *j)
{
    char name[128], first[128] = "";
    bool sorted = true;
    size_t strangers = 0;
    if (j->in->n > j->sent->n)
        shown_add(j->out, LEVEL_WARNING, "SERVED_EXTRA", "%zu of the %zu certificates sent are repetitions", j->in->n - j->sent->n,
                  j->in->n);
    for (size_t k = 1; k < j->sent->n; k++) {
        X509 *x = j->sent->x[k];
        bool root = X509_self_signed(x, 0) == 1;
        cert_subject(x, name, sizeof name);
        bool next = X509_NAME_cmp(X509_get_issuer_name(j->sent->x[k - 1]), X509_get_subject_name(x)) == 0;
        if (!root)
            judge_old(j, x);
        if (root)
            shown_add(j->out, LEVEL_INFO, "SERVED_ROOT", "the root \"%s\" is sent: that does no harm and helps nobody", name);
        else if (next)
            continue;
        else if (was_signed_by_earlier(j, k))
            sorted = false;
        else if (strangers++ == 0)
            snprintf(first, sizeof first, "%s", name);
    }
    ossl_forget();
    if (strangers)
        shown_add(j->out, LEVEL_WARNING, "SERVED_EXTRA", "%zu of the certificates sent signed none before them, the first of these: \"%s\"",
                  strangers, first);
    if (!sorted)
        shown_add(j->out, LEVEL_WARNING, "SERVED_ORDER",
                  "the certificates are not in order (each signed by the next): send fullchain.pem as it is");
}

/* The first to end of what comes with a certificate that outlives it. */
static void judge_ends(struct judging *j)
{
    int64_t from, to, first = j->out->facts.not_after;
    const X509 *which = NULL;
    char name[128], day[32];
    for (size_t k = 1; k < j->sent->n && j->in->now <= j->out->facts.not_after; k++) {
        const struct known *known = hierarchy_find(j->in->known, j->sent->x[k]);
        if (!cert_validity(j->sent->x[k], &from, &to))
            continue;
        to = known && known->ends && known->ends < to ? known->ends : to;
        if (to < first) {
            first = to;
            which = j->sent->x[k];
        }
    }
    if (!which)
        return;
    day_show(first, day);
    shown_add(j->out, LEVEL_WARNING, "SERVED_CHAIN_ENDS",
              j->in->now > first ? "\"%s\" that is sent ended on %s: old clients stumble over it"
                                 : "\"%s\" that is sent ends on %s, before the certificate",
              cert_subject(which, name, sizeof name), day);
}

static bool began(const struct judging *j, int64_t now)
{
    int64_t from, to;
    for (size_t i = 0; i < j->sent->n; i++)
        if (!cert_validity(j->sent->x[i], &from, &to) || from > now)
            return false;
    return true;
}

/* Does what was sent lead to a trusted root? At a moment when the leaf is valid: its own dates were judged. */
static void judge_chain(struct judging *j)
{
    const struct cert_facts *f = &j->out->facts;
    int64_t now = j->in->now < f->not_before ? f->not_before : j->in->now >= f->not_after ? f->not_after - 1 : j->in->now;
    struct chain_in in = {.given = j->sent, .roots = j->in->roots, .known = j->in->known, .form = CHAIN_FULL, .now = now};
    struct chain chain;
    struct err e = {0};
    if (now != j->in->now && !began(j, now)) /* an expired leaf under an intermediate reissued since: there is no such moment */
        return;
    if (chain_build(&in, &chain, &e)) {
        j->out->path_pem = chain.path_pem;
        chain.path_pem = NULL;
    } else if (chain.missing && X509_self_signed(j->sent->x[0], 0) == 1) {
        shown_add(j->out, LEVEL_ERROR, "SERVED_CHAIN", "the certificate is self-signed: no visitor trusts it");
    } else if (chain.missing && chain.untrusted) {
        shown_add(j->out, LEVEL_ERROR, "SERVED_CHAIN", "it leads to a root that is not trusted here: %s", chain.missing);
    } else if (chain.missing) {
        shown_add(j->out, LEVEL_ERROR, "SERVED_INCOMPLETE", "the chain is incomplete: %s%s", chain.missing,
                  j->sent->n == 1 ? "; only the certificate itself is sent (cert.pem instead of fullchain.pem?)" : "");
    } else {
        shown_add(j->out, LEVEL_ERROR, "SERVED_CHAIN", "%s", e.text);
    }
    chain_clear(&chain);
    ossl_forget();
}

void shown_judge(const struct shown_in *in, struct shown *out)
{
    struct judging j = {.in = in, .out = out};
    struct err e = {0};
    char name[128];
    memset(out, 0, sizeof *out);
    if (*in->broken)
        shown_add(out, LEVEL_WARNING, "SERVED_HANDSHAKE", "the TLS handshake did not end: %s", in->broken);
    bool ok = in->n > 0 || err_set(&e, RC_CA, "CERT_READ", "no certificate was sent");
    for (size_t i = 0; ok && i < in->n; i++)
        ok = issued_read(&j.sent, in->cert[i].p, in->cert[i].n, &e);
    ok = ok && issued_facts(j.sent, 0, &out->facts, &e);
    if (!ok) {
        shown_add(out, LEVEL_ERROR, "SERVED_READ", "what is sent cannot be read: %s", e.text);
        issued_free(j.sent);
        return;
    }
    for (size_t i = 0; i < j.sent->n; i++)
        strs_add(&out->sent, cert_subject(j.sent->x[i], name, sizeof name));
    judge_name(&j);
    judge_time(&j);
    judge_live(&j);
    judge_chain(&j);
    judge_order(&j);
    judge_ends(&j);
    issued_free(j.sent);
}
