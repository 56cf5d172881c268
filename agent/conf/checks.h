/* checks.h: checks of the tables in tables.c; those of conf.h are for modules too. */
#ifndef DCV_CONF_CHECKS_H
#define DCV_CONF_CHECKS_H

#include <stdbool.h>

bool check_proxy(const char *value, char why[160]);
bool check_log(const char *value, char why[160]);
bool check_address(const char *value, char why[160]);
bool check_email(const char *value, char why[160]);
bool check_group(const char *value, char why[160]);
bool check_subject(const char *value, char why[160]); /* subject.c */
bool check_served(const char *value, char why[160]);

#endif
