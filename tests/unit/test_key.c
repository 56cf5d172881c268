#include "cert/key.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/param_build.h>

#include "base/mem.h"
#include "tests/unit/pki.c"

static char dir[] = "/tmp/dcv-key-XXXXXX";

static int begin(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    char *keys = mem_fmt("%s/keys", dir);
    DIR *d = opendir(keys);
    struct dirent *f;
    while (d && (f = readdir(d)))
        unlinkat(dirfd(d), f->d_name, 0);
    if (d)
        closedir(d);
    rmdir(keys);
    free(keys);
    pki_free();
    return rmdir(dir);
}

static void generates(void **state)
{
    (void)state;
    static const struct {
        enum key_type type;
        const char *word;
    } rows[] = {{KEY_RSA2048, "rsa2048"}, {KEY_RSA3072, "rsa3072"}, {KEY_RSA4096, "rsa4096"}, {KEY_P256, "p256"}, {KEY_P384, "p384"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct secret pem = {0};
        struct err e = {0};
        char word[16], hex[65], again[65];
        assert_true(key_generate(rows[i].type, &pem, &e));
        assert_memory_equal(pem.p, "-----BEGIN PRIVATE KEY-----", 27);
        assert_true(key_check(&pem, &e));
        assert_true(key_type_of(&pem, word, &e));
        assert_string_equal(word, rows[i].word);
        assert_true(key_spki(&pem, hex, &e) && key_spki(&pem, again, &e));
        assert_int_equal(strlen(hex), 64);
        assert_string_equal(hex, again);
        secret_free(&pem);
    }
    struct secret pem = {0};
    struct err e = {0};
    assert_false(key_generate(KEY_DEFAULT, &pem, &e));
    assert_int_equal(e.rc, RC_BUG);
    assert_null(pem.p);
}

static void refuses(void **state)
{
    (void)state;
    struct secret weak = {0}, odd = {0}, ed = {0};
    char word[16];
    EVP_PKEY *curve = EVP_EC_gen("secp256k1"), *edwards = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    pki_secret(pki_rsa(1024), &weak);
    pki_secret(curve, &odd);
    pki_secret(edwards, &ed);
    static const char public[] = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n";
    static const char encrypted[] =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
        "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjSpPQEQ4Q1RQICCAAw\n-----END ENCRYPTED PRIVATE KEY-----\n";
    struct secret text[] = {{(uint8_t *)(uintptr_t) public, sizeof public - 1},
                            {(uint8_t *)(uintptr_t)encrypted, sizeof encrypted - 1},
                            {(uint8_t *)(uintptr_t) "", 0},
                            {(uint8_t *)(uintptr_t) "rubbish", 7},
                            {NULL, 0}};
    struct {
        const struct secret *s;
        const char *code;
    } rows[] = {{&weak, "KEY_WEAK"},   {&odd, "KEY_WEAK"},    {&ed, "KEY_WEAK"},     {&text[0], "KEY_BAD"},
                {&text[1], "KEY_BAD"}, {&text[2], "KEY_BAD"}, {&text[3], "KEY_BAD"}, {&text[4], "KEY_BAD"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = {0};
        assert_false(key_check(rows[i].s, &e));
        assert_string_equal(e.code, rows[i].code);
        assert_int_equal(e.rc, RC_STATE);
    }
    struct err e = {0};
    assert_true(key_type_of(&weak, word, &e));
    assert_string_equal(word, "rsa1024");
    assert_true(key_type_of(&ed, word, &e));
    assert_string_equal(word, "ed25519");
    secret_free(&weak);
    secret_free(&odd);
    secret_free(&ed);
    EVP_PKEY_free(curve);
    EVP_PKEY_free(edwards);
}

/* A private half whose public half belongs to another key. */
static void finds_damage(void **state)
{
    (void)state;
    struct secret pem = {0};
    struct err e = {0};
    BIGNUM *private = NULL;
    unsigned char public[133];
    size_t n = 0;
    EVP_PKEY *key = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(pki_key(0), "priv", &private), 1);
    assert_int_equal(EVP_PKEY_get_octet_string_param(pki_key(1), "pub", public, sizeof public, &n), 1);
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_utf8_string(bld, "group", "P-256", 0);
    OSSL_PARAM_BLD_push_BN(bld, "priv", private);
    OSSL_PARAM_BLD_push_octet_string(bld, "pub", public, n);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params), 1);
    pki_secret(key, &pem);
    assert_false(key_check(&pem, &e));
    assert_string_equal(e.code, "KEY_BAD");
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);
    BN_clear_free(private);
    secret_free(&pem);
}

static void stores_once(void **state)
{
    (void)state;
    struct secret one = {0}, two = {0}, back = {0};
    struct err e = {0};
    struct stat st;
    char path[256];
    pki_secret(pki_key(0), &one);
    pki_secret(pki_key(1), &two);
    assert_true(key_store(dir, "20270115-0f3a9c21d7", &one, &e));
    key_path(dir, "20270115-0f3a9c21d7", path, sizeof path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_false(key_store(dir, "20270115-0f3a9c21d7", &two, &e));
    assert_string_equal(e.code, "EXISTS");
    e = (struct err){0};
    assert_true(key_load(dir, "20270115-0f3a9c21d7", &back, &e));
    assert_int_equal(back.n, one.n);
    assert_memory_equal(back.p, one.p, one.n);
    assert_false(key_load(dir, "20270115-ffffffffff", &back, &e));
    assert_string_equal(e.code, "NO_KEY");
    assert_int_equal(e.rc, RC_STATE);
    secret_free(&one);
    secret_free(&two);
    secret_free(&back);
}

static void refuses_odd_orders(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "../x", "a/b", "A", "20270115-0f3a9c21d7-0f3a9c21d7", "x", ".", "1\n"};
    struct secret one = {0}, back = {0};
    pki_secret(pki_key(0), &one);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = {0};
        char path[64] = "x";
        assert_false(key_store(dir, bad[i], &one, &e));
        assert_int_equal(e.rc, RC_BUG);
        assert_false(key_load(dir, bad[i], &back, NULL));
        key_path(dir, bad[i], path, sizeof path);
        assert_string_equal(path, "");
    }
    char small[8] = "x";
    key_path(dir, "1", small, sizeof small);
    assert_string_equal(small, "");
    secret_free(&one);
}

static void full_disk(void **state)
{
    (void)state;
    static const char *const plans[] = {"write:ENOSPC", "fsync:EIO", "link:ENOSPC", "open:EROFS"};
    struct secret one = {0};
    char path[256];
    pki_secret(pki_key(0), &one);
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        struct err e = {0};
        setenv("DCVAGENT_FAIL", plans[i], 1);
        assert_false(key_store(dir, "aa", &one, &e));
        unsetenv("DCVAGENT_FAIL");
        assert_true(e.rc == RC_CREATE || e.rc == RC_STATE);
        key_path(dir, "aa", path, sizeof path);
        assert_int_not_equal(access(path, F_OK), 0);
    }
    struct err e = {0};
    assert_true(key_store(dir, "aa", &one, &e));
    secret_free(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generates),          cmocka_unit_test(refuses),   cmocka_unit_test(finds_damage), cmocka_unit_test(stores_once),
        cmocka_unit_test(refuses_odd_orders), cmocka_unit_test(full_disk),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
