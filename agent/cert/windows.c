#include "cert/windows.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "cert/ossl.h"
#include "cert/pem.h"

bool windows_cer(const char *pem, uint8_t **out, size_t *n, struct err *e)
{
    const char *at = pem;
    struct pem_block b;
    bool cut = false;
    *out = NULL;
    if (!pem_next(&at, pem + strlen(pem), &b, &cut) || !b.der)
        return err_set(e, RC_FAILED, "WINDOWS_FILES", "the certificate cannot be written for Windows");
    *out = b.der;
    *n = b.n;
    return true;
}

static bool add_certs(PKCS7 *p7, const char *pem)
{
    const char *at = pem, *end = pem + strlen(pem);
    struct pem_block b;
    bool cut = false, ok = true;
    while (ok && pem_next(&at, end, &b, &cut)) {
        const unsigned char *der = b.der;
        X509 *x = der ? d2i_X509(NULL, &der, (long)b.n) : NULL;
        ok = x && PKCS7_add_certificate(p7, x) == 1;
        X509_free(x);
        free(b.der);
    }
    return ok;
}

bool windows_p7b(const char *pem, uint8_t **out, size_t *n, struct err *e)
{
    PKCS7 *p7 = PKCS7_new();
    unsigned char *der = NULL;
    *out = NULL;
    bool ok = p7 && PKCS7_set_type(p7, NID_pkcs7_signed) == 1 && PKCS7_content_new(p7, NID_pkcs7_data) == 1 &&
              PKCS7_set_detached(p7, 1) == 1 && add_certs(p7, pem);
    int length = ok ? i2d_PKCS7(p7, &der) : 0;
    if (length > 0) {
        *out = mem_copy(der, (size_t)length);
        *n = (size_t)length;
    }
    OPENSSL_free(der);
    PKCS7_free(p7);
    ossl_forget();
    return length > 0 || err_set(e, RC_FAILED, "WINDOWS_FILES", "certificate and chain cannot be written for Windows");
}
