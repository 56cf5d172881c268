/* What falls due in the time to come, in tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "order/ask/horizon.h"

enum { MAX = 64 };

static int64_t day(const char *text)
{
    int64_t t = 0;
    assert_true(date_parse(text, &t));
    return t;
}

struct expected {
    const char *at;
    enum calendar_action action;
    bool person;
    const char *end; /* NULL: no certificate comes of it */
};

static void compare(const struct calendar_in *in, const char *until, const struct expected *x, size_t n)
{
    struct horizon_event out[MAX];
    size_t got = horizon(in, day(until), out, MAX);
    for (size_t i = 0; i < got && i < n; i++) {
        char at[32], end[32] = "";
        day_show(out[i].at, at);
        if (out[i].end)
            day_show(out[i].end, end);
        assert_string_equal(at, x[i].at);
        assert_int_equal(out[i].action, x[i].action);
        assert_int_equal(out[i].person, x[i].person);
        assert_string_equal(end, x[i].end ? x[i].end : "");
        assert_non_null(out[i].why);
    }
    assert_int_equal(got, n);
}

/* The limits of 2026-03-15, 2027-03-15 and 2029-03-15 as they shorten the life of certificates. */
static void phases(void **state)
{
    (void)state;
    struct calendar_in acme = {.kind = CALENDAR_ACME, .now = day("2026-12-01"), .renew_before = -1};
    const struct expected a[] = {
        {"2026-12-01", CALENDAR_FIRST, false, "2027-06-18"},
        {"2027-04-12", CALENDAR_RENEW, false, "2027-07-20"},
        {"2027-06-17", CALENDAR_RENEW, false, "2027-09-24"},
    };
    compare(&acme, "2027-08-01", a, 3);
    struct calendar_in person = {.kind = CALENDAR_PERSON, .now = day("2029-02-01"), .renew_before = -1};
    const struct expected p[] = {
        {"2029-02-01", CALENDAR_FIRST, true, "2029-05-11"},
        {"2029-04-11", CALENDAR_RENEW, true, "2029-05-27"},
        {"2029-05-11", CALENDAR_RENEW, true, "2029-06-26"},
    };
    compare(&person, "2029-06-01", p, 3);
}

static void subscriptions(void **state)
{
    (void)state;
    /* The certificate ends with the subscription: a reissue is no use, the paid renewal comes 60 days before, a new certificate 30. */
    struct calendar_in in = {.kind = CALENDAR_PERSON,
                             .now = day("2026-12-01"),
                             .not_before = day("2026-11-01"),
                             .not_after = day("2027-05-01"),
                             .subscription_end = day("2027-05-01"),
                             .renew_before = -1};
    const struct expected x[] = {
        {"2027-03-02", CALENDAR_PAID_RENEWAL, true, NULL},
        {"2027-04-01", CALENDAR_RENEW, true, "2027-07-09"},
    };
    compare(&in, "2027-06-01", x, 2);
    /* Over already: first the paid renewal, then everything else. */
    in.now = day("2027-06-01");
    const struct expected late[] = {
        {"2027-06-01", CALENDAR_PAID_RENEWAL, true, NULL},
        {"2027-06-01", CALENDAR_RENEW, true, "2027-09-08"},
    };
    compare(&in, "2027-07-01", late, 2);
    /* Without a certificate in use and with the subscription over: nothing can be issued before it is renewed. */
    in.not_before = in.not_after = 0;
    const struct expected none[] = {
        {"2027-06-01", CALENDAR_PAID_RENEWAL, true, NULL},
        {"2027-06-01", CALENDAR_FIRST, true, "2027-09-08"},
    };
    compare(&in, "2027-07-01", none, 2);
}

static void changes(void **state)
{
    (void)state;
    struct calendar_in in = {.kind = CALENDAR_PERSON,
                             .now = day("2026-12-01"),
                             .not_before = day("2026-11-01"),
                             .not_after = day("2027-05-01"),
                             .names_changed = true,
                             .renew_before = -1};
    const struct expected refused[] = {{"2026-12-01", CALENDAR_REFUSED, true, NULL}};
    compare(&in, "2028-12-01", refused, 1);
    in.new_reference = true;
    const struct expected bought[] = {{"2026-12-01", CALENDAR_CHANGED, true, "2027-06-18"}};
    compare(&in, "2027-01-01", bought, 1);
    in.kind = CALENDAR_ACME;
    in.new_reference = false;
    const struct expected acme[] = {{"2026-12-01", CALENDAR_CHANGED, false, "2027-06-18"}};
    compare(&in, "2027-01-01", acme, 1);
}

static void ends(void **state)
{
    (void)state;
    struct horizon_event out[MAX];
    struct calendar_in in = {.kind = CALENDAR_ACME, .now = day("2026-12-01"), .renew_before = -1};
    assert_int_equal(horizon(&in, day("2026-11-30"), out, MAX), 0);
    assert_int_equal(horizon(&in, day("2126-12-01"), out, MAX), MAX);
    assert_int_equal(horizon(&in, day("2126-12-01"), out, 0), 0);
    /* A renew_before longer than a certificate lives: each serves for a third of its life all the same. */
    in.renew_before = 400 * (int64_t)DAY;
    size_t n = horizon(&in, day("2027-04-30"), out, MAX);
    assert_int_equal(n, 3); /* 199 days, then 99 from 2027-03-15 on */
    for (size_t i = 1; i < n; i++)
        assert_true(out[i].at > out[i - 1].at);
    in.kind = CALENDAR_PERSON;
    assert_true(horizon(&in, day("2027-12-11"), out, MAX) < MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phases),
        cmocka_unit_test(subscriptions),
        cmocka_unit_test(changes),
        cmocka_unit_test(ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
