/* pfx_read.c: PKCS#12 as it comes: our own, of IIS and MMC, of openssl. Bag by bag, since one that holds two keys must not be guessed about. */
#include "cert/pfx.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include "cert/certs.h"
#include "cert/ossl.h"

enum { PFX_MAX = 1 << 20, ROUNDS_MAX = 2000000, DEEP_MAX = 8 };

/* --- how it is encrypted --- */

/* Windows up to Server 2016 encrypts the certificates with RC2-40, which is in OpenSSL's legacy provider alone: loaded for this one file. */
struct old_ciphers {
    OSSL_LIB_CTX *ctx;
    OSSL_PROVIDER *normal, *legacy;
};

static bool old_ciphers_load(struct old_ciphers *o)
{
    o->ctx = OSSL_LIB_CTX_new();
    o->normal = o->ctx ? OSSL_PROVIDER_load(o->ctx, "default") : NULL;
    o->legacy = o->ctx ? OSSL_PROVIDER_load(o->ctx, "legacy") : NULL;
    return o->normal && o->legacy;
}

static void old_ciphers_unload(struct old_ciphers *o)
{
    if (o->legacy)
        OSSL_PROVIDER_unload(o->legacy);
    if (o->normal)
        OSSL_PROVIDER_unload(o->normal);
    OSSL_LIB_CTX_free(o->ctx);
}

static bool rounds_fit(const ASN1_INTEGER *rounds)
{
    return !rounds || (ASN1_INTEGER_get(rounds) > 0 && ASN1_INTEGER_get(rounds) <= ROUNDS_MAX);
}

/* A hostile count of rounds would keep the worker busy for years. */
static bool algorithm_fits(const X509_ALGOR *a)
{
    const ASN1_OBJECT *what;
    const void *parameter;
    int type;
    X509_ALGOR_get0(&what, &type, &parameter, a);
    if (type != V_ASN1_SEQUENCE)
        return true;
    bool ok = true;
    if (OBJ_obj2nid(what) == NID_pbes2) {
        PBE2PARAM *both = ASN1_item_unpack(parameter, ASN1_ITEM_rptr(PBE2PARAM));
        PBKDF2PARAM *kdf = both && both->keyfunc->parameter && both->keyfunc->parameter->type == V_ASN1_SEQUENCE
                               ? ASN1_item_unpack(both->keyfunc->parameter->value.sequence, ASN1_ITEM_rptr(PBKDF2PARAM))
                               : NULL;
        ok = !kdf || rounds_fit(kdf->iter);
        PBKDF2PARAM_free(kdf);
        PBE2PARAM_free(both);
    } else {
        PBEPARAM *one = ASN1_item_unpack(parameter, ASN1_ITEM_rptr(PBEPARAM));
        ok = !one || rounds_fit(one->iter);
        PBEPARAM_free(one);
    }
    ossl_forget();
    return ok;
}

/* --- what is in it --- */

struct opening {
    const char *password; /* NULL and "" are two passwords */
    int n;
    OSSL_LIB_CTX *ctx;
    EVP_PKEY *key;
    unsigned keys;
    STACK_OF(X509) * certs;
    struct err *e;
};

static bool cannot(struct opening *o)
{
    int reason = ERR_GET_REASON(ERR_peek_error());
    if (reason == ERR_R_UNSUPPORTED || reason == EVP_R_UNSUPPORTED_ALGORITHM || reason == EVP_R_UNKNOWN_PBE_ALGORITHM)
        return ossl_fault(
            o->e, RC_FAILED, "PFX_OLD",
            "the PFX is encrypted in a way that cannot be read here (old Windows: RC2 of 40 bits): export it again with AES256-SHA256 or "
            "TripleDES-SHA1, or rewrite it with openssl pkcs12 -legacy");
    return ossl_fault(o->e, RC_FAILED, "PFX_READ", "the PFX cannot be decrypted");
}

static bool take_key(struct opening *o, PKCS8_PRIV_KEY_INFO *p8)
{
    EVP_PKEY *key = p8 ? EVP_PKCS82PKEY(p8) : NULL;
    if (!key)
        return cannot(o);
    if (o->key && EVP_PKEY_eq(o->key, key) == 1) { /* written twice */
        EVP_PKEY_free(key);
        return true;
    }
    o->keys++;
    EVP_PKEY_free(o->key);
    o->key = key;
    return true;
}

static bool take_bags(struct opening *o, const STACK_OF(PKCS12_SAFEBAG) * bags, unsigned deep);

static bool take_shrouded(struct opening *o, const PKCS12_SAFEBAG *bag)
{
    const X509_ALGOR *how;
    X509_SIG_get0(PKCS12_SAFEBAG_get0_pkcs8(bag), &how, NULL);
    if (!algorithm_fits(how))
        return err_set(o->e, RC_FAILED, "PFX_READ", "the PFX asks for an absurd number of rounds");
    PKCS8_PRIV_KEY_INFO *p8 = PKCS12_decrypt_skey_ex(bag, o->password, o->n, o->ctx, NULL);
    bool ok = take_key(o, p8);
    PKCS8_PRIV_KEY_INFO_free(p8);
    return ok;
}

static bool take_bag(struct opening *o, const PKCS12_SAFEBAG *bag, unsigned deep)
{
    X509 *x;
    switch (PKCS12_SAFEBAG_get_nid(bag)) {
    case NID_keyBag: {
        /* The library gives it as const and wants it as not: it is only read. */
        PKCS8_PRIV_KEY_INFO *p8 = (PKCS8_PRIV_KEY_INFO *)(uintptr_t)PKCS12_SAFEBAG_get0_p8inf(bag);
        return take_key(o, p8);
    }
    case NID_pkcs8ShroudedKeyBag:
        return take_shrouded(o, bag);
    case NID_certBag:
        if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate)
            return true;
        x = PKCS12_SAFEBAG_get1_cert(bag);
        if (x && sk_X509_num(o->certs) < CERTS_MAX && sk_X509_push(o->certs, x) > 0)
            return true;
        X509_free(x);
        return ossl_fault(o->e, RC_FAILED, "PFX_READ", "a certificate in the PFX cannot be read, or there are too many");
    case NID_safeContentsBag:
        return deep > DEEP_MAX ? err_set(o->e, RC_FAILED, "PFX_READ", "the PFX is nested too deep")
                               : take_bags(o, PKCS12_SAFEBAG_get0_safes(bag), deep + 1);
    default:
        return true; /* CRLs, secrets: nothing of ours */
    }
}

static bool take_bags(struct opening *o, const STACK_OF(PKCS12_SAFEBAG) * bags, unsigned deep)
{
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++)
        if (!take_bag(o, sk_PKCS12_SAFEBAG_value(bags, i), deep))
            return false;
    return true;
}

static bool take_safe(struct opening *o, PKCS7 *safe)
{
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
    if (PKCS7_type_is_data(safe)) {
        bags = PKCS12_unpack_p7data(safe);
    } else if (PKCS7_type_is_encrypted(safe)) {
        if (!algorithm_fits(safe->d.encrypted->enc_data->algorithm))
            return err_set(o->e, RC_FAILED, "PFX_READ", "the PFX asks for an absurd number of rounds");
        bags = PKCS12_unpack_p7encdata(safe, o->password, o->n);
    } else {
        return err_set(o->e, RC_FAILED, "PFX_READ",
                       "the PFX is protected by a certificate (or a Windows account), not by a password: export it again with one");
    }
    bool ok = bags ? take_bags(o, bags, 0) : cannot(o);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    return ok;
}

/* --- the whole file --- */

/* The password as OpenSSL's functions want it. None at all may be NULL or "", which give two keys. */
static bool try_password(PKCS12 *p12, const struct secret *password, struct opening *o)
{
    o->password = (const char *)password->p;
    o->n = (int)password->n;
    if (!PKCS12_mac_present(p12) || PKCS12_verify_mac(p12, o->password, o->n) == 1)
        return true;
    o->password = NULL;
    if (!password->n && PKCS12_verify_mac(p12, NULL, 0) == 1)
        return true;
    ossl_forget();
    return err_set(o->e, RC_FAILED, "PFX_PASSWORD", "the password does not open the PFX");
}

static bool unpack(PKCS12 *p12, const struct secret *password, struct opening *o)
{
    const ASN1_INTEGER *rounds = NULL;
    PKCS12_get0_mac(NULL, NULL, NULL, &rounds, p12);
    if (!rounds_fit(rounds))
        return err_set(o->e, RC_FAILED, "PFX_READ", "the PFX asks for an absurd number of rounds");
    if (!try_password(p12, password, o))
        return false;
    STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(p12);
    bool ok = safes || ossl_fault(o->e, RC_FAILED, "PFX_READ", "the PFX cannot be taken apart");
    for (int i = 0; ok && i < sk_PKCS7_num(safes); i++)
        ok = take_safe(o, sk_PKCS7_value(safes, i));
    sk_PKCS7_pop_free(safes, PKCS7_free);
    return ok;
}

/* The key's own certificate first. */
static bool write_certs(const struct opening *o, char **certs_pem)
{
    struct str s = STR_INIT(4 << 20);
    int n = sk_X509_num(o->certs), leaf = -1;
    for (int i = 0; i < n && leaf < 0; i++)
        if (X509_check_private_key(sk_X509_value(o->certs, i), o->key) == 1)
            leaf = i;
    ossl_forget();
    if (n > 0 && leaf < 0)
        return err_set(o->e, RC_FAILED, "PFX_KEY", "none of the %d certificates in the PFX is for its private key", n);
    for (int i = -1; i < n; i++)
        if (i < 0 ? leaf >= 0 : i != leaf)
            ossl_pem(sk_X509_value(o->certs, i < 0 ? leaf : i), &s);
    if (certs_pem && s.n)
        *certs_pem = str_take(&s);
    str_free(&s);
    return true;
}

static PKCS12 *decode(const void *p, size_t n, OSSL_LIB_CTX *ctx)
{
    const unsigned char *at = p;
    PKCS12 *p12 = ctx ? PKCS12_init_ex(NID_pkcs7_data, ctx, NULL) : NULL;
    if (ctx && !p12)
        return NULL;
    PKCS12 *got = d2i_PKCS12(p12 ? &p12 : NULL, &at, (long)n);
    if (!got && p12)
        PKCS12_free(p12);
    return got;
}

static bool open_pfx(const void *p, size_t n, const struct secret *password, OSSL_LIB_CTX *ctx, struct secret *key_pem, char **certs_pem,
                     struct err *e)
{
    struct opening o = {.ctx = ctx, .certs = sk_X509_new_null(), .e = e};
    PKCS12 *p12 = decode(p, n, ctx);
    bool ok = (p12 && o.certs) || ossl_fault(e, RC_FAILED, "PFX_READ", "this is no PFX (PKCS#12) file, or it is cut off");
    ok = ok && unpack(p12, password, &o);
    if (ok && !o.key)
        ok = err_set(e, RC_FAILED, "PFX_READ", "there is no private key in the PFX");
    if (ok && o.keys > 1)
        ok = err_set(e, RC_FAILED, "PFX_KEYS",
                     "there are %u private keys in the PFX, and which one is meant cannot be told: export one alone", o.keys);
    ok = ok && write_certs(&o, certs_pem) && ossl_key_pem(o.key, key_pem, e);
    if (!ok && certs_pem) {
        free(*certs_pem);
        *certs_pem = NULL;
    }
    EVP_PKEY_free(o.key);
    sk_X509_pop_free(o.certs, X509_free);
    PKCS12_free(p12);
    ossl_forget();
    return ok;
}

bool pfx_read(const void *p, size_t n, const struct secret *password, struct secret *key_pem, char **certs_pem, struct err *e)
{
    struct err fault = {0};
    struct secret none = {.p = (uint8_t[]){0}};
    if (certs_pem)
        *certs_pem = NULL;
    if (!password || !password->p)
        password = &none;
    if (!n || n > PFX_MAX || password->n > INT_MAX || memchr(password->p, '\0', password->n))
        return err_set(e, RC_FAILED, "PFX_READ", "this is no PFX (PKCS#12) file, or its password holds a NUL");
    if (open_pfx(p, n, password, NULL, key_pem, certs_pem, &fault))
        return true;
    struct old_ciphers old = {0};
    bool again = strcmp(fault.code, "PFX_OLD") == 0 && old_ciphers_load(&old);
    if (again)
        fault = (struct err){0};
    bool ok = again && open_pfx(p, n, password, old.ctx, key_pem, certs_pem, &fault);
    old_ciphers_unload(&old);
    ossl_forget();
    return ok || err_set(e, fault.rc, fault.code, "%s", fault.text);
}
