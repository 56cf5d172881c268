/* vendors.c: two signatures that are like no other.
 *
 * Akamai: techdocs.akamai.com "EdgeGrid authentication"; the body is hashed for POST alone. OVH: help.ovhcloud.com "First steps with the API". */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/sha.h>

#include "base/base64.h"
#include "base/mem.h"
#include "providers/sign/sign_impl.h"

enum { AKAMAI_BODY_MAX = 131072 }; /* octets of the body that are hashed: the standard of .edgerc's max-body */

static void mac_b64(const void *key, size_t key_n, struct str *text, struct str *out)
{
    uint8_t md[DIGEST_SIZE];
    sign_mac(key, key_n, str_text(text), text->n, md);
    b64_put(out, md, sizeof md);
}

/* method TAB scheme TAB host TAB path and query TAB (no headers) TAB hash of the body TAB the beginning of Authorization */
void akamai_sign(const struct sign_in *in, const struct url_parts *u, struct strs *out)
{
    struct str when = STR_INIT(64), key = STR_INIT(64), start = STR_INIT(4096), text = STR_INIT(SIGN_MAX), signature = STR_INIT(64);
    char stamp[32];
    time_t t = (time_t)in->time;
    struct tm tm;
    gmtime_r(&t, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H:%M:%S+0000", &tm);
    str_add(&when, stamp);
    mac_b64(in->secret->p, in->secret->n, &when, &key);
    str_fmt(&start, "EG1-HMAC-SHA256 client_token=%s;access_token=%s;timestamp=%s;nonce=%s;", in->id, (const char *)in->token->p, stamp,
            in->nonce ? in->nonce : "");
    str_fmt(&text, "%s\t%.*s\t%.*s\t%s%.*s%s%.*s\t\t", in->method, (int)strcspn(in->url, ":"), in->url, (int)u->host.n,
            (const char *)u->host.p, u->path.n ? "" : "/", (int)u->path.n, (const char *)u->path.p, u->query.n ? "?" : "", (int)u->query.n,
            (const char *)u->query.p);
    if (strcmp(in->method, "POST") == 0 && in->body.n) {
        uint8_t md[DIGEST_SIZE];
        sign_digest(in->body.p, in->body.n < AKAMAI_BODY_MAX ? in->body.n : AKAMAI_BODY_MAX, md);
        b64_put(&text, md, sizeof md);
    }
    str_fmt(&text, "\t%s", str_text(&start));
    mac_b64(str_text(&key), key.n, &text, &signature);
    char *line = mem_fmt("Authorization: %ssignature=%s", str_text(&start), str_text(&signature));
    strs_add(out, line);
    free(line);
    explicit_bzero(key.p, key.n);
    struct str *const all[] = {&when, &key, &start, &text, &signature};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        str_free(all[i]);
}

/* SHA-1 of secret+consumer+method+url+body+time: not an HMAC, hence the "$1$" in front, should it ever change. */
void ovh_sign(const struct sign_in *in, struct strs *out)
{
    struct str text = STR_INIT(SIGN_MAX), lines[4] = {STR_INIT(4096), STR_INIT(4096), STR_INIT(4096), STR_INIT(4096)};
    uint8_t md[SHA_DIGEST_LENGTH];
    char hex[2 * SHA_DIGEST_LENGTH + 1];
    str_put(&text, in->secret->p, in->secret->n);
    str_add(&text, "+");
    str_put(&text, in->token->p, in->token->n);
    str_fmt(&text, "+%s+%s+", in->method, in->url);
    str_put(&text, in->body.p, in->body.n);
    str_fmt(&text, "+%" PRId64, in->time);
    SHA1((const unsigned char *)text.p, text.n, md);
    hex_show(hex, sizeof hex, md, sizeof md);
    str_fmt(&lines[0], "X-Ovh-Application: %s", in->id);
    str_fmt(&lines[1], "X-Ovh-Consumer: %s", (const char *)in->token->p);
    str_fmt(&lines[2], "X-Ovh-Timestamp: %" PRId64, in->time);
    str_fmt(&lines[3], "X-Ovh-Signature: $1$%s", hex);
    for (size_t i = 0; i < 4; i++) {
        strs_add(out, str_text(&lines[i]));
        str_free(&lines[i]);
    }
    explicit_bzero(text.p, text.n);
    str_free(&text);
}
