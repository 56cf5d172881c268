/* newfile.c: large files written piece by piece that appear whole, under a name that was free, or not at all. */
#include "store/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/mem.h"

static bool fault(const struct new_file *f, const char *call, struct err *e)
{
    return err_set(e, RC_CREATE, "WRITE", "cannot write %s: %s: %s", f->path, call, strerror(errno));
}

bool new_file_begin(struct new_file *f, const char *path, struct err *e)
{
    *f = (struct new_file){.path = mem_str(path), .part = mem_fmt("%s.XXXXXX", path)};
    f->fd = mkostemp(f->part, O_CLOEXEC); /* 0600, O_EXCL */
    if (f->fd >= 0)
        return true;
    fault(f, "create", e);
    new_file_drop(f);
    return false;
}

bool new_file_write(struct new_file *f, const void *p, size_t n, struct err *e)
{
    const uint8_t *at = p;

    while (n) {
        ssize_t w = write(f->fd, at, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return fault(f, "write", e);
        at += w;
        n -= (size_t)w;
    }
    return true;
}

bool new_file_copy(struct new_file *f, int from, uint64_t size, struct err *e)
{
    uint8_t piece[65536];

    while (size) {
        ssize_t r = read(from, piece, size < sizeof piece ? (size_t)size : sizeof piece);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return fault(f, "read", e);
        if (r == 0)
            return err_set(e, RC_STATE, "STORE", "cannot write %s: a file that goes into it became shorter meanwhile; try again", f->path);
        if (!new_file_write(f, piece, (size_t)r, e))
            return false;
        size -= (uint64_t)r;
    }
    return true;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return mem_str(".");
    return slash == path ? mem_str("/") : mem_copy(path, (size_t)(slash - path));
}

bool new_file_end(struct new_file *f, struct err *e)
{
    char *folder = folder_of(f->path);
    bool ok = true;

    if (fsync(f->fd))
        ok = fault(f, "fsync", e);
    else if (link(f->part, f->path))
        ok = errno == EEXIST ? err_set(e, RC_CREATE, "EXISTS", "%s exists already and is not overwritten; give another name", f->path)
                             : fault(f, "link", e);
    new_file_drop(f);
    ok = ok && fs_sync_folder(folder, e);
    free(folder);
    if (ok)
        durable("copy");
    return ok;
}

void new_file_drop(struct new_file *f)
{
    if (f->fd >= 0) {
        close(f->fd);
        unlink(f->part);
    }
    free(f->path);
    free(f->part);
    *f = (struct new_file){.fd = -1};
}
