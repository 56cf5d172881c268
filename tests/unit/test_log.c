#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/json.h"

static char dir[] = "/tmp/dcv-log-XXXXXX";
static char path[100];
static int real_stderr;
static FILE *caught;

/* From here to caught_text() stderr goes to a file. */
static void catch_stderr(void)
{
    fflush(stderr);
    caught = tmpfile();
    real_stderr = dup(STDERR_FILENO);
    dup2(fileno(caught), STDERR_FILENO);
}

static const char *caught_text(void)
{
    static char text[20000];
    fflush(stderr);
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    ssize_t n = pread(fileno(caught), text, sizeof(text) - 1, 0);
    fclose(caught);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void open_with(struct log_setup setup)
{
    struct err e = {0};
    if (!setup.target)
        setup.target = "none";
    if (!log_open(&setup, &e))
        fail_msg("%s", e.text);
}

static void text_lines(void **state)
{
    (void)state;
    static const struct {
        struct about about;
        const char *where, *code, *text, *want;
    } cases[] = {
        {{.step = "verify", .name = "www.example.hk", .cert = "shop"},
         "ns1",
         "SECONDARY_LAG",
         "late",
         "dcvagent: ERROR verify www.example.hk: late [SECONDARY_LAG]\n"},
        {{.step = "verify", .cert = "shop"}, "ns1", "X", "late", "dcvagent: ERROR verify shop: late [X]\n"},
        {{.step = "verify"}, "ns1", "X", "late", "dcvagent: ERROR verify ns1: late [X]\n"},
        {{.server = "192.0.2.1"}, "", NULL, "late", "dcvagent: ERROR 192.0.2.1: late\n"},
        {{0}, "", "X", "late", "dcvagent: ERROR: late [X]\n"},
        {{.name = "a\nb", .step = "\033[1m"}, "", "X", "x\n\xc2\x9b\x7f", "dcvagent: ERROR \\x1b[1m a\\x0ab: x\\x0a\\xc2\\x9b\\x7f [X]\n"},
        {{.name = "電子.hk"}, "", "X", "%s%n", "dcvagent: ERROR 電子.hk: %s%n [X]\n"},
    };
    open_with((struct log_setup){0});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err e = {.rc = RC_NET, .code = cases[i].code};
        snprintf(e.text, sizeof(e.text), "%s", cases[i].text);
        snprintf(e.where, sizeof(e.where), "%s", cases[i].where);
        catch_stderr();
        say_err(LEVEL_ERROR, &cases[i].about, &e);
        assert_string_equal(caught_text(), cases[i].want);
    }
    catch_stderr();
    say_err(LEVEL_ERROR, NULL, &(struct err){.rc = RC_NET, .code = "X", .text = "t"});
    assert_string_equal(caught_text(), "dcvagent: ERROR: t [X]\n");
}

/* Which of ERROR WARNING NOTICE INFO DEBUG reach stderr. */
static void what_is_shown(void **state)
{
    (void)state;
    static const struct {
        struct log_setup setup;
        const char *normally, *loudly;
    } cases[] = {
        {{0}, "E", "EWNID"},
        {{.terminal = true}, "EWN", "EWNID"},
        {{.verbose = 1}, "EWNI", "EWNID"},
        {{.verbose = 2}, "EWNID", "EWNID"},
        {{.quiet = true, .terminal = true}, "E", "E"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        open_with(cases[i].setup);
        char got[3][10] = {"", "", ""};
        for (int level = LEVEL_ERROR; level <= LEVEL_DEBUG; level++)
            for (int how = 0; how < 3; how++) {
                catch_stderr();
                how == 0   ? say(level, NULL, NULL, "x")
                : how == 1 ? say_loudly(level, NULL, NULL, "x")
                           : say_quietly(level, NULL, NULL, "x");
                if (*caught_text())
                    strncat(got[how], &"EWNID"[level], 1);
            }
        assert_string_equal(got[0], cases[i].normally);
        assert_string_equal(got[1], cases[i].loudly);
        assert_string_equal(got[2], "");
    }
}

static void json_lines(void **state)
{
    (void)state;
    open_with((struct log_setup){.json = true, .run = "r1"});
    struct about about = {.cert = "shop",
                          .name = "www.example.hk",
                          .step = "verify",
                          .server = "192.0.2.1",
                          .rcode = 4,
                          .attempt = 3,
                          .retry_at = 1811721600};
    catch_stderr();
    say(LEVEL_ERROR, &about, "X", "one\ntwo \"%s\" \033\xff", "q");
    say(LEVEL_ERROR, NULL, NULL, "plain");
    const char *text = caught_text();
    assert_null(strchr(text, '\033'));
    const char *second = strchr(text, '\n') + 1;
    assert_int_equal(strchr(second, '\n')[1], '\0');
    json_t *j = json_loadb(text, (size_t)(second - text), 0, NULL);
    assert_non_null(j);
    static const char *const strings[][2] = {{"level", "ERROR"},
                                             {"code", "X"},
                                             {"run", "r1"},
                                             {"cert", "shop"},
                                             {"name", "www.example.hk"},
                                             {"step", "verify"},
                                             {"server", "192.0.2.1"},
                                             {"rcode", "NXDOMAIN"},
                                             {"retry_at", "2027-05-31T00:00:00Z"},
                                             {"text", "one\\x0atwo \"q\" \\x1b\\xff"}};
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
        assert_string_equal(json_str(j, strings[i][0]), strings[i][1]);
    assert_int_equal(json_num(j, "attempt"), 3);
    assert_true(json_is_integer(json_object_get(j, "elapsed_ms")));
    int64_t ts;
    assert_true(time_parse(json_str(j, "ts"), &ts));
    assert_int_equal(strlen(json_str(j, "ts")), strlen("2027-05-31T00:00:00.000Z"));
    assert_in_range(clock_now() - ts, 0, 5);
    json_decref(j);
    j = json_loads(second, 0, NULL);
    assert_true(json_is_null(json_object_get(j, "name")));
    assert_true(json_is_null(json_object_get(j, "retry_at")));
    json_decref(j);
}

static void long_json_is_still_json(void **state)
{
    (void)state;
    char quotes[5000];
    memset(quotes, '"', sizeof(quotes) - 1);
    quotes[sizeof(quotes) - 1] = '\0';
    struct about about = {.cert = quotes, .name = quotes, .step = quotes};
    open_with((struct log_setup){.json = true});
    catch_stderr();
    say(LEVEL_ERROR, &about, "X", "%s", quotes);
    json_t *j = json_loads(caught_text(), 0, NULL);
    assert_non_null(j);
    json_decref(j);
    open_with((struct log_setup){0});
    catch_stderr();
    say(LEVEL_ERROR, &about, "X", "%s", quotes);
    const char *text = caught_text();
    assert_non_null(strstr(text, "... [X]\n"));
}

static void colour_and_journal(void **state)
{
    (void)state;
    open_with((struct log_setup){.colour = true});
    catch_stderr();
    say(LEVEL_ERROR, NULL, NULL, "x");
    assert_string_equal(caught_text(), "dcvagent: \033[1;31mERROR\033[0m: x\n");
    for (int same = 0; same < 2; same++) {
        char stream[80];
        struct stat st;
        catch_stderr();
        fstat(STDERR_FILENO, &st);
        snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino + !same);
        setenv("JOURNAL_STREAM", stream, 1);
        open_with((struct log_setup){.verbose = 2});
        say(LEVEL_ERROR, NULL, NULL, "x");
        say(LEVEL_INFO, NULL, NULL, "y");
        unsetenv("JOURNAL_STREAM");
        assert_string_equal(caught_text(),
                            same ? "<3>dcvagent: ERROR: x\n<6>dcvagent: INFO: y\n" : "dcvagent: ERROR: x\ndcvagent: INFO: y\n");
    }
}

static void to_a_file(void **state)
{
    (void)state;
    char text[1000] = "";
    open_with((struct log_setup){.target = path});
    catch_stderr();
    say(LEVEL_INFO, &(struct about){.cert = "shop"}, "X", "kept");
    say_quietly(LEVEL_ERROR, NULL, NULL, "throttled\n");
    say(LEVEL_DEBUG, NULL, NULL, "not kept");
    assert_string_equal(caught_text(), "");
    open_with((struct log_setup){.target = path}); /* appends */
    say(LEVEL_NOTICE, NULL, NULL, "again");
    log_close();
    FILE *f = fopen(path, "r");
    assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
    fclose(f);
    assert_non_null(strstr(text, "]: INFO shop: kept [X]\n"));
    assert_non_null(strstr(text, "]: ERROR: throttled\\x0a\n"));
    assert_non_null(strstr(text, "]: NOTICE: again\n"));
    assert_null(strstr(text, "not kept"));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    unlink(path);
}

static void bad_files(void **state)
{
    (void)state;
    struct err e = {0};
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_false(log_open(&(struct log_setup){.target = path}, &e));
    assert_int_equal(e.rc, RC_CREATE);
    assert_string_equal(e.code, "LOG_FILE");
    unlink(path);
    assert_false(log_open(&(struct log_setup){.target = "/dev/null"}, NULL));
    assert_false(log_open(&(struct log_setup){.target = "/nowhere/log"}, NULL));
    assert_false(log_open(&(struct log_setup){.target = dir}, NULL));
    catch_stderr();
    say(LEVEL_ERROR, NULL, NULL, "still told");
    assert_string_equal(caught_text(), "dcvagent: ERROR: still told\n");
}

static void durable_points(void **state)
{
    (void)state;
    open_with((struct log_setup){.verbose = 2});
    catch_stderr();
    durable("key");
    durable("switch");
    assert_string_equal(caught_text(), "dcvagent: DEBUG: durable 1 key\ndcvagent: DEBUG: durable 2 switch\n");
}

static void errno_survives(void **state)
{
    (void)state;
    open_with((struct log_setup){0});
    catch_stderr();
    errno = ENOENT;
    say(LEVEL_ERROR, NULL, NULL, "x");
    assert_int_equal(errno, ENOENT);
    caught_text();
}

static void erased(void *arg)
{
    ++*(int *)arg;
}

static void *in_a_worker(void *arg)
{
    for (int i = 0; i < *(int *)arg; i++)
        say(LEVEL_ERROR, NULL, NULL, "from the worker");
    return NULL;
}

/* Workers speak too: their lines are whole, and what the loop has drawn is not theirs to take away. */
static void a_worker_speaks(void **state)
{
    (void)state;
    pthread_t worker;
    int lines = 200, times = 0, whole = 0;
    open_with((struct log_setup){0});
    log_before(erased, &times);
    catch_stderr();
    assert_int_equal(pthread_create(&worker, NULL, in_a_worker, &lines), 0);
    for (int i = 0; i < lines; i++)
        say(LEVEL_ERROR, NULL, NULL, "from the loop");
    pthread_join(worker, NULL);
    log_before(NULL, NULL);
    for (const char *p = caught_text(); *p; whole++) {
        const char *end = strchr(p, '\n');
        assert_non_null(end);
        assert_true(strncmp(p, "dcvagent: ERROR: from the worker\n", (size_t)(end - p + 1)) == 0 ||
                    strncmp(p, "dcvagent: ERROR: from the loop\n", (size_t)(end - p + 1)) == 0);
        p = end + 1;
    }
    assert_int_equal(whole, 2 * lines);
    assert_int_equal(times, lines);
}

static int begin(void **state)
{
    (void)state;
    unsetenv("JOURNAL_STREAM");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/log", dir);
    return 0;
}

static int end(void **state)
{
    (void)state;
    log_close();
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_lines),         cmocka_unit_test(what_is_shown),
        cmocka_unit_test(json_lines),         cmocka_unit_test(long_json_is_still_json),
        cmocka_unit_test(colour_and_journal), cmocka_unit_test(to_a_file),
        cmocka_unit_test(bad_files),          cmocka_unit_test(durable_points),
        cmocka_unit_test(errno_survives),     cmocka_unit_test(a_worker_speaks),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
