/* types.c: the CAs this program knows, and what all of them share. */
#include "ca/ca.h"
#include "ca/acme/acme.h"
#include "ca/manual.h"
#include "ca/portal/portal.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

const struct ca_ops *const ca_types[] = {&acme_ca, &manual_ca, &portal_ca, NULL};

const struct ca_ops *ca_type(const char *type)
{
    for (size_t i = 0; ca_types[i]; i++)
        if (type && strcmp(ca_types[i]->type, type) == 0)
            return ca_types[i];
    return NULL;
}

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
