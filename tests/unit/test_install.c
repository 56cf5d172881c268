#include "cert/install.h"

#include <dirent.h>
#include <grp.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"

static char dir[64];

static void remove_all(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *f;
    while (d && (f = readdir(d))) {
        if (!strcmp(f->d_name, ".") || !strcmp(f->d_name, ".."))
            continue;
        char *below = mem_fmt("%s/%s", path, f->d_name);
        struct stat st;
        if (lstat(below, &st) == 0 && S_ISDIR(st.st_mode))
            remove_all(below);
        else
            unlink(below);
        free(below);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

static int begin(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/dcv-install-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    unsetenv("DCVAGENT_FAIL");
    remove_all(dir);
    return 0;
}

static char *text(const char *path)
{
    char *full = mem_fmt("%s/%s", dir, path), *p = NULL;
    size_t n = 0;
    fs_read(full, 1 << 20, &p, &n, NULL);
    free(full);
    return p;
}

static void holds(const char *path, const char *should)
{
    char *is = text(path);
    if (!is || strcmp(is, should))
        fail_msg("%s holds %s, not %s", path, is ? is : "nothing", should);
    free(is);
}

static bool there(const char *path)
{
    char *full = mem_fmt("%s/%s", dir, path);
    struct stat st;
    bool yes = lstat(full, &st) == 0;
    free(full);
    return yes;
}

static unsigned mode(const char *path)
{
    char *full = mem_fmt("%s/%s", dir, path);
    struct stat st = {0};
    stat(full, &st);
    free(full);
    return st.st_mode & 07777;
}

static struct secret key_one = {(uint8_t *)(uintptr_t) "key one", 7}, key_two = {(uint8_t *)(uintptr_t) "key two", 7};

static struct install_set set(const struct secret *key)
{
    return (struct install_set){.state_dir = dir,
                                .name = "shop",
                                .key_pem = key,
                                .cert_pem = "leaf\n",
                                .chain_pem = "ca\n",
                                .fullchain_pem = "leaf\nca\n",
                                .evidence_json = "{}",
                                .pfx = {(const uint8_t *)"pfx", 3}};
}

static void writes_a_set(void **state)
{
    (void)state;
    struct install_set s = set(&key_one);
    struct err e = {0};
    int64_t n = 0;
    assert_int_equal(install_next(dir, "shop"), 1);
    if (!install_archive(&s, &n, &e))
        fail_msg("%s", e.text);
    assert_int_equal(n, 1);
    assert_int_equal(install_next(dir, "shop"), 2);
    holds("archive/shop/1/privkey.pem", "key one");
    holds("archive/shop/1/cert.pem", "leaf\n");
    holds("archive/shop/1/chain.pem", "ca\n");
    holds("archive/shop/1/fullchain.pem", "leaf\nca\n");
    holds("archive/shop/1/evidence.json", "{}");
    holds("archive/shop/1/bundle.pfx", "pfx");
    assert_int_equal(mode("archive"), 0755);
    assert_int_equal(mode("archive/shop"), 0755);
    assert_int_equal(mode("archive/shop/1"), 0755);
    assert_int_equal(mode("archive/shop/1/privkey.pem"), 0600);
    assert_int_equal(mode("archive/shop/1/bundle.pfx"), 0600);
    assert_int_equal(mode("archive/shop/1/fullchain.pem"), 0644);
    assert_false(there("archive/shop/.1"));
    assert_false(there("live/shop"));
    s.key_pem = NULL;
    s.evidence_json = NULL;
    s.pfx = (struct bytes){0};
    n = 0;
    assert_true(install_archive(&s, &n, &e));
    assert_int_equal(n, 2);
    assert_false(there("archive/shop/2/privkey.pem") || there("archive/shop/2/evidence.json") || there("archive/shop/2/bundle.pfx"));
}

static void repeats(void **state)
{
    (void)state;
    struct install_set s = set(&key_one), other = set(&key_two);
    struct err e = {0};
    int64_t n = 5; /* the number chosen before a crash */
    assert_true(install_archive(&s, &n, &e));
    assert_int_equal(n, 5);
    assert_true(install_archive(&s, &n, &e));
    assert_int_equal(n, 5);
    n = 0; /* the crash came before the number was noted */
    s.evidence_json = "{\"more\":1}";
    s.pfx = (struct bytes){(const uint8_t *)"pfx2", 4};
    assert_true(install_archive(&s, &n, &e));
    assert_int_equal(n, 5);
    holds("archive/shop/5/evidence.json", "{\"more\":1}");
    holds("archive/shop/5/bundle.pfx", "pfx2");
    n = 5; /* taken by another set */
    assert_true(install_archive(&other, &n, &e));
    assert_int_equal(n, 6);
    holds("archive/shop/5/privkey.pem", "key one");
    holds("archive/shop/6/privkey.pem", "key two");
    n = 2; /* free, though lower */
    assert_true(install_archive(&other, &n, &e));
    assert_int_equal(n, 2);
    s.chain_pem = "";
    n = 0;
    assert_true(install_archive(&s, &n, &e));
    assert_int_equal(n, 7);
    s.key_pem = NULL; /* a key there and none wanted is another set */
    assert_true(install_archive(&s, &n, &e));
    assert_int_equal(n, 8);
}

static void after_a_crash(void **state)
{
    (void)state;
    struct install_set s = set(&key_one);
    struct err e = {0};
    int64_t n = 0;
    assert_true(install_archive(&s, &n, &e));
    char *left = mem_fmt("%s/archive/shop/.2", dir), *file = mem_fmt("%s/archive/shop/.2/cert.pem", dir),
         *kept = mem_fmt("%s/archive/shop/.keep", dir);
    assert_true(fs_folder(left, 0755, NULL) && fs_create(file, "half", 4, 0600, NULL) && fs_folder(kept, 0755, NULL));
    struct install_set other = set(&key_two);
    n = 0;
    assert_true(install_archive(&other, &n, &e));
    assert_int_equal(n, 2);
    holds("archive/shop/2/cert.pem", "leaf\n");
    assert_false(there("archive/shop/.2"));
    assert_true(there("archive/shop/.keep"));
    free(left);
    free(file);
    free(kept);
}

/* Archive and switch in a child of its own, killed at its durable point `at` (0: at none): the wait status. */
static int install_in_child(int at)
{
    int status = -1;
    pid_t child = fork();
    if (!child) {
        char number[16];
        struct install_set s = set(&key_one);
        int64_t n = 3, before;
        snprintf(number, sizeof number, "%d", at);
        setenv("DCVAGENT_KILL", number, 1);
        _exit(install_archive(&s, &n, NULL) && n == 3 && install_switch(dir, "shop", n, &before, NULL) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* Killed at each durable point in turn: the next try gives a whole set under the number that was noted. First of all tests, and all work
 * in children: the points are counted from the start of the process. */
static void killed_anywhere(void **state)
{
    (void)state;
    bool killed = true;
    int at = 0;
    while (killed) {
        int status = install_in_child(++at);
        killed = WIFSIGNALED(status);
        assert_true(killed || WEXITSTATUS(status) == 0);
        int64_t live = install_live(dir, "shop");
        assert_true(live == 0 || live == 3);
        assert_int_equal(install_in_child(0), 0);
        assert_int_equal(install_live(dir, "shop"), 3);
        holds("live/shop/privkey.pem", "key one");
        holds("live/shop/fullchain.pem", "leaf\nca\n");
        assert_false(there("archive/shop/.3") || there("archive/shop/4"));
        remove_all(dir);
        assert_int_equal(mkdir(dir, 0711), 0);
    }
    assert_true(at > 8); /* each file, the archive and the switch are points */
}

static void full_disk(void **state)
{
    (void)state;
    struct install_set s = set(&key_one), other = set(&key_two);
    struct err e = {0};
    int64_t n = 0, before = 9;
    assert_true(install_archive(&s, &n, &e) && install_switch(dir, "shop", n, &before, &e));
    static const char *const points[] = {"write:ENOSPC",   "fsync:EIO",      "open:ENOSPC", "mkdir:EROFS",
                                         "archive:ENOSPC", "write:ENOSPC@3", "fsync:EIO@5", "fsync:ENOSPC@8"};
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        n = 0;
        e = (struct err){0};
        /* @N counts over the whole process: a child starts anew. */
        pid_t child = fork();
        if (!child) {
            setenv("DCVAGENT_FAIL", points[i], 1);
            bool ok = install_archive(&other, &n, &e);
            _exit(ok ? 50 : e.rc == RC_CREATE || e.rc == RC_STATE ? 0 : 51);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status) || WEXITSTATUS(status))
            fail_msg("%s: status %x", points[i], (unsigned)status);
        assert_int_equal(install_live(dir, "shop"), 1);
        holds("live/shop/privkey.pem", "key one");
        assert_false(there("archive/shop/.2"));
    }
    setenv("DCVAGENT_FAIL", "rename:EIO", 1);
    e = (struct err){0};
    assert_false(install_switch(dir, "shop", 1, &before, &e));
    assert_int_equal(e.rc, RC_CREATE);
    unsetenv("DCVAGENT_FAIL");
    assert_int_equal(install_live(dir, "shop"), 1);
}

static void switches(void **state)
{
    (void)state;
    struct install_set s = set(&key_one), other = set(&key_two);
    struct err e = {0};
    int64_t n = 0, before = 9;
    char target[64] = "";
    assert_true(install_archive(&s, &n, &e));
    assert_int_equal(install_live(dir, "shop"), 0);
    assert_true(install_switch(dir, "shop", 1, &before, &e));
    assert_int_equal(before, 0);
    assert_int_equal(install_live(dir, "shop"), 1);
    char *link = mem_fmt("%s/live/shop", dir);
    assert_int_equal(readlink(link, target, sizeof target - 1), strlen("../archive/shop/1"));
    assert_string_equal(target, "../archive/shop/1");
    holds("live/shop/privkey.pem", "key one");
    n = 0;
    assert_true(install_archive(&other, &n, &e) && install_switch(dir, "shop", n, &before, &e));
    assert_int_equal(before, 1);
    holds("live/shop/privkey.pem", "key two");
    assert_true(install_unswitch(dir, "shop", before, &e));
    holds("live/shop/privkey.pem", "key one");
    assert_true(install_unswitch(dir, "shop", 0, &e));
    assert_false(there("live/shop"));
    assert_true(install_unswitch(dir, "shop", 0, &e)); /* again */
    assert_false(install_switch(dir, "shop", 77, &before, &e));
    assert_string_equal(e.code, "NO_ARCHIVE");
    assert_int_equal(e.rc, RC_STATE);
    assert_int_equal(symlink("/etc", link), 0); /* somebody else's link is not one of our sets */
    assert_int_equal(install_live(dir, "shop"), 0);
    unlink(link);
    assert_int_equal(mkdir(link, 0700), 0);
    e = (struct err){0};
    assert_false(install_switch(dir, "shop", 1, &before, &e));
    assert_false(install_unswitch(dir, "shop", 0, NULL));
    assert_true(there("live/shop"));
    free(link);
}

static void groups(void **state)
{
    (void)state;
    struct install_set s = set(&key_one);
    struct err e = {0};
    int64_t n = 0;
    s.key_group = "no-such-group";
    assert_false(install_archive(&s, &n, &e));
    assert_int_equal(e.rc, RC_CONF);
    assert_false(there("archive"));
    struct group *mine = getgrgid(getegid());
    if (!mine)
        skip();
    s.key_group = mine->gr_name;
    e = (struct err){0};
    if (!install_archive(&s, &n, &e))
        fail_msg("%s", e.text);
    assert_int_equal(mode("archive/shop/1/privkey.pem"), 0640);
    assert_int_equal(mode("archive/shop/1/bundle.pfx"), 0600);
    if (geteuid() != 0)
        return;
    char *path = mem_fmt("%s/archive/shop/1/privkey.pem", dir);
    struct stat st;
    struct group *www = getgrnam("www-data");
    s.key_group = "www-data"; /* the group was changed in the configuration */
    assert_true(install_archive(&s, &n, &e));
    assert_int_equal(n, 1);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_gid, www->gr_gid);
    free(path);
}

static void odd_names(void **state)
{
    (void)state;
    static const char *const bad[] = {"", ".", "..", "../x", "a/b", ".hidden", "a b", "a\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct install_set s = set(&key_one);
        struct err e = {0};
        char path[128];
        int64_t n = 0;
        s.name = bad[i];
        assert_false(install_archive(&s, &n, &e));
        assert_int_equal(e.rc, RC_BUG);
        assert_false(install_switch(dir, bad[i], 1, &n, NULL));
        assert_false(install_unswitch(dir, bad[i], 0, NULL));
        assert_false(install_evidence(dir, bad[i], 1, "{}", NULL));
        assert_false(install_reject(dir, bad[i], "x", 1, path, sizeof path, NULL));
        assert_int_equal(install_live(dir, bad[i]), 0);
    }
    assert_false(there("archive"));
    struct install_set s = set(&key_one);
    int64_t n = -1;
    assert_false(install_archive(&s, &n, NULL));
}

static void evidence_and_rejects(void **state)
{
    (void)state;
    struct install_set s = set(&key_one);
    struct err e = {0};
    int64_t n = 0;
    char first[256], second[256];
    assert_true(install_archive(&s, &n, &e));
    assert_true(install_evidence(dir, "shop", n, "{\"a\":1}", &e));
    holds("archive/shop/1/evidence.json", "{\"a\":1}");
    assert_false(install_evidence(dir, "shop", 9, "{}", &e));
    e = (struct err){0};
    assert_true(install_reject(dir, "shop", "bad one", 7, first, sizeof first, &e));
    assert_true(install_reject(dir, "shop", "bad two", 7, second, sizeof second, &e));
    assert_string_not_equal(first, second);
    assert_non_null(strstr(first, "/archive/shop/rejected-"));
    assert_true(install_reject(dir, "shop", "bad two", 7, first, sizeof first, &e)); /* refused again: kept once */
    assert_string_equal(first, second);
    struct stat st;
    assert_int_equal(stat(first, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, 7);
    n = 0;
    s.key_pem = &key_two;
    assert_true(install_archive(&s, &n, &e)); /* rejected ones do not count */
    assert_int_equal(n, 2);
    assert_true(install_reject(dir, "fresh", "x", 1, first, sizeof first, &e));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {T(killed_anywhere), T(writes_a_set), T(repeats),   T(after_a_crash),       T(full_disk),
                                       T(switches),        T(groups),       T(odd_names), T(evidence_and_rejects)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
