#include "cert/install.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
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
#include "cert/jws.h"
#include "cert/place.h"

enum { FILE_MAX = 4 << 20 };
#define KEY_FILE "privkey.pem"

struct job {
    const struct install_set *set;
    char *folder; /* archive/NAME */
    gid_t group;
    bool grouped;
};

static bool find_group(struct job *j, struct err *e)
{
    struct group g, *found = NULL;
    char buf[16384];
    if (!j->set->key_group)
        return true;
    int number = getgrnam_r(j->set->key_group, &g, buf, sizeof buf, &found);
    if (!found)
        return err_set(e, RC_CONF, "KEY_GROUP", "key_group: there is no group \"%.64s\"%s%s; nothing was installed", j->set->key_group,
                       number ? ": " : "", number ? strerror(number) : "");
    j->group = g.gr_gid;
    j->grouped = true;
    return true;
}

static bool io_fault(struct err *e, int number, const char *what, const char *path)
{
    err_set(e, RC_CREATE, "INSTALL", "cannot %s %s: %s; what is live stays as it is", what, path, strerror(number));
    return err_at(e, "%s", path);
}

/* --- one set of files --- */

/* The group first, its right after: at no moment may a wrong group read. */
static bool give_to_group(const struct job *j, const char *path, struct err *e)
{
    if (!j->grouped)
        return true;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return io_fault(e, errno, "open", path);
    bool ok = fchown(fd, (uid_t)-1, j->group) == 0;
    if (!ok)
        err_set(e, RC_CREATE, "INSTALL", "cannot give %s to the group %s: %s; the agent's user must be a member of it (usermod -aG)", path,
                j->set->key_group, strerror(errno));
    else if (fchmod(fd, 0640) != 0 || fsync(fd) != 0)
        ok = io_fault(e, errno, "set the mode of", path);
    close(fd);
    return ok;
}

struct file {
    const char *name;
    struct bytes content;
    mode_t mode;
};
enum { FILES = 8, COMPARED = 4 };

static struct bytes text(const char *s)
{
    return s ? (struct bytes){(const uint8_t *)s, strlen(s)} : (struct bytes){0};
}

/* The first four make the identity of a set; evidence grows and a PFX differs each time it is made. */
static void files_of(const struct install_set *s, struct file f[FILES])
{
    struct bytes key = s->key_pem ? (struct bytes){s->key_pem->p, s->key_pem->n} : (struct bytes){0};
    f[0] = (struct file){KEY_FILE, key, 0600};
    f[1] = (struct file){"cert.pem", text(s->cert_pem), 0644};
    f[2] = (struct file){"chain.pem", text(s->chain_pem), 0644};
    f[3] = (struct file){"fullchain.pem", text(s->fullchain_pem), 0644};
    f[4] = (struct file){"evidence.json", text(s->evidence_json), 0600};
    f[5] = (struct file){"bundle.pfx", s->pfx.n ? s->pfx : (struct bytes){0}, 0600};
    f[6] = (struct file){"cert.cer", s->cer.n ? s->cer : (struct bytes){0}, 0644};
    f[7] = (struct file){"fullchain.p7b", s->p7b.n ? s->p7b : (struct bytes){0}, 0644};
}

static bool wanted(const struct file *f)
{
    return f->content.p != NULL;
}

static bool write_file(const struct job *j, const struct file *f, const char *path, struct err *e)
{
    return fs_draft(path, f->content.p, f->content.n, f->mode, e) && (strcmp(f->name, KEY_FILE) != 0 || give_to_group(j, path, e));
}

/* All are written before the first is waited for (but a key that is given to a group): their way to the disk is one. */
static bool write_files(const struct job *j, const char *folder, struct err *e)
{
    struct file f[FILES];
    char *path[FILES];
    bool ok = true;
    files_of(j->set, f);
    for (size_t i = 0; i < FILES; i++) {
        path[i] = mem_fmt("%s/%s", folder, f[i].name);
        ok = ok && (!wanted(&f[i]) || write_file(j, &f[i], path[i], e));
    }
    for (size_t i = 0; i < FILES; i++) {
        ok = ok && (!wanted(&f[i]) || fs_flush(path[i], e));
        free(path[i]);
    }
    return ok && fs_sync_folder(folder, e);
}

/* Content equal, or both not there. */
static bool same_file(const char *folder, const struct file *f)
{
    char *path = mem_fmt("%s/%s", folder, f->name), *p = NULL;
    size_t n = 0;
    struct err fault = {0};
    bool same;
    if (fs_read(path, FILE_MAX, &p, &n, &fault)) {
        same = wanted(f) && n == f->content.n && !memcmp(p, f->content.p, n);
        explicit_bzero(p, n);
    } else {
        same = !wanted(f) && fault.code && !strcmp(fault.code, "NO_FILE");
    }
    free(p);
    free(path);
    return same;
}

static bool same_set(const struct job *j, const char *folder)
{
    struct file f[FILES];
    files_of(j->set, f);
    for (size_t i = 0; i < COMPARED; i++)
        if (!same_file(folder, &f[i]))
            return false;
    return true;
}

/* A set that is there already: what may differ is brought up to date. */
static bool renew_rest(const struct job *j, const char *folder, struct err *e)
{
    struct file f[FILES];
    files_of(j->set, f);
    bool ok = true;
    for (size_t i = COMPARED; ok && i < FILES; i++) {
        if (!wanted(&f[i]) || same_file(folder, &f[i]))
            continue;
        char *path = mem_fmt("%s/%s", folder, f[i].name);
        ok = fs_replace(path, f[i].content.p, f[i].content.n, f[i].mode, e);
        free(path);
    }
    if (ok && wanted(&f[0])) {
        char *path = mem_fmt("%s/%s", folder, f[0].name);
        ok = give_to_group(j, path, e);
        free(path);
    }
    return ok;
}

/* --- the archive of one certificate --- */

static void remove_folder(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *entry;
    while (d && (entry = readdir(d)))
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            unlinkat(dirfd(d), entry->d_name, 0);
    if (d)
        closedir(d);
    rmdir(path);
}

/* The highest N there; clean: what earlier tries left behind (.N) goes. */
static bool look_over(const char *folder, bool clean, int64_t *highest, struct err *e)
{
    DIR *d = opendir(folder);
    struct dirent *entry;
    if (!d)
        return io_fault(e, errno, "read the folder", folder);
    *highest = 0;
    while ((entry = readdir(d))) {
        int64_t n;
        if (place_number(entry->d_name, &n)) {
            *highest = n > *highest ? n : *highest;
        } else if (clean && entry->d_name[0] == '.' && place_number(entry->d_name + 1, &n)) {
            char *path = mem_fmt("%s/%s", folder, entry->d_name);
            remove_folder(path);
            free(path);
        }
    }
    closedir(d);
    return true;
}

int64_t install_next(const char *state_dir, const char *name)
{
    int64_t highest = 0;
    if (!place_name(name, NULL))
        return 1;
    char *folder = mem_fmt("%s/archive/%s", state_dir, name);
    look_over(folder, false, &highest, NULL);
    free(folder);
    return highest + 1;
}

static bool exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static bool write_set(const struct job *j, int64_t n, struct err *e)
{
    char *draft = mem_fmt("%s/.%" PRId64, j->folder, n), *final = mem_fmt("%s/%" PRId64, j->folder, n);
    bool ok = fs_folder(draft, 0755, e) && write_files(j, draft, e);
    if (ok) {
        int number = fault_errno("archive");
        if (!number && rename(draft, final) != 0)
            number = errno;
        ok = !number || io_fault(e, number, "create", final);
    }
    if (!ok)
        remove_folder(draft);
    ok = ok && fs_sync_folder(j->folder, e);
    free(draft);
    free(final);
    return ok;
}

/* The set under N, or the highest where N is not known: is it this one already? */
static bool reuse(const struct job *j, int64_t n, bool *reused, struct err *e)
{
    char *folder = mem_fmt("%s/%" PRId64, j->folder, n);
    *reused = n > 0 && exists(folder) && same_set(j, folder);
    bool ok = !*reused || renew_rest(j, folder, e);
    free(folder);
    return ok;
}

static bool place_set(const struct job *j, int64_t *n, struct err *e)
{
    int64_t highest;
    bool reused = false;
    if (!look_over(j->folder, true, &highest, e))
        return false;
    int64_t n_known = *n ? *n : highest;
    if (!reuse(j, n_known, &reused, e))
        return false;
    if (reused) {
        *n = n_known;
        return fs_sync_folder(j->folder, e);
    }
    char *folder = mem_fmt("%s/%" PRId64, j->folder, *n);
    int64_t chosen = *n && !exists(folder) ? *n : highest + 1;
    free(folder);
    if (!write_set(j, chosen, e))
        return false;
    *n = chosen;
    return true;
}

bool install_archive(const struct install_set *set, int64_t *n, struct err *e)
{
    struct job j = {.set = set};
    if (!place_name(set->name, e) || !find_group(&j, e))
        return false;
    if (*n < 0 || *n > PLACE_NUMBER_MAX)
        return err_set(e, RC_BUG, "INSTALL", "%" PRId64 " is no archive number", *n);
    j.folder = place_archive(set->state_dir, set->name, e);
    bool ok = j.folder && place_set(&j, n, e);
    if (ok)
        durable("archive");
    free(j.folder);
    return ok;
}

bool install_key(const char *state_dir, const char *name, int64_t n, const struct secret *key_pem, const char *key_group, struct err *e)
{
    struct install_set set = {.state_dir = state_dir, .name = name, .key_pem = key_pem, .key_group = key_group};
    struct job j = {.set = &set};
    if (!place_name(name, e) || !find_group(&j, e))
        return false;
    char *path = mem_fmt("%s/archive/%s/%" PRId64 "/privkey.pem", state_dir, name, n);
    bool ok = fs_create(path, key_pem->p, key_pem->n, 0600, e) && give_to_group(&j, path, e);
    free(path);
    return ok;
}

bool install_evidence(const char *state_dir, const char *name, int64_t n, const char *json, struct err *e)
{
    if (!place_name(name, e))
        return false;
    char *path = mem_fmt("%s/archive/%s/%" PRId64 "/evidence.json", state_dir, name, n);
    bool ok = fs_replace(path, json, strlen(json), 0600, e);
    free(path);
    return ok;
}

bool install_reject(const char *state_dir, const char *name, const void *p, size_t n, char *path, size_t size, struct err *e)
{
    uint8_t digest[SHA256_SIZE];
    char hex[17];
    if (!place_name(name, e))
        return false;
    char *folder = place_archive(state_dir, name, e);
    if (!folder)
        return false;
    sha256(p, n, digest);
    hex_show(hex, sizeof hex, digest, sizeof hex / 2); /* the same file refused again and again is kept once */
    snprintf(path, size, "%s/rejected-%s.pem", folder, hex);
    free(folder);
    struct err fault = {0};
    if (fs_create(path, p, n, 0600, &fault) || (fault.code && strcmp(fault.code, "EXISTS") == 0))
        return true;
    err_set(e, fault.rc, fault.code, "%s", fault.text);
    return err_at(e, "%s", fault.where);
}
