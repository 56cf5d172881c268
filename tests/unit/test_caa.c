#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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
    char why[160];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        why[0] = '\0';
        if (caa_allows(cases[i].set, cases[i].n, &ids, false, why) != cases[i].name)
            fail_msg("%s: %s", cases[i].what, why);
        assert_true(*why);
        if (caa_allows(cases[i].set, cases[i].n, &ids, true, why) != cases[i].wildcard)
            fail_msg("%s, wildcard: %s", cases[i].what, why);
    }
}

static void test_hostile(void **state)
{
    struct caa_rr set[40];
    struct strs none = {0};
    char why[160];

    (void)state;
    for (size_t i = 0; i < 40; i++) {
        set[i] = (struct caa_rr){.tag = "issue"};
        memset(set[i].value, i % 2 ? 0x1b : 'x', 255);
    }
    assert_false(caa_allows(set, 40, &none, false, why));
    assert_true(strlen(why) < sizeof why);
    assert_null(strchr(why, 0x1b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_allows), cmocka_unit_test(test_hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
