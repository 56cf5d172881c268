#include "cert/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/mem.h"
#include "cert/ossl.h"

enum { KEY_FILE_MAX = 65536 };

EVP_PKEY *ossl_new_key(enum key_type type, struct err *e)
{
    EVP_PKEY *key = NULL;
    switch (type) {
    case KEY_RSA2048:
        key = EVP_RSA_gen(2048);
        break;
    case KEY_RSA3072:
        key = EVP_RSA_gen(3072);
        break;
    case KEY_RSA4096:
        key = EVP_RSA_gen(4096);
        break;
    case KEY_P256:
        key = EVP_EC_gen("P-256");
        break;
    case KEY_P384:
        key = EVP_EC_gen("P-384");
        break;
    case KEY_DEFAULT:
    default:
        err_set(e, RC_BUG, "KEY_TYPE", "a key of type %d was asked for: the CA's default was not filled in", (int)type);
        return NULL;
    }
    if (!key && !ERR_peek_error()) /* in a thread that has no memory OpenSSL cannot even note that */
        err_set(e, RC_RESOURCE, "KEY_MAKE", "no private key could be made, and OpenSSL says not why: there was too little memory");
    else if (!key)
        ossl_fault(e, RC_FAILED, "KEY_MAKE", "no private key could be made");
    return key;
}

bool key_generate(enum key_type type, struct secret *pem, struct err *e)
{
    EVP_PKEY *key = ossl_new_key(type, e);
    bool ok = key && ossl_key_pem(key, pem, e);
    EVP_PKEY_free(key);
    return ok;
}

static bool order_ok(const char *order)
{
    size_t n = strlen(order);
    return n > 0 && n < 24 && strspn(order, "0123456789abcdef-") == n;
}

void key_path(const char *state_dir, const char *order, char *out, size_t size)
{
    int n = order_ok(order) ? snprintf(out, size, "%s/keys/%s.key", state_dir, order) : -1;
    if (size && (n < 0 || (size_t)n >= size))
        *out = '\0';
}

static char *path_of(const char *state_dir, const char *order, struct err *e)
{
    if (order_ok(order))
        return mem_fmt("%s/keys/%s.key", state_dir, order);
    char shown[64];
    err_set(e, RC_BUG, "KEY_ORDER", "\"%s\" is no order id, so it names no key file", text_safe(shown, sizeof shown, order, strlen(order)));
    return NULL;
}

bool key_store(const char *state_dir, const char *order, const struct secret *pem, struct err *e)
{
    char *path = path_of(state_dir, order, e);
    if (!path)
        return false;
    char *folder = mem_fmt("%s/keys", state_dir);
    bool ok = fs_folder(folder, 0700, e) && fs_create(path, pem->p, pem->n, 0600, e);
    if (ok)
        durable("key");
    free(folder);
    free(path);
    return ok;
}

bool key_load(const char *state_dir, const char *order, struct secret *pem, struct err *e)
{
    char *path = path_of(state_dir, order, e), *text = NULL;
    size_t n = 0;
    struct err fault = {0};
    if (!path)
        return false;
    bool ok = fs_read(path, KEY_FILE_MAX, &text, &n, &fault);
    if (ok) {
        secret_set(pem, text, n);
        explicit_bzero(text, n);
    } else if (fault.code && !strcmp(fault.code, "NO_FILE")) {
        err_set(e, RC_STATE, "NO_KEY", "the key of order %s is not there: %s is missing", order, path);
        err_at(e, "%s", path);
    } else {
        err_set(e, fault.rc, fault.code, "%s", fault.text);
        err_at(e, "%s", path);
    }
    free(text);
    free(path);
    return ok;
}

bool key_check(const struct secret *pem, struct err *e)
{
    EVP_PKEY *key = ossl_key(pem, e);
    char word[16];
    if (!key)
        return false;
    ossl_key_word(key, word);
    bool ok = ossl_key_allowed(key);
    if (!ok) {
        err_set(e, RC_STATE, "KEY_WEAK", "no public CA signs a key of type %s: RSA of 2048 bits or more, P-256, P-384 or P-521 is needed",
                word);
    } else {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
        ok = ctx && EVP_PKEY_check(ctx) == 1;
        EVP_PKEY_CTX_free(ctx);
        if (!ok)
            ossl_fault(e, RC_STATE, "KEY_BAD", "the private key (%s) is damaged: its parts do not fit together", word);
    }
    ossl_forget();
    EVP_PKEY_free(key);
    return ok;
}

bool key_spki(const struct secret *pem, char hex[65], struct err *e)
{
    EVP_PKEY *key = ossl_key(pem, e);
    if (!key)
        return false;
    bool ok = ossl_spki_of_key(key, hex) || ossl_fault(e, RC_STATE, "KEY_BAD", "the public half of the private key cannot be written");
    EVP_PKEY_free(key);
    return ok;
}

bool key_type_of(const struct secret *pem, char word[16], struct err *e)
{
    EVP_PKEY *key = ossl_key(pem, e);
    if (!key)
        return false;
    ossl_key_word(key, word);
    EVP_PKEY_free(key);
    return true;
}
