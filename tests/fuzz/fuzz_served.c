/* What answers about certificates and what servers send: OCSP responses, CRLs, certificates as sent, a mail server's words. The first octet chooses. */
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "cert/revoked.h"
#include "cert/shown.h"
#include "net/tls_smtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t now = 1800000000;

static struct issued *chain(void)
{
    static const char *const files[] = {"tests/unit/ecert/ssl-2025.pem", "tests/unit/ecert/ssl-2017.pem"};
    struct issued *i = NULL;
    for (size_t k = 0; k < 2; k++) {
        char *text = NULL;
        size_t n;
        if (fs_read(files[k], 1 << 16, &text, &n, NULL))
            issued_read(&i, text, n, NULL);
        free(text);
    }
    return i;
}

static void answers(const uint8_t *p, size_t n, bool crl)
{
    struct issued *i = chain();
    struct revoked out;
    (crl ? revoked_crl : revoked_ocsp)(i, 0, (struct bytes){p, n}, now, &out);
    if (out.is != REVOKED_UNKNOWN) /* nobody but the CA has its key */
        abort();
    issued_free(i);
}

static void sent(const uint8_t *p, size_t n)
{
    struct strs none = {0};
    struct shown out;
    size_t half = n / 2;
    struct bytes cert[] = {{p, half}, {p + half, n - half}};
    shown_judge(&(struct shown_in){.cert = cert, .n = 2, .broken = "", .host = "www.example.hk", .live = &none, .now = now}, &out);
    shown_clear(&out);
    shown_judge(
        &(struct shown_in){.cert = &(struct bytes){p, n}, .n = 1, .broken = "", .host = "www.example.hk", .live = &none, .now = now}, &out);
    shown_clear(&out);
}

static void mail(const uint8_t *p, size_t n)
{
    struct tls_smtp s = {0};
    const char *say, *why;
    for (size_t at = 0; at < n; at += 7) {
        enum smtp_next next = tls_smtp_take(&s, (const char *)p + at, n - at < 7 ? n - at : 7, &say, &why);
        if (next == SMTP_NO || next == SMTP_TLS)
            break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    switch (data[0] % 4) {
    case 0:
        answers(data + 1, size - 1, false);
        break;
    case 1:
        answers(data + 1, size - 1, true);
        break;
    case 2:
        sent(data + 1, size - 1);
        break;
    default:
        mail(data + 1, size - 1);
    }
    return 0;
}
