#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "net/tsig_key.h"
#include "providers/provider.h"

#define S   "c2VjcmV0IG9mIHRoZSB0ZXN0cw==" /* "secret of the tests" */
#define KEY "secret of the tests"

static const struct good {
    const char *text, *want, *name;
    enum tsig_alg alg;
    unsigned mac_min;
} good[] = {
    {"key \"dcv\" {\n\talgorithm hmac-sha256;\n\tsecret \"" S "\";\n};\n", NULL, "dcv", TSIG_SHA256, 0},
    {"key DCV.Example. { secret " S "; algorithm \"HMAC-SHA512.\"; };", NULL, "dcv.example", TSIG_SHA512, 0},
    {"\xef\xbb\xbf# c\n// c\n/* key x { */ key k{algorithm hmac-sha1;secret\"" S "\";};", NULL, "k", TSIG_SHA1, 0},
    {"key k { algorithm hmac-sha256-128; secret \"c2Vjcm V0IG9m\n IHRoZSB0ZXN0cw==\"; }", NULL, "k", TSIG_SHA256, 16},
    {"key k { algorithm hmac-md5; secret \"" S "\"; };", NULL, "k", TSIG_MD5, 0},
    {"key k { algorithm hmac-md5.sig-alg.reg.int; secret \"" S "\"; };", NULL, "k", TSIG_MD5, 0},
    {"server 192.0.2.1 { keys { a; }; };\nkey a { algorithm hmac-sha224; secret \"" S "\"; };\noptions { x 1; };", NULL, "a", TSIG_SHA224,
     0},
    {"key a { algorithm hmac-sha1; secret \"AAAA\"; };\nkey b { algorithm hmac-sha384; secret \"" S "\"; };", "B.", "b", TSIG_SHA384, 0},
    {"# hmac-sha256:dcv:" S "\nkey:\n  - id: dcv\n    algorithm: hmac-sha256\n    secret: " S "\n", NULL, "dcv", TSIG_SHA256, 0},
    {"key:\r\n- id: \"Dcv.\" # c\r\n  secret: '" S "'\r\n  algorithm: hmac-sha512 # c\r\n", NULL, "dcv", TSIG_SHA512, 0},
    {"server:\n    listen: 192.0.2.1@53\nkey:\n  - id: a\n    algorithm: hmac-sha1\n    secret: AAAA\n  - id: b\n    algorithm: "
     "hmac-sha256\n    secret: " S "\nacl:\n  - id: x\n    key: b\n",
     "b", "b", TSIG_SHA256, 0},
    {"hmac-sha256:dcv:" S, NULL, "dcv", TSIG_SHA256, 0},
    {"  HMAC-SHA384:Dcv.:" S "\r\n", NULL, "dcv", TSIG_SHA384, 0},
    {"dcv. hmac-sha512. " S "\n", NULL, "dcv", TSIG_SHA512, 0},
    {"a. hmac-sha1. AAAA\nb. hmac-sha512. " S "\n", "b", "b", TSIG_SHA512, 0},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const struct good *g = &good[i];
        struct tsig_key k = {0};
        struct err e = {0};
        size_t n = strlen(g->text);
        uint8_t *exact = mem_copy(g->text, n);
        bool ok = tsig_key_parse(&k, (struct bytes){exact, n}, g->want, true, &e);
        free(exact);
        if (!ok || strcmp(k.name, g->name) != 0 || k.alg != g->alg || k.mac_min != g->mac_min || k.secret.n != strlen(KEY) ||
            memcmp(k.secret.p, KEY, k.secret.n) != 0)
            fail_msg("case %zu: %s; name %s, %s, %u, %zu octets", i, e.text, k.name, tsig_alg_name(k.alg), k.mac_min, k.secret.n);
        tsig_key_free(&k);
        assert_null(k.secret.p);
    }
}

static const struct {
    const char *text, *want, *says;
} bad[] = {
    {"", NULL, "no key"},
    {"\n# only a comment", NULL, "no key"},
    {"key", NULL, "none of the forms"},
    {"key k {", NULL, "not understood"},
    {"key k { algorithm hmac-sha256; secret \"" S "\"", NULL, "semicolon"},
    {"key k { algorithm hmac-sha256; };", NULL, "lacks"},
    {"key k { secret \"" S "\"; };", NULL, "lacks"},
    {"key k { algorithm hmac-sha256 secret \"" S "\"; };", NULL, "semicolon"},
    {"key k { algorithm hmac-sha256; colour red; secret \"" S "\"; };", NULL, "only algorithm and secret"},
    {"key \"\" { algorithm hmac-sha256; secret \"" S "\"; };", NULL, "no name"},
    {"key a..b { algorithm hmac-sha256; secret \"" S "\"; };", NULL, "no name"},
    {"key k { algorithm hmac-sha255; secret \"" S "\"; };", NULL, "unknown algorithm"},
    {"key k { algorithm hmac-sha256-64; secret \"" S "\"; };", NULL, "unknown algorithm"},
    {"key k { algorithm hmac-sha256-264; secret \"" S "\"; };", NULL, "unknown algorithm"},
    {"key k { algorithm hmac-sha256-130; secret \"" S "\"; };", NULL, "unknown algorithm"},
    {"key k { algorithm hmac-sha256-; secret \"" S "\"; };", NULL, "unknown algorithm"},
    {"key k { algorithm sha256; secret \"" S "\"; };", NULL, "unknown algorithm"},
    {"key k { algorithm hmac-sha256; secret \"\"; };", NULL, "is empty"},
    {"key k { algorithm hmac-sha256; secret \" \"; };", NULL, "is empty"},
    {"key k { algorithm hmac-sha256; secret \"====\"; };", NULL, "not base64"},
    {"key k { algorithm hmac-sha256; secret \"AAAA=\"; };", NULL, "not base64"},
    {"key k { algorithm hmac-sha256; secret \"AAA\"; };", NULL, "cut off"},
    {"key k { algorithm hmac-sha256; secret \"AA=\"; };", NULL, "cut off"},
    {"key k { algorithm hmac-sha256; secret \"A\"; };", NULL, "cut off"},
    {"key k { algorithm hmac-sha256; secret \"AB==\"; };", NULL, "cut off"},
    {"key k { algorithm hmac-sha256; secret \"AAB=\"; };", NULL, "cut off"},
    {"key k { algorithm hmac-sha256; secret \"AA==AA==\"; };", NULL, "behind its padding"},
    {"key k { algorithm hmac-sha256; secret \"AA-_\"; };", NULL, "not base64"},
    {"key a { algorithm hmac-sha1; secret AAAA; }; key b { algorithm hmac-sha1; secret AAAA; };", NULL, "2 keys"},
    {"key a { algorithm hmac-sha1; secret AAAA; }; key b { algorithm hmac-sha1; secret AAAA; };", "c", "no key named c"},
    {"key a { algorithm hmac-sha1; secret AAAA; }; key A. { algorithm hmac-sha1; secret AAAA; };", "a", "2 keys of that name"},
    {"key:\n  - id: a\n    secret: AAAA\n", NULL, "lacks"},
    {"key:\n  - id: a\n    colour: red\n", NULL, "only id, algorithm and secret"},
    {"key:\n  - id a\n", NULL, "not `word: value`"},
    {"key:\n", NULL, "no key"},
    {"hmac-sha256:dcv", NULL, "none of the forms"},
    {"dcv:" S, NULL, "none of the forms"},
    {"hmac-sha256::" S, NULL, "none of the forms"},
    {"just some text", NULL, "unknown algorithm"},
    {"<html><body>404", NULL, "none of the forms"},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tsig_key k = {0};
        struct err e = {0};
        bool ok = tsig_key_parse(&k, (struct bytes){(const uint8_t *)bad[i].text, strlen(bad[i].text)}, bad[i].want, true, &e);
        if (ok || e.rc != RC_CONF || !strstr(e.text, bad[i].says) || strstr(e.text, S))
            fail_msg("case %zu (%s): %s", i, bad[i].text, e.text);
        tsig_key_free(&k);
    }
    struct tsig_key k = {0};
    struct err e = {0};
    assert_false(tsig_key_parse(&k, (struct bytes){NULL, 0}, NULL, true, &e));
}

static void test_md5(void **state)
{
    (void)state;
    struct tsig_key k = {0};
    struct err e = {0};
    assert_false(tsig_key_make(&k, "k", "HMAC-MD5", (struct bytes){(const uint8_t *)S, strlen(S)}, false, &e));
    assert_string_equal(e.code, "TSIG_MD5");
    assert_non_null(strstr(e.text, "tsig_allow_md5"));
    tsig_key_free(&k);
    char why[160];
    assert_true(tsig_algorithm_check("hmac-sha256", why));
    assert_true(tsig_algorithm_check("HMAC-SHA512.", why));
    assert_false(tsig_algorithm_check("", why));
    assert_false(tsig_algorithm_check("hmac-sha3", why));
}

static void put(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    chmod(path, mode);
}

static char folder[] = "/tmp/test-tsig-key-XXXXXX";

/* Sections as the configuration gives them. */
static void test_section(void **state)
{
    (void)state;
    static const struct {
        const char *keys;
        bool ok, none;
        const char *name, *says;
    } rows[] = {
        {"", true, true, "", ""},
        {"tsig_key_file = %1$s/bind.key\n", true, false, "bind", ""},
        {"tsig_key_file = %1$s/bind.key\ntsig_name = BIND.\n", true, false, "bind", ""},
        {"tsig_key_file = %1$s/bind.key\ntsig_name = other\n", false, false, "", "no key named other"},
        {"tsig_name = dcv\ntsig_secret_file = %1$s/secret\n", true, false, "dcv", ""},
        {"tsig_name = dcv\ntsig_algorithm = hmac-sha1\ntsig_secret_file = %1$s/secret\n", true, false, "dcv", ""},
        {"tsig_name = dcv\ntsig_algorithm = hmac-md5\ntsig_secret_file = %1$s/secret\n", false, false, "", "outdated"},
        {"tsig_name = dcv\ntsig_algorithm = hmac-md5\ntsig_allow_md5 = yes\ntsig_secret_file = %1$s/secret\n", true, false, "dcv", ""},
        {"tsig_name = dcv\n", false, false, "", "tsig_secret_file is missing"},
        {"tsig_secret_file = %1$s/secret\n", false, false, "", "tsig_name is missing"},
        {"tsig_key_file = %1$s/bind.key\ntsig_secret_file = %1$s/secret\n", false, false, "", "both set"},
        {"tsig_key_file = %1$s/loose.key\n", false, false, "", "chmod"},
        {"tsig_key_file = %1$s/none.key\n", false, false, "", ""},
    };
    const struct conf_module modules[] = {{.kind = "provider", .type = "rfc2136", .keys = provider_type("rfc2136")->keys}, {0}};
    char path[100];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/bind.key", folder);
    put(path, good[0].text, 0600);
    put(path, "key bind { algorithm hmac-sha256; secret \"" S "\"; };", 0600);
    snprintf(path, sizeof path, "%s/secret", folder);
    put(path, S "\n", 0600);
    snprintf(path, sizeof path, "%s/loose.key", folder);
    put(path, "key bind { algorithm hmac-sha256; secret \"" S "\"; };", 0644);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str text = STR_INIT(4096);
        str_add(&text, "[provider p]\ntype = rfc2136\nserver = 192.0.2.1\nzones = example.hk\n");
        for (const char *p = rows[i].keys; *p; p++) {
            if (strncmp(p, "%1$s", 4) == 0) {
                str_add(&text, folder);
                p += 3;
            } else {
                str_put(&text, p, 1);
            }
        }
        struct conf *c = conf_load_text("t.ini", str_text(&text), text.n, modules);
        struct tsig_key k = {0};
        struct err e = {0};
        bool none = false;
        bool ok = tsig_key_section(&k, conf_provider(c, "p"), &none, &e);
        if (ok != rows[i].ok || (ok && (none != rows[i].none || strcmp(k.name, rows[i].name) != 0)) || !strstr(e.text, rows[i].says) ||
            strstr(e.text, S))
            fail_msg("row %zu: %d %d %s: %s", i, ok, none, k.name, e.text);
        if (ok && !none)
            assert_memory_equal(k.secret.p, KEY, strlen(KEY));
        tsig_key_free(&k);
        conf_free(c);
        str_free(&text);
    }
    const char *const files[] = {"bind.key", "secret", "loose.key"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_md5),
        cmocka_unit_test(test_section),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
