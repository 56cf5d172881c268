/* store.c: opening and closing the store, and the run lock. */
#include "store/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

enum { BUSY_MS = 5000 };

static const char *const connection =
    "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; "
    "PRAGMA journal_size_limit = 16777216;";

static bool no_right(const char *path, struct err *e)
{
    if (errno == EROFS)
        return err_set(e, RC_STATE, "STORE", "%s lies on a file system that is mounted read-only (mount, dmesg); nothing was done", path) ||
               err_at(e, "%s", path);
    err_set(e, RC_PERM, "STORE", "no right to use %s (we are user %u): %s; run as the agent's user or as root", path, (unsigned)geteuid(),
            strerror(errno));
    return err_at(e, "%s", path);
}

/* dir without symbolic links. systemd makes /var/lib/NAME a link of root's; a link of somebody else's could be turned at any time. */
static bool real_folder(struct store *s, bool *there, struct err *e)
{
    struct stat st;

    *there = !lstat(s->dir, &st);
    if (!*there)
        return errno == ENOENT || no_right(s->dir, e);
    if (S_ISLNK(st.st_mode) && st.st_uid != 0 && st.st_uid != geteuid())
        return err_set(e, RC_PERM, "STORE",
                       "%s is a symbolic link made by user %u, who is neither root nor the agent; name the folder itself as "
                       "state_dir",
                       s->dir, (unsigned)st.st_uid);
    char *real = realpath(s->dir, NULL);
    if (!real)
        return errno == EACCES ? no_right(s->dir, e) : err_set(e, RC_STATE, "STORE", "state_dir %s: %s", s->dir, strerror(errno));
    free(s->dir);
    s->dir = mem_str(real);
    free(real);
    return true;
}

static bool sub_folder(struct store *s, const char *name, mode_t mode, struct err *e)
{
    char *path = mem_fmt("%s/%s", s->dir, name);
    bool ok = fs_folder(path, mode, e);

    free(path);
    return ok;
}

/* The file is made here, before SQLite: -wal and -shm take over its mode. */
static bool create_file(struct store *s, struct err *e)
{
    struct stat st;
    int fd = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd >= 0) {
        fchmod(fd, 0600);
        close(fd);
        return fs_sync_folder(s->dir, e);
    }
    if (errno != EEXIST)
        return errno == EACCES || errno == EROFS ? no_right(s->path, e)
                                                 : err_set(e, RC_STATE, "STORE", "cannot create %s: %s", s->path, strerror(errno));
    if (lstat(s->path, &st) || !S_ISREG(st.st_mode))
        return err_set(e, RC_PERM, "STORE", "%s is not a plain file; move it away", s->path);
    if (faccessat(AT_FDCWD, s->path, R_OK | W_OK, AT_EACCESS))
        return no_right(s->path, e);
    if ((st.st_mode & 07777) != 0600 && chmod(s->path, 0600))
        return no_right(s->path, e);
    return true;
}

static bool prepare_writer(struct store *s, struct err *e)
{
    bool there;

    if (!real_folder(s, &there, e))
        return false;
    if (there && faccessat(AT_FDCWD, s->dir, R_OK | W_OK | X_OK, AT_EACCESS))
        return no_right(s->dir, e);
    if (!fs_folder(s->dir, 0711, e) || (!there && !real_folder(s, &there, e)) || !fs_is_local(s->dir, e))
        return false;
    s->path = mem_fmt("%s/state.db", s->dir);
    return sub_folder(s, "keys", 0700, e) && sub_folder(s, "archive", 0755, e) && sub_folder(s, "live", 0755, e) && create_file(s, e);
}

static bool prepare_reader(struct store *s, bool *there, struct err *e)
{
    struct stat st;

    if (!real_folder(s, there, e))
        return false;
    if (!*there)
        return true;
    s->path = mem_fmt("%s/state.db", s->dir);
    *there = !lstat(s->path, &st);
    if (!*there)
        return errno == ENOENT || no_right(s->path, e);
    if (!S_ISREG(st.st_mode))
        return err_set(e, RC_PERM, "STORE", "%s is not a plain file; move it away", s->path);
    if (faccessat(AT_FDCWD, s->path, R_OK, AT_EACCESS))
        return no_right(s->path, e);
    *there = st.st_size > 0;
    return !*there || fs_is_local(s->dir, e);
}

static bool open_memory(struct store *s, struct err *e)
{
    free(s->path);
    s->path = NULL;
    if (sqlite3_open_v2(":memory:", &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return err_set(e, RC_RESOURCE, "STORE", "cannot open a database in memory");
    return schema_memory(s, e);
}

/* On a read-only file system SQLite cannot make the shared memory of its WAL; but nobody else can write either. */
static char *immutable_uri(const struct store *s)
{
    if (s->writer || faccessat(AT_FDCWD, s->dir, W_OK, AT_EACCESS) == 0 || errno != EROFS)
        return NULL;
    struct str uri = STR_INIT(4 * PATH_MAX);
    str_add(&uri, "file:");
    for (const char *p = s->path; *p; p++)
        str_fmt(&uri, strchr("%?#", *p) ? "%%%02x" : "%c", (unsigned char)*p);
    str_add(&uri, "?immutable=1");
    return str_take(&uri);
}

static bool open_file(struct store *s, struct err *e)
{
    int flags =
        (s->writer ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
    char *wal = mem_fmt("%s-wal", s->path);
    struct stat st;
    bool unclean = !stat(wal, &st) && st.st_size > 0, empty = false; /* a clean close leaves none; so does nobody who is at work now */
    char *uri = unclean ? NULL : immutable_uri(s);                   /* which would not look into the WAL */
    int opened = sqlite3_open_v2(uri ? uri : s->path, &s->db, flags | (uri ? SQLITE_OPEN_URI : 0), NULL);

    free(wal);
    free(uri);
    if (opened != SQLITE_OK)
        return store_fault(s, "open the store", e);
    sqlite3_busy_timeout(s->db, BUSY_MS);
    if (!schema_open(s, unclean, &empty, e))
        return false;
    if (empty && !s->writer) { /* somebody is just setting it up */
        sqlite3_close(s->db);
        s->db = NULL;
        return open_memory(s, e);
    }
    return store_exec(s, connection, e);
}

bool store_open(struct store **out, const char *dir, bool writer, struct err *e)
{
    struct store *s = mem_new(sizeof *s);
    bool there = true;

    *out = NULL;
    s->writer = writer;
    s->lock_fd = -1;
    s->dir = mem_str(dir);
    bool ok = writer ? prepare_writer(s, e) : prepare_reader(s, &there, e);
    ok = ok && (there ? open_file(s, e) : !schema_lost(s, e) && open_memory(s, e));
    if (ok)
        *out = s;
    else
        store_close(s);
    return ok;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_prepared; i++)
        sqlite3_finalize(s->prepared[i].st);
    sqlite3_close(s->db); /* an open turn is rolled back */
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s->prepared);
    free(s->then.e);
    free(s->now.e);
    free(s->dir);
    free(s->path);
    free(s);
}

const char *store_dir(const struct store *s)
{
    return s->dir;
}

const char *store_library(void)
{
    return sqlite3_libversion();
}

/* --- run.lock --------------------------------------------------------------------------------------------------------------------- */

static bool held_by(int fd, struct err *e)
{
    char text[64] = "", since[32] = "?";
    long pid = 0;
    int64_t when = 0;

    if (pread(fd, text, sizeof text - 1, 0) > 0 && sscanf(text, "%ld %" SCNd64, &pid, &when) == 2 && pid > 0)
        time_local(when, since);
    else
        pid = 0;
    if (pid)
        err_set(e, RC_LATER, "LOCKED", "another run is going on (process %ld, since %s); nothing was done, the next run goes on", pid,
                since);
    else
        err_set(e, RC_LATER, "LOCKED", "another run is going on; nothing was done, the next run goes on");
    return err_again(e, 0);
}

static bool lock_fault(struct store *s, const char *path, int no, struct err *e)
{
    if (no == EACCES || no == EPERM || no == EROFS || no == ELOOP)
        return err_set(e, RC_PERM, "STORE", "cannot open %s: %s; run as the agent's user, and see that it is a plain file of this user",
                       path, strerror(no));
    if (no == ENOLCK || no == EOPNOTSUPP || no == ENOSYS || no == EINVAL)
        return fs_is_local(s->dir, e) && err_set(e, RC_STATE, "STORE",
                                                 "the file system of %s has no locks (%s), and without them two runs could "
                                                 "order twice; use a local one for state_dir",
                                                 s->dir, strerror(no));
    return err_set(e, no == EMFILE || no == ENFILE ? RC_RESOURCE : RC_STATE, "STORE", "cannot lock %s: %s", path, strerror(no));
}

/* 1: ours; 0: fault or held; -1: somebody removed the file meanwhile. */
static int try_lock(struct store *s, const char *path, struct err *e)
{
    struct stat ours, named;
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600), no = fault_errno("flock");

    if (fd < 0)
        return lock_fault(s, path, errno, e);
    if (no ? (errno = no) : flock(fd, LOCK_EX | LOCK_NB)) {
        if (errno == EWOULDBLOCK)
            held_by(fd, e);
        else
            lock_fault(s, path, errno, e);
        close(fd);
        return 0;
    }
    if (fstat(fd, &ours) || lstat(path, &named) || ours.st_ino != named.st_ino || ours.st_dev != named.st_dev) {
        close(fd);
        return -1;
    }
    /* For people only; the lock is what counts. */
    char text[64];
    int n = snprintf(text, sizeof text, "%ld %" PRId64 "\n", (long)getpid(), clock_now());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) == n)
        fchmod(fd, 0600);
    s->lock_fd = fd;
    return 1;
}

bool store_lock(struct store *s, struct err *e)
{
    char *path = mem_fmt("%s/run.lock", s->dir);
    int got = s->lock_fd >= 0 ? 1 : -1;

    for (int tries = 0; got < 0 && tries < 10; tries++)
        got = try_lock(s, path, e);
    if (got < 0)
        err_set(e, RC_STATE, "STORE", "%s is removed again and again by somebody; it must stay", path);
    free(path);
    return got > 0;
}
