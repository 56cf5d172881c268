#include "dcv/survey/checkup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dcv/survey/read.h"

enum { LIMIT_MS = 5000, SLOW_MS = 1000 };

static void answered(struct op *op, const struct err *e)
{
    struct checkup_one *q = op->owner;
    struct checkup *c = q->of;
    q->heard = read_answer(&q->ask, e);
    q->validates = !e && q->ask.reply.ad;
    if (e)
        snprintf(q->why, sizeof q->why, "%.159s", e->text);
    if (--c->open == 0)
        op_settle(&c->op, NULL);
}

static void detach(struct op *op)
{
    struct checkup *c = (struct checkup *)op;
    for (size_t i = 0; i < c->resolvers.n; i++)
        op_cancel(&c->one[i].ask.op);
}

void checkup_start(struct net *n, struct checkup *c)
{
    size_t most = c->resolvers.n;
    c->one = mem_array(most ? most : 1, sizeof *c->one);
    c->open = most;
    op_start(&c->op, detach);
    for (size_t i = 0; i < most; i++) {
        struct checkup_one *q = &c->one[i];
        q->of = c;
        q->ask = (struct dns_ask){.op = {.done = answered, .owner = q},
                                  .to = &c->resolvers.e[i],
                                  .name = "",
                                  .type = TYPE_SOA,
                                  .rd = true,
                                  .dnssec = true,
                                  .limit_ms = LIMIT_MS};
        dns_start(n, &q->ask);
    }
    if (!most)
        op_settle(&c->op, NULL);
}

static void judge_one(const struct checkup_one *q, const char *who, struct findings *out)
{
    struct finding *f;
    if (q->heard.heard != HEARD_ANSWER) {
        f = finding_add(out, "RESOLVER_SILENT", SEV_WARNING, who);
        finding_cause(f, "the resolver could not be asked: %.159s", q->why);
        finding_remedy(f, "let this machine reach it, or take it out of resolvers=");
    } else if (!q->heard.zone) {
        f = finding_add(out, "RESOLVER_REFUSES", SEV_WARNING, who);
        finding_cause(f, "the resolver answers %s when asked for the root's SOA", dns_rcode_word(q->heard.rcode));
        finding_remedy(f, "have it allow recursive questions from this machine, or take it out of resolvers=");
    } else if (q->heard.ms > SLOW_MS) {
        f = finding_add(out, "RESOLVER_SLOW", SEV_INFO, who);
        finding_cause(f, "the resolver took %u ms to answer", (unsigned)q->heard.ms);
        finding_remedy(f, "choose a nearer one if it is always so slow");
    } else if (!q->validates) {
        f = finding_add(out, "RESOLVER_NO_DNSSEC", SEV_INFO, who);
        finding_cause(f, "the resolver does not validate DNSSEC: it sees records that a CA would have to refuse");
        finding_remedy(f, "have at least one validating resolver in resolvers=");
    } else {
        finding_cause(finding_add(out, "RESOLVER_GOOD", SEV_OK, who), "the resolver answers in %u ms and validates DNSSEC",
                      (unsigned)q->heard.ms);
    }
}

void checkup_judge(const struct checkup *c, struct findings *out)
{
    char who[320];
    for (size_t i = 0; i < c->resolvers.n; i++) {
        endpoint_show(&c->resolvers.e[i], who, sizeof who);
        judge_one(&c->one[i], who, out);
    }
}

void checkup_clear(struct checkup *c)
{
    op_cancel(&c->op);
    free(c->one);
    endpoints_free(&c->resolvers);
    c->one = NULL;
}
