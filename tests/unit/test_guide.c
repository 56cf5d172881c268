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
#include "ca/portal/guide.h"
#include "conf/describe.h"

#define PORTAL                                                                                                                             \
    "[portal]\ntitle = A portal\ntried = a test\norigins = https://www.portal.example\nmethod.dns = DNS\nproduct.standard = SSL\n" /* 6 lines */

static char *faults_of(const char *text)
{
    struct guide *g = guide_load(describe_text("t.ini", text, strlen(text)));
    struct str out = STR_INIT(16384);
    size_t n;
    const struct conf_fault *f = guide_faults(g, &n);

    for (size_t i = 0; i < n; i++) {
        conf_fault_show(&f[i], &out);
        str_add(&out, "\n");
    }
    guide_free(g);
    return str_take(&out);
}

static void faults(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want; /* NULL: none */
    } cases[] = {
        {PORTAL "[page login]\nrole = login\ntext = PIN\nfield.pin = label:PIN\npress = Go\nunchecked = nothing yet\n", NULL},
        {PORTAL
         "[page a]\nrole = start\ntext = A | B\ntext.2 = C\nknown = //h1\nknown.2 = //h2\nnot = D\nfollow = On\nfollow.chinese = 下\n",
         NULL},
        {PORTAL "[page p]\nrole = proof\ntext = A\nmust.method = label:Method\nread.code = label:Code\npress = Go\n", NULL},
        {PORTAL
         "[page c]\nrole = csr\ntext = A\nproves = yes\nfield.csr = name:csr\npress.english = Go\npress.chinese = 去\nunchecked = x\n",
         NULL},
        {PORTAL "[page login]\ntext = PIN\nfield.pin = label:PIN\npress = Go\n",
         NULL},                                                                   /* its name is its role; nothing is shown before it */
        {PORTAL "[page csr-check]\nrole = start\ntext = A\nfollow = On\n", NULL}, /* unless it says so */
        {PORTAL "[page done]\ntext = A\n", "link.certificate is wanted"},
        {"", "a section [portal] is wanted"},
        {"", "no [page NAME] is described"},
        {"[portal]\n", "t.ini:1: portal: title is wanted"},
        {"[portal]\n", "tried is wanted"},
        {"[portal]\n", "origins is wanted"},
        {"[portal]\norigins = http://www.portal.example\n", "t.ini:2: portal: origins: http://www.portal.example is no origin"},
        {"[portal]\norigins = https://www.portal.example/path\n", "is no origin"},
        {"[portal]\norigins = https://u@www.portal.example\n", "is no origin"},
        {"[portal]\norigins = https://www.portal.example\nstart = https://evil.example/\n",
         "t.ini:3: portal: start: lies outside of origins"},
        {"[portal]\norigins = https://www.portal.example\npickup = http://p.example\nchain = http://q.example/a.crt\n",
         "t.ini:4: portal: chain: http://q.example/a.crt lies outside"},
        {PORTAL "method.post = Letter\n", "t.ini:7: portal: method.post: no such key; there are method.NAME with dns|website|email"},
        {PORTAL "product.ev = A || B\n", "product.ev: a text is empty"},
        {PORTAL "orgins = x\n", "t.ini:7: portal: orgins: no such key here, did you mean origins"},
        {PORTAL "[pages a]\n", "no such section"},
        {PORTAL "[page a]\ntext = A\n", "t.ini:7: page a: role is wanted, or a role for its name: start|login"},
        {PORTAL "[page a]\nrole = logon\ntext = A\n", "t.ini:8: page a: role: \"logon\"; allowed: start|login"},
        {PORTAL "[page a]\nrole = start\n", "t.ini:7: page a: nothing tells how this page is recognised"},
        {PORTAL "[page a]\nrole = start\nknown = //h1[\n", "t.ini:9: page a: known: not XPath 1.0"},
        {PORTAL "[page a]\nrole = start\nknown = shows('x')\n", "known: not XPath 1.0"},
        {PORTAL "[page a]\nrole = start\ntext = |\n", "text: a text is empty"},
        {PORTAL "[page a]\nrole = start\ntext.x = A\n", "text.x: no such key here; a number may follow"},
        {PORTAL "[page a]\nrole = start\ntext = A\npress = Go\n", "t.ini:7: page a: a button is pressed, but nothing is compared"},
        {PORTAL "[page a]\nrole = details\ntext = A\npress = Go\nunchecked = why\n", "must.server_name is wanted"},
        {PORTAL "[page a]\nrole = csr-check\ntext = A\npress = Go\nunchecked = why\n", "must.server_name is wanted"},
        {PORTAL "[page a]\nrole = proof\ntext = A\npress = Go\nread.code = label:x\nmust.server_name = label:x\n", "must.method is wanted"},
        {PORTAL "[page a]\nrole = mailed\ntext = A\npress = Go\nmust.server_name = label:x\n", "must.method is wanted"},
        {PORTAL "[page a]\nrole = proof\ntext = A\n", "nothing is read: read.code"},
        {PORTAL "[page a]\nrole = proof\ntext = A\nread.rows = xpath://tr\n", "belong together"},
        {PORTAL "[page a]\nrole = csr\ntext = A\npress = Go\nunchecked = x\n", "field.csr is wanted"},
        {PORTAL "[page a]\nrole = done\ntext = A\n", "link.certificate is wanted"},
        {PORTAL "[page a]\nrole = done\ntext = A\nlink.certificate = C\npress = Go\nunchecked = x\n",
         "nothing is pressed on a page of the role done"},
        {PORTAL "[page a]\nrole = details\ntext = A\nfield.pin = label:PIN\nmust.server_name = label:x\npress = Go\n",
         "field.pin belongs to pages of"},
        {PORTAL "[page a]\nrole = start\ntext = A\nfield.reference = label:x\n", "something is filled in, but nothing is pressed"},
        {PORTAL "[page a]\nrole = start\ntext = A\nproves = yes\n", "t.ini:10: page a: proves: belongs to pages of the role csr alone"},
        {PORTAL "[page a]\nrole = start\ntext = A\nmust.pin = label:x\n",
         "must.pin: no such key; there are must.NAME with server_name|names"},
        {PORTAL "[page a]\nrole = start\ntext = A\nmust = label:x\n", "must: no such key; there are must.NAME"},
        {PORTAL "[page a]\nrole = start\ntext = A\nmust.names = Names\n", "must.names: wants label:A|B name:FIELD xpath:EXPRESSION"},
        {PORTAL "[page a]\nrole = start\ntext = A\npress = label:Go\n", "press: wants texts (A | B) xpath:EXPRESSION"},
        {PORTAL "[page a]\nrole = start\ntext = A\nmust.names = xpath:[\n", "must.names: not XPath"},
        {PORTAL "[page a]\nrole = start\ntext = A\npress.friday = Go\n",
         "press.friday: no such key; there are press.NAME with english|chinese"},
        {PORTAL "[page a]\nrole = start\ntext = A\nerror.oops = Go\n", "error.oops: no such key"},
        {PORTAL "[page a]\nrole = start\ntext = A\nlink.leaf = Go\n", "link.leaf: no such key"},
        {PORTAL "[page a]\nrole = start\ntext = A\nrole = login\n", "role"},
        {PORTAL "[page a]\nrole = start\ntext = A\npres = Go\n", "pres: no such key here, did you mean press"},
        {"[portal]\ntitle = A\ntried = b\norigins = https://a.example\n[page m]\nrole = method\ntext = A\nchoose = {method}\npress = "
         "Go\nunchecked = x\n",
         "[portal] does not say how the portal names the methods"},
        {"[portal]\ntitle = A\ntried = b\norigins = https://a.example\n[page m]\nrole = details\ntext = A\nmust.product = label:P\n",
         "[portal] does not say how the portal names the products"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *got = faults_of(cases[i].text);

        if (cases[i].want ? !strstr(got, cases[i].want) : *got != 0)
            fail_msg("%s\ngives: %s\nwant: %s", cases[i].text, got, cases[i].want ? cases[i].want : "(no fault)");
        free(got);
    }
}

/* Everything wrong is told in one pass. */
static void all_at_once(void **state)
{
    (void)state;
    char *got = faults_of("[portal]\ntitle = A\n[page a]\nrole = x\nknown = [\n[page b]\nrole = login\n");

    for (const char *const *want = (const char *const[]){"tried", "origins", "t.ini:4", "t.ini:5", "t.ini:6: page b", NULL}; *want; want++)
        if (!strstr(got, *want))
            fail_msg("%s lacks %s", got, *want);
    free(got);
}

static void getters(void **state)
{
    (void)state;
    static const char text[] =
        "[portal]\ntitle = A portal\ntried = a test\norigins = https://a.example https://b.example:8443\nstart = https://a.example/x\n"
        "pickup = http://c.example\nchain = http://c.example/1.crt\n  http://c.example/2.crt\ncaa = a.example b.example\n"
        "[page x]\nrole = csr\ntext = A\nproves = yes\nfield.csr = label:CSR\npress = Go\nunchecked = x\n";
    struct guide *g = guide_load(describe_text("t.ini", text, strlen(text)));
    size_t n;

    guide_faults(g, &n);
    assert_int_equal(n, 0);
    assert_string_equal(guide_title(g), "A portal");
    assert_string_equal(guide_start(g), "https://a.example/x");
    assert_int_equal(guide_origins(g)->n, 2);
    assert_int_equal(guide_chain_urls(g)->n, 2);
    assert_int_equal(guide_pickup(g)->n, 1);
    assert_int_equal(guide_caa(g)->n, 2);
    guide_free(g);
    guide_free(NULL);
}

/* The descriptions that come with the program and its tests. */
static void shipped(void **state)
{
    (void)state;
    static const struct {
        const char *folder, *profile;
    } cases[] = {{"conf", "hongkongpost-ecert"}, {"tests/portal/conf", "harbour"}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct strs path = {0};
        struct guide *g;
        struct err e = {0};

        strs_add(&path, cases[i].folder);
        if (!guide_open(&g, &path, cases[i].profile, &e))
            fail_msg("%s", e.text);
        guide_free(g);
        strs_free(&path);
    }
    struct strs path = {0};
    struct guide *g;
    struct err e = {0};
    assert_false(guide_open(&g, &path, "../../etc/passwd", &e));
    assert_int_equal(e.rc, RC_CONF);
    assert_string_equal(e.code, "PORTAL_GUIDE");
    assert_null(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults),
        cmocka_unit_test(all_at_once),
        cmocka_unit_test(getters),
        cmocka_unit_test(shipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
