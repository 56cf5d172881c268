#include "cert/revoked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/ocsp.h>

#include "base/mem.h"
#include "tests/unit/pki.h"

enum { DAYS = 86400, K_ROOT = 0, K_CA = 1, K_LEAF = 2, K_OCSP = 3, K_STRANGER = 4 };

static struct {
    X509 *root, *ca, *leaf, *signer, *no_signer;
    struct issued *chain;
} h;

static int begin(void **state)
{
    (void)state;
    h.root = pki_cert(&(struct pki_spec){.cn = "Root", .ca = true, .key = pki_key(K_ROOT), .to = PKI_NOW + 5000 * (int64_t)DAYS});
    h.ca = pki_cert(&(struct pki_spec){
        .cn = "CA", .ca = true, .eku = "serverAuth", .key = pki_key(K_CA), .issuer = h.root, .issuer_key = pki_key(K_ROOT)});
    struct pki_spec leaf = {
        .cn = "www.example.hk", .names = "www.example.hk", .key = pki_key(K_LEAF), .issuer = h.ca, .issuer_key = pki_key(K_CA)};
    h.leaf = pki_cert(&leaf);
    leaf = (struct pki_spec){.cn = "responder", .eku = "OCSPSigning", .key = pki_key(K_OCSP), .issuer = h.ca, .issuer_key = pki_key(K_CA)};
    h.signer = pki_cert(&leaf);
    leaf.eku = "serverAuth";
    h.no_signer = pki_cert(&leaf);
    char *pem = pki_bundle((X509 *[]){h.leaf, h.ca, h.root}, 3);
    assert_true(issued_read(&h.chain, pem, strlen(pem), NULL));
    free(pem);
    return 0;
}

static int end(void **state)
{
    (void)state;
    issued_free(h.chain);
    pki_free();
    return 0;
}

/* --- OCSP ------------------------------------------------------------------------------------------------------------------------------ */

struct ocsp {
    const char *what;
    int status, reason; /* V_OCSP_CERTSTATUS_* */
    int64_t from, to;   /* days from now; to 0: none */
    int key;            /* who signs */
    X509 **signer;
    bool other; /* about another certificate */
    size_t cut; /* octets left off the end */
    enum revoked_is is;
    const char *says;
};

static uint8_t *response(const struct ocsp *r, size_t *n)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), r->other ? h.signer : h.leaf, h.ca);
    ASN1_TIME *from = ASN1_TIME_set(NULL, PKI_NOW + r->from * DAYS), *to = r->to ? ASN1_TIME_set(NULL, PKI_NOW + r->to * DAYS) : NULL,
              *since = ASN1_TIME_set(NULL, PKI_NOW - 3 * DAYS);
    assert_non_null(
        OCSP_basic_add1_status(basic, id, r->status, r->reason, r->status == V_OCSP_CERTSTATUS_REVOKED ? since : NULL, from, to));
    assert_int_equal(OCSP_basic_sign(basic, *r->signer, pki_key((unsigned)r->key), EVP_sha256(), NULL, 0), 1);
    OCSP_RESPONSE *resp = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    unsigned char *der = NULL;
    int size = i2d_OCSP_RESPONSE(resp, &der);
    uint8_t *copy = mem_copy(der, (size_t)size);
    *n = (size_t)size - r->cut;
    OPENSSL_free(der);
    OCSP_RESPONSE_free(resp);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    ASN1_TIME_free(since);
    return copy;
}

static void ocsp_answers(void **state)
{
    (void)state;
    X509 *stranger = pki_cert(&(struct pki_spec){.cn = "CA", .ca = true, .key = pki_key(K_STRANGER)});
    const struct ocsp rows[] = {
        {"good, by the CA", V_OCSP_CERTSTATUS_GOOD, -1, -1, 5, K_CA, &h.ca, .is = REVOKED_GOOD},
        {"good, delegated", V_OCSP_CERTSTATUS_GOOD, -1, -1, 5, K_OCSP, &h.signer, .is = REVOKED_GOOD},
        {"signed by a server certificate of the CA", V_OCSP_CERTSTATUS_GOOD, -1, -1, 5, K_OCSP, &h.no_signer,
         .says = "not signed by the CA"},
        {"signed by a stranger of the same name", V_OCSP_CERTSTATUS_GOOD, -1, -1, 5, K_STRANGER, &stranger, .says = "not signed by the CA"},
        {"signed by the root", V_OCSP_CERTSTATUS_GOOD, -1, -1, 5, K_ROOT, &h.root, .says = "not signed by the CA"},
        {"revoked", V_OCSP_CERTSTATUS_REVOKED, OCSP_REVOKED_STATUS_KEYCOMPROMISE, -1, 5, K_CA, &h.ca, .is = REVOKED_YES,
         .says = "keyCompromise"},
        {"unknown to the CA", V_OCSP_CERTSTATUS_UNKNOWN, -1, -1, 5, K_CA, &h.ca, .says = "does not know it"},
        {"old", V_OCSP_CERTSTATUS_GOOD, -1, -9, -1, K_CA, &h.ca, .says = "out of date"},
        {"old, no end", V_OCSP_CERTSTATUS_GOOD, -1, -11, 0, K_CA, &h.ca, .says = "out of date"},
        {"young, no end", V_OCSP_CERTSTATUS_GOOD, -1, -9, 0, K_CA, &h.ca, .is = REVOKED_GOOD},
        {"of the future", V_OCSP_CERTSTATUS_GOOD, -1, 1, 9, K_CA, &h.ca, .says = "future"},
        {"about another", V_OCSP_CERTSTATUS_GOOD, -1, -1, 5, K_CA, &h.ca, .other = true, .says = "other certificates"},
        {"cut off", V_OCSP_CERTSTATUS_GOOD, -1, -1, 5, K_CA, &h.ca, .cut = 7, .says = "no OCSP response"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n;
        struct revoked out;
        uint8_t *der = response(&rows[i], &n);
        revoked_ocsp(h.chain, 0, (struct bytes){der, n}, PKI_NOW, &out);
        if (out.is != rows[i].is)
            fail_msg("%s: %d (%s)", rows[i].what, out.is, out.why);
        if (rows[i].says && !strstr(out.is == REVOKED_YES ? out.reason : out.why, rows[i].says))
            fail_msg("%s: says %s %s", rows[i].what, out.why, out.reason);
        if (out.is == REVOKED_YES)
            assert_int_equal(out.at, PKI_NOW - 3 * DAYS);
        free(der);
    }
}

static void ocsp_refusals(void **state)
{
    (void)state;
    OCSP_RESPONSE *resp = OCSP_response_create(OCSP_RESPONSE_STATUS_UNAUTHORIZED, NULL);
    unsigned char *der = NULL;
    int n = i2d_OCSP_RESPONSE(resp, &der);
    struct revoked out;
    revoked_ocsp(h.chain, 0, (struct bytes){der, (size_t)n}, PKI_NOW, &out);
    assert_int_equal(out.is, REVOKED_UNKNOWN);
    assert_non_null(strstr(out.why, "unauthorized"));
    OPENSSL_free(der);
    OCSP_RESPONSE_free(resp);
    revoked_ocsp(h.chain, 0, (struct bytes){0}, PKI_NOW, &out);
    assert_int_equal(out.is, REVOKED_UNKNOWN);
    revoked_ocsp(h.chain, 2, (struct bytes){(const uint8_t *)"x", 1}, PKI_NOW, &out); /* the root: nobody above it */
    assert_int_equal(out.is, REVOKED_UNKNOWN);
}

static void questions(void **state)
{
    (void)state;
    uint8_t *der = NULL;
    size_t n = 0;
    assert_true(revoked_question(h.chain, 0, &der, &n));
    const unsigned char *at = der;
    OCSP_REQUEST *req = d2i_OCSP_REQUEST(NULL, &at, (long)n);
    assert_non_null(req);
    assert_int_equal(OCSP_request_onereq_count(req), 1);
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), h.leaf, h.ca);
    assert_int_equal(OCSP_id_cmp(OCSP_onereq_get0_id(OCSP_request_onereq_get0(req, 0)), id), 0);
    OCSP_CERTID_free(id);
    OCSP_REQUEST_free(req);
    free(der);
    assert_false(revoked_question(h.chain, 2, &der, &n));
}

/* --- CRL ------------------------------------------------------------------------------------------------------------------------------- */

struct crl {
    const char *what;
    bool lists, other;
    int64_t from, to; /* days from now; to 0: none */
    int key;
    X509 **issuer;
    enum revoked_is is;
    const char *says;
};

static uint8_t *crl_made(const struct crl *r, size_t *n)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *from = ASN1_TIME_set(NULL, PKI_NOW + r->from * DAYS), *to = r->to ? ASN1_TIME_set(NULL, PKI_NOW + r->to * DAYS) : NULL,
              *since = ASN1_TIME_set(NULL, PKI_NOW - 3 * DAYS);
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(*r->issuer));
    X509_CRL_set1_lastUpdate(crl, from);
    if (to)
        X509_CRL_set1_nextUpdate(crl, to);
    if (r->lists || r->other) {
        X509_REVOKED *e = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(e, X509_get_serialNumber(r->other ? h.signer : h.leaf));
        X509_REVOKED_set_revocationDate(e, since);
        ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
        ASN1_ENUMERATED_set(reason, CRL_REASON_SUPERSEDED);
        X509_REVOKED_add1_ext_i2d(e, NID_crl_reason, reason, 0, 0);
        ASN1_ENUMERATED_free(reason);
        X509_CRL_add0_revoked(crl, e);
    }
    X509_CRL_sort(crl);
    assert_true(X509_CRL_sign(crl, pki_key((unsigned)r->key), EVP_sha256()) > 0);
    unsigned char *der = NULL;
    int size = i2d_X509_CRL(crl, &der);
    uint8_t *copy = mem_copy(der, (size_t)size);
    *n = (size_t)size;
    OPENSSL_free(der);
    X509_CRL_free(crl);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    ASN1_TIME_free(since);
    return copy;
}

static void crls(void **state)
{
    (void)state;
    const struct crl rows[] = {
        {"not on it", false, true, -1, 5, K_CA, &h.ca, REVOKED_GOOD, NULL},
        {"empty", false, false, -1, 5, K_CA, &h.ca, REVOKED_GOOD, NULL},
        {"on it", true, false, -1, 5, K_CA, &h.ca, REVOKED_YES, "superseded"},
        {"out of date", false, false, -9, -1, K_CA, &h.ca, REVOKED_UNKNOWN, "expired"},
        {"without an end", false, false, -9, 0, K_CA, &h.ca, REVOKED_GOOD, NULL},
        {"without an end, and old", false, false, -11, 0, K_CA, &h.ca, REVOKED_UNKNOWN, "out of date"},
        {"of the future", false, false, 1, 9, K_CA, &h.ca, REVOKED_UNKNOWN, "not yet valid"},
        {"of another CA", true, false, -1, 5, K_ROOT, &h.root, REVOKED_UNKNOWN, "unable to get certificate CRL"},
        {"signed by another", false, false, -1, 5, K_STRANGER, &h.ca, REVOKED_UNKNOWN, "signature"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n;
        struct revoked out;
        uint8_t *der = crl_made(&rows[i], &n);
        revoked_crl(h.chain, 0, (struct bytes){der, n}, PKI_NOW, &out);
        if (out.is != rows[i].is || (rows[i].says && !strstr(out.is == REVOKED_YES ? out.reason : out.why, rows[i].says)))
            fail_msg("%s: %d %s %s", rows[i].what, out.is, out.why, out.reason);
        revoked_crl(h.chain, 0, (struct bytes){der, n - 3}, PKI_NOW, &out);
        assert_int_equal(out.is, REVOKED_UNKNOWN);
        free(der);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ocsp_answers), cmocka_unit_test(ocsp_refusals), cmocka_unit_test(questions),
                                       cmocka_unit_test(crls)};
    return cmocka_run_group_tests(tests, begin, end);
}
