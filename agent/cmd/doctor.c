/* doctor: what would make an order fail or wait, with cause and remedy. Reads the store and asks DNS; writes nothing anywhere. */
#include "order/ask/doctor.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/names.h"
#include "cmd/cmd.h"
#include "order/session.h"

enum { HOSTS_SHOWN = 6 };

/* --- JSON ------------------------------------------------------------------------------------------------------------------------------ */

static json_t *one_json(void *arg, size_t i)
{
    const struct diagnosis *d = &((const struct diagnoses *)arg)->d[i];
    return json_pack("{s:o, s:o, s:s, s:s, s:o, s:o}", "cert", json_text(d->cert), "host", json_text(*d->f.host ? d->f.host : NULL), "code",
                     d->f.code, "severity", severity_words[d->f.severity], "cause", json_text(d->f.cause), "remedy",
                     json_text(d->f.remedy));
}

/* --- text ------------------------------------------------------------------------------------------------------------------------------ */

/* One fault of many names is one entry. */
static bool alike(const struct diagnosis *a, const struct diagnosis *b)
{
    return strcmp(a->f.code, b->f.code) == 0 && strcmp(a->f.cause, b->f.cause) == 0 && strcmp(a->f.remedy, b->f.remedy) == 0;
}

static bool told_before(const struct diagnoses *l, size_t i)
{
    for (size_t k = i; k-- > 0 && strcmp(l->d[k].f.code, l->d[i].f.code) == 0;) /* sorted: the same code stands together */
        if (alike(&l->d[k], &l->d[i]))
            return true;
    return false;
}

static void print_hosts(const struct diagnoses *l, size_t from)
{
    struct strs hosts = {0};
    char shown[2 * NAME_SIZE];
    for (size_t i = from; i < l->n; i++)
        if (alike(&l->d[from], &l->d[i]) && *l->d[i].f.host && !strs_has(&hosts, l->d[i].f.host))
            strs_add(&hosts, l->d[i].f.host);
    for (size_t i = 0; i < hosts.n && i < HOSTS_SHOWN; i++) {
        name_show(hosts.s[i], shown, sizeof shown);
        printf("%s%s", i ? ", " : " ", shown);
    }
    if (hosts.n > HOSTS_SHOWN)
        printf(" and %zu more", hosts.n - HOSTS_SHOWN);
    strs_free(&hosts);
}

static void print_one(const struct diagnoses *l, size_t i)
{
    const struct finding *f = &l->d[i].f;
    printf("%s %s", severity_words[f->severity], f->code);
    print_hosts(l, i);
    printf("\n  %s\n", f->cause);
    if (*f->remedy)
        printf("  -> %s\n", f->remedy);
}

static void print_table(const struct call *c, const struct diagnoses *l)
{
    size_t n[SEV_ERROR + 1] = {0};
    for (size_t i = 0; i < l->n; i++) {
        if (told_before(l, i))
            continue;
        n[l->d[i].f.severity]++;
        if (l->d[i].f.severity > SEV_OK || c->verbose)
            print_one(l, i);
    }
    printf("%zu error%s, %zu warning%s, %zu info, %zu ok%s\n", n[SEV_ERROR], n[SEV_ERROR] == 1 ? "" : "s", n[SEV_WARNING],
           n[SEV_WARNING] == 1 ? "" : "s", n[SEV_INFO], n[SEV_OK], n[SEV_OK] && !c->verbose ? " (-v shows them)" : "");
}

enum rc cmd_doctor(struct call *c)
{
    struct session s;
    struct diagnoses found = {0};
    struct err e = {0};
    enum rc rc = RC_OK;
    if (!call_session(c, &s, SESSION_READ | SESSION_NET | SESSION_TOLERANT, &rc))
        return rc;
    if (call_names_known(c, &s, false, &rc)) {
        if (!doctor_run(&s, &c->args, &found, &e))
            rc = call_fail(c, &e);
        else if (diagnoses_bad(&found))
            rc = RC_FAILED;
        if (e.rc == RC_OK && c->json)
            json_print_list(json_pack("{s:i}", "version", 1), "findings", one_json, &found, found.n);
        else if (e.rc == RC_OK)
            print_table(c, &found);
    }
    diagnoses_free(&found);
    session_close(&s);
    return rc;
}
