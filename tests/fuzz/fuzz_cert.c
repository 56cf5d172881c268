/* What a CA, a portal or a person hands over. The first octet chooses: 0 certificates and what is read of them, 1 requests, 2 subjects,
 * 3 a chain of whatever is there, 4 a PFX. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cert/chain.h"
#include "cert/csr.h"
#include "cert/issued.h"
#include "cert/pfx.h"
#include "conf/checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { NOW = 1800000000 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    setenv("SSL_CERT_FILE", "/nonexistent", 1); /* the machine's roots decide nothing */
    setenv("SSL_CERT_DIR", "/nonexistent", 1);
    return 0;
}

static void certificates(const uint8_t *p, size_t n)
{
    struct issued *i = NULL;
    if (!issued_read(&i, p, n, NULL))
        return;
    struct strs names = {0};
    char spki[65] = "";
    for (size_t k = 0; k < issued_count(i); k++) {
        struct cert_facts f;
        struct err e = {0};
        if (!issued_facts(i, k, &f, &e))
            continue;
        memcpy(spki, f.spki, sizeof spki);
        strs_free(&names);
        strs_copy(&names, &f.names);
        cert_facts_clear(&f);
    }
    struct ordered o = {.spki = spki, .names = &names, .organisation = "Example Limited", .now = NOW, .longest = 200 * 86400};
    size_t leaf = 0;
    struct err e = {0};
    if (issued_check(i, &o, &leaf, &e))
        free(issued_pem(i, leaf));
    strs_free(&names);
    issued_free(i);
}

static void request(const uint8_t *p, size_t n)
{
    struct csr c;
    struct err e = {0};
    struct str pem = STR_INIT(1 << 20);
    if (csr_read(p, n, &c, &e))
        csr_pem(c.der, c.n, &pem);
    str_free(&pem);
    csr_clear(&c);
}

static void subject(const uint8_t *p, size_t n)
{
    char why[160], *text = mem_copy(p, n);
    check_subject(text, why);
    free(text);
}

static void chain(const uint8_t *p, size_t n)
{
    struct issued *i = NULL;
    if (!issued_read(&i, p, n, NULL))
        return;
    struct chain_in in = {.given = i, .form = CHAIN_WITH_CROSS, .host = "www.example.hk", .now = NOW};
    struct chain c;
    struct err e = {0};
    chain_build(&in, &c, &e);
    chain_clear(&c);
    issued_free(i);
}

static void pfx(const uint8_t *p, size_t n)
{
    struct secret password = {0}, key = {0};
    struct err e = {0};
    char *certs = NULL;
    secret_set(&password, "pw", 2);
    pfx_read(p, n, &password, &key, &certs, &e);
    secret_free(&password);
    secret_free(&key);
    free(certs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const targets[])(const uint8_t *, size_t) = {certificates, request, subject, chain, pfx};
    if (size)
        targets[(uint8_t)(data[0] - '0') % (sizeof targets / sizeof *targets)](data + 1, size - 1);
    return 0;
}
