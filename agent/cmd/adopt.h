/* adopt.h: import --key, and key restore of what is not known here: a certificate in use, taken over with its private key. */
#ifndef DCV_CMD_ADOPT_H
#define DCV_CMD_ADOPT_H

#include "base/secret.h"
#include "cmd/cmd.h"

enum rc adopt_certificate(struct call *c, const char *cert, const void *p, size_t n, const char *key_file);
enum rc adopt_with_key(struct call *c, const char *cert, const void *p, size_t n, const struct secret *key_pem);

#endif
