/* provider.c: providers/types.c and provider.c: the only provider is one whose zones are the world's. */
#include "providers/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "tests/scenario/world.h"

enum { PROVIDER_MS = 10 };

struct provider {
    int unused;
};

static bool memory_open(struct provider **p, const struct section *s, struct net *n, struct err *e)
{
    (void)s;
    (void)n;
    (void)e;
    *p = mem_new(sizeof **p);
    return true;
}

static void memory_close(struct provider *p)
{
    free(p);
}

static void forget(struct op *op)
{
    world_drop(op);
}

static bool silent(const char *zone, struct op *op)
{
    struct err e = {0};
    if (!world_zone_of(zone)->offline)
        return false;
    err_set(&e, RC_NET, "STREAM_TIMEOUT", "the update server does not answer");
    err_again(&e, 0);
    op_settle(op, &e);
    return true;
}

static void read_now(void *arg)
{
    struct lookup *l = arg;
    if (silent(l->zone, &l->op))
        return;
    for (size_t i = 0; i < l->n; i++) {
        struct rrset *set = &l->set[i];
        set->cname = world_find(set->owner, TYPE_CNAME, NULL, world_ms()) != NULL;
        for (size_t k = 0; world_each(k); k++) {
            const struct world_record *r = world_each(k);
            if (r->type != TYPE_TXT || r->until <= world_ms() || strcmp(r->owner, set->owner) != 0)
                continue;
            rrset_add(set, (const uint8_t *)r->text, strlen(r->text));
            set->ttl = r->ttl;
        }
    }
    op_settle(&l->op, NULL);
}

static void memory_read(struct provider *p, struct lookup *l)
{
    (void)p;
    op_start(&l->op, forget);
    world_at(world_ms() + PROVIDER_MS, read_now, l);
}

static void change(struct world_zone *z, struct change *c)
{
    char *value = mem_copy(c->rec->value.p, c->rec->value.n);
    z->changes++;
    c->result = z->refuses ? CHANGE_REFUSED : CHANGE_DONE;
    if (z->refuses)
        err_set(&c->err, RC_WRITE, "UPDATE_REFUSED", "the update server refuses to change %s", c->rec->owner);
    else if (c->add)
        world_put_ours(c->rec->owner, c->rec->ttl, value);
    else
        world_remove(c->rec->owner, TYPE_TXT, value);
    free(value);
}

static void apply_now(void *arg)
{
    struct batch *b = arg;
    struct world_zone *z = world_zone_of(b->zone);
    for (size_t i = 0; i < b->n; i++)
        b->c[i].result = CHANGE_UNSURE;
    if (silent(b->zone, &b->op))
        return;
    z->batches++;
    for (size_t i = 0; i < b->n; i++)
        change(z, &b->c[i]);
    op_settle(&b->op, NULL);
}

static void memory_apply(struct provider *p, struct batch *b)
{
    (void)p;
    op_start(&b->op, forget);
    world_at(world_ms() + PROVIDER_MS, apply_now, b);
}

static const struct conf_key memory_keys[] = {{0}};

static const struct provider_ops provider_memory = {
    .type = "memory",
    .summary = "zones of a scenario",
    .caps = CAN_READ | CAN_BATCH | ATOMIC,
    .grade = 'A',
    .keys = memory_keys,
    .open = memory_open,
    .read = memory_read,
    .apply = memory_apply,
    .close = memory_close,
};

const struct provider_ops *const provider_types[] = {&provider_memory, NULL};

const struct provider_ops *provider_type(const char *type)
{
    return type && strcmp(type, provider_memory.type) == 0 ? &provider_memory : NULL;
}

const struct provider_ops *provider_of(const struct section *s)
{
    return provider_type(s->type);
}

const struct provider_ops *provider_find(const struct strs *conf_path, const char *type, const struct conf_fault **fault, size_t *n_fault)
{
    (void)conf_path;
    (void)type;
    *fault = NULL;
    *n_fault = 0;
    return NULL;
}

void provider_forget(const struct provider_ops *p)
{
    (void)p;
}
