/* loop.c: libuv behind loop.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/loop_uv.h"

enum { SIGNALS = 3, DESCRIPTORS = 8, ADDRESS_ROOM = 64 << 20 };
static const int signal_numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
static int stopped_by;

struct work {
    uv_work_t req;
    struct work *next; /* in finished */
    struct loop *loop;
    struct job *job; /* NULL: cancelled */
    void (*work)(void *data);
    void (*drop)(void *data);
    void *data;
    bool through;
};

struct loop {
    uv_loop_t uv;
    uv_signal_t sig[SIGNALS]; /* unref'd, as the next: they alone keep no run alive */
    uv_prepare_t before_wait;
    struct work *finished, **finished_end;
    int signal;
    bool again;
};

uv_loop_t *loop_uv(struct loop *l)
{
    return &l->uv;
}

static void handle_free(uv_handle_t *h)
{
    free(h);
}

void loop_uv_close(void *handle)
{
    if (handle)
        uv_close(handle, handle_free);
}

static void on_signal(uv_signal_t *h, int number)
{
    struct loop *l = h->data;
    if (number != SIGHUP || !l->signal) /* an end asked for is not taken back by a later SIGHUP */
        l->signal = stopped_by = number;
}

/* uv_run() fires what timers are due and then waits for descriptors, although what the timers did may be all there is to wait for. */
static void on_wait(uv_prepare_t *p)
{
    struct loop *l = p->data;
    if (l->again || l->finished || op_waiting())
        uv_stop(&l->uv);
}

/* libuv aborts where it can make neither the pipe for its signals nor its threads, and OpenSSL falls where a lock cannot be had: better to find
 * out before. 0, or -errno. */
static int room_left(void)
{
    int fd[DESCRIPTORS], n = 0, r = 0;
    while (n < DESCRIPTORS && (fd[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        n++;
    if (n < DESCRIPTORS)
        r = -errno;
    while (n)
        close(fd[--n]);
    void *p = mmap(NULL, ADDRESS_ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return -errno;
    munmap(p, ADDRESS_ROOM);
    return r;
}

struct loop *loop_new(struct err *e)
{
    struct loop *l = mem_new(sizeof *l);
    int r = room_left();
    if (r == 0)
        r = uv_loop_init(&l->uv);
    if (r < 0) {
        free(l);
        err_set(e, RC_RESOURCE, "LOOP",
                "the event loop could not be made: %s; look at the limits of open files and of memory (ulimit -n, ulimit -v)",
                uv_strerror(r));
        return NULL;
    }
    l->finished_end = &l->finished;
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < SIGNALS; i++) {
        uv_signal_init(&l->uv, &l->sig[i]);
        l->sig[i].data = l;
        r = uv_signal_start(&l->sig[i], on_signal, signal_numbers[i]);
        if (r < 0)
            say(LEVEL_WARNING, NULL, "LOOP", "signal %d cannot be caught: %s", signal_numbers[i], uv_strerror(r));
        uv_unref((uv_handle_t *)&l->sig[i]);
    }
    uv_prepare_init(&l->uv, &l->before_wait);
    l->before_wait.data = l;
    uv_prepare_start(&l->before_wait, on_wait);
    uv_unref((uv_handle_t *)&l->before_wait);
    return l;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    for (int i = 0; i < SIGNALS; i++)
        uv_close((uv_handle_t *)&l->sig[i], NULL);
    uv_close((uv_handle_t *)&l->before_wait, NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT); /* close callbacks; workers of cancelled jobs; cancelled children */
    for (struct work *w; (w = l->finished);) {
        l->finished = w->next;
        free(w);
    }
    if (uv_loop_close(&l->uv) < 0)
        abort(); /* somebody freed the loop under a request: better a core than a use after free */
    free(l);
}

int64_t loop_now(const struct loop *l)
{
    return (int64_t)uv_now(&l->uv);
}

/* Timers: the uv handle outlives a cancelled struct timer by one round. */

static void timer_drop(struct timer *t)
{
    loop_uv_close(t->impl);
    t->impl = NULL;
}

static void on_timer(uv_timer_t *h)
{
    struct timer *t = h->data;
    timer_drop(t);
    op_settle(&t->op, NULL);
}

static void timer_detach(struct op *op)
{
    timer_drop((struct timer *)op);
}

void loop_timer(struct loop *l, struct timer *t)
{
    op_start(&t->op, timer_detach);
    t->impl = NULL;
    if (t->at <= loop_now(l)) {
        op_settle(&t->op, NULL);
        return;
    }
    uv_timer_t *h = mem_new(sizeof *h);
    uv_timer_init(&l->uv, h);
    h->data = t;
    t->impl = h;
    uv_timer_start(h, on_timer, (uint64_t)(t->at - loop_now(l)), 0);
}

/* Jobs: a worker cannot be stopped, so the block below and the data live until it is through. What has finished is settled by
 * loop_run one by one, each delivered at once: a cancel finds it pending or idle, never settled, and its data has one owner. */

static void in_worker(uv_work_t *req)
{
    struct work *w = req->data;
    w->work(w->data);
}

static void work_drop(struct work *w)
{
    if (w->drop)
        w->drop(w->data);
}

static void after_work(uv_work_t *req, int status)
{
    (void)status; /* UV_ECANCELED: job_detach was quick enough; the data is dropped here all the same */
    struct work *w = req->data;
    struct loop *l = w->loop;
    w->through = true;
    if (!w->job)
        work_drop(w);
    *l->finished_end = w;
    l->finished_end = &w->next;
}

static void deliver(struct loop *l)
{
    op_deliver();
    while (l->finished && !op_waiting()) {
        struct work *w = l->finished;
        struct job *j = w->job;
        l->finished = w->next;
        if (!l->finished)
            l->finished_end = &l->finished;
        free(w);
        if (j) {
            j->impl = NULL;
            op_settle(&j->op, NULL);
            op_deliver();
        }
    }
}

static void job_detach(struct op *op)
{
    struct job *j = (struct job *)op;
    struct work *w = j->impl;
    j->impl = NULL;
    w->job = NULL;
    if (w->through)
        work_drop(w);
    else
        uv_cancel((uv_req_t *)&w->req); /* works while it has not begun; after_work comes either way */
}

void loop_job(struct loop *l, struct job *j)
{
    op_start(&j->op, job_detach);
    struct work *w = mem_new(sizeof *w);
    *w = (struct work){.loop = l, .job = j, .work = j->work, .drop = j->drop, .data = j->data};
    w->req.data = w;
    j->impl = w;
    uv_queue_work(&l->uv, &w->req, in_worker, after_work); /* fails only without a work function */
}

int loop_signal(const struct loop *l)
{
    return l->signal;
}

void loop_last_word(struct loop *l)
{
    l->signal = 0;
}

int loop_stopped_by(void)
{
    return stopped_by;
}

void loop_again(struct loop *l)
{
    l->again = true;
}

/* Without waiting. The signals' own handles are counted for once: libuv looks at no signal while nothing else is alive. */
static void look(struct loop *l)
{
    uv_ref((uv_handle_t *)&l->sig[0]);
    uv_run(&l->uv, UV_RUN_NOWAIT);
    uv_unref((uv_handle_t *)&l->sig[0]);
}

void loop_run(struct loop *l, bool (*turn)(void *arg), void *arg)
{
    l->again = true; /* the first turn starts the work: it must not wait for any */
    do {
        bool wait = !l->again && !op_waiting() && !l->finished;
        l->again = false;
        if (!wait)
            look(l);
        else if (uv_loop_alive(&l->uv))
            uv_run(&l->uv, UV_RUN_ONCE);
        else
            err_bug("the run waits but nothing is under way; nothing is lost, the next run goes on from here");
        deliver(l);
    } while (turn(arg));
}
