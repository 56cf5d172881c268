/* The table that decides over other people's values: every branch as a row, and what must never be over all combinations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dcv/publish/decide.h"

static const struct bytes value = {(const uint8_t *)"code", 4};

static struct ledger_row row_of(enum ledger_state state, bool wanted, int64_t written, unsigned again)
{
    return (struct ledger_row){.provider = "p",
                               .zone = "z",
                               .rec = {.owner = "o", .type = TYPE_TXT, .value = value},
                               .state = state,
                               .wanted = wanted,
                               .written = written,
                               .again = again};
}

static struct rrset set_of(bool there, bool cname)
{
    struct rrset s = {.owner = "o", .cname = cname};

    rrset_add(&s, (const uint8_t *)"v=spf1 -all", 11);
    if (there)
        rrset_add(&s, value.p, value.n);
    return s;
}

struct before_case {
    const char *what;
    enum ledger_state state;
    bool wanted, recheck, others_wanted;
    int64_t written;
    enum deed want;
};

static void test_before(void **state)
{
    static const struct before_case cases[] = {
        {"a new row is read first", LEDGER_INTENDED, true, false, false, 0, DEED_READ},
        {"an interrupted add is read first", LEDGER_INTENDED, true, false, false, 9, DEED_READ},
        {"a present row rests", LEDGER_PRESENT, true, false, false, 9, DEED_NONE},
        {"a present row seen missing is read", LEDGER_PRESENT, true, true, false, 9, DEED_READ},
        {"a found row rests", LEDGER_FOUND, true, false, false, 0, DEED_NONE},
        {"a found row seen missing is read", LEDGER_FOUND, true, true, false, 0, DEED_READ},
        {"wanted again while leaving", LEDGER_LEAVING, true, false, false, 9, DEED_READ},
        {"never written: gone without DNS", LEDGER_INTENDED, false, false, false, 0, DEED_GONE},
        {"perhaps written: read", LEDGER_INTENDED, false, false, false, 9, DEED_READ},
        {"found: gone without DNS", LEDGER_FOUND, false, false, false, 0, DEED_GONE},
        {"found, whatever was written once: gone without DNS", LEDGER_FOUND, false, true, false, 9, DEED_GONE},
        {"present, not wanted: read, then delete", LEDGER_PRESENT, false, false, false, 9, DEED_READ},
        {"present, another wants it: gone without DNS", LEDGER_PRESENT, false, false, true, 9, DEED_GONE},
        {"leaving goes on", LEDGER_LEAVING, false, false, false, 9, DEED_READ},
        {"leaving, another wants it meanwhile", LEDGER_LEAVING, false, false, true, 9, DEED_GONE},
        {"gone stays gone", LEDGER_GONE, false, true, false, 9, DEED_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ledger_row r = row_of(cases[i].state, cases[i].wanted, cases[i].written, 0);
        struct standing o = {.wanted = cases[i].others_wanted};

        if (decide_before(&r, &o, cases[i].recheck) != cases[i].want)
            fail_msg("%s", cases[i].what);
    }
}

struct read_case {
    const char *what;
    enum ledger_state state;
    bool wanted;
    int64_t written;
    unsigned again;
    struct standing others;
    bool there, cname, foreign, may_share, unsure;
    enum deed want;
};

static const struct read_case read_cases[] = {
    {"new, absent: add", LEDGER_INTENDED, true, 0, 0, {0}, false, false, true, true, false, DEED_ADD},
    {"new, there, nobody of ours: a stranger's", LEDGER_INTENDED, true, 0, 0, {0}, true, false, true, true, false, DEED_FOUND},
    {"new, there, another row wrote it: ours",
     LEDGER_INTENDED,
     true,
     0,
     0,
     {.wanted = true, .written = 5},
     true,
     false,
     true,
     true,
     false,
     DEED_PRESENT},
    {"new, there, another row is leaving with it: ours",
     LEDGER_INTENDED,
     true,
     0,
     0,
     {.written = 5},
     true,
     false,
     true,
     true,
     false,
     DEED_PRESENT},
    {"new, there, another row found it",
     LEDGER_INTENDED,
     true,
     0,
     0,
     {.wanted = true, .found = true},
     true,
     false,
     true,
     true,
     false,
     DEED_FOUND},
    {"found wins over written", LEDGER_INTENDED, true, 0, 0, {.found = true, .written = 5}, true, false, true, true, false, DEED_FOUND},
    {"interrupted, there: ours", LEDGER_INTENDED, true, 9, 0, {0}, true, false, true, true, false, DEED_PRESENT},
    {"interrupted, absent: add", LEDGER_INTENDED, true, 9, 0, {0}, false, false, true, true, false, DEED_ADD},
    {"CNAME at the owner", LEDGER_INTENDED, true, 0, 0, {0}, false, true, false, true, false, DEED_CNAME},
    {"foreign values, may not share", LEDGER_INTENDED, true, 0, 0, {0}, false, false, true, false, false, DEED_SHARED},
    {"no foreign values, may not share: add", LEDGER_INTENDED, true, 0, 0, {0}, false, false, false, false, false, DEED_ADD},
    {"there already, may not share: nothing is written", LEDGER_INTENDED, true, 9, 0, {0}, true, false, true, false, false, DEED_PRESENT},
    {"present and there", LEDGER_PRESENT, true, 9, 0, {0}, true, false, true, true, false, DEED_PRESENT},
    {"present, removed by others: put back", LEDGER_PRESENT, true, 9, 2, {0}, false, false, true, true, false, DEED_ADD},
    {"present, removed too often", LEDGER_PRESENT, true, 9, 3, {0}, false, false, true, true, false, DEED_REMOVED},
    {"found and there", LEDGER_FOUND, true, 0, 0, {0}, true, false, true, true, false, DEED_FOUND},
    {"found, and a row of ours beside it", LEDGER_FOUND, true, 0, 0, {.written = 5}, true, false, true, true, false, DEED_FOUND},
    {"found, removed by its owner: add", LEDGER_FOUND, true, 0, 0, {0}, false, false, true, true, false, DEED_ADD},
    {"found, removed too often", LEDGER_FOUND, true, 0, 3, {0}, false, false, true, true, false, DEED_REMOVED},
    {"leaving, there: delete", LEDGER_LEAVING, false, 9, 0, {0}, true, false, true, true, false, DEED_DELETE},
    {"leaving, absent: gone", LEDGER_LEAVING, false, 9, 0, {0}, false, false, true, true, false, DEED_GONE},
    {"leaving, absent, an add may still arrive: delete", LEDGER_LEAVING, false, 9, 0, {0}, false, false, true, true, true, DEED_DELETE},
    {"leaving, under a CNAME: gone", LEDGER_LEAVING, false, 9, 0, {0}, true, true, true, true, false, DEED_GONE},
    {"leaving, another wants it: gone", LEDGER_LEAVING, false, 9, 0, {.wanted = true}, true, false, true, true, false, DEED_GONE},
    {"both leave: delete", LEDGER_LEAVING, false, 9, 0, {.written = 5}, true, false, true, true, false, DEED_DELETE},
    {"released before anything was written", LEDGER_INTENDED, false, 0, 0, {0}, true, false, true, true, false, DEED_GONE},
    {"found, released", LEDGER_FOUND, false, 0, 0, {0}, true, false, true, true, true, DEED_GONE},
    {"gone", LEDGER_GONE, true, 9, 0, {0}, true, false, true, true, false, DEED_NONE},
};

static void test_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof read_cases / sizeof *read_cases; i++) {
        const struct read_case *c = &read_cases[i];
        struct ledger_row r = row_of(c->state, c->wanted, c->written, c->again);
        struct rrset set = set_of(c->there, c->cname);
        enum deed got = decide_read(&r, &c->others, &set, c->foreign, c->may_share, c->unsure, false);

        rrset_clear(&set);
        if (got != c->want)
            fail_msg("%s: got %d, want %d", c->what, (int)got, (int)c->want);
    }
}

/* What must never be, over all 5 * 2^12 combinations. */
static void never(const struct ledger_row *r, const struct standing *o, bool there, bool cname, bool foreign, bool share, bool again,
                  enum deed d)
{
    bool ours = r->written || o->written;

    if (d == DEED_DELETE && (r->wanted || o->wanted || !r->written || r->state == LEDGER_FOUND))
        fail_msg("a delete of what is wanted or not ours: state %d", (int)r->state);
    if (d == DEED_PRESENT && (!there || cname || !ours || r->state == LEDGER_FOUND))
        fail_msg("claimed as ours without having been written: state %d", (int)r->state);
    if (d == DEED_FOUND && (!there || r->written) && r->state != LEDGER_FOUND)
        fail_msg("ours taken for a stranger's: state %d", (int)r->state);
    if (d == DEED_ADD && (!r->wanted || cname || (there && !(again && r->written)) || (!there && foreign && !share)))
        fail_msg("an add that must not be: state %d", (int)r->state);
    if (d == DEED_GONE && (r->wanted || (r->state != LEDGER_FOUND && r->written && there && !cname && !o->wanted)))
        fail_msg("let go although it stands there and is ours: state %d", (int)r->state);
    if (d == DEED_READ)
        fail_msg("a read after the read: state %d", (int)r->state);
}

static void test_never(void **state)
{
    (void)state;
    for (unsigned m = 0; m < 5u << 12; m++) {
        struct ledger_row r = row_of((enum ledger_state)(m >> 12), m & 1, m & 2 ? 9 : 0, m & 4 ? 3 : 0);
        struct standing o = {.wanted = m & 8, .found = m & 16, .written = m & 32 ? 5 : 0};
        bool there = m & 64, cname = m & 128, foreign = m & 256, share = m & 512, unsure = m & 1024, again = m & 2048;
        struct rrset set = set_of(there, cname);

        never(&r, &o, there, cname, foreign, share, again, decide_read(&r, &o, &set, foreign, share, unsure, again));
        rrset_clear(&set);
    }
}

static void test_after(void **state)
{
    static const struct {
        bool add, there;
        enum change_result result;
        int64_t before;
        enum outcome want;
        bool commits;
    } cases[] = {
        {true, true, CHANGE_DONE, 0, OUT_PRESENT},       {true, true, CHANGE_UNSURE, 0, OUT_PRESENT},
        {true, true, CHANGE_CONFLICT, 0, OUT_FOUND},     {true, true, CHANGE_REFUSED, 0, OUT_FOUND},
        {true, true, CHANGE_REFUSED, 9, OUT_PRESENT},    {true, true, CHANGE_CONFLICT, 9, OUT_PRESENT},
        {false, true, CHANGE_CONFLICT, 9, OUT_CONFLICT}, {true, false, CHANGE_DONE, 0, OUT_NOT_APPLIED},
        {true, false, CHANGE_REFUSED, 0, OUT_REFUSED},   {true, false, CHANGE_UNSURE, 0, OUT_AGAIN},
        {true, false, CHANGE_CONFLICT, 0, OUT_CONFLICT}, {true, false, CHANGE_OPEN, 0, OUT_AGAIN},
        {false, false, CHANGE_DONE, 9, OUT_GONE},        {false, false, CHANGE_REFUSED, 9, OUT_GONE},
        {false, false, CHANGE_UNSURE, 9, OUT_GONE},      {false, true, CHANGE_DONE, 9, OUT_NOT_APPLIED},
        {false, true, CHANGE_REFUSED, 9, OUT_REFUSED},   {false, true, CHANGE_UNSURE, 9, OUT_AGAIN},
        {true, true, CHANGE_UNSURE, 0, OUT_AGAIN, true}, {false, false, CHANGE_UNSURE, 9, OUT_AGAIN, true},
        {true, true, CHANGE_DONE, 0, OUT_PRESENT, true}, {false, false, CHANGE_DONE, 9, OUT_GONE, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (decide_after(cases[i].add, cases[i].result, cases[i].there, cases[i].before, cases[i].commits) != cases[i].want)
            fail_msg("case %zu", i);
}

static void test_succeeds(void **state)
{
    static const struct {
        const char *gone, *there;
        bool want;
    } cases[] = {
        {"v=spf1 -all", "v=spf1 mx -all", true},
        {"V=SPF1 -all", "v=spf1 mx -all", true},
        {"v=spf1 -all", "v=DMARC1; p=none", false},
        {"v=DMARC1; p=none", "v=DMARC1;p=none", true},
        {"vendor=1", "vendor=2", true},
        {"vendor=1", "other=1", false},
        {"token", "token", false},
        {"with blank = 1", "with blank = 2", false},
        {"=", "=", false},
        {"", "", false},
        {"v=", "v=", true},
        {"v=spf1", "v=spf10", false},
        {"\377=1", "\377=2", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes gone = {(const uint8_t *)cases[i].gone, strlen(cases[i].gone)};
        struct bytes there = {(const uint8_t *)cases[i].there, strlen(cases[i].there)};

        if (decide_succeeds(gone, there) != cases[i].want)
            fail_msg("\"%s\", \"%s\"", cases[i].gone, cases[i].there);
    }
}

static void test_share(void **state)
{
    (void)state;
    assert_true(decide_share("auto", 'A'));
    assert_true(decide_share("auto", 'B'));
    assert_false(decide_share("auto", 'C'));
    assert_false(decide_share("auto", 'D'));
    assert_true(decide_share("merge", 'C'));
    assert_true(decide_share("merge", 'D'));
    assert_false(decide_share("refuse", 'A'));
    assert_true(decide_share(NULL, 'A'));
    assert_false(decide_share(NULL, 'D'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before), cmocka_unit_test(test_read),  cmocka_unit_test(test_never),
        cmocka_unit_test(test_after),  cmocka_unit_test(test_share), cmocka_unit_test(test_succeeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
