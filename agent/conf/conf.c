/* conf.c: loading from the first octet to the sorted list of faults, and letting go of it all. */
#include "conf/load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void loader_fault(struct loader *l, const struct place_in *at, const char *section, const char *key, enum rc rc, bool fatal,
                  const char *fmt, ...)
{
    struct conf *c = l->c;
    struct conf_fault *f;
    char text[1024], safe[1024];
    va_list ap;

    if (l->full)
        return;
    /* Room doubles at the powers of two, as in struct strs. */
    if ((c->n_fault & (c->n_fault - 1)) == 0)
        c->fault = mem_grow(c->fault, c->n_fault ? 2 * c->n_fault : 1, sizeof(*c->fault));
    f = &c->fault[c->n_fault++];
    *f = (struct conf_fault){.line = at->line, .order = at->order, .rc = rc, .fatal = fatal};
    f->file = mem_str(at->file);
    f->section = mem_str(section);
    f->key = mem_str(key);
    l->full = c->n_fault == FAULTS_MAX;
    if (l->full) {
        f->rc = RC_CONF;
        f->fatal = true;
        f->text = mem_str("too many faults, the rest is not told: is this the right file?");
        return;
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    f->text = mem_str(text_safe(safe, sizeof(safe), text, strlen(text)));
}

void sink_fault(struct value_sink *k, enum rc rc, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    if (!k)
        return;
    k->faulty = true;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    loader_fault(k->l, &k->at, k->section, k->key, rc, k->fatal, "%s", text);
}

char *quoted(char *out, size_t size, const char *value)
{
    char safe[64];

    text_safe(safe, sizeof(safe), value, strlen(value));
    snprintf(out, size, "\"%s\"", safe);
    return out;
}

static int fault_order(const void *a, const void *b)
{
    const struct conf_fault *x = a, *y = b;

    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return strcmp(x->text, y->text);
}

struct conf *conf_new(struct loader *l, const char *path, const struct conf_module *modules)
{
    struct conf *c = mem_new(sizeof(*c));

    c->path = mem_str(path);
    c->index = mem_new(sizeof(*c->index));
    *l = (struct loader){.c = c, .modules = modules, .trust = trust_new()};
    return c;
}

static void entries_free(struct section_entry *e, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(e[i].key);
        free(e[i].value);
        free(e[i].swallowed);
    }
    free(e);
}

static void conf_finish(struct loader *l)
{
    struct conf *c = l->c;

    drop_repeated(l);
    load_sections(l);
    index_build(c);
    check_whole(l);
    if (c->n_fault)
        qsort(c->fault, c->n_fault, sizeof(*c->fault), fault_order);
    loader_free(l);
}

void loader_free(struct loader *l)
{
    for (size_t i = 0; i < l->n_raw; i++) {
        free(l->raw[i]->kind);
        free(l->raw[i]->name);
        entries_free(l->raw[i]->e, l->raw[i]->n);
        free(l->raw[i]);
    }
    free(l->raw);
    free(l->zone);
    free(l->cert);
    strs_free(&l->taken);
    trust_free(l->trust);
}

struct conf *conf_load(const char *path, const struct conf_module *modules)
{
    struct loader l;
    struct conf *c = conf_new(&l, path, modules);

    files_read(&l, path);
    conf_finish(&l);
    return c;
}

struct conf *conf_load_text(const char *name, const char *text, size_t n, const struct conf_module *modules)
{
    struct loader l;
    struct conf *c = conf_new(&l, name, modules);
    struct place_in at = files_new(&l, name);

    reader_parse(&l, at.file, at.order, text, n);
    conf_finish(&l);
    return c;
}

static void clear_fields(const struct conf_key *keys, void *base)
{
    for (; keys->name; keys++) {
        if (keys->offset != SIZE_MAX)
            value_free(keys->type, (char *)base + keys->offset);
    }
}

void cert_clear(struct conf_cert *t)
{
    clear_fields(conf_cert_keys, t);
    free(t->name);
}

void zone_clear(struct conf_zone *z)
{
    clear_fields(conf_zone_keys, z);
    free(z->name);
}

static void sections_free(struct section *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(s[i].kind);
        free(s[i].name);
        free(s[i].type);
        entries_free(s[i].entry, s[i].n);
        if (s[i].verify)
            clear_fields(conf_verify_keys, s[i].verify);
        free(s[i].verify);
    }
    free(s);
}

void conf_free(struct conf *c)
{
    if (!c)
        return;
    clear_fields(conf_agent_keys, &c->agent);
    clear_fields(conf_verify_keys, &c->verify);
    for (size_t i = 0; i < c->n_cert; i++)
        cert_clear(&c->cert[i]);
    for (size_t i = 0; i < c->n_zone; i++)
        zone_clear(&c->zone[i]);
    for (size_t i = 0; i < c->n_fault; i++) {
        free(c->fault[i].file);
        free(c->fault[i].section);
        free(c->fault[i].key);
        free(c->fault[i].text);
    }
    index_free(c->index, c->n_provider);
    sections_free(c->provider, c->n_provider);
    sections_free(c->ca, c->n_ca);
    free(c->cert);
    free(c->zone);
    free(c->fault);
    free(c->path);
    free(c);
}

enum rc conf_fatal(const struct conf *c)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < c->n_fault; i++) {
        if (c->fault[i].fatal)
            rc = rc_worse(rc, c->fault[i].rc);
    }
    return rc;
}

enum rc conf_worst(const struct conf *c)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < c->n_fault; i++)
        rc = rc_worse(rc, c->fault[i].rc);
    return rc;
}

void conf_fault_show(const struct conf_fault *f, struct str *out)
{
    char safe[300];

    str_add(out, text_safe(safe, sizeof(safe), f->file, strlen(f->file)));
    if (f->line)
        str_fmt(out, ":%u", f->line);
    if (f->section)
        str_fmt(out, ": %s", text_safe(safe, sizeof(safe), f->section, strlen(f->section)));
    if (f->key)
        str_fmt(out, ": %s", text_safe(safe, sizeof(safe), f->key, strlen(f->key)));
    str_fmt(out, ": %s", f->text);
}
