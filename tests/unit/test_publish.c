/* The pump over a provider and a DNS server in memory (shared with the processes of the kill test), a virtual clock, and the real store. */
#include <sys/mman.h>
#include <signal.h>

#include "base/clock.h"
#include "base/fault.h"
#include "conf/conf.h"
#include "dcv/publish.h"
#include "net/loop.h"
#include "net/net.h"
#include "providers/provider.h"
#include "store_tools.h"

/* --- the server ------------------------------------------------------------------------------------------------------------------ */

enum { VALUES = 64 };
struct world {
    struct {
        char owner[80], value[80];
        uint32_t ttl;
        bool there;
    } v[VALUES];
    char cname[80], star[80]; /* a CNAME's owner; the value of *.star.example.hk */
    bool refuse, liar, lost_answer, lost_request, clobber, plain_error;
    unsigned fail_reads, reads, applies, changes, conflicts;
    unsigned caps;
    char grade;
    bool uncommitted; /* an apply came before its commit */
};
static struct world *w;

static void world_put(const char *owner, uint32_t ttl, const char *value)
{
    for (size_t i = 0; i < VALUES; i++)
        if (w->v[i].there && !strcmp(w->v[i].owner, owner) && !strcmp(w->v[i].value, value))
            return;
    for (size_t i = 0; i < VALUES; i++)
        if (!w->v[i].there) {
            snprintf(w->v[i].owner, sizeof w->v[i].owner, "%s", owner);
            snprintf(w->v[i].value, sizeof w->v[i].value, "%s", value);
            w->v[i].ttl = ttl;
            w->v[i].there = true;
            for (size_t k = 0; k < VALUES; k++) /* one TTL a set: the last one, as named does it */
                if (w->v[k].there && !strcmp(w->v[k].owner, owner))
                    w->v[k].ttl = ttl;
            return;
        }
    fail();
}

static int world_find(const char *owner, const char *value)
{
    for (int i = 0; i < VALUES; i++)
        if (w->v[i].there && !strcmp(w->v[i].owner, owner) && (!value || !strcmp(w->v[i].value, value)))
            return i;
    return -1;
}

static bool has(const char *owner, const char *value)
{
    return world_find(owner, value) >= 0;
}

static void world_remove(const char *owner, const char *value)
{
    int i = world_find(owner, value);

    if (i >= 0)
        w->v[i].there = false;
}

static unsigned world_count(void)
{
    unsigned n = 0;

    for (size_t i = 0; i < VALUES; i++)
        n += w->v[i].there;
    return n;
}

static void world_reset(void)
{
    memset(w, 0, sizeof *w);
    w->caps = CAN_READ | CAN_BATCH | ATOMIC;
    w->grade = 'A';
    world_put("example.hk", 86400, "v=spf1 -all");
    world_put("example.hk", 86400, "vendor=1");
    world_put("www.example.hk", 1800, "foreign");
    world_put("www.example.com", 600, "foreign too");
}

/* --- the provider, in the place of rfc2136 ---------------------------------------------------------------------------------------- */

static struct store *now_store;

struct provider {
    int unused;
};

static bool fake_open(struct provider **p, const struct section *s, struct net *n, struct err *e)
{
    (void)s;
    (void)n;
    (void)e;
    *p = mem_new(sizeof **p);
    return true;
}

static void fake_close(struct provider *p)
{
    free(p);
}

static void fake_read(struct provider *p, struct lookup *l)
{
    struct err e = {0};

    (void)p;
    w->reads++;
    op_start(&l->op, NULL);
    if (w->fail_reads) {
        w->fail_reads--;
        err_set(&e, RC_NET, "STREAM_TIMEOUT", "no answer");
        err_again(&e, 0);
        op_settle(&l->op, &e);
        return;
    }
    for (size_t i = 0; i < l->n; i++) {
        l->set[i].cname = !strcmp(l->set[i].owner, w->cname);
        if (*w->star && strstr(l->set[i].owner, ".star.example.hk") && world_find(l->set[i].owner, NULL) < 0) {
            rrset_add(&l->set[i], (const uint8_t *)w->star, strlen(w->star));
            l->set[i].ttl = 300;
        }
        for (size_t k = 0; k < VALUES; k++)
            if (w->v[k].there && !strcmp(w->v[k].owner, l->set[i].owner)) {
                rrset_add(&l->set[i], (const uint8_t *)w->v[k].value, strlen(w->v[k].value));
                l->set[i].ttl = w->v[k].ttl;
                if (w->caps & WRITES_SETS) {
                    l->set[i].native = mem_grow(l->set[i].native, l->set[i].n, sizeof(char *));
                    l->set[i].native[l->set[i].n - 1] = mem_fmt("\"%s\"", w->v[k].value);
                }
            }
    }
    op_settle(&l->op, NULL);
}

static void carry_out(const struct change *c)
{
    char *value = mem_copy(c->rec->value.p, c->rec->value.n);

    w->changes++;
    if (w->caps & WRITES_SETS) {
        assert_non_null(c->before);
        assert_non_null(c->after);
        for (int i; (i = world_find(c->rec->owner, NULL)) >= 0;)
            w->v[i].there = false;
        for (size_t i = 0; i < c->after->n; i++) {
            char *v = mem_copy(c->after->octets[i].p, c->after->octets[i].n);

            /* what others have is given back in the API's own form */
            assert_true(!c->after->native[i] || c->after->native[i][0] == '"');
            if (!(w->clobber && i == 0))
                world_put(c->rec->owner, c->after->ttl, v);
            free(v);
        }
        w->clobber = false;
    } else if (c->add) {
        world_put(c->rec->owner, c->rec->ttl, value);
    } else {
        world_remove(c->rec->owner, value);
    }
    free(value);
}

static void fake_apply(struct provider *p, struct batch *b)
{
    struct err e = {0};

    (void)p;
    w->applies++;
    w->uncommitted |= !store_clean(now_store);
    op_start(&b->op, NULL);
    durable("fake-sent");
    for (size_t i = 0; i < b->n; i++) {
        struct change *c = &b->c[i];

        if (w->refuse) {
            c->result = CHANGE_REFUSED;
            err_set(&c->err, RC_WRITE, "UPDATE_REFUSED", "refused");
            continue;
        }
        if (w->conflicts) {
            c->result = CHANGE_CONFLICT;
            continue;
        }
        if (!w->liar && !w->lost_request)
            carry_out(c);
        c->result = w->lost_answer || w->lost_request ? CHANGE_UNSURE : CHANGE_DONE;
        snprintf(c->new_ref, sizeof c->new_ref, "ref-%zu", i);
    }
    if (w->conflicts)
        w->conflicts--;
    if (w->clobber && !(w->caps & WRITES_SETS)) {
        world_remove("www.example.hk", "foreign");
        w->clobber = false;
    }
    if (w->lost_answer || w->lost_request)
        err_set(&e, RC_NET, "STREAM_UNSURE", "no answer");
    w->lost_answer = w->lost_request = false;
    durable("fake-applied");
    op_settle(&b->op, &e);
}

static const struct conf_key fake_keys[] = {{.name = "server", .type = CONF_SERVER, .allowed = "192.0.2.53", .help = "Server."}, {0}};

extern struct provider_ops provider_rfc2136;
struct provider_ops provider_rfc2136 = {
    .type = "rfc2136",
    .summary = "fake",
    .caps = CAN_READ | CAN_BATCH | ATOMIC,
    .grade = 'A',
    .keys = fake_keys,
    .open = fake_open,
    .read = fake_read,
    .apply = fake_apply,
    .close = fake_close,
};

/* --- the loop -------------------------------------------------------------------------------------------------------------------- */

struct loop {
    int64_t now;
    struct timer *timer;
    bool again;
};
static struct loop loop;

struct loop *net_loop(struct net *n)
{
    (void)n;
    return &loop;
}

int64_t loop_now(const struct loop *l)
{
    return l->now;
}

static void timer_off(struct op *op)
{
    (void)op;
    loop.timer = NULL;
}

void loop_timer(struct loop *l, struct timer *t)
{
    assert_null(l->timer);
    op_start(&t->op, timer_off);
    l->timer = t;
}

void loop_again(struct loop *l)
{
    l->again = true;
}

/* --- one run --------------------------------------------------------------------------------------------------------------------- */

struct session {
    struct store *s;
    struct publish *p;
    struct conf *c;
    char path[256];
};

static const struct conf_module modules[] = {{"provider", "rfc2136", fake_keys}, {0}};

static void session_open(struct session *x, const char *more)
{
    struct err e = {0};
    FILE *f;

    in_dir(x->path, "dcvagent.ini");
    f = fopen(x->path, "w");
    assert_non_null(f);
    fprintf(f, "[provider bind]\ntype = rfc2136\nserver = 192.0.2.53\nzones = example.hk example.com\n%s\n", more);
    fclose(f);
    provider_rfc2136.caps = w->caps;
    provider_rfc2136.grade = w->grade;
    loop = (struct loop){.now = 1000000};
    x->c = conf_load(x->path, modules);
    assert_int_equal(conf_fatal(x->c), RC_OK);
    x->s = now_store = open_store(true);
    x->p = publish_new(NULL, x->s, x->c);
    assert_ok(publish_load(x->p, &e), e);
}

static void session_close(struct session *x)
{
    publish_free(x->p);
    store_close(x->s);
    conf_free(x->c);
    assert_false(w->uncommitted);
}

static void turn(struct session *x)
{
    struct err e = {0};

    loop.again = false;
    op_deliver();
    assert_ok(publish_pump(x->p, &e), e);
    assert_ok(store_turn(x->s, &e), e);
}

/* Until nothing moves by itself any more. A busy pump without anything pending would hang a real run. */
static void run(struct session *x)
{
    for (unsigned i = 0; i < 1000; i++) {
        turn(x);
        if (op_waiting() || store_effects(x->s) || loop.again)
            continue;
        if (!loop.timer) {
            assert_false(publish_busy(x->p));
            return;
        }
        struct timer *t = loop.timer;
        loop.now = t->at > loop.now ? t->at : loop.now;
        loop.timer = NULL;
        op_settle(&t->op, NULL);
    }
    fail_msg("the pump never rests");
}

static void want(struct session *x, const char *order, const char *owner, const char *value)
{
    struct err e = {0};
    struct ledger_row r = {.cert = "shop",
                           .host = owner,
                           .provider = "bind",
                           .zone = strstr(owner, ".com") ? "example.com" : "example.hk",
                           .rec = {owner, TYPE_TXT, 300, {(const uint8_t *)value, strlen(value)}},
                           .negative_ttl = 60};

    snprintf(r.order, sizeof r.order, "%s", order);
    assert_ok(publish_want(x->p, &r, &e), e);
}

static void release(struct session *x, const char *order)
{
    struct err e = {0};

    assert_ok(publish_release(x->p, order, NULL, NULL, &e), e);
}

static struct publish_state state_of(struct session *x, const char *order)
{
    struct publish_state st;

    publish_state(x->p, order, &st);
    return st;
}

static bool count_row(void *arg, const struct ledger_row *row)
{
    (void)row;
    ++*(unsigned *)arg;
    return true;
}

static unsigned open_rows(struct session *x)
{
    unsigned n = 0;

    assert_true(ledger_each(x->s, NULL, count_row, &n, NULL));
    return n;
}

static void foreign_intact(void)
{
    assert_true(has("example.hk", "v=spf1 -all"));
    assert_true(has("example.hk", "vendor=1"));
    assert_true(has("www.example.hk", "foreign"));
    assert_true(has("www.example.com", "foreign too"));
    assert_int_equal(w->v[world_find("example.hk", NULL)].ttl, 86400);
    assert_int_equal(w->v[world_find("www.example.hk", NULL)].ttl, 1800);
    assert_int_equal(w->v[world_find("www.example.com", NULL)].ttl, 600);
}

/* --- the kill test --------------------------------------------------------------------------------------------------------------- */

/* Two orders, one value shared, two zones, new and existing sets; published, then released. cancel: only wound up. */
static int whole_life(bool cancel)
{
    struct session x;

    session_open(&x, "");
    if (!cancel) {
        want(&x, "A", "example.hk", "code-a");
        want(&x, "A", "www.example.hk", "code-a");
        want(&x, "A", "www.example.com", "code-a");
        want(&x, "B", "www.example.hk", "code-a");
        want(&x, "B", "new.example.hk", "code-b");
        run(&x);
        if (state_of(&x, "A").present != 3 || state_of(&x, "B").present != 2)
            return 10;
        release(&x, "A");
        run(&x);
        if (!has("www.example.hk", "code-a") || has("example.hk", "code-a"))
            return 11;
    }
    release(&x, "A");
    release(&x, "B");
    run(&x);
    if (open_rows(&x))
        return 12;
    session_close(&x);
    return 0;
}

static int child(const char *kill_at, bool cancel)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        if (kill_at)
            setenv("DCVAGENT_KILL", kill_at, 1);
        _exit(whole_life(cancel));
    }
    return wait_for(pid);
}

static void empty_state(void)
{
    char db[256];
    static const char *const files[] = {"state.db", "state.db-wal", "state.db-shm"};

    for (size_t i = 0; i < 3; i++) {
        in_dir(db, files[i]);
        unlink(db);
    }
}

static void test_killed_everywhere(void **state)
{
    unsigned points = 0;

    (void)state;
    for (unsigned n = 1; n < 200; n++) {
        char at[16], second[16];
        int rc;

        world_reset();
        empty_state();
        snprintf(at, sizeof at, "%u", n);
        snprintf(second, sizeof second, "%u", n % 7 + 1);
        rc = child(at, false);
        if (rc == 0)
            break;
        points = n;
        if (rc != -SIGKILL)
            fail_msg("point %u: the first run ended with %d", n, rc);
        if (n % 3 == 0)
            child(second, n % 2);
        rc = child(NULL, n % 2);
        if (rc)
            fail_msg("point %u: the run after the kill ended with %d", n, rc);
        foreign_intact();
        if (world_count() != 4)
            fail_msg("point %u: %u values instead of 4", n, world_count());
        assert_false(w->uncommitted);
    }
    assert_true(points > 8);
    print_message("killed at %u points\n", points);
}

/* --- one by one ------------------------------------------------------------------------------------------------------------------- */

static struct session x;

static int setup(void **state)
{
    world_reset();
    return fresh_dir(state);
}

static void test_one_batch(void **state)
{
    (void)state;
    session_open(&x, "");
    for (int i = 0; i < 20; i++) {
        char owner[40];

        snprintf(owner, sizeof owner, "h%d.example.hk", i);
        want(&x, i % 2 ? "A" : "B", owner, "code");
    }
    want(&x, "A", "www.example.hk", "code");
    want(&x, "A", "www.example.hk", "code"); /* idempotent */
    run(&x);
    assert_int_equal(w->applies, 1); /* one UPDATE a zone */
    assert_int_equal(w->reads, 2);
    assert_int_equal(publish_requests(x.p, "bind"), 3);
    assert_int_equal(w->changes, 21);
    assert_int_equal(state_of(&x, "A").present, 11);
    assert_int_equal(state_of(&x, "A").rows, 11);
    assert_true(state_of(&x, "A").settle_at >= state_of(&x, "A").written + 1800); /* the old TTL of www */
    assert_int_equal(state_of(&x, "B").settle_at - state_of(&x, "B").written, 60);
    foreign_intact();
    release(&x, "A");
    release(&x, "B");
    run(&x);
    assert_int_equal(w->applies, 2);
    assert_int_equal(open_rows(&x), 0);
    assert_int_equal(world_count(), 4);
    session_close(&x);
}

static void test_found(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "www.example.hk", "foreign");
    run(&x);
    want(&x, "B", "www.example.hk", "foreign");
    run(&x);
    assert_int_equal(w->applies, 0);
    assert_int_equal(state_of(&x, "A").present, 1);
    assert_int_equal(state_of(&x, "B").present, 1);
    release(&x, "A");
    run(&x);
    release(&x, "B");
    run(&x);
    assert_int_equal(w->applies, 0);
    assert_int_equal(open_rows(&x), 0);
    foreign_intact();
    session_close(&x);
}

/* The stranger takes its value away while two of our orders lean on it: then it is ours, and goes with the last of them. */
static void test_found_vanishes(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "www.example.hk", "foreign");
    want(&x, "B", "www.example.hk", "foreign");
    run(&x);
    world_remove("www.example.hk", "foreign");
    publish_recheck(x.p, "A");
    run(&x);
    assert_true(has("www.example.hk", "foreign"));
    release(&x, "A");
    run(&x);
    assert_true(has("www.example.hk", "foreign"));
    release(&x, "B");
    run(&x);
    assert_false(has("www.example.hk", "foreign"));
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

static void test_shared_record(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    release(&x, "A");
    want(&x, "B", "new.example.hk", "code"); /* the second order comes in the very turn the first one leaves */
    run(&x);
    assert_true(has("new.example.hk", "code"));
    assert_int_equal(w->applies, 1);
    assert_int_equal(state_of(&x, "A").rows, 0);
    release(&x, "B");
    run(&x);
    assert_false(has("new.example.hk", "code")); /* not taken for a stranger's */
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

static void test_wanted_again(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    release(&x, "A");
    turn(&x); /* the read before the delete is under way */
    turn(&x);
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    assert_true(has("new.example.hk", "code"));
    assert_int_equal(state_of(&x, "A").present, 1);
    assert_int_equal(open_rows(&x), 1);
    release(&x, "A");
    run(&x);
    assert_int_equal(open_rows(&x), 0);
    assert_int_equal(world_count(), 4);
    session_close(&x);
}

/* An UPDATE lost before or after the server: the pump reads back and ends up right. */
static void test_unsure(void **state)
{
    (void)state;
    session_open(&x, "");
    w->lost_answer = true;
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    assert_int_equal(w->applies, 1);
    assert_int_equal(state_of(&x, "A").present, 1);
    w->lost_request = true;
    want(&x, "B", "b.example.hk", "code");
    run(&x);
    assert_int_equal(w->applies, 3);
    assert_int_equal(state_of(&x, "B").present, 1);
    w->lost_answer = true;
    release(&x, "A");
    run(&x);
    w->lost_request = true;
    release(&x, "B");
    run(&x);
    assert_int_equal(open_rows(&x), 0);
    assert_int_equal(world_count(), 4);
    session_close(&x);
}

/* Released after an add of unknown fate that reads as absent: the delete is sent all the same. */
static void test_unsure_then_released(void **state)
{
    unsigned applies;

    (void)state;
    session_open(&x, "");
    w->lost_request = true;
    want(&x, "A", "new.example.hk", "code");
    for (int i = 0; i < 8; i++)
        turn(&x);
    applies = w->applies;
    assert_int_equal(applies, 1);
    release(&x, "A");
    run(&x);
    assert_int_equal(w->applies, 2);
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

static void test_refused(void **state)
{
    (void)state;
    session_open(&x, "");
    w->refuse = true;
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    assert_int_equal(state_of(&x, "A").failed, 1);
    assert_int_equal(state_of(&x, "A").err.rc, RC_WRITE);
    assert_string_equal(state_of(&x, "A").err.code, "UPDATE_REFUSED");
    session_close(&x);
    /* The administrator helps by hand: that value is not ours, and stays. */
    world_put("new.example.hk", 300, "code");
    w->refuse = false;
    session_open(&x, "");
    run(&x);
    assert_int_equal(state_of(&x, "A").present, 1);
    release(&x, "A");
    run(&x);
    assert_true(has("new.example.hk", "code"));
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

static void test_delete_refused(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    w->refuse = true;
    release(&x, "A");
    run(&x);
    assert_int_equal(state_of(&x, "A").going, 1);
    assert_int_equal(state_of(&x, "A").failed, 1);
    session_close(&x);
    w->refuse = false; /* the next run finishes it by itself */
    session_open(&x, "");
    run(&x);
    assert_int_equal(open_rows(&x), 0);
    assert_int_equal(world_count(), 4);
    session_close(&x);
}

static void test_liar(void **state)
{
    (void)state;
    session_open(&x, "");
    w->liar = true;
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    assert_int_equal(state_of(&x, "A").failed, 1);
    assert_string_equal(state_of(&x, "A").err.code, "UPDATE_NOT_APPLIED");
    assert_non_null(strstr(state_of(&x, "A").err.text, "192.0.2.53"));
    w->liar = false;
    release(&x, "A");
    run(&x);
    want(&x, "B", "b.example.hk", "code");
    run(&x);
    w->liar = true;
    release(&x, "B");
    run(&x);
    assert_string_equal(state_of(&x, "B").err.code, "DELETE_NOT_APPLIED");
    assert_int_equal(state_of(&x, "B").going, 1);
    session_close(&x);
}

static void test_read_fails(void **state)
{
    (void)state;
    session_open(&x, "");
    w->fail_reads = 3;
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    assert_int_equal(state_of(&x, "A").present, 1);
    assert_int_equal(loop.now, 1000000 + 7000); /* 1, 2, 4 s */
    w->fail_reads = 1000;
    release(&x, "A");
    run(&x);
    assert_int_equal(state_of(&x, "A").failed, 1);
    assert_int_equal(state_of(&x, "A").going, 1);
    assert_int_equal(w->applies, 1); /* nothing is deleted blindly */
    w->fail_reads = 0;
    session_close(&x);
}

/* The read-back after the write fails: the row stays intended, and the next look finds it. */
static void test_read_back_fails(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "new.example.hk", "code");
    while (!w->applies)
        turn(&x);
    w->fail_reads = 1;
    run(&x);
    assert_int_equal(w->applies, 1);
    assert_int_equal(state_of(&x, "A").present, 1);
    release(&x, "A");
    run(&x);
    assert_int_equal(world_count(), 4);
    session_close(&x);
}

static void test_cname(void **state)
{
    (void)state;
    session_open(&x, "");
    snprintf(w->cname, sizeof w->cname, "alias.example.hk");
    want(&x, "A", "alias.example.hk", "code");
    run(&x);
    assert_int_equal(w->applies, 0);
    assert_int_equal(state_of(&x, "A").err.rc, RC_DELEGATION);
    assert_string_equal(state_of(&x, "A").err.code, "CNAME_AT_OWNER");
    release(&x, "A");
    run(&x);
    assert_int_equal(w->applies, 0);
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

static void test_sharing(void **state)
{
    (void)state;
    session_open(&x, "shared_rrset = refuse");
    want(&x, "A", "example.hk", "code");
    want(&x, "A", "new.example.hk", "code");
    want(&x, "A", "new.example.hk", "second code"); /* beside our own value */
    run(&x);
    assert_int_equal(state_of(&x, "A").present, 2);
    assert_string_equal(state_of(&x, "A").err.code, "SHARED_REFUSED");
    session_close(&x);
    w->grade = 'D';
    session_open(&x, "");
    run(&x);
    assert_int_equal(state_of(&x, "A").failed, 1);
    session_close(&x);
    session_open(&x, "shared_rrset = merge");
    run(&x);
    assert_int_equal(state_of(&x, "A").failed, 0);
    assert_int_equal(state_of(&x, "A").present, 3);
    foreign_intact();
    session_close(&x);
}

static void test_removed_by_others(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    for (int i = 0; i < 3; i++) {
        world_remove("new.example.hk", "code");
        publish_recheck(x.p, "A");
        run(&x);
        assert_true(has("new.example.hk", "code"));
    }
    world_remove("new.example.hk", "code");
    publish_recheck(x.p, "A");
    run(&x);
    assert_string_equal(state_of(&x, "A").err.code, "REMOVED_BY_OTHERS");
    assert_int_equal(state_of(&x, "A").err.rc, RC_WRITE);
    release(&x, "A");
    run(&x);
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

static void test_removed_between_runs(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "new.example.hk", "code");
    want(&x, "", "txt.example.hk", "kept");
    run(&x);
    session_close(&x);
    world_remove("new.example.hk", "code");
    session_open(&x, "");
    run(&x);
    assert_true(has("new.example.hk", "code"));
    assert_int_equal(state_of(&x, "").present, 1);
    assert_false(publish_release(x.p, "", NULL, NULL, NULL)); /* nobody takes all of txt's records away */
    session_close(&x);
}

static bool count_lost(void *arg, int64_t at, const char *cert, const char *order, const char *kind, const char *json)
{
    (void)at;
    (void)cert;
    (void)order;
    *(unsigned *)arg += !strcmp(kind, "record") && strstr(json, "foreign-lost") && strstr(json, "\"foreign\"");
    return true;
}

static void test_foreign_lost(void **state)
{
    unsigned lost = 0;

    (void)state;
    session_open(&x, "");
    w->clobber = true;
    want(&x, "A", "www.example.hk", "code");
    run(&x);
    assert_int_equal(state_of(&x, "A").present, 1);
    assert_true(evidence_each(x.s, NULL, NULL, count_lost, &lost, NULL));
    assert_int_equal(lost, 1);
    session_close(&x);
}

/* What a wildcard showed at the name is hidden by our record, and not lost: no alarm. */
static void test_wildcard_hidden(void **state)
{
    unsigned lost = 0;

    (void)state;
    snprintf(w->star, sizeof w->star, "foreign");
    session_open(&x, "");
    want(&x, "A", "_acme-challenge.star.example.hk", "code");
    run(&x);
    assert_int_equal(state_of(&x, "A").present, 1);
    assert_true(evidence_each(x.s, NULL, NULL, count_lost, &lost, NULL));
    assert_int_equal(lost, 0);
    release(&x, "A");
    run(&x);
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

/* A set whose TTL is 0 keeps even that. */
static void test_ttl_zero(void **state)
{
    (void)state;
    world_put("zero.example.hk", 0, "others");
    session_open(&x, "");
    want(&x, "A", "zero.example.hk", "code");
    run(&x);
    assert_int_equal(w->v[world_find("zero.example.hk", "others")].ttl, 0);
    release(&x, "A");
    run(&x);
    assert_true(has("zero.example.hk", "others"));
    session_close(&x);
}

static void test_whole_sets(void **state)
{
    (void)state;
    w->caps = CAN_READ | CAN_BATCH | WRITES_SETS;
    w->grade = 'B';
    session_open(&x, "");
    want(&x, "A", "example.hk", "code");
    want(&x, "B", "example.hk", "other code");
    run(&x);
    foreign_intact();
    assert_true(has("example.hk", "code") && has("example.hk", "other code"));
    w->conflicts = 1;
    release(&x, "A");
    run(&x);
    assert_false(has("example.hk", "code"));
    assert_true(has("example.hk", "other code"));
    foreign_intact();
    w->clobber = true; /* the provider loses a value of others: it is put back */
    want(&x, "A", "example.hk", "third code");
    run(&x);
    foreign_intact();
    assert_true(has("example.hk", "third code") && has("example.hk", "other code"));
    release(&x, "A");
    release(&x, "B");
    run(&x);
    assert_int_equal(world_count(), 4);
    assert_int_equal(open_rows(&x), 0);
    foreign_intact();
    session_close(&x);
}

static void test_one_change_at_a_time(void **state)
{
    (void)state;
    w->caps = CAN_READ;
    session_open(&x, "");
    for (int i = 0; i < 3; i++) {
        char owner[40];

        snprintf(owner, sizeof owner, "h%d.example.hk", i);
        want(&x, "A", owner, "code");
    }
    run(&x);
    assert_int_equal(w->applies, 3);
    assert_int_equal(state_of(&x, "A").present, 3);
    release(&x, "A");
    run(&x);
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

static void test_orphan(void **state)
{
    struct err e = {0};
    struct ledger_row r = {.order = "A",
                           .cert = "shop",
                           .host = "h",
                           .provider = "old",
                           .zone = "example.hk",
                           .state = LEDGER_PRESENT,
                           .wanted = false,
                           .written = 9,
                           .rec = {"h.example.hk", TYPE_TXT, 300, {(const uint8_t *)"code", 4}}};

    (void)state;
    session_open(&x, "");
    assert_ok(ledger_put(x.s, &r, &e), e);
    assert_ok(store_turn(x.s, &e), e);
    session_close(&x);
    session_open(&x, "");
    run(&x);
    assert_string_equal(state_of(&x, "A").err.code, "LEDGER_ORPHAN");
    assert_int_equal(state_of(&x, "A").going, 1);
    assert_int_equal(open_rows(&x), 1);
    session_close(&x);
    session_open(&x, "[provider old]\ntype = rfc2136\nzones = example.net");
    run(&x); /* no longer its zone: but what is ours is still taken away */
    assert_int_equal(open_rows(&x), 0);
    session_close(&x);
}

static void test_outside_zones(void **state)
{
    (void)state;
    session_open(&x, "");
    want(&x, "A", "badexample.hk", "code");
    run(&x);
    assert_string_equal(state_of(&x, "A").err.code, "ZONE_NOT_CONFIGURED");
    assert_int_equal(w->reads + w->applies, 0);
    session_close(&x);
}

static void test_warm(void **state)
{
    (void)state;
    session_open(&x, "");
    publish_warm(x.p, "bind", "example.hk", "www.example.hk");
    publish_warm(x.p, "bind", "example.hk", "new.example.hk");
    publish_warm(x.p, "bind", "example.hk", "new.example.hk");
    run(&x);
    assert_int_equal(w->reads, 1);
    want(&x, "A", "www.example.hk", "code");
    want(&x, "A", "new.example.hk", "code");
    run(&x);
    assert_int_equal(w->reads, 2); /* the read-back alone */
    assert_int_equal(w->applies, 1);
    foreign_intact();
    world_remove("new.example.hk", "code");
    publish_recheck(x.p, "A"); /* an early read is good for one write only */
    run(&x);
    assert_true(has("new.example.hk", "code"));
    publish_warm(x.p, "bind", "example.hk", "x.example.hk");
    run(&x);
    loop.now += 60000; /* too old to lean on */
    want(&x, "A", "x.example.hk", "code");
    w->reads = 0;
    run(&x);
    assert_int_equal(w->reads, 2);
    publish_warm(x.p, "bind", "example.hk", "y.example.hk"); /* freed while under way */
    turn(&x);
    session_close(&x);
}

static void test_commit_fails(void **state)
{
    struct err e = {0};

    (void)state;
    session_open(&x, "");
    want(&x, "A", "new.example.hk", "code");
    setenv("DCVAGENT_FAIL", "commit:ENOSPC", 1);
    assert_true(publish_pump(x.p, &e));
    assert_false(store_turn(x.s, &e));
    unsetenv("DCVAGENT_FAIL");
    assert_int_equal(e.rc, RC_STATE);
    op_deliver();
    assert_int_equal(w->reads + w->applies, 0);
    session_close(&x);
}

#define with_world(test) cmocka_unit_test_setup_teardown(test, setup, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_dir(test_killed_everywhere), /* first: it counts durable points from this process's start */
        with_world(test_one_batch),
        with_world(test_found),
        with_world(test_found_vanishes),
        with_world(test_shared_record),
        with_world(test_wanted_again),
        with_world(test_unsure),
        with_world(test_unsure_then_released),
        with_world(test_refused),
        with_world(test_delete_refused),
        with_world(test_liar),
        with_world(test_read_fails),
        with_world(test_read_back_fails),
        with_world(test_cname),
        with_world(test_sharing),
        with_world(test_removed_by_others),
        with_world(test_removed_between_runs),
        with_world(test_foreign_lost),
        with_world(test_wildcard_hidden),
        with_world(test_ttl_zero),
        with_world(test_whole_sets),
        with_world(test_one_change_at_a_time),
        with_world(test_orphan),
        with_world(test_outside_zones),
        with_world(test_warm),
        with_world(test_commit_fails),
    };

    w = mmap(NULL, sizeof *w, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
