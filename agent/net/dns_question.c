/* dns_question.c: one question as a packet, and whether an answer echoes it. */
#include <string.h>
#include <sys/random.h>

#include "net/dns_impl.h"
#include "net/wire.h"

enum { FLAG_QR = 0x80, OPCODE = 0x78, RD = 0x0100, CD = 0x0010, TYPE_OPT = 41, DO = 0x8000, POOL = 4096 };

/* Thousands of questions a second would spend more time in the kernel for their randomness than for their packets. */
static bool take_random(void *out, size_t n)
{
    static uint8_t pool[POOL];
    static size_t left;
    if (left < n) {
        if (getrandom(pool, sizeof pool, 0) != sizeof pool)
            return false;
        left = sizeof pool;
    }
    left -= n;
    memcpy(out, pool + left, n);
    memset(pool + left, 0, n);
    return true;
}

bool question_random(struct question *q)
{
    return take_random(&q->id, sizeof q->id) && take_random(q->mask, sizeof q->mask);
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

/* The name in the case that was drawn for it; its length, 0: it has no wire form. */
static size_t mixed_name(const struct question *q, uint8_t out[DNS_WIRE_NAME])
{
    struct wire w = {.p = out, .size = DNS_WIRE_NAME, .max = DNS_WIRE_NAME};
    wire_name(&w, q->name);
    if (w.bad)
        return 0;
    mix(out, w.n, q->mask);
    return w.n;
}

size_t question_build(const struct question *q, uint8_t out[QUESTION_MAX])
{
    uint8_t name[DNS_WIRE_NAME];
    size_t n = mixed_name(q, name);
    struct wire w = {.p = out, .size = QUESTION_MAX, .max = QUESTION_MAX};
    if (!n)
        return 0;
    wire_u16(&w, q->id);
    wire_u16(&w, (q->rd ? RD : 0) | (q->cd ? CD : 0));
    wire_u16(&w, 1);
    wire_u32(&w, 0);
    wire_u16(&w, q->edns);
    wire_put(&w, name, n);
    wire_u16(&w, q->type);
    wire_u16(&w, CLASS_IN);
    if (q->edns) {
        wire_u8(&w, 0);
        wire_u16(&w, TYPE_OPT);
        wire_u16(&w, DNS_UDP_SIZE);
        wire_u32(&w, q->dnssec ? DO : 0);
        wire_u16(&w, 0);
    }
    return w.bad ? 0 : w.n;
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
    uint8_t name[DNS_WIRE_NAME];
    size_t len = mixed_name(q, name);
    if (!len || n < DNS_HEADER + len + 4)
        return false;
    const uint8_t *tail = msg + DNS_HEADER + len;
    return same_name(name, msg + DNS_HEADER, len, exact) && wire_at16(tail) == q->type && wire_at16(tail + 2) == CLASS_IN;
}
