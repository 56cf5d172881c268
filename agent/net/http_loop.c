/* http_loop.c: curl's multi handle on our loop: its sockets as uv_poll, its timer as uv_timer. */
#include "net/http_impl.h"

#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

/* One connection carries all streams of HTTP/2; where a server turns out to speak HTTP/1.1 a few go side by side. */
enum { CONNECTIONS_HTTP2 = 1, CONNECTIONS_HTTP1 = 6, STREAMS = 1000 };

/* TCP's slow start: a side may send ten segments in its first round trip, and one more for each that is acknowledged, however small it was. So the first
 * requests take a segment each and later ones are gathered; and the answers to the first ones get a start on those to the patient ones, which would
 * fill the server's ten. */
enum { SINGLY = 5, PATIENCE_MS = 20 };

struct watch_fd {
    uv_poll_t poll;
    struct http_client *client;
    struct watch_fd *next;
    curl_socket_t fd;
    int events; /* what libuv was asked to look for */
};

/* What many streams send in one round of the loop leaves in whole segments. */
static void cork(const struct watch_fd *w, int on)
{
    setsockopt(w->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

static void round_over(uv_prepare_t *p)
{
    const struct http_client *c = p->data;
    if (c->departed < SINGLY)
        return;
    for (const struct watch_fd *w = c->fds; w; w = w->next) {
        cork(w, 0);
        cork(w, 1);
    }
}

static void patience_over(uv_timer_t *timer)
{
    transfers_patient(timer->data);
}

void client_sends(struct http_client *c)
{
    if (c->departed++ == 0)
        uv_timer_start(c->patience, patience_over, PATIENCE_MS, 0);
    for (const struct watch_fd *w = c->fds; w && c->departed == SINGLY; w = w->next)
        cork(w, 1);
}

static void forget_fd(struct http_client *c, struct watch_fd *w)
{
    struct watch_fd **at = &c->fds;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    cork(w, 0);
    loop_uv_close(w);
}

/* Transfers that have ended are taken out of the multi handle before anybody hears of it. */
static void collect(struct http_client *c)
{
    int left;
    CURLMsg *m;
    while ((m = curl_multi_info_read(c->multi, &left))) {
        if (m->msg != CURLMSG_DONE)
            continue;
        struct transfer *t;
        CURLcode code = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        transfer_done(t, code);
    }
}

static void ready(uv_poll_t *p, int status, int events)
{
    struct watch_fd *w = (struct watch_fd *)p;
    struct http_client *c = w->client;
    int running, what = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    if (status < 0) { /* a reset, say. What came before it is still there to be read, and curl finds the fault behind it by itself */
        uv_poll_start(p, w->events, ready); /* libuv has stopped it */
        what = CURL_CSELECT_IN | CURL_CSELECT_OUT;
    }
    curl_multi_socket_action(c->multi, w->fd, what, &running);
    collect(c);
}

void client_learn_version(struct http_client *c, CURL *easy)
{
    long version = 0;
    if (!c->http1 && curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version) == CURLE_OK &&
        (version == CURL_HTTP_VERSION_1_0 || version == CURL_HTTP_VERSION_1_1)) {
        c->http1 = true;
        curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_HTTP1);
    }
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *mine)
{
    (void)easy;
    struct http_client *c = arg;
    struct watch_fd *w = mine;
    if (what == CURL_POLL_REMOVE) {
        if (w)
            forget_fd(c, w);
        return 0;
    }
    if (!w) {
        w = mem_new(sizeof *w);
        w->client = c;
        w->fd = fd;
        w->next = c->fds;
        c->fds = w;
        cork(w, c->departed >= SINGLY);
        uv_poll_init(loop_uv(net_loop(c->net)), &w->poll, fd);
        curl_multi_assign(c->multi, fd, w);
    }
    w->events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    uv_poll_start(&w->poll, w->events, ready);
    return 0;
}

static void timer_over(uv_timer_t *timer)
{
    struct http_client *c = timer->data;
    int running;
    curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(c);
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
    (void)multi;
    struct http_client *c = arg;
    if (ms < 0)
        uv_timer_stop(c->timer);
    else
        uv_timer_start(c->timer, timer_over, (uint64_t)ms, 0);
    return 0;
}

/* Debian's folder of roots by hash; elsewhere curl's own bundle. */
static const char *hashed_roots(void)
{
    struct stat st;
    return stat("/etc/ssl/certs/ca-certificates.crt", &st) == 0 ? "/etc/ssl/certs" : NULL;
}

struct http_client *http_client_new(struct net *n, const struct http_setup *setup, struct err *e)
{
    static bool global;
    if (!global && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        err_set(e, RC_RESOURCE, "HTTP_START", "libcurl cannot be started");
        return NULL;
    }
    if (!global) { /* that, and the heaps (each thread has one) grow by what is asked for, not by 128 KB more: 1 MB of 20 */
        mallopt(M_MMAP_THRESHOLD, BUFFER);
        mallopt(M_TOP_PAD, 0);
    }
    global = true;
    struct http_client *c = mem_new(sizeof *c);
    c->net = n;
    c->multi = curl_multi_init();
    c->timer = mem_new(sizeof *c->timer);
    uv_timer_init(loop_uv(net_loop(n)), c->timer);
    c->timer->data = c;
    c->patience = mem_new(sizeof *c->patience);
    uv_timer_init(loop_uv(net_loop(n)), c->patience);
    c->patience->data = c;
    c->prepare = mem_new(sizeof *c->prepare);
    uv_prepare_init(loop_uv(net_loop(n)), c->prepare);
    c->prepare->data = c;
    uv_prepare_start(c->prepare, round_over);
    uv_unref((uv_handle_t *)c->prepare);
    c->ca_file = mem_str(setup->ca_file);
    c->proxy = mem_str(setup->proxy);
    c->proxy_user = mem_str(setup->proxy_user);
    c->agent = mem_str(setup->agent ? setup->agent : "dcvagent");
    c->plain = setup->plain;
    c->public_only = setup->public_only;
    c->unverified = setup->unverified;
    c->memory = setup->memory;
    if (setup->address) {
        char *at = mem_fmt(strchr(setup->address, ':') ? "::[%s]:" : "::%s:", setup->address);
        c->address = curl_slist_append(NULL, at);
        free(at);
    }
    c->hashed = hashed_roots();
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_HTTP2);
    curl_multi_setopt(c->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)STREAMS);
    return c;
}

void http_client_free(struct http_client *c)
{
    if (!c)
        return;
    hosts_free(c);
    curl_multi_cleanup(c->multi);
    curl_slist_free_all(c->address);
    loop_uv_close(c->timer);
    loop_uv_close(c->patience);
    loop_uv_close(c->prepare);
    free(c->ca_file);
    free(c->proxy);
    if (c->proxy_user)
        explicit_bzero(c->proxy_user, strlen(c->proxy_user));
    free(c->proxy_user);
    free(c->agent);
    free(c);
}

unsigned http_client_requests(const struct http_client *c)
{
    return c->requests;
}
