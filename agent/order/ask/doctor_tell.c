/* doctor_tell.c: answers into findings, each for whom it concerns. */
#include "order/ask/doctor_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "dcv/zone/zone.h"

static void put(struct diagnoses *out, const char *cert, const struct finding *f)
{
    out->d = mem_grow(out->d, out->n + 1, sizeof *out->d);
    out->d[out->n++] = (struct diagnosis){cert, *f};
}

void doctor_put(struct diagnoses *out, const char *cert, struct findings *l)
{
    for (size_t i = 0; i < l->n; i++)
        put(out, cert, &l->f[i]);
    findings_free(l);
}

/* --- faults that are errors elsewhere ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *code, *remedy;
} remedies[] = {
    {"CNAME_FOREIGN",
     "add the target's zone to zones= of a provider, set record_at = HOST:apex or HOST:_LABEL, remove the CNAME, or method = website"},
    {"CNAME_REFUSED", "remove the CNAME, set record_at = HOST:apex or HOST:_LABEL, or cname = follow"},
    {"CNAME_LOOP", "mend one of the CNAMEs"},
    {"CNAME_DEEP", "shorten the chain"},
    {"LAME", "mend the delegation, or the servers that it names"},
    {"NO_ZONE", "register or delegate the zone; if it is an inside one, set [zone] servers= to the addresses that serve it"},
    {"DISCOVERY", "set [verify] discovery= to servers that answer, or [zone] servers= to addresses that this machine reaches"},
    {"OWNER_LONG", "set record_at = HOST:apex"},
    {"READ_REFUSED", "allow queries from this machine at the update server, or set sign_query = yes"},
    {"WEBSITE_ROOT", "make the folder, or set webroot= to the one that the web server serves as /"},
    {"WEBSITE_NO_ADDRESS", "give the name an address, or prove it by method = dns"},
    {"WEBSITE_UNREACHABLE", "mend the name's DNS servers: nobody is told its addresses"},
    {"READ_NOT_AUTHORITATIVE", "set server= to the zone's primary, or give the zone to the provider that serves it"},
};

static const char *remedy_of(const char *code)
{
    for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++)
        if (strcmp(remedies[i].code, code) == 0)
            return remedies[i].remedy;
    return NULL;
}

/* The text of an error ends with what to do next, and at names with the chain of CNAMEs: of a finding these are apart. */
void doctor_from_error(struct finding *f, const struct err *e)
{
    const char *remedy = remedy_of(e->code), *cut = strstr(e->text, "; "), *last = cut;
    for (const char *p = cut; p; p = strstr(p + 2, "; "))
        last = p;
    bool chain = last && strstr(last, " -> ");
    if (!cut) {
        finding_cause(f, "%s", e->text);
        finding_remedy(f, "%s", remedy ? remedy : "see dcvagent(8), MESSAGES");
        return;
    }
    finding_cause(f, "%.*s%s", (int)(cut - e->text), e->text, chain ? last : "");
    finding_remedy(f, "%s", remedy ? remedy : cut + 2);
}

/* --- one place of a name ------------------------------------------------------------------------------------------------------------------- */

static void judge_cut(const struct doctor_place *p, struct findings *out)
{
    const char *apex = p->zone->zone->apex;
    struct finding *f;
    if (!p->provider) {
        f = finding_add(out, "NO_PROVIDER", SEV_ERROR, p->where->listed);
        finding_cause(f, "no provider may write at %.120s (zone %.80s)", p->where->site->owner, apex);
        finding_remedy(f, "add the zone to zones= of a [provider], or choose another place with record_at");
    } else if (!name_same(apex, p->matched)) {
        bool nearer = name_within(apex, p->matched);
        f = finding_add(out, "ZONE_CUT", nearer ? SEV_WARNING : SEV_INFO, p->where->listed);
        finding_cause(f, "zones= of [provider %.40s] says %.80s, but the name lies in the zone %.80s%s", p->provider->name, p->matched,
                      apex, nearer ? ", which is delegated out of it" : ", which is wider");
        finding_remedy(
            f, nearer ? "add %.80s to zones= of the provider that serves it" : "name %.80s in zones= if all of it may be written to", apex);
    }
}

static bool covered(const struct doctor *d, const char *target)
{
    const char *zone;
    return conf_writer(d->s->conf, target, NULL, &zone) != NULL;
}

static void tell_place(const struct doctor *d, struct doctor_place *p, struct diagnoses *out)
{
    const char *cert = p->where->conf->name;
    struct findings l = {0};
    if (p->where->err.rc != RC_OK || !p->zone) {
        doctor_from_error(finding_add(&l, p->where->err.code, SEV_ERROR, p->where->listed), &p->where->err);
        doctor_put(out, cert, &l);
        return;
    }
    struct presence_about about = {.host = p->where->listed, .survey = &p->zone->survey, .ours = d->ours, .n_ours = d->n_ours};
    judge_cut(p, &l);
    presence_judge(&p->owner->presence, &about, clock_now(), &l);
    if (p->challenge)
        presence_judge_challenge(&p->challenge->presence, &about, covered(d, p->challenge->presence.alias), &l);
    doctor_put(out, cert, &l);
    doctor_put(out, cert, &p->preflight.found);
}

/* Once for each certificate that has names in it. */
static void tell_zone(const struct doctor_place *p, struct diagnoses *out)
{
    const char *cert = p->where->conf->name;
    struct findings l = {0};
    if (!p->zone || p->zone->told == cert)
        return;
    p->zone->told = cert;
    survey_judge(&p->zone->survey, clock_now(), &l);
    doctor_put(out, cert, &l);
}

/* --- what concerns no one certificate ------------------------------------------------------------------------------------------------------ */

static void tell_configuration(const struct doctor *d, struct diagnoses *out)
{
    struct findings l = {0};
    for (size_t i = 0; i < d->s->conf->n_fault; i++) {
        const struct conf_fault *c = &d->s->conf->fault[i];
        struct str text = STR_INIT(300);
        conf_fault_show(c, &text);
        const char *run = strstr(str_text(&text), "; run: ");
        struct finding *f = finding_add(&l, c->rc == RC_PERM ? "LOOSE_FILE" : "CONFIG_FAULT", SEV_ERROR, "");
        finding_cause(f, "%.*s", run ? (int)(run - str_text(&text)) : (int)text.n, str_text(&text));
        finding_remedy(f, "%s", run ? run + 2 : "mend that line; dcvagent config check shows every fault");
        str_free(&text);
    }
    struct err e = {0};
    if (!session_backup_folder(d->s, &e))
        doctor_from_error(finding_add(&l, "BACKUP_FOLDER", SEV_ERROR, ""), &e);
    doctor_put(out, NULL, &l);
}

static void tell_providers(const struct doctor *d, struct diagnoses *out)
{
    struct findings l = {0};
    for (const struct doctor_rights *r = d->rights; r; r = r->next)
        rights_judge(&r->rights, &l);
    doctor_put(out, NULL, &l);
}

static int worst_first(const void *a, const void *b)
{
    const struct diagnosis *x = a, *y = b;
    int order = finding_worse(&x->f, &y->f);
    return order ? order : strcmp(x->cert ? x->cert : "", y->cert ? y->cert : "");
}

void doctor_tell(struct doctor *d, struct diagnoses *out)
{
    struct findings l = {0};
    for (size_t i = 0; i < d->wheres.n; i++) {
        tell_place(d, &d->place[i], out);
        tell_zone(&d->place[i], out);
    }
    doctor_web_tell(d, out);
    tell_configuration(d, out);
    tell_providers(d, out);
    checkup_judge(&d->checkup, &l);
    doctor_put(out, NULL, &l);
    if (out->n)
        qsort(out->d, out->n, sizeof *out->d, worst_first);
}
