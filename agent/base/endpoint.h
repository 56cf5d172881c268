/* endpoint.h: a server that can be asked: address, port and transport, as configuration writes them. */
#ifndef DCV_BASE_ENDPOINT_H
#define DCV_BASE_ENDPOINT_H

#include <stddef.h>

#include "base/err.h"

enum via { VIA_UDP, VIA_TCP, VIA_TLS, VIA_HTTPS }; /* UDP turns to TCP by itself when an answer is truncated */

struct endpoint {
    char name[254];  /* host name where one is known (NS name, TLS name); may be "" */
    char addr[46];   /* IPv4 or IPv6 literal; "" while only the name is known */
    uint16_t port;
    enum via via;
    char url[256];   /* VIA_HTTPS */
};

struct endpoints {
    struct endpoint *e;
    size_t n;
};

/* 192.0.2.1  192.0.2.1:5353  2001:db8::1  [2001:db8::1]:53  name  name:port  tcp://ADDR[:PORT]  tls://ADDR[:PORT]#NAME  https://HOST/PATH#ADDR
 * `names`: host names instead of addresses are allowed; without it https:// of a name needs its #ADDR. tls:// of an address needs its #NAME.
 * Fills e with RC_CONF, code SERVER. */
bool endpoint_parse(const char *text, bool names, struct endpoint *out, struct err *e);

/* HOST[:PORT][#ADDRESS], port 443 where none is given: a TLS server by the name that its visitors use, and where it is looked for instead of its
 * public addresses. RC_CONF, code SERVER. */
bool endpoint_parse_tls_host(const char *text, struct endpoint *out, struct err *e);

/* "ns1.example.hk (192.0.2.1)", "192.0.2.1", with :port where it is not the usual one. */
void endpoint_show(const struct endpoint *p, char *out, size_t size);
bool endpoint_same(const struct endpoint *a, const struct endpoint *b); /* address, port, transport; DoT: and name; DoH: and URL */

void endpoints_add(struct endpoints *l, const struct endpoint *p); /* no duplicates */
void endpoints_free(struct endpoints *l);

#endif
