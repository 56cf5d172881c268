/* pem.h: PEM as people hand it over: any line ends, indented, on one line, with text around it. For this folder alone. */
#ifndef DCV_CERT_PEM_H
#define DCV_CERT_PEM_H

#include <stdint.h>

#include "base/str.h"

struct pem_block {
    char label[48]; /* "CERTIFICATE" */
    uint8_t *der;   /* the caller frees; NULL where the base64 is damaged */
    size_t n;
};

/* The next block in [*at, end); *at moves behind it. false: no more. cut: a BEGIN without its END was met. */
bool pem_next(const char **at, const char *end, struct pem_block *b, bool *cut);

bool pem_armoured(const void *p, size_t n);                       /* is there a BEGIN at all? */
bool pem_bare(const void *p, size_t n, uint8_t **der, size_t *m); /* base64 without armour and nothing else */
void pem_put(struct str *out, const char *label, const uint8_t *der, size_t n);

/* What a file is that holds no certificate and no request: "this is a web page", "UTF-16 text", ... NULL: nothing known. */
const char *pem_diagnosis(const void *p, size_t n);

#endif
