/* plan_print.c: a plan as text and as JSON. */
#include "cmd/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "conf/conf.h"
#include "dcv/webfile.h"

static const char *const action_words[] = {
    [CALENDAR_NOTHING] = "none",      [CALENDAR_FIRST] = "first order",
    [CALENDAR_RENEW] = "renew",       [CALENDAR_PAID_RENEWAL] = "paid renewal",
    [CALENDAR_CHANGED] = "new order", [CALENDAR_REFUSED] = "mend the configuration",
};

/* --- JSON ------------------------------------------------------------------------------------------------------------------------------ */

/* Why resolvers may go on saying what they said before. */
static const char *wait_word(const struct plan_record *r)
{
    return r->exists ? "ttl" : "negative_ttl";
}

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
    json_object_set_new(j, "visible_at", json_time(r->visible_at));
    json_object_set_new(j, "settle_seconds", json_integer(r->settle));
    json_object_set_new(j, "waits_for", site ? json_string(wait_word(r)) : json_null());
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

/* method = website: where each name's file will stand, and by what. */
static json_t *files_json(const struct conf_cert *c)
{
    json_t *files = json_array();
    for (size_t i = 0; c->method == METHOD_WEBSITE && !c->broken && i < c->names.n; i++) {
        char *url = mem_fmt("http://%s" WEBFILE_URL_PATH, c->names.s[i]);
        json_array_append_new(files, json_pack("{s:o, s:o, s:o}", "host", json_text(c->names.s[i]), "file", json_text(url), "by",
                                               json_text(c->webroot ? c->webroot : c->website_hook.s[0])));
        free(url);
    }
    return files;
}

static json_t *cert_json(const struct plan *p, const struct plan_cert *at)
{
    json_t *records = json_array(), *requests = json_object(), *findings = json_array();
    for (size_t i = at->from; i < at->from + at->n; i++) {
        json_array_append_new(records, record_json(&p->record[i]));
        fault_findings(&p->record[i], findings);
    }
    for (size_t i = 0; i < at->n_request; i++)
        json_object_set_new(requests, at->request[i].provider->name,
                            json_integer((json_int_t)(at->request[i].writes + at->request[i].reads)));
    ca_request_json(requests, at);
    json_t *j = json_pack("{s:s, s:b, s:o, s:o, s:o}", "name", at->conf->name, "due", plan_due(at), "records", records, "requests",
                          requests, "visible_at", json_time(at->visible_at));
    json_object_set_new(j, "action", json_string(*at->order.id ? "continue the order" : action_words[at->cal.action]));
    json_object_set_new(j, "why", json_text(plan_why(at)));
    json_object_set_new(j, "next_at", json_time(at->cal.next_at));
    json_object_set_new(j, "person", json_boolean(plan_person(at)));
    json_object_set_new(j, "ca", json_text(*at->conf->ca ? at->conf->ca : NULL));
    json_object_set_new(j, "counts", counts_json(&at->ca));
    json_object_set_new(j, "renewal", renewal_json(&at->renewal));
    json_object_set_new(j, "settled_at", json_time(at->settled_at));
    json_object_set_new(j, "findings", findings);
    json_object_set_new(j, "files", files_json(at->conf));
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
    if (p->replace)
        json_object_set_new(j, "drill", plan_drill_json(p));
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

/* Its servers have it as soon as they follow the primary; a resolver may remember that there was nothing, or what was there. */
static void print_wait(const struct plan_record *r)
{
    char at[32], took[32];
    if (!r->verify || !r->verify->resolvers.n)
        return;
    time_local(r->visible_at, at);
    duration_show(r->exists ? r->ttl : r->where->site->zone->negative_ttl, took);
    printf("    resolvers may take until %s: %s %s\n", at, r->exists ? "the set's TTL is" : "the zone's negative TTL is", took);
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
    print_wait(r);
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

static void print_request(const struct plan_request *q)
{
    const char *name = q->provider->name;
    if (strcmp(q->provider->type, "rfc2136") == 0)
        printf("  provider %s: %zu UPDATEs (one a zone to add, one to delete)\n", name, q->writes);
    else
        printf("  provider %s: about %zu requests: %zu writes, %zu reads (before and after)\n", name, q->writes + q->reads, q->writes,
               q->reads);
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
    if (at->conf->method == METHOD_WEBSITE && !at->conf->broken)
        printf("  no record: http://HOST" WEBFILE_URL_PATH " of each name, by %s\n",
               at->conf->webroot ? at->conf->webroot : at->conf->website_hook.s[0]);
    if (at->conf->method == METHOD_EMAIL)
        printf("  no record: method = email\n");
    for (size_t i = at->from; i < at->from + at->n; i++)
        print_record(&p->record[i]);
    for (size_t i = 0; i < at->n_request; i++)
        print_request(&at->request[i]);
    print_ca(at);
    if (at->visible_at) {
        time_local(at->visible_at, visible);
        printf("  if written now, seen by everybody by %s\n", visible);
    }
    if (at->settled_at > clock_now()) {
        time_local(at->settled_at, visible);
        printf("  and the CA asked to look from %s on (settle)\n", visible);
    }
    if (plan_due(at) && plan_person(at))
        printf("  a person is needed at the CA's pages; dcvagent status says for what\n");
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
        plan_drill_print(p);
}
