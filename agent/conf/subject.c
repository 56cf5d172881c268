#include "conf/subject.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "conf/checks.h"

/* The bounds of X.520; a longer value makes a request that CAs refuse. */
static const struct {
    const char *key;
    size_t longest; /* characters */
    bool once;
} keys[] = {{"C", 2, true}, {"ST", 128, true}, {"L", 128, true}, {"O", 64, true}, {"OU", 64, false}};
enum { KEYS = sizeof keys / sizeof *keys };

static bool fault(char why[160], const char *fmt, const char *what)
{
    char shown[64];
    text_safe(shown, sizeof shown, what, strlen(what));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(why, 160, fmt, shown);
#pragma GCC diagnostic pop
    return false;
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* One value up to an unescaped comma; *at moves to the comma or the end. Blanks at both ends count only where they are escaped. */
static bool value_parse(const char **at, struct str *out, char why[160])
{
    size_t keep = 0;
    const char *p = *at;
    while (*p == ' ' || *p == '\t')
        p++;
    for (; *p && *p != ','; p++) {
        if (*p == '"')
            return fault(why, "no quotes here: write \\, for a comma in a value and \\\" for a quote%s", "");
        if (*p != '\\') {
            str_put(out, p, 1);
            if (*p != ' ' && *p != '\t')
                keep = out->n;
            continue;
        }
        p++;
        if (hex_digit(p[0]) >= 0 && hex_digit(p[1]) >= 0) {
            char octet = (char)(hex_digit(p[0]) * 16 + hex_digit(p[1]));
            str_put(out, &octet, 1);
            p++;
        } else if (*p && strchr(",+\"\\<>;=# ", *p)) {
            str_put(out, p, 1);
        } else {
            return fault(why, "after \\ comes one of , + \" \\ < > ; = # blank, or two hex digits; not \"%s\"", p);
        }
        keep = out->n;
    }
    if (out->n > keep && out->p) {
        out->n = keep;
        out->p[keep] = '\0';
    }
    *at = p;
    return true;
}

static bool value_check(size_t kind, const struct str *v, char why[160])
{
    size_t count = 0;
    if (!v->n || v->cut)
        return fault(why, v->cut ? "the value of %s is too long" : "%s has no value", keys[kind].key);
    for (size_t i = 0; i < v->n; count++) {
        uint32_t c;
        size_t n = text_utf8(v->p + i, v->n - i, &c);
        if (!n)
            return fault(why, "the value of %s is not UTF-8", keys[kind].key);
        if (!text_harmless(c))
            return fault(why, "the value of %s holds a control character", keys[kind].key);
        i += n;
    }
    if (kind == 0 && (v->n != 2 || !isupper((unsigned char)v->p[0]) || !isupper((unsigned char)v->p[1])))
        return fault(why, "C is a country code of two capital letters such as HK, not \"%s\"", v->p);
    if (count > keys[kind].longest) {
        snprintf(why, 160, "the value of %s has %zu characters; certificates allow %zu", keys[kind].key, count, keys[kind].longest);
        return false;
    }
    return true;
}

static bool key_parse(const char **at, size_t *kind, char why[160])
{
    const char *p = *at, *equals = p + strcspn(p, "=,");
    if (*equals != '=')
        return fault(why, "\"%s\" is no pair such as O=Example Limited; a comma within a value is written \\,", p);
    const char *end = equals;
    while (end > p && isblank((unsigned char)end[-1]))
        end--;
    for (size_t i = 0; i < KEYS; i++)
        if ((size_t)(end - p) == strlen(keys[i].key) && !strncasecmp(p, keys[i].key, (size_t)(end - p))) {
            *kind = i;
            *at = equals + 1;
            return true;
        }
    char *key = mem_copy(p, (size_t)(end - p));
    bool cn = !strcasecmp(key, "CN");
    fault(why,
          cn ? "CN does not belong here: it is the first of names=%.0s"
             : "\"%s\" is not allowed; the keys are C, ST, L, O and OU, separated by commas",
          key);
    free(key);
    return false;
}

bool subject_parse(const char *text, struct subject *out, char why[160])
{
    memset(out, 0, sizeof *out);
    for (const char *p = text;; p++) {
        size_t kind;
        struct str v = STR_INIT(1024);
        while (isblank((unsigned char)*p))
            p++;
        if (!key_parse(&p, &kind, why))
            return false;
        bool ok = value_parse(&p, &v, why) && value_check(kind, &v, why);
        for (size_t i = 0; ok && i < out->n; i++)
            if (keys[kind].once && !strcmp(out->part[i].key, keys[kind].key))
                ok = fault(why, "%s stands there twice", keys[kind].key);
        if (ok && out->n == SUBJECT_PARTS)
            ok = fault(why, "too many parts%s", "");
        if (ok)
            out->part[out->n++] = (struct subject_part){keys[kind].key, str_take(&v)};
        str_free(&v);
        if (!ok)
            return false;
        if (!*p)
            return true;
    }
}

void subject_clear(struct subject *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->part[i].value);
    s->n = 0;
}

bool check_subject(const char *value, char why[160])
{
    struct subject s;
    bool ok = subject_parse(value, &s, why);
    subject_clear(&s);
    return ok;
}
