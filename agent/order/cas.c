#include "order/cas.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "conf/conf.h"

struct cas {
    struct ca_open *c;
    size_t n;
};

struct cas *cas_open(struct session *s, bool aloud)
{
    struct cas *all = mem_new(sizeof *all);
    all->c = mem_array(s->conf->n_ca + 1, sizeof *all->c);
    for (size_t i = 0; i < s->conf->n_ca; i++) {
        const struct section *section = &s->conf->ca[i];
        struct ca_open *at = &all->c[all->n];
        struct err e = {0};
        *at = (struct ca_open){.section = section, .ops = ca_type(section->type)};
        if (section->broken || !at->ops)
            continue;
        if (at->ops->open(&at->ca, section, s->net, s->store, &e))
            all->n++;
        else if (aloud)
            say_err(LEVEL_ERROR, &(struct about){.name = section->name, .step = "ca"}, &e);
    }
    return all;
}

const struct ca_open *cas_find(const struct cas *c, const char *section)
{
    for (size_t i = 0; section && i < c->n; i++)
        if (strcmp(c->c[i].section->name, section) == 0)
            return &c->c[i];
    return NULL;
}

const struct ca_rules *cas_rules(const struct cas *c, const char *section)
{
    const struct ca_open *at = cas_find(c, section);
    return at ? at->ops->rules(at->ca) : NULL;
}

void cas_close(struct cas *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++)
        c->c[i].ops->close(c->c[i].ca);
    free(c->c);
    free(c);
}
