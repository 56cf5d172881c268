/* dns_question.c: one question as a packet, and whether an answer echoes it. */
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "net/dns_impl.h"

enum { CLASS_IN = 1, FLAG_QR = 0x80, OPCODE = 0x78 };

bool question_random(struct question *q)
{
    return getrandom(&q->id, sizeof q->id, 0) == sizeof q->id && getrandom(q->mask, sizeof q->mask, 0) == sizeof q->mask;
}

static void mix(uint8_t *name, size_t n, const uint8_t mask[32])
{
    size_t label = 0; /* where the next length octet stands: 65..90 as a length is no letter */
    for (size_t i = 0; i < n; i++) {
        if (i == label) {
            label += (size_t)name[i] + 1;
            continue;
        }
        uint8_t c = name[i] | 0x20;
        if (c >= 'a' && c <= 'z')
            name[i] = (mask[i / 8] >> (i % 8)) & 1 ? c & ~0x20 : c;
    }
}

static ldns_rdf *wire_name(const struct question *q)
{
    ldns_rdf *name = ldns_dname_new_frm_str(*q->name ? q->name : ".");
    if (name)
        mix(ldns_rdf_data(name), ldns_rdf_size(name), q->mask);
    return name;
}

size_t question_build(const struct question *q, uint8_t out[QUESTION_MAX])
{
    ldns_rdf *name = wire_name(q);
    if (!name)
        return 0;
    uint16_t flags = (q->rd ? LDNS_RD : 0) | (q->cd ? LDNS_CD : 0);
    ldns_pkt *p = ldns_pkt_query_new(name, q->type, LDNS_RR_CLASS_IN, flags);
    if (!p) {
        ldns_rdf_deep_free(name);
        return 0;
    }
    ldns_pkt_set_id(p, q->id);
    if (q->edns) {
        ldns_pkt_set_edns_udp_size(p, DNS_UDP_SIZE);
        ldns_pkt_set_edns_do(p, q->dnssec);
    }
    uint8_t *wire = NULL;
    size_t n = 0;
    if (ldns_pkt2wire(&wire, p, &n) != LDNS_STATUS_OK || n > QUESTION_MAX)
        n = 0;
    if (n)
        memcpy(out, wire, n);
    free(wire); /* 64 KiB by ldns, whatever the packet */
    ldns_pkt_free(p);
    return n;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool same_name(const uint8_t *a, const uint8_t *b, size_t n, bool exact)
{
    for (size_t i = 0; i < n; i++)
        if (exact ? a[i] != b[i] : lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

bool question_echoed(const struct question *q, bool exact, const uint8_t *msg, size_t n)
{
    if (n < DNS_HEADER || (msg[0] << 8 | msg[1]) != q->id || !(msg[2] & FLAG_QR) || (msg[2] & OPCODE) || msg[4] || msg[5] != 1)
        return false;
    ldns_rdf *name = wire_name(q);
    if (!name)
        return false;
    size_t len = ldns_rdf_size(name);
    bool same = false;
    if (n >= DNS_HEADER + len + 4) {
        const uint8_t *tail = msg + DNS_HEADER + len;
        same = same_name(ldns_rdf_data(name), msg + DNS_HEADER, len, exact) && (tail[0] << 8 | tail[1]) == q->type &&
               (tail[2] << 8 | tail[3]) == CLASS_IN;
    }
    ldns_rdf_deep_free(name);
    return same;
}
