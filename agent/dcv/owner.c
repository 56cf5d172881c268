#include "dcv/owner.h"

#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "conf/conf.h"

bool owner_placed(const struct conf_cert *c, const char *name)
{
    for (size_t i = 0; c && i < c->n_record_at; i++)
        if (name_same(c->record_at[i].host, name_base(name)))
            return true;
    return false;
}

size_t owner_places(const struct conf_cert *c, const char *name, const struct place *ca, size_t n_ca, struct place *out)
{
    size_t n = 0;

    for (size_t i = 0; c && i < c->n_record_at && n < n_ca; i++)
        if (name_same(c->record_at[i].host, name_base(name)))
            out[n++] = c->record_at[i].place;
    if (n)
        return n;
    for (; n < n_ca; n++)
        out[n] = ca[n];
    return n;
}

bool owner_of(const char *name, struct place at, const char *apex, char out[254], struct err *e)
{
    const char *base = name_base(name);
    int n = -1;

    switch (at.at) {
    case AT_NAME:
        n = snprintf(out, 254, "%s", base);
        break;
    case AT_APEX:
        n = snprintf(out, 254, "%s", apex);
        break;
    case AT_LABEL:
        n = snprintf(out, 254, "%s.%s", at.label, base);
        break;
    }
    if (n >= 0 && n < 254)
        return true;
    out[0] = '\0';
    err_at(e, "%s", base);
    return err_set(e, RC_DELEGATION, "OWNER_LONG",
                   "the record's name would be %d octets long, DNS allows 253; set record_at = %s:apex or a shorter name", n, base);
}
