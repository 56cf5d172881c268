/* files.c: the configuration file and what it includes, each checked for strangers' hands before it is believed. */
#include "conf/load.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"

struct seen { /* files read, by identity: a pattern that matches its own file, or two patterns one file, are harmless */
    dev_t dev;
    ino_t ino;
};

struct files {
    struct loader *l;
    struct seen *seen;
    size_t n_seen, room;
};

static bool first_time(struct files *f, const struct stat *st)
{
    for (size_t i = 0; i < f->n_seen; i++) {
        if (f->seen[i].dev == st->st_dev && f->seen[i].ino == st->st_ino)
            return false;
    }
    if (f->n_seen == f->room) {
        f->room = f->room ? 2 * f->room : 16;
        f->seen = mem_grow(f->seen, f->room, sizeof(*f->seen));
    }
    f->seen[f->n_seen++] = (struct seen){st->st_dev, st->st_ino};
    return true;
}

struct place_in files_new(struct loader *l, const char *path)
{
    struct conf_index *x = l->c->index;

    x->file = mem_grow(x->file, x->n_file + 1, sizeof(char *));
    x->file[x->n_file] = mem_str(path);
    x->n_file++;
    return (struct place_in){.file = x->file[x->n_file - 1], .order = (unsigned)(x->n_file - 1)};
}

struct place_in files_place(struct loader *l, const char *path)
{
    const struct conf_index *x = l->c->index;

    for (size_t i = 0; i < x->n_file; i++) {
        if (strcmp(x->file[i], path) == 0)
            return (struct place_in){.file = x->file[i], .order = (unsigned)i};
    }
    return files_new(l, path);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void read_one(struct files *f, const char *path, unsigned depth);

/* Matches of one pattern, relative to the folder of `from`, in the order of their octets whatever the locale. */
static void include_pattern(struct files *f, const char *from, const char *pattern, unsigned depth)
{
    const char *slash = strrchr(from, '/');
    char *full = pattern[0] == '/' || !slash ? mem_str(pattern) : mem_fmt("%.*s/%s", (int)(slash - from), from, pattern);
    glob_t g = {0};

    if (glob(full, GLOB_NOSORT, NULL, &g) == 0) {
        qsort(g.gl_pathv, g.gl_pathc, sizeof(char *), by_text);
        for (size_t i = 0; i < g.gl_pathc; i++)
            read_one(f, g.gl_pathv[i], depth + 1);
        globfree(&g);
    }
    free(full);
}

/* What the sections from `first` on, all of one file, want included. */
static void follow_includes(struct files *f, size_t first, unsigned depth)
{
    struct loader *l = f->l;
    size_t last = l->n_raw;

    for (size_t i = first; i < last; i++) {
        if (strcmp(l->raw[i]->kind, "agent") != 0)
            continue;
        for (size_t k = 0; k < l->raw[i]->n; k++) {
            const struct section_entry *e = &l->raw[i]->e[k];
            struct strs patterns = {0};

            if (strcmp(e->key, "include") != 0)
                continue;
            if (depth >= INCLUDE_DEPTH) {
                loader_fault(l, &e->at, "agent", "include", RC_CONF, true,
                             "files include files more than %d deep; include them from one file", INCLUDE_DEPTH);
                continue;
            }
            strs_split(&patterns, e->value);
            for (size_t j = 0; j < patterns.n; j++)
                include_pattern(f, e->at.file, patterns.s[j], depth);
            strs_free(&patterns);
        }
    }
}

static void read_one(struct files *f, const char *path, unsigned depth)
{
    struct loader *l = f->l;
    size_t first = l->n_raw, n = 0;
    struct place_in at;
    struct err e = {0};
    struct stat st;
    char *text = NULL;

    if (stat(path, &st) == 0 && !first_time(f, &st))
        return;
    at = files_new(l, path);
    if (!fs_trusted(path, &e) && e.rc == RC_PERM)
        loader_fault(l, &at, NULL, NULL, RC_PERM, true, "%s", e.text);
    e = (struct err){0};
    if (l->octets >= TOTAL_SIZE) {
        loader_fault(l, &at, NULL, NULL, RC_CONF, true,
                     "not read: the files before it hold 16 MiB already; are all of them meant by include=?");
        return;
    }
    if (!fs_read(path, TOTAL_SIZE - l->octets, &text, &n, &e)) {
        loader_fault(l, &at, NULL, NULL, e.rc == RC_PERM ? RC_PERM : RC_CONF, true, "%s; %s", e.text,
                     depth ? "mend or remove it, or change include= in [agent]"
                           : "write it (dcvagent.ini(5) tells how), or name another by --config FILE or $DCVAGENT_CONFIG");
        return;
    }
    l->octets += n;
    reader_parse(l, at.file, at.order, text, n);
    free(text);
    follow_includes(f, first, depth);
}

void files_read(struct loader *l, const char *path)
{
    struct files f = {.l = l};

    read_one(&f, path, 0);
    free(f.seen);
}
