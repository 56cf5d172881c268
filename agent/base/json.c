#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"

enum { TEXT_LIMIT = 1 << 20, DUMP_LIMIT = 1 << 30 };

json_t *json_time(int64_t when)
{
    char text[32];
    if (!when)
        return json_null();
    time_show(when, text);
    return json_string(text);
}

json_t *json_text(const char *s)
{
    if (!s)
        return json_null();
    size_t n = strlen(s);
    if (text_is_utf8(s, n))
        return json_stringn_nocheck(s, n);
    size_t size = n < TEXT_LIMIT ? n * 4 + 1 : TEXT_LIMIT;
    char *safe = mem_new(size);
    json_t *j = json_string_nocheck(text_safe(safe, size, s, n));
    free(safe);
    return j;
}

json_t *json_txt(struct bytes value)
{
    if (!value.n)
        return json_string("");
    if (text_is_utf8(value.p, value.n))
        return json_stringn_nocheck((const char *)value.p, value.n);
    struct str text = STR_INIT(TEXT_LIMIT);
    text_txt(&text, value.p, value.n);
    json_t *j = json_string_nocheck(str_text(&text));
    str_free(&text);
    return j;
}

json_t *json_strs(const struct strs *l)
{
    json_t *j = json_array();
    for (size_t i = 0; i < l->n; i++)
        json_array_append_new(j, json_text(l->s[i]));
    return j;
}

/* jansson passes C1 controls and the like, which a terminal obeys. In JSON text they stand in strings only: \uNNNN is the same value. */
static char *without_controls(const char *dump)
{
    struct str out = STR_INIT(DUMP_LIMIT);
    size_t n = strlen(dump);
    while (n) {
        size_t plain = 0;
        while (plain < n && ((dump[plain] >= ' ' && dump[plain] <= '~') || dump[plain] == '\n'))
            plain++;
        str_put(&out, dump, plain);
        dump += plain;
        n -= plain;
        if (!n)
            break;
        uint32_t code;
        size_t len = text_utf8(dump, n, &code);
        if (!len || text_harmless(code))
            str_put(&out, dump, len ? len : 1);
        else if (code < 0x10000)
            str_fmt(&out, "\\u%04x", code);
        else
            str_fmt(&out, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
        dump += len ? len : 1;
        n -= len ? len : 1;
    }
    return str_take(&out);
}

static char *dump(json_t *j, size_t flags)
{
    char *raw = json_dumps(j, flags | JSON_ENCODE_ANY);
    if (!raw)
        err_bug("a JSON value cannot be written");
    char *text = without_controls(raw);
    free(raw);
    json_decref(j);
    return text;
}

void json_print(json_t *j)
{
    char *text = dump(j, JSON_INDENT(2));
    puts(text);
    free(text);
}

/* Strings of JSON text hold no line ends: each one is between two tokens. */
static void print_indented(char *text)
{
    for (char *line = text, *end; line; line = end) {
        end = strchr(line, '\n');
        if (end)
            *end++ = '\0';
        fputs(line, stdout);
        if (end)
            fputs("\n    ", stdout);
    }
}

void json_print_list(json_t *head, const char *key, json_t *(*item)(void *arg, size_t i), void *arg, size_t n)
{
    char *text = dump(head, JSON_INDENT(2));
    printf("%.*s,\n  \"%s\": [", (int)(strlen(text) - 2), text, key);
    free(text);
    for (size_t i = 0; i < n; i++) {
        text = dump(item(arg, i), JSON_INDENT(2));
        fputs(i ? ",\n    " : "\n    ", stdout);
        print_indented(text);
        free(text);
    }
    puts(n ? "\n  ]\n}" : "]\n}");
}

char *json_line(json_t *j)
{
    return dump(j, JSON_COMPACT);
}

const char *json_str(const json_t *obj, const char *key)
{
    const char *s = json_string_value(json_object_get(obj, key));
    return s ? s : "";
}

int64_t json_num(const json_t *obj, const char *key)
{
    return json_integer_value(json_object_get(obj, key));
}
