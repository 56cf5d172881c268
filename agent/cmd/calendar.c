/* calendar: what falls due when, and how much of it needs a person. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "cmd/columns.h"
#include "conf/conf.h"
#include "order/cas.h"
#include "order/when/due.h"
#include "order/ask/horizon.h"
#include "order/session.h"
#include "store/store.h"

enum { EVENTS_MAX = 2000 }; /* of one certificate: 46-day certificates for a hundred years are 1,200 */

struct event {
    int64_t at;
    const char *name;
    const char *action;
    bool person;
    int64_t end;
    char *why;
};

struct events {
    struct event *e;
    size_t n;
    struct session *s;
    int64_t until;
    const struct conf_cert *conf; /* looked at now */
    const struct ca_rules *rules;
    struct calendar_in in;
    bool ordered;
};

static const char *const action_words[] = {
    [CALENDAR_NOTHING] = "nothing",           [CALENDAR_FIRST] = "first order", [CALENDAR_RENEW] = "renew",
    [CALENDAR_PAID_RENEWAL] = "paid renewal", [CALENDAR_CHANGED] = "new order", [CALENDAR_REFUSED] = "mend the configuration",
};

static void add(struct events *all, int64_t at, const char *action, bool person, int64_t end, const char *why)
{
    all->e = mem_grow(all->e, all->n + 1, sizeof *all->e);
    all->e[all->n++] = (struct event){at, all->conf->name, action, person, end, mem_str(why)};
}

static bool person_waits(const char *waits)
{
    static const char *const words[] = {"pin", "code", "confirm", "operator", "certificate"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], waits) == 0)
            return true;
    return false;
}

/* An order under way counts as what falls due now; it is assumed to come to its end. */
static bool take_order(void *arg, const struct saved_order *o)
{
    struct events *all = arg;
    char why[120];
    bool person = person_waits(o->waits);
    if (due_sleeps(o))
        return true;
    snprintf(why, sizeof why, "an order is under way%s%s", *o->waits ? ": waits for " : "", o->waits);
    add(all, o->deadline && person ? o->deadline : all->in.now, "continue the order", person, 0, why);
    all->ordered = true;
    return true;
}

static bool take_row(void *arg, const struct saved_cert *row)
{
    struct events *all = arg;
    due_in(all->conf, row, all->rules, false, &all->in);
    return true;
}

static bool look_ahead(struct events *all, struct err *e)
{
    struct horizon_event *h = mem_array(EVENTS_MAX, sizeof *h);
    take_row(all, &(struct saved_cert){.name = all->conf->name, .ca = "", .names = "", .key_type = "", .reference = ""});
    all->ordered = false;
    bool ok = cert_get(all->s->store, all->conf->name, take_row, all, e) && order_each(all->s->store, all->conf->name, take_order, all, e);
    if (all->ordered) { /* as if it had just been issued */
        struct calendar_out out;
        calendar_decide(&all->in, &out);
        all->in.not_before = all->in.now;
        all->in.not_after = out.expected_end;
        all->in.names_changed = all->in.ca_changed = all->in.key_changed = all->in.new_reference = all->in.new_subscription = false;
    }
    size_t n = ok ? horizon(&all->in, all->until, h, EVENTS_MAX) : 0;
    for (size_t i = 0; i < n; i++)
        add(all, h[i].at, action_words[h[i].action], h[i].person, h[i].end, h[i].why);
    free(h);
    return ok;
}

static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    return x->at != y->at ? (x->at > y->at) - (x->at < y->at) : strcmp(x->name, y->name);
}

static bool gather(struct events *all, struct err *e)
{
    struct cas *cas = cas_open(all->s, false);
    bool ok = true;
    for (size_t i = 0; i < all->s->conf->n_cert && ok; i++) {
        all->conf = &all->s->conf->cert[i];
        all->rules = cas_rules(cas, all->conf->ca);
        ok = all->conf->broken || look_ahead(all, e);
    }
    cas_close(cas);
    if (all->n)
        qsort(all->e, all->n, sizeof *all->e, by_time);
    return ok;
}

static void print_json(const struct events *all, size_t persons)
{
    json_t *list = json_array();
    for (size_t i = 0; i < all->n; i++) {
        const struct event *ev = &all->e[i];
        json_array_append_new(list,
                              json_pack("{s:o, s:s, s:s, s:b, s:o, s:o}", "at", json_time(ev->at), "name", ev->name, "action", ev->action,
                                        "person", ev->person, "why", json_text(ev->why), "not_after", json_time(ev->end)));
    }
    json_print(json_pack("{s:i, s:o, s:i, s:o}", "version", 1, "until", json_time(all->until), "persons", (int)persons, "events", list));
}

static void print_text(const struct events *all, size_t persons)
{
    struct columns t = {.n = 6};
    char until[32];
    day_show(all->until, until);
    columns_row(&t, "DAY", "NAME", "WHAT", "BY", "VALID UNTIL", "WHY", NULL);
    for (size_t i = 0; i < all->n; i++) {
        const struct event *ev = &all->e[i];
        char day[32], end[32] = "-";
        day_show(ev->at, day);
        if (ev->end)
            day_show(ev->end, end);
        columns_row(&t, day, ev->name, ev->action, ev->person ? "a person" : "the agent", end, ev->why, NULL);
    }
    if (all->n)
        columns_print(&t, "");
    strs_free(&t.cells);
    printf("until %s: %zu event%s, %zu of them need a person\n", until, all->n, all->n == 1 ? "" : "s", persons);
}

static bool until_flag(const struct call *c, int64_t *until)
{
    const char *text = call_flag(c, "until");
    *until = clock_now() + (int64_t)365 * DAY;
    return !text || (time_parse(text, until) && *until > clock_now());
}

enum rc cmd_calendar(struct call *c)
{
    struct session s;
    struct err e = {0};
    struct events all = {.s = &s};
    enum rc rc = RC_OK;
    if (!until_flag(c, &all.until)) {
        say(LEVEL_ERROR, &(struct about){.step = "calendar"}, "USAGE", "--until wants a day to come, such as 2028-05-31");
        return RC_USAGE;
    }
    if (!call_session(c, &s, SESSION_READ | SESSION_NET, &rc))
        return rc;
    if (gather(&all, &e)) {
        size_t persons = 0;
        for (size_t i = 0; i < all.n; i++)
            persons += all.e[i].person;
        if (c->json)
            print_json(&all, persons);
        else
            print_text(&all, persons);
    } else {
        rc = call_fail(c, &e);
    }
    for (size_t i = 0; i < all.n; i++)
        free(all.e[i].why);
    free(all.e);
    session_close(&s);
    return rc;
}
