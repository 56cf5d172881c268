#include "cert/slow_hash.h"

#include <openssl/evp.h>

#include "base/str.h"
#include "cert/ossl.h"

/* A PIN of 16 digits has 53 bits: with so many rounds all of them take a thousand fast machines some centuries. */
enum { ROUNDS = 100000, HASH_SIZE = 32 };

bool slow_hash(struct bytes secret, const uint8_t salt[SALT_SIZE], char hex[65], struct err *e)
{
    uint8_t hash[HASH_SIZE];
    if (PKCS5_PBKDF2_HMAC((const char *)secret.p, (int)secret.n, salt, SALT_SIZE, ROUNDS, EVP_sha256(), HASH_SIZE, hash) != 1)
        return ossl_fault(e, RC_FAILED, "SLOW_HASH", "a fingerprint cannot be made");
    return hex_show(hex, 65, hash, HASH_SIZE);
}
