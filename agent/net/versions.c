#include "net/versions.h"

#include <ares.h>
#include <ldns/ldns.h>
#include <uv.h>

void net_versions(struct str *s)
{
    str_fmt(s, "libuv %s, c-ares %s, ldns %s", uv_version_string(), ares_version(NULL), ldns_version());
}
