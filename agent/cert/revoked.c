#include "cert/revoked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cert/certs.h"

enum { CLOCKS_DIFFER = 5 * MINUTE, OLDEST = 10 * DAY }; /* an answer that names no end is believed so long */

static bool has_issuer(const struct issued *chain, size_t i)
{
    return i + 1 < issued_count(chain);
}

static void unknown(struct revoked *out, const char *why)
{
    *out = (struct revoked){.is = REVOKED_UNKNOWN};
    text_safe(out->why, sizeof out->why, why, strlen(why));
    ossl_forget();
}

void revoked_urls(const struct issued *chain, size_t i, struct strs *ocsp, struct strs *crl)
{
    if (!has_issuer(chain, i))
        return;
    cert_urls(chain->x[i], URL_OCSP, ocsp);
    cert_urls(chain->x[i], URL_CRL, crl);
}

void revoked_name(const struct issued *chain, size_t i, char *out, size_t size)
{
    *out = '\0';
    if (i < issued_count(chain))
        cert_subject(chain->x[i], out, size);
}

/* SHA-1 names certificates here, it protects nothing; it is what all responders know (RFC 5019 2.1.1). */
static OCSP_CERTID *id_of(const struct issued *chain, size_t i)
{
    return has_issuer(chain, i) ? OCSP_cert_to_id(EVP_sha1(), chain->x[i], chain->x[i + 1]) : NULL;
}

bool revoked_question(const struct issued *chain, size_t i, uint8_t **der, size_t *n)
{
    OCSP_REQUEST *req = OCSP_REQUEST_new();
    OCSP_CERTID *id = id_of(chain, i);
    unsigned char *p = NULL;
    int size = -1;
    if (req && id && OCSP_request_add0_id(req, id)) {
        id = NULL; /* the request's now */
        size = i2d_OCSP_REQUEST(req, &p);
    }
    if (size > 0) {
        *der = mem_copy(p, (size_t)size);
        *n = (size_t)size;
    }
    OPENSSL_free(p);
    OCSP_CERTID_free(id);
    OCSP_REQUEST_free(req);
    ossl_forget();
    return size > 0;
}

/* The issuer alone is believed, at `now`. Caller frees. */
static X509_STORE *only(X509 *issuer, int64_t now)
{
    X509_STORE *store = X509_STORE_new();
    if (store && X509_STORE_add_cert(store, issuer) == 1) {
        X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
        X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)now);
    }
    return store;
}

static const char *out_of_time(const ASN1_GENERALIZEDTIME *from, const ASN1_GENERALIZEDTIME *to, int64_t now)
{
    int64_t begin, end;
    if (!from || !ossl_time(from, &begin) || (to && !ossl_time(to, &end)))
        return "the answer's dates cannot be read";
    if (begin > now + CLOCKS_DIFFER)
        return "the answer is of the future (is the clock right?)";
    if (to ? end < now - CLOCKS_DIFFER : begin < now - OLDEST)
        return "the answer is out of date";
    return NULL;
}

static void set_revoked(struct revoked *out, const ASN1_GENERALIZEDTIME *since, int reason)
{
    *out = (struct revoked){.is = REVOKED_YES};
    if (since && !ossl_time(since, &out->at))
        out->at = 0;
    if (reason > 0) /* 0: unspecified */
        snprintf(out->reason, sizeof out->reason, "%s", OCSP_crl_reason_str(reason));
}

static void judge_single(OCSP_BASICRESP *basic, OCSP_CERTID *id, int64_t now, struct revoked *out)
{
    int status, reason = -1;
    ASN1_GENERALIZEDTIME *since = NULL, *from = NULL, *to = NULL;
    if (OCSP_resp_find_status(basic, id, &status, &reason, &since, &from, &to) != 1) {
        unknown(out, "the answer is about other certificates");
        return;
    }
    const char *old = out_of_time(from, to, now);
    if (old)
        unknown(out, old);
    else if (status == V_OCSP_CERTSTATUS_GOOD)
        *out = (struct revoked){.is = REVOKED_GOOD};
    else if (status == V_OCSP_CERTSTATUS_REVOKED)
        set_revoked(out, since, reason);
    else
        unknown(out, "the responder does not know it (yet)");
}

void revoked_ocsp(const struct issued *chain, size_t i, struct bytes answer, int64_t now, struct revoked *out)
{
    const unsigned char *at = answer.p;
    OCSP_RESPONSE *resp = answer.n && answer.n <= REVOKED_OCSP_MAX ? d2i_OCSP_RESPONSE(NULL, &at, (long)answer.n) : NULL;
    int status = resp ? OCSP_response_status(resp) : -1;
    OCSP_BASICRESP *basic = status == OCSP_RESPONSE_STATUS_SUCCESSFUL ? OCSP_response_get1_basic(resp) : NULL;
    OCSP_CERTID *id = id_of(chain, i);
    X509_STORE *store = id ? only(chain->x[i + 1], now) : NULL;
    STACK_OF(X509) *signers = sk_X509_new_null();
    if (signers && id)
        sk_X509_push(signers, chain->x[i + 1]);
    if (!resp)
        unknown(out, "the answer is no OCSP response");
    else if (!basic)
        unknown(out, status == OCSP_RESPONSE_STATUS_SUCCESSFUL ? "the OCSP response cannot be read" : OCSP_response_status_str(status));
    else if (!id || !store || !signers)
        unknown(out, "its issuer is not known");
    else if (OCSP_basic_verify(basic, signers, store, 0) != 1)
        unknown(out, "the OCSP response is not signed by the CA");
    else
        judge_single(basic, id, now, out);
    sk_X509_free(signers);
    X509_STORE_free(store);
    OCSP_CERTID_free(id);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(resp);
    ossl_forget();
}

static void find_entry(X509_CRL *crl, X509 *x, struct revoked *out)
{
    X509_REVOKED *entry = NULL;
    ASN1_ENUMERATED *reason = NULL;
    if (X509_CRL_get0_by_cert(crl, &entry, x) == 1 && entry)
        reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
    set_revoked(out, entry ? X509_REVOKED_get0_revocationDate(entry) : NULL, reason ? (int)ASN1_ENUMERATED_get(reason) : -1);
    ASN1_ENUMERATED_free(reason);
}

/* OpenSSL judges signature, dates and scope (a CRL of parts only, of another's certificates). */
void revoked_crl(const struct issued *chain, size_t i, struct bytes answer, int64_t now, struct revoked *out)
{
    const unsigned char *at = answer.p;
    X509_CRL *crl = answer.n && answer.n <= REVOKED_CRL_MAX ? d2i_X509_CRL(NULL, &at, (long)answer.n) : NULL;
    X509_STORE *store = has_issuer(chain, i) ? only(chain->x[i + 1], now) : NULL;
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    bool ready = crl && store && ctx && X509_STORE_add_crl(store, crl) == 1 &&
                 X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_CRL_CHECK) == 1 &&
                 X509_STORE_CTX_init(ctx, store, chain->x[i], NULL) == 1;
    int verified = ready ? X509_verify_cert(ctx) : -1;
    const char *old;
    if (!ready)
        unknown(out, crl ? "the CRL cannot be checked" : "this is no CRL");
    else if (verified == 1 && !X509_CRL_get0_nextUpdate(crl) && (old = out_of_time(X509_CRL_get0_lastUpdate(crl), NULL, now)))
        unknown(out, old);
    else if (verified == 1)
        *out = (struct revoked){.is = REVOKED_GOOD};
    else if (X509_STORE_CTX_get_error(ctx) == X509_V_ERR_CERT_REVOKED)
        find_entry(crl, chain->x[i], out);
    else
        unknown(out, X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    X509_CRL_free(crl);
    ossl_forget();
}
