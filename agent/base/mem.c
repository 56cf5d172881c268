#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

/* No stdio and no atexit handlers: they might want memory. */
static __attribute__((noreturn)) void out_of_memory(void)
{
    static const char text[] = "dcvagent: ERROR: out of memory; the next run goes on from here [MEMORY]\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);
    (void)ignored;
    _exit(RC_RESOURCE);
}

static void *must(void *p)
{
    if (!p)
        out_of_memory();
    return p;
}

void *mem_new(size_t size)
{
    return must(calloc(1, size ? size : 1));
}

void *mem_array(size_t n, size_t size)
{
    return must(calloc(n ? n : 1, size ? size : 1)); /* calloc refuses an overflow */
}

void *mem_grow(void *old, size_t n, size_t size)
{
    size_t all;
    if (__builtin_mul_overflow(n, size, &all))
        out_of_memory();
    return must(realloc(old, all ? all : 1));
}

void *mem_copy(const void *p, size_t n)
{
    if (n == SIZE_MAX)
        out_of_memory();
    char *copy = must(malloc(n + 1));
    if (n)
        memcpy(copy, p, n);
    copy[n] = '\0';
    return copy;
}

char *mem_str(const char *s)
{
    return s ? mem_copy(s, strlen(s)) : NULL;
}

char *mem_fmt(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        out_of_memory();
    return text;
}
