/* responder: answers every question by UDP with one TXT value, so that what is measured is the asker and not eight resolvers on two cores.
 *
 *     responder VALUE ADDRESS...      port 53 of each; until it is killed */
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER = 12, ADDRESSES = 16, BATCH = 64 };

/* In place; the question is kept letter by letter (0x20). 0: no answer. */
static size_t answer(uint8_t *m, size_t n, size_t size, const char *value)
{
    size_t at = HEADER, len = strlen(value);
    if (n < HEADER || m[2] & 0x80 || m[4] || m[5] != 1)
        return 0;
    while (at < n && m[at])
        at += 1 + m[at];
    at += 5;
    if (at > n || at + 13 + len > size)
        return 0;
    m[2] = 0x81;
    m[3] = 0x80;
    memcpy(m + 6, (const uint8_t[]){0, 1, 0, 0, 0, 0}, 6);
    memcpy(m + at, (const uint8_t[]){0xc0, HEADER, 0, 16, 0, 1, 0, 0, 1, 44, 0, (uint8_t)(len + 1), (uint8_t)len}, 13);
    memcpy(m + at + 13, value, len);
    return at + 13 + len;
}

static void serve(int fd, const char *value)
{
    for (int i = 0; i < BATCH; i++) {
        uint8_t m[1500];
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        ssize_t n = recvfrom(fd, m, sizeof m, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
        if (n < 0)
            return;
        size_t out = answer(m, (size_t)n, sizeof m, value);
        if (out)
            sendto(fd, m, out, 0, (struct sockaddr *)&from, size);
    }
}

int main(int argc, char **argv)
{
    struct pollfd p[ADDRESSES];
    int n = argc - 2;
    if (n < 1 || n > ADDRESSES)
        return 2;
    for (int i = 0; i < n; i++) {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(53)};
        p[i] = (struct pollfd){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), .events = POLLIN};
        if (inet_pton(AF_INET, argv[2 + i], &at.sin_addr) != 1 || bind(p[i].fd, (struct sockaddr *)&at, sizeof at) != 0) {
            perror(argv[2 + i]);
            return 1;
        }
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        poll(p, (nfds_t)n, -1);
        for (int i = 0; i < n; i++)
            if (p[i].revents)
                serve(p[i].fd, argv[1]);
    }
}
