#include "dcv/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char *const severity_words[] = {[SEV_OK] = "ok", [SEV_INFO] = "info", [SEV_WARNING] = "warning", [SEV_ERROR] = "error"};

struct finding *finding_add(struct findings *l, const char *code, enum severity severity, const char *host)
{
    l->f = mem_grow(l->f, l->n + 1, sizeof *l->f);
    struct finding *f = &l->f[l->n++];
    *f = (struct finding){.code = code, .severity = severity};
    snprintf(f->host, sizeof f->host, "%s", host);
    return f;
}

void finding_cause(struct finding *f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(f->cause, sizeof f->cause, fmt, ap);
    va_end(ap);
}

void finding_remedy(struct finding *f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(f->remedy, sizeof f->remedy, fmt, ap);
    va_end(ap);
}

int finding_worse(const struct finding *a, const struct finding *b)
{
    if (a->severity != b->severity)
        return (int)b->severity - (int)a->severity;
    int order = strcmp(a->code, b->code);
    return order ? order : strcmp(a->host, b->host);
}

static int worse(const void *a, const void *b)
{
    return finding_worse(a, b);
}

void findings_sort(struct findings *l)
{
    if (l->n)
        qsort(l->f, l->n, sizeof *l->f, worse);
}

void findings_free(struct findings *l)
{
    free(l->f);
    *l = (struct findings){0};
}
