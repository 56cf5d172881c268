/* key.h: what the parts of `key` share. */
#ifndef DCV_CMD_KEY_H
#define DCV_CMD_KEY_H

#include "base/secret.h"
#include "cmd/cmd.h"

enum rc key_backup(struct call *c);  /* NAME FILE.pfx */
enum rc key_restore(struct call *c); /* NAME FILE.pfx */
enum rc key_list(struct call *c);    /* [NAME...] */

/* Of --password-file, else asked for without echo (twice: a new one, which a slip of the finger would lose), else a line of standard input. */
bool key_password(const struct call *c, bool twice, struct secret *out, struct err *e);

/* Opens the session and checks the operands: names of certificates, those whose section is gone too. */
bool key_session(struct call *c, struct session *s, unsigned parts, enum rc *rc);

#endif
