/* live.c: frames on a terminal, one over the other. */
#include "cmd/live.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { PACE_MS = 100, FRAME_OCTETS = 1 << 20, COLUMNS = 80, LINES = 24 };

struct live {
    bool colour;
    struct strs drawn;   /* on the terminal now; empty: nothing */
    int64_t began, last; /* clock_monotonic() */
};

struct live *live_open(const struct call *c)
{
    const char *term = getenv("TERM");
    if (!c->terminal || c->json || c->log_json || c->quiet || !term || strcmp(term, "dumb") == 0)
        return NULL;
    struct live *l = mem_new(sizeof *l);
    l->colour = !c->no_colour && !getenv("NO_COLOR");
    return l;
}

static struct live_size size_of(const struct live *l)
{
    struct winsize w = {0};
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col && w.ws_row;
    return (struct live_size){.columns = known ? w.ws_col : COLUMNS, .lines = known ? w.ws_row : LINES, .colour = l->colour};
}

/* Without colours: their sequences take no columns. */
static size_t visible_columns(const char *line)
{
    struct str plain = STR_INIT(FRAME_OCTETS);
    while (*line) {
        const char *escape = strchr(line, '\033');
        size_t n = escape ? (size_t)(escape - line) : strlen(line);
        str_put(&plain, line, n);
        line += n;
        if (escape)
            line += strcspn(line, "m") + 1;
    }
    size_t columns = text_columns(str_text(&plain));
    str_free(&plain);
    return columns;
}

/* Back to where it began: a terminal that was narrowed meanwhile has wrapped the lines. */
static void climb(const struct live *l, size_t columns, struct str *out)
{
    size_t rows = 0;
    for (size_t i = 0; i < l->drawn.n; i++) {
        size_t w = visible_columns(l->drawn.s[i]);
        rows += w ? (w + columns - 1) / columns : 1;
    }
    if (rows)
        str_fmt(out, "\033[%zuA\r\033[J", rows);
}

static void send_out(struct str *out)
{
    for (size_t at = 0; at < out->n;) {
        ssize_t n = write(STDERR_FILENO, out->p + at, out->n - at);
        if (n <= 0)
            break; /* a terminal that is gone is no fault */
        at += (size_t)n;
    }
    str_free(out);
}

static void erase(void *arg)
{
    struct live *l = arg;
    struct str out = STR_INIT(FRAME_OCTETS);
    climb(l, size_of(l).columns, &out);
    send_out(&out);
    strs_free(&l->drawn);
    l->last = 0;
}

static bool same(const struct strs *a, const struct strs *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->s[i], b->s[i]) != 0)
            return false;
    return true;
}

void live_show(struct live *l, const struct look_row *row, size_t n, int64_t left)
{
    struct strs frame = {0};
    struct str out = STR_INIT(FRAME_OCTETS);
    int64_t now = clock_monotonic();
    if (!l || (l->last && now - l->last < PACE_MS))
        return;
    if (!n) {
        erase(l);
        return;
    }
    if (!l->began)
        l->began = now;
    l->last = now;
    log_before(erase, l);
    struct live_size size = size_of(l);
    live_frame(row, n, &size, now - l->began, left, &frame);
    if (!same(&frame, &l->drawn)) {
        climb(l, size.columns, &out);
        for (size_t i = 0; i < frame.n; i++)
            str_fmt(&out, "%s\r\n", frame.s[i]);
        send_out(&out);
    }
    strs_free(&l->drawn);
    l->drawn = frame;
}

void live_close(struct live *l)
{
    if (!l)
        return;
    erase(l);
    log_before(NULL, NULL);
    free(l);
}
