/* schema.c: the tables, how older ones become them, and what is not taken for our database. */
#include "store/store_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

#define ERR_TABLE                                                                                                                          \
    "err_rc INTEGER NOT NULL, err_code TEXT NOT NULL, err_again INTEGER NOT NULL, err_not_before INTEGER NOT NULL, "                       \
    "err_where TEXT NOT NULL, err_text TEXT NOT NULL, "

/* migrations[N] makes version N + 1 of version N. A published one is never changed: add another. */
static const char *const migrations[] = {
    "CREATE TABLE ledger (id INTEGER PRIMARY KEY AUTOINCREMENT, order_id TEXT NOT NULL, cert TEXT NOT NULL, host TEXT NOT NULL, "
    "provider TEXT NOT NULL, zone TEXT NOT NULL, owner TEXT NOT NULL, type INTEGER NOT NULL, ttl INTEGER NOT NULL, value BLOB NOT NULL, "
    "state TEXT NOT NULL, wanted INTEGER NOT NULL, ref TEXT NOT NULL, written INTEGER NOT NULL, settled INTEGER NOT NULL, "
    "old_ttl INTEGER NOT NULL, negative_ttl INTEGER NOT NULL, again INTEGER NOT NULL, " ERR_TABLE
    "CHECK (state IN ('found', 'intended', 'present', 'leaving', 'gone'))) STRICT;"
    "CREATE INDEX ledger_open ON ledger (zone) WHERE state <> 'gone';"
    "CREATE INDEX ledger_order ON ledger (order_id);"

    "CREATE TABLE orders (id TEXT PRIMARY KEY, cert TEXT NOT NULL, ca TEXT NOT NULL, names TEXT NOT NULL, key_type TEXT NOT NULL, "
    "reference TEXT NOT NULL, handle TEXT NOT NULL, facts TEXT NOT NULL, state TEXT NOT NULL, waits TEXT NOT NULL, "
    "begun INTEGER NOT NULL, changed INTEGER NOT NULL, waiting_since INTEGER NOT NULL, deadline INTEGER NOT NULL, due INTEGER NOT NULL, "
    "subscription_end INTEGER NOT NULL, spki TEXT NOT NULL, sent INTEGER NOT NULL, failures INTEGER NOT NULL, forced INTEGER NOT NULL, "
    "open INTEGER NOT NULL, " ERR_TABLE "last_at INTEGER NOT NULL, csr BLOB NOT NULL, certificate BLOB NOT NULL) STRICT;"
    "CREATE INDEX orders_open ON orders (begun, id) WHERE open = 1;"
    "CREATE INDEX orders_cert ON orders (cert, begun, id);"

    "CREATE TABLE certs (name TEXT PRIMARY KEY, ca TEXT NOT NULL, names TEXT NOT NULL, key_type TEXT NOT NULL, reference TEXT NOT NULL, "
    "serial TEXT NOT NULL, fingerprint TEXT NOT NULL, not_before INTEGER NOT NULL, not_after INTEGER NOT NULL, "
    "subscription_end INTEGER NOT NULL, archive INTEGER NOT NULL, installed INTEGER NOT NULL, hook_due INTEGER NOT NULL, "
    "last_run INTEGER NOT NULL, next_at INTEGER NOT NULL, next_action TEXT NOT NULL, ari TEXT NOT NULL, " ERR_TABLE
    "last_at INTEGER NOT NULL, failures INTEGER NOT NULL, not_before_retry INTEGER NOT NULL) STRICT, WITHOUT ROWID;"

    "CREATE TABLE inbox (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, cert TEXT NOT NULL, kind TEXT NOT NULL, "
    "host TEXT NOT NULL, text BLOB NOT NULL, received INTEGER NOT NULL) STRICT;"

    "CREATE TABLE evidence (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, cert TEXT NOT NULL, order_id TEXT NOT NULL, "
    "kind TEXT NOT NULL, json TEXT NOT NULL) STRICT;"
    "CREATE INDEX evidence_cert ON evidence (cert, order_id);"

    "CREATE TABLE notices (key TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"

    "CREATE TABLE vals (module TEXT NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (module, key)) STRICT, WITHOUT ROWID;",
};
enum { SCHEMA = sizeof migrations / sizeof *migrations, CHECK_BELOW = 64 << 20, WHY_SIZE = 64 };

int store_folder_lock(struct store *s, struct err *e)
{
    int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = -1;

    if (fd >= 0)
        do
            rc = flock(fd, LOCK_EX);
        while (rc && errno == EINTR);
    if (!rc)
        return fd;
    err_set(e, errno == EMFILE || errno == ENFILE ? RC_RESOURCE : RC_STATE, "STORE", "cannot lock the folder %s: %s", s->dir,
            strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool migrate(struct store *s, int64_t from, struct err *e)
{
    char tail[96];

    for (int64_t v = from; v < SCHEMA; v++)
        if (!store_exec(s, migrations[v], e))
            return false;
    snprintf(tail, sizeof tail, "PRAGMA application_id = %d; PRAGMA user_version = %d;", SCHEMA_APPLICATION, SCHEMA);
    return store_exec(s, tail, e);
}

bool schema_memory(struct store *s, struct err *e)
{
    return migrate(s, 0, e);
}

static bool wal_mode(struct store *s, bool set, bool *wal, struct err *e)
{
    sqlite3_stmt *st = NULL;
    const char *sql = set ? "PRAGMA journal_mode = WAL" : "PRAGMA journal_mode";
    bool ok = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW;

    if (ok)
        *wal = !strcmp((const char *)sqlite3_column_text(st, 0), "wal");
    else
        store_fault(s, "read the store", e);
    sqlite3_finalize(st);
    return ok;
}

/* Two processes may start at once on an empty folder: the second finds the work done. */
static bool set_up(struct store *s, struct err *e)
{
    int lock = store_folder_lock(s, e);
    int64_t version = 0;
    bool wal = false, own = false;

    if (lock < 0)
        return false;
    bool ok = wal_mode(s, true, &wal, e);
    if (ok && !wal)
        ok = err_set(e, RC_STATE, "STORE",
                     "the file system of %s cannot share memory between processes, which the store needs (WAL); "
                     "use a local one for state_dir",
                     s->dir);
    ok = ok && write_begin(s, &own, e);
    if (ok)
        ok = write_end(s, own, store_number(s, "PRAGMA user_version", &version, e) && (version >= SCHEMA || migrate(s, version, e)), e);
    close(lock);
    return ok;
}

/* --- what is not ours or not sound ------------------------------------------------------------------------------------------------ */

static bool copy_aside(const char *from, const char *to, struct err *e)
{
    struct new_file f = {.fd = -1};
    struct stat st;
    int fd;

    if (!lstat(to, &st))
        return true; /* by an earlier run */
    fd = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool ok = fd >= 0 && !fstat(fd, &st);
    if (!ok)
        err_set(e, RC_STATE, "STORE", "%s: %s", from, strerror(errno));
    ok = ok && new_file_begin(&f, to, e) && new_file_copy(&f, fd, (uint64_t)st.st_size, e) && new_file_end(&f, e);
    new_file_drop(&f);
    if (fd >= 0)
        close(fd);
    return ok;
}

/* The damaged file stays where it is, so that nobody goes on with an empty memory. The copy is named by the time of its last change: cron
 * meets the same damage every hour, and one copy is enough. */
static bool damaged(struct store *s, const char *why, struct err *e)
{
    struct stat st = {0};
    struct tm tm = {0};
    struct err copying = {0};
    char when[32];
    bool kept = false;

    if (!s->writer)
        return err_set(e, RC_STATE, "STORE_DAMAGED", "the database %s is damaged (%s); the next run keeps a copy and says what to do",
                       s->path, why);
    stat(s->path, &st);
    gmtime_r(&st.st_mtime, &tm);
    strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &tm);
    char *copy = mem_fmt("%s.damaged-%s", s->path, when), *wal = mem_fmt("%s-wal", s->path), *wal_copy = mem_fmt("%s-wal", copy);
    kept = copy_aside(s->path, copy, &copying);
    if (kept && !stat(wal, &st) && st.st_size > 0)
        copy_aside(wal, wal_copy, NULL); /* it may hold what the file lacks */
    err_set(e, RC_STATE, "STORE_DAMAGED",
            "state.db is damaged (%s); %s%.60s; keys/ archive/ live/ are untouched. Put back state.db from a file made by "
            "`dcvagent state backup` (tar) and remove state.db-wal. Without one move them and keys/ away: the next run begins anew; open "
            "orders and their DNS records are then unknown to it",
            why, kept ? "copy: " : "NO COPY KEPT: ", kept ? strrchr(copy, '/') + 1 : copying.text);
    err_at(e, "%s", s->path);
    free(copy);
    free(wal);
    free(wal_copy);
    return false;
}

static bool keys_exist(const struct store *s)
{
    char *path = mem_fmt("%s/keys", s->dir);
    DIR *d = opendir(path);
    bool any = false;

    for (struct dirent *f; d && !any && (f = readdir(d));)
        any = f->d_name[0] != '.';
    if (d)
        closedir(d);
    free(path);
    return any;
}

bool schema_lost(struct store *s, struct err *e)
{
    return s->path && keys_exist(s) && !damaged(s, "it is empty or gone, but keys/ is not", e);
}

static int note_check(void *arg, int n, char **column, char **name)
{
    const char *line = n > 0 && column[0] ? strrchr(column[0], '\n') : NULL; /* a heading stands above */

    (void)name;
    if (n > 0 && column[0] && strcmp(column[0], "ok"))
        text_safe(arg, WHY_SIZE, line ? line + 1 : column[0], strlen(line ? line + 1 : column[0]));
    return 0;
}

/* *unsound: SQLite itself says that the file is no good. */
static bool identify(struct store *s, int64_t *version, bool *empty, bool *unsound, struct err *e)
{
    int64_t app = 0, tables = 0;
    struct err why = {0};

    if (!store_number(s, "SELECT count(*) FROM sqlite_master", &tables, &why) || !store_number(s, "PRAGMA application_id", &app, &why) ||
        !store_number(s, "PRAGMA user_version", version, &why)) {
        int rc = sqlite3_errcode(s->db) & 0xff;
        *unsound = rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB;
        if (e && !*unsound)
            *e = why;
        return false;
    }
    *empty = tables == 0 && *version == 0;
    if (app != SCHEMA_APPLICATION && !*empty)
        return err_set(e, RC_STATE, "STORE",
                       "%s is a database of another program (application id %lld); give dcvagent a state_dir of its own", s->path,
                       (long long)app);
    if (*version > SCHEMA)
        return err_set(e, RC_STATE, "STORE_NEWER",
                       "%s was written by a newer dcvagent: its schema is version %lld, this program knows up to %d; "
                       "install the newer program again, or restore a backup made before it",
                       s->path, (long long)*version, SCHEMA);
    return true;
}

static bool check(struct store *s, bool unclean, int64_t size, struct err *e)
{
    char why[WHY_SIZE] = "";

    if (!unclean && size >= CHECK_BELOW)
        return true;
    int rc = sqlite3_exec(s->db, "PRAGMA quick_check(1)", note_check, why, NULL) & 0xff;
    if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB)
        return damaged(s, sqlite3_errmsg(s->db), e);
    if (rc != SQLITE_OK)
        return store_fault(s, "check the store", e);
    return !why[0] || damaged(s, why, e);
}

bool schema_open(struct store *s, bool unclean, bool *empty, struct err *e)
{
    struct stat st = {0};
    int64_t version = 0;
    bool unsound = false, wal = false;

    /* A file that is not trusted yet is left exactly as it was found. */
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    stat(s->path, &st);
    if (!identify(s, &version, empty, &unsound, e))
        return unsound ? damaged(s, sqlite3_errmsg(s->db), e) : false;
    if (!s->writer)
        return *empty || version == SCHEMA ||
               err_set(e, RC_LATER, "STORE", "%s has the older schema version %lld; the next run brings it to %d", s->path,
                       (long long)version, SCHEMA);
    if (*empty && keys_exist(s))
        return damaged(s, "it is empty or gone, but keys/ is not", e);
    if (!*empty && !check(s, unclean, st.st_size, e))
        return false;
    if (!wal_mode(s, false, &wal, e) || ((version < SCHEMA || !wal) && !set_up(s, e)))
        return false;
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return true;
}
