/* DNS over TLS and HTTPS (dns_tls.c, dns_https.c) against a server that does wrong: answers good and odd, connections that end, silence, floods, cancels at
 * every moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/dnsx.h"
#include "pki.h"
#include "secure_server.h"

static struct secure_server server;
static struct net *net;
static char dir[] = "/tmp/dcv-secure-XXXXXX", ca_file[64];
static size_t under_way, delivered;

struct asked {
    struct dns_ask ask;
    struct endpoint to;
    char name[64];
    bool done;
    struct err err;
};

static void on_done(struct op *op, const struct err *e)
{
    struct asked *a = (struct asked *)op;
    assert_false(a->done);
    a->done = true;
    under_way--;
    delivered++;
    if (e) {
        a->err = *e;
        return;
    }
    uint8_t txt[64];
    size_t n;
    assert_int_equal(a->ask.reply.n, 1);
    assert_string_equal(a->ask.reply.rr[0].owner, a->name);
    assert_true(dns_txt_value(a->ask.reply.rr[0].rdata, txt, sizeof txt, &n));
    assert_memory_equal(txt, "hello", 5);
}

static void start(struct asked *a, const char *word, enum via via, uint16_t port, uint32_t limit)
{
    *a = (struct asked){.ask = {.op = {.done = on_done}, .type = TYPE_TXT, .rd = true, .limit_ms = limit}};
    snprintf(a->name, sizeof a->name, "%s.example.hk", word);
    a->to = (struct endpoint){.addr = "127.0.0.1", .name = "localhost", .port = port, .via = via};
    snprintf(a->to.url, sizeof a->to.url, "https://localhost:%u/dns-query", (unsigned)port);
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

static bool until_some(void *arg)
{
    return under_way > 0 && delivered < *(const size_t *)arg;
}

static void run_all(void)
{
    loop_run(net_loop(net), until_all, NULL);
}

static void write_file(const char *name, const char *text, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int group_setup(void **state)
{
    (void)state;
    int64_t now = clock_now();
    char chain[64], key_path[64];
    struct secret key = {0};
    assert_non_null(mkdtemp(dir));
    X509 *root = pki_cert(&(struct pki_spec){.cn = "Root", .ca = true, .key = pki_key(1), .from = now - DAY, .to = now + DAY});
    X509 *leaf = pki_cert(&(struct pki_spec){.cn = "localhost",
                                             .names = "localhost",
                                             .eku = "serverAuth",
                                             .key = pki_key(2),
                                             .issuer = root,
                                             .issuer_key = pki_key(1),
                                             .from = now - DAY,
                                             .to = now + DAY});
    char *pem = pki_pem(root), *leaf_pem = pki_pem(leaf);
    pki_secret(pki_key(2), &key);
    write_file("ca.pem", pem, ca_file, sizeof ca_file);
    write_file("leaf.pem", leaf_pem, chain, sizeof chain);
    write_file("leaf.key", (const char *)key.p, key_path, sizeof key_path);
    free(pem);
    free(leaf_pem);
    secret_free(&key);
    server = secure_start(chain, key_path);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    static const char *const files[] = {"ca.pem", "leaf.pem", "leaf.key"};
    char path[64];
    secure_stop(&server);
    pki_free();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    return rmdir(dir);
}

static int setup(void **state)
{
    (void)state;
    under_way = delivered = 0;
    *secure_connections = 0;
    net = net_new(&(struct net_setup){.resolv_conf = "/dev/null", .resolver_ca_file = ca_file}, NULL);
    return net ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    net_free(net);
    return 0;
}

static void ends(const struct asked *a, const char *code)
{
    if (strcmp(a->err.rc == RC_OK ? "" : a->err.code, code) != 0)
        fail_msg("%s by %d: %s %s", a->name, a->to.via, a->err.rc == RC_OK ? "an answer" : a->err.code, a->err.text);
}

static void good_and_odd_answers(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        enum via via;
        const char *code;
    } cases[] = {{"ok", VIA_TLS, ""},
                 {"bits", VIA_TLS, ""},
                 {"once", VIA_TLS, ""},
                 {"other", VIA_TLS, "DNS_MALFORMED"},
                 {"silent", VIA_TLS, "DNS_TIMEOUT"},
                 {"drop", VIA_TLS, "DNS_REFUSED_CONNECTION"},
                 {"zero", VIA_TLS, "DNS_REFUSED_CONNECTION"},
                 {"flood", VIA_TLS, "DNS_REFUSED_CONNECTION"},
                 {"ok", VIA_TLS, ""},
                 {"ok", VIA_HTTPS, ""},
                 {"once", VIA_HTTPS, ""},
                 {"other", VIA_HTTPS, "DNS_MALFORMED"},
                 {"silent", VIA_HTTPS, "DNS_TIMEOUT"},
                 {"drop", VIA_HTTPS, "DNS_SECURE"},
                 {"zero", VIA_HTTPS, "DNS_SECURE"},
                 {"status", VIA_HTTPS, "DNS_SECURE"},
                 {"html", VIA_HTTPS, "DNS_SECURE"},
                 {"large", VIA_HTTPS, "DNS_SECURE"},
                 {"ok", VIA_HTTPS, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct asked a;
        start(&a, cases[i].word, cases[i].via, server.port, 1000);
        run_all();
        ends(&a, cases[i].code);
    }
}

static void many(const char *word, enum via via, size_t n, uint32_t limit)
{
    struct asked *a = mem_array(n, sizeof *a);
    for (size_t i = 0; i < n; i++)
        start(&a[i], word, via, server.port, limit);
    run_all();
    for (size_t i = 0; i < n; i++)
        ends(&a[i], "");
    free(a);
}

static void many_on_one_connection(void **state)
{
    (void)state;
    many("ok", VIA_TLS, 8000, 15000);
    assert_int_equal(*secure_connections, 1);
    many("ok", VIA_HTTPS, 1000, 15000);
    assert_in_range(*secure_connections, 2, 20);
}

/* A server that ends each connection after one answer is slow, no more. */
static void one_answer_a_connection(void **state)
{
    (void)state;
    many("once", VIA_TLS, 30, 15000);
    assert_int_equal(*secure_connections, 30);
    many("once", VIA_HTTPS, 30, 15000);
}

/* What brings no answer gets one more connection. */
static void no_answer_is_tried_twice(void **state)
{
    (void)state;
    struct asked a[5];
    for (size_t i = 0; i < 5; i++)
        start(&a[i], "drop", VIA_TLS, server.port, 5000);
    run_all();
    for (size_t i = 0; i < 5; i++)
        ends(&a[i], "DNS_REFUSED_CONNECTION");
    assert_int_equal(*secure_connections, 2);
}

/* Some of many are taken back: before anything is sent, and at each later moment. The others are answered, those never. */
static void cancelled(enum via via)
{
    enum { N = 120 };
    static struct asked a[N];
    for (size_t after = 0; after < 60; after += 12) {
        delivered = 0;
        for (size_t i = 0; i < N; i++)
            start(&a[i], "ok", via, server.port, 5000);
        if (after)
            loop_run(net_loop(net), until_some, &after);
        for (size_t i = 0; i < N; i += 2) {
            under_way -= op_busy(&a[i].ask.op);
            op_cancel(&a[i].ask.op);
            memset(&a[i], 0x55, sizeof a[i]); /* its memory is the caller's again */
        }
        run_all();
        for (size_t i = 1; i < N; i += 2)
            ends(&a[i], "");
    }
}

static void cancels(void **state)
{
    (void)state;
    cancelled(VIA_TLS);
    cancelled(VIA_HTTPS);
}

/* A server that takes the connection and says nothing: a limit ends it, so does a cancel, and the end of all. */
static void handshakes_that_hang(void **state)
{
    (void)state;
    uint16_t port;
    int fd = secure_listen(&port);
    static struct asked a[6]; /* two outlive this function */
    for (size_t i = 0; i < 6; i++)
        start(&a[i], "ok", i % 2 ? VIA_TLS : VIA_HTTPS, port, i < 2 ? 300 : 60000);
    under_way -= 4;
    run_all();
    ends(&a[0], "DNS_TIMEOUT");
    ends(&a[1], "DNS_TIMEOUT");
    op_cancel(&a[2].ask.op);
    op_cancel(&a[3].ask.op);
    start(&a[0], "ok", VIA_TLS, server.port, 5000);
    run_all();
    ends(&a[0], "");
    close(fd); /* two are still under way when the net goes */
}

static void who_it_is(void **state)
{
    (void)state;
    struct asked a[2];
    for (size_t i = 0; i < 2; i++) {
        start(&a[i], "ok", i ? VIA_TLS : VIA_HTTPS, server.port, 5000);
        under_way--;
        op_cancel(&a[i].ask.op);
        snprintf(a[i].to.name, sizeof a[i].to.name, "elsewhere");
        snprintf(a[i].to.url, sizeof a[i].to.url, "https://elsewhere:%u/dns-query", (unsigned)server.port);
        a[i].ask.op = (struct op){.done = on_done};
        under_way++;
        dns_start(net, &a[i].ask);
    }
    run_all();
    ends(&a[0], "DNS_SECURE");
    ends(&a[1], "DNS_SECURE");
    assert_non_null(strstr(a[0].err.text, "elsewhere"));
    assert_non_null(strstr(a[1].err.text, "elsewhere"));
}

int main(void)
{
#define with_net(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        with_net(good_and_odd_answers),
        with_net(many_on_one_connection),
        with_net(one_answer_a_connection),
        with_net(no_answer_is_tried_twice),
        with_net(cancels),
        with_net(handshakes_that_hang),
        with_net(who_it_is),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
