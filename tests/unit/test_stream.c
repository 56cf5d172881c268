#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "net/stream.h"
#include "tcp_server.h"

enum { CALLS = 40, SMALL = 20 };

static struct net *net;
static struct server server;
static struct stream *stream;
static unsigned waiting;

struct call {
    struct exchange x;
    uint8_t msg[65535];
    size_t n;
    bool done, right;
    struct err err;
};
static struct call calls[CALLS];

static void finished(struct op *op, const struct err *e)
{
    struct call *c = (struct call *)op;
    c->done = true;
    c->err = e ? *e : (struct err){0};
    c->right = !e && c->x.in.n == c->n && memcmp(c->x.in.p, c->msg, 2) == 0 && memcmp(c->x.in.p + 3, c->msg + 3, c->n - 3) == 0;
    waiting--;
}

static bool turn(void *arg)
{
    (void)arg;
    return waiting > 0;
}

static void run(void)
{
    if (waiting)
        loop_run(net_loop(net), turn, NULL);
}

static void start(unsigned i, size_t n, uint32_t limit)
{
    struct call *c = &calls[i];
    uint16_t id = stream_id(stream);
    c->x = (struct exchange){.out = {c->msg, n}, .limit_ms = limit};
    c->x.op.done = finished;
    c->done = c->right = false;
    c->n = n;
    memset(c->msg, 'a' + (int)(i % 26), n);
    c->msg[0] = (uint8_t)(id >> 8);
    c->msg[1] = (uint8_t)id;
    waiting++;
    stream_send(stream, &c->x);
    assert_false(c->done);
}

static void begin(void (*behave)(struct server *s, int fd, unsigned connection))
{
    struct endpoint to = {.addr = "127.0.0.1", .via = VIA_TCP};
    server_start(&server, behave, NULL);
    to.port = server.port;
    net = net_new(&(struct net_setup){.resolv_conf = "/dev/null"}, NULL);
    assert_non_null(net);
    stream = stream_open(net, &to);
    waiting = 0;
}

static void end(void)
{
    stream_close(stream);
    net_free(net);
    server_stop(&server);
}

static void echo(struct server *s, int fd, unsigned connection)
{
    uint8_t msg[65535];
    (void)connection;
    for (size_t n; (n = read_message(s, fd, msg));) {
        msg[2] ^= 0x80;
        write_message(fd, msg, n);
    }
}

static void test_pipelined(void **state)
{
    (void)state;
    begin(echo);
    stream_warm(stream);
    for (unsigned i = 0; i < CALLS; i++)
        start(i, SMALL + i, 0);
    run();
    for (unsigned i = 0; i < CALLS; i++)
        assert_true(calls[i].right && calls[i].x.sent);
    assert_int_equal(server.connections, 1);
    end();
}

/* Answers the last question first, octet by octet. */
static void reversed(struct server *s, int fd, unsigned connection)
{
    static uint8_t msg[3][65535];
    size_t n[3];
    (void)connection;
    for (int i = 0; i < 3; i++)
        if (!(n[i] = read_message(s, fd, msg[i])))
            return;
    for (int i = 2; i >= 0; i--) {
        uint8_t head[2] = {(uint8_t)(n[i] >> 8), (uint8_t)n[i]};
        send(fd, head, 1, MSG_NOSIGNAL);
        usleep(2000);
        send(fd, head + 1, 1, MSG_NOSIGNAL);
        for (size_t k = 0; k < n[i]; k++) {
            send(fd, msg[i] + k, 1, MSG_NOSIGNAL);
            if (k % 8 == 0)
                usleep(1000);
        }
    }
    read_message(s, fd, msg[0]);
}

static void test_reversed(void **state)
{
    (void)state;
    begin(reversed);
    for (unsigned i = 0; i < 3; i++)
        start(i, SMALL, 0);
    run();
    for (unsigned i = 0; i < 3; i++)
        assert_true(calls[i].right);
    end();
}

static void test_large(void **state)
{
    (void)state;
    begin(echo);
    for (unsigned i = 0; i < 4; i++)
        start(i, 65535, 0);
    start(4, SMALL, 0);
    run();
    for (unsigned i = 0; i < 5; i++)
        assert_true(calls[i].right);
    end();
}

static void one_answer(struct server *s, int fd, unsigned connection)
{
    uint8_t msg[65535];
    size_t n = read_message(s, fd, msg);
    (void)connection;
    if (n)
        write_message(fd, msg, n);
}

/* The server closes idle connections: nobody notices. */
static void test_idle_closed(void **state)
{
    (void)state;
    begin(one_answer);
    for (unsigned i = 0; i < 4; i++) {
        start(i, SMALL, 0);
        run();
        assert_true(calls[i].right);
        usleep(20000); /* time for the server to close; our loop has not looked since */
    }
    assert_int_equal(server.connections, 4);
    assert_int_equal(server.messages, 4);
    end();
}

/* The first connection is closed after its question was read. */
static void swallow_first(struct server *s, int fd, unsigned connection)
{
    uint8_t msg[65535];
    if (connection == 0)
        read_message(s, fd, msg);
    else
        echo(s, fd, connection);
}

static void test_unsure(void **state)
{
    (void)state;
    begin(swallow_first);
    start(0, SMALL, 0);
    run();
    assert_string_equal(calls[0].err.code, "STREAM_UNSURE");
    assert_int_equal(calls[0].err.rc, RC_NET);
    assert_true(calls[0].x.sent && calls[0].err.again);
    assert_int_equal(server.messages, 1); /* never sent twice */
    start(1, SMALL, 0);
    run();
    assert_true(calls[1].right);
    end();
}

static void hang_up(struct server *s, int fd, unsigned connection)
{
    (void)s;
    (void)fd;
    (void)connection;
}

/* Closed at once, again and again: an end, whichever of both faults it is. */
static void test_closed_at_once(void **state)
{
    (void)state;
    begin(hang_up);
    for (unsigned i = 0; i < 5; i++) {
        start(i, SMALL, 0);
        run();
        assert_string_equal(calls[i].err.code, calls[i].x.sent ? "STREAM_UNSURE" : "STREAM_CONNECT");
    }
    assert_true(server.connections <= 10);
    end();
}

static void bad_frame(struct server *s, int fd, unsigned connection)
{
    uint8_t msg[65535];
    (void)connection;
    if (read_message(s, fd, msg))
        write_message(fd, msg, 5);
    read_message(s, fd, msg);
}

static void test_bad_frame(void **state)
{
    (void)state;
    begin(bad_frame);
    start(0, SMALL, 0);
    run();
    assert_string_equal(calls[0].err.code, "STREAM_UNSURE");
    end();
}

static void silent_first(struct server *s, int fd, unsigned connection)
{
    uint8_t msg[65535];
    while (connection == 0 && read_message(s, fd, msg))
        ;
    if (connection)
        echo(s, fd, connection);
}

static void test_timeout(void **state)
{
    (void)state;
    begin(silent_first);
    start(0, SMALL, 100);
    start(1, SMALL, 150);
    run();
    assert_string_equal(calls[0].err.code, "STREAM_TIMEOUT");
    assert_string_equal(calls[1].err.code, "STREAM_TIMEOUT");
    assert_true(calls[0].x.sent);
    start(2, SMALL, 2000);
    run();
    assert_true(calls[2].right);
    end();
}

static void test_refused(void **state)
{
    (void)state;
    begin(echo);
    server_stop(&server);
    start(0, SMALL, 0);
    start(1, SMALL, 0);
    run();
    for (unsigned i = 0; i < 2; i++) {
        assert_string_equal(calls[i].err.code, "STREAM_CONNECT");
        assert_false(calls[i].x.sent);
        assert_non_null(strstr(calls[i].err.text, "refused"));
    }
    stream_close(stream);
    net_free(net);
}

static void test_name(void **state)
{
    (void)state;
    begin(echo);
    stream_close(stream);
    struct endpoint to = {.name = "localhost", .port = server.port, .via = VIA_TCP};
    stream = stream_open(net, &to);
    start(0, SMALL, 0);
    run();
    assert_true(calls[0].right);
    stream_close(stream);
    to = (struct endpoint){.name = "no-such-host.test", .port = server.port, .via = VIA_TCP};
    stream = stream_open(net, &to);
    start(1, SMALL, 0);
    run();
    assert_int_equal(calls[1].err.rc, RC_NET);
    assert_non_null(strstr(calls[1].err.text, "no-such-host.test"));
    end();
}

static void test_cancel(void **state)
{
    (void)state;
    begin(echo);
    start(0, SMALL, 0); /* before the connection is there */
    op_cancel(&calls[0].x.op);
    start(1, SMALL, 0);
    waiting = 1;
    run();
    assert_true(calls[1].right && !calls[0].done);
    start(2, SMALL, 0); /* sent at once, its answer comes late */
    assert_true(calls[2].x.sent);
    op_cancel(&calls[2].x.op);
    memset(&calls[2], 0xee, sizeof calls[2]);
    start(3, SMALL, 0);
    waiting = 1;
    run();
    assert_true(calls[3].right);
    assert_int_equal(server.connections, 1);
    end();
}

/* Closing under exchanges: one waits for its connection, one for its answer. */
static void test_close(void **state)
{
    (void)state;
    begin(silent_first);
    start(0, SMALL, 0);
    stream_close(stream);
    run();
    assert_true(calls[0].done);
    assert_string_equal(calls[0].err.code, "STREAM_CONNECT");
    net_free(net);
    server_stop(&server);

    begin(silent_first);
    stream_warm(stream);
    start(0, SMALL, 50);
    run();
    start(1, SMALL, 0);
    stream_close(stream);
    stream = NULL;
    run();
    assert_true(calls[1].done);
    end();
}

static void test_ids(void **state)
{
    (void)state;
    begin(silent_first);
    for (unsigned i = 0; i < CALLS; i++)
        start(i, SMALL, 0);
    for (unsigned i = 0; i < CALLS; i++)
        for (unsigned k = 0; k < i; k++)
            assert_memory_not_equal(calls[i].msg, calls[k].msg, 2);
    for (unsigned i = 0; i < CALLS; i++)
        op_cancel(&calls[i].x.op);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipelined),   cmocka_unit_test(test_reversed), cmocka_unit_test(test_large),
        cmocka_unit_test(test_idle_closed), cmocka_unit_test(test_unsure),   cmocka_unit_test(test_closed_at_once),
        cmocka_unit_test(test_bad_frame),   cmocka_unit_test(test_timeout),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_name),        cmocka_unit_test(test_cancel),   cmocka_unit_test(test_close),
        cmocka_unit_test(test_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
