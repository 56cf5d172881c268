#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fs.h"
#include "base/mem.h"

#define TEMPORARY ".dcvagent-"

/* The place of a file: its folder, opened once, so that nobody can swap the folder between two steps. */
struct spot {
    const char *path;
    char *folder;
    const char *base;
    int fd; /* of the folder */
    char temporary[40];
};

/* True where the test build wants `point` to fail; errno is set. */
static bool injected(const char *point)
{
    int number = fault_errno(point);
    if (number)
        errno = number;
    return number != 0;
}

static const char *hint(int number)
{
    switch (number) {
    case ENOSPC:
        return "; the disk is full: free some space (df -h, df -i)";
    case EDQUOT:
        return "; the disk quota is used up";
    case EROFS:
        return "; the file system is mounted read-only (mount, dmesg)";
    case EFBIG:
        return "; larger than the limit for files (ulimit -f)";
    case EIO:
        return "; the disk reports an error (dmesg)";
    case EMFILE:
    case ENFILE:
        return "; too many open files (ulimit -n)";
    case ELOOP:
        return "; a symbolic link is not accepted here";
    default:
        return "";
    }
}

const char *fs_why(int number, char out[FS_WHY])
{
    char space[1024];
    struct passwd pw, *found = NULL;
    if (number != EACCES && number != EPERM)
        snprintf(out, FS_WHY, "%s", strerror(number));
    else if (getpwuid_r(geteuid(), &pw, space, sizeof space, &found) == 0 && found)
        snprintf(out, FS_WHY, "%s for the user %.32s", strerror(number), pw.pw_name);
    else
        snprintf(out, FS_WHY, "%s for the user %u", strerror(number), (unsigned)geteuid());
    return out;
}

/* errno as an error: what could not be done with which path. */
static bool failed(struct err *e, enum rc rc, const char *code, const char *what, const char *path)
{
    char why[FS_WHY];
    int number = errno;
    if (number == EMFILE || number == ENFILE || number == ENOMEM)
        rc = RC_RESOURCE;
    else if (rc == RC_STATE && (number == EACCES || number == EPERM))
        rc = RC_PERM;
    err_set(e, rc, code, "cannot %s %s: %s%s", what, path, fs_why(number, why), hint(number));
    return err_at(e, "%s", path);
}

static bool open_spot(struct spot *s, const char *path, struct err *e)
{
    *s = (struct spot){.path = path, .fd = -1};
    const char *slash = strrchr(path, '/');
    s->base = slash ? slash + 1 : path;
    s->folder = !slash ? mem_str(".") : slash == path ? mem_str("/") : mem_copy(path, (size_t)(slash - path));
    if (!*s->base || strcmp(s->base, ".") == 0 || strcmp(s->base, "..") == 0)
        return err_set(e, RC_CREATE, "WRITE", "\"%s\" is not the path of a file", path);
    s->fd = injected("open") ? -1 : open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->fd < 0)
        return failed(e, RC_CREATE, "WRITE", "open the folder", s->folder);
    uint32_t random[2];
    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        return failed(e, RC_CREATE, "WRITE", "get random octets for", path);
    snprintf(s->temporary, sizeof(s->temporary), TEMPORARY "%08x%08x", random[0], random[1]);
    return true;
}

static void close_spot(struct spot *s)
{
    if (s->fd >= 0)
        close(s->fd);
    free(s->folder);
}

static bool sync_fd(int fd)
{
    return !injected("fsync") && fsync(fd) == 0;
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = injected("write") ? -1 : write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

/* Where all files have one mode (FAT), that will do if it gives nobody else more than was asked for. */
static bool set_mode(int fd, mode_t mode)
{
    struct stat st;
    return (!injected("chmod") && fchmod(fd, mode) == 0) || (errno == EPERM && fstat(fd, &st) == 0 && !(st.st_mode & 0077 & ~mode));
}

enum reach { ON_ITS_WAY, ON_THE_DISK };

/* A hint only: what is not on its way yet is so at the flush. */
static bool set_off(int fd)
{
    sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    return true;
}

/* A file of this name, new and whole. */
static bool write_new(const struct spot *s, const char *name, const void *p, size_t n, mode_t mode, enum reach reach, struct err *e)
{
    int fd = injected("open") ? -1 : openat(s->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(e, RC_CREATE, "WRITE", "create", s->path);
    bool ok = write_all(fd, p, n) && set_mode(fd, mode) && (reach == ON_THE_DISK ? sync_fd(fd) : set_off(fd));
    int number = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        number = errno;
    }
    errno = number;
    return ok || failed(e, RC_CREATE, "WRITE", "write", s->path);
}

/* What stands at the path now may be nothing or a plain file (or a symbolic link, for fs_switch). */
static bool may_replace(const struct spot *s, mode_t type, struct err *e)
{
    struct stat st;
    if (fstatat(s->fd, s->base, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT || failed(e, RC_CREATE, "WRITE", "look at", s->path);
    if ((st.st_mode & S_IFMT) == type)
        return true;
    err_set(e, RC_CREATE, "WRITE", "%s is %s and not a %s; it is left as it is: move it away or name another path", s->path,
            S_ISLNK(st.st_mode)   ? "a symbolic link"
            : S_ISDIR(st.st_mode) ? "a folder"
            : S_ISREG(st.st_mode) ? "a plain file"
                                  : "a device, pipe or socket",
            type == S_IFLNK ? "symbolic link" : "plain file");
    return err_at(e, "%s", s->path);
}

static bool sync_spot(const struct spot *s, struct err *e)
{
    return sync_fd(s->fd) || failed(e, RC_CREATE, "WRITE", "sync the folder", s->folder);
}

static bool rename_over(const struct spot *s, struct err *e)
{
    if (injected("rename") || renameat(s->fd, s->temporary, s->fd, s->base) != 0)
        return failed(e, RC_CREATE, "WRITE", "rename a temporary file to", s->path);
    return true;
}

bool fs_replace(const char *path, const void *p, size_t n, mode_t mode, struct err *e)
{
    struct spot s;
    bool renamed = false;
    bool ok = open_spot(&s, path, e) && may_replace(&s, S_IFREG, e) && write_new(&s, s.temporary, p, n, mode, ON_THE_DISK, e) &&
              (renamed = rename_over(&s, e)) && sync_spot(&s, e);
    if (!renamed && s.fd >= 0)
        unlinkat(s.fd, s.temporary, 0);
    close_spot(&s);
    if (ok)
        durable("replace");
    return ok;
}

/* FAT, exFAT and some mounts over the network, where backups go, have no links: there a rename that never overwrites does the same. */
static bool link_new(const struct spot *s, struct err *e)
{
    if (!injected("link") && linkat(s->fd, s->temporary, s->fd, s->base, 0) == 0)
        return true;
    int number = errno;
    if (number == EPERM || number == EOPNOTSUPP || number == ENOSYS) {
        if (renameat2(s->fd, s->temporary, s->fd, s->base, RENAME_NOREPLACE) == 0)
            return true;
        number = errno == EEXIST ? EEXIST : number;
    }
    errno = number;
    if (number != EEXIST)
        return failed(e, RC_CREATE, "WRITE", "create", s->path);
    err_set(e, RC_CREATE, "EXISTS", "%s exists already and is never overwritten; move it away or name another path", s->path);
    return err_at(e, "%s", s->path);
}

bool fs_create(const char *path, const void *p, size_t n, mode_t mode, struct err *e)
{
    struct spot s;
    bool ok = open_spot(&s, path, e) && write_new(&s, s.temporary, p, n, mode, ON_THE_DISK, e) && link_new(&s, e);
    if (s.fd >= 0)
        unlinkat(s.fd, s.temporary, 0);
    ok = ok && sync_spot(&s, e);
    close_spot(&s);
    if (ok)
        durable("create");
    return ok;
}

bool fs_draft(const char *path, const void *p, size_t n, mode_t mode, struct err *e)
{
    struct spot s;
    bool ok = open_spot(&s, path, e) && write_new(&s, s.base, p, n, mode, ON_ITS_WAY, e);
    close_spot(&s);
    return ok;
}

bool fs_flush(const char *path, struct err *e)
{
    int fd = injected("open") ? -1 : open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return failed(e, RC_CREATE, "WRITE", "open", path);
    bool ok = sync_fd(fd) || failed(e, RC_CREATE, "WRITE", "sync", path);
    close(fd);
    if (ok)
        durable("draft");
    return ok;
}

bool fs_switch(const char *link, const char *target, struct err *e)
{
    struct spot s;
    bool renamed = false;
    bool ok = open_spot(&s, link, e) && may_replace(&s, S_IFLNK, e);
    if (ok && (injected("link") || symlinkat(target, s.fd, s.temporary) != 0))
        ok = failed(e, RC_CREATE, "WRITE", "create a symbolic link beside", link);
    ok = ok && (renamed = rename_over(&s, e)) && sync_spot(&s, e);
    if (!renamed && s.fd >= 0)
        unlinkat(s.fd, s.temporary, 0);
    close_spot(&s);
    if (ok)
        durable("switch");
    return ok;
}

static bool read_all(int fd, const char *path, size_t max, char **out, size_t *n, struct err *e)
{
    size_t size = 4096, used = 0;
    char *p = mem_grow(NULL, size + 1, 1);
    for (;;) {
        ssize_t got = injected("read") ? -1 : read(fd, p + used, size - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            free(p);
            return failed(e, RC_STATE, "READ", "read", path);
        }
        used += (size_t)got;
        if (used > max) {
            free(p);
            err_set(e, RC_STATE, "READ", "%s is larger than %zu octets, which is the limit for it", path, max);
            return err_at(e, "%s", path);
        }
        if (!got)
            break;
        if (used == size)
            p = mem_grow(p, (size *= 2) + 1, 1);
    }
    p[used] = '\0';
    *out = p;
    *n = used;
    return true;
}

bool fs_read(const char *path, size_t max, char **out, size_t *n, struct err *e)
{
    struct stat st;
    /* O_NONBLOCK: a FIFO must not keep the agent waiting for its writer. */
    int fd = injected("open") ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return failed(e, RC_STATE, errno == ENOENT || errno == ENOTDIR ? "NO_FILE" : "READ", "open", path);
    bool ok = true;
    if (fstat(fd, &st) != 0) {
        ok = failed(e, RC_STATE, "READ", "look at", path);
    } else if (!S_ISREG(st.st_mode)) {
        err_set(e, RC_STATE, "READ", "%s is not a plain file", path);
        ok = err_at(e, "%s", path);
    }
    ok = ok && read_all(fd, path, max, out, n, e);
    close(fd);
    return ok;
}

bool fs_sync_folder(const char *path, struct err *e)
{
    int fd = injected("open") ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return failed(e, RC_STATE, "SYNC", "open the folder", path);
    bool ok = sync_fd(fd) || failed(e, RC_STATE, "SYNC", "sync the folder", path);
    close(fd);
    return ok;
}

/* An open folder gets its mode, if it is one that the agent may have to itself. */
static bool mend_folder(int fd, const char *path, mode_t mode, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return failed(e, RC_CREATE, "FOLDER", "look at", path);
    if (st.st_uid != geteuid() && st.st_uid != 0) {
        err_set(e, RC_PERM, "FOLDER", "the folder %s belongs to user %u, not to the agent or root; run: chown %u %s", path,
                (unsigned)st.st_uid, (unsigned)geteuid(), path);
        return err_at(e, "%s", path);
    }
    if ((st.st_mode & 07777) == mode)
        return true;
    if (st.st_mode & S_ISVTX) { /* /tmp given as state_dir must not become 0711 for everybody */
        err_set(e, RC_PERM, "FOLDER", "%s is a folder for everybody (sticky); name a folder of the agent's own", path);
        return err_at(e, "%s", path);
    }
    if (fchmod(fd, mode) == 0)
        return true;
    err_set(e, RC_PERM, "FOLDER", "the folder %s has mode %04o; run as root: chmod %04o %s", path, (unsigned)(st.st_mode & 07777),
            (unsigned)mode, path);
    return err_at(e, "%s", path);
}

bool fs_folder(const char *path, mode_t mode, struct err *e)
{
    bool made = !injected("mkdir") && mkdir(path, mode & 0700) == 0;
    if (!made && errno != EEXIST)
        return failed(e, RC_CREATE, "FOLDER", "create the folder", path);
    int fd = injected("open") ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return failed(e, RC_CREATE, "FOLDER", "open the folder", path);
    bool ok = mend_folder(fd, path, mode, e);
    close(fd);
    if (!ok || !made)
        return ok;
    char *copy = mem_str(path);
    ok = fs_sync_folder(dirname(copy), e);
    free(copy);
    return ok;
}

void fs_sweep(const char *folder)
{
    DIR *d = opendir(folder);
    if (!d)
        return;
    int fd = dirfd(d);
    const size_t lead = strlen(TEMPORARY);
    time_t now = time(NULL); /* as the file system counts, not clock_now() */
    struct dirent *entry;
    while ((entry = readdir(d))) {
        const char *name = entry->d_name;
        struct stat st;
        if (strncmp(name, TEMPORARY, lead) != 0 || strspn(name + lead, "0123456789abcdef") != 16 || name[lead + 16])
            continue;
        if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode) && st.st_mtime < now - HOUR)
            unlinkat(fd, name, 0);
    }
    closedir(d);
}

bool fs_is_local(const char *path, struct err *e)
{
    static const struct {
        uint32_t magic;
        const char *name;
    } remote[] = {{NFS_SUPER_MAGIC, "nfs"},   {SMB_SUPER_MAGIC, "smb"},     {SMB2_SUPER_MAGIC, "cifs"}, {CIFS_SUPER_MAGIC, "cifs"},
                  {V9FS_MAGIC, "9p"},         {AFS_SUPER_MAGIC, "afs"},     {AFS_FS_MAGIC, "afs"},      {CODA_SUPER_MAGIC, "coda"},
                  {CEPH_SUPER_MAGIC, "ceph"}, {OCFS2_SUPER_MAGIC, "ocfs2"}, {0x01161970, "gfs2"},       {0x0bd00bd0, "lustre"},
                  {0x47504653, "gpfs"},       {NCP_SUPER_MAGIC, "ncp"},     {0x786f4256, "vboxsf"}};
    struct statfs fs;
    int rc = statfs(path, &fs);
    if (rc != 0 && errno == ENOENT) { /* not there yet: its folder decides */
        char *copy = mem_str(path);
        rc = statfs(dirname(copy), &fs);
        free(copy);
    }
    if (rc != 0)
        return failed(e, RC_STATE, "STATE", "look at the file system of", path);
    for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++) {
        if (remote[i].magic != (uint32_t)fs.f_type)
            continue;
        err_set(e, RC_STATE, "NOT_LOCAL", "%s lies on a network file system (%s), where locks are not safe; put state_dir on a local disk",
                path, remote[i].name);
        return err_at(e, "%s", path);
    }
    return true;
}
