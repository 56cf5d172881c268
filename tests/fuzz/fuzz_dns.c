/* fuzz_dns.c: a DNS message from a stranger, and each helper on each of its values whatever the type. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dcv/survey/read.h"
#include "net/dnsx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void helpers(const struct dns_rr *rr)
{
    uint8_t out[256], flags;
    char name[254], tag[16], value[256], addr[46];
    size_t n;
    uint32_t serial, minimum;
    if (dns_txt_value(rr->rdata, out, sizeof out, &n) && n > sizeof out)
        abort();
    if (dns_name_rdata(rr->rdata, name) && strlen(name) > 253)
        abort();
    if (dns_soa(rr->rdata, name, &serial, &minimum) && strlen(name) > 253)
        abort();
    if (dns_caa(rr->rdata, &flags, tag, value, sizeof value) && (strlen(tag) > 15 || strlen(value) > 255))
        abort();
    struct dns_signature sig;
    struct dns_key key;
    uint16_t iterations;
    dns_rrsig(rr->rdata, 1800000000, &sig);
    dns_dnskey(rr->rdata, &key);
    dns_ds(rr->rdata, &key);
    dns_nsec3param(rr->rdata, &iterations);
    dns_addr_rdata(rr->type, rr->rdata, addr);
    dns_addr_rdata(TYPE_A, rr->rdata, addr);
    dns_addr_rdata(TYPE_AAAA, rr->rdata, addr);
    if (strlen(rr->owner) > 1015)
        abort();
}

/* What a survey makes of it. */
static void facts(const struct dns_reply *r, const char *name)
{
    struct survey_key key[SURVEY_KEYS];
    struct strs ns = {0};
    struct endpoints glue = {0};
    char mname[254];
    uint32_t serial;
    read_span(r, name, TYPE_SOA, 1800000000);
    read_soa(r, name, mname, &serial);
    read_ns(r, name, SECTION_ANSWER, &ns);
    read_glue(r, &ns, &glue);
    if (read_keys(r, name, TYPE_DNSKEY, key) > SURVEY_KEYS || read_keys(r, name, TYPE_DS, key) > SURVEY_KEYS)
        abort();
    strs_free(&ns);
    endpoints_free(&glue);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_reply reply;
    void *hold = NULL;
    struct err e = {0};
    if (!dns_parse(data, size, &reply, &hold, &e)) {
        if (hold || e.rc != RC_NET)
            abort();
        return 0;
    }
    for (size_t i = 0; i < reply.n; i++)
        helpers(&reply.rr[i]);
    if (reply.n)
        facts(&reply, reply.rr[0].owner);
    if (reply.ede_text && strlen(reply.ede_text) > 255)
        abort();
    dns_rcode_word(reply.rcode);
    free(hold);
    return 0;
}
