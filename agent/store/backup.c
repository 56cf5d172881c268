/* backup.c: the database as of one moment, the keys and the files, as one tar (POSIX ustar), to be unpacked over an empty state_dir. */
#include "store/store_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { BLOCK = 512 };

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[8], uname[32], gname[32], major[8],
        minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

static const char zeros[2 * BLOCK];

static size_t padding(off_t size)
{
    return (size_t)((BLOCK - size % BLOCK) % BLOCK);
}

static void octal(char *field, size_t size, uint64_t v)
{
    for (size_t i = size - 1; i-- > 0; v >>= 3)
        field[i] = (char)('0' + (v & 7));
}

/* Sizes of 8 GiB and more: big-endian with the top bit set, as GNU and BSD tar read and write them. */
static void put_size(struct header *h, uint64_t size)
{
    if (size < (1ULL << 33)) {
        octal(h->size, sizeof h->size, size);
        return;
    }
    for (size_t i = sizeof h->size; i-- > 4; size >>= 8)
        h->size[i] = (char)(size & 0xff);
    h->size[0] = (char)0x80;
}

static bool put_header(struct new_file *f, const char *name, const struct stat *st, char type, const char *link, struct err *e);

/* Texts of more than 100 octets go before the header, in an entry of their own as GNU tar made it; BSD and busybox read it too. */
static bool put_long(struct new_file *f, char type, const char *text, struct err *e)
{
    struct stat st = {.st_size = (off_t)strlen(text) + 1};

    return put_header(f, "././@LongLink", &st, type, "", e) && new_file_write(f, text, (size_t)st.st_size, e) &&
           new_file_write(f, zeros, padding(st.st_size), e);
}

static bool put_header(struct new_file *f, const char *name, const struct stat *st, char type, const char *link, struct err *e)
{
    struct header h = {.magic = "ustar", .type = type};
    unsigned sum = 0;

    if ((strlen(name) > sizeof h.name && !put_long(f, 'L', name, e)) || (strlen(link) > sizeof h.link && !put_long(f, 'K', link, e)))
        return false;
    memcpy(h.name, name, strnlen(name, sizeof h.name));
    memcpy(h.link, link, strnlen(link, sizeof h.link));
    memcpy(h.magic + 6, "00", 2);
    octal(h.mode, sizeof h.mode, st->st_mode & 07777);
    octal(h.uid, sizeof h.uid, st->st_uid);
    octal(h.gid, sizeof h.gid, st->st_gid);
    octal(h.mtime, sizeof h.mtime, (uint64_t)st->st_mtime);
    put_size(&h, type == '2' || type == '5' ? 0 : (uint64_t)st->st_size);
    memset(h.sum, ' ', sizeof h.sum);
    for (size_t i = 0; i < sizeof h; i++)
        sum += ((const uint8_t *)&h)[i];
    octal(h.sum, 7, sum);
    return new_file_write(f, &h, sizeof h, e);
}

static bool put_file(struct new_file *f, int folder, const char *base, const char *name, struct err *e)
{
    struct stat st;
    int fd = openat(folder, base, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &st)) {
        err_set(e, RC_STATE, "STORE", "cannot read %s for the backup: %s", name, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool ok = put_header(f, name, &st, '0', "", e) && new_file_copy(f, fd, (uint64_t)st.st_size, e) &&
              new_file_write(f, zeros, padding(st.st_size), e);
    close(fd);
    return ok;
}

static bool put_link(struct new_file *f, int folder, const char *base, const char *name, const struct stat *st, struct err *e)
{
    char target[PATH_MAX] = "";
    ssize_t n = readlinkat(folder, base, target, sizeof target);

    if (n < 0 || (size_t)n >= sizeof target)
        return err_set(e, RC_STATE, "STORE", "cannot put the symbolic link %s into the backup: %s", name,
                       n < 0 ? strerror(errno) : "too long");
    target[n] = '\0';
    return put_header(f, name, st, '2', target, e);
}

static bool put_folder(struct new_file *f, int above, const char *base, const char *name, struct err *e);

static bool put_entry(struct new_file *f, int folder, const char *base, const char *name, struct err *e)
{
    struct stat st;

    if (fstatat(folder, base, &st, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT || err_set(e, RC_STATE, "STORE", "cannot read %s for the backup: %s", name, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return put_folder(f, folder, base, name, e);
    if (S_ISLNK(st.st_mode))
        return put_link(f, folder, base, name, &st, e);
    return !S_ISREG(st.st_mode) || put_file(f, folder, base, name, e);
}

static int no_dots(const struct dirent *d)
{
    return strcmp(d->d_name, ".") && strcmp(d->d_name, "..");
}

static bool put_folder(struct new_file *f, int above, const char *base, const char *name, struct err *e)
{
    struct stat st;
    struct dirent **list = NULL;
    int fd = openat(above, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), n = -1;

    if (fd >= 0 && !fstat(fd, &st))
        n = scandirat(fd, ".", &list, no_dots, alphasort);
    if (n < 0)
        err_set(e, RC_STATE, "STORE", "cannot read the folder %s for the backup: %s", name, strerror(errno));
    char *with_slash = mem_fmt("%s/", name);
    bool ok = n >= 0 && put_header(f, with_slash, &st, '5', "", e);
    for (int i = 0; i < n; i++) {
        char *inner = mem_fmt("%s%s", with_slash, list[i]->d_name);
        ok = ok && put_entry(f, fd, list[i]->d_name, inner, e);
        free(inner);
        free(list[i]);
    }
    free(list);
    free(with_slash);
    if (fd >= 0)
        close(fd);
    return ok;
}

/* The database as one file without a journal, through SQLite: consistent whatever a run writes meanwhile. */
static bool copy_database(struct store *s, const char *to, struct err *e)
{
    sqlite3 *db = NULL;
    int fd, rc = SQLITE_ERROR;

    unlink(to); /* left over by a backup that was killed: its name is ours alone, under the folder's lock */
    fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(e, RC_STATE, "STORE", "cannot create %s: %s", to, strerror(errno));
    close(fd);
    if (sqlite3_open_v2(to, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL) == SQLITE_OK) {
        sqlite3_exec(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;", NULL, NULL, NULL);
        sqlite3_backup *b = sqlite3_backup_init(db, "main", s->db, "main");
        rc = b ? sqlite3_backup_step(b, -1) : sqlite3_errcode(db);
        if (b)
            sqlite3_backup_finish(b);
    }
    bool ok = rc == SQLITE_DONE || err_set(e, RC_STATE, "STORE", "cannot copy the database to %s: %s", to, sqlite3_errstr(rc));
    sqlite3_close(db);
    return ok;
}

static bool put_all(struct new_file *f, int folder, struct err *e)
{
    static const char *const folders[] = {"keys", "archive", "live"};
    bool ok = put_file(f, folder, "state.db.copy", "state.db", e);

    for (size_t i = 0; ok && i < sizeof folders / sizeof *folders; i++)
        ok = put_entry(f, folder, folders[i], folders[i], e);
    return ok && new_file_write(f, zeros, sizeof zeros, e);
}

bool store_backup(struct store *s, const char *file, struct err *e)
{
    struct new_file f = {.fd = -1};
    int folder;

    if (!s->path)
        return err_set(e, RC_STATE, "STORE", "there is no store in %s yet: nothing to back up", s->dir);
    if (s->turn)
        return err_set(e, RC_BUG, "STORE", "a backup was asked for in the middle of a turn");
    folder = store_folder_lock(s, e);
    if (folder < 0)
        return false;
    char *copy = mem_fmt("%s.copy", s->path);
    bool ok = new_file_begin(&f, file, e) && copy_database(s, copy, e) && put_all(&f, folder, e) && new_file_end(&f, e);
    new_file_drop(&f);
    unlink(copy);
    close(folder);
    free(copy);
    return ok;
}
