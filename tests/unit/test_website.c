/* The validation file in a web root (dcv/webfile.h), the pure parts of looking at it (dcv/webview.h), what the doctor makes of that
 * (dcv/survey/webplace.h), and whose files stand by the orders' facts (order/website/website.h). */
#include "dcv/webfile.h"
#include "dcv/survey/webplace.h"
#include "dcv/webview.h"
#include "order/website/website.h"

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
#include "base/str.h"

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
static size_t views_of(const char *text, struct web_view *v)
{
    static const char letters[] = "maorsun";
    size_t n = strlen(text);
    for (size_t k = 0; k < n; k++) {
        v[k] = (struct web_view){.verdict = (enum web_verdict)(strchr(letters, text[k]) - letters), .status = 403};
        snprintf(v[k].addr, sizeof v[k].addr, "192.0.2.%zu", k + 1);
    }
    return n;
}

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
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct web_view v[4];
        const struct web_view *blocking;
        size_t n = views_of(rows[i].views, v);
        bool seen = web_judge(v, n, &blocking);
        if (seen != rows[i].seen || (blocking ? (int)(blocking - v) : -1) != rows[i].blocking)
            fail_msg("%s", rows[i].views);
    }
}

/* What the doctor finds, "severity CODE at ADDRESSES", in its order. */
static void placed(void **state)
{
    (void)state;
    static const struct {
        const char *views, *found;
    } rows[] = {
        {"", ""},
        {"a", "ok WEBSITE_ANSWERS 192.0.2.1; "},
        {"aa", "ok WEBSITE_ANSWERS 192.0.2.1, 192.0.2.2; "},
        {"o", "info WEBSITE_ANSWERS_ALL 192.0.2.1; "},
        {"m", "info WEBSITE_ANSWERS_ALL 192.0.2.1; "},
        {"r", "warning WEBSITE_REFUSES 192.0.2.1; "},
        {"s", "error WEBSITE_ASTRAY 192.0.2.1; "},
        {"u", "error WEBSITE_UNREACHABLE 192.0.2.1; "},
        {"uu", "error WEBSITE_UNREACHABLE 192.0.2.1, 192.0.2.2; "},
        {"n", "warning WEBSITE_UNREACHABLE 192.0.2.1; "},
        {"an", "ok WEBSITE_ANSWERS 192.0.2.1; info WEBSITE_UNREACHABLE 192.0.2.2; "},
        {"ua", "ok WEBSITE_ANSWERS 192.0.2.2; warning WEBSITE_UNREACHABLE 192.0.2.1; "},
        {"un", "error WEBSITE_UNREACHABLE 192.0.2.1; warning WEBSITE_UNREACHABLE 192.0.2.2; "},
        {"ras", "ok WEBSITE_ANSWERS 192.0.2.2; warning WEBSITE_REFUSES 192.0.2.1; error WEBSITE_ASTRAY 192.0.2.3; "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct web_view v[4];
        struct findings l = {0};
        struct str found = STR_INIT(2000);
        webplace_judge("www.example.hk", v, views_of(rows[i].views, v), &l);
        for (size_t k = 0; k < l.n; k++) {
            const struct finding *f = &l.f[k];
            str_fmt(&found, "%s %s %.*s; ", severity_words[f->severity], f->code, (int)strcspn(f->cause, ":"), f->cause);
            assert_string_equal(f->host, "www.example.hk");
            assert_true(f->severity < SEV_WARNING || *f->remedy);
        }
        assert_string_equal(str_text(&found), rows[i].found);
        str_free(&found);
        findings_free(&l);
    }
}

/* More addresses than a finding has room for. */
static void many_addresses(void **state)
{
    (void)state;
    struct web_view v[32] = {0};
    struct findings l = {0};
    for (size_t i = 0; i < 32; i++) {
        v[i].verdict = WEB_UNREACHABLE;
        snprintf(v[i].addr, sizeof v[i].addr, "2001:db8:1111:2222:3333:4444:5555:%04zu", i);
    }
    webplace_judge("www.example.hk", v, 32, &l);
    assert_int_equal(l.n, 1);
    assert_non_null(strstr(l.f[0].cause, "2001:db8:1111:2222:3333:4444:5555:0002 and 29 more: no answer"));
    findings_free(&l);
}

static void note_file(void *arg, const struct website_file *f)
{
    char *place = website_place(f);
    str_fmt(arg, "%s %s %s%s; ", place, f->value, ledger_state_words[f->state], f->wanted ? " wanted" : "");
    free(place);
}

/* Which files an order needs: none once its certificate is there, or it failed, or is over. */
static void files_of_orders(void **state)
{
    (void)state;
#define BY(how, was) "{\"website\":[{\"host\":\"a.hk\"," how ",\"value\":\"v\",\"folders\":0,\"state\":\"" was "\"}]}"
#define ROOT(was)    BY("\"webroot\":\"/www\"", was)
#define PLACE        "/www/.well-known/pki-validation/fileauth.txt v "
    static const struct {
        const char *state;
        bool open;
        const char *facts, *files;
    } rows[] = {
        {"visible", true, NULL, ""},
        {"visible", true, "{}", ""},
        {"visible", true, "not JSON, \"website\"", ""},
        {"visible", true, "{\"website\":1}", ""},
        {"visible", true, ROOT("present"), PLACE "present wanted; "},
        {"visible", true, ROOT("found"), PLACE "found wanted; "},
        {"visible", true, ROOT("leaving"), PLACE "leaving; "},
        {"visible", true, ROOT("a later version's"), PLACE "intended wanted; "},
        {"submitted", true, ROOT("present"), PLACE "present wanted; "},
        {"issued", true, ROOT("present"), PLACE "present; "},
        {"failed", true, ROOT("intended"), PLACE "intended; "},
        {"failed", true, ROOT("found"), PLACE "found; "},
        {"visible", false, ROOT("present"), PLACE "present; "},
        {"visible", true, BY("\"hook\":\"/h x\"", "present"), "http://a.hk/.well-known/pki-validation/fileauth.txt v present wanted; "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str files = STR_INIT(1000);
        struct saved_order o = {.open = rows[i].open, .facts = rows[i].facts ? mem_str(rows[i].facts) : NULL};
        snprintf(o.state, sizeof o.state, "%s", rows[i].state);
        website_files(&o, note_file, &files);
        assert_string_equal(str_text(&files), rows[i].files);
        assert_int_equal(website_left(o.facts), *rows[i].files != 0);
        str_free(&files);
        free(o.facts);
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
        cmocka_unit_test(placed),
        cmocka_unit_test(many_addresses),
        cmocka_unit_test(files_of_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
