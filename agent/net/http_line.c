/* http_line.c: a TLS connection that carries no HTTP, made by curl, with its trust, its proxy and its address. */
#include "net/http_impl.h"

int http_line_fd(const struct http *h)
{
    const struct transfer *t = h->impl;
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (!t || curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK)
        return -1;
    return fd;
}

static long result(CURLcode code, size_t n)
{
    return code == CURLE_OK ? (long)n : code == CURLE_AGAIN ? 0 : -1;
}

long http_line_send(struct http *h, const void *p, size_t n)
{
    const struct transfer *t = h->impl;
    size_t done = 0;
    CURLcode code = t ? curl_easy_send(t->easy, p, n, &done) : CURLE_SEND_ERROR;
    return result(code, done);
}

long http_line_take(struct http *h, void *p, size_t n)
{
    const struct transfer *t = h->impl;
    size_t done = 0;
    CURLcode code = t ? curl_easy_recv(t->easy, p, n, &done) : CURLE_RECV_ERROR;
    if (code == CURLE_OK && !done) /* closed by the other side */
        return -1;
    return result(code, done);
}
