/* HTTPS requests on a real server, and what is read out of an answer's head. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "https_server.h"
#include "http2_server.h"
#include "net/http.h"
#include "pki.h"
#include "tcp_server.h"

static struct net *net;
static struct https_server server;
static char dir[] = "/tmp/dcv-http-XXXXXX", ca_file[64], other_file[64];

static void write_file(const char *name, const char *text, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int setup(void **state)
{
    (void)state;
    int64_t now = clock_now();
    char chain[64], key_path[64];
    struct secret key = {0};
    assert_non_null(mkdtemp(dir));
    X509 *root = pki_cert(&(struct pki_spec){.cn = "Root", .ca = true, .key = pki_key(1), .from = now - DAY, .to = now + DAY});
    X509 *other = pki_cert(&(struct pki_spec){.cn = "Other", .ca = true, .key = pki_key(3), .from = now - DAY, .to = now + DAY});
    X509 *leaf = pki_cert(&(struct pki_spec){.cn = "localhost",
                                             .names = "localhost",
                                             .eku = "serverAuth",
                                             .key = pki_key(2),
                                             .issuer = root,
                                             .issuer_key = pki_key(1),
                                             .from = now - DAY,
                                             .to = now + DAY});
    char *pem = pki_pem(root), *other_pem = pki_pem(other), *leaf_pem = pki_pem(leaf);
    pki_secret(pki_key(2), &key);
    write_file("ca.pem", pem, ca_file, sizeof ca_file);
    write_file("other.pem", other_pem, other_file, sizeof other_file);
    write_file("leaf.pem", leaf_pem, chain, sizeof chain);
    write_file("leaf.key", (const char *)key.p, key_path, sizeof key_path);
    free(pem);
    free(other_pem);
    free(leaf_pem);
    secret_free(&key);
    server = https_start(chain, key_path);
    net = net_new(&(struct net_setup){.resolv_conf = "/dev/null"}, NULL);
    return net ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    static const char *const files[] = {"ca.pem", "other.pem", "leaf.pem", "leaf.key"};
    char path[64];
    net_free(net);
    https_stop(&server);
    pki_free();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    return rmdir(dir);
}

/* --- heads ----------------------------------------------------------------------------------------------------------------------------- */

static void with_head(struct http *h, const char *head)
{
    *h = (struct http){.head = STR_INIT(65536)};
    str_add(&h->head, head);
}

static void fields_of_a_head(void **state)
{
    (void)state;
    struct http h;
    char out[16];
    with_head(&h, "HTTP/2 200\r\ncontent-type: a\r\nX: 1\r\nx:  two \t\r\nempty:\r\nlong: 0123456789abcdef\r\n\r\n");
    assert_true(http_header(&h, "Content-Type", out, sizeof out));
    assert_string_equal(out, "a");
    assert_true(http_header(&h, "X", out, sizeof out));
    assert_string_equal(out, "two");
    assert_true(http_header(&h, "Empty", out, sizeof out));
    assert_string_equal(out, "");
    assert_false(http_header(&h, "Long", out, sizeof out));
    assert_false(http_header(&h, "Content", out, sizeof out));
    assert_false(http_header(&h, "HTTP/2 200", out, sizeof out));
    http_clear(&h);
}

static void moments_to_come_back(void **state)
{
    (void)state;
    enum { NOW = 1800000000 }; /* Fri, 15 Jan 2027 08:00:00 GMT */
    static const struct {
        const char *text;
        int64_t at;
    } table[] = {{"120", NOW + 120},
                 {"0", NOW},
                 {"-5", NOW},
                 {"999999999", NOW + DAY},
                 {"99999999999999999999", NOW + DAY},
                 {"Fri, 15 Jan 2027 08:01:00 GMT", NOW + 60},
                 {"Fri, 15 Jan 2027 07:00:00 GMT", NOW},
                 {"Sun, 15 Jan 2040 08:00:00 GMT", NOW + DAY},
                 {"", 0},
                 {"soon", 0},
                 {"12 s", 0},
                 {"Fri, 15 Jan 2027", 0}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct http h;
        char *head = mem_fmt("HTTP/1.1 429 x\r\nRetry-After: %s\r\n\r\n", table[i].text);
        with_head(&h, head);
        if (http_retry_after(&h, NOW) != table[i].at)
            fail_msg("%s: %lld", table[i].text, (long long)http_retry_after(&h, NOW));
        http_clear(&h);
        free(head);
    }
    struct http h;
    with_head(&h, "HTTP/1.1 429 x\r\n\r\n");
    assert_int_equal(http_retry_after(&h, NOW), 0);
    http_clear(&h);
}

static void links_of_a_relation(void **state)
{
    (void)state;
    static const struct {
        const char *head, *wanted;
    } table[] = {
        {"Link: <https://a/1>;rel=\"alternate\"\r\n", "https://a/1"},
        {"link: <https://a/1>; rel=alternate\r\nLink: <https://a/2>;rel=\"alternate\"\r\n", "https://a/1 https://a/2"},
        {"Link: <https://a/1>;rel=\"up\", <https://a/2>;rel=\"alternate\", <https://a/3>; title=\"x, <y>\"; rel=\"Alternate index\"\r\n",
         "https://a/2 https://a/3"},
        {"Link: <https://a/1,2>;rel=\"alternate\"\r\n", "https://a/1,2"},
        {"Link: <https://a/1>;rel=\"alternates\"\r\n", ""},
        {"Link: <https://a/1>;xrel=\"alternate\"\r\n", ""},
        {"Link: <https://a/1;rel=\"alternate\"\r\n", ""},
        {"Link: https://a/1;rel=\"alternate\"\r\n", ""},
        {"Link: <https://a/0123456789012345678901234567890123456789>;rel=\"alternate\"\r\n", ""},
        {"Link:\r\n", ""},
        {"Link: <\r\n", ""},
        {"Link: ,,,\r\n", ""},
        {"Link: <https://a/1>;rel=\"\r\n", ""},
        {"Linkage: <https://a/1>;rel=\"alternate\"\r\n", ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct http h;
        struct strs all = {0};
        char url[32];
        with_head(&h, table[i].head);
        for (size_t at = 0; http_link(&h, "alternate", &at, url, sizeof url);)
            strs_add(&all, url);
        char *got = strs_join(&all, " ");
        assert_string_equal(got, table[i].wanted);
        free(got);
        strs_free(&all);
        http_clear(&h);
    }
}

static void origins(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool plain;
        const char *origin; /* NULL: refused */
    } table[] = {
        {"https://CA.Example/dir?x", false, "https://ca.example:443"},
        {"https://ca.example:14000", false, "https://ca.example:14000"},
        {"https://[2001:db8::1]:8/", false, "https://[2001:db8::1]:8"},
        {"http://ca.example/", true, "http://ca.example:80"},
        {"http://ca.example/", false, NULL},
        {"https://user@ca.example/", false, NULL},
        {"https://user:pw@ca.example/", false, NULL},
        {"ftp://ca.example/", true, NULL},
        {"file:///etc/passwd", true, NULL},
        {"javascript:alert(1)", true, NULL},
        {"/dir", false, NULL},
        {"https://", false, NULL},
        {"https://a b/", false, NULL},
        {"https://ca.example:99999/", false, NULL},
        {"https://ca.example\n.evil/", false, NULL},
        {"", false, NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char out[280] = "";
        bool ok = http_origin(table[i].url, table[i].plain, out, sizeof out);
        if (ok != (table[i].origin != NULL) || (ok && strcmp(out, table[i].origin) != 0))
            fail_msg("%s: %s", table[i].url, ok ? out : "refused");
    }
    char small[12];
    assert_false(http_origin("https://ca.example/", false, small, sizeof small));
}

/* --- transfers -------------------------------------------------------------------------------------------------------------------------- */

static unsigned pending;
static struct err last;

static void done(struct op *op, const struct err *e)
{
    (void)op;
    last = e ? *e : (struct err){0};
    pending--;
}

static bool turn(void *arg)
{
    (void)arg;
    return pending > 0;
}

static void run(void)
{
    loop_run(net_loop(net), turn, NULL);
}

static struct http_client *client(const char *ca)
{
    struct http_client *c = http_client_new(net, &(struct http_setup){.ca_file = ca, .agent = "test"}, NULL);
    assert_non_null(c);
    return c;
}

static char *url_of(const char *path)
{
    return mem_fmt("https://localhost:%u%s", (unsigned)server.port, path);
}

/* Asks and waits; h is to be cleared. */
static void ask(struct http_client *c, struct http *h, const char *method, const char *path)
{
    char *url = url_of(path);
    h->op = (struct op){.done = done};
    h->method = method;
    h->url = url;
    pending = 1;
    http_start(c, h);
    assert_int_equal(pending, 1);
    run();
    free(url);
}

static void answers_come_as_they_are(void **state)
{
    (void)state;
    struct http_client *c = client(ca_file);
    struct strs headers = {0};
    struct http h = {0};
    char value[64];
    size_t at = 0;
    ask(c, &h, "GET", "/hello");
    assert_int_equal(last.rc, RC_OK);
    assert_int_equal(h.status, 200);
    assert_string_equal(str_text(&h.in), "hello");
    assert_true(h.sent);
    assert_true(http_header(&h, "replay-nonce", value, sizeof value));
    assert_string_equal(value, "xyz");
    assert_true(http_link(&h, "alternate", &at, value, sizeof value));
    assert_string_equal(value, "https://a.example/2");
    http_clear(&h);
    ask(c, &h, "HEAD", "/hello");
    assert_int_equal(h.in.n, 0);
    assert_true(http_header(&h, "Replay-Nonce", value, sizeof value));
    http_clear(&h);
    strs_add(&headers, "X-Test: field");
    h.headers = &headers;
    h.body = (struct bytes){(const uint8_t *)"the body", 8};
    ask(c, &h, "POST", "/echo");
    assert_string_equal(str_text(&h.in), "POST the body field");
    http_clear(&h);
    h.body = (struct bytes){0};
    ask(c, &h, "POST", "/echo");
    assert_string_equal(str_text(&h.in), "POST  field");
    http_clear(&h);
    ask(c, &h, "DELETE", "/echo");
    assert_string_equal(str_text(&h.in), "DELETE  field");
    http_clear(&h);
    ask(c, &h, "GET", "/moved");
    assert_int_equal(h.status, 302);
    assert_string_equal(str_text(&h.in), "moved");
    http_clear(&h);
    ask(c, &h, "GET", "/teapot");
    assert_int_equal(last.rc, RC_OK);
    assert_int_equal(h.status, 418);
    http_clear(&h);
    assert_int_equal(http_client_requests(c), 7);
    strs_free(&headers);
    http_client_free(c);
}

static void fails(struct http_client *c, const char *path, size_t max, uint32_t limit, const char *code, bool sent)
{
    struct http h = {.max = max, .limit_ms = limit};
    ask(c, &h, "GET", path);
    if (!last.code || strcmp(last.code, code) != 0 || h.sent != sent)
        fail_msg("%s: %s %s, sent %d", path, last.code, last.text, h.sent);
    assert_int_equal(last.rc, RC_NET);
    assert_true(last.again);
    assert_true(h.in.n <= (max ? max : 1 << 20));
    http_clear(&h);
}

static void bad_servers(void **state)
{
    (void)state;
    struct http_client *c = client(ca_file), *stranger = client(other_file), *system = client(NULL);
    fails(c, "/big", 1000, 0, "HTTP_LARGE", true);
    fails(c, "/big", 0, 0, "HTTP_LARGE", true);
    fails(c, "/head", 0, 0, "HTTP_LARGE", true);
    fails(c, "/slow", 0, 300, "HTTP_TIMEOUT", true);
    fails(c, "/cut", 0, 0, "HTTP_BROKEN", true);
    fails(c, "/packed", 0, 0, "HTTP_PACKED", true);
    struct http h = {0};
    ask(c, &h, "GET", "/charset"); /* no packing, a mistake: what comes is what is meant */
    assert_int_equal(last.rc, RC_OK);
    assert_string_equal(str_text(&h.in), "hello");
    http_clear(&h);
    fails(c, "/close", 0, 0, "HTTP_BROKEN", true);
    fails(stranger, "/hello", 0, 0, "HTTP_TLS", false);
    fails(system, "/hello", 0, 0, "HTTP_TLS", false);
    http_client_free(system);
    http_client_free(stranger);
    http_client_free(c);
}

/* The connection was good a moment ago and ends without an answer: only what may come twice is sent again. */
static void sent_once(void **state)
{
    (void)state;
    static const struct {
        const char *method, *body;
        bool repeatable;
        int closed;
    } table[] = {{"POST", "an order", false, 1}, {"POST", "an order", true, 2}, {"POST", "", false, 1},  {"GET", "", false, 1},
                 {"PATCH", "", false, 1},        {"GET", "", true, 2},          {"DELETE", "", false, 2}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct http_client *c = client(ca_file);
        struct http h = {0};
        ask(c, &h, "GET", "/hello");
        assert_int_equal(last.rc, RC_OK);
        http_clear(&h);
        *https_closed = 0;
        h.body = (struct bytes){(const uint8_t *)table[i].body, strlen(table[i].body)};
        h.repeatable = table[i].repeatable;
        ask(c, &h, table[i].method, "/close");
        assert_string_equal(last.code, "HTTP_BROKEN");
        assert_true(h.sent);
        if (*https_closed != table[i].closed)
            fail_msg("%s: %d times", table[i].method, *https_closed);
        http_clear(&h);
        http_client_free(c);
    }
}

static void urls_that_are_not_asked(void **state)
{
    (void)state;
    static const struct {
        const char *url, *code;
    } table[] = {{"http://localhost/", "HTTP_URL"},
                 {"https://user@localhost/", "HTTP_URL"},
                 {"file:///etc/passwd", "HTTP_URL"},
                 {"https://nosuch.invalid/", "HTTP_RESOLVE"},
                 {"https://127.0.0.1:1/", "HTTP_CONNECT"}};
    struct http_client *c = client(ca_file);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct http h = {.op = {.done = done}, .method = "GET", .url = table[i].url};
        pending = 1;
        http_start(c, &h);
        run();
        assert_string_equal(last.code, table[i].code);
        assert_false(h.sent);
        http_clear(&h);
    }
    http_client_free(c);
}

/* An answer whose end arrived with its beginning is whole at once, whatever its size. */
static void frames_of_any_size(void **state)
{
    (void)state;
    char chain[64], key[64], url[64];
    snprintf(chain, sizeof chain, "%s/leaf.pem", dir);
    snprintf(key, sizeof key, "%s/leaf.key", dir);
    struct https_server two = http2_start(chain, key);
    struct http_client *c = client(ca_file);
    snprintf(url, sizeof url, "https://localhost:%u/", (unsigned)two.port);
    for (size_t i = 0; i < sizeof http2_sizes / sizeof *http2_sizes; i++) {
        struct http h = {.op = {.done = done}, .method = "GET", .url = url, .limit_ms = 5000, .repeatable = true};
        pending = 1;
        http_start(c, &h);
        run();
        if (last.rc != RC_OK || h.in.n != http2_sizes[i])
            fail_msg("%zu octets: %s, %zu came", http2_sizes[i], last.text, h.in.n);
        http_clear(&h);
    }
    http_client_free(c);
    https_stop(&two);
}

struct memory {
    const char *at;
    unsigned asked, learned;
    char last[128];
};

static char *recall(void *owner, const char *host)
{
    struct memory *m = owner;
    m->asked++;
    assert_string_equal(host, "localhost");
    return mem_str(m->at);
}

static void learn(void *owner, const char *host, const char *addresses)
{
    struct memory *m = owner;
    m->learned++;
    assert_string_equal(host, "localhost");
    snprintf(m->last, sizeof m->last, "%s", addresses);
}

/* /etc/hosts is an order, which no memory goes before; and what it says is learned, if it is new. */
static void the_hosts_file_before_memory(void **state)
{
    (void)state;
    struct memory m = {.at = "127.9.9.9"};
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(server.port), .sin_addr.s_addr = inet_addr(m.at)};
    int trap = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(trap, (struct sockaddr *)&there, sizeof there) | listen(trap, 4), 0);
    for (int round = 0; round < 2; round++) {
        struct http_client *c =
            http_client_new(net, &(struct http_setup){.ca_file = ca_file, .memory = {.owner = &m, .recall = recall, .learn = learn}}, NULL);
        struct http h = {0};
        ask(c, &h, "GET", "/hello");
        if (last.rc != RC_OK || h.status != 200)
            fail_msg("round %d: %s", round, last.text);
        http_clear(&h);
        ask(c, &h, "GET", "/hello");
        http_clear(&h);
        http_client_free(c);
        m.at = m.last;
    }
    assert_int_equal(m.asked, 2);   /* once a client */
    assert_int_equal(m.learned, 1); /* the second time it is nothing new */
    assert_non_null(strstr(m.last, "127.0.0.1"));
    assert_int_equal(accept(trap, NULL, NULL), -1);
    close(trap);
}

/* Who lets others go first is not forgotten when they answer, fail, or are cancelled before they left. */
static void the_patient_come_too(void **state)
{
    (void)state;
    enum { ANSWERS, FAILS, CANCELLED };
    for (int first = ANSWERS; first <= CANCELLED; first++) {
        struct http_client *c = client(ca_file);
        char *url = url_of("/hello"), *close = url_of("/close");
        struct http urgent = {.op = {.done = done}, .method = "GET", .url = first == FAILS ? close : url}, patient[20];
        pending = 21;
        http_start(c, &urgent);
        for (int i = 0; i < 20; i++) {
            patient[i] = (struct http){.op = {.done = done}, .method = "HEAD", .url = url, .patient = true};
            http_start(c, &patient[i]);
        }
        if (first == CANCELLED) {
            op_cancel(&urgent.op);
            pending--;
        }
        op_cancel(&patient[3].op);
        pending--;
        run();
        for (int i = 0; i < 20; i++) {
            assert_int_equal(patient[i].status, i == 3 ? 0 : 200);
            http_clear(&patient[i]);
        }
        http_clear(&urgent);
        http_client_free(c);
        free(url);
        free(close);
    }
}

/* More than curl is given at once; some are cancelled on the way. */
static void many_side_by_side(void **state)
{
    (void)state;
    enum { MANY = 400 };
    struct http_client *c = client(ca_file);
    struct http *h = mem_array(MANY, sizeof *h);
    char *url = url_of("/hello"), *slow = url_of("/slow");
    struct http stuck = {.op = {.done = done}, .method = "GET", .url = slow}, early = stuck;
    pending = 0;
    http_start(c, &early);
    op_cancel(&early.op);
    http_start(c, &stuck);
    for (int i = 0; i < MANY; i++) {
        h[i] = (struct http){.op = {.done = done}, .method = i % 3 ? "GET" : "HEAD", .url = url};
        pending++;
        http_start(c, &h[i]);
    }
    for (int i = 0; i < MANY; i += 7) {
        op_cancel(&h[i].op);
        pending--;
    }
    op_cancel(&stuck.op);
    run();
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(h[i].status, i % 7 ? 200 : 0);
        http_clear(&h[i]);
    }
    http_clear(&stuck);
    http_clear(&early);
    free(h);
    free(url);
    free(slow);
    http_client_free(c);
}

/* A proxy that answers by itself. */
static void be_a_proxy(struct server *s, int fd, unsigned connection)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nproxy";
    char request[4096] = "";
    (void)s;
    (void)connection;
    for (size_t n = 0; n + 1 < sizeof request && !strstr(request, "\r\n\r\n");) {
        ssize_t k = recv(fd, request + n, sizeof request - 1 - n, 0);
        if (k <= 0)
            return;
        n += (size_t)k;
    }
    send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
}

/* The environment's proxies are not asked, nor does it say who is reached without the configured one. */
static void proxy_of_the_configuration_alone(void **state)
{
    (void)state;
    struct server proxy;
    struct http h = {.op = {.done = done}, .method = "GET", .url = "http://no-such-host.example/", .limit_ms = 5000};
    server_start(&proxy, be_a_proxy, NULL);
    char *url = mem_fmt("http://127.0.0.1:%u", (unsigned)proxy.port);
    setenv("no_proxy", "*", 1);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    struct http_client *c = http_client_new(net, &(struct http_setup){.proxy = url, .plain = true}, NULL);
    pending = 1;
    http_start(c, &h);
    run();
    if (last.rc != RC_OK || strcmp(str_text(&h.in), "proxy") != 0)
        fail_msg("the proxy was not asked: %s", last.text);
    http_clear(&h);
    http_client_free(c);
    server_stop(&proxy);
    unsetenv("no_proxy");
    unsetenv("http_proxy");
    free(url);
}

/* A server that resets the connection right behind its answer, both before the client looks: the client's thread is held meanwhile. */
static atomic_bool held, let_go;
static pthread_t client_thread;

static void hold(int sig)
{
    (void)sig;
    held = true;
    while (!let_go)
        ;
}

static void be_hasty(struct server *s, int fd, unsigned connection)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhaste";
    char request[4096];
    (void)s;
    (void)connection;
    if (recv(fd, request, sizeof request, 0) <= 0)
        return;
    pthread_kill(client_thread, SIGUSR1);
    while (!held)
        ;
    send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(null, fd); /* closes it, which with a linger of zero is a reset */
    close(null);
    let_go = true;
}

static void an_answer_before_a_reset(void **state)
{
    (void)state;
    struct server hasty;
    struct http h = {.op = {.done = done}, .method = "POST", .body = {(const uint8_t *)"x", 1}, .limit_ms = 5000};
    struct http_client *c = http_client_new(net, &(struct http_setup){.plain = true}, NULL);
    client_thread = pthread_self();
    signal(SIGUSR1, hold);
    server_start(&hasty, be_hasty, NULL);
    char *url = mem_fmt("http://127.0.0.1:%u/", (unsigned)hasty.port);
    h.url = url;
    pending = 1;
    http_start(c, &h);
    run();
    if (last.rc != RC_OK || strcmp(str_text(&h.in), "haste") != 0)
        fail_msg("the answer was lost: %s", last.text);
    http_clear(&h);
    http_client_free(c);
    server_stop(&hasty);
    signal(SIGUSR1, SIG_DFL);
    free(url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_a_head),
        cmocka_unit_test(moments_to_come_back),
        cmocka_unit_test(links_of_a_relation),
        cmocka_unit_test(origins),
        cmocka_unit_test(answers_come_as_they_are),
        cmocka_unit_test(bad_servers),
        cmocka_unit_test(sent_once),
        cmocka_unit_test(urls_that_are_not_asked),
        cmocka_unit_test(many_side_by_side),
        cmocka_unit_test(frames_of_any_size),
        cmocka_unit_test(the_patient_come_too),
        cmocka_unit_test(the_hosts_file_before_memory),
        cmocka_unit_test(proxy_of_the_configuration_alone),
        cmocka_unit_test(an_answer_before_a_reset),
    };
    return cmocka_run_group_tests_name("http", tests, setup, teardown);
}
