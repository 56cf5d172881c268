/* loop.c: timers, jobs, cancels, their order, signals, and the end of a run that waits for nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/loop_uv.h"

struct world {
    struct loop *l;
    char seen[64];
    size_t n, wanted;
    unsigned turns;
};

static void saw(struct world *w, char c)
{
    w->seen[w->n++] = c;
    w->seen[w->n] = '\0';
}

struct named {
    struct timer t;
    char name;
};

static void on_timer(struct op *op, const struct err *e)
{
    assert_null(e);
    saw(op->owner, ((struct named *)op)->name);
}

static bool until_wanted(void *arg)
{
    struct world *w = arg;
    w->turns++;
    return w->n < w->wanted;
}

static void start(struct world *w, struct named *t, char name, int64_t in)
{
    *t = (struct named){.t = {.op = {.done = on_timer, .owner = w}, .at = loop_now(w->l) + in}, .name = name};
    loop_timer(w->l, &t->t);
}

static int setup(void **state)
{
    struct world *w = mem_new(sizeof *w);
    w->l = loop_new(NULL);
    assert_non_null(w->l);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    loop_free(w->l);
    free(w);
    return 0;
}

static void test_timers_fire_in_order(void **state)
{
    struct world *w = *state;
    struct named t[5];
    start(w, &t[0], 'c', 30);
    start(w, &t[1], 'b', 10);
    start(w, &t[2], 'a', -5);
    start(w, &t[3], 'x', 20);
    start(w, &t[4], 'y', -1);
    op_cancel(&t[3].t.op);     /* running */
    op_cancel(&t[4].t.op);     /* settled */
    assert_int_equal(w->n, 0); /* never inside the start call */
    int64_t before = loop_now(w->l);
    w->wanted = 3;
    loop_run(w->l, until_wanted, w);
    assert_string_equal(w->seen, "abc");
    assert_in_range(loop_now(w->l) - before, 25, 2000);
    assert_false(op_busy(&t[0].t.op));
}

static void restart(struct op *op, const struct err *e)
{
    struct named *t = (struct named *)op;
    struct world *w = op->owner;
    (void)e;
    saw(w, t->name);
    if (w->n < 3)
        loop_timer(w->l, &t->t);
}

static void test_timer_started_again_in_done(void **state)
{
    struct world *w = *state;
    struct named t;
    start(w, &t, 'r', 0);
    t.t.op.done = restart;
    w->wanted = 3;
    loop_run(w->l, until_wanted, w);
    assert_string_equal(w->seen, "rrr");
    assert_true(w->turns >= 3); /* a turn between two of them */
}

/* A timer of a library's own (curl's) brings an operation to its end: what comes next is delivered, whatever else is far off. */
static void settle_now(uv_timer_t *h)
{
    op_settle(h->data, NULL);
}

static void on_library(struct op *op, const struct err *e)
{
    assert_null(e);
    saw(op->owner, 'l');
}

static bool slow_until_wanted(void *arg)
{
    struct timespec ts = {.tv_nsec = 20 * 1000000L};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
    return until_wanted(arg);
}

static void test_what_a_timer_did_is_not_waited_upon(void **state)
{
    struct world *w = *state;
    struct named far;
    struct op op = {.done = on_library, .owner = w};
    uv_timer_t library;
    start(w, &far, 'z', 5000);
    op_start(&op, NULL);
    uv_timer_init(loop_uv(w->l), &library);
    library.data = &op;
    uv_timer_start(&library, settle_now, 15, 0); /* over before the loop waits */
    int64_t before = loop_now(w->l);
    w->wanted = 1;
    loop_run(w->l, slow_until_wanted, w);
    assert_string_equal(w->seen, "l");
    assert_in_range(loop_now(w->l) - before, 0, 2500);
    op_cancel(&far.t.op);
    uv_close((uv_handle_t *)&library, NULL);
    w->wanted = 0;
    loop_run(w->l, until_wanted, w);
}

/* ---- jobs */

struct task {
    int in, out, ms;
    int *dropped;
};

static void work(void *data)
{
    struct task *t = data;
    struct timespec ts = {.tv_nsec = t->ms * 1000000L};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
    t->out = t->in * 2;
}

static void drop(void *data)
{
    struct task *t = data;
    ++*t->dropped;
    free(t);
}

static struct task *task_new(int in, int ms, int *dropped)
{
    struct task *t = mem_new(sizeof *t);
    *t = (struct task){.in = in, .ms = ms, .dropped = dropped};
    return t;
}

static void on_job(struct op *op, const struct err *e)
{
    struct job *j = (struct job *)op;
    struct task *t = j->data;
    assert_null(e);
    assert_int_equal(t->out, t->in * 2);
    saw(op->owner, 'j');
    free(t);
}

static void job(struct world *w, struct job *j, struct task *t)
{
    *j = (struct job){.op = {.done = on_job, .owner = w}, .work = work, .drop = drop, .data = t};
    loop_job(w->l, j);
}

static void test_jobs(void **state)
{
    struct world *w = *state;
    int dropped = 0;
    struct job j[12];
    for (int i = 0; i < 12; i++)
        job(w, &j[i], task_new(i, 2, &dropped));
    op_cancel(&j[0].op);  /* running or about to */
    op_cancel(&j[11].op); /* still queued */
    w->wanted = 10;
    loop_run(w->l, until_wanted, w);
    assert_string_equal(w->seen, "jjjjjjjjjj");
    loop_free(w->l);
    w->l = NULL;
    assert_int_equal(dropped, 2);
}

/* A done() that cancels jobs whose workers are through already: each piece of data must have exactly one owner. */
static struct job *victims;

static void cancel_victims(struct op *op, const struct err *e)
{
    (void)e;
    for (int i = 0; i < 4; i++)
        op_cancel(&victims[i].op);
    saw(op->owner, 'k');
}

static void test_job_cancelled_when_through(void **state)
{
    struct world *w = *state;
    int dropped = 0;
    struct job j[4];
    struct named t;
    victims = j;
    for (int i = 0; i < 4; i++)
        job(w, &j[i], task_new(i, 0, &dropped));
    usleep(50000); /* the test may sleep: all four are through before the loop looks */
    start(w, &t, 'k', 0);
    t.t.op.done = cancel_victims;
    w->wanted = 1;
    loop_run(w->l, until_wanted, w);
    assert_string_equal(w->seen, "k");
    loop_free(w->l);
    w->l = NULL;
    assert_int_equal(dropped, 4);
}

/* ---- turn, signals, bugs */

static bool again_twice(void *arg)
{
    struct world *w = arg;
    if (++w->turns < 3)
        loop_again(w->l);
    return w->turns < 3;
}

static void test_turn_comes_first_and_again(void **state)
{
    struct world *w = *state;
    loop_run(w->l, again_twice, w); /* nothing is pending, and that is fine */
    assert_int_equal(w->turns, 3);
}

static bool until_signal(void *arg)
{
    struct world *w = arg;
    if (++w->turns == 1)
        kill(getpid(), SIGTERM);
    return !loop_signal(w->l);
}

static void test_signal_wakes_the_turn(void **state)
{
    struct world *w = *state;
    struct named t;
    start(w, &t, 't', 20000);
    int64_t before = loop_now(w->l);
    loop_run(w->l, until_signal, w);
    assert_int_equal(loop_signal(w->l), SIGTERM);
    assert_true(loop_now(w->l) - before < 5000);
    assert_true(raise(SIGPIPE) == 0); /* ignored */
    op_cancel(&t.t.op);
}

static bool busy_until_signal(void *arg)
{
    struct world *w = arg;
    if (++w->turns == 1)
        kill(getpid(), SIGINT);
    loop_again(w->l);
    return !loop_signal(w->l) && w->turns < 1000;
}

static void test_signal_seen_without_io(void **state)
{
    struct world *w = *state;
    loop_run(w->l, busy_until_signal, w);
    assert_int_equal(loop_signal(w->l), SIGINT);
}

static bool forever(void *arg)
{
    ++((struct world *)arg)->turns;
    return true;
}

static void test_nothing_pending_is_a_bug(void **state)
{
    struct world *w = *state;
    pid_t pid = fork();
    if (pid == 0) {
        close(2);
        alarm(10);
        struct named t;
        start(w, &t, 't', 1);
        loop_run(w->l, forever, w);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), RC_BUG);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_timers_fire_in_order),        T(test_what_a_timer_did_is_not_waited_upon),
        T(test_timer_started_again_in_done), T(test_jobs),
        T(test_job_cancelled_when_through),  T(test_turn_comes_first_and_again),
        T(test_signal_wakes_the_turn),       T(test_signal_seen_without_io),
        T(test_nothing_pending_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
