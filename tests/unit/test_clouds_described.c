/* The shipped description files whose requests are signed, against simulated clouds (tests/clouds/) that check the signatures by themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/fs.h"
#include "cloud_world.h"
#include "conf/describe.h"
#include "providers/http/described.h"

#define SECRET "s3cr3t/key+="

static const struct kind {
    const char *type, *script, *path, *section;
    const char *one, *foreign; /* a value in the API's form, by printf; a foreign one, "v=spf1 -all" */
    unsigned ttl;
} kinds[] = {
    {"dnspod", "records", "", "secret_id = AKIDLAB\nsecret_key_file = $D/secret\n", "\"%s\"", "\"v=spf1 -all\"", 600},
    {"alidns", "records", "", "access_key_id = AKIDLAB\naccess_key_secret_file = $D/secret\n", "\"%s\"", "\"v=spf1 -all\"", 600},
    {"huaweicloud", "sets", "", "access_key_id = AKIDLAB\nsecret_key_file = $D/secret\nregion = ap-southeast-1\n", "\"\\\"%s\\\"\"",
     "\"\\\"v=spf1 \\\" \\\"-all\\\"\"", 60},
    {"akamai", "sets", "/config-dns/v2",
     "host = x.luna.akamaiapis.net\nclient_token = AKIDLAB\nclient_secret_file = $D/secret\naccess_token_file = $D/token\n",
     "\"\\\"%s\\\"\"", "\"\\\"v=spf1 \\\" \\\"-all\\\"\"", 60},
};

/* The file as it is shipped, but for its address. */
static struct provider_ops *described(const struct kind *k)
{
    char *path = mem_fmt("conf/providers/%s.ini", k->type), *url = mem_fmt("http://127.0.0.1:%d%s", cloud.port, k->path), *text;
    size_t n;
    struct err e = {0};
    if (!fs_read(path, 1 << 20, &text, &n, &e))
        fail_msg("%s", e.text);
    char *at = strstr(text, "\nurl = ");
    assert_non_null(at);
    char *moved = mem_fmt("%.*s\nplain = yes\nurl = %s%s", (int)(at - text), text, url, at + 1 + strcspn(at + 1, "\n"));
    char *name = mem_fmt("%s.ini", k->type);
    struct provider_ops *p = described_type(describe_text(name, moved, strlen(moved)));
    const struct conf_fault *f = described_faults(p, &n);
    if (n)
        fail_msg("%s: line %u: %s", name, f->line, f->text);
    free(name);
    free(moved);
    free(text);
    free(url);
    free(path);
    return p;
}

/* The value, beside the foreign one or alone. */
static void stands_one(const struct kind *k, const char *owner, const char *value, bool beside)
{
    struct str one = STR_INIT(4096);
    for (const char *p = k->one; *p; p++)
        p[0] == '%' ? str_add(&one, value), p++ : str_put(&one, p, 1);
    stands(owner, k->ttl, beside ? k->foreign : str_text(&one), beside ? str_text(&one) : NULL);
    str_free(&one);
}

static void promises(void **state)
{
    const struct kind *k = *state;
    static const char *const owners[] = {ZONE, "_dcv." ZONE, "b.c." ZONE};
    net = NULL;
    cloud_begin(k->script, folder, k->type);
    struct provider_ops *p = described(k);
    ops = p;
    opened(k->section);
    for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) {
        stand(owners[i], "TXT", k->ttl, k->foreign, NULL);
        changed(owners[i], "token-1", true);
        stands_one(k, owners[i], "token-1", true);
        changed(owners[i], "token-1", true); /* again: there is one, not two */
        stands_one(k, owners[i], "token-1", true);
        changed(owners[i], "token-1", false);
        stands(owners[i], k->ttl, k->foreign, NULL);
        changed(owners[i], "token-1", false); /* again */
        stand(owners[i], "TXT", k->ttl, NULL, NULL);
        changed(owners[i], "token 2 +&=/%~", true);
        stands_one(k, owners[i], "token 2 +&=/%~", false);
        changed(owners[i], "token 2 +&=/%~", false);
        stands(owners[i], 0, NULL, NULL);
    }
    put_file("secret", "s3cr3t of somebody else");
    opened(k->section);
    struct rrset set = {.owner = ZONE};
    assert_false(look(&set, 1));
    if (strcmp(last.code, "API_AUTH") != 0 && strcmp(last.code, "API_STATUS") != 0)
        fail_msg("%s: %s", last.code, last.text);
    put_file("secret", SECRET "\n");
    shut();
    described_free(p);
    cloud_end();
}

static int begin(void **state)
{
    int bad = world_begin(state);
    put_file("secret", SECRET "\n");
    put_file("token", "s3cr3t-token\n");
    return bad;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {.name = "dnspod", .test_func = promises, .initial_state = (void *)(uintptr_t)&kinds[0]},
        {.name = "alidns", .test_func = promises, .initial_state = (void *)(uintptr_t)&kinds[1]},
        {.name = "huaweicloud", .test_func = promises, .initial_state = (void *)(uintptr_t)&kinds[2]},
        {.name = "akamai", .test_func = promises, .initial_state = (void *)(uintptr_t)&kinds[3]},
    };
    return cmocka_run_group_tests_name("clouds_described", tests, begin, world_end);
}
