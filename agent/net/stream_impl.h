/* stream_impl.h: what stream.c (the connection) and stream_slot.c (the exchanges on it) share. */
#ifndef DCV_NET_STREAM_IMPL_H
#define DCV_NET_STREAM_IMPL_H

#include "net/loop_uv.h"
#include "net/resolve.h"
#include "net/stream.h"

/* An exchange under way. It outlives a cancelled or expired one (x NULL) until the late answer or the end of the connection, so that its id
 * is not given out again meanwhile. */
struct slot {
    struct op reap; /* frees the slot and the answer after the exchange's done(): settled ops are delivered in order */
    struct exchange *x;
    struct stream *s;
    uint16_t id;
    bool sent;
    int64_t deadline;
    uint8_t *answer;
    struct slot *prev, *next;
};

struct conn {
    uv_tcp_t tcp; /* first: loop_uv_close() frees the block by it */
    uv_connect_t connect;
    struct stream *s; /* NULL: given up */
    bool up;
    uint8_t *in;
    size_t n, size;
};

struct stream {
    struct net *net;
    struct endpoint to;
    char shown[320];
    struct endpoints addrs;
    size_t next_addr;
    struct resolve resolve;
    struct conn *conn;
    unsigned opened; /* connections made since the last answer: one may be lost idle, a second failure is final */
    int64_t connect_deadline;
    uv_timer_t *timer;
    struct slot *first, *last;
    unsigned live;  /* slots somebody waits for */
    struct err why; /* of the last failed connect */
};

void slot_free(struct slot *t);
void slot_settle(struct slot *t, const struct err *e);

/* Its exchange is of no more interest, but a sent one keeps its place: the answer may still come. */
void slot_abandon(struct slot *t);

/* Why it fails, when the connection is gone or (late) its time is over. */
struct err slot_fault(const struct stream *s, const struct slot *t, bool late);
void slot_fail(struct slot *t);

#endif
