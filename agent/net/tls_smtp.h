/* tls_smtp.h: the words before TLS on a mail server's port (RFC 5321, RFC 3207): its greeting, EHLO, STARTTLS. Pure. */
#ifndef DCV_NET_TLS_SMTP_H
#define DCV_NET_TLS_SMTP_H

#include <stdbool.h>
#include <stddef.h>

struct tls_smtp {
    int step; /* replies seen */
    bool offered;
    char line[512]; /* the line that is coming in, cut there */
    size_t n, octets;
};

enum smtp_next { SMTP_MORE, SMTP_SAY, SMTP_TLS, SMTP_NO };

/* Octets from the server. SAY: `say` is to be sent; NO: `why`. TLS begins with the next octet that we send. */
enum smtp_next tls_smtp_take(struct tls_smtp *s, const char *p, size_t n, const char **say, const char **why);

#endif
