/* https_server.h: an HTTP/1.1 server with TLS in a child process, on 127.0.0.1. What it does depends on the path:
 *   /hello     200, "hello", two Link fields           /echo     200, method, blank, body, blank, the X-Test field
 *   /moved     302 to /hello                           /teapot   418 with a body
 *   /big       200, a body without end                 /head     a header without end
 *   /slow      nothing                                 /cut      half of the body it announces, then it closes
 *   /close     closes before any answer; counted in https_closed
 *   /cookie    200, the Cookie field                   /give     302 to /cookie, sets S=1 for all paths
 *   /round     302 to itself                           /foreign  302 to https://evil.example/
 *   /plain     302 to http://localhost/hello           /resend   307 to /echo
 *   /packed    200, "hello" by gzip                    /charset  200, "hello", a charset for a coding
 *   /lost      what was posted is taken, then it closes; counted in https_closed
 * Included by one test. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/ssl.h>

struct https_server {
    pid_t pid;
    uint16_t port;
};

static volatile int *https_closed;

static void https_say(SSL *s, const char *text)
{
    SSL_write(s, text, (int)strlen(text));
}

static void https_body(SSL *s, const char *head, const char *body)
{
    char text[8192];
    snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", head, strlen(body), body);
    https_say(s, text);
}

static void https_endless(SSL *s, const char *start, const char *more)
{
    https_say(s, start);
    while (SSL_write(s, more, (int)strlen(more)) > 0)
        ;
}

/* false: the connection ends. */
static bool https_answer(SSL *s, const char *request, const char *body)
{
    char method[16], path[64], echo[4096], field[64] = "";
    const char *x = strstr(request, "X-Test: ");
    if (sscanf(request, "%15s %63s", method, path) != 2)
        return false;
    if (x)
        sscanf(x + 8, "%63[^\r]", field);
    bool head = !strcmp(method, "HEAD");
    if (!strcmp(path, "/hello"))
        https_say(s, head ? "HTTP/1.1 200 OK\r\nReplay-Nonce: abc\r\nContent-Length: 5\r\n\r\n"
                          : "HTTP/1.1 200 OK\r\nLink: <https://a.example/1>;rel=\"up\"\r\nlink: <https://a.example/2>; rel=\"alternate\"\r\n"
                            "Replay-Nonce:  xyz \r\nContent-Length: 5\r\n\r\nhello");
    else if (!strcmp(path, "/echo")) {
        snprintf(echo, sizeof echo, "%s %.2000s %s", method, body, field);
        https_body(s, "200 OK", echo);
    } else if (!strcmp(path, "/cookie")) {
        const char *c = strstr(request, "\r\nCookie: "), *referer = strstr(request, "\r\nReferer: "), *origin = strstr(request, "\r\nOrigin: ");
        snprintf(echo, sizeof echo, "%s [%.*s] [%.*s] [%.*s]", method, c ? (int)strcspn(c + 10, "\r") : 0, c ? c + 10 : "",
                 referer ? (int)strcspn(referer + 11, "\r") : 0, referer ? referer + 11 : "", origin ? (int)strcspn(origin + 10, "\r") : 0,
                 origin ? origin + 10 : "");
        https_body(s, "200 OK", echo);
    } else if (!strcmp(path, "/give"))
        https_body(s, "302 Found\r\nSet-Cookie: S=1; Path=/; HttpOnly\r\nLocation: cookie#top", "given");
    else if (!strcmp(path, "/round"))
        https_body(s, "302 Found\r\nLocation: /round", "");
    else if (!strcmp(path, "/foreign"))
        https_body(s, "302 Found\r\nLocation: https://evil.example/", "");
    else if (!strcmp(path, "/plain"))
        https_body(s, "302 Found\r\nLocation: http://localhost/hello", "");
    else if (!strcmp(path, "/resend"))
        https_body(s, "307 Temporary Redirect\r\nLocation: /echo", "");
    else if (!strcmp(path, "/moved"))
        https_body(s, "302 Found\r\nLocation: /hello", "moved");
    else if (!strcmp(path, "/teapot"))
        https_body(s, "418 I am a teapot", "short and stout");
    else if (!strcmp(path, "/packed")) {
        if (!strstr(request, "\r\nAccept-Encoding: identity\r\n"))
            return false;
        https_say(s, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n\r\n");
        SSL_write(s, "\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0", 25);
    } else if (!strcmp(path, "/charset"))
        https_body(s, "200 OK\r\nContent-Encoding: UTF-8", "hello");
    else if (!strcmp(path, "/big"))
        https_endless(s, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    else if (!strcmp(path, "/head"))
        https_endless(s, "HTTP/1.1 200 OK\r\n", "X-Much: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n");
    else if (!strcmp(path, "/slow"))
        pause();
    else if (!strcmp(path, "/cut"))
        return https_say(s, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), false;
    else {
        if (!strcmp(path, "/close") || !strcmp(path, "/lost"))
            ++*https_closed;
        return false;
    }
    return true;
}

static void https_talk(SSL *s)
{
    char in[8192];
    size_t n = 0;
    for (;;) {
        int got = SSL_read(s, in + n, (int)(sizeof in - 1 - n));
        if (got <= 0)
            return;
        n += (size_t)got;
        in[n] = 0;
        char *end = strstr(in, "\r\n\r\n"), *length = strstr(in, "Content-Length: ");
        size_t want = length && end && length < end ? strtoul(length + 16, NULL, 10) : 0;
        if (!end || n < (size_t)(end + 4 - in) + want)
            continue;
        if (!https_answer(s, in, end + 4))
            return;
        n = 0;
    }
}

static void https_serve(int fd, const char *chain, const char *key)
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
        SSL *s = SSL_new(ctx);
        SSL_set_fd(s, c);
        if (SSL_accept(s) == 1) {
            https_talk(s);
            SSL_shutdown(s);
        }
        _exit(0);
    }
}

static struct https_server https_start(const char *chain, const char *key)
{
    struct https_server s = {0};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 200) != 0 || getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        abort();
    s.port = ntohs(a.sin_port);
    https_closed = mmap(NULL, sizeof *https_closed, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    s.pid = fork();
    if (s.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        https_serve(fd, chain, key);
        _exit(0);
    }
    close(fd);
    return s;
}

static void https_stop(struct https_server *s)
{
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
}
