/* dns_rdata.c: values inside records. Input is uncompressed and still hostile: every length is checked. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "net/dns_name.h"
#include "net/dnsx.h"

enum { NAME_WIRE = 255, LABEL_MAX = 63, SOA_TAIL = 20 };

static bool plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '*' || c == '/';
}

/* One label behind what stands in out at `at`; 0: no room. */
static size_t put_label(const uint8_t *p, size_t n, char *out, size_t size, size_t at)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t c = p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i];
        size_t need = plain(c) ? 1 : 4;
        if (at + need >= size)
            return 0;
        if (need == 1)
            out[at] = (char)c;
        else
            snprintf(out + at, size - at, "\\%03u", c);
        at += need;
    }
    return at;
}

bool dns_name_text(const uint8_t *p, size_t n, char *out, size_t size, size_t *used)
{
    size_t at = 0, i = 0;
    while (i < n && p[i]) {
        size_t len = p[i++];
        if (len > LABEL_MAX || len >= n - i || i + len >= NAME_WIRE)
            return false;
        if (at) {
            if (at + 1 >= size)
                return false;
            out[at++] = '.';
        }
        at = put_label(p + i, len, out, size, at);
        if (!at)
            return false;
        i += len;
    }
    if (i >= n || at >= size)
        return false;
    out[at] = '\0';
    if (used)
        *used = i + 1;
    return true;
}

const char *dns_rcode_word(unsigned rcode)
{
    static const char *const words[] = {"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
                                        "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE"};
    static char other[16]; /* one thread reads replies */
    if (rcode < sizeof words / sizeof *words)
        return words[rcode];
    if (rcode == 16)
        return "BADVERS";
    snprintf(other, sizeof other, "RCODE%u", rcode);
    return other;
}

const char *dns_ede_word(unsigned ede)
{
    static const char *const words[] = {"Other Error",
                                        "Unsupported DNSKEY Algorithm",
                                        "Unsupported DS Digest Type",
                                        "Stale Answer",
                                        "Forged Answer",
                                        "DNSSEC Indeterminate",
                                        "DNSSEC Bogus",
                                        "Signature Expired",
                                        "Signature Not Yet Valid",
                                        "DNSKEY Missing",
                                        "RRSIGs Missing",
                                        "No Zone Key Bit Set",
                                        "NSEC Missing",
                                        "Cached Error",
                                        "Not Ready",
                                        "Blocked",
                                        "Censored",
                                        "Filtered",
                                        "Prohibited",
                                        "Stale NXDOMAIN Answer",
                                        "Not Authoritative",
                                        "Not Supported",
                                        "No Reachable Authority",
                                        "Network Error",
                                        "Invalid Data"};
    static char other[24]; /* one thread reads replies */
    if (!ede)
        return "";
    if (ede - 1 < sizeof words / sizeof *words)
        return words[ede - 1];
    snprintf(other, sizeof other, "error %u", ede - 1);
    return other;
}

bool dns_txt_value(struct bytes rdata, uint8_t *out, size_t size, size_t *n)
{
    size_t i = 0, at = 0;
    if (!rdata.n)
        return false;
    while (i < rdata.n) {
        size_t len = rdata.p[i++];
        if (len > rdata.n - i || len > size - at)
            return false;
        if (len)
            memcpy(out + at, rdata.p + i, len);
        i += len;
        at += len;
    }
    *n = at;
    return true;
}

bool dns_name_rdata(struct bytes rdata, char out[254])
{
    size_t used;
    return dns_name_text(rdata.p, rdata.n, out, 254, &used) && used == rdata.n;
}

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

bool dns_soa(struct bytes rdata, char mname[254], uint32_t *serial, uint32_t *minimum)
{
    char rname[DNS_NAME_TEXT];
    size_t m, r;
    if (!dns_name_text(rdata.p, rdata.n, mname, 254, &m) || !dns_name_text(rdata.p + m, rdata.n - m, rname, sizeof rname, &r) ||
        rdata.n - m - r != SOA_TAIL)
        return false;
    const uint8_t *tail = rdata.p + m + r;
    *serial = u32(tail);
    *minimum = u32(tail + SOA_TAIL - 4);
    return true;
}

bool dns_addr_rdata(uint16_t type, struct bytes rdata, char out[46])
{
    if (type == TYPE_A && rdata.n == 4)
        return inet_ntop(AF_INET, rdata.p, out, 46) != NULL;
    if (type == TYPE_AAAA && rdata.n == 16)
        return inet_ntop(AF_INET6, rdata.p, out, 46) != NULL;
    return false;
}

bool dns_caa(struct bytes rdata, uint8_t *flags, char tag[16], char *value, size_t size)
{
    if (rdata.n < 2)
        return false;
    size_t n_tag = rdata.p[1], n_value;
    if (!n_tag || n_tag > 15 || n_tag > rdata.n - 2)
        return false;
    for (size_t i = 0; i < n_tag; i++) {
        uint8_t c = rdata.p[2 + i];
        c = c >= 'A' && c <= 'Z' ? c | 0x20 : c; /* tags match in any case (RFC 8659 4.1) */
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
            return false;
        tag[i] = (char)c;
    }
    tag[n_tag] = '\0';
    n_value = rdata.n - 2 - n_tag;
    const uint8_t *v = rdata.p + 2 + n_tag;
    if (n_value >= size || memchr(v, '\0', n_value))
        return false;
    memcpy(value, v, n_value);
    value[n_value] = '\0';
    *flags = rdata.p[0];
    return true;
}
