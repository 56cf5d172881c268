/* Days and years: renewals by the calendar, reminders, backoff, and configurations that change under an order. */
#include "order/when/calendar.h"
#include "tests/scenario/scene.h"

#define TWO_NAMES "names = www.example.hk example.hk\nproduct = multi-domain\n"

static void renewal_falls_due(void **state)
{
    (void)state;
    walk("shop", TO_DONE);
    later(168 * (int64_t)DAY);
    run_gives(RC_OK);
    silent();
    assert_int_equal(orders("shop"), 1);
    later(DAY);
    run_gives(RC_LATER);
    at("shop", "prepared", "code"); /* a reissue needs no start by a person */
    assert_int_equal(orders("shop"), 2);
    assert_int_equal(live("shop"), 1);
    walk("shop", TO_DONE);
    assert_int_equal(live("shop"), 2);
    run_gives(RC_OK);
    silent();
    later(100 * (int64_t)DAY);
    run_gives(RC_OK);
    assert_int_equal(orders("shop"), 2);
}

static void renew_before_given(void **state)
{
    (void)state;
    config(.shop = TWO_NAMES "renew_before = 60d");
    walk("shop", TO_DONE);
    later(138 * (int64_t)DAY);
    run_gives(RC_OK);
    later(DAY + HOUR);
    run_gives(RC_LATER);
    assert_int_equal(orders("shop"), 2);
}

/* Through all phases of the rules: somebody always does at once what is asked, nothing ever runs out, every certificate is as long as it may be. */
static void four_years(void **state)
{
    (void)state;
    static const struct {
        const char *day;
        unsigned most;
    } by[] = {{"2027-03-15", 3}, {"2028-03-15", 9}, {"2029-03-15", 15}, {"2030-03-15", 28}};
    int64_t end = 0, until = 0, lasts = 0;
    for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
        assert_true(date_parse(by[i].day, &until));
        while (clock_now() < until) {
            assert_true(!end || clock_now() < end);
            if (scene_run(&(struct run_setup){0}) == RC_OK) {
                struct calendar_in in = {.now = clock_now(), .kind = CALENDAR_PERSON, .not_after = end, .renew_before = -1};
                struct calendar_out out;
                in.not_before = end - lasts;
                calendar_decide(&in, &out);
                later(out.next_at - clock_now() > 2 * DAY ? out.next_at - clock_now() - DAY : DAY); /* the days between are all alike */
                continue;
            }
            walk("shop", TO_IMPORT);
            lasts = (int64_t)calendar_phase(clock_now())->days * DAY;
            end = clock_now() + lasts;
            hand("shop", "import", scene_certificate("shop", 0, NULL, end));
            run_gives(RC_OK);
        }
        assert_true(orders("shop") <= by[i].most);
    }
    assert_int_equal(world_count(TYPE_TXT), 0);
    assert_int_equal(notified("expiring"), 0);
    assert_int_equal(notified("issued"), orders("shop"));
}

static void nobody_reacts(void **state)
{
    (void)state;
    walk("shop", TO_DONE);
    later(170 * (int64_t)DAY);
    run_gives(RC_LATER);
    for (int day = 0; day < 35; day++) {
        run_gives(RC_LATER);
        later(12 * HOUR);
        run_gives(RC_LATER);
        later(12 * HOUR);
    }
    at("shop", "prepared", "code");
    assert_in_range(notified("waiting"), 4 + 34, 4 + 36); /* four of the first order, then one a day */
    assert_in_range(notified("expiring"), 19, 22);        /* from 14 days before the end on, daily, and beyond it */
    assert_int_equal(orders("shop"), 2);
}

static void subscription_ends(void **state)
{
    (void)state;
    config(.shop = TWO_NAMES "subscription_end = 2026-09-30");
    walk("shop", TO_IMPORT);
    int64_t end = 0;
    assert_true(date_parse("2026-10-01", &end));
    hand("shop", "import", scene_certificate("shop", 0, NULL, end));
    run_gives(RC_OK);
    unsigned reminders = 0;
    for (int day = 0; day < 150; day++) {
        unsigned before = world_calls("notify", "PAID") + world_calls("notify", "paid renewal");
        scene_run(&(struct run_setup){0});
        reminders += world_calls("notify", "PAID") + world_calls("notify", "paid renewal") > before;
        later(DAY);
    }
    assert_int_equal(reminders, 3);
    assert_int_equal(orders("shop"), 1); /* a reissue could not end later */
    config(.shop = TWO_NAMES "subscription_end = 2027-09-30\nreference_number = 222222222");
    run_gives(RC_LATER);
    at("shop", "prepared", "code");
    assert_int_equal(orders("shop"), 2);
    walk("shop", TO_DONE);
    run_gives(RC_OK);
    assert_int_equal(orders("shop"), 2); /* the new application is used up */
}

static void reissue_until_the_subscription_ends(void **state)
{
    (void)state;
    config(.shop = TWO_NAMES "subscription_end = 2026-12-31");
    walk("shop", TO_DONE); /* until 2026-11-16 */
    later(170 * (int64_t)DAY);
    run_gives(RC_LATER); /* its reissue ends six weeks later, so it is worth it */
    at("shop", "prepared", "code");
}

static void names_change(void **state)
{
    (void)state;
    walk("shop", TO_DONE);
    config(.shop = "names = www.example.hk example.hk new.example.hk\nproduct = multi-domain");
    run_gives(RC_CONF);
    said("NAMES_CHANGED");
    run_gives(RC_CONF);
    silent();
    assert_int_equal(orders("shop"), 1);
    later(DAY);
    run_gives(RC_CONF);
    said("NAMES_CHANGED");
    config(.shop = "names = www.example.hk example.hk new.example.hk\nproduct = multi-domain\nreference_number = 987654321");
    run_gives(RC_LATER);
    at("shop", "prepared", "code");
    assert_int_equal(orders("shop"), 2);
    walk("shop", TO_DONE);
    assert_int_equal(live("shop"), 2);
    run_gives(RC_OK);
    silent();
}

static void names_change_under_way(void **state)
{
    (void)state;
    walk("shop", TO_CONFIRM);
    config(.shop = "names = www.example.hk new.example.hk\nproduct = multi-domain");
    run_gives(RC_CONF);
    at("shop", "visible", "confirm");
    said("NAMES_CHANGED");
    config(.shop = "names = example.hk www.example.hk\nproduct = multi-domain"); /* the same names */
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
    later(HOUR);
    config(.shop = "names = www.example.hk new.example.hk\nproduct = multi-domain\nreference_number = 987654321");
    run_gives(RC_LATER);
    assert_int_equal(orders("shop"), 2);
    assert_int_equal(world_count(TYPE_TXT), 0);
    walk("shop", TO_DONE);
    assert_int_equal(live("shop"), 1);
}

static void names_change_once_submitted(void **state)
{
    (void)state;
    walk("shop", TO_IMPORT);
    config(.shop = "names = www.example.hk new.example.hk\nproduct = multi-domain\nreference_number = 987654321");
    run_gives(RC_LATER); /* its CSR has left: it is finished first */
    at("shop", "submitted", "certificate");
    hand("shop", "import", scene_certificate("shop", 199, "www.example.hk example.hk", 0));
    run_gives(RC_OK);
    later(MINUTE);
    run_gives(RC_LATER);
    at("shop", "prepared", "code");
    assert_int_equal(orders("shop"), 2);
}

static void ca_changes(void **state)
{
    (void)state;
    walk("shop", TO_DONE);
    char ca[] =
        "[ca second]\ntype = manual\n[certificate other]\nca = second\nkey_type = p256\nnames = other.example.hk\nproduct = standard";
    config(.no_shop = true, .more = "[ca second]\ntype = manual\n[certificate shop]\nca = second\nkey_type = p256\n" TWO_NAMES);
    run_gives(RC_CONF);
    said("NAMES_CHANGED");
    config(.more = ca);
    run_gives(RC_LATER);
    at("other", "new", "pin");
    assert_int_equal(orders("shop"), 1);
}

static void section_goes(void **state)
{
    (void)state;
    for (int to = TO_PIN; to <= TO_IMPORT; to++) {
        later(MINUTE);
        config(0);
        walk("shop", to);
        config(.no_shop = true);
        run_gives(RC_OK);
        at("shop", "failed", "");
        assert_int_equal(world_count(TYPE_TXT), 0);
        assert_int_equal(ledger_rows(), 0);
        run_gives(RC_OK);
        silent();
    }
}

static void section_goes_from_use(void **state)
{
    (void)state;
    walk("shop", TO_DONE);
    config(.no_shop = true);
    later(190 * (int64_t)DAY);
    run_gives(RC_OK);
    silent();
    assert_int_equal(live("shop"), 1);
    config(0);
    run_gives(RC_LATER);
    at("shop", "prepared", "code");
}

static void ca_section_goes(void **state)
{
    (void)state;
    walk("shop", TO_CONFIRM);
    config(.no_shop = true, .more = "[certificate shop]\nca = gone\nkey_type = p256\n" TWO_NAMES);
    run_gives(RC_CONF);
    at("shop", "visible", "confirm");
    txt_there("example.hk", "code-1");
    config(0);
    run_gives(RC_LATER);
    at("shop", "visible", "confirm");
}

static void provider_goes(void **state)
{
    (void)state;
    walk("shop", TO_IMPORT);
    config(.no_shop = true, .provider = "", .more = "[provider second]\ntype = memory\nzones = example.net");
    run_gives(RC_OK);
    assert_int_equal(world_count(TYPE_TXT), 0);
}

/* cron every minute: tried after 1, 10 and 100 minutes, then daily; every run says by its exit code that it is not well. */
static void backoff(void **state)
{
    (void)state;
    static const int tried_at[] = {0, 1, 11, 111};
    world_put("example.hk", TYPE_CAA, 300, "0 issue other.example");
    config(.ca = "caa = ecert.gov.hk");
    run_gives(RC_LATER);
    hand("shop", "pin", "123456789");
    unsigned due = 0;
    for (int minute = 0; minute < 130; minute++) {
        unsigned before = evidence_of("shop", "failure");
        run_gives(RC_DELEGATION);
        bool tried = evidence_of("shop", "failure") > before, should = due < 4 && minute >= tried_at[due];
        due += should;
        if (tried != should)
            fail_msg("minute %d: %s", minute, tried ? "tried" : "not tried");
        later(MINUTE - world_ms() / 1000 % MINUTE);
    }
    for (int hour = 0; hour < 72; hour++) {
        run_gives(RC_DELEGATION);
        later(HOUR);
    }
    assert_in_range(evidence_of("shop", "failure"), 4 + 2, 4 + 3);
    assert_in_range(notified("failed"), 3, 4); /* once a day */
}

static void a_person_is_not_held_back(void **state)
{
    (void)state;
    struct strs shop = {0};
    strs_add(&shop, "shop");
    world_put("example.hk", TYPE_CAA, 300, "0 issue other.example");
    config(.ca = "caa = ecert.gov.hk");
    run_gives(RC_LATER);
    hand("shop", "pin", "123456789");
    for (int i = 0; i < 4; i++) {
        run_gives(RC_DELEGATION);
        later(2 * HOUR);
    }
    world_remove("example.hk", TYPE_CAA, NULL);
    later(10 * MINUTE);
    run_with(RC_LATER, .names = &shop, .terminal = true);
    at("shop", "prepared", "code");
    strs_free(&shop);
}

/* Hourly cron over the life of a code: reminders daily, not hourly. */
static void reminders_of_a_code(void **state)
{
    (void)state;
    walk("shop", TO_CONFIRM);
    unsigned first = notified("waiting");
    for (int hour = 0; hour < 29 * 6; hour++) {
        later(4 * HOUR);
        run_gives(RC_LATER);
    }
    assert_in_range(notified("waiting") - first, 28, 33);
    assert_true(world_calls("notify", "DCVAGENT_DEADLINE=2026-05-31") >= 28);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scenario(renewal_falls_due),
        scenario(renew_before_given),
        scenario(four_years),
        scenario(nobody_reacts),
        scenario(subscription_ends),
        scenario(reissue_until_the_subscription_ends),
        scenario(names_change),
        scenario(names_change_under_way),
        scenario(names_change_once_submitted),
        scenario(ca_changes),
        scenario(section_goes),
        scenario(section_goes_from_use),
        scenario(ca_section_goes),
        scenario(provider_goes),
        scenario(backoff),
        scenario(a_person_is_not_held_back),
        scenario(reminders_of_a_code),
    };
    return scenes(tests);
}
