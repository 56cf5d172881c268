/* subject.h: the subject of the configuration, taken apart. For this folder alone. */
#ifndef DCV_CERT_SUBJECT_H
#define DCV_CERT_SUBJECT_H

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
