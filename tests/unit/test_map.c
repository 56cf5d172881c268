#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/map.h"

static void empty(void **state)
{
    (void)state;
    struct map m = {0};
    assert_null(map_get(&m, ""));
    assert_null(map_get(&m, "a"));
    map_free(&m);
}

static void replaces(void **state)
{
    (void)state;
    struct map m = {0};
    int one, two;
    char again[] = "shop";
    map_put(&m, "shop", &one);
    map_put(&m, "", &two);
    assert_ptr_equal(map_get(&m, "shop"), &one);
    map_put(&m, again, &two);
    assert_ptr_equal(map_get(&m, "shop"), &two);
    assert_ptr_equal(map_get(&m, ""), &two);
    assert_int_equal(m.n, 2);
    assert_null(map_get(&m, "sho"));
    map_free(&m);
    assert_null(map_get(&m, "shop"));
}

static void many(void **state)
{
    (void)state;
    enum { N = 5000 };
    static char key[N][24];
    struct map m = {0};
    for (int i = 0; i < N; i++) {
        snprintf(key[i], sizeof key[i], "c%d.test", i);
        map_put(&m, key[i], &key[i]);
    }
    assert_int_equal(m.n, N);
    for (int i = 0; i < N; i++) {
        char like[24];
        snprintf(like, sizeof like, "c%d.test", i);
        assert_ptr_equal(map_get(&m, like), &key[i]);
    }
    assert_null(map_get(&m, "c5000.test"));
    map_free(&m);
}

/* Whatever is taken out in whatever order, the rest is found. */
static void takes(void **state)
{
    (void)state;
    enum { N = 3000 };
    static char key[N][24];
    struct map m = {0};
    assert_null(map_take(&m, "a"));
    for (int i = 0; i < N; i++) {
        snprintf(key[i], sizeof key[i], "n%d.z%d.test", i, i % 7);
        map_put(&m, key[i], &key[i]);
    }
    assert_null(map_take(&m, "none.test"));
    for (int gone = 0; gone < N; gone++) {
        int i = gone * 1999 % N;
        assert_ptr_equal(map_take(&m, key[i]), &key[i]);
        assert_null(map_take(&m, key[i]));
        assert_null(map_get(&m, key[i]));
        assert_int_equal(m.n, N - gone - 1);
        for (int k = gone + 1; k < N && k < gone + 40; k++)
            assert_ptr_equal(map_get(&m, key[k * 1999 % N]), &key[k * 1999 % N]);
    }
    map_put(&m, "again", &m);
    assert_ptr_equal(map_get(&m, "again"), &m);
    map_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(empty), cmocka_unit_test(replaces), cmocka_unit_test(many),
                                       cmocka_unit_test(takes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
