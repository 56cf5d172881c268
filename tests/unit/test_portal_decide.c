/* From a page read to the next step: the whole judgement of a walk, by tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ca/portal/decide.h"

static const char *const steps[] = {
    [STEP_UNKNOWN] = "unknown",   [STEP_ON] = "on",
    [STEP_LOGIN] = "login",       [STEP_MAIL] = "mail",
    [STEP_CONFIRM] = "confirm",   [STEP_GIVE_CSR] = "csr",
    [STEP_SUBMIT] = "submit",     [STEP_AGAIN] = "again",
    [STEP_CODES] = "codes",       [STEP_AWAIT_MAIL] = "await",
    [STEP_CHECKING] = "checking", [STEP_PROVEN] = "proven",
    [STEP_ISSUING] = "issuing",   [STEP_PICKUP] = "pickup",
    [STEP_LATER] = "later",       [STEP_PIN_REFUSED] = "pin-refused",
    [STEP_PIN_LOST] = "pin-lost", [STEP_DCV_FAILED] = "dcv",
    [STEP_EXPIRED] = "expired",   [STEP_CSR_REFUSED] = "csr-refused",
    [STEP_REFUSED] = "refused",   [STEP_ASK] = "ask",
};

static void expect(struct sight s, const char *want)
{
    s.known = true;
    assert_string_equal(steps[walk_decide(&s)], want);
}

/* The straight way: every goal at every page, nothing done before. */
static void straight_ways(void **state)
{
    (void)state;
    static const struct {
        enum page_role role;
        const char *want[GOALS]; /* code confirm csr certificate look */
    } rows[] = {
        {ROLE_START, {"on", "on", "on", "on", "on"}},
        {ROLE_LOGIN, {"login", "login", "login", "login", "login"}},
        {ROLE_DETAILS, {"on", "on", "on", "on", "on"}},
        {ROLE_METHOD, {"on", "on", "on", "ask", "on"}},
        {ROLE_PROOF, {"codes", "confirm", "codes", "ask", "codes"}},
        {ROLE_MAILED, {"mail", "await", "await", "await", "await"}},
        {ROLE_CHECKING, {"checking", "checking", "checking", "ask", "checking"}},
        {ROLE_FAILED, {"on", "on", "on", "ask", "dcv"}},
        {ROLE_CSR, {"proven", "proven", "csr", "ask", "proven"}},
        {ROLE_CSR_CHECK, {"ask", "ask", "ask", "ask", "ask"}},
        {ROLE_ISSUING, {"issuing", "issuing", "issuing", "issuing", "issuing"}},
        {ROLE_DONE, {"pickup", "pickup", "pickup", "pickup", "pickup"}},
        {ROLE_REFUSED, {"refused", "refused", "refused", "refused", "refused"}},
        {ROLE_CLOSED, {"later", "later", "later", "later", "later"}},
    };
    assert_int_equal(sizeof rows / sizeof *rows, ROLES);
    for (size_t i = 0; i < ROLES; i++)
        for (int g = 0; g < GOALS; g++)
            expect((struct sight){.goal = (enum walk_goal)g, .role = rows[i].role}, rows[i].want[g]);
}

/* What is never pressed, whatever the goal. */
static void doubts(void **state)
{
    (void)state;
    static const struct {
        struct sight s;
        const char *want;
    } rows[] = {
        /* a CSR whose way was lost: only a page that proves lets it go again */
        {{.goal = GOAL_CSR, .role = ROLE_CSR, .doubt = DOUBT_CSR}, "ask"},
        {{.goal = GOAL_CSR, .role = ROLE_CSR, .doubt = DOUBT_FINAL}, "ask"},
        {{.goal = GOAL_CSR, .role = ROLE_CSR, .doubt = DOUBT_CSR, .proves = true}, "csr"},
        {{.goal = GOAL_CSR, .role = ROLE_CSR, .doubt = DOUBT_FINAL, .proves = true}, "csr"},
        /* in one walk once, whatever is proven */
        {{.goal = GOAL_CSR, .role = ROLE_CSR, .pressed_csr = true, .doubt = DOUBT_CSR, .proves = true}, "ask"},
        {{.goal = GOAL_CSR, .role = ROLE_CSR, .pressed_final = true, .doubt = DOUBT_FINAL, .proves = true}, "ask"},
        /* the last button: for our CSR, and once */
        {{.goal = GOAL_CSR, .role = ROLE_CSR_CHECK, .given = true, .pressed_csr = true, .doubt = DOUBT_CSR}, "submit"},
        {{.goal = GOAL_CSR, .role = ROLE_CSR_CHECK, .given = true, .doubt = DOUBT_CSR}, "submit"},
        {{.goal = GOAL_CSR, .role = ROLE_CSR_CHECK, .given = true}, "submit"}, /* a person said that it was not */
        {{.goal = GOAL_CSR, .role = ROLE_CSR_CHECK}, "ask"},                   /* somebody else's */
        {{.goal = GOAL_CSR, .role = ROLE_CSR_CHECK, .given = true, .doubt = DOUBT_FINAL}, "ask"},
        {{.goal = GOAL_CSR, .role = ROLE_CSR_CHECK, .given = true, .pressed_csr = true, .pressed_final = true, .doubt = DOUBT_FINAL},
         "ask"},
        {{.goal = GOAL_CODE, .role = ROLE_CSR_CHECK, .given = true, .doubt = DOUBT_CSR}, "ask"},
        /* whoever finds it issued goes on */
        {{.goal = GOAL_CSR, .role = ROLE_DONE, .doubt = DOUBT_FINAL}, "pickup"},
        {{.goal = GOAL_CSR, .role = ROLE_ISSUING, .doubt = DOUBT_FINAL}, "issuing"},
        /* other codes than those that stand in the DNS are not confirmed */
        {{.goal = GOAL_CONFIRM, .role = ROLE_PROOF, .other_code = true}, "codes"},
        {{.goal = GOAL_CONFIRM, .role = ROLE_PROOF}, "confirm"},
        /* a mailed code is sent for once */
        {{.goal = GOAL_CODE, .role = ROLE_MAILED, .mailed = true}, "await"},
        {{.goal = GOAL_CODE, .role = ROLE_MAILED, .mailed = true, .mailed_code = true}, "codes"},
        {{.goal = GOAL_CONFIRM, .role = ROLE_MAILED, .mailed = true, .mailed_code = true}, "confirm"},
        /* after the press */
        {{.goal = GOAL_CONFIRM, .role = ROLE_PROOF, .pressed_confirm = true}, "dcv"},
        {{.goal = GOAL_CONFIRM, .role = ROLE_FAILED, .pressed_confirm = true}, "dcv"},
        {{.goal = GOAL_CONFIRM, .role = ROLE_CSR, .pressed_confirm = true}, "proven"},
        {{.goal = GOAL_CONFIRM, .role = ROLE_CHECKING, .pressed_confirm = true}, "checking"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect(rows[i].s, rows[i].want);
}

static void errors_told(void **state)
{
    (void)state;
    static const struct {
        struct sight s;
        const char *want;
    } rows[] = {
        {{.role = ROLE_LOGIN, .error = PAGE_LOGIN_REFUSED, .pressed_login = true, .logged_in = true}, "pin-refused"},
        {{.role = ROLE_LOGIN, .error = PAGE_LOGIN_REFUSED, .pressed_login = true},
         "pin-refused"}, /* the reference number, on a page of its own */
        {{.role = ROLE_LOGIN, .pressed_login = true}, "login"},
        {{.role = ROLE_LOGIN, .error = PAGE_LOGIN_REFUSED}, "login"}, /* of somebody else's try */
        {{.role = ROLE_LOGIN, .error = PAGE_LOCKED}, "pin-refused"},
        {{.role = ROLE_DETAILS, .error = PAGE_LOCKED, .pressed_login = true, .logged_in = true}, "pin-refused"},
        /* behind the login such words are talk, but nothing is pressed beside them */
        {{.role = ROLE_PROOF, .error = PAGE_LOCKED, .pressed_login = true, .logged_in = true, .let_in = true}, "ask"},
        {{.goal = GOAL_CONFIRM, .role = ROLE_PROOF, .error = PAGE_LOGIN_REFUSED, .pressed_login = true, .let_in = true}, "ask"},
        {{.role = ROLE_LOGIN, .error = PAGE_LOCKED, .pressed_login = true, .logged_in = true, .let_in = true}, "pin-refused"},
        {{.role = ROLE_LOGIN, .logged_in = true}, "pin-lost"},
        {{.role = ROLE_LOGIN, .logged_in = true, .pin_proven = true}, "pin-lost"}, /* good once, and not let in now */
        {{.role = ROLE_LOGIN, .logged_in = true, .pin_proven = true, .let_in = true}, "again"},
        {{.role = ROLE_LOGIN, .logged_in = true, .pin_proven = true, .let_in = true, .again = true}, "later"},
        {{.role = ROLE_START, .error = PAGE_SESSION_LOST}, "on"},
        {{.role = ROLE_START, .error = PAGE_SESSION_LOST, .logged_in = true}, "pin-lost"},
        {{.role = ROLE_START, .error = PAGE_SESSION_LOST, .logged_in = true, .pin_proven = true}, "again"},
        {{.role = ROLE_START, .error = PAGE_SESSION_LOST, .logged_in = true, .pin_proven = true, .again = true}, "later"},
        {{.role = ROLE_PROOF, .error = PAGE_BUSY}, "later"},
        {{.role = ROLE_PROOF, .error = PAGE_DCV_FAILED}, "codes"}, /* an old message */
        {{.goal = GOAL_CONFIRM, .role = ROLE_PROOF, .error = PAGE_DCV_FAILED}, "confirm"},
        {{.goal = GOAL_CONFIRM, .role = ROLE_PROOF, .error = PAGE_DCV_FAILED, .pressed_confirm = true}, "dcv"},
        {{.goal = GOAL_LOOK, .role = ROLE_PROOF, .error = PAGE_DCV_FAILED, .checking = true}, "dcv"},
        {{.goal = GOAL_CONFIRM, .role = ROLE_PROOF, .error = PAGE_CODE_EXPIRED}, "expired"},
        {{.goal = GOAL_CODE, .role = ROLE_PROOF, .error = PAGE_CODE_EXPIRED}, "codes"},
        {{.goal = GOAL_CSR, .role = ROLE_CSR, .error = PAGE_CSR_REFUSED, .pressed_csr = true}, "csr-refused"},
        {{.goal = GOAL_CSR, .role = ROLE_CSR, .error = PAGE_CSR_REFUSED}, "csr"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect(rows[i].s, rows[i].want);
}

/* A page that is not known may still say what [portal] names; of a proof or a CSR it tells nothing. */
static void strangers(void **state)
{
    (void)state;
    static const struct {
        struct sight s;
        const char *want;
    } rows[] = {
        {{.error = PAGE_BUSY}, "later"},
        {{.error = PAGE_BUSY, .goal = GOAL_CSR, .pressed_final = true, .doubt = DOUBT_FINAL}, "later"},
        {{.error = PAGE_SESSION_LOST}, "again"},
        {{.error = PAGE_SESSION_LOST, .again = true}, "later"},
        {{.error = PAGE_SESSION_LOST, .logged_in = true}, "pin-lost"},
        {{.error = PAGE_SESSION_LOST, .logged_in = true, .pin_proven = true}, "again"},
        {{.error = PAGE_LOGIN_REFUSED, .pressed_login = true, .logged_in = true}, "pin-refused"},
        {{.error = PAGE_LOGIN_REFUSED}, "unknown"},
        {{.error = PAGE_LOCKED}, "pin-refused"},
        /* behind the login such words are talk: the PIN is good */
        {{.error = PAGE_LOGIN_REFUSED, .pressed_login = true, .logged_in = true, .pin_proven = true, .let_in = true}, "unknown"},
        {{.error = PAGE_LOCKED, .pressed_login = true, .logged_in = true, .pin_proven = true, .let_in = true}, "unknown"},
        {{.error = PAGE_LOCKED, .logged_in = true, .pin_proven = true, .let_in = true, .status = 503}, "later"},
        {{.error = PAGE_LOCKED, .pressed_login = true, .logged_in = true, .pin_proven = true}, "pin-refused"},
        {{.error = PAGE_CSR_REFUSED, .goal = GOAL_CSR, .pressed_csr = true}, "unknown"},
        {{.error = PAGE_DCV_FAILED, .goal = GOAL_CONFIRM, .pressed_confirm = true}, "unknown"},
        {{.error = PAGE_CODE_EXPIRED, .goal = GOAL_CONFIRM}, "unknown"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(steps[walk_decide(&rows[i].s)], rows[i].want);
}

static void unknown_pages(void **state)
{
    (void)state;
    static const struct {
        long status;
        const char *want;
    } rows[] = {{200, "unknown"}, {404, "unknown"}, {403, "unknown"}, {429, "later"}, {500, "later"}, {503, "later"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int g = 0; g < GOALS; g++) {
            struct sight s = {.goal = (enum walk_goal)g, .status = rows[i].status};
            assert_string_equal(steps[walk_decide(&s)], rows[i].want);
        }
}

/* Over everything that can be: the three buttons that count are pressed only where they may be. */
static void never(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 1U << 12; bits++)
        for (int role = 0; role < ROLES; role++)
            for (int error = 0; error < PAGE_ERRORS; error++)
                for (int goal = 0; goal < GOALS; goal++) {
                    struct sight s = {.goal = (enum walk_goal)goal,
                                      .known = bits & 1,
                                      .role = (enum page_role)role,
                                      .error = (enum page_error)error,
                                      .status = 200,
                                      .other_code = bits & 2,
                                      .proves = bits & 4,
                                      .mailed = bits & 8,
                                      .mailed_code = bits & 16,
                                      .pin_proven = bits & 32,
                                      .doubt = (enum walk_doubt)((bits >> 6 & 3) % 3),
                                      .given = bits & 16,
                                      .logged_in = bits & 256,
                                      .again = bits & 512,
                                      .pressed_confirm = bits & 1024,
                                      .pressed_csr = bits & 2048,
                                      .pressed_final = bits & 2048};
                    enum walk_step step = walk_decide(&s);
                    if (!s.known)
                        assert_true(step == STEP_UNKNOWN || step == STEP_AGAIN || step == STEP_LATER || step == STEP_PIN_REFUSED ||
                                    step == STEP_PIN_LOST);
                    if (step == STEP_LOGIN)
                        assert_true(!s.logged_in && role == ROLE_LOGIN);
                    if (step == STEP_CONFIRM)
                        assert_true(goal == GOAL_CONFIRM && !s.pressed_confirm && !(role == ROLE_PROOF && s.other_code));
                    if (step == STEP_GIVE_CSR)
                        assert_true(goal == GOAL_CSR && role == ROLE_CSR && !s.pressed_csr && (s.doubt == DOUBT_NOT || s.proves));
                    if (step == STEP_SUBMIT)
                        assert_true(goal == GOAL_CSR && role == ROLE_CSR_CHECK && s.given && !s.pressed_final && s.doubt != DOUBT_FINAL);
                    if (step == STEP_MAIL)
                        assert_true(goal == GOAL_CODE && !s.mailed);
                }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(straight_ways), cmocka_unit_test(doubts),        cmocka_unit_test(errors_told),
        cmocka_unit_test(strangers),     cmocka_unit_test(unknown_pages), cmocka_unit_test(never),
    };
    return cmocka_run_group_tests_name("portal_decide", tests, NULL, NULL);
}
