/* subject.h: subject= of the configuration, taken apart: "C=HK, ST=Hong Kong, O=Example Limited" (UTF-8; RFC 4514 escapes \, and the like; keys C ST L O OU,
 * values as long as X.520 allows). config check and the CSR read it by the same rules. */
#ifndef DCV_CONF_SUBJECT_H
#define DCV_CONF_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>

enum { SUBJECT_PARTS = 16 };

struct subject {
    struct subject_part {
        const char *key; /* "C", "ST", "L", "O", "OU" */
        char *value;     /* UTF-8, escapes resolved */
    } part[SUBJECT_PARTS];
    size_t n;
};

bool subject_parse(const char *text, struct subject *out, char why[160]); /* to be cleared in either case */
void subject_clear(struct subject *s);

#endif
