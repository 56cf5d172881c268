/* providers: the provider types with their keys, rights, limits and safety grade. Needs no configuration. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "cmd/columns.h"
#include "conf/conf.h"
#include "providers/provider.h"

static const struct {
    unsigned cap;
    const char *word, *text;
} caps[] = {
    {CAN_READ, "read", "reads sets at the authority"},
    {CAN_BATCH, "batch", "several changes in one request"},
    {CAN_SYNC, "sync", "tells when all servers are in step"},
    {ATOMIC, "atomic", "a batch is applied as a whole or not at all"},
    {WRITES_SETS, "writes-sets", "replaces whole RRsets: the agent merges the values of others"},
    {HAS_CAS, "compare-and-swap", "refuses a write where somebody else wrote meanwhile"},
    {WRITES_ZONE, "writes-zone", "replaces the whole zone"},
};
enum { CAPS = sizeof caps / sizeof *caps };

static const char *grade_text(char grade)
{
    switch (grade) {
    case 'A':
        return "single records are added and deleted; values of others cannot be touched";
    case 'B':
        return "whole sets are replaced, guarded by compare-and-swap or a lock";
    case 'C':
        return "whole sets are replaced without a guard: not beside values of others unless shared_rrset = merge";
    default:
        return "the whole zone or more is replaced: not beside values of others unless shared_rrset = merge, with a snapshot";
    }
}

static json_t *keys_json(const struct conf_key *common, const struct conf_key *own)
{
    json_t *keys = json_array();
    for (const struct conf_key *t = own; t; t = t == own ? common : NULL)
        for (const struct conf_key *k = t; k->name; k++) {
            struct str form = STR_INIT(400);
            conf_key_form(k, &form);
            json_array_append_new(keys, json_pack("{s:s, s:s, s:b, s:o, s:s}", "name", k->name, "form", str_text(&form), "required",
                                                  k->required, "default", json_text(k->standard), "help", k->help));
            str_free(&form);
        }
    return keys;
}

static json_t *type_json(const struct provider_ops *p, bool whole)
{
    json_t *words = json_array();
    for (size_t i = 0; i < CAPS; i++)
        if (p->caps & caps[i].cap)
            json_array_append_new(words, json_string(caps[i].word));
    char grade[2] = {p->grade, 0};
    json_t *j =
        json_pack("{s:s, s:s, s:s, s:o}", "type", p->type, "summary", p->summary ? p->summary : "", "grade", grade, "capabilities", words);
    if (whole)
        json_object_set_new(j, "keys", keys_json(conf_provider_keys, p->keys));
    return j;
}

static void print_keys(const struct conf_key *keys)
{
    for (const struct conf_key *k = keys; k && k->name; k++) {
        struct str form = STR_INIT(400);
        conf_key_form(k, &form);
        printf("  %s = %s%s%s%s\n      %s\n", k->name, str_text(&form), k->required ? "   (required)" : "",
               k->standard ? "   default: " : "", k->standard ? k->standard : "", k->help);
        str_free(&form);
    }
}

static void print_type(const struct provider_ops *p)
{
    printf("%s: %s\n\ngrade %c: %s\n", p->type, p->summary ? p->summary : "", p->grade, grade_text(p->grade));
    for (size_t i = 0; i < CAPS; i++)
        if (p->caps & caps[i].cap)
            printf("  %s\n", caps[i].text);
    printf("\n[provider NAME]\n  type = %s\n", p->type);
    print_keys(p->keys);
    printf("\nKeys of every provider:\n");
    print_keys(conf_provider_keys);
}

static void print_list(void)
{
    struct columns t = {.n = 3};
    columns_row(&t, "TYPE", "GRADE", "WHAT", NULL);
    for (size_t i = 0; provider_types[i]; i++) {
        char grade[2] = {provider_types[i]->grade, 0};
        columns_row(&t, provider_types[i]->type, grade, provider_types[i]->summary ? provider_types[i]->summary : "", NULL);
    }
    columns_print(&t, "");
    printf("dcvagent providers TYPE shows its keys\n");
}

static enum rc unknown(const char *type)
{
    const char *near = NULL;
    char safe[80];
    for (size_t i = 0; provider_types[i] && !near; i++)
        if (text_distance(provider_types[i]->type, type) <= 2)
            near = provider_types[i]->type;
    say(LEVEL_ERROR, &(struct about){.step = "providers"}, "NO_TYPE", "there is no provider type %s%s%s; dcvagent providers lists them",
        text_safe(safe, sizeof safe, type, strlen(type)), near ? ", did you mean " : "", near ? near : "");
    return RC_USAGE;
}

enum rc cmd_providers(struct call *c)
{
    const struct provider_ops *p = c->args.n ? provider_type(c->args.s[0]) : NULL;
    if (c->args.n && !p)
        return unknown(c->args.s[0]);
    if (c->json) {
        json_t *types = json_array();
        for (size_t i = 0; provider_types[i]; i++)
            if (!p || p == provider_types[i])
                json_array_append_new(types, type_json(provider_types[i], p != NULL));
        json_print(json_pack("{s:i, s:o}", "version", 1, "providers", types));
    } else if (p) {
        print_type(p);
    } else {
        print_list();
    }
    return RC_OK;
}
