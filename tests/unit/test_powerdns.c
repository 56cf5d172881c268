/* Sets as the PowerDNS API writes them: read with all that has to be given back, and given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "providers/powerdns.h"

static struct rrset set;

static bool take(const char *text, struct err *e)
{
    struct lookup l = {.zone = "example.hk", .set = &set, .n = 1};
    json_t *j = json_loads(text, 0, NULL);
    assert_non_null(j);
    rrset_clear(&set);
    set.owner = "www.example.hk";
    bool good = pdns_take_zone(j, &l, e);
    json_decref(j);
    return good;
}

static void given_back(const struct rrset *after, const char *wanted)
{
    json_t *got = pdns_replace(set.owner, &set, after), *want = json_loads(wanted, 0, NULL);
    assert_non_null(want);
    if (!json_equal(got, want)) {
        char *text = json_dumps(got, JSON_SORT_KEYS);
        fail_msg("%s", text);
    }
    json_decref(got);
    json_decref(want);
}

static bool has(const char *value)
{
    return rrset_has(&set, (struct bytes){(const uint8_t *)value, strlen(value)});
}

#define ZONE(rrsets) "{\"name\": \"example.hk.\", \"kind\": \"Native\", \"rrsets\": [" rrsets "]}"
#define WWW(more)    "{\"name\": \"WWW.Example.hk.\", \"type\": \"TXT\", \"ttl\": 60, " more "}"

/* What stands there but for ours comes back as it came; without a value of its own the set goes. */
static void test_round_trips(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *added, *deleted;
        unsigned n;
    } cases[] = {
        {ZONE(""),
         "{'name': 'www.example.hk.', 'type': 'TXT', 'changetype': 'REPLACE', 'ttl': 300, 'records': [{'content': '\\\"ours\\\"', "
         "'disabled': false}]}",
         "{'name': 'www.example.hk.', 'type': 'TXT', 'changetype': 'DELETE'}", 0},
        {ZONE(WWW("\"comments\": [], \"records\": [{\"content\": \"\\\"a\\\" \\\"\\\\001b\\\"\", \"disabled\": false}]")),
         "{'name': 'www.example.hk.', 'type': 'TXT', 'changetype': 'REPLACE', 'ttl': 60, 'records': [{'content': '\\\"a\\\" "
         "\\\"\\\\001b\\\"', "
         "'disabled': false}, {'content': '\\\"ours\\\"', 'disabled': false}]}",
         "{'name': 'www.example.hk.', 'type': 'TXT', 'changetype': 'REPLACE', 'ttl': 60, 'records': [{'content': '\\\"a\\\" "
         "\\\"\\\\001b\\\"', "
         "'disabled': false}]}",
         1},
        {ZONE(WWW("\"comments\": [], \"records\": [{\"content\": \"\\\"off\\\"\", \"disabled\": true}]")),
         "{'name': 'www.example.hk.', 'type': 'TXT', 'changetype': 'REPLACE', 'ttl': 60, 'records': [{'content': '\\\"ours\\\"', "
         "'disabled': false}, "
         "{'content': '\\\"off\\\"', 'disabled': true}]}",
         "{'name': 'www.example.hk.', 'type': 'TXT', 'changetype': 'REPLACE', 'ttl': 60, 'records': [{'content': '\\\"off\\\"', "
         "'disabled': true}]}",
         0},
        {ZONE(WWW("\"comments\": [{\"content\": \"x\", \"account\": \"y\", \"modified_at\": 1}], \"records\": []")),
         "{'name': 'www.example.hk.', 'type': 'TXT', 'changetype': 'REPLACE', 'ttl': 300, 'records': [{'content': '\\\"ours\\\"', "
         "'disabled': false}]}",
         "{'name': 'www.example.hk.', 'type': 'TXT', 'changetype': 'REPLACE', 'ttl': 0, 'records': [], 'comments': [{'content': 'x', "
         "'account': 'y', "
         "'modified_at': 1}]}",
         0},
        /* ours stands there disabled: a set holds it once */
        {ZONE(WWW("\"comments\": [], \"records\": [{\"content\": \"\\\"ours\\\"\", \"disabled\": true}]")),
         "{'name': 'www.example.hk.', 'type': 'TXT', 'changetype': 'REPLACE', 'ttl': 60, 'records': [{'content': '\\\"ours\\\"', "
         "'disabled': false}]}",
         "{'name': 'www.example.hk.', 'type': 'TXT', 'changetype': 'REPLACE', 'ttl': 60, 'records': [{'content': '\\\"ours\\\"', "
         "'disabled': true}]}",
         0},
        /* twice in the database, and ill-formed */
        {ZONE(WWW("\"comments\": [], \"records\": [{\"content\": \"\\\"a\\\"\", \"disabled\": false}, {\"content\": \"\\\"a\\\"\", "
                  "\"disabled\": false}, "
                  "{\"content\": \"bare\", \"disabled\": false}]")),
         "{'name': 'www.example.hk.', 'type': 'TXT', 'changetype': 'REPLACE', 'ttl': 60, 'records': [{'content': '\\\"a\\\"', 'disabled': "
         "false}, "
         "{'content': 'bare', 'disabled': false}, {'content': '\\\"ours\\\"', 'disabled': false}]}",
         "{'name': 'www.example.hk.', 'type': 'TXT', 'changetype': 'REPLACE', 'ttl': 60, 'records': [{'content': '\\\"a\\\"', 'disabled': "
         "false}, "
         "{'content': 'bare', 'disabled': false}]}",
         2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = {0};
        struct rrset after = {.owner = "www.example.hk"};
        char *wanted[2] = {strdup(cases[i].added), strdup(cases[i].deleted)};
        for (size_t k = 0; k < 2; k++)
            for (char *p = wanted[k]; *p; p++)
                *p = *p == '\'' ? '"' : *p;
        assert_true(take(cases[i].zone, &e));
        assert_int_equal(set.n, cases[i].n);
        for (size_t k = 0; k < set.n; k++)
            rrset_add_native(&after, set.octets[k].p, set.octets[k].n, set.native[k]);
        after.ttl = set.n ? set.ttl : 0; /* as the core merges it */
        given_back(&after, wanted[1]);
        rrset_add_native(&after, (const uint8_t *)"ours", 4, NULL);
        after.ttl = set.n ? set.ttl : 300;
        given_back(&after, wanted[0]);
        rrset_clear(&after);
        free(wanted[0]);
        free(wanted[1]);
    }
    rrset_clear(&set);
}

static void test_take(void **state)
{
    (void)state;
    struct err e = {0};
    assert_true(take(ZONE("{\"name\": \"other.example.hk.\", \"type\": \"TXT\", \"comments\": [{\"content\": \"x\"}], \"records\": []}, "
                          "{\"name\": \"www.example.hk.\", \"type\": \"A\", \"ttl\": 9, \"records\": [{\"content\": \"192.0.2.1\"}]}"),
                     &e));
    assert_true(set.n == 0 && !set.rest && !set.cname && set.ttl == 0);
    assert_true(take(
        ZONE("{\"name\": \"www.example.hk.\", \"type\": \"CNAME\", \"records\": [{\"content\": \"a.hk.\", \"disabled\": true}]}"), &e));
    assert_false(set.cname);
    assert_true(take(
        ZONE("{\"name\": \"www.example.hk.\", \"type\": \"CNAME\", \"records\": [{\"content\": \"a.hk.\", \"disabled\": false}]}"), &e));
    assert_true(set.cname);
    assert_true(take(ZONE(WWW("\"records\": [{\"content\": \"\\\"\\\\228\\\\184\\\\173\\\\\\\"\\\" \\\"tail\\\"\"}]")), &e));
    assert_true(has("\xe4\xb8\xad\"tail"));
    assert_int_equal(set.ttl, 60);
    rrset_clear(&set);
}

static void test_bad_answers(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"rrsets\": {}}",
        ZONE("1"),
        ZONE("{\"type\": \"TXT\", \"records\": []}"),
        ZONE("{\"name\": \"www.example.hk.\", \"records\": []}"),
        ZONE(WWW("\"comments\": []")),
        ZONE(WWW("\"records\": {}")),
        ZONE(WWW("\"records\": [{\"content\": 1}]")),
        ZONE(WWW("\"records\": [{\"disabled\": false}]")),
        ZONE(WWW("\"records\": [1]")),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = {0};
        assert_false(take(bad[i], &e));
        assert_int_equal(e.rc, RC_PAGES);
    }
    rrset_clear(&set);
}

static void test_found(void **state)
{
    (void)state;
    struct err e = {0};
    json_t *found = json_loads(
        "[{\"object_type\": \"record\", \"zone\": \"example.hk.\", \"name\": \"www.example.hk.\", \"type\": \"TXT\", \"ttl\": 7, "
        "\"content\": \"\\\"off\\\"\", \"disabled\": true}, {\"object_type\": \"record\", \"zone\": \"other.hk.\", \"name\": "
        "\"www.example.hk.\", \"type\": \"TXT\", \"content\": \"\\\"b\\\"\", \"disabled\": true}, {\"object_type\": \"comment\"}]",
        0, NULL);
    assert_true(take(ZONE(WWW("\"comments\": [{\"content\": \"x\"}], \"records\": [{\"content\": \"\\\"on\\\"\"}]")), &e));
    assert_true(pdns_take_found(found, "example.hk", &set, &e));
    assert_true(pdns_has_disabled(&set));
    assert_non_null(strstr(set.rest, "off"));
    assert_null(strstr(set.rest, "\\\"b\\\""));
    assert_non_null(strstr(set.rest, "comments"));
    assert_int_equal(set.n, 1);
    json_decref(found);
    found = json_object();
    assert_false(pdns_take_found(found, "example.hk", &set, &e));
    json_decref(found);
    rrset_clear(&set);
}

/* A single record in the form that the server has of it, with the TTL of the set. */
static void test_one(void **state)
{
    (void)state;
    struct err e = {0};
    struct record rec = {.owner = "www.example.hk", .type = TYPE_TXT, .ttl = 300, .value = {(const uint8_t *)"ab", 2}};
    struct change c = {.add = true, .rec = &rec, .before = &set};
    assert_true(take(ZONE(""), &e));
    json_t *j = pdns_one(&c);
    assert_string_equal(json_str(j, "changetype"), "EXTEND");
    assert_int_equal(json_num(j, "ttl"), 300);
    assert_string_equal(json_str(json_array_get(json_object_get(j, "records"), 0), "content"), "\"ab\"");
    json_decref(j);
    assert_true(take(ZONE(WWW("\"records\": [{\"content\": \"\\\"a\\\" \\\"b\\\"\"}]")), &e));
    c.add = false;
    j = pdns_one(&c);
    assert_string_equal(json_str(j, "changetype"), "PRUNE");
    assert_int_equal(json_num(j, "ttl"), 60);
    assert_string_equal(json_str(json_array_get(json_object_get(j, "records"), 0), "content"), "\"a\" \"b\"");
    json_decref(j);
    rrset_clear(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips), cmocka_unit_test(test_take), cmocka_unit_test(test_bad_answers),
        cmocka_unit_test(test_found),       cmocka_unit_test(test_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
