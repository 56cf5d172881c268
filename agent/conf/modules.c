/* modules.c: the types that sections of providers and CAs name: rows handed in with their tables, or found one by one by who can find them. */
#include "conf/load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const struct known_type *type_known(const struct loader *l, const char *kind, const char *type)
{
    const struct conf_index *x = l->c->index;

    for (size_t i = 0; i < x->n_type; i++) {
        if (strcmp(x->type[i]->m.kind, kind) == 0 && strcmp(x->type[i]->m.type, type) == 0)
            return x->type[i];
    }
    return NULL;
}

static bool find(const struct loader *l, const char *kind, const char *type, struct known_type *k, struct conf_sink *to)
{
    for (const struct conf_module *m = l->modules; m && m->kind; m++) {
        if (strcmp(m->kind, kind) != 0)
            continue;
        if (m->type && strcmp(m->type, type) == 0) {
            k->m = *m;
            return true;
        }
        if (m->finder && m->finder->find(&l->c->agent.conf_path, type, &k->m, to)) {
            k->found = m->finder;
            return true;
        }
    }
    return false;
}

const struct known_type *type_get(struct loader *l, const char *kind, const char *type, struct conf_sink *to)
{
    struct conf_index *x = l->c->index;
    const struct known_type *before = type_known(l, kind, type);
    struct known_type k = {0}, *kept;

    if (before) {
        to->at.faulty |= before->faulty;
        return before;
    }
    if (!find(l, kind, type, &k, to))
        return NULL;
    k.m.kind = strcmp(kind, "ca") == 0 ? "ca" : "provider";
    k.m.type = mem_str(type);
    k.keys = merge_keys(kind, k.m.keys);
    k.faulty = to->at.faulty;
    kept = mem_copy(&k, sizeof(k));
    x->type = mem_grow(x->type, x->n_type + 1, sizeof(*x->type));
    return x->type[x->n_type++] = kept;
}

void type_names(const struct loader *l, const char *kind, struct strs *out)
{
    for (const struct conf_module *m = l->modules; m && m->kind; m++) {
        if (strcmp(m->kind, kind) != 0)
            continue;
        if (m->type)
            strs_add(out, m->type);
        if (m->finder)
            m->finder->list(&l->c->agent.conf_path, out);
    }
}

void types_free(struct conf_index *x)
{
    for (size_t i = 0; i < x->n_type; i++) {
        struct known_type *k = x->type[i];

        if (k->found)
            k->found->drop(&k->m);
        free((char *)(uintptr_t)k->m.type);
        free(k->keys);
        free(k);
    }
    free(x->type);
}

void conf_sink_fault(struct conf_sink *to, const char *key, enum rc rc, const char *fmt, ...)
{
    const struct section_entry *e = key ? entry_find(to->e, to->n, key) : NULL;
    struct value_sink at = to->at;
    char text[1024];
    va_list ap;

    if (e)
        at.at = e->at;
    at.key = key;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    sink_fault(&at, rc, "%s", text);
    to->at.faulty = true;
}

void conf_sink_take(struct conf_sink *to, const struct conf_fault *f, size_t n)
{
    struct loader *l = to->at.l;

    if (!n)
        return;
    to->at.faulty = true;
    if (strs_has(&l->taken, f->file))
        return;
    strs_add(&l->taken, f->file);
    for (size_t i = 0; i < n; i++) {
        struct place_in at = files_place(l, f[i].file);

        at.line = f[i].line;
        loader_fault(l, &at, f[i].section, f[i].key, f[i].rc, false, "%s", f[i].text);
    }
}
