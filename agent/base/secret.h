/* secret.h: secrets in memory and in files: PINs, TSIG and API keys, passwords, private keys in PEM.
 * Zeroed when freed, never logged, never in argv or the environment. */
#ifndef DCV_BASE_SECRET_H
#define DCV_BASE_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct secret {
    uint8_t *p; /* NUL-terminated beyond n */
    size_t n;
};

/* Reads at most max octets from a path, or from the systemd credential of `credential:NAME` ($CREDENTIALS_DIRECTORY, whose modes
 * systemd keeps). Paths must be plain files with no right for others, and group read only where root owns the file and the group is
 * the agent's own; else RC_PERM and the chmod to run. One final line end is dropped; an empty file is RC_CONF. Symbolic links are
 * refused. */
bool secret_read(struct secret *s, const char *path, size_t max, struct err *e);

/* The mode check of secret_read alone (config check); true for credentials. */
bool secret_check(const char *path, struct err *e);

/* From the terminal without echo, or from stdin where that is no terminal; one line. */
bool secret_ask(struct secret *s, const char *prompt, size_t max, struct err *e);

void secret_set(struct secret *s, const void *p, size_t n); /* copies; frees what was there */
void secret_free(struct secret *s);

/* Once, early in main: no core dumps, not dumpable, so that keys stay out of cores and /proc/PID/mem. */
void secret_process(void);

#endif
