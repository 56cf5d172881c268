/* case.c: the proofs of an order at a CA, whichever CA it is. */
#include "ca/ca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void ca_case_clear(struct ca_case *k)
{
    for (size_t i = 0; i < k->n_proof; i++)
        free(k->proof[i].value);
    free(k->proof);
    k->proof = NULL;
    k->n_proof = 0;
}

struct proof *ca_case_proof(struct ca_case *k, const char *name)
{
    for (size_t i = 0; i < k->n_proof; i++)
        if (strcmp(k->proof[i].name, name) == 0)
            return &k->proof[i];
    k->proof = mem_grow(k->proof, k->n_proof + 1, sizeof *k->proof);
    struct proof *p = &k->proof[k->n_proof++];
    memset(p, 0, sizeof *p);
    snprintf(p->name, sizeof p->name, "%s", name);
    return p;
}
