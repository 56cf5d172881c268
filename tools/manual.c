/* manual.c: fills the manual pages and the completion from the tables that the program runs by, so that they cannot differ from it.
 * Built and run by make, never installed.
 *
 * `manual FILE.in` copies FILE.in to standard output. @VERSION@ is replaced wherever it stands; a line that is one of these alone becomes
 *   @COMMANDS@         mdoc: all commands with operands, options, help
 *   @OPTIONS@          mdoc: options for all commands
 *   @KEYS KIND@        mdoc: keys that every section of this kind has
 *   @TYPES KIND@       mdoc: the built-in types of this kind (provider, ca), each with its own keys
 *   @DESCRIBED@        mdoc: the provider types that are description files, conf/providers/ of the current folder
 *   @COMPLETE_WORDS@   shell: commands, global options, provider types
 *   @COMPLETE_CASES@   shell: one case for each command
 * Another placeholder is a fault, and so is a table of keys that the file leaves out while it prints others. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/parse.c" /* for its table of global options */
#include "base/fs.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "conf/describe.h"
#include "providers/http/described.h"

enum { SLOTS = 8 };

/* --- mdoc -------------------------------------------------------------------------------------------------------------------------- */

/* One character of a line of text. A hyphen that begins a word is an option's: it must stay one when it is copied from the page. */
static void put_char(const char *line, const char *p)
{
    if (*p == '\\')
        fputs("\\e", stdout);
    else if (p == line && (*p == '.' || *p == '\''))
        printf("\\&%c", *p);
    else if (*p == '-' && (p == line || strchr(" -(=", p[-1])))
        fputs("\\-", stdout);
    else
        putchar(*p);
}

/* Text as lines of mdoc: one a sentence; line breaks of the source are blanks. */
static void put_text(const char *text)
{
    const char *line = text;
    for (const char *p = text; *p; p++) {
        bool blank = *p == ' ' || *p == '\n';
        if (blank && p > text && p[-1] == '.' && (isupper((unsigned char)p[1]) || p[1] == '`')) {
            putchar('\n');
            line = p + 1;
        } else if (blank) {
            putchar(' ');
        } else {
            put_char(line, p);
        }
    }
    putchar('\n');
}

/* A sentence that begins with a small letter and lacks its full stop, as tables have it. */
static void put_sentence(const char *text)
{
    char *copy = mem_fmt("%s%s", text, text[strlen(text) - 1] == '.' ? "" : ".");
    copy[0] = (char)toupper((unsigned char)copy[0]);
    put_text(copy);
    free(copy);
}

/* A word of a usage line: NAME is the user's (Ar), add is literal (Cm). Returns what stands behind it. */
static const char *put_word(const char *p)
{
    size_t n = strcspn(p, " []|"), dots = n > 3 && strncmp(p + n - 3, "...", 3) == 0 ? 3 : 0;
    printf(" %s %.*s%s", isupper((unsigned char)*p) ? "Ar" : "Cm", (int)(n - dots), p, dots ? " Ns ..." : "");
    return p + n;
}

/* "[NAME...]", "add|del HOST [VALUE]" as arguments of an .It line. */
static void put_operands(const char *p)
{
    bool glued = false;
    while (*p) {
        if (*p == ' ') {
            glued = false;
            p++;
        } else if (*p == '[') {
            fputs(" Oo", stdout);
            glued = false;
            p++;
        } else if (*p == ']') {
            fputs(" Oc", stdout);
            p++;
        } else if (*p == '|') {
            printf("%s |", glued ? " Ns" : "");
            p++;
        } else {
            fputs(glued ? " Ns" : "", stdout);
            p = put_word(p);
            glued = true;
        }
    }
}

static void put_flags(const struct flag *f, const char *list)
{
    printf(".Bl -tag -width Ds%s\n", list);
    for (; f && f->name; f++) {
        printf(".It Fl \\-%s", f->name);
        if (f->value)
            put_operands(f->value);
        putchar('\n');
        put_sentence(f->help);
    }
    printf(".El\n");
}

static void put_commands(void)
{
    printf(".Bl -tag -width Ds\n");
    for (const struct command *c = commands; c->name; c++) {
        printf(".It Cm %s", c->name);
        put_operands(c->operands);
        putchar('\n');
        put_sentence(c->summary);
        if (c->help)
            put_text(c->help);
        if (c->flags)
            put_flags(c->flags, " -compact");
    }
    printf(".El\n");
}

/* --- keys of the configuration ----------------------------------------------------------------------------------------------------- */

/* What one placeholder prints, and what the file has printed so far. */
struct keys {
    const char *kind;
    bool types; /* the tables of the types, not the common one */
    struct strs done, all;
};

static const struct conf_key *same_key(const struct conf_key *k, const struct conf_key *table)
{
    for (; table->name; table++)
        if (strcmp(table->name, k->name) == 0 && strcmp(table->help, k->help) == 0)
            return table;
    return NULL;
}

/* Keys that also stand in another section are told there: their names only. */
static bool put_borrowed(const struct conf_key *keys, const struct conf_key *from, const char *section)
{
    size_t n = 0;
    for (const struct conf_key *k = keys; k && k->name; k++)
        if (keys != from && same_key(k, from))
            printf("%s %s", n++ ? " ," : ".It Ic", k->name);
    if (n)
        printf("\nAs in\n.Bq %s ,\nfor this section alone.\n", section);
    return n > 0;
}

static void put_key(const struct conf_key *k)
{
    struct str form = STR_INIT(1000);
    conf_key_form(k, &form);
    printf(".It Ic %s\n", k->name);
    put_text(k->help);
    printf(".br\nValue:\n");
    put_text(str_text(&form));
    str_free(&form);
    if (k->standard)
        printf(".Pq default : Cm %s\n", k->standard);
    else if (k->required)
        printf(".Pq required\n");
    else
        printf(".Pq no default\n");
}

static void put_keys(const struct conf_key *keys)
{
    if (!keys || !keys->name) {
        printf("No keys of its own.\n");
        return;
    }
    bool own = keys == conf_agent_keys || keys == conf_verify_keys;
    printf(".Bl -tag -width Ds\n");
    for (const struct conf_key *k = keys; k->name; k++)
        if (own || (!same_key(k, conf_agent_keys) && !same_key(k, conf_verify_keys)))
            put_key(k);
    if (!own) {
        put_borrowed(keys, conf_verify_keys, "verify");
        put_borrowed(keys, conf_agent_keys, "agent");
    }
    printf(".El\n");
}

static void put_type(const char *kind, const char *type)
{
    printf(".Ss Keys of [%s] with type = %s\n", kind, type);
    const struct provider_ops *p = strcmp(kind, "provider") == 0 ? provider_type(type) : NULL;
    const struct ca_ops *c = p ? NULL : ca_type(type);
    put_sentence(p ? p->summary : c->summary);
    if (p)
        printf("Safety beside values of others: grade %c.\n", p->grade);
}

/* Descriptions of the source tree, sorted; whose hands could write them does not matter here. */
static void described_names(struct strs *out)
{
    struct strs tree = {0};
    strs_add(&tree, "conf");
    describe_list(&tree, "providers", out);
    strs_free(&tree);
}

static bool put_described(void)
{
    struct strs names = {0};
    bool good = true;
    described_names(&names);
    printf(".Bl -tag -width Ds -compact\n");
    for (size_t i = 0; i < names.n; i++) {
        struct err e = {0};
        char *path = mem_fmt("conf/providers/%s.ini", names.s[i]), *text = NULL;
        size_t n = 0;
        good &= fs_read(path, 1 << 20, &text, &n, &e);
        struct provider_ops *p = described_type(describe_text(path, text ? text : "", n));
        printf(".It Cm %s\n", names.s[i]);
        put_sentence(p->summary && *p->summary ? p->summary : names.s[i]);
        described_free(p);
        free(text);
        free(path);
    }
    printf(".El\n");
    strs_free(&names);
    return good;
}

static void visit(void *context, const char *kind, const char *type, const struct conf_key *keys)
{
    struct keys *k = context;
    char *id = mem_fmt("%s/%s", kind, type ? type : "");
    if (!strs_has(&k->all, id))
        strs_add(&k->all, id);
    if (k->kind && strcmp(kind, k->kind) == 0 && k->types == (type != NULL)) {
        if (type)
            put_type(kind, type);
        put_keys(keys);
        strs_add(&k->done, id);
    }
    free(id);
}

static void each_table(struct keys *k)
{
    size_t n = 0;
    struct conf_module *m = NULL;
    for (size_t i = 0; provider_types[i]; i++) {
        m = mem_grow(m, n + 2, sizeof *m);
        m[n++] = (struct conf_module){.kind = "provider", .type = provider_types[i]->type, .keys = provider_types[i]->keys};
    }
    for (size_t i = 0; ca_types[i]; i++) {
        m = mem_grow(m, n + 2, sizeof *m);
        m[n++] = (struct conf_module){.kind = "ca", .type = ca_types[i]->type, .keys = ca_types[i]->keys};
    }
    m = mem_grow(m, n + 1, sizeof *m);
    m[n] = (struct conf_module){0};
    conf_tables_each(m, visit, k);
    free(m);
}

static bool print_tables(struct keys *k, const char *kind, bool types)
{
    size_t before = k->done.n;
    k->kind = kind;
    k->types = types;
    each_table(k);
    k->kind = NULL;
    return k->done.n > before;
}

static bool tables_complete(struct keys *k)
{
    bool good = true;
    each_table(k);
    for (size_t i = 0; k->done.n && i < k->all.n; i++) {
        if (strs_has(&k->done, k->all.s[i]))
            continue;
        fprintf(stderr, "manual: the keys of %s are in no placeholder\n", k->all.s[i]);
        good = false;
    }
    return good;
}

/* --- completion -------------------------------------------------------------------------------------------------------------------- */

static void put_options(const char *variable, const struct flag *f)
{
    printf("%s='", variable);
    for (const char *between = ""; f && f->name; f++, between = " ")
        printf("%s--%s%s%s", between, f->name, f->value ? "=" : "", f->value ? f->value : "");
    putchar('\'');
}

static void put_words(void)
{
    put_options("    local global", globals);
    printf("\n    local commands='");
    for (const struct command *c = commands; c->name; c++)
        printf("%s%s", c == commands ? "" : " ", c->name);
    printf("'\n    local types='");
    for (size_t i = 0; provider_types[i]; i++)
        printf("%s%s", i ? " " : "", provider_types[i]->type);
    struct strs described = {0};
    described_names(&described);
    for (size_t i = 0; i < described.n; i++)
        printf(" %s", described.s[i]);
    strs_free(&described);
    printf("'\n");
}

/* The operands by their place: "backup FILE | adopt" gives backup|adopt, then FILE. */
static void put_slots(const char *operands)
{
    struct str slot[SLOTS];
    size_t at = 0, n = 0;
    for (size_t i = 0; i < SLOTS; i++)
        slot[i] = STR_INIT(200);
    for (const char *p = operands; *p; p++) {
        if (strncmp(p, " | ", 3) == 0) {
            at = 0;
            p += 2;
            if (slot[0].n)
                str_add(&slot[0], "|");
        } else if (*p == ' ') {
            at += at + 1 < SLOTS;
        } else if (*p != '[' && *p != ']') {
            str_put(&slot[at], p, 1);
            n = at + 1 > n ? at + 1 : n;
        }
    }
    printf("operands=(");
    for (size_t i = 0; i < n; i++)
        printf("%s'%s'", i ? " " : "", str_text(&slot[i]));
    putchar(')');
    for (size_t i = 0; i < SLOTS; i++)
        str_free(&slot[i]);
}

static void put_cases(void)
{
    for (const struct command *c = commands; c->name; c++) {
        printf("    %s) ", c->name);
        put_options("options", c->flags);
        putchar(' ');
        put_slots(c->operands);
        printf(" ;;\n");
    }
}

/* --- the file ---------------------------------------------------------------------------------------------------------------------- */

static bool put_placeholder(char *word, struct keys *k)
{
    char *argument = strchr(word, ' ');
    if (argument)
        *argument++ = 0;
    if (argument && strcmp(word, "KEYS") == 0)
        return print_tables(k, argument, false);
    if (argument && strcmp(word, "TYPES") == 0)
        return print_tables(k, argument, true);
    if (argument)
        return false;
    if (strcmp(word, "DESCRIBED") == 0)
        return put_described();
    if (strcmp(word, "COMMANDS") == 0)
        put_commands();
    else if (strcmp(word, "OPTIONS") == 0)
        put_flags(globals, "");
    else if (strcmp(word, "COMPLETE_WORDS") == 0)
        put_words();
    else if (strcmp(word, "COMPLETE_CASES") == 0)
        put_cases();
    else
        return false;
    return true;
}

static void put_line(const char *line)
{
    static const char mark[] = "@VERSION@";
    for (const char *at; (at = strstr(line, mark)); line = at + strlen(mark))
        printf("%.*s%s", (int)(at - line), line, version_text());
    fputs(line, stdout);
}

static bool copy(FILE *in, const char *name)
{
    struct keys k = {0};
    char *line = NULL;
    size_t size = 0;
    bool good = true;
    for (ssize_t n; (n = getline(&line, &size, in)) > 0;) {
        if (n > 3 && line[0] == '@' && strchr(line + 1, '@') == line + n - 2 && line[n - 1] == '\n') {
            line[n - 2] = 0;
            if (put_placeholder(line + 1, &k))
                continue;
            fprintf(stderr, "manual: %s: unknown placeholder @%s@\n", name, line + 1);
            good = false;
        } else {
            put_line(line);
        }
    }
    good &= tables_complete(&k) && !ferror(in);
    strs_free(&k.done);
    strs_free(&k.all);
    free(line);
    return good;
}

int main(int argc, char **argv)
{
    FILE *in = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (!in) {
        fprintf(stderr, argc == 2 ? "manual: cannot read %s\n" : "usage: manual FILE.in\n", argc == 2 ? argv[1] : "");
        return 2;
    }
    bool good = copy(in, argv[1]);
    fclose(in);
    return good && fflush(stdout) == 0 ? 0 : 1;
}
