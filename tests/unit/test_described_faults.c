/* Description files at work against services that do wrong: half an answer is never a set, nothing is written twice or left behind, no secret is
 * shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "described_bench.h"

static const char *const www[] = {"www.example.hk"};

static void unreadable(struct bench *b, const char *code)
{
    struct sets s;
    look(b, &s, www, 1);
    assert_string_equal(last.code, code);
    assert_int_equal(s.set[0].n, 0);
    sets_end(&s);
}

/* "Not there" is believed of a name, not of the rest of a list, and not of a page that something in between shows. */
static void gone_is_no_short_read(void **state)
{
    (void)state;
    struct bench b = bench(SERVICE READ "gone = 404\n" ADD DELETE);
    struct sets s;
    for (int i = 0; i < 5; i++) {
        char value[16];
        sprintf(value, "v%d", i);
        put_record("www.example.hk", value, 300);
    }
    service->no_page = true;
    unreadable(&b, "API_ANSWER");
    service->no_page = false;
    service->web_page = true;
    unreadable(&b, "API_STATUS");
    service->web_page = false;
    look(&b, &s, www, 1);
    assert_int_equal(s.set[0].n, 5);
    sets_end(&s);
    bench_end(&b);
}

static const char listed[] = "[provider]\nsummary = s\nlinks = https://x.example/\ngrade = B\nplain = yes\nurl = ${key:url}\nnames = fqdn\n"
                             "[key url]\ntype = url\nrequired = yes\nhelp = h.\n"
                             "[read]\nget = /listed/${fqdn}\neach = /items\nname = ./name\nvalues = ./values\nvalue = .\nttl = ./ttl\n%s"
                             "[write]\nput = /sets/${fqdn}/TXT\njson = {\"values\": \"${values}\"}\n";

static void read_listed(const char *paging, const char *answer, const char *head, const char *code, size_t n)
{
    char *text = mem_fmt(listed, paging);
    struct bench b = bench(text);
    struct sets s;
    snprintf(service->listed, sizeof service->listed, "%s", answer);
    snprintf(service->listed_head, sizeof service->listed_head, "%s", head);
    look(&b, &s, www, 1);
    if (strcmp(last.rc == RC_OK ? "" : last.code, code) != 0)
        fail_msg("%s %s: %s %s", paging, answer, last.rc == RC_OK ? "" : last.code, last.text);
    assert_int_equal(s.set[0].n, n);
    sets_end(&s);
    bench_end(&b);
    free(text);
}

static void a_set_is_whole_and_one(void **state)
{
    (void)state;
#define ONE "{\"name\": \"www.example.hk\", \"ttl\": 60, \"values\": [\"a\", \"b\"]}"
    char head[900];
    read_listed("", "{\"items\": [" ONE "]}", "", "", 2);
    read_listed("", "{\"items\": [" ONE ", " ONE "]}", "", "API_SET", 0); /* by region or weight: not one set of four */
    read_listed("", "{\"items\": [" ONE ", {\"name\": \"other.example.hk\", \"values\": []}]}", "", "", 2);
    read_listed("", "{\"items\": \"none\"}", "", "API_ANSWER", 0);
    read_listed("", "{}", "", "API_ANSWER", 0);
    read_listed("", "{\"items\": [{\"name\": \"www.example.hk\", \"values\": \"a\"}]}", "", "API_ANSWER", 0);
    read_listed("", "{\"items\": [], \"items\": []}", "", "API_ANSWER", 0);
    read_listed("next = /next\n", "{\"items\": [" ONE "], \"next\": null}", "", "", 2);
    read_listed("next = /next\n", "{\"items\": [" ONE "], \"next\": {\"url\": \"/more\"}}", "", "API_ANSWER", 0);
    read_listed("next = /next\n", "{\"items\": [" ONE "], \"next\": \"https://evil.example/\"}", "", "API_ANSWER", 0);
    read_listed("next = /next\n", "{\"items\": [" ONE "], \"next\": \"http://127.0.0.1@evil.example/\"}", "", "API_ANSWER", 0);
    read_listed("total = /total\n", "{\"items\": [" ONE "]}", "", "API_ANSWER", 0);
    read_listed("empty = /items is none\ntotal = /total\n", "{\"items\": \"none\", \"total\": 3}", "", "", 0);
    read_listed("next = link\n", "{\"items\": [" ONE "]}", "Link: <https://evil.example/>; rel=\"next\"\r\n", "API_ANSWER", 0);
    snprintf(head, sizeof head, "Link: <https://%0800d/>; rel=\"next\"\r\n", 7); /* longer than any that can be asked: not overlooked */
    read_listed("next = link\n", "{\"items\": [" ONE "]}", head, "API_ANSWER", 0);
}

/* A record that stands there twice, since an answer got lost: both go, and nobody else's. */
static void twice_is_deleted_twice(void **state)
{
    (void)state;
    struct bench b = bench(SERVICE READ ADD DELETE);
    struct sets s;
    struct writes w;
    put_record("www.example.hk", "ours", 300);
    put_record("www.example.hk", "foreign", 300);
    put_record("www.example.hk", "ours", 300);
    put_record("x.example.hk", "ours", 300);
    look(&b, &s, www, 1);
    sets_end(&s);
    apply(&b, &w, (const struct want[]){{false, "www.example.hk", "ours"}}, 1);
    all(&w, CHANGE_DONE);
    assert_int_equal(asked("DELETE"), 2);
    assert_false(has("www.example.hk", "ours"));
    assert_true(has("www.example.hk", "foreign") && has("x.example.hk", "ours"));
    bench_end(&b);
}

/* A commit of unknown fate: the next apply asks for nothing but the commit. */
static void a_lost_commit_is_made_again(void **state)
{
    (void)state;
    struct bench b = bench(SERVICE READ ADD DELETE "[commit]\npost = /zones/${zone_id}/commit\n");
    struct sets s;
    struct writes w;
    assert_true(b.ops->caps & COMMITS);
    for (unsigned add = 1; add < 2; add--) {
        const struct want one = {add, "www.example.hk", "ours"};
        service->lose_commit = true;
        apply(&b, &w, &one, 1);
        all(&w, CHANGE_UNSURE);
        look(&b, &s, www, 1);
        sets_end(&s);
        unsigned before = api_shared->requests;
        apply(&b, &w, &one, 1);
        all(&w, CHANGE_DONE);
        assert_int_equal(api_shared->requests, before + 1);
    }
    assert_int_equal(service->committed, 2);
    assert_int_equal(count(), 0);
    bench_end(&b);
}

/* Whatever an API repeats of what it was sent: no secret, nor as it stands in a URL. */
static void no_secret_is_repeated(void **state)
{
    (void)state;
    FILE *f = fopen(secret_path, "w");
    fputs("p w&rd/1234", f);
    fclose(f);
    struct bench b =
        bench("[provider]\nsummary = s\nlinks = https://x.example/\ngrade = C\nplain = yes\nurl = ${key:url}\nkeeps = yes\n"
              "[key url]\ntype = url\nrequired = yes\nhelp = h.\n[key password_file]\ntype = secret\nhelp = h.\nrequired = yes\n"
              "[add]\npost = /parrot\nquery.key = ${secret:password_file}\nform.key = ${secret:password_file}\n");
    struct writes w;
    apply(&b, &w, (const struct want[]){{true, "www.example.hk", "1"}}, 1);
    assert_int_equal(w.c[0].result, CHANGE_REFUSED);
    assert_non_null(strstr(w.c[0].err.text, "***"));
    assert_null(strstr(w.c[0].err.text, "1234"));
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gone_is_no_short_read),       cmocka_unit_test(a_set_is_whole_and_one), cmocka_unit_test(twice_is_deleted_twice),
        cmocka_unit_test(a_lost_commit_is_made_again), cmocka_unit_test(no_secret_is_repeated),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
