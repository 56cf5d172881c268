/* tls_peer.h: a TLS connection to one address that only looks: which certificates does the server send, in which order, with which protocol?
 *
 * Nothing is verified and nothing is sent above TLS: judging is the caller's (cert/shown.h). TLS 1.2 or later, with SNI; ports 25 and 587 speak SMTP
 * and STARTTLS first. A server that wants a certificate of ours and breaks off has shown its own all the same.
 * Faults RC_NET: PEER_CONNECT (also SMTP without STARTTLS), PEER_TLS (it sent no certificate), PEER_TIMEOUT. */
#ifndef DCV_NET_TLS_PEER_H
#define DCV_NET_TLS_PEER_H

#include "base/record.h"
#include "net/net.h"

enum { PEER_CERTS = 64, PEER_OCTETS = 1 << 20 }; /* at most so many certificates, so large together; what is beyond is a fault */

struct peer {
    struct op op;
    const char *name;          /* for SNI, inner form; caller's until done() */
    struct endpoint at;        /* address and port */
    uint32_t limit_ms;         /* 0: 10,000; in all */
    struct bytes cert[PEER_CERTS]; /* out: DER as sent, the server's own first; peer_clear() frees */
    size_t n;
    char version[16], cipher[64]; /* out: "TLSv1.3"; "" where the handshake did not end */
    char broken[160];          /* out: why it did not end, though certificates came; "" */
    struct bytes staple;       /* out: OCSP response that came with it; n 0: none */
    void *impl;
};
void peer_start(struct net *n, struct peer *p);
void peer_clear(struct peer *p);

#endif
