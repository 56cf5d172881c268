#include "ca/portal/cookies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/mem.h"
#include "base/names.h"

enum { COOKIES_MAX = 50, COOKIE_OCTETS = 4096, HOST_SIZE = 254, PATH_SIZE = 1024 };

struct text { /* borrowed, not ended */
    const char *p;
    size_t n;
};

static struct text trimmed(const char *p, size_t n)
{
    while (n && (*p == ' ' || *p == '\t'))
        p++, n--;
    while (n && strchr(" \t\r", p[n - 1]) && p[n - 1])
        n--;
    return (struct text){p, n};
}

static bool text_is(struct text t, const char *word)
{
    return t.n == strlen(word) && strncasecmp(t.p, word, t.n) == 0;
}

/* Host and path of a URL; false: it has none, or they are too long. */
static bool split_url(const char *url, char host[HOST_SIZE], char path[PATH_SIZE])
{
    const char *p = strstr(url, "://");
    if (!p)
        return false;
    p += 3;
    size_t n = strcspn(p, ":/?#"), skip = strcspn(p, "/?#");
    if (n == 0 || n >= HOST_SIZE)
        return false;
    for (size_t i = 0; i < n; i++)
        host[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] + 32 : p[i]);
    host[n] = 0;
    p += skip;
    n = strcspn(p, "?#");
    if (n >= PATH_SIZE)
        return false;
    snprintf(path, PATH_SIZE, "%.*s", (int)(n && *p == '/' ? n : 1), n && *p == '/' ? p : "/");
    return true;
}

static void drop(struct cookies *j, size_t i)
{
    struct cookie *c = &j->c[i];
    explicit_bzero(c->value, strlen(c->value));
    free(c->name);
    free(c->value);
    free(c->path);
    memmove(c, c + 1, (--j->n - i) * sizeof *c);
}

void cookies_clear(struct cookies *j)
{
    while (j->n)
        drop(j, j->n - 1);
    free(j->c);
    j->c = NULL;
}

/* RFC 6265 5.1.4: the path's folder. */
static char *default_path(const char *path)
{
    const char *last = strrchr(path, '/');
    return last == path ? mem_str("/") : mem_copy(path, (size_t)(last - path));
}

static bool attribute(struct cookie *c, struct text name, struct text value, int64_t now)
{
    char word[HOST_SIZE];
    if (value.n >= sizeof word) {
        return !text_is(name, "Domain");
    } else if (text_is(name, "Domain") && value.n) {
        struct text d = *value.p == '.' ? (struct text){value.p + 1, value.n - 1} : value;
        for (size_t i = 0; i < d.n; i++)
            word[i] = (char)(d.p[i] >= 'A' && d.p[i] <= 'Z' ? d.p[i] + 32 : d.p[i]);
        word[d.n] = 0;
        if (!d.n || !strchr(word, '.') || !name_within(c->host, word))
            return false;
        snprintf(c->host, sizeof c->host, "%s", word);
        c->below = true;
    } else if (text_is(name, "Path") && value.n && *value.p == '/') {
        free(c->path);
        c->path = mem_copy(value.p, value.n);
    } else if (text_is(name, "Max-Age") && value.n) {
        snprintf(word, sizeof word, "%.*s", (int)value.n, value.p);
        long long age = strtoll(word, NULL, 10);
        c->ends = age > 0 && age < INT32_MAX ? now + age : age > 0 ? 0 : 1;
    } else if (text_is(name, "Expires") && !c->ends) {
        struct tm tm = {0};
        snprintf(word, sizeof word, "%.*s", (int)value.n, value.p);
        if (strptime(word, "%a, %d %b %Y %H:%M:%S", &tm) || strptime(word, "%a, %d-%b-%Y %H:%M:%S", &tm))
            c->ends = (int64_t)timegm(&tm) > 0 ? (int64_t)timegm(&tm) : 1;
    }
    return true;
}

/* One of the same name, host and path is replaced; one whose time is over goes. */
static void keep(struct cookies *j, struct cookie *c, int64_t now)
{
    for (size_t i = 0; i < j->n; i++)
        if (strcmp(j->c[i].name, c->name) == 0 && strcmp(j->c[i].host, c->host) == 0 && strcmp(j->c[i].path, c->path) == 0)
            drop(j, i--);
    if (j->n == COOKIES_MAX)
        drop(j, 0);
    j->c = mem_grow(j->c, j->n + 1, sizeof *j->c);
    j->c[j->n++] = *c;
    if (c->ends && c->ends <= now)
        drop(j, j->n - 1);
}

static bool has_controls(struct text t)
{
    for (size_t i = 0; i < t.n; i++)
        if (((unsigned char)t.p[i] < ' ' && t.p[i] != '\t') || t.p[i] == 0x7f)
            return true;
    return false;
}

static void read_one(struct cookies *j, const char *host, const char *path, struct text line, int64_t now)
{
    const char *end = line.p + line.n, *semi = memchr(line.p, ';', line.n), *stop = semi ? semi : end;
    const char *eq = memchr(line.p, '=', (size_t)(stop - line.p));
    if (!eq || line.n > COOKIE_OCTETS || has_controls(line))
        return;
    struct text name = trimmed(line.p, (size_t)(eq - line.p)), value = trimmed(eq + 1, (size_t)(stop - eq - 1));
    if (!name.n)
        return;
    struct cookie c = {.name = mem_copy(name.p, name.n), .value = mem_copy(value.p, value.n), .path = default_path(path)};
    snprintf(c.host, sizeof c.host, "%s", host);
    bool ok = true;
    for (const char *p = stop; ok && p < end; p = stop) {
        const char *from = p + 1;
        stop = memchr(from, ';', (size_t)(end - from));
        stop = stop ? stop : end;
        eq = memchr(from, '=', (size_t)(stop - from));
        struct text key = trimmed(from, (size_t)((eq ? eq : stop) - from)), is = {"", 0};
        if (eq)
            is = trimmed(eq + 1, (size_t)(stop - eq - 1));
        ok = attribute(&c, key, is, now);
    }
    if (ok) {
        keep(j, &c, now);
        return;
    }
    free(c.name);
    free(c.value);
    free(c.path);
}

void cookies_read(struct cookies *j, const char *url, const char *head, size_t n, int64_t now)
{
    static const char field[] = "Set-Cookie:";
    char host[HOST_SIZE], path[PATH_SIZE];
    if (!split_url(url, host, path))
        return;
    for (size_t at = 0; at < n;) {
        const char *line = head + at, *end = memchr(line, '\n', n - at);
        size_t length = end ? (size_t)(end - line) : n - at;
        at += length + 1;
        if (length > sizeof field - 1 && strncasecmp(line, field, sizeof field - 1) == 0)
            read_one(j, host, path, trimmed(line + sizeof field - 1, length - (sizeof field - 1)), now);
    }
}

static bool path_within(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && (folder[n - 1] == '/' || path[n] == 0 || path[n] == '/');
}

static bool goes_to(const struct cookie *c, const char *host, const char *path, int64_t now)
{
    bool here = c->below ? name_within(host, c->host) : strcmp(host, c->host) == 0;
    return here && path_within(path, c->path) && !(c->ends && c->ends <= now);
}

bool cookies_line(const struct cookies *j, const char *url, int64_t now, struct str *out)
{
    char host[HOST_SIZE], path[PATH_SIZE];
    bool any = false;
    if (!split_url(url, host, path))
        return false;
    for (size_t length = strlen(path); length; length--) /* those of the nearest folder first: of one name servers take the first */
        for (size_t i = 0; i < j->n; i++) {
            const struct cookie *c = &j->c[i];
            if (strlen(c->path) != length || !goes_to(c, host, path, now))
                continue;
            str_fmt(out, "%s%s=%s", any ? "; " : "Cookie: ", c->name, c->value);
            any = true;
        }
    return any;
}
