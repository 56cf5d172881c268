/* tsig_key.c: see tsig_key.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "conf/conf.h"
#include "net/tsig_key.h"

enum { WORD_MAX = 2048, SECRET_FILE_MAX = 4096 };

/* "HMAC-SHA256.", "hmac-md5", "hmac-sha512-256" (the MAC cut to 256 bits). */
static bool algorithm_parse(const char *text, enum tsig_alg *alg, unsigned *mac_min)
{
    char word[64];
    size_t n = strlen(text);
    if (n && text[n - 1] == '.')
        n--;
    if (n == 0 || n >= sizeof word)
        return false;
    memcpy(word, text, n);
    word[n] = '\0';
    if (strcasecmp(word, "hmac-md5") == 0)
        snprintf(word, sizeof word, "%s", tsig_alg_name(TSIG_MD5));
    *mac_min = 0;
    for (int i = 0; i < TSIG_ALGS; i++) {
        const char *name = tsig_alg_name((enum tsig_alg)i);
        size_t len = i == TSIG_MD5 ? strlen("hmac-md5") : strlen(name);
        *alg = (enum tsig_alg)i;
        if (strcasecmp(word, name) == 0)
            return true;
        if (strncasecmp(word, name, len) != 0 || word[len] != '-')
            continue;
        char *end;
        unsigned long bits = strtoul(word + len + 1, &end, 10), full = tsig_alg_size(*alg) * 8;
        if (!isdigit((unsigned char)word[len + 1]) || *end || bits % 8 || bits > full || bits < 80 || bits < full / 2)
            return false;
        *mac_min = (unsigned)bits / 8;
        return true;
    }
    return false;
}

bool tsig_algorithm_check(const char *value, char why[160])
{
    enum tsig_alg alg;
    unsigned min;
    if (algorithm_parse(value, &alg, &min))
        return true;
    snprintf(why, 160, "allowed: hmac-sha256 hmac-sha224 hmac-sha384 hmac-sha512 hmac-sha1, and hmac-md5 with tsig_allow_md5 = yes");
    return false;
}

static int base64_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Strict, but blanks and line ends between the characters are fine. NULL: decoded; else what is wrong. */
static const char *base64_decode(struct bytes in, struct secret *out)
{
    uint8_t *p = mem_new(in.n / 4 * 3 + 3);
    size_t n = 0, digits = 0, pads = 0;
    uint32_t bits = 0;
    const char *wrong = NULL;
    for (size_t i = 0; i < in.n && !wrong; i++) {
        if (isspace(in.p[i]))
            continue;
        int v = base64_value(in.p[i]);
        if (in.p[i] == '=' && digits % 4 >= 2 && pads < 2) {
            pads++;
            continue;
        }
        if (v < 0)
            wrong = "holds characters that are not base64";
        else if (pads)
            wrong = "goes on behind its padding (=)";
        bits = bits << 6 | (uint32_t)(v & 63);
        if (++digits % 4 == 0) {
            p[n++] = (uint8_t)(bits >> 16);
            p[n++] = (uint8_t)(bits >> 8);
            p[n++] = (uint8_t)bits;
        }
    }
    size_t rest = digits % 4;
    if (!wrong && !digits)
        wrong = "is empty";
    else if (!wrong && (rest == 1 || (rest + pads) % 4 || (rest == 2 && bits & 15) || (rest == 3 && bits & 3)))
        wrong = "is cut off: base64 comes in groups of four, filled up with =";
    if (!wrong && rest)
        p[n++] = (uint8_t)(rest == 2 ? bits >> 4 : bits >> 10);
    if (!wrong && rest == 3)
        p[n++] = (uint8_t)(bits >> 2);
    if (!wrong)
        secret_set(out, p, n);
    explicit_bzero(p, in.n / 4 * 3 + 3);
    free(p);
    return wrong;
}

static bool key_name(const char *text, char out[NAME_SIZE])
{
    size_t n = strlen(text);
    if (n && text[n - 1] == '.')
        n--;
    if (n == 0 || n >= NAME_SIZE)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] <= ' ' || text[i] > '~' || strchr("\\\"';:{}", text[i]))
            return false;
        out[i] = (char)tolower((unsigned char)text[i]);
    }
    out[n] = '\0';
    struct wire w = WIRE_INIT(WIRE_NAME_MAX);
    wire_name(&w, out);
    bool good = !w.bad;
    wire_free(&w);
    return good;
}

bool tsig_key_make(struct tsig_key *k, const char *name, const char *algorithm, struct bytes base64, bool md5, struct err *e)
{
    char shown[96];
    if (!key_name(name, k->name))
        return err_set(e, RC_CONF, "TSIG_KEY", "\"%s\" is no name for a TSIG key: labels of 1 to 63 letters, digits, - or _ between dots",
                       text_safe(shown, sizeof shown, name, strlen(name)));
    if (!algorithm_parse(algorithm, &k->alg, &k->mac_min))
        return err_set(e, RC_CONF, "TSIG_KEY",
                       "TSIG key %s: unknown algorithm \"%s\"; known: hmac-sha256 (224, 384, 512), hmac-sha1, hmac-md5", k->name,
                       text_safe(shown, sizeof shown, algorithm, strlen(algorithm)));
    if (k->alg == TSIG_MD5 && !md5)
        return err_set(e, RC_CONF, "TSIG_MD5",
                       "TSIG key %s uses hmac-md5, which is outdated; make a new key (tsig-keygen -a hmac-sha256 %s), or set "
                       "tsig_allow_md5 = yes",
                       k->name, k->name);
    const char *wrong = base64_decode(base64, &k->secret);
    if (wrong)
        return err_set(e, RC_CONF, "TSIG_KEY", "the secret of TSIG key %s %s; copy it again from the server", k->name, wrong);
    return true;
}

void tsig_key_free(struct tsig_key *k)
{
    secret_free(&k->secret);
    *k = (struct tsig_key){0};
}

/* What was read of one key; pointers into the file's text. */
struct raw {
    struct bytes name, alg, secret;
};

/* Looks for the wanted key among those that a file holds, one after another. */
struct picker {
    const char *want;
    struct raw got;
    unsigned keys, hits;
};

static bool word_of(struct bytes b, char out[NAME_SIZE + 2])
{
    if (b.n > NAME_SIZE || (b.n && memchr(b.p, 0, b.n)))
        return false;
    if (b.n)
        memcpy(out, b.p, b.n);
    out[b.n] = '\0';
    return true;
}

static void pick(struct picker *p, const struct raw *r)
{
    char name[NAME_SIZE + 2], inner[NAME_SIZE], want[NAME_SIZE];
    p->keys++;
    if (p->want && !(word_of(r->name, name) && key_name(name, inner) && key_name(p->want, want) && strcmp(inner, want) == 0))
        return;
    p->hits++;
    p->got = *r;
}

struct text {
    const uint8_t *p;
    size_t n, at;
};

/* Blanks and the comments of BIND and Knot: #, //, slash-star. */
static void skip_blank(struct text *t)
{
    while (t->at < t->n) {
        const uint8_t *p = t->p + t->at;
        size_t left = t->n - t->at;
        if (isspace(*p)) {
            t->at++;
        } else if (*p == '#' || (left > 1 && p[0] == '/' && p[1] == '/')) {
            while (t->at < t->n && t->p[t->at] != '\n')
                t->at++;
        } else if (left > 1 && p[0] == '/' && p[1] == '*') {
            const uint8_t *end = memmem(p + 2, left - 2, "*/", 2);
            t->at = end ? (size_t)(end - t->p) + 2 : t->n;
        } else {
            return;
        }
    }
}

/* The next word, "string", or one of { } ; in named.conf syntax. Empty: the end. */
static struct bytes bind_token(struct text *t)
{
    skip_blank(t);
    struct bytes b = {t->p + t->at, 0};
    if (t->at == t->n)
        return b;
    if (strchr("{};", t->p[t->at]) && t->p[t->at]) {
        t->at++;
        b.n = 1;
    } else if (t->p[t->at] == '"') {
        b.p++;
        for (t->at++; t->at < t->n && t->p[t->at] != '"'; t->at++)
            b.n++;
        t->at += t->at < t->n;
    } else {
        for (; t->at < t->n && !isspace(t->p[t->at]) && (!t->p[t->at] || !strchr("{};\"", t->p[t->at])); t->at++)
            b.n++;
    }
    return b;
}

static bool is_word(struct bytes b, const char *word)
{
    return b.n == strlen(word) && strncasecmp((const char *)b.p, word, b.n) == 0;
}

static const char *bind_key(struct text *t, struct picker *p)
{
    struct raw r = {.name = bind_token(t)};
    if (!is_word(bind_token(t), "{"))
        return "`key NAME` is not followed by {";
    for (;;) {
        struct bytes b = bind_token(t);
        if (is_word(b, "}"))
            break;
        if (is_word(b, "algorithm"))
            r.alg = bind_token(t);
        else if (is_word(b, "secret"))
            r.secret = bind_token(t);
        else
            return "a key holds only algorithm and secret";
        if (!is_word(bind_token(t), ";"))
            return "a semicolon is missing";
    }
    if (!r.alg.p || !r.secret.p)
        return "a key lacks its algorithm or its secret";
    pick(p, &r);
    return NULL;
}

/* named.conf syntax; other statements are passed over. */
static const char *bind_file(struct text *t, struct picker *p)
{
    while (skip_blank(t), t->at < t->n) {
        struct bytes b = bind_token(t);
        bool key = is_word(b, "key");
        const char *wrong = key ? bind_key(t, p) : NULL;
        if (wrong)
            return wrong;
        for (unsigned depth = 0; !(is_word(b, ";") && depth == 0);) {
            skip_blank(t);
            if (t->at == t->n)
                return key && !depth ? NULL : "the file ends inside a statement";
            b = bind_token(t);
            depth += is_word(b, "{");
            depth -= depth && is_word(b, "}");
        }
    }
    return NULL;
}

static struct bytes trim(struct bytes b)
{
    while (b.n && isspace(b.p[0]))
        b.p++, b.n--;
    while (b.n && isspace(b.p[b.n - 1]))
        b.n--;
    return b;
}

static bool next_line(struct text *t, struct bytes *line)
{
    if (t->at >= t->n)
        return false;
    const uint8_t *p = t->p + t->at, *end = memchr(p, '\n', t->n - t->at);
    size_t n = end ? (size_t)(end - p) : t->n - t->at;
    t->at += n + (end != NULL);
    *line = trim((struct bytes){p, n});
    return true;
}

/* A value of knot.conf: without a comment behind it and without quotes. */
static struct bytes knot_value(struct bytes b)
{
    b = trim(b);
    if (b.n > 1 && (b.p[0] == '"' || b.p[0] == '\'')) {
        const uint8_t *end = memchr(b.p + 1, b.p[0], b.n - 1);
        return end ? (struct bytes){b.p + 1, (size_t)(end - b.p) - 1} : (struct bytes){b.p, 0};
    }
    for (size_t i = 1; i < b.n; i++)
        if (b.p[i] == '#' && isspace(b.p[i - 1]))
            b.n = i;
    return trim(b);
}

static const char *knot_end(struct picker *p, struct raw *r)
{
    const char *wrong = r->name.p && (!r->alg.p || !r->secret.p) ? "a key lacks its algorithm or its secret" : NULL;
    if (r->name.p && !wrong)
        pick(p, r);
    *r = (struct raw){0};
    return wrong;
}

/* The `key:` section of knot.conf; other sections are passed over. */
static const char *knot_file(struct text *t, struct picker *p)
{
    struct raw r = {0};
    struct bytes line;
    bool inside = false;
    while (next_line(t, &line)) {
        if (!line.n || line.p[0] == '#')
            continue;
        bool item = line.n > 1 && line.p[0] == '-' && isspace(line.p[1]);
        if (item)
            line = trim((struct bytes){line.p + 1, line.n - 1});
        const uint8_t *colon = memchr(line.p, ':', line.n);
        if (!colon)
            return "a line is not `word: value`";
        struct bytes word = trim((struct bytes){line.p, (size_t)(colon - line.p)});
        struct bytes value = knot_value((struct bytes){colon + 1, (size_t)(line.p + line.n - colon) - 1});
        const char *wrong = item || !value.n ? knot_end(p, &r) : NULL;
        if (wrong)
            return wrong;
        if (!item && !value.n)
            inside = is_word(word, "key");
        else if (inside && is_word(word, "id"))
            r.name = value;
        else if (inside && is_word(word, "algorithm"))
            r.alg = value;
        else if (inside && is_word(word, "secret"))
            r.secret = value;
        else if (inside)
            return "a key holds only id, algorithm and secret";
    }
    return knot_end(p, &r);
}

/* hmac-sha256:NAME:SECRET or NAME hmac-sha256 SECRET, one a line. */
static const char *line_file(struct text *t, struct picker *p)
{
    struct bytes line;
    while (next_line(t, &line)) {
        struct bytes part[3];
        if (!line.n || line.p[0] == '#')
            continue;
        bool colons = line.n > 5 && strncasecmp((const char *)line.p, "hmac-", 5) == 0 && memchr(line.p, ':', line.n);
        for (int i = 0; i < 3; i++) {
            size_t n = 0;
            while (n < line.n && (i == 2 || (colons ? line.p[n] != ':' : !isspace(line.p[n]))))
                n++;
            part[i] = trim((struct bytes){line.p, n});
            size_t skip = n + (colons && n < line.n);
            line = trim((struct bytes){line.p + skip, line.n - skip});
        }
        if (!part[0].n || !part[1].n || !part[2].n)
            return "it is none of the forms that are understood";
        struct raw r = {.name = part[colons ? 1 : 0], .alg = part[colons ? 0 : 1], .secret = part[2]};
        pick(p, &r);
    }
    return NULL;
}

static const char *read_forms(struct bytes text, struct picker *p)
{
    struct text t = {text.p, text.n, 0};
    if (text.n > 2 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
        t.at = 3;
    skip_blank(&t);
    struct bytes first = {t.p + t.at, t.n - t.at};
    struct bytes line = {NULL, 0};
    next_line(&(struct text){first.p, first.n, 0}, &line);
    struct bytes head = line;
    const uint8_t *end = memchr(head.p ? head.p : text.p, ':', head.n);
    if (end && (size_t)(end - head.p) + 1 == head.n) /* `key:`, alone in its line */
        return knot_file(&t, p);
    if (memchr(first.p ? first.p : text.p, '{', first.n))
        return bind_file(&t, p);
    return line_file(&t, p);
}

bool tsig_key_parse(struct tsig_key *k, struct bytes text, const char *want, bool md5, struct err *e)
{
    static const uint8_t none[1];
    struct picker p = {.want = want};
    if (!text.p)
        text = (struct bytes){none, 0};
    const char *wrong = read_forms(text, &p);
    if (!wrong && !p.keys)
        wrong = "it holds no key";
    if (wrong)
        return err_set(e, RC_CONF, "TSIG_KEY",
                       "not understood as a TSIG key file: %s; expected what tsig-keygen, keymgr -t or nsupdate -y use", wrong);
    char shown[96], name[NAME_SIZE + 2], alg[NAME_SIZE + 2];
    if (!p.hits)
        return err_set(e, RC_CONF, "TSIG_KEY", "the file holds no key named %s (tsig_name); it holds %u other%s",
                       text_safe(shown, sizeof shown, want, strlen(want)), p.keys, p.keys == 1 ? "" : "s");
    if (p.hits > 1)
        return err_set(e, RC_CONF, "TSIG_KEY", "the file holds %u keys%s; %s", p.hits, want ? " of that name" : "",
                       want ? "leave one" : "choose one by tsig_name");
    if (!word_of(p.got.name, name) || !word_of(p.got.alg, alg) || p.got.secret.n > WORD_MAX)
        return err_set(e, RC_CONF, "TSIG_KEY", "not understood as a TSIG key file: a word is too long or holds a NUL");
    return tsig_key_make(k, name, alg, p.got.secret, md5, e);
}

bool tsig_key_file(struct tsig_key *k, const char *path, const char *want, bool md5, struct err *e)
{
    struct secret text = {0};
    bool good = secret_read(&text, path, TSIG_KEY_FILE_MAX, e) && tsig_key_parse(k, (struct bytes){text.p, text.n}, want, md5, e);
    if (!good)
        err_at(e, "%s", path);
    secret_free(&text);
    return good;
}

bool tsig_key_section(struct tsig_key *k, const struct section *s, bool *none, struct err *e)
{
    const char *file = section_text(s, "tsig_key_file"), *name = section_text(s, "tsig_name"), *path = section_text(s, "tsig_secret_file");
    bool md5 = section_yes(s, "tsig_allow_md5");
    *none = !file && !name && !path;
    if (*none)
        return true;
    if (file && path)
        return err_set(e, RC_CONF, "TSIG_KEY", "[provider %s]: tsig_key_file and tsig_secret_file are both set; leave one of them",
                       s->name);
    if (file)
        return tsig_key_file(k, file, name, md5, e);
    if (!name || !path)
        return err_set(e, RC_CONF, "TSIG_KEY",
                       "[provider %s]: %s is missing; a key needs tsig_name and tsig_secret_file, or a tsig_key_file", s->name,
                       name ? "tsig_secret_file" : "tsig_name");
    struct secret text = {0};
    const char *alg = section_text(s, "tsig_algorithm");
    bool good = secret_read(&text, path, SECRET_FILE_MAX, e) &&
                tsig_key_make(k, name, alg ? alg : "hmac-sha256", (struct bytes){text.p, text.n}, md5, e);
    if (!good)
        err_at(e, "%s", path);
    secret_free(&text);
    return good;
}
