#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dcv/preflight.h"

struct caa_case {
    const char *what;
    struct caa_rr set[4];
    size_t n;
    bool name, wildcard; /* allowed? */
};

static const struct caa_case cases[] = {
    {"no set", {{0}}, 0, true, true},
    {"ours", {{0, "issue", "ecert.gov.hk"}}, 1, true, true},
    {"capitals, blanks and parameters", {{0, "ISSUE", "  ECERT.Gov.HK ; policy=ev; a=b"}}, 1, true, true},
    {"the other identifier, a final dot", {{0, "issue", "hongkongpost.gov.hk."}}, 1, true, true},
    {"another CA", {{0, "issue", "digicert.com"}}, 1, false, false},
    {"nobody", {{0, "issue", ";"}}, 1, false, false},
    {"nobody, empty", {{0, "issue", ""}}, 1, false, false},
    {"nobody, and ours", {{0, "issue", ";"}, {0, "issue", "ecert.gov.hk"}}, 2, true, true},
    {"hku.hk: issuewild overrides for wildcards", {{0, "issue", "ecert.gov.hk"}, {0, "issuewild", "digicert.com"}}, 2, true, false},
    {"issuewild alone leaves names free", {{0, "issuewild", "digicert.com"}}, 1, true, false},
    {"issuewild ours, issue another's", {{0, "issue", "digicert.com"}, {0, "issuewild", "ecert.gov.hk"}}, 2, false, true},
    {"issuewild nobody", {{0, "issue", "ecert.gov.hk"}, {0, "issuewild", ";"}}, 2, true, false},
    {"iodef alone", {{0, "iodef", "mailto:a@example.hk"}}, 1, true, true},
    {"critical and known", {{128, "issue", "ecert.gov.hk"}}, 1, true, true},
    {"critical, known elsewhere", {{128, "issuemail", "x"}, {0, "issue", "ecert.gov.hk"}}, 2, true, true},
    {"critical and unknown", {{0, "issue", "ecert.gov.hk"}, {128, "tbs", "unknown"}}, 2, false, false},
    {"critical and unknown, first", {{128, "tbs", ""}, {0, "issue", "ecert.gov.hk"}}, 2, false, false},
    {"unknown, not critical", {{0, "tbs", "x"}}, 1, true, true},
    {"other flag bits are not critical", {{1, "tbs", "x"}}, 1, true, true},
    {"a part of the name is not the name", {{0, "issue", "gov.hk"}, {0, "issue", "xecert.gov.hk"}}, 2, false, false},
};

static void test_allows(void **state)
{
    char *names[] = {(char[]){"ecert.gov.hk"}, (char[]){"hongkongpost.gov.hk"}};
    struct strs ids = {names, 2};
    struct caa_ca ca = {.ids = &ids};
    char why[200];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        why[0] = '\0';
        if (caa_judge(cases[i].set, cases[i].n, &ca, false, why) != (cases[i].name ? CAA_YES : CAA_NO))
            fail_msg("%s: %s", cases[i].what, why);
        assert_true(*why);
        if (caa_judge(cases[i].set, cases[i].n, &ca, true, why) != (cases[i].wildcard ? CAA_YES : CAA_NO))
            fail_msg("%s, wildcard: %s", cases[i].what, why);
    }
}

struct bound_case { /* RFC 8657 */
    const char *what;
    const char *value, *second; /* second: another issue property; NULL */
    const char *method, *account;
    enum caa_says says;
    const char *why;
};

static const struct bound_case bound[] = {
    {"our method", "ca.test; validationmethods=dns-01", NULL, "dns-01", NULL, CAA_YES, "allows"},
    {"one of several", "ca.test;validationmethods=http-01,dns-01", NULL, "dns-01", NULL, CAA_YES, "allows"},
    {"another method", "ca.test; validationmethods=http-01", NULL, "dns-01", NULL, CAA_NO, "leaves out dns-01"},
    {"part of a word", "ca.test; validationmethods=dns-011", NULL, "dns-01", NULL, CAA_NO, "leaves out"},
    {"our account", "ca.test; accounturi=https://ca.test/a/1", NULL, "dns-01", "https://ca.test/a/1", CAA_YES, "allows"},
    {"another account", "ca.test; accounturi=https://ca.test/a/2", NULL, "dns-01", "https://ca.test/a/1", CAA_NO, "not our account"},
    {"account not known", "ca.test; accounturi=https://ca.test/a/2", NULL, "dns-01", NULL, CAA_BOUND, "not known yet"},
    {"both fit", "ca.test; accounturi=u; validationmethods=dns-01", NULL, "dns-01", "u", CAA_YES, "allows"},
    {"one of both does not", "ca.test; accounturi=u; validationmethods=x", NULL, "dns-01", "u", CAA_NO, "leaves out"},
    {"a CA that may not heed it", "ca.test; accounturi=u", NULL, NULL, NULL, CAA_BOUND, "heeds"},
    {"a second property without", "ca.test; accounturi=u", "ca.test", "dns-01", "v", CAA_YES, "allows"},
    {"the same, the other way round", "ca.test", "ca.test; accounturi=u", "dns-01", "v", CAA_YES, "allows"},
    {"unknown parameters", "ca.test; x=y; policy=ev", NULL, "dns-01", "v", CAA_YES, "allows"},
    {"capitals, blanks, empty parts", "CA.Test ; ; ValidationMethods=dns-01 ;", NULL, "dns-01", NULL, CAA_YES, "allows"},
    {"malformed parameters forbid", "ca.test; nonsense", NULL, "dns-01", NULL, CAA_NO, "only"},
    {"of another CA nothing matters", "other.test; accounturi=u", NULL, "dns-01", NULL, CAA_NO, "only \"other.test\""},
};

static void test_parameters(void **state)
{
    char *names[] = {(char[]){"ca.test"}};
    struct strs ids = {names, 1};
    char why[200];

    (void)state;
    for (size_t i = 0; i < sizeof bound / sizeof *bound; i++) {
        const struct bound_case *c = &bound[i];
        struct caa_ca ca = {.ids = &ids, .method = c->method, .account = c->account};
        struct caa_rr set[2] = {{.tag = "issue"}, {.tag = "issue"}};

        snprintf(set[0].value, sizeof set[0].value, "%s", c->value);
        snprintf(set[1].value, sizeof set[1].value, "%s", c->second ? c->second : "");
        if (caa_judge(set, c->second ? 2 : 1, &ca, false, why) != c->says || !strstr(why, c->why))
            fail_msg("%s: %s", c->what, why);
    }
}

static void test_hostile(void **state)
{
    struct caa_rr set[40];
    struct strs none = {0};
    struct caa_ca ca = {.ids = &none};
    char why[200];

    (void)state;
    for (size_t i = 0; i < 40; i++) {
        set[i] = (struct caa_rr){.tag = "issue"};
        memset(set[i].value, i % 2 ? 0x1b : i % 3 ? ';' : 'x', 255);
    }
    assert_int_equal(caa_judge(set, 40, &ca, false, why), CAA_NO);
    assert_true(strlen(why) < sizeof why);
    assert_null(strchr(why, 0x1b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_allows), cmocka_unit_test(test_parameters), cmocka_unit_test(test_hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
