/* wire.c: see wire.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/wire.h"

void wire_put(struct wire *w, const void *p, size_t n)
{
    if (w->bad || n > w->max - w->n) {
        w->bad = true;
        return;
    }
    if (w->n + n > w->size) {
        size_t size = w->size ? w->size : 256;
        while (size < w->n + n)
            size *= 2;
        w->p = mem_grow(w->p, size, 1);
        w->size = size;
    }
    if (n)
        memcpy(w->p + w->n, p, n);
    w->n += n;
}

void wire_u8(struct wire *w, unsigned v)
{
    uint8_t b = (uint8_t)v;
    wire_put(w, &b, 1);
}

void wire_u16(struct wire *w, unsigned v)
{
    uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    wire_put(w, b, 2);
}

void wire_u32(struct wire *w, uint32_t v)
{
    wire_u16(w, v >> 16);
    wire_u16(w, v & 0xffff);
}

void wire_u48(struct wire *w, uint64_t v)
{
    wire_u16(w, (unsigned)(v >> 32) & 0xffff);
    wire_u32(w, (uint32_t)v);
}

void wire_set16(struct wire *w, size_t at, unsigned v)
{
    if (at + 2 > w->n) {
        w->bad = true;
        return;
    }
    w->p[at] = (uint8_t)(v >> 8);
    w->p[at + 1] = (uint8_t)v;
}

/* One character of a label, escapes resolved; -1: a broken escape. */
static int label_octet(const char **t)
{
    const char *s = *t;
    if (*s != '\\') {
        *t = s + 1;
        return (unsigned char)*s;
    }
    if (isdigit((unsigned char)s[1])) {
        if (!isdigit((unsigned char)s[2]) || !isdigit((unsigned char)s[3]))
            return -1;
        int v = (s[1] - '0') * 100 + (s[2] - '0') * 10 + (s[3] - '0');
        *t = s + 4;
        return v < 256 ? v : -1;
    }
    if (!s[1])
        return -1;
    *t = s + 2;
    return (unsigned char)s[1];
}

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

void wire_name(struct wire *w, const char *text)
{
    uint8_t name[WIRE_NAME_MAX];
    size_t n = 0;
    if (strcmp(text, ".") == 0)
        text = "";
    while (*text) {
        size_t length = n++;
        while (*text && *text != '.') {
            int c = label_octet(&text);
            if (c < 0 || n >= WIRE_NAME_MAX - 1 || n - length > 63) {
                w->bad = true;
                return;
            }
            name[n++] = (uint8_t)lower(c);
        }
        if (n == length + 1 || n >= WIRE_NAME_MAX) { /* an empty label */
            w->bad = true;
            return;
        }
        name[length] = (uint8_t)(n - length - 1);
        if (*text)
            text++;
    }
    name[n++] = 0;
    wire_put(w, name, n);
}

void wire_free(struct wire *w)
{
    free(w->p);
    *w = WIRE_INIT(w->max);
}

const uint8_t *wire_in_take(struct wire_in *r, size_t n)
{
    if (r->bad || n > r->n - r->at) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *p = r->p + r->at;
    r->at += n;
    return p;
}

unsigned wire_in_u16(struct wire_in *r)
{
    const uint8_t *p = wire_in_take(r, 2);
    return p ? wire_at16(p) : 0;
}

uint32_t wire_in_u32(struct wire_in *r)
{
    uint32_t high = wire_in_u16(r);
    return high << 16 | wire_in_u16(r);
}

uint64_t wire_in_u48(struct wire_in *r)
{
    uint64_t high = wire_in_u16(r);
    return high << 32 | wire_in_u32(r);
}

size_t wire_in_name(struct wire_in *r, uint8_t out[WIRE_NAME_MAX])
{
    size_t at = r->at, end = 0, n = 0, lowest = at;
    while (!r->bad && at < r->n) {
        unsigned length = r->p[at];
        if (length >= 0xc0) { /* a pointer: only backwards, so that no chain of them is endless */
            size_t to = at + 1 < r->n ? (size_t)(length & 0x3f) << 8 | r->p[at + 1] : r->n;
            if (to >= lowest)
                break;
            end = end ? end : at + 2;
            at = lowest = to;
            continue;
        }
        if (length > 63 || n + length + 1 > WIRE_NAME_MAX || length + 1 > r->n - at)
            break;
        out[n++] = (uint8_t)length;
        for (unsigned i = 1; i <= length; i++)
            out[n++] = (uint8_t)lower(r->p[at + i]);
        at += length + 1;
        if (!length) {
            r->at = end ? end : at;
            return n;
        }
    }
    r->bad = true;
    return 0;
}

void wire_in_skip_name(struct wire_in *r)
{
    uint8_t name[WIRE_NAME_MAX];
    wire_in_name(r, name);
}
