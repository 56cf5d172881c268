/* input.h: values and files that commands read: from an operand, a file, or standard input for "-". */
#ifndef DCV_CMD_INPUT_H
#define DCV_CMD_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* The operand itself, or all of standard input for "-"; at most max octets. The caller frees. */
bool input_value(const char *operand, size_t max, char **out, size_t *n, struct err *e);
bool input_file(const char *path, size_t max, char **out, size_t *n, struct err *e);

/* Asks on the terminal; only "y" or "yes" is yes. false where standard input or standard error is none. */
bool input_yes(const char *question);

#endif
