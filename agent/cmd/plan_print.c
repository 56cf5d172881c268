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
    for (size_t i = 0; i < r->preflight.n; i++) {
        const struct finding *f = &r->preflight.finding[i];
        if (f->severity >= SEV_WARNING)
            json_array_append_new(out, finding_json(f->host, f->code, severity_words[f->severity], f->cause, f->remedy));
    }
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
    json_t *j = json_pack("{s:s, s:b, s:o, s:o, s:o}", "name", at->conf->name, "due", plan_due(at), "records", records, "requests",
                          requests, "visible_at", json_time(at->visible_at));
    json_object_set_new(j, "action", json_string(*at->order.id ? "continue the order" : action_words[at->cal.action]));
    json_object_set_new(j, "why", json_text(plan_why(at)));
    json_object_set_new(j, "next_at", json_time(at->cal.next_at));
    json_object_set_new(j, "person", json_boolean(plan_person(at)));
    json_object_set_new(j, "findings", findings);
    return j;
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
    for (size_t i = 0; i < r->preflight.n; i++) {
        const struct finding *f = &r->preflight.finding[i];
        if (f->severity >= SEV_WARNING)
            printf("    %s: %s; %s [%s]\n", severity_words[f->severity], f->cause, f->remedy, f->code);
    }
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
    if (at->visible_at) {
        time_local(at->visible_at, visible);
        printf("  if written now, seen by everybody by %s\n", visible);
    }
}

static void print_drill(const struct plan *p)
{
    size_t persons = 0, orders = 0;
    struct str names = STR_INIT(4000);
    for (size_t i = 0; i < p->n; i++) {
        orders += plan_due(&p->cert[i]);
        if (!plan_due(&p->cert[i]) || !plan_person(&p->cert[i]))
            continue;
        str_fmt(&names, "%s%s", persons++ ? " " : "", p->cert[i].conf->name);
    }
    printf("to replace all: %zu order%s, of which %zu need%s a person%s%s\n", orders, orders == 1 ? "" : "s", persons,
           persons == 1 ? "s" : "", persons ? ": " : "", str_text(&names));
    str_free(&names);
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
