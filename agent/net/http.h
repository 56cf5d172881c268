/* http.h: HTTPS requests, many at once, through libcurl on the run's loop: HTTP/2 streams on one connection a host (a few where the server
 * speaks HTTP/1.1 only), names resolved by us.
 *
 * https only, unless `plain` is set (public certificates, a local API); redirects are answers, never followed; the environment's proxies
 * are ignored; no cookies. Everything is capped: time, header and body octets. Any status is success: who asked judges. Faults are RC_NET:
 * HTTP_RESOLVE, HTTP_PRIVATE (public_only), HTTP_CONNECT (nothing was sent), HTTP_TLS, HTTP_TIMEOUT and HTTP_BROKEN (the request may have been carried out), HTTP_LARGE; RC_CONF
 * HTTP_URL. */
#ifndef DCV_NET_HTTP_H
#define DCV_NET_HTTP_H

#include "base/record.h"
#include "base/str.h"
#include "net/net.h"

struct http_client; /* one set of connections and trust: a CA or a provider section */

/* Where hosts were in an earlier run. Connections begin there while a resolver is asked: a server proves itself by its certificate, so a wrong address
 * costs time (2 s at most) and no trust. If nothing answers there, the request goes where the name leads now. Addresses: literal, commas between. */
struct http_memory {
    void *owner;
    char *(*recall)(void *owner, const char *host); /* the caller frees; NULL: not known */
    void (*learn)(void *owner, const char *host, const char *addresses);
};

struct http_setup {
    const char *ca_file;    /* trust these roots alone; NULL: the system's */
    const char *proxy;      /* NULL: none */
    const char *proxy_user; /* user:password; NULL */
    const char *agent;      /* User-Agent */
    bool plain;             /* http:// is allowed */
    bool public_only;       /* only at addresses of the public internet (net/public.h): its URLs are others' words */
    bool unverified;        /* certificates are not judged: for looking at public pages as they are, never with a secret */
    const char *address;    /* literal address that every host of this client is reached at, through a proxy too; NULL: looked up */
    struct http_memory memory; /* zeroed: none. Not with plain, which has no certificates */
};

struct http_client *http_client_new(struct net *n, const struct http_setup *setup, struct err *e);
void http_client_free(struct http_client *c); /* requests under way must have been cancelled */
unsigned http_client_requests(const struct http_client *c);

struct http {
    struct op op;
    const char *method;          /* GET, POST, HEAD, ...; caller's, as all below, until done() */
    const char *url;
    const struct strs *headers;  /* "Name: value"; NULL */
    struct bytes body;           /* n 0: none */
    uint32_t limit_ms;           /* 0: 60,000; in all */
    size_t max;                  /* octets of the answer's body; 0: 1 MiB */
    const char *called;          /* its server in messages, where no request goes there (`line`); NULL: the URL's scheme, host and port */
    bool patient;                /* others go first, where this would crowd the first answers of a new connection */
    bool repeatable;             /* it may reach the server twice: curl sends it anew where a connection in use ends without an answer. HEAD, and PUT
                                    and DELETE without a body, always may: they mean the same twice */
    bool line;                   /* no request: settles when TLS (without ALPN) stands; then http_line_*() carry octets until http_clear() */
    bool sent;                   /* out: the request may have reached the server */
    long status;                 /* out */
    struct str head, in;         /* out: the answer's header lines and its body; http_clear() frees */
    void *impl;
};
void http_start(struct http_client *c, struct http *h);
void http_clear(struct http *h);

/* Octets of a line that stands. Both give how many; 0: not now, the descriptor tells when; -1: the line is broken. */
int http_line_fd(const struct http *h);
long http_line_send(struct http *h, const void *p, size_t n);
long http_line_take(struct http *h, void *p, size_t n);

/* Value of the answer's header field (the last one of that name), blanks trimmed; false: there is none, or it does not fit. */
bool http_header(const struct http *h, const char *name, char *out, size_t size);

/* Retry-After of either form as a moment; 0: none. Nothing beyond a day is believed, nothing in the past. */
int64_t http_retry_after(const struct http *h, int64_t now);

/* Next `Link: <URL>; rel="..."` of this relation; *at counts those given out (0 first); false: no more. Several may stand in one line. */
bool http_link(const struct http *h, const char *rel, size_t *at, char *out, size_t size);

/* "https://host:port" of a URL, lower case; false: not https (or http with plain), user info, or too long. */
bool http_origin(const char *url, bool plain, char *out, size_t size);

/* What `reference` (a Location, an href) means on the page at `base`: absolute, without fragment. false: no URL, or it does not fit. */
bool http_join(const char *base, const char *reference, char *out, size_t size);

#endif
