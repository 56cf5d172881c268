/* versions.h: which versions of the network's libraries this process runs with, for --version. */
#ifndef DCV_NET_VERSIONS_H
#define DCV_NET_VERSIONS_H

#include "base/str.h"

void net_versions(struct str *s); /* appends "libuv 1.44.2, c-ares 1.18.1, ldns 1.8.3" */
void http_version(struct str *s); /* appends "libcurl 7.88.1" */

#endif
