/* types.c: values of one word, and the table that leads from a type to its parser. */
#include "conf/types.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/guess.h"
#include "base/mem.h"

static bool no_word(const struct conf_key *k, const char *text, struct value_sink *sink)
{
    struct strs words = {0};
    struct guess g = {.wanted = text};
    struct str allowed = STR_INIT(256);
    char maybe[96];

    for (const char *p = k->allowed; *p;) {
        size_t n = strcspn(p, "|");

        if (n)
            strs_add_n(&words, p, n);
        p += n + (p[n] == '|');
    }
    for (size_t i = 0; i < words.n; i++) {
        guess_try(&g, words.s[i]);
        str_fmt(&allowed, "%s%s", i ? ", " : "", words.s[i]);
    }
    /* The value itself is not shown: a PIN may stand where a word belongs. */
    sink_fault(sink, RC_CONF, "not a word that is known here; allowed: %s%s", str_text(&allowed), guess_text(&g, maybe));
    str_free(&allowed);
    strs_free(&words);
    return false;
}

int word_find(const char *allowed, const char *word)
{
    size_t len = strlen(word);
    int i = 0;

    for (const char *p = allowed ? allowed : ""; *p; i++) {
        size_t n = strcspn(p, "|");

        if (n == len && n && memcmp(p, word, n) == 0)
            return i;
        p += n + (p[n] == '|');
    }
    return -1;
}

bool word_is(const char *allowed, const char *word)
{
    return word_find(allowed, word) >= 0;
}

static bool parse_text(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    (void)k;
    (void)sink;
    *(char **)out = mem_str(text);
    return true;
}

static bool parse_word(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    int i = word_find(k->allowed, text);

    if (i < 0)
        return no_word(k, text, sink);
    *(int *)out = i;
    return true;
}

static bool parse_yesno(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    (void)k;
    if (strcmp(text, "yes") == 0 || strcmp(text, "no") == 0) {
        *(bool *)out = text[0] == 'y';
        return true;
    }
    sink_fault(sink, RC_CONF, "allowed: yes, no");
    return false;
}

static bool parse_duration(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    char shown[72];

    if (word_is(k->allowed, text)) {
        *(int64_t *)out = -1;
        return true;
    }
    if (duration_parse(text, out))
        return true;
    sink_fault(sink, RC_CONF, "%s is not a duration; allowed: 90s 10m 24h 30d%s%s", quoted(shown, sizeof(shown), text),
               k->allowed ? ", " : "", k->allowed ? k->allowed : "");
    return false;
}

static bool number(const char *text, int64_t *out)
{
    char *end;
    long long v;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    v = strtoll(text, &end, 10);
    if (*end || errno)
        return false;
    *out = v;
    return true;
}

static bool parse_count(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    int64_t v, low = 0, high = INT64_MAX;
    char shown[72];

    if (k->allowed) {
        const char *dots = strstr(k->allowed, "..");

        low = strtoll(k->allowed, NULL, 10);
        if (dots)
            high = strtoll(dots + 2, NULL, 10);
    }
    if (!number(text, &v) || v < low || v > high) {
        sink_fault(sink, RC_CONF, "%s is not a number; allowed: %s", quoted(shown, sizeof(shown), text),
                   k->allowed ? k->allowed : "0 and above");
        return false;
    }
    *(int64_t *)out = v;
    return true;
}

static bool parse_date(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    char shown[72];

    (void)k;
    if (date_parse(text, out))
        return true;
    sink_fault(sink, RC_CONF, "%s is not a date; write year-month-day: 2027-05-31", quoted(shown, sizeof(shown), text));
    return false;
}

static bool parse_quorum(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    struct conf_quorum *q = out;
    int64_t v;

    (void)k;
    if (strcmp(text, "all") == 0 || strcmp(text, "majority") == 0) {
        q->rule = text[0] == 'a' ? QUORUM_ALL : QUORUM_MAJORITY;
        return true;
    }
    if (!number(text, &v) || v < 1 || v > 10000) {
        sink_fault(sink, RC_CONF, "allowed: all, majority, or how many resolvers must agree: 1 to 10000");
        return false;
    }
    q->rule = QUORUM_NUMBER;
    q->number = (unsigned)v;
    return true;
}

static bool parse_digits(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    char *digits = mem_new(strlen(text) + 1);
    size_t n = 0;
    bool good = true;

    for (const char *p = text; *p; p++) {
        if (*p >= '0' && *p <= '9')
            digits[n++] = *p;
        else if (*p != ' ')
            good = false;
    }
    if (!good || n == 0 || (k->allowed && n != (size_t)strtoul(k->allowed, NULL, 10))) {
        sink_fault(sink, RC_CONF, "%s digits are wanted, this has %zu%s", k->allowed ? k->allowed : "only", n,
                   good ? "" : " and other characters beside them");
        free(digits);
        return false;
    }
    *(char **)out = digits;
    return true;
}

static const struct {
    value_fn *parse;
    size_t size;
} types[] = {
    [CONF_TEXT] = {parse_text, sizeof(char *)},
    [CONF_WORD] = {parse_word, sizeof(int)},
    [CONF_YESNO] = {parse_yesno, sizeof(bool)},
    [CONF_DURATION] = {parse_duration, sizeof(int64_t)},
    [CONF_COUNT] = {parse_count, sizeof(int64_t)},
    [CONF_DATE] = {parse_date, sizeof(int64_t)},
    [CONF_FILE] = {parse_file, sizeof(char *)},
    [CONF_SECRET] = {parse_secret, sizeof(char *)},
    [CONF_COMMAND] = {parse_command, sizeof(struct strs)},
    [CONF_LIST] = {parse_list, sizeof(struct strs)},
    [CONF_NAMES] = {parse_names, sizeof(struct strs)},
    [CONF_ZONES] = {parse_zones, sizeof(struct strs)},
    [CONF_SERVERS] = {parse_servers, sizeof(struct endpoints)},
    [CONF_SERVER] = {parse_server, sizeof(struct endpoints)},
    [CONF_PLACES] = {parse_places, sizeof(struct places)},
    [CONF_QUORUM] = {parse_quorum, sizeof(struct conf_quorum)},
    [CONF_DIGITS] = {parse_digits, sizeof(char *)},
    [CONF_RULES] = {parse_rules, sizeof(struct record_at_rules)},
};

size_t value_size(enum conf_type type)
{
    return types[type].size;
}

void value_free(enum conf_type type, void *p)
{
    switch (type) {
    case CONF_TEXT:
    case CONF_FILE:
    case CONF_SECRET:
    case CONF_DIGITS:
        free(*(char **)p);
        break;
    case CONF_COMMAND:
    case CONF_LIST:
    case CONF_NAMES:
    case CONF_ZONES:
        strs_free(p);
        break;
    case CONF_SERVERS:
    case CONF_SERVER:
        endpoints_free(p);
        break;
    case CONF_PLACES:
        places_free(p);
        break;
    case CONF_RULES:
        rules_free(p);
        break;
    default:
        return;
    }
    memset(p, 0, types[type].size);
}

static bool is_quoted(const char *text)
{
    size_t n = strlen(text);

    return n >= 2 && (text[0] == '"' || text[0] == '\'') && text[n - 1] == text[0];
}

bool value_parse(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    char why[160] = "";

    if (!*text) {
        sink_fault(sink, RC_CONF, "no value; give one or remove the line");
        return false;
    }
    if (!text_is_utf8(text, strlen(text))) {
        sink_fault(sink, RC_CONF, "not UTF-8 (Big5?); save the file as UTF-8");
        return false;
    }
    if (is_quoted(text)) {
        sink_fault(sink, RC_CONF, "quotes would become part of the value; remove them, blanks need none");
        return false;
    }
    if (!types[k->type].parse(k, text, out, sink)) {
        value_free(k->type, out);
        return false;
    }
    if (sink && k->check && !k->check(text, why)) {
        sink_fault(sink, RC_CONF, "%s", why);
        value_free(k->type, out);
        return false;
    }
    return true;
}
