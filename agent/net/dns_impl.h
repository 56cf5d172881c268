/* dns_impl.h: between the files of dnsx: dnsx.c (requests, judgement), dns_channel.c (servers and transports) with its carriers, dns_question.c
 * (packets). */
#ifndef DCV_NET_DNS_IMPL_H
#define DCV_NET_DNS_IMPL_H

#include "net/dnsx.h"

enum { DNS_HEADER = 12, DNS_WIRE_NAME = 255, DNS_UDP_SIZE = 1232 };

/* ---- dns_question.c */

enum { QUESTION_MAX = DNS_HEADER + DNS_WIRE_NAME + 4 + 11 };

struct question {
    const char *name;
    uint16_t type, id;
    bool rd, dnssec, cd, edns;
    uint8_t mask[32]; /* a bit an octet of the name: capital where it is a letter */
};

bool question_random(struct question *q);                                   /* id and mask, from the kernel; false: errno */
size_t question_build(const struct question *q, uint8_t out[QUESTION_MAX]); /* 0: the name has no wire form */

/* Does msg answer q: a reply with its id, and its question, letter by letter where `exact`? */
bool question_echoed(const struct question *q, bool exact, const uint8_t *msg, size_t n);

/* ---- dns_channel.c: one server over one transport. A channel knows packets and their fate, not requests; who carries them is its carrier's matter. */

struct channel;
struct dns;

enum fate {
    FATE_ANSWER,
    FATE_TIMEOUT,
    FATE_REFUSED,
    FATE_UNREACHABLE,
    FATE_FAILED, /* TLS or HTTP: channel_text() says why */
    FATE_GONE    /* the channel was closed */
};

/* What channel_send was given comes back exactly once, perhaps inside channel_send. why: errno, 0 where unknown. */
typedef void fate_fn(void *item, enum fate fate, int why, const uint8_t *msg, size_t n);

bool channels_begin(struct err *e); /* once, before the first */
void channels_end(void);

/* to: VIA_UDP, VIA_TCP (c-ares), VIA_TLS, VIA_HTTPS; copied. */
struct channel *channel_new(struct net *net, const struct endpoint *to, fate_fn *fn);
void channel_rest(struct channel *c); /* idle: gives the carrier's memory back until the next channel_send */
void channel_free(struct channel *c); /* all that is under way comes back as FATE_GONE; never inside a fate_fn */
bool channel_is(const struct channel *c, const struct endpoint *to);
size_t channel_carried(const struct channel *c);
const char *channel_text(const struct channel *c);
void channel_send(struct channel *c, const uint8_t *msg, size_t n, void *item);

/* Called by the channel after each I/O or timer event, outside of c-ares and curl, where new packets may be sent. */
void channel_on_event(struct channel *c, void (*event)(void *arg), void *arg);

/* An event no later than `at` (ms, dns_ms() scale); `waits`: somebody waits for this channel, so it keeps the loop alive. */
void channel_wake(struct channel *c, int64_t at);
void channel_waits(struct channel *c, bool waits);

int64_t dns_ms(void); /* monotonic, not frozen within a round: deadlines are true after a long turn too */

/* ---- carriers: dns_ares.c (UDP, TCP), dns_tls.c (RFC 7858), dns_https.c (RFC 8484) */

struct carrier {
    size_t size;                                                             /* of its own struct, which begins with struct channel */
    void (*send)(struct channel *c, const uint8_t *msg, size_t n, void *item); /* carried is counted by channel.c */
    void (*tick)(struct channel *c); /* a timer event; gives the next one it needs by channel_wake(); NULL: none */
    void (*rest)(struct channel *c); /* nothing is carried */
    void (*close)(struct channel *c); /* hands all items back with FATE_GONE and frees what is its own */
};
extern const struct carrier by_ares, by_tls, by_https;

struct channel {
    const struct carrier *by;
    struct net *net;
    struct endpoint to;
    size_t carried;
    char text[384]; /* of FATE_FAILED */
    fate_fn *fate;
    void (*event)(void *arg);
    void *arg;
    void *timer; /* uv_timer_t */
    int64_t due; /* of the timer; 0: it does not run */
};
void channel_fate(struct channel *c, void *item, enum fate fate, int why, const uint8_t *msg, size_t n); /* a carrier's word: one is carried less */

#endif
