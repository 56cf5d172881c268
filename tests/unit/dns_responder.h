/* dns_responder.h: a tiny DNS server in a child process, UDP and TCP on one port of 127.0.0.1 (and [::1] where there is one). What it
 * does depends on the first label of the question:
 *   ok...      TXT "hello"                     case     echoes the name in lower case, by UDP only
 *   cut        TC by UDP, whole by TCP         lower    in lower case, always
 *   stray      a wrong id first, then right    silent   never answers
 *   garbage    unreadable by UDP               noqr     a question instead of an answer, by UDP
 *   old        FORMERR without OPT to EDNS     formerr  FORMERR, always
 *   servfail   SERVFAIL and EDE 6              second   answers only what it is asked twice
 *   big        1,400 octets by UDP, no TC      close    closes the TCP connection; TC by UDP
 * Included by one test each. */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RESPONDER_CONNECTIONS = 60 };

struct responder {
    pid_t pid;
    uint16_t port;
};

static size_t responder_name(const uint8_t *q, size_t n)
{
    size_t at = 12;
    while (at < n && q[at])
        at += (size_t)q[at] + 1;
    return at + 1;
}

static bool responder_is(const uint8_t *q, const char *word)
{
    return !strncasecmp((const char *)q + 13, word, strlen(word));
}

/* The answer to q of n octets in a (4096 octets); its length, 0: none. */
static size_t responder_answer(const uint8_t *q, size_t n, bool tcp, uint8_t *a)
{
    static bool seen_second;
    size_t question = responder_name(q, n) + 4, at = question;
    bool opt = q[11] == 1;
    if (at > n || responder_is(q, "silent"))
        return 0;
    if (responder_is(q, "second") && !seen_second) {
        seen_second = true;
        return 0;
    }
    memcpy(a, q, at);
    memcpy(a + 2, "\x84\0\0\1\0\1\0\0\0\0", 10);
    a[2] |= q[2] & 1;
    if (responder_is(q, "lower") || (responder_is(q, "case") && !tcp))
        for (size_t i = 12; i < at - 4; i++)
            a[i] |= a[i] >= 'A' && a[i] <= 'Z' ? 0x20 : 0;
    bool formerr = responder_is(q, "formerr") || (responder_is(q, "old") && opt);
    if (formerr || responder_is(q, "servfail") || ((responder_is(q, "cut") || responder_is(q, "close")) && !tcp)) {
        a[7] = 0;
        a[3] = formerr ? 1 : responder_is(q, "servfail") ? 2 : 0;
        a[2] |= a[3] ? 0 : 2;
        if (!responder_is(q, "servfail") || !opt)
            return at;
        a[11] = 1;
        memcpy(a + at, "\0\0\x29\x04\xd0\0\0\0\0\0\6\0\x0f\0\2\0\6", 17);
        return at + 17;
    }
    if (responder_is(q, "noqr") && !tcp)
        a[2] &= 0x7f;
    memcpy(a + at, "\xc0\x0c\0\x10\0\1\0\0\0\x3c\0\6\5hello", 18);
    if (responder_is(q, "garbage") && !tcp)
        a[at + 11] = 77;
    at += 18;
    for (int i = 0; responder_is(q, "big") && i < 75; i++, at += 18) {
        memcpy(a + at, a + question, 18);
        a[7]++;
    }
    return at;
}

static void responder_udp(int fd)
{
    uint8_t q[512], a[4096];
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    ssize_t n = recvfrom(fd, q, sizeof q, 0, (struct sockaddr *)&from, &len);
    size_t k = n > 17 ? responder_answer(q, (size_t)n, false, a) : 0;
    if (k && responder_is(q, "stray")) {
        a[0] ^= 0x55;
        sendto(fd, a, k, 0, (struct sockaddr *)&from, len);
        sendto(fd, a, 0, 0, (struct sockaddr *)&from, len); /* an empty one too */
        a[0] ^= 0x55;
    }
    if (k)
        sendto(fd, a, k, 0, (struct sockaddr *)&from, len);
}

/* false: close the connection. Whole messages are expected at once, as loopback delivers them, one or several. */
static bool responder_tcp(int fd)
{
    uint8_t q[65536], a[4096];
    ssize_t n = recv(fd, q, sizeof q, 0);
    for (ssize_t at = 0; at + 2 <= n;) {
        size_t len = (size_t)(q[at] << 8 | q[at + 1]);
        if (at + 2 + (ssize_t)len > n)
            return false;
        if (responder_is(q + at + 2, "close"))
            return false;
        size_t k = responder_answer(q + at + 2, len, true, a + 2);
        a[0] = (uint8_t)(k >> 8);
        a[1] = (uint8_t)k;
        if (k && send(fd, a, k + 2, MSG_NOSIGNAL) < 0)
            return false;
        at += 2 + (ssize_t)len;
    }
    return n > 0;
}

static void responder_serve(int udp, int tcp)
{
    struct pollfd p[2 + RESPONDER_CONNECTIONS] = {{udp, POLLIN, 0}, {tcp, POLLIN, 0}};
    nfds_t n = 2;
    for (;;) {
        poll(p, n, -1);
        if (p[0].revents)
            responder_udp(udp);
        for (nfds_t i = 2; i < n; i++)
            if (p[i].revents && !responder_tcp(p[i].fd)) {
                close(p[i].fd);
                p[i--] = p[--n];
            }
        if (p[1].revents && n < 2 + RESPONDER_CONNECTIONS)
            p[n++] = (struct pollfd){accept(tcp, NULL, NULL), POLLIN, 0};
    }
}

static int responder_bind(int type, uint16_t port, uint16_t *got)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, type, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || (type == SOCK_STREAM && listen(fd, 50) < 0)) {
        close(fd);
        return -1;
    }
    getsockname(fd, (struct sockaddr *)&a, &len);
    *got = ntohs(a.sin_port);
    return fd;
}

static struct responder responder_start(void)
{
    struct responder r = {0};
    int udp, tcp = -1;
    for (int i = 0; i < 20 && tcp < 0; i++) {
        udp = responder_bind(SOCK_DGRAM, 0, &r.port);
        tcp = responder_bind(SOCK_STREAM, r.port, &r.port);
        if (tcp < 0)
            close(udp);
    }
    r.pid = fork();
    if (r.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        responder_serve(udp, tcp);
    }
    close(udp);
    close(tcp);
    return r;
}

static void responder_stop(struct responder *r)
{
    kill(r->pid, SIGKILL);
    waitpid(r->pid, NULL, 0);
}
