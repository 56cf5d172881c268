/* secure_server.h: a DNS server over TLS and over HTTPS in child processes, on one port of 127.0.0.1; it tells them apart by the first octets. What it does
 * depends on the first label of the question:
 *   ok...    TXT "hello"                             once     the same, then it ends the connection
 *   drop     ends the connection without an answer   silent   never answers
 *   bits     answers octet by octet                  zero     an empty frame, or an empty body
 *   other    the answer to another question          flood    answers that nobody asked for, without end
 *   status   HTTP 503                                html     200 with a page
 *   large    200 with more than a message can hold
 * Included by one test. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/ssl.h>

struct secure_server {
    pid_t pid;
    uint16_t port;
};
static volatile unsigned *secure_connections;

static bool secure_read(SSL *s, uint8_t *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        int got = SSL_read(s, p + at, (int)(n - at));
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

static bool secure_is(const uint8_t *q, const char *word)
{
    return !strncasecmp((const char *)q + 13, word, strlen(word));
}

/* Of q, n octets, with an OPT record behind its question or not. */
static size_t secure_answer(const uint8_t *q, uint8_t *a)
{
    size_t at = 12;
    while (q[at])
        at += (size_t)q[at] + 1;
    at += 5;
    memcpy(a, q, at);
    memcpy(a + 2, "\x84\0\0\1\0\1\0\0\0\0", 10);
    a[2] |= q[2] & 1;
    if (secure_is(q, "other"))
        a[13] ^= 1;
    memcpy(a + at, "\xc0\x0c\0\x10\0\1\0\0\0\x3c\0\6\5hello", 18);
    return at + 18;
}

/* false: the connection ends. */
static bool secure_frame(SSL *s, const uint8_t *q)
{
    uint8_t a[600];
    size_t n = secure_answer(q, a + 2) + 2;
    a[0] = 0;
    a[1] = (uint8_t)(n - 2);
    if (secure_is(q, "drop"))
        return false;
    if (secure_is(q, "silent"))
        return true;
    if (secure_is(q, "zero"))
        return SSL_write(s, "\0\0", 2) == 2;
    for (size_t i = 0; secure_is(q, "bits") && i < n; i++)
        if (SSL_write(s, a + i, 1) != 1)
            return false;
    for (a[2] ^= 0x80; secure_is(q, "flood");)
        if (SSL_write(s, a, (int)n) <= 0)
            return false;
    a[2] ^= 0x80;
    return secure_is(q, "bits") || (SSL_write(s, a, (int)n) > 0 && !secure_is(q, "once"));
}

static bool secure_post(SSL *s, const uint8_t *q)
{
    static uint8_t page[70000];
    uint8_t a[600];
    char head[200];
    const uint8_t *body = a;
    size_t n = secure_answer(q, a);
    const char *status = secure_is(q, "status") ? "503 Busy" : "200 OK";
    const char *type = secure_is(q, "html") ? "text/html" : "application/dns-message";
    if (secure_is(q, "drop"))
        return false;
    if (secure_is(q, "silent"))
        return true;
    if (secure_is(q, "zero"))
        n = 0;
    if (secure_is(q, "large")) {
        body = page;
        n = sizeof page;
    }
    int length = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", status, type, n);
    return SSL_write(s, head, length) == length && (!n || SSL_write(s, body, (int)n) == (int)n) && !secure_is(q, "once");
}

static void secure_talk(SSL *s)
{
    uint8_t in[4096], first[2];
    while (secure_read(s, first, 2)) {
        bool http = !memcmp(first, "PO", 2);
        size_t n = http ? 0 : (size_t)first[0] << 8 | first[1];
        char head[2048] = "";
        for (size_t i = 0; http && i < sizeof head - 1 && !strstr(head, "\r\n\r\n"); i++)
            if (!secure_read(s, (uint8_t *)head + i, 1))
                return;
        const char *length = strstr(head, "Content-Length: ");
        n = length ? strtoul(length + 16, NULL, 10) : n;
        if (n > sizeof in || !secure_read(s, in, n) || !(http ? secure_post : secure_frame)(s, in))
            return;
    }
}

static void secure_serve(int fd, const char *chain, const char *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    if (SSL_CTX_use_certificate_chain_file(ctx, chain) != 1 || SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        _exit(1);
    for (;;) {
        int c = accept(fd, NULL, NULL);
        if (c < 0 || fork() != 0) {
            close(c);
            continue;
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int one = 1;
        setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        SSL *s = SSL_new(ctx);
        SSL_set_fd(s, c);
        if (SSL_accept(s) == 1) {
            __atomic_add_fetch(secure_connections, 1, __ATOMIC_SEQ_CST);
            secure_talk(s);
            SSL_shutdown(s);
        }
        _exit(0);
    }
}

static int secure_listen(uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 200) != 0 || getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        abort();
    *port = ntohs(a.sin_port);
    return fd;
}

static struct secure_server secure_start(const char *chain, const char *key)
{
    struct secure_server s = {0};
    int fd = secure_listen(&s.port);
    secure_connections = mmap(NULL, sizeof *secure_connections, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    s.pid = fork();
    if (s.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        secure_serve(fd, chain, key);
        _exit(0);
    }
    close(fd);
    return s;
}

static void secure_stop(struct secure_server *s)
{
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
}
