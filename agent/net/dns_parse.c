/* dns_parse.c: a message into a struct dns_reply. ldns takes it apart; here it is put into one block, names escaped. */
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "net/dns_impl.h"
#include "net/dns_name.h"

enum { MESSAGE_MAX = 65535, RRS_MAX = 2000, EDE_TEXT = 256, EDNS_EDE = 15, CODE_MAX = 65534 };

/* A counting pass with p == NULL, then the same again into memory of that size. */
struct block {
    uint8_t *p;
    size_t n;
};

static void *take(struct block *b, size_t n)
{
    void *p = b->p ? b->p + b->n : NULL;
    b->n += n;
    return p;
}

static void put_owner(struct block *b, struct dns_rr *rr, const ldns_rdf *owner)
{
    char text[DNS_NAME_TEXT];
    size_t n = dns_name_text(ldns_rdf_data(owner), ldns_rdf_size(owner), text, sizeof text, NULL) ? strlen(text) + 1 : 0;
    char *p = take(b, n);
    if (p && n)
        rr->owner = memcpy(p, text, n);
}

static void put_rdata(struct block *b, struct dns_rr *rr, const ldns_rr *from)
{
    size_t start = b->n;
    for (size_t i = 0; i < ldns_rr_rd_count(from); i++) {
        const ldns_rdf *f = ldns_rr_rdf(from, i);
        void *p = take(b, ldns_rdf_size(f));
        if (p && ldns_rdf_size(f))
            memcpy(p, ldns_rdf_data(f), ldns_rdf_size(f));
    }
    if (b->p)
        rr->rdata = (struct bytes){b->p + start, b->n - start};
}

static void put_section(struct block *b, struct dns_reply *reply, struct dns_rr *rrs, uint8_t section, const ldns_rr_list *l)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(l); i++) {
        const ldns_rr *from = ldns_rr_list_rr(l, i);
        struct dns_rr none, *rr = rrs ? &rrs[reply->n] : &none;
        *rr = (struct dns_rr){.owner = "", .type = (uint16_t)ldns_rr_get_type(from), .section = section, .ttl = ldns_rr_ttl(from)};
        put_owner(b, rr, ldns_rr_owner(from));
        put_rdata(b, rr, from);
        reply->n++;
    }
}

static void put_rrs(struct block *b, struct dns_reply *reply, struct dns_rr *rrs, const ldns_pkt *p)
{
    reply->n = 0;
    put_section(b, reply, rrs, SECTION_ANSWER, ldns_pkt_answer(p));
    put_section(b, reply, rrs, SECTION_AUTHORITY, ldns_pkt_authority(p));
    put_section(b, reply, rrs, SECTION_ADDITIONAL, ldns_pkt_additional(p));
}

/* The first extended DNS error (RFC 8914): two octets of code, then text without an end. */
static void read_ede(ldns_pkt *p, struct dns_reply *reply, char text[EDE_TEXT])
{
    ldns_edns_option_list *l = ldns_pkt_edns_get_option_list(p);
    for (size_t i = 0; i < ldns_edns_option_list_get_count(l); i++) {
        ldns_edns_option *o = ldns_edns_option_list_get_option(l, i);
        size_t n = ldns_edns_get_size(o);
        if ((int)ldns_edns_get_code(o) != EDNS_EDE || n < 2)
            continue;
        const uint8_t *d = ldns_edns_get_data(o);
        unsigned code = d[0] << 8 | d[1];
        reply->ede = (uint16_t)((code < CODE_MAX ? code : CODE_MAX) + 1);
        text_safe(text, EDE_TEXT, d + 2, n - 2);
        return;
    }
}

static void fill(ldns_pkt *p, struct dns_reply *reply, void **hold)
{
    char ede_text[EDE_TEXT] = "";
    unsigned rcode = (unsigned)ldns_pkt_get_rcode(p) | (unsigned)ldns_pkt_edns_extended_rcode(p) << 4;
    reply->rcode = rcode < UINT8_MAX ? (uint8_t)rcode : UINT8_MAX;
    reply->aa = ldns_pkt_aa(p);
    reply->ad = ldns_pkt_ad(p);
    reply->tc = ldns_pkt_tc(p);
    reply->edns = ldns_pkt_edns(p);
    read_ede(p, reply, ede_text);
    struct block b = {NULL, 0};
    put_rrs(&b, reply, NULL, p);
    size_t rrs = reply->n * sizeof(struct dns_rr), ede = strlen(ede_text) + 1;
    uint8_t *m = mem_new(rrs + b.n + ede);
    reply->rr = (struct dns_rr *)m;
    b = (struct block){m, rrs};
    put_rrs(&b, reply, (struct dns_rr *)m, p);
    if (*ede_text)
        reply->ede_text = memcpy(m + b.n, ede_text, ede);
    *hold = m;
}

static bool malformed(struct err *e, const char *why)
{
    return err_set(e, RC_NET, "DNS_MALFORMED", "the DNS answer cannot be read: %s", why);
}

static unsigned count_rrs(const uint8_t *msg)
{
    unsigned n = 0;
    for (int at = 6; at < DNS_HEADER; at += 2)
        n += msg[at] << 8 | msg[at + 1];
    return n;
}

bool dns_parse(const uint8_t *msg, size_t n, struct dns_reply *reply, void **hold, struct err *e)
{
    *reply = (struct dns_reply){.size = n};
    *hold = NULL;
    if (n < DNS_HEADER)
        return malformed(e, "it is shorter than a header");
    if (n > MESSAGE_MAX)
        return malformed(e, "it is longer than 64 KiB");
    if (count_rrs(msg) > RRS_MAX)
        return malformed(e, "more than 2,000 records");
    ldns_pkt *p = NULL;
    ldns_status s = ldns_wire2pkt(&p, msg, n);
    if (s != LDNS_STATUS_OK || !p)
        return malformed(e, s != LDNS_STATUS_OK ? ldns_get_errorstr_by_id(s) : "empty");
    fill(p, reply, hold);
    ldns_pkt_free(p);
    return true;
}
