#include "cmd/input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

static bool read_stdin(size_t max, char **out, size_t *n, struct err *e)
{
    struct str s = STR_INIT(max + 1);
    char block[8192];
    for (;;) {
        ssize_t got = read(STDIN_FILENO, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) { /* a part of a value is another value */
            str_free(&s);
            return err_set(e, RC_USAGE, "INPUT", "cannot read from standard input: %s; nothing was changed", strerror(errno));
        }
        if (!got)
            break;
        str_put(&s, block, (size_t)got);
        if (s.n > max || s.cut) {
            str_free(&s);
            return err_set(e, RC_USAGE, "INPUT_LONG", "standard input is longer than the %zu octets that are possible here", max);
        }
    }
    *n = s.n;
    *out = str_take(&s);
    return true;
}

bool input_value(const char *operand, size_t max, char **out, size_t *n, struct err *e)
{
    if (strcmp(operand, "-") == 0)
        return read_stdin(max, out, n, e);
    *n = strlen(operand);
    if (*n > max)
        return err_set(e, RC_USAGE, "INPUT_LONG", "the value has %zu octets, at most %zu are possible here", *n, max);
    *out = mem_str(operand);
    return true;
}

bool input_file(const char *path, size_t max, char **out, size_t *n, struct err *e)
{
    return strcmp(path, "-") == 0 ? read_stdin(max, out, n, e) : fs_read(path, max, out, n, e);
}

bool input_yes(const char *question)
{
    char line[16] = "";
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return false;
    fprintf(stderr, "%s [y/N] ", question);
    fflush(stderr);
    if (!fgets(line, sizeof line, stdin))
        return false;
    line[strcspn(line, "\r\n")] = 0;
    return strcmp(line, "y") == 0 || strcmp(line, "Y") == 0 || strcmp(line, "yes") == 0;
}
