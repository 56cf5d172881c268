#include "cmd/stored.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/secret.h"
#include "cert/key.h"

enum { CERT_MAX = 1 << 20, KEY_MAX = 65536, SUFFIX = 4 /* ".key" */ };

static int no_dots(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

/* What is in state_dir/folder; a folder that is not there has nothing. The caller frees. */
static void names_in(const char *state_dir, const char *folder, struct strs *out)
{
    struct dirent **list = NULL;
    char *path = mem_fmt("%s/%s", state_dir, folder);
    int n = scandir(path, &list, no_dots, alphasort);
    for (int i = 0; i < n; i++) {
        strs_add(out, list[i]->d_name);
        free(list[i]);
    }
    free(list);
    free(path);
}

bool stored_key_facts(const char *path, char type[16], char spki[65])
{
    struct secret pem = {0};
    char *text;
    size_t n;
    if (!fs_read(path, KEY_MAX, &text, &n, NULL))
        return false;
    secret_set(&pem, text, n);
    explicit_bzero(text, n);
    free(text);
    bool ok = key_spki(&pem, spki, NULL) && key_type_of(&pem, type, NULL);
    secret_free(&pem);
    return ok;
}

void stored_keys(const char *state_dir, void (*fn)(void *arg, const struct stored_key *k), void *arg)
{
    struct strs names = {0};
    names_in(state_dir, "keys", &names);
    for (size_t i = 0; i < names.n; i++) {
        const char *name = names.s[i];
        size_t n = strlen(name);
        struct stored_key k = {0};
        if (n <= SUFFIX || n - SUFFIX >= sizeof k.id || strcmp(name + n - SUFFIX, ".key") != 0 ||
            strspn(name, "0123456789abcdef-") != n - SUFFIX)
            continue;
        char *file = mem_fmt("keys/%s", name), *path = mem_fmt("%s/%s", state_dir, file);
        memcpy(k.id, name, n - SUFFIX);
        k.file = file;
        if (stored_key_facts(path, k.type, k.spki))
            fn(arg, &k);
        free(file);
        free(path);
    }
    strs_free(&names);
}

static bool read_facts(const char *path, struct cert_facts *f)
{
    char *text;
    size_t n;
    if (!fs_read(path, CERT_MAX, &text, &n, NULL))
        return false;
    bool ok = issued_first(text, n, f);
    free(text);
    return ok;
}

static bool same_folder(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static void one_set(const char *state_dir, const char *name, const char *number, void (*fn)(void *arg, const struct stored_set *s),
                    void *arg)
{
    struct cert_facts f = {0};
    if (number[strspn(number, "0123456789")])
        return;
    char *folder = mem_fmt("archive/%s/%s", name, number), *path = mem_fmt("%s/%s", state_dir, folder),
         *cert = mem_fmt("%s/cert.pem", path), *live = mem_fmt("%s/live/%s", state_dir, name);
    fn(arg, &(struct stored_set){.name = name,
                                 .n = strtoll(number, NULL, 10),
                                 .folder = folder,
                                 .live = same_folder(path, live),
                                 .cert = read_facts(cert, &f) ? &f : NULL});
    cert_facts_clear(&f);
    free(folder);
    free(path);
    free(cert);
    free(live);
}

static void sets_of(const char *state_dir, const char *name, void (*fn)(void *arg, const struct stored_set *s), void *arg)
{
    struct strs numbers = {0};
    char *folder = mem_fmt("archive/%s", name);
    names_in(state_dir, folder, &numbers);
    for (size_t i = 0; i < numbers.n; i++)
        one_set(state_dir, name, numbers.s[i], fn, arg);
    strs_free(&numbers);
    free(folder);
}

void stored_sets(const char *state_dir, const char *name, void (*fn)(void *arg, const struct stored_set *s), void *arg)
{
    struct strs names = {0};
    if (name)
        strs_add(&names, name);
    else
        names_in(state_dir, "archive", &names);
    for (size_t i = 0; i < names.n; i++)
        sets_of(state_dir, names.s[i], fn, arg);
    strs_free(&names);
}
