/* tsig.h: messages signed with a shared key, and answers checked (RFC 8945), over the octets of one message.
 *
 * Pure functions: no clock, no network. HMAC comes from OpenSSL; keys come from net/tsig_key.h. Answers are hostile until tsig_verify()
 * says TSIG_OK, and that is not yet success: the rcode is the caller's to judge. */
#ifndef DCV_NET_TSIG_H
#define DCV_NET_TSIG_H

#include "base/names.h"
#include "base/secret.h"
#include "net/wire.h"

enum tsig_alg { TSIG_MD5, TSIG_SHA1, TSIG_SHA224, TSIG_SHA256, TSIG_SHA384, TSIG_SHA512, TSIG_ALGS };
enum { TSIG_MAC_MAX = 64, TSIG_FUDGE = 300 };

struct tsig_key {
    char name[NAME_SIZE]; /* lower case, no final dot; any characters of a DNS name */
    enum tsig_alg alg;
    unsigned mac_min;     /* octets an answer's MAC must have: a key "hmac-sha256-128" gets 16; 0: all of them */
    struct secret secret; /* decoded */
};

/* What must be kept of a signed request to check its answer. */
struct tsig_sent {
    uint16_t id;
    uint8_t mac[TSIG_MAC_MAX];
    size_t n;
};

enum tsig_result {
    TSIG_OK,          /* signed with our key, within the time, no error */
    TSIG_UNSIGNED,    /* no TSIG at all */
    TSIG_FOREIGN,     /* another key or algorithm than ours */
    TSIG_BADSIG,      /* its MAC is wrong, or missing where it must not be */
    TSIG_BADKEY,      /* the server says it does not know the key (knotd: or that the key may not do this) */
    TSIG_BADSIG_SAID, /* the server says our MAC is wrong */
    TSIG_BADTIME,     /* clocks apart: the server says so, or its answer's time is outside the fudge; see skew */
    TSIG_BADTRUNC,    /* MAC cut shorter than the key allows, by the server or in its eyes */
    TSIG_ERROR,       /* another value in the error field */
    TSIG_TWO,         /* more than one */
    TSIG_NOT_LAST,    /* not the last record of the message */
    TSIG_MALFORMED,   /* the message cannot be taken apart, or is no answer to what was sent */
    TSIG_RESULTS
};

struct tsig_verdict {
    enum tsig_result result;
    bool proven;    /* the MAC is right: what the server says about our clock comes from it */
    uint16_t error; /* the error field as it came */
    int64_t skew;   /* TSIG_BADTIME: our clock minus the server's, s; 0: it did not say */
};

/* Appends the TSIG to the message in w, whose id must be final. An error (RC_RESOURCE, code TSIG) means that OpenSSL refuses the algorithm. */
bool tsig_sign(struct wire *w, const struct tsig_key *key, int64_t now, struct tsig_sent *sent, struct err *e);

/* reply: the answer to the request of `sent`. */
struct tsig_verdict tsig_verify(const uint8_t *reply, size_t n, const struct tsig_sent *sent, const struct tsig_key *key, int64_t now);

const char *tsig_alg_name(enum tsig_alg alg);     /* "hmac-sha256", "hmac-md5.sig-alg.reg.int" */
size_t tsig_alg_size(enum tsig_alg alg);          /* octets of its MAC */
const char *tsig_result_word(enum tsig_result r); /* "BADKEY" */

#endif
