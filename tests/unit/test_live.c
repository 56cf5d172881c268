/* The live matrix as text: numbered views, rows of names that wait, cut at the terminal's edge, folded where there is no room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/live.h"
#include "dcv/visible.h"
#include "dcv/zone/zone.h"

static struct zone zone_a = {.apex = "example.hk"}, zone_b = {.apex = "xn--i8s431aqn1ad1j.hk"};
static struct site site_a = {.zone = &zone_a}, site_b = {.zone = &zone_b};
static const struct endpoint ns1 = {.name = "ns1.example.hk", .addr = "192.0.2.53", .port = 53},
                             ns2 = {.name = "ns2.example.hk", .addr = "198.51.100.53", .port = 53},
                             resolver = {.addr = "192.0.2.101", .port = 53};

static struct watch watch_of(const struct site *site, struct view view[3], enum verdict a, enum verdict b, enum verdict c)
{
    view[0] = (struct view){.authority = true, .at = &ns1, .verdict = a};
    view[1] = (struct view){.authority = true, .at = &ns2, .verdict = b};
    view[2] = (struct view){.at = &resolver, .verdict = c};
    struct watch w = {.site = site, .view = view, .n = 3};
    for (size_t i = 3; i--;)
        if (view[i].verdict != V_MATCH)
            w.seen.blocking = &view[i];
    w.seen.authorities_agree = a == V_MATCH && b == V_MATCH;
    w.seen.visible = !w.seen.blocking;
    return w;
}

static char *frame(const struct look_row *row, size_t n, size_t columns, size_t lines, bool colour)
{
    struct strs out = {0};
    live_frame(row, n, &(struct live_size){columns, lines, colour}, 12000, 48000, &out);
    char *text = strs_join(&out, "\n");
    strs_free(&out);
    return text;
}

static void matrix(void **state)
{
    (void)state;
    struct view v[4][3];
    struct watch w[] = {watch_of(&site_a, v[0], V_MATCH, V_ABSENT, V_NOT_ASKED), watch_of(&site_a, v[1], V_MATCH, V_MATCH, V_MATCH),
                        watch_of(&site_b, v[2], V_MATCH, V_MATCH, V_BOGUS), watch_of(&site_a, v[3], V_OTHER, V_UNREACHABLE, V_NOT_ASKED)};
    const struct look_row row[] = {
        {"www.example.hk", &w[0]}, {"seen.example.hk", &w[1]}, {"www.xn--i8s431aqn1ad1j.hk", &w[2]}, {"a.example.hk", &w[3]}};
    char *text = frame(row, 4, 100, 30, false);
    assert_string_equal(text, "1 of 4 names seen by enough; 12 s gone, 48 s left\n"
                              "example.hk: 1 ns1.example.hk 192.0.2.53, 2 ns2.example.hk 198.51.100.53, 3 resolver 192.0.2.101\n"
                              "                  1 2 3\n"
                              "  www.example.hk  + - .   2 absent\n"
                              "  a.example.hk    x ~ .   1 other\n"
                              "電子核證.hk: 1 ns1.example.hk 192.0.2.53, 2 ns2.example.hk 198.51.100.53, 3 resolver 192.0.2.101\n"
                              "                  1 2 3\n"
                              "  www.電子核證.hk + + !   3 bogus\n"
                              "+ seen  - not there  x other values  ! bogus  ~ no answer  . not asked yet");
    free(text);
}

static void edges(void **state)
{
    (void)state;
    struct view v[2][3];
    struct watch w[] = {watch_of(&site_b, v[0], V_MATCH, V_ABSENT, V_NOT_ASKED), watch_of(&site_b, v[1], V_ABSENT, V_ABSENT, V_NOT_ASKED)};
    const struct look_row row[] = {{"www.xn--i8s431aqn1ad1j.hk", &w[0]}, {"a.xn--i8s431aqn1ad1j.hk", &w[1]}};
    for (size_t columns = 1; columns < 120; columns++)
        for (size_t lines = 1; lines < 20; lines++) {
            struct strs out = {0};
            live_frame(row, 2, &(struct live_size){columns, lines, false}, 0, -5, &out);
            for (size_t i = 0; i < out.n; i++)
                if (text_columns(out.s[i]) > (columns > 1 ? columns - 1 : 1))
                    fail_msg("%zu columns: %s", columns, out.s[i]);
            if (lines >= 4 && out.n > lines - 1)
                fail_msg("%zu lines on %zu", out.n, lines);
            strs_free(&out);
        }
}

static void many(void **state)
{
    (void)state;
    enum { N = 500 };
    struct view(*v)[3] = mem_array(N, sizeof *v);
    struct watch *w = mem_array(N, sizeof *w);
    struct look_row *row = mem_array(N, sizeof *row);
    for (size_t i = 0; i < N; i++) {
        w[i] = watch_of(&site_a, v[i], V_MATCH, i % 5 ? V_MATCH : V_ABSENT, i % 2 ? V_MATCH : V_NXDOMAIN);
        row[i] = (struct look_row){"www.example.hk", &w[i]};
    }
    char *text = frame(row, N, 80, 24, false);
    assert_non_null(strstr(text, "200 of 500 names seen by enough"));
    assert_non_null(strstr(text, "more names: "));
    free(text);
    text = frame(row, N, 80, 2000, false); /* room for all */
    assert_null(strstr(text, "more names"));
    free(text);
    free(row);
    free(w);
    free(v);
}

static void colours(void **state)
{
    (void)state;
    struct view v[3];
    struct watch w = watch_of(&site_a, v, V_MATCH, V_BOGUS, V_NOT_ASKED);
    const struct look_row row = {"www.example.hk", &w};
    char *text = frame(&row, 1, 100, 30, true);
    assert_non_null(strstr(text, "\033[32m+\033[0m"));
    assert_non_null(strstr(text, "\033[31m!\033[0m"));
    free(text);
    text = frame(&row, 1, 100, 30, false);
    assert_null(strchr(text, '\033'));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(matrix), cmocka_unit_test(edges), cmocka_unit_test(many),
                                       cmocka_unit_test(colours)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
