/* tsig_key.h: TSIG keys as administrators have them: in a key file of one of the known forms, or by name, algorithm and secret.
 *
 * Understood: `key NAME { algorithm ...; secret "..."; };` (tsig-keygen, named.conf), `key:` with `- id: algorithm: secret:`
 * (keymgr -t, knot.conf), `hmac-sha256:NAME:SECRET` (nsupdate -y, kdig -y), `NAME hmac-sha256 SECRET` (pdnsutil list-tsig-keys).
 * Names and algorithms in any case, with or without final dot. hmac-md5 only where it is allowed. No message ever shows a secret. */
#ifndef DCV_NET_TSIG_KEY_H
#define DCV_NET_TSIG_KEY_H

#include "base/record.h"
#include "net/tsig.h"

struct section;

enum { TSIG_KEY_FILE_MAX = 65536 };

/* All fill a zeroed *k, which tsig_key_free() empties again; faults are RC_CONF, code TSIG_KEY (files: secret_read's too). */
bool tsig_key_make(struct tsig_key *k, const char *name, const char *algorithm, struct bytes base64, bool md5, struct err *e);

/* The text of a key file. want: which key, where the file may hold several; NULL: it must hold exactly one. */
bool tsig_key_parse(struct tsig_key *k, struct bytes text, const char *want, bool md5, struct err *e);
bool tsig_key_file(struct tsig_key *k, const char *path, const char *want, bool md5, struct err *e);

/* From a section's tsig_key_file (with tsig_name to choose), or tsig_name, tsig_algorithm and tsig_secret_file; tsig_allow_md5.
 * *none: none of them is set, which is no fault. */
bool tsig_key_section(struct tsig_key *k, const struct section *s, bool *none, struct err *e);
void tsig_key_free(struct tsig_key *k);

/* For conf tables: may this be tsig_algorithm? "hmac-sha256" and the others, also cut ("hmac-sha256-128"). */
bool tsig_algorithm_check(const char *value, char why[160]);

#endif
