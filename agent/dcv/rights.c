#include "dcv/rights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"

enum { PROBE_TTL = 60 };

static const char probe_value[] = "dcvagent probe";

static void ended(struct rights *r)
{
    if (--r->pending == 0)
        op_settle(&r->op, NULL);
}

static void read_done(struct op *op, const struct err *e)
{
    struct rights *r = op->owner;
    if (e)
        r->read = *e;
    ended(r);
}

static void probe_done(struct op *op, const struct err *e)
{
    struct rights *r = op->owner;
    if (e)
        r->probe = *e;
    ended(r);
}

static void detach(struct op *op)
{
    struct rights *r = (struct rights *)op;
    op_cancel(&r->lookup.op);
    op_cancel(&r->batch.op);
}

static void start_read(struct rights *r)
{
    r->lookup = (struct lookup){.op = {.done = read_done, .owner = r}, .zone = r->zone, .n = r->owners.n};
    r->lookup.set = mem_array(r->owners.n + 1, sizeof *r->lookup.set);
    for (size_t i = 0; i < r->owners.n; i++)
        r->lookup.set[i].owner = r->owners.s[i];
    r->pending++;
    r->ops->read(r->provider, &r->lookup);
}

static void start_probe(struct rights *r)
{
    r->batch = (struct batch){.op = {.done = probe_done, .owner = r}, .zone = r->zone, .n = r->owners.n};
    r->batch.c = mem_array(r->owners.n + 1, sizeof *r->batch.c);
    r->rec = mem_array(r->owners.n + 1, sizeof *r->rec);
    for (size_t i = 0; i < r->owners.n; i++) {
        r->rec[i] = (struct record){r->owners.s[i], TYPE_TXT, PROBE_TTL, {(const uint8_t *)probe_value, sizeof probe_value - 1}};
        r->batch.c[i] = (struct change){.add = true, .rec = &r->rec[i]};
    }
    r->pending++;
    r->ops->probe(r->provider, &r->batch);
}

void rights_start(struct net *n, struct rights *r)
{
    r->ops = provider_of(r->section);
    op_start(&r->op, detach);
    r->pending = 1;
    if (r->ops->open(&r->provider, r->section, n, &r->open)) {
        if (r->ops->read)
            start_read(r);
        if (r->ops->probe)
            start_probe(r);
    }
    ended(r);
}

void rights_clear(struct rights *r)
{
    op_cancel(&r->op);
    for (size_t i = 0; i < r->lookup.n; i++)
        rrset_clear(&r->lookup.set[i]);
    free(r->lookup.set);
    free(r->batch.c);
    free(r->rec);
    if (r->provider)
        r->ops->close(r->provider);
    strs_free(&r->owners);
    *r = (struct rights){0};
}

/* --- what it means --------------------------------------------------------------------------------------------------------------------- */

static struct finding *finding_of(struct findings *out, const char *host, const struct err *e)
{
    if (strcmp(e->code, "TSIG_BADTIME") == 0)
        return finding_add(out, "CLOCK_SKEW", SEV_ERROR, host);
    if (strcmp(e->code, "PROVIDER_UNGUARDED") == 0)
        return finding_add(out, "PROVIDER_UNGUARDED", SEV_WARNING, host);
    return finding_add(out, e->code, SEV_ERROR, host);
}

/* The text of an error ends with what to do next: of a finding these are apart. */
static void tell(struct finding *f, const char *before, const struct err *e, const char *remedy)
{
    const char *cut = strstr(e->text, "; ");
    finding_cause(f, "%s%.*s", before, cut ? (int)(cut - e->text) : (int)strlen(e->text), e->text);
    finding_remedy(f, "%s", cut ? cut + 2 : remedy);
}

static void from_error(struct findings *out, const char *host, const struct err *e)
{
    tell(finding_of(out, host, e), "", e, "see dcvagent(8), MESSAGES");
}

static void judge_refused(const struct rights *r, struct findings *out)
{
    char before[80];
    snprintf(before, sizeof before, "[provider %.40s] may not write there: ", r->section->name);
    for (size_t i = 0; i < r->batch.n; i++)
        if (r->batch.c[i].result != CHANGE_DONE)
            tell(finding_add(out, "PROVIDER_REFUSED", SEV_ERROR, r->batch.c[i].rec->owner), before, &r->batch.c[i].err,
                 r->ops->rights ? r->ops->rights : "grant the right there");
}

static bool any_allowed(const struct rights *r)
{
    for (size_t i = 0; i < r->batch.n; i++)
        if (r->batch.c[i].result == CHANGE_DONE)
            return true;
    return false;
}

static bool same_fault(const struct err *a, const struct err *b)
{
    return a->rc != RC_OK && b->rc != RC_OK && strcmp(a->code, b->code) == 0;
}

void rights_judge(const struct rights *r, struct findings *out)
{
    const char *name = r->section->name;
    if (r->open.rc != RC_OK) {
        from_error(out, r->zone, &r->open);
        return;
    }
    if (r->read.rc != RC_OK)
        from_error(out, r->zone, &r->read);
    else if (r->ops->read)
        finding_cause(finding_add(out, "PROVIDER_READS", SEV_OK, r->zone), "[provider %.60s] is let in and reads the zone", name);
    if (!r->ops->probe)
        return;
    if (r->probe.rc != RC_OK) {
        if (!same_fault(&r->probe, &r->read))
            from_error(out, r->zone, &r->probe);
        return;
    }
    judge_refused(r, out);
    if (!any_allowed(r))
        return;
    if (r->batch.proven) {
        finding_cause(finding_add(out, "PROVIDER_WRITES", SEV_OK, r->zone), "[provider %.60s] may write %s, tried without writing", name,
                      r->batch.n == 1 ? "there" : "at the names it was not refused");
        return;
    }
    struct finding *f = finding_add(out, "PROVIDER_KEY", SEV_INFO, r->zone);
    finding_cause(f,
                  "[provider %.40s] is let in; whether it may write cannot be told without writing (the server looks at prerequisites "
                  "before rights, or lets it "
                  "change everything)",
                  name);
    finding_remedy(f, "dcvagent rehearse tries it for real; dcvagent policy prints the least right to grant");
}
