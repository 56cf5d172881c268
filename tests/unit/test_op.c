#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/op.h"

struct request {
    struct op op;
    int called, detached;
    enum rc rc;
    struct request *then_settle, *then_cancel;
    bool start_again;
};

static void forget(struct op *op)
{
    ((struct request *)op)->detached++;
}

static void finished(struct op *op, const struct err *e)
{
    struct request *r = (struct request *)op;
    assert_false(op_busy(op));
    r->called++;
    r->rc = e ? e->rc : RC_OK;
    if (r->then_settle)
        op_settle(&r->then_settle->op, NULL);
    if (r->then_cancel)
        op_cancel(&r->then_cancel->op);
    if (r->start_again) {
        r->start_again = false;
        op_start(op, forget);
        op_settle(op, NULL);
    }
}

static struct request *request(void)
{
    struct request *r = calloc(1, sizeof(*r));
    r->op.done = finished;
    return r;
}

static void done_comes_from_the_loop(void **state)
{
    (void)state;
    struct request *r = request();
    op_start(&r->op, forget);
    assert_true(op_busy(&r->op));
    assert_false(op_deliver());
    op_settle(&r->op, NULL);
    op_settle(&r->op, &(struct err){.rc = RC_NET}); /* too late */
    assert_int_equal(r->called, 0);
    assert_true(op_waiting());
    assert_true(op_deliver());
    assert_int_equal(r->called, 1);
    assert_int_equal(r->rc, RC_OK);
    assert_false(op_waiting());
    assert_false(op_deliver());
    op_settle(&r->op, NULL); /* idle: no effect */
    assert_false(op_deliver());
    assert_int_equal(r->called, 1);
    free(r);
}

static void errors_are_copied(void **state)
{
    (void)state;
    struct request *r = request();
    struct err e = {0};
    err_set(&e, RC_NET, "X", "x");
    op_start(&r->op, NULL);
    op_settle(&r->op, &e);
    e.rc = RC_BUG;
    op_deliver();
    assert_int_equal(r->rc, RC_NET);
    op_start(&r->op, NULL);
    op_settle(&r->op, &(struct err){0}); /* RC_OK is success */
    op_deliver();
    assert_int_equal(r->rc, RC_OK);
    free(r);
}

static void cancel_in_every_state(void **state)
{
    (void)state;
    struct request *r = request();
    op_cancel(&r->op);
    assert_int_equal(r->detached, 0);
    op_start(&r->op, forget);
    op_cancel(&r->op);
    op_cancel(&r->op);
    assert_int_equal(r->detached, 1);
    op_start(&r->op, forget);
    op_settle(&r->op, &(struct err){.rc = RC_NET});
    op_cancel(&r->op);
    assert_int_equal(r->detached, 1); /* its carrier knows it no more */
    free(r);
    assert_false(op_waiting());
    assert_false(op_deliver());
}

static void next_round(void **state)
{
    (void)state;
    struct request *a = request(), *b = request();
    op_start(&a->op, NULL);
    op_start(&b->op, NULL);
    a->then_settle = b;
    a->start_again = true;
    op_settle(&a->op, NULL);
    assert_true(op_deliver());
    assert_int_equal(a->called, 1);
    assert_int_equal(b->called, 0);
    assert_true(op_deliver());
    assert_int_equal(a->called, 2);
    assert_int_equal(b->called, 1);
    assert_false(op_deliver());
    free(a);
    free(b);
}

static void done_cancels_its_neighbour(void **state)
{
    (void)state;
    struct request *r[3];
    for (int i = 0; i < 3; i++) {
        r[i] = request();
        op_start(&r[i]->op, NULL);
    }
    r[0]->then_cancel = r[1];
    for (int i = 0; i < 3; i++)
        op_settle(&r[i]->op, &(struct err){.rc = RC_NET});
    assert_true(op_deliver());
    assert_int_equal(r[0]->called, 1);
    assert_int_equal(r[1]->called, 0);
    assert_int_equal(r[2]->called, 1);
    for (int i = 0; i < 3; i++)
        free(r[i]);
}

static int order[4], served;

static void note(struct op *op, const struct err *e)
{
    (void)e;
    order[served++] = *(int *)op->owner;
    free(op); /* allowed in done() */
}

static void in_the_order_they_settled(void **state)
{
    (void)state;
    int number[4] = {0, 1, 2, 3};
    struct op *ops[4];
    for (int i = 0; i < 4; i++) {
        ops[i] = calloc(1, sizeof(struct op));
        ops[i]->done = note;
        ops[i]->owner = &number[i];
        op_start(ops[i], NULL);
    }
    const int settle[4] = {2, 0, 3, 1};
    for (int i = 0; i < 4; i++)
        op_settle(ops[settle[i]], NULL);
    op_deliver();
    assert_memory_equal(order, settle, sizeof(order));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(done_comes_from_the_loop),   cmocka_unit_test(errors_are_copied),
        cmocka_unit_test(cancel_in_every_state),      cmocka_unit_test(next_round),
        cmocka_unit_test(done_cancels_its_neighbour), cmocka_unit_test(in_the_order_they_settled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
