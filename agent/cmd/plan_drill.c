/* plan_drill.c: the emergency drill: what it takes to replace all certificates: orders, time, and what a person has to do at which CA. */
#include "cmd/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "conf/conf.h"

enum { ACME_TAKES = 2 * MINUTE, PERSON_TAKES = 20 * MINUTE };

int64_t plan_drill_unattended(size_t orders, int64_t parallel)
{
    int64_t rounds = parallel > 0 ? ((int64_t)orders + parallel - 1) / parallel : (int64_t)orders;
    return rounds * ACME_TAKES;
}

void plan_drill(const struct plan *p, struct plan_drill *d)
{
    int64_t now = clock_now();
    *d = (struct plan_drill){0};
    for (size_t i = 0; i < p->n; i++) {
        const struct plan_cert *at = &p->cert[i];
        if (!plan_due(at))
            continue;
        d->orders++;
        if (!plan_person(at))
            continue;
        d->by_hand++;
        d->person += PERSON_TAKES;
        if (at->rules && at->rules->settles && at->visible_at - now > d->wait)
            d->wait = at->visible_at - now;
    }
    d->unattended = plan_drill_unattended(d->orders - d->by_hand, p->s->conf->agent.parallel_orders);
}

/* --- by CA ----------------------------------------------------------------------------------------------------------------------------- */

static struct plan_drill_ca *of_ca(struct plan_drill_ca **all, size_t *n, const char *ca)
{
    for (size_t i = 0; i < *n; i++)
        if (strcmp((*all)[i].ca, ca) == 0)
            return &(*all)[i];
    *all = mem_grow(*all, *n + 1, sizeof **all);
    (*all)[*n] = (struct plan_drill_ca){.ca = ca};
    return &(*all)[(*n)++];
}

/* A portal takes the code from its own page, and the PIN from pin_file or from the last time. */
static void add(const struct plan *p, const struct plan_cert *at, struct plan_drill_ca *c)
{
    const struct section *s = conf_ca(p->s->conf, at->conf->ca);
    bool portal = s && strcmp(s->type, "portal") == 0, person = at->rules && at->rules->by_person;
    c->orders++;
    c->names += at->conf->names.n;
    c->by_hand += plan_person(at);
    c->pins += person && !(portal && (at->conf->pin_file || at->conf->pin /* the same each time */));
    c->codes += person && (!portal || at->conf->method == METHOD_EMAIL);
}

size_t plan_drill_cas(const struct plan *p, struct plan_drill_ca **out)
{
    size_t n = 0;
    *out = NULL;
    for (size_t i = 0; i < p->n; i++)
        if (plan_due(&p->cert[i]) && p->cert[i].conf->ca)
            add(p, &p->cert[i], of_ca(out, &n, p->cert[i].conf->ca));
    return n;
}

/* --- shown ----------------------------------------------------------------------------------------------------------------------------- */

json_t *plan_drill_json(const struct plan *p)
{
    struct plan_drill d;
    struct plan_drill_ca *ca;
    json_t *cas = json_array();
    plan_drill(p, &d);
    size_t n = plan_drill_cas(p, &ca);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(cas, json_pack("{s:s, s:i, s:i, s:i, s:i, s:i}", "ca", ca[i].ca, "orders", (int)ca[i].orders, "names",
                                             (int)ca[i].names, "by_hand", (int)ca[i].by_hand, "pins", (int)ca[i].pins, "codes",
                                             (int)ca[i].codes));
    free(ca);
    return json_pack("{s:i, s:i, s:I, s:I, s:I, s:o}", "orders", (int)d.orders, "by_hand", (int)d.by_hand, "unattended_seconds",
                     (json_int_t)d.unattended, "person_seconds", (json_int_t)d.person, "wait_seconds", (json_int_t)d.wait, "cas", cas);
}

static void print_names(const struct plan *p, bool person)
{
    for (size_t i = 0; i < p->n; i++)
        if (plan_due(&p->cert[i]) && plan_person(&p->cert[i]) == person)
            printf(" %s", p->cert[i].conf->name);
    printf("\n");
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void print_ca(const struct plan_drill_ca *c)
{
    printf("  CA %s: %zu order%s of %zu name%s in all", c->ca, c->orders, plural(c->orders), c->names, plural(c->names));
    if (c->pins)
        printf(", %zu PIN%s", c->pins, plural(c->pins));
    if (c->codes)
        printf(", %zu code%s", c->codes, plural(c->codes));
    printf("%s\n", c->by_hand ? ", by hand at its pages" : "; where it limits its rate, what is left goes on when it says so");
}

void plan_drill_print(const struct plan *p)
{
    struct plan_drill d;
    struct plan_drill_ca *ca;
    char alone[32], work[32], wait[32];
    plan_drill(p, &d);
    size_t by_itself = d.orders - d.by_hand;
    duration_show(d.unattended, alone);
    duration_show(d.person, work);
    duration_show(d.wait, wait);
    printf("to replace all: %zu order%s with new keys\n", d.orders, plural(d.orders));
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
    size_t n = plan_drill_cas(p, &ca);
    for (size_t i = 0; i < n; i++)
        print_ca(&ca[i]);
    free(ca);
    if (d.orders)
        printf("  the certificates before them stay valid until they are revoked\n");
}
