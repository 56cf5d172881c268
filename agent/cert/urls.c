/* urls.c: where a certificate says that its issuer, its OCSP responder and its CRL are. Whoever made the certificate wrote them: nothing is asked there
 * but by net/fetch.h, which judges the address. */
#include <string.h>
#include <strings.h>

#include <openssl/x509v3.h>

#include "cert/certs.h"

enum { URLS_MAX = 4, URL_LENGTH = 512 };

static bool web(const char *p, size_t n)
{
    if (n >= URL_LENGTH || (strncasecmp(p, "http://", 7) != 0 && strncasecmp(p, "https://", 8) != 0))
        return false;
    for (size_t i = 0; i < n; i++)
        if (p[i] <= ' ' || p[i] > '~')
            return false;
    return true;
}

static void take(const GENERAL_NAME *name, struct strs *out)
{
    if (!name || name->type != GEN_URI || out->n == URLS_MAX)
        return;
    const ASN1_STRING *uri = name->d.uniformResourceIdentifier;
    char text[URL_LENGTH] = "";
    size_t n = (size_t)ASN1_STRING_length(uri);
    if (n >= sizeof text)
        return;
    memcpy(text, ASN1_STRING_get0_data(uri), n);
    if (strlen(text) == n && web(text, n) && !strs_has(out, text))
        strs_add(out, text);
}

static void access_urls(const X509 *x, int nid, struct strs *out)
{
    AUTHORITY_INFO_ACCESS *aia = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(aia); i++) {
        const ACCESS_DESCRIPTION *d = sk_ACCESS_DESCRIPTION_value(aia, i);
        if (OBJ_obj2nid(d->method) == nid)
            take(d->location, out);
    }
    AUTHORITY_INFO_ACCESS_free(aia);
}

static void crl_urls(const X509 *x, struct strs *out)
{
    CRL_DIST_POINTS *points = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);
    for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT *p = sk_DIST_POINT_value(points, i);
        if (!p->distpoint || p->distpoint->type != 0 || p->reasons ||
            p->CRLissuer) /* parts of a CRL, or another's: not what is asked for */
            continue;
        for (int k = 0; k < sk_GENERAL_NAME_num(p->distpoint->name.fullname); k++)
            take(sk_GENERAL_NAME_value(p->distpoint->name.fullname, k), out);
    }
    CRL_DIST_POINTS_free(points);
}

void cert_urls(const X509 *x, enum cert_url kind, struct strs *out)
{
    if (kind == URL_CRL)
        crl_urls(x, out);
    else
        access_urls(x, kind == URL_OCSP ? NID_ad_OCSP : NID_ad_ca_issuers, out);
    ossl_forget();
}
