#include "cmd/version.h"

#include <stdio.h>

#include "base/json.h"
#include "base/str.h"
#include "cert/key.h"
#include "net/versions.h"
#include "store/store.h"

#ifndef DCVAGENT_VERSION
#define DCVAGENT_VERSION "unversioned"
#endif

const char *version_text(void)
{
    return DCVAGENT_VERSION;
}

void version_print(void)
{
    struct str libraries = STR_INIT(400);
    net_versions(&libraries);
    str_fmt(&libraries, ", ");
    http_version(&libraries);
    printf("dcvagent %s\n%s, OpenSSL %s, SQLite %s, jansson %s\n", version_text(), str_text(&libraries), key_library_version(),
           store_library(), jansson_version_str());
    str_free(&libraries);
}
