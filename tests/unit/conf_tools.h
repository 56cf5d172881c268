/* conf_tools.h: what the tests of the configuration share. */
#ifndef TESTS_CONF_TOOLS_H
#define TESTS_CONF_TOOLS_H

#include <sys/types.h>

#include "conf/conf.h"

extern const struct conf_module conf_modules[];

int conf_setup(void **state); /* makes a folder with secret, loose, csr, hook, loose_hook and conf.d/ */
int conf_teardown(void **state);
char *conf_path_of(const char *name); /* in that folder; the caller frees it */
void conf_write_file(const char *name, mode_t mode, const char *text, size_t n);
void conf_put_text(const char *name, mode_t mode, const char *text);

struct conf *conf_of(const char *text); /* $D stands for the folder; the file is called t.ini */
char *conf_all_faults(const struct conf *c);
void conf_expect_clean(const struct conf *c);

/* One CA of each sort and one provider, without a fault. */
#define GOOD_HEAD                                                                                                                          \
    "[ca le]\ntype = acme\ndirectory = https://acme.example/dir\n[ca hand]\ntype = manual\n"                                               \
    "[provider bind]\ntype = rfc2136\nserver = 192.0.2.53\nzones = example.hk\n" /* 9 lines */

#endif
