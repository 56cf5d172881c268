/* survey.h: one zone as the resolvers of a CA meet it. Facts, asked once and shared by all names in the zone; and, as pure functions, what the facts
 * mean (findings).
 *
 * Asked: every address of every authoritative server for the SOA by UDP (EDNS, DO) and by TCP and for the NS set; one of them for DNSKEY and
 * NSEC3PARAM; the parent's servers for the delegation and DS; every resolver for SOA (with and without CD, shared with preflight) and NS of the zone's
 * apex, which exist, so that nothing negative is cached anywhere. Names to be validated are asked of authorities alone (owner.h, zone.h).
 * All at once: a round trip to each server, a second one where it did not answer a question with EDNS or said that signatures are bogus.
 *
 * For the doctor. An order does not wait for it: which servers count is decided by visible.h with the record itself, and a server that is down
 * now may be up by then. */
#ifndef DCV_DCV_SURVEY_SURVEY_H
#define DCV_DCV_SURVEY_SURVEY_H

#include "base/endpoint.h"
#include "base/op.h"
#include "base/str.h"
#include "dcv/finding.h"

struct conf_verify;
struct dns_reply;
struct zone;
struct zones;

enum heard {
    HEARD_NOT_ASKED,
    HEARD_ANSWER,
    HEARD_SILENCE, /* no answer in time */
    HEARD_CLOSED,  /* nothing listens, no route on the way, TLS failed */
    HEARD_GARBLED  /* what came could not be read, or did not repeat the question */
};

struct survey_answer { /* one question to one address */
    enum heard heard;
    uint8_t rcode;
    bool aa, edns, tcp; /* tcp: by TCP, perhaps after UDP was cut */
    bool zone;          /* with authority, and the record asked for is in it */
    uint32_t size, ms;
};

struct survey_span { /* the signatures over one set: the time of the one that lasts longest */
    unsigned n;      /* 0: not signed */
    int64_t from, until;
};

struct survey_address {
    const struct endpoint *at;
    size_t server;          /* index among the zone's servers; of the update server: their number */
    bool no_route, ignored; /* no local route for its family; [verify] ignore= */
    struct survey_answer udp, tcp, plain; /* the SOA: by UDP with EDNS; by TCP; by UDP without EDNS, asked only where udp was not answered */
    char mname[254];
    uint32_t serial;
    struct strs ns; /* sorted */
    struct survey_span soa_signed, ns_signed;
};

struct survey_view { /* one resolver */
    const struct endpoint *at;
    struct survey_answer ns_answer;
    bool bogus; /* it holds the zone's signatures for wrong */
    bool soa;   /* it gave one: */
    char mname[254];
    uint32_t serial;
    struct strs ns; /* sorted */
};

struct survey_key {
    uint16_t tag;
    uint8_t algorithm;
};
enum { SURVEY_KEYS = 32 };

struct survey {
    struct op op;
    const struct zone *zone;
    const struct conf_verify *verify; /* of the zone: its resolvers are asked; caller's */
    const struct endpoint *primary;   /* the update server, by address, where it is none of the zone's; NULL. Caller's */
    /* out; survey_clear frees */
    struct survey_address *address;
    size_t n; /* the update server last, if any */
    struct survey_view *view;
    size_t n_view;
    struct { /* the delegation */
        char apex[254];   /* the zone above; "" where it was not found */
        bool known;       /* ns and glue are what it delegates to */
        struct strs ns;   /* sorted */
        struct endpoints glue;
        bool ds_known;
        struct survey_key ds[SURVEY_KEYS];
        size_t n_ds;
    } parent;
    struct {
        bool known;
        struct survey_key key[SURVEY_KEYS];
        size_t n;
        uint32_t size;
        struct survey_span is_signed;
    } dnskey;
    bool nsec3;
    uint16_t nsec3_iterations;
    void *impl;
};

/* Settles with success whatever was found. */
void survey_start(struct zones *z, struct survey *s);
void survey_clear(struct survey *s);

/* What the facts mean; host: the zone. survey_judge() is all of them. Pure. */
void survey_judge(const struct survey *s, int64_t now, struct findings *out);
void survey_judge_servers(const struct survey *s, struct findings *out);
void survey_judge_delegation(const struct survey *s, struct findings *out);
void survey_judge_dnssec(const struct survey *s, int64_t now, struct findings *out);
/* One set's signatures by their dates. over: "TXT set at that name". */
void survey_judge_dates(const struct survey *s, const struct survey_span *span, const char *over, int64_t now, const char *host,
                        struct findings *out);

/* Of use to several judges. */
bool survey_good(const struct survey_address *a);      /* answers for the zone, with authority */
const struct survey_address *survey_newest(const struct survey *s); /* by its serial; NULL: none answered */
bool survey_newer(uint32_t a, uint32_t b);             /* serial arithmetic, RFC 1982 */

#endif
