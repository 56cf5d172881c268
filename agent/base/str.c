#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

void str_put(struct str *s, const void *p, size_t n)
{
    if (n > s->max - s->n) {
        n = s->max - s->n;
        s->cut = true;
    }
    if (!n)
        return;
    if (n >= s->size - s->n || !s->p) {
        size_t size = s->size ? s->size * 2 : 64;
        if (size < s->n + n + 1)
            size = s->n + n + 1;
        if (size - 1 > s->max)
            size = s->max + 1;
        s->p = mem_grow(s->p, size, 1);
        s->size = size;
    }
    memcpy(s->p + s->n, p, n);
    s->n += n;
    s->p[s->n] = '\0';
}

void str_add(struct str *s, const char *text)
{
    str_put(s, text, strlen(text));
}

void str_fmt(struct str *s, const char *fmt, ...)
{
    char small[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof(small), fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    if ((size_t)n < sizeof(small)) {
        str_put(s, small, (size_t)n);
        return;
    }
    char *big = mem_new((size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(big, (size_t)n + 1, fmt, ap);
    va_end(ap);
    str_put(s, big, (size_t)n);
    free(big);
}

char *str_take(struct str *s)
{
    char *p = s->p ? s->p : mem_copy("", 0);
    *s = STR_INIT(s->max);
    return p;
}

const char *str_text(struct str *s)
{
    return s->p ? s->p : "";
}

void str_free(struct str *s)
{
    free(s->p);
    *s = STR_INIT(s->max);
}

void str_wipe(struct str *s)
{
    if (s->p)
        explicit_bzero(s->p, s->size);
    str_free(s);
}

void strs_add_n(struct strs *l, const char *p, size_t n)
{
    /* Room doubles at the powers of two, so no field is needed for it. */
    if ((l->n & (l->n - 1)) == 0)
        l->s = mem_grow(l->s, l->n ? l->n * 2 : 1, sizeof(*l->s));
    l->s[l->n++] = mem_copy(p, n);
}

void strs_add(struct strs *l, const char *text)
{
    strs_add_n(l, text, strlen(text));
}

bool strs_has(const struct strs *l, const char *text)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->s[i], text) == 0)
            return true;
    return false;
}

bool strs_equal_sets(const struct strs *a, const struct strs *b)
{
    for (size_t i = 0; i < a->n; i++)
        if (!strs_has(b, a->s[i]))
            return false;
    for (size_t i = 0; i < b->n; i++)
        if (!strs_has(a, b->s[i]))
            return false;
    return true;
}

void strs_split(struct strs *l, const char *text)
{
    static const char between[] = " \t\r\n\v\f,";
    for (;;) {
        text += strspn(text, between);
        size_t n = strcspn(text, between);
        if (!n)
            return;
        strs_add_n(l, text, n);
        text += n;
    }
}

char *strs_join(const struct strs *l, const char *between)
{
    size_t gap = strlen(between), all = 0;
    for (size_t i = 0; i < l->n; i++)
        all += strlen(l->s[i]) + gap;
    char *out = mem_new(all + 1), *p = out;
    for (size_t i = 0; i < l->n; i++) {
        if (i)
            p = mempcpy(p, between, gap);
        p = mempcpy(p, l->s[i], strlen(l->s[i]));
    }
    return out;
}

void strs_copy(struct strs *to, const struct strs *from)
{
    struct strs copy = {0};
    for (size_t i = 0; i < from->n; i++)
        strs_add(&copy, from->s[i]);
    *to = copy;
}

void strs_free(struct strs *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->s[i]);
    free(l->s);
    *l = (struct strs){0};
}
