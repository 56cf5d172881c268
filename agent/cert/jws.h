/* jws.h: JSON Web Signatures as ACME wants them: flattened JSON, canonical JWKs, thumbprints (RFC 7515, 7518, 7638). */
#ifndef DCV_CERT_JWS_H
#define DCV_CERT_JWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/record.h"
#include "base/secret.h"
#include "base/str.h"

enum { SHA256_SIZE = 32, THUMBPRINT_SIZE = 44 /* 43 characters and the NUL */ };

void sha256(const void *p, size_t n, uint8_t out[SHA256_SIZE]);

/* A private key that signs: P-256 (ES256), P-384 (ES384) or RSA from 2048 (RS256). Not thread-safe. */
struct jws_key;
struct jws_key *jws_key_open(const struct secret *pem, struct err *e); /* NULL: KEY_BAD, KEY_WEAK */
void jws_key_free(struct jws_key *k);                                  /* NULL allowed */
const char *jws_alg(const struct jws_key *k);
const char *jws_jwk(const struct jws_key *k);        /* the public key as RFC 7638 wants it hashed; borrowed */
const char *jws_thumbprint(const struct jws_key *k); /* borrowed */

/* {"protected":...,"payload":...,"signature":...} over the header and payload as they are. RC_FAILED: JWS_SIGN. */
bool jws_sign(const struct jws_key *k, const char *header, struct bytes payload, struct str *out, struct err *e);

/* The same with a shared secret. alg: HS256, HS384 or HS512, which must also stand in the header. */
bool jws_mac(const char *alg, const struct secret *key, const char *header, struct bytes payload, struct str *out, struct err *e);

#endif
