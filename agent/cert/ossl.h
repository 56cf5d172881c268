/* ossl.h: what the files of cert/ share about OpenSSL's objects. For this folder alone; OpenSSL's types by their tags, so that its headers stay in
 * the .c files. */
#ifndef DCV_CERT_OSSL_H
#define DCV_CERT_OSSL_H

#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"
#include "conf/conf.h"

struct X509_name_st;
struct X509_pubkey_st;
struct asn1_string_st;
struct evp_pkey_st;
struct stack_st_GENERAL_NAME;
struct x509_st;

/* err_set with OpenSSL's own reason behind the text. Empties its error queue. Always false. */
bool ossl_fault(struct err *e, enum rc rc, const char *code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void ossl_forget(void); /* empties the error queue after a failure that was expected */

struct evp_pkey_st *ossl_new_key(enum key_type type, struct err *e); /* key.c; NULL: e */

/* A private key out of PEM; never asks for a passphrase. NULL: KEY_BAD. */
struct evp_pkey_st *ossl_key(const struct secret *pem, struct err *e);
bool ossl_key_pem(const struct evp_pkey_st *key, struct secret *pem, struct err *e); /* unencrypted PKCS#8 */

void ossl_key_word(const struct evp_pkey_st *key, char word[16]); /* "rsa2048", "p256", "ed25519", ... */
bool ossl_key_allowed(const struct evp_pkey_st *key); /* what public CAs may sign: RSA from 2048 in steps of 8, P-256, P-384, P-521 */

/* SHA-256 of a SubjectPublicKeyInfo: as it stands in a certificate or request; written for a key, which takes OpenSSL a hundred times as long. */
bool ossl_spki(const struct X509_pubkey_st *written, char hex[65]);
bool ossl_spki_of_key(const struct evp_pkey_st *key, char hex[65]);

/* Names and times of certificates and requests. */
void ossl_name(const struct X509_name_st *name, char *out, size_t size);     /* the whole DN, RFC 4514, as safe text */
void ossl_label(const struct X509_name_st *name, char *out, size_t size);    /* the CN alone where there is one: for messages */
bool ossl_entry(const struct X509_name_st *name, int nid, struct str *utf8); /* the last entry of that kind; false: none */
void ossl_host(const void *text, size_t n, char out[254]);                   /* inner form; what is no host name as safe text, lower case */
bool ossl_is_host(const void *text, size_t n, char out[254]);
void ossl_dns_names(const struct stack_st_GENERAL_NAME *san, struct strs *out); /* by ossl_host, no duplicates */
bool ossl_time(const struct asn1_string_st *t, int64_t *when);

void ossl_pem(const struct x509_st *x, struct str *out);

#endif
