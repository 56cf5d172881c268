/* Several processes: killed at each durable point, the run lock, hand-overs during a turn; another machine; backup. */
#include "tests/unit/store_tools.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>

#include "base/clock.h"

/* --- what this program does as another process -------------------------------------------------------------------------------------- */

enum { TURNS = 4 };

static void world(void *arg) /* an effect that can be seen from outside */
{
    int fd = *(int *)arg;
    if (write(fd, "x", 1) != 1)
        _exit(98);
}

static int work(const char *effects)
{
    struct err e = {0};
    struct store *s;
    int fd = open(effects, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (!store_open(&s, test_dir, true, &e) || !store_lock(s, &e))
        return e.rc;
    for (int i = 0; i < TURNS; i++) {
        struct ledger_row row = {.order = "o", .rec = {.owner = "a.hk", .type = TYPE_TXT}, .state = LEDGER_INTENDED};
        struct saved_order o = {.begun = i, .open = true};
        if (!order_new_id(o.id, clock_now(), &e) || !ledger_put(s, &row, &e) || !order_put(s, &o, &e) ||
            !evidence_put(s, "shop", o.id, "write", "{}", &e))
            return e.rc;
        store_then(s, world, &fd);
        if (!store_turn(s, &e))
            return e.rc;
    }
    store_close(s);
    close(fd);
    return 0;
}

static int lock_only(void)
{
    struct err e = {0};
    struct store *s;
    if (!store_open(&s, test_dir, true, &e) || !store_lock(s, &e)) {
        store_close(s);
        if (e.rc == RC_LATER && (strcmp(e.code, "LOCKED") || !strstr(e.text, "process ") || !e.again))
            return 97;
        return e.rc;
    }
    store_close(s);
    return 0;
}

static int hand_over(const char *text)
{
    struct err e = {0};
    struct store *s;
    int rc = 0;
    if (!store_open(&s, test_dir, true, &e) ||
        !inbox_put(s, "shop", "code", "a.hk", (struct bytes){(const uint8_t *)text, strlen(text)}, 0, &e))
        rc = e.rc;
    store_close(s);
    return rc;
}

static int as_other_process(char **argv)
{
    snprintf(test_dir, sizeof test_dir, "%s", argv[2]);
    if (!strcmp(argv[1], "work"))
        return work(argv[3]);
    return !strcmp(argv[1], "lock") ? lock_only() : hand_over(argv[3]);
}

/* --- crashes ------------------------------------------------------------------------------------------------------------------------ */

static bool count_row(void *arg, const struct ledger_row *r)
{
    ++*(unsigned *)arg;
    return r->state == LEDGER_INTENDED;
}

static bool count_order(void *arg, const struct saved_order *o)
{
    ++*(unsigned *)arg;
    return o->open;
}

static bool count_evidence(void *arg, int64_t at, const char *cert, const char *order, const char *kind, const char *json)
{
    (void)at, (void)cert, (void)order, (void)kind, (void)json;
    ++*(unsigned *)arg;
    return true;
}

/* All or nothing of each turn, and no effect without its turn. */
static void consistent(const char *effects)
{
    struct err e = {0};
    struct stat st = {0};
    unsigned rows = 0, orders = 0, lines = 0;
    struct store *s = open_store(true);
    assert_ok(store_lock(s, &e), e); /* the dead hold no lock */
    assert_ok(ledger_each(s, NULL, count_row, &rows, &e), e);
    assert_ok(order_each(s, NULL, count_order, &orders, &e), e);
    assert_ok(evidence_each(s, NULL, NULL, count_evidence, &lines, &e), e);
    store_close(s);
    stat(effects, &st);
    assert_int_equal(rows, orders);
    assert_int_equal(rows, lines);
    assert_true((unsigned)st.st_size == rows || (unsigned)st.st_size + 1 == rows);
}

static void killed_everywhere(void **state)
{
    unsigned killed = 0;
    int rc;
    (void)state;
    do {
        char effects[256], at[16];
        remove_dir(NULL);
        assert_int_equal(mkdir(test_dir, 0700), 0);
        in_dir(effects, "effects");
        snprintf(at, sizeof at, "%u", killed + 1);
        rc = wait_for(start_self("work", effects, at));
        consistent(effects);
        if (rc == -SIGKILL)
            killed++;
    } while (rc == -SIGKILL);
    assert_int_equal(rc, 0);
    assert_true(killed >= TURNS + 1); /* the set-up and each turn at least */
    print_message("killed at %u points\n", killed);
}

static void killed_any_time(void **state)
{
    char effects[256];
    (void)state;
    in_dir(effects, "effects");
    for (unsigned us = 0; us < 8; us++) {
        pid_t pid = start_self("work", effects, NULL);
        for (int64_t until = clock_monotonic() + 10 + 7 * us; clock_monotonic() < until;)
            ;
        kill(pid, SIGKILL);
        wait_for(pid);
        struct stat st = {0};
        if (!stat(effects, &st))
            consistent(effects);
        unlink(effects);
        remove_dir(NULL);
        assert_int_equal(mkdir(test_dir, 0700), 0);
    }
}

/* --- lock, hand-over ----------------------------------------------------------------------------------------------------------------- */

static void run_lock(void **state)
{
    struct err e = {0};
    struct store *s = open_store(true);
    char path[256];
    (void)state;
    assert_ok(store_lock(s, &e), e);
    assert_ok(store_lock(s, &e), e); /* twice is once */
    assert_int_equal(wait_for(start_self("lock", NULL, NULL)), RC_LATER);
    in_dir(path, "run.lock");
    unlink(path); /* by a helpful person; then the next one gets a lock of its own, that cannot be helped */
    store_close(s);
    assert_int_equal(wait_for(start_self("lock", NULL, NULL)), 0);

    s = open_store(true);
    setenv("DCVAGENT_FAIL", "flock:ENOLCK", 1);
    assert_false(store_lock(s, &e));
    unsetenv("DCVAGENT_FAIL");
    assert_int_equal(e.rc, RC_STATE);
    assert_non_null(strstr(e.text, "file system"));
    store_close(s);
}

static bool join(void *arg, const struct inbox_row *r)
{
    strncat(arg, (const char *)r->text.p, r->text.n);
    return true;
}

static void handed_over_during_a_turn(void **state)
{
    struct err e = {0};
    struct store *s = open_store(true);
    char all[64] = "";
    (void)state;
    assert_ok(store_lock(s, &e), e);
    int64_t version = store_version(s);
    assert_ok(value_put(s, "m", "k", "v", &e), e); /* the turn holds the write lock */
    pid_t pid = start_self("code", "one", NULL);
    for (int64_t until = clock_monotonic() + 300; clock_monotonic() < until;)
        ;
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* waits */
    assert_ok(store_turn(s, &e), e);
    assert_int_equal(wait_for(pid), 0);
    assert_true(store_version(s) != version);
    assert_int_equal(wait_for(start_self("code", "two", NULL)), 0);
    assert_ok(inbox_each(s, join, all, &e), e);
    assert_string_equal(all, "onetwo");
    store_close(s);
}

static bool write_while_others_do(void *arg, const struct inbox_row *r)
{
    struct err e = {0};
    assert_int_equal(wait_for(start_self("code", "new", NULL)), 0); /* commits between our read and our first write */
    assert_ok(inbox_done(arg, r->id, &e), e);
    return false;
}

static void first_write_inside_a_walk(void **state)
{
    struct err e = {0};
    struct store *s = open_store(true);
    char all[64] = "";
    (void)state;
    assert_ok(inbox_put(s, "shop", "code", "", (struct bytes){(const uint8_t *)"old", 3}, 0, &e), e);
    assert_ok(inbox_each(s, write_while_others_do, s, &e), e);
    assert_ok(store_turn(s, &e), e);
    assert_ok(inbox_each(s, join, all, &e), e);
    assert_string_equal(all, "new");
    store_close(s);
}

static void many_begin_at_once(void **state)
{
    pid_t pid[6];
    struct err e = {0};
    char all[64] = "";
    (void)state;
    for (size_t i = 0; i < 6; i++)
        pid[i] = start_self("code", "x", NULL);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(wait_for(pid[i]), 0);
    struct store *s = open_store(false);
    assert_ok(inbox_each(s, join, all, &e), e);
    assert_string_equal(all, "xxxxxx");
    store_close(s);
}

/* --- machine ------------------------------------------------------------------------------------------------------------------------ */

static void machine(void **state)
{
    struct err e = {0};
    struct store *s = open_store(true);
    (void)state;
    setenv("DCVAGENT_MACHINE_ID", "", 1); /* has none: accepted, and so is what comes first */
    assert_ok(store_machine(s, &e), e);
    setenv("DCVAGENT_MACHINE_ID", "aaaa", 1);
    assert_ok(store_machine(s, &e), e);
    setenv("DCVAGENT_MACHINE_ID", "", 1);
    assert_ok(store_machine(s, &e), e);
    setenv("DCVAGENT_MACHINE_ID", "bbbb", 1);
    store_close(s);
    s = open_store(true);
    assert_false(store_machine(s, &e));
    assert_int_equal(e.rc, RC_LATER);
    assert_string_equal(e.code, "STORE_FOREIGN_MACHINE");
    assert_non_null(strstr(e.text, "state adopt"));
    e = (struct err){0};
    assert_ok(store_adopt(s, &e), e);
    assert_true(store_clean(s));
    assert_ok(store_machine(s, &e), e);
    unsetenv("DCVAGENT_MACHINE_ID");
    store_close(s);
}

/* --- backup ------------------------------------------------------------------------------------------------------------------------- */

static void shell(const char *command)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        if (chdir(test_dir))
            _exit(126);
        execl("/bin/sh", "sh", "-ec", command, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(wait_for(pid), 0);
}

static void backup(void **state)
{
    struct err e = {0};
    struct store *s = open_store(true), *other;
    char tar[256], back[128];
    struct stat st;
    (void)state;
    assert_ok(value_put(s, "m", "k", "saved", &e) && store_turn(s, &e), e);
    shell("L=$(printf 'l%.0s' $(seq 90)); mkdir -p archive/$L/1; echo key > keys/20261128-0f3a9c21d7.key; chmod 600 keys/*; "
          "head -c 1000 /dev/zero > archive/$L/1/cert.pem; head -c 512 /dev/zero > archive/$L/1/chain.pem; : > archive/$L/1/empty; "
          "mkfifo keys/pipe; ln -s ../archive/$L/1 live/$L");
    in_dir(tar, "b.tar");
    other = open_store(true);
    assert_ok(value_put(other, "m", "k", "not yet", &e), e); /* another process is in a turn */
    assert_ok(store_backup(s, tar, &e), e);
    store_close(other);
    assert_int_equal(stat(tar, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size % 512, 0);
    shell("tar tf b.tar > list; grep -qx state.db list; grep -qx keys/20261128-0f3a9c21d7.key list; ! grep -q pipe list; "
          "mkdir u; tar xpf b.tar -C u; diff -r keys/20261128-0f3a9c21d7.key u/keys/20261128-0f3a9c21d7.key; diff -r archive u/archive; "
          "test \"$(readlink live/*)\" = \"$(readlink u/live/*)\"; test $(stat -c %a u/keys) = 700; test $(stat -c %a u/state.db) = 600; "
          "test ! -e state.db.copy; test $(ls | grep -c b.tar) = 1");
    assert_false(store_backup(s, tar, &e)); /* never overwrites */
    assert_string_equal(e.code, "EXISTS");
    e = (struct err){0};
    assert_false(store_backup(s, "/nonexistent/b.tar", &e));
    assert_int_equal(e.rc, RC_CREATE);
    store_close(s);
    e = (struct err){0};
    snprintf(back, sizeof back, "%s/u", test_dir);
    assert_ok(store_open(&s, back, true, &e), e);
    char *v = value_get(s, "m", "k");
    assert_string_equal(v, "saved");
    free(v);
    store_close(s);
}

int main(int argc, char **argv)
{
    if (argc > 2)
        return as_other_process(argv);
    const struct CMUnitTest tests[] = {
        with_dir(killed_everywhere),         with_dir(killed_any_time),    with_dir(run_lock), with_dir(handed_over_during_a_turn),
        with_dir(first_write_inside_a_walk), with_dir(many_begin_at_once), with_dir(machine),  with_dir(backup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
