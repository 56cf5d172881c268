/* tsig.c: RFC 8945 over octets. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>

#include "base/record.h"
#include "net/tsig.h"

enum { TYPE_TSIG = 250, ERROR_BADSIG = 16, ERROR_BADKEY = 17, ERROR_BADTIME = 18, ERROR_BADTRUNC = 22 };

static const struct {
    const char *name, *digest;
    size_t size;
} algs[TSIG_ALGS] = {
    [TSIG_MD5] = {"hmac-md5.sig-alg.reg.int", "MD5", 16}, [TSIG_SHA1] = {"hmac-sha1", "SHA1", 20},
    [TSIG_SHA224] = {"hmac-sha224", "SHA224", 28},        [TSIG_SHA256] = {"hmac-sha256", "SHA256", 32},
    [TSIG_SHA384] = {"hmac-sha384", "SHA384", 48},        [TSIG_SHA512] = {"hmac-sha512", "SHA512", 64},
};

const char *tsig_alg_name(enum tsig_alg alg)
{
    return algs[alg].name;
}

size_t tsig_alg_size(enum tsig_alg alg)
{
    return algs[alg].size;
}

const char *tsig_result_word(enum tsig_result r)
{
    static const char *const words[TSIG_RESULTS] = {
        [TSIG_OK] = "OK",
        [TSIG_UNSIGNED] = "UNSIGNED",
        [TSIG_FOREIGN] = "FOREIGN",
        [TSIG_BADSIG] = "WRONG_MAC",
        [TSIG_BADKEY] = "BADKEY",
        [TSIG_BADSIG_SAID] = "BADSIG",
        [TSIG_BADTIME] = "BADTIME",
        [TSIG_BADTRUNC] = "BADTRUNC",
        [TSIG_ERROR] = "ERROR",
        [TSIG_TWO] = "TWO",
        [TSIG_NOT_LAST] = "NOT_LAST",
        [TSIG_MALFORMED] = "MALFORMED",
    };
    return words[r];
}

static bool hmac(const struct tsig_key *key, const struct bytes *part, size_t n, uint8_t mac[TSIG_MAC_MAX])
{
    char digest[12];
    snprintf(digest, sizeof digest, "%s", algs[key->alg].digest);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
    EVP_MAC *m = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *c = m ? EVP_MAC_CTX_new(m) : NULL;
    bool ok = c && EVP_MAC_init(c, key->secret.p, key->secret.n, params);
    for (size_t i = 0; ok && i < n; i++)
        ok = !part[i].n || EVP_MAC_update(c, part[i].p, part[i].n);
    size_t size = 0;
    ok = ok && EVP_MAC_final(c, mac, &size, TSIG_MAC_MAX) && size == algs[key->alg].size;
    EVP_MAC_CTX_free(c);
    EVP_MAC_free(m);
    return ok;
}

/* The "TSIG variables" that are signed beside the message (RFC 8945 4.3.3). */
static void variables(struct wire *w, const struct tsig_key *key, uint64_t when, unsigned fudge, unsigned error, struct bytes other)
{
    wire_name(w, key->name);
    wire_u16(w, CLASS_ANY);
    wire_u32(w, 0);
    wire_name(w, algs[key->alg].name);
    wire_u48(w, when);
    wire_u16(w, fudge);
    wire_u16(w, error);
    wire_u16(w, (unsigned)other.n);
    wire_put(w, other.p, other.n);
}

bool tsig_sign(struct wire *w, const struct tsig_key *key, int64_t now, struct tsig_sent *sent, struct err *e)
{
    uint64_t when = now > 0 ? (uint64_t)now : 0;
    struct wire v = WIRE_INIT(1024);
    variables(&v, key, when, TSIG_FUDGE, 0, (struct bytes){0});
    if (w->bad || v.bad || w->n < WIRE_HEADER) {
        wire_free(&v);
        return err_set(e, RC_BUG, "TSIG", "a message could not be signed: it or the name of the key is malformed");
    }
    struct bytes part[] = {{w->p, w->n}, {v.p, v.n}};
    bool ok = hmac(key, part, 2, sent->mac);
    wire_free(&v);
    if (!ok)
        return err_set(e, RC_RESOURCE, "TSIG",
                       "OpenSSL refuses %s (FIPS mode?); make a key with another algorithm: tsig-keygen -a hmac-sha256",
                       algs[key->alg].name);
    sent->n = algs[key->alg].size;
    sent->id = (uint16_t)wire_at16(w->p);

    wire_name(w, key->name);
    wire_u16(w, TYPE_TSIG);
    wire_u16(w, CLASS_ANY);
    wire_u32(w, 0);
    size_t length = w->n;
    wire_u16(w, 0);
    wire_name(w, algs[key->alg].name);
    wire_u48(w, when);
    wire_u16(w, TSIG_FUDGE);
    wire_u16(w, (unsigned)sent->n);
    wire_put(w, sent->mac, sent->n);
    wire_u16(w, sent->id);
    wire_u16(w, 0); /* error */
    wire_u16(w, 0); /* other data */
    if (w->bad)
        return err_set(e, RC_BUG, "TSIG", "a message grew over its limit of %zu octets by its signature", w->max);
    wire_set16(w, length, (unsigned)(w->n - length - 2));
    wire_set16(w, 10, wire_at16(w->p + 10) + 1);
    return true;
}

/* The TSIG of an answer, taken apart. */
struct found {
    size_t at; /* where its owner begins: the end of what is signed */
    uint8_t owner[WIRE_NAME_MAX], alg[WIRE_NAME_MAX];
    size_t n_owner, n_alg;
    uint64_t when;
    unsigned fudge, original, error;
    struct bytes mac, other;
};

static bool parse_rdata(struct found *f, const uint8_t *p, size_t n)
{
    struct wire_in r = {.p = p, .n = n};
    f->n_alg = wire_in_name(&r, f->alg);
    f->when = wire_in_u48(&r);
    f->fudge = wire_in_u16(&r);
    f->mac.n = wire_in_u16(&r);
    f->mac.p = wire_in_take(&r, f->mac.n);
    f->original = wire_in_u16(&r);
    f->error = wire_in_u16(&r);
    f->other.n = wire_in_u16(&r);
    f->other.p = wire_in_take(&r, f->other.n);
    return !r.bad && r.at == n;
}

/* Walks the whole message: TSIG_OK: exactly one TSIG, the last record of the additional section, nothing behind it. */
static enum tsig_result find(const uint8_t *msg, size_t n, struct found *f)
{
    struct wire_in r = {.p = msg, .n = n, .at = WIRE_HEADER};
    if (n < WIRE_HEADER || n > WIRE_MESSAGE_MAX)
        return TSIG_MALFORMED;
    for (unsigned i = wire_at16(msg + 4); i && !r.bad; i--) {
        wire_in_skip_name(&r);
        wire_in_take(&r, 4);
    }
    unsigned before = wire_at16(msg + 6) + wire_at16(msg + 8), total = before + wire_at16(msg + 10), seen = 0, last = 0;
    bool sound = true;
    for (unsigned i = 0; i < total && !r.bad; i++) {
        struct found g = {.at = r.at};
        g.n_owner = wire_in_name(&r, g.owner);
        unsigned type = wire_in_u16(&r), class = wire_in_u16(&r);
        uint32_t ttl = wire_in_u32(&r);
        size_t length = wire_in_u16(&r);
        const uint8_t *rdata = wire_in_take(&r, length);
        if (!rdata || type != TYPE_TSIG)
            continue;
        seen++;
        last = i;
        sound = class == CLASS_ANY && ttl == 0 && parse_rdata(&g, rdata, length);
        *f = g;
    }
    if (r.bad || r.at != n)
        return TSIG_MALFORMED;
    if (seen != 1)
        return seen ? TSIG_TWO : TSIG_UNSIGNED;
    if (last + 1 != total || last < before)
        return TSIG_NOT_LAST;
    return sound ? TSIG_OK : TSIG_MALFORMED;
}

static bool same_name(const uint8_t *wire, size_t n, const char *text)
{
    struct wire w = WIRE_INIT(WIRE_NAME_MAX);
    wire_name(&w, text);
    bool same = !w.bad && w.n == n && memcmp(w.p, wire, n) == 0;
    wire_free(&w);
    return same;
}

/* Is the MAC of the answer right? (RFC 8945 5.3) */
static bool mac_right(const uint8_t *msg, const struct found *f, const struct tsig_sent *sent, const struct tsig_key *key)
{
    struct wire head = WIRE_INIT(2 + TSIG_MAC_MAX + WIRE_HEADER), v = WIRE_INIT(WIRE_MESSAGE_MAX + 1024);
    wire_u16(&head, (unsigned)sent->n);
    wire_put(&head, sent->mac, sent->n);
    wire_u16(&head, f->original);
    wire_put(&head, msg + 2, 8);
    wire_u16(&head, wire_at16(msg + 10) - 1);
    variables(&v, key, f->when, f->fudge, f->error, f->other);
    struct bytes part[] = {{head.p, head.n}, {msg + WIRE_HEADER, f->at - WIRE_HEADER}, {v.p, v.n}};
    uint8_t mac[TSIG_MAC_MAX];
    bool right = !head.bad && !v.bad && hmac(key, part, 3, mac) && CRYPTO_memcmp(mac, f->mac.p, f->mac.n) == 0;
    OPENSSL_cleanse(mac, sizeof mac);
    wire_free(&head);
    wire_free(&v);
    return right;
}

/* What the error field says; TSIG_OK: nothing. */
static enum tsig_result said(const struct found *f, int64_t now, struct tsig_verdict *v)
{
    switch (f->error) {
    case 0:
        return TSIG_OK;
    case ERROR_BADSIG:
        return TSIG_BADSIG_SAID;
    case ERROR_BADKEY:
        return TSIG_BADKEY;
    case ERROR_BADTRUNC:
        return TSIG_BADTRUNC;
    case ERROR_BADTIME:
        if (f->other.n == 6) {
            struct wire_in r = {.p = f->other.p, .n = 6};
            v->skew = now - (int64_t)wire_in_u48(&r);
        }
        return TSIG_BADTIME;
    default:
        return TSIG_ERROR;
    }
}

struct tsig_verdict tsig_verify(const uint8_t *reply, size_t n, const struct tsig_sent *sent, const struct tsig_key *key, int64_t now)
{
    struct found f = {0};
    struct tsig_verdict v = {.result = find(reply, n, &f)};
    if (v.result != TSIG_OK)
        return v;
    v.error = (uint16_t)f.error;
    v.result = TSIG_MALFORMED;
    size_t full = algs[key->alg].size, half = full / 2 > 10 ? full / 2 : 10;
    if (wire_at16(reply) != sent->id || !(reply[2] & 0x80))
        return v;
    if (!same_name(f.owner, f.n_owner, key->name) || !same_name(f.alg, f.n_alg, algs[key->alg].name)) {
        v.result = TSIG_FOREIGN;
    } else if (f.mac.n == 0) { /* only an error may come without (RFC 8945 5.3.2), and it proves nothing */
        v.result = said(&f, now, &v);
        if (v.result == TSIG_OK)
            v.result = TSIG_BADSIG;
    } else if (f.mac.n > full || f.mac.n < half) {
        v.result = TSIG_MALFORMED;
    } else if (f.mac.n < (key->mac_min ? key->mac_min : full)) {
        v.result = TSIG_BADTRUNC;
    } else if (!mac_right(reply, &f, sent, key)) {
        v.result = TSIG_BADSIG;
    } else {
        v.proven = true;
        v.result = said(&f, now, &v);
        int64_t apart = now - (int64_t)f.when;
        if (v.result == TSIG_OK && (apart > (int64_t)f.fudge || apart < -(int64_t)f.fudge)) {
            v.result = TSIG_BADTIME;
            v.skew = apart;
        }
    }
    return v;
}
