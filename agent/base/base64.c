#include "base/base64.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
static const char plain[] = LETTERS "+/", url[] = LETTERS "-_";

static void put(struct str *out, const uint8_t *p, size_t n, const char *alphabet, bool padded)
{
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);
        char four[4] = {alphabet[v >> 18], alphabet[v >> 12 & 63], alphabet[v >> 6 & 63], alphabet[v & 63]};
        if (left < 3)
            memset(four + left + 1, '=', 3 - left);
        str_put(out, four, left > 2 || padded ? 4 : left + 1);
    }
}

void b64_put(struct str *out, const void *p, size_t n)
{
    put(out, p, n, plain, true);
}

void b64url_put(struct str *out, const void *p, size_t n)
{
    put(out, p, n, url, false);
}

static int value_of(char c)
{
    const char *at = c ? strchr(url, c) : NULL;
    if (at)
        return (int)(at - url);
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool b64url_read(const char *text, size_t n, struct secret *out)
{
    for (int pad = 0; n && text[n - 1] == '=' && pad < 2; pad++)
        n--;
    if (n == 0 || n % 4 == 1)
        return false;
    uint8_t *p = mem_new(n);
    size_t used = 0;
    uint32_t v = 0;
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        int d = value_of(text[i]);
        ok = d >= 0;
        v = v << 6 | (uint32_t)(d & 63);
        if (i % 4)
            p[used++] = (uint8_t)(v >> (6 - 2 * (i % 4)));
    }
    if (ok)
        secret_set(out, p, used);
    explicit_bzero(p, n);
    free(p);
    return ok;
}
