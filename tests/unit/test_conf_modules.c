/* Types that sections name: found when they are needed, with the conf_path of [agent] wherever it stands, faults of other files, examined sections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "conf_tools.h"

static const struct conf_key cloud_keys[] = {{.name = "token", .type = CONF_TEXT, .required = true, .help = "x"},
                                             {.name = "ttl", .type = CONF_COUNT, .standard = "120", .allowed = "60..86400", .help = "x"},
                                             {0}};
static char broken_file[] = "/p/broken.ini", add[] = "add", json[] = "json", bad[] = "bad", worse[] = "worse";
static const struct conf_fault broken_faults[] = {
    {.file = broken_file, .line = 7, .section = add, .key = json, .text = bad, .rc = RC_CONF, .fatal = true},
    {.file = broken_file, .line = 3, .text = worse, .rc = RC_PERM}};

static struct strs asked, dropped;
static char *path_seen;

static void examine_cloud(const struct section *s, struct conf_sink *to)
{
    if (section_text(s, "token") && strcmp(section_text(s, "token"), "wrong") == 0)
        conf_sink_fault(to, "token", RC_CONF, "%s is wrong", section_text(s, "token"));
    if (section_text(s, "token") && strcmp(section_text(s, "token"), "none") == 0)
        conf_sink_fault(to, "proxy", RC_CONF, "is needed");
}

static bool find_type(const struct strs *conf_path, const char *type, struct conf_module *found, struct conf_sink *to)
{
    strs_add(&asked, type);
    free(path_seen);
    path_seen = strs_join(conf_path, ":");
    if (strcmp(type, "cloud") != 0 && strcmp(type, "broken") != 0)
        return false;
    if (strcmp(type, "broken") == 0)
        conf_sink_take(to, broken_faults, 2);
    found->keys = cloud_keys;
    found->impl = mem_str(type);
    found->examine = examine_cloud;
    return true;
}

static void list_types(const struct strs *conf_path, struct strs *out)
{
    (void)conf_path;
    strs_add(out, "cloud");
    strs_add(out, "broken");
}

static void drop_type(struct conf_module *found)
{
    strs_add(&dropped, found->impl);
    free((char *)(uintptr_t)found->impl);
}

static const struct conf_finder finder = {find_type, list_types, drop_type};
static const struct conf_key built_keys[] = {{.name = "server", .type = CONF_SERVER, .help = "x"}, {0}};
static const struct conf_key portal_keys[] = {{.name = "profile", .type = CONF_TEXT, .help = "x"}, {0}};

static void examine_portal(const struct section *s, struct conf_sink *to)
{
    if (section_given(s, "profile"))
        conf_sink_take(to, broken_faults, 2);
    conf_sink_take(to, NULL, 0);
}

static const struct conf_module modules[] = {
    {.kind = "provider", .type = "built", .keys = built_keys},
    {.kind = "ca", .type = "portal", .keys = portal_keys, .by_person = true, .examine = examine_portal},
    {.kind = "provider", .finder = &finder},
    {0}};

static struct conf *load(const char *text)
{
    strs_free(&asked);
    strs_free(&dropped);
    return conf_load_text("t.ini", text, strlen(text), modules);
}

static void expect(const struct conf *c, const char *wanted)
{
    char *got = conf_all_faults(c);

    assert_string_equal(got, wanted);
    free(got);
}

static void test_found(void **state)
{
    (void)state;
    struct conf *c =
        load("[provider a]\ntype = cloud\nzones = a.hk\ntoken = x\n[provider b]\ntype = cloud\nzones = b.hk\ntoken = y\nttl = 30\n"
             "[provider c]\ntype = built\nzones = c.hk\n[agent]\nconf_path = /one /two\n");
    const struct section *a = conf_provider(c, "a");

    expect(c, "t.ini:9: provider b: ttl: \"30\" is not a number; allowed: 60..86400\n");
    assert_int_equal(asked.n, 1); /* once a type, and none that is built in */
    assert_string_equal(path_seen, "/one:/two");
    assert_string_equal(a->impl, "cloud");
    assert_ptr_equal(conf_provider(c, "b")->impl, a->impl);
    assert_null(conf_provider(c, "c")->impl);
    assert_int_equal(section_number(a, "ttl"), 120); /* the type's key wins over the common one */
    assert_string_equal(section_text(a, "shared_rrset"), "auto");
    assert_false(a->broken);
    assert_int_equal(dropped.n, 0);
    conf_free(c);
    assert_int_equal(dropped.n, 1);
}

static void test_not_asked(void **state)
{
    (void)state;
    struct conf *c = load("[provider a]\ntype = built\nzones = a.hk\n[ca p]\ntype = portal\n");

    expect(c, "");
    assert_int_equal(asked.n, 0);
    conf_free(c);
    c = load("[ca p]\ntype = cloud\n"); /* a provider's type is no CA's */
    expect(c, "t.ini:2: ca p: type: \"cloud\" is no type of ca; known: portal\n");
    conf_free(c);
}

static void test_unknown(void **state)
{
    (void)state;
    struct conf *c = load("[provider a]\ntype = clod\nzones = a.hk\nanything = 1\n[provider b]\ntype = entirely\nzones = b.hk\n");

    expect(c, "t.ini:2: provider a: type: \"clod\" is no type of provider, did you mean cloud?\n"
              "t.ini:6: provider b: type: \"entirely\" is no type of provider; known: built cloud broken\n");
    assert_true(conf_provider(c, "a")->broken);
    conf_free(c);
}

/* Faults of a description: each once, at its place, not fatal; all sections that use it are broken, the others are not. */
static void test_broken(void **state)
{
    (void)state;
    struct conf *c = load(
        "[provider a]\ntype = broken\nzones = a.hk\ntoken = x\nlost = 1\n[provider b]\ntype = broken\nzones = b.hk\ntoken = x\n"
        "[provider c]\ntype = cloud\nzones = c.hk\ntoken = x\n[ca p]\ntype = portal\nprofile = q\n[ca r]\ntype = portal\n"
        "[certificate one]\nca = r\nproduct = standard\nnames = w.c.hk\n[certificate two]\nca = r\nproduct = standard\nnames = w.b.hk\n"
        "[certificate three]\nca = p\nproduct = standard\nnames = w.c.hk\n");

    expect(c, "t.ini:5: provider a: lost: no such key here\n/p/broken.ini:3: worse\n/p/broken.ini:7: add: json: bad\n");
    assert_true(conf_provider(c, "a")->broken && conf_provider(c, "b")->broken && conf_ca(c, "p")->broken);
    assert_false(conf_provider(c, "c")->broken || conf_ca(c, "r")->broken);
    assert_int_equal(conf_fatal(c), RC_OK);
    assert_int_equal(conf_worst(c), RC_CONF);
    assert_false(conf_cert(c, "one")->broken);
    assert_true(conf_cert(c, "two")->broken && conf_cert(c, "three")->broken);
    conf_free(c);
}

static void test_examined(void **state)
{
    (void)state;
    struct conf *c =
        load("[provider a]\ntype = cloud\nzones = a.hk\ntoken = wrong\n[provider b]\ntype = cloud\nzones = b.hk\ntoken = none\n"
             "[provider c]\ntype = cloud\nzones = c.hk\n");

    expect(c, "t.ini:4: provider a: token: wrong is wrong\nt.ini:5: provider b: proxy: is needed\n"
              "t.ini:9: provider c: token: missing; write for example token = ...\n");
    for (const char *p = "abc"; *p; p++)
        assert_true(conf_provider(c, (char[]){*p, 0})->broken);
    conf_free(c);
}

static int finish(void **state)
{
    strs_free(&asked);
    strs_free(&dropped);
    free(path_seen);
    return conf_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_found), cmocka_unit_test(test_not_asked), cmocka_unit_test(test_unknown),
                                       cmocka_unit_test(test_broken), cmocka_unit_test(test_examined)};

    return cmocka_run_group_tests(tests, conf_setup, finish);
}
