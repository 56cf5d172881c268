/* canonical.c: the signatures that follow Amazon's Signature Version 4, one row of parameters each.
 *
 *  1. The request in canonical form: method, path, sorted query, sorted headers, their names, the body's hash.
 *  2. The text to sign: algorithm, time, scope, the hash of 1.
 *  3. The key: the secret, or what comes out of one HMAC after the other over the parts of the scope.
 *  4. Authorization: whose key, which headers, the HMAC of 2 with 3.
 *
 * Sources: docs.aws.amazon.com IAM "Create a signed request"; tencentcloud.com "Signature v3"; alibabacloud.com "V3 request structure and
 * signature"; support.huaweicloud.com devg-apisign "AK/SK signing"; volcengine.com docs/6369 "Signing". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "providers/sign/sign_impl.h"

enum path_form { PATH_SENT, PATH_ESCAPED_AGAIN, PATH_WITH_SLASH };
enum time_form { TIME_BASIC /* 20150830T123600Z, 20150830 */, TIME_EXTENDED /* 2015-08-30T12:36:00Z */, TIME_UNIX /* s; 2015-08-30 */ };

struct canon {
    const char *name, *algorithm;
    const char *covers; /* headers that are signed, Host always: names, or the beginnings of names in front of "*" */
    const char *time_header;
    enum time_form time;
    bool time_signed; /* it stands in the text to sign */
    const char *nonce_header, *hash_header, *token_header;
    const char *scope; /* behind the date, REGION and SERVICE replaced; NULL: no scope, and the secret is the key */
    const char *key_prefix;
    const char *credential, *comma; /* how Authorization is written */
    enum path_form path;
    bool lower_values; /* header values in lower case */
    bool one_blank;    /* several blanks in a header value count as one */
};

static const struct canon canons[] = {
    {.name = "aws-sigv4",
     .algorithm = "AWS4-HMAC-SHA256",
     .covers = "*",
     .time_header = "X-Amz-Date",
     .time_signed = true,
     .token_header = "X-Amz-Security-Token",
     .scope = "REGION/SERVICE/aws4_request",
     .key_prefix = "AWS4",
     .credential = "Credential",
     .comma = ", ",
     .path = PATH_ESCAPED_AGAIN,
     .one_blank = true},
    {.name = "tc3-hmac-sha256",
     .algorithm = "TC3-HMAC-SHA256",
     .covers = "content-type x-tc-action",
     .time_header = "X-TC-Timestamp",
     .time = TIME_UNIX,
     .time_signed = true,
     .token_header = "X-TC-Token",
     .scope = "SERVICE/tc3_request",
     .key_prefix = "TC3",
     .credential = "Credential",
     .comma = ", ",
     .lower_values = true},
    {.name = "acs3-hmac-sha256",
     .algorithm = "ACS3-HMAC-SHA256",
     .covers = "content-type x-acs-*",
     .time_header = "x-acs-date",
     .time = TIME_EXTENDED,
     .nonce_header = "x-acs-signature-nonce",
     .hash_header = "x-acs-content-sha256",
     .token_header = "x-acs-security-token",
     .credential = "Credential",
     .comma = ","},
    {.name = "sdk-hmac-sha256",
     .algorithm = "SDK-HMAC-SHA256",
     .covers = "*",
     .time_header = "X-Sdk-Date",
     .time_signed = true,
     .token_header = "X-Security-Token",
     .credential = "Access",
     .comma = ", ",
     .path = PATH_WITH_SLASH},
    {.name = "volc-hmac-sha256",
     .algorithm = "HMAC-SHA256",
     .covers = "content-type x-*",
     .time_header = "X-Date",
     .time_signed = true,
     .hash_header = "X-Content-Sha256",
     .token_header = "X-Security-Token",
     .scope = "REGION/SERVICE/request",
     .key_prefix = "",
     .credential = "Credential",
     .comma = ", "},
};

const struct canon *canon_find(const char *scheme)
{
    for (size_t i = 0; i < sizeof canons / sizeof *canons; i++)
        if (strcmp(canons[i].name, scheme) == 0)
            return &canons[i];
    return NULL;
}

const char *canon_missing(const struct canon *c, const struct sign_in *in)
{
    if (c->nonce_header && (!in->nonce || !*in->nonce))
        return "a nonce";
    if (c->scope && strstr(c->scope, "REGION") && (!in->region || !*in->region))
        return "the region";
    if (c->scope && (!in->service || !*in->service))
        return "the service";
    return NULL;
}

/* --- sorting ----------------------------------------------------------------------------------------------------------------------- */

/* By name, which ends at the mark, then by the rest: "a=" comes before "a-b=", although "-" is less than "=". */
static int by_name(const void *a, const void *b, void *mark)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    size_t nx = strcspn(x, mark), ny = strcspn(y, mark);
    int d = memcmp(x, y, nx < ny ? nx : ny);
    if (d == 0 && nx != ny)
        d = nx < ny ? -1 : 1;
    return d ? d : strcmp(x, y);
}

static void sort(struct strs *l, const char *mark)
{
    if (l->n)
        qsort_r(l->s, l->n, sizeof *l->s, by_name, (void *)(uintptr_t)mark);
}

/* --- 1: the canonical request ------------------------------------------------------------------------------------------------------- */

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Escaped anew, so that each octet is written in the one way of RFC 3986 6.2.2, whoever made the URL. `/` as it stands is kept with slash. */
static void escape(struct str *out, struct bytes b, bool slash)
{
    for (size_t i = 0; i < b.n; i++) {
        uint8_t c = b.p[i];
        if (c == '%' && b.n - i > 2 && hex_digit(b.p[i + 1]) >= 0 && hex_digit(b.p[i + 2]) >= 0) {
            c = (uint8_t)(hex_digit(b.p[i + 1]) << 4 | hex_digit(b.p[i + 2]));
            i += 2;
        } else if (c == '/' && slash) {
            str_put(out, &c, 1);
            continue;
        }
        text_percent(out, &c, 1);
    }
}

static void put_path(const struct canon *c, struct bytes path, struct str *out)
{
    if (!path.n) {
        str_add(out, "/");
        return;
    }
    if (c->path != PATH_ESCAPED_AGAIN)
        escape(out, path, true);
    else
        for (size_t i = 0; i < path.n; i++)
            path.p[i] == '/' ? str_add(out, "/") : text_percent(out, path.p + i, 1);
    if (c->path == PATH_WITH_SLASH && path.p[path.n - 1] != '/')
        str_add(out, "/");
}

static void put_query(struct bytes query, struct str *out)
{
    struct strs pairs = {0};
    const uint8_t *at = query.p, *end = query.p + query.n;
    while (at < end) {
        const uint8_t *next = memchr(at, '&', (size_t)(end - at)), *stop = next ? next : end;
        const uint8_t *equals = memchr(at, '=', (size_t)(stop - at));
        struct str pair = STR_INIT(SIGN_MAX);
        escape(&pair, (struct bytes){at, (size_t)((equals ? equals : stop) - at)}, false);
        str_add(&pair, "=");
        if (equals)
            escape(&pair, (struct bytes){equals + 1, (size_t)(stop - equals - 1)}, false);
        if (stop > at)
            strs_add(&pairs, str_text(&pair));
        str_free(&pair);
        at = stop + 1;
    }
    sort(&pairs, "=");
    for (size_t i = 0; i < pairs.n; i++)
        str_fmt(out, "%s%s", i ? "&" : "", pairs.s[i]);
    strs_free(&pairs);
}

static bool covered(const char *covers, const char *name, size_t n)
{
    for (const char *at = covers; *at;) {
        size_t len = strcspn(at, " ");
        bool begins = at[len - 1] == '*';
        if (begins ? n >= len - 1 && strncasecmp(at, name, len - 1) == 0 : n == len && strncasecmp(at, name, n) == 0)
            return true;
        at += len;
        at += *at == ' ';
    }
    return false;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* "Name:  some   Value " as "name:some Value" or what the scheme makes of it. */
static void add_header(const struct canon *c, const char *line, struct strs *out)
{
    size_t name = strcspn(line, ":");
    const char *value = line + name + (line[name] == ':');
    value += strspn(value, " \t");
    size_t n = strlen(value);
    while (n && (value[n - 1] == ' ' || value[n - 1] == '\t'))
        n--;
    struct str s = STR_INIT(SIGN_MAX);
    for (size_t i = 0; i < name; i++)
        str_put(&s, &(char){lower(line[i])}, 1);
    str_add(&s, ":");
    for (size_t i = 0; i < n; i++)
        if (!(c->one_blank && i && value[i] == ' ' && value[i - 1] == ' '))
            str_put(&s, c->lower_values ? &(char){lower(value[i])} : value + i, 1);
    strs_add(out, str_text(&s));
    str_free(&s);
}

/* Host, and what is covered of the request's own headers and of those that were added. */
static void gather(const struct canon *c, const struct sign_in *in, const struct url_parts *u, const struct strs *added, struct strs *out)
{
    char *host = mem_fmt("host:%.*s", (int)u->host.n, (const char *)u->host.p);
    add_header(c, host, out);
    free(host);
    const struct strs *from[] = {in->headers, added};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; from[k] && i < from[k]->n; i++)
            if (covered(c->covers, from[k]->s[i], strcspn(from[k]->s[i], ":")))
                add_header(c, from[k]->s[i], out);
    sort(out, ":");
}

/* The hash of the canonical request; *names: the signed headers, for Authorization. */
static void hash_request(const struct canon *c, const struct sign_in *in, const struct url_parts *u, const struct strs *added,
                         struct str *names, char hex[HEX_SIZE])
{
    struct strs headers = {0};
    struct str text = STR_INIT(SIGN_MAX);
    char body[HEX_SIZE];
    gather(c, in, u, added, &headers);
    str_fmt(&text, "%s\n", in->method);
    put_path(c, u->path, &text);
    str_add(&text, "\n");
    put_query(u->query, &text);
    str_add(&text, "\n");
    for (size_t i = 0; i < headers.n; i++) {
        str_fmt(&text, "%s\n", headers.s[i]);
        str_fmt(names, "%s%.*s", i ? ";" : "", (int)strcspn(headers.s[i], ":"), headers.s[i]);
    }
    sign_digest_hex(in->body.p, in->body.n, body);
    str_fmt(&text, "\n%s\n%s", str_text(names), body);
    sign_digest_hex(str_text(&text), text.n, hex);
    str_free(&text);
    strs_free(&headers);
}

/* --- 2 to 4 -------------------------------------------------------------------------------------------------------------------------- */

static void basic(char *text)
{
    char *to = text;
    for (const char *c = text; *c; c++)
        if (*c != '-' && *c != ':')
            *to++ = *c;
    *to = '\0';
}

static void time_text(enum time_form form, int64_t when, char out[32])
{
    if (form == TIME_UNIX)
        snprintf(out, 32, "%" PRId64, when);
    else
        time_show(when, out);
    if (form == TIME_BASIC)
        basic(out);
}

static struct strs scope_of(const struct canon *c, const struct sign_in *in)
{
    struct strs parts = {0};
    char date[32];
    if (!c->scope)
        return parts;
    day_show(in->time, date);
    if (c->time == TIME_BASIC)
        basic(date);
    strs_add(&parts, date);
    for (const char *at = c->scope; *at;) {
        size_t n = strcspn(at, "/");
        if (strncmp(at, "REGION", n) == 0)
            strs_add(&parts, in->region);
        else if (strncmp(at, "SERVICE", n) == 0)
            strs_add(&parts, in->service);
        else
            strs_add_n(&parts, at, n);
        at += n + (at[n] == '/');
    }
    return parts;
}

static void sign_text(const struct canon *c, const struct sign_in *in, const struct strs *scope, const char *text, char hex[HEX_SIZE])
{
    struct secret key = {0};
    uint8_t md[DIGEST_SIZE];
    struct str first = STR_INIT(SIGN_MAX);
    str_add(&first, c->scope ? c->key_prefix : "");
    str_put(&first, in->secret->p, in->secret->n);
    secret_set(&key, first.p, first.n);
    for (size_t i = 0; i < scope->n; i++) {
        sign_mac(key.p, key.n, scope->s[i], strlen(scope->s[i]), md);
        secret_set(&key, md, sizeof md);
    }
    sign_mac(key.p, key.n, text, strlen(text), md);
    hex_show(hex, HEX_SIZE, md, sizeof md);
    explicit_bzero(first.p, first.n);
    str_free(&first);
    secret_free(&key);
}

static void add_line(struct strs *out, const char *name, const char *value)
{
    char *line = mem_fmt("%s: %s", name, value);
    strs_add(out, line);
    free(line);
}

void canon_sign(const struct canon *c, const struct sign_in *in, const struct url_parts *u, struct strs *out)
{
    char when[32], body[HEX_SIZE], hash[HEX_SIZE], signature[HEX_SIZE];
    struct strs added = {0}, scope = scope_of(c, in);
    time_text(c->time, in->time, when);
    add_line(&added, c->time_header, when);
    if (c->nonce_header)
        add_line(&added, c->nonce_header, in->nonce);
    sign_digest_hex(in->body.p, in->body.n, body);
    if (c->hash_header)
        add_line(&added, c->hash_header, body);
    if (in->token && in->token->n)
        add_line(&added, c->token_header, (const char *)in->token->p);

    struct str names = STR_INIT(SIGN_MAX), text = STR_INIT(SIGN_MAX);
    char *path = strs_join(&scope, "/");
    hash_request(c, in, u, &added, &names, hash);
    str_fmt(&text, "%s\n", c->algorithm);
    if (c->time_signed)
        str_fmt(&text, "%s\n", when);
    if (c->scope)
        str_fmt(&text, "%s\n", path);
    str_add(&text, hash);
    sign_text(c, in, &scope, str_text(&text), signature);

    for (size_t i = 0; i < added.n; i++)
        strs_add(out, added.s[i]);
    char *line = mem_fmt("Authorization: %s %s=%s%s%s%sSignedHeaders=%s%sSignature=%s", c->algorithm, c->credential, in->id,
                         c->scope ? "/" : "", path, c->comma, str_text(&names), c->comma, signature);
    strs_add(out, line);
    free(line);
    free(path);
    str_free(&names);
    str_free(&text);
    strs_free(&added);
    strs_free(&scope);
}
