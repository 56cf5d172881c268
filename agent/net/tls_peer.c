/* tls_peer.c: OpenSSL's TLS between two memory buffers, libuv's TCP on the other side of them. */
#include "net/tls_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "base/str.h"
#include "net/loop_uv.h"
#include "net/net_impl.h"
#include "net/tls_smtp.h"

enum { LIMIT_MS = 10000, READ = 16384 };

struct line {
    uv_tcp_t tcp; /* first: loop_uv_close() frees the block by it */
    uv_connect_t connect;
    uv_timer_t *timer;
    struct peer *p; /* NULL: given up */
    SSL *ssl;
    BIO *in, *out; /* the SSL's */
    struct tls_smtp smtp;
    bool in_clear; /* SMTP still speaks */
    size_t octets; /* of certificates */
    bool too_many;
    char buf[READ];
};

static void on_line_closed(uv_handle_t *h)
{
    struct line *l = (struct line *)h;
    SSL_free(l->ssl);
    free(l);
}

static void give_up(struct line *l)
{
    l->p->impl = NULL;
    l->p = NULL;
    loop_uv_close(l->timer);
    uv_close((uv_handle_t *)&l->tcp, on_line_closed);
}

/* What OpenSSL complains of, as text; its queue is empty afterwards. */
static void tls_reason(char *out, size_t size)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    snprintf(out, size, "%s", reason ? reason : "the connection was closed");
    ERR_clear_error();
}

static void settle(struct line *l, const struct err *e)
{
    struct peer *p = l->p;
    give_up(l);
    op_settle(&p->op, e);
}

static void fail(struct line *l, const char *code, const char *why)
{
    struct err e = {0};
    struct peer *p = l->p;
    char shown[320];
    if (p->n) { /* it has shown what it was asked for */
        snprintf(p->broken, sizeof p->broken, "%s", why);
        settle(l, NULL);
        return;
    }
    endpoint_show(&p->at, shown, sizeof shown);
    err_set(&e, RC_NET, code, "%s: %s", shown, why);
    err_at(&e, "%s", p->at.addr);
    err_again(&e, 0);
    settle(l, &e);
}

/* --- what the server shows ------------------------------------------------------------------------------------------------------------- */

/* In OpenSSL's place of verification: notes the certificates as they came, and believes all of them. */
static int note_chain(X509_STORE_CTX *ctx, void *arg)
{
    (void)arg;
    const SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct line *l = SSL_get_app_data(ssl);
    const STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(ctx);
    struct peer *p = l->p;
    for (int i = 0; i < sk_X509_num(sent); i++) {
        unsigned char *der = NULL;
        int n = i2d_X509(sk_X509_value(sent, i), &der);
        l->too_many |= p->n == PEER_CERTS || n <= 0 || l->octets + (size_t)n > PEER_OCTETS;
        if (!l->too_many) {
            l->octets += (size_t)n;
            p->cert[p->n++] = (struct bytes){mem_copy(der, (size_t)n), (size_t)n};
        }
        OPENSSL_free(der);
    }
    return 1;
}

/* Made once and kept: everybody looks the same way. Weak keys and digests are seen here, and judged elsewhere. */
static SSL_CTX *context(void)
{
    static SSL_CTX *ctx;
    if (ctx)
        return ctx;
    ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx)
        return NULL;
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT);
    SSL_CTX_set_max_cert_list(ctx, PEER_OCTETS + 65536);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, note_chain, NULL);
    SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp);
    return ctx;
}

static void handshake_done(struct line *l)
{
    struct peer *p = l->p;
    const unsigned char *staple;
    long n = SSL_get_tlsext_status_ocsp_resp(l->ssl, &staple);
    if (n > 0)
        p->staple = (struct bytes){mem_copy(staple, (size_t)n), (size_t)n};
    snprintf(p->version, sizeof p->version, "%s", SSL_get_version(l->ssl));
    snprintf(p->cipher, sizeof p->cipher, "%s", SSL_get_cipher_name(l->ssl));
    if (l->too_many)
        snprintf(p->broken, sizeof p->broken, "it sends more than %d certificates or %d octets of them", PEER_CERTS, PEER_OCTETS);
    settle(l, NULL);
}

/* --- octets ---------------------------------------------------------------------------------------------------------------------------- */

struct out {
    uv_write_t req;
    char p[];
};

static void on_written(uv_write_t *req, int status)
{
    (void)status; /* a broken connection is told by on_read */
    free(req);
}

static void send_octets(struct line *l, const void *p, size_t n)
{
    struct out *o = mem_new(sizeof *o + n);
    memcpy(o->p, p, n);
    uv_buf_t buf = uv_buf_init(o->p, (unsigned)n);
    if (uv_write(&o->req, (uv_stream_t *)&l->tcp, &buf, 1, on_written) < 0)
        free(o);
}

static void handshake(struct line *l)
{
    char buf[4096], why[160];
    ERR_clear_error();
    int rc = SSL_do_handshake(l->ssl), state = SSL_get_error(l->ssl, rc);
    for (int n; (n = BIO_read(l->out, buf, sizeof buf)) > 0;)
        send_octets(l, buf, (size_t)n);
    if (rc == 1) {
        handshake_done(l);
    } else if (state != SSL_ERROR_WANT_READ && state != SSL_ERROR_WANT_WRITE) {
        tls_reason(why, sizeof why);
        fail(l, "PEER_TLS", why);
    }
}

static void begin_tls(struct line *l)
{
    SSL_CTX *ctx = context();
    l->in_clear = false;
    l->ssl = ctx ? SSL_new(ctx) : NULL;
    l->in = BIO_new(BIO_s_mem());
    l->out = BIO_new(BIO_s_mem());
    if (!l->ssl || !l->in || !l->out || SSL_set_tlsext_host_name(l->ssl, l->p->name) != 1) {
        BIO_free(l->in);
        BIO_free(l->out);
        ERR_clear_error();
        fail(l, "PEER_TLS", "TLS cannot be started");
        return;
    }
    SSL_set_bio(l->ssl, l->in, l->out);
    SSL_set_app_data(l->ssl, l);
    SSL_set_connect_state(l->ssl);
    handshake(l);
}

static void clear_text(struct line *l, const char *p, size_t n)
{
    const char *say = NULL, *why = NULL;
    enum smtp_next next = tls_smtp_take(&l->smtp, p, n, &say, &why);
    if (next == SMTP_SAY)
        send_octets(l, say, strlen(say));
    else if (next == SMTP_TLS)
        begin_tls(l);
    else if (next == SMTP_NO)
        fail(l, "PEER_CONNECT", why);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    *buf = uv_buf_init(((struct line *)h)->buf, READ);
}

static void on_read(uv_stream_t *h, ssize_t got, const uv_buf_t *buf)
{
    struct line *l = (struct line *)h;
    if (!l->p || got == 0)
        return;
    if (got < 0) {
        fail(l, l->ssl ? "PEER_TLS" : "PEER_CONNECT", got == UV_EOF ? "the connection was closed" : uv_strerror((int)got));
    } else if (l->in_clear) {
        clear_text(l, buf->base, (size_t)got);
    } else {
        BIO_write(l->in, buf->base, (int)got);
        handshake(l);
    }
}

static void on_connect(uv_connect_t *req, int status)
{
    struct line *l = req->data;
    if (!l->p)
        return;
    int rc = status < 0 ? status : uv_read_start((uv_stream_t *)&l->tcp, on_alloc, on_read);
    if (rc < 0)
        fail(l, "PEER_CONNECT", uv_strerror(rc));
    else if (!l->in_clear)
        begin_tls(l);
}

static void on_time(uv_timer_t *timer)
{
    struct line *l = timer->data;
    fail(l, "PEER_TIMEOUT", l->ssl ? "no TLS handshake in time (a firewall, or no TLS there?)" : "no answer in time (a firewall?)");
}

/* --- what callers see ------------------------------------------------------------------------------------------------------------------ */

static void detach(struct op *op)
{
    struct peer *p = (struct peer *)op;
    if (p->impl)
        give_up(p->impl);
}

void peer_start(struct net *n, struct peer *p)
{
    struct line *l = mem_new(sizeof *l);
    union address a;
    socklen_t len;
    uv_tcp_init(loop_uv(net_loop(n)), &l->tcp);
    l->timer = mem_new(sizeof *l->timer);
    uv_timer_init(loop_uv(net_loop(n)), l->timer);
    l->timer->data = l->connect.data = l;
    l->in_clear = p->at.port == 25 || p->at.port == 587;
    l->p = p;
    p->impl = l;
    op_start(&p->op, detach);
    if (!net_address(p->at.addr, p->at.port, &a, NULL)) {
        fail(l, "PEER_CONNECT", "this is no address");
        return;
    }
    const struct sockaddr *source = net_source(n, a.sa.sa_family, &len);
    int rc = source ? uv_tcp_bind(&l->tcp, source, 0) : 0;
    rc = rc < 0 ? rc : uv_tcp_connect(&l->connect, &l->tcp, &a.sa, on_connect);
    if (rc < 0)
        fail(l, "PEER_CONNECT", uv_strerror(rc));
    else
        uv_timer_start(l->timer, on_time, p->limit_ms ? p->limit_ms : LIMIT_MS, 0);
}

void peer_clear(struct peer *p)
{
    op_cancel(&p->op);
    for (size_t i = 0; i < p->n; i++)
        free((void *)(uintptr_t)p->cert[i].p);
    free((void *)(uintptr_t)p->staple.p);
    p->n = 0;
    p->staple = (struct bytes){0};
}
