#include <curl/curl.h>

#include "net/versions.h"

void http_version(struct str *s)
{
    str_fmt(s, "libcurl %s", curl_version_info(CURLVERSION_NOW)->version);
}
