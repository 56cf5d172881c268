#include "ca/portal/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

/* Browsers read these names wider than they say: big5 with the Hong Kong characters, gb2312 as GB18030, latin1 as windows-1252. */
static const struct {
    const char *label, *name;
} labels[] = {
    {"utf-8", "UTF-8"},         {"utf8", "UTF-8"},          {"big5", "BIG5-HKSCS"},        {"big5-hkscs", "BIG5-HKSCS"},
    {"cn-big5", "BIG5-HKSCS"},  {"x-x-big5", "BIG5-HKSCS"}, {"gb2312", "GB18030"},         {"gbk", "GB18030"},
    {"gb18030", "GB18030"},     {"x-gbk", "GB18030"},       {"iso-8859-1", "CP1252"},      {"latin1", "CP1252"},
    {"windows-1252", "CP1252"}, {"us-ascii", "CP1252"},     {"ascii", "CP1252"},           {"shift_jis", "CP932"},
    {"euc-jp", "EUC-JP"},       {"euc-kr", "CP949"},        {"iso-8859-15", "ISO8859-15"}, {"utf-16le", "UTF-16LE"},
    {"utf-16", "UTF-16LE"},     {"utf-16be", "UTF-16BE"},   {"csbig5", "BIG5-HKSCS"},      {"gb_2312-80", "GB18030"},
    {"iso8859-1", "CP1252"},    {"cp1252", "CP1252"},       {"windows-31j", "CP932"},      {"x-sjis", "CP932"},
};

const char *charset_named(const char *name, size_t n)
{
    while (n && strchr(" \t\r\n\f\"'", *name)) {
        name++;
        n--;
    }
    while (n && strchr(" \t\r\n\f\"'", name[n - 1]))
        n--;
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (strlen(labels[i].label) == n && strncasecmp(labels[i].label, name, n) == 0)
            return labels[i].name;
    return "";
}

static const char *find(const char *p, const char *end, const char *what)
{
    size_t n = strlen(what);

    for (; (size_t)(end - p) >= n; p++)
        if (strncasecmp(p, what, n) == 0)
            return p;
    return NULL;
}

/* charset=NAME within one meta element; the word alone may stand in any text. */
static const char *of_meta(const char *p, const char *end)
{
    const char *v = p;

    do {
        v = find(v, end, "charset");
        if (!v)
            return NULL;
        v += strlen("charset");
        while (v < end && strchr(" \t\r\n\f", *v))
            v++;
    } while (v < end && *v != '=');
    while (v < end && strchr(" \t\r\n\f=\"'", *v))
        v++;
    const char *stop = v;
    while (stop < end && !strchr(" \t\r\n\f\"';>/", *stop))
        stop++;
    const char *name = charset_named(v, (size_t)(stop - v));
    return strncmp(name, "UTF-16", 6) == 0 ? "UTF-8" : name; /* a meta element that can be read is not UTF-16 */
}

static const char *prescan(const char *p, const char *end)
{
    while ((p = memchr(p, '<', (size_t)(end - p)))) {
        const char *stop, *name;

        if (find(p, p + (end - p < 4 ? end - p : 4), "<!--")) {
            stop = find(p + 4, end, "-->");
        } else {
            stop = memchr(p, '>', (size_t)(end - p));
            if (stop && find(p, p + (stop - p < 5 ? stop - p : 5), "<meta") && (name = of_meta(p, stop)))
                return name;
        }
        if (!stop)
            break;
        p = stop;
    }
    return NULL;
}

static size_t mark(const char *p, size_t n, const char **charset)
{
    static const struct {
        const char *mark, *name;
    } marks[] = {{"\xef\xbb\xbf", "UTF-8"}, {"\xff\xfe", "UTF-16LE"}, {"\xfe\xff", "UTF-16BE"}};

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t len = strlen(marks[i].mark);

        if (n >= len && memcmp(p, marks[i].mark, len) == 0) {
            *charset = marks[i].name;
            return len;
        }
    }
    return 0;
}

const char *charset_find(const void *octets, size_t n, const char *header)
{
    enum { PRESCAN = 4096 };
    const char *p = octets, *name;

    if (mark(p, n, &name))
        return name;
    const char *told = header && *header ? charset_named(header, strlen(header)) : NULL;
    if (told && *told)
        return told;
    name = prescan(p, p + (n < PRESCAN ? n : PRESCAN));
    return name ? name : told ? told : "UTF-8";
}

bool charset_decode(const void *octets, size_t n, const char *charset, char **out, size_t *n_out, struct err *e)
{
    const char *unused;
    size_t skip = mark(octets, n, &unused), left = n - skip;
    char *in = (char *)(uintptr_t)octets + skip, part[4096];
    iconv_t cd = *charset ? iconv_open("UTF-8", charset) : (iconv_t)-1;
    struct str text = STR_INIT(n * 3 + 16);

    if (cd == (iconv_t)-1)
        return err_set(e, RC_PAGES, "PORTAL_CHARSET",
                       "the page's charset is not known here; known are UTF-8, Big5, GB18030 and what the "
                       "manual of descriptions names; go on by hand");
    while (left) {
        char *to = part;
        size_t room = sizeof part;
        size_t rc = iconv(cd, &in, &left, &to, &room);

        str_put(&text, part, (size_t)(to - part));
        if (rc != (size_t)-1 || errno == E2BIG)
            continue;
        str_add(&text, "\xef\xbf\xbd");
        in++;
        left--;
        iconv(cd, NULL, NULL, NULL, NULL);
    }
    iconv_close(cd);
    *n_out = text.n;
    *out = str_take(&text);
    for (size_t i = 0; i < *n_out; i++)
        if (((unsigned char)(*out)[i] < ' ' && !strchr("\t\n\r\f", (*out)[i])) || (*out)[i] == 0x7f || !(*out)[i])
            (*out)[i] = ' ';
    return true;
}

void charset_encode(const char *utf8, size_t n, const char *charset, struct str *out)
{
    iconv_t cd = iconv_open(charset, "UTF-8");
    char *in = (char *)(uintptr_t)utf8, part[4096];

    while (n) {
        char *to = part;
        size_t room = sizeof part, len;
        size_t rc = cd == (iconv_t)-1 ? (size_t)-1 : iconv(cd, &in, &n, &to, &room);
        uint32_t code = 0xfffd;

        str_put(out, part, (size_t)(to - part));
        if (rc != (size_t)-1 || (cd != (iconv_t)-1 && errno == E2BIG))
            continue;
        len = text_utf8(in, n, &code);
        str_fmt(out, "&#%u;", code);
        in += len ? len : 1;
        n -= len ? len : 1;
    }
    if (cd != (iconv_t)-1) {
        char *to = part;
        size_t room = sizeof part;

        iconv(cd, NULL, NULL, &to, &room); /* a letter that could have begun a pair (Big5) */
        str_put(out, part, (size_t)(to - part));
        iconv_close(cd);
    }
    explicit_bzero(part, sizeof part);
}
