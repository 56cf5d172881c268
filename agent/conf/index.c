/* index.c: look-ups by name and by longest match, in sorted arrays of pointers. */
#include "conf/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"

#define BY_NAME(FUNCTION, TYPE)                                                                                                            \
    static int FUNCTION(const void *a, const void *b)                                                                                      \
    {                                                                                                                                      \
        const TYPE *x = *(TYPE *const *)a, *y = *(TYPE *const *)b;                                                                         \
        int d = strcmp(x->name, y->name);                                                                                                  \
                                                                                                                                           \
        return d ? d : (x > y) - (x < y);                                                                                                  \
    }
BY_NAME(cert_order, struct conf_cert)
BY_NAME(section_order, struct section)
BY_NAME(zone_order, struct conf_zone)

static int claim_order(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int d = strcmp(x->zone, y->zone);

    return d ? d : (x->s > y->s) - (x->s < y->s);
}

static struct section **sorted_sections(struct section *s, size_t n)
{
    struct section **l = mem_array(n + 1, sizeof(*l));

    for (size_t i = 0; i < n; i++)
        l[i] = &s[i];
    qsort(l, n, sizeof(struct section *), section_order);
    return l;
}

static void build_claims(struct conf *c, struct conf_index *x)
{
    size_t n = 0;

    x->zones = mem_array(c->n_provider + 1, sizeof(*x->zones));
    for (size_t i = 0; i < c->n_provider; i++) {
        section_list(&c->provider[i], "zones", &x->zones[i]);
        n += x->zones[i].n;
    }
    x->claim = mem_array(n + 1, sizeof(*x->claim));
    for (size_t i = 0; i < c->n_provider; i++) {
        for (size_t k = 0; k < x->zones[i].n; k++)
            x->claim[x->n_claim++] = (struct claim){x->zones[i].s[k], &c->provider[i]};
    }
    qsort(x->claim, n, sizeof(*x->claim), claim_order);
}

void index_build(struct conf *c)
{
    struct conf_index *x = c->index;

    x->cert = mem_array(c->n_cert + 1, sizeof(struct conf_cert *));
    for (size_t i = 0; i < c->n_cert; i++)
        x->cert[i] = &c->cert[i];
    qsort(x->cert, c->n_cert, sizeof(struct conf_cert *), cert_order);
    x->zone = mem_array(c->n_zone + 1, sizeof(struct conf_zone *));
    for (size_t i = 0; i < c->n_zone; i++)
        x->zone[i] = &c->zone[i];
    qsort(x->zone, c->n_zone, sizeof(struct conf_zone *), zone_order);
    x->ca = sorted_sections(c->ca, c->n_ca);
    x->provider = sorted_sections(c->provider, c->n_provider);
    build_claims(c, x);
}

static int section_named(const void *name, const void *p)
{
    return strcmp(name, (*(struct section *const *)p)->name);
}

static int cert_named(const void *name, const void *p)
{
    return strcmp(name, (*(struct conf_cert *const *)p)->name);
}

static int zone_named(const void *name, const void *p)
{
    return strcmp(name, (*(struct conf_zone *const *)p)->name);
}

static int claim_of(const void *name, const void *p)
{
    return strcmp(name, ((const struct claim *)p)->zone);
}

const struct conf_cert *conf_cert(const struct conf *c, const char *name)
{
    struct conf_cert **p = bsearch(name, c->index->cert, c->n_cert, sizeof(struct conf_cert *), cert_named);

    return p ? *p : NULL;
}

static const struct section *find_section(struct section **l, size_t n, const char *name)
{
    struct section **p = bsearch(name, l, n, sizeof(struct section *), section_named);

    return p ? *p : NULL;
}

const struct section *conf_ca(const struct conf *c, const char *name)
{
    return find_section(c->index->ca, c->n_ca, name);
}

const struct section *conf_provider(const struct conf *c, const char *name)
{
    return find_section(c->index->provider, c->n_provider, name);
}

const struct conf_zone *conf_zone(const struct conf *c, const char *name)
{
    for (name = name_base(name); name; name = name_parent(name)) {
        struct conf_zone **p = bsearch(name, c->index->zone, c->n_zone, sizeof(struct conf_zone *), zone_named);

        if (p)
            return *p;
    }
    return NULL;
}

/* The longest of one provider's zones that owner lies within. */
static const char *own_zone(const struct conf *c, const struct section *s, const char *owner)
{
    const struct strs *zones = &c->index->zones[s - c->provider];
    const char *best = NULL;

    for (size_t i = 0; i < zones->n; i++) {
        if (name_within(owner, zones->s[i]) && (!best || strlen(zones->s[i]) > strlen(best)))
            best = zones->s[i];
    }
    return best;
}

const struct section *conf_writer(const struct conf *c, const char *owner, const char *named, const char **zone)
{
    const struct conf_zone *z;
    const struct claim *found = NULL;

    owner = name_base(owner);
    if (!named || strcmp(named, "auto") == 0) {
        z = conf_zone(c, owner);
        named = z ? z->provider : NULL;
    }
    if (named) {
        const struct section *s = conf_provider(c, named);
        const char *own = s ? own_zone(c, s, owner) : NULL;

        if (own && zone)
            *zone = own;
        return own ? s : NULL;
    }
    for (; owner && !found; owner = name_parent(owner))
        found = bsearch(owner, c->index->claim, c->index->n_claim, sizeof(*found), claim_of);
    if (found && zone)
        *zone = found->zone;
    return found ? found->s : NULL;
}

static bool given(const struct conf_verify *v, unsigned bit)
{
    return v->given & 1u << bit;
}

static void lay_over(struct conf_verify *base, const struct conf_verify *over)
{
    for (unsigned bit = 0; conf_verify_keys[bit].name; bit++) {
        size_t at = conf_verify_keys[bit].offset;

        if (given(over, bit))
            memcpy((char *)base + at, (const char *)over + at, value_size(conf_verify_keys[bit].type));
    }
    base->given |= over->given;
}

struct conf_verify conf_verify(const struct conf *c, const struct conf_zone *zone, const struct section *ca)
{
    struct conf_verify v = c->verify;

    if (ca && ca->verify)
        lay_over(&v, ca->verify);
    if (zone)
        lay_over(&v, &zone->verify);
    return v;
}

void index_free(struct conf_index *x, size_t n_provider)
{
    for (size_t i = 0; i < x->n_file; i++)
        free(x->file[i]);
    types_free(x);
    for (size_t i = 0; x->zones && i < n_provider; i++)
        strs_free(&x->zones[i]);
    free(x->file);
    free(x->cert);
    free(x->ca);
    free(x->provider);
    free(x->zone);
    free(x->claim);
    free(x->zones);
    free(x);
}
