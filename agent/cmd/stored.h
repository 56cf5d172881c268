/* stored.h: what lies in the state folder, as files: key files, sets in the archive. One walk for all who look there. */
#ifndef DCV_CMD_STORED_H
#define DCV_CMD_STORED_H

#include "cert/issued.h"

struct stored_key {  /* keys/ID.key: an order's; the keys of accounts are none */
    char id[24];
    const char *file; /* within the state folder */
    char type[16], spki[65];
};
struct stored_set {   /* archive/NAME/N */
    const char *name;
    int64_t n;
    const char *folder; /* within the state folder */
    bool live;          /* live/NAME leads to it */
    const struct cert_facts *cert; /* NULL: its certificate cannot be read */
};

/* Sorted by name; what they are given is theirs during the call alone. Keys that cannot be read are left out. name NULL: the sets of all certificates. */
void stored_keys(const char *state_dir, void (*fn)(void *arg, const struct stored_key *k), void *arg);
void stored_sets(const char *state_dir, const char *name, void (*fn)(void *arg, const struct stored_set *s), void *arg);

bool stored_key_facts(const char *path, char type[16], char spki[65]); /* false: there is no key that can be read */

#endif
