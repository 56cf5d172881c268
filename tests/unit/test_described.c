/* Description files at work: a small API of single records and one of whole sets, both described here. What a faulty description is told is
 * in test_description.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "described_bench.h"

/* --- single records ------------------------------------------------------------------------------------------------------------------- */

static void records_come_and_go(void **state)
{
    (void)state;
    struct bench b = bench(SERVICE READ ADD DELETE);
    struct sets s;
    struct writes w;
    assert_int_equal(b.ops->caps, CAN_READ | CAN_BATCH);
    put_record("www.example.hk", "foreign", 3600);
    look(&b, &s, (const char *const[]){"www.example.hk", "example.hk"}, 2);
    assert_int_equal(last.rc, RC_OK);
    assert_int_equal(s.set[0].n, 1);
    assert_int_equal(s.set[0].ttl, 3600);
    assert_int_equal(s.set[1].n, 0);
    sets_end(&s);
    assert_int_equal(asked("POST /v1/login"), 1);
    assert_int_equal(asked("/v1/zones?"), 2); /* two pages of zones, and never again */
    apply(&b, &w, (const struct want[]){{true, "www.example.hk", "one"}, {true, "example.hk", "two"}, {true, "example.hk", "a\"b\\c"}}, 3);
    all(&w, CHANGE_DONE);
    assert_true(has("www.example.hk", "foreign") && has("www.example.hk", "one") && has("example.hk", "two") &&
                has("example.hk", "a\"b\\c"));
    assert_int_equal(atoi(w.c[0].new_ref), service->r[record_at("www.example.hk", "one")].id);
    assert_int_equal(service->r[record_at("example.hk", "two")].ttl, 60);     /* what the service takes at least */
    apply(&b, &w, (const struct want[]){{true, "www.example.hk", "one"}}, 1); /* there already: success */
    all(&w, CHANGE_DONE);
    apply(&b, &w,
          (const struct want[]){{false, "www.example.hk", "one"}, {false, "www.example.hk", "never there"}, {false, "example.hk", "two"}},
          3);
    all(&w, CHANGE_DONE);
    assert_int_equal(asked("DELETE"), 2);
    assert_int_equal(count(), 2);
    apply(&b, &w, (const struct want[]){{false, "example.hk", "two"}}, 1); /* twice */
    all(&w, CHANGE_DONE);
    assert_int_equal(asked("/login"), 1);
    bench_end(&b);
}

/* Left out of a query, an empty value would make a delete of one record a delete of all. */
static void an_empty_value_is_never_left_out(void **state)
{
    (void)state;
    struct bench b = bench(SERVICE READ ADD "[delete]\ndelete = /zones/${zone_id}/records\nquery.content = ${value}\n");
    struct writes w;
    put_record("www.example.hk", "", 3600);
    put_record("www.example.hk", "foreign", 3600);
    apply(&b, &w, (const struct want[]){{false, "www.example.hk", ""}}, 1);
    all(&w, CHANGE_REFUSED);
    assert_int_equal(asked("DELETE"), 0);
    bench_end(&b);
}

/* ttl_unset, txt = plain */
static void automatic_ttls_and_plain_quotes(void **state)
{
    (void)state;
    static const char records[] = SERVICE READ ADD DELETE;
    char text[4000];
    snprintf(text, sizeof text, "[provider]\ntxt = plain\nttl_unset = 300\n%s", records + strlen("[provider]\n"));
    struct bench b = bench(text);
    struct sets s;
    struct writes w;
    put_record("www.example.hk", "\"a\\b\"", 1);
    put_record("example.hk", "bare", 60);
    look(&b, &s, (const char *const[]){"www.example.hk", "example.hk"}, 2);
    assert_int_equal(s.set[0].ttl, 300);
    assert_int_equal(s.set[1].ttl, 60);
    assert_int_equal(s.set[0].octets[0].n, 3);
    assert_memory_equal(s.set[0].octets[0].p, "a\\b", 3);
    assert_int_equal(s.set[1].octets[0].n, 4);
    sets_end(&s);
    apply(&b, &w, (const struct want[]){{true, "www.example.hk", "c\\d"}}, 1);
    all(&w, CHANGE_DONE);
    assert_true(has("www.example.hk", "\"c\\d\""));
    apply(&b, &w, (const struct want[]){{true, "www.example.hk", "c\"d"}}, 1);
    assert_string_equal(w.c[0].err.code, "API_VALUE");
    assert_int_equal(count(), 3);
    bench_end(&b);
}

static void put_five(void)
{
    for (int i = 0; i < 5; i++) {
        char value[16];
        sprintf(value, "v%d", i);
        put_record("www.example.hk", value, 300);
    }
}

static void all_pages_or_nothing(void **state)
{
    (void)state;
    struct bench b = bench(SERVICE READ ADD DELETE);
    struct sets s;
    put_five();
    look(&b, &s, (const char *const[]){"www.example.hk"}, 1);
    assert_int_equal(s.set[0].n, 5);
    assert_int_equal(asked("records?name"), 3);
    sets_end(&s);
    service->lose_page = true;
    look(&b, &s, (const char *const[]){"www.example.hk"}, 1);
    assert_string_equal(last.code, "API_ANSWER");
    assert_int_equal(s.set[0].n, 0);
    sets_end(&s);
    bench_end(&b);
}

/* The API gives less on a page than was asked for: that is not the end. */
static void pages_until_one_is_empty(void **state)
{
    (void)state;
    struct bench b =
        bench(SERVICE "[read]\nget = /zones/${zone_id}/records\nquery.name = ${fqdn}\nquery.page = ${page}\nquery.per_page = 500\n"
                      "each = /records\nname = ./name\nvalue = ./content\nref = ./id\nttl = ./ttl\npages = empty\n" ADD DELETE);
    struct sets s;
    put_five();
    look(&b, &s, (const char *const[]){"www.example.hk"}, 1);
    assert_int_equal(s.set[0].n, 5);
    assert_int_equal(asked("records?name"), 4);
    sets_end(&s);
    bench_end(&b);
}

static void a_list_for_many(void **state)
{
    (void)state;
    struct bench b = bench(SERVICE READ LIST "from = 3\n" ADD DELETE);
    struct sets s;
    put_record("a.example.hk", "one", 300);
    put_record("c.example.hk", "two", 300);
    put_record("xa.example.hk", "not asked for", 300);
    look(&b, &s, (const char *const[]){"a.example.hk", "b.example.hk"}, 2);
    assert_int_equal(asked("records?name"), 2);
    sets_end(&s);
    look(&b, &s, (const char *const[]){"a.example.hk", "b.example.hk", "c.example.hk"}, 3);
    assert_int_equal(asked("records?name"), 2);
    assert_int_equal(asked("records?page"), 2);
    assert_int_equal(s.set[0].n, 1);
    assert_int_equal(s.set[1].n, 0);
    assert_int_equal(s.set[2].n, 1);
    sets_end(&s);
    bench_end(&b);
}

static void a_token_that_ends_early(void **state)
{
    (void)state;
    struct bench b = bench(SERVICE READ ADD DELETE);
    struct sets s;
    look(&b, &s, (const char *const[]){"www.example.hk"}, 1);
    assert_int_equal(last.rc, RC_OK);
    sets_end(&s);
    service->expire = true;
    look(&b, &s, (const char *const[]){"www.example.hk"}, 1);
    assert_string_equal(last.code, "API_AUTH");
    assert_true(last.again);
    look(&b, &s, (const char *const[]){"www.example.hk"}, 1);
    assert_int_equal(last.rc, RC_OK);
    assert_int_equal(service->logins, 2);
    sets_end(&s);
    bench_end(&b);
}

static void a_log_in_is_refused_once(void **state)
{
    (void)state;
    struct bench b = bench(SERVICE READ ADD DELETE);
    struct sets s[3] = {0};
    struct lookup *l;
    service->refuse_login = true;
    for (size_t i = 0; i < 3; i++) {
        l = &s[i].l;
        *l = (struct lookup){.zone = "example.hk", .set = s[i].set, .n = 1, .op = {.done = done}};
        s[i].set[0].owner = "www.example.hk";
        pending++;
        b.ops->read(b.p, l);
    }
    loop_run(net_loop(net), turn, NULL);
    assert_string_equal(last.code, "API_AUTH");
    assert_null(strstr(last.text, "s3cret"));
    assert_int_equal(service->logins, 1);
    bench_end(&b);
}

static void one_request_for_many(void **state)
{
    (void)state;
    struct bench b =
        bench(SERVICE READ ADD DELETE
              "[batch]\npost = /zones/${zone_id}/batch\nmost = 4\njson = {\"posts\": [\"${each:adds}\", {\"name\": \"${fqdn}\", "
              "\"content\": \"${value}\", \"ttl\": \"${ttl}\"}], \"deletes\": [\"${each:deletes}\", {\"id\": \"${number:ref}\"}]}\n"
              "[commit]\npost = /zones/${zone_id}/commit\n");
    struct writes w;
    put_record("a.example.hk", "old", 300);
    apply(&b, &w,
          (const struct want[]){{false, "a.example.hk", "old"},
                                {true, "a.example.hk", "1"},
                                {true, "b.example.hk", "2"},
                                {true, "c.example.hk", "3"},
                                {true, "d.example.hk", "4"},
                                {false, "e.example.hk", "not there"}},
          6);
    all(&w, CHANGE_DONE);
    assert_int_equal(count(), 4);
    assert_int_equal(asked("/batch"), 1);
    assert_int_equal(asked("POST /v1/zones/77/records"), 1); /* what is left is one record */
    assert_int_equal(service->committed, 1);
    strcpy(service->reject, "y.example.hk");
    apply(&b, &w,
          (const struct want[]){
              {true, "x.example.hk", "1"}, {true, "y.example.hk", "2"}, {true, "z.example.hk", "3"}, {false, "a.example.hk", "1"}},
          4);
    assert_int_equal(w.c[0].result, CHANGE_DONE);
    assert_int_equal(w.c[1].result, CHANGE_REFUSED);
    assert_int_equal(w.c[2].result, CHANGE_DONE);
    assert_int_equal(w.c[3].result, CHANGE_DONE);
    assert_string_equal(w.c[1].err.where, "y.example.hk");
    assert_string_equal(last.code, "API_STATUS");
    assert_false(has("a.example.hk", "1"));
    assert_int_equal(service->committed, 2);
    bench_end(&b);
}

static void done_is_waited_for(void **state)
{
    (void)state;
    struct bench b = bench(SERVICE READ ADD "sync = /job\n" DELETE
                                            "[sync]\nget = /${path:sync}\ndone = /state is done\nfailed = /state is failed\nevery = 1s\n");
    struct writes w;
    apply(&b, &w, (const struct want[]){{true, "a.example.hk", "1"}}, 1);
    all(&w, CHANGE_DONE);
    assert_int_equal(asked("GET /v1/job/1"), 3);
    service->sync_fails = true;
    apply(&b, &w, (const struct want[]){{true, "a.example.hk", "2"}}, 1);
    all(&w, CHANGE_UNSURE);
    assert_non_null(strstr(w.c[0].err.text, "disk full: ***")); /* and not the password, which the service repeats */
    apply(&b, &w, (const struct want[]){{0}}, 0);
    assert_int_equal(last.rc, RC_OK);
    bench_end(&b);
}

static void freed_while_under_way(void **state)
{
    (void)state;
    struct bench b = bench(SERVICE READ ADD DELETE);
    struct sets s = {0};
    struct writes w = {0};
    for (unsigned rounds = 0; rounds < 6; rounds++) {
        s.l = (struct lookup){.zone = "example.hk", .set = s.set, .n = 1, .op = {.done = done}};
        s.set[0].owner = "www.example.hk";
        w.b = (struct batch){.zone = "example.hk", .c = w.c, .n = 1, .op = {.done = done}};
        w.rec[0] = (struct record){.owner = "www.example.hk", .type = TYPE_TXT, .value = {(const uint8_t *)"x", 1}};
        w.c[0] = (struct change){.rec = &w.rec[0], .ref = ""};
        b.ops->read(b.p, &s.l);
        b.ops->apply(b.p, &w.b);
        pending = rounds;
        for (unsigned i = 0; i < rounds; i++)
            op_deliver();
        op_cancel(&s.l.op);
        op_cancel(&w.b.op);
    }
    pending = 0;
    bench_end(&b);
}

/* --- whole sets ----------------------------------------------------------------------------------------------------------------------- */

static void merge(struct writes *w, struct sets *s, struct rrset *after, const char *more)
{
    *after = (struct rrset){.owner = s->set[0].owner, .ttl = s->set[0].n ? s->set[0].ttl : 30};
    for (size_t i = 0; i < s->set[0].n; i++)
        rrset_add_native(after, s->set[0].octets[i].p, s->set[0].octets[i].n, s->set[0].native[i]);
    if (more)
        rrset_add(after, (const uint8_t *)more, strlen(more));
    w->rec[0] = (struct record){.owner = after->owner, .type = TYPE_TXT, .ttl = 30, .value = {(const uint8_t *)"v", 1}};
    w->c[0] = (struct change){.add = true, .rec = &w->rec[0], .ref = "", .before = &s->set[0], .after = after};
    w->b = (struct batch){.zone = "example.hk", .c = w->c, .n = 1, .op = {.done = done}};
}

static void sets_keep_what_others_have(void **state)
{
    (void)state;
    struct bench b = bench(sets);
    struct sets s;
    struct writes w = {0};
    struct rrset after;
    assert_int_equal(b.ops->caps, CAN_READ | CAN_BATCH | WRITES_SETS | HAS_CAS);
    put_record("www.example.hk", "\"v=DKIM1\" \"; p=a\\\"b\\195\"", 3600);
    look(&b, &s, (const char *const[]){"www.example.hk"}, 1);
    assert_int_equal(s.set[0].n, 1);
    assert_int_equal(s.set[0].octets[0].n, 15);
    assert_string_equal(s.set[0].tag, "\"v1\"");
    merge(&w, &s, &after, "a \"new\" one");
    pending++;
    b.ops->apply(b.p, &w.b);
    loop_run(net_loop(net), turn, NULL);
    all(&w, CHANGE_DONE);
    assert_true(has("www.example.hk", "\"v=DKIM1\" \"; p=a\\\"b\\195\"")); /* octet for octet, */
    assert_string_equal(service->r[record_at("www.example.hk", "\"v=DKIM1\" \"; p=a\\\"b\\195\"")].note,
                        "note-1"); /* with all that hangs on it */
    assert_true(has("www.example.hk", "\"a \\\"new\\\" one\""));
    assert_int_equal(service->r[record_at("www.example.hk", "\"a \\\"new\\\" one\"")].ttl, 3600);
    pending++;
    w.c[0].result = CHANGE_OPEN;
    b.ops->apply(b.p, &w.b); /* with the tag of before */
    loop_run(net_loop(net), turn, NULL);
    all(&w, CHANGE_CONFLICT);
    assert_string_equal(last.code, "WRITE_CONFLICT");
    assert_true(last.again);
    rrset_clear(&after);
    sets_end(&s);
    bench_end(&b);
}

/* A condition without a value would be left out, and the set written over whatever stands there. */
static void no_tag_no_write(void **state)
{
    (void)state;
    struct bench b = bench(sets);
    struct sets s;
    struct writes w = {0};
    struct rrset after;
    service->no_tag = true;
    put_record("www.example.hk", "\"theirs\"", 3600);
    look(&b, &s, (const char *const[]){"www.example.hk"}, 1);
    assert_int_equal(s.set[0].n, 1);
    put_record("www.example.hk", "\"of this moment\"", 3600);
    merge(&w, &s, &after, "ours");
    pending++;
    b.ops->apply(b.p, &w.b);
    loop_run(net_loop(net), turn, NULL);
    all(&w, CHANGE_REFUSED);
    assert_string_equal(w.c[0].err.code, "API_ANSWER");
    assert_int_equal(count(), 2);
    assert_int_equal(asked("PUT"), 0);
    rrset_clear(&after);
    sets_end(&s);
    bench_end(&b);
}

/* --- without reading ------------------------------------------------------------------------------------------------------------------ */

static void forms_without_reading(void **state)
{
    (void)state;
    struct bench b =
        bench("[provider]\nsummary = s\nlinks = https://x.example/\ngrade = C\nplain = yes\nurl = ${key:url}\nkeeps = yes\n"
              "[key url]\ntype = url\nrequired = yes\nhelp = h.\n[key opt]\nhelp = h.\n"
              "[add]\npost = /form\nform.name = ${fqdn}.\nform.a&b = ${value}\nform.left_out = ${key:opt}\nquery.t = ${ttl}s\n");
    struct writes w;
    apply(&b, &w, (const struct want[]){{true, "www.example.hk", "1 + 1=2&x"}, {false, "www.example.hk", "gone"}}, 2);
    assert_int_equal(w.c[0].result, CHANGE_UNSURE); /* nobody answers at server= */
    assert_int_equal(w.c[1].result, CHANGE_DONE);   /* keeps: there is nothing to see */
    assert_string_equal(w.c[0].err.code, "WRITE_SLOW");
    assert_string_equal(api_shared->log, "POST /v1/form?t=30s name=www.example.hk.&a%26b=1%20%2B%201%3D2%26x\n");
    bench_end(&b);
}

static void requests_are_signed(void **state)
{
    (void)state;
    struct bench b = bench("[provider]\nsummary = s\nlinks = https://x.example/\ngrade = C\nplain = yes\nurl = ${key:url}\nkeeps = yes\n"
                           "sign = tc3-hmac-sha256\nsign.id = user\nsign.secret = password_file\nsign.service = dns\n"
                           "[key url]\ntype = url\nrequired = yes\nhelp = h.\n[key user]\ndefault = AKID\nhelp = h.\n"
                           "[key password_file]\ntype = secret\nhelp = h.\nrequired = yes\n"
                           "[add]\npost = /signed\nheader.X-TC-Action = Add\njson = {\"v\": \"${value}\"}\n");
    struct writes w;
    apply(&b, &w, (const struct want[]){{true, "www.example.hk", "1"}}, 1);
    assert_string_equal(w.c[0].err.code, "WRITE_SLOW"); /* it was taken; nobody answers at server= */
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_and_go),
        cmocka_unit_test(an_empty_value_is_never_left_out),
        cmocka_unit_test(all_pages_or_nothing),
        cmocka_unit_test(pages_until_one_is_empty),
        cmocka_unit_test(no_tag_no_write),
        cmocka_unit_test(a_list_for_many),
        cmocka_unit_test(a_token_that_ends_early),
        cmocka_unit_test(a_log_in_is_refused_once),
        cmocka_unit_test(one_request_for_many),
        cmocka_unit_test(done_is_waited_for),
        cmocka_unit_test(freed_while_under_way),
        cmocka_unit_test(sets_keep_what_others_have),
        cmocka_unit_test(forms_without_reading),
        cmocka_unit_test(requests_are_signed),
        cmocka_unit_test(automatic_ttls_and_plain_quotes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
