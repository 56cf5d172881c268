/* sign_impl.h: what the files of sign/ share. For this folder alone. */
#ifndef DCV_PROVIDERS_SIGN_IMPL_H
#define DCV_PROVIDERS_SIGN_IMPL_H

#include "providers/sign/sign.h"

enum { DIGEST_SIZE = 32, HEX_SIZE = 2 * DIGEST_SIZE + 1, SIGN_MAX = 8 << 20 };

struct url_parts { /* borrowed from the URL */
    struct bytes host, path, query; /* host as in the Host header; path without the query, may be empty; query without "?" */
};
bool sign_url_split(const char *url, struct url_parts *u);

void sign_digest(const void *p, size_t n, uint8_t out[DIGEST_SIZE]); /* SHA-256 */
void sign_digest_hex(const void *p, size_t n, char out[HEX_SIZE]);
void sign_mac(const void *key, size_t key_n, const void *p, size_t n, uint8_t out[DIGEST_SIZE]); /* HMAC-SHA-256 */

struct canon; /* a row of canonical.c's table */
const struct canon *canon_find(const char *scheme);
void canon_sign(const struct canon *c, const struct sign_in *in, const struct url_parts *u, struct strs *out);
const char *canon_missing(const struct canon *c, const struct sign_in *in); /* what the row needs and the caller did not give; NULL: nothing */

void akamai_sign(const struct sign_in *in, const struct url_parts *u, struct strs *out);
void ovh_sign(const struct sign_in *in, struct strs *out);

#endif
