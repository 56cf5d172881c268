/* http_url.c: URLs put together as browsers do it (RFC 3986 5): what a redirect or a link says, seen from where it stood. */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "net/http.h"

bool http_join(const char *base, const char *reference, char *out, size_t size)
{
    CURLU *u = curl_url();
    char *whole = NULL;
    bool ok = u && curl_url_set(u, CURLUPART_URL, base, 0) == CURLUE_OK &&
              curl_url_set(u, CURLUPART_URL, reference, CURLU_URLENCODE) == CURLUE_OK &&
              curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK && curl_url_get(u, CURLUPART_URL, &whole, 0) == CURLUE_OK &&
              strlen(whole) < size;
    if (ok)
        snprintf(out, size, "%s", whole);
    curl_free(whole);
    curl_url_cleanup(u);
    return ok;
}
