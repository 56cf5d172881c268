/* dnsx.c against a tiny server on loopback: answers good and odd, silence, closed ports, the window, cancels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "dns_responder.h"
#include "net/dnsx.h"

static struct responder server;
static struct net *net;
static size_t under_way;

struct asked {
    struct dns_ask ask;
    struct endpoint to;
    char name[64];
    bool done;
    struct err err;
    size_t n;
    uint8_t rcode, txt[64];
    size_t n_txt;
    bool tcp, aa;
    uint16_t ede;
};

static void on_done(struct op *op, const struct err *e)
{
    struct asked *a = (struct asked *)op;
    assert_false(a->done);
    a->done = true;
    under_way--;
    if (e) {
        a->err = *e;
        return;
    }
    const struct dns_reply *r = &a->ask.reply;
    a->rcode = r->rcode;
    a->n = r->n;
    a->tcp = r->tcp;
    a->aa = r->aa;
    a->ede = r->ede;
    if (r->n) {
        assert_string_equal(r->rr[0].owner, a->name);
        assert_true(dns_txt_value(r->rr[0].rdata, a->txt, sizeof a->txt, &a->n_txt));
    }
}

static void start(struct asked *a, const char *word, uint16_t port, enum via via, uint32_t limit, bool may_skip)
{
    *a = (struct asked){.ask = {.op = {.done = on_done}, .type = TYPE_TXT, .limit_ms = limit, .may_skip = may_skip}};
    snprintf(a->name, sizeof a->name, "%s.example.hk", word);
    snprintf(a->to.addr, sizeof a->to.addr, "127.0.0.1");
    a->to.port = port;
    a->to.via = via;
    a->ask.to = &a->to;
    a->ask.name = a->name;
    under_way++;
    dns_start(net, &a->ask);
    assert_false(a->done);
}

static bool until_all(void *arg)
{
    (void)arg;
    return under_way > 0;
}

static void run_all(void)
{
    loop_run(net_loop(net), until_all, NULL);
}

static int setup(void **state)
{
    (void)state;
    static const struct net_setup s = {.resolv_conf = "/dev/null"};
    under_way = 0;
    net = net_new(&s, NULL);
    return net ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    net_free(net);
    return 0;
}

static void test_answers(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        enum via via;
        uint8_t rcode;
        size_t n;
        bool tcp;
    } cases[] = {
        {"ok", VIA_UDP, DNS_NOERROR, 1, false},     {"ok", VIA_TCP, DNS_NOERROR, 1, true},
        {"cut", VIA_UDP, DNS_NOERROR, 1, true},     {"stray", VIA_UDP, DNS_NOERROR, 1, false},
        {"case", VIA_UDP, DNS_NOERROR, 1, true},    {"lower", VIA_UDP, DNS_NOERROR, 1, true},
        {"lower", VIA_TCP, DNS_NOERROR, 1, true},   {"garbage", VIA_UDP, DNS_NOERROR, 1, true},
        {"noqr", VIA_UDP, DNS_NOERROR, 1, true},    {"servfail", VIA_UDP, DNS_SERVFAIL, 0, false},
        {"big", VIA_UDP, DNS_NOERROR, 76, true},    {"second", VIA_UDP, DNS_NOERROR, 1, false},
        {"formerr", VIA_TCP, DNS_FORMERR, 0, true}, {"old", VIA_TCP, DNS_NOERROR, 1, true},
    };
    enum { N = sizeof cases / sizeof *cases };
    static struct asked a[N];
    for (size_t i = 0; i < N; i++)
        start(&a[i], cases[i].word, server.port, cases[i].via, 4000, false);
    run_all();
    for (size_t i = 0; i < N; i++) {
        if (a[i].err.rc)
            print_error("%s: %s\n", cases[i].word, a[i].err.text);
        assert_int_equal(a[i].err.rc, RC_OK);
        assert_int_equal(a[i].rcode, cases[i].rcode);
        assert_int_equal(a[i].n, cases[i].n);
        assert_int_equal(a[i].tcp, cases[i].tcp);
        assert_true(a[i].aa);
        if (a[i].n)
            assert_memory_equal(a[i].txt, "hello", 5);
        if (a[i].rcode == DNS_SERVFAIL)
            assert_int_equal(a[i].ede, 7);
    }
    assert_in_range(a[11].ask.ms, 500, 3900); /* the second try */
}

/* c-ares' own FORMERR fallback is on for UDP: whatever it does, several in flight must all end well, and so must those after them. */
static void test_formerr_by_udp(void **state)
{
    (void)state;
    static struct asked a[12];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 12; i++)
            start(&a[i], i % 3 == 0 ? "old" : i % 3 == 1 ? "formerr" : "ok", server.port, VIA_UDP, 3000, false);
        run_all();
        for (int i = 0; i < 12; i++) {
            assert_int_equal(a[i].err.rc, RC_OK);
            assert_int_equal(a[i].rcode, i % 3 == 1 ? DNS_FORMERR : DNS_NOERROR);
        }
    }
}

static void test_faults(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        const char *addr;
        uint16_t port; /* 0: the server's */
        enum via via;
        const char *code;
        uint32_t least, most; /* ms */
    } cases[] = {
        {"silent", "127.0.0.1", 0, VIA_UDP, "DNS_TIMEOUT", 550, 1500},
        {"silent", "127.0.0.1", 0, VIA_TCP, "DNS_TIMEOUT", 550, 1500},
        {"ok", "127.0.0.1", 1, VIA_UDP, "DNS_REFUSED_CONNECTION", 0, 500},
        {"ok", "127.0.0.1", 1, VIA_TCP, "DNS_REFUSED_CONNECTION", 0, 500},
        {"close", "127.0.0.1", 0, VIA_UDP, "DNS_REFUSED_CONNECTION", 0, 500},
        {"ok", "fe80::1", 53, VIA_UDP, "DNS_UNREACHABLE", 0, 500},
        {"ok", "", 53, VIA_UDP, "DNS_UNREACHABLE", 0, 100},
        {"ok", "192.0.2.x", 53, VIA_UDP, "DNS_UNREACHABLE", 0, 100},
        {"ok", "fe80::1%lo", 53, VIA_UDP, "DNS_UNREACHABLE", 0, 100},
        {"ok", "127.0.0.1", 1, VIA_TLS, "DNS_SECURE", 0, 500},
        {"ok", "127.0.0.1", 0, VIA_TLS, "DNS_SECURE", 0, 1500}, /* no TLS there */
        {"a..b", "127.0.0.1", 0, VIA_UDP, "DNS_MALFORMED", 0, 100},
    };
    enum { N = sizeof cases / sizeof *cases };
    static struct asked a[N];
    for (size_t i = 0; i < N; i++) {
        start(&a[i], cases[i].word, server.port, VIA_UDP, 600, false);
        op_cancel(&a[i].ask.op); /* only its fields were wanted */
        snprintf(a[i].to.addr, sizeof a[i].to.addr, "%s", cases[i].addr);
        a[i].to.port = cases[i].port ? cases[i].port : server.port;
        a[i].to.via = cases[i].via;
        snprintf(a[i].to.name, sizeof a[i].to.name, "localhost");
        dns_start(net, &a[i].ask);
        run_all(); /* one by one: "close" takes what shares its connection down with it */
    }
    for (size_t i = 0; i < N; i++) {
        if (!a[i].err.rc || strcmp(a[i].err.code, cases[i].code) || a[i].ask.ms > cases[i].most || a[i].ask.ms < cases[i].least)
            print_error("%s %s: %u ms %s\n", cases[i].word, cases[i].addr, a[i].ask.ms, a[i].err.text);
        assert_int_equal(a[i].err.rc, RC_NET);
        assert_string_equal(a[i].err.code, cases[i].code);
        assert_in_range(a[i].ask.ms, cases[i].least, cases[i].most);
    }
}

/* A limit between two tries of c-ares holds too. */
static void test_limit(void **state)
{
    (void)state;
    struct asked a;
    int64_t begun = clock_monotonic();
    start(&a, "silent", server.port, VIA_UDP, 1000, false);
    run_all();
    assert_string_equal(a.err.code, "DNS_TIMEOUT");
    assert_in_range(clock_monotonic() - begun, 950, 1700);
}

/* A line that loses datagrams: the answers that come speak for the server, however many are lost beside them. */
static void test_losing_some_is_not_silence(void **state)
{
    (void)state;
    static struct asked a[40];
    for (int i = 0; i < 40; i++)
        start(&a[i], i % 2 ? "silent" : "ok", server.port, VIA_UDP, 700, true);
    run_all();
    for (int i = 0; i < 40; i++)
        assert_string_equal(a[i].err.rc ? a[i].err.code : "", i % 2 ? "DNS_TIMEOUT" : "");
    start(&a[0], "ok", server.port, VIA_UDP, 700, true);
    run_all();
    assert_int_equal(a[0].err.rc, RC_OK);
}

static void test_window(void **state)
{
    (void)state;
    enum { N = 1000 };
    struct asked *a = mem_array(N, sizeof *a);
    int64_t begun = clock_monotonic();
    for (int i = 0; i < N; i++) {
        char word[16];
        snprintf(word, sizeof word, "ok%d", i);
        start(&a[i], word, server.port, i < N / 2 ? VIA_UDP : VIA_TCP, 0, true);
    }
    run_all();
    print_message("1,000 questions: %d ms\n", (int)(clock_monotonic() - begun));
    for (int i = 0; i < N; i++)
        assert_int_equal(a[i].err.rc, RC_OK);
    free(a);
}

/* 200 questions to a silent server cost one limit, not four: after the first timeouts those that may be skipped are. */
static void test_silent_server_is_skipped(void **state)
{
    (void)state;
    enum { N = 200 };
    struct asked *a = mem_array(N, sizeof *a), one;
    int64_t begun = clock_monotonic();
    for (int i = 0; i < N; i++)
        start(&a[i], "silent", server.port, VIA_UDP, 300, true);
    run_all();
    assert_true(clock_monotonic() - begun < 1500);
    int timeouts = 0, left_out = 0;
    for (int i = 0; i < N; i++) {
        assert_int_equal(a[i].err.rc, RC_NET);
        timeouts += !strcmp(a[i].err.code, "DNS_TIMEOUT");
        left_out += !strcmp(a[i].err.code, "DNS_SKIPPED");
    }
    assert_in_range(timeouts, 128, 140); /* a window of an authority full, and who took a place before the fifth */
    assert_int_equal(left_out, N - timeouts);
    start(&one, "ok", server.port, VIA_UDP, 1000, false); /* must be asked: it is, and the server counts as alive again */
    run_all();
    assert_int_equal(one.err.rc, RC_OK);
    start(&one, "ok", server.port, VIA_UDP, 1000, true);
    run_all();
    assert_int_equal(one.err.rc, RC_OK);
    free(a);
}

static void test_standing_in_line_too_long(void **state)
{
    (void)state;
    enum { N = 300 };
    struct asked *a = mem_array(N, sizeof *a);
    int64_t begun = clock_monotonic();
    for (int i = 0; i < N; i++)
        start(&a[i], "silent", server.port, VIA_UDP, 200, false);
    run_all();
    assert_in_range(clock_monotonic() - begun, 550, 2500);
    int in_line = 0;
    for (int i = 0; i < N; i++) {
        assert_string_equal(a[i].err.code, "DNS_TIMEOUT");
        in_line += strstr(a[i].err.text, "no turn") != NULL;
    }
    assert_true(in_line >= 50);
    free(a);
}

static void test_cancel(void **state)
{
    (void)state;
    enum { N = 120 };
    struct asked *a[N];
    for (int i = 0; i < N; i++) {
        a[i] = mem_new(sizeof **a);
        start(a[i], i == N - 1 ? "ok" : "silent", server.port, VIA_UDP, 30000, false);
    }
    for (int i = 0; i < N - 1; i++) { /* under way and in line */
        op_cancel(&a[i]->ask.op);
        free(a[i]);
        under_way--;
    }
    int64_t begun = clock_monotonic();
    run_all();
    assert_int_equal(a[N - 1]->err.rc, RC_OK);
    assert_true(clock_monotonic() - begun < 500); /* it did not wait for those */
    free(a[N - 1]);
}

static bool twice(void *arg)
{
    return ++*(int *)arg < 1000;
}

/* What c-ares still carries for nobody keeps no run alive. */
static void test_cancelled_questions_do_not_keep_the_loop(void **state)
{
    (void)state;
    struct asked a;
    start(&a, "silent", server.port, VIA_UDP, 30000, false);
    op_cancel(&a.ask.op);
    pid_t pid = fork();
    if (pid == 0) {
        int n = 0;
        close(2);
        alarm(5);
        loop_run(net_loop(net), twice, &n);
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == RC_BUG);
}

static void test_many_servers(void **state)
{
    (void)state;
    enum { N = 40 };
    struct asked *a = mem_array(N, sizeof *a);
    struct responder *more = mem_array(N, sizeof *more);
    for (int i = 0; i < N; i++)
        more[i] = responder_start();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++)
            start(&a[i], i % 2 ? "ok" : "cut", more[i].port, VIA_UDP, 5000, true);
        run_all();
        for (int i = 0; i < N; i++)
            assert_int_equal(a[i].err.rc, RC_OK);
    }
    for (int i = 0; i < N; i++)
        responder_stop(&more[i]);
    free(more);
    free(a);
}

static void test_resolv_conf_routes_and_source(void **state)
{
    (void)state;
    char path[] = "/tmp/test_dnsx.XXXXXX";
    int fd = mkstemp(path);
    static const char text[] =
        "# nameserver 192.0.2.9\nsearch example.hk\n nameserver\t192.0.2.1 \nnameserver 2001:DB8::1\nnameserver\n"
        "nameserver fe80::1%eth0\nnameserver 192.0.2.1\nnameserver host.example\noptions edns0\nnameserver 192.0.2.3";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    struct net_setup s = {.resolv_conf = path, .source_address = "127.0.0.7"};
    struct net *n = net_new(&s, NULL);
    unlink(path);
    const struct endpoints *l = net_system_resolvers(n);
    assert_int_equal(l->n, 3);
    assert_string_equal(l->e[0].addr, "192.0.2.1");
    assert_string_equal(l->e[1].addr, "2001:db8::1");
    assert_string_equal(l->e[2].addr, "192.0.2.3");
    assert_int_equal(l->e[2].port, 53);
    struct endpoint loopback = {.addr = "127.0.0.1", .port = 53}, nowhere = {.addr = "fe80::1", .port = 53}, name = {.name = "x"};
    for (int i = 0; i < 2; i++) {
        assert_true(net_has_route(n, &loopback));
        assert_false(net_has_route(n, &nowhere));
        assert_false(net_has_route(n, &name));
    }
    struct net *keep = net;
    struct asked a[2];
    net = n;
    start(&a[0], "ok", server.port, VIA_UDP, 0, false);
    start(&a[1], "ok", server.port, VIA_TCP, 0, false);
    run_all();
    assert_int_equal(a[0].err.rc | a[1].err.rc, RC_OK);
    net = keep;
    net_free(n);
    s.source_address = "eth0";
    struct err e = {0};
    assert_null(net_new(&s, &e));
    assert_int_equal(e.rc, RC_CONF);
}

/* 1,000 names, 8 servers. */
static void test_load(void **state)
{
    (void)state;
    enum { NAMES = 1000, SERVERS = 8 };
    struct responder r[SERVERS];
    struct asked *a = mem_array(NAMES * SERVERS, sizeof *a);
    for (int i = 0; i < SERVERS; i++)
        r[i] = responder_start();
    int64_t begun = clock_monotonic();
    for (int i = 0; i < NAMES * SERVERS; i++)
        start(&a[i], "ok", r[i % SERVERS].port, VIA_UDP, 0, true);
    run_all();
    print_message("1,000 names at 8 servers: %d ms (with sanitizers)\n", (int)(clock_monotonic() - begun));
    for (int i = 0; i < NAMES * SERVERS; i++)
        assert_int_equal(a[i].err.rc, RC_OK);
    for (int i = 0; i < SERVERS; i++)
        responder_stop(&r[i]);
    free(a);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_answers),
        T(test_formerr_by_udp),
        T(test_faults),
        T(test_losing_some_is_not_silence),
        T(test_window),
        T(test_limit),
        T(test_silent_server_is_skipped),
        T(test_standing_in_line_too_long),
        T(test_cancel),
        T(test_cancelled_questions_do_not_keep_the_loop),
        T(test_many_servers),
        T(test_resolv_conf_routes_and_source),
        T(test_load),
    };
    server = responder_start();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    responder_stop(&server);
    return failed;
}
