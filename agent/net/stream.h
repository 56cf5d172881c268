/* stream.h: framed DNS messages (two octets of length) on one TCP connection to one server: for UPDATEs and reads at the update server.
 *
 * Opened on first use, kept, several exchanges may be under way; answers are matched by message id. A connection that was idle and is found
 * closed is reopened once, but an exchange whose octets may have left is never sent twice by this module: it fails with code
 * STREAM_UNSURE and the caller reads back. Faults are RC_NET: STREAM_CONNECT (nothing was sent), STREAM_UNSURE, STREAM_TIMEOUT (also unsure).
 * A server given by name is looked up at first use (net/resolve.h); all its addresses are tried in order, 5 s each. */
#ifndef DCV_NET_STREAM_H
#define DCV_NET_STREAM_H

#include "base/record.h"
#include "net/net.h"

struct stream;

struct exchange {
    struct op op;
    struct bytes out;  /* the message with its id; the caller's until done() */
    struct bytes in;   /* the answer; valid inside done() only; at most 65,535 octets */
    uint32_t limit_ms; /* 0: 10,000; counted from stream_send */
    const char
        *durable; /* name of the durable point (base/fault.h) right after its octets were handed to the kernel; NULL: it changes nothing */
    bool sent;    /* at least one octet may have left */
    void *impl;   /* stream's */
};

/* `to` is copied; its port, 53 where it has none. The connection may be warmed at once: stream_warm() connects without sending. */
struct stream *stream_open(struct net *n, const struct endpoint *to);
void stream_warm(struct stream *s);

/* A random id that no exchange under way has, nor one whose late answer may still come: for the message of the next stream_send(). */
uint16_t stream_id(struct stream *s);
void stream_send(struct stream *s, struct exchange *x);
void stream_close(struct stream *s); /* NULL allowed. What is under way must have been cancelled; else it is settled with STREAM_UNSURE */

#endif
