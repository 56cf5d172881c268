/* stored.h: what lies in the state folder, as files: key files, sets in the archive. */
#ifndef DCV_CMD_STORED_H
#define DCV_CMD_STORED_H

#include "cert/issued.h"

/* Calls fn with each name in state_dir/folder, sorted; those with a dot in front left out. A folder that is not there has none. */
void stored_each(const char *state_dir, const char *folder, void (*fn)(void *arg, const char *folder, const char *name), void *arg);

bool stored_facts(const char *path, struct cert_facts *f); /* of the first certificate of a PEM file; false: there is none */

#endif
