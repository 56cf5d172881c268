/* child.c: programs that only exist in the world: they take 50 ms and end as the scenario says. */
#include "net/child.h"

#include <stdlib.h>

#include "tests/scenario/world.h"

static void forget(struct op *op)
{
    world_drop(op);
}

void child_start(struct loop *l, struct child *c)
{
    (void)l;
    op_start(&c->op, forget);
    c->out = STR_INIT(4096);
    world_start(c);
}

void child_clear(struct child *c)
{
    str_free(&c->out);
}
