/* webfile.h: the validation file in a web root: WEBROOT/.well-known/pki-validation/fileauth.txt. Local disk only.
 *
 * Folders of web roots belong to others, and they may not be trusted: the two folders are entered one by one, never through a symbolic link, and what
 * stands there and is not ours is neither overwritten nor removed. */
#ifndef DCV_DCV_WEBFILE_H
#define DCV_DCV_WEBFILE_H

#include "base/err.h"

#define WEBFILE_URL_PATH "/.well-known/pki-validation/fileauth.txt"

/* Can a file be put there as far as can be told: the folder is there, and we may write in the innermost one that is? */
bool webfile_possible(const char *webroot, struct err *e);

enum webfile_is { WEBFILE_ABSENT, WEBFILE_SAME, WEBFILE_OTHER }; /* no file; one with this content, blanks at its end aside; another one */

/* What stands there. content NULL: any file is another one. folders: how many of the two folders are missing. Faults: RC_CONF WEBSITE_ROOT (no such
 * folder), RC_PERM or RC_CREATE WEBSITE_FILE. */
bool webfile_look(const char *webroot, const char *content, enum webfile_is *is, unsigned *folders, struct err *e);

/* Folders (0755) where missing, then the file (0644), whole or not at all, on the disk when this returns; never overwrites: WEBSITE_TAKEN (RC_CREATE).
 * durable("website"). */
bool webfile_put(const char *webroot, const char *content, struct err *e);

/* Removes the file if it has this content, and the innermost `folders` folders if they are empty then. *was tells what stood there.
 * durable("website") where it was ours. */
bool webfile_remove(const char *webroot, const char *content, unsigned folders, enum webfile_is *was, struct err *e);

#endif
