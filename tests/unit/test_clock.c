#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/clock.h"

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t want; /* -1: refused */
    } cases[] = {
        {"90s", 90},
        {"10m", 600},
        {"24h", 86400},
        {"30d", 2592000},
        {"2w", 1209600},
        {"0s", 0},
        {"36525d", 3155760000},
        {"007m", 420},
        {"", -1},
        {"10", -1},
        {"0", -1},
        {"m", -1},
        {"10 m", -1},
        {" 10m", -1},
        {"10m ", -1},
        {"-10m", -1},
        {"+10m", -1},
        {"1.5h", -1},
        {"10M", -1},
        {"10y", -1},
        {"1h30m", -1},
        {"10mm", -1},
        {"36526d", -1},
        {"99999999999999999999s", -1},
        {"3155760001s", -1},
        {"9999999999999999999d", -1},
        {"\xef\xbc\x91m", -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t got = -1;
        assert_int_equal(duration_parse(cases[i].text, &got), cases[i].want >= 0);
        assert_int_equal(got, cases[i].want);
    }
}

static void durations_shown(void **state)
{
    (void)state;
    static const struct {
        int64_t s;
        const char *want;
    } cases[] = {{0, "0 s"},
                 {45, "45 s"},
                 {60, "1 min"},
                 {90, "1 min 30 s"},
                 {300, "5 min"},
                 {601, "10 min"},
                 {3600, "1 h"},
                 {12000, "3 h 20 min"},
                 {86400, "24 h"},
                 {12 * DAY, "12 days"},
                 {2 * DAY, "2 days"},
                 {-45, "-45 s"},
                 {INT64_MIN, "-106751991167300 days"},
                 {INT64_MAX, "106751991167300 days"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[32];
        duration_show(cases[i].s, out);
        assert_string_equal(out, cases[i].want);
    }
}

static void dates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t want; /* -1: refused */
    } cases[] = {
        {"1970-01-01", 0},
        {"2027-05-31", 1811721600},
        {"2028-02-29", 1835395200},
        {"9999-12-31", 253402214400},
        {"2000-02-29", 951782400},
        {"2027-02-29", -1},
        {"2100-02-29", -1},
        {"1969-12-31", -1},
        {"2027-13-01", -1},
        {"2027-00-01", -1},
        {"2027-01-00", -1},
        {"2027-04-31", -1},
        {"2027-1-1", -1},
        {"27-01-01", -1},
        {"2027/01/01", -1},
        {"2027-01-01 ", -1},
        {" 2027-01-01", -1},
        {"", -1},
        {"2027", -1},
        {"2027-01-", -1},
        {"10000-01-01", -1},
        {"-2027-01-01", -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t got = -1;
        assert_int_equal(date_parse(cases[i].text, &got), cases[i].want >= 0);
        assert_int_equal(got, cases[i].want);
    }
}

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t want; /* -1: refused */
    } cases[] = {
        {"2027-05-31", 1811721600},
        {"2027-05-31T00:00:00Z", 1811721600},
        {"2027-05-31t08:00:00+08:00", 1811721600},
        {"2027-05-31 00:00:00z", 1811721600},
        {"2027-05-30T23:30:00.123456789-00:30", 1811721600},
        {"2016-12-31T23:59:60Z", 1483228800},
        {"2027-05-31T00:00:00", -1},
        {"2027-05-31T24:00:00Z", -1},
        {"2027-05-31T00:60:00Z", -1},
        {"2027-05-31T00:00:61Z", -1},
        {"2027-05-31T00:00Z", -1},
        {"2027-05-31T00:00:00.Z", -1},
        {"2027-05-31T00:00:00+24:00", -1},
        {"2027-05-31T00:00:00+0800", -1},
        {"2027-05-31T00:00:00ZZ", -1},
        {"2027-05-31T", -1},
        {"2027-05-31T00:00:00+", -1},
        {"2027-05-31\n", -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t got = -1;
        assert_int_equal(time_parse(cases[i].text, &got), cases[i].want >= 0);
        assert_int_equal(got, cases[i].want);
    }
}

static void times_shown(void **state)
{
    (void)state;
    char out[32];
    time_show(1811721600, out);
    assert_string_equal(out, "2027-05-31T00:00:00Z");
    day_show(1811721599, out);
    assert_string_equal(out, "2027-05-30");
    setenv("TZ", "Asia/Hong_Kong", 1);
    tzset();
    time_local(1811721600, out);
    assert_string_equal(out, "2027-05-31 08:00");
    setenv("TZ", "HKT-8", 1); /* where no time zone files are installed */
    tzset();
    time_local(1811721600, out);
    assert_string_equal(out, "2027-05-31 08:00");
    time_show(INT64_MAX, out);
    assert_string_equal(out, "@9223372036854775807");
    time_local(INT64_MIN, out);
    assert_string_equal(out, "@-9223372036854775808");
}

static void shifted(void **state)
{
    (void)state;
    int64_t now = clock_now();
    setenv("DCVAGENT_CLOCK", "+40d", 1);
    assert_in_range(clock_now() - now, 40 * DAY, 40 * DAY + 5);
    setenv("DCVAGENT_CLOCK", "-1h", 1);
    assert_in_range(now - clock_now(), HOUR - 5, HOUR);
    setenv("DCVAGENT_CLOCK", "40d", 1);
    assert_in_range(clock_now() - now, 0, 5);
    unsetenv("DCVAGENT_CLOCK");
    assert_in_range(clock_now_ms() / 1000 - now, 0, 5);
    assert_true(clock_monotonic() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations), cmocka_unit_test(durations_shown), cmocka_unit_test(dates),
        cmocka_unit_test(times),     cmocka_unit_test(times_shown),     cmocka_unit_test(shifted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
