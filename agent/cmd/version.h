/* version.h: the version of the program and of the libraries it runs with. */
#ifndef DCV_CMD_VERSION_H
#define DCV_CMD_VERSION_H

const char *version_text(void);
void version_print(void); /* to stdout, with the libraries' versions on a second line */

#endif
