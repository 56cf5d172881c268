/* tls_buffers.c: a libcurl connection keeps the buffers of its records. Left to itself it gives them back after each, and asks for new ones: for a hundred
 * requests a thousand of 17 KB, each from the kernel and back. */
#include "net/http_impl.h"

#include <openssl/ssl.h>

void tls_keep_buffers(void *ctx)
{
    SSL_CTX_clear_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
}
