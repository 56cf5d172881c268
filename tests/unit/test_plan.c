/* plan's pure parts: requests to a CA, what counts there, how long it takes to replace all; and where a wildcard's record goes beside its base's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "cmd/plan.h"
#include "conf/conf.h"
#include "conf/load.h"

static void requests(void **state)
{
    (void)state;
    static const struct {
        const char *state;
        size_t names;
        unsigned wanted;
    } table[] = {
        {"", 1, 10},           {"", 2, 13},          {"", 100, 307},      {"new", 2, 13},        {"prepared", 2, 13},
        {"challenged", 2, 13}, {"published", 2, 13}, {"visible", 10, 37}, {"validated", 10, 17}, {"submitted", 10, 6},
        {"issued", 10, 0},     {"installed", 10, 0}, {"failed", 10, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (plan_ca_requests(table[i].state, table[i].names) != table[i].wanted)
            fail_msg("%s, %zu names: %u", table[i].state, table[i].names, plan_ca_requests(table[i].state, table[i].names));
}

static void words(void **state)
{
    (void)state;
    static const struct {
        struct plan_ca ca;
        const char *has, *lacks;
    } table[] = {
        {{.names = 1}, "1 order of 1 name, a set that is not in use yet", "ARI"},
        {{.names = 2, .same_names = true}, "1 order of 2 names, the same set", "ARI"},
        {{.names = 2, .same_names = true, .replaces = true}, "(ARI): most CAs exempt", "duplicate"},
        {{.names = 2, .counted = true, .replaces = true}, "was counted", "1 order"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct str s = STR_INIT(400);
        plan_ca_words(&table[i].ca, &s);
        if (!strstr(str_text(&s), table[i].has) || strstr(str_text(&s), table[i].lacks))
            fail_msg("%zu: %s", i, str_text(&s));
        str_free(&s);
    }
}

static void of_a_certificate(void **state)
{
    (void)state;
    const struct ca_rules acme = {.each_listed = true}, manual = {.by_person = true};
    char web[] = "web", le[] = "le", ordered[] = "a.hk b.hk c.hk";
    struct conf_cert conf = {.name = web, .ca = le};
    strs_add(&conf.names, "example.hk");
    strs_add(&conf.names, "*.example.hk");
    struct plan_cert at = {.conf = &conf, .rules = &acme, .shown = true, .cal.action = CALENDAR_RENEW, .renewal.named = true};
    plan_ca(&at);
    assert_int_equal(at.ca.names, 2);
    assert_int_equal(at.ca.requests, 13);
    assert_true(at.ca.same_names && at.ca.replaces && !at.ca.counted);

    at.cal.action = CALENDAR_CHANGED; /* another certificate: it replaces none */
    at.other_names = true;
    at.order = (struct saved_order){.id = "20261128-0f3a9c21d7", .names = ordered, .state = "visible"};
    plan_ca(&at);
    assert_int_equal(at.ca.names, 3); /* as ordered, whatever the section says now */
    assert_true(!at.ca.same_names && !at.ca.replaces && at.ca.counted);

    struct plan_cert by_hand = {.conf = &conf, .rules = &manual, .shown = true}, faulty = {.conf = &conf, .shown = true},
                     not_due = {.conf = &conf, .rules = &acme};
    plan_ca(&by_hand);
    plan_ca(&faulty);
    plan_ca(&not_due);
    assert_int_equal(by_hand.ca.requests + faulty.ca.requests + not_due.ca.requests, 0);
    strs_free(&conf.names);
}

static void drill(void **state)
{
    (void)state;
    assert_int_equal(plan_drill_unattended(0, 64), 0);
    assert_int_equal(plan_drill_unattended(64, 64), plan_drill_unattended(1, 64));
    assert_int_equal(plan_drill_unattended(65, 64), 2 * plan_drill_unattended(1, 64));
    assert_int_equal(plan_drill_unattended(3, 0), 3 * plan_drill_unattended(1, 64));

    const struct ca_rules acme = {.each_listed = true}, manual = {.by_person = true, .settles = true};
    int64_t now = clock_now();
    struct plan_cert cert[] = {
        {.rules = &acme, .cal.due = true, .visible_at = now + DAY}, /* an automatic CA waits for no cache */
        {.rules = &manual, .cal.due = true, .visible_at = now + 600},
        {.rules = &manual, .cal.due = true, .visible_at = now + HOUR},
        {.rules = &manual, .visible_at = now + DAY},        /* not due */
        {.rules = NULL, .order.id = "20261128-0f3a9c21d7"}, /* a faulty CA section needs a person anyhow */
    };
    struct conf conf = {.agent.parallel_orders = 64};
    struct session s = {.conf = &conf};
    struct plan p = {.s = &s, .cert = cert, .n = sizeof cert / sizeof *cert};
    struct plan_drill d;
    plan_drill(&p, &d);
    assert_int_equal(d.orders, 4);
    assert_int_equal(d.by_hand, 3);
    assert_int_equal(d.unattended, plan_drill_unattended(1, 64));
    assert_true(d.person > 0 && d.person % 3 == 0);
    assert_in_range(d.wait, HOUR - 5, HOUR);
}

/* What a person types, by CA: a portal reads its code itself, and takes the PIN from a file. */
static void drill_by_ca(void **state)
{
    (void)state;
    char le[] = "le", ecert[] = "ecert", paper[] = "paper", file[] = "/etc/dcvagent/pin";
    char by_acme[] = "acme", by_portal[] = "portal", by_hand[] = "manual";
    const struct ca_rules acme = {.each_listed = true}, person = {.by_person = true, .settles = true};
    struct section ca[] = {{.name = le, .type = by_acme}, {.name = ecert, .type = by_portal}, {.name = paper, .type = by_hand}};
    struct conf_cert conf[] = {{.ca = le},
                               {.ca = ecert, .pin_file = file},
                               {.ca = ecert},
                               {.ca = ecert, .pin = 1, .method = METHOD_EMAIL},
                               {.ca = paper, .pin_file = file},
                               {.ca = le}};
    struct plan_cert cert[sizeof conf / sizeof *conf] = {{0}};
    for (size_t i = 0; i < sizeof conf / sizeof *conf; i++) {
        cert[i] = (struct plan_cert){.conf = &conf[i], .rules = conf[i].ca == le ? &acme : &person, .cal.due = i != 5};
        strs_add(&conf[i].names, "example.hk");
        strs_add(&conf[i].names, "www.example.hk");
    }
    cert[1].unattended = true;
    struct conf all = {.agent.parallel_orders = 64, .ca = ca, .n_ca = 3, .index = mem_new(sizeof(struct conf_index))};
    index_build(&all);
    struct session s = {.conf = &all};
    struct plan p = {.s = &s, .cert = cert, .n = sizeof conf / sizeof *conf};
    struct plan_drill_ca *out;
    static const struct plan_drill_ca wanted[] = {{.orders = 1, .names = 2},
                                                  {.orders = 3, .names = 6, .by_hand = 2, .pins = 1, .codes = 1},
                                                  {.orders = 1, .names = 2, .by_hand = 1, .pins = 1, .codes = 1}};
    assert_int_equal(plan_drill_cas(&p, &out), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(out[i].ca, ca[i].name);
        assert_int_equal(out[i].orders, wanted[i].orders);
        assert_int_equal(out[i].names, wanted[i].names);
        assert_int_equal(out[i].by_hand, wanted[i].by_hand);
        assert_int_equal(out[i].pins, wanted[i].pins);
        assert_int_equal(out[i].codes, wanted[i].codes);
    }
    free(out);
    index_free(all.index, 0);
    for (size_t i = 0; i < sizeof conf / sizeof *conf; i++)
        strs_free(&conf[i].names);
}

static void places(void **state)
{
    (void)state;
    char web[] = "web", le[] = "le", acme_label[] = "_acme-challenge";
    const struct place label = {.at = AT_LABEL, .label = acme_label}, name = {.at = AT_NAME};
    const struct ca_rules acme = {.place = &label, .n_place = 1, .each_listed = true}, manual = {.place = &name, .n_place = 1};
    struct conf_cert conf = {.name = web, .ca = le};
    struct wheres all = {0};
    strs_add(&conf.names, "example.hk");
    strs_add(&conf.names, "*.example.hk");
    where_add(&all, &conf, &conf.names, &acme);
    assert_int_equal(all.n, 2);
    assert_string_equal(all.w[0].listed, "example.hk");
    assert_string_equal(all.w[1].listed, "*.example.hk");
    assert_string_equal(all.w[1].name, "example.hk");
    where_free(&all);
    where_add(&all, &conf, &conf.names, &manual); /* one value proves both: one record, looked at as the wildcard's */
    assert_int_equal(all.n, 1);
    assert_string_equal(all.w[0].listed, "*.example.hk");
    where_free(&all);
    strs_free(&conf.names);
}

static void renewal(void **state)
{
    (void)state;
    struct due_renewal r;
    due_renewal("{\"id\":\"a.b\",\"from\":100,\"to\":200,\"at\":150,\"ask\":50}", &r);
    assert_true(r.from == 100 && r.to == 200 && r.at == 150 && r.ask == 50 && r.named);
    due_renewal("{\"ask\":50}", &r); /* the CA was asked and said nothing */
    assert_true(r.from == 0 && r.to == 0 && r.at == 0 && r.ask == 50 && !r.named);
    static const char *const nothing[] = {"", "no JSON", "[]", "{\"from\":\"x\"}"};
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        due_renewal(nothing[i], &r);
        assert_true(r.from == 0 && r.to == 0 && r.at == 0 && r.ask == 0 && !r.named);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests), cmocka_unit_test(words),  cmocka_unit_test(of_a_certificate), cmocka_unit_test(drill_by_ca),
        cmocka_unit_test(drill),    cmocka_unit_test(places), cmocka_unit_test(renewal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
