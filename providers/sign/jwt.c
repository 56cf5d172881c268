/* jwt.c: JSON Web Tokens signed with RS256 (RFC 7515 3.1, RFC 7518 3.3): the assertion of a Google service account.
 * cert/jws.c signs likewise, but the two are neighbours, and what they share is one call of OpenSSL: no floor of its own is made for that. */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/base64.h"
#include "base/mem.h"
#include "providers/sign/sign.h"

enum { PEM_MAX = 65536, BITS_MIN = 2048, TOKEN_MAX = 65536 };

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf, (void)size, (void)writing, (void)arg;
    return -1;
}

static EVP_PKEY *read_key(const struct secret *pem)
{
    BIO *in = pem->n && pem->n <= PEM_MAX ? BIO_new_mem_buf(pem->p, (int)pem->n) : NULL;
    EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL) : NULL;
    BIO_free(in);
    if (key && (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) < BITS_MIN)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

static bool put_signature(EVP_PKEY *key, const struct str *text, struct str *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t n = (size_t)EVP_PKEY_get_size(key);
    uint8_t *raw = mem_new(n);
    bool ok = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestSign(ctx, raw, &n, (const unsigned char *)text->p, text->n) == 1;
    if (ok)
        b64url_put(out, raw, n);
    free(raw);
    EVP_MD_CTX_free(ctx);
    return ok;
}

bool sign_jwt(const struct secret *pem, const char *header, const char *claims, struct str *out, struct err *e)
{
    EVP_PKEY *key = read_key(pem);
    struct str text = STR_INIT(TOKEN_MAX), signature = STR_INIT(TOKEN_MAX);
    b64url_put(&text, header, strlen(header));
    str_add(&text, ".");
    b64url_put(&text, claims, strlen(claims));
    bool ok = key && put_signature(key, &text, &signature);
    if (ok)
        str_fmt(out, "%s.%s", str_text(&text), str_text(&signature));
    EVP_PKEY_free(key);
    ERR_clear_error();
    str_free(&text);
    str_free(&signature);
    return ok || err_set(e, RC_CONF, "SIGN_KEY",
                         "the private key signs no tokens: an unencrypted RSA key of %d bits or more in PEM is needed", BITS_MIN);
}
