#include "providers/cloud/xml.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { DEPTH_MAX = 16, NAME_MAX_LEN = 64 };

enum mark { MARK_BEGIN, MARK_END, MARK_EMPTY, MARK_NONE, MARK_BAD };

struct tag {
    enum mark mark;
    const char *name;
    size_t n;
    const char *at, *after; /* its "<", and behind its ">" */
};

static const char blanks[] = " \t\r\n";

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_-.:", c));
}

/* Behind `what`; NULL: it is not there. */
static const char *behind(const char *p, const char *end, const char *what)
{
    const char *at = memmem(p, (size_t)(end - p), what, strlen(what));
    return at ? at + strlen(what) : NULL;
}

/* The ">" of a tag: those in the values of attributes do not count. */
static const char *tag_end(const char *p, const char *end)
{
    char quote = 0;
    for (; p < end; p++) {
        if (quote)
            quote = *p == quote ? 0 : quote;
        else if (*p == '"' || *p == '\'')
            quote = *p;
        else if (*p == '>')
            return p;
        else if (*p == '<')
            return NULL;
    }
    return NULL;
}

/* The next tag from p on. */
static struct tag next_tag(const char *p, const char *end)
{
    struct tag t = {.mark = MARK_BAD};
    const char *at = memchr(p, '<', (size_t)(end - p));
    while (at && end - at > 1 && (at[1] == '?' || (end - at > 3 && memcmp(at, "<!--", 4) == 0))) {
        p = behind(at, end, at[1] == '?' ? "?>" : "-->");
        if (!p)
            return t;
        at = memchr(p, '<', (size_t)(end - p));
    }
    if (!at) {
        t.mark = MARK_NONE;
        return t;
    }
    bool closes = end - at > 1 && at[1] == '/';
    t.at = at;
    t.name = at + 1 + closes;
    while (t.name + t.n < end && name_char(t.name[t.n]))
        t.n++;
    const char *stop = tag_end(t.name + t.n, end);
    if (!stop || !t.n || t.n > NAME_MAX_LEN)
        return t;
    t.after = stop + 1;
    t.mark = closes ? MARK_END : stop[-1] == '/' ? MARK_EMPTY : MARK_BEGIN;
    return t;
}

static bool same_name(const struct tag *a, const char *name, size_t n)
{
    return a->n == n && memcmp(a->name, name, n) == 0;
}

/* From a begin tag to its end; depth of what is inside is bounded. */
static bool element_end(const struct tag *begin, const char *end, struct tag *last)
{
    struct tag open[DEPTH_MAX] = {*begin};
    size_t depth = 1;
    for (const char *p = begin->after;;) {
        struct tag t = next_tag(p, end);
        if (t.mark == MARK_BAD || t.mark == MARK_NONE)
            return false;
        if (t.mark == MARK_END) {
            depth--;
            if (!same_name(&t, open[depth].name, open[depth].n))
                return false;
            if (!depth) {
                *last = t;
                return true;
            }
        } else if (t.mark == MARK_BEGIN) {
            if (depth == DEPTH_MAX)
                return false;
            open[depth++] = t;
        }
        p = t.after;
    }
}

static bool only_blanks(const char *p, const char *end)
{
    while (p < end && *p && strchr(blanks, *p))
        p++;
    return p == end;
}

bool xml_open(const char *text, size_t n, char *name, size_t size, struct xml *inside)
{
    const char *end = text + n;
    struct tag root = next_tag(text, end), last;
    if (!n || memchr(text, '\0', n) || (root.mark != MARK_BEGIN && root.mark != MARK_EMPTY) || root.n >= size)
        return false;
    if (root.mark == MARK_EMPTY) {
        *inside = (struct xml){root.after, 0};
        last = root;
    } else if (element_end(&root, end, &last)) {
        *inside = (struct xml){root.after, (size_t)(last.at - root.after)};
    } else {
        return false;
    }
    memcpy(name, root.name, root.n);
    name[root.n] = '\0';
    return only_blanks(last.after, end);
}

bool xml_next(struct xml *rest, const char *name, struct xml *child)
{
    const char *end = rest->p + rest->n;
    for (const char *p = rest->p;;) {
        struct tag t = next_tag(p, end), last;
        if (t.mark == MARK_BEGIN && element_end(&t, end, &last))
            *child = (struct xml){t.after, (size_t)(last.at - t.after)};
        else if (t.mark == MARK_EMPTY)
            *child = (struct xml){t.after, 0}, last = t;
        else
            return false;
        p = last.after;
        *rest = (struct xml){p, (size_t)(end - p)};
        if (!name || same_name(&t, name, strlen(name)))
            return true;
    }
}

bool xml_find(struct xml in, const char *path, struct xml *out)
{
    char name[NAME_MAX_LEN + 1];
    while (*path) {
        size_t n = strcspn(path, "/");
        struct xml child;
        if (n > NAME_MAX_LEN)
            return false;
        memcpy(name, path, n);
        name[n] = '\0';
        if (!xml_next(&in, name, &child))
            return false;
        in = child;
        path += n + (path[n] == '/');
    }
    *out = in;
    return true;
}

static void put_utf8(struct str *out, unsigned long c)
{
    char b[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c >>= 6)
        b[i] = (char)(0x80 | (c & 0x3f));
    b[0] = (char)(n == 1 ? c : first[n] | c);
    str_put(out, b, n);
}

/* An entity at p, "&...;": its length; 0: unknown. */
static size_t put_entity(struct str *out, const char *p, size_t n)
{
    static const struct {
        const char *name, *text;
    } table[] = {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        size_t len = strlen(table[i].name);
        if (n >= len && memcmp(p, table[i].name, len) == 0) {
            str_add(out, table[i].text);
            return len;
        }
    }
    const char *stop = memchr(p, ';', n < 12 ? n : 12);
    if (!stop || p[1] != '#')
        return 0;
    int base = p[2] == 'x' ? 16 : 10;
    const char *digits = p + (base == 16 ? 3 : 2);
    if (strspn(digits, base == 16 ? "0123456789abcdefABCDEF" : "0123456789") != (size_t)(stop - digits) || stop == digits)
        return 0;
    unsigned long c = strtoul(digits, NULL, base);
    if (!c || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    put_utf8(out, c);
    return (size_t)(stop - p) + 1;
}

char *xml_text(struct xml in, const char *path)
{
    struct xml at;
    if (!xml_find(in, path, &at) || memchr(at.p, '<', at.n))
        return NULL;
    while (at.n && strchr(blanks, *at.p))
        at = (struct xml){at.p + 1, at.n - 1};
    while (at.n && strchr(blanks, at.p[at.n - 1]))
        at.n--;
    struct str out = STR_INIT(at.n + 1);
    for (size_t i = 0; i < at.n;) {
        size_t n = at.p[i] == '&' ? put_entity(&out, at.p + i, at.n - i) : 1;
        if (at.p[i] != '&')
            str_put(&out, at.p + i, 1);
        if (!n) {
            str_free(&out);
            return NULL;
        }
        i += n;
    }
    return str_take(&out);
}

void xml_escape(struct str *out, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&':
            str_add(out, "&amp;");
            break;
        case '<':
            str_add(out, "&lt;");
            break;
        case '>':
            str_add(out, "&gt;");
            break;
        default:
            str_put(out, text, 1);
        }
}
