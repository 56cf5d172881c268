#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "ca/portal/act.h"
#include "ca/portal/must.h"
#include "conf/describe.h"

#define CODE "0f3a5c7e9b1d2f4a6c8e0b2d4f6a8c1e"
#define EACH "00112233445566778899aabbccddeeff"

/* --- orders --------------------------------------------------------------------------------------------------------------------------- */

struct asked {
    const char *names, *product, *organisation, *email, *mailed;
    enum act_method method;
    bool chinese, no_pin, no_csr, no_reference;
};

struct ordered {
    struct strs names;
    struct secret pin;
    struct act_order o;
};

static void make_order(struct ordered *out, const struct asked *a)
{
    static const char csr[] = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n";

    *out = (struct ordered){0};
    strs_split(&out->names, a->names ? a->names : "www.example.hk example.hk xn--i8s431aqn1ad1j.hk");
    secret_set(&out->pin, "1234567890123456", 16);
    out->o = (struct act_order){.names = &out->names,
                                .reference = a->no_reference ? "" : "123456789",
                                .pin = a->no_pin ? NULL : &out->pin,
                                .product = a->product ? a->product : "multi-domain",
                                .organisation = a->organisation,
                                .chinese = a->chinese,
                                .method = a->method,
                                .email = a->email,
                                .mailed_code = a->mailed,
                                .csr_pem = a->no_csr ? (struct bytes){NULL, 0} : (struct bytes){(const uint8_t *)csr, sizeof csr - 1}};
}

static void drop_order(struct ordered *o)
{
    strs_free(&o->names);
    secret_free(&o->pin);
}

/* --- the saved pages against the descriptions ---------------------------------------------------------------------------------------------- */

/* The shipped description, at home where the simulated portal is. */
static struct guide *guide_of(const char *path)
{
    struct str text = STR_INIT(1 << 20);
    struct err e = {0};
    char *file;
    size_t n;

    if (!fs_read(path, 1 << 20, &file, &n, &e))
        fail_msg("%s", e.text);
    for (const char *p = file; *p; p++) {
        if (strncmp(p, "ecert.gov.hk", 12) == 0) {
            str_add(&text, "ecert.test");
            p += 11;
        } else {
            str_put(&text, p, 1);
        }
    }
    free(file);
    struct guide *g = guide_load(describe_text(path, str_text(&text), text.n));
    guide_faults(g, &n);
    assert_int_equal(n, 0);
    str_free(&text);
    return g;
}

static const char *const harbour_names = "www.example.hk example.hk xn--i8s431aqn1ad1j.hk";

#define LOGIN "server name: www.example.hk|reference number: 123456789|PIN: (hidden)"
#define DETAILS                                                                                                                             \
    "agrees: server name www.example.hk|agrees: names www.example.hk, example.hk, 電子核證.hk (xn--i8s431aqn1ad1j.hk)|agrees: product " \
    "multi-domain"

static const struct pages {
    const char *file; /* without tc- or en-: both */
    struct asked asked;
    const char *page; /* recognised as; NULL: not at all */
    enum page_error error;
    const char *failed, *codes, *links; /* "role role" */
    const char *told;                   /* lines that are among those told, by | */
    const char *button_tc, *button;     /* NULL: nothing is pressed */
    const char *body;                   /* is in what would be sent */
    enum rc rc;                         /* of the plan */
} pages[] = {
    {.file = "login",
     .page = "login",
     .told = LOGIN,
     .button_tc = "提交",
     .button = "Submit",
     .body = "&p01=www.example.hk&p02=123456789&p03=1234567890123456&p04="},
    {.file = "login", .asked = {.no_pin = true}, .page = "login", .rc = RC_LATER},
    {.file = "login", .asked = {.no_reference = true}, .page = "login", .rc = RC_LATER},
    {.file = "login-wrong-pin", .page = "login", .error = PAGE_LOGIN_REFUSED, .told = LOGIN, .button_tc = "提交", .button = "Submit"},
    {.file = "confirm", .page = "details", .told = DETAILS, .button_tc = "確認", .button = "Confirm", .body = "&p01="},
    {.file = "confirm",
     .asked = {.chinese = true, .organisation = "示例有限公司"},
     .page = "details",
     .told = DETAILS "|agrees: organisation",
     .button_tc = "確認使用中文",
     .button = "Confirm using Chinese",
     .body = "&p02="},
    {.file = "confirm",
     .asked = {.organisation = "example  LIMITED"},
     .page = "details",
     .told = "agrees: organisation",
     .button_tc = "確認",
     .button = "Confirm"},
    {.file = "confirm", .asked = {.organisation = "Example"}, .page = "details", .told = "CONTRADICTS: organisation", .rc = RC_CA},
    {.file = "confirm", .asked = {.names = "www.example.hk example.hk"}, .page = "details", .told = "CONTRADICTS: names", .rc = RC_CA},
    {.file = "confirm",
     .asked = {.names = "example.hk www.example.hk xn--i8s431aqn1ad1j.hk"},
     .page = "details",
     .told = "CONTRADICTS: server name",
     .rc = RC_CA},
    {.file = "confirm", .asked = {.product = "ev-multi-domain"}, .page = "details", .told = "CONTRADICTS: product", .rc = RC_CA},
    {.file = "confirm-wildcard",
     .asked = {.names = "*.example.hk", .product = "wildcard"},
     .page = "details",
     .told = "agrees: names *.example.hk",
     .button_tc = "確認",
     .button = "Confirm"},
    {.file = "confirm-wildcard",
     .asked = {.names = "*.example.hk example.hk", .product = "wildcard"},
     .page = "details",
     .button_tc = "確認",
     .button = "Confirm"},
    {.file = "confirm-wildcard",
     .asked = {.names = "*.example.hk", .product = "standard"},
     .page = "details",
     .told = "CONTRADICTS: product",
     .rc = RC_CA},
    {.file = "method", .page = "method", .told = "choice", .button_tc = "繼續", .button = "Continue", .body = "&p01=2&p02="},
    {.file = "method",
     .asked = {.method = ACT_WEBSITE},
     .page = "method",
     .button_tc = "繼續",
     .button = "Continue",
     .body = "&p01=1&p02="},
    {.file = "method", .asked = {.method = ACT_EMAIL}, .page = "method", .rc = RC_PAGES}, /* the product does not have it */
    {.file = "method-wildcard",
     .asked = {.method = ACT_EMAIL},
     .page = "method",
     .button_tc = "繼續",
     .button = "Continue",
     .body = "&p01=3&p02="},
    {.file = "dns",
     .page = "dns",
     .codes = "=" CODE,
     .told = "agrees: method dns",
     .button_tc = "確認",
     .button = "Confirm",
     .body = "&p01="},
    {.file = "dns", .asked = {.method = ACT_WEBSITE}, .page = "dns", .codes = "=" CODE, .told = "CONTRADICTS: method", .rc = RC_CA},
    {.file = "website",
     .asked = {.method = ACT_WEBSITE},
     .page = "website",
     .links = "file",
     .told = "agrees: method website",
     .button_tc = "確認",
     .button = "Confirm"},
    {.file = "website", .page = "website", .links = "file", .told = "CONTRADICTS: method", .rc = RC_CA},
    {.file = "email",
     .asked = {.method = ACT_EMAIL, .email = "hostmaster@example.hk"},
     .page = "email",
     .told = "e-mail address: hostmaster",
     .button_tc = "發送驗證碼",
     .button = "Send Verification Code",
     .body = "&p01=hostmaster&p02=example.hk&p03="},
    {.file = "email",
     .asked = {.method = ACT_EMAIL, .email = "hostmaster@example.hk", .mailed = "xyz"},
     .page = "email",
     .told = "mailed code: (hidden)",
     .button_tc = "確認",
     .button = "Confirm",
     .body = "&p04=xyz&p05="},
    {.file = "email", .asked = {.method = ACT_EMAIL, .email = "root@example.hk"}, .page = "email", .rc = RC_PAGES},
    {.file = "email", .asked = {.method = ACT_EMAIL}, .page = "email", .rc = RC_LATER},
    {.file = "email", .page = "email", .rc = RC_CA},
    {.file = "checking", .page = "checking"},
    {.file = "failed",
     .page = "failed",
     .error = PAGE_DCV_FAILED,
     .failed = "example.hk",
     .button_tc = "返回上頁",
     .button = "Back to Previous Page"},
    {.file = "passed", .page = "passed", .button_tc = "繼續", .button = "Continue"},
    {.file = "csr",
     .page = "csr",
     .told = "CSR: (PEM)",
     .button_tc = "提交",
     .button = "Submit",
     .body = "p01=-----BEGIN+CERTIFICATE+REQUEST-----%0D%0AAAAA%0D%0A"},
    {.file = "csr", .asked = {.no_csr = true}, .page = "csr", .rc = RC_LATER},
    {.file = "csr-government", .page = "csr", .button_tc = "提交", .button = "Submit"},
    {.file = "csr-refused", .page = "csr", .error = PAGE_CSR_REFUSED, .button_tc = "提交", .button = "Submit"},
    {.file = "csr-confirm", .page = "csr-check", .told = "agrees: server name|agrees: names", .button_tc = "確認", .button = "Confirm"},
    {.file = "csr-confirm", .asked = {.organisation = "Other Limited"}, .page = "csr-check", .rc = RC_CA},
    {.file = "issuing", .page = "issuing"},
    {.file = "done", .page = "done", .links = "certificate root intermediate intermediate cross guide"},
    {.file = "expired", .error = PAGE_SESSION_LOST}, /* not described: what [portal] names is told all the same */
    {.file = "token", .error = PAGE_SESSION_LOST},
    {.file = "maintenance", .page = "closed", .error = PAGE_BUSY},
    {.file = "captcha", .page = NULL, .rc = RC_PAGES},
    {.file = "unknown", .page = NULL, .rc = RC_PAGES},
    {.file = "big5-confirm",
     .asked = {.names = "www.example.hk", .product = "standard"},
     .page = "details",
     .told = "agrees: product standard",
     .button = "確認"},
    {.file = "big5-dns", .page = "dns", .codes = "=7215ee9c7d9dc229d2921a40e899ec5f", .button = "確認"},
    {.file = "harbour-order-number",
     .page = "number",
     .told = "reference number: 123456789",
     .button = "Next",
     .body = "&p01=123456789&p02=1"},
    {.file = "harbour-key", .page = "key", .told = "PIN: (hidden)", .button = "Sign in", .body = "&p01=1234567890123456&p02=1"},
    {.file = "harbour-details",
     .page = "details",
     .told = DETAILS "|choice: The details above are correct",
     .button = "Save and go on",
     .body = "&p01=english&p02=yes&p03=1"},
    {.file = "harbour-details",
     .asked = {.chinese = true},
     .page = "details",
     .button = "Save and go on",
     .body = "&p01=chinese&p02=yes&p03=1"},
    {.file = "harbour-details", .asked = {.names = "www.example.hk example.hk"}, .page = "details", .rc = RC_CA},
    {.file = "harbour-request", .page = "csr", .told = "CSR: (PEM)", .button = "Upload", .body = "&p01=-----BEGIN"},
    {.file = "harbour-methods", .page = "method", .told = "choice: DNS record", .button = "Use this way", .body = "&p01=dns&p02=1"},
    {.file = "harbour-methods", .asked = {.method = ACT_EMAIL}, .page = "method", .rc = RC_PAGES},
    {.file = "harbour-records",
     .page = "proof",
     .codes = "www.example.hk=" EACH " example.hk=" EACH " xn--i8s431aqn1ad1j.hk=" EACH,
     .told = "agrees: method dns",
     .button = "Verify all",
     .body = "&p02=1"},
    {.file = "harbour-records",
     .asked = {.method = ACT_WEBSITE},
     .page = "proof",
     .codes = "www.example.hk=" EACH " example.hk=" EACH " xn--i8s431aqn1ad1j.hk=" EACH,
     .rc = RC_CA},
    {.file = "harbour-records-failed",
     .page = "proof",
     .error = PAGE_DCV_FAILED,
     .failed = "example.hk",
     .codes = "www.example.hk=" EACH " example.hk=" EACH " xn--i8s431aqn1ad1j.hk=" EACH,
     .button = "Verify all"},
    {.file = "harbour-ready", .page = "done", .links = "certificate intermediate"},
};

static void told_has(const char *file, const struct act *a, const char *wanted)
{
    while (wanted && *wanted) {
        size_t n = strcspn(wanted, "|");
        bool found = false;

        for (size_t i = 0; i < a->told.n; i++)
            found = found || strncmp(a->told.s[i], wanted, n) == 0;
        if (!found) {
            char *all = strs_join(&a->told, "\n");
            fail_msg("%s: \"%.*s\" is not told:\n%s", file, (int)n, wanted, all);
        }
        wanted += n + (wanted[n] == '|');
    }
}

static void check_reading(const char *file, const struct pages *c, const struct reading *r)
{
    struct str codes = STR_INIT(4096), links = STR_INIT(4096);

    if (!r->page != !c->page || (c->page && strcmp(guide_page_name(r->page), c->page) != 0))
        fail_msg("%s: taken for %s (%s), want %s", file, r->page ? guide_page_name(r->page) : "nothing", r->said,
                 c->page ? c->page : "nothing");
    if (r->error != c->error)
        fail_msg("%s: error \"%s\", want \"%s\"", file, page_error_words[r->error], page_error_words[c->error]);
    if (c->error != PAGE_FINE && !*r->said)
        fail_msg("%s: what the portal said is lost", file);
    assert_string_equal(r->failed_name, c->failed ? c->failed : "");
    for (size_t i = 0; i < r->n_code; i++)
        str_fmt(&codes, "%s%s=%s", i ? " " : "", r->code[i].name, r->code[i].value);
    for (size_t i = 0; i < r->n_link; i++)
        str_fmt(&links, "%s%s", i ? " " : "", r->link[i].role);
    assert_string_equal(str_text(&codes), c->codes ? c->codes : "");
    assert_string_equal(str_text(&links), c->links ? c->links : "");
    str_free(&codes);
    str_free(&links);
}

static void check_page(const struct guide *g, const char *file, const struct pages *c, bool chinese)
{
    char *path = mem_fmt("tests/portal/pages/%s.html", file), *html = NULL;
    const char *button = chinese && c->button_tc ? c->button_tc : c->button;
    struct ordered o;
    struct page *p;
    struct reading r;
    struct act a;
    struct err e = {0};
    size_t n;
    bool big5 = strncmp(file, "big5", 4) == 0, harbour = strncmp(file, "harbour", 7) == 0;

    make_order(&o, &c->asked);
    if (!fs_read(path, PAGE_MAX, &html, &n, &e) ||
        !page_parse(&p, html, n, big5 ? "big5" : NULL,
                    harbour ? "https://portal.harbour.test/step" : "https://www.ecert.test/ecert/csr/step.do", &e))
        fail_msg("%s: %s", file, e.text);
    if (!reading_take(g, p, &o.o, &r, &e))
        fail_msg("%s: %s", file, e.text);
    check_reading(file, c, &r);
    bool ok = act_plan(g, p, &r, &o.o, &a, &e);
    if (e.rc != c->rc || ok != (c->rc == RC_OK))
        fail_msg("%s: %d, want %d: %s", file, e.rc, c->rc, e.text);
    told_has(file, &a, c->told);
    assert_string_equal(a.button, button ? button : "");
    assert_int_equal(a.send.url != NULL, button != NULL);
    if (c->body && !strstr(str_text(&a.send.body), c->body))
        fail_msg("%s: sends %s, want %s", file, str_text(&a.send.body), c->body);
    for (size_t i = 0; i < a.told.n; i++)
        assert_null(strstr(a.told.s[i], "1234567890123456"));
    assert_null(strstr(e.text, "1234567890123456"));
    act_clear(&a);
    reading_clear(&r);
    page_free(p);
    drop_order(&o);
    free(html);
    free(path);
}

static void saved(void **state)
{
    (void)state;
    struct guide *ecert = guide_of("conf/ca/hongkongpost-ecert.ini"), *harbour = guide_of("tests/portal/conf/ca/harbour.ini");

    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        const struct pages *c = &pages[i];

        if (strncmp(c->file, "harbour", 7) == 0 || strncmp(c->file, "big5", 4) == 0) {
            check_page(*c->file == 'h' ? harbour : ecert, c->file, c, false);
            continue;
        }
        for (int tc = 0; tc < 2; tc++) {
            char *file = mem_fmt("%s-%s", tc ? "tc" : "en", c->file);
            check_page(ecert, file, c, tc);
            free(file);
        }
    }
    guide_free(ecert);
    guide_free(harbour);
}

/* Neither description takes a page of the other portal for one of its own. */
static void strangers(void **state)
{
    (void)state;
    struct guide *ecert = guide_of("conf/ca/hongkongpost-ecert.ini"), *harbour = guide_of("tests/portal/conf/ca/harbour.ini");
    static const char *const files[] = {"en-login", "tc-dns", "en-csr", "tc-done", "harbour-key", "harbour-request", "harbour-ready"};
    struct ordered o;

    make_order(&o, &(struct asked){.names = harbour_names});
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = mem_fmt("tests/portal/pages/%s.html", files[i]), *html;
        struct page *p;
        struct reading r;
        struct err e = {0};
        size_t n;

        assert_true(fs_read(path, PAGE_MAX, &html, &n, &e));
        assert_true(page_parse(&p, html, n, NULL, "https://www.ecert.test/", &e));
        assert_true(reading_take(*files[i] == 'h' ? ecert : harbour, p, &o.o, &r, &e));
        if (r.page)
            fail_msg("%s is taken for %s", files[i], guide_page_name(r.page));
        reading_clear(&r);
        page_free(p);
        free(html);
        free(path);
    }
    drop_order(&o);
    guide_free(ecert);
    guide_free(harbour);
}

/* --- ambiguity ----------------------------------------------------------------------------------------------------------------------------- */

#define PORTAL                                                                                                                             \
    "[portal]\ntitle = A\ntried = t\norigins = https://www.portal.example\nmethod.dns = DNS | Domain\nmethod.email = "                     \
    "Mail\nproduct.standard = SSL\n"                                                                                                       \
    "product.ev = EV SSL\n"
#define LOGIN_PAGE PORTAL "[page login]\nrole = login\ntext = Hello\nfield.pin = label:PIN\npress = Go\nunchecked = x\n"
#define ORDER_PAGE PORTAL "[page order]\nrole = details\ntext = Hello\nmust.server_name = label:Name\npress = Go\n"
#define PROOF_PAGE                                                                                                                         \
    PORTAL "[page proof]\nrole = proof\ntext = Hello\nmust.method = label:Method\nread.code = label:Code\npress = Go\nread.rows = "        \
           "xpath://tr\n"                                                                                                                  \
           "read.name = xpath:td[1]\nread.value = xpath:td[2]\n"
#define FORM "<p>Hello<form method=post action=/go>"
#define GO   "<input type=submit value=Go></form>"

/* A portal that shows what was typed: its words go into logs and the evidence. */
static void the_pin_in_its_words(void **state)
{
    (void)state;
    static const struct {
        const char *html, *said;
    } rows[] = {
        {"<p>Hello<p>Wrong: 123456789", "Wrong: 123456789"},
        {"<p>Hello<p>Wrong: 1234567890123456", "(words with the PIN in them)"},
        {"<p>Hello<p>Wrong: <b>1234</b> 5678 9012-3456 for 123456789", "(words with the PIN in them)"},
    };
    static const char text[] = LOGIN_PAGE "error.login-refused = Wrong\n";
    struct guide *g = guide_load(describe_text("ca/test.ini", text, strlen(text)));
    struct ordered o;

    make_order(&o, &(struct asked){0});
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct page *p;
        struct reading r;
        struct err e = {0};

        assert_true(page_parse(&p, rows[i].html, strlen(rows[i].html), NULL, "https://www.portal.example/", &e));
        assert_true(reading_take(g, p, &o.o, &r, &e));
        assert_int_equal(r.error, PAGE_LOGIN_REFUSED);
        assert_string_equal(r.said, rows[i].said);
        reading_clear(&r);
        page_free(p);
    }
    drop_order(&o);
    guide_free(g);
}

static void doubts(void **state)
{
    (void)state;
    static const struct {
        const char *guide, *html;
        enum rc rc;
        const char *why, *code;
    } cases[] = {
        {LOGIN_PAGE, FORM "PIN: <input type=password name=a>" GO, RC_OK, NULL, NULL},
        {LOGIN_PAGE, "<p>Bye", RC_PAGES, "not recognised: it fits no page", "PORTAL_PAGE"},
        {LOGIN_PAGE "[page two]\nrole = start\ntext = Hell\n", FORM "PIN: <input name=a>" GO, RC_PAGES, "[page login] and [page two] alike",
         "PORTAL_PAGE"},
        {LOGIN_PAGE "[page two]\nrole = start\ntext = Hell\nnot = PIN\n", FORM "PIN: <input name=a>" GO, RC_OK, NULL, NULL},
        {LOGIN_PAGE, FORM "PIN: <input name=a><p>PIN: <input name=b>" GO, RC_PAGES,
         "field.pin = PIN: the page has more than one such field", "PORTAL_PAGE"},
        {LOGIN_PAGE, FORM "Key: <input name=a>" GO, RC_PAGES, "the page has no such field", "PORTAL_PAGE"},
        {LOGIN_PAGE, FORM "PIN: <input name=a><input type=submit value=Go>" GO, RC_PAGES, "more than one such button", "PORTAL_PAGE"},
        {LOGIN_PAGE, FORM "PIN: <input name=a><input type=submit value=Stop></form>", RC_PAGES, "press = Go: the page has no such button",
         "PORTAL_PAGE"},
        {LOGIN_PAGE, "<p>Hello<form>PIN: <input name=a></form><form method=post>" GO, RC_PAGES, "not all fields", "PORTAL_FORM"},
        {LOGIN_PAGE, "<p>Hello<form method=post action=https://evil.example/>PIN: <input name=a>" GO, RC_PAGES,
         "leads to https://evil.example/", "PORTAL_ORIGIN"},
        {LOGIN_PAGE, "<p>Hello<form method=post action=http://www.portal.example/>PIN: <input name=a>" GO, RC_PAGES, "none of the origins",
         "PORTAL_ORIGIN"},
        {LOGIN_PAGE, "<base href=https://evil.example/><p>Hello<form method=post action=x>PIN: <input name=a>" GO, RC_PAGES, "evil",
         "PORTAL_ORIGIN"},
        {LOGIN_PAGE, "<script>'Hello'</script><!-- Hello --><p hidden>Hello</p>" FORM "PIN: <input name=a>" GO, RC_OK, NULL, NULL},
        {LOGIN_PAGE, "<script>'Hello'</script><!-- Hello --><p hidden>Hello</p><p>x", RC_PAGES, "fits no page", "PORTAL_PAGE"},
        {ORDER_PAGE, FORM "<p>Name: www.example.hk" GO, RC_OK, NULL, NULL},
        {ORDER_PAGE, FORM "<p>Name: WWW.Example.HK." GO, RC_OK, NULL, NULL},
        {ORDER_PAGE, FORM "<p>Name: www.other.hk" GO, RC_CA, "shows the server name www.other.hk, but the order says www.example.hk",
         "PORTAL_CONTRADICTS"},
        {ORDER_PAGE, FORM "<p>Name: www.example.hk<p>Name: www.other.hk" GO, RC_CA, "server name", "PORTAL_CONTRADICTS"},
        {ORDER_PAGE, FORM "<p>Name: the usual one!" GO, RC_PAGES, "is no host name", "PORTAL_PAGE"},
        {ORDER_PAGE, FORM "<table><tr><td>Name<td></table>" GO, RC_PAGES, "the page shows no name", "PORTAL_PAGE"},
        {ORDER_PAGE, FORM "<p>Names: www.example.hk" GO, RC_PAGES, "the page shows no name", "PORTAL_PAGE"},
        {ORDER_PAGE "must.product = label:Type\n", FORM "<p>Name: www.example.hk<p>Type: SSL" GO, RC_OK, NULL, NULL},
        {ORDER_PAGE "must.product = label:Type\n", FORM "<p>Name: www.example.hk<p>Type: EV SSL" GO, RC_CA, "shows the product ev (EV SSL)",
         "PORTAL_CONTRADICTS"},
        {ORDER_PAGE "must.product = label:Type\n", FORM "<p>Name: www.example.hk<p>Type: Gold" GO, RC_PAGES, "\"Gold\", is none of",
         "PORTAL_PAGE"},
        {ORDER_PAGE "must.product = label:Type\n", FORM "<p>Name: www.example.hk<p>Type: SSL<p>Type: EV SSL" GO, RC_PAGES,
         "more than one such value", "PORTAL_PAGE"},
        {ORDER_PAGE "must.reference = label:Ref\n", FORM "<p>Name: www.example.hk<p>Ref: 123456789" GO, RC_OK, NULL, NULL},
        {ORDER_PAGE "must.reference = label:Ref\n", FORM "<p>Name: www.example.hk<p>Ref: 12345678" GO, RC_CA, "reference number 12345678,",
         "PORTAL_CONTRADICTS"},
        {ORDER_PAGE "must.key = label:Key\n", FORM "<p>Name: www.example.hk<p>Key: 01:AB" GO, RC_LATER, "no", "PORTAL_WANTS"},
        {ORDER_PAGE "error.busy = Later\nerror.locked = Never\n", FORM "<p>Name: www.example.hk<p>Later, or Never" GO, RC_PAGES,
         "can mean busy and locked", "PORTAL_PAGE"},
        {PROOF_PAGE, FORM "<p>Method: DNS (recommended)<p>Code: abc<table><tr><td>www.example.hk<td>abc</table>" GO, RC_OK, NULL, NULL},
        {PROOF_PAGE, FORM "<p>Method: Mail<p>Code: abc<table><tr><td>www.example.hk<td>abc</table>" GO, RC_CA, "method",
         "PORTAL_CONTRADICTS"},
        {PROOF_PAGE, FORM "<p>Method: DNS or Mail<p>Code: abc<table><tr><td>www.example.hk<td>abc</table>" GO, RC_PAGES,
         "is none of the methods", "PORTAL_PAGE"},
        {PROOF_PAGE, FORM "<p>Method: DNS<p>Code: abc<p>Code: abd" GO, RC_PAGES, "more than one such value", "PORTAL_PAGE"},
        {PROOF_PAGE, FORM "<p>Method: DNS" GO, RC_PAGES, "the page shows no such value", "PORTAL_PAGE"},
        {PROOF_PAGE, FORM "<p>Method: DNS<p>Code: abc" GO, RC_PAGES, "no code is shown for www.example.hk", "PORTAL_PAGE"},
        {PROOF_PAGE, FORM "<p>Method: DNS<p>Code: abc<table><tr><td>evil.example<td>x</table>" GO, RC_CA, "a code for evil.example",
         "PORTAL_CONTRADICTS"},
        {PROOF_PAGE, FORM "<p>Method: DNS<p>Code: abc<table><tr><td>www.example.hk<td>a<tr><td>www.example.hk<td>b</table>" GO, RC_PAGES,
         "two codes for www.example.hk", "PORTAL_PAGE"},
        {PROOF_PAGE, FORM "<p>Method: DNS<p>Code: abc<table><tr><td>www.example.hk</table>" GO, RC_PAGES, "a row without a value",
         "PORTAL_PAGE"},
        {PORTAL "[page a]\nrole = start\ntext = Hello\nfollow = Next\n", "<p>Hello<a href=/x>Next</a> <a href=/x#y>Next page</a>", RC_OK,
         NULL, NULL},
        {PORTAL "[page a]\nrole = start\ntext = Hello\nfollow = Next\n", "<p>Hello<a href=/x>Next</a> <a href=/y>Next page</a>", RC_PAGES,
         "more than one such link", "PORTAL_PAGE"},
        {PORTAL "[page a]\nrole = start\ntext = Hello\nfollow = Next\n", "<p>Hello<a href=https://evil.example/>Next</a>", RC_PAGES, "evil",
         "PORTAL_ORIGIN"},
        {PORTAL "[page a]\nrole = start\ntext = Hello\nfollow = Next\n", "<p>Hello<a href='javascript:x()'>Next</a>", RC_PAGES,
         "no such link", "PORTAL_PAGE"},
        {PORTAL "[page a]\nrole = method\ntext = Hello\nchoose = {method}\npress = Go\nunchecked = x\n",
         FORM "<select name=m><option>Mail<option>DNS<option>Domain</select>" GO, RC_PAGES, "more than one such choice", "PORTAL_PAGE"},
        {PORTAL "[page a]\nrole = method\ntext = Hello\npress = {method}\nunchecked = x\n",
         "<p>Hello<form><button>Mail</button><button name=d>DNS</button></form>", RC_OK, NULL, NULL},
        {PORTAL "[page a]\nrole = checking\ntext = Hello\n", "<p>Hello", RC_OK, NULL, NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct guide *g = guide_load(describe_text("t.ini", cases[i].guide, strlen(cases[i].guide)));
        struct ordered o;
        struct page *p;
        struct reading r;
        struct act a = {0};
        struct err e = {0};
        size_t n;

        guide_faults(g, &n);
        assert_int_equal(n, 0);
        make_order(&o, &(struct asked){.names = "www.example.hk", .product = "standard"});
        assert_true(page_parse(&p, cases[i].html, strlen(cases[i].html), "utf-8", "https://www.portal.example/a/b", &e));
        bool ok = reading_take(g, p, &o.o, &r, &e) && act_plan(g, p, &r, &o.o, &a, &e);
        if (ok != (cases[i].rc == RC_OK) || e.rc != cases[i].rc || (cases[i].why && !strstr(e.text, cases[i].why)))
            fail_msg("%zu %s: %d %s", i, cases[i].html, e.rc, e.text);
        if (cases[i].code)
            assert_string_equal(e.code, cases[i].code);
        if (!ok)
            assert_true(!a.send.url && !*a.button);
        act_clear(&a);
        reading_clear(&r);
        page_free(p);
        drop_order(&o);
        guide_free(g);
    }
}

static void organisations(void **state)
{
    (void)state;
    static const struct {
        const char *expected, *shown;
        bool is;
    } cases[] = {
        {"Example Limited", "Example Limited", true},
        {"Example Limited", "EXAMPLE  Limited 示例有限公司", true},
        {"示例有限公司", "Example Limited 示例有限公司", true},
        {"示例有限公司", "示例有限公司", true},
        {"Example Limited", "Example Limited (HK)", false},
        {"Example Limited", "My Example Limited", false},
        {"例有限公司", "Example Limited 示例有限公司", false},
        {"Example Limited", "示例有限公司", false},
        {"", "Example Limited", false},
        {"Hong Kong SAR Government", "Hong Kong SAR Government 香港特別行政區政府", true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (organisation_is(cases[i].expected, cases[i].shown) != cases[i].is)
            fail_msg("%s / %s", cases[i].expected, cases[i].shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved),  cmocka_unit_test(strangers),     cmocka_unit_test(the_pin_in_its_words),
        cmocka_unit_test(doubts), cmocka_unit_test(organisations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
