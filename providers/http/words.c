/* words.c: what an API says, made fit to be shown: found, cut, escaped, and without the secrets that it may repeat. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "providers/http/api_impl.h"

enum { DEPTH = 5, HIDE_MIN = 4, TEXT_MAX = 65536, LIST_MAX = 100 };

static const char *words_at(const json_t *j, unsigned depth);

/* The first that says something: some APIs answer a list with an empty object for each change that was good. */
static const char *words_in(const json_t *list, unsigned depth)
{
    const char *found = NULL;
    for (size_t i = 0; !found && i < json_array_size(list) && i < LIST_MAX; i++)
        found = words_at(json_array_get(list, i), depth);
    return found;
}

static const char *words_at(const json_t *j, unsigned depth)
{
    static const char *const keys[] = {
        "message", "Message", "errorMessage", "longmessage", "error_description", "description", "detail", "error_msg",
        "text",    "error",   "Error",        "errors",      "Response",          "reason",      "title",  "msg"};
    const char *found = json_string_value(j);
    if (found)
        return *found ? found : NULL;
    if (!depth)
        return NULL;
    if (json_is_array(j))
        return words_in(j, depth - 1);
    if (!json_is_object(j))
        return NULL;
    for (size_t i = 0; !found && i < sizeof keys / sizeof *keys; i++)
        found = words_at(json_object_get(j, keys[i]), depth - 1);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)j, key, value) /* {"ttl": ["is too low"]} */
    {
        if (!found && json_is_array(value))
            found = words_in(value, depth - 1);
    }
    return found;
}

const char *api_words(const json_t *json)
{
    const char *found = words_at(json, DEPTH);
    return found ? found : "";
}

/* Each occurrence of the n octets at p becomes ***. */
static char *without(char *text, const char *p, size_t n)
{
    if (n < HIDE_MIN || !memmem(text, strlen(text), p, n))
        return text;
    struct str out = STR_INIT(TEXT_MAX);
    const char *at = text, *hit;
    while ((hit = memmem(at, strlen(at), p, n))) {
        str_put(&out, at, (size_t)(hit - at));
        str_add(&out, "***");
        at = hit + n;
    }
    str_add(&out, at);
    free(text);
    return str_take(&out);
}

/* Of "Authorization: Bearer TOKEN" the token, and whatever else stands between blanks. */
static char *without_header(char *text, const char *header)
{
    const char *p = strchr(header, ':');
    if (!p || strncasecmp(header, "Accept", 6) == 0 || strncasecmp(header, "Content-Type", 12) == 0)
        return text;
    for (p++; *p;) {
        size_t n = strcspn(p += strspn(p, " "), " ");
        if (n >= 8) /* "Bearer" is none */
            text = without(text, p, n);
        p += n;
    }
    return text;
}

char *api_show(const struct api_call *c, const char *words, char *out, size_t size)
{
    char *text = mem_copy(words, strnlen(words, TEXT_MAX));
    for (size_t i = 0; i < c->headers.n; i++)
        text = without_header(text, c->headers.s[i]);
    for (size_t i = 0; c->api && i < c->api->n_hidden; i++)
        text = without(text, (const char *)c->api->hidden[i].p, c->api->hidden[i].n);
    text_safe(out, size, text, strlen(text));
    free(text);
    return out;
}
