/* slow_hash.h: a fingerprint of a short secret that cannot be turned back by trying all of them: PBKDF2 (RFC 8018) with HMAC-SHA-256. */
#ifndef DCV_CERT_SLOW_HASH_H
#define DCV_CERT_SLOW_HASH_H

#include "base/err.h"
#include "base/record.h"

enum { SALT_SIZE = 16 };

/* 64 hex digits. Blocks for some tens of milliseconds: for the loop's worker. RC_FAILED: SLOW_HASH. */
bool slow_hash(struct bytes secret, const uint8_t salt[SALT_SIZE], char hex[65], struct err *e);

#endif
