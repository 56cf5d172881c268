/* api_server.h: an HTTP API in a child process, on 127.0.0.1 without TLS: one function answers, its memory is shared with the test.
 * Connections are kept open, requests answered one by one. Included by one test. */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { API_REQUEST = 1 << 16, API_ANSWER = 1 << 18, API_LOG = 1 << 16, API_CONNECTIONS = 16 };

struct api_request {
    char method[16], path[2048]; /* with the query, as it came */
    const char *head, *body;
};

/* Writes the answer's body and header lines ("Name: value\r\n") into their buffers and returns the status; 0: closes without an answer,
 * -1: never answers. */
typedef int api_answer_fn(const struct api_request *r, char head[1024], char body[API_ANSWER]);

struct api_shared {
    unsigned requests;
    char log[API_LOG]; /* a line "METHOD path body" each */
};
static struct api_shared *api_shared;
static pid_t api_pid;
static uint16_t api_port;

static void api_note(const struct api_request *r)
{
    size_t n = strlen(api_shared->log);
    api_shared->requests++;
    snprintf(api_shared->log + n, API_LOG - n, "%s %s%s%s\n", r->method, r->path, *r->body ? " " : "", r->body);
}

static bool api_write(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = send(fd, p, n, MSG_NOSIGNAL);
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

static bool api_respond(int fd, char *in, char *end, api_answer_fn *answer)
{
    static char body[API_ANSWER];
    char head[1024] = "", start[256];
    struct api_request r = {.head = in, .body = end + 4};
    if (sscanf(in, "%15s %2047s", r.method, r.path) != 2)
        return false;
    *body = 0;
    end[2] = 0;
    api_note(&r);
    int status = answer(&r, head, body);
    if (status <= 0)
        return status < 0;
    int n = snprintf(start, sizeof start, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n", status, strlen(body));
    return api_write(fd, start, (size_t)n) && api_write(fd, head, strlen(head)) && api_write(fd, "\r\n", 2) &&
           api_write(fd, body, strlen(body));
}

struct api_connection {
    int fd;
    size_t n;
    char in[API_REQUEST];
};

/* false: the connection is over. */
static bool api_read(struct api_connection *c, api_answer_fn *answer)
{
    ssize_t got = read(c->fd, c->in + c->n, sizeof c->in - 1 - c->n);
    if (got <= 0)
        return false;
    c->n += (size_t)got;
    c->in[c->n] = 0;
    char *end = strstr(c->in, "\r\n\r\n"), *length = strcasestr(c->in, "\r\nContent-Length: ");
    size_t want = end && length && length < end ? strtoul(length + 18, NULL, 10) : 0;
    if (!end || c->n < (size_t)(end + 4 - c->in) + want)
        return true;
    c->n = 0;
    return api_respond(c->fd, c->in, end, answer);
}

static void api_serve(int listener, api_answer_fn *answer)
{
    static struct api_connection c[API_CONNECTIONS];
    size_t n = 0;
    for (;;) {
        struct pollfd p[API_CONNECTIONS + 1] = {{.fd = listener, .events = POLLIN}};
        for (size_t i = 0; i < n; i++)
            p[i + 1] = (struct pollfd){.fd = c[i].fd, .events = POLLIN};
        if (poll(p, n + 1, -1) < 0)
            continue;
        for (size_t i = n; i-- > 0;)
            if (p[i + 1].revents && !api_read(&c[i], answer)) {
                close(c[i].fd);
                c[i] = c[--n];
            }
        if (p[0].revents && n < API_CONNECTIONS) {
            c[n].fd = accept(listener, NULL, NULL);
            c[n++].n = 0;
        }
    }
}

static void *api_memory(size_t n)
{
    return mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void api_server_start(api_answer_fn *answer)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 200) != 0 || getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        abort();
    api_port = ntohs(a.sin_port);
    api_shared = api_memory(sizeof *api_shared);
    api_pid = fork();
    if (api_pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        api_serve(fd, answer);
    }
    close(fd);
}

static void api_server_stop(void)
{
    kill(api_pid, SIGKILL);
    waitpid(api_pid, NULL, 0);
}
