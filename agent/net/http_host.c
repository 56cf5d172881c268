/* http_host.c: hosts of URLs, resolved by us (hosts file, then dnsx) and handed to curl, whose own resolver would block the loop. */
#include "net/http_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "net/public.h"

/* What stands behind the scheme: host and port. IPv6 literals in brackets. false: user info, or nothing that is a host. */
static bool split_url(const char *url, bool *tls, char *host, size_t size, unsigned *port)
{
    CURLU *u = curl_url();
    char *scheme = NULL, *name = NULL, *number = NULL, *user = NULL;
    bool ok = u && curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK &&
              curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK && curl_url_get(u, CURLUPART_HOST, &name, 0) == CURLUE_OK &&
              curl_url_get(u, CURLUPART_PORT, &number, CURLU_DEFAULT_PORT) == CURLUE_OK &&
              curl_url_get(u, CURLUPART_USER, &user, 0) != CURLUE_OK;
    if (ok) {
        *tls = strcmp(scheme, "https") == 0;
        *port = (unsigned)strtoul(number, NULL, 10);
        ok = (*tls || strcmp(scheme, "http") == 0) && *port && *port < 65536 && strlen(name) < size;
    }
    if (ok)
        snprintf(host, size, "%s", name);
    curl_free(scheme);
    curl_free(name);
    curl_free(number);
    curl_free(user);
    curl_url_cleanup(u);
    return ok;
}

bool http_origin(const char *url, bool plain, char *out, size_t size)
{
    char host[254];
    bool tls;
    unsigned port;
    if (!split_url(url, &tls, host, sizeof host, &port) || (!tls && !plain))
        return false;
    for (char *p = host; *p; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
    return (size_t)snprintf(out, size, "%s://%s:%u", tls ? "https" : "http", host, port) < size;
}

static void release_waiting(struct host *h, const struct err *e)
{
    while (h->waiting) {
        struct transfer *t = h->waiting;
        h->waiting = t->next;
        t->next = NULL;
        transfer_resolved(t, e);
    }
}

static void not_public(const struct host *h, struct err *e)
{
    err_set(e, RC_NET, "HTTP_PRIVATE", "%s is not at an address of the public internet: nothing was asked there", h->name);
}

static void resolved(struct op *op, const struct err *e)
{
    struct host *h = op->owner;
    struct str line = STR_INIT(4096);
    struct err none = {0};
    for (size_t i = 0; !e && i < h->resolve.out.n; i++)
        if (!h->client->public_only || address_public(h->resolve.out.e[i].addr))
            str_fmt(&line, "%s%s", line.n ? "," : "", h->resolve.out.e[i].addr);
    if (!e && !line.n) {
        not_public(h, &none);
        e = &none;
    }
    if (!e) {
        h->list = host_list(h, str_text(&line));
        h->known = true;
        host_learn(h, str_text(&line));
    }
    str_free(&line);
    endpoints_free(&h->resolve.out);
    release_waiting(h, e);
}

static bool literal_public(const char *name)
{
    char addr[64] = "";
    size_t n = strlen(name);
    if (*name != '[')
        return address_public(name);
    if (n > 2 && n < sizeof addr)
        memcpy(addr, name + 1, n - 2);
    return address_public(addr);
}

static struct host *host_get(struct http_client *c, const char *name, unsigned port)
{
    for (struct host *h = c->hosts; h; h = h->next)
        if (h->port == port && strcmp(h->name, name) == 0)
            return h;
    struct host *h = mem_new(sizeof *h);
    union address a;
    snprintf(h->name, sizeof h->name, "%s", name);
    h->client = c;
    h->port = (uint16_t)port;
    h->literal = *name == '[' || net_address(name, 0, &a, NULL);
    h->refused = h->literal && c->public_only && !literal_public(name);
    h->known = h->literal || c->proxy || c->address; /* a proxy resolves by itself */
    h->next = c->hosts;
    c->hosts = h;
    if (!h->known && !c->plain)
        host_recall(h);
    return h;
}

void host_wait(struct http_client *c, struct transfer *t)
{
    char name[254];
    bool tls;
    unsigned port;
    if (!split_url(t->h->url, &tls, name, sizeof name, &port))
        return;
    t->host = host_get(c, name, port);
    if (t->host->refused) {
        struct err e = {0};
        not_public(t->host, &e);
        transfer_resolved(t, &e);
        return;
    }
    if (!t->host->known && !op_busy(&t->host->resolve.op)) {
        t->host->resolve = (struct resolve){.op = {.done = resolved, .owner = t->host}, .name = t->host->name, .port = t->host->port};
        resolve_start(c->net, &t->host->resolve);
    }
    t->guessed = !t->host->known && t->host->remembered && resolve_asks(&t->host->resolve);
    if (t->host->known || t->guessed) {
        transfer_resolved(t, NULL);
        return;
    }
    t->next = t->host->waiting;
    t->host->waiting = t;
}

void host_leave(struct transfer *t)
{
    struct transfer **at = &t->host->waiting;
    while (*at && *at != t)
        at = &(*at)->next;
    if (*at)
        *at = t->next;
}

struct curl_slist *host_addresses(const struct host *h)
{
    return h->list ? h->list : h->old;
}

void hosts_free(struct http_client *c)
{
    while (c->hosts) {
        struct host *h = c->hosts;
        c->hosts = h->next;
        op_cancel(&h->resolve.op);
        endpoints_free(&h->resolve.out);
        curl_slist_free_all(h->list);
        curl_slist_free_all(h->old);
        free(h->remembered);
        free(h);
    }
}
