/* plan_print.c: a plan as text and as JSON. */
#include "cmd/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "ca/ca.h"
#include "conf/conf.h"

static const char *const action_words[] = {
    [CALENDAR_NOTHING] = "none",      [CALENDAR_FIRST] = "first order",
    [CALENDAR_RENEW] = "renew",       [CALENDAR_PAID_RENEWAL] = "paid renewal",
    [CALENDAR_CHANGED] = "new order", [CALENDAR_REFUSED] = "mend the configuration",
};

/* --- JSON ------------------------------------------------------------------------------------------------------------------------------ */

static json_t *record_json(const struct plan_record *r)
{
    const struct site *site = r->where->site;
    json_t *j = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "host", r->where->name, "owner",
                          json_text(site               ? site->owner
                                    : *r->where->owner ? r->where->owner
                                                       : NULL),
                          "zone", json_text(site ? site->zone->apex : NULL), "provider", json_text(r->provider ? r->provider->name : NULL),
                          "ttl", r->ttl ? json_integer(r->ttl) : json_null(), "value", json_text(r->value));
    json_object_set_new(j, "listed", json_string(r->where->listed));
    if (site && site->chain.n > 1)
        json_object_set_new(j, "chain", json_strs(&site->chain));
    return j;
}

static json_t *finding_json(const char *host, const char *code, const char *severity, const char *cause, const char *remedy)
{
    return json_pack("{s:o, s:o, s:s, s:o, s:o}", "host", json_text(host), "code", json_text(code), "severity", severity, "cause",
                     json_text(cause), "remedy", json_text(remedy));
}

static void fault_findings(const struct plan_record *r, json_t *out)
{
    const struct where *w = r->where;
    if (w->err.rc != RC_OK)
        json_array_append_new(out, finding_json(w->listed, w->err.code, "error", w->err.text, ""));
    else if (w->site && !r->provider)
        json_array_append_new(out, finding_json(w->listed, "NO_PROVIDER", "error", "no provider may write there",
                                                "add the zone to zones= of a [provider], or choose another place with record_at"));
    for (size_t i = 0; i < r->preflight.found.n; i++) {
        const struct finding *f = &r->preflight.found.f[i];
        if (f->severity >= SEV_WARNING)
            json_array_append_new(out, finding_json(f->host, f->code, severity_words[f->severity], f->cause, f->remedy));
    }
}

static json_t *renewal_json(const struct due_renewal *r)
{
    if (!r->to)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o}", "from", json_time(r->from), "to", json_time(r->to), "at", json_time(r->at), "ask_again",
                     json_time(r->ask));
}

static json_t *counts_json(const struct plan_ca *ca)
{
    if (!ca->requests)
        return json_null();
    return json_pack("{s:i, s:i, s:b, s:b}", "orders", !ca->counted, "names", (int)ca->names, "same_names", ca->same_names, "replaces",
                     ca->replaces);
}

/* Where a CA and a provider have one name the CA's stands beside it. */
static void ca_request_json(json_t *requests, const struct plan_cert *at)
{
    char key[80];
    snprintf(key, sizeof key, "%s%.72s", json_object_get(requests, at->conf->ca) ? "ca " : "", at->conf->ca);
    if (at->ca.requests)
        json_object_set_new(requests, key, json_integer(at->ca.requests));
}

static json_t *cert_json(const struct plan *p, const struct plan_cert *at)
{
    json_t *records = json_array(), *requests = json_object(), *findings = json_array();
    for (size_t i = at->from; i < at->from + at->n; i++) {
        json_array_append_new(records, record_json(&p->record[i]));
        fault_findings(&p->record[i], findings);
    }
    for (size_t i = 0; i < at->n_request; i++)
        json_object_set_new(requests, at->request[i].provider, json_integer(at->request[i].n));
    ca_request_json(requests, at);
    json_t *j = json_pack("{s:s, s:b, s:o, s:o, s:o}", "name", at->conf->name, "due", plan_due(at), "records", records, "requests",
                          requests, "visible_at", json_time(at->visible_at));
    json_object_set_new(j, "action", json_string(*at->order.id ? "continue the order" : action_words[at->cal.action]));
    json_object_set_new(j, "why", json_text(plan_why(at)));
    json_object_set_new(j, "next_at", json_time(at->cal.next_at));
    json_object_set_new(j, "person", json_boolean(plan_person(at)));
    json_object_set_new(j, "ca", json_text(at->conf->ca));
    json_object_set_new(j, "counts", counts_json(&at->ca));
    json_object_set_new(j, "renewal", renewal_json(&at->renewal));
    json_object_set_new(j, "findings", findings);
    return j;
}

static json_t *drill_json(const struct plan *p)
{
    struct plan_drill d;
    plan_drill(p, &d);
    return json_pack("{s:i, s:i, s:I, s:I, s:I}", "orders", (int)d.orders, "by_hand", (int)d.by_hand, "unattended_seconds",
                     (json_int_t)d.unattended, "person_seconds", (json_int_t)d.person, "wait_seconds", (json_int_t)d.wait);
}

static void print_json(const struct plan *p)
{
    json_t *certs = json_array(), *persons = json_array();
    size_t orders = 0;
    for (size_t i = 0; i < p->n; i++) {
        json_array_append_new(certs, cert_json(p, &p->cert[i]));
        orders += plan_due(&p->cert[i]);
        if (plan_due(&p->cert[i]) && plan_person(&p->cert[i]))
            json_array_append_new(persons, json_text(p->cert[i].conf->name));
    }
    json_t *j = json_pack("{s:i, s:o}", "version", 1, "certificates", certs);
    json_object_set_new(j, "orders", json_integer((json_int_t)orders));
    json_object_set_new(j, "persons", persons);
    if (p->replace)
        json_object_set_new(j, "drill", drill_json(p));
    json_print(j);
}

/* --- text ------------------------------------------------------------------------------------------------------------------------------ */

static void print_value(const struct plan_record *r)
{
    struct str shown = STR_INIT(400);
    if (r->value) {
        text_txt(&shown, r->value, strlen(r->value));
        printf("\"%s\"", str_text(&shown));
    } else {
        printf("(the CA's code)");
    }
    str_free(&shown);
}

static void print_record(const struct plan_record *r)
{
    const struct where *w = r->where;
    char host[2 * NAME_SIZE];
    name_show(w->listed, host, sizeof host);
    if (!w->site) {
        printf("  %s: %s [%s]\n", host, w->err.text, w->err.code ? w->err.code : "");
        return;
    }
    printf("  %s: %s %u TXT ", host, w->site->owner, r->ttl);
    print_value(r);
    printf("\n    zone %s, %s%s%s\n", w->site->zone->apex,
           r->provider ? "provider " : "no provider may write there: add it to zones= of a [provider]",
           r->provider ? r->provider->name : "", r->exists ? "; a TXT set stands there already, its values and its TTL are kept" : "");
    if (w->site->chain.n > 1) {
        char *chain = strs_join(&w->site->chain, " -> ");
        printf("    CNAME: %s\n", chain);
        free(chain);
    }
    for (size_t i = 0; i < r->preflight.found.n; i++) {
        const struct finding *f = &r->preflight.found.f[i];
        if (f->severity >= SEV_WARNING)
            printf("    %s: %s; %s [%s]\n", severity_words[f->severity], f->cause, f->remedy, f->code);
    }
}

static void print_ca(const struct plan_cert *at)
{
    const struct due_renewal *r = &at->renewal;
    char from[32], to[32], moment[32], ask[32];
    struct str words = STR_INIT(400);
    if (r->to) {
        time_local(r->from, from);
        time_local(r->to, to);
        time_local(r->at, moment);
        time_local(r->ask, ask);
        printf("  the CA wants it renewed between %s and %s; chosen in that window: %s; asked again from %s on\n", from, to, moment, ask);
    }
    if (at->ca.requests) {
        plan_ca_words(&at->ca, &words);
        printf("  CA %s: about %u requests; %s\n", at->conf->ca, at->ca.requests, str_text(&words));
    }
    str_free(&words);
}

static void print_cert(const struct plan *p, const struct plan_cert *at)
{
    char when[32] = "", visible[32];
    if (at->cal.next_at && !plan_due(at))
        day_show(at->cal.next_at, when);
    printf("%s: %s: %s%s%s\n", at->conf->name, plan_due(at) ? "due" : "not due", plan_why(at), *when ? "; next on " : "", when);
    if (*at->order.id)
        printf("  order %s at state %s%s%s\n", at->order.id, at->order.state, *at->order.waits ? ", waits for " : "", at->order.waits);
    if (at->conf->broken)
        printf("  its section, or the provider or CA it uses, has a fault: dcvagent config check\n");
    if (at->conf->method != METHOD_DNS)
        printf("  no record: method = %s\n", at->conf->method == METHOD_WEBSITE ? "website" : "email");
    for (size_t i = at->from; i < at->from + at->n; i++)
        print_record(&p->record[i]);
    for (size_t i = 0; i < at->n_request; i++)
        printf("  provider %s: %u UPDATEs (one a zone to add, one to delete)\n", at->request[i].provider, at->request[i].n);
    print_ca(at);
    if (at->visible_at) {
        time_local(at->visible_at, visible);
        printf("  if written now, seen by everybody by %s\n", visible);
    }
}

static void print_names(const struct plan *p, bool person)
{
    for (size_t i = 0; i < p->n; i++)
        if (plan_due(&p->cert[i]) && plan_person(&p->cert[i]) == person)
            printf(" %s", p->cert[i].conf->name);
    printf("\n");
}

static void print_drill(const struct plan *p)
{
    struct plan_drill d;
    char alone[32], work[32], wait[32];
    plan_drill(p, &d);
    size_t by_itself = d.orders - d.by_hand;
    duration_show(d.unattended, alone);
    duration_show(d.person, work);
    duration_show(d.wait, wait);
    printf("to replace all: %zu order%s with new keys\n", d.orders, d.orders == 1 ? "" : "s");
    if (by_itself) {
        printf("  %zu by %s, in roughly %s:", by_itself, by_itself == 1 ? "itself" : "themselves, side by side", alone);
        print_names(p, false);
    }
    if (d.by_hand) {
        printf("  %zu by a person at the CA's pages, roughly %s of work:", d.by_hand, work);
        print_names(p, true);
        printf("    for each: the reissue begun at the CA, then code, confirmed, submitted, import");
        if (d.wait)
            printf("; between code and confirmed up to %s", wait);
        printf("\n");
    }
    if (d.orders)
        printf("  the certificates before them stay valid until they are revoked\n");
}

void plan_print(const struct plan *p)
{
    if (p->c->json) {
        print_json(p);
        return;
    }
    for (size_t i = 0; i < p->n; i++)
        print_cert(p, &p->cert[i]);
    if (p->n == 0)
        printf("no certificates: add a [certificate NAME] section to the configuration\n");
    if (p->replace)
        print_drill(p);
}
