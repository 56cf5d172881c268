#include "dcv/webfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"

enum { FOLDERS = 2, CONTENT_MAX = 4096 };
static const char *const folder_names[FOLDERS] = {".well-known", "pki-validation"};
static const char file_name[] = "fileauth.txt", draft_name[] = ".dcvagent-fileauth.txt";

struct folders {
    const char *webroot;
    int fd[FOLDERS + 1]; /* the web root, then its folders; -1: not there */
};

static bool failed(struct err *e, const char *what, const char *webroot)
{
    int number = errno;
    bool rights = number == EACCES || number == EPERM;
    err_set(e,
            rights                                 ? RC_PERM
            : number == EMFILE || number == ENFILE ? RC_RESOURCE
                                                   : RC_CREATE,
            "WEBSITE_FILE", "cannot %s %s" WEBFILE_URL_PATH ": %s%s", what, webroot, strerror(number),
            rights              ? "; give the agent's user the right to write there (setfacl -m u:USER:rwx)"
            : number == ELOOP   ? "; a symbolic link is not followed there"
            : number == ENOTDIR ? "; one of its folders is no folder (symbolic links are not followed there)"
                                : "");
    return err_at(e, "%s", webroot);
}

static void leave(struct folders *p)
{
    for (unsigned i = 0; i <= FOLDERS; i++)
        if (p->fd[i] >= 0)
            close(p->fd[i]);
}

/* The folders that are there; with make all of them are afterwards. */
static bool enter(struct folders *p, const char *webroot, bool make, struct err *e)
{
    *p = (struct folders){.webroot = webroot, .fd = {-1, -1, -1}};
    p->fd[0] = open(webroot, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->fd[0] < 0) {
        err_set(e, errno == EACCES ? RC_PERM : RC_CONF, "WEBSITE_ROOT", "webroot = %s cannot be entered: %s", webroot, strerror(errno));
        return err_at(e, "%s", webroot);
    }
    for (unsigned i = 0; i < FOLDERS; i++) {
        if (make && mkdirat(p->fd[i], folder_names[i], 0755) == 0) {
            if (fchmodat(p->fd[i], folder_names[i], 0755, 0) != 0 || fsync(p->fd[i]) != 0)
                return failed(e, "make the folders of", webroot);
        } else if (make && errno != EEXIST) {
            return failed(e, "make the folders of", webroot);
        }
        p->fd[i + 1] = openat(p->fd[i], folder_names[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (p->fd[i + 1] < 0)
            return (!make && errno == ENOENT) || failed(e, "reach", webroot);
    }
    return true;
}

bool webfile_possible(const char *webroot, struct err *e)
{
    struct folders p;
    bool ok = enter(&p, webroot, false, e);
    unsigned in = FOLDERS;
    while (ok && in && p.fd[in] < 0)
        in--;
    ok = ok && (faccessat(p.fd[in], ".", W_OK | X_OK, AT_EACCESS) == 0 || failed(e, "write", webroot));
    leave(&p);
    return ok;
}

static bool same(const char *text, size_t n, const char *content)
{
    while (n && strchr(" \t\r\n", text[n - 1]) && text[n - 1])
        n--;
    return content && strlen(content) == n && memcmp(text, content, n) == 0;
}

static bool look(const struct folders *p, const char *content, enum webfile_is *is, struct err *e)
{
    char text[CONTENT_MAX];
    struct stat st;
    *is = WEBFILE_ABSENT;
    if (p->fd[FOLDERS] < 0)
        return true;
    int fd = openat(p->fd[FOLDERS], file_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return true;
    *is = WEBFILE_OTHER;
    if (fd < 0)
        return errno == ELOOP || errno == EACCES || failed(e, "read", p->webroot);
    ssize_t n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read(fd, text, sizeof text) : 0;
    close(fd);
    if (n > 0 && n < CONTENT_MAX && same(text, (size_t)n, content))
        *is = WEBFILE_SAME;
    return true;
}

bool webfile_look(const char *webroot, const char *content, enum webfile_is *is, unsigned *folders, struct err *e)
{
    struct folders p;
    bool ok = enter(&p, webroot, false, e) && look(&p, content, is, e);
    *folders = 0;
    for (unsigned i = 1; i <= FOLDERS; i++)
        *folders += p.fd[i] < 0;
    leave(&p);
    return ok;
}

/* Written beside, then linked: a visitor sees all of it or nothing. */
static bool write_draft(int folder, const char *content)
{
    size_t n = strlen(content);
    unlinkat(folder, draft_name, 0); /* of a run that was killed */
    int fd = openat(folder, draft_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    ssize_t done = write(fd, content, n);
    bool ok = done == (ssize_t)n && fchmod(fd, 0644) == 0 && fsync(fd) == 0;
    int number = done >= 0 && done < (ssize_t)n ? ENOSPC : errno;
    close(fd);
    errno = number;
    return ok;
}

bool webfile_put(const char *webroot, const char *content, struct err *e)
{
    struct folders p;
    bool ok = enter(&p, webroot, true, e);
    int folder = p.fd[FOLDERS], number = fault_errno("website");
    if (ok && (number || !write_draft(folder, content))) {
        errno = number ? number : errno;
        ok = failed(e, "write", webroot);
    }
    if (ok && linkat(folder, draft_name, folder, file_name, 0) != 0) {
        if (errno == EEXIST)
            err_set(e, RC_CREATE, "WEBSITE_TAKEN",
                    "%s" WEBFILE_URL_PATH " stands there and is not ours; it is not overwritten: move it away", webroot);
        else
            failed(e, "write", webroot);
        ok = err_at(e, "%s", webroot);
    }
    if (folder >= 0)
        unlinkat(folder, draft_name, 0);
    ok = ok && (fsync(folder) == 0 || failed(e, "write", webroot));
    leave(&p);
    if (ok)
        durable("website");
    return ok;
}

bool webfile_remove(const char *webroot, const char *content, unsigned folders, enum webfile_is *was, struct err *e)
{
    struct folders p;
    struct stat st;
    *was = WEBFILE_ABSENT;
    if (stat(webroot, &st) != 0 && errno == ENOENT) /* the whole web root went */
        return true;
    bool ok = enter(&p, webroot, false, e) && look(&p, content, was, e);
    if (ok && p.fd[FOLDERS] >= 0) {
        unlinkat(p.fd[FOLDERS], draft_name, 0);
        ok = *was != WEBFILE_SAME || (unlinkat(p.fd[FOLDERS], file_name, 0) == 0 && fsync(p.fd[FOLDERS]) == 0) ||
             failed(e, "remove", webroot);
    }
    /* Somebody else may use them meanwhile: then they are not empty, and stay. */
    for (unsigned i = FOLDERS; ok && i > 0 && folders > 0; i--, folders--)
        if (p.fd[i - 1] >= 0 && unlinkat(p.fd[i - 1], folder_names[i - 1], AT_REMOVEDIR) != 0)
            break;
    leave(&p);
    if (ok && *was == WEBFILE_SAME)
        durable("website");
    return ok;
}
