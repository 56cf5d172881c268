#include "cert/hierarchy.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cert/certs.h"
#include "conf/describe.h"

enum { KEY_ID_MAX = 64 };

struct hierarchy {
    struct description **file; /* what the entries borrow from */
    size_t n_file;
    struct known *entry;
    size_t n;
    struct conf_fault *fault; /* of all files; texts borrowed */
    size_t n_fault;
};

/* --- reading --------------------------------------------------------------------------------------------------------------------------- */

static const char *hex_value(struct description *d, const struct describe_part *p, const char *name, size_t digits)
{
    const struct describe_key *k = describe_key(p, name);
    if (!k)
        return NULL;
    size_t n = strspn(k->value, "0123456789abcdef");
    if (k->value[n] || n % 2 || (digits ? n != digits : n < 2 || n > KEY_ID_MAX)) {
        describe_fault(d, p, k, "'%.80s' is not %s, in lower-case hexadecimal digits without colons", k->value,
                       digits ? "a SHA-256 fingerprint (64 digits)" : "a key identifier");
        return NULL;
    }
    return k->value;
}

static int64_t day_value(struct description *d, const struct describe_part *p, const char *name)
{
    const struct describe_key *k = describe_key(p, name);
    int64_t when = 0;
    if (k && !date_parse(k->value, &when))
        describe_fault(d, p, k, "'%.40s' is no day: 2026-06-15 is the form", k->value);
    return when;
}

static void read_entry(struct hierarchy *h, struct description *d, const struct describe_part *p, const char *title)
{
    size_t before = d->n_fault;
    struct known k = {.title = title,
                      .name = p->name,
                      .subject = describe_value(p, "subject"),
                      .issuer = describe_value(p, "issuer"),
                      .sha256 = hex_value(d, p, "sha256", 2 * SHA256_DIGEST_LENGTH),
                      .key = hex_value(d, p, "key", 0),
                      .eku = describe_word(d, p, "eku", "any|none|server", KNOWN_ANY),
                      .replaced_by = describe_value(p, "replaced_by"),
                      .url = describe_value(p, "url"),
                      .leaves_from = day_value(d, p, "leaves_from"),
                      .revoked_by = day_value(d, p, "revoked_by"),
                      .ends = day_value(d, p, "ends")};
    if (!*p->name)
        describe_fault(d, p, NULL, "the section needs a name: [certificate NAME]");
    if (!k.subject || !k.issuer)
        describe_fault(d, p, NULL, "subject and issuer are needed: the common names in the certificate");
    if (k.replaced_by && !describe_part(d, "certificate", k.replaced_by))
        describe_fault(d, p, describe_key(p, "replaced_by"), "there is no [certificate %.60s] in this file", k.replaced_by);
    if (d->n_fault > before)
        return;
    h->entry = mem_grow(h->entry, h->n + 1, sizeof *h->entry);
    h->entry[h->n++] = k;
}

static const struct known *entry_named(const struct hierarchy *h, size_t from, const char *name)
{
    for (size_t i = from; name && i < h->n; i++)
        if (strcmp(h->entry[i].name, name) == 0)
            return &h->entry[i];
    return NULL;
}

struct hierarchy *hierarchy_add(struct hierarchy *h, struct description *d)
{
    static const char *const kinds[] = {"chain", "certificate", NULL};
    const struct describe_part *chain = describe_first(d, "chain");
    const char *title = chain ? describe_value(chain, "title") : NULL;
    if (!h)
        h = mem_new(sizeof *h);
    size_t first = h->n;
    if (!title)
        describe_fault(d, chain, NULL, "[chain] with title = is needed: whose certificates these are");
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->part[i].kind, "certificate") == 0)
            read_entry(h, d, &d->part[i], title ? title : "");
    for (size_t i = first; i < h->n; i++) { /* a certificate's leaves end where those of its successor begin */
        const struct known *next = entry_named(h, first, h->entry[i].replaced_by);
        h->entry[i].leaves_until = next ? next->leaves_from : 0;
        h->entry[i].next_url = next ? next->url : NULL;
    }
    describe_unused(d, kinds);
    h->file = mem_grow(h->file, h->n_file + 1, sizeof *h->file);
    h->file[h->n_file++] = d;
    h->fault = mem_grow(h->fault, h->n_fault + d->n_fault + 1, sizeof *h->fault);
    for (size_t i = 0; i < d->n_fault; i++)
        h->fault[h->n_fault++] = d->fault[i];
    return h;
}

struct hierarchy *hierarchy_open(const struct strs *conf_path)
{
    static const char kind[] = "ca/chains";
    struct hierarchy *h = mem_new(sizeof *h);
    struct strs names = {0};
    char path[512];
    describe_list(conf_path, kind, &names);
    for (size_t i = 0; i < names.n; i++)
        if (describe_find(conf_path, kind, names.s[i], path, sizeof path))
            hierarchy_add(h, describe_read(path));
    strs_free(&names);
    return h;
}

void hierarchy_free(struct hierarchy *h)
{
    for (size_t i = 0; h && i < h->n_file; i++)
        describe_free(h->file[i]);
    if (h) {
        free(h->file);
        free(h->entry);
        free(h->fault);
    }
    free(h);
}

const struct conf_fault *hierarchy_faults(const struct hierarchy *h, size_t *n)
{
    *n = h->n_fault;
    return h->fault;
}

/* --- looking up ------------------------------------------------------------------------------------------------------------------------ */

static bool is_hex(const char *hex, const void *p, size_t n)
{
    char shown[2 * KEY_ID_MAX + 1];
    return hex_show(shown, sizeof shown, p, n) && strcmp(shown, hex) == 0;
}

static bool has_key(const X509 *x, const char *key)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id((X509 *)(uintptr_t)x); /* not const: it may be decoded only now */
    return id && is_hex(key, ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id));
}

static bool has_digest(const X509 *x, const char *sha256)
{
    unsigned char md[SHA256_DIGEST_LENGTH];
    unsigned n = 0;
    return X509_digest(x, EVP_sha256(), md, &n) == 1 && is_hex(sha256, md, n);
}

const struct known *hierarchy_find(const struct hierarchy *h, const X509 *x)
{
    char subject[128], issuer[128];
    const struct known *found = NULL;
    if (!h || !h->n)
        return NULL;
    cert_subject(x, subject, sizeof subject);
    cert_issuer(x, issuer, sizeof issuer);
    for (size_t i = 0; i < h->n && !found; i++) {
        const struct known *k = &h->entry[i];
        if (strcmp(k->subject, subject) != 0 || strcmp(k->issuer, issuer) != 0)
            continue;
        if ((!k->sha256 || has_digest(x, k->sha256)) && (!k->key || has_key(x, k->key)) &&
            (k->eku == KNOWN_ANY || (int)k->eku == (cert_eku(x) == EKU_NONE     ? KNOWN_NO_EKU
                                                    : cert_eku(x) == EKU_SERVER ? KNOWN_SERVER
                                                                                : -1)))
            found = k;
    }
    ossl_forget();
    return found;
}

bool known_outdated(const struct known *k, int64_t leaf_from, int64_t now)
{
    return k && ((k->revoked_by && now >= k->revoked_by) || (k->leaves_until && leaf_from >= k->leaves_until));
}

void known_reason(const struct known *k, int64_t now, struct str *out)
{
    char day[32];
    str_fmt(out, "%s: the CA has reissued it", k->title);
    if (k->leaves_until) {
        day_show(k->leaves_until, day);
        str_fmt(out, " for certificates from %s", day);
    }
    if (k->revoked_by) {
        day_show(k->revoked_by, day);
        str_fmt(out, now >= k->revoked_by ? " and meant to revoke this one by %s" : " and will revoke this one by %s", day);
    }
    if (k->next_url)
        str_fmt(out, "; the new one is at %s", k->next_url);
}
