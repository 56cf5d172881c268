/* types.c: the CAs this program knows. */
#include "ca/ca.h"
#include "ca/acme/acme.h"
#include "ca/manual.h"
#include "ca/portal/portal.h"

#include <string.h>

const struct ca_ops *const ca_types[] = {&acme_ca, &manual_ca, &portal_ca, NULL};

const struct ca_ops *ca_type(const char *type)
{
    for (size_t i = 0; ca_types[i]; i++)
        if (type && strcmp(ca_types[i]->type, type) == 0)
            return ca_types[i];
    return NULL;
}
