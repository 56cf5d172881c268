/* tcp_server.h: a name server by TCP on 127.0.0.1 for tests: one thread that takes connections one after the other and leaves each to behave(). */
#ifndef TEST_TCP_SERVER_H
#define TEST_TCP_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
    int fd;
    uint16_t port;
    pthread_t thread;
    atomic_uint connections, messages;
    void (*behave)(struct server *s, int fd, unsigned connection); /* the thread closes fd afterwards */
    void *arg;
};

static inline bool read_all(int fd, uint8_t *p, size_t n)
{
    while (n) {
        ssize_t k = recv(fd, p, n, 0);
        if (k <= 0)
            return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

/* One message; 0: the connection ended. */
static inline size_t read_message(struct server *s, int fd, uint8_t msg[65535])
{
    uint8_t head[2];
    size_t n;
    if (!read_all(fd, head, 2) || (n = (size_t)head[0] << 8 | head[1]) == 0 || !read_all(fd, msg, n))
        return 0;
    atomic_fetch_add(&s->messages, 1);
    return n;
}

static inline void write_message(int fd, const uint8_t *msg, size_t n)
{
    uint8_t frame[65537] = {(uint8_t)(n >> 8), (uint8_t)n};
    memcpy(frame + 2, msg, n);
    send(fd, frame, n + 2, MSG_NOSIGNAL);
}

static inline void *server_thread(void *arg)
{
    struct server *s = arg;
    for (int fd; (fd = accept(s->fd, NULL, NULL)) >= 0;) {
        s->behave(s, fd, atomic_fetch_add(&s->connections, 1));
        close(fd);
    }
    return NULL;
}

static inline void server_start(struct server *s, void (*behave)(struct server *s, int fd, unsigned connection), void *arg)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    memset(s, 0, sizeof *s);
    s->behave = behave;
    s->arg = arg;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(s->fd, 16) < 0 || getsockname(s->fd, (struct sockaddr *)&a, &n) < 0)
        perror("test server");
    s->port = ntohs(a.sin_port);
    pthread_create(&s->thread, NULL, server_thread, s);
}

static inline void server_stop(struct server *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

#endif
