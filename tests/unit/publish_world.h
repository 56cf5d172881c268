/* publish_world.h: a provider and a DNS server in memory (shared with the processes of the kill test), a virtual clock, and the real store. */
#ifndef DCV_TESTS_PUBLISH_WORLD_H
#define DCV_TESTS_PUBLISH_WORLD_H

#include <sys/mman.h>
#include <signal.h>

#include "base/clock.h"
#include "base/fault.h"
#include "conf/conf.h"
#include "dcv/publish/publish.h"
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
    int64_t alone; /* refused until then */
    bool uncommitted; /* an apply came before its commit */
    unsigned takes_in; /* this apply from now on, counted down, takes "hand" at www.example.hk along; 0: none */
    bool promised;     /* "hand" stood there, and was said to */
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

/* --- the provider, in the place of every type ---------------------------------------------------------------------------------------- */

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
        bool loses = w->clobber && c->before->n;

        for (int i; (i = world_find(c->rec->owner, NULL)) >= 0;)
            w->v[i].there = false;
        for (size_t i = 0; i < c->after->n; i++) {
            char *v = mem_copy(c->after->octets[i].p, c->after->octets[i].n);

            /* what others have is given back in the API's own form */
            assert_true(!c->after->native[i] || c->after->native[i][0] == '"');
            if (!(loses && i == 0))
                world_put(c->rec->owner, c->after->ttl, v);
            free(v);
        }
        w->clobber &= !loses;
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
        if (w->alone) {
            c->result = CHANGE_REFUSED;
            err_set(&c->err, RC_LATER, "API_RATE", "too many requests");
            err_again(&c->err, w->alone);
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
    if (w->takes_in && --w->takes_in == 0)
        world_remove("www.example.hk", "hand");
    if (w->lost_answer || w->lost_request)
        err_set(&e, RC_NET, "STREAM_UNSURE", "no answer");
    w->lost_answer = w->lost_request = false;
    durable("fake-applied");
    op_settle(&b->op, &e);
}

static const struct conf_key fake_keys[] = {{.name = "server", .type = CONF_SERVER, .allowed = "192.0.2.53", .help = "Server."}, {0}};

static struct provider_ops fake = {
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

const struct provider_ops *provider_of(const struct section *s)
{
    (void)s;
    return &fake;
}

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
    fake.caps = w->caps;
    fake.grade = w->grade;
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

__attribute__((unused)) static unsigned open_rows(struct session *x)
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

__attribute__((unused)) static int setup(void **state)
{
    world_reset();
    return fresh_dir(state);
}

static void world_make(void)
{
    w = mmap(NULL, sizeof *w, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

#define with_world(test) cmocka_unit_test_setup_teardown(test, setup, remove_dir)

/* --- killed ---------------------------------------------------------------------------------------------------------------------- */

/* life(arg) in a process of its own, killed at that durable point (0: not at all): its exit code, or minus the signal. */
__attribute__((unused)) static int in_child(int (*life)(bool arg), bool arg, unsigned kill_at)
{
    pid_t pid;
    char at[16];

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        snprintf(at, sizeof at, "%u", kill_at);
        if (kill_at)
            setenv("DCVAGENT_KILL", at, 1);
        _exit(life(arg));
    }
    return wait_for(pid);
}

__attribute__((unused)) static void empty_state(void)
{
    char db[256];
    static const char *const files[] = {"state.db", "state.db-wal", "state.db-shm"};

    for (size_t i = 0; i < 3; i++) {
        in_dir(db, files[i]);
        unlink(db);
    }
}

#endif
