#include <arpa/inet.h>
#include <idn2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/names.h"
#include "base/str.h"

enum { TEXT_MAX = 1024, LABEL_MAX = 63 };

static bool refuse(struct err *e, const char *text, const char *label, const char *why)
{
    char safe[160], part[80] = "";
    text_safe(safe, sizeof(safe), text, strlen(text));
    if (label)
        text_safe(part, sizeof(part), label, strlen(label));
    if (label && strcmp(part, safe) != 0)
        return err_set(e, RC_CONF, "NAME", "\"%s\" is no host name: label \"%s\" %s", safe, part, why);
    return err_set(e, RC_CONF, "NAME", "\"%s\" is no host name: it %s", safe, why);
}

/* Without blanks around (U+3000 too), full-width dots and star as ASCII, one final dot dropped. */
static char *tidy(const char *text)
{
    static const struct {
        const char *from, *to;
    } wide[] = {{"\u3000", " "}, {"\u3002", "."}, {"\uff0e", "."}, {"\uff61", "."}, {"\uff0a", "*"}};
    struct str out = STR_INIT(TEXT_MAX);
    while (*text) {
        size_t n = 1;
        const char *to = NULL;
        for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]) && !to; i++)
            if (strncmp(text, wide[i].from, strlen(wide[i].from)) == 0) {
                to = wide[i].to;
                n = strlen(wide[i].from);
            }
        str_put(&out, to ? to : text, to ? 1 : n);
        text += n;
    }
    char *s = str_take(&out);
    size_t from = strspn(s, " \t\r\n"), end = strlen(s);
    while (end > from && strchr(" \t\r\n", s[end - 1]))
        end--;
    if (end > from && s[end - 1] == '.')
        end--;
    memmove(s, s + from, end - from);
    s[end - from] = '\0';
    return s;
}

static const char *idn_reason(int rc)
{
    switch (rc) {
    case IDN2_PUNYCODE_BAD_INPUT:
    case IDN2_PUNYCODE_BIG_OUTPUT:
    case IDN2_PUNYCODE_OVERFLOW:
    case IDN2_ALABEL_ROUNDTRIP_FAILED:
    case IDN2_UALABEL_MISMATCH:
    case IDN2_INVALID_ALABEL:
        return "is not a valid xn-- form";
    case IDN2_ENCODING_ERROR:
    case IDN2_ICONV_FAIL:
        return "is not valid UTF-8";
    case IDN2_TOO_BIG_LABEL:
    case IDN2_TOO_BIG_DOMAIN:
        return "is longer than 63 octets in its xn-- form";
    case IDN2_2HYPHEN:
        return "has hyphens in third and fourth place, which is kept for xn--";
    case IDN2_HYPHEN_STARTEND:
        return "starts or ends with a hyphen";
    case IDN2_LEADING_COMBINING:
        return "starts with a combining character";
    case IDN2_BIDI:
        return "mixes directions of writing in a way that is not allowed";
    default:
        return "has a character that is not allowed in host names";
    }
}

/* Letters, digits, hyphens: RFC 1035 2.3.1 as RFC 1123 2.1 widened it. NULL: fine. */
static const char *ascii_fault(const char *label, unsigned may)
{
    size_t n = strlen(label);
    if (!n)
        return "is empty";
    if (n > LABEL_MAX)
        return "is longer than 63 octets";
    if (label[0] == '-' || label[n - 1] == '-')
        return "starts or ends with a hyphen";
    for (size_t i = 0; i < n; i++) {
        char c = label[i];
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || (c == '_' && (may & NAME_UNDERSCORE)))
            continue;
        return c == '*'   ? "has a star, which may only stand alone in front (*.example.hk)"
               : c == '_' ? "has an underscore, which is not allowed in host names"
                          : "has a character other than letters, digits and hyphens";
    }
    return NULL;
}

/* One label into its A-label; why it cannot be, else NULL. The result may be longer than a label: ascii_fault tells. */
static const char *to_ascii(const char *label, char **out)
{
    char *unicode = NULL;
    int rc = idn2_to_ascii_8z(label, out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (rc != IDN2_OK)
        return idn_reason(rc);
    if (strncasecmp(*out, "xn--", 4) != 0)
        return NULL;
    /* The U-label must lead back to the same A-label; else two spellings of one name would be two names. */
    rc = idn2_to_unicode_8z8z(*out, &unicode, IDN2_NONTRANSITIONAL);
    char *again = NULL;
    if (rc == IDN2_OK)
        rc = idn2_to_ascii_8z(unicode, &again, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    bool same = rc == IDN2_OK && strcasecmp(again, *out) == 0;
    idn2_free(unicode);
    idn2_free(again);
    return same ? NULL : "is not a valid xn-- form";
}

/* Appends one label to out (with a dot before it unless it is the first). */
static bool add_label(const char *text, const char *label, unsigned may, char out[NAME_SIZE], struct err *e)
{
    if (!*label)
        return refuse(e, text, NULL, "has an empty label (two dots together, or one in front)");
    for (const char *p = label; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f)
            return refuse(e, text, label, "has a blank or control character in it");
    char *ascii = NULL;
    bool plain = true; /* what is ASCII and no xn-- needs no IDNA, which forbids underscores */
    for (const char *p = label; *p; p++)
        plain = plain && (unsigned char)*p < 0x80;
    plain = plain && !(strlen(label) > 3 && label[2] == '-' && label[3] == '-');
    const char *why = plain ? NULL : to_ascii(label, &ascii);
    char small[LABEL_MAX + 2];
    snprintf(small, sizeof(small), "%s", ascii ? ascii : label);
    idn2_free(ascii);
    for (char *p = small; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p += 'a' - 'A';
    if (!why)
        why = ascii_fault(small, may);
    if (why)
        return refuse(e, text, label, why);
    size_t n = strlen(out);
    if (n + strlen(small) + 1 >= NAME_SIZE)
        return refuse(e, text, NULL, "is longer than 253 octets");
    snprintf(out + n, NAME_SIZE - n, "%s%s", n ? "." : "", small);
    return true;
}

/* What is plainly something else than a name gets a better message than its first bad character. */
static const char *not_a_name(const char *s, unsigned may)
{
    unsigned char raw[16];
    if (!*s)
        return "is empty";
    if (inet_pton(AF_INET, s, raw) == 1 || inet_pton(AF_INET6, s, raw) == 1 || s[0] == '[')
        return "is an IP address; only host names can be validated by DNS";
    if (strstr(s, "://"))
        return "is a URL; give the host name alone";
    if (strchr(s, '@'))
        return "is an e-mail address; give the host name alone";
    if (s[0] == '*' && s[1] == '.' && !(may & NAME_WILDCARD))
        return "is a wildcard, which is not allowed here";
    return NULL;
}

static bool parse(const char *text, char *s, unsigned may, char out[NAME_SIZE], struct err *e)
{
    const char *why = not_a_name(s, may);
    if (why)
        return refuse(e, text, NULL, why);
    bool wild = s[0] == '*' && s[1] == '.';
    if (wild) {
        memcpy(out, "*", 2);
        s += 2;
    }
    for (char *label = s, *next; label; label = next) {
        if ((next = strchr(label, '.')))
            *next++ = '\0';
        if (!add_label(text, label, may, out, e))
            return false;
    }
    const char *last = strrchr(out, '.');
    last = last ? last + 1 : out;
    if (!last[strspn(last, "0123456789")])
        return refuse(e, text, NULL, "ends in a label of digits alone, as IP addresses do");
    if (!(may & NAME_SINGLE) && name_labels(name_base(out)) < 2)
        return refuse(e, text, NULL, "has one label only; give the full name, such as www.example.hk");
    return true;
}

bool name_parse(const char *text, unsigned may, char out[NAME_SIZE], struct err *e)
{
    char found[NAME_SIZE] = "";
    if (strlen(text) > TEXT_MAX)
        return refuse(e, text, NULL, "is longer than 253 octets");
    char *copy = tidy(text);
    bool ok = parse(text, copy, may, found, e);
    free(copy);
    if (ok)
        memcpy(out, found, sizeof(found));
    return ok;
}

/* The U-label of an A-label where both lead to each other, else the label as it is. Caller frees. */
static char *label_unicode(const char *label)
{
    char *unicode = NULL, *ascii = NULL;
    if (strncasecmp(label, "xn--", 4) != 0)
        return mem_str(label);
    bool same = idn2_to_unicode_8z8z(label, &unicode, IDN2_NONTRANSITIONAL) == IDN2_OK &&
                idn2_to_ascii_8z(unicode, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK && strcasecmp(ascii, label) == 0;
    char *shown = mem_str(same ? unicode : label);
    idn2_free(unicode);
    idn2_free(ascii);
    return shown;
}

void name_unicode(const char *name, char *out, size_t size)
{
    struct str all = STR_INIT(TEXT_MAX);
    char *copy = mem_str(name);
    for (char *label = copy, *next; label; label = next) {
        if ((next = strchr(label, '.')))
            *next++ = '\0';
        char *shown = label_unicode(label);
        str_add(&all, shown);
        if (next)
            str_add(&all, ".");
        free(shown);
    }
    text_safe(out, size, str_text(&all), all.n);
    str_free(&all);
    free(copy);
}

void name_show(const char *name, char *out, size_t size)
{
    char unicode[TEXT_MAX], inner[NAME_SIZE];
    name_unicode(name, unicode, sizeof(unicode));
    text_safe(inner, sizeof(inner), name, strlen(name));
    if (strcmp(unicode, inner) == 0)
        snprintf(out, size, "%s", inner);
    else
        snprintf(out, size, "%s (%s)", unicode, inner);
}

bool name_is_wildcard(const char *name)
{
    return name[0] == '*' && name[1] == '.';
}

const char *name_base(const char *name)
{
    return name_is_wildcard(name) ? name + 2 : name;
}

/* Length without a final dot. */
static size_t length(const char *name)
{
    size_t n = strlen(name);
    return n && name[n - 1] == '.' ? n - 1 : n;
}

bool name_same(const char *a, const char *b)
{
    size_t n = length(a);
    return n == length(b) && strncasecmp(a, b, n) == 0;
}

bool name_within(const char *name, const char *zone)
{
    size_t n = length(name), z = length(zone);
    if (!z)
        return true;
    return n >= z && strncasecmp(name + n - z, zone, z) == 0 && (n == z || name[n - z - 1] == '.');
}

const char *name_parent(const char *name)
{
    if (!*name)
        return NULL;
    const char *dot = strchr(name, '.');
    return dot ? dot + 1 : name + strlen(name);
}

unsigned name_labels(const char *name)
{
    size_t n = length(name);
    unsigned labels = n > 0;
    for (size_t i = 0; i < n; i++)
        labels += name[i] == '.';
    return labels;
}
