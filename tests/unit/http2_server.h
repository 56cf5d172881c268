/* http2_server.h: an HTTP/2 server with TLS in a child process, on 127.0.0.1, for one connection: whatever is asked, the answer is 200 and a body in a single
 * DATA frame, in the TLS record that its head is in if it fits; its size: the next of http2_sizes. Included by one test, after https_server.h. */
static const size_t http2_sizes[] = {100, 4000, 4100, 8100, 12000, 16300, 16384};

enum { HTTP2_DATA = 0, HTTP2_HEADERS = 1, HTTP2_SETTINGS = 4, HTTP2_ACK = 1, HTTP2_END_HEADERS = 4, HTTP2_END_STREAM = 1, HTTP2_FRAME = 9, HTTP2_MAX = 16384 };

static size_t http2_frame(uint8_t *to, int type, int flags, uint32_t stream, const void *p, size_t n)
{
    const uint8_t head[HTTP2_FRAME] = {(uint8_t)(n >> 16),      (uint8_t)(n >> 8),      (uint8_t)n,            (uint8_t)type, (uint8_t)flags,
                                       (uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream};
    memcpy(to, head, sizeof head);
    memcpy(to + sizeof head, p, n);
    return sizeof head + n;
}

static bool http2_read(SSL *s, uint8_t *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        int got = SSL_read(s, p + at, (int)(n - at));
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

static void http2_talk(SSL *s)
{
    static uint8_t in[HTTP2_MAX], out[3 * HTTP2_MAX], body[HTTP2_MAX];
    uint8_t head[24];
    size_t answered = 0, n = http2_frame(out, HTTP2_SETTINGS, 0, 0, "", 0);
    memset(body, 'x', sizeof body);
    if (!http2_read(s, head, 24)) /* the preface */
        return;
    SSL_write(s, out, (int)n);
    while (http2_read(s, head, HTTP2_FRAME)) {
        size_t size = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        uint32_t stream = (uint32_t)head[5] << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 | head[8];
        if (size > sizeof in || !http2_read(s, in, size))
            return;
        n = 0;
        if (head[3] == HTTP2_SETTINGS && !(head[4] & HTTP2_ACK))
            n = http2_frame(out, HTTP2_SETTINGS, HTTP2_ACK, 0, "", 0);
        if (head[3] == HTTP2_HEADERS) {
            n = http2_frame(out, HTTP2_HEADERS, HTTP2_END_HEADERS, stream, "\x88", 1); /* the static table's ":status: 200" */
            n += http2_frame(out + n, HTTP2_DATA, HTTP2_END_STREAM, stream, body, http2_sizes[answered++]);
        }
        if (n)
            SSL_write(s, out, (int)n);
    }
}

static int http2_choose(SSL *s, const unsigned char **out, unsigned char *n, const unsigned char *in, unsigned in_n, void *arg)
{
    (void)s;
    (void)in;
    (void)in_n;
    (void)arg;
    *out = (const unsigned char *)"h2";
    *n = 2;
    return SSL_TLSEXT_ERR_OK;
}

static struct https_server http2_start(const char *chain, const char *key)
{
    struct https_server s = {0};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 1) != 0 || getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        abort();
    s.port = ntohs(a.sin_port);
    s.pid = fork();
    if (s.pid != 0) {
        close(fd);
        return s;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate_chain_file(ctx, chain);
    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM);
    SSL_CTX_set_alpn_select_cb(ctx, http2_choose, NULL);
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, accept(fd, NULL, NULL));
    if (SSL_accept(ssl) == 1)
        http2_talk(ssl);
    _exit(0);
}
