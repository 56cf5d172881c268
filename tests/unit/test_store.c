/* Opening, rights, versions, damage; turns and their effects. */
#include "tests/unit/store_tools.h"

#include <fcntl.h>
#include <glob.h>
#include "store/store_impl.h"

/* --- opening ---------------------------------------------------------------------------------------------------------------------- */

static unsigned mode_of(const char *name)
{
    char path[256];
    struct stat st;
    in_dir(path, name);
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static void modes(void **state)
{
    struct err e = {0};
    (void)state;
    mode_t old = umask(0);
    rmdir(test_dir);
    struct store *s = open_store(true);
    assert_ok(value_put(s, "m", "k", "v", &e), e);
    assert_ok(store_lock(s, &e), e);
    umask(077);
    struct store *reader = open_store(false);
    assert_int_equal(mode_of(""), 0711);
    assert_int_equal(mode_of("keys"), 0700);
    assert_int_equal(mode_of("archive"), 0755);
    assert_int_equal(mode_of("live"), 0755);
    assert_int_equal(mode_of("state.db"), 0600);
    assert_int_equal(mode_of("state.db-wal"), 0600);
    assert_int_equal(mode_of("state.db-shm"), 0600);
    assert_int_equal(mode_of("run.lock"), 0600);
    umask(old);
    assert_string_equal(store_dir(s), test_dir);
    store_close(reader);
    store_close(s);
}

static bool none_cert(void *arg, const struct saved_cert *c)
{
    (void)arg;
    fail_msg("%s", c->name);
    return false;
}

static void reader_of_nothing(void **state)
{
    struct err e = {0};
    struct stat st;
    char path[256];
    (void)state;
    struct store *s = open_store(false);
    assert_ok(cert_each(s, none_cert, NULL, &e), e);
    assert_int_equal(notice_last(s, "x"), 0);
    assert_false(value_put(s, "m", "k", "v", &e));
    assert_int_equal(e.rc, RC_BUG);
    e = (struct err){0};
    assert_false(store_backup(s, "/tmp/never", &e));
    store_close(s);
    in_dir(path, "state.db");
    assert_int_equal(lstat(path, &st), -1); /* a reader leaves no trace */
    rmdir(test_dir);
    s = open_store(false);
    store_close(s);
    assert_int_equal(lstat(test_dir, &st), -1);
}

static void reader_beside_writer(void **state)
{
    struct err e = {0};
    char *v;
    (void)state;
    struct store *w = open_store(true);
    assert_ok(value_put(w, "m", "k", "one", &e), e);
    assert_ok(store_turn(w, &e), e);
    assert_ok(value_put(w, "m", "k", "two", &e), e); /* a turn is open */
    struct store *r = open_store(false);
    int64_t version = store_version(r);
    v = value_get(r, "m", "k");
    assert_string_equal(v, "one");
    free(v);
    assert_ok(store_turn(w, &e), e);
    assert_true(store_version(r) != version);
    version = store_version(w);
    assert_true(store_version(w) == version); /* its own writes do not count */
    v = value_get(r, "m", "k");
    assert_string_equal(v, "two");
    free(v);
    assert_false(value_put(r, "m", "k", "three", &e));
    store_close(r);
    store_close(w);
}

/* In another process, as user 65534: nonzero exit with the class of the error. */
static int rc_as_nobody(bool writer)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct err e = {0};
        struct store *s;
        if (setgid(65534) || setuid(65534))
            _exit(99);
        bool ok = store_open(&s, test_dir, writer, &e);
        store_close(s);
        if (!ok)
            fprintf(stderr, "%s\n", e.text);
        _exit(ok ? 0 : e.rc);
    }
    return wait_for(pid);
}

static void other_users(void **state)
{
    char path[256], link[256];
    struct err e = {0};
    struct store *s = open_store(true);
    (void)state;
    assert_ok(value_put(s, "m", "k", "v", &e) && store_turn(s, &e), e);
    store_close(s);
    if (geteuid() != 0)
        skip();
    assert_int_equal(rc_as_nobody(false), RC_PERM);
    assert_int_equal(rc_as_nobody(true), RC_PERM);
    in_dir(path, "state.db");
    chmod(path, 0644);
    assert_int_equal(rc_as_nobody(false), RC_PERM); /* -shm cannot be made by this user */
    s = open_store(true);
    assert_int_equal(mode_of("state.db"), 0600); /* mended */
    store_close(s);
    chmod(test_dir, 0600);
    assert_int_equal(rc_as_nobody(false), RC_PERM);
    chmod(test_dir, 0711);

    snprintf(link, sizeof link, "%s.link", test_dir);
    assert_int_equal(symlink(test_dir, link), 0);
    assert_ok(store_open(&s, link, true, &e), e); /* root's own link */
    assert_string_equal(store_dir(s), test_dir);
    store_close(s);
    assert_int_equal(lchown(link, 65534, 65534), 0);
    assert_false(store_open(&s, link, true, &e));
    assert_int_equal(e.rc, RC_PERM);
    assert_null(s);
    unlink(link);
}

static void not_plain_files(void **state)
{
    static const char *const names[] = {"keys", "state.db", "run.lock"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct err e = {0};
        struct store *s = NULL;
        char path[256], other[256];
        in_dir(path, names[i]);
        in_dir(other, "elsewhere");
        assert_int_equal(symlink(other, path), 0);
        bool ok = store_open(&s, test_dir, true, &e) && store_lock(s, &e);
        store_close(s);
        assert_false(ok);
        assert_true(e.rc == RC_PERM || e.rc == RC_STATE || e.rc == RC_CREATE);
        assert_int_equal(access(other, F_OK), -1);
        unlink(path);
    }
}

static void raw(const char *sql)
{
    char path[256];
    sqlite3 *db;
    in_dir(path, "state.db");
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void other_versions(void **state)
{
    struct store *s;
    (void)state;
    store_close(open_store(true));
    raw("PRAGMA user_version = 99");
    for (int writer = 0; writer < 2; writer++) {
        struct err e = {0};
        assert_false(store_open(&s, test_dir, writer, &e));
        assert_int_equal(e.rc, RC_STATE);
        assert_string_equal(e.code, "STORE_NEWER");
        assert_non_null(strstr(e.text, "99"));
        assert_non_null(strstr(e.text, "up to 1"));
    }
    raw("PRAGMA user_version = 1; PRAGMA application_id = 7");
    for (int writer = 0; writer < 2; writer++) {
        struct err e = {0};
        assert_false(store_open(&s, test_dir, writer, &e));
        assert_string_equal(e.code, "STORE");
        assert_non_null(strstr(e.text, "another program"));
    }
    raw("PRAGMA application_id = 1145263681; PRAGMA journal_mode = DELETE");
    s = open_store(true); /* back to WAL by itself */
    assert_int_equal(mode_of("state.db-wal"), 0600);
    store_close(s);
}

/* --- damage ----------------------------------------------------------------------------------------------------------------------- */

static unsigned copies(char path[256])
{
    char pattern[256];
    glob_t g;
    in_dir(pattern, "state.db.damaged-*");
    assert_int_equal(glob(pattern, 0, NULL, &g), 0);
    unsigned n = (unsigned)g.gl_pathc;
    snprintf(path, 256, "%s", g.gl_pathv[0]);
    globfree(&g);
    return n;
}

static void fill(void)
{
    struct err e = {0};
    struct store *s = open_store(true);
    char key[64];
    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof key, "key %d of a table that has more than one page", i);
        assert_ok(value_put(s, "m", key, key, &e), e);
    }
    assert_ok(store_turn(s, &e), e);
    store_close(s);
}

static void damage(const char *how)
{
    char path[256];
    struct stat st;
    in_dir(path, "state.db");
    assert_int_equal(stat(path, &st), 0);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    char junk[4096];
    memset(junk, 'j', sizeof junk);
    if (!strcmp(how, "header"))
        assert_int_equal(pwrite(fd, junk, 100, 0), 100);
    else if (!strcmp(how, "pages"))
        for (off_t at = 4096 * 3; at + 4096 <= st.st_size; at += 4096)
            assert_int_equal(pwrite(fd, junk, sizeof junk, at), (ssize_t)sizeof junk);
    else if (!strcmp(how, "short"))
        assert_int_equal(ftruncate(fd, st.st_size / 2), 0);
    else if (!strcmp(how, "tiny"))
        assert_int_equal(ftruncate(fd, 50), 0);
    else
        assert_int_equal(ftruncate(fd, 0), 0);
    close(fd);
}

static void damaged_files(void **state)
{
    static const char *const how[] = {"header", "pages", "short", "tiny", "empty"};
    (void)state;
    for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
        char path[256], key[256];
        struct stat st, copy;
        struct store *s;
        fill();
        in_dir(key, "keys/20261128-0f3a9c21d7.key");
        close(open(key, O_CREAT | O_WRONLY, 0600));
        damage(how[i]);
        in_dir(path, "state.db");
        assert_int_equal(stat(path, &st), 0);
        for (int again = 0; again < 2; again++) { /* cron comes back: one copy is enough */
            struct err e = {0};
            assert_false(store_open(&s, test_dir, true, &e));
            assert_int_equal(e.rc, RC_STATE);
            assert_string_equal(e.code, "STORE_DAMAGED");
            assert_non_null(strstr(e.text, "state.db.damaged-"));
            assert_non_null(strstr(e.text, "keys/"));
            assert_non_null(strstr(e.text, "are then unknown")); /* not cut off */
        }
        struct err reading = {0}; /* no reader takes it for a beginning */
        if (!strcmp(how[i], "empty")) {
            assert_false(store_open(&s, test_dir, false, &reading));
            assert_string_equal(reading.code, "STORE_DAMAGED");
        }
        assert_int_equal(copies(path), 1);
        assert_int_equal(stat(path, &copy), 0);
        assert_int_equal(copy.st_size, st.st_size);
        assert_int_equal(copy.st_mode & 07777, 0600);
        assert_int_equal(access(key, F_OK), 0);
        remove_dir(NULL);
        assert_int_equal(mkdir(test_dir, 0700), 0);
    }
}

/* --- turns ------------------------------------------------------------------------------------------------------------------------ */

static char trace[64];
static struct store *traced;

static void note(void *arg)
{
    assert_true(store_clean(traced));
    size_t n = strlen(trace);
    snprintf(trace + n, sizeof trace - n, "%s", (const char *)arg);
}

/* The word itself is the argument; nobody writes to it. */
static void then(void (*fn)(void *arg), const char *word)
{
    store_then(traced, fn, (void *)(uintptr_t)word);
}

static void forget(const char *word)
{
    store_then_forget(traced, (void *)(uintptr_t)word);
}

static void note_and_queue(void *arg)
{
    note(arg);
    then(note, "q");
    forget("3");
}

static void effects(void **state)
{
    struct err e = {0};
    (void)state;
    traced = open_store(true);
    trace[0] = '\0';
    then(note, "1");
    then(note, "x");
    then(note_and_queue, "2");
    then(note, "3"); /* forgotten by 2 */
    then(note, "4");
    forget("x");
    assert_true(store_effects(traced));
    assert_ok(value_put(traced, "m", "k", "v", &e), e);
    assert_string_equal(trace, "");
    assert_ok(store_turn(traced, &e), e);
    assert_string_equal(trace, "124");
    assert_true(store_effects(traced));
    assert_ok(store_turn(traced, &e), e); /* nothing to commit */
    assert_string_equal(trace, "124q");
    assert_false(store_effects(traced));
    then(note, "5");
    forget("5");
    assert_false(store_effects(traced));
    for (int i = 0; i < 40; i++)
        then(note, "-");
    assert_ok(store_turn(traced, &e), e);
    assert_int_equal(strlen(trace), 44);
    then(note, "never");
    store_close(traced);
    assert_int_equal(strlen(trace), 44);
}

static void failed_commit(void **state)
{
    struct err e = {0};
    char *v;
    (void)state;
    traced = open_store(true);
    trace[0] = '\0';
    assert_ok(value_put(traced, "m", "k", "old", &e), e);
    assert_ok(store_turn(traced, &e), e);
    assert_ok(value_put(traced, "m", "k", "new", &e), e);
    then(note, "1");
    setenv("DCVAGENT_FAIL", "commit:EIO", 1);
    assert_false(store_turn(traced, &e));
    assert_int_equal(e.rc, RC_STATE);
    assert_string_equal(e.code, "STORE");
    assert_string_equal(trace, "");
    assert_false(store_effects(traced));
    assert_true(store_clean(traced));
    v = value_get(traced, "m", "k");
    assert_string_equal(v, "old");
    free(v);
    e = (struct err){0};
    assert_false(inbox_put(traced, "shop", "code", "", (struct bytes){0}, 0, &e));
    assert_true(store_clean(traced));
    unsetenv("DCVAGENT_FAIL");
    then(note, "2");
    e = (struct err){0};
    assert_ok(store_turn(traced, &e), e);
    assert_string_equal(trace, "2");
    store_close(traced);
}

static void spoiled_turn(void **state)
{
    struct err e = {0};
    struct ledger_row row = {.order = "o", .rec = {.owner = "a.hk", .type = TYPE_TXT}};
    (void)state;
    traced = open_store(true);
    trace[0] = '\0';
    assert_ok(value_put(traced, "m", "k", "v", &e), e);
    then(note, "1");
    /* A text that the table refuses stands for a full disk: whoever ignores the failed put cannot commit the rest. */
    row.state = (enum ledger_state)(LEDGER_GONE + 1); /* words end with NULL */
    assert_false(ledger_put(traced, &row, NULL));
    assert_false(value_put(traced, "m", "k2", "v", NULL));
    assert_false(store_turn(traced, &e));
    assert_int_equal(e.rc, RC_STATE);
    assert_string_equal(trace, "");
    assert_null(value_get(traced, "m", "k"));
    e = (struct err){0};
    assert_ok(value_put(traced, "m", "k", "v", &e), e);
    assert_ok(store_turn(traced, &e), e);
    store_close(traced);
}

static void full_disk(void **state)
{
    struct err e = {0};
    char key[64];
    int i = 0;
    (void)state;
    traced = open_store(true);
    trace[0] = '\0';
    assert_int_equal(sqlite3_exec(traced->db, "PRAGMA max_page_count = 40", NULL, NULL, NULL), SQLITE_OK);
    then(note, "1");
    do
        snprintf(key, sizeof key, "key %d that fills a page together with others", i);
    while (value_put(traced, "m", key, key, &e) && ++i < 100000);
    assert_int_equal(e.rc, RC_STATE);
    assert_non_null(strstr(e.text, "no space left"));
    assert_false(value_put(traced, "m", "small", "v", NULL)); /* would fit, but half a turn must not be committed */
    e = (struct err){0};
    assert_false(store_turn(traced, &e));
    assert_non_null(strstr(e.text, "no space left"));
    assert_string_equal(trace, "");
    assert_null(value_get(traced, "m", "key 0 that fills a page together with others"));
    store_close(traced);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_dir(modes),         with_dir(reader_of_nothing), with_dir(reader_beside_writer),
        with_dir(other_users),   with_dir(not_plain_files),   with_dir(other_versions),
        with_dir(damaged_files), with_dir(effects),           with_dir(failed_commit),
        with_dir(spoiled_turn),  with_dir(full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
