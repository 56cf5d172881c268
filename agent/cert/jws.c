#include "cert/jws.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/base64.h"
#include "base/mem.h"
#include "cert/ossl.h"

enum { TEXT_MAX = 4 << 20, COORDINATE_MAX = 48 };

struct jws_key {
    EVP_PKEY *key;
    const char *alg;
    size_t half; /* octets of a coordinate; 0: RSA */
    char *jwk;
    char thumbprint[THUMBPRINT_SIZE];
};

void sha256(const void *p, size_t n, uint8_t out[SHA256_SIZE])
{
    SHA256(p, n, out);
}

/* --- keys -------------------------------------------------------------------------------------------------------------------------- */

static bool number(const EVP_PKEY *key, const char *name, size_t size, struct str *out)
{
    BIGNUM *bn = NULL;
    uint8_t buf[1024];
    bool ok = EVP_PKEY_get_bn_param(key, name, &bn) == 1;
    size_t n = ok ? (size_t)BN_num_bytes(bn) : 0;
    n = size ? size : n;
    ok = ok && n <= sizeof buf && BN_bn2binpad(bn, buf, (int)n) >= 0;
    if (ok)
        b64url_put(out, buf, n);
    BN_free(bn);
    return ok;
}

/* Members in the order of their names, no blanks: the octets that the thumbprint is made of. */
static bool describe(struct jws_key *k, const char *curve)
{
    struct str a = STR_INIT(TEXT_MAX), b = STR_INIT(TEXT_MAX), hash = STR_INIT(64);
    bool ok = k->half ? number(k->key, OSSL_PKEY_PARAM_EC_PUB_X, k->half, &a) && number(k->key, OSSL_PKEY_PARAM_EC_PUB_Y, k->half, &b)
                      : number(k->key, OSSL_PKEY_PARAM_RSA_E, 0, &a) && number(k->key, OSSL_PKEY_PARAM_RSA_N, 0, &b);
    if (ok) {
        uint8_t md[SHA256_SIZE];
        k->jwk = k->half ? mem_fmt("{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", curve, str_text(&a), str_text(&b))
                         : mem_fmt("{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", str_text(&a), str_text(&b));
        sha256(k->jwk, strlen(k->jwk), md);
        b64url_put(&hash, md, sizeof md);
        memcpy(k->thumbprint, str_text(&hash), THUMBPRINT_SIZE);
    }
    str_free(&a);
    str_free(&b);
    str_free(&hash);
    return ok;
}

struct jws_key *jws_key_open(const struct secret *pem, struct err *e)
{
    char word[16];
    EVP_PKEY *key = ossl_key(pem, e);
    if (!key)
        return NULL;
    struct jws_key *k = mem_new(sizeof *k);
    k->key = key;
    ossl_key_word(key, word);
    bool p384 = strcmp(word, "p384") == 0, ec = p384 || strcmp(word, "p256") == 0;
    bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) >= 2048;
    k->alg = p384 ? "ES384" : ec ? "ES256" : "RS256";
    k->half = p384 ? 48 : ec ? 32 : 0;
    if (ec || rsa ? describe(k, p384 ? "P-384" : "P-256")
                  : err_set(e, RC_STATE, "KEY_WEAK", "a key of type %s signs no ACME requests: P-256, P-384 or RSA is needed", word))
        return k;
    ossl_fault(e, RC_STATE, "KEY_BAD", "the public half of the account key cannot be written");
    jws_key_free(k);
    return NULL;
}

void jws_key_free(struct jws_key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->key);
    free(k->jwk);
    free(k);
}

const char *jws_alg(const struct jws_key *k)
{
    return k->alg;
}

const char *jws_jwk(const struct jws_key *k)
{
    return k->jwk;
}

const char *jws_thumbprint(const struct jws_key *k)
{
    return k->thumbprint;
}

/* --- signing ----------------------------------------------------------------------------------------------------------------------- */

/* OpenSSL's DER into r and s side by side, each as long as a coordinate (RFC 7518 3.4). */
static bool flat(const uint8_t *der, size_t n, size_t half, struct str *out)
{
    uint8_t both[2 * COORDINATE_MAX];
    const uint8_t *p = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
    bool ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), both, (int)half) >= 0 &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), both + half, (int)half) >= 0;
    if (ok)
        b64url_put(out, both, 2 * half);
    ECDSA_SIG_free(sig);
    return ok;
}

static bool signature(const struct jws_key *k, const char *text, size_t n, struct str *out)
{
    const EVP_MD *md = k->half == 48 ? EVP_sha384() : EVP_sha256();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t size = 0;
    uint8_t *raw = NULL;
    bool ok =
        ctx && EVP_DigestSignInit(ctx, NULL, md, NULL, k->key) == 1 && EVP_DigestSign(ctx, NULL, &size, (const uint8_t *)text, n) == 1;
    if (ok) {
        raw = mem_new(size);
        ok = EVP_DigestSign(ctx, raw, &size, (const uint8_t *)text, n) == 1;
    }
    if (ok && k->half)
        ok = flat(raw, size, k->half, out);
    else if (ok)
        b64url_put(out, raw, size);
    free(raw);
    EVP_MD_CTX_free(ctx);
    return ok;
}

/* "header.payload", both encoded: what is signed. */
static struct str signing_input(const char *header, struct bytes payload, size_t *dot)
{
    struct str in = STR_INIT(TEXT_MAX);
    b64url_put(&in, header, strlen(header));
    *dot = in.n;
    str_add(&in, ".");
    b64url_put(&in, payload.p, payload.n);
    return in;
}

static bool assemble(struct str *in, size_t dot, struct str *sig, bool ok, struct str *out, struct err *e)
{
    if (ok) {
        str_add(out, "{\"protected\":\"");
        str_put(out, in->p, dot);
        str_add(out, "\",\"payload\":\"");
        str_put(out, in->p + dot + 1, in->n - dot - 1);
        str_add(out, "\",\"signature\":\"");
        str_put(out, str_text(sig), sig->n);
        str_add(out, "\"}");
    }
    str_free(in);
    str_free(sig);
    return ok || ossl_fault(e, RC_FAILED, "JWS_SIGN", "the request to the CA cannot be signed");
}

bool jws_sign(const struct jws_key *k, const char *header, struct bytes payload, struct str *out, struct err *e)
{
    size_t dot;
    struct str in = signing_input(header, payload, &dot), sig = STR_INIT(4096);
    return assemble(&in, dot, &sig, signature(k, in.p, in.n, &sig), out, e);
}

bool jws_mac(const char *alg, const struct secret *key, const char *header, struct bytes payload, struct str *out, struct err *e)
{
    size_t dot;
    struct str in = signing_input(header, payload, &dot), sig = STR_INIT(4096);
    const EVP_MD *md = strcmp(alg, "HS512") == 0   ? EVP_sha512()
                       : strcmp(alg, "HS384") == 0 ? EVP_sha384()
                       : strcmp(alg, "HS256") == 0 ? EVP_sha256()
                                                   : NULL;
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    bool ok = md && HMAC(md, key->p, (int)key->n, (const uint8_t *)in.p, in.n, mac, &n) != NULL;
    if (ok)
        b64url_put(&sig, mac, n);
    return assemble(&in, dot, &sig, ok, out, e);
}
