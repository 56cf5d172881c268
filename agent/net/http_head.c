/* http_head.c: header fields of an answer. Pure. */
#include "net/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"

enum { RETRY_MAX = DAY };

/* The next line `Name: value` from *at on. */
static bool next_line(const struct http *h, size_t *at, const char **name, size_t *n_name, const char **value, size_t *n_value)
{
    while (h->head.p && *at < h->head.n) {
        const char *line = h->head.p + *at, *end = memchr(line, '\n', h->head.n - *at);
        size_t n = end ? (size_t)(end - line) : h->head.n - *at;
        *at += n + (end != NULL);
        const char *colon = memchr(line, ':', n);
        if (!colon)
            continue;
        *name = line;
        *n_name = (size_t)(colon - line);
        *value = colon + 1;
        *n_value = n - *n_name - 1;
        while (*n_value && strchr(" \t", **value) && **value)
            ++*value, --*n_value;
        while (*n_value && strchr(" \t\r", (*value)[*n_value - 1]) && (*value)[*n_value - 1])
            --*n_value;
        return true;
    }
    return false;
}

bool http_header(const struct http *h, const char *name, char *out, size_t size)
{
    const char *key, *value;
    size_t at = 0, n_key, n_value, want = strlen(name);
    bool found = false;
    while (next_line(h, &at, &key, &n_key, &value, &n_value)) {
        if (n_key != want || strncasecmp(key, name, want) != 0 || n_value >= size || memchr(value, 0, n_value))
            continue;
        memcpy(out, value, n_value);
        out[n_value] = 0;
        found = true;
    }
    return found;
}

int64_t http_retry_after(const struct http *h, int64_t now)
{
    char text[64], *end;
    if (!http_header(h, "Retry-After", text, sizeof text))
        return 0;
    int64_t at = 0;
    long long seconds = strtoll(text, &end, 10);
    if (end != text && *end == 0) {
        at = seconds > RETRY_MAX ? now + RETRY_MAX : now + seconds;
    } else {
        struct tm tm = {0};
        const char *rest = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        if (!rest || *rest)
            return 0;
        at = (int64_t)timegm(&tm);
        at = at > now + RETRY_MAX ? now + RETRY_MAX : at;
    }
    return at > now ? at : now;
}

/* `alternate` among the blank-separated relations of rel="..." or rel=word; from after the URL to the next link's comma. */
static bool has_rel(const char *p, const char *end, const char *rel)
{
    size_t n_rel = strlen(rel);
    for (; p + 4 < end; p++) {
        if (strncasecmp(p, "rel=", 4) != 0 || (p[-1] != ';' && p[-1] != ' ' && p[-1] != '\t'))
            continue;
        const char *word = p + 4, *stop = end;
        if (*word == '"') {
            word++;
            stop = memchr(word, '"', (size_t)(end - word));
            stop = stop ? stop : end;
        }
        while (word < stop) {
            size_t n = 0;
            while (word + n < stop && word[n] != ' ' && word[n] != '\t' && word[n] != ';')
                n++;
            if (n == n_rel && strncasecmp(word, rel, n) == 0)
                return true;
            if (word + n < stop && word[n] == ';')
                break;
            word += n + 1;
        }
    }
    return false;
}

/* The end of the link that begins at p with '<': the comma outside of <> and quotes. */
static const char *link_end(const char *p, const char *end)
{
    bool url = false, quoted = false;
    for (; p < end; p++) {
        if (*p == '"' && !url)
            quoted = !quoted;
        else if (*p == '<' && !quoted)
            url = true;
        else if (*p == '>' && !quoted)
            url = false;
        else if (*p == ',' && !quoted && !url)
            return p;
    }
    return end;
}

bool http_link(const struct http *h, const char *rel, size_t *at, char *out, size_t size)
{
    const char *key, *value;
    size_t n_key, n_value, line = 0, nth = 0;
    while (next_line(h, &line, &key, &n_key, &value, &n_value)) {
        if (n_key != 4 || strncasecmp(key, "Link", 4) != 0)
            continue;
        const char *end = value + n_value;
        for (const char *p = value, *stop; p < end; p = stop + 1) {
            while (p < end && (*p == ' ' || *p == '\t'))
                p++;
            stop = link_end(p, end);
            const char *close = p < end && *p == '<' ? memchr(p, '>', (size_t)(stop - p)) : NULL;
            size_t n_url = close ? (size_t)(close - p) - 1 : 0;
            if (!close || n_url >= size || memchr(p, 0, n_url) || !has_rel(close + 1, stop, rel) || nth++ < *at)
                continue;
            memcpy(out, p + 1, n_url);
            out[n_url] = 0;
            *at = nth;
            return true;
        }
    }
    return false;
}
