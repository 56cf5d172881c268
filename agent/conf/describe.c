#include "conf/describe.h"

#include <glob.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/guess.h"
#include "base/mem.h"
#include "conf/load.h"

#ifndef DCVAGENT_DATADIR
#define DCVAGENT_DATADIR "/usr/local/share/dcvagent"
#endif

enum { FILE_MAX = 1 << 20 };

/* --- where files are ------------------------------------------------------------------------------------------------------------------- */

/* A program in a build tree brings its own conf/: build/dcvagent and build/test/dcvagent stand below it. */
static const char *own_folder(void)
{
    static char folder[PATH_MAX + 16];
    char exe[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);

    if (*folder)
        return folder;
    exe[n > 0 ? n : 0] = 0;
    for (int up = 0; up < 3; up++) {
        char *slash = strrchr(exe, '/');

        if (!slash)
            break;
        *slash = 0;
        snprintf(folder, sizeof folder, "%s/conf", exe);
        char *probe = mem_fmt("%s/agent/conf/describe.h", exe);
        bool tree = access(probe, R_OK) == 0;
        free(probe);
        if (tree)
            return folder;
    }
    snprintf(folder, sizeof folder, "%s", DCVAGENT_DATADIR);
    return folder;
}

static bool name_ok(const char *name)
{
    return *name && strlen(name) <= 64 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

bool describe_find(const struct strs *conf_path, const char *kind, const char *name, char *out, size_t size)
{
    struct str looked = STR_INIT(size - 1);
    bool found = false;

    for (size_t i = 0; name_ok(name) && !found && i <= conf_path->n; i++) {
        const char *folder = i < conf_path->n ? conf_path->s[i] : own_folder();

        snprintf(out, size, "%s/%s/%s.ini", folder, kind, name);
        found = access(out, F_OK) == 0;
        str_fmt(&looked, "%s%s/%s", looked.n ? ", " : "", folder, kind);
    }
    if (!found)
        snprintf(out, size, "%s", str_text(&looked));
    str_free(&looked);
    return found;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_folder(const char *folder, const char *kind, struct strs *out)
{
    char *pattern = mem_fmt("%s/%s/*.ini", folder, kind);
    glob_t g = {0};

    if (glob(pattern, GLOB_NOSORT, NULL, &g) == 0) {
        for (size_t i = 0; i < g.gl_pathc; i++) {
            const char *base = strrchr(g.gl_pathv[i], '/') + 1;
            char *name = mem_copy(base, strlen(base) - strlen(".ini"));

            if (name_ok(name) && !strs_has(out, name))
                strs_add(out, name);
            free(name);
        }
        globfree(&g);
    }
    free(pattern);
}

void describe_list(const struct strs *conf_path, const char *kind, struct strs *out)
{
    size_t before = out->n;

    for (size_t i = 0; i < conf_path->n; i++)
        list_folder(conf_path->s[i], kind, out);
    list_folder(own_folder(), kind, out);
    if (out->n > before)
        qsort(out->s + before, out->n - before, sizeof *out->s, by_text);
}

/* --- reading --------------------------------------------------------------------------------------------------------------------------- */

static void note(struct description *d, unsigned line, const char *section, const char *key, enum rc rc, const char *text)
{
    char safe[1024];

    if (d->n_fault >= 1000) /* a wrong file must not fill the memory with messages */
        return;
    d->fault = mem_grow(d->fault, d->n_fault + 1, sizeof *d->fault);
    d->fault[d->n_fault++] = (struct conf_fault){.file = mem_str(d->file),
                                                 .line = line,
                                                 .section = mem_str(section),
                                                 .key = mem_str(key),
                                                 .rc = rc,
                                                 .text = mem_str(text_safe(safe, sizeof safe, text, strlen(text)))};
}

void describe_fault(struct description *d, const struct describe_part *p, const struct describe_key *k, const char *fmt, ...)
{
    char text[1024], section[128] = "";
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (p)
        snprintf(section, sizeof section, "%s%s%s", p->kind, *p->name ? " " : "", p->name);
    note(d, k ? k->line : p ? p->line : 0, p ? section : NULL, k ? k->name : NULL, RC_CONF, text);
}

static void take_part(struct description *d, struct raw_section *r)
{
    struct describe_part *p;

    d->part = mem_grow(d->part, d->n + 1, sizeof *d->part);
    p = &d->part[d->n++];
    *p = (struct describe_part){
        .kind = mem_str(r->kind), .name = mem_str(r->name), .line = r->at.line, .key = mem_array(r->n + 1, sizeof *p->key)};
    for (size_t i = 0; i < r->n; i++) {
        struct describe_key *k = &p->key[p->n];

        if (!r->e[i].value) /* one that was given twice has been reported */
            continue;
        p->n++;
        *k = (struct describe_key){.name = mem_str(r->e[i].key), .value = mem_str(r->e[i].value), .line = r->e[i].at.line};
        if (!text_is_utf8(k->value, strlen(k->value)))
            describe_fault(d, p, k, "the value is no UTF-8; save the file in that coding");
    }
}

struct description *describe_text(const char *name, const char *text, size_t n)
{
    struct description *d = mem_new(sizeof *d);
    struct loader l;
    struct conf *c = conf_new(&l, name, NULL);
    struct place_in at = files_new(&l, name);

    d->file = mem_str(name);
    reader_parse(&l, at.file, at.order, text, n);
    drop_repeated(&l);
    for (size_t i = 0; i < l.n_raw; i++)
        take_part(d, l.raw[i]);
    for (size_t i = 0; i < c->n_fault; i++)
        note(d, c->fault[i].line, c->fault[i].section, c->fault[i].key, c->fault[i].rc, c->fault[i].text);
    loader_free(&l);
    conf_free(c);
    return d;
}

struct description *describe_read(const char *path)
{
    struct description *d;
    struct err e = {0};
    char *text = NULL;
    size_t n = 0;
    bool trusted = fs_trusted(path, &e) || e.rc != RC_PERM;

    if (!trusted || !fs_read(path, FILE_MAX, &text, &n, &e)) {
        d = mem_new(sizeof *d);
        d->file = mem_str(path);
        note(d, 0, NULL, NULL, e.rc == RC_PERM ? RC_PERM : RC_CONF, e.text);
    } else {
        d = describe_text(path, text, n);
    }
    free(text);
    return d;
}

void describe_free(struct description *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n; i++) {
        struct describe_part *p = &d->part[i];

        for (size_t k = 0; k < p->n; k++) {
            free(p->key[k].name);
            free(p->key[k].value);
        }
        free(p->key);
        free(p->kind);
        free(p->name);
        strs_free(&p->known);
    }
    for (size_t i = 0; i < d->n_fault; i++) {
        free(d->fault[i].file);
        free(d->fault[i].section);
        free(d->fault[i].key);
        free(d->fault[i].text);
    }
    free(d->part);
    free(d->fault);
    free(d->file);
    free(d);
}

/* --- asking ------------------------------------------------------------------------------------------------------------------------------ */

const struct describe_part *describe_part(const struct description *d, const char *kind, const char *name)
{
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->part[i].kind, kind) == 0 && (!name || strcmp(d->part[i].name, name) == 0))
            return &d->part[i];
    return NULL;
}

const struct describe_part *describe_first(const struct description *d, const char *kind)
{
    return describe_part(d, kind, NULL);
}

/* What was asked for is remembered in the part: describe_unused() reports the rest. */
static struct strs *known(const struct describe_part *p)
{
    return &((struct describe_part *)(uintptr_t)p)->known;
}

const struct describe_key *describe_key(const struct describe_part *p, const char *name)
{
    if (!p)
        return NULL;
    if (!strs_has(&p->known, name))
        strs_add(known(p), name);
    for (size_t i = 0; i < p->n; i++) {
        if (strcmp(p->key[i].name, name) != 0)
            continue;
        p->key[i].asked = true;
        return &p->key[i];
    }
    return NULL;
}

const char *describe_value(const struct describe_part *p, const char *name)
{
    const struct describe_key *k = describe_key(p, name);

    return k ? k->value : NULL;
}

const struct describe_key *describe_next(const struct describe_part *p, const char *prefix, size_t *at)
{
    while (p && *at < p->n) {
        struct describe_key *k = &p->key[(*at)++];

        if (strncmp(k->name, prefix, strlen(prefix)) != 0 || !k->name[strlen(prefix)])
            continue;
        k->asked = true;
        return k;
    }
    return NULL;
}

int describe_word(struct description *d, const struct describe_part *p, const char *name, const char *allowed, int standard)
{
    const struct describe_key *k = describe_key(p, name);
    char shown[72];
    int word;

    if (!k)
        return standard;
    word = word_find(allowed, k->value);
    if (word < 0)
        describe_fault(d, p, k, "%s; allowed: %s", quoted(shown, sizeof shown, k->value), allowed);
    return word;
}

bool describe_yes(struct description *d, const struct describe_part *p, const char *name, bool standard)
{
    return describe_word(d, p, name, "no|yes", standard) > 0;
}

int64_t describe_number(struct description *d, const struct describe_part *p, const char *name, bool duration, int64_t least, int64_t most,
                        int64_t standard)
{
    const struct describe_key *k = describe_key(p, name);
    char shown[72], *end;
    bool number;
    int64_t v;

    if (!k)
        return standard;
    v = strtoll(k->value, &end, 10);
    number = *k->value >= '0' && *k->value <= '9' && !*end;
    if ((number || (duration && duration_parse(k->value, &v))) && v >= least && v <= most)
        return v;
    describe_fault(d, p, k, "%s; allowed: %lld to %lld%s", quoted(shown, sizeof shown, k->value), (long long)least, (long long)most,
                   duration ? " s, or 90s 10m 24h 30d" : "");
    return standard;
}

static bool kind_known(const char *const *kinds, const char *kind)
{
    while (*kinds && strcmp(*kinds, kind) != 0)
        kinds++;
    return *kinds;
}

static void unknown_kind(struct description *d, const struct describe_part *p, const char *const *kinds)
{
    struct guess g = {.wanted = p->kind};
    struct str all = STR_INIT(200);
    char mean[96];

    for (const char *const *k = kinds; *k; k++) {
        guess_try(&g, *k);
        str_fmt(&all, " [%s]", *k);
    }
    describe_fault(d, p, NULL, "no such section%s; there are%s", guess_text(&g, mean), str_text(&all));
    str_free(&all);
}

void describe_unused(struct description *d, const char *const *kinds)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct describe_part *p = &d->part[i];

        if (!kind_known(kinds, p->kind)) {
            unknown_kind(d, p, kinds);
            continue;
        }
        for (size_t k = 0; k < p->n; k++) {
            struct guess g = {.wanted = p->key[k].name};
            char mean[96];

            if (p->key[k].asked)
                continue;
            for (size_t j = 0; j < p->known.n; j++)
                guess_try(&g, p->known.s[j]);
            describe_fault(d, p, &p->key[k], "no such key here%s", guess_text(&g, mean));
        }
    }
}
