/* The validation file in a web root (dcv/webfile.h), and the pure parts of looking at it (dcv/webview.h). */
#include "dcv/webfile.h"
#include "dcv/webview.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"

static char root[40];

static int begin(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/test_website.XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    char *command = mem_fmt("rm -rf %s", root);
    int rc = system(command);
    free(command);
    return rc;
}

static const char *path_of(const char *below)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", root, below);
    return path;
}

#define FILE_PATH ".well-known/pki-validation/fileauth.txt"

static void write_file(const char *below, const char *text)
{
    struct err e = {0};
    if (!fs_replace(path_of(below), text, strlen(text), 0644, &e))
        fail_msg("%s", e.text);
}

static bool is_there(const char *below)
{
    struct stat st;
    return lstat(path_of(below), &st) == 0;
}

static enum webfile_is look(const char *content)
{
    enum webfile_is is;
    unsigned folders;
    struct err e = {0};
    if (!webfile_look(root, content, &is, &folders, &e))
        fail_msg("%s", e.text);
    return is;
}

static void put_and_removed(void **state)
{
    (void)state;
    struct err e = {0};
    struct stat st;
    enum webfile_is is;
    unsigned folders;
    umask(077);
    assert_true(webfile_possible(root, &e));
    assert_true(webfile_look(root, "code", &is, &folders, &e));
    assert_int_equal(is, WEBFILE_ABSENT);
    assert_int_equal(folders, 2);
    assert_true(webfile_put(root, "code", &e));
    assert_int_equal(look("code"), WEBFILE_SAME);
    assert_int_equal(look("codex"), WEBFILE_OTHER);
    assert_int_equal(look("cod"), WEBFILE_OTHER);
    assert_int_equal(look(NULL), WEBFILE_OTHER);
    assert_int_equal(stat(path_of(FILE_PATH), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    assert_int_equal(st.st_size, 4);
    assert_int_equal(stat(path_of(".well-known/pki-validation"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0755);
    assert_false(webfile_put(root, "code", &e)); /* never over a file, though it is the same */
    assert_string_equal(e.code, "WEBSITE_TAKEN");
    assert_true(webfile_remove(root, "other", 2, &is, &e));
    assert_int_equal(is, WEBFILE_OTHER);
    assert_true(is_there(FILE_PATH));
    assert_true(webfile_remove(root, "code", 2, &is, &e));
    assert_int_equal(is, WEBFILE_SAME);
    assert_false(is_there(".well-known"));
    assert_true(webfile_remove(root, "code", 2, &is, &e));
    assert_int_equal(is, WEBFILE_ABSENT);
}

/* What was there before stays: folders, other files, a file with a line end. */
static void others_stay(void **state)
{
    (void)state;
    struct err e = {0};
    enum webfile_is is;
    unsigned folders;
    assert_int_equal(mkdir(path_of(".well-known"), 0700), 0);
    assert_true(webfile_look(root, "code", &is, &folders, &e));
    assert_int_equal(folders, 1);
    assert_true(webfile_put(root, "code", &e));
    write_file(".well-known/pki-validation/other.txt", "x");
    write_file(".well-known/pki-validation/.dcvagent-fileauth.txt", "half");
    assert_true(webfile_remove(root, "code", 1, &is, &e));
    assert_false(is_there(FILE_PATH));
    assert_false(is_there(".well-known/pki-validation/.dcvagent-fileauth.txt"));
    assert_true(is_there(".well-known/pki-validation/other.txt"));
    assert_int_equal(unlink(path_of(".well-known/pki-validation/other.txt")), 0);
    write_file(FILE_PATH, "code\r\n\n");
    assert_int_equal(look("code"), WEBFILE_SAME);
    assert_true(webfile_remove(root, "code", 1, &is, &e));
    assert_false(is_there(".well-known/pki-validation"));
    assert_true(is_there(".well-known"));
}

/* Whoever may write in the web root may not lead us out of it. */
static void no_links(void **state)
{
    (void)state;
    enum webfile_is is;
    unsigned folders;
    char out[] = "/tmp/test_website_out.XXXXXX";
    assert_non_null(mkdtemp(out));
    struct err e = {0};
    assert_int_equal(symlink(out, path_of(".well-known")), 0);
    assert_false(webfile_put(root, "code", &e));
    assert_string_equal(e.code, "WEBSITE_FILE");
    e = (struct err){0};
    assert_false(webfile_look(root, "code", &is, &folders, &e));
    e = (struct err){0};
    assert_false(webfile_remove(root, "code", 2, &is, &e));
    assert_int_equal(rmdir(out), 0); /* nothing in it */
    assert_int_equal(unlink(path_of(".well-known")), 0);
    assert_int_equal(mkdir(path_of(".well-known"), 0755), 0);
    assert_int_equal(mkdir(path_of(".well-known/pki-validation"), 0755), 0);
    write_file("secret", "code");
    char *target = mem_str(path_of("secret"));
    assert_int_equal(symlink(target, path_of(FILE_PATH)), 0);
    assert_int_equal(look("code"), WEBFILE_OTHER);
    e = (struct err){0};
    assert_true(webfile_remove(root, "code", 0, &is, &e));
    assert_true(is_there(FILE_PATH));
    free(target);
}

static void faults(void **state)
{
    (void)state;
    enum webfile_is is;
    unsigned folders;
    struct err e = {0};
    assert_false(webfile_possible("/nonexistent/www", &e));
    assert_string_equal(e.code, "WEBSITE_ROOT");
    assert_int_equal(e.rc, RC_CONF);
    e = (struct err){0};
    assert_true(webfile_remove("/nonexistent/www", "code", 2, &is, &e)); /* the web root went, and the file with it */
    write_file(".well-known", "a file");
    assert_false(webfile_look(root, "code", &is, &folders, &e));
    assert_string_equal(e.code, "WEBSITE_FILE");
    assert_int_equal(unlink(path_of(".well-known")), 0);
    assert_int_equal(mkdir(path_of(".well-known"), 0755), 0);
    assert_int_equal(mkdir(path_of(".well-known/pki-validation"), 0755), 0);
    assert_int_equal(mkdir(path_of(FILE_PATH), 0755), 0);
    assert_int_equal(look("code"), WEBFILE_OTHER);
    assert_int_equal(rmdir(path_of(FILE_PATH)), 0);
    char *big = mem_array(5001, 1);
    memset(big, 'x', 5000);
    write_file(FILE_PATH, big);
    assert_int_equal(look(big), WEBFILE_OTHER);
    free(big);
}

static void content(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is;
    } rows[] = {{"code", true}, {"code\r\n", true}, {" \tcode \n\n", true}, {"", false},    {"\n", false},
                {"cod", false}, {"codes", false},   {"co de", false},       {"Code", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(web_content_is(rows[i].text, strlen(rows[i].text), "code"), rows[i].is);
    assert_false(web_content_is("code\0", 5, "code"));
}

/* One letter a view: m match, a absent, o other, r refused, s astray, u unreachable, n not asked. */
static void judged(void **state)
{
    (void)state;
    static const struct {
        const char *views;
        bool seen;
        int blocking; /* -1: none */
    } rows[] = {{"m", true, -1}, {"mm", true, -1}, {"mu", true, -1}, {"um", true, -1}, {"mn", true, -1},  {"nm", true, -1},
                {"a", false, 0}, {"ma", false, 1}, {"mo", false, 1}, {"mr", false, 1}, {"ms", false, 1},  {"u", false, 0},
                {"n", false, 0}, {"nu", false, 1}, {"un", false, 0}, {"ua", false, 1}, {"uma", false, 2}, {"", false, -1}};
    static const char letters[] = "maorsun";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct web_view v[4] = {0};
        const struct web_view *blocking;
        size_t n = strlen(rows[i].views);
        for (size_t k = 0; k < n; k++)
            v[k].verdict = (enum web_verdict)(strchr(letters, rows[i].views[k]) - letters);
        bool seen = web_judge(v, n, &blocking);
        if (seen != rows[i].seen || (blocking ? (int)(blocking - v) : -1) != rows[i].blocking)
            fail_msg("%s", rows[i].views);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(put_and_removed, begin, end),
        cmocka_unit_test_setup_teardown(others_stay, begin, end),
        cmocka_unit_test_setup_teardown(no_links, begin, end),
        cmocka_unit_test_setup_teardown(faults, begin, end),
        cmocka_unit_test(content),
        cmocka_unit_test(judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
