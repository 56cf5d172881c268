/* dns_ares.c: messages carried by c-ares over UDP or TCP, driven by libuv.
 *
 * c-ares opens sockets through the functions below, so that they are bound to the source address and the reason of a failure is
 * known: c-ares itself calls everything ECONNREFUSED. UDP channels ignore the TC bit (dnsx turns to a TCP channel by itself, which
 * also serves answers that were forged or cut), and TCP channels are without EDNS flag: with it a FORMERR makes c-ares cut 11 octets
 * off the end of the question and ask again, which must not happen to a question without OPT. */
#include <ares.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/dns_impl.h"
#include "net/loop_uv.h"
#include "net/net_impl.h"

enum { UDP_TRY_MS = 600 /* then 1200, then the rest */, UDP_TRIES = 3, TCP_TRY_MS = 20000, TCP_TRIES = 4 };

struct watch { /* a socket of c-ares; freed by its close callback */
    uv_poll_t uv;
    int fd;
    struct ares_channel *channel;
    struct watch *next;
};

struct ares_channel {
    struct channel base;
    bool tcp;
    ares_channel ares; /* NULL until first used */
    struct watch *watches;
    int why; /* errno of the last failure of a socket */
};

struct carried { /* what c-ares gets as its argument */
    struct ares_channel *channel;
    void *item;
};

/* ---- sockets for c-ares */

static ares_socket_t on_socket(int af, int type, int protocol, void *data)
{
    struct ares_channel *c = data;
    socklen_t len;
    int fd = socket(af, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    const struct sockaddr *source = net_source(c->base.net, af, &len);
    if (fd >= 0 && (!source || bind(fd, source, len) == 0))
        return fd;
    c->why = errno;
    if (fd >= 0)
        close(fd);
    return ARES_SOCKET_BAD;
}

static int on_close(ares_socket_t fd, void *data)
{
    (void)data;
    return close(fd);
}

/* Keeps errno for c-ares and notes it where it is a failure. */
static void note(struct ares_channel *c, long result)
{
    if (result < 0 && errno != EAGAIN && errno != EINTR && errno != EINPROGRESS)
        c->why = errno;
}

static int on_connect(ares_socket_t fd, const struct sockaddr *to, ares_socklen_t len, void *data)
{
    int r = connect(fd, to, len);
    note(data, r);
    return r;
}

static ares_ssize_t on_receive(ares_socket_t fd, void *p, size_t n, int flags, struct sockaddr *from, ares_socklen_t *len, void *data)
{
    struct ares_channel *c = data;
    ares_ssize_t r = recvfrom(fd, p, n, flags, from, len);
    note(c, r);
    if (r == 0 && c->tcp) {
        c->why = ECONNRESET;
    } else if (r == 0) {
        errno = EAGAIN; /* an empty datagram: c-ares would take it for a broken socket */
        r = -1;
    }
    return r;
}

static ares_ssize_t on_send(ares_socket_t fd, const struct iovec *v, int n, void *data)
{
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = (size_t)n};
    ares_ssize_t r = sendmsg(fd, &m, MSG_NOSIGNAL);
    note(data, r);
    return r;
}

static const struct ares_socket_functions socket_functions = {on_socket, on_close, on_connect, on_receive, on_send};

/* ---- events */

static void watch_freed(uv_handle_t *h)
{
    free(h->data);
}

static void on_ready(uv_poll_t *h, int status, int events)
{
    struct watch *w = h->data;
    struct ares_channel *c = w->channel;
    int fd = w->fd; /* w may be closed within */
    bool fault = status < 0;
    ares_process_fd(c->ares, fault || (events & UV_READABLE) ? fd : ARES_SOCKET_BAD,
                    fault || (events & UV_WRITABLE) ? fd : ARES_SOCKET_BAD);
    c->base.event(c->base.arg);
}

/* c-ares: from now on this socket is watched so; 0, 0: it is about to be closed. Handles are never used again for another socket. */
static void on_socket_state(void *data, ares_socket_t fd, int readable, int writable)
{
    struct ares_channel *c = data;
    struct watch **at = &c->watches, *w;
    while (*at && (*at)->fd != fd)
        at = &(*at)->next;
    w = *at;
    if (!readable && !writable) {
        if (!w)
            return;
        *at = w->next;
        uv_poll_stop(&w->uv);
        uv_close((uv_handle_t *)&w->uv, watch_freed);
        return;
    }
    if (!w) {
        w = mem_new(sizeof *w);
        *w = (struct watch){.fd = fd, .channel = c, .next = c->watches};
        if (uv_poll_init(loop_uv(net_loop(c->base.net)), &w->uv, fd) < 0) {
            free(w); /* answers are then missed and time out */
            return;
        }
        w->uv.data = w;
        uv_unref((uv_handle_t *)&w->uv); /* the timer keeps the loop alive while somebody waits */
        c->watches = w;
    }
    uv_poll_start(&w->uv, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0), on_ready);
}

static void ares_tick(struct channel *base)
{
    struct ares_channel *c = (struct ares_channel *)base;
    struct timeval tv;
    if (!c->ares)
        return;
    ares_process_fd(c->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    if (base->carried && ares_timeout(c->ares, NULL, &tv)) /* walks all that is under way, hence only here */
        channel_wake(base, dns_ms() + tv.tv_sec * 1000 + tv.tv_usec / 1000 + 1);
}

/* ---- life */

bool channels_begin(struct err *e)
{
    int r = ares_library_init(ARES_LIB_INIT_ALL);
    return r == ARES_SUCCESS || err_set(e, RC_RESOURCE, "DNS_START", "c-ares cannot be started: %s", ares_strerror(r));
}

void channels_end(void)
{
    ares_library_cleanup();
}

static void ares_rest(struct channel *base)
{
    struct ares_channel *c = (struct ares_channel *)base;
    if (c->ares)
        ares_destroy(c->ares);
    c->ares = NULL;
}

/* What c-ares does not understand it ignores, keeping the servers it had: hence the look at what it took. */
static bool server_taken(const struct ares_channel *c)
{
    union address a;
    char text[64];
    if (!net_address(c->base.to.addr, c->base.to.port, &a, NULL) || !c->base.to.port)
        return false;
    snprintf(text, sizeof text, a.sa.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", c->base.to.addr, c->base.to.port);
    struct ares_addr_port_node *got = NULL;
    if (ares_set_servers_ports_csv(c->ares, text) != ARES_SUCCESS || ares_get_servers_ports(c->ares, &got) != ARES_SUCCESS)
        return false;
    bool same = got && !got->next && got->family == a.sa.sa_family && got->udp_port == c->base.to.port &&
                got->tcp_port == c->base.to.port &&
                (got->family == AF_INET ? !memcmp(&got->addr.addr4, &a.v4.sin_addr, sizeof a.v4.sin_addr)
                                        : !memcmp(&got->addr.addr6, &a.v6.sin6_addr, sizeof a.v6.sin6_addr));
    ares_free_data(got);
    return same;
}

static bool ares_open(struct ares_channel *c)
{
    char lookups[] = "b", nothing[] = "/dev/null";
    struct ares_options o = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP |
                 (c->tcp ? ARES_FLAG_USEVC : ARES_FLAG_IGNTC | ARES_FLAG_EDNS),
        .timeout = c->tcp ? TCP_TRY_MS : UDP_TRY_MS,
        .tries = c->tcp ? TCP_TRIES : UDP_TRIES,
        .ednspsz = DNS_UDP_SIZE,
        .lookups = lookups,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = c,
        .resolvconf_path = nothing,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB |
               ARES_OPT_RESOLVCONF;
    if (ares_init_options(&c->ares, &o, mask) != ARES_SUCCESS) {
        c->ares = NULL;
        return false;
    }
    ares_set_socket_functions(c->ares, &socket_functions, c);
    if (server_taken(c))
        return true;
    ares_destroy(c->ares);
    c->ares = NULL;
    return false;
}

static enum fate fate_of(const struct ares_channel *c, int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return FATE_ANSWER;
    case ARES_ETIMEOUT:
        return FATE_TIMEOUT;
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED:
        return FATE_GONE;
    default:
        return c->why == ECONNREFUSED || c->why == ECONNRESET || c->why == EPIPE ? FATE_REFUSED : FATE_UNREACHABLE;
    }
}

static void on_result(void *arg, int status, int timeouts, unsigned char *msg, int n)
{
    (void)timeouts;
    struct carried *k = arg;
    struct ares_channel *c = k->channel;
    void *item = k->item;
    free(k);
    channel_fate(&c->base, item, msg ? FATE_ANSWER : fate_of(c, status), c->why, msg, msg ? (size_t)n : 0);
}

static void carry(struct channel *base, const uint8_t *msg, size_t n, void *item)
{
    struct ares_channel *c = (struct ares_channel *)base;
    c->tcp = base->to.via == VIA_TCP;
    if (!c->ares && !ares_open(c)) {
        channel_fate(base, item, FATE_UNREACHABLE, EADDRNOTAVAIL, NULL, 0);
        return;
    }
    struct carried *k = mem_new(sizeof *k);
    *k = (struct carried){c, item};
    if (base->carried == 1)
        c->why = 0;
    ares_send(c->ares, msg, (int)n, on_result, k);
    channel_wake(base, dns_ms() + (c->tcp ? TCP_TRY_MS : UDP_TRY_MS) + 1);
}

const struct carrier by_ares = {
    .size = sizeof(struct ares_channel), .send = carry, .tick = ares_tick, .rest = ares_rest, .close = ares_rest};
