/* Visits to a portal on a real server: cookies, redirects inside the allowed origins, and what may have been sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ca/portal/page.h"
#include "ca/portal/session.h"
#include "https_server.h"
#include "net/http.h"
#include "pki.h"

static struct net *net;
static struct https_server server;
static char dir[] = "/tmp/dcv-visit-XXXXXX", ca_file[64];
static struct http_client *client;
static struct strs origins;

static void write_file(const char *name, const char *text, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int setup(void **state)
{
    (void)state;
    int64_t now = clock_now();
    char chain[64], key_path[64], origin[64];
    struct secret key = {0};
    assert_non_null(mkdtemp(dir));
    X509 *root = pki_cert(&(struct pki_spec){.cn = "Root", .ca = true, .key = pki_key(1), .from = now - DAY, .to = now + DAY});
    X509 *leaf = pki_cert(&(struct pki_spec){.cn = "localhost",
                                             .names = "localhost",
                                             .eku = "serverAuth",
                                             .key = pki_key(2),
                                             .issuer = root,
                                             .issuer_key = pki_key(1),
                                             .from = now - DAY,
                                             .to = now + DAY});
    char *pem = pki_pem(root), *leaf_pem = pki_pem(leaf);
    pki_secret(pki_key(2), &key);
    write_file("ca.pem", pem, ca_file, sizeof ca_file);
    write_file("leaf.pem", leaf_pem, chain, sizeof chain);
    write_file("leaf.key", (const char *)key.p, key_path, sizeof key_path);
    free(pem);
    free(leaf_pem);
    secret_free(&key);
    server = https_start(chain, key_path);
    net = net_new(&(struct net_setup){.resolv_conf = "/dev/null"}, NULL);
    snprintf(origin, sizeof origin, "https://localhost:%u", server.port);
    strs_add(&origins, origin);
    client = http_client_new(net, &(struct http_setup){.ca_file = ca_file, .agent = "test"}, NULL);
    return net && client ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    static const char *const files[] = {"ca.pem", "leaf.pem", "leaf.key"};
    char path[64];
    http_client_free(client);
    net_free(net);
    https_stop(&server);
    pki_free();
    strs_free(&origins);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    return rmdir(dir);
}

struct waiting {
    bool over;
    struct err err;
};

static void done(struct op *op, const struct err *e)
{
    struct waiting *w = op->owner;
    w->over = true;
    w->err = e ? *e : (struct err){0};
}

static bool turn(void *arg)
{
    return !((struct waiting *)arg)->over;
}

static const char *url_of(const char *path)
{
    static char url[128];
    snprintf(url, sizeof url, "https://localhost:%u%s", server.port, path);
    return url;
}

static struct err go(struct portal_session *s, struct visit *v)
{
    struct waiting w = {0};
    v->op = (struct op){.done = done, .owner = &w};
    portal_visit(s, v);
    loop_run(net_loop(net), turn, &w);
    return w.err;
}

static void shown(struct portal_session *s, const char *path, const char *want)
{
    struct visit v = {.url = url_of(path)};
    struct err e = go(s, &v);
    assert_int_equal(e.rc, RC_OK);
    assert_non_null(v.page);
    assert_string_equal(page_text(v.page), want);
    assert_false(v.sent);
    visit_clear(&v);
}

static void cookies_stay_with_their_session(void **state)
{
    (void)state;
    struct portal_session *one = portal_session_new(client, &origins), *two = portal_session_new(client, &origins);
    shown(one, "/cookie", "GET [] [] []");
    struct visit v = {.url = url_of("/give")};
    assert_int_equal(go(one, &v).rc, RC_OK);
    assert_string_equal(page_text(v.page), "GET [S=1] [] []"); /* sent from the redirect on */
    assert_string_equal(v.at, url_of("/cookie"));
    visit_clear(&v);
    shown(one, "/cookie", "GET [S=1] [] []");
    shown(two, "/cookie", "GET [] [] []");
    portal_session_forget(one);
    shown(one, "/cookie", "GET [] [] []");
    portal_session_free(one);
    portal_session_free(two);
}

static void a_form(void **state)
{
    (void)state;
    struct portal_session *s = portal_session_new(client, &origins);
    char want[200], from[128];
    snprintf(from, sizeof from, "%s", url_of("/login?x=1"));
    struct visit v = {
        .url = url_of("/cookie"), .post = true, .body = {(const uint8_t *)"a=1", 3}, .content_type = "application/x-www-form-urlencoded"};
    v.from = from;
    snprintf(want, sizeof want, "POST [] [%s] [%s]", from, origins.s[0]);
    assert_int_equal(go(s, &v).rc, RC_OK);
    assert_string_equal(page_text(v.page), want);
    assert_true(v.sent);
    visit_clear(&v);
    portal_session_free(s);
}

/* A page's address may hold what was filled in: another origin learns no more than where one comes from. */
static void referers(void **state)
{
    (void)state;
    static const struct {
        const char *from, *want; /* NULL: as it is */
    } rows[] = {
        {"/login?pin=1", NULL},
        {"https://other.test/login?pin=1", "https://other.test/"},
        {"https://other.test:8443?pin=1", "https://other.test:8443/"},
        {"https://localhost/login?pin=1", "https://localhost/"}, /* another port is another origin */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct portal_session *s = portal_session_new(client, &origins);
        char want[200], from[128];
        snprintf(from, sizeof from, "%s", *rows[i].from == '/' ? url_of(rows[i].from) : rows[i].from);
        snprintf(want, sizeof want, "GET [] [%s] []", rows[i].want ? rows[i].want : from);
        struct visit v = {.url = url_of("/cookie"), .from = from};
        assert_int_equal(go(s, &v).rc, RC_OK);
        assert_string_equal(page_text(v.page), want);
        visit_clear(&v);
        portal_session_free(s);
    }
}

/* What logs may show of an address. */
static void bare(void **state)
{
    (void)state;
    static const char *const urls[] = {"https://a.test/b;jsessionid=0123", "https://a.test/b?pin=1", "https://a.test/b#c",
                                       "https://a.test/b"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        assert_int_equal(url_bare(urls[i]), strlen("https://a.test/b"));
}

static void a_file(void **state)
{
    (void)state;
    struct portal_session *s = portal_session_new(client, &origins);
    struct visit v = {.url = url_of("/moved"), .raw = true};
    assert_int_equal(go(s, &v).rc, RC_OK);
    assert_null(v.page);
    assert_string_equal(str_text(&v.file), "hello");
    visit_clear(&v);
    portal_session_free(s);
}

/* What is never followed, and whether what was posted may have arrived. */
static void bad_ways(void **state)
{
    (void)state;
    static const struct {
        const char *path, *code;
        bool post, sent, once;
    } rows[] = {
        {"/foreign", "PORTAL_ORIGIN", false, false}, {"/foreign", "PORTAL_ORIGIN", true, true},  {"/plain", "PORTAL_ORIGIN", false, false},
        {"/round", "PORTAL_REDIRECT", false, false}, {"/resend", "PORTAL_REDIRECT", true, true}, {"/lost", "HTTP_BROKEN", true, true},
        {"/cut", "HTTP_BROKEN", true, true},         {"/big", "HTTP_LARGE", false, false},       {"/head", "HTTP_LARGE", true, true},
        {"/lost", "HTTP_BROKEN", false, true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct portal_session *s = portal_session_new(client, &origins);
        int closed = *https_closed;
        struct visit v = {.url = url_of(rows[i].path),
                          .post = rows[i].post,
                          .once = rows[i].once,
                          .body = {(const uint8_t *)"a=1", 3},
                          .content_type = "text/plain"};
        struct err e = go(s, &v);
        assert_non_null(e.code);
        assert_string_equal(e.code, rows[i].code);
        assert_int_equal(v.sent, rows[i].sent);
        if (strcmp(rows[i].path, "/lost") == 0)
            assert_int_equal(*https_closed - closed, 1); /* once, on a connection that was in use too */
        visit_clear(&v);
        portal_session_free(s);
    }
}

static void nothing_is_sent_elsewhere(void **state)
{
    (void)state;
    struct portal_session *s = portal_session_new(client, &origins);
    static const char *const urls[] = {"https://evil.example/",   "http://localhost/",  "https://localhost/",
                                       "https://user@localhost/", "file:///etc/passwd", ""};
    unsigned before = http_client_requests(client);
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct visit v = {.url = urls[i], .post = true, .body = {(const uint8_t *)"a=1", 3}, .content_type = "text/plain"};
        assert_string_equal(go(s, &v).code, "PORTAL_ORIGIN");
        assert_false(v.sent);
        visit_clear(&v);
    }
    assert_int_equal(http_client_requests(client), before);
    portal_session_free(s);
}

static void cancelled(void **state)
{
    (void)state;
    struct portal_session *s = portal_session_new(client, &origins);
    struct visit v = {.url = url_of("/slow")};
    struct waiting w = {0};
    v.op = (struct op){.done = done, .owner = &w};
    portal_visit(s, &v);
    visit_clear(&v);
    shown(s, "/cookie", "GET [] [] []");
    assert_false(w.over);
    portal_session_free(s);
}

static void joined(void **state)
{
    (void)state;
    static const struct {
        const char *base, *reference, *want;
    } rows[] = {
        {"https://a.example/b/c?d#e", "f?g#h", "https://a.example/b/f?g"},
        {"https://a.example/b/c?d", "/f", "https://a.example/f"},
        {"https://a.example/b/c?d", "../f", "https://a.example/f"},
        {"https://a.example/b/c", "?x=1", "https://a.example/b/c?x=1"},
        {"https://a.example/b/c", "//evil.example/", "https://evil.example/"},
        {"https://a.example/b/c", "http://b.example/", "http://b.example/"},
        {"https://a.example", "c", "https://a.example/c"},
        {"no url", "c", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[64] = "";
        bool ok = http_join(rows[i].base, rows[i].reference, out, sizeof out);
        assert_int_equal(ok, rows[i].want != NULL);
        if (ok)
            assert_string_equal(out, rows[i].want);
    }
    char tight[22];
    assert_false(http_join("https://a.example/", "/01234567890123456789", tight, sizeof tight));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookies_stay_with_their_session),
        cmocka_unit_test(a_form),
        cmocka_unit_test(referers),
        cmocka_unit_test(bare),
        cmocka_unit_test(a_file),
        cmocka_unit_test(bad_ways),
        cmocka_unit_test(nothing_is_sent_elsewhere),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(joined),
    };
    return cmocka_run_group_tests_name("portal_session", tests, setup, teardown);
}
