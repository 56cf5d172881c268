/* providers: the provider types, built in and described, with their keys, rights, limits and safety grade. Of the configuration it uses
 * conf_path alone, so that it helps while there is none yet. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guess.h"
#include "base/json.h"
#include "base/log.h"
#include "cmd/columns.h"
#include "conf/conf.h"
#include "order/session.h"
#include "providers/provider.h"

/* One type, open for show. */
struct shown {
    const struct provider_ops *p; /* NULL: there is none */
    const struct conf_fault *fault;
    size_t n_fault;
    bool described;
};

static const struct {
    unsigned cap;
    const char *word, *text;
} caps[] = {
    {CAN_READ, "read", "reads sets at the authority"},
    {CAN_BATCH, "batch", "takes the changes of a zone together; dcvagent plan says how many requests they cost"},
    {CAN_SYNC, "sync", "tells when all servers are in step"},
    {ATOMIC, "atomic", "a batch is applied as a whole or not at all"},
    {WRITES_SETS, "writes-sets", "replaces whole RRsets: the agent merges the values of others"},
    {HAS_CAS, "compare-and-swap", "refuses a write where somebody else wrote meanwhile"},
    {WRITES_ZONE, "writes-zone", "replaces the whole zone"},
    {KEEPS, "keeps", "cannot delete: the service drops values by itself"},
    {COMMITS, "commits", "puts what was written into effect at the end of a batch"},
};
enum { CAPS = sizeof caps / sizeof *caps };

static const char *grade_text(char grade)
{
    switch (grade) {
    case 'A':
        return "single records, or compare-and-swap: values of others survive even a writer at the same moment";
    case 'B':
        return "whole sets are replaced after a read: values of others survive but for a writer at the same moment; what is missing "
               "afterwards is "
               "put back";
    case 'C':
        return "not known: not beside values of others unless shared_rrset = merge";
    default:
        return "whole sets or the whole zone are lost or replaced: not beside values of others unless shared_rrset = merge; what is "
               "missing "
               "afterwards is put back";
    }
}

/* A key of every provider that this type has with another default. */
static bool has_own(const struct conf_key *own, const char *name)
{
    for (; own && own->name; own++)
        if (strcmp(own->name, name) == 0)
            return true;
    return false;
}

static void add_keys(json_t *to, const struct conf_key *keys, const struct conf_key *but)
{
    for (const struct conf_key *k = keys; k && k->name; k++) {
        if (has_own(but, k->name))
            continue;
        struct str form = STR_INIT(400);
        conf_key_form(k, &form);
        json_array_append_new(to, json_pack("{s:s, s:s, s:b, s:o, s:s}", "name", k->name, "form", str_text(&form), "required", k->required,
                                            "default", json_text(k->standard), "help", k->help));
        str_free(&form);
    }
}

static json_t *keys_json(const struct provider_ops *p)
{
    json_t *keys = json_array();
    add_keys(keys, p->keys, NULL);
    add_keys(keys, conf_provider_keys, p->keys);
    return keys;
}

static struct shown open_type(const struct strs *conf_path, const char *type)
{
    struct shown t = {.p = provider_type(type)};
    t.described = !t.p;
    if (t.described)
        t.p = provider_find(conf_path, type, &t.fault, &t.n_fault);
    return t;
}

static void close_type(struct shown *t)
{
    if (t->described && t->p)
        provider_forget(t->p);
}

static json_t *words_json(const char *text)
{
    struct strs words = {0};
    strs_split(&words, text ? text : "");
    json_t *j = json_strs(&words);
    strs_free(&words);
    return j;
}

static char *fault_text(const struct conf_fault *f)
{
    struct str text = STR_INIT(4096);
    conf_fault_show(f, &text);
    return str_take(&text);
}

static json_t *faults_json(const struct shown *t)
{
    json_t *faults = json_array();
    for (size_t i = 0; i < t->n_fault; i++) {
        char *text = fault_text(&t->fault[i]);
        json_array_append_new(faults, json_text(text));
        free(text);
    }
    return faults;
}

static json_t *type_json(const char *type, const struct shown *t, bool whole)
{
    const struct provider_ops *p = t->p;
    json_t *words = json_array();
    for (size_t i = 0; i < CAPS; i++)
        if (p->caps & caps[i].cap)
            json_array_append_new(words, json_string(caps[i].word));
    char grade[2] = {p->grade, 0};
    json_t *j = json_pack("{s:s, s:b, s:s, s:s, s:o, s:o}", "type", type, "described", t->described, "summary",
                          p->summary ? p->summary : "", "grade", grade, "capabilities", words, "faults", faults_json(t));
    if (!whole)
        return j;
    json_object_set_new(j, "keys", keys_json(p));
    json_object_set_new(j, "rights", json_text(p->rights));
    json_object_set_new(j, "limits", json_text(p->limits));
    json_object_set_new(j, "links", words_json(p->links));
    json_object_set_new(j, "tried", json_text(p->tried));
    return j;
}

static void print_keys(const struct conf_key *keys, const struct conf_key *but)
{
    for (const struct conf_key *k = keys; k && k->name; k++) {
        if (has_own(but, k->name))
            continue;
        struct str form = STR_INIT(400);
        conf_key_form(k, &form);
        printf("  %s = %s%s%s%s\n      %s\n", k->name, str_text(&form), k->required ? "   (required)" : "",
               k->standard ? "   default: " : "", k->standard ? k->standard : "", k->help);
        str_free(&form);
    }
}

/* A heading, and the text below it in lines of at most 100 columns. */
static void print_section(const char *heading, const char *text)
{
    size_t at = 0;
    if (!text || !*text)
        return;
    printf("\n%s:\n ", heading);
    while (*text) {
        size_t n = strcspn(text, " ");
        if (at && at + n > 96) {
            printf("\n ");
            at = 0;
        }
        printf(" %.*s", (int)n, text);
        at += n + 1;
        text += n;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_type(const char *type, const struct provider_ops *p)
{
    printf("%s: %s\n\ngrade %c: %s\n", type, p->summary ? p->summary : "", p->grade, grade_text(p->grade));
    for (size_t i = 0; i < CAPS; i++)
        if (p->caps & caps[i].cap)
            printf("  %s\n", caps[i].text);
    print_section("Least right to grant", p->rights);
    print_section("Limits", p->limits);
    print_section("Documentation of the service", p->links);
    print_section("Tried against", p->tried);
    printf("\n[provider NAME]\n  type = %s\n", type);
    print_keys(p->keys, NULL);
    printf("\nKeys of every provider:\n");
    print_keys(conf_provider_keys, p->keys);
}

static void add_row(struct columns *t, const char *type, const struct shown *s)
{
    char grade[2] = {s->p->grade, 0};
    char *fault = s->n_fault ? fault_text(&s->fault[0]) : NULL;
    columns_row(t, type, grade, s->described ? "description" : "built in", fault ? fault : s->p->summary ? s->p->summary : "", NULL);
    free(fault);
}

static void show_all(const struct call *c, const struct strs *conf_path)
{
    struct strs names = {0};
    struct columns table = {.n = 4};
    json_t *types = json_array();
    provider_names(conf_path, &names);
    columns_row(&table, "TYPE", "GRADE", "KIND", "WHAT", NULL);
    for (size_t i = 0; i < names.n; i++) {
        struct shown t = open_type(conf_path, names.s[i]);
        if (t.p && c->json)
            json_array_append_new(types, type_json(names.s[i], &t, false));
        else if (t.p)
            add_row(&table, names.s[i], &t);
        close_type(&t);
    }
    strs_free(&names);
    if (c->json) {
        json_print(json_pack("{s:i, s:o}", "version", 1, "providers", types));
        return;
    }
    json_decref(types);
    columns_print(&table, "");
    printf("dcvagent providers TYPE shows its keys\n");
}

static enum rc unknown(const struct strs *conf_path, const char *type)
{
    struct strs names = {0};
    struct guess g = {.wanted = type};
    char safe[80], maybe[96];
    provider_names(conf_path, &names);
    for (size_t i = 0; i < names.n; i++)
        guess_try(&g, names.s[i]);
    say(LEVEL_ERROR, &(struct about){.step = "providers"}, "NO_TYPE", "there is no provider type %s%s; dcvagent providers lists them",
        text_safe(safe, sizeof safe, type, strlen(type)), guess_text(&g, maybe));
    strs_free(&names);
    return RC_USAGE;
}

static enum rc show_one(const struct call *c, const struct strs *conf_path, const char *type)
{
    struct shown t = open_type(conf_path, type);
    if (!t.p)
        return unknown(conf_path, type);
    if (c->json)
        json_print(json_pack("{s:i, s:[o]}", "version", 1, "providers", type_json(type, &t, true)));
    else
        print_type(type, t.p);
    for (size_t i = 0; i < t.n_fault; i++) {
        char *text = fault_text(&t.fault[i]);
        say(LEVEL_ERROR, &(struct about){.step = "providers"}, "CONFIG", "%s", text);
        free(text);
    }
    close_type(&t);
    return t.n_fault ? RC_CONF : RC_OK;
}

enum rc cmd_providers(struct call *c)
{
    struct err e = {0};
    struct conf *conf = session_conf(c->config, &e); /* what is wrong with it, config check tells */
    static const struct strs nowhere;
    const struct strs *conf_path = conf ? &conf->agent.conf_path : &nowhere;
    enum rc rc = RC_OK;
    if (c->args.n)
        rc = show_one(c, conf_path, c->args.s[0]);
    else
        show_all(c, conf_path);
    conf_free(conf);
    return rc;
}
