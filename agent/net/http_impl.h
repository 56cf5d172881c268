/* http_impl.h: what http.c, http_loop.c, http_host.c and http_memory.c share. */
#ifndef DCV_NET_HTTP_IMPL_H
#define DCV_NET_HTTP_IMPL_H

#include <curl/curl.h>
#include <unistd.h>

#include "net/http.h"
#include "net/loop_uv.h"
#include "net/net_impl.h"
#include "net/resolve.h"

/* What curl takes for each request, either way. With less for what comes, curl 7.88 leaves the rest of a larger HTTP/2 frame lying until something else
 * arrives (a TLS record holds 16 KB at most); for what is sent it takes no less. Ours use some hundred octets of them: malloc keeps pieces of this
 * size apart from the heap, where pages that nobody touches are no memory. */
enum { BUFFER = 16384 };

struct host { /* a host and port whose addresses are known or asked for */
    struct host *next;
    struct http_client *client;
    char name[254];
    uint16_t port;
    struct resolve resolve;
    bool literal, known, refused;
    struct curl_slist *list; /* for CURLOPT_RESOLVE */
    char *remembered;        /* NULL: nothing, or it failed */
    struct curl_slist *old;  /* the same for CURLOPT_RESOLVE, until the name is known; transfers may have it longer */
    struct transfer *waiting;
};

struct transfer {
    struct http_client *client;
    struct http *h;
    struct host *host;
    struct transfer *next; /* waiting for the host, or for its turn */
    bool queued, patient; /* in the client's lists */
    CURL *easy;
    struct curl_slist *headers;
    char origin[280], why[CURL_ERROR_SIZE];
    bool large, guessed; /* guessed: sent to where the host was once */
    size_t given; /* octets of the body that curl has taken */
};

struct http_client {
    struct net *net;
    CURLM *multi;
    uv_timer_t *timer;
    struct watch_fd *fds;  /* open ones */
    uv_prepare_t *prepare; /* the end of a round */
    struct host *hosts;
    char *ca_file, *proxy, *proxy_user, *agent;
    struct http_memory memory;
    struct curl_slist *address; /* for CURLOPT_CONNECT_TO; NULL: hosts are looked up */
    const char *hashed;
    bool plain, public_only, unverified, http1, answered;
    unsigned requests, departed; /* departed: of those, what has left on a connection */
    size_t active; /* transfers that curl has */
    struct transfer *first, *last; /* the others */
    struct transfer *patient;      /* and those that let others go first */
    uv_timer_t *patience;
};

void transfer_done(struct transfer *t, CURLcode code);
void transfer_free(struct transfer *t);
void transfer_resolved(struct transfer *t, const struct err *e);

void transfers_patient(struct http_client *c); /* they have waited long enough */

/* http_loop.c */
void client_learn_version(struct http_client *c, CURL *easy);
void client_sends(struct http_client *c); /* a request leaves on a connection that is there */

void tls_keep_buffers(void *ctx); /* tls_buffers.c; ctx: libcurl's SSL_CTX */

/* http_host.c */
void host_wait(struct http_client *c, struct transfer *t);
void host_leave(struct transfer *t); /* waits for its host no more */
struct curl_slist *host_addresses(const struct host *h);
void hosts_free(struct http_client *c);

/* http_memory.c */
struct curl_slist *host_list(const struct host *h, const char *addresses); /* for CURLOPT_RESOLVE */
void host_recall(struct host *h);
void host_learn(struct host *h, const char *addresses); /* where the name leads now */
void host_gone(struct host *h);                         /* nothing answers where it was once */

#endif
