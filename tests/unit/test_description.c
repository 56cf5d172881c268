/* Description files as they are read: those that the project brings have no fault; what is wrong is found with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "providers/http/described.h"
#include "providers/http/pick.h"
#include "providers/http/template.h"

#define HEAD                                                                                                                               \
    "[provider]\nsummary = s\nlinks = https://x.example/\ngrade = A\nurl = https://x.example\n[key t]\nhelp = h.\ntype = secret\n" /* 8 */
#define READ   "[read]\nget = /r\neach = /a\nvalue = ./v\nref = ./i\n"                                                             /* 5 */
#define ADD    "[add]\npost = /a\n"                                                                                                /* 2 */
#define DELETE "[delete]\ndelete = /d/${ref}\n"                                                                                    /* 2 */

static void those_of_the_project(void **state)
{
    (void)state;
    struct strs folders = {0}, names = {0};
    char path[4096];
    strs_add(&folders, "conf");
    describe_list(&folders, "providers", &names);
    assert_true(names.n > 15);
    for (size_t i = 0; i < names.n; i++) {
        size_t n;
        assert_true(describe_find(&folders, "providers", names.s[i], path, sizeof path));
        struct provider_ops *p = described_type(describe_read(path));
        const struct conf_fault *f = described_faults(p, &n);
        if (n)
            fail_msg("%s:%u: %s %s", f->file, f->line, f->key ? f->key : "", f->text);
        assert_string_equal(p->type, names.s[i]);
        assert_true(p->rights && p->limits && p->links && p->tried && p->caps & CAN_BATCH);
        described_free(p);
    }
    strs_free(&names);
    strs_free(&folders);
}

static void faults_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned line; /* of the first fault */
        const char *says;
    } table[] = {
        {"", 0, "no [provider] section"},
        {HEAD READ ADD DELETE "x = y\n", 18, "no such key here"},
        {HEAD READ ADD DELETE "[ad]\n", 18, "no such section"},
        {HEAD READ ADD, 1, "[delete] is wanted"},
        {HEAD READ, 1, "one of them is wanted"},
        {HEAD READ ADD DELETE "[write]\nput = /w\n", 1, "one of them is wanted"},
        {HEAD "[write]\nput = /w\n", 1, "can only be written where they can be read"},
        {HEAD READ "[write]\nput = /w\n", 4, "at best B"},
        {HEAD READ "tag = ETag\n[write]\nput = /w\nheader.If-Match = ${tag}\n", 4, "in [create] a condition"},
        {HEAD ADD DELETE, 1, "nothing says where it comes from"},
        {HEAD READ "[add]\npost = /a/${token}\n" DELETE, 1, "[login], which gets it, is missing"},
        {HEAD READ "[add]\npost = /a/${zone_id}\n" DELETE, 1, "[zone], which finds it, is missing"},
        {HEAD READ "[add]\npost = /a/${sink}\n" DELETE, 15, "${sink} is no variable"},
        {HEAD READ "[add]\npost = /a/${ref}\n" DELETE, 15, "has no value in this place"},
        {HEAD READ "[add]\npost = /a/${zone\n" DELETE, 15, "without \"}\""},
        {HEAD READ "[add]\npost = /a/${secret:u}\n" DELETE, 15, "there is no section [key u]"},
        {HEAD READ "[add]\npost = /a/${key:t}\n" DELETE, 15, "write ${secret:t}"},
        {HEAD READ "[add]\npost = a\n" DELETE, 15, "begins with \"/\""},
        {HEAD READ "[add]\npost = /a\nput = /b\n" DELETE, 16, "has a POST already"},
        {HEAD READ "[add]\n" DELETE, 14, "no request"},
        {HEAD READ ADD "json = {\"a\": 1, \"a\": 2}\n" DELETE, 16, "no JSON"},
        {HEAD READ ADD "json = {\"a\": \"${b}\"}\n" DELETE, 16, "${b} is no variable"},
        {HEAD READ ADD "json = {}\nform.x = y\n" DELETE, 14, "a request has one"},
        {HEAD READ ADD "code = error\n" DELETE, 16, "no pointer"},
        {HEAD READ ADD "success = /a\n" DELETE, 16, "no condition"},
        {HEAD READ "pages = /p\ntotal = /t\n" ADD DELETE, 15, "exclude each other"},
        {HEAD "[read]\nget = /r\n" ADD DELETE, 9, "each= is missing"},
        {HEAD READ "[list]\nget = /l\neach = /\nvalue = .\n" ADD DELETE, 14, "name= is missing"},
        {HEAD READ ADD DELETE "[key T]\nhelp = h.\n", 18, "made of a-z"},
        {HEAD READ ADD DELETE "[key w]\nhelp = h.\ntype = word\n", 18, "allowed= is missing"},
        {HEAD READ ADD DELETE "[key w]\ntype = text\n", 18, "help= is missing"},
        {HEAD READ ADD DELETE "[sync]\nget = /s\n", 18, "done= is missing"},
        {HEAD READ ADD DELETE "[login]\nget = /s\n", 18, "token= is missing"},
        {"[provider]\nsummary = s\nlinks = l\ngrade = A\nurl = https://x.example\nttl = 60\n" READ ADD DELETE, 6, "60..86400"},
        {"[provider]\nsummary = s\nlinks = l\ngrade = A\nurl = https://x.example\nrate = 60\n" READ ADD DELETE, 6, "1200/300s"},
        {"[provider]\nsummary = s\nlinks = l\ngrade = E\nurl = https://x.example\n" READ ADD DELETE, 4, "allowed: A|B|C|D"},
        {"[provider]\nsummary = s\nlinks = l\ngrade = A\n" READ ADD DELETE, 1, "url= is missing"},
        {"[provider]\nsummary = s\nlinks = l\ngrade = A\nurl = https://x.example\nsign = rot13\n" READ ADD DELETE, 1,
         "sign.id= is missing"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        size_t n;
        bool found = false;
        struct provider_ops *p = described_type(describe_text("t.ini", table[i].text, strlen(table[i].text)));
        const struct conf_fault *f = described_faults(p, &n);
        for (size_t k = 0; k < n; k++)
            found |= f[k].line == table[i].line && strstr(f[k].text, table[i].says) != NULL;
        if (!found) {
            for (size_t k = 0; k < n; k++)
                print_message("line %u: %s\n", f[k].line, f[k].text);
            fail_msg("%s\nline %u: %s", table[i].text, table[i].line, table[i].says);
        }
        described_free(p);
    }
}

static void pointers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value; /* value NULL: not there; "!": no pointer */
    } table[] = {
        {"/a/0/b", "x"}, {"/a/1", NULL}, {"/n", "7"},     {"/t", "true"}, {"/z", NULL},  {"./i", "item"}, {".", NULL},
        {"/m~1n", "m"},  {"/o~0p", "o"}, {"/a/00", NULL}, {"/a/-", NULL}, {"/r", "1.5"}, {"/", NULL},     {"a", "!"},
        {"", "!"},       {"/a~", "!"},   {"/a~2", "!"},   {"./", "!"},    {".i", "!"},   {"//", NULL},
    };
    json_t *j = json_loads("{\"a\": [{\"b\": \"x\"}], \"n\": 7, \"t\": true, \"z\": null, \"m/n\": \"m\", \"o~p\": \"o\", \"r\": 1.5}", 0,
                           NULL),
           *item = json_loads("{\"i\": \"item\"}", 0, NULL);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct pick p;
        bool bad = table[i].value && !strcmp(table[i].value, "!");
        if (pick_parse(&p, table[i].text) == bad)
            fail_msg("%s", table[i].text);
        if (bad)
            continue;
        char *value = pick_text(&p, j, item);
        if ((value == NULL) != (table[i].value == NULL) || (value && strcmp(value, table[i].value)))
            fail_msg("%s: %s", table[i].text, value);
        free(value);
        pick_free(&p);
    }
    json_decref(j);
    json_decref(item);
}

static void conditions(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int holds; /* -1: no condition */
    } table[] = {
        {"/s is ok", 1},
        {"/s is no|ok", 1},
        {"/s is no", 0},
        {"/s not no", 1},
        {"/s not ok|no", 0},
        {"/x absent", 1},
        {"/s absent", 0},
        {"/s present", 1},
        {"/z present", 0},
        {"/x is a", 0},
        {"/x not a", 1},
        {"/t is true", 1},
        {"/n is 7", 1},
        {"/o present", 1},
        {"/o is a", 0},
        {"/s", -1},
        {"/s is", -1},
        {"is ok", -1},
        {"/s equals x", -1},
        {"", -1},
        {"/s is ok and", -1},
        {"and", -1},
        {"/s is ok and /n is 7", 1},
        {"/s is ok and /n is 8", 0},
        {"/s is ok /n is 7", -1},
    };
    json_t *j = json_loads("{\"s\": \"ok\", \"z\": null, \"t\": true, \"n\": 7, \"o\": {}}", 0, NULL);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct conditions c;
        bool good = conditions_parse(&c, table[i].text);
        if (good != (table[i].holds >= 0) || (good && conditions_hold(&c, j, NULL) != (table[i].holds > 0)))
            fail_msg("%s", table[i].text);
        conditions_free(&c);
    }
    json_decref(j);
}

static void bodies(void **state)
{
    (void)state;
    static const struct {
        const char *template, *body;
    } table[] = {
        {"{\"v\": \"${value}\", \"t\": \"${ttl}\", \"s\": \"${text:ttl}\", \"r\": \"${number:ref}\", \"q\": \"${ref}\"}",
         "{\"v\":\"a\\\"b\\\\c${zone}\",\"t\":60,\"s\":\"60\",\"r\":7,\"q\":\"7\"}"},
        {"[\"${each:adds}\", \"${fqdn}\"]", "[\"www.example.hk\"]"},
        {"[\"${each:deletes}\", {\"id\": \"${ref}\"}]", "[]"},
        {"[\"${each:deletes}\", {\"d\": \"${ref}\"}, 1, \"${each:adds}\", {\"a\": \"${fqdn}\"}]", "[1,{\"a\":\"www.example.hk\"}]"},
        {"[1, null, true, \"\", \"x${relative}y${zone}\"]", "[1,null,true,\"\",\"xwwwyexample.hk\"]"},
        {"\"${fqdn}.\"", "\"www.example.hk.\""},
        {"\"${relative@}\"", "\"www\""},
    };
    const struct item item = {
        .add = true, .owner = "www.example.hk", .ref = "7", .value = {(const uint8_t *)"a\"b\\c${zone}", 12}, .ttl = 60};
    const struct scope s = {.zone = "example.hk", .item = &item, .all = &item, .n = 1};
    char why[160];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct err e = {0};
        struct node *n = node_parse(table[i].template, why);
        assert_non_null(n);
        json_t *j = node_json(n, &s, &e);
        char *text = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);
        assert_string_equal(text, table[i].body);
        free(text);
        json_decref(j);
        node_free(n);
    }
}

static void urls(void **state)
{
    (void)state;
    static const struct {
        const char *template, *url;
    } table[] = {
        {"/a/${ref}/b", "/a/..w%2Fx%3Ay%3Fz%25/b"},
        {"/a/${path:ref}/b", "/a/..w/x:y%3Fz%25/b"},
        {"/${fqdn}?x=${value}", "/example.hk?x=a%26b"},
        {"/${relative}/${relative@}", "//%40"},
    };
    const struct item item = {.owner = "example.hk", .ref = "..w/x:y?z%", .value = {(const uint8_t *)"a&b", 3}};
    const struct scope s = {.zone = "example.hk", .item = &item};
    char why[160];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct template t;
        struct str out = STR_INIT(1000);
        struct err e = {0};
        assert_true(template_parse(&t, table[i].template, why));
        assert_true(template_put(&t, &s, ESCAPE_URL, &out, &e));
        assert_string_equal(str_text(&out), table[i].url);
        str_free(&out);
        template_free(&t);
    }
}

/* What an API calls its records names nothing larger than a record. */
static void names_that_lead_out(void **state)
{
    (void)state;
    static const char *const templates[] = {"/records/${ref}", "/${path:ref}", "/zones/${zone_id}/records"};
    static const char *const refs[] = {"..", ".", "a/..", "../a", "a/./b", ""};
    const struct section section = {.name = (char[]){"lab"}};
    char why[160];
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++)
        for (size_t k = 0; k < sizeof refs / sizeof *refs; k++) {
            const struct item item = {.owner = "example.hk", .ref = refs[k]};
            const struct scope s = {.section = &section, .zone = "example.hk", .zone_id = refs[k], .item = &item};
            struct template t;
            struct str out = STR_INIT(1000);
            struct err e = {0};
            assert_true(template_parse(&t, templates[i], why));
            assert_false(template_put(&t, &s, ESCAPE_URL, &out, &e));
            assert_string_equal(e.code, "API_VALUE");
            str_free(&out);
            template_free(&t);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_lead_out),
        cmocka_unit_test(those_of_the_project),
        cmocka_unit_test(faults_are_found),
        cmocka_unit_test(pointers),
        cmocka_unit_test(conditions),
        cmocka_unit_test(bodies),
        cmocka_unit_test(urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
