#include "cert/hierarchy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "cert/certs.h"
#include "cert/chain.h"
#include "conf/describe.h"
#include "tests/unit/pki.h"

enum { DAYS = 86400, K_ROOT = 0, K_CA = 1, K_LEAF = 2, K_OTHER = 3 };

static struct hierarchy *of(const char *text)
{
    return hierarchy_add(NULL, describe_text("t.ini", text, strlen(text)));
}

static int end(void **state)
{
    (void)state;
    pki_free();
    return 0;
}

/* --- the file that is shipped, against the CA's real certificates ---------------------------------------------------------------------------- */

static struct issued *real(const char *path)
{
    char *text;
    size_t n;
    struct issued *i = NULL;
    assert_true(fs_read(path, 1 << 16, &text, &n, NULL) && issued_read(&i, text, n, NULL));
    free(text);
    return i;
}

static void shipped(void **state)
{
    (void)state;
    struct hierarchy *h = hierarchy_add(NULL, describe_read("conf/ca/chains/hongkongpost-ecert.ini"));
    size_t n;
    const struct conf_fault *f = hierarchy_faults(h, &n);
    if (n)
        fail_msg("line %u: %s", f->line, f->text);
    struct issued *old = real("tests/unit/ecert/ssl-2017.pem"), *new = real("tests/unit/ecert/ssl-2025.pem");
    const struct known *k = hierarchy_find(h, old->x[0]), *l = hierarchy_find(h, new->x[0]);
    int64_t april, may, june, after;
    assert_true(date_parse("2025-04-30", &april) && date_parse("2025-05-01", &may) && date_parse("2026-06-14", &june) &&
                date_parse("2026-06-15", &after));
    assert_non_null(k);
    assert_non_null(l);
    assert_string_equal(k->name, "ssl-2017");
    assert_string_equal(l->name, "ssl-2025");
    assert_false(known_outdated(k, april, june)); /* a certificate of the old days, before the revocation */
    assert_true(known_outdated(k, april, after));
    assert_true(known_outdated(k, may, may));
    assert_false(known_outdated(l, may, after));
    assert_true(strstr(k->next_url, "ecert_ssl_ca_3-17_pem.crt") != NULL);
    issued_free(old);
    issued_free(new);
    hierarchy_free(h);
}

/* --- faults ---------------------------------------------------------------------------------------------------------------------------------- */

static void faults(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
        unsigned line;
    } rows[] = {
        {"[certificate a]\nsubject = A\nissuer = B\n", "title", 0},
        {"[chain]\ntitle = T\n[certificate]\nsubject = A\nissuer = B\n", "needs a name", 3},
        {"[chain]\ntitle = T\n[certificate a]\nissuer = B\n", "subject and issuer", 3},
        {"[chain]\ntitle = T\n[certificate a]\nsubject = A\nissuer = B\nsha256 = AB:CD\n", "fingerprint", 6},
        {"[chain]\ntitle = T\n[certificate a]\nsubject = A\nissuer = B\nkey = 123\n", "key identifier", 6},
        {"[chain]\ntitle = T\n[certificate a]\nsubject = A\nissuer = B\nrevoked_by = 15 June 2026\n", "no day", 6},
        {"[chain]\ntitle = T\n[certificate a]\nsubject = A\nissuer = B\nreplaced_by = b\n", "no [certificate b]", 6},
        {"[chain]\ntitle = T\n[certificate a]\nsubject = A\nissuer = B\neku = clients\n", "eku", 6},
        {"[chain]\ntitle = T\n[certificate a]\nsubject = A\nissuer = B\nfingerprint = ab\n", "fingerprint", 6},
        {"[chain]\ntitle = T\n[intermediate a]\nsubject = A\n", "intermediate", 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct hierarchy *h = of(rows[i].text);
        size_t n;
        const struct conf_fault *f = hierarchy_faults(h, &n);
        bool told = false;
        for (size_t k = 0; k < n; k++)
            told |= (strstr(f[k].text, rows[i].says) || (f[k].key && strstr(f[k].key, rows[i].says)) ||
                     (f[k].section && strstr(f[k].section, rows[i].says))) &&
                    (!rows[i].line || f[k].line == rows[i].line);
        if (!told)
            fail_msg("row %zu: %zu faults, first: line %u: %s", i, n, n ? f->line : 0, n ? f->text : "");
        hierarchy_free(h);
    }
}

/* --- chains by it ---------------------------------------------------------------------------------------------------------------------------- */

static const char reissued[] = "[chain]\ntitle = Test\n[certificate new]\nsubject = Test CA\nissuer = Test Root\neku = server\n"
                               "leaves_from = 2026-01-01\nurl = http://ca.example/new.crt\n"
                               "[certificate old]\nsubject = Test CA\nissuer = Test Root\neku = none\nreplaced_by = new\nrevoked_by = %s\n"
                               "[certificate cross]\nsubject = Test Root\nissuer = Older Root\nends = %s\n";

static X509 *ca_of(X509 *root, const char *eku, int64_t from)
{
    return pki_cert(&(struct pki_spec){.cn = "Test CA",
                                       .ca = true,
                                       .eku = eku,
                                       .key = pki_key(K_CA),
                                       .issuer = root,
                                       .issuer_key = pki_key(K_ROOT),
                                       .from = from,
                                       .to = PKI_NOW + 900 * DAYS});
}

static bool said(const struct strs *l, const char *text)
{
    for (size_t i = 0; i < l->n; i++)
        if (strstr(l->s[i], text))
            return true;
    return false;
}

static void build(const struct hierarchy *h, X509 *const *given, size_t n, const char *root, enum chain_form form, int64_t now,
                  struct chain *c)
{
    struct issued *i = NULL;
    struct strs files = {0};
    struct err e = {0};
    char *pem = pki_bundle(given, n);
    assert_true(issued_read(&i, pem, strlen(pem), NULL));
    strs_add(&files, root);
    struct chain_in in = {.given = i, .files = &files, .form = form, .known = h, .now = now};
    if (!chain_build(&in, c, &e))
        fail_msg("%s: %s", e.code, e.text);
    issued_free(i);
    strs_free(&files);
    free(pem);
}

static void chains(void **state)
{
    (void)state;
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    setenv("SSL_CERT_DIR", "/nonexistent", 1);
    X509 *root = pki_cert(&(struct pki_spec){.cn = "Test Root", .ca = true, .key = pki_key(K_ROOT), .to = PKI_NOW + 3000 * (int64_t)DAYS});
    X509 *older = pki_cert(&(struct pki_spec){.cn = "Older Root", .ca = true, .key = pki_key(K_OTHER), .to = PKI_NOW + 900 * DAYS});
    X509 *cross = pki_cert(&(struct pki_spec){.cn = "Test Root",
                                              .ca = true,
                                              .key = pki_key(K_ROOT),
                                              .issuer = older,
                                              .issuer_key = pki_key(K_OTHER),
                                              .to = PKI_NOW + 900 * DAYS});
    X509 *old = ca_of(root, NULL, PKI_NOW - 5 * DAYS), *new = ca_of(root, "serverAuth", PKI_NOW - 400 * DAYS);
    X509 *leaf = pki_cert(&(struct pki_spec){.cn = "www.example.hk",
                                             .names = "www.example.hk",
                                             .key = pki_key(K_LEAF),
                                             .issuer = new,
                                             .issuer_key = pki_key(K_CA),
                                             .aia = "http://ca.example/aia.crt"});
    char path[] = "/tmp/dcv-hierarchy-XXXXXX", *roots = pki_bundle((X509 *[]){root, older}, 2);
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, roots, strlen(roots)) > 0 && close(fd) == 0);
    char *text = mem_fmt(reissued, "2027-12-31", "2027-03-01"); /* PKI_NOW is 2027-01-15 */
    struct hierarchy *h = of(text);
    struct chain c;

    build(h, (X509 *[]){leaf, old}, 2, path, CHAIN_FULL, PKI_NOW, &c); /* nothing better: it is told, with where the new one is */
    assert_true(c.outdated && said(&c.warnings, "the old intermediate") && said(&c.warnings, "will revoke this one by 2027-12-31"));
    assert_true(strs_has(&c.wanted, "http://ca.example/aia.crt") && strs_has(&c.wanted, "http://ca.example/new.crt"));
    chain_clear(&c);
    build(h, (X509 *[]){leaf, old, new}, 3, path, CHAIN_FULL, PKI_NOW, &c);
    assert_true(!c.outdated && c.wanted.n == 0 && said(&c.warnings, "was not used: Test: the CA has reissued it"));
    chain_clear(&c);

    build(h, (X509 *[]){leaf, new, cross}, 3, path, CHAIN_WITH_CROSS, PKI_NOW,
          &c); /* ends by what is known of its root, not by its own date */
    char *two = pki_bundle((X509 *[]){new, cross}, 2);
    assert_string_equal(c.chain_pem, two);
    assert_true(said(&c.warnings, "\"Test Root\" of the chain ends on 2027-03-01"));
    chain_clear(&c);
    build(h, (X509 *[]){leaf, new, cross}, 3, path, CHAIN_WITH_CROSS, PKI_NOW + 60 * DAYS, &c); /* and from then on it is left out */
    assert_null(strstr(c.chain_pem, two + strlen(two) / 2));
    chain_clear(&c);
    free(two);
    free(text);
    free(roots);
    hierarchy_free(h);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shipped), cmocka_unit_test(faults), cmocka_unit_test(chains)};
    return cmocka_run_group_tests(tests, NULL, end);
}
