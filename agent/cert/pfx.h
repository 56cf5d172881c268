/* pfx.h: PKCS#12 bundles. Blocks (100,000 iterations): for the loop's worker. */
#ifndef DCV_CERT_PFX_H
#define DCV_CERT_PFX_H

#include "base/secret.h"
#include "conf/conf.h"

/* cert_pem, chain_pem: NULL: the key alone (backup before a CSR leaves). out: malloc'd DER: the certificate, then its chain in order; friendly_name
 * (UTF-8, NULL allowed) on key and certificate, which have a local key id in common. PFX_AES256: AES-256-CBC, PBKDF2 with SHA-256 and 100,000 rounds,
 * MAC SHA-256. PFX_3DES, for old Windows: 3DES, MAC SHA-1, 2,048 rounds, and of RSA keys the cryptographic provider that IIS uses; a new Windows
 * chooses better by itself. An empty password is refused: RC_CONF, PFX_PASSWORD. A certificate of another key: RC_FAILED, PFX_MAKE. */
bool pfx_make(const struct secret *key_pem, const char *cert_pem, const char *chain_pem, const struct secret *password,
              const char *friendly_name, enum pfx_encryption how, uint8_t **out, size_t *n, struct err *e);

/* Reads key (PKCS#8 PEM) and certificates (PEM, the key's own first; NULL where none) back. certs_pem may be NULL. RC2-40 of old Windows is read
 * too, where OpenSSL has its legacy provider. Faults RC_FAILED: PFX_PASSWORD (wrong), PFX_READ (no PFX, cut off, without a key), PFX_OLD (encrypted in a
 * way that cannot be read here), PFX_KEYS (several private keys: which?), PFX_KEY (its certificates are of other keys). */
bool pfx_read(const void *p, size_t n, const struct secret *password, struct secret *key_pem, char **certs_pem, struct err *e);

#endif
