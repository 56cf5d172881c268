#include "cmd/stored.h"

#include <dirent.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/mem.h"

enum { CERT_MAX = 1 << 20 };

static int no_dots(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

void stored_each(const char *state_dir, const char *folder, void (*fn)(void *arg, const char *folder, const char *name), void *arg)
{
    struct dirent **list = NULL;
    char *path = mem_fmt("%s/%s", state_dir, folder);
    int n = scandir(path, &list, no_dots, alphasort);
    for (int i = 0; i < n; i++) {
        fn(arg, folder, list[i]->d_name);
        free(list[i]);
    }
    free(list);
    free(path);
}

bool stored_facts(const char *path, struct cert_facts *f)
{
    struct issued *i = NULL;
    char *text;
    size_t n;
    if (!fs_read(path, CERT_MAX, &text, &n, NULL))
        return false;
    bool ok = issued_read(&i, text, n, NULL) && issued_facts(i, 0, f, NULL);
    issued_free(i);
    free(text);
    return ok;
}
