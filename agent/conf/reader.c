/* reader.c: a text into raw sections through inih, line by line under our own eyes.
 *
 * The packaged inih knows no lines for its handler, cuts sections at 49 octets, splits long lines and does not show empty sections. So
 * every line passes the reader below first: it judges the line, joins continuations, notes headers itself and hands inih only what
 * inih reads without loss: one logical line at a time, with a buffer that holds the longest. */
#include "conf/load.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct reader {
    struct loader *l;
    struct place_in at; /* of the logical line handed out last */
    const char *p, *end;
    unsigned line;               /* of the physical line cut off last */
    struct raw_section *section; /* NULL: none yet, or its header was faulty */
    bool orphans;                /* keys before any header were reported */
    bool lost;                   /* after a faulty header: keys cannot be judged */
    char *swallowed;
    unsigned swallowed_line;
};

struct span {
    const char *p;
    size_t n;
};

static bool is_blank(char ch)
{
    return ch == ' ' || ch == '\t';
}

static struct span trimmed(struct span s)
{
    while (s.n && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* Without the inline comment: ";" at the front or behind a blank. */
static struct span uncommented(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == ';' && (i == 0 || is_blank(s.p[i - 1]))) {
            s.n = i;
            break;
        }
    }
    return s;
}

static bool is_comment(struct span s)
{
    s = trimmed(s);
    return s.n == 0 || s.p[0] == ';' || s.p[0] == '#';
}

static void fault(struct reader *r, unsigned line, const char *text)
{
    struct place_in at = r->at;

    at.line = line;
    loader_fault(r->l, &at, NULL, NULL, RC_CONF, true, "%s", text);
}

/* The next physical line without its end, or false at the end of the text. */
static bool cut_line(struct reader *r, struct span *out)
{
    const char *nl;

    if (r->p == r->end)
        return false;
    nl = memchr(r->p, '\n', (size_t)(r->end - r->p));
    out->p = r->p;
    out->n = (size_t)((nl ? nl : r->end) - r->p);
    r->p = nl ? nl + 1 : r->end;
    r->line++;
    if (out->n && out->p[out->n - 1] == '\r')
        out->n--;
    return true;
}

static bool is_sound(struct reader *r, struct span s)
{
    if (s.n > LINE_SIZE) {
        fault(r, r->line, "this line is longer than 64 KiB; break it: an indented line continues the value above");
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];

        if ((ch < ' ' && ch != '\t') || ch == 0x7f) {
            fault(r, r->line,
                  ch ? "this line holds a control character; remove it" : "this line holds a NUL octet; save the file as plain UTF-8 text");
            return false;
        }
    }
    return true;
}

/* A word in front of "=" in a joined line may be a key that was indented by mistake: load.c knows the keys. */
static void note_swallowed(struct reader *r, struct span s)
{
    const char *eq = memchr(s.p, '=', s.n);
    struct span word;

    if (!eq || r->swallowed)
        return;
    word = trimmed((struct span){s.p, (size_t)(eq - s.p)});
    if (word.n == 0 || word.n > 64)
        return;
    r->swallowed = mem_copy(word.p, word.n);
    r->swallowed_line = r->line;
}

static char *put(char *to, struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        *to++ = s.p[i] == '\t' ? ' ' : s.p[i];
    *to = '\0';
    return to;
}

/* Joins what is indented below; comment lines and empty lines between do no harm. */
static void join_continuations(struct reader *r, char *to)
{
    struct span s;

    for (;;) {
        const char *p = r->p;
        unsigned line = r->line;

        if (!cut_line(r, &s))
            return;
        if (is_comment(s))
            continue;
        if (!is_blank(s.p[0])) {
            r->p = p;
            r->line = line;
            return;
        }
        if (!is_sound(r, s))
            continue;
        s = trimmed(uncommented(s));
        if (s.n == 0)
            continue;
        note_swallowed(r, s);
        *to++ = ' ';
        to = put(to, s);
    }
}

static struct raw_section *add_section(struct reader *r, struct span kind, struct span name)
{
    struct loader *l = r->l;
    struct raw_section *s = mem_new(sizeof(*s));

    s->kind = mem_copy(kind.p, kind.n);
    s->name = mem_copy(name.p, name.n);
    s->at = r->at;
    if (l->n_raw == l->room_raw) {
        l->room_raw = l->room_raw ? 2 * l->room_raw : 64;
        l->raw = mem_grow(l->raw, l->room_raw, sizeof(struct raw_section *));
    }
    return l->raw[l->n_raw++] = s;
}

/* [kind] or [kind name]; false: faulty, the line is not handed on. */
static bool take_header(struct reader *r, struct span s)
{
    const char *close = memchr(s.p, ']', s.n);
    struct span kind, name;
    size_t n = 0;

    r->section = NULL;
    r->lost = true;
    if (!close) {
        fault(r, r->line, "the section header has no closing \"]\"; the keys below it are not checked");
        return false;
    }
    if (trimmed((struct span){close + 1, (size_t)(s.p + s.n - close - 1)}).n) {
        fault(r, r->line, "text behind the section header; a comment needs \" ;\", a key its own line");
        return false;
    }
    kind = trimmed((struct span){s.p + 1, (size_t)(close - s.p - 1)});
    while (n < kind.n && !is_blank(kind.p[n]))
        n++;
    name = trimmed((struct span){kind.p + n, kind.n - n});
    kind.n = n;
    if (kind.n == 0) {
        fault(r, r->line,
              "the section header is empty; allowed: [agent] [verify] [zone NAME] [provider NAME] [ca NAME] [certificate NAME]");
        return false;
    }
    r->lost = false;
    r->section = add_section(r, kind, name);
    return true;
}

static bool take_pair(struct reader *r, struct span s)
{
    const char *eq = memchr(s.p, '=', s.n);
    struct span key;

    if (!eq) {
        fault(r, r->line,
              memchr(s.p, ':', s.n)
                  ? "no \"=\" in this line; write key = value"
                  : "no \"=\" in this line; write key = value, begin a comment with \";\" or \"#\", indent what continues the value above");
        return false;
    }
    key = trimmed((struct span){s.p, (size_t)(eq - s.p)});
    if (key.n == 0) {
        fault(r, r->line, "no key in front of \"=\"; write key = value");
        return false;
    }
    if (memchr(key.p, ':', key.n)) {
        fault(r, r->line, "a \":\" in front of \"=\"; write key = value");
        return false;
    }
    if (!r->section && !r->lost && !r->orphans) {
        fault(r, r->line, "a key before the first [section]; write the section header above it");
        r->orphans = true;
    }
    return true;
}

/* inih's fgets: the next logical line that is sound. */
static char *next_line(char *out, int size, void *context)
{
    struct reader *r = context;
    struct span s;

    (void)size; /* the whole text fits, see reader_parse() */
    while (cut_line(r, &s)) {
        bool indented;

        if (is_comment(s) || !is_sound(r, s))
            continue;
        indented = is_blank(s.p[0]);
        s = trimmed(uncommented(s));
        r->at.line = r->line;
        if (s.p[0] == '[' ? !take_header(r, s) : !take_pair(r, s))
            continue;
        if (indented && s.p[0] != '[')
            fault(r, r->line, "an indented line, but no value above that it could continue; begin the key at the left margin");
        put(out, s);
        free(r->swallowed);
        r->swallowed = NULL;
        if (s.p[0] != '[')
            join_continuations(r, out + s.n);
        return out;
    }
    return NULL;
}

static int take_entry(void *context, const char *section, const char *name, const char *value)
{
    struct reader *r = context;
    struct raw_section *s = r->section;
    struct section_entry *e;

    (void)section; /* cut at 49 octets; ours is whole */
    if (!s)
        return 1;
    if (s->n == s->room) {
        s->room = s->room ? 2 * s->room : 8;
        s->e = mem_grow(s->e, s->room, sizeof(*s->e));
    }
    e = &s->e[s->n++];
    *e = (struct section_entry){.key = mem_str(name), .value = mem_str(value), .at = r->at};
    e->swallowed = r->swallowed;
    e->swallowed_line = r->swallowed_line;
    r->swallowed = NULL;
    return 1;
}

static void set_inih(size_t n)
{
    ini_use_stack = false;
    ini_allow_realloc = false;
    ini_max_line = ini_initial_alloc = (int)n;
    ini_allow_multiline = false;
    ini_allow_inline_comments = false;
    ini_allow_bom = false;
    ini_allow_no_value = false;
    ini_stop_on_first_error = false;
}

void reader_parse(struct loader *l, const char *file, unsigned order, const char *text, size_t n)
{
    struct reader r = {.l = l, .at = {.file = file, .order = order}, .p = text, .end = text + n};

    if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        r.p += 3;
    if (n >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0)) {
        fault(&r, 1, "the file is UTF-16; save it as UTF-8");
        return;
    }
    if (n > TOTAL_SIZE) {
        fault(&r, 0, "larger than 16 MiB: this cannot be a configuration");
        return;
    }
    set_inih(n + 8);
    if (ini_parse_stream(next_line, &r, take_entry, &r) != 0)
        fault(&r, r.at.line, "this line cannot be read; write key = value");
    free(r.swallowed);
}
