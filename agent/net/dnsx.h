/* dnsx.h: one DNS question to one server, and its answer as it came.
 *
 * Built by hand, parsed by ldns, carried by c-ares (UDP with fallback to TCP, or TCP alone), over TLS (RFC 7858) or HTTPS (RFC 8484).
 * Questions are sent in mixed case and the answer must echo them; ids and ports are random. A channel a server and transport, at most a
 * window of 50 questions in flight each: the rest waits in line, at most three times its limit, unless the server answers others meanwhile. An
 * answer by UDP that is truncated, unreadable or does not echo the question is asked for once more by TCP, where nobody can forge it; a FORMERR
 * to EDNS is asked once more without. A server with 5 timeouts in a row, and no answer since they were sent, is asked no more within this run for
 * questions marked `may_skip`.
 *
 * Any rcode is success: who asked judges. An error (RC_NET) means that nobody could be asked: codes DNS_TIMEOUT, DNS_UNREACHABLE,
 * DNS_REFUSED_CONNECTION, DNS_MALFORMED (an answer that cannot be parsed or does not fit the question; a name without wire form),
 * DNS_SKIPPED, DNS_SECURE (TLS or HTTP failed; the text says how). DoT and DoH go to the address beside the name, through [agent] proxy where there is
 * one, and the certificate must be the name's. */
#ifndef DCV_NET_DNSX_H
#define DCV_NET_DNSX_H

#include "base/record.h"
#include "net/net.h"

enum dns_rcode {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5,
    DNS_YXDOMAIN = 6,
    DNS_YXRRSET = 7,
    DNS_NXRRSET = 8,
    DNS_NOTAUTH = 9,
    DNS_NOTZONE = 10
};
enum { SECTION_ANSWER = 1, SECTION_AUTHORITY = 2, SECTION_ADDITIONAL = 3 };

struct dns_rr {
    const char *owner; /* lower case, no final dot */
    uint16_t type;
    uint8_t section;
    uint32_t ttl;
    struct bytes rdata; /* uncompressed wire form */
};

struct dns_reply {
    uint8_t rcode;
    bool aa, ad, tc, tcp; /* tcp: it came over TCP */
    bool edns;            /* an OPT record came with it: who gets one in the question owes one (RFC 6891 6.1.1) */
    uint16_t ede;         /* extended DNS error + 1; 0: none */
    const char *ede_text; /* made safe; NULL */
    size_t n, size;       /* size: octets of the message */
    const struct dns_rr *rr;
};

struct dns_ask {
    struct op op;
    const struct endpoint *to; /* caller's, until done() */
    const char *name;          /* inner form; caller's, until done() */
    uint16_t type;
    bool rd, dnssec, cd; /* recursion desired; DO; checking disabled */
    bool no_edns;        /* as before EDNS: no OPT, no DO */
    bool may_skip;
    uint32_t limit_ms;      /* 0: 5,000; from its turn on, tries and TCP included */
    struct dns_reply reply; /* valid inside done() only */
    uint32_t ms;            /* how long it took */
    void *flight;           /* dnsx's */
};

void dns_start(struct net *n, struct dns_ask *ask);
bool dns_silent(struct net *n, const struct endpoint *to); /* the last question to it (by UDP) got no answer in time */

/* Helpers for those who read replies. */
const char *dns_rcode_word(unsigned rcode);                                   /* "NXDOMAIN"; "RCODE23" */
const char *dns_ede_word(unsigned ede);                                       /* of reply.ede: "Signature Expired" (RFC 8914); "" for 0 */
bool dns_txt_value(struct bytes rdata, uint8_t *out, size_t size, size_t *n); /* strings joined; false: malformed or longer than size */
bool dns_name_rdata(struct bytes rdata, char out[254]); /* NS, CNAME, DNAME: the name in inner form; odd octets as \DDD */
bool dns_soa(struct bytes rdata, char mname[254], uint32_t *serial, uint32_t *minimum);
bool dns_addr_rdata(uint16_t type, struct bytes rdata, char out[46]);
bool dns_caa(struct bytes rdata, uint8_t *flags, char tag[16], char *value, size_t size);

/* DNSSEC, dns_sec.c. Times are wall clock, s: the 32 bits on the wire mean the moment nearest to `now` (RFC 4034 3.1.5). */
struct dns_signature {
    uint16_t covers, tag;
    uint8_t algorithm;
    int64_t from, until;
};
struct dns_key { /* of a DNSKEY, or what a DS names */
    uint16_t flags, tag;
    uint8_t algorithm;
};
bool dns_rrsig(struct bytes rdata, int64_t now, struct dns_signature *out);
bool dns_dnskey(struct bytes rdata, struct dns_key *out);
bool dns_ds(struct bytes rdata, struct dns_key *out); /* flags: 0 */
bool dns_nsec3param(struct bytes rdata, uint16_t *iterations);

/* Parses a whole message (fuzz target; stream replies too). On success *reply points into memory of one allocation, *hold, that the
 * caller frees. At most 64 KiB; false: RC_NET, DNS_MALFORMED. */
bool dns_parse(const uint8_t *msg, size_t n, struct dns_reply *reply, void **hold, struct err *e);

#endif
