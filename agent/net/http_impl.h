/* http_impl.h: what http.c, http_loop.c and http_host.c share. */
#ifndef DCV_NET_HTTP_IMPL_H
#define DCV_NET_HTTP_IMPL_H

#include <curl/curl.h>
#include <unistd.h>

#include "net/http.h"
#include "net/loop_uv.h"
#include "net/net_impl.h"
#include "net/resolve.h"

struct host { /* a host and port whose addresses are known or asked for */
    struct host *next;
    struct http_client *client;
    char name[254];
    uint16_t port;
    struct resolve resolve;
    bool literal, known;
    struct curl_slist *list; /* for CURLOPT_RESOLVE */
    struct transfer *waiting;
};

struct transfer {
    struct http_client *client;
    struct http *h;
    struct host *host;
    struct transfer *next; /* waiting for the host, or for its turn */
    bool queued;
    CURL *easy;
    struct curl_slist *headers;
    char origin[280], why[CURL_ERROR_SIZE];
    bool large;
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
    const char *hashed;
    bool plain, http1;
    unsigned requests;
    size_t active; /* transfers that curl has */
    struct transfer *first, *last; /* the others */
};

void transfer_done(struct transfer *t, CURLcode code);
void transfer_resolved(struct transfer *t, const struct err *e);

void client_learn_version(struct http_client *c, CURL *easy); /* http_loop.c */

/* http_host.c */
void host_wait(struct http_client *c, struct transfer *t);
void host_leave(struct transfer *t); /* waits for its host no more */
struct curl_slist *host_addresses(struct host *h);
void hosts_free(struct http_client *c);

#endif
