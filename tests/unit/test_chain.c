#include "cert/chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fs.h"
#include "tests/unit/pki.c"

enum { DAYS = 86400 };

/* The shape of e-Cert: one root, an intermediate that was reissued under its name with its key, a cross certificate from an older root. */
static struct {
    X509 *root, *other_root, *old_client, *old_plain, *new, *cross, *leaf, *star;
} h;
static char dir[] = "/tmp/dcv-chain-XXXXXX";

enum { K_ROOT, K_OTHER, K_CA, K_LEAF, K_STRANGER, K_LOOP_A, K_LOOP_B, K_CHAIN };

static int begin(void **state)
{
    (void)state;
    h.root = pki_cert(&(struct pki_spec){.cn = "Test Root CA 3", .ca = true, .key = pki_key(K_ROOT), .to = PKI_NOW + 5000 * (int64_t)DAYS});
    h.other_root = pki_cert(&(struct pki_spec){.cn = "Older Root R3", .ca = true, .key = pki_key(K_OTHER), .to = PKI_NOW + 900 * DAYS});
    struct pki_spec ca = {.cn = "Test SSL CA 3 - 17",
                          .ca = true,
                          .key = pki_key(K_CA),
                          .issuer = h.root,
                          .issuer_key = pki_key(K_ROOT),
                          .to = PKI_NOW + 2000 * DAYS};
    ca.from = PKI_NOW - 900 * DAYS;
    h.old_plain = pki_cert(&ca);
    ca.eku = "clientAuth";
    ca.from = PKI_NOW - 10 * DAYS; /* later than the right one: its EKU rules it out all the same */
    h.old_client = pki_cert(&ca);
    ca.eku = "serverAuth";
    ca.from = PKI_NOW - 500 * DAYS;
    h.new = pki_cert(&ca);
    h.cross = pki_cert(&(struct pki_spec){.cn = "Test Root CA 3",
                                          .ca = true,
                                          .key = pki_key(K_ROOT),
                                          .issuer = h.other_root,
                                          .issuer_key = pki_key(K_OTHER),
                                          .to = PKI_NOW + 800 * DAYS});
    struct pki_spec leaf = {.cn = "www.example.hk",
                            .names = "www.example.hk,example.hk",
                            .eku = "serverAuth",
                            .key = pki_key(K_LEAF),
                            .issuer = h.new,
                            .issuer_key = pki_key(K_CA),
                            .aia = "http://www1.example.hk/root/ca.crt"};
    h.leaf = pki_cert(&leaf);
    leaf.cn = "*.example.hk";
    leaf.names = "*.example.hk,example.hk";
    h.star = pki_cert(&leaf);
    /* No root of this machine may decide a test. */
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    setenv("SSL_CERT_DIR", "/nonexistent", 1);
    return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    pki_free();
    return rmdir(dir);
}

static struct issued *given(X509 *const *x, size_t n)
{
    struct issued *i = NULL;
    char *pem = pki_bundle(x, n);
    assert_true(issued_read(&i, pem, strlen(pem), NULL));
    free(pem);
    return i;
}

static char *file(const char *name, X509 *x, bool der)
{
    char *path = mem_fmt("%s/%s", dir, name), *pem = pki_pem(x);
    uint8_t *p;
    size_t n = pki_der(x, &p);
    assert_true(fs_replace(path, der ? (char *)p : pem, der ? n : strlen(pem), 0600, NULL));
    free(pem);
    free(p);
    return path;
}

/* Certificates of a chain, by name of h's members: "lnc". */
static void expect(const char *what, const struct chain *c, X509 *const *x, size_t n)
{
    char *should = n ? pki_bundle(x, n) : mem_str("");
    if (strcmp(c->chain_pem, should))
        fail_msg("%s: other certificates in the chain", what);
    char *full = mem_fmt("%s%s", c->cert_pem, c->chain_pem);
    assert_string_equal(full, c->fullchain_pem);
    free(full);
    free(should);
}

static bool warned(const struct chain *c, const char *says)
{
    for (size_t i = 0; i < c->warnings.n; i++)
        if (strstr(c->warnings.s[i], says))
            return true;
    return false;
}

static void any_order_of_files(void **state)
{
    (void)state;
    X509 *all[] = {h.root, h.old_plain, h.old_client, h.new};
    static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 3, 1, 0}, {3, 1, 2, 0}, {1, 2, 3, 0}};
    for (size_t k = 0; k < sizeof orders / sizeof *orders; k++) {
        struct strs files = {0};
        char *path[4];
        for (int i = 0; i < 4; i++) {
            char name[16];
            snprintf(name, sizeof name, "%d.%s", i, i % 2 ? "crt" : "pem");
            path[i] = file(name, all[orders[k][i]], i % 2);
        }
        char *pattern = mem_fmt("%s/[0-9].*", dir);
        strs_add(&files, pattern);
        X509 *in_hand[] = {h.leaf};
        struct issued *i = given(in_hand, 1);
        struct chain_in in = {.given = i, .files = &files, .host = "www.example.hk", .now = PKI_NOW};
        struct chain c;
        struct err e = {0};
        if (!chain_build(&in, &c, &e))
            fail_msg("order %zu: %s: %s", k, e.code, e.text);
        expect("order", &c, &h.new, 1);
        assert_int_equal(c.not_after, PKI_NOW + 180 * DAYS);
        assert_true(warned(&c, "older certificate of the same CA"));
        assert_true(warned(&c, "lacks serverAuth"));
        assert_int_equal(c.warnings.n, 2);
        chain_clear(&c);
        issued_free(i);
        strs_free(&files);
        free(pattern);
        for (int n = 0; n < 4; n++) {
            unlink(path[n]);
            free(path[n]);
        }
    }
}

struct row {
    const char *what;
    X509 *given[5], *files[5];
    X509 *chain[4];
    enum chain_form form;
    const char *host;
    int64_t now;             /* 0: PKI_NOW */
    const char *code, *says; /* a fault, or (code NULL) a warning */
    size_t leaf;
};

static void build_one(const struct row *r)
{
    struct strs files = {0};
    size_t n = 0, m = 0, k = 0;
    while (n < 5 && r->given[n])
        n++;
    while (k < 4 && r->chain[k])
        k++;
    for (; m < 5 && r->files[m]; m++) {
        char name[16];
        snprintf(name, sizeof name, "%zu.pem", m);
        char *path = file(name, r->files[m], false);
        strs_add(&files, path);
        free(path);
    }
    struct issued *i = given(r->given, n);
    struct chain_in in = {.given = i, .leaf = r->leaf, .files = &files, .form = r->form, .host = r->host, .now = r->now ? r->now : PKI_NOW};
    struct chain c;
    struct err e = {0};
    bool ok = chain_build(&in, &c, &e);
    if (ok != !r->code)
        fail_msg("%s: %d %s: %s", r->what, ok, e.code ? e.code : "", e.text);
    if (ok)
        expect(r->what, &c, r->chain, k);
    else if (strcmp(e.code, r->code) || e.rc != RC_CA || !strstr(e.text, r->says))
        fail_msg("%s: %s: %s", r->what, e.code, e.text);
    if (ok && r->says && !warned(&c, r->says))
        fail_msg("%s: no warning \"%s\" (%zu others, first: %s)", r->what, r->says, c.warnings.n, c.warnings.n ? c.warnings.s[0] : "");
    chain_clear(&c);
    issued_free(i);
    for (size_t f = 0; f < files.n; f++)
        unlink(files.s[f]);
    strs_free(&files);
}

static void forms_and_faults(void **state)
{
    (void)state;
    X509 *expired = pki_cert(&(struct pki_spec){.cn = "Test SSL CA 3 - 17",
                                                .ca = true,
                                                .key = pki_key(K_CA),
                                                .issuer = h.root,
                                                .issuer_key = pki_key(K_ROOT),
                                                .from = PKI_NOW - 100 * DAYS,
                                                .to = PKI_NOW - DAYS});
    X509 *soon = pki_cert(&(struct pki_spec){.cn = "Test SSL CA 3 - 17",
                                             .ca = true,
                                             .key = pki_key(K_CA),
                                             .issuer = h.root,
                                             .issuer_key = pki_key(K_ROOT),
                                             .to = PKI_NOW + DAYS});
    X509 *no_ca =
        pki_cert(&(struct pki_spec){.cn = "Test SSL CA 3 - 17", .key = pki_key(K_CA), .issuer = h.root, .issuer_key = pki_key(K_ROOT)});
    X509 *stranger = pki_cert(&(struct pki_spec){
        .cn = "Test SSL CA 3 - 17", .ca = true, .key = pki_key(K_STRANGER), .issuer = h.root, .issuer_key = pki_key(K_ROOT)});
    X509 *false_root = pki_cert(&(struct pki_spec){.cn = "Test Root CA 3", .ca = true, .key = pki_key(K_STRANGER)});
    X509 *sha1 = pki_cert(&(struct pki_spec){
        .cn = "Test SSL CA 3 - 17", .ca = true, .key = pki_key(K_CA), .issuer = h.root, .issuer_key = pki_key(K_ROOT), .md = EVP_sha1()});
    const struct row rows[] = {
        {"all came with it", {h.leaf, h.new}, {h.root}, {h.new}},
        {"leaf last", {h.new, h.root, h.leaf}, {h.root}, {h.new}, .leaf = 2},
        {"old without EKU alone", {h.leaf, h.old_plain}, {h.root}, {h.old_plain}},
        {"leaf only", {h.leaf, h.new}, {h.root}, {NULL}, CHAIN_LEAF},
        {"leaf only, no chain known", {h.leaf}, {h.root}, {NULL}, CHAIN_LEAF, .says = "Test SSL CA 3 - 17"},
        {"old for clients alone", {h.leaf, h.old_client}, {h.root}, .code = "CHAIN_INCOMPLETE", .says = "lacks serverAuth"},
        {"nothing", {h.leaf}, {h.root}, .code = "CHAIN_INCOMPLETE", .says = "http://www1.example.hk/root/ca.crt"},
        {"no root", {h.leaf, h.new}, {NULL}, .code = "CHAIN_INCOMPLETE", .says = "\"Test Root CA 3\" of \"Test SSL CA 3 - 17\""},
        {"root came along", {h.leaf, h.new, h.root}, {NULL}, .code = "CHAIN_INCOMPLETE", .says = "not trusted here"},
        {"false root", {h.leaf, h.new}, {false_root}, .code = "CHAIN_INCOMPLETE", .says = "did not sign"},
        {"another key", {h.leaf, stranger}, {h.root}, .code = "CHAIN_INCOMPLETE", .says = "did not sign"},
        {"expired", {h.leaf, expired}, {h.root}, .code = "CHAIN_INCOMPLETE", .says = "expired"},
        {"no CA", {h.leaf, no_ca}, {h.root}, .code = "CHAIN_INCOMPLETE", .says = "not a CA"},
        {"ends sooner", {h.leaf, soon}, {h.root}, {soon}, .says = "before the certificate itself"},
        {"sha1", {h.leaf, sha1}, {h.root}, .code = "CHAIN_BAD", .says = "Test SSL CA"},
        {"host", {h.leaf, h.new}, {h.root}, .host = "shop.example.hk", .code = "CHAIN_BAD", .says = "hostname mismatch"},
        {"host wildcard", {h.star, h.new}, {h.root}, {h.new}, .host = "*.example.hk"},
        {"host below wildcard", {h.star, h.new}, {h.root}, .host = "a.b.example.hk", .code = "CHAIN_BAD", .says = "hostname"},
        {"leaf expired", {h.leaf, h.new}, {h.root}, .now = PKI_NOW + 200 * DAYS, .code = "CHAIN_BAD", .says = "expired"},
        {"cross", {h.leaf, h.new}, {h.cross, h.root, h.other_root}, {h.new, h.cross}, CHAIN_WITH_CROSS},
        {"cross not asked for", {h.leaf, h.new}, {h.cross, h.root, h.other_root}, {h.new}, CHAIN_FULL},
        {"cross without its root", {h.leaf, h.new}, {h.cross, h.root}, {h.new}, CHAIN_WITH_CROSS, .says = "leads to no trusted root"},
        {"no cross", {h.leaf, h.new}, {h.root, h.other_root}, {h.new}, CHAIN_WITH_CROSS, .says = "no cross certificate"},
        {"cross is the only way", {h.leaf, h.new, h.cross}, {h.other_root}, {h.new, h.cross}, CHAIN_FULL},
        {"cross expired",
         {h.leaf, h.new},
         {h.cross, h.root, h.other_root},
         {h.new},
         CHAIN_WITH_CROSS,
         .now = PKI_NOW + 850 * DAYS,
         .code = "CHAIN_BAD",
         .says = "expired"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        build_one(&rows[i]);
}

/* A signs B and B signs A, and neither ends at a root. */
static void loops_end(void **state)
{
    (void)state;
    X509 *a0 = pki_cert(&(struct pki_spec){.cn = "Loop A", .ca = true, .key = pki_key(K_LOOP_A)});
    X509 *b0 = pki_cert(&(struct pki_spec){.cn = "Loop B", .ca = true, .key = pki_key(K_LOOP_B)});
    X509 *a =
        pki_cert(&(struct pki_spec){.cn = "Loop A", .ca = true, .key = pki_key(K_LOOP_A), .issuer = b0, .issuer_key = pki_key(K_LOOP_B)});
    X509 *b =
        pki_cert(&(struct pki_spec){.cn = "Loop B", .ca = true, .key = pki_key(K_LOOP_B), .issuer = a0, .issuer_key = pki_key(K_LOOP_A)});
    X509 *leaf =
        pki_cert(&(struct pki_spec){.cn = "loop.example.hk", .key = pki_key(K_LEAF), .issuer = a0, .issuer_key = pki_key(K_LOOP_A)});
    const struct row bad = {"loop", {leaf, a, b}, {h.root}, .code = "CHAIN_INCOMPLETE", .says = "circle"};
    build_one(&bad);
    /* and with a way out of the loop */
    X509 *out = pki_cert(&(struct pki_spec){.cn = "Loop B",
                                            .ca = true,
                                            .key = pki_key(K_LOOP_B),
                                            .issuer = h.root,
                                            .issuer_key = pki_key(K_ROOT),
                                            .from = PKI_NOW - 900 * DAYS});
    const struct row good = {"loop with a way out", {leaf, b, a, out}, {h.root}, {a, out}, .leaf = 0};
    build_one(&good);
}

/* 63 certificates of three CAs that all sign one another, and no root: must end soon. */
static void tangles_end(void **state)
{
    (void)state;
    X509 *self[8], *all[64];
    static const char *const names[] = {"T0", "T1", "T2", "T3", "T4", "T5", "T6", "T7"};
    EVP_PKEY *keys[8];
    for (int i = 0; i < 8; i++) {
        keys[i] = pki_key(8 + (unsigned)i);
        self[i] = pki_cert(&(struct pki_spec){.cn = names[i], .ca = true, .key = keys[i]});
    }
    size_t n = 0;
    all[n++] = pki_cert(&(struct pki_spec){.cn = "t.example.hk", .key = pki_key(K_LEAF), .issuer = self[0], .issuer_key = keys[0]});
    for (int i = 0; i < 8; i++)
        for (int k = 0; k < 8 && n < 64; k++)
            if (i != k)
                all[n++] =
                    pki_cert(&(struct pki_spec){.cn = names[i], .ca = true, .key = keys[i], .issuer = self[k], .issuer_key = keys[k]});
    struct issued *i = given(all, n);
    struct chain_in in = {.given = i, .now = PKI_NOW};
    struct chain c;
    struct err e = {0};
    assert_false(chain_build(&in, &c, &e));
    assert_string_equal(e.code, "CHAIN_INCOMPLETE");
    chain_clear(&c);
    issued_free(i);
}

static void deep_chains(void **state)
{
    (void)state;
    X509 *up[12];
    EVP_PKEY *keys[12];
    up[0] = h.root;
    keys[0] = pki_key(K_ROOT);
    for (int i = 1; i < 12; i++) {
        char cn[32];
        snprintf(cn, sizeof cn, "Level %d", i);
        keys[i] = pki_key(K_CHAIN + (unsigned)(i % 8));
        up[i] = pki_cert(&(struct pki_spec){.cn = cn, .ca = true, .key = keys[i], .issuer = up[i - 1], .issuer_key = keys[i - 1]});
    }
    for (int depth = 7; depth <= 8; depth++) { /* intermediates */
        X509 *in_hand[12], *leaf = pki_cert(&(struct pki_spec){
                               .cn = "deep.example.hk", .key = pki_key(K_LEAF), .issuer = up[depth], .issuer_key = keys[depth]});
        size_t n = 0;
        in_hand[n++] = leaf;
        for (int i = 1; i <= depth; i++)
            in_hand[n++] = up[i];
        struct strs files = {0};
        char *path = file("root.pem", h.root, true);
        strs_add(&files, path);
        struct issued *i = given(in_hand, n);
        struct chain_in in = {.given = i, .files = &files, .now = PKI_NOW};
        struct chain c;
        struct err e = {0};
        bool ok = chain_build(&in, &c, &e);
        if (ok != (depth == 7))
            fail_msg("depth %d: %s", depth, e.text);
        chain_clear(&c);
        issued_free(i);
        strs_free(&files);
        unlink(path);
        free(path);
    }
}

static void files_in_trouble(void **state)
{
    (void)state;
    static const char *const odd[] = {"/nonexistent/*.pem", "/nonexistent/ca.pem", "/dev/null", "/etc/passwd"};
    struct strs files = {0};
    char *root = file("root.pem", h.root, false);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        strs_add(&files, odd[i]);
    X509 *both[] = {h.leaf, h.new};
    struct issued *i = given(both, 2), *alone = given(both, 1);
    struct chain_in in = {.given = i, .files = &files, .now = PKI_NOW};
    struct chain c;
    struct err e = {0};
    assert_false(chain_build(&in, &c, &e));
    assert_string_equal(e.code, "CHAIN_INCOMPLETE");
    assert_non_null(strstr(e.text, "/nonexistent/*.pem"));
    assert_int_equal(c.warnings.n, 4);
    chain_clear(&c);
    strs_add(&files, root);
    e = (struct err){0};
    assert_true(chain_build(&in, &c, &e));
    assert_true(warned(&c, "*.pem: its folder is not there") && warned(&c, "no such file") && warned(&c, "/dev/null") &&
                warned(&c, "/etc/passwd"));
    chain_clear(&c);
    in.given = alone;
    assert_false(chain_build(&in, &c, &e));
    chain_clear(&c);
    in.leaf = 7;
    e = (struct err){0};
    assert_false(chain_build(&in, &c, &e));
    assert_int_equal(e.rc, RC_BUG);
    issued_free(i);
    issued_free(alone);
    strs_free(&files);
    unlink(root);
    free(root);
}

static void ca_files_and_system_roots(void **state)
{
    (void)state;
    X509 *both[] = {h.leaf, h.new};
    struct issued *i = given(both, 2);
    char *root = file("root.pem", h.root, false), *bundle = mem_fmt("%s/bundle.pem", dir), *inter = file("inter.pem", h.new, false);
    struct str many = STR_INIT(1 << 20);
    for (int k = 0; k < 70; k++) { /* more than a pool holds */
        char *pem = pki_pem(k == 69 ? h.root : pki_cert(&(struct pki_spec){.cn = "r", .ca = true, .key = pki_key(K_STRANGER)}));
        str_add(&many, pem);
        free(pem);
    }
    assert_true(fs_replace(bundle, many.p, many.n, 0600, NULL));
    const char *const good[] = {root, bundle};
    struct chain c;
    for (int k = 0; k < 2; k++) {
        struct chain_in in = {.given = i, .ca_file = good[k], .now = PKI_NOW};
        struct err e = {0};
        if (!chain_build(&in, &c, &e))
            fail_msg("%s: %s", good[k], e.text);
        expect("ca_file", &c, &h.new, 1);
        chain_clear(&c);
    }
    const char *const bad[] = {"/nonexistent", inter, "/etc/passwd"};
    for (int k = 0; k < 3; k++) {
        struct chain_in in = {.given = i, .ca_file = bad[k], .now = PKI_NOW};
        struct err e = {0};
        assert_false(chain_build(&in, &c, &e));
        assert_string_equal(e.code, "CA_FILE");
        assert_int_equal(e.rc, RC_CONF);
        chain_clear(&c);
    }
    setenv("SSL_CERT_FILE", root, 1); /* the system's roots, as OpenSSL finds them */
    struct chain_in in = {.given = i, .now = PKI_NOW};
    struct err e = {0};
    if (!chain_build(&in, &c, &e))
        fail_msg("system: %s", e.text);
    expect("system", &c, &h.new, 1);
    chain_clear(&c);
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    issued_free(i);
    str_free(&many);
    char *paths[] = {root, bundle, inter};
    for (int k = 0; k < 3; k++) {
        unlink(paths[k]);
        free(paths[k]);
    }
}

/* No root of ours knows the CA: what it sent with the leaf is the chain. */
static void the_chain_as_given(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        X509 **set[4];
        X509 **chain[3];
        const char *host, *code;
    } table[] = {
        {"intermediate", {&h.leaf, &h.new}, {&h.new}, "www.example.hk", NULL},
        {"with its root", {&h.leaf, &h.new, &h.root}, {&h.new}, NULL, NULL},
        {"with a cross certificate", {&h.leaf, &h.new, &h.cross}, {&h.new, &h.cross}, NULL, NULL},
        {"up to another root", {&h.leaf, &h.new, &h.cross, &h.other_root}, {&h.new, &h.cross}, NULL, NULL},
        {"out of order", {&h.leaf, &h.cross, &h.new}, {&h.new, &h.cross}, NULL, NULL},
        {"the first that signed", {&h.leaf, &h.old_plain, &h.new}, {&h.old_plain}, NULL, NULL},
        {"not for servers", {&h.leaf, &h.old_client}, {0}, NULL, "CHAIN_BAD"},
        {"another host", {&h.leaf, &h.new}, {0}, "www.example.com", "CHAIN_BAD"},
        {"nothing with it", {&h.leaf}, {0}, NULL, "CHAIN_INCOMPLETE"},
        {"nothing that signed it", {&h.leaf, &h.root}, {0}, NULL, "CHAIN_INCOMPLETE"},
    };
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        X509 *set[4], *chain[3];
        size_t n = 0, m = 0;
        struct chain c;
        struct err e = {0};
        while (n < 4 && table[k].set[n])
            set[n] = *table[k].set[n], n++;
        while (m < 3 && table[k].chain[m])
            chain[m] = *table[k].chain[m], m++;
        struct issued *i = given(set, n);
        struct chain_in in = {.given = i, .trust_given = true, .host = table[k].host, .now = PKI_NOW};
        bool ok = chain_build(&in, &c, &e);
        if (ok != !table[k].code || (!ok && strcmp(e.code, table[k].code) != 0))
            fail_msg("%s: %s %s", table[k].what, ok ? "accepted" : e.code, e.text);
        if (ok)
            expect(table[k].what, &c, chain, m);
        chain_clear(&c);
        issued_free(i);
    }
    X509 *both[] = {h.leaf, h.new}; /* files say whom to trust: then they decide */
    struct issued *i = given(both, 2);
    char *other = file("other.pem", h.other_root, false);
    struct strs files = {0};
    struct chain c;
    struct err e = {0};
    strs_add(&files, other);
    struct chain_in in = {.given = i, .trust_given = true, .files = &files, .now = PKI_NOW};
    assert_false(chain_build(&in, &c, &e));
    chain_clear(&c);
    strs_free(&files);
    unlink(other);
    free(other);
    issued_free(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chain_as_given), cmocka_unit_test(any_order_of_files),
        cmocka_unit_test(forms_and_faults),   cmocka_unit_test(loops_end),
        cmocka_unit_test(tangles_end),        cmocka_unit_test(deep_chains),
        cmocka_unit_test(files_in_trouble),   cmocka_unit_test(ca_files_and_system_roots),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
