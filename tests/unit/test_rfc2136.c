#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "net/net.h"
#include "net/wire.h"
#include "providers/rfc2136.h"
#include "tcp_server.h"
#include "tsig_tools.h"

/* The server decides by the names in a message: no-* is refused, full-* fails, knot-* is not permitted in Knot's way, the others by
 * their whole name. What it answers to questions goes by the name too. */

#define ZONE "example.hk"
static const uint8_t secret[] = "secret of the tests"; /* c2VjcmV0IG9mIHRoZSB0ZXN0cw== */

struct message {
    char owner[32][80]; /* the zone or question first */
    unsigned n;
    const uint8_t *mac;
    size_t n_mac, body; /* body: length without TSIG */
    bool query;
};

static void name_text(struct wire_in *r, char out[80])
{
    uint8_t wire[WIRE_NAME_MAX];
    size_t n = wire_in_name(r, wire), k = 0;
    for (size_t at = 0; at + 1 < n && k + wire[at] + 2 < 80; at += wire[at] + 1U) {
        memcpy(out + k, wire + at + 1, wire[at]);
        k += wire[at];
        out[k++] = '.';
    }
    out[k ? k - 1 : 0] = '\0';
}

static void take_apart(struct message *m, const uint8_t *p, size_t n)
{
    struct wire_in r = {.p = p, .n = n, .at = 12};
    unsigned records = wire_at16(p + 8) + wire_at16(p + 10);
    memset(m, 0, sizeof *m);
    m->query = (p[2] & 0x78) == 0;
    name_text(&r, m->owner[m->n++]);
    wire_in_take(&r, 4);
    m->body = r.at;
    while (records--) {
        char owner[80];
        size_t at = r.at;
        name_text(&r, owner);
        unsigned type = wire_in_u16(&r);
        wire_in_take(&r, 6);
        size_t length = wire_in_u16(&r);
        const uint8_t *rdata = wire_in_take(&r, length);
        if (type == 250) { /* name of 13 octets, time, fudge, MAC */
            m->n_mac = wire_at16(rdata + 13 + 8);
            m->mac = rdata + 13 + 10;
            m->body = at;
        } else if (m->n < 32) {
            strcpy(m->owner[m->n++], owner);
            m->body = r.at;
        }
    }
}

static bool any(const struct message *m, const char *prefix)
{
    for (unsigned i = m->query ? 0 : 1; i < m->n; i++)
        if (strncmp(m->owner[i], prefix, strlen(prefix)) == 0)
            return true;
    return false;
}

static size_t answer_query(uint8_t *msg, const struct message *m)
{
    static const uint8_t txt[] = {0xc0, 12, 0, 16, 0, 1, 0, 0, 14, 16, 0, 8, 3, 'a', 'b', 'c', 0, 2, 'd', 'e'};
    static const uint8_t cname[] = {0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, 'x', 1, 'y'};
    size_t n = m->body;
    msg[2] |= any(m, "lame") ? 0x80 : 0x84;
    msg[3] = any(m, "absent") ? 3 : any(m, "refused") ? 5 : any(m, "broken") ? 2 : 0;
    if (any(m, "there")) {
        memcpy(msg + n, txt, sizeof txt);
        n += sizeof txt;
        msg[7] = 1;
    }
    if (any(m, "alias") || strstr(m->owner[0], "wild.")) { /* the second at every name below it too */
        memcpy(msg + n, cname, sizeof cname);
        n += sizeof cname;
        msg[n++] = 0;
        msg[n - sizeof cname - 1 + 11] = 5;
        msg[7] = 1;
    }
    msg[11] = 0;
    return n;
}

static void answer(int fd, uint8_t *msg, const struct message *m, bool fail)
{
    struct forge f = {.name = "k",
                      .alg = "hmac-sha256",
                      .md = EVP_sha256(),
                      .secret = secret,
                      .n_secret = sizeof secret - 1,
                      .fudge = 300,
                      .original_id = -1,
                      .when = (uint64_t)time(NULL)};
    size_t n = m->body;
    if (m->query) {
        n = answer_query(msg, m);
    } else {
        msg[2] |= 0x80;
        msg[3] = any(m, "no-") ? 5 : fail ? 2 : any(m, "auth-") || any(m, "knot-") ? 9 : any(m, "zone-") ? 10 : 0;
        f.error = any(m, "knot-") ? 17 : 0;
        f.no_mac = f.error != 0;
        f.wrong_mac = any(m, "forged");
        f.no_tsig = any(m, "unsigned");
        memset(msg + 8, 0, 4);
        memset(msg + 4, 0, 4);
        n = 12;
    }
    if (m->n_mac) {
        uint8_t mac[64];
        memcpy(mac, m->mac, m->n_mac);
        msg[10] = msg[11] = 0;
        n = forge_sign(msg, n, mac, m->n_mac, &f);
    }
    write_message(fd, msg, n);
}

static void behave(struct server *s, int fd, unsigned connection)
{
    static uint8_t msg[65535 + 200];
    static unsigned failures;
    struct message m;
    for (size_t n; (n = read_message(s, fd, msg));) {
        uint8_t *copy = mem_copy(msg, n);
        take_apart(&m, copy, n);
        bool close_now = any(&m, "drop") || (any(&m, "once") && connection == 0) || (m.n == 2 && any(&m, "alone-"));
        if (!close_now)
            answer(fd, msg, &m, any(&m, "full-") || (any(&m, "hiccup") && failures++ == 0));
        free(copy);
        if (close_now)
            return;
    }
}

static struct server server;
static struct net *net;
static struct provider *provider;
static const struct provider_ops *ops;
static struct conf *conf;
static bool waiting;
static struct err last;

static void finished(struct op *op, const struct err *e)
{
    (void)op;
    last = e ? *e : (struct err){0};
    waiting = false;
}

static bool turn(void *arg)
{
    (void)arg;
    return waiting;
}

static void run(void)
{
    waiting = true;
    loop_run(net_loop(net), turn, NULL);
}

static void open_with(const char *more)
{
    char text[512], path[] = "/tmp/test-rfc2136-XXXXXX";
    int fd = mkstemp(path); /* 0600 */
    assert_true(fd >= 0);
    dprintf(fd, "hmac-sha256:k:c2VjcmV0IG9mIHRoZSB0ZXN0cw==\n");
    close(fd);
    ops = provider_type("rfc2136");
    const struct conf_module modules[] = {{.kind = "provider", .type = "rfc2136", .keys = ops->keys}, {0}};
    snprintf(text, sizeof text, "[provider p]\ntype = rfc2136\nserver = 127.0.0.1:%u\nzones = " ZONE "\n%s%s\n%s", server.port,
             *more == '-' ? "" : "tsig_key_file = ", *more == '-' ? "" : path, *more == '-' ? "" : more);
    conf = conf_load_text("t.ini", text, strlen(text), modules);
    struct err e = {0};
    net = net_new(&(struct net_setup){.resolv_conf = "/dev/null"}, &e);
    assert_non_null(net);
    if (!ops->open(&provider, conf_provider(conf, "p"), net, &e))
        fail_msg("%s", e.text);
    unlink(path);
}

static void close_all(void)
{
    ops->close(provider);
    net_free(net);
    conf_free(conf);
    provider = NULL;
}

/* owner=RESULT, where RESULT is done or the code of its error; the number of messages it takes. */
static const struct {
    const char *batch;
    unsigned messages;
} batches[] = {
    {"a=done", 1},
    {"a=done b=done c=done d=done", 1},
    {"a=done no-b=UPDATE_REFUSED", 3},
    {"no-a=UPDATE_REFUSED", 1},
    {"a=done b=done c=done d=done e=done no-f=UPDATE_REFUSED g=done h=done", 7},
    {"no-a=UPDATE_REFUSED no-b=UPDATE_REFUSED no-c=UPDATE_REFUSED", 5},
    {"full-a=UPDATE_SERVFAIL", 2},
    {"a=done full-b=UPDATE_SERVFAIL c=done", 6},
    {"hiccup=done a=done", 2},
    {"knot-a=TSIG_BADKEY", 1},
    {"knot-a=TSIG_BADKEY knot-b=TSIG_BADKEY knot-c=TSIG_BADKEY knot-d=TSIG_BADKEY", 3},
    {"a=done b=done c=done knot-d=UPDATE_REFUSED", 5},
    {"knot-a=UPDATE_REFUSED b=done c=done d=done", 5},
    {"knot-a=UPDATE_REFUSED b=done", 4},
    {"a=done knot-b=UPDATE_REFUSED", 3},
    {"auth-a=UPDATE_NOTAUTH b=UPDATE_NOTAUTH c=UPDATE_NOTAUTH", 1},
    {"a=UPDATE_NOTZONE zone-b=UPDATE_NOTZONE", 1},
    {"unsigned=TSIG_UNSIGNED? b=TSIG_UNSIGNED?", 1},
    {"unsigned=UPDATE_REFUSED no-b=UPDATE_REFUSED", 1},
    {"forged=TSIG_BADSIG? b=TSIG_BADSIG?", 1},
    {"drop=UPDATE_UNSURE? b=UPDATE_UNSURE?", 1},
    {"alone-a=UPDATE_UNSURE? no-b=UPDATE_UNREACHABLE c=UPDATE_UNREACHABLE", 2},
    {"a..b=UPDATE_TOO_LARGE c=done", 0},
};

static void run_batch(size_t row)
{
    struct record rec[16];
    struct change c[16] = {0};
    char text[400], owner[16][64], *words = text;
    const char *want[16];
    size_t n = 0;
    snprintf(text, sizeof text, "%s", batches[row].batch);
    for (char *word; (word = strsep(&words, " ")); n++) {
        char *equals = strchr(word, '=');
        *equals = '\0';
        want[n] = equals + 1;
        snprintf(owner[n], sizeof owner[n], "%s." ZONE, word);
        rec[n] = (struct record){.owner = owner[n], .type = TYPE_TXT, .ttl = 60, .value = {(const uint8_t *)"v", 1}};
        c[n] = (struct change){.add = n % 2 == 0, .rec = &rec[n]};
    }
    struct batch b = {.zone = ZONE, .c = c, .n = n};
    unsigned before = server.messages;
    b.op.done = finished;
    ops->apply(provider, &b);
    run();
    bool all = true;
    for (size_t i = 0; i < n; i++) {
        const char *mark = c[i].result == CHANGE_UNSURE ? "?" : "", *got = c[i].result == CHANGE_DONE ? "done" : c[i].err.code;
        size_t len = strlen(want[i]);
        bool unsure = want[i][len - 1] == '?';
        all &= c[i].result == CHANGE_DONE;
        if (c[i].result == CHANGE_OPEN || strncmp(got, want[i], len - unsure) != 0 || strlen(got) != len - unsure ||
            unsure != (*mark == '?'))
            fail_msg("batch %zu (%s), %s: %s%s, %s", row, batches[row].batch, owner[i], got, mark, c[i].err.text);
    }
    if (all != (last.rc == RC_OK))
        fail_msg("batch %zu: result of the whole: %d", row, last.rc);
    if (batches[row].messages && server.messages - before != batches[row].messages)
        fail_msg("batch %zu (%s): %u messages", row, batches[row].batch, server.messages - before);
}

static void test_batches(void **state)
{
    (void)state;
    server_start(&server, behave, NULL);
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        open_with("");
        run_batch(i);
        close_all();
    }
    server_stop(&server);
}

static void read_one(const char *name, const char *code, size_t values, bool cname)
{
    char owner[80];
    snprintf(owner, sizeof owner, "%s." ZONE, name);
    struct rrset set[3] = {{.owner = "there." ZONE}, {.owner = owner}, {.owner = "absent." ZONE}};
    struct lookup l = {.zone = ZONE, .set = set, .n = 3};
    l.op.done = finished;
    ops->read(provider, &l);
    run();
    if ((last.rc != RC_OK) != (code != NULL) || (code && strcmp(code, last.code) != 0))
        fail_msg("%s: %s %s", name, last.code, last.text);
    if (!code) {
        assert_int_equal(set[0].n, 1);
        assert_int_equal(set[0].ttl, 3600);
        assert_int_equal(set[0].octets[0].n, 5);
        assert_memory_equal(set[0].octets[0].p, "abcde", 5);
        assert_int_equal(set[1].n, values);
        assert_int_equal(set[1].cname, cname);
        assert_int_equal(set[2].ttl, 0);
    }
    for (int i = 0; i < 3; i++) {
        assert_true(!code || set[i].n == 0); /* never a short set */
        rrset_clear(&set[i]);
    }
}

static void test_reads(void **state)
{
    (void)state;
    static const struct {
        const char *name, *code;
        size_t values;
        bool cname;
    } rows[] = {
        {"there", NULL, 1, false},
        {"empty", NULL, 0, false},
        {"absent", NULL, 0, false},
        {"alias", NULL, 0, true},
        {"wild", NULL, 0, false},
        {"once", NULL, 0, false},
        {"lame", "READ_NOT_AUTHORITATIVE", 0, false},
        {"refused", "READ_REFUSED", 0, false},
        {"broken", "READ_FAILED", 0, false},
        {"drop", "STREAM_UNSURE", 0, false},
    };
    static const char *const how[] = {"", "sign_query = yes\n", "-"};
    for (size_t k = 0; k < sizeof how / sizeof *how; k++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            server_start(&server, behave, NULL);
            open_with(how[k]);
            read_one(rows[i].name, rows[i].code, rows[i].values, rows[i].cname);
            close_all();
            server_stop(&server);
        }
    }
}

static void test_unreachable(void **state)
{
    (void)state;
    server_start(&server, behave, NULL);
    open_with("");
    server_stop(&server);
    struct record rec = {.owner = "a." ZONE, .type = TYPE_TXT, .ttl = 60, .value = {(const uint8_t *)"v", 1}};
    struct change c = {.add = true, .rec = &rec};
    struct batch b = {.zone = ZONE, .c = &c, .n = 1};
    b.op.done = finished;
    ops->apply(provider, &b);
    run();
    assert_int_equal(c.result, CHANGE_REFUSED);
    assert_string_equal(c.err.code, "UPDATE_UNREACHABLE");
    assert_int_equal(last.rc, RC_NET);
    assert_true(c.err.again);
    ops->apply(provider, &b);
    op_cancel(&b.op);
    struct rrset set = {.owner = "a." ZONE};
    struct lookup l = {.zone = ZONE, .set = &set, .n = 1};
    l.op.done = finished;
    ops->read(provider, &l);
    op_cancel(&l.op);
    l.n = 0;
    ops->read(provider, &l);
    run();
    assert_int_equal(last.rc, RC_OK);
    b.n = 0;
    ops->apply(provider, &b);
    run();
    assert_int_equal(last.rc, RC_OK);
    close_all();
}

static void test_unsigned(void **state)
{
    (void)state;
    static const struct {
        const char *name, *code;
    } rows[] = {{"a", NULL}, {"no-a", "UPDATE_REFUSED"}, {"auth-a", "UPDATE_NOTAUTH"}};
    server_start(&server, behave, NULL);
    open_with("-");
    for (size_t i = 0; i < 3; i++) {
        char owner[2][80];
        snprintf(owner[0], 80, "%s." ZONE, rows[i].name);
        snprintf(owner[1], 80, "other." ZONE);
        struct record rec[2] = {{.owner = owner[0], .type = TYPE_TXT, .ttl = 60}, {.owner = owner[1], .type = TYPE_TXT, .ttl = 60}};
        struct change c[2] = {{.add = true, .rec = &rec[0]}, {.add = true, .rec = &rec[1]}};
        struct batch b = {.zone = ZONE, .c = c, .n = 2};
        unsigned before = server.messages;
        b.op.done = finished;
        ops->apply(provider, &b);
        run();
        assert_int_equal(c[1].result, rows[i].code ? CHANGE_REFUSED : CHANGE_DONE);
        if (rows[i].code)
            assert_string_equal(c[0].err.code, rows[i].code);
        assert_int_equal(server.messages - before, 1);
    }
    close_all();
    server_stop(&server);
}

static void test_sets(void **state)
{
    (void)state;
    struct rrset s = {.owner = "o"};
    assert_false(rrset_has(&s, (struct bytes){NULL, 0}));
    rrset_add(&s, (const uint8_t *)"", 0);
    rrset_add(&s, (const uint8_t *)"a\0b", 3);
    assert_true(rrset_has(&s, (struct bytes){NULL, 0}));
    assert_true(rrset_has(&s, (struct bytes){(const uint8_t *)"a\0b", 3}));
    assert_false(rrset_has(&s, (struct bytes){(const uint8_t *)"a\0c", 3}));
    assert_false(rrset_has(&s, (struct bytes){(const uint8_t *)"a", 1}));
    rrset_clear(&s);
    assert_int_equal(s.n, 0);
    assert_string_equal(s.owner, "o");
    assert_null(provider_type("nothing"));
    assert_null(provider_type(NULL));
    assert_string_equal(provider_type("rfc2136")->type, "rfc2136");
}

/* Zones do not wait for each other's answers, and what is sent for one zone keeps its order. */
static void test_lines(void **state)
{
    (void)state;
    struct stream *of[3 * LINES_MAX];
    char zone[40];
    server_start(&server, behave, NULL);
    open_with("");
    for (unsigned i = 0; i < 3 * LINES_MAX; i++) {
        snprintf(zone, sizeof zone, "z%u.test", i);
        of[i] = rfc2136_stream(provider, zone);
        for (unsigned k = 0; k < i && i < LINES_MAX; k++)
            assert_ptr_not_equal(of[i], of[k]);
    }
    assert_int_equal(provider->n_line, LINES_MAX);
    for (unsigned i = 0; i < 3 * LINES_MAX; i++) {
        snprintf(zone, sizeof zone, "z%u.test", i);
        assert_ptr_equal(of[i], rfc2136_stream(provider, zone));
    }
    close_all();
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches),  cmocka_unit_test(test_reads), cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_unsigned), cmocka_unit_test(test_sets),  cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
