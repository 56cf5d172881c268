/* delay: runs a program behind a delay line: in a network namespace of its own whose only way out is a TUN device; a second one stands in the
 * namespace that delay was started in. This process hands packets over, half the round trip after they came, in order. Nothing is lost and
 * nothing is shaped: every server beyond is as far away as every other. TCP keeps to the kernel's usual congestion control (cubic) on both sides.
 *
 *     delay [-c FILE] [-t FILE] MILLISECONDS PROGRAM [ARGUMENT...]
 *
 * -c: at the end, a line `ADDRESS:PORT CONNECTIONS` for each TCP port that was connected to, and `packets THERE BACK`
 * -t: a line for each packet: ms since the start, > there or < back, protocol, ports, TCP flags, octets of payload
 * Exit code: the program's. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MTU = 1500, LINE = 8192, PORTS = 256, PROTO_TCP = 6, PROTO_UDP = 17, SYN = 2, ACK = 16 };

struct packet {
    int64_t due; /* ns */
    int n;
    uint8_t p[MTU];
};

struct line { /* one direction: a ring of packets under way */
    int from, to;
    size_t first, count, passed;
    struct packet *ring;
};

struct port {
    char where[INET6_ADDRSTRLEN + 8];
    unsigned connections;
};

static const char ip4[] = "ip -batch -", ip6[] = "ip -6 -batch - 2>/dev/null"; /* some machines have no IPv6 */
static int64_t half, began;
static struct port port[PORTS];
static size_t n_port;
static FILE *trace;

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "delay: %s: %s\n", what, strerror(errno));
    exit(125);
}

static int tun(const char *name)
{
    struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        die("/dev/net/tun");
    memcpy(r.ifr_name, name, strlen(name) + 1);
    if (ioctl(fd, TUNSETIFF, &r) < 0)
        die("TUNSETIFF");
    return fd;
}

static void ip(const char *command, const char *lines)
{
    FILE *f = popen(command, "w");
    if (!f)
        die("ip");
    fputs(lines, f);
    pclose(f);
}

/* --- what is counted ---------------------------------------------------------------------------------------------------------------- */

static void connected(int family, const void *address, unsigned to)
{
    char where[sizeof port->where], text[INET6_ADDRSTRLEN];
    size_t i = 0;
    inet_ntop(family, address, text, sizeof text);
    snprintf(where, sizeof where, "%s:%u", text, to);
    while (i < n_port && strcmp(port[i].where, where) != 0)
        i++;
    if (i == PORTS)
        return;
    if (i == n_port)
        memcpy(port[n_port++].where, where, sizeof where);
    port[i].connections++;
}

static void look(const struct packet *k, bool there, int64_t at)
{
    bool six = k->p[0] >> 4 == 6;
    int head = six ? 40 : (k->p[0] & 15) * 4, proto = k->p[six ? 6 : 9], n = k->n - head;
    const uint8_t *t = k->p + head;
    if (n < 8 || (proto != PROTO_TCP && proto != PROTO_UDP))
        return;
    unsigned from = (unsigned)t[0] << 8 | t[1], to = (unsigned)t[2] << 8 | t[3], flags = proto == PROTO_TCP && n >= 20 ? t[13] : 0;
    int payload = n - (proto == PROTO_TCP && n >= 20 ? (t[12] >> 4) * 4 : 8);
    if (there && (flags & (SYN | ACK)) == SYN)
        connected(six ? AF_INET6 : AF_INET, k->p + (six ? 24 : 16), to);
    if (trace)
        fprintf(trace, "%9.3f %c %s%c %5u %5u %s%s%s%s %5d\n", (double)(at - began) / 1e6, there ? '>' : '<',
                proto == PROTO_TCP ? "tcp" : "udp", six ? '6' : '4', from, to, flags & SYN ? "S" : "-", flags & 1 ? "F" : "-",
                flags & 4 ? "R" : "-", flags & 8 ? "P" : "-", payload);
}

/* --- the line ----------------------------------------------------------------------------------------------------------------------- */

static void take(struct line *l, bool there)
{
    while (l->count < LINE) {
        struct packet *k = &l->ring[(l->first + l->count) % LINE];
        ssize_t n = read(l->from, k->p, sizeof k->p);
        if (n <= 0)
            return;
        int64_t at = now();
        k->n = (int)n;
        k->due = at + half;
        l->count++;
        look(k, there, at);
    }
}

/* Hands over what is due; when the next one is: ns from now, -1: none is under way. */
static int64_t give(struct line *l)
{
    while (l->count) {
        const struct packet *k = &l->ring[l->first];
        int64_t left = k->due - now();
        if (left > 0)
            return left;
        if (write(l->to, k->p, (size_t)k->n) < 0 && errno == EAGAIN)
            return 100000;
        l->first = (l->first + 1) % LINE;
        l->count--;
        l->passed++;
    }
    return -1;
}

/* What the program sent last, the ends of its connections, arrives too: a server would keep them open for half a minute. */
static int carry(struct line *there, struct line *back, int ended, pid_t child)
{
    struct pollfd p[3] = {{.fd = there->from, .events = POLLIN}, {.fd = back->from, .events = POLLIN}, {.fd = ended, .events = POLLIN}};
    int status = 0;
    bool runs = true;
    while ((runs = runs && waitpid(child, &status, WNOHANG) == 0) || there->count || back->count) {
        int64_t a = give(there), b = give(back), next = a < 0 || (b >= 0 && b < a) ? b : a;
        struct timespec t = {next / 1000000000, next % 1000000000};
        struct signalfd_siginfo info;
        if (next >= 0 || runs)
            ppoll(p, 3, next < 0 ? NULL : &t, NULL);
        take(there, true);
        take(back, false);
        if (p[2].revents && read(ended, &info, sizeof info) < 0)
            continue;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void report(const char *path, const struct line *there, const struct line *back)
{
    FILE *f = fopen(path, "w");
    if (!f)
        die(path);
    for (size_t i = 0; i < n_port; i++)
        fprintf(f, "%s %u\n", port[i].where, port[i].connections);
    fprintf(f, "packets %zu %zu\n", there->passed, back->passed);
    fclose(f);
}

static pid_t start(char **program, const sigset_t *mask)
{
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        sigprocmask(SIG_SETMASK, mask, NULL);
        execvp(program[0], program);
        fprintf(stderr, "delay: %s: %s\n", program[0], strerror(errno));
        _exit(127);
    }
    return pid;
}

int main(int argc, char **argv)
{
    const char *counts = NULL, *log = NULL;
    sigset_t set, before;
    int o;
    while ((o = getopt(argc, argv, "+c:t:")) != -1) {
        if (o == '?')
            return 2;
        *(o == 'c' ? &counts : &log) = optarg;
    }
    if (argc - optind < 2)
        return 2;
    half = (int64_t)(strtod(argv[optind], NULL) * 1e6 / 2);
    if (log && !(trace = fopen(log, "we")))
        die(log);
    int far = tun("far");
    ip(ip4, "link set far up txqueuelen 10000\nroute add 10.98.0.2/32 dev far congctl cubic\n");
    ip(ip6, "route add fd98::2/128 dev far congctl cubic\n");
    if (unshare(CLONE_NEWNET) < 0)
        die("a network namespace");
    int near = tun("near");
    ip(ip4,
       "link set lo up\nlink set near up txqueuelen 10000\naddr add 10.98.0.2/32 dev near\nroute add default dev near congctl cubic\n");
    ip(ip6, "addr add fd98::2/128 dev near nodad\nroute add default dev near congctl cubic\n");
    struct line there = {.from = near, .to = far}, back = {.from = far, .to = near};
    there.ring = calloc(LINE, sizeof *there.ring);
    back.ring = calloc(LINE, sizeof *back.ring);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, &before);
    int ended = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    began = now();
    pid_t child = start(argv + optind + 1, &before);
    prctl(PR_SET_TIMERSLACK, 1);
    sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &(struct sched_param){.sched_priority = 20}); /* where it may be */
    int code = carry(&there, &back, ended, child);
    if (counts)
        report(counts, &there, &back);
    return code;
}
