/* tsig_tools.h: answers of a name server, signed by code that shares nothing with net/tsig.c: octets put together one by one and OpenSSL's
 * one-shot HMAC(). Every field can be made wrong. */
#ifndef TEST_TSIG_TOOLS_H
#define TEST_TSIG_TOOLS_H

#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct forge {
    const char *name, *alg; /* of the TSIG; dotted, lower case */
    const EVP_MD *md;
    const uint8_t *secret;
    size_t n_secret;
    uint64_t when;
    unsigned fudge, error, mac_size /* 0: full */;
    bool no_mac, wrong_mac, no_tsig, twice, not_last, trailing;
    int original_id; /* -1: as in the header */
    const uint8_t *other;
    unsigned n_other;
    unsigned class, ttl; /* of the TSIG record; 0: ANY, 0 */
};

static inline size_t put_name(uint8_t *p, const char *text)
{
    size_t n = 0;
    while (*text) {
        size_t len = strcspn(text, ".");
        p[n++] = (uint8_t)len;
        memcpy(p + n, text, len);
        n += len;
        text += len + (text[len] == '.');
    }
    p[n++] = 0;
    return n;
}

static inline size_t put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
    return 2;
}

static inline size_t put48(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 6; i++)
        p[i] = (uint8_t)(v >> (40 - 8 * i));
    return 6;
}

static inline size_t forge_record(uint8_t *p, const struct forge *f, const uint8_t *mac, unsigned mac_size, unsigned id)
{
    size_t n = put_name(p, f->name);
    n += put16(p + n, 250);
    n += put16(p + n, f->class ? f->class : 255);
    n += put16(p + n, 0);
    n += put16(p + n, f->ttl);
    size_t length = n;
    n += 2;
    n += put_name(p + n, f->alg);
    n += put48(p + n, f->when);
    n += put16(p + n, f->fudge);
    n += put16(p + n, mac_size);
    memcpy(p + n, mac, mac_size);
    n += mac_size;
    n += put16(p + n, f->original_id < 0 ? id : (unsigned)f->original_id);
    n += put16(p + n, f->error);
    n += put16(p + n, f->n_other);
    if (f->n_other)
        memcpy(p + n, f->other, f->n_other);
    n += f->n_other;
    put16(p + length, (unsigned)(n - length - 2));
    return n;
}

/* Signs the n octets of an unsigned answer in place; the new length. */
static inline size_t forge_sign(uint8_t *msg, size_t n, const uint8_t *request_mac, size_t n_request, const struct forge *f)
{
    static uint8_t in[80000];
    static const uint8_t extra[] = {0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0};
    uint8_t mac[64];
    unsigned size = 0, id = (unsigned)msg[0] << 8 | msg[1], records = f->twice ? 2 : 1;
    if (f->no_tsig)
        return n;
    size_t k = 0;
    if (n_request) {
        k += put16(in, (unsigned)n_request);
        memcpy(in + k, request_mac, n_request);
        k += n_request;
    }
    memcpy(in + k, msg, n);
    put16(in + k, f->original_id < 0 ? id : (unsigned)f->original_id);
    k += n;
    k += put_name(in + k, f->name);
    k += put16(in + k, 255);
    k += put16(in + k, 0);
    k += put16(in + k, 0);
    k += put_name(in + k, f->alg);
    k += put48(in + k, f->when);
    k += put16(in + k, f->fudge);
    k += put16(in + k, f->error);
    k += put16(in + k, f->n_other);
    if (f->n_other)
        memcpy(in + k, f->other, f->n_other);
    k += f->n_other;
    HMAC(f->md, f->secret, (int)f->n_secret, in, k, mac, &size);
    mac[0] ^= f->wrong_mac;
    if (f->mac_size)
        size = f->mac_size;
    if (f->no_mac)
        size = 0;
    for (unsigned i = 0; i < records; i++)
        n += forge_record(msg + n, f, mac, size, id);
    if (f->not_last) {
        memcpy(msg + n, extra, sizeof extra);
        n += sizeof extra;
        records++;
    }
    put16(msg + 10, ((unsigned)msg[10] << 8 | msg[11]) + records);
    if (f->trailing)
        msg[n++] = 0;
    return n;
}

#endif
