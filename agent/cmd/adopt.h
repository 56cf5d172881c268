/* adopt.h: import --key: a certificate in use, taken over with its private key. */
#ifndef DCV_CMD_ADOPT_H
#define DCV_CMD_ADOPT_H

#include "cmd/cmd.h"

enum rc adopt_certificate(struct call *c, const char *cert, const void *p, size_t n, const char *key_file);

#endif
