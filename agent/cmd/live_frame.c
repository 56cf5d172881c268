/* live_frame.c: what the live matrix shows: for each zone its views with numbers, below them a row for each name that is still waited for. */
#include "cmd/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/names.h"
#include "cmd/views.h"
#include "dcv/zone/zone.h"

enum { LINE_OCTETS = 4096, HOST_COLUMNS_MAX = 40, VIEWS_LINES_MAX = 4, ROWS_MIN = 3 };

#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define RED    "\033[31m"
#define DIM    "\033[2m"
#define PLAIN  "\033[0m"

static const struct {
    const char *mark, *colour;
} marks[VERDICTS] = {
    [V_MATCH] = {"+", GREEN},     [V_ABSENT] = {"-", YELLOW}, [V_NXDOMAIN] = {"-", YELLOW}, [V_OTHER] = {"x", YELLOW},
    [V_BOGUS] = {"!", RED},       [V_SERVFAIL] = {"~", RED},  [V_REFUSED] = {"~", RED},     [V_LAME] = {"~", RED},
    [V_UNREACHABLE] = {"~", RED}, [V_NOT_ASKED] = {".", DIM},
};

/* --- one line, cut at the terminal's edge ------------------------------------------------------------------------------------------------- */

struct line {
    struct str text;
    size_t columns, room;
    bool colour;
};

static struct line line_new(const struct live_size *size)
{
    return (struct line){.text = STR_INIT(LINE_OCTETS), .room = size->columns > 1 ? size->columns - 1 : 1, .colour = size->colour};
}

static void put(struct line *l, const char *colour, const char *text)
{
    bool paint = l->colour && *colour;
    if (paint)
        str_add(&l->text, colour);
    for (size_t n = strlen(text), len; n; n -= len, text += len) {
        char one[5] = {0};
        uint32_t code;
        len = text_utf8(text, n, &code);
        len = len ? len : 1;
        memcpy(one, text, len);
        if (l->columns + text_columns(one) > l->room)
            break;
        l->columns += text_columns(one);
        str_put(&l->text, one, len);
    }
    if (paint)
        str_add(&l->text, PLAIN);
}

static void pad_to(struct line *l, size_t columns)
{
    while (l->columns < columns && l->columns < l->room)
        put(l, "", " ");
}

static void line_end(struct line *l, struct strs *out)
{
    strs_add(out, str_text(&l->text));
    str_free(&l->text);
}

/* --- names with the same views ------------------------------------------------------------------------------------------------------------ */

struct group {
    const struct look_row *first; /* whose views are those of all */
    size_t waiting;
    size_t shown;
};

static bool same_views(const struct watch *a, const struct watch *b)
{
    if (a->site->zone != b->site->zone || a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->view[i].at->addr, b->view[i].at->addr) != 0 || a->view[i].at->port != b->view[i].at->port)
            return false;
    return true;
}

static bool waits(const struct look_row *r)
{
    return !r->watch->seen.visible && r->watch->n;
}

/* of[i]: the group of row i; rows that are not waited for have none. */
static size_t make_groups(const struct look_row *row, size_t n, struct group *group, size_t *of)
{
    size_t groups = 0;
    for (size_t i = 0; i < n; i++) {
        if (!waits(&row[i]))
            continue;
        size_t g = 0;
        while (g < groups && !same_views(group[g].first->watch, row[i].watch))
            g++;
        if (g == groups)
            group[groups++] = (struct group){.first = &row[i]};
        group[g].waiting++;
        of[i] = g;
    }
    return groups;
}

/* --- what stands in it --------------------------------------------------------------------------------------------------------------------- */

static void title(const struct look_row *row, size_t n, const struct live_size *size, int64_t gone, int64_t left, struct strs *out)
{
    struct line l = line_new(size);
    char text[160], since[32], until[32];
    size_t seen = 0;
    for (size_t i = 0; i < n; i++)
        seen += row[i].watch->seen.visible;
    duration_show(gone / 1000, since);
    duration_show(left > 0 ? left / 1000 : 0, until);
    snprintf(text, sizeof text, "%zu of %zu names seen by enough; %s gone, %s left", seen, n, since, until);
    put(&l, "", text);
    line_end(&l, out);
}

/* "example.hk: 1 ns1.example.hk 192.0.2.53, 2 ..., 3 resolver 192.0.2.101" over as many lines as it takes. */
static void name_views(const struct group *g, const struct live_size *size, struct strs *out)
{
    const struct watch *w = g->first->watch;
    struct line l = line_new(size);
    char zone[2 * NAME_SIZE], address[320], text[700];
    size_t lines = 1;
    name_unicode(w->site->zone->apex, zone, sizeof zone);
    put(&l, "", zone);
    put(&l, "", ":");
    for (size_t i = 0; i < w->n; i++) {
        const struct view *v = &w->view[i];
        view_address(v, address, sizeof address);
        snprintf(text, sizeof text, " %zu %s%s%s%s", i + 1, v->authority ? v->at->name : "resolver",
                 v->authority && !*v->at->name ? "" : " ", address, i + 1 < w->n ? "," : "");
        if (l.columns + text_columns(text) > l.room && lines < VIEWS_LINES_MAX) {
            line_end(&l, out);
            l = line_new(size);
            put(&l, "", "   ");
            lines++;
        }
        put(&l, "", text);
    }
    line_end(&l, out);
}

static size_t cell_columns(const struct watch *w)
{
    return w->n > 9 ? 3 : 2;
}

static void number_views(const struct group *g, size_t host, const struct live_size *size, struct strs *out)
{
    const struct watch *w = g->first->watch;
    struct line l = line_new(size);
    char text[32];
    pad_to(&l, host + 2);
    for (size_t i = 0; i < w->n; i++) {
        snprintf(text, sizeof text, "%*zu", (int)cell_columns(w), i + 1);
        put(&l, DIM, text);
    }
    line_end(&l, out);
}

static void show_row(const struct look_row *r, size_t host, const struct live_size *size, struct strs *out)
{
    const struct watch *w = r->watch;
    const struct view *b = w->seen.blocking;
    struct line l = line_new(size);
    char name[2 * NAME_SIZE], text[80];
    name_unicode(r->host, name, sizeof name);
    put(&l, "", "  ");
    size_t room = l.room;
    l.room = l.room < host + 2 ? l.room : host + 2;
    put(&l, "", name);
    l.room = room;
    pad_to(&l, host + 2);
    for (size_t i = 0; i < w->n; i++) {
        const struct view *v = &w->view[i];
        pad_to(&l, l.columns + cell_columns(w) - 1);
        put(&l, v->no_route ? DIM : marks[v->verdict].colour, v->no_route ? " " : marks[v->verdict].mark);
    }
    if (b && b->verdict != V_MATCH) {
        snprintf(text, sizeof text, "   %td %s", b - w->view + 1, view_word(b));
        put(&l, "", text);
    }
    line_end(&l, out);
}

static void folded(const struct look_row *row, const bool *shown, size_t n, const struct live_size *size, struct strs *out)
{
    size_t authorities = 0, resolvers = 0;
    char text[160];
    struct line l = line_new(size);
    for (size_t i = 0; i < n; i++)
        if (waits(&row[i]) && !shown[i])
            *(row[i].watch->seen.authorities_agree ? &resolvers : &authorities) += 1;
    if (!authorities && !resolvers)
        return;
    snprintf(text, sizeof text, "and %zu more names: %zu wait for their servers, %zu for resolvers", authorities + resolvers, authorities,
             resolvers);
    put(&l, DIM, text);
    line_end(&l, out);
}

static size_t widest_host(const struct look_row *row, size_t n)
{
    size_t widest = 4;
    char name[2 * NAME_SIZE];
    for (size_t i = 0; i < n; i++) {
        if (!waits(&row[i]))
            continue;
        name_unicode(row[i].host, name, sizeof name);
        size_t w = text_columns(name);
        widest = w > widest ? w : widest;
    }
    return widest < HOST_COLUMNS_MAX ? widest : HOST_COLUMNS_MAX;
}

/* A zone is begun only where some of its rows have room too. */
static void show_groups(const struct look_row *row, size_t n, const struct live_size *size, bool *shown, struct strs *out)
{
    struct group *group = mem_array(n + 1, sizeof *group);
    size_t *of = mem_array(n + 1, sizeof *of), groups = make_groups(row, n, group, of), host = widest_host(row, n);
    size_t last = size->lines > 4 ? size->lines - 4 : 1; /* the two lines below, and the cursor's */
    for (size_t g = 0; g < groups && out->n + 2 + ROWS_MIN <= last; g++) {
        name_views(&group[g], size, out);
        number_views(&group[g], host, size, out);
        for (size_t i = 0; i < n && out->n < last; i++) {
            if (!waits(&row[i]) || of[i] != g)
                continue;
            show_row(&row[i], host, size, out);
            shown[i] = true;
        }
    }
    free(of);
    free(group);
}

void live_frame(const struct look_row *row, size_t n, const struct live_size *size, int64_t gone, int64_t left, struct strs *out)
{
    bool *shown = mem_array(n + 1, sizeof *shown);
    struct line l = line_new(size);
    title(row, n, size, gone, left, out);
    show_groups(row, n, size, shown, out);
    folded(row, shown, n, size, out);
    put(&l, DIM, "+ seen  - not there  x other values  ! bogus  ~ no answer  . not asked yet");
    line_end(&l, out);
    free(shown);
}
