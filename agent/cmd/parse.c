/* parse.c: the command line, and help, from the table. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guess.h"
#include "base/mem.h"
#include "cmd/version.h"

static const struct flag globals[] = {
    {"config", "FILE", "configuration (default: $DCVAGENT_CONFIG, else /etc/dcvagent/dcvagent.ini)"},
    {"state-dir", "FOLDER", "state folder instead of the configured one"},
    {"verbose", NULL, "more about what is done (-v), every step (-vv)"},
    {"quiet", NULL, "errors only (-q)"},
    {"json", NULL, "output as JSON"},
    {"log-json", NULL, "messages as JSON, one object a line"},
    {"no-color", NULL, "no colour on a terminal"},
    {"help", NULL, "help for the program or, after a command, for that command (-h)"},
    {"version", NULL, "version of program and libraries"},
    {0},
};

static void flags_help(const struct flag *f)
{
    for (; f && f->name; f++) {
        char left[48];
        snprintf(left, sizeof left, "--%s%s%s", f->name, f->value ? " " : "", f->value ? f->value : "");
        printf("  %-22s %s\n", left, f->help);
    }
}

void help_program(void)
{
    printf("dcvagent %s: domain control validation by DNS, and the certificates that come of it, unattended\n\n"
           "Usage: dcvagent [OPTIONS] COMMAND [ARGUMENTS]\n\nCommands:\n",
           version_text());
    for (const struct command *c = commands; c->name; c++)
        printf("  %-11s %s\n", c->name, c->summary);
    printf("\nOptions for all commands:\n");
    flags_help(globals);
    printf("\nNAME is a [certificate NAME] section of the configuration; none means all. dcvagent COMMAND --help says more.\n"
           "Manual pages: dcvagent(8), dcvagent.ini(5). Exit codes: 0 done, 75 waiting or pending, others in dcvagent(8).\n");
}

void help_command(const struct command *c)
{
    printf("Usage: dcvagent %s%s%s%s\n\n%s.\n", c->name, c->flags ? " [OPTIONS]" : "", *c->operands ? " " : "", c->operands, c->summary);
    if (c->help)
        printf("\n%s\n", c->help);
    if (c->flags) {
        printf("\nOptions:\n");
        flags_help(c->flags);
    }
    printf("\nOptions for all commands: dcvagent --help\n");
}

static int find_flag(const struct flag *f, const char *name, size_t n)
{
    for (int i = 0; f && f[i].name; i++)
        if (strlen(f[i].name) == n && strncmp(f[i].name, name, n) == 0)
            return i;
    return -1;
}

static bool usage(const char *fmt, const char *what, const struct command *c)
{
    char safe[120];
    text_safe(safe, sizeof safe, what, strlen(what));
    fprintf(stderr, "dcvagent: ");
    fprintf(stderr, "%s", fmt);
    fprintf(stderr, " '%s'\n", safe);
    if (c)
        fprintf(stderr, "Usage: dcvagent %s %s   (dcvagent %s --help)\n", c->name, c->operands, c->name);
    else
        fprintf(stderr, "Usage: dcvagent [OPTIONS] COMMAND [ARGUMENTS]   (dcvagent --help)\n");
    return false;
}

static void set_global(struct call *c, const char *name, const char *value, bool *help, bool *version)
{
    if (strcmp(name, "config") == 0)
        c->config = value;
    else if (strcmp(name, "state-dir") == 0)
        c->state_dir = value;
    else if (strcmp(name, "verbose") == 0)
        c->verbose++;
    else if (strcmp(name, "quiet") == 0)
        c->quiet = true;
    else if (strcmp(name, "json") == 0)
        c->json = true;
    else if (strcmp(name, "log-json") == 0)
        c->log_json = true;
    else if (strcmp(name, "no-color") == 0)
        c->no_colour = true;
    else if (strcmp(name, "help") == 0)
        *help = true;
    else
        *version = true;
}

struct parsing {
    struct call *c;
    int argc, at;
    char **argv;
    bool help, version;
};

static bool unknown_option(const char *arg, size_t n, const struct flag *own, const struct command *c)
{
    char *name = mem_copy(arg, n);
    struct guess g = {.wanted = name};
    for (const struct flag *f = own; f && f->name; f++)
        guess_try(&g, f->name);
    for (const struct flag *f = globals; f->name; f++)
        guess_try(&g, f->name);
    free(name);
    if (g.best)
        fprintf(stderr, "dcvagent: did you mean '--%s'?\n", g.best);
    return usage("unknown option", arg - 2, c);
}

/* --name, --name=value, --name value: the command's flags first, then the global ones. */
static bool long_option(struct parsing *p, const char *arg)
{
    const char *eq = strchr(arg, '=');
    size_t n = eq ? (size_t)(eq - arg) : strlen(arg);
    const struct flag *own = p->c->command ? p->c->command->flags : NULL;
    int i = find_flag(own, arg, n), g = i < 0 ? find_flag(globals, arg, n) : -1;
    if (i < 0 && g < 0)
        return unknown_option(arg, n, own, p->c->command);
    const struct flag *f = i >= 0 ? &own[i] : &globals[g];
    const char *value = "";
    if (f->value) {
        if (!eq && p->at + 1 >= p->argc)
            return usage("a value is missing behind", arg - 2, p->c->command);
        value = eq ? eq + 1 : p->argv[++p->at];
    } else if (eq) {
        return usage("no value is allowed in", arg - 2, p->c->command);
    }
    if (i >= 0)
        p->c->flag[i] = value;
    else
        set_global(p->c, f->name, value, &p->help, &p->version);
    return true;
}

static bool short_options(struct parsing *p, const char *arg)
{
    for (const char *o = arg + 1; *o; o++) {
        int out = p->c->command ? find_flag(p->c->command->flags, "output", 6) : -1;
        if (*o == 'v')
            p->c->verbose++;
        else if (*o == 'q')
            p->c->quiet = true;
        else if (*o == 'h')
            p->help = true;
        else if (*o == 'o' && out >= 0 && !o[1] && p->at + 1 >= p->argc) {
            return usage("a value is missing behind", arg, p->c->command);
        } else if (*o == 'o' && out >= 0) {
            p->c->flag[out] = o[1] ? o + 1 : p->argv[++p->at];
            return true;
        } else
            return usage("unknown option", arg, p->c->command);
    }
    return true;
}

static bool operand(struct parsing *p, const char *arg)
{
    if (p->c->command) {
        strs_add(&p->c->args, arg);
        return true;
    }
    p->c->command = command_named(arg);
    if (p->c->command)
        return true;
    struct guess g = {.wanted = arg};
    for (const struct command *c = commands; c->name; c++)
        guess_try(&g, c->name);
    if (g.best)
        fprintf(stderr, "dcvagent: did you mean '%s'?\n", g.best);
    return usage("unknown command", arg, NULL);
}

/* Hooks are run from /: what they are told must lead there all the same. */
static bool whole_state_dir(struct call *c)
{
    if (!c->state_dir || *c->state_dir == '/')
        return true;
    char *here = *c->state_dir ? getcwd(NULL, 0) : NULL;
    if (!here)
        return usage("this is no state folder:", c->state_dir, c->command);
    c->state_dir = c->whole = mem_fmt("%s/%s", here, c->state_dir);
    free(here);
    return true;
}

static bool counted(const struct call *c)
{
    int n = (int)c->args.n;
    if (n < c->command->least)
        return usage("something is missing behind", c->command->name, c->command);
    if (c->command->most >= 0 && n > c->command->most)
        return usage("too many arguments, from", c->args.s[c->command->most], c->command);
    return true;
}

bool call_parse(int argc, char **argv, struct call *c, bool *done)
{
    memset(c, 0, sizeof *c);
    struct parsing p = {.c = c, .argc = argc, .argv = argv};
    c->argc = argc;
    c->argv = argv;
    c->terminal = isatty(STDERR_FILENO) == 1;
    *done = false;
    bool only_operands = false;
    for (p.at = 1; p.at < argc; p.at++) {
        const char *a = argv[p.at];
        bool ok = true;
        if (only_operands || a[0] != '-' || a[1] == 0)
            ok = operand(&p, a);
        else if (strcmp(a, "--") == 0)
            only_operands = true;
        else if (a[1] == '-')
            ok = long_option(&p, a + 2);
        else
            ok = short_options(&p, a);
        if (!ok)
            return false;
    }
    *done = p.help || p.version;
    if (p.version)
        version_print();
    else if (p.help && c->command)
        help_command(c->command);
    else if (p.help)
        help_program();
    else if (!c->command)
        return usage("a command is missing;", "dcvagent --help", NULL);
    return *done || (counted(c) && whole_state_dir(c));
}

void call_clear(struct call *c)
{
    strs_free(&c->args);
    free(c->whole);
}

const char *call_flag(const struct call *c, const char *name)
{
    int i = find_flag(c->command->flags, name, strlen(name));
    if (i < 0)
        abort();
    return c->flag[i];
}

bool call_has(const struct call *c, const char *name)
{
    return call_flag(c, name) != NULL;
}
