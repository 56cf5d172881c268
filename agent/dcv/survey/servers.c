/* servers.c: what a survey says of the zone's servers: each address by itself, then all of them beside one another. */
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "dcv/survey/survey.h"
#include "dcv/zone/zone.h"
#include "net/dnsx.h"

static bool signed_above(const struct survey *s)
{
    return s->parent.ds_known && s->parent.n_ds;
}

static bool asked(const struct survey_address *a)
{
    return !a->no_route && (a->udp.heard != HEARD_NOT_ASKED || a->tcp.heard != HEARD_NOT_ASKED);
}

bool survey_good(const struct survey_address *a)
{
    return a->udp.zone || a->plain.zone;
}

bool survey_newer(uint32_t a, uint32_t b)
{
    return a != b && (int32_t)(a - b) > 0;
}

const struct survey_address *survey_newest(const struct survey *s)
{
    const struct survey_address *newest = NULL;
    for (size_t i = 0; i < s->n; i++) {
        const struct survey_address *a = &s->address[i];
        if ((survey_good(a) || a->tcp.zone) && (!newest || survey_newer(a->serial, newest->serial)))
            newest = a;
    }
    return newest;
}

/* --- one address ----------------------------------------------------------------------------------------------------------------------- */

static const struct fault {
    const char *code, *remedy;
} lame = {.code = "SERVER_LAME", .remedy = "load the zone on that server, or take it out of the NS set and the delegation"},
  silent = {.code = "SERVER_SILENT",
            .remedy = "start the server, open UDP and TCP port 53 to it, or take it out of the NS set and the delegation"},
  garbled = {.code = "SERVER_GARBLED", .remedy = "look for a middlebox that rewrites DNS before that address, or replace the server"},
  no_udp = {.code = "UDP_CLOSED", .remedy = "open UDP port 53 to that address from everywhere"};

/* Why an address is no good. */
static const struct fault *fault_of(const struct survey_address *a, char why[120])
{
    const struct survey_answer *r = a->udp.heard == HEARD_ANSWER ? &a->udp : a->plain.heard == HEARD_ANSWER ? &a->plain : &a->tcp;
    bool is_closed = a->udp.heard == HEARD_CLOSED || a->tcp.heard == HEARD_CLOSED;
    if (r == &a->tcp && r->zone) {
        snprintf(why, 120, "answers by TCP but not by UDP");
        return &no_udp;
    }
    if (r->heard == HEARD_ANSWER) {
        snprintf(why, 120, "answers %s%s: it does not serve the zone (lame delegation)", dns_rcode_word(r->rcode),
                 r->aa ? "" : " without authority");
        return &lame;
    }
    if (a->udp.heard == HEARD_GARBLED || a->tcp.heard == HEARD_GARBLED) {
        snprintf(why, 120, "answers with messages that cannot be read, or to another question");
        return &garbled;
    }
    snprintf(why, 120, is_closed ? "cannot be reached by UDP nor by TCP" : "does not answer, neither by UDP nor by TCP");
    return &silent;
}

/* A server of which no address is good: authoritative = all waits for it, and a CA that happens to ask it may give up. */
static enum severity severity_of(const struct survey *s, const struct survey_address *a)
{
    if (a->ignored)
        return SEV_INFO;
    return s->verify->authoritative == AUTHORITATIVE_ALL ? SEV_ERROR : SEV_WARNING;
}

static bool server_good(const struct survey *s, size_t server)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->address[i].server == server && survey_good(&s->address[i]))
            return true;
    return false;
}

static void judge_fault(const struct survey *s, const struct survey_address *a, const char *who, struct findings *out)
{
    char why[120];
    const struct fault *fault = fault_of(a, why);
    bool other = server_good(s, a->server);
    struct finding *f = finding_add(out, other ? "ADDRESS_DIFFERS" : fault->code, other ? SEV_WARNING : severity_of(s, a), s->zone->apex);
    finding_cause(f, "%.160s %s%s", who, why, other ? "; its other addresses serve the zone" : "");
    finding_remedy(f, "%s", fault->remedy);
}

static void judge_transport(const struct survey *s, const struct survey_address *a, const char *who, struct findings *out)
{
    struct finding *f;
    enum severity severity = signed_above(s) ? SEV_ERROR : SEV_WARNING;
    if (!a->tcp.zone) {
        f = finding_add(out, "TCP_CLOSED", SEV_WARNING, s->zone->apex);
        finding_cause(f, "%.160s answers by UDP but not by TCP: answers that do not fit into a datagram cannot be had", who);
        finding_remedy(f, "open TCP port 53 to that address (RFC 7766)");
    }
    if (!a->udp.zone) { /* only without EDNS */
        f = finding_add(out, "EDNS_TROUBLE", severity, s->zone->apex);
        finding_cause(f, "%.160s does not answer questions with EDNS, only those without: resolvers wait and retry, some give up", who);
        finding_remedy(f, "have firewalls let EDNS pass (RFC 6891), or update the server");
    } else if (!a->udp.edns) {
        f = finding_add(out, "EDNS_TROUBLE", severity, s->zone->apex);
        finding_cause(f, "%.160s knows no EDNS: no DNSSEC, and answers of 512 octets at most by UDP", who);
        finding_remedy(f, "update the server, or have firewalls let EDNS pass (RFC 6891)");
    }
}

static void judge_address(const struct survey *s, const struct survey_address *a, struct findings *out)
{
    char who[320];
    if (!asked(a) || a->server == s->zone->n)
        return;
    endpoint_show(a->at, who, sizeof who);
    if (survey_good(a))
        judge_transport(s, a, who, out);
    else
        judge_fault(s, a, who, out);
}

static void judge_unknown_addresses(const struct survey *s, struct findings *out)
{
    for (size_t i = 0; i < s->zone->n; i++) {
        if (s->zone->server[i].at.n)
            continue;
        struct finding *f = finding_add(out, "SERVER_NO_ADDRESS", SEV_WARNING, s->zone->apex);
        finding_cause(f, "no address could be found for the name server %.200s", s->zone->server[i].name);
        finding_remedy(f, "give it address records, or take it out of the NS set");
    }
}

/* --- all of them ----------------------------------------------------------------------------------------------------------------------- */

static void judge_serials(const struct survey *s, struct findings *out)
{
    const struct survey_address *newest = survey_newest(s);
    char who[320], best[320];
    for (size_t i = 0; newest && i < s->n; i++) {
        const struct survey_address *a = &s->address[i];
        if (!survey_good(a) || a->serial == newest->serial || a->server == s->zone->n)
            continue;
        endpoint_show(a->at, who, sizeof who);
        endpoint_show(newest->at, best, sizeof best);
        struct finding *f = finding_add(out, "SECONDARY_BEHIND", a->ignored ? SEV_INFO : SEV_WARNING, s->zone->apex);
        finding_cause(f, "%.110s has serial %u, %.110s already %u: it shows old records", who, (unsigned)a->serial, best,
                      (unsigned)newest->serial);
        finding_remedy(f, "see that NOTIFY and zone transfers reach it; ask again in a minute, it may just be on its way");
    }
}

static void judge_ns_sets(const struct survey *s, struct findings *out)
{
    const struct survey_address *first = NULL;
    char who[320], before[320];
    for (size_t i = 0; i < s->n; i++) {
        const struct survey_address *a = &s->address[i];
        if (!a->ns.n || a->server == s->zone->n)
            continue;
        if (!first) {
            first = a;
            continue;
        }
        if (strs_equal_sets(&a->ns, &first->ns))
            continue;
        endpoint_show(a->at, who, sizeof who);
        endpoint_show(first->at, before, sizeof before);
        struct finding *f = finding_add(out, "NS_SETS_DIFFER", SEV_WARNING, s->zone->apex);
        finding_cause(f, "%.110s and %.110s give different NS sets for the zone", before, who);
        finding_remedy(f, "bring the servers to the same version of the zone");
        return;
    }
}

static void judge_hidden(const struct survey *s, struct findings *out)
{
    char who[320];
    if (!s->primary)
        return;
    endpoint_show(s->primary, who, sizeof who);
    finding_cause(finding_add(out, "HIDDEN_PRIMARY", SEV_INFO, s->zone->apex),
                  "updates go to %.160s, which is none of the zone's name servers: records are seen once these have followed", who);
}

void survey_judge_servers(const struct survey *s, struct findings *out)
{
    size_t before = out->n, asked_of = 0;
    uint32_t serial = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct survey_address *a = &s->address[i];
        judge_address(s, a, out);
        asked_of += asked(a) && a->server < s->zone->n;
        serial = survey_good(a) ? a->serial : serial;
    }
    judge_unknown_addresses(s, out);
    judge_serials(s, out);
    judge_ns_sets(s, out);
    if (out->n == before && asked_of)
        finding_cause(finding_add(out, "SERVERS_AGREE", SEV_OK, s->zone->apex),
                      "%zu address%s of %zu name server%s, each answers by UDP and TCP, with serial %u", asked_of,
                      asked_of == 1 ? "" : "es", s->zone->n, s->zone->n == 1 ? "" : "s", (unsigned)serial);
    judge_hidden(s, out);
}

/* --- the delegation -------------------------------------------------------------------------------------------------------------------- */

static void only_in(const struct strs *a, const struct strs *b, struct str *out)
{
    for (size_t i = 0; i < a->n; i++)
        if (!strs_has(b, a->s[i]))
            str_fmt(out, "%s%s", out->n ? " " : "", a->s[i]);
}

static const struct strs *own_set(const struct survey *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->address[i].ns.n && s->address[i].server < s->zone->n)
            return &s->address[i].ns;
    return NULL;
}

static void judge_parent_set(const struct survey *s, const struct strs *own, struct findings *out)
{
    struct str above = STR_INIT(80), below = STR_INIT(80);
    if (strs_equal_sets(own, &s->parent.ns))
        return;
    only_in(&s->parent.ns, own, &above);
    only_in(own, &s->parent.ns, &below);
    struct finding *f = finding_add(out, "PARENT_NS_DIFFERS", SEV_WARNING, s->zone->apex);
    finding_cause(f, "%.60s delegates to other name servers than the zone names: only there %s; only in the zone %s", s->parent.apex,
                  above.n ? str_text(&above) : "none", below.n ? str_text(&below) : "none");
    finding_remedy(f, "bring the delegation (at the registrar or parent) and the zone's own NS set into line");
    str_free(&above);
    str_free(&below);
}

/* Glue that the server itself does not have any more sends part of the world elsewhere. */
static void judge_glue(const struct survey *s, struct findings *out)
{
    for (size_t i = 0; i < s->parent.glue.n; i++) {
        const struct endpoint *g = &s->parent.glue.e[i];
        for (size_t k = 0; k < s->zone->n; k++) {
            const struct zone_server *server = &s->zone->server[k];
            bool known = server->at.n == 0 || strcmp(server->name, g->name) != 0;
            for (size_t j = 0; j < server->at.n && !known; j++)
                known = strcmp(server->at.e[j].addr, g->addr) == 0;
            if (known)
                continue;
            struct finding *f = finding_add(out, "GLUE_DIFFERS", SEV_WARNING, s->zone->apex);
            finding_cause(f, "%.60s gives %.100s the address %s, which it does not have itself", s->parent.apex, g->name, g->addr);
            finding_remedy(f, "mend the host's address at the registrar or parent");
        }
    }
}

void survey_judge_delegation(const struct survey *s, struct findings *out)
{
    const struct strs *own = own_set(s);
    if (!*s->parent.apex || !s->parent.known || !own || s->zone->configured)
        return; /* with [zone] servers= the inside is meant to look different */
    judge_parent_set(s, own, out);
    judge_glue(s, out);
}
