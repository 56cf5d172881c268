/* proxy.h: the HTTP proxy that a section's connections go through: its own, else the agent's, with the password out of its file. */
#ifndef DCV_NET_PROXY_H
#define DCV_NET_PROXY_H

#include "base/secret.h"

struct conf_agent;
struct section;

struct proxy {
    const char *url;    /* NULL: none; borrowed from the configuration */
    struct secret user; /* "user:password"; empty: no user */
};
bool proxy_of_section(const struct section *s, struct proxy *out, struct err *e); /* false: the password cannot be read */
bool proxy_of_agent(const struct conf_agent *a, struct proxy *out, struct err *e);
const char *proxy_user(const struct proxy *p); /* for struct http_setup; NULL: no user */
void proxy_clear(struct proxy *p);

#endif
