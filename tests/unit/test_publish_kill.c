/* The pump killed at each durable point of a whole life, and once more in the recovery: nothing lost, nothing left. */
#include "publish_world.h"

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

static void test_killed_everywhere(void **state)
{
    unsigned points = 0;

    (void)state;
    for (unsigned n = 1; n < 200; n++) {
        int rc;

        world_reset();
        empty_state();
        rc = in_child(whole_life, false, n);
        if (rc == 0)
            break;
        points = n;
        if (rc != -SIGKILL)
            fail_msg("point %u: the first run ended with %d", n, rc);
        if (n % 3 == 0)
            in_child(whole_life, n % 2, n % 7 + 1);
        rc = in_child(whole_life, n % 2, 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {with_dir(test_killed_everywhere)};

    world_make();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
