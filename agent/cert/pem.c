#include "cert/pem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/mem.h"

static const char begin[] = "-----BEGIN ", dashes[] = "-----";

/* Octets of base64 with blanks anywhere; NULL: something else is in it. */
static uint8_t *decode(const char *p, size_t n, size_t *m)
{
    unsigned char *packed = mem_new(n + 1);
    size_t k = 0, pad = 0;
    for (size_t i = 0; i < n; i++)
        if (!isspace((unsigned char)p[i]))
            packed[k++] = (unsigned char)p[i];
    while (pad < k && packed[k - 1 - pad] == '=')
        pad++;
    uint8_t *der = mem_new(k / 4 * 3 + 1);
    int got = k && k % 4 == 0 && pad <= 2 && !memchr(packed, '=', k - pad) ? EVP_DecodeBlock(der, packed, (int)k) : -1;
    free(packed);
    if (got < (int)pad) {
        free(der);
        return NULL;
    }
    *m = (size_t)got - pad;
    return der;
}

bool pem_next(const char **at, const char *end, struct pem_block *b, bool *cut)
{
    for (;;) {
        const char *start = memmem(*at, (size_t)(end - *at), begin, strlen(begin));
        if (!start)
            return false;
        const char *label = start + strlen(begin);
        const char *stop = memmem(label, (size_t)(end - label), dashes, strlen(dashes));
        *at = label;
        if (!stop || stop == label || (size_t)(stop - label) >= sizeof b->label || memchr(label, '\n', (size_t)(stop - label)))
            continue; /* text about certificates, not the armour of one */
        memset(b, 0, sizeof *b);
        memcpy(b->label, label, (size_t)(stop - label));
        const char *body = stop + strlen(dashes);
        char *foot = mem_fmt("-----END %s-----", b->label);
        const char *last = memmem(body, (size_t)(end - body), foot, strlen(foot));
        size_t foot_n = strlen(foot);
        free(foot);
        if (!last) {
            *cut = true;
            *at = body;
            continue;
        }
        b->der = decode(body, (size_t)(last - body), &b->n);
        *at = last + foot_n;
        return true;
    }
}

bool pem_armoured(const void *p, size_t n)
{
    return memmem(p, n, begin, strlen(begin)) != NULL;
}

bool pem_bare(const void *p, size_t n, uint8_t **der, size_t *m)
{
    const char *s = p;
    if (n >= 3 && !memcmp(s, "\xef\xbb\xbf", 3)) {
        s += 3;
        n -= 3;
    }
    *der = decode(s, n, m);
    return *der != NULL;
}

void pem_put(struct str *out, const char *label, const uint8_t *der, size_t n)
{
    unsigned char line[65];
    str_fmt(out, "-----BEGIN %s-----\n", label);
    for (size_t i = 0; i < n; i += 48) {
        int got = EVP_EncodeBlock(line, der + i, (int)(n - i < 48 ? n - i : 48));
        str_put(out, line, (size_t)got);
        str_put(out, "\n", 1);
    }
    str_fmt(out, "-----END %s-----\n", label);
}

static bool web_page(const char *p, size_t n)
{
    char head[4097] = "";
    n = n < sizeof head - 1 ? n : sizeof head - 1;
    for (size_t i = 0; i < n; i++)
        head[i] = p[i] ? (char)tolower((unsigned char)p[i]) : ' ';
    return strstr(head, "<!doctype html") || strstr(head, "<html") || strstr(head, "<head>") || strstr(head, "<body");
}

const char *pem_diagnosis(const void *p, size_t n)
{
    const uint8_t *u = p;
    size_t i = 0;
    while (i < n && (isspace(u[i]) || u[i] == '\0'))
        i++;
    if (i == n)
        return "the file is empty";
    if (n >= 2 &&
        ((u[0] == 0xff && u[1] == 0xfe) || (u[0] == 0xfe && u[1] == 0xff) || (u[0] == '-' && u[1] == 0) || (u[0] == 0 && u[1] == '-')))
        return "this is UTF-16 text (\"Unicode\" in Windows): save it as ANSI or UTF-8";
    if (web_page(p, n))
        return "this is a web page, not a certificate: it may be the portal's login or error page";
    return NULL;
}
