/* live.c: which set is in use: live/NAME, one link switched by one rename. */
#include "cert/install.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "cert/place.h"

bool place_name(const char *name, struct err *e)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t n = strlen(name);
    char shown[64];
    if (n > 0 && n <= 200 && name[0] != '.' && strspn(name, allowed) == n)
        return true;
    return err_set(e, RC_BUG, "INSTALL_NAME", "\"%s\" cannot name a folder", text_safe(shown, sizeof shown, name, n));
}

bool place_number(const char *text, int64_t *n)
{
    size_t digits = strspn(text, "0123456789");
    if (!digits || digits > 9 || text[digits] || text[0] == '0')
        return false;
    *n = strtoll(text, NULL, 10);
    return true;
}

char *place_archive(const char *state_dir, const char *name, struct err *e)
{
    char *archive = mem_fmt("%s/archive", state_dir), *folder = mem_fmt("%s/archive/%s", state_dir, name);
    bool ok = fs_folder(archive, 0755, e) && fs_folder(folder, 0755, e);
    free(archive);
    if (ok)
        return folder;
    free(folder);
    return NULL;
}

int64_t install_live(const char *state_dir, const char *name)
{
    int64_t n = 0;
    char target[512];
    if (!place_name(name, NULL))
        return 0;
    char *link = mem_fmt("%s/live/%s", state_dir, name), *expected = mem_fmt("../archive/%s/", name);
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length > 0) {
        target[length] = '\0';
        if (strncmp(target, expected, strlen(expected)) || !place_number(target + strlen(expected), &n))
            n = 0;
    }
    free(link);
    free(expected);
    return n;
}

static bool set_exists(const char *state_dir, const char *name, int64_t n, struct err *e)
{
    struct stat st;
    char *folder = mem_fmt("%s/archive/%s/%" PRId64, state_dir, name, n);
    bool ok = n > 0 && stat(folder, &st) == 0 && S_ISDIR(st.st_mode);
    if (!ok) {
        err_set(e, RC_STATE, "NO_ARCHIVE", "live/%s cannot be switched: %s is not there", name, folder);
        err_at(e, "%s", folder);
    }
    free(folder);
    return ok;
}

static bool show(const char *state_dir, const char *name, int64_t n, struct err *e)
{
    char *folder = mem_fmt("%s/live", state_dir), *link = mem_fmt("%s/live/%s", state_dir, name),
         *target = mem_fmt("../archive/%s/%" PRId64, name, n);
    bool ok = set_exists(state_dir, name, n, e) && fs_folder(folder, 0755, e) && fs_switch(link, target, e);
    free(folder);
    free(link);
    free(target);
    return ok;
}

bool install_switch(const char *state_dir, const char *name, int64_t n, int64_t *before, struct err *e)
{
    if (!place_name(name, e))
        return false;
    *before = install_live(state_dir, name);
    return show(state_dir, name, n, e);
}

static bool take_away(const char *state_dir, const char *name, struct err *e)
{
    char *folder = mem_fmt("%s/live", state_dir), *link = mem_fmt("%s/live/%s", state_dir, name);
    struct stat st;
    bool ok = true;
    int number = fault_errno("unlink");
    if (lstat(link, &st) != 0) {
        ok = errno == ENOENT || err_set(e, RC_CREATE, "INSTALL", "cannot look at %s: %s", link, strerror(errno));
    } else if (!S_ISLNK(st.st_mode)) {
        ok = err_set(e, RC_CREATE, "INSTALL", "%s is not a symbolic link; it is left as it is", link);
    } else if (number || unlink(link) != 0) {
        ok = err_set(e, RC_CREATE, "INSTALL", "cannot remove the link %s: %s", link, strerror(number ? number : errno));
    } else {
        ok = fs_sync_folder(folder, e);
        if (ok)
            durable("switch");
    }
    free(folder);
    free(link);
    return ok;
}

bool install_unswitch(const char *state_dir, const char *name, int64_t before, struct err *e)
{
    if (!place_name(name, e))
        return false;
    return before > 0 ? show(state_dir, name, before, e) : take_away(state_dir, name, e);
}
