/* fuzz_page.c: a page of a portal: parsed, recognised, read, planned, masked. The first octet chooses charset and order. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ca/portal/act.h"
#include "ca/portal/session.h"
#include "conf/describe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define URL "https://www.portal.example/csr/step.do?a=b"

/* Small, and with every way to find something. Several pages fit at once only where `not` says nothing. */
static const char description[] =
    "[portal]\ntitle = F\ntried = t\norigins = https://www.portal.example\n"
    "product.standard = SSL | 電子證書（伺服器）\nproduct.ev = EV\nmethod.dns = DNS | 網域名稱系統變更\nmethod.email = Mail\n"
    "error.busy = Later\nerror.session-lost = xpath://b[. = 'Gone']\n"
    "[page login]\nrole = login\nknown = //input[@type='password']\nfield.server_name = label:Server name|伺服器名稱\nfield.reference = "
    "label:參考編號\n"
    "field.pin = xpath://input[@type='password']\npress = Submit|提交\nunchecked = x\n"
    "[page details]\nrole = details\ntext = Subscriber|登記人資料\nnot = DNS|網域\nmust.server_name = label:Server name|伺服器名稱\n"
    "must.names = label:Server name|伺服器名稱|Names\nmust.product = label:Type|證書類型\nchoose.2 = I agree\npress = Confirm|確認\n"
    "[page method]\nrole = method\nknown = //select | //input[@type='radio']\nnot = Code|記錄值\nchoose = {method}\npress = "
    "xpath://*[@type='submit']\n"
    "unchecked = x\n"
    "[page proof]\nrole = proof\ntext = Code|記錄值\nmust.method = label:Method|網域控制驗證 (DCV) 方法\nread.code = label:Code|記錄值\n"
    "read.rows = xpath://tr[td/code]\nread.name = xpath:td[1]\nread.value = xpath:.//code\nread.failed = xpath://i\nerror.dcv-failed = "
    "Failed|失敗\n"
    "press = Confirm|確認\n"
    "[page csr]\nrole = csr\nknown = //textarea\nfield.csr = name:csr\npress = Submit|提交\nunchecked = x\n"
    "[page done]\nrole = done\ntext = Download|下載\nlink.certificate = Certificate|證書\nlink.root = xpath://a\n"
    "[page on]\nrole = start\ntext = Next\nfollow = Next\n";

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void plain(const char *s)
{
    for (; *s; s++)
        must((unsigned char)*s >= 0x20 && *s != 0x7f);
}

static void told(const struct err *e)
{
    must(e->rc != RC_OK && e->code && *e->code);
    plain(e->text);
}

static void plan(const struct guide *g, const struct page *p, const struct act_order *o)
{
    struct reading r;
    struct act a = {0};
    struct err e = {0};
    bool read = reading_take(g, p, o, &r, &e);

    plain(r.said);
    for (size_t i = 0; i < r.n_code; i++)
        must(*r.code[i].value);
    if (read && act_plan(g, p, &r, o, &a, &e)) {
        must(!a.send.url || origin_in(guide_origins(g), a.send.url, false));
    } else {
        told(&e);
        must(!a.send.url && !*a.button);
    }
    for (size_t i = 0; i < a.told.n; i++)
        plain(a.told.s[i]);
    plain(a.button);
    act_clear(&a);
    reading_clear(&r);
}

static void mask(const struct page *p)
{
    static const char pin[] = "1234567890123456";
    const struct bytes secret = {(const uint8_t *)pin, sizeof pin - 1};
    size_t n;
    char *kept = page_masked(p, &secret, 1, &n);

    must(!memmem(kept, n, pin, sizeof pin - 1));
    free(kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct guide *g;
    static const char *const charsets[] = {NULL, "big5", "utf-8", "gb18030"};
    struct strs names = {0};
    struct secret pin = {0};
    struct page *p;
    struct err e = {0};
    unsigned choice = size ? data[0] : 0;

    if (!g)
        g = guide_load(describe_text("f.ini", description, sizeof description - 1));
    size_t faults;
    guide_faults(g, &faults);
    must(faults == 0);
    strs_split(&names, choice & 4 ? "*.example.hk example.hk" : "www.example.hk");
    secret_set(&pin, "1234567890123456", 16);
    const struct act_order o = {.names = &names,
                                .reference = "123456789",
                                .pin = &pin,
                                .product = "standard",
                                .method = choice & 8 ? ACT_EMAIL : ACT_DNS,
                                .email = "admin@example.hk",
                                .csr_pem = {(const uint8_t *)"CSR\n", 4}};
    if (size && page_parse(&p, data + 1, size - 1, charsets[choice & 3], URL, &e)) {
        char url[300];

        plan(g, p, &o);
        mask(p);
        page_refresh(p, url, sizeof url);
        page_free(p);
    } else if (size) {
        told(&e);
    }
    strs_free(&names);
    secret_free(&pin);
    return 0;
}
