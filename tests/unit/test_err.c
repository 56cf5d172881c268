#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/err.h"
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

static void first_fault_wins(void **state)
{
    (void)state;
    struct err e = {0};
    assert_false(err_set(&e, RC_NET, "TIMEOUT", "no answer from %s", "ns1"));
    assert_false(err_set(&e, RC_BUG, "OTHER", "clean-up failed too"));
    assert_int_equal(e.rc, RC_NET);
    assert_string_equal(e.code, "TIMEOUT");
    assert_string_equal(e.text, "no answer from ns1");
    assert_false(err_at(&e, "%s", "ns1.example.hk"));
    assert_false(err_at(&e, "%s", "other"));
    assert_string_equal(e.where, "ns1.example.hk");
    assert_false(e.again);
    assert_false(err_again(&e, 100));
    err_again(&e, 50);
    assert_true(e.again);
    assert_int_equal(e.not_before, 100);
}

static void nobody_cares(void **state)
{
    (void)state;
    assert_false(err_set(NULL, RC_NET, "X", "x"));
    assert_false(err_at(NULL, "x"));
    assert_false(err_again(NULL, 1));
}

static void fault_without_code_is_a_bug(void **state)
{
    (void)state;
    struct err e = {0};
    err_set(&e, RC_OK, "X", "x");
    assert_int_equal(e.rc, RC_BUG);
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    for (size_t lead = 0; lead < 4; lead++) {
        struct err e = {0};
        char text[1000] = "";
        memset(text, 'a', lead);
        while (strlen(text) < 900)
            snprintf(text + strlen(text), 4, "電");
        err_set(&e, RC_CONF, "X", "%s", text);
        size_t n = strlen(e.text);
        assert_true(n < sizeof(e.text) && n > sizeof(e.text) - 8);
        assert_string_equal(e.text + n - 3, "...");
        assert_int_equal((n - 3 - lead) % 3, 0);
    }
}

static void worst_exit_code(void **state)
{
    (void)state;
    static const enum rc order[] = {70, 74, 73, 71, 78, 77, 13, 11, 14, 76, 12, 69, 15, 1, 75, 10, 0};
    size_t n = sizeof(order) / sizeof(order[0]);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            assert_int_equal(rc_worse(order[i], order[j]), order[i < j ? i : j]);
    assert_int_equal(rc_worse(RC_OK, 99), 99);
}

static void ending(int want, void (*how)(void))
{
    int status;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(STDERR_FILENO);
        how();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), want);
}

static void bug(void)
{
    err_bug("%s", "the sky fell");
}

static void overflow(void)
{
    mem_grow(NULL, SIZE_MAX / 2, 3);
}

static void endings(void **state)
{
    (void)state;
    ending(70, bug);
    ending(71, overflow);
}

static void memory(void **state)
{
    (void)state;
    char *p = mem_copy("ab\0c", 4);
    assert_memory_equal(p, "ab\0c", 5);
    free(p);
    free(mem_new(0));
    assert_null(mem_str(NULL));
    p = mem_fmt("%d-%s", 7, "x");
    assert_string_equal(p, "7-x");
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_fault_wins),
        cmocka_unit_test(nobody_cares),
        cmocka_unit_test(fault_without_code_is_a_bug),
        cmocka_unit_test(worst_exit_code),
        cmocka_unit_test(endings),
        cmocka_unit_test(memory),
        cmocka_unit_test(long_texts_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
