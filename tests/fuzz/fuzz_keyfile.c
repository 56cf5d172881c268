/* fuzz_keyfile.c: a TSIG key file of whatever form. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/tsig_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *const want[] = {NULL, "b"};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        struct tsig_key k = {0};
        struct err e = {0};
        if (tsig_key_parse(&k, (struct bytes){data, size}, want[i], true, &e)) {
            struct wire w = WIRE_INIT(WIRE_NAME_MAX);
            wire_name(&w, k.name); /* what is accepted can be sent */
            if (w.bad || !k.name[0] || !k.secret.n || k.mac_min > tsig_alg_size(k.alg) || (want[i] && strcmp(k.name, want[i]) != 0))
                abort();
            wire_free(&w);
        } else if (e.rc != RC_CONF || !e.code) {
            abort();
        }
        tsig_key_free(&k);
    }
    return 0;
}
