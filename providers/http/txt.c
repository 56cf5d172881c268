/* txt.c: TXT content as APIs write it (RFC 1035 5.1), and text in URLs. Pure. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "providers/http/api.h"

enum { STRING_MAX = 255 };

void txt_quote(struct str *out, struct bytes value)
{
    size_t at = 0;
    do {
        str_add(out, at ? " \"" : "\"");
        for (size_t end = at + STRING_MAX; at < value.n && at < end; at++) {
            uint8_t c = value.p[at];
            if (c == '"' || c == '\\')
                str_fmt(out, "\\%c", c);
            else if (c < ' ' || c > '~')
                str_fmt(out, "\\%03u", c);
            else
                str_put(out, &c, 1);
        }
        str_add(out, "\"");
    } while (at < value.n);
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What stands behind a backslash: three digits or one character. NULL: neither. */
static const char *escaped(const char *p, uint8_t *c)
{
    if (digit(p[0])) {
        if (!digit(p[1]) || !digit(p[2]))
            return NULL;
        int n = (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
        *c = (uint8_t)n;
        return n <= 255 ? p + 3 : NULL;
    }
    *c = (uint8_t)*p;
    return *p ? p + 1 : NULL;
}

/* One string from behind its opening quote to behind the closing one. */
static const char *string(const char *p, uint8_t *out, size_t *n)
{
    while (p && *p && *p != '"') {
        if (*p == '\\')
            p = escaped(p + 1, &out[*n]);
        else
            out[*n] = (uint8_t)*p++;
        ++*n;
    }
    return p && *p ? p + 1 : NULL;
}

bool txt_unquote(const char *text, uint8_t **p, size_t *n)
{
    uint8_t *out = mem_new(strlen(text) + 1);
    const char *at = text + strspn(text, " \t");
    bool any = false;
    *n = 0;
    while (at && *at == '"') {
        any = true;
        at = string(at + 1, out, n);
        if (at)
            at += strspn(at, " \t");
    }
    if (any && at && !*at) {
        *p = out;
        return true;
    }
    free(out);
    *p = NULL;
    *n = 0;
    return false;
}

void api_encode(struct str *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || digit((char)c) || strchr("-._~", c);
        str_fmt(out, plain ? "%c" : "%%%02X", c);
    }
}
