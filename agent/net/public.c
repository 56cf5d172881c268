#include "net/public.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct range {
    uint8_t at[16];
    unsigned bits;
};

static bool within(const uint8_t *p, const struct range *r)
{
    unsigned whole = r->bits / 8, rest = r->bits % 8;
    return memcmp(p, r->at, whole) == 0 && (!rest || ((p[whole] ^ r->at[whole]) & (0xff << (8 - rest)) & 0xff) == 0);
}

static bool in_any(const uint8_t *p, const struct range *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (within(p, &r[i]))
            return true;
    return false;
}

static bool public4(const uint8_t *p)
{
    static const struct range not_global[] = {
        {{0}, 8},
        {{10}, 8},
        {{100, 64}, 10},
        {{127}, 8},
        {{169, 254}, 16},
        {{172, 16}, 12},
        {{192, 0, 0}, 24},
        {{192, 0, 2}, 24},
        {{192, 88, 99}, 24},
        {{192, 168}, 16},
        {{198, 18}, 15},
        {{198, 51, 100}, 24},
        {{203, 0, 113}, 24},
        {{224}, 3},
    };
    return !in_any(p, not_global, sizeof not_global / sizeof *not_global);
}

static bool public6(const uint8_t *p)
{
    static const struct range mapped = {{[10] = 0xff, 0xff}, 96}, nat64 = {{0, 0x64, 0xff, 0x9b}, 96}, six_to_four = {{0x20, 0x02}, 16},
                              global = {{0x20}, 3};
    static const struct range not_global[] = {
        {{0x20, 0x01}, 23},             /* protocol assignments: Teredo, benchmarking, ORCHID */
        {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
        {{0x3f, 0xff}, 20},             /* documentation */
    };
    if (within(p, &mapped) || within(p, &nat64))
        return public4(p + 12);
    if (within(p, &six_to_four))
        return public4(p + 2);
    return within(p, &global) && !in_any(p, not_global, sizeof not_global / sizeof *not_global);
}

bool address_public(const char *addr)
{
    uint8_t octets[16];
    if (inet_pton(AF_INET, addr, octets) == 1)
        return public4(octets);
    return inet_pton(AF_INET6, addr, octets) == 1 && public6(octets);
}
