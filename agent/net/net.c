/* net.c: one run's network: loop, DNS, source address, resolv.conf, routes. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "net/http.h"
#include "net/net_impl.h"

enum { RESOLV_CONF_MAX = 64 * 1024, RESOLVERS_MAX = 16, DNS_PORT = 53 };

struct route {
    char addr[46];
    bool there;
};

struct net {
    struct loop *loop;
    struct dns *dns;
    union address source;
    socklen_t n_source;       /* 0: none */
    struct http_setup secure; /* strings owned */
    struct endpoints system;
    struct route *route;
    size_t n_route;
};

bool net_address(const char *addr, uint16_t port, union address *out, socklen_t *len)
{
    memset(out, 0, sizeof *out);
    socklen_t n;
    if (inet_pton(AF_INET, addr, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        n = sizeof out->v4;
    } else if (inet_pton(AF_INET6, addr, &out->v6.sin6_addr) == 1) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(port);
        n = sizeof out->v6;
    } else {
        return false;
    }
    if (len)
        *len = n;
    return true;
}

const struct sockaddr *net_source(const struct net *n, int family, socklen_t *len)
{
    if (!n->n_source || n->source.sa.sa_family != family)
        return NULL;
    *len = n->n_source;
    return &n->source.sa;
}

/* The next word of *at, cut off there; NULL: none left. */
static char *next_word(char **at, const char *between)
{
    *at += strspn(*at, between);
    return **at ? strsep(at, between) : NULL;
}

/* One line of resolv.conf. Addresses with a scope (fe80::1%eth0) are left out: they mean nothing without their interface. */
static void resolver_line(struct endpoints *l, char *line)
{
    static const char blanks[] = " \t\r";
    const char *word = next_word(&line, blanks);
    if (!word || strcmp(word, "nameserver") != 0 || !line)
        return;
    const char *addr = next_word(&line, blanks);
    union address a;
    if (!addr || !net_address(addr, DNS_PORT, &a, NULL) || l->n >= RESOLVERS_MAX)
        return;
    struct endpoint p = {.port = DNS_PORT, .via = VIA_UDP};
    if (a.sa.sa_family == AF_INET)
        inet_ntop(AF_INET, &a.v4.sin_addr, p.addr, sizeof p.addr);
    else
        inet_ntop(AF_INET6, &a.v6.sin6_addr, p.addr, sizeof p.addr);
    endpoints_add(l, &p);
}

static void read_resolv_conf(struct endpoints *l, const char *path)
{
    char *text;
    size_t n;
    if (!fs_read(path, RESOLV_CONF_MAX, &text, &n, NULL))
        return; /* no file, no resolvers: who needs some says so */
    for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
        resolver_line(l, line);
    free(text);
}

struct net *net_new(const struct net_setup *setup, struct err *e)
{
    struct net *n = mem_new(sizeof *n);
    const char *source = setup->source_address;
    if (source && !net_address(source, 0, &n->source, &n->n_source)) {
        err_set(e, RC_CONF, "SOURCE_ADDRESS", "source_address: '%.64s' is no IPv4 or IPv6 address", source);
        goto fault;
    }
    n->secure = (struct http_setup){
        .ca_file = mem_str(setup->resolver_ca_file), .proxy = mem_str(setup->proxy), .proxy_user = mem_str(setup->proxy_user)};
    n->loop = loop_new(e);
    if (!n->loop)
        goto fault;
    n->dns = dns_new(n, e);
    if (!n->dns)
        goto fault;
    for (size_t i = 0; setup->discovery && i < setup->discovery->n; i++)
        endpoints_add(&n->system, &setup->discovery->e[i]);
    if (!n->system.n)
        read_resolv_conf(&n->system, setup->resolv_conf ? setup->resolv_conf : "/etc/resolv.conf");
    return n;
fault:
    net_free(n);
    return NULL;
}

void net_free(struct net *n)
{
    if (!n)
        return;
    dns_free(n->dns);
    loop_free(n->loop);
    endpoints_free(&n->system);
    free(n->route);
    free((char *)(uintptr_t)n->secure.ca_file);
    free((char *)(uintptr_t)n->secure.proxy);
    char *user = (char *)(uintptr_t)n->secure.proxy_user;
    if (user)
        explicit_bzero(user, strlen(user));
    free(user);
    free(n);
}

struct loop *net_loop(struct net *n)
{
    return n->loop;
}

struct dns *net_dns(struct net *n)
{
    return n->dns;
}

const struct http_setup *net_secure(const struct net *n)
{
    return &n->secure;
}

const struct endpoints *net_system_resolvers(struct net *n)
{
    return &n->system;
}

/* The kernel looks the route up in connect(); a datagram socket sends nothing by it. */
static bool route_probe(const struct net *n, const struct endpoint *to)
{
    union address a;
    socklen_t len, n_source;
    if (!net_address(to->addr, to->port ? to->port : DNS_PORT, &a, &len))
        return false;
    int fd = socket(a.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    const struct sockaddr *source = net_source(n, a.sa.sa_family, &n_source);
    bool there = (!source || bind(fd, source, n_source) == 0) && connect(fd, &a.sa, len) == 0;
    close(fd);
    return there;
}

bool net_has_route(struct net *n, const struct endpoint *to)
{
    for (size_t i = 0; i < n->n_route; i++)
        if (!strcmp(n->route[i].addr, to->addr))
            return n->route[i].there;
    n->route = mem_grow(n->route, n->n_route + 1, sizeof *n->route);
    struct route *r = &n->route[n->n_route++];
    memcpy(r->addr, to->addr, sizeof r->addr);
    r->there = route_probe(n, to);
    return r->there;
}
