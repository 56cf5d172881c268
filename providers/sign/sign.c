/* sign.c: which scheme signs, what a URL consists of, and the two digests that nearly all of them use. */
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "providers/sign/sign_impl.h"

static const char akamai[] = "eg1-hmac-sha256", ovh[] = "ovh-sha1";

bool sign_url_split(const char *url, struct url_parts *u)
{
    static const char secure[] = "https://", plain[] = "http://", usual_port[] = ":443";
    const char *at = url;
    if (strncmp(url, secure, strlen(secure)) == 0)
        at += strlen(secure);
    else if (strncmp(url, plain, strlen(plain)) == 0)
        at += strlen(plain);
    else
        return false;
    size_t host = strcspn(at, "/?"), path = strcspn(at + host, "?");
    const char *query = at + host + path;
    u->host = (struct bytes){(const uint8_t *)at, host};
    u->path = (struct bytes){(const uint8_t *)at + host, path};
    query += *query == '?';
    u->query = (struct bytes){(const uint8_t *)query, strlen(query)};
    size_t port = strlen(usual_port); /* no client writes the port that is understood into Host */
    if (*(url + 4) == 's' && host > port && memcmp(at + host - port, usual_port, port) == 0)
        u->host.n -= port;
    return host > 0 && !memchr(at, '@', host) && !strchr(at, '#');
}

void sign_digest(const void *p, size_t n, uint8_t out[DIGEST_SIZE])
{
    SHA256(p, n, out);
}

void sign_digest_hex(const void *p, size_t n, char out[HEX_SIZE])
{
    uint8_t md[DIGEST_SIZE];
    sign_digest(p, n, md);
    hex_show(out, HEX_SIZE, md, sizeof md);
}

void sign_mac(const void *key, size_t key_n, const void *p, size_t n, uint8_t out[DIGEST_SIZE])
{
    unsigned size;
    HMAC(EVP_sha256(), key, (int)key_n, p, n, out, &size);
}

bool sign_known(const char *scheme)
{
    return canon_find(scheme) || strcmp(scheme, akamai) == 0 || strcmp(scheme, ovh) == 0;
}

bool sign_request(const char *scheme, const struct sign_in *in, struct strs *out, struct err *e)
{
    const struct canon *c = canon_find(scheme);
    struct url_parts u;
    const char *missing = NULL;
    if (!sign_known(scheme))
        return err_set(e, RC_CONF, "SIGN", "sign = %s: there is no such signature", scheme);
    if (!sign_url_split(in->url, &u))
        return err_set(e, RC_CONF, "SIGN", "a request cannot be signed (%s): its URL is none", scheme);
    if (!in->id || !*in->id)
        missing = "the id of the key";
    else if (!in->secret || !in->secret->n)
        missing = "the secret of the key";
    else if (c)
        missing = canon_missing(c, in);
    else if (!in->token || !in->token->n)
        missing = strcmp(scheme, ovh) == 0 ? "the consumer key" : "the access token";
    if (missing)
        return err_set(e, RC_CONF, "SIGN", "a request cannot be signed (%s): %s is missing", scheme, missing);
    if (c)
        canon_sign(c, in, &u, out);
    else if (strcmp(scheme, ovh) == 0)
        ovh_sign(in, out);
    else
        akamai_sign(in, &u, out);
    return true;
}
