#include "cert/shown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "conf/describe.h"
#include "tests/unit/pki.h"

enum { DAYS = 86400, K_ROOT = 0, K_CA = 1, K_LEAF = 2, K_OTHER = 3 };

static struct {
    X509 *root, *stranger, *old, *new, *leaf, *star, *self, *short_ca, *unrelated;
    struct hierarchy *known, *known_past;
    struct roots *roots;
    char path[40];
} h;

static X509 *leaf_of(const char *names, EVP_PKEY *key, X509 *issuer)
{
    return pki_cert(
        &(struct pki_spec){.cn = names, .names = names, .eku = "serverAuth", .key = key, .issuer = issuer, .issuer_key = pki_key(K_CA)});
}

static struct hierarchy *data(const char *revoked_by)
{
    char *text =
        mem_fmt("[chain]\ntitle = Test\n[certificate new]\nsubject = Test CA\nissuer = Test Root\neku = server\nleaves_from = 2026-01-01\n"
                "[certificate old]\nsubject = Test CA\nissuer = Test Root\neku = none\nreplaced_by = new\nrevoked_by = %s\n",
                revoked_by);
    struct hierarchy *known = hierarchy_add(NULL, describe_text("t.ini", text, strlen(text)));
    free(text);
    return known;
}

static int begin(void **state)
{
    (void)state;
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    setenv("SSL_CERT_DIR", "/nonexistent", 1);
    h.root = pki_cert(&(struct pki_spec){.cn = "Test Root", .ca = true, .key = pki_key(K_ROOT), .to = PKI_NOW + 3000 * (int64_t)DAYS});
    h.stranger = pki_cert(&(struct pki_spec){.cn = "Strange Root", .ca = true, .key = pki_key(K_OTHER)});
    struct pki_spec ca = {
        .cn = "Test CA", .ca = true, .key = pki_key(K_CA), .issuer = h.root, .issuer_key = pki_key(K_ROOT), .to = PKI_NOW + 900 * DAYS};
    h.old = pki_cert(&ca);
    ca.eku = "serverAuth";
    h.new = pki_cert(&ca);
    ca.to = PKI_NOW + 20 * DAYS;
    h.short_ca = pki_cert(&ca);
    h.leaf = leaf_of("www.example.hk", pki_key(K_LEAF), h.new);
    h.star = leaf_of("*.example.hk", pki_key(K_LEAF), h.new);
    h.self = pki_cert(&(struct pki_spec){.cn = "www.example.hk", .names = "www.example.hk", .key = pki_key(K_LEAF)});
    h.unrelated = pki_cert(
        &(struct pki_spec){.cn = "Other CA", .ca = true, .key = pki_key(K_OTHER), .issuer = h.root, .issuer_key = pki_key(K_ROOT)});
    h.known = data("2027-12-31");
    h.known_past = data("2026-06-15");
    snprintf(h.path, sizeof h.path, "/tmp/dcv-shown-XXXXXX");
    int fd = mkstemp(h.path);
    char *pem = pki_bundle((X509 *[]){h.root, h.new}, 2); /* the intermediate there must not complete what a server leaves out */
    if (fd < 0 || write(fd, pem, strlen(pem)) < 0 || close(fd) != 0)
        return -1;
    free(pem);
    struct strs files = {0};
    strs_add(&files, h.path);
    h.roots = roots_new(&files);
    strs_free(&files);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(h.path);
    roots_free(h.roots);
    hierarchy_free(h.known);
    hierarchy_free(h.known_past);
    pki_free();
    return 0;
}

struct row {
    const char *what;
    X509 **sent[5];
    const char *host;  /* NULL: www.example.hk */
    const char *codes; /* worst first, with blanks; "": nothing */
    int64_t later;     /* days */
    const char *live;
    bool past; /* the old intermediate's day of revocation is over */
    const char *broken, *says;
};

static void judge(const struct row *r)
{
    struct bytes cert[5];
    struct strs live = {0};
    struct shown out;
    struct str codes = STR_INIT(400);
    size_t n = 0;
    for (; n < 5 && r->sent[n]; n++) {
        uint8_t *der;
        size_t size = pki_der(*r->sent[n], &der);
        cert[n] = (struct bytes){der, size};
    }
    if (r->live)
        strs_add(&live, r->live);
    struct shown_in in = {.cert = cert,
                          .n = n,
                          .broken = r->broken ? r->broken : "",
                          .host = r->host ? r->host : "www.example.hk",
                          .live = &live,
                          .roots = h.roots,
                          .known = r->past ? h.known_past : h.known,
                          .now = PKI_NOW + r->later * DAYS};
    shown_judge(&in, &out);
    bool said = !r->says;
    for (size_t i = 0; i < out.n; i++) {
        str_fmt(&codes, "%s%s", i ? " " : "", out.f[i].code);
        said |= r->says && strstr(out.f[i].text, r->says);
    }
    if (strcmp(str_text(&codes), r->codes) != 0 || !said)
        fail_msg("%s: \"%s\", wanted \"%s\"; %s", r->what, str_text(&codes), r->codes, out.n ? out.f[0].text : "");
    if (!*r->codes)
        assert_non_null(out.path_pem);
    shown_clear(&out);
    strs_free(&live);
    str_free(&codes);
    for (size_t i = 0; i < n; i++)
        free((void *)(uintptr_t)cert[i].p);
}

static void verdicts(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"as it should be", {&h.leaf, &h.new}, .codes = ""},
        {"a wildcard", {&h.star, &h.new}, .codes = ""},
        {"with the root", {&h.leaf, &h.new, &h.root}, .codes = "SERVED_ROOT"},
        {"alone", {&h.leaf}, .codes = "SERVED_INCOMPLETE", .says = "only the certificate itself is sent"},
        {"leaf and root, as a map service does", {&h.leaf, &h.root}, .codes = "SERVED_INCOMPLETE SERVED_ROOT"},
        {"another's name",
         {&h.leaf, &h.new},
         .host = "shop.example.hk",
         .codes = "SERVED_NAME",
         .says = "not for shop.example.hk but for www.example.hk"},
        {"below a wildcard's level", {&h.star, &h.new}, .host = "a.b.example.hk", .codes = "SERVED_NAME"},
        {"ends soon", {&h.leaf, &h.new}, .later = 170, .codes = "SERVED_EXPIRING"},
        {"has ended", {&h.leaf, &h.new}, .later = 190, .codes = "SERVED_EXPIRED"},
        {"not yet", {&h.leaf, &h.new}, .later = -20, .codes = "SERVED_NOT_YET"},
        {"self-signed", {&h.self}, .codes = "SERVED_CHAIN", .says = "self-signed"},
        {"old intermediate, not revoked yet", {&h.leaf, &h.old}, .codes = "SERVED_OLD_INTERMEDIATE", .says = "will revoke"},
        {"old intermediate, revoked", {&h.leaf, &h.old}, .past = true, .codes = "SERVED_OLD_INTERMEDIATE", .says = "meant to revoke"},
        {"both", {&h.leaf, &h.new, &h.old}, .codes = "SERVED_OLD_INTERMEDIATE SERVED_ORDER"},
        {"wrong order", {&h.leaf, &h.root, &h.new}, .codes = "SERVED_ORDER SERVED_ROOT"},
        {"something else with it", {&h.leaf, &h.new, &h.unrelated}, .codes = "SERVED_EXTRA"},
        {"twice", {&h.leaf, &h.new, &h.new}, .codes = "SERVED_EXTRA", .says = "are repetitions"},
        {"intermediate ends first", {&h.leaf, &h.short_ca}, .codes = "SERVED_CHAIN_ENDS", .says = "before the certificate"},
        {"not what live/ has", {&h.leaf, &h.new}, .live = "00ff", .codes = "SERVED_NOT_LIVE"},
        {"wants our certificate", {&h.leaf, &h.new}, .broken = "handshake failure", .codes = "SERVED_HANDSHAKE"},
        {"nothing", {NULL}, .codes = "SERVED_READ"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        judge(&rows[i]);
}

static void levels(void **state)
{
    (void)state;
    struct shown s = {0};
    assert_int_equal(shown_worst(&s), LEVEL_DEBUG);
    shown_add(&s, LEVEL_INFO, "A", "a");
    shown_add(&s, LEVEL_ERROR, "B", "%d", 2);
    shown_add(&s, LEVEL_WARNING, "C", "c");
    assert_int_equal(shown_worst(&s), LEVEL_ERROR);
    assert_string_equal(s.f[1].code, "C");
    assert_string_equal(s.f[2].code, "A");
    assert_int_equal(s.n, 3);
    shown_clear(&s);
}

static void garbage(void **state)
{
    (void)state;
    struct bytes cert = {(const uint8_t *)"\x30\x03\x02\x01\x01", 5};
    struct shown out;
    struct strs none = {0};
    shown_judge(&(struct shown_in){.cert = &cert, .n = 1, .broken = "", .host = "www.example.hk", .live = &none, .now = PKI_NOW}, &out);
    assert_int_equal(out.n, 1);
    assert_string_equal(out.f[0].code, "SERVED_READ");
    shown_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(verdicts), cmocka_unit_test(levels), cmocka_unit_test(garbage)};
    return cmocka_run_group_tests(tests, begin, end);
}
