/* Who counts: interface.md's last paragraph as a table. A view is written as letters:
 *   place   A0 A1 ... authority server, R resolver
 *   verdict m match, a absent, o other, x nxdomain, b bogus, s servfail, f refused, l lame, u unreachable, - not asked
 *   flags   ! must, i ignored, n no route */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dcv/visible.h"

struct judge_case {
    const char *views;
    enum quorum_rule authorities, resolvers;
    unsigned count;
    bool visible, agree;
    int blocking; /* index, -1: none */
};

static const struct judge_case cases[] = {
    /* authorities, all */
    {"A0m A1m", Q_ALL, Q_MAJORITY, 0, true, true, -1},
    {"A0m A1a", Q_ALL, Q_MAJORITY, 0, false, false, 1},
    {"A0m A1o", Q_ALL, Q_MAJORITY, 0, false, false, 1},
    {"A0m A1x", Q_ALL, Q_MAJORITY, 0, false, false, 1},
    {"A0m A0u A1m", Q_ALL, Q_MAJORITY, 0, true, true, -1},  /* another address of that server answers */
    {"A0m A0a A1m", Q_ALL, Q_MAJORITY, 0, false, false, 1}, /* a wrong answer of any address blocks */
    {"A0m A1u", Q_ALL, Q_MAJORITY, 0, false, false, 1},
    {"A0m A1u A1u", Q_ALL, Q_MAJORITY, 0, false, false, 1},
    {"A0m A1s", Q_ALL, Q_MAJORITY, 0, false, false, 1},
    {"A0m A1f A1m", Q_ALL, Q_MAJORITY, 0, true, true, -1},
    {"A0m A1l", Q_ALL, Q_MAJORITY, 0, false, false, 1},
    {"A0m A1un", Q_ALL, Q_MAJORITY, 0, true, true, -1}, /* no route: not asked */
    {"A0m A0-n A1m A1-n", Q_ALL, Q_MAJORITY, 0, true, true, -1},
    {"A0-n A1-n", Q_ALL, Q_MAJORITY, 0, false, false, 0}, /* nobody asked proves nothing */
    {"A0m A1ai", Q_ALL, Q_MAJORITY, 0, true, true, -1},
    {"A0ai", Q_ALL, Q_MAJORITY, 0, false, false, -1},
    {"A0m A1ui", Q_ALL, Q_MAJORITY, 0, true, true, -1},
    {"A0m A0u! A1m", Q_ALL, Q_MAJORITY, 0, false, false, 1}, /* a must that could not be asked */
    {"A0m A1-!n", Q_ALL, Q_MAJORITY, 0, false, false, 1},
    {"A0- A1m", Q_ALL, Q_MAJORITY, 0, false, false, 0}, /* not asked yet */
    {"A0u A1a", Q_ALL, Q_MAJORITY, 0, false, false, 1}, /* the wrong one is named */
    {"", Q_ALL, Q_MAJORITY, 0, false, false, -1},
    /* any, off */
    {"A0a A1m", Q_ANY, Q_MAJORITY, 0, true, true, -1},
    {"A0a A1u", Q_ANY, Q_MAJORITY, 0, false, false, 0},
    {"A0u A1s", Q_ANY, Q_MAJORITY, 0, false, false, 0},
    {"A0u! A1m", Q_ANY, Q_MAJORITY, 0, false, false, 0},
    {"A0mi A1a", Q_ANY, Q_MAJORITY, 0, false, false, 1},
    {"A0a Rm", Q_OFF, Q_MAJORITY, 0, true, true, -1},
    {"Rm Ra", Q_OFF, Q_MAJORITY, 0, false, true, 1},
    /* resolvers */
    {"A0m Rm Rm Ra", Q_ALL, Q_MAJORITY, 0, true, true, -1},
    {"A0m Rm Ra Ra", Q_ALL, Q_MAJORITY, 0, false, true, 2},
    {"A0m Rm Ra", Q_ALL, Q_MAJORITY, 0, false, true, 2}, /* half is no majority */
    {"A0m Rm Ru Ru", Q_ALL, Q_MAJORITY, 0, true, true, -1},
    {"A0m Rm Rs Rf", Q_ALL, Q_ALL, 0, true, true, -1},
    {"A0m Rm Rb", Q_ALL, Q_ALL, 0, false, true, 2}, /* bogus is an answer */
    {"A0m Ru Ru", Q_ALL, Q_MAJORITY, 0, false, true, 1},
    {"A0m R- R-", Q_ALL, Q_MAJORITY, 0, false, true, 1},
    {"A0m Ru Ru", Q_ALL, Q_ALL, 0, false, true, 1},
    {"A0m Rm Rm Ra", Q_ALL, Q_ALL, 0, false, true, 3},
    {"A0m Rm Ra Ra", Q_ALL, Q_COUNT, 1, true, true, -1},
    {"A0m Rm Rm Ra", Q_ALL, Q_COUNT, 3, false, true, 3}, /* a number is absolute */
    {"A0m Rm Ru", Q_ALL, Q_COUNT, 2, false, true, 2},
    {"A0m Rm Rm Ra!", Q_ALL, Q_MAJORITY, 0, false, true, 3},
    {"A0m Rm Rm Ru!", Q_ALL, Q_MAJORITY, 0, false, true, 3},
    {"A0m Rm Rai Rai", Q_ALL, Q_ALL, 0, true, true, -1},
    {"A0m Rai", Q_ALL, Q_ALL, 0, true, true, -1}, /* all ignored: as if none were configured */
    {"A0m Rm R-n", Q_ALL, Q_ALL, 0, true, true, -1},
    {"A0m Rm Ra", Q_ALL, Q_ANY, 0, true, true, -1},
    {"A0a Rm Rm", Q_ALL, Q_MAJORITY, 0, false, false, 0},
};

static size_t read_views(const char *text, struct view *v)
{
    static const char letters[] = "maoxsflbu-";
    size_t n = 0;

    while (*text) {
        memset(&v[n], 0, sizeof *v);
        v[n].authority = *text++ == 'A';
        if (v[n].authority)
            v[n].server = (uint16_t)(*text++ - '0');
        v[n].verdict = (enum verdict)(strchr(letters, *text++) - letters);
        for (; *text && *text != ' '; text++) {
            v[n].must |= *text == '!';
            v[n].ignored |= *text == 'i';
            v[n].no_route |= *text == 'n';
        }
        text += *text == ' ';
        n++;
    }
    return n;
}

static void test_judge(void **state)
{
    struct view v[8];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct judge_case *c = &cases[i];
        size_t n = read_views(c->views, v);
        struct quorum q = {c->authorities, c->resolvers, c->count};
        struct seen s = visible_judge(v, n, &q, 1000);
        int blocking = s.blocking ? (int)(s.blocking - v) : -1;

        if (s.visible != c->visible || s.authorities_agree != c->agree || blocking != c->blocking)
            fail_msg("\"%s\" rules %d %d: visible %d agree %d blocking %d want %u got %u", c->views, (int)c->authorities, (int)c->resolvers,
                     s.visible, s.authorities_agree, blocking, s.want, s.got);
    }
}

static void test_numbers(void **state)
{
    struct quorum q = {Q_ALL, Q_MAJORITY, 0};
    struct view v[8];
    struct seen s;

    (void)state;
    s = visible_judge(v, read_views("A0m Rm Rm Ra Ru Rai", v), &q, 1000);
    assert_int_equal(s.want, 2);
    assert_int_equal(s.got, 2);
    assert_true(s.asked_any);
    s = visible_judge(v, read_views("A0u Ru R-", v), &q, 1000);
    assert_false(s.asked_any);
    s = visible_judge(v, read_views("A0s", v), &q, 1000);
    assert_false(s.asked_any);
    s = visible_judge(v, read_views("A0a", v), &q, 1000);
    assert_true(s.asked_any);
    assert_int_equal(s.ask_again, 1000); /* an authority can change at any time */
}

static void test_forecast(void **state)
{
    struct quorum q = {Q_ALL, Q_MAJORITY, 0};
    struct view v[8];
    size_t n = read_views("A0m Ra Rx Ro Ru", v);

    (void)state;
    v[1].asked = v[2].asked = v[3].asked = 1000;
    v[1].negative_ttl = 300;
    v[2].negative_ttl = 60;
    v[3].ttl = 120;
    assert_int_equal(visible_judge(v, n, &q, 1000).ask_again, 1120); /* two of three: the second to forget */
    assert_int_equal(visible_judge(v, n, &q, 1070).ask_again, 1120); /* one has forgotten already, one more is needed */
    assert_int_equal(visible_judge(v, n, &q, 1200).ask_again, 1200);
    q.resolvers = Q_ALL;
    assert_int_equal(visible_judge(v, n, &q, 1000).ask_again, 1300);
    q = (struct quorum){Q_ALL, Q_COUNT, 1};
    assert_int_equal(visible_judge(v, n, &q, 1000).ask_again, 1060);
    v[1].negative_ttl = v[2].negative_ttl = 60;
    v[3].ttl = 60;
    q.resolvers = Q_ALL;
    assert_int_equal(visible_judge(v, n, &q, 1000).ask_again, 1060);
}

/* Nothing is visible that an authority denies, over random views. */
static void test_never(void **state)
{
    struct view v[8];

    (void)state;
    srand(7);
    for (unsigned round = 0; round < 200000; round++) {
        size_t n = (size_t)rand() % 8;
        struct quorum q = {(enum quorum_rule)(rand() % 2 ? Q_ALL : Q_ANY), Q_MAJORITY, 0};
        bool denied = false, matched = false;
        struct seen s;

        for (size_t i = 0; i < n; i++) {
            v[i] = (struct view){.authority = rand() % 2,
                                 .server = (uint16_t)(rand() % 3),
                                 .verdict = (enum verdict)(rand() % VERDICTS),
                                 .ignored = rand() % 8 == 0,
                                 .must = rand() % 8 == 0,
                                 .no_route = rand() % 8 == 0};
            if (v[i].authority && !v[i].ignored && !v[i].no_route) {
                denied |= verdict_answer(v[i].verdict) == NOT_THERE;
                matched |= v[i].verdict == V_MATCH;
            }
        }
        s = visible_judge(v, n, &q, 0);
        assert_false(s.visible && !matched);
        assert_false(s.visible && q.authorities == Q_ALL && denied);
        assert_false(s.visible && s.blocking);
        assert_false(s.visible && !s.asked_any);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_judge), cmocka_unit_test(test_numbers), cmocka_unit_test(test_forecast),
                                       cmocka_unit_test(test_never)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
