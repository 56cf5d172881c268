/* store_tools.h: what the tests of the store share: a fresh folder, a store in it, this program again as another process. */
#ifndef DCV_TESTS_STORE_TOOLS_H
#define DCV_TESTS_STORE_TOOLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "store/store.h"

#define assert_ok(call, e)                                                                                                                 \
    do {                                                                                                                                   \
        if (!(call))                                                                                                                       \
            fail_msg("%s: %d %s: %s", #call, (e).rc, (e).code, (e).text);                                                                  \
    } while (0)

static char test_dir[64];

static int fresh_dir(void **state)
{
    (void)state;
    snprintf(test_dir, sizeof test_dir, "%s", "/tmp/dcv-store-XXXXXX");
    return mkdtemp(test_dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", test_dir, (char *)NULL);
        _exit(127);
    }
    return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

__attribute__((unused)) static struct store *open_store(bool writer)
{
    struct store *s;
    struct err e = {0};
    assert_ok(store_open(&s, test_dir, writer, &e), e);
    return s;
}

__attribute__((unused)) static void in_dir(char out[256], const char *name)
{
    snprintf(out, 256, "%s/%s", test_dir, name);
}

__attribute__((unused)) static pid_t start_self(const char *what, const char *arg, const char *kill_at)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid)
        return pid;
    if (kill_at)
        setenv("DCVAGENT_KILL", kill_at, 1);
    execl("/proc/self/exe", "test", what, test_dir, arg, (char *)NULL);
    _exit(127);
}

__attribute__((unused)) static int wait_for(pid_t pid)
{
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#define with_dir(test) cmocka_unit_test_setup_teardown(test, fresh_dir, remove_dir)

#endif
