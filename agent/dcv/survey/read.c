#include "dcv/survey/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"

enum { NS_MOST = 32, GLUE_MOST = 64, ZONE_KEY = 0x0100 };

static bool has(const struct dns_reply *r, const char *name, uint16_t type)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->rr[i].section == SECTION_ANSWER && r->rr[i].type == type && name_same(r->rr[i].owner, name))
            return true;
    return false;
}

static enum heard heard_of(const char *code)
{
    if (strcmp(code, "DNS_TIMEOUT") == 0 || strcmp(code, "DNS_SKIPPED") == 0)
        return HEARD_SILENCE;
    return strcmp(code, "DNS_MALFORMED") == 0 ? HEARD_GARBLED : HEARD_CLOSED;
}

struct survey_answer read_answer(const struct dns_ask *ask, const struct err *e)
{
    const struct dns_reply *r = &ask->reply;
    if (e)
        return (struct survey_answer){.heard = heard_of(e->code), .ms = ask->ms};
    return (struct survey_answer){.heard = HEARD_ANSWER,
                                  .rcode = r->rcode,
                                  .aa = r->aa,
                                  .edns = r->edns,
                                  .tcp = r->tcp,
                                  .zone = r->rcode == DNS_NOERROR && (r->aa || ask->rd) && has(r, ask->name, ask->type),
                                  .size = (uint32_t)r->size,
                                  .ms = ask->ms};
}

struct survey_span read_span(const struct dns_reply *r, const char *name, uint16_t type, int64_t now)
{
    struct survey_span span = {0};
    for (size_t i = 0; i < r->n; i++) {
        const struct dns_rr *rr = &r->rr[i];
        struct dns_signature s;
        if (rr->section != SECTION_ANSWER || rr->type != TYPE_RRSIG || !name_same(rr->owner, name) || !dns_rrsig(rr->rdata, now, &s) ||
            s.covers != type)
            continue;
        if (!span.n++ || s.until > span.until) {
            span.from = s.from;
            span.until = s.until;
        }
    }
    return span;
}

bool read_soa(const struct dns_reply *r, const char *name, char mname[254], uint32_t *serial)
{
    uint32_t minimum;
    for (size_t i = 0; i < r->n; i++)
        if (r->rr[i].section == SECTION_ANSWER && r->rr[i].type == TYPE_SOA && name_same(r->rr[i].owner, name))
            return dns_soa(r->rr[i].rdata, mname, serial, &minimum);
    return false;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void read_ns(const struct dns_reply *r, const char *name, uint8_t section, struct strs *out)
{
    char host[254];
    for (size_t i = 0; i < r->n && out->n < NS_MOST; i++)
        if (r->rr[i].section == section && r->rr[i].type == TYPE_NS && name_same(r->rr[i].owner, name) &&
            dns_name_rdata(r->rr[i].rdata, host) && !strs_has(out, host))
            strs_add(out, host);
    if (out->n)
        qsort(out->s, out->n, sizeof *out->s, by_text);
}

void read_glue(const struct dns_reply *r, const struct strs *ns, struct endpoints *out)
{
    for (size_t i = 0; i < r->n && out->n < GLUE_MOST; i++) {
        const struct dns_rr *rr = &r->rr[i];
        struct endpoint p = {.port = 53, .via = VIA_UDP};
        if (rr->section != SECTION_ADDITIONAL || !strs_has(ns, rr->owner) || !dns_addr_rdata(rr->type, rr->rdata, p.addr))
            continue;
        snprintf(p.name, sizeof p.name, "%s", rr->owner);
        endpoints_add(out, &p);
    }
}

size_t read_keys(const struct dns_reply *r, const char *name, uint16_t type, struct survey_key out[SURVEY_KEYS])
{
    size_t n = 0;
    for (size_t i = 0; i < r->n && n < SURVEY_KEYS; i++) {
        const struct dns_rr *rr = &r->rr[i];
        struct dns_key k;
        if (rr->section != SECTION_ANSWER || rr->type != type || !name_same(rr->owner, name))
            continue;
        if (type == TYPE_DS ? dns_ds(rr->rdata, &k) : dns_dnskey(rr->rdata, &k) && k.flags & ZONE_KEY)
            out[n++] = (struct survey_key){k.tag, k.algorithm};
    }
    return n;
}
