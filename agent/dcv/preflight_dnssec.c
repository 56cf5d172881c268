/* preflight_dnssec.c: do validating resolvers accept the zone? Its SOA is asked, which exists, so that nothing negative is cached. */
#include "dcv/preflight_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"

static void told(struct op *op, const struct err *e);

static void put(struct sec_ask *a, const struct endpoint *to, bool cd)
{
    a->ask = (struct dns_ask){.op = {.done = told, .owner = a},
                              .to = to,
                              .name = a->of->apex,
                              .type = TYPE_SOA,
                              .rd = true,
                              .dnssec = !cd,
                              .cd = cd,
                              .may_skip = true,
                              .limit_ms = ASK_MS};
    dns_start(a->of->net, &a->ask);
}

static void take_soa(struct sec_ask *a, const struct dns_reply *r)
{
    uint32_t minimum;

    for (size_t i = 0; i < r->n && !a->soa; i++)
        if (r->rr[i].section == SECTION_ANSWER && r->rr[i].type == TYPE_SOA && name_same(r->rr[i].owner, a->of->apex))
            a->soa = dns_soa(r->rr[i].rdata, a->mname, &a->serial, &minimum);
}

static void told(struct op *op, const struct err *e)
{
    struct sec_ask *a = op->owner;
    const struct dns_reply *r = &a->ask.reply;

    if (!e)
        take_soa(a, r);
    if (!e && a->ask.cd) {
        a->is = r->rcode == DNS_NOERROR ? SEC_BOGUS : SEC_SILENT;
    } else if (!e && r->rcode == DNS_SERVFAIL) {
        snprintf(a->ede, sizeof a->ede, "%s%s%.60s", dns_ede_word(r->ede), r->ede && r->ede_text ? ", " : "",
                 r->ede_text ? r->ede_text : "");
        put(a, a->ask.to, true);
        return;
    } else if (!e && r->rcode == DNS_NOERROR) {
        a->is = r->ad ? SEC_SIGNED : SEC_PLAIN;
    }
    if (--a->of->open)
        return;
    a->of->done = true;
    waits_wake(&a->of->waits);
}

static struct sec_known *known(const struct zones *z, const char *apex, const struct endpoints *resolvers)
{
    struct sec_known *k = z->sec;

    while (k && !(name_same(k->apex, apex) && k->first == resolvers->e))
        k = k->next;
    return k;
}

const struct sec_known *sec_of(const struct zones *z, const char *apex, const struct endpoints *resolvers)
{
    return known(z, apex, resolvers);
}

void sec_start(struct zones *z, const char *apex, const struct endpoints *resolvers, size_t most, void (*go)(void *arg), void *arg)
{
    struct sec_known *k = known(z, apex, resolvers);

    if (!k) {
        k = mem_new(sizeof *k);
        snprintf(k->apex, sizeof k->apex, "%s", apex);
        k->first = resolvers->e;
        k->net = z->net;
        k->next = z->sec;
        z->sec = k;
        k->n = k->open = resolvers->n < most ? resolvers->n : most;
        k->ask = mem_array(k->n, sizeof *k->ask);
        for (size_t i = 0; i < k->n; i++) {
            k->ask[i].of = k;
            put(&k->ask[i], &resolvers->e[i], false);
        }
    }
    if (k->done)
        go(arg);
    else
        waits_add(&k->waits, go, arg);
}

void sec_forget(struct zones *z)
{
    while (z->sec) {
        struct sec_known *k = z->sec;

        z->sec = k->next;
        for (size_t i = 0; i < k->n; i++)
            op_cancel(&k->ask[i].ask.op);
        free(k->ask);
        free(k->waits.w);
        free(k);
    }
}
