#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/secret.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static char dir[] = "/tmp/dcv-secret-XXXXXX";
static char path[100];

static void put(const void *p, size_t n, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, p, n), n);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void refused(enum rc rc, const char *code, const char *text)
{
    struct secret s = {0};
    struct err e = {0};
    assert_false(secret_read(&s, path, 10, &e));
    assert_null(s.p);
    if (e.rc != rc || strcmp(e.code, code) != 0 || !strstr(e.text, text))
        fail_msg("%d [%s] %s", e.rc, e.code, e.text);
    assert_null(strstr(e.text, "geheim"));
}

static void reads(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t n;
        const char *want;
        size_t want_n;
    } cases[] = {{"pin", 3, "pin", 3},
                 {"pin\n", 4, "pin", 3},
                 {"pin\r\n", 5, "pin", 3},
                 {"pin\n\n", 5, "pin\n", 4},
                 {"a\0b\n", 4, "a\0b", 3},
                 {" x ", 3, " x ", 3},
                 {"0123456789\r\n", 12, "0123456789", 10},
                 {"x\r", 2, "x\r", 2}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct secret s = {0};
        put(cases[i].in, cases[i].n, 0400);
        assert_true(secret_read(&s, path, 10, NULL));
        assert_int_equal(s.n, cases[i].want_n);
        assert_memory_equal(s.p, cases[i].want, s.n + 1);
        secret_free(&s);
        assert_null(s.p);
    }
}

static void refuses(void **state)
{
    (void)state;
    unlink(path);
    refused(RC_CONF, "SECRET", "No such file");
    put("", 0, 0600);
    refused(RC_CONF, "SECRET", "empty");
    put("\r\n", 2, 0600);
    refused(RC_CONF, "SECRET", "empty");
    put("geheim78901", 11, 0600);
    refused(RC_CONF, "SECRET", "too long");
    put("geheim7890123456789", 19, 0600);
    refused(RC_CONF, "SECRET", "too long");
    put("geheim7890\n\n\n", 13, 0600);
    refused(RC_CONF, "SECRET", "too long");
    static const mode_t others[] = {0604, 0602, 0601, 0666, 0644};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        put("geheim", 6, others[i]);
        refused(RC_PERM, "SECRET_MODE", "run: chmod u=rw,");
        assert_false(secret_check(path, NULL));
    }
    put("geheim", 6, 0620);
    refused(RC_PERM, "SECRET_MODE", "its group; run: chmod u=rw,g");
    unlink(path);
    assert_int_equal(symlink("/etc/hostname", path), 0);
    refused(RC_PERM, "SECRET", "symbolic link");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    refused(RC_PERM, "SECRET", "not a plain file");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    refused(RC_PERM, "SECRET", "not a plain file");
    rmdir(path);
}

static void group_read(void **state)
{
    (void)state;
    struct secret s = {0};
    put("geheim", 6, 0640);
    if (geteuid() != 0) {
        refused(RC_PERM, "SECRET_MODE", "chmod u=rw,go= ");
        return;
    }
    assert_int_equal(chown(path, 0, getegid()), 0);
    assert_true(secret_read(&s, path, 10, NULL));
    assert_true(secret_check(path, NULL));
    secret_free(&s);
    assert_int_equal(chown(path, 0, getegid() + 1), 0);
    refused(RC_PERM, "SECRET_MODE", "used by its group; run: chmod u=rw,go= ");
    assert_int_equal(chown(path, 12345, getegid()), 0);
    refused(RC_PERM, "SECRET_MODE", "used by its group");
}

static void credentials(void **state)
{
    (void)state;
    struct secret s = {0};
    struct err e = {0};
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_false(secret_read(&s, "credential:secret", 10, &e));
    assert_int_equal(e.rc, RC_CONF);
    assert_non_null(strstr(e.text, "LoadCredential=secret:"));
    put("geheim\n", 7, 0444); /* systemd's modes are its own */
    setenv("CREDENTIALS_DIRECTORY", dir, 1);
    assert_true(secret_check("credential:secret", NULL));
    assert_true(secret_read(&s, "credential:secret", 10, NULL));
    assert_string_equal((char *)s.p, "geheim");
    secret_free(&s);
    static const char *const bad[] = {"credential:",  "credential:../etc/passwd", "credential:..",
                                      "credential:.", "credential:a/b",           "credential:none"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(secret_read(&s, bad[i], 10, NULL));
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void set_from_itself(void **state)
{
    (void)state;
    struct secret s = {0};
    secret_set(&s, "abcdef", 6);
    secret_set(&s, s.p + 2, 3);
    assert_string_equal((char *)s.p, "cde");
    secret_free(&s);
    secret_free(&s);
}

static void asked_on_a_pipe(void **state)
{
    (void)state;
    static const struct {
        const char *in, *want; /* NULL: refused */
    } cases[] = {{"1234\n", "1234"},
                 {"1234", "1234"},
                 {"1234\r\nrest", "1234"},
                 {"1234567890\n", "1234567890"},
                 {"12345678901\n", NULL},
                 {"1234567890\r\n", "1234567890"},
                 {"\n", NULL},
                 {"", NULL}};
    int was = dup(STDIN_FILENO);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int ends[2];
        struct secret s = {0};
        struct err e = {0};
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], cases[i].in, strlen(cases[i].in)), strlen(cases[i].in));
        close(ends[1]);
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
        bool ok = secret_ask(&s, "PIN: ", 10, &e);
        assert_int_equal(ok, cases[i].want != NULL);
        if (ok)
            assert_string_equal((char *)s.p, cases[i].want);
        else
            assert_int_equal(e.rc, RC_USAGE);
        secret_free(&s);
    }
    dup2(was, STDIN_FILENO);
    close(was);
}

/* Reads from the terminal's other end until `until` has come or nothing comes any more. */
static void screen(int master, char *out, size_t size, const char *until)
{
    size_t n = strlen(out);
    struct pollfd p = {.fd = master, .events = POLLIN};
    while (n + 1 < size && !strstr(out, until) && poll(&p, 1, 5000) > 0) {
        ssize_t got = read(master, out + n, size - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
        out[n] = '\0';
    }
}

static pid_t ask_in_terminal(int *master)
{
    fflush(NULL);
    pid_t pid = forkpty(master, NULL, NULL, NULL);
    assert_true(pid >= 0);
    if (pid)
        return pid;
    struct secret s = {0};
    bool ok = secret_ask(&s, "PIN: ", 10, NULL);
    dprintf(STDOUT_FILENO, "done %d %zu", ok, s.n);
    _exit(ok && strcmp((char *)s.p, "4711") == 0 ? 0 : 1);
}

static void asked_on_a_terminal(void **state)
{
    (void)state;
    int master, status;
    char seen[500] = "";
    pid_t pid = ask_in_terminal(&master);
    screen(master, seen, sizeof(seen), "PIN: ");
    assert_int_equal(write(master, "4711\n", 5), 5);
    screen(master, seen, sizeof(seen), "done 1 4");
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_non_null(strstr(seen, "PIN: \r\ndone 1 4"));
    assert_null(strstr(seen, "4711"));
    close(master);
}

static void interrupted(void **state)
{
    (void)state;
    int master, status;
    char seen[500] = "";
    struct termios t;
    pid_t pid = ask_in_terminal(&master);
    screen(master, seen, sizeof(seen), "PIN: ");
    assert_int_equal(tcgetattr(master, &t), 0);
    assert_int_equal(t.c_lflag & ECHO, 0);
    assert_int_equal(write(master, "47\003", 3), 3);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
    assert_int_equal(tcgetattr(master, &t), 0);
    assert_int_not_equal(t.c_lflag & ECHO, 0);
    close(master);
}

static void no_cores(void **state)
{
    (void)state;
    struct rlimit core;
    secret_process();
    assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
    assert_int_equal(core.rlim_max, 0);
}

static int begin(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/secret", dir);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(refuses),
        cmocka_unit_test(group_read),
        cmocka_unit_test(credentials),
        cmocka_unit_test(set_from_itself),
        cmocka_unit_test(asked_on_a_pipe),
        cmocka_unit_test(asked_on_a_terminal),
        cmocka_unit_test(interrupted),
        cmocka_unit_test(no_cores),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
