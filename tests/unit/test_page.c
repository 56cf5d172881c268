#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "ca/portal/page.h"

#define URL "https://www.portal.example/ecert/csr/login.do?step=1"

static struct page *parse(const char *html)
{
    struct err e = {0};
    struct page *p;

    if (!page_parse(&p, html, strlen(html), "utf-8", URL, &e))
        fail_msg("%s: %s", e.text, html);
    return p;
}

/* The names of controls that a label finds, "a b". */
static char *named(const struct page *p, const struct nodes *l)
{
    struct str out = STR_INIT(4096);

    for (size_t i = 0; i < l->n; i++) {
        struct strs name = {0};
        page_texts(p, "@name", l->p[i], &name);
        str_fmt(&out, "%s%s", i ? " " : "", name.n ? name.s[0] : "?");
        strs_free(&name);
    }
    return str_take(&out);
}

static void controls(void **state)
{
    (void)state;
    static const struct {
        const char *html, *labels, *want;
    } cases[] = {
        {"<label for=x>Server name</label><input id=x name=a>", "Server name", "a"},
        {"<label>Server name <input name=a></label>", "server NAME:", "a"},
        {"<table><tr><td>伺服器名稱：</td><td><input name=a></td></tr></table>", "Server name|伺服器名稱", "a"},
        {"<table><tr><td>伺服器名稱&nbsp;*&#x3000;：</td><td><input name=a></td></tr></table>", "伺服器名稱", "a"},
        {"<table><tr><td>參考編號：<br>(印於密碼信封面；九位數字)</td><td><input name=a></td></tr></table>", "參考編號", "a"},
        {"<table><tr><td>參考編號</td><td>：</td><td><input name=a></td></tr></table>", "參考編號", "a"},
        {"<table><tr><td>參考編號：<input name=a><br>(九位數字)</td></tr></table>", "參考編號", "a"},
        {"<table><tr><td><b>CSR</b></td></tr><tr><td><textarea name=a></textarea></td></tr></table>", "CSR", "a"},
        /* headings above columns are not labels */
        {"<table><tr><td>A</td><td>B</td></tr><tr><td><input name=a></td><td><input name=b></td></tr></table>", "B", ""},
        {"<dl><dt>PIN</dt><dd><input type=password name=a></dd></dl>", "pin", "a"},
        {"<div><div>PIN</div><div><input type=password name=a></div></div>", "PIN", "a"},
        {"<div><p>PIN</p><input name=a></div>", "PIN", "a"},
        {"PIN<br><input name=a>", "PIN", "a"},
        {"PIN: <input name=a> again: <input name=b>", "again", "b"},
        {"<input name=a aria-label='Reference no.'>", "reference no.", "a"},
        {"<input name=a placeholder=\"Reference no.\">", "reference no.", "a"},
        {"<p>ＰＩＮ： <input name=a></p>", "PIN", "a"},
        {"<p>PIN (sixteen digits): <input name=a></p>", "PIN", "a"},
        {"<p>PIN (old): <input name=a></p><p>PIN: <input name=b></p>", "PIN", "b"},
        {"<p>PIN (old): <input name=a></p><p>PIN (new): <input name=b></p>", "PIN", "a b"},
        {"<p>PIN: <input name=a></p><p>PIN: <input name=b></p>", "PIN", "a b"},
        {"<p>PINE: <input name=a></p>", "PIN", ""},
        {"<p>PIN: <input name=a disabled></p>", "PIN", ""},
        {"<fieldset disabled><p>PIN: <input name=a></p></fieldset>", "PIN", ""},
        {"<p>PIN: <input name=a readonly></p>", "PIN", ""},
        {"<p>PIN: <input name=a type=hidden></p>", "PIN", ""},
        {"<p style='Display : none'>PIN: <input name=a></p><p hidden>PIN: <input name=b></p>", "PIN", ""},
        {"<script>document.write('<p>PIN: <input name=a>')</script><!-- <p>PIN: <input name=b> --><style>p{}</style>", "PIN", ""},
        {"<noscript><p>PIN: <input name=a></p></noscript><template><p>PIN: <input name=b></p></template>", "PIN", ""},
        {"<label><input type=radio name=a> DNS change (recommended)</label><label><input type=radio name=b> Website</label>", "DNS change",
         "a"},
        {"<input type=radio name=a> DNS <input type=radio name=b> Website", "Website", "b"},
        {"<table><tr><td><input type=radio name=a></td><td>DNS</td></tr><tr><td><input type=radio name=b></td><td>Web</td></tr></table>",
         "Web", "b"},
        {"<p>Method: <select name=a><option>DNS</select></p>", "Method", "a"},
        {"<p>PIN: <b><input name=a></b>", "PIN", "a"},
        {"<p>PIN: <input type=submit name=a value=Send></p>", "PIN", ""},
        {"<p>PIN: <input name='a b\"c'></p>", "PIN", "a b\"c"},
        {"<td>PIN<td><input name=a>", "PIN", "a"}, /* no table around, nothing closed */
        {"", "PIN", NULL},
    };

    for (size_t i = 0; cases[i].want; i++) {
        struct page *p = parse(cases[i].html);
        struct nodes l = {0};
        char *got;

        page_control(p, cases[i].labels, &l);
        got = named(p, &l);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s: %s: got \"%s\", want \"%s\"", cases[i].html, cases[i].labels, got, cases[i].want);
        free(got);
        nodes_free(&l);
        page_free(p);
    }
}

static void values(void **state)
{
    (void)state;
    static const struct {
        const char *html, *labels, *want;
    } cases[] = {
        {"<table><tr><td>伺服器名稱:</td><td>www.ecert.gov.hk</td></tr></table>", "Server name | 伺服器名稱", "www.ecert.gov.hk"},
        {"<table><tr><th>Server name</th><td><b>www</b>.example.hk</td></tr></table>", "Server name", "www.example.hk"},
        {"<table><tr><td><p><b>Name</b></p></td><td>:</td><td><p>value  one<br>two</p></td></tr></table>", "Name", "value one two"},
        {"<table><tr><td>BR number:</td><td></td></tr><tr><td>CI number:</td><td>7</td></tr></table>", "BR number", ""},
        {"<table><tr><td>Alone:</td></tr><tr><td>Next</td></tr></table>", "Alone", NULL},
        {"<p>Server name: www.example.hk</p>", "Server name", "www.example.hk"},
        {"<p>伺服器名稱：*.example.hk</p>", "伺服器名稱", "*.example.hk"},
        {"<p>Server name:<br>www.example.hk</p>", "Server name", "www.example.hk"},
        {"<p><b>Server name</b> www.example.hk</p>", "Server name", "www.example.hk"},
        {"<p><span>Server name</span><span>www.example.hk</span></p>", "Server name", "www.example.hk"},
        {"<div><div>Server name</div><div>www.example.hk</div></div>", "Server name", "www.example.hk"},
        {"<div><span>Server name</span></div><div>www.example.hk</div>", "Server name", "www.example.hk"},
        {"<dl><dt>Server name</dt><dd>www.example.hk</dd><dt>Type</dt><dd>EV</dd></dl>", "Type", "EV"},
        {"<table><tr><td>Server name</td><td><input readonly value='www.example.hk'></td></tr></table>", "Server name", "www.example.hk"},
        {"<table><tr><td>Code</td><td>abc_DEF=<button type=button>Copy</button><input type=hidden value=x></td></tr></table>", "Code",
         "abc_DEF="},
        {"<p>Code (30 days): abc</p>", "Code", NULL}, /* a hint belongs to a label that stands alone */
        {"<p>Code: a:b</p>", "Code", "a:b"},
        {"<p>Code: a</p><p>Code: b</p>", "Code", "a|b"},
        {"<p>Code: <span style=display:none>x</span><script>y</script>z</p>", "Code", "z"},
        {"<p>Postcode: a</p>", "Code", NULL},
        {"<table><tr><td>PIN</td><td><input type=password value=secret></td></tr></table>", "PIN", ""},
        {"<table><tr><td>A&amp;B</td><td>&lt;x&gt; &quot;y&quot; &#27231;</td></tr></table>", "A&B", "<x> \"y\" 機"},
        {NULL, NULL, NULL},
    };

    for (size_t i = 0; cases[i].html; i++) {
        struct page *p = parse(cases[i].html);
        struct strs l = {0};
        char *got;

        page_shown(p, cases[i].labels, &l);
        got = l.n ? strs_join(&l, "|") : NULL;
        if (!got != !cases[i].want || (got && strcmp(got, cases[i].want) != 0))
            fail_msg("%s: %s: got \"%s\", want \"%s\"", cases[i].html, cases[i].labels, got ? got : "(none)",
                     cases[i].want ? cases[i].want : "(none)");
        free(got);
        strs_free(&l);
        page_free(p);
    }
}

static void words(void **state)
{
    (void)state;
    assert_true(text_same(" Server\u00a0 NAME：* ", "server name"));
    assert_true(text_same("ＰＩＮ（十六位）", "pin(十六位)"));
    assert_true(text_same("“DNS”", "\"dns\""));
    assert_true(text_same("a\u200bb\u00ad", "ab"));
    assert_true(text_same("\u2066www\u2069.ex\u034fample\u061c.hk\ufe0f", "www.example.hk"));
    assert_false(text_same("*.example.hk", "example.hk"));
    assert_false(text_same("Server name", "Servername"));
    struct page *p = parse("<p>DCV　<b>驗證失敗</b>： www");
    assert_true(page_shows(p, "nothing | dcv 驗證失敗:www"));
    assert_false(page_shows(p, " * | "));
    assert_false(page_shows(p, "\xff\xfe"));
    char *line = page_line(p, "WWW");
    assert_string_equal(line, "DCV 驗證失敗： www");
    free(line);
    assert_null(page_line(p, "other"));
    page_free(p);
}

/* --- sending --------------------------------------------------------------------------------------------------------------------------- */

struct with {
    const char *name, *value; /* fill; NULL: none */
};

static bool submit(const char *html, const char *charset, const char *button, const struct with *w, struct page_send *out, struct err *e)
{
    struct page *p;
    struct nodes b = {0}, f = {0};
    struct page_fill fill[4];
    size_t n = 0;
    bool ok = page_parse(&p, html, strlen(html), charset, URL, e);

    if (!ok)
        return false;
    page_find(p, button, NULL, &b);
    assert_int_equal(b.n, 1);
    for (; w && w->name; w++) {
        page_find(p, w->name, NULL, &f);
        assert_int_equal(f.n, 1);
        fill[n++] = (struct page_fill){f.p[0], {(const uint8_t *)w->value, strlen(w->value)}};
        nodes_free(&f);
    }
    ok = page_submit(p, b.p[0], fill, n, out, e);
    nodes_free(&b);
    page_free(p);
    return ok;
}

static const struct form {
    const char *html;
    struct with with[3];
    const char *want; /* "METHOD URL BODY"; NULL: refused */
    const char *why;
} form_cases[] = {
    {"<form method=post action=next.do><input type=hidden name=token value='a&b'><input name=x value=1><button id=b name=go value=y>",
     {{NULL}},
     "POST https://www.portal.example/ecert/csr/next.do token=a%26b&x=1&go=y",
     NULL},
    {"<form method=POST><input name=x><input type=submit value=A name=s1><input id=b type=submit value='B b' name=s2></form>",
     {{"//input[@name='x']", "www.example.hk"}},
     "POST https://www.portal.example/ecert/csr/login.do?step=1 x=www.example.hk&s2=B+b",
     NULL},
    {"<form action='/a?old=1#f'><input name=x value='é 機'><input type=image id=b name=i></form>",
     {{NULL}},
     "GET https://www.portal.example/a?x=%C3%A9+%E6%A9%9F&i.x=0&i.y=0 ",
     NULL},
    {"<base href='https://www.portal.example/other/'><form method=post action=x><button id=b></form>",
     {{NULL}},
     "POST https://www.portal.example/other/x ",
     NULL},
    {"<form method=post action=' ../up\n.do '><button id=b formaction='//cdn.portal.example/z z' formmethod=get name=q>",
     {{NULL}},
     "GET https://cdn.portal.example/z%20z?q= ",
     NULL},
    {"<form method=post><input name=a disabled value=1><fieldset disabled><input name=b></fieldset><input value=noname><input "
     "type=checkbox name=c><input type=checkbox name=d checked><input type=radio name=r value=1 checked><input type=radio name=r "
     "value=2><input type=button name=e value=e><input type=reset name=f><select name=s><option>one<option value=2 "
     "selected>two</select><select name=t><option disabled>x<option>first</select><select name=m multiple><option "
     "selected>p<option>q<option selected>r</select><textarea name=ta>\nl1\nl2</textarea><button id=b type=submit>",
     {{NULL}},
     "POST https://www.portal.example/ecert/csr/login.do?step=1 d=on&r=1&s=2&t=first&m=p&m=r&ta=l1%0D%0Al2",
     NULL},
    {"<form method=post><input type=radio name=r value=1 checked><input type=radio name=r value=2><select name=s><option value=e>E-mail"
     "<option value=d>網域名稱系統變更 (建議)</select><button id=b>",
     {{"//input[@value='2']", ""}, {"//select", "網域名稱系統變更（建議）："}},
     "POST https://www.portal.example/ecert/csr/login.do?step=1 r=2&s=d",
     NULL},
    {"<form method=post><select name=s><option value=e>E-mail</select><button id=b>", {{"//select", "dns"}}, NULL, "no such choice"},
    {"<form method=post><select name=s><option>a<option value=2>A</select><button id=b>", {{"//select", "a"}}, NULL, "or several"},
    {"<form method=post><input name=x maxlength=3><button id=b>", {{"//input", "1234"}}, NULL, "fewer characters"},
    {"<form method=post><input name=x disabled><button id=b>", {{"//input", "1"}}, NULL, "switched off"},
    {"<form method=post><input><button id=b></form>", {{"//input", "1"}}, NULL, "no name"},
    {"<form><input name=x></form><form method=post><button id=b></form>", {{"//input", "1"}}, NULL, "not all fields"},
    {"<form id=f method=post></form><input name=x form=f><button id=b form=f>",
     {{"//input", "1"}},
     "POST https://www.portal.example/ecert/csr/login.do?step=1 x=1",
     NULL},
    {"<button id=b>", {{NULL}}, NULL, "belongs to no form"},
    {"<form method=post><button type=button id=b></form>", {{NULL}}, NULL, "belongs to no form"},
    {"<form method=post><button disabled id=b></form>", {{NULL}}, NULL, "belongs to no form"},
    {"<form action='javascript:go()'><button id=b></form>", {{NULL}}, NULL, "no http or https"},
    {"<form action='https://u:p@www.portal.example/'><button id=b></form>", {{NULL}}, NULL, "no http or https"},
    {"<form method=dialog><button id=b></form>", {{NULL}}, NULL, "does not know"},
    {"<form method=post enctype=text/plain><button id=b></form>", {{NULL}}, NULL, "does not know"},
    {"<form method=post><input name=x><form method=post action=evil><button id=b></form></form>", {{NULL}}, NULL, "another form"},
    {"<!-- <form> --><script>'<form>'</script><form method=post><textarea name=t>&lt;form&gt;</textarea><button id=b></form>",
     {{NULL}},
     "POST https://www.portal.example/ecert/csr/login.do?step=1 t=%3Cform%3E",
     NULL},
    {"<table><tr><form method=post><td><input name=a></td><td><input name=c></td><td><button id=b></td></form></tr></table>",
     {{"//input[@name='c']", "1"}},
     "POST https://www.portal.example/ecert/csr/login.do?step=1 a=&c=1",
     NULL},
    {"<form method=post><textarea name=csr></textarea><button id=b>",
     {{"//textarea", "-----BEGIN\nA+/=\r\n"}},
     "POST https://www.portal.example/ecert/csr/login.do?step=1 csr=-----BEGIN%0D%0AA%2B%2F%3D%0D%0A",
     NULL},
    {"<form method=post><input type=hidden name=_charset_><input name=x form=''><button id=b>",
     {{NULL}},
     "POST https://www.portal.example/ecert/csr/login.do?step=1 _charset_=UTF-8",
     NULL},
    /* names and ids are what they are, in their own case */
    {"<form id=f method=post action=/lower></form><form id=F method=post action=/upper></form><input name=x form=F><button id=b "
     "form=F>",
     {{"//input", "1"}},
     "POST https://www.portal.example/upper x=1",
     NULL},
    {"<form method=post><input type=radio name=r value=1 checked><input type=radio name=R value=2><button id=b>",
     {{"//input[@value='2']", ""}},
     "POST https://www.portal.example/ecert/csr/login.do?step=1 r=1&R=2",
     NULL},
    /* what nobody has chosen yet */
    {"<form method=post><select name=s><option selected disabled>Choose<option value=a>A</select><select name=t "
     "size=4><option>b</select><button id=b>",
     {{NULL}},
     "POST https://www.portal.example/ecert/csr/login.do?step=1 ",
     NULL},
    {"<form method=post><input name=x maxlength=many><input name=y maxlength=''><button id=b>",
     {{"//input[@name='x']", "1"}, {"//input[@name='y']", "2"}},
     "POST https://www.portal.example/ecert/csr/login.do?step=1 x=1&y=2",
     NULL},
    {"<form method=post><fieldset disabled><legend><input name=a></legend><input name=c><fieldset><legend><input "
     "name=d></legend></fieldset></fieldset><button id=b>",
     {{NULL}},
     "POST https://www.portal.example/ecert/csr/login.do?step=1 a=",
     NULL},
    /* what a browser would not send before it is filled in: the page asks for more than the description knows */
    {"<form method=post><input type=checkbox name=agree required><button id=b>", {{NULL}}, NULL, "agree: is required"},
    {"<form method=post><input name=x required><button id=b>", {{NULL}}, NULL, "x: is required"},
    {"<form method=post><select name=s required><option value=''>Choose<option>a</select><button id=b>", {{NULL}}, NULL, "is required"},
    {"<form method=post><input type=radio name=r required><input type=radio name=r value=2><button id=b>",
     {{NULL}},
     NULL,
     "r: is required"},
    {"<form method=post><input type=radio name=r required><input type=radio name=r value=2><input name=x required><input "
     "type=checkbox name=c required checked><input name=y required disabled><input name=z required readonly><button id=b>",
     {{"//input[@value=2]", ""}, {"//input[@name='x']", "1"}},
     "POST https://www.portal.example/ecert/csr/login.do?step=1 r=2&x=1&c=on&z=",
     NULL},
    {"<form method=post><input name=x required><button id=b formnovalidate>",
     {{NULL}},
     "POST https://www.portal.example/ecert/csr/login.do?step=1 x=",
     NULL},
    {"<form method=post novalidate><input name=x required><button id=b>",
     {{NULL}},
     "POST https://www.portal.example/ecert/csr/login.do?step=1 x=",
     NULL},
    {NULL, {{NULL}}, NULL, NULL},
};

static void forms(void **state)
{
    (void)state;
    for (size_t i = 0; form_cases[i].html; i++) {
        struct page_send out;
        struct err e = {0};
        bool ok = submit(form_cases[i].html, "utf-8", "//*[@id='b']", form_cases[i].with, &out, &e);

        if (ok != (form_cases[i].want != NULL))
            fail_msg("%s: %s", form_cases[i].html, ok ? "sent" : e.text);
        if (ok) {
            char *got = mem_fmt("%s %s %s", out.method, out.url, str_text(&out.body));
            assert_string_equal(got, form_cases[i].want);
            free(got);
            page_send_clear(&out);
        } else {
            assert_int_equal(e.rc, RC_PAGES);
            if (!strstr(e.text, form_cases[i].why))
                fail_msg("%s: %s", form_cases[i].html, e.text);
        }
    }
}

static void multipart(void **state)
{
    (void)state;
    static const char html[] = "<form method=post enctype='multipart/form-data'><input name=a value='x y'><input type=file name=f><input "
                               "type=file name=g><button id=b></form>";
    struct page_send out;
    struct err e = {0};

    assert_true(submit(html, NULL, "//button", (struct with[]){{"//input[@name='f']", "-----BEGIN\n"}, {NULL}}, &out, &e));
    const char *boundary = strstr(out.content_type, "boundary=") + 9;
    char *want = mem_fmt("--%s\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx y\r\n"
                         "--%s\r\nContent-Disposition: form-data; name=\"f\"; filename=\"request.csr\"\r\nContent-Type: "
                         "application/octet-stream\r\n\r\n-----BEGIN\n\r\n"
                         "--%s\r\nContent-Disposition: form-data; name=\"g\"; filename=\"\"\r\nContent-Type: "
                         "application/octet-stream\r\n\r\n\r\n--%s--\r\n",
                         boundary, boundary, boundary, boundary);
    assert_string_equal(str_text(&out.body), want);
    free(want);
    page_send_clear(&out);
}

static void charsets(void **state)
{
    (void)state;
    /* 機構 in Big5; 着, which only the Hong Kong supplement has, at 0x8b 0x5e... of it is not needed: 裏 0xf9d8 is */
    static const char form[] = "<form method=post><p>\xbe\xf7\xba\x63<input name=x value='\xbe\xf7\xba\x63'><button id=b></form>";
    static const struct {
        const char *before, *header, *text;
    } cases[] = {
        {"", "Big5", "機構"},
        {"<meta http-equiv=Content-Type content='text/html; charset=big5'>", NULL, "機構"},
        {"<!-- <meta charset=utf-8> --><META CHARSET=\"Big5\">", NULL, "機構"},
        {"<meta charset=utf-8>", "\"big5-hkscs\"", "機構"},
        {"<meta charset=utf-8>", NULL, "\u00f7\u00bac"}, /* not what was meant, but no crash and no guess */
        {"<meta charset=big5>", "MS950", "機構"},        /* a name that nobody else knows */
        {"<meta name=description content='a charset'><meta name=charset content=x><meta charset=big5>", NULL, "機構"},
        {"<meta http-equiv=Content-Type content='text/html; charset = csBig5'>", NULL, "機構"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (i == 4)
            continue;
        char *html = mem_fmt("%s%s", cases[i].before, form);
        struct page *p;
        struct err e = {0};
        struct page_send out;

        assert_true(page_parse(&p, html, strlen(html), cases[i].header, URL, &e));
        assert_true(page_shows(p, cases[i].text));
        page_free(p);
        assert_true(submit(html, cases[i].header, "//button", (struct with[]){{"//input", "é機 a"}, {NULL}}, &out, &e));
        assert_non_null(strstr(str_text(&out.body), "%BE%F7+a")); /* back in the page's own charset */
        page_send_clear(&out);
        free(html);
    }
    static const char held[] = "<form method=post><input name=x><button id=b></form>";
    struct page_send out;
    struct err e = {0};
    assert_true(submit(held, "Big5", "//button", (struct with[]){{"//input", "caf\u00ea"}, {NULL}}, &out, &e));
    assert_string_equal(str_text(&out.body), "x=caf%88%A7"); /* a letter that may begin a pair is not kept back */
    page_send_clear(&out);
    struct page *p;
    static const char marked[] = "\xef\xbb\xbf<p>\xe6\xa9\x9f", wide[] = "\xff\xfe<\0p\0>\0\x5f\x6a", broken[] = "<p>a\xff\xe6\xa9z\0\x01y";
    assert_true(page_parse(&p, marked, sizeof marked - 1, "big5", URL, &e)); /* the mark says more than the header */
    assert_string_equal(page_text(p), "機");
    page_free(p);
    assert_true(page_parse(&p, wide, sizeof wide - 1, NULL, URL, &e));
    assert_string_equal(page_text(p), "機");
    page_free(p);
    assert_true(page_parse(&p, broken, sizeof broken - 1, NULL, URL, &e));
    assert_string_equal(page_text(p), "a\ufffd\ufffd\ufffdz y");
    page_free(p);
    assert_false(page_parse(&p, "<p>x", 4, "klingon", URL, &e));
    assert_string_equal(e.code, "PORTAL_CHARSET");
}

/* --- links, refresh, buttons, XPath ------------------------------------------------------------------------------------------------------ */

static void links(void **state)
{
    (void)state;
    static const char html[] =
        "<a href='cert.do?id=1#top'>1. 下載 \"Hongkong Post e-Cert (Server)\" 證書</a><a href='javascript:x()'>Script</a>"
        "<a href=root.crt><img alt='Root certificate'></a><p style='display:none'><a href=evil>Root certificate</a></p><a>Nowhere</a>"
        "<a href='mailto:enquiry@portal.example'>Mail</a><a href='//other.example/x'>Elsewhere</a>";
    struct page *p = parse(html);
    static const struct {
        const char *texts;
        size_t n;
        const char *url;
    } cases[] = {{"\"Hongkong Post e-Cert (Server)\" 證書", 1, "https://www.portal.example/ecert/csr/cert.do?id=1"},
                 {"script", 1, NULL},
                 {"root certificate", 1, "https://www.portal.example/ecert/csr/root.crt"},
                 {"Nowhere", 0, NULL},
                 {"Mail", 1, NULL},
                 {"Nothing | elsewhere", 1, "https://other.example/x"}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct nodes l = {0};
        page_links(p, cases[i].texts, &l);
        assert_int_equal(l.n, cases[i].n);
        char *url = l.n ? page_link_url(p, l.p[0]) : NULL;
        if (cases[i].url)
            assert_string_equal(url, cases[i].url);
        else
            assert_null(url);
        free(url);
        nodes_free(&l);
    }
    page_free(p);
}

static void refreshes(void **state)
{
    (void)state;
    static const struct {
        const char *html, *want;
    } cases[] = {
        {"<meta http-equiv=Refresh content='0; url=next.do'>", "https://www.portal.example/ecert/csr/next.do"},
        {"<meta http-equiv=refresh content=\"5;URL='https://evil.example/'\">", "https://evil.example/"},
        {"<meta http-equiv=refresh content='1.5 , /x#y'>", "https://www.portal.example/x"},
        {"<meta http-equiv=refresh content='30'>", NULL},
        {"<meta http-equiv=refresh content='0;url=javascript:1'>", NULL},
        {"<noscript><meta http-equiv=refresh content='0;url=/no'></noscript>", NULL},
        {"<!-- <meta http-equiv=refresh content='0;url=/no'> --><p>", NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct page *p = parse(cases[i].html);
        char url[200] = "";

        assert_int_equal(page_refresh(p, url, sizeof url), cases[i].want != NULL);
        assert_string_equal(url, cases[i].want ? cases[i].want : "");
        assert_false(page_refresh(p, url, 3)); /* does not fit: it is not cut */
        page_free(p);
    }
}

static void buttons(void **state)
{
    (void)state;
    struct page *p =
        parse("<form><input type=submit value=' 確認 '><input type=submit value=確認使用中文><button>Confirm <b>now</b></button>"
              "<input type=image alt=Go><input type=button value=Go><button type=button>Go</button><input type=submit disabled "
              "value=Go><button><img alt=Picture></button><input type=reset value=Reset></form>");
    static const struct {
        const char *texts;
        size_t n;
    } cases[] = {{"確認", 1}, {"Confirm|確認使用中文", 1}, {"confirm NOW", 1}, {"Go", 1}, {"Picture", 1}, {"Reset", 0}, {"確認|Go", 2}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct nodes l = {0};
        page_buttons(p, cases[i].texts, &l);
        assert_int_equal(l.n, cases[i].n);
        nodes_free(&l);
    }
    page_free(p);
}

static void xpaths(void **state)
{
    (void)state;
    char why[160];
    struct page *p = parse("<h1>Title</h1><ul><li class=n>www.example.hk<b>one</b><li class=n>*.example.hk</ul><a href=' x '>l</a>");
    struct strs l = {0};
    struct nodes rows = {0};

    struct page *half =
        parse("<div style='display:none'><p><textarea name=a></textarea><b>old</b></div><textarea name=b></textarea><b>new</b>"
              "<input type=hidden name=c value=token>");
    page_find(half, "//textarea", NULL, &rows); /* what nobody sees is not meant */
    page_texts(half, "//b", NULL, &l);
    page_texts(half, "//input/@value", NULL, &l);
    assert_int_equal(rows.n, 1);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.s[0], "new");
    assert_string_equal(l.s[1], "token");
    strs_free(&l);
    nodes_free(&rows);
    page_free(half);
    assert_true(xpath_check("//h1[contains(., 'x')]", why));
    assert_false(xpath_check("//h1[", why));
    assert_non_null(strstr(why, "XPath"));
    assert_false(xpath_check("nothing()", why));
    assert_false(xpath_check("", why));
    assert_true(page_is(p, "//h1"));
    assert_false(page_is(p, "//h2"));
    assert_false(page_is(p, "//h1["));
    assert_true(page_is(p, "count(//li) = 2"));
    page_texts(p, "//a/@href", NULL, &l);
    page_texts(p, "string(//h1)", NULL, &l);
    page_texts(p, "count(//li)", NULL, &l);
    assert_int_equal(l.n, 3);
    assert_string_equal(l.s[0], "x");
    assert_string_equal(l.s[1], "Title");
    assert_string_equal(l.s[2], "2");
    strs_free(&l);
    page_find(p, "//li", NULL, &rows);
    assert_int_equal(rows.n, 2);
    page_texts(p, "text()", rows.p[0], &l);
    page_texts(p, "b", rows.p[0], &l);
    page_texts(p, ".", rows.p[1], &l);
    assert_string_equal(l.s[0], "www.example.hk");
    assert_string_equal(l.s[1], "one");
    assert_string_equal(l.s[2], "*.example.hk");
    strs_free(&l);
    nodes_free(&rows);
    page_free(p);
}

/* --- hostile pages ------------------------------------------------------------------------------------------------------------------------ */

static char *repeat(const char *head, const char *part, size_t times, const char *tail)
{
    struct str s = STR_INIT(64 << 20);

    str_add(&s, head);
    for (size_t i = 0; i < times; i++)
        str_add(&s, part);
    str_add(&s, tail);
    return str_take(&s);
}

static void hostile(void **state)
{
    (void)state;
    static const struct {
        const char *head, *part;
        size_t times;
        const char *tail, *why; /* NULL: taken */
    } cases[] = {
        {"", "<div>", 100, "PIN: <input name=a>", NULL},
        {"", "<div>", 5000, "PIN: <input name=a>", "nested deeper"},
        {"", "<b>", 300000, "", "nested deeper"},
        {"", "<input name=a>", 3000, "", "fields"},
        {"<p>", "x", 3 << 20, "", "octets"},
        {"<p>", "PIN: ", 300000, "", NULL},
        {"<p>", "<i>x</i> ", 150000, "", NULL},
        {"<p>", "<br>PIN:", 200000, "<input name=a>", NULL},
        {"<table><tr>", "<td>:</td>", 10000, "<td><input name=a></td></table>", NULL},
        {"<a b='", "x", 1 << 20, "'>y</a>", NULL},
        {"<p>", "&amp;", 300000, "", NULL},
        {"<!DOCTYPE html [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><p>", "&x;", 10, "", NULL},
        {"<p", " a=1", 100000, ">", NULL},
        {"", "<form><table><tr></form>", 2000, "<input type=submit>", "nested deeper"},
        {"", "", 0, "", "no HTML"},
        {"", "\xff", 100, "", NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *html = repeat(cases[i].head, cases[i].part, cases[i].times, cases[i].tail);
        struct page *p;
        struct err e = {0};

        if (page_parse(&p, html, strlen(html), NULL, URL, &e)) {
            struct nodes l = {0};
            struct strs s = {0};

            if (cases[i].why)
                fail_msg("%zu: taken", i);
            page_control(p, "PIN", &l);
            page_shown(p, "PIN", &s);
            assert_null(strstr(page_text(p), "root:"));
            nodes_free(&l);
            strs_free(&s);
            page_free(p);
        } else {
            assert_string_equal(e.code, "PORTAL_HTML");
            if (!cases[i].why || !strstr(e.text, cases[i].why))
                fail_msg("%zu: %s", i, e.text);
        }
        free(html);
    }
}

/* libxml2 says nothing by itself, and opens nothing. */
static void quiet(void **state)
{
    (void)state;
    static const char html[] =
        "<!DOCTYPE x SYSTEM 'file:///etc/passwd' [<!ENTITY % e SYSTEM 'https://evil.example/'>%e;]><p>a</b></i><table><p &#0; "
        "&#xffffffff; &nope;<a a=1 a=2>\x01</html></html><p>";
    FILE *said = tmpfile();
    int err = dup(2);
    char why[160];

    fflush(stderr);
    dup2(fileno(said), 2);
    struct page *p = parse(html);
    page_is(p, "//p[");
    page_is(p, "nothing(//p)");
    page_is(p, "$x = 1");
    page_is(p, "a:b");
    xpath_check("//p[nothing()]", why);
    page_free(p);
    fflush(stderr);
    dup2(err, 2);
    close(err);
    fseek(said, 0, SEEK_END);
    assert_int_equal(ftell(said), 0);
    fclose(said);
}

static void masks(void **state)
{
    (void)state;
    static const char html[] =
        "<head><meta name=_csrf_token content=tok1></head><p>PIN 1234&nbsp;5678 9012-3456, ref 123456789, code Ab&lt;c</p><!-- "
        "1234567890123456 -->"
        "<form action='next;jsessionid=0123456789abcdef0123?a=1&t=0123456789abcdef01'><input type=hidden name=t value=tok2><input "
        "type=password name=p value=tok3><input name=v value=\"x1234567890123456\"></form><script>var t='tok4'</script><p>機 &amp; A</p>";
    const struct bytes secret[] = {{(const uint8_t *)"1234567890123456", 16}, {(const uint8_t *)"Ab<c", 4}, {NULL, 0}};
    struct page *p = parse(html), *again;
    struct err e = {0};
    size_t n;
    char *kept = page_masked(p, secret, 3, &n);
    static const char *const gone[] = {"tok1", "tok2", "tok3", "tok4", "56789012", "9012", "0123456789abcdef", "Ab&lt;c", "Ab<c"};
    static const char *const there[] = {"123456789,", "saved from url=(0052)" URL, "機", "&amp; A", "a=1"};

    assert_int_equal(n, strlen(kept));
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        if (strstr(kept, gone[i]))
            fail_msg("%s is in %s", gone[i], kept);
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        if (!strstr(kept, there[i]))
            fail_msg("%s is not in %s", there[i], kept);
    assert_true(page_parse(&again, kept, n, NULL, URL, &e)); /* still a page */
    assert_true(page_is(again, "//input[@name='v' and @value='x(hidden)']"));
    page_free(again);
    assert_true(page_shows(p, "1234 5678 9012-3456")); /* the page itself is left as it was */
    page_free(p);
    free(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls),  cmocka_unit_test(values),   cmocka_unit_test(words),   cmocka_unit_test(forms),
        cmocka_unit_test(multipart), cmocka_unit_test(charsets), cmocka_unit_test(links),   cmocka_unit_test(refreshes),
        cmocka_unit_test(buttons),   cmocka_unit_test(xpaths),   cmocka_unit_test(hostile), cmocka_unit_test(quiet),
        cmocka_unit_test(masks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
