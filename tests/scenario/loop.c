/* loop.c: the loop over the world's clock: where nothing is settled, time jumps to what is due next. Jobs run at once. */
#include "net/loop.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tests/scenario/world.h"

enum { ROUNDS_MAX = 10000 };

struct loop {
    bool again;
};

struct loop *loop_new(struct err *e)
{
    (void)e;
    return mem_new(sizeof(struct loop));
}

void loop_free(struct loop *l)
{
    free(l);
}

int64_t loop_now(const struct loop *l)
{
    (void)l;
    return world_ms();
}

static void ring(void *arg)
{
    op_settle(arg, NULL);
}

static void forget(struct op *op)
{
    world_drop(op);
}

void loop_timer(struct loop *l, struct timer *t)
{
    (void)l;
    op_start(&t->op, forget);
    world_at(t->at, ring, &t->op);
}

static void finish(void *arg)
{
    struct job *j = arg;
    j->impl = NULL;
    op_settle(&j->op, NULL);
    op_deliver(); /* at once: a cancel finds it pending or idle, never settled, as with the real loop */
}

static void give_up(struct op *op)
{
    struct job *j = (struct job *)op;
    world_drop(j);
    if (j->drop)
        j->drop(j->data);
}

void loop_job(struct loop *l, struct job *j)
{
    (void)l;
    op_start(&j->op, give_up);
    j->work(j->data);
    world_at(world_ms() + 30, finish, j);
}

int loop_signal(const struct loop *l)
{
    (void)l;
    return world_signalled();
}

void loop_again(struct loop *l)
{
    l->again = true;
}

/* To stdout: stderr is the scene's. */
static void bail_out(const char *why)
{
    printf("Bail out! %s\n", why);
    fflush(stdout);
    abort();
}

void loop_run(struct loop *l, bool (*turn)(void *arg), void *arg)
{
    int64_t next, rounds = 0;
    l->again = true;
    do {
        bool wait = !l->again && !op_waiting();
        l->again = false;
        if (wait && !world_next(&next))
            bail_out("the run waits but nothing is under way");
        rounds = wait ? 0 : rounds + 1;
        if (rounds > ROUNDS_MAX)
            bail_out("the run never waits");
        if (wait && next > world_ms())
            world_jump(next);
        world_happen();
        op_deliver();
    } while (turn(arg));
}
