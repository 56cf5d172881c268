/* child.c: exit codes, output, input, environment, descriptors, time limits, groups, cancels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/child.h"

static struct loop *l;
static bool ended;
static struct err fault;
static size_t answer; /* of the next run */

static void on_done(struct op *op, const struct err *e)
{
    (void)op;
    ended = true;
    fault = e ? *e : (struct err){0};
}

static bool until_ended(void *arg)
{
    (void)arg;
    return !ended;
}

static void run(struct child *c, const char *script, const char *in, uint32_t limit)
{
    static struct strs argv, env;
    strs_free(&argv);
    strs_free(&env);
    strs_add(&argv, "/bin/sh");
    strs_add(&argv, "-c");
    strs_add(&argv, script);
    strs_add(&env, "WORD=a b");
    *c = (struct child){
        .op = {.done = on_done}, .argv = &argv, .env = &env, .in = in, .n_in = in ? strlen(in) : 0, .limit_ms = limit, .answer = answer};
    ended = false;
    child_start(l, c);
    assert_false(ended);
    loop_run(l, until_ended, NULL);
    strs_free(&argv);
    strs_free(&env);
}

static void expect(const char *script, const char *in, int status, const char *out)
{
    struct child c;
    run(&c, script, in, 0);
    assert_int_equal(fault.rc, RC_OK);
    assert_false(c.timed_out);
    assert_int_equal(c.status, status);
    assert_string_equal(str_text(&c.out), out);
    child_clear(&c);
}

static void test_results(void **state)
{
    (void)state;
    expect("exit 0", NULL, 0, "");
    expect("echo out; echo err >&2; exit 3", NULL, 3, "out\nerr\n");
    expect("kill -9 $$", NULL, 128 + 9, "");
    expect("pwd; echo \"$WORD\"; echo $PATH", NULL, 0, "/\na b\n/usr/sbin:/usr/bin:/sbin:/bin\n");
    expect("cat", NULL, 0, "");
    expect("cat", "", 0, "");
    expect("cat", "handed over", 0, "handed over");
    expect("cat /dev/stdin", "again", 0, "again");
    expect("exec 0<&-; exit 4", "never read", 4, "");
    expect("env | grep -c -v -E '^(WORD|PATH|PWD|_|SHLVL|OLDPWD)='; true", NULL, 0, "0\n");
    expect("trap '' TERM PIPE; kill -PIPE $$; echo x", NULL, 0, "x\n");
    expect("kill -PIPE $$; echo not ignored any more", NULL, 128 + SIGPIPE, "");
}

static void test_big_output_and_input(void **state)
{
    (void)state;
    struct child c;
    run(&c, "head -c 300000 /dev/zero | tr '\\0' x; exit 5", NULL, 0);
    assert_int_equal(c.status, 5);
    assert_int_equal(c.out.n, 4096);
    assert_true(c.out.cut);
    child_clear(&c);
    static char big[400001];
    memset(big, 'y', sizeof big - 1);
    expect("wc -c", big, 0, "400000\n");
}

static void test_answer_apart(void **state)
{
    (void)state;
    struct child c;
    answer = 100000;
    run(&c, "echo out; echo err >&2; head -c 50000 /dev/zero | tr '\\0' x; head -c 50000 /dev/zero | tr '\\0' y >&2; exit 5", NULL, 0);
    assert_int_equal(c.status, 5);
    assert_int_equal(c.out.n, 50004);
    assert_false(c.out.cut);
    assert_int_equal(c.said.n, 4096);
    assert_memory_equal(c.out.p, "out\nxxx", 7);
    assert_memory_equal(c.said.p, "err\nyyy", 7);
    child_clear(&c);
    run(&c, "echo first; exec >&-; echo last >&2", NULL, 0);
    assert_string_equal(str_text(&c.out), "first\n");
    assert_string_equal(str_text(&c.said), "last\n");
    child_clear(&c);
    run(&c, "yes", NULL, 300);
    assert_true(c.timed_out && c.out.cut);
    assert_int_equal(c.out.n, 100000);
    child_clear(&c);
    answer = 0;
}

static void test_own_group_and_no_descriptors(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    expect("ls /proc/self/fd | tr '\\n' ' '", NULL, 0, "0 1 2 3 "); /* 3: ls reading the folder */
    close(fd);
    expect("[ $(ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat) = $$ ] && echo own", NULL, 0, "own\n");
}

static void test_time_limit(void **state)
{
    (void)state;
    struct child c;
    int64_t begun = clock_monotonic();
    run(&c, "echo before; sleep 60; echo after", NULL, 200);
    assert_true(c.timed_out);
    assert_int_equal(c.status, 128 + SIGTERM);
    assert_string_equal(str_text(&c.out), "before\n");
    assert_true(clock_monotonic() - begun < 3000);
    child_clear(&c);
}

static void test_kill_after_term(void **state)
{
    (void)state;
    struct child c;
    int64_t begun = clock_monotonic();
    run(&c, "trap '' TERM; echo $$; while :; do sleep 1; done", NULL, 100);
    assert_true(c.timed_out);
    assert_int_equal(c.status, 128 + SIGKILL);
    assert_in_range(clock_monotonic() - begun, 5000, 8000);
    child_clear(&c);
}

static void test_background_process_does_not_hang_us(void **state)
{
    (void)state;
    struct child c;
    int64_t begun = clock_monotonic();
    run(&c, "sleep 20 & echo $!; exit 7", NULL, 0);
    assert_int_equal(c.status, 7);
    assert_true(clock_monotonic() - begun < 3000);
    int pid = (int)strtol(str_text(&c.out), NULL, 10);
    assert_true(pid > 1);
    assert_int_equal(kill(pid, SIGKILL), 0); /* it was left alive */
    child_clear(&c);
}

static void test_cannot_start(void **state)
{
    (void)state;
    static const char *const bad[] = {"/nowhere/hook", "/etc/passwd", "true", "/"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct strs argv = {0};
        strs_add(&argv, bad[i]);
        struct child c = {.op = {.done = on_done}, .argv = &argv};
        ended = false;
        child_start(l, &c);
        loop_run(l, until_ended, NULL);
        assert_int_equal(fault.rc, RC_HOOK);
        assert_string_equal(fault.code, "HOOK_START");
        child_clear(&c);
        strs_free(&argv);
    }
}

static void on_tick(struct op *op, const struct err *e)
{
    (void)op;
    (void)e;
    ended = true;
}

static void test_cancel_ends_the_group(void **state)
{
    (void)state;
    char path[] = "/tmp/test_child.XXXXXX", script[128];
    int fd = mkstemp(path);
    snprintf(script, sizeof script, "sleep 100 & echo $! > %s; wait", path);
    struct strs argv = {0};
    strs_add(&argv, "/bin/sh");
    strs_add(&argv, "-c");
    strs_add(&argv, script);
    struct child *c = calloc(1, sizeof *c);
    *c = (struct child){.op = {.done = on_done}, .argv = &argv, .in = "x", .n_in = 1};
    child_start(l, c);
    struct timer t = {.op = {.done = on_tick}, .at = loop_now(l) + 300};
    ended = false;
    loop_timer(l, &t);
    loop_run(l, until_ended, NULL);
    op_cancel(&c->op);
    free(c); /* at once */
    strs_free(&argv);
    loop_free(l); /* waits until it is gone */
    char text[16] = "";
    assert_true(read(fd, text, sizeof text - 1) > 0);
    for (int i = 0; i < 50 && kill((int)strtol(text, NULL, 10), 0) == 0; i++)
        usleep(20000); /* a zombie until init takes it */
    close(fd);
    unlink(path);
    l = loop_new(NULL);
}

static int setup(void **state)
{
    (void)state;
    l = loop_new(NULL);
    return l ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    loop_free(l);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_big_output_and_input),
        cmocka_unit_test(test_answer_apart),
        cmocka_unit_test(test_own_group_and_no_descriptors),
        cmocka_unit_test(test_time_limit),
        cmocka_unit_test(test_kill_after_term),
        cmocka_unit_test(test_background_process_does_not_hang_us),
        cmocka_unit_test(test_cannot_start),
        cmocka_unit_test(test_cancel_ends_the_group),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
