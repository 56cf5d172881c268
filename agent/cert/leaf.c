#include "cert/leaf.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/base64.h"
#include "base/mem.h"
#include "cert/certs.h"

enum { DER_TEXT_MAX = 2 << 20 };

char *leaf_base64url(const char *pem, struct err *e)
{
    struct issued *i = NULL;
    struct str out = STR_INIT(DER_TEXT_MAX);
    if (!issued_read(&i, pem, strlen(pem), e))
        return NULL;
    unsigned char *der = NULL;
    int n = i2d_X509(i->x[0], &der);
    if (n > 0)
        b64url_put(&out, der, (size_t)n);
    OPENSSL_free(der);
    issued_free(i);
    return str_take(&out);
}

/* The serial's content octets are those of its DER: a leading zero is part of them (RFC 9773 4.1). */
static bool put_serial(const X509 *x, struct str *out)
{
    unsigned char *der = NULL;
    int n = i2d_ASN1_INTEGER(X509_get0_serialNumber(x), &der);
    bool ok = n > 2 && der[1] == n - 2; /* short form: serials have at most 20 octets */
    if (ok)
        b64url_put(out, der + 2, (size_t)n - 2);
    OPENSSL_free(der);
    return ok;
}

bool leaf_renewal_id(const char *pem, char *out, size_t size, struct err *e)
{
    struct issued *i = NULL;
    struct str id = STR_INIT(1024);
    if (!issued_read(&i, pem, strlen(pem), e))
        return false;
    const ASN1_OCTET_STRING *aki = X509_get0_authority_key_id(i->x[0]);
    bool ok = aki && ASN1_STRING_length(aki) > 0;
    if (ok) {
        b64url_put(&id, ASN1_STRING_get0_data(aki), (size_t)ASN1_STRING_length(aki));
        str_add(&id, ".");
        ok = put_serial(i->x[0], &id) && id.n < size;
    }
    if (ok)
        memcpy(out, id.p, id.n + 1);
    str_free(&id);
    issued_free(i);
    ossl_forget();
    return ok ||
           err_set(e, RC_CA, "CERT_NO_AKI", "the certificate has no authority key identifier, so the CA cannot be asked when to renew it");
}

bool leaf_top_issuer(const void *pem, size_t n, char *out, size_t size)
{
    struct issued *i = NULL;
    struct err quiet = {0};
    *out = '\0';
    if (!issued_read(&i, pem, n, &quiet))
        return false;
    cert_issuer(i->x[i->n - 1], out, size);
    issued_free(i);
    return *out != '\0';
}
