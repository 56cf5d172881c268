/* What is due, when: tables over years of dates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/clock.h"
#include "order/when/calendar.h"

static int64_t day(const char *text)
{
    int64_t t;
    assert_true(time_parse(text, &t));
    return t;
}

static void phases(void **state)
{
    (void)state;
    static const struct {
        const char *when;
        unsigned days, rule, reuse;
    } table[] = {
        {"2026-03-14T23:59:59Z", 397, 398, 398},
        {"2026-03-15T00:00:00Z", 199, 200, 200},
        {"2027-03-14T23:59:59Z", 199, 200, 200},
        {"2027-03-15", 99, 100, 100},
        {"2029-03-14T23:59:59Z", 99, 100, 100},
        {"2029-03-15", 46, 47, 10},
        {"2040-01-01", 46, 47, 10},
        {"1999-01-01", 397, 398, 398},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct calendar_phase *p = calendar_phase(day(table[i].when));
        if (p->days != table[i].days || p->rule_days != table[i].rule || p->reuse_days != table[i].reuse)
            fail_msg("%s: %u %u %u", table[i].when, p->days, p->rule_days, p->reuse_days);
        assert_int_equal(calendar_longest(day(table[i].when)), (int64_t)table[i].rule * DAY);
    }
}

struct row {
    const char *what;
    enum calendar_kind kind;
    const char *now, *from, *to, *subscription;
    int renew_days; /* -1: auto */
    bool names, ca, key, reference, new_end, forced;
    enum calendar_action action;
    bool due;
    const char *next; /* NULL: not compared */
    const char *ari;  /* NULL: none */
};

static const struct row rows[] = {
    {"nothing yet", CALENDAR_PERSON, "2026-11-28", NULL, NULL, NULL, -1, .action = CALENDAR_FIRST, .due = true},
    {"199 days, far from the end", CALENDAR_PERSON, "2026-12-01", "2026-11-28", "2027-06-15", "2027-11-28", -1, .action = CALENDAR_NOTHING,
     .next = "2027-05-16"},
    {"199 days, 30 before the end", CALENDAR_PERSON, "2027-05-16", "2026-11-28", "2027-06-15", "2027-11-28", -1, .action = CALENDAR_RENEW,
     .due = true},
    {"46 days: a third of life, not 30 days", CALENDAR_PERSON, "2029-06-01", "2029-05-20", "2029-07-05", "2030-01-01", -1,
     .action = CALENDAR_NOTHING, .next = "2029-06-19T16:00:00Z"},
    {"acme 90 days: a third", CALENDAR_ACME, "2026-12-01", "2026-11-01", "2027-01-30", NULL, -1, .action = CALENDAR_NOTHING,
     .next = "2026-12-31"},
    {"acme 6 days: a half", CALENDAR_ACME, "2026-12-01", "2026-12-01", "2026-12-07", NULL, -1, .action = CALENDAR_NOTHING,
     .next = "2026-12-04"},
    {"renew_before as configured", CALENDAR_PERSON, "2027-05-01", "2026-11-28", "2027-06-15", "2027-11-28", 50, .action = CALENDAR_RENEW,
     .due = true},
    {"a reissue at the subscription's end is no use", CALENDAR_PERSON, "2027-05-20", "2026-11-28", "2027-06-01", "2027-06-01", -1,
     .action = CALENDAR_PAID_RENEWAL, .next = "2027-06-01"},
    {"but --force asks for one", CALENDAR_PERSON, "2027-05-20", "2026-11-28", "2027-06-01", "2027-06-01", -1, .forced = true,
     .action = CALENDAR_RENEW, .due = true},
    {"a paid renewal starts one at once", CALENDAR_PERSON, "2027-05-02", "2026-11-28", "2027-06-01", "2028-06-01", -1, .new_end = true,
     .action = CALENDAR_RENEW, .due = true},
    {"a new reference number too", CALENDAR_PERSON, "2027-03-20", "2026-11-28", "2027-06-01", "2028-06-01", -1, .reference = true,
     .action = CALENDAR_RENEW, .due = true},
    {"other names without a new application", CALENDAR_PERSON, "2026-12-01", "2026-11-28", "2027-06-15", "2027-11-28", -1, .names = true,
     .action = CALENDAR_REFUSED},
    {"other CA without a new application", CALENDAR_PERSON, "2026-12-01", "2026-11-28", "2027-06-15", "2027-11-28", -1, .ca = true,
     .action = CALENDAR_REFUSED},
    {"other names with one", CALENDAR_PERSON, "2026-12-01", "2026-11-28", "2027-06-15", "2028-11-28", -1, .names = true, .reference = true,
     .action = CALENDAR_CHANGED, .due = true},
    {"other key: with the next reissue", CALENDAR_PERSON, "2026-12-01", "2026-11-28", "2027-06-15", "2027-11-28", -1, .key = true,
     .action = CALENDAR_NOTHING, .next = "2027-05-16"},
    {"acme: other key at once", CALENDAR_ACME, "2026-12-01", "2026-11-28", "2027-02-26", NULL, -1, .key = true, .action = CALENDAR_CHANGED,
     .due = true},
    {"acme: other names at once", CALENDAR_ACME, "2026-12-01", "2026-11-28", "2027-02-26", NULL, -1, .names = true,
     .action = CALENDAR_CHANGED, .due = true},
    {"expired long ago", CALENDAR_PERSON, "2028-01-01", "2026-11-28", "2027-06-15", "2028-11-28", -1, .action = CALENDAR_RENEW,
     .due = true},
    {"renew_before of 199 days' times, 46 days' life: not run by run", CALENDAR_PERSON, "2029-06-01", "2029-06-01", "2029-07-17",
     "2030-06-01", 60, .action = CALENDAR_NOTHING, .next = "2029-06-16T08:00:00Z"},
    {"acme: renew_before of 90 days, 6 days' life", CALENDAR_ACME, "2026-12-01", "2026-12-01", "2026-12-07", NULL, 90,
     .action = CALENDAR_NOTHING, .next = "2026-12-03"},
    {"acme: when the CA wants it", CALENDAR_ACME, "2026-12-01", "2026-11-01", "2027-01-30", NULL, -1, .action = CALENDAR_NOTHING,
     .next = "2027-01-05", .ari = "2027-01-05"},
    {"acme: the CA wants it after the end", CALENDAR_ACME, "2026-12-01", "2026-11-01", "2027-01-30", NULL, -1, .action = CALENDAR_NOTHING,
     .next = "2027-01-20", .ari = "2027-03-01"},
    {"no subscription known", CALENDAR_PERSON, "2027-05-20", "2026-11-28", "2027-06-15", NULL, -1, .action = CALENDAR_RENEW, .due = true},
};

static void decisions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        struct calendar_in in = {.kind = r->kind,
                                 .now = day(r->now),
                                 .not_before = r->from ? day(r->from) : 0,
                                 .not_after = r->to ? day(r->to) : 0,
                                 .subscription_end = r->subscription ? day(r->subscription) : 0,
                                 .renew_before = r->renew_days < 0 ? -1 : (int64_t)r->renew_days * DAY,
                                 .ari_at = r->ari ? day(r->ari) : 0,
                                 .names_changed = r->names,
                                 .ca_changed = r->ca,
                                 .key_changed = r->key,
                                 .new_reference = r->reference,
                                 .new_subscription = r->new_end,
                                 .forced = r->forced};
        struct calendar_out out = {0};
        calendar_decide(&in, &out);
        if (out.action != r->action || out.due != r->due || (r->next && out.next_at != day(r->next))) {
            char at[32];
            time_show(out.next_at, at);
            fail_msg("%s: action %d due %d next %s (%s)", r->what, out.action, out.due, at, out.why);
        }
        assert_non_null(out.why);
    }
}

/* A subscription of a year, day by day: how many reissues, and never one that would not end later. */
static void a_year(void **state)
{
    (void)state;
    static const struct {
        const char *start, *end;
        unsigned certificates;
    } table[] = {{"2026-04-01", "2027-04-01", 2}, {"2027-04-01", "2028-04-01", 5}, {"2029-04-01", "2030-04-01", 12}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct calendar_in in = {.kind = CALENDAR_PERSON, .subscription_end = day(table[i].end), .renew_before = -1};
        unsigned made = 0;
        for (in.now = day(table[i].start); in.now < in.subscription_end; in.now += DAY) {
            struct calendar_out out = {0};
            calendar_decide(&in, &out);
            if (!out.due)
                continue;
            assert_true(out.expected_end > in.not_after);
            assert_true(out.expected_end - in.now <= calendar_longest(in.now));
            in.not_before = in.now;
            in.not_after = out.expected_end;
            made++;
        }
        if (made != table[i].certificates)
            fail_msg("subscription from %s: %u certificates", table[i].start, made);
        assert_int_equal(in.not_after, in.subscription_end);
    }
}

static void backoff(void **state)
{
    (void)state;
    static const int64_t want[] = {0, 60, 600, 6000, DAY, DAY};
    for (unsigned i = 0; i < sizeof want / sizeof *want; i++)
        assert_int_equal(calendar_backoff(i), want[i]);
    assert_int_equal(calendar_backoff(4000000000u), DAY);
}

static void reminders(void **state)
{
    (void)state;
    int64_t end = day("2027-01-31"), now = day("2027-01-01");
    assert_true(calendar_remind(now, 0, end));
    assert_false(calendar_remind(now + HOUR, now, end));
    assert_true(calendar_remind(now + DAY, now, end));
    assert_true(calendar_remind(now, now + 400 * DAY, end)); /* said by a clock that was ahead */
    int64_t mark = end - 14 * DAY;
    assert_true(calendar_remind(mark, mark - HOUR, end));
    assert_false(calendar_remind(mark + HOUR, mark, end));
    assert_false(calendar_remind(mark, mark - HOUR, 0));
    assert_int_equal(calendar_paid_reminder(end - 61 * DAY, end, 0), 0);
    assert_int_equal(calendar_paid_reminder(end - 60 * DAY, end, 0), 60);
    assert_int_equal(calendar_paid_reminder(end - 59 * DAY, end, end - 60 * DAY), 0);
    assert_int_equal(calendar_paid_reminder(end - 30 * DAY, end, end - 60 * DAY), 30);
    assert_int_equal(calendar_paid_reminder(end - 13 * DAY, end, end - 30 * DAY), 14);
    assert_int_equal(calendar_paid_reminder(end - 13 * DAY, end, end - 14 * DAY), 0);
    assert_int_equal(calendar_paid_reminder(end - 13 * DAY, end, end + 400 * DAY), 14); /* said by a clock that was ahead */
    assert_int_equal(calendar_paid_reminder(end + 1, end, 0), 0);
    assert_int_equal(calendar_paid_reminder(now, 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phases),  cmocka_unit_test(decisions), cmocka_unit_test(a_year),
        cmocka_unit_test(backoff), cmocka_unit_test(reminders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
