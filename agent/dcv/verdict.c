#include "dcv/visible.h"

#include <string.h>

#include "base/names.h"
#include "net/dnsx.h"

const char *const verdict_words[VERDICTS] = {
    [V_MATCH] = "match",     [V_ABSENT] = "absent", [V_OTHER] = "other", [V_NXDOMAIN] = "nxdomain",       [V_SERVFAIL] = "servfail",
    [V_REFUSED] = "refused", [V_LAME] = "lame",     [V_BOGUS] = "bogus", [V_UNREACHABLE] = "unreachable", [V_NOT_ASKED] = "not-asked",
};

enum answer verdict_answer(enum verdict v)
{
    switch (v) {
    case V_MATCH:
        return SEEN;
    case V_ABSENT:
    case V_OTHER:
    case V_NXDOMAIN:
    case V_BOGUS:
        return NOT_THERE;
    default:
        return COULD_NOT_ASK;
    }
}

/* How long a resolver keeps this "no": RFC 2308, the smaller of the SOA's own TTL and its minimum. */
static uint32_t negative_of(const struct dns_reply *r)
{
    char mname[254];
    uint32_t serial, minimum;

    for (size_t i = 0; i < r->n; i++)
        if (r->rr[i].section == SECTION_AUTHORITY && r->rr[i].type == TYPE_SOA && dns_soa(r->rr[i].rdata, mname, &serial, &minimum))
            return minimum < r->rr[i].ttl ? minimum : r->rr[i].ttl;
    return 0;
}

/* The end of the CNAME chain within the answer; a loop ends after 16 links. */
static void chain_end(const struct dns_reply *r, char name[254])
{
    for (unsigned hops = 0; hops < 16; hops++) {
        bool moved = false;

        for (size_t i = 0; i < r->n && !moved; i++)
            if (r->rr[i].section == SECTION_ANSWER && r->rr[i].type == TYPE_CNAME && name_same(r->rr[i].owner, name))
                moved = dns_name_rdata(r->rr[i].rdata, name);
        if (!moved)
            return;
    }
}

static enum verdict look_for(const struct dns_reply *r, const char *name, struct bytes value, uint32_t *ttl, uint32_t *negative_ttl)
{
    enum verdict v = V_ABSENT;
    uint8_t text[65536];
    size_t n;

    for (size_t i = 0; i < r->n; i++) {
        const struct dns_rr *rr = &r->rr[i];

        if (rr->section != SECTION_ANSWER || rr->type != TYPE_TXT || !name_same(rr->owner, name))
            continue;
        *ttl = rr->ttl;
        if (dns_txt_value(rr->rdata, text, sizeof text, &n) && n == value.n && (n == 0 || memcmp(text, value.p, n) == 0))
            return V_MATCH;
        v = V_OTHER;
    }
    if (v == V_ABSENT)
        *negative_ttl = negative_of(r);
    return v;
}

enum verdict verdict_of(const struct dns_reply *r, const char *owner, struct bytes value, bool authority, uint32_t *ttl,
                        uint32_t *negative_ttl)
{
    char name[254];

    *ttl = *negative_ttl = 0;
    if (r->rcode == DNS_REFUSED || r->rcode == DNS_NOTAUTH)
        return V_REFUSED;
    if (r->rcode != DNS_NOERROR && r->rcode != DNS_NXDOMAIN)
        return V_SERVFAIL;
    if (authority && !r->aa)
        return V_LAME;
    if (r->rcode == DNS_NXDOMAIN) {
        *negative_ttl = negative_of(r);
        return V_NXDOMAIN;
    }
    strncpy(name, owner, sizeof name - 1);
    name[sizeof name - 1] = '\0';
    if (!authority) /* an authority with a CNAME here does not have the TXT, whatever else it put into its answer */
        chain_end(r, name);
    return look_for(r, name, value, ttl, negative_ttl);
}
