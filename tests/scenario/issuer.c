#include "tests/scenario/issuer.h"

#include <openssl/x509.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"
#include "tests/unit/pki.c"

enum { ROOT_KEY, OTHER_KEY };

static X509 *root;

void issuer_root(const char *path)
{
    if (!root)
        root =
            pki_cert(&(struct pki_spec){.cn = "Scenario Root", .ca = true, .from = 1500000000, .to = 2400000000, .key = pki_key(ROOT_KEY)});
    char *pem = pki_pem(root);
    fs_replace(path, pem, strlen(pem), 0644, NULL);
    free(pem);
}

char *issuer_sign(struct bytes csr, const char *names, int64_t until)
{
    struct strs l = {0};
    const unsigned char *p = csr.p;
    X509_REQ *req = csr.n ? d2i_X509_REQ(NULL, &p, (long)csr.n) : NULL;
    EVP_PKEY *key = req ? X509_REQ_get_pubkey(req) : NULL;
    strs_split(&l, names);
    X509 *x = pki_cert(&(struct pki_spec){.cn = l.s[0],
                                          .o = "Example Limited",
                                          .names = names,
                                          .eku = "serverAuth",
                                          .from = clock_now(),
                                          .to = until,
                                          .key = key ? key : pki_key(OTHER_KEY),
                                          .issuer = root,
                                          .issuer_key = pki_key(ROOT_KEY)});
    char *pem = pki_pem(x);
    X509_free(x);
    pki.n--; /* it is not kept: a scenario may issue hundreds */
    EVP_PKEY_free(key);
    X509_REQ_free(req);
    strs_free(&l);
    return pem;
}

char *issuer_csr(const char *names)
{
    struct strs l = {0};
    strs_split(&l, names);
    char *pem = pki_csr(pki_key(OTHER_KEY), l.s[0], names, "CERTIFICATE REQUEST");
    strs_free(&l);
    return pem;
}
