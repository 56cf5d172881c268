#include "ca/portal/wording.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "ca/portal/page.h"

static bool is_blank(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
           c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Takes no room on a screen: soft hyphen, joiners, marks of direction, choices of a glyph, byte order mark. */
static bool is_void(uint32_t c)
{
    return c == 0xad || c == 0x34f || c == 0x61c || c == 0x180e || (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff || (c >= 0xe0100 && c <= 0xe01ef);
}

char *word_collapse(const char *text, size_t n)
{
    struct str out = STR_INIT(n);
    bool gap = false;
    uint32_t c;

    for (size_t i = 0, len; i < n; i += len) {
        len = text_utf8(text + i, n - i, &c);
        if (!len) {
            len = 1;
            c = 0xfffd;
        }
        if (is_blank(c)) {
            gap = out.n > 0;
            continue;
        }
        if (gap)
            str_add(&out, " ");
        gap = false;
        str_put(&out, text + i, len);
    }
    return str_take(&out);
}

/* What a keyboard has for it; 0: nothing else than itself. */
static char plain_form(uint32_t c)
{
    static const struct {
        uint32_t code;
        char plain;
    } forms[] = {{0x2018, '\''}, {0x2019, '\''}, {0x201c, '"'}, {0x201d, '"'}, {0x2010, '-'}, {0x2011, '-'}, {0x2013, '-'},
                 {0x2014, '-'},  {0x2236, ':'},  {0xfe30, ':'}, {0xfe55, ':'}, {0xfe59, '('}, {0xfe5a, ')'}, {0xfe61, '*'}};

    if (c >= 0xff01 && c <= 0xff5e)
        c -= 0xfee0;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i].code == c)
            return forms[i].plain;
    if (c >= 'A' && c <= 'Z')
        return (char)(c + 'a' - 'A');
    return c && c < 0x80 ? (char)c : 0;
}

/* Chinese is written with and without blanks around it, parentheses likewise. */
static bool is_tight(const char *p, size_t n)
{
    return n && ((unsigned char)*p >= 0x80 || strchr("():", *p));
}

static char *plain_forms(const char *line, size_t n)
{
    struct str out = STR_INIT(n);
    uint32_t c;

    for (size_t i = 0, len; i < n; i += len) {
        len = text_utf8(line + i, n - i, &c);
        char plain = len ? plain_form(c) : 0;

        if (plain)
            str_put(&out, &plain, 1);
        else if (!len || !is_void(c))
            str_put(&out, line + i, len ? len : 1);
        if (!len)
            len = 1;
    }
    return str_take(&out);
}

char *word_fold(const char *text)
{
    char *line = word_collapse(text, strlen(text)), *plain = plain_forms(line, strlen(line)), *to = plain;
    const char *from = plain + (*plain == '*' && plain[1] != '.'); /* the star of a wildcard name means something */

    for (; *from; from++)
        if (*from != ' ' || !(to == plain || is_tight(to - 1, 1) || is_tight(from + 1, strlen(from + 1))))
            *to++ = *from;
    while (to > plain && strchr(" *:", to[-1]))
        to--;
    *to = '\0';
    free(line);
    return plain;
}

enum word_match word_match(const char *label, const char *shown)
{
    size_t n = strlen(label);

    if (!n || strncmp(label, shown, n) != 0)
        return WORD_OTHER;
    if (!shown[n])
        return WORD_SAME;
    shown += n + strspn(shown + n, " *");
    return *shown && strchr(":([", *shown) ? WORD_HINTED : WORD_OTHER;
}

bool word_any(const char *texts, bool (*fn)(void *arg, const char *folded), void *arg)
{
    bool found = false;

    while (!found && *texts) {
        size_t n = strcspn(texts, "|");
        char *one = mem_copy(texts, n), *folded = word_fold(one);

        found = *folded && fn(arg, folded);
        free(folded);
        free(one);
        texts += n + (texts[n] == '|');
    }
    return found;
}

bool text_same(const char *a, const char *b)
{
    char *fa = word_fold(a), *fb = word_fold(b);
    bool same = strcmp(fa, fb) == 0;

    free(fa);
    free(fb);
    return same;
}
