/* columns.h: tables for a terminal: columns as wide as their widest cell. */
#ifndef DCV_CMD_COLUMNS_H
#define DCV_CMD_COLUMNS_H

#include <stddef.h>

#include "base/str.h"

struct columns {
    size_t n;          /* columns */
    struct strs cells; /* row after row */
};

void columns_row(struct columns *t, ...) __attribute__((sentinel)); /* n texts, then NULL */
void columns_print(struct columns *t, const char *indent);          /* to stdout; t is empty again */

#endif
