/* wire.h: DNS messages octet by octet: a writer that grows to a limit, a reader that never leaves its bounds.
 *
 * For messages that are built or cut by hand: UPDATE, signed questions, TSIG. Both remember the first fault, so that callers
 * check once at the end. Names are written without compression and always in lower case. */
#ifndef DCV_NET_WIRE_H
#define DCV_NET_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_NAME_MAX = 255, WIRE_MESSAGE_MAX = 65535, WIRE_HEADER = 12 };
enum { CLASS_IN = 1, CLASS_NONE = 254, CLASS_ANY = 255 };

struct wire {
    uint8_t *p;
    size_t n, size, max;
    bool bad; /* did not fit, or a name that is none */
};
#define WIRE_INIT(limit) ((struct wire){.max = (limit)})

void wire_put(struct wire *w, const void *p, size_t n);
void wire_u8(struct wire *w, unsigned v);
void wire_u16(struct wire *w, unsigned v);
void wire_u32(struct wire *w, uint32_t v);
void wire_u48(struct wire *w, uint64_t v);
void wire_set16(struct wire *w, size_t at, unsigned v); /* over octets that are written already */

/* "www.example.hk", final dot or not, "" is the root; \DDD and \X as in zone files. */
void wire_name(struct wire *w, const char *text);
void wire_free(struct wire *w); /* empty again, limit kept */

struct wire_in {
    const uint8_t *p;
    size_t n, at;
    bool bad; /* read beyond the end, or a malformed name; everything read afterwards is 0 */
};

unsigned wire_in_u16(struct wire_in *r);
uint32_t wire_in_u32(struct wire_in *r);
uint64_t wire_in_u48(struct wire_in *r);
const uint8_t *wire_in_take(struct wire_in *r, size_t n); /* NULL: not that many left */
void wire_in_skip_name(struct wire_in *r);

/* Uncompressed and in lower case; its length, 0 where it is malformed. */
size_t wire_in_name(struct wire_in *r, uint8_t out[WIRE_NAME_MAX]);

static inline unsigned wire_at16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

#endif
