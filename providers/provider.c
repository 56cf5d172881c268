/* provider.c: provider types by name, built in (types.c) and described. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/describe.h"
#include "providers/http/described.h"
#include "providers/provider.h"

const struct provider_ops *provider_type(const char *type)
{
    for (const struct provider_ops *const *p = provider_types; type && *p; p++)
        if (strcmp((*p)->type, type) == 0)
            return *p;
    return NULL;
}

const struct provider_ops *provider_of(const struct section *s)
{
    return s->impl ? s->impl : provider_type(s->type);
}

const struct provider_ops *provider_find(const struct strs *conf_path, const char *type, const struct conf_fault **fault, size_t *n_fault)
{
    char path[PATH_MAX];
    if (provider_type(type) || !describe_find(conf_path, "providers", type, path, sizeof path))
        return NULL;
    struct provider_ops *p = described_type(describe_read(path));
    *fault = described_faults(p, n_fault);
    return p;
}

struct cost provider_cost(const struct provider_ops *p, size_t owners, size_t changes)
{
    return p->cost ? p->cost(p, owners, changes) : (struct cost){.writes = 1};
}

void provider_forget(const struct provider_ops *p)
{
    described_free((struct provider_ops *)(uintptr_t)p);
}

void provider_names(const struct strs *conf_path, struct strs *out)
{
    for (size_t i = 0; provider_types[i]; i++)
        strs_add(out, provider_types[i]->type);
    struct strs files = {0};
    describe_list(conf_path, "providers", &files);
    for (size_t i = 0; i < files.n; i++)
        if (!provider_type(files.s[i]))
            strs_add(out, files.s[i]);
    strs_free(&files);
}
