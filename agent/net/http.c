/* http.c: requests: started, capped, settled. The transfers themselves are curl's, on our loop (http_loop.c). */
#include "net/http_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"

/* More than ACTIVE_MAX at once no server takes (Go: 250 streams, nginx: 128), and each costs curl some 20 KB. */
enum { LIMIT_MS = 60000, BODY_MAX = 1 << 20, HEAD_MAX = 65536, CONNECT_MS = 10000, GUESS_MS = 2000, ACTIVE_MAX = 256 };

static void give(struct transfer *t);

/* --- one transfer ---------------------------------------------------------------------------------------------------------------- */

static void leave_patient(struct transfer *t)
{
    struct transfer **at = &t->client->patient;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    t->patient = false;
    t->next = NULL;
}

static void leave_queue(struct transfer *t)
{
    struct http_client *c = t->client;
    struct transfer *before = NULL;
    for (struct transfer *q = c->first; q != t; q = q->next)
        before = q;
    *(before ? &before->next : &c->first) = t->next;
    if (c->last == t)
        c->last = before;
    t->queued = false;
    t->next = NULL;
}

static void take_back(struct transfer *t)
{
    if (t->easy) {
        curl_multi_remove_handle(t->client->multi, t->easy);
        curl_easy_cleanup(t->easy);
        t->easy = NULL;
        t->client->active--;
    }
    curl_slist_free_all(t->headers);
    t->headers = NULL;
}

void transfer_free(struct transfer *t)
{
    struct http_client *c = t->client;
    if (t->queued)
        leave_queue(t);
    else if (t->patient)
        leave_patient(t);
    else if (t->host)
        host_leave(t);
    take_back(t);
    if (!c->active)
        transfers_patient(c);
    while (c->first && c->active < ACTIVE_MAX) {
        struct transfer *next = c->first;
        leave_queue(next);
        give(next);
    }
    free(t);
}

static void forget(struct op *op)
{
    struct http *h = (struct http *)op;
    struct transfer *t = h->impl;
    if (t) {
        t->h = NULL;
        transfer_free(t);
        h->impl = NULL;
    }
}

static void settle(struct transfer *t, const struct err *e)
{
    struct http *h = t->h;
    h->impl = NULL;
    transfer_free(t);
    op_settle(&h->op, e);
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    str_put(&t->h->in, p, size * n);
    t->large |= t->h->in.cut;
    return t->large ? 0 : size * n;
}

static size_t on_head(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    if (size * n >= 5 && memcmp(p, "HTTP/", 5) == 0) /* a later answer (after 100 Continue, or a proxy's) replaces the earlier one's head */
        str_free(&t->h->head);
    str_put(&t->h->head, p, size * n);
    t->large |= t->h->head.cut;
    return t->large ? 0 : size * n;
}

static bool was_sent(CURL *easy)
{
    long up = 0;
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &up);
    return up > 0;
}

static bool tls_fault(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR || code == CURLE_SSL_CACERT_BADFILE ||
           code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CIPHER || code == CURLE_SSL_ISSUER_ERROR;
}

/* What curl says, in our codes. Its own text names the reason (certificate expired, wrong host, refused). */
static void explain(struct transfer *t, CURLcode code, struct err *e)
{
    char safe[200];
    const char *why = *t->why ? t->why : curl_easy_strerror(code);
    text_safe(safe, sizeof safe, why, strlen(why));
    t->h->sent = was_sent(t->easy) || code == CURLE_SEND_FAIL_REWIND;
    if (code == CURLE_SEND_FAIL_REWIND)
        snprintf(safe, sizeof safe, "it was closed without an answer");
    err_at(e, "%s", t->origin);
    if (t->large)
        err_set(e, RC_NET, "HTTP_LARGE", "the answer of %s is larger than %zu octets; it is not read", t->origin, t->h->in.max);
    else if (tls_fault(code))
        err_set(e, RC_NET, "HTTP_TLS", "no trusted TLS connection to %s: %s", t->origin, safe);
    else if (code == CURLE_OPERATION_TIMEDOUT)
        err_set(e, RC_NET, "HTTP_TIMEOUT", "%s did not answer in time: %s", t->origin, safe);
    else if (!t->h->sent)
        err_set(e, RC_NET, "HTTP_CONNECT", "%s cannot be reached: %s", t->origin, safe);
    else
        err_set(e, RC_NET, "HTTP_BROKEN", "the connection to %s broke: %s", t->origin, safe);
    err_again(e, 0);
}

/* Packed though identity was asked for: read as it is it would be taken for an answer without sense. Other words in the field are a mistake of servers
 * (a charset), which browsers overlook too. */
static bool is_packed(const struct http *h)
{
    static const char *const packed[] = {"gzip", "x-gzip", "deflate", "br", "zstd", "compress"};
    char coding[40];
    if (!h->in.n || !http_header(h, "Content-Encoding", coding, sizeof coding))
        return false;
    for (size_t i = 0; i < sizeof packed / sizeof *packed; i++)
        if (strcasecmp(coding, packed[i]) == 0)
            return true;
    return false;
}

/* Nothing could be asked where the host was once: it goes where the name leads now, as soon as that is known. */
static bool begins_anew(struct transfer *t, CURLcode code)
{
    if (code == CURLE_OK || !t->guessed || was_sent(t->easy))
        return false;
    take_back(t);
    *t->why = '\0';
    host_gone(t->host);
    host_wait(t->client, t);
    return true;
}

void transfer_done(struct transfer *t, CURLcode code)
{
    struct err e = {0};
    if (begins_anew(t, code))
        return;
    if (code == CURLE_OK && is_packed(t->h)) {
        t->h->sent = true;
        err_at(&e, "%s", t->origin);
        err_set(&e, RC_NET, "HTTP_PACKED", "the answer of %s is packed (gzip or the like), which was not asked for; it is not read",
                t->origin);
        err_again(&e, 0);
    } else if (code != CURLE_OK) {
        explain(t, code, &e);
    } else {
        curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->h->status);
        client_learn_version(t->client, t->easy);
        t->h->sent = true;
        t->client->answered = true;
    }
    transfers_patient(t->client);
    if (t->h->line && code == CURLE_OK)
        op_settle(&t->h->op, NULL); /* curl's handle holds the connection until http_clear() */
    else
        settle(t, e.rc == RC_OK ? NULL : &e);
}

/* --- starting -------------------------------------------------------------------------------------------------------------------- */

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    (void)purpose;
    struct transfer *t = arg;
    int fd = socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol); /* curl's own would be inherited by hooks */
    socklen_t len;
    const struct sockaddr *from = net_source(t->client->net, a->family, &len);
    if (fd >= 0 && from && bind(fd, from, len) != 0) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int leaves(void *arg, char *there, char *here, int there_port, int here_port)
{
    (void)there;
    (void)here;
    (void)there_port;
    (void)here_port;
    client_sends(((struct transfer *)arg)->client);
    return CURL_PREREQFUNC_OK;
}

static size_t give_body(char *to, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    size_t left = t->h->body.n - t->given, some = size * n < left ? size * n : left;
    if (some)
        memcpy(to, t->h->body.p + t->given, some);
    t->given += some;
    return some;
}

static int refuse_again(void *arg, curl_off_t offset, int origin)
{
    (void)arg;
    (void)offset;
    (void)origin;
    return CURL_SEEKFUNC_FAIL;
}

/* Where a connection that was used before ends without an answer, curl sends the request again on another, unasked, unless it cannot go back to
 * the beginning of the body. */
static void set_body(struct transfer *t)
{
    CURL *c = t->easy;
    if (t->h->repeatable) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, t->h->body.n ? (const char *)t->h->body.p : "");
        return;
    }
    curl_easy_setopt(c, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(c, CURLOPT_READDATA, t);
    curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, refuse_again);
    curl_easy_setopt(c, CURLOPT_SEEKDATA, t);
}

/* Without a body there is no beginning that it cannot go back to: then no connection that was used before. */
static bool wants_fresh_line(const struct http *h)
{
    return !h->repeatable && !h->body.n && strcmp(h->method, "HEAD") != 0 && strcmp(h->method, "PUT") != 0 &&
           strcmp(h->method, "DELETE") != 0;
}

static void set_method(struct transfer *t)
{
    const struct http *h = t->h;
    CURL *c = t->easy;
    if (wants_fresh_line(h))
        curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
    if (strcmp(h->method, "HEAD") == 0)
        curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    else if (h->body.n || strcmp(h->method, "POST") == 0) {
        curl_easy_setopt(c, CURLOPT_POST, 1L);
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)h->body.n);
        set_body(t);
    }
    if (strcmp(h->method, "GET") != 0 && strcmp(h->method, "POST") != 0 && strcmp(h->method, "HEAD") != 0)
        curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, h->method);
    t->headers = curl_slist_append(t->headers, "Expect:");
    t->headers = curl_slist_append(t->headers, "Accept-Encoding: identity"); /* without the field a server may pack as it likes */
    for (size_t i = 0; h->headers && i < h->headers->n; i++)
        t->headers = curl_slist_append(t->headers, h->headers->s[i]);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, t->headers);
}

static CURLcode keep_buffers(CURL *c, void *ctx, void *arg)
{
    (void)c;
    (void)arg;
    tls_keep_buffers(ctx);
    return CURLE_OK;
}

static void set_trust(struct transfer *t)
{
    const struct http_client *k = t->client;
    CURL *c = t->easy;
    if (k->ca_file) {
        curl_easy_setopt(c, CURLOPT_CAINFO, k->ca_file);
        curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
    } else if (k->hashed) { /* loads only the roots that are needed: the whole bundle costs 25 ms */
        curl_easy_setopt(c, CURLOPT_CAINFO, NULL);
        curl_easy_setopt(c, CURLOPT_CAPATH, k->hashed);
    }
    if (k->unverified) {
        curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, keep_buffers);
    curl_easy_setopt(c, CURLOPT_CONNECT_TO, k->address);
    curl_easy_setopt(c, CURLOPT_PROXY, k->proxy ? k->proxy : "");
    curl_easy_setopt(c, CURLOPT_NOPROXY, ""); /* else $no_proxy says who is reached without it, at addresses that nobody has judged */
    if (k->proxy_user)
        curl_easy_setopt(c, CURLOPT_PROXYUSERPWD, k->proxy_user);
}

static void set_limits(struct transfer *t)
{
    CURL *c = t->easy;
    long limit = t->h->limit_ms ? (long)t->h->limit_ms : LIMIT_MS;
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, limit);
    long connect = t->guessed ? GUESS_MS : CONNECT_MS;
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, limit < connect ? limit : connect);
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, t->client->plain ? "http,https" : "https");
    curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(c, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(c, CURLOPT_BUFFERSIZE, (long)BUFFER);
    curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER);
}

static void give(struct transfer *t)
{
    if (t->client->active >= ACTIVE_MAX) {
        struct http_client *k = t->client;
        *(k->last ? &k->last->next : &k->first) = t;
        k->last = t;
        t->queued = true;
        return;
    }
    CURL *c = t->easy = curl_easy_init();
    t->client->active++;
    struct curl_slist *addresses = host_addresses(t->host);
    curl_easy_setopt(c, CURLOPT_PRIVATE, t);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->why);
    curl_easy_setopt(c, CURLOPT_URL, t->h->url);
    curl_easy_setopt(c, CURLOPT_RESOLVE, addresses);
    curl_easy_setopt(c, CURLOPT_USERAGENT, t->client->agent);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, leaves);
    curl_easy_setopt(c, CURLOPT_PREREQDATA, t);
    set_limits(t);
    set_trust(t);
    if (t->h->line) {
        curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
        curl_easy_setopt(c, CURLOPT_SSL_ENABLE_ALPN, 0L);
    } else {
        set_method(t);
    }
    t->client->requests++;
    curl_multi_add_handle(t->client->multi, c);
}

void transfers_patient(struct http_client *c)
{
    while (c->patient) {
        struct transfer *t = c->patient;
        leave_patient(t);
        give(t);
    }
}

/* The host's addresses are in, or it has none. */
void transfer_resolved(struct transfer *t, const struct err *e)
{
    struct http_client *c = t->client;
    if (!e && t->h->patient && !c->answered && c->active) {
        t->next = c->patient;
        c->patient = t;
        t->patient = true;
        return;
    }
    if (!e) {
        give(t);
        return;
    }
    struct err why = *e;
    if (strcmp(e->code, "HTTP_PRIVATE") != 0)
        why.code = "HTTP_RESOLVE";
    err_again(&why, 0);
    settle(t, &why);
}

void http_start(struct http_client *c, struct http *h)
{
    struct err e = {0};
    str_free(&h->head);
    str_free(&h->in);
    h->head = STR_INIT(HEAD_MAX);
    h->in = STR_INIT(h->max ? h->max : BODY_MAX);
    h->status = 0;
    h->sent = false;
    op_start(&h->op, forget);
    struct transfer *t = mem_new(sizeof *t);
    t->client = c;
    t->h = h;
    h->impl = t;
    if (!http_origin(h->url, c->plain, t->origin, sizeof t->origin)) {
        char safe[120];
        text_safe(safe, sizeof safe, h->url, strlen(h->url));
        err_set(&e, RC_CONF, "HTTP_URL", "'%s' is not a URL that may be asked: https://HOST/... is wanted", safe);
        settle(t, &e);
        return;
    }
    if (h->called)
        snprintf(t->origin, sizeof t->origin, "%s", h->called);
    host_wait(c, t);
}

void http_clear(struct http *h)
{
    op_cancel(&h->op);
    if (h->impl)
        transfer_free(h->impl);
    h->impl = NULL;
    str_free(&h->head);
    str_free(&h->in);
}
