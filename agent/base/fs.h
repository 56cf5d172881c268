/* fs.h: files written whole or not at all, read with a limit, and trusted only where others cannot write.
 * All functions use O_NOFOLLOW on the last component of what they create and O_CLOEXEC everywhere. umask does not matter. */
#ifndef DCV_BASE_FS_H
#define DCV_BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/record.h"

/* The whole file, at most max octets (else RC_STATE). out is malloc'd, NUL-terminated beyond n; the caller frees it.
 * A missing file is code NO_FILE, one that may not be read RC_PERM. Refuses anything but plain files; follows symbolic links. */
bool fs_read(const char *path, size_t max, char **out, size_t *n, struct err *e);

/* Temporary file in the same folder, fsync, rename over path, fsync of the folder; durable("replace"). Faults: RC_CREATE (a symbolic
 * link, pipe, device or folder at path is one: it is left alone; RC_RESOURCE without descriptors). */
bool fs_replace(const char *path, const void *p, size_t n, mode_t mode, struct err *e);

/* The same, but never overwrites: link(2), or where there are no links a rename that refuses to. An existing file is code EXISTS. durable("create"). */
bool fs_create(const char *path, const void *p, size_t n, mode_t mode, struct err *e);

/* A new file in a folder that nobody looks into yet: written under its own name, without a temporary beside it. Never overwrites. When all files of the
 * folder are written, the caller flushes each, which is for the disk one wait rather than one a file, and syncs the folder. */
bool fs_draft(const char *path, const void *p, size_t n, mode_t mode, struct err *e);
bool fs_flush(const char *path, struct err *e); /* durable("draft") */

/* Temporary files that a killed process left in a folder, older than an hour, are removed. A folder that cannot be read: nothing. */
void fs_sweep(const char *folder);

/* Folder with exactly this mode; an existing one is fine if it is a folder of ours or root's (its mode is mended, but never that of a
 * sticky one such as /tmp: RC_PERM). */
bool fs_folder(const char *path, mode_t mode, struct err *e);
bool fs_sync_folder(const char *path, struct err *e);

/* One symbolic link switched by rename: link -> target (the text). durable("switch") after it. */
bool fs_switch(const char *link, const char *target, struct err *e);

/* Configuration, hooks, programs: path and every folder above it must not be writable by anyone but root, the agent's user
 * or the owner of the running program file; a sticky folder (such as /tmp) above is accepted. Else RC_PERM, code LOOSE,
 * with the chmod to run. Symbolic links are walked, their folders too. What is not there: RC_CONF, code NO_FILE. */
bool fs_trusted(const char *path, struct err *e);

/* What errno says and, where rights are the reason, who lacks them: a command that root has typed runs as the agent's user. Returns out. */
enum { FS_WHY = 160 };
const char *fs_why(int number, char out[FS_WHY]);

/* Local file system, as SQLite's WAL needs? false with RC_STATE names the type (nfs, cifs, ...). */
bool fs_is_local(const char *path, struct err *e);

#endif
