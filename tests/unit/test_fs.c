#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/fs.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

static char dir[] = "/tmp/dcv-fs-XXXXXX";

static const char *in_dir(const char *name)
{
    static char paths[4][300];
    static int turn;
    char *p = paths[turn++ % 4];
    snprintf(p, sizeof(paths[0]), "%s/%s", dir, name);
    return p;
}

static void contents(const char *path, const char *want)
{
    char *p;
    size_t n;
    assert_true(fs_read(path, 1000, &p, &n, NULL));
    assert_string_equal(p, want);
    assert_int_equal(n, strlen(want));
    free(p);
}

static int entries(const char *path)
{
    int n = 0;
    DIR *d = opendir(path);
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static void fault(const struct err *e, enum rc rc, const char *code, const char *text)
{
    if (e->rc != rc || strcmp(e->code, code) != 0 || !strstr(e->text, text))
        fail_msg("%d [%s] %s", e->rc, e->code ? e->code : "", e->text);
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

/* First in the group: the running number of durable points is this process's. */
static void killed_at_a_point(void **state)
{
    (void)state;
    for (int at = 1; at <= 2; at++) {
        char number[12];
        int status;
        snprintf(number, sizeof(number), "%d", at);
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            setenv("DCVAGENT_KILL", number, 1);
            fs_replace(in_dir("killed"), "one", 3, 0600, NULL);
            fs_create(in_dir("killed2"), "two", 3, 0600, NULL);
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGKILL);
        contents(in_dir("killed"), "one");
        assert_int_equal(access(in_dir("killed2"), F_OK), at == 2 ? 0 : -1);
    }
    unlink(in_dir("killed"));
    unlink(in_dir("killed2"));
}

static void written_whole(void **state)
{
    (void)state;
    umask(0077);
    const char *path = in_dir("a");
    assert_true(fs_replace(path, "one", 3, 0644, NULL));
    assert_int_equal(mode_of(path), 0644);
    assert_true(fs_replace(path, "", 0, 0600, NULL));
    assert_int_equal(mode_of(path), 0600);
    contents(path, "");
    umask(0);
    assert_true(fs_create(in_dir("b"), "key", 3, 0600, NULL));
    assert_int_equal(mode_of(in_dir("b")), 0600);
    struct err e = {0};
    assert_false(fs_create(in_dir("b"), "other", 5, 0600, &e));
    fault(&e, RC_CREATE, "EXISTS", "never overwritten");
    contents(in_dir("b"), "key");
    assert_true(fs_draft(in_dir("d"), "part", 4, 0640, NULL));
    assert_true(fs_flush(in_dir("d"), NULL));
    assert_int_equal(mode_of(in_dir("d")), 0640);
    e = (struct err){0};
    assert_false(fs_draft(in_dir("d"), "other", 5, 0600, &e));
    fault(&e, RC_CREATE, "WRITE", "exists");
    contents(in_dir("d"), "part");
    assert_int_equal(unlink(in_dir("d")), 0);
    struct stat st;
    assert_int_equal(stat(in_dir("b"), &st), 0);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(entries(dir), 2);
    umask(022);
    int here = open(".", O_RDONLY | O_CLOEXEC);
    assert_int_equal(chdir(dir), 0);
    assert_true(fs_replace("relative", "x", 1, 0600, NULL));
    contents("relative", "x");
    assert_int_equal(fchdir(here), 0);
    close(here);
    unlink(in_dir("relative"));
    unlink(in_dir("a"));
    unlink(in_dir("b"));
}

static void strange_targets(void **state)
{
    (void)state;
    assert_true(fs_replace(in_dir("victim"), "safe", 4, 0600, NULL));
    assert_int_equal(symlink("victim", in_dir("link")), 0);
    assert_int_equal(symlink("nowhere", in_dir("dangling")), 0);
    assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
    assert_int_equal(mkdir(in_dir("folder"), 0700), 0);
    static const struct {
        const char *name, *text;
    } cases[] = {{"link", "symbolic link"},  {"dangling", "symbolic link"},  {"fifo", "device, pipe"},
                 {"folder", "a folder"},     {"", "not the path of a file"}, {"folder/..", "not the path"},
                 {"none/x", "No such file"}, {"victim/x", "Not a directory"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err e = {0};
        assert_false(fs_replace(in_dir(cases[i].name), "x", 1, 0600, &e));
        fault(&e, RC_CREATE, "WRITE", cases[i].text);
        assert_false(fs_create(in_dir(cases[i].name), "x", 1, 0600, NULL));
    }
    struct err e = {0};
    assert_false(fs_switch(in_dir("victim"), "elsewhere", &e));
    fault(&e, RC_CREATE, "WRITE", "plain file");
    contents(in_dir("victim"), "safe");
    assert_int_equal(access(in_dir("nowhere"), F_OK), -1);
    assert_int_equal(entries(dir), 5);

    char *p;
    size_t n;
    const char *const unreadable[] = {"fifo", "folder"};
    for (size_t i = 0; i < 2; i++) {
        e = (struct err){0};
        assert_false(fs_read(in_dir(unreadable[i]), 10, &p, &n, &e));
        fault(&e, RC_STATE, "READ", "not a plain file");
    }
    e = (struct err){0};
    assert_false(fs_read(in_dir("dangling"), 10, &p, &n, &e));
    fault(&e, RC_STATE, "NO_FILE", "No such file");
    const char *const all[] = {"victim", "link", "dangling", "fifo"};
    for (size_t i = 0; i < 4; i++)
        unlink(in_dir(all[i]));
    rmdir(in_dir("folder"));
}

static void read_with_a_limit(void **state)
{
    (void)state;
    char *text = mem_new(100001), *p;
    size_t n;
    memset(text, 'x', 100000);
    text[5] = '\0';
    assert_true(fs_replace(in_dir("big"), text, 100000, 0600, NULL));
    assert_true(fs_read(in_dir("big"), 100000, &p, &n, NULL));
    assert_int_equal(n, 100000);
    assert_memory_equal(p, text, 100001);
    free(p);
    struct err e = {0};
    assert_false(fs_read(in_dir("big"), 99999, &p, &n, &e));
    fault(&e, RC_STATE, "READ", "larger than 99999");
    assert_true(fs_read("/proc/self/status", 100000, &p, &n, NULL)); /* size 0 in its inode */
    assert_true(n > 100);
    free(p);
    free(text);
    unlink(in_dir("big"));
}

static void injected_faults(void **state)
{
    (void)state;
    static const struct {
        const char *plan, *text;
    } cases[] = {{"open:EACCES", "Permission"}, {"open:EMFILE@2", "ulimit -n"}, {"write:ENOSPC", "df -h"},
                 {"write:EDQUOT", "quota"},     {"fsync:EIO", "dmesg"},         {"fsync:EIO@2", "sync the folder"},
                 {"rename:EROFS", "read-only"}, {"write:27", "ulimit -f"},      {"rename:ENOSPC@1", "disk is full"}};
    assert_true(fs_replace(in_dir("f"), "old", 3, 0600, NULL));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int status;
        fflush(NULL);
        pid_t pid = fork(); /* a fresh count for @N */
        if (pid == 0) {
            struct err e = {0};
            setenv("DCVAGENT_FAIL", cases[i].plan, 1);
            bool ok = fs_replace(in_dir("f"), "new", 3, 0600, &e);
            if (ok || (e.rc != RC_CREATE && e.rc != RC_RESOURCE) || !strstr(e.text, cases[i].text))
                fprintf(stderr, "%s: %s\n", cases[i].plan, e.text), _exit(1);
            unsetenv("DCVAGENT_FAIL");
            _exit(entries(dir) == 1 ? 0 : 2); /* nothing left behind */
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        contents(in_dir("f"), strcmp(cases[i].plan, "fsync:EIO@2") == 0 ? "new" : "old");
        assert_true(fs_replace(in_dir("f"), "old", 3, 0600, NULL));
    }
    struct err e = {0};
    setenv("DCVAGENT_FAIL", "link:EIO", 1);
    assert_false(fs_create(in_dir("g"), "new", 3, 0600, &e));
    setenv("DCVAGENT_FAIL", "mkdir:ENOSPC", 1);
    assert_false(fs_folder(in_dir("h"), 0700, &e));
    unsetenv("DCVAGENT_FAIL");
    assert_int_equal(entries(dir), 1);
    unlink(in_dir("f"));
}

static void file_size_limit(void **state)
{
    (void)state;
    struct rlimit was, low;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    low = was;
    low.rlim_cur = 1000;
    signal(SIGXFSZ, SIG_IGN);
    assert_true(fs_replace(in_dir("l"), "old", 3, 0600, NULL));
    char text[5000] = {0};
    struct err e = {0};
    setrlimit(RLIMIT_FSIZE, &low);
    bool ok = fs_replace(in_dir("l"), text, sizeof(text), 0600, &e);
    setrlimit(RLIMIT_FSIZE, &was);
    assert_false(ok);
    fault(&e, RC_CREATE, "WRITE", "ulimit -f");
    contents(in_dir("l"), "old");
    assert_int_equal(entries(dir), 1);
    unlink(in_dir("l"));
}

static void folders(void **state)
{
    (void)state;
    umask(0077);
    assert_true(fs_folder(in_dir("s"), 0711, NULL));
    umask(022);
    assert_int_equal(mode_of(in_dir("s")), 0711);
    assert_true(fs_folder(in_dir("s"), 0700, NULL));
    assert_int_equal(mode_of(in_dir("s")), 0700);
    struct err e = {0};
    assert_int_equal(symlink("s", in_dir("sl")), 0);
    assert_false(fs_folder(in_dir("sl"), 0711, &e));
    assert_int_equal(mode_of(in_dir("s")), 0700);
    e = (struct err){0};
    assert_int_equal(chmod(in_dir("s"), 01777), 0);
    assert_false(fs_folder(in_dir("s"), 0711, &e));
    fault(&e, RC_PERM, "FOLDER", "sticky");
    assert_int_equal(mode_of(in_dir("s")), 01777);
    e = (struct err){0};
    assert_false(fs_folder(in_dir("none/x"), 0711, &e));
    fault(&e, RC_CREATE, "FOLDER", "No such file");
    if (geteuid() == 0) {
        assert_int_equal(chmod(in_dir("s"), 0700), 0);
        assert_int_equal(chown(in_dir("s"), 12345, 0), 0);
        e = (struct err){0};
        assert_false(fs_folder(in_dir("s"), 0700, &e));
        fault(&e, RC_PERM, "FOLDER", "chown 0");
    }
    assert_true(fs_sync_folder(dir, NULL));
    assert_false(fs_sync_folder(in_dir("none"), NULL));
    unlink(in_dir("sl"));
    rmdir(in_dir("s"));
}

static void switched(void **state)
{
    (void)state;
    char target[100];
    for (int i = 1; i <= 3; i++) {
        char text[40];
        snprintf(text, sizeof(text), "../archive/shop/%d", i);
        assert_true(fs_switch(in_dir("shop"), text, NULL));
        ssize_t n = readlink(in_dir("shop"), target, sizeof(target) - 1);
        assert_true(n > 0);
        target[n] = '\0';
        assert_string_equal(target, text);
    }
    setenv("DCVAGENT_FAIL", "rename:EIO", 1);
    struct err e = {0};
    assert_false(fs_switch(in_dir("shop"), "x", &e));
    unsetenv("DCVAGENT_FAIL");
    fault(&e, RC_CREATE, "WRITE", "dmesg");
    assert_int_equal(entries(dir), 1);
    unlink(in_dir("shop"));
}

static void trust(const char *name, const char *refusal)
{
    struct err e = {0};
    const char *path = name[0] == '/' ? name : in_dir(name);
    bool ok = fs_trusted(path, &e);
    if (ok != !refusal || (refusal && !strstr(e.text, refusal)))
        fail_msg("%s: %d %s", path, ok, e.text);
    if (!ok)
        assert_memory_equal(e.where, path, strlen(e.where) - (strlen(path) > 100 ? 3 : 0));
}

static void trusted(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_dir("t"), 0755), 0);
    assert_int_equal(mkdir(in_dir("open"), 0755), 0);
    assert_true(fs_replace(in_dir("t/hook"), "x", 1, 0755, NULL));
    assert_true(fs_replace(in_dir("open/hook"), "x", 1, 0755, NULL));
    assert_int_equal(chmod(in_dir("open"), 0777), 0);
    assert_int_equal(symlink("../t/hook", in_dir("t/good")), 0);
    assert_int_equal(symlink(in_dir("open/hook"), in_dir("t/outside")), 0);
    assert_int_equal(symlink("../t/hook", in_dir("open/inside")), 0);
    assert_int_equal(symlink("loop", in_dir("t/loop")), 0);
    trust("/", NULL);
    trust("/etc/passwd", NULL);
    trust("t", NULL);
    trust("t/hook", NULL);
    trust("t/good", NULL);
    trust("t//./../t/hook/", NULL);
    trust("/tmp", "chmod go-w /tmp"); /* sticky is accepted above, not as the thing itself */
    trust("t/outside", "can be written by others; run: chmod go-w");
    trust("open/hook", "/open");
    trust("open/inside", "/open");
    trust("open", "mode 0777");
    trust("t/loop", "circle");
    trust("t/none", "No such file");
    assert_int_equal(chmod(in_dir("t/hook"), 0775), 0);
    trust("t/good", "chmod g-w");
    assert_int_equal(chmod(in_dir("t/hook"), 0755), 0);
    assert_int_equal(chmod(in_dir("open"), 01777), 0);
    trust("open/hook", NULL);
    if (geteuid() == 0) {
        assert_int_equal(lchown(in_dir("open/inside"), 12345, 0), 0);
        trust("open/inside", "belongs to user 12345");
        assert_int_equal(chown(in_dir("t/hook"), 12345, 0), 0);
        trust("t/hook", "chown root");
        assert_int_equal(chown(in_dir("t"), 12345, 0), 0);
        trust("t/hook", "/t belongs");
    }
    char longest[9000];
    memset(longest, '/', sizeof(longest) - 1);
    for (size_t i = 1; i < sizeof(longest) - 1; i += 2)
        longest[i] = 'a';
    longest[sizeof(longest) - 1] = '\0';
    trust(longest, "cannot find");
    int here = open(".", O_RDONLY | O_CLOEXEC);
    assert_int_equal(chdir(dir), 0);
    assert_true(fs_trusted("open/hook", NULL));
    assert_int_equal(fchdir(here), 0);
    close(here);
    const char *const all[] = {"t/hook", "t/good", "t/outside", "t/loop", "open/hook", "open/inside"};
    for (size_t i = 0; i < 6; i++)
        unlink(in_dir(all[i]));
    rmdir(in_dir("t"));
    rmdir(in_dir("open"));
}

static void leftovers(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int age; /* s */
        bool goes;
    } cases[] = {{".dcvagent-0123456789abcdef", 4000, true},
                 {".dcvagent-0123456789abcde0", 100, false},
                 {".dcvagent-0123456789abcdef.key", 4000, false},
                 {".dcvagent-0123456789abcdeg", 4000, false},
                 {"privkey.pem", 4000, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(fs_replace(in_dir(cases[i].name), "x", 1, 0600, NULL));
        struct timespec then[2] = {{.tv_sec = time(NULL) - cases[i].age}, {.tv_sec = time(NULL) - cases[i].age}};
        assert_int_equal(utimensat(AT_FDCWD, in_dir(cases[i].name), then, 0), 0);
    }
    fs_sweep(dir);
    fs_sweep(in_dir("none"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(unlink(in_dir(cases[i].name)), cases[i].goes ? -1 : 0);
}

static void local(void **state)
{
    (void)state;
    struct err e = {0};
    assert_true(fs_is_local(dir, &e));
    assert_true(fs_is_local(in_dir("state.db"), &e));
    assert_false(fs_is_local(in_dir("none/state.db"), &e));
    assert_int_equal(e.rc, RC_STATE);
}

/* A backup on FAT, or on a share that has no links and one mode. */
static void without_links(void **state)
{
    (void)state;
    struct err e = {0};
    struct stat st;
    setenv("DCVAGENT_FAIL", "link:EPERM", 1);
    assert_true(fs_create(in_dir("fat"), "one", 3, 0640, &e));
    assert_int_equal(stat(in_dir("fat"), &st) == 0 ? st.st_mode & 0777 : 0, 0640);
    assert_false(fs_create(in_dir("fat"), "two", 3, 0600, &e));
    fault(&e, RC_CREATE, "EXISTS", "never overwritten");
    contents(in_dir("fat"), "one");
    assert_int_equal(unlink(in_dir("fat")), 0);
    setenv("DCVAGENT_FAIL", "chmod:EPERM", 1);
    assert_true(fs_create(in_dir("fat"), "one", 3, 0640, &(struct err){0})); /* 0600: less is no harm */
    unsetenv("DCVAGENT_FAIL");
    assert_int_equal(unlink(in_dir("fat")), 0);
    assert_int_equal(entries(dir), 0);
}

static int begin(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    return rmdir(dir); /* fails if a test left something */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_a_point), cmocka_unit_test(written_whole),   cmocka_unit_test(strange_targets),
        cmocka_unit_test(read_with_a_limit), cmocka_unit_test(injected_faults), cmocka_unit_test(file_size_limit),
        cmocka_unit_test(folders),           cmocka_unit_test(switched),        cmocka_unit_test(trusted),
        cmocka_unit_test(leftovers),         cmocka_unit_test(local),           cmocka_unit_test(without_links),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
