/* dns_sec.c: DNSSEC records taken apart (RFC 4034, RFC 5155): what they say, not whether it is true: nothing is verified here. */
#include "net/dns_name.h"
#include "net/dnsx.h"
#include "net/wire.h"

enum { RRSIG_HEAD = 18, DNSKEY_HEAD = 4, DS_HEAD = 4, NSEC3PARAM_HEAD = 5 };

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)wire_at16(p) << 16 | wire_at16(p + 2);
}

static int64_t moment(uint32_t wire, int64_t now)
{
    return now + (int32_t)(wire - (uint32_t)now);
}

bool dns_rrsig(struct bytes rdata, int64_t now, struct dns_signature *out)
{
    char signer[DNS_NAME_TEXT];
    size_t used;
    if (rdata.n <= RRSIG_HEAD || !dns_name_text(rdata.p + RRSIG_HEAD, rdata.n - RRSIG_HEAD, signer, sizeof signer, &used) ||
        rdata.n == RRSIG_HEAD + used)
        return false;
    *out = (struct dns_signature){.covers = (uint16_t)wire_at16(rdata.p),
                                  .algorithm = rdata.p[2],
                                  .until = moment(u32(rdata.p + 8), now),
                                  .from = moment(u32(rdata.p + 12), now),
                                  .tag = (uint16_t)wire_at16(rdata.p + 16)};
    return true;
}

/* RFC 4034, appendix B. */
static uint16_t key_tag(struct bytes rdata)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < rdata.n; i++)
        sum += i % 2 ? rdata.p[i] : (uint32_t)rdata.p[i] << 8;
    sum += sum >> 16 & 0xffff;
    return (uint16_t)sum;
}

bool dns_dnskey(struct bytes rdata, struct dns_key *out)
{
    if (rdata.n <= DNSKEY_HEAD)
        return false;
    *out = (struct dns_key){.flags = (uint16_t)wire_at16(rdata.p), .algorithm = rdata.p[3], .tag = key_tag(rdata)};
    return true;
}

bool dns_ds(struct bytes rdata, struct dns_key *out)
{
    if (rdata.n <= DS_HEAD)
        return false;
    *out = (struct dns_key){.tag = (uint16_t)wire_at16(rdata.p), .algorithm = rdata.p[2]};
    return true;
}

bool dns_nsec3param(struct bytes rdata, uint16_t *iterations)
{
    if (rdata.n < NSEC3PARAM_HEAD || rdata.n != NSEC3PARAM_HEAD + (size_t)rdata.p[4])
        return false;
    *iterations = (uint16_t)wire_at16(rdata.p + 2);
    return true;
}
