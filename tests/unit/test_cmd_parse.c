/* Command lines: what they mean, and what they do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/cmd.h"

enum { WORDS = 8 };

struct line {
    const char *word[WORDS];
};

static int count(const struct line *l)
{
    int n = 0;
    while (n < WORDS && l->word[n])
        n++;
    return n;
}

static bool parse(const struct line *l, struct call *c, bool *done)
{
    char *argv[WORDS + 2] = {(char *)(uintptr_t) "dcvagent"};
    for (int i = 0; i < count(l); i++)
        argv[i + 1] = (char *)(uintptr_t)l->word[i];
    return call_parse(count(l) + 1, argv, c, done);
}

static void refused(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {{NULL}},
        {{"rum"}},
        {{"-x", "run"}},
        {{"run", "--forse"}},
        {{"--force", "run"}},     /* a command's own option before the command */
        {{"run", "--deadline"}},  /* value missing at the end */
        {{"run", "--force=yes"}}, /* a switch takes no value */
        {{"--config"}},
        {{"--json=1", "run"}},
        {{"status", "-z"}},
        {{"pin"}},           /* too few */
        {{"pin", "a", "b"}}, /* too many */
        {{"code", "shop"}},
        {{"gc", "shop"}},
        {{"txt", "add"}},
        {{"txt", "add", "h", "v", "w"}},
        {{"evidence", "a", "1", "2"}},
        {{"metrics", "-o"}},
        {{"status", "-o", "x"}}, /* only metrics has -o */
        {{"run", "--="}},
        {{"--state-dir", "", "run"}},
        {{"run", "--all", "--", "--force", "--"}}, /* behind --: names; all are operands, which run takes */
    };
    for (size_t i = 0; i + 1 < sizeof lines / sizeof *lines; i++) {
        struct call c;
        bool done = true;
        if (parse(&lines[i], &c, &done))
            fail_msg("line %zu was taken", i);
        assert_false(done);
        call_clear(&c);
    }
    struct call c;
    bool done;
    assert_true(parse(&lines[sizeof lines / sizeof *lines - 1], &c, &done));
    assert_int_equal(c.args.n, 2);
    assert_string_equal(c.args.s[0], "--force");
    assert_false(call_has(&c, "force"));
    assert_true(call_has(&c, "all"));
    call_clear(&c);
}

static void values(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {{"--config", "f.ini", "run", "--deadline", "5m", "-v", "shop"}},
        {{"--config=f.ini", "run", "shop", "--deadline=5m", "--verbose"}},
        {{"run", "--deadline=9m", "shop", "--config", "g.ini", "--deadline=5m", "-v"}}, /* the last one counts */
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct call c;
        bool done;
        assert_true(parse(&lines[i], &c, &done));
        assert_false(done);
        assert_string_equal(c.command->name, "run");
        assert_string_equal(c.config, i == 2 ? "g.ini" : "f.ini");
        assert_string_equal(call_flag(&c, "deadline"), "5m");
        assert_int_equal(c.verbose, 1);
        assert_int_equal(c.args.n, 1);
        assert_string_equal(c.args.s[0], "shop");
        assert_false(call_has(&c, "force"));
        assert_null(call_flag(&c, "all"));
        call_clear(&c);
    }
}

static void globals(void **state)
{
    (void)state;
    struct call c;
    bool done;
    assert_true(parse(&(struct line){{"-qvv", "status", "--json", "--log-json", "--no-color", "--state-dir=/s"}}, &c, &done));
    assert_true(c.quiet && c.json && c.log_json && c.no_colour);
    assert_int_equal(c.verbose, 2);
    assert_string_equal(c.state_dir, "/s");
    call_clear(&c);
    assert_true(parse(&(struct line){{"--state-dir", "s", "status"}}, &c, &done)); /* hooks are run elsewhere */
    assert_true(c.state_dir[0] == '/' && strcmp(strrchr(c.state_dir, '/'), "/s") == 0);
    call_clear(&c);
    assert_true(parse(&(struct line){{"--config=", "status"}}, &c, &done));
    assert_string_equal(c.config, "");
    call_clear(&c);
    assert_true(parse(&(struct line){{"metrics", "-oa.prom"}}, &c, &done));
    assert_string_equal(call_flag(&c, "output"), "a.prom");
    call_clear(&c);
    assert_true(parse(&(struct line){{"metrics", "-o", "a.prom"}}, &c, &done));
    assert_string_equal(call_flag(&c, "output"), "a.prom");
    call_clear(&c);
    assert_true(parse(&(struct line){{"code", "shop", "-"}}, &c, &done)); /* standard input is an operand */
    assert_string_equal(c.args.s[1], "-");
    call_clear(&c);
    assert_true(parse(&(struct line){{"code", "shop", "--", "-looks-like-an-option"}}, &c, &done));
    assert_string_equal(c.args.s[1], "-looks-like-an-option");
    call_clear(&c);
}

static void asks_for_help(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {{"--help"}}, {{"-h"}}, {{"--version"}}, {{"txt", "--help"}}, {{"pin", "-h"}} /* operands may be missing then */,
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct call c;
        bool done = false;
        assert_true(parse(&lines[i], &c, &done));
        assert_true(done);
        call_clear(&c);
    }
}

/* The table itself: every command has what help and dispatch need, its options fit into struct call, and none hides a global one. */
static void table(void **state)
{
    (void)state;
    const struct call *c = NULL;
    for (const struct command *k = commands; k->name; k++) {
        size_t n = 0;
        assert_ptr_equal(command_named(k->name), k);
        assert_non_null(k->run);
        assert_non_null(k->operands);
        assert_true(k->most < 0 || k->most >= k->least);
        assert_true(strlen(k->summary) > 10);
        for (const struct flag *f = k->flags; f && f->name; f++, n++) {
            assert_true(strlen(f->help) > 5);
            assert_string_not_equal(f->name, "json");
            assert_string_not_equal(f->name, "config");
        }
        assert_true(n <= sizeof c->flag / sizeof *c->flag);
        help_command(k);
    }
    assert_null(command_named("nothing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused),       cmocka_unit_test(values), cmocka_unit_test(globals),
        cmocka_unit_test(asks_for_help), cmocka_unit_test(table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
