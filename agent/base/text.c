#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

struct range {
    uint32_t from, to;
};

static bool in_ranges(uint32_t code, const struct range *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (code >= r[i].from && code <= r[i].to)
            return true;
    return false;
}
#define IN(code, table) in_ranges(code, table, sizeof(table) / sizeof((table)[0]))

size_t text_utf8(const void *in, size_t n, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *p = in;
    if (!n)
        return 0;
    size_t len = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
    if (!len || len > n)
        return 0;
    uint32_t c = len == 1 ? p[0] : p[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *code = c;
    return len;
}

bool text_is_utf8(const void *in, size_t n)
{
    const uint8_t *p = in;
    uint32_t code;
    while (n) {
        size_t len = text_utf8(p, n, &code);
        if (!len)
            return false;
        p += len;
        n -= len;
    }
    return true;
}

bool text_harmless(uint32_t code)
{
    static const struct range bad[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},                                         /* C0, DEL, C1 */
        {0x61c, 0x61c},   {0x200e, 0x200f}, {0x202a, 0x202e}, {0x2066, 0x2069}, /* direction of text */
        {0x2028, 0x2029}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
    };
    return !IN(code, bad);
}

/* Length of the harmless character at p, 0 where the octet must be escaped. */
static size_t plain(const uint8_t *p, size_t n)
{
    uint32_t code;
    size_t len = text_utf8(p, n, &code);
    return len && text_harmless(code) ? len : 0;
}

char *text_safe(char *out, size_t size, const void *in, size_t n)
{
    static const char dots[] = "...";
    const uint8_t *p = in;
    size_t used = 0, fits = 0; /* fits: up to here there is still room for the dots */
    if (!size)
        return out;
    while (n) {
        size_t take = plain(p, n), want = take ? take : 4;
        if (used + want >= size) {
            size_t room = size - 1 - fits;
            memcpy(out + fits, dots, room < 3 ? room : 3);
            used = fits + (room < 3 ? room : 3);
            break;
        }
        if (take) {
            memcpy(out + used, p, take);
        } else {
            char hex[5];
            snprintf(hex, sizeof(hex), "\\x%02x", *p);
            memcpy(out + used, hex, 4);
        }
        used += want;
        if (used + 3 < size)
            fits = used;
        p += take ? take : 1;
        n -= take ? take : 1;
    }
    out[used] = '\0';
    return out;
}

void text_txt(struct str *out, const void *in, size_t n)
{
    const uint8_t *p = in;
    while (n) {
        size_t take = plain(p, n);
        if (take && (*p == '"' || *p == '\\'))
            str_fmt(out, "\\%c", *p);
        else if (take)
            str_put(out, p, take);
        else
            str_fmt(out, "\\%03u", *p);
        p += take ? take : 1;
        n -= take ? take : 1;
    }
}

void text_percent(struct str *out, const void *in, size_t n)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    const uint8_t *p = in;
    for (size_t i = 0; i < n; i++) {
        if (p[i] && strchr(unreserved, p[i]))
            str_put(out, p + i, 1);
        else
            str_fmt(out, "%%%02X", p[i]);
    }
}

bool hex_show(char *out, size_t size, const void *in, size_t n)
{
    static const char digit[] = "0123456789abcdef";
    const uint8_t *p = in;
    if (!size || n > (size - 1) / 2) {
        if (size)
            out[0] = '\0';
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digit[p[i] >> 4];
        out[2 * i + 1] = digit[p[i] & 15];
    }
    out[2 * n] = '\0';
    return true;
}

/* Levenshtein with one row. Words of configuration are short; beyond WORD octets the difference alone answers. */
size_t text_distance(const char *a, const char *b)
{
    enum { WORD = 63 };
    size_t row[WORD + 1], above[WORD + 1], na = strlen(a), nb = strlen(b);
    if (na > WORD || nb > WORD)
        return strcmp(a, b) == 0 ? 0 : na > nb ? na : nb;
    for (size_t j = 0; j <= nb; j++)
        row[j] = above[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0], crossed = 0; /* rows i-1 at j-1, i-2 at j-2 */
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            least = swapped && crossed + 1 < least ? crossed + 1 : least;
            crossed = above[j - 1];
            above[j - 1] = diagonal;
            diagonal = row[j];
            row[j] = change < least ? change : least;
        }
        above[nb] = diagonal;
    }
    return row[nb];
}

/* Not wcwidth(3): cron runs in the C locale, where it knows ASCII alone. */
size_t text_columns(const char *utf8)
{
    static const struct range none[] = {
        {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x64b, 0x65f},
        {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
    };
    static const struct range wide[] = {
        {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},
        {0xf900, 0xfaff},   {0xfe10, 0xfe19},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
        {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1faff}, {0x20000, 0x3fffd},
    };
    size_t n = strlen(utf8), columns = 0;
    while (n) {
        uint32_t code;
        size_t len = text_utf8(utf8, n, &code);
        if (len == 1)
            columns++;
        else if (len)
            columns += IN(code, none) ? 0 : IN(code, wide) ? 2 : 1;
        else
            columns += len = 1;
        utf8 += len;
        n -= len;
    }
    return columns;
}
