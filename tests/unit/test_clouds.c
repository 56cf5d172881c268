/* Route 53, Google Cloud DNS and Azure DNS against simulated clouds (tests/clouds/), which check signatures and tokens by themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cloud_world.h"

#define SECRET "s3cr3t+UtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

extern const struct provider_ops provider_route53, provider_google, provider_azure;

static const struct kind {
    const struct provider_ops *ops;
    const char *script, *section; /* $D: the folder, $P: the port */
    const char *one, *foreign;    /* a value in the API's form, by printf; a foreign one of two strings, "v=spf1 " and "-all" */
    const char *secret;           /* what no message may show */
    const char *read, *write;     /* how requests begin that read and write a set */
} kinds[] = {
    {&provider_route53, "route53",
     "rate = 1000\naccess_key_id = AKIDEXAMPLE\nsecret_key_file = $D/secret\nendpoint = http://127.0.0.1:$P/\n", "\"\\\"%s\\\"\"",
     "\"\\\"v=spf1\\\\040\\\"  \\\"-all\\\"\"", SECRET, "GET /2013-04-01/hostedzone/Z111", "POST "},
    {&provider_google, "google", "rate = 1000\nservice_account_file = $D/google.json\nendpoint = http://127.0.0.1:$P\n", "\"\\\"%s\\\"\"",
     "\"\\\"v=spf1\\\\032\\\"  \\\"-all\\\"\"", "", "GET /dns/v1/projects/lab-project/managedZones/example-hk/rrsets",
     "POST /dns/v1/projects/lab-project/managedZones/example-hk/changes"},
    {&provider_azure, "azure",
     "rate = 1000\nsubscription_id = sub\nresource_group = dns\ntenant_id = tenant\nclient_id = app\nclient_secret_file = $D/azure\n"
     "endpoint = http://127.0.0.1:$P\nauthority = http://127.0.0.1:$P\n",
     "[\"%s\"]", "[\"v=spf1 \", \"-all\"]", "s3cr3t &~+", "GET /subscriptions", "PUT /subscriptions"},
};

static const struct kind *kind;

static void choose(const struct kind *k)
{
    kind = k;
    ops = k->ops;
    net = NULL; /* of a test that failed */
    cloud_begin(k->script, folder, NULL);
    if (k == &kinds[1])
        cloud_say("{\"do\": \"key\", \"port\": %d}", cloud.port);
}

static char *one(const char *value)
{
    struct str out = STR_INIT(4096);
    for (const char *p = kind->one; *p; p++)
        p[0] == '%' ? str_add(&out, value), p++ : str_put(&out, p, 1);
    return str_take(&out);
}

static void meet(const char *match, int status, const char *more)
{
    cloud_say("{\"do\": \"fault\", \"match\": \"%s\", \"status\": %d%s}", match, status, more);
}

static unsigned requests(const char *match)
{
    unsigned n = 0;
    for (const char *at = cloud_say("{\"do\": \"log\"}"); (at = strstr(at, match)); at++)
        n++;
    return n;
}

static void forget(void)
{
    requests("what came so far");
}

/* --- what provider.h promises -------------------------------------------------------------------------------------------------------------- */

static void values_of_others_survive(void)
{
    char *ours = one("token-1");
    struct rrset set = {.owner = "a." ZONE};
    stand("a." ZONE, "TXT", 777, kind->foreign, NULL);
    assert_true(look(&set, 1));
    assert_int_equal(set.n, 1);
    assert_int_equal(set.ttl, 777);
    assert_true(rrset_has(&set, (struct bytes){(const uint8_t *)"v=spf1 -all", 11}));
    rrset_clear(&set);
    changed("a." ZONE, "token-1", true);
    stands("a." ZONE, 777, kind->foreign, ours);
    changed("a." ZONE, "token-1", false);
    stands("a." ZONE, 777, kind->foreign, NULL);
    free(ours);
}

static void sets_come_and_go(void)
{
    static const char *const owners[] = {ZONE, "_dcv." ZONE, "*." ZONE, "b.c." ZONE};
    char *first = one("token-1"), *second = one("token-2");
    for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) {
        changed(owners[i], "token-1", true);
        stands(owners[i], 60, first, NULL);
        changed(owners[i], "token-2", true);
        stands(owners[i], 60, first, second);
        changed(owners[i], "token-1", false);
        stands(owners[i], 60, second, NULL);
        changed(owners[i], "token-2", false);
        stands(owners[i], 0, NULL, NULL);
        forget();
        changed(owners[i], "token-2", false); /* again */
        assert_int_equal(requests(kind->write), 0);
    }
    free(first);
    free(second);
}

static void values_of_any_length_and_kind(void)
{
    char *longest = mem_new(601);
    memset(longest, 'x', 600);
    const char *const values[] = {longest, "quote \" backslash \\ <&> blank", "\xe9\x9b\xbb\xe5\xad\x90", ""};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct rrset set = {.owner = "v." ZONE};
        changed("v." ZONE, values[i], true);
        assert_true(look(&set, 1));
        assert_int_equal(set.n, 1);
        assert_true(rrset_has(&set, (struct bytes){(const uint8_t *)values[i], strlen(values[i])}));
        rrset_clear(&set);
        changed("v." ZONE, values[i], false);
        stands("v." ZONE, 0, NULL, NULL);
    }
    free(longest);
}

static void cnames_are_seen(void)
{
    struct rrset set[2] = {{.owner = "cn." ZONE}, {.owner = "nothing." ZONE}};
    stand("cn." ZONE, "CNAME", 300, "\"x.example.\"", NULL);
    assert_true(look(set, 2));
    assert_true(set[0].cname);
    assert_false(set[1].cname);
    assert_int_equal(set[0].n + set[1].n, 0);
}

static void races_are_lost(void)
{
    enum change_result r;
    char *theirs = one("theirs"), *ours = one("ours");
    struct deed d;
    plan(&d, "r." ZONE, "ours", true);
    look_first(&d, 1);
    stand("r." ZONE, "TXT", 300, theirs, NULL); /* meanwhile */
    apply(&d, 1, &r);
    assert_int_equal(r, CHANGE_CONFLICT);
    assert_string_equal(last.code, "API_CONFLICT");
    assert_true(last.again);
    stands("r." ZONE, 300, theirs, NULL);
    plan(&d, "r." ZONE, "ours", true);
    look_first(&d, 1);
    stand("r." ZONE, "TXT", 300, theirs, theirs);
    apply(&d, 1, &r);
    assert_int_equal(r, CHANGE_CONFLICT);
    stands("r." ZONE, 300, theirs, theirs);
    changed("r." ZONE, "ours", true);
    plan(&d, "r." ZONE, "ours", false);
    look_first(&d, 1);
    stand("r." ZONE, "TXT", 300, ours, theirs);
    apply(&d, 1, &r);
    assert_int_equal(r, CHANGE_CONFLICT);
    stands("r." ZONE, 300, ours, theirs);
    stand("r." ZONE, "TXT", 300, NULL, NULL);
    free(theirs);
    free(ours);
}

static void one_conflict_leaves_the_others(void)
{
    struct deed d[4];
    enum change_result r[4];
    char *theirs = one("theirs"), *ours = one("ours");
    static const char *const owners[] = {"p1." ZONE, "p2." ZONE, "p3." ZONE, "p4." ZONE};
    for (size_t i = 0; i < 4; i++)
        plan(&d[i], owners[i], "ours", true);
    look_first(d, 4);
    stand("p2." ZONE, "TXT", 300, theirs, NULL);
    apply(d, 4, r);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(r[i], i == 1 ? CHANGE_CONFLICT : CHANGE_DONE);
        stands(owners[i], i == 1 ? 300 : 60, i == 1 ? theirs : ours, NULL);
        stand(owners[i], "TXT", 60, NULL, NULL);
    }
    for (size_t i = 0; i < 4; i++)
        plan(&d[i], owners[i], "ours", true);
    look_first(d, 4);
    forget();
    apply(d, 4, r);
    assert_int_equal(requests(kind->write), ops->caps & ATOMIC ? 1 : 4);
    for (size_t i = 0; i < 4; i++)
        stand(owners[i], "TXT", 60, NULL, NULL);
    free(theirs);
    free(ours);
}

/* --- faults -------------------------------------------------------------------------------------------------------------------------------- */

static void faults_of_writes(void)
{
    static const struct {
        int status;
        const char *more;
        enum change_result result;
        const char *code;
    } table[] = {
        {403, ", \"body\": \"no $S\"", CHANGE_REFUSED, "API_AUTH"},
        {404, "", CHANGE_REFUSED, "API_STATUS"},
        {429, ", \"headers\": {\"Retry-After\": \"1\"}", CHANGE_REFUSED, "API_RATE"},
        {500, "", CHANGE_UNSURE, "API_STATUS"},
        {500, ", \"after\": true", CHANGE_UNSURE, "API_STATUS"},
        {302, ", \"headers\": {\"Location\": \"http://127.0.0.1:1/\"}", CHANGE_UNSURE, "API_ANSWER"},
        {200, ", \"close\": true", CHANGE_UNSURE, "HTTP_BROKEN"},
        {200, ", \"close\": true, \"after\": true", CHANGE_UNSURE, "HTTP_BROKEN"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *dollar = strstr(table[i].more, "$S");
        char *more =
            dollar ? mem_fmt("%.*s%s%s", (int)(dollar - table[i].more), table[i].more, kind->secret, dollar + 2) : mem_str(table[i].more);
        meet(kind->write, table[i].status, more);
        free(more);
        enum change_result r = change("f." ZONE, "ours", true);
        if (r != table[i].result || strcmp(last.code, table[i].code) != 0)
            fail_msg("%s %d%s: %d %s %s", ops->type, table[i].status, table[i].more, r, last.code, last.text);
        stand("f." ZONE, "TXT", 60, NULL, NULL);
    }
    meet(kind->write, 200, ", \"body\": \"<html>login</html>\"");
    assert_int_equal(change("f." ZONE, "ours", true), CHANGE_UNSURE);
    assert_string_equal(last.code, "API_ANSWER");
    stand("f." ZONE, "TXT", 60, NULL, NULL);
}

/* A read that is not whole is none. */
static void faults_of_reads(void)
{
    static const struct {
        int status;
        const char *more, *code;
    } table[] = {
        {200, ", \"body\": \"<html>login</html>\"", "API_ANSWER"},
        {200, ", \"body\": \"<a><b></a>\"", "API_ANSWER"},
        {200, ", \"body\": \"{\\\"rrsets\\\": [\"", "API_ANSWER"},
        {200, ", \"body\": \"{}\"", "API_ANSWER"},
        {200, ", \"body\": \"\"", "API_ANSWER"},
        {200, ", \"body\": \"[1e999]\"", "API_ANSWER"},
        {403, "", "API_AUTH"},
        {404, ", \"body\": \"{\\\"code\\\": \\\"Other\\\"}\"", "API_STATUS"},
        {503, "", "API_STATUS"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct rrset set[2] = {{.owner = "q1." ZONE}, {.owner = "q2." ZONE}};
        /* three times: a request that was given up may still arrive */
        char *more = mem_fmt("%s, \"times\": 3", table[i].more);
        meet(kind->read, table[i].status, more);
        free(more);
        if (look(set, 2) || strcmp(last.code, table[i].code) != 0)
            fail_msg("%s %d%s: %s %s", ops->type, table[i].status, table[i].more, last.code ? last.code : "-", last.text);
        rrset_clear(&set[0]);
        rrset_clear(&set[1]);
        cloud_say("{\"do\": \"calm\"}");
    }
    struct rrset set = {.owner = "q1." ZONE};
    if (!look(&set, 1))
        fail_msg("%s", last.text);
}

static void cancelled_at_any_time(void)
{
    for (unsigned turns = 0; turns < 6; turns++) {
        struct rrset set[2] = {{.owner = "q1." ZONE}, {.owner = "q2." ZONE}};
        struct lookup l = {.op.done = done, .zone = ZONE, .set = set, .n = 2};
        opened(kind->section); /* no token, no zone yet */
        ops->read(provider, &l);
        struct timer t = {.at = loop_now(net_loop(net)) + 10 * turns, .op.done = done};
        loop_timer(net_loop(net), &t);
        waiting = true;
        loop_run(net_loop(net), turn, NULL);
        op_cancel(&t.op);
        op_cancel(&l.op);
        rrset_clear(&set[0]);
        rrset_clear(&set[1]);
    }
}

static void all(void **state)
{
    choose(*state);
    opened(kind->section);
    values_of_others_survive();
    sets_come_and_go();
    values_of_any_length_and_kind();
    cnames_are_seen();
    races_are_lost();
    one_conflict_leaves_the_others();
    faults_of_writes();
    faults_of_reads();
    cancelled_at_any_time();
    shut();
    cloud_end();
}

/* --- each cloud's own ---------------------------------------------------------------------------------------------------------------------- */

static bool reads(void)
{
    struct rrset set = {.owner = "a." ZONE};
    bool good = look(&set, 1);
    rrset_clear(&set);
    return good;
}

static void fails_with(const char *code, const char *word)
{
    if (reads() || strcmp(last.code, code) != 0 || !strstr(last.text, word))
        fail_msg("%s (%s): %s %s", code, word, last.code ? last.code : "-", last.text);
}

static void the_zone_is_found(const char *two, const char *closed)
{
    opened(kind->section);
    cloud_say("{\"do\": \"set\", \"name\": \"zones\", \"value\": []}");
    fails_with("API_ZONE", "no public");
    cloud_say("{\"do\": \"set\", \"name\": \"zones\", \"value\": %s}", two);
    fails_with("API_ZONE", "zone_ids");
    cloud_say("{\"do\": \"set\", \"name\": \"zones\", \"value\": %s}", closed);
    assert_true(reads());
}

static void the_change_arrives_everywhere(void)
{
    cloud_say("{\"do\": \"set\", \"name\": \"pending\", \"value\": 2}");
    forget();
    changed("s." ZONE, "ours", true);
    assert_true(*batch.sync);
    assert_true(requests("/change") >= 3);
    changed("s." ZONE, "ours", false);
    assert_int_equal(requests("GET /2013-04-01/change/"), 0); /* nobody waits for what is gone */
    cloud_say("{\"do\": \"set\", \"name\": \"pending\", \"value\": 0}");
}

static void pages_are_followed(void)
{
    struct rrset set = {.owner = "pg." ZONE};
    stand("pg." ZONE, "A", 300, "\"192.0.2.1\"", NULL);
    stand("pg." ZONE, "MX", 300, "\"10 mx.example.\"", NULL);
    stand("pg." ZONE, "TXT", 300, kind->foreign, NULL);
    stand("ph." ZONE, "TXT", 300, kind->foreign, NULL);
    cloud_say("{\"do\": \"set\", \"name\": \"page\", \"value\": 1}");
    assert_true(look(&set, 1));
    assert_int_equal(set.n, 1);
    cloud_say("{\"do\": \"set\", \"name\": \"page\", \"value\": 100}");
    rrset_clear(&set);
}

static void route53(void **state)
{
    (void)state;
    choose(&kinds[0]);
    the_zone_is_found("[[\"Z1\", \"example.hk.\", false], [\"Z2\", \"example.hk.\", false]]",
                      "[[\"Z9\", \"example.hk.\", true], [\"Z111\", \"example.hk.\", false], [\"Z3\", \"other.hk.\", false]]");
    the_change_arrives_everywhere();
    pages_are_followed();
    cloud_say("{\"do\": \"put\", \"owner\": \"w." ZONE
              "\", \"type\": \"TXT\", \"ttl\": 300, \"values\": [\"\\\"x\\\"\"], \"policy\": \"blue\"}");
    struct rrset set = {.owner = "w." ZONE};
    assert_false(look(&set, 1));
    assert_string_equal(last.code, "API_SET");
    rrset_clear(&set);
    static const char *const halves[] = {"", "<ResourceRecordSets/>", "<IsTruncated>false</IsTruncated>",
                                         "<ResourceRecordSets/><IsTruncated>true</IsTruncated>"};
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
        char *body = mem_fmt(", \"body\": \"<ListResourceRecordSetsResponse>%s</ListResourceRecordSetsResponse>\"", halves[i]);
        meet("GET /2013-04-01/hostedzone/", 200, body);
        fails_with("API_ANSWER", "does not hold what it must");
        free(body);
    }
    cloud_say("{\"do\": \"set\", \"name\": \"old form\", \"value\": true}");
    races_are_lost();
    meet("GET /2013-04-01/hostedzone/", 400,
         ", \"body\": \"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>\"");
    fails_with("API_RATE", "too many requests");
    cloud_say("{\"do\": \"set\", \"name\": \"token\", \"value\": \"session/+=\"}");
    fails_with("API_AUTH", "ExpiredToken");
    put_file("session", "session/+=\n");
    opened("rate = 1000\naccess_key_id = AKIDEXAMPLE\nsecret_key_file = $D/secret\nsession_token_file = $D/session\nendpoint = "
           "http://127.0.0.1:$P\n"
           "zone_ids = example.hk=Z111\n");
    forget();
    if (!reads())
        fail_msg("%s", last.text);
    assert_int_equal(requests("hostedzonesbyname"), 0);
    put_file("other", "not the key");
    opened("rate = 1000\naccess_key_id = AKIDEXAMPLE\nsecret_key_file = $D/other\nsession_token_file = $D/session\nendpoint = "
           "http://127.0.0.1:$P\n");
    fails_with("API_AUTH", "SignatureDoesNotMatch");
    opened("rate = 1000\naccess_key_id = AKIDOTHER\nsecret_key_file = $D/secret\nsession_token_file = $D/session\nendpoint = "
           "http://127.0.0.1:$P\n");
    fails_with("API_AUTH", "InvalidClientTokenId");
    shut();
    cloud_end();
}

static void tokens_are_kept_and_renewed(const char *ask, const char *section)
{
    opened(section);
    forget();
    assert_true(reads() && reads());
    assert_int_equal(requests(ask), 1);
    meet(kind->read, 401, "");
    fails_with("API_AUTH", "401");
    if (!reads())
        fail_msg("%s", last.text);
    assert_int_equal(requests(ask), 1);
    cloud_say("{\"do\": \"set\", \"name\": \"life\", \"value\": 30}");
    opened(section);
    assert_true(reads() && reads());
    assert_int_equal(requests(ask), 2);
    cloud_say("{\"do\": \"set\", \"name\": \"life\", \"value\": 3600}");
    opened(section);
    meet(ask, 200, ", \"body\": \"{\\\"access_token\\\": \\\"secret-\\\\n\\\"}\"");
    fails_with("API_ANSWER", "no access token");
}

static void google(void **state)
{
    (void)state;
    choose(&kinds[1]);
    the_zone_is_found("[[\"one\", \"example.hk.\", \"public\"], [\"two\", \"example.hk.\", \"public\"]]",
                      "[[\"inside\", \"example.hk.\", \"private\"], [\"example-hk\", \"example.hk.\", \"public\"]]");
    the_change_arrives_everywhere();
    pages_are_followed();
    tokens_are_kept_and_renewed("POST /token", kind->section);
    tokens_are_kept_and_renewed("GET /computeMetadata",
                                "rate = 1000\nproject = lab-project\nmetadata = http://127.0.0.1:$P\nendpoint = http://127.0.0.1:$P\n");
    shut();
    cloud_end();
}

static void azure(void **state)
{
    (void)state;
    choose(&kinds[2]);
    tokens_are_kept_and_renewed("POST /tenant", kind->section);
    tokens_are_kept_and_renewed("GET /metadata/identity",
                                "rate = 1000\nsubscription_id = sub\nresource_group = dns\nmetadata = http://127.0.0.1:$P\n"
                                "endpoint = http://127.0.0.1:$P\n");
    opened(kind->section);
    cloud_say("{\"do\": \"put\", \"owner\": \"m." ZONE
              "\", \"type\": \"TXT\", \"ttl\": 300, \"values\": [[\"x\"]], \"metadata\": {\"owner\": \"them\"}}");
    changed("m." ZONE, "ours", true);
    assert_non_null(
        strstr(cloud_say("{\"do\": \"get\", \"owner\": \"m." ZONE "\", \"type\": \"TXT\"}"), "\"metadata\": {\"owner\": \"them\"}"));
    assert_int_equal(change("u." ZONE, "\xff\xfe", true), CHANGE_REFUSED);
    assert_string_equal(last.code, "API_VALUE");
    put_file("other", "wrong s3cr3t");
    opened("rate = 1000\nsubscription_id = sub\nresource_group = dns\ntenant_id = tenant\nclient_id = app\nclient_secret_file = $D/other\n"
           "endpoint = http://127.0.0.1:$P\nauthority = http://127.0.0.1:$P\n");
    fails_with("API_AUTH", "401");
    shut();
    cloud_end();
}

static int begin(void **state)
{
    int bad = world_begin(state);
    put_file("secret", SECRET "\n");
    put_file("azure", "s3cr3t &~+");
    return bad;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {.name = "route53 keeps what provider.h promises", .test_func = all, .initial_state = (void *)(uintptr_t)&kinds[0]},
        {.name = "google keeps what provider.h promises", .test_func = all, .initial_state = (void *)(uintptr_t)&kinds[1]},
        {.name = "azure keeps what provider.h promises", .test_func = all, .initial_state = (void *)(uintptr_t)&kinds[2]},
        cmocka_unit_test(route53),
        cmocka_unit_test(google),
        cmocka_unit_test(azure),
    };
    return cmocka_run_group_tests_name("clouds", tests, begin, world_end);
}
