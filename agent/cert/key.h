/* key.h: private keys: made, kept, never overwritten. OpenSSL stays inside cert/. */
#ifndef DCV_CERT_KEY_H
#define DCV_CERT_KEY_H

#include "base/err.h"
#include "base/secret.h"
#include "conf/conf.h"

/* Once, before anything else: the library must not clean up at exit, when a worker that cannot be stopped may still be making a key. */
void key_library(void);
const char *key_library_version(void); /* of OpenSSL, as it runs: "3.0.17" */

/* Makes a key as unencrypted PKCS#8 PEM. Blocks (RSA 4096: seconds): for the loop's worker. type KEY_DEFAULT is refused (RC_BUG). */
bool key_generate(enum key_type type, struct secret *pem, struct err *e);

/* keys/ORDER.key (0600) in state_dir: temporary file, fsync, link(2), fsync of the folder: never overwrites. Then durable("key"). */
bool key_store(const char *state_dir, const char *order, const struct secret *pem, struct err *e);
bool key_load(const char *state_dir, const char *order, struct secret *pem, struct err *e); /* missing: code NO_KEY, RC_STATE */
void key_path(const char *state_dir, const char *order, char *out, size_t size); /* "" where order is no order id, or out too small */

/* Unencrypted, private, its parts fit together (KEY_BAD), of a type that public CAs sign: RSA from 2048, P-256, P-384, P-521 (KEY_WEAK).
 * RC_STATE. Blocks as key_generate does. */
bool key_check(const struct secret *pem, struct err *e);
bool key_spki(const struct secret *pem, char hex[65], struct err *e);     /* SHA-256 of its SubjectPublicKeyInfo */
bool key_type_of(const struct secret *pem, char word[16], struct err *e); /* "rsa2048", "p256", ... or "rsa1024" etc. */

#endif
