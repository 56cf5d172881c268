/* Faults: texts with all that is expected to be said about them, files, modes, includes, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "conf_tools.h"

struct fault_case {
    const char *name, *text;
    const char *want[12];
    enum rc fatal, worst;
};

static const struct fault_case syntax[] = {
    {"empty", "", {0}, 0, 0},
    {"comments", "; x\n# y\n\n   ; z\n\t# z\n", {0}, 0, 0},
    {"header open", "[agent\nstate_dir = /x\n", {"t.ini:1: the section header has no closing"}, RC_CONF, RC_CONF},
    {"header tail", "[agent] x\n", {"t.ini:1: text behind"}, RC_CONF, RC_CONF},
    {"header empty", "[ ]\n", {"t.ini:1: the section header is empty"}, RC_CONF, RC_CONF},
    {"header comment", "[agent] ; fine\n", {0}, 0, 0},
    {"no equals",
     "[agent]\nstate_dir\nlog: none\n= x\na:b = c\n",
     {"t.ini:2: no \"=\"", "t.ini:3: no \"=\"", "t.ini:4: no key", "t.ini:5: a \":\""},
     RC_CONF,
     RC_CONF},
    {"before section", "log = none\nlog = none\n[agent]\n", {"t.ini:1: a key before"}, RC_CONF, RC_CONF},
    {"indented first", "[agent]\n  log = none\n", {"t.ini:2: an indented line, but no value above"}, RC_CONF, RC_CONF},
    {"swallowed",
     "[agent]\nstate_dir = /x\n  log = none\n",
     {"t.ini:3: agent: log: this line is indented, so it continues state_dir= in line 2"},
     RC_CONF,
     RC_CONF},
    {"control", "[agent]\nlog = no\x1bne\n", {"t.ini:2: this line holds a control"}, RC_CONF, RC_CONF},
    {"kinds",
     "[Agent]\n[certifcate x]\n[agent x]\n[certificate]\n[certificate ../x]\nca = le\n",
     {"t.ini:1: \"Agent\" is no kind of section, did you mean agent?",
      "t.ini:2: \"certifcate\" is no kind of section, did you mean certificate?", "t.ini:3: agent: the section takes no name",
      "t.ini:4: certificate: \"\" is no name", "t.ini:4: certificate: ca: missing", "t.ini:4: certificate: names: missing",
      "t.ini:5: certificate: \"../x\" is no name", "t.ini:5: certificate ../x: names: missing"},
     RC_CONF,
     RC_CONF},
    {"twice",
     "[agent]\nlog = none\nlog = syslog\n[verify]\n[agent]\nlog = none\n",
     {"t.ini:3: agent: log: the key is given twice, first in t.ini:2", "t.ini:5: agent: the section is given twice, first in t.ini:1",
      "t.ini:6: agent: log: the key is given twice, first in t.ini:2"},
     RC_CONF,
     RC_CONF},
    {"unknown keys",
     "[agent]\nstatedir = /x\ntimeout = 5m\nfoo = 1\n= 2\n",
     {"t.ini:2: agent: statedir: no such key here, did you mean state_dir?",
      "t.ini:3: agent: timeout: no such key here; it belongs into [verify]", "t.ini:4: agent: foo: no such key here", "t.ini:5: no key"},
     RC_CONF,
     RC_CONF},
    {"empty value",
     "[agent]\nlog =\nstate_dir = ; comment\n",
     {"t.ini:2: agent: log: no value", "t.ini:3: agent: state_dir: no value"},
     RC_CONF,
     RC_CONF},
    {"quotes and big5",
     "[agent]\nlog = \"none\"\nproxy_user = \xa4\xa4\xa4\xe5\n",
     {"t.ini:2: agent: log: quotes", "t.ini:3: agent: proxy_user: not UTF-8"},
     RC_CONF,
     RC_CONF},
    {"utf-16", "\xff\xfe[", {"t.ini:1: the file is UTF-16"}, RC_CONF, RC_CONF},
    {"resolvers",
     "[verify]\nresolvers = 1.1.1.1 tls://9.9.9.9#dns.quad9.net https://dns.google/dns-query#8.8.8.8 foo.example\ndiscovery = system "
     "1.1.1.1\n",
     {"foo.example", "t.ini:3: verify: discovery: \"system\" stands alone"},
     RC_CONF,
     RC_CONF},
    {"off", "[verify]\nauthoritative = off\n", {"t.ini:2: verify: authoritative: authoritative = off without resolvers"}, RC_CONF, RC_CONF},
    {"backup", "[agent]\nkey_backup_dir = /mnt\n", {"t.ini:2: agent: key_backup_dir: the copies are encrypted"}, RC_CONF, RC_CONF},
};

static const struct fault_case sections[] = {
    {"good head", GOOD_HEAD, {0}, 0, 0},
    {"types",
     "[provider a]\ntype = rfc2163\nzones = a.hk\nwhatever = 1\n[provider b]\nzones = b.hk\n[ca c]\ntype = acne\nrecord = nme\n",
     {"t.ini:2: provider a: type: \"rfc2163\" is no type of provider, did you mean rfc2136?", "t.ini:5: provider b: type: missing",
      "t.ini:8: ca c: type: \"acne\" is no type of ca, did you mean acme?",
      "t.ini:9: ca c: record: \"nme\" is no place for a record; allowed: name, apex"},
     0,
     RC_CONF},
    {"required",
     "[provider a]\ntype = rfc2136\n[ca b]\ntype = acme\n",
     {"t.ini:1: provider a: server: missing; write for example server = 192.0.2.53", "t.ini:1: provider a: zones: missing",
      "t.ini:3: ca b: directory: missing"},
     0,
     RC_CONF},
    {"zones twice",
     GOOD_HEAD "[provider b]\ntype = rfc2136\nserver = ns.example\nzones = sub.example.hk Example.HK.\n",
     {"t.ini:13: provider b: zones: example.hk is claimed by provider bind too (t.ini:9)"},
     0,
     RC_CONF},
    {"zone",
     GOOD_HEAD
     "[zone example.hk]\nprovider = bnd\n[zone other.hk]\nprovider = bind\n[zone EXAMPLE.hk]\n[zone a..b]\n[zone c]\nauthoritative = off\n",
     {"t.ini:11: zone example.hk: provider: there is no [provider \"bnd\"], did you mean bind?",
      "t.ini:13: zone other.hk: provider: provider bind does not write here",
      "t.ini:14: zone example.hk: the section is given twice, first in t.ini:10",
      "t.ini:15: zone: ", "t.ini:17: zone c: authoritative: authoritative = off"},
     RC_CONF,
     RC_CONF},
    {"references",
     GOOD_HEAD "[certificate a]\nca = lf\nnames = www.example.hk\nprovider = bin\n",
     {"t.ini:11: certificate a: ca: there is no [ca] section named \"lf\", did you mean le?",
      "t.ini:13: certificate a: provider: there is no [provider] section named \"bin\", did you mean bind?"},
     0,
     RC_CONF},
    {"names",
     GOOD_HEAD "[certificate a]\nca = le\nnames = www.example.hk, a..b 1.2.3.4 x_y.hk *.*.hk\n",
     {"t.ini:12: certificate a: names: ", "t.ini:12: certificate a: names: ", "t.ini:12: certificate a: names: ",
      "t.ini:12: certificate a: names: "},
     0,
     RC_CONF},
    {"product missing",
     GOOD_HEAD "[certificate a]\nca = hand\nnames = www.example.hk\n",
     {"t.ini:10: certificate a: product: missing"},
     0,
     RC_CONF},
    {"product word",
     GOOD_HEAD "[certificate a]\nca = hand\nnames = www.example.hk\nproduct = multidomain\n",
     {"t.ini:13: certificate a: product: not a word that is known here; allowed: standard, wildcard, multi-domain, ev, ev-multi-domain, "
      "did you mean multi-domain?"},
     0,
     RC_CONF},
    {"standard",
     GOOD_HEAD "[certificate a]\nca = hand\nnames = *.example.hk example.hk\nproduct = standard\n",
     {"t.ini:12: certificate a: names: product = standard allows no *. name",
      "t.ini:12: certificate a: names: product = standard holds one name, here are 2"},
     0,
     RC_CONF},
    {"ev",
     GOOD_HEAD "[certificate a]\nca = hand\nnames = *.example.hk\nproduct = ev-multi-domain\n",
     {"t.ini:12: certificate a: names: product = ev-multi-domain allows no *. name (*.example.hk): EV"},
     0,
     RC_CONF},
    {"wildcard",
     GOOD_HEAD "[certificate a]\nca = hand\nnames = example.hk\nproduct = wildcard\n"
               "[certificate b]\nca = hand\nnames = *.example.hk www.example.hk\nproduct = wildcard\n"
               "[certificate c]\nca = hand\nnames = *.example.hk *.a.example.hk\nproduct = wildcard\n",
     {"t.ini:12: certificate a: names: product = wildcard needs", "t.ini:16: certificate b: names: product = wildcard takes one",
      "t.ini:20: certificate c: names: product = wildcard takes one"},
     0,
     RC_CONF},
    {"methods",
     GOOD_HEAD "[certificate a]\nca = le\nnames = *.example.hk\nmethod = website\n"
               "[certificate b]\nca = hand\nnames = a.example.hk\nproduct = multi-domain\nmethod = email\n"
               "[certificate c]\nca = le\nnames = a.example.hk\nmethod = email\nvalidation_email = admin\n"
               "[certificate d]\nca = le\nnames = a.example.hk\nmethod = website\nwebroot = var/www\n",
     {"t.ini:13: certificate a: method: website does not prove", "t.ini:13: certificate a: method: website is not possible with this CA",
      "t.ini:13: certificate a: method: website needs webroot", "t.ini:18: certificate b: method: email is not possible with product",
      "t.ini:18: certificate b: method: email needs validation_email",
      "t.ini:22: certificate c: method: email is not possible with this CA", "t.ini:23: certificate c: validation_email: no mail address",
      "t.ini:27: certificate d: method: website is not possible with this CA",
      "t.ini:28: certificate d: webroot: \"var/www\" is no absolute path"},
     0,
     RC_CONF},
    {"csr_file",
     GOOD_HEAD "[certificate a]\nca = le\nnames = a.example.hk\ncsr_file = $D/csr\nkey_type = p256\nkey_reuse = yes\nsubject = C=HK\n"
               "[certificate b]\nca = le\nnames = a.example.hk\ncsr_file = $D/nothing\npfx = yes\n",
     {"t.ini:14: certificate a: key_type: does not go with csr_file", "t.ini:15: certificate a: key_reuse: does not go",
      "t.ini:16: certificate a: subject: does not go", "t.ini:20: certificate b: csr_file: the file does not exist",
      "t.ini:21: certificate b: pfx: does not go with csr_file", "t.ini:21: certificate b: pfx: yes needs pfx_password_file"},
     0,
     RC_CONF},
    {"subject",
     GOOD_HEAD
     "[certificate a]\nca = le\nnames = a.example.hk\nsubject = C=hk\n[certificate b]\nca = le\nnames = a.example.hk\nsubject = CN=x\n"
     "[certificate c]\nca = le\nnames = a.example.hk\nsubject = Example Limited\n",
     {"t.ini:13: certificate a: subject: C is a country code of two capital letters",
      "t.ini:17: certificate b: subject: CN does not belong here",
      "t.ini:21: certificate c: subject: \"Example Limited\" is no pair such as"},
     0,
     RC_CONF},
    {"loose secret",
     GOOD_HEAD "[certificate a]\nca = le\nnames = a.example.hk\npin_file = $D/loose\n",
     {"t.ini:13: certificate a: pin_file: "},
     0,
     RC_PERM},
    {"loose secret of the agent", "[agent]\nproxy_password_file = $D/loose\n", {"t.ini:2: agent: proxy_password_file: "}, RC_PERM, RC_PERM},
    {"secret itself",
     GOOD_HEAD "[certificate a]\nca = le\nnames = a.example.hk\npin_file = 1234567890123456\npin = 1234567890123456\n",
     {"t.ini:13: certificate a: pin_file: the secret itself does not belong here",
      "t.ini:14: certificate a: pin: not a word that is known here"},
     0,
     RC_CONF},
    {"commands",
     GOOD_HEAD
     "[certificate a]\nca = le\nnames = a.example.hk\ndeploy_hook = nginx -s\ndeploy_check = $D/loose_hook x\nwebsite_hook = $D/csr\n",
     {"t.ini:13: certificate a: deploy_hook: the program is no absolute path",
      "t.ini:14: certificate a: deploy_check: ", "t.ini:15: certificate a: website_hook: "},
     0,
     RC_CONF},
    {"offs together",
     GOOD_HEAD "[ca x]\ntype = acme\ndirectory = https://x/d\nauthoritative = off\nresolvers = 1.1.1.1\n"
               "[zone example.hk]\nresolvers = none\n[certificate a]\nca = x\nnames = a.example.hk\n",
     {"t.ini:17: certificate a: a.example.hk: its [zone] and [ca] together"},
     0,
     RC_CONF},
    {"verify in ca",
     GOOD_HEAD "[ca x]\ntype = manual\nauthoritative = off\nquorum = most\nfoo = 1\n",
     {"t.ini:12: ca x: authoritative: authoritative = off", "t.ini:13: ca x: quorum: allowed: all, majority",
      "t.ini:14: ca x: foo: no such key"},
     0,
     RC_CONF},
};

static void check_case(const struct fault_case *t)
{
    struct conf *c = conf_of(t->text);
    char *got = conf_all_faults(c);
    size_t n = 0;

    for (; n < 12 && t->want[n]; n++) {
        bool found = false;

        for (size_t i = 0; i < c->n_fault && !found; i++) {
            struct str s = STR_INIT(2000);

            conf_fault_show(&c->fault[i], &s);
            found = strstr(str_text(&s), t->want[n]) != NULL;
            str_free(&s);
        }
        if (!found)
            fail_msg("%s: expected \"%s\", got:\n%s", t->name, t->want[n], got);
    }
    if (c->n_fault != n)
        fail_msg("%s: expected %zu faults, got %zu:\n%s", t->name, n, c->n_fault, got);
    if (conf_fatal(c) != t->fatal || conf_worst(c) != t->worst)
        fail_msg("%s: expected %d %d, got %d %d:\n%s", t->name, t->fatal, t->worst, conf_fatal(c), conf_worst(c), got);
    assert_null(strstr(got, "1234567890123456"));
    free(got);
    conf_free(c);
}

static void test_syntax(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(syntax) / sizeof(syntax[0]); i++)
        check_case(&syntax[i]);
}

static void test_sections(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
        check_case(&sections[i]);
}

static void test_reading(void **state)
{
    (void)state;
    struct conf *c = conf_of("\xEF\xBB\xBF[agent] ; the agent\r\nlog = /var/log/a;b.log ; kept\r\n[ca le]\r\ntype=acme\r\n"
                             "directory = https://x.example/d#a;b\r\n[certificate a]\r\nca = le\r\n"
                             "names = www.example.hk,example.hk\r\n; between\r\n\r\n\t*.example.hk ; more\r\n   WWW.example.hk.\r\n"
                             "friendly_name = one\ttwo = three\r\n");
    const struct conf_cert *t;

    conf_expect_clean(c);
    assert_string_equal(c->agent.log, "/var/log/a;b.log");
    assert_string_equal(section_text(conf_ca(c, "le"), "directory"), "https://x.example/d#a;b");
    t = conf_cert(c, "a");
    assert_non_null(t);
    assert_int_equal(t->line, 6);
    assert_int_equal(t->names.n, 3);
    assert_string_equal(t->names.s[0], "www.example.hk");
    assert_string_equal(t->names.s[1], "example.hk");
    assert_string_equal(t->names.s[2], "*.example.hk");
    assert_string_equal(t->friendly_name, "one two = three");
    assert_null(conf_cert(c, "b"));
    conf_free(c);
}

static void test_long_lines(void **state)
{
    (void)state;
    struct str s = STR_INIT(1 << 20);
    struct conf *c;

    str_add(&s, "[ca le]\ntype = acme\ndirectory = https://x/d\n[certificate a]\nca = le\nnames = ");
    for (int i = 0; i < 3000; i++)
        str_fmt(&s, "host-%d.example.hk ", i);
    str_add(&s, "\n");
    for (int i = 3000; i < 10000; i++)
        str_fmt(&s, "  host-%d.example.hk\n", i);
    c = conf_load_text("t.ini", s.p, s.n, conf_modules);
    conf_expect_clean(c);
    assert_int_equal(c->cert[0].names.n, 10000);
    assert_string_equal(c->cert[0].names.s[9999], "host-9999.example.hk");
    conf_free(c);

    str_add(&s, "subject = ");
    for (int i = 0; i < 7000; i++)
        str_add(&s, "0123456789");
    str_add(&s, "\nkey_type = p384\n");
    c = conf_load_text("t.ini", s.p, s.n, conf_modules);
    assert_int_equal(c->n_fault, 1);
    assert_int_equal(c->fault[0].line, 7007);
    assert_non_null(strstr(c->fault[0].text, "longer than 64 KiB"));
    assert_int_equal(c->cert[0].key_type, KEY_P384);
    conf_free(c);
    str_free(&s);

    c = conf_load_text("t.ini", "[agent]\nlog\0 = x\nlog = none\n", 28, conf_modules);
    assert_int_equal(c->n_fault, 1);
    assert_int_equal(c->fault[0].line, 2);
    assert_non_null(strstr(c->fault[0].text, "NUL"));
    assert_string_equal(c->agent.log, "none");
    conf_free(c);
}

static void test_section_name_longer_than_inih_keeps(void **state)
{
    (void)state;
    struct conf *c = conf_of("[ca le]\ntype = acme\ndirectory = https://x/d\n"
                             "[certificate a23456789.123456789.123456789.123456789.123456789.x]\nca = le\nnames = a.example.hk\n"
                             "[certificate a23456789.123456789.123456789.123456789.123456789.y]\nca = le\nnames = a.example.hk\n");

    conf_expect_clean(c);
    assert_int_equal(c->n_cert, 2);
    assert_non_null(conf_cert(c, "a23456789.123456789.123456789.123456789.123456789.y"));
    conf_free(c);
}

static void test_files(void **state)
{
    (void)state;
    char *main_ini = conf_path_of("main.ini"), *got;
    struct conf *c;

    conf_put_text("main.ini", 0644,
                  "[agent]\ninclude = conf.d/*.ini *.ini nothing/*.ini\n[ca le]\ntype = acme\ndirectory = https://x/d\nfoo = 1\n");
    conf_put_text("conf.d/b.ini", 0644, "[certificate b]\nca = le\nnames = b.hk.example\n[ca le]\n");
    conf_put_text("conf.d/a.ini", 0644, "[certificate a]\nca = le\nnames = a.hk.example\n[verify]\nquorum = x\n");
    conf_put_text("conf.d/c.txt", 0644, "no configuration");
    c = conf_load(main_ini, conf_modules);
    got = conf_all_faults(c);
    assert_int_equal(c->n_cert, 2);
    assert_string_equal(c->cert[0].name, "a");
    assert_non_null(strstr(got, "main.ini:6: ca le: foo: no such key"));
    assert_non_null(strstr(got, "conf.d/a.ini:5: verify: quorum"));
    assert_non_null(strstr(got, "conf.d/b.ini:4: ca le: the section is given twice, first in "));
    assert_non_null(strstr(got, "main.ini:3;"));
    assert_true(strstr(got, "main.ini:6:") < strstr(got, "a.ini:5:") && strstr(got, "a.ini:5:") < strstr(got, "b.ini:4:"));
    assert_int_equal(c->n_fault, 3);
    free(got);
    conf_free(c);

    conf_put_text("conf.d/b.ini", 0666, "");
    conf_put_text("conf.d/a.ini", 0644, "");
    conf_put_text("main.ini", 0644, "[agent]\ninclude = conf.d/*.ini\n");
    c = conf_load(main_ini, conf_modules);
    assert_int_equal(c->n_fault, 1);
    assert_int_equal(conf_fatal(c), RC_PERM);
    assert_non_null(strstr(c->fault[0].file, "b.ini"));
    assert_non_null(strstr(c->fault[0].text, "chmod"));
    conf_free(c);
    conf_put_text("conf.d/b.ini", 0644, "");
    free(main_ini);

    main_ini = conf_path_of("missing.ini");
    c = conf_load(main_ini, conf_modules);
    assert_int_equal(c->n_fault, 1);
    assert_int_equal(conf_fatal(c), RC_CONF);
    assert_int_equal(c->fault[0].line, 0);
    assert_non_null(strstr(c->fault[0].text, "--config"));
    assert_string_equal(c->agent.state_dir, "/var/lib/dcvagent");
    conf_free(c);
    free(main_ini);
}

static void test_include_depth(void **state)
{
    (void)state;
    char *path = conf_path_of("deep0.ini"), name[32], text[64], *got;
    struct conf *c;

    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof(name), "deep%d.ini", i);
        snprintf(text, sizeof(text), "[agent]\ninclude = deep%d.ini\n", (i + 1) % 12);
        conf_put_text(name, 0644, text);
    }
    c = conf_load(path, conf_modules);
    got = conf_all_faults(c);
    assert_non_null(strstr(got, "deep8.ini:2: agent: include: files include files more than 8 deep"));
    assert_non_null(strstr(got, "deep1.ini:1: agent: the section is given twice"));
    free(got);
    conf_free(c);
    free(path);
}

static void test_total_size(void **state)
{
    (void)state;
    size_t n = (16 << 20) + 1;
    char *path = conf_path_of("big.ini"), *big = mem_new(n);
    struct conf *c;

    memset(big, '\n', n);
    conf_write_file("big.ini", 0644, big, n);
    c = conf_load(path, conf_modules);
    assert_int_equal(c->n_fault, 1);
    assert_int_equal(conf_fatal(c), RC_CONF);
    conf_free(c);
    unlink(path);
    memset(big, 'x', n - 1);
    for (size_t i = 1; i < n; i += 2)
        big[i] = '\n';
    c = conf_load_text("t.ini", big, n - 1, conf_modules); /* eight million faults */
    assert_int_equal(c->n_fault, 10000);
    conf_free(c);
    free(big);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_syntax),
                                       cmocka_unit_test(test_sections),
                                       cmocka_unit_test(test_reading),
                                       cmocka_unit_test(test_long_lines),
                                       cmocka_unit_test(test_section_name_longer_than_inih_keeps),
                                       cmocka_unit_test(test_files),
                                       cmocka_unit_test(test_include_depth),
                                       cmocka_unit_test(test_total_size)};

    return cmocka_run_group_tests(tests, conf_setup, conf_teardown);
}
