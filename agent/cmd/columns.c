#include "cmd/columns.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

void columns_row(struct columns *t, ...)
{
    va_list ap;
    va_start(ap, t);
    for (const char *cell; (cell = va_arg(ap, const char *));)
        strs_add(&t->cells, cell);
    va_end(ap);
}

void columns_print(struct columns *t, const char *indent)
{
    size_t *width = mem_array(t->n, sizeof *width);
    for (size_t i = 0; i < t->cells.n; i++) {
        size_t w = text_columns(t->cells.s[i]);
        width[i % t->n] = w > width[i % t->n] ? w : width[i % t->n];
    }
    for (size_t i = 0; i < t->cells.n; i++) {
        size_t at = i % t->n, w = text_columns(t->cells.s[i]);
        if (at == 0)
            fputs(indent, stdout);
        if (at + 1 == t->n)
            printf("%s\n", t->cells.s[i]);
        else
            printf("%s%*s", t->cells.s[i], (int)(width[at] - w) + 2, "");
    }
    free(width);
    strs_free(&t->cells);
}
