/* What all HTTP providers share: the queue, the account's pace, refusals in words, secrets kept, TXT content and URLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_server.h"
#include "base/clock.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "net/net.h"
#include "providers/http/api.h"

static struct net *net;
static unsigned pending;
static struct err last;
static char name[] = "lab", type[] = "test";
static struct section section = {.name = name, .type = type};

/* /status/N/KIND: that status with that body. */
static int answer(const struct api_request *r, char head[1024], char body[API_ANSWER])
{
    static const char *const bodies[][2] = {
        {"words", "{\"errors\": [{\"code\": 1, \"message\": \"no \\u0007such thing\"}]}"},
        {"page", "<html><body>Bad gateway</body></html>"},
        {"text", "Bad gateway"},
        {"json", "{\"a\": [1, 2]}"},
        {"scalar", "\"record:txt/ref\""},
        {"twice", "{\"a\": 1, \"a\": 2}"},
        {"cut", "{\"a\": 1"},
        {"empty", ""},
        {"later", "{}"},
        {"soon", "{}"},
    };
    char kind[16] = "";
    int status = 200;
    if (!strcmp(r->path, "/close"))
        return 0;
    if (!strcmp(r->path, "/never"))
        return -1;
    if (!strncmp(r->path, "/echo", 5)) {
        const char *token = strcasestr(r->head, "Authorization: ");
        snprintf(body, API_ANSWER, "{\"message\": \"you said %.*s and %s\"}", token ? (int)strcspn(token + 15, "\r") : 0,
                 token ? token + 15 : "", r->body);
        return 401;
    }
    if (!strcmp(r->path, "/deep")) {
        memset(body, '[', 100000);
        body[100000] = 0;
        return 200;
    }
    if (!strcmp(r->path, "/large")) {
        memset(body, ' ', 200000);
        body[200000] = 0;
        return 200;
    }
    sscanf(r->path, "/status/%d/%15s", &status, kind);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if (!strcmp(bodies[i][0], kind))
            strcpy(body, bodies[i][1]);
    if (!strcmp(kind, "later"))
        strcpy(head, "Retry-After: 3600\r\n");
    if (!strcmp(kind, "soon"))
        strcpy(head, "Retry-After: 1\r\n");
    if (status == 201)
        strcpy(head, "ETag: \"7\"\r\nLink: <https://api.example/2>; rel=\"next\"\r\n");
    return status;
}

static bool turn(void *arg)
{
    (void)arg;
    return pending > 0;
}

static void done(struct op *op, const struct err *e)
{
    (void)op;
    pending--;
    last = e ? *e : (struct err){0};
}

static struct api *api_with(struct api_setup setup)
{
    struct api *a;
    struct err e = {0};
    setup.section = &section;
    setup.plain = true;
    if (!api_new(&a, net, &setup, &e))
        fail_msg("%s", e.text);
    return a;
}

static void start(struct api *a, struct api_call *c, const char *method, const char *path)
{
    free(c->url);
    c->url = mem_fmt("http://127.0.0.1:%u%s", (unsigned)api_port, path);
    c->method = method;
    c->what = "read the TXT records at www.example.hk";
    c->op = (struct op){.done = done};
    pending++;
    api_start(a, c);
}

static void ask(struct api *a, struct api_call *c, const char *method, const char *path)
{
    start(a, c, method, path);
    loop_run(net_loop(net), turn, NULL);
}

static int setup(void **state)
{
    (void)state;
    api_server_start(answer);
    net = net_new(&(struct net_setup){.resolv_conf = "/dev/null"}, NULL);
    return net ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    net_free(net);
    api_server_stop();
    return 0;
}

/* --- statuses and bodies -------------------------------------------------------------------------------------------------------------- */

static void answers_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum rc rc;
        const char *code, *text; /* text: what must stand in it */
        bool again, unsure;
    } table[] = {
        {"/status/200/json", RC_OK, NULL, NULL, false, true},
        {"/status/200/scalar", RC_OK, NULL, NULL, false, true},
        {"/status/204/empty", RC_OK, NULL, NULL, false, true},
        {"/status/200/page", RC_PAGES, "API_ANSWER", "<html>", true, true},
        {"/status/200/cut", RC_PAGES, "API_ANSWER", "no JSON", true, true},
        {"/status/200/twice", RC_PAGES, "API_ANSWER", "no JSON", true, true},
        {"/deep", RC_PAGES, "API_ANSWER", "no JSON", true, true},
        {"/large", RC_NET, "HTTP_LARGE", "www.example.hk", true, true},
        {"/status/302/page", RC_PAGES, "API_ANSWER", "sends elsewhere (302)", false, true},
        {"/status/400/words", RC_WRITE, "API_STATUS", "answers 400: no \\x07such thing", false, false},
        {"/status/401/words", RC_WRITE, "API_AUTH", "no \\x07such thing; check that its key", false, false},
        {"/status/403/page", RC_WRITE, "API_AUTH", "answers 403; check", false, false},
        {"/status/404/empty", RC_WRITE, "API_STATUS", "answers 404", false, false},
        {"/status/409/json", RC_WRITE, "API_STATUS", "answers 409", true, false},
        {"/status/412/json", RC_WRITE, "API_STATUS", "answers 412", true, false},
        {"/status/422/words", RC_WRITE, "API_STATUS", "such thing", false, false},
        {"/status/500/page", RC_WRITE, "API_STATUS", "answers 500", true, true},
        {"/status/502/text", RC_WRITE, "API_STATUS", "answers 502: Bad gateway", true, true},
        {"/status/503/page", RC_WRITE, "API_STATUS", "answers 503", true, true},
        {"/close", RC_NET, "HTTP_BROKEN", "could not read the TXT records at www.example.hk", true, true},
    };
    struct api *a = api_with((struct api_setup){.max = 150000});
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct api_call c = {0};
        ask(a, &c, "POST", table[i].path);
        if (last.rc != table[i].rc || (table[i].code && strcmp(last.code, table[i].code) != 0) || last.again != table[i].again)
            fail_msg("%s: %d %s again %d: %s", table[i].path, last.rc, last.code ? last.code : "", last.again, last.text);
        if (table[i].text && !strstr(last.text, table[i].text))
            fail_msg("%s: %s", table[i].path, last.text);
        if (api_unsure(&c) != table[i].unsure)
            fail_msg("%s: unsure %d", table[i].path, api_unsure(&c));
        api_call_clear(&c);
    }
    assert_int_equal(api_requests(a), sizeof table / sizeof *table);
    api_free(a);
}

static void answers_are_kept(void **state)
{
    (void)state;
    struct api *a = api_with((struct api_setup){0});
    struct api_call c = {0};
    char field[64];
    ask(a, &c, "GET", "/status/201/scalar");
    assert_string_equal(json_string_value(c.json), "record:txt/ref");
    assert_true(api_header(&c, "etag", field, sizeof field));
    assert_string_equal(field, "\"7\"");
    assert_true(api_link(&c, "next", field, sizeof field));
    assert_string_equal(field, "https://api.example/2");
    assert_false(api_link(&c, "prev", field, sizeof field));
    ask(a, &c, "GET", "/status/404/words"); /* used again: what was there is gone */
    assert_int_equal(c.status, 404);
    assert_false(api_header(&c, "etag", field, sizeof field));
    assert_string_equal(api_words(c.json), "no \asuch thing");
    c.raw = true;
    ask(a, &c, "GET", "/status/200/page");
    assert_int_equal(last.rc, RC_OK);
    assert_null(c.json);
    assert_non_null(strstr(str_text(&c.in), "Bad gateway"));
    api_call_clear(&c);
    api_free(a);
}

static bool not_found_is_fine(struct api_call *c)
{
    return c->status == 404;
}

static bool says_why(struct api_call *c)
{
    return err_set(&c->why, RC_LATER, "API_RATE", "slow down");
}

static void who_asks_may_judge(void **state)
{
    (void)state;
    struct api *a = api_with((struct api_setup){0});
    struct api_call c = {.ok = not_found_is_fine};
    ask(a, &c, "GET", "/status/404/page");
    assert_int_equal(last.rc, RC_OK);
    ask(a, &c, "GET", "/status/200/json");
    assert_string_equal(last.code, "API_STATUS");
    c.ok = says_why;
    ask(a, &c, "GET", "/status/200/json");
    assert_string_equal(last.text, "slow down");
    api_call_clear(&c);
    api_free(a);
}

static void secrets_are_not_repeated(void **state)
{
    (void)state;
    struct api *a = api_with((struct api_setup){0});
    struct api_call c = {.body = STR_INIT(100)};
    struct secret s = {0};
    secret_set(&s, "body-secret", 11);
    api_hide(a, &s);
    secret_free(&s);
    strs_add(&c.headers, "Authorization: Bearer t0p-s3cr3t-token");
    strs_add(&c.headers, "Content-Type: application/json");
    str_add(&c.body, "key=body-secret.body-secret");
    ask(a, &c, "POST", "/echo");
    assert_non_null(strstr(last.text, "you said Bearer *** and key=***.***"));
    api_call_clear(&c);
    api_free(a);
}

/* --- pace ----------------------------------------------------------------------------------------------------------------------------- */

static void the_rate_holds(void **state)
{
    (void)state;
    struct api *a = api_with((struct api_setup){.rate = 3, .rate_s = 1, .credential = "key"});
    struct api *b = api_with((struct api_setup){.rate = 3, .rate_s = 1, .credential = "key"}); /* another section, the same account */
    struct api_call c[7] = {0};
    int64_t from = clock_monotonic();
    for (size_t i = 0; i < 7; i++)
        start(i % 2 ? a : b, &c[i], "GET", "/status/200/json");
    loop_run(net_loop(net), turn, NULL);
    assert_in_range(clock_monotonic() - from, 1990, 20000); /* 3, 3 and 1 */
    assert_int_equal(api_requests(a) + api_requests(b), 7);
    for (size_t i = 0; i < 7; i++)
        api_call_clear(&c[i]);
    api_free(a);
    api_free(b);
}

static void retry_after_holds(void **state)
{
    (void)state;
    struct api *a = api_with((struct api_setup){.parallel = 1});
    struct api_call c[3] = {0};
    int64_t from = clock_monotonic();
    ask(a, &c[0], "POST", "/status/429/soon");
    assert_int_equal(last.rc, RC_LATER);
    assert_string_equal(last.code, "API_RATE");
    assert_true(last.again && last.not_before > 0);
    assert_false(api_unsure(&c[0]));
    ask(a, &c[1], "GET", "/status/200/json"); /* waits by itself */
    assert_int_equal(last.rc, RC_OK);
    assert_in_range(clock_monotonic() - from, 500, 20000);
    unsigned before = api_requests(a);
    start(a, &c[0], "POST", "/status/503/later");
    start(a, &c[1], "GET", "/status/200/json");
    start(a, &c[2], "GET", "/status/200/json");
    loop_run(net_loop(net), turn, NULL);
    assert_string_equal(last.code, "API_RATE"); /* too long: nothing more is sent */
    assert_in_range(last.not_before, clock_now() + 3590, clock_now() + 3602);
    assert_false(c[2].sent);
    assert_int_equal(api_requests(a), before + 1);
    for (size_t i = 0; i < 3; i++)
        api_call_clear(&c[i]);
    api_free(a);
}

static void no_more_than_parallel(void **state)
{
    (void)state;
    struct api *a = api_with((struct api_setup){.parallel = 2});
    struct api_call c[4] = {0};
    for (size_t i = 0; i < 3; i++)
        start(a, &c[i], "GET", "/never");
    assert_int_equal(api_requests(a), 2);
    op_cancel(&c[0].op);
    pending--;
    assert_int_equal(api_requests(a), 3); /* the next one takes its place */
    start(a, &c[3], "GET", "/never");
    op_cancel(&c[3].op); /* while it waits */
    api_free(a);         /* what is under way is forgotten */
    pending = 0;
    for (size_t i = 0; i < 4; i++)
        api_call_clear(&c[i]);
}

/* --- texts ---------------------------------------------------------------------------------------------------------------------------- */

static void txt_there_and_back(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        size_t n;
        const char *text;
    } table[] = {
        {"", 0, "\"\""},
        {"abc", 3, "\"abc\""},
        {"a b;c", 5, "\"a b;c\""},
        {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
        {"\0\x7f\xc3\xa4", 4, "\"\\000\\127\\195\\164\""},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct str s = STR_INIT(1000);
        uint8_t *p;
        size_t n;
        txt_quote(&s, (struct bytes){(const uint8_t *)table[i].value, table[i].n});
        assert_string_equal(str_text(&s), table[i].text);
        assert_true(txt_unquote(str_text(&s), &p, &n));
        assert_int_equal(n, table[i].n);
        assert_memory_equal(p, table[i].value, n);
        free(p);
        str_free(&s);
    }
    uint8_t octets[600], *p;
    size_t n;
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)i;
    struct str s = STR_INIT(10000);
    txt_quote(&s, (struct bytes){octets, sizeof octets});
    assert_true(txt_unquote(str_text(&s), &p, &n));
    assert_int_equal(n, sizeof octets);
    assert_memory_equal(p, octets, n);
    free(p);
    str_free(&s);
}

static void no_txt(void **state)
{
    (void)state;
    static const char *const bad[] = {"",        " ",         "abc",      "\"abc",     "\"abc\\", "\"abc\\\"",
                                      "\"a\" b", "\"\\256\"", "\"\\12\"", "\"\\1a2\"", "\"a\"\"", "\"a\" \""};
    uint8_t *p;
    size_t n;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (txt_unquote(bad[i], &p, &n))
            fail_msg("%s", bad[i]);
    assert_true(txt_unquote("\"a\"\"b\" \t\"\\c\" ", &p, &n));
    assert_int_equal(n, 3);
    assert_memory_equal(p, "abc", 3);
    free(p);
}

static void urls_are_encoded(void **state)
{
    (void)state;
    struct str s = STR_INIT(100);
    api_encode(&s, "_a.b-c~Z9/?&=%+ \"\xc3\xa4");
    assert_string_equal(str_text(&s), "_a.b-c~Z9%2F%3F%26%3D%25%2B%20%22%C3%A4");
    str_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_judged),       cmocka_unit_test(answers_are_kept),   cmocka_unit_test(who_asks_may_judge),
        cmocka_unit_test(secrets_are_not_repeated), cmocka_unit_test(the_rate_holds),     cmocka_unit_test(retry_after_holds),
        cmocka_unit_test(no_more_than_parallel),    cmocka_unit_test(txt_there_and_back), cmocka_unit_test(no_txt),
        cmocka_unit_test(urls_are_encoded),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
