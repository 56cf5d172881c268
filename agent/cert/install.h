/* install.h: a set of files in archive/NAME/N, and live/NAME switched to it by one rename. */
#ifndef DCV_CERT_INSTALL_H
#define DCV_CERT_INSTALL_H

#include "base/record.h"
#include "base/secret.h"

struct install_set {
    const char *state_dir, *name;
    const struct secret *key_pem;                                     /* NULL: the key lives elsewhere (csr_file) */
    const char *cert_pem, *chain_pem, *fullchain_pem, *evidence_json; /* evidence_json NULL: left out */
    struct bytes pfx;                                                 /* n 0: none */
    struct bytes cer, p7b;                                            /* certificate in DER, PKCS#7 with its chain: for Windows; n 0: none */
    const char *key_group;                                            /* NULL: privkey.pem 0600; else 0640 for that group */
};

/* Writes archive/NAME/.N, fsyncs files and folder, renames it to N; N is one more than the highest there (or *n where it is not 0 and the
 * set is not there yet: repeating an install after a crash gives the same N). A set N that is there already with the same key and certificates
 * is taken as it is (evidence and PFX are brought up to date); one with others is left alone, N is then the next. Leftovers .N of earlier
 * tries are removed. cer and p7b: cert.cer, fullchain.p7b. archive/ and archive/NAME are 0755, so that services can follow live/; privkey.pem keeps its own mode, bundle.pfx and
 * evidence.json are 0600, the rest 0644. durable("archive").
 * Faults RC_CREATE (what is live stays); an unknown key_group is RC_CONF, KEY_GROUP, before anything is written. */
bool install_archive(const struct install_set *set, int64_t *n, struct err *e);

/* live/NAME -> ../archive/NAME/N by rename. before: N it showed before; 0: none. durable("switch"). No such set: RC_STATE, NO_ARCHIVE. */
bool install_switch(const char *state_dir, const char *name, int64_t n, int64_t *before, struct err *e);
bool install_unswitch(const char *state_dir, const char *name, int64_t before, struct err *e); /* back to `before`; 0: link removed */
int64_t install_next(const char *state_dir, const char *name); /* the N a new set would get: one more than the highest there */
int64_t install_live(const char *state_dir, const char *name); /* N that live/NAME shows; 0: none */

/* The key of a set that has none (it was lost): 0600, or 0640 for that group. Never overwrites. */
bool install_key(const char *state_dir, const char *name, int64_t n, const struct secret *key_pem, const char *key_group, struct err *e);

/* Replaces evidence.json in archive/NAME/N (more is known after clean-up). */
bool install_evidence(const char *state_dir, const char *name, int64_t n, const char *json, struct err *e);

/* A certificate that was not accepted, kept for a person: archive/NAME/rejected-HASH.pem (0600). path out. */
bool install_reject(const char *state_dir, const char *name, const void *p, size_t n, char *path, size_t size, struct err *e);

#endif
