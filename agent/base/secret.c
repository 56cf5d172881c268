#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/secret.h"

#define CREDENTIAL "credential:"

static bool fault(struct err *e, enum rc rc, const char *code, const char *path, const char *why)
{
    err_set(e, rc, code, "secret file %s: %s", path, why);
    return err_at(e, "%s", path);
}

/* The file of credential:NAME; NULL and e set where there is none. Caller frees. */
static char *credential_path(const char *path, struct err *e)
{
    const char *name = path + strlen(CREDENTIAL), *folder = getenv("CREDENTIALS_DIRECTORY");
    if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        err_set(e, RC_CONF, "SECRET", "\"%s\": a plain name must follow " CREDENTIAL, path);
        return NULL;
    }
    if (!folder || folder[0] != '/') {
        err_set(e, RC_CONF, "SECRET",
                "%s: systemd handed over no credentials; start the agent by its unit, with LoadCredential=%s:FILE in it", path, name);
        return NULL;
    }
    return mem_fmt("%s/%s", folder, name);
}

static bool mode_good(const char *path, const struct stat *st, struct err *e)
{
    bool ours = st->st_uid == 0 && st->st_gid == getegid();
    mode_t allowed = ours ? 0740 : 0700;
    if (!(st->st_mode & 0077 & ~allowed))
        return true;
    err_set(e, RC_PERM, "SECRET_MODE", "secret file %s has mode %04o and may be %s; run: chmod %s %s", path,
            (unsigned)(st->st_mode & 07777), st->st_mode & 0007 ? "used by everybody" : "used by its group",
            ours ? "u=rw,g=r,o=" : "u=rw,go=", path);
    return err_at(e, "%s", path);
}

/* The open file, checked by its descriptor so that nothing can be swapped in between; -1 and e set. */
static int open_secret(const char *path, struct err *e)
{
    bool credential = strncmp(path, CREDENTIAL, strlen(CREDENTIAL)) == 0;
    char *file = credential ? credential_path(path, e) : mem_str(path);
    if (!file)
        return -1;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    int number = errno;
    char why[FS_WHY];
    free(file);
    struct stat st;
    bool ok = false;
    if (fd < 0 && number == ELOOP)
        fault(e, RC_PERM, "SECRET", path, "it is a symbolic link; name the file itself");
    else if (fd < 0 && (number == EMFILE || number == ENFILE))
        fault(e, RC_RESOURCE, "SECRET", path, strerror(number));
    else if (fd < 0)
        fault(e, number == EACCES || number == EPERM ? RC_PERM : RC_CONF, "SECRET", path, fs_why(number, why));
    else if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        fault(e, RC_PERM, "SECRET", path, "it is not a plain file");
    else
        ok = credential || mode_good(path, &st, e);
    if (!ok && fd >= 0)
        close(fd);
    return ok ? fd : -1;
}

bool secret_check(const char *path, struct err *e)
{
    if (strncmp(path, CREDENTIAL, strlen(CREDENTIAL)) == 0)
        return true;
    int fd = open_secret(path, e);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Up to `size` octets into p; -1 on a fault. */
static ssize_t read_up_to(int fd, uint8_t *p, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t got = read(fd, p + used, size - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (!got)
            break;
        used += (size_t)got;
    }
    return (ssize_t)used;
}

bool secret_read(struct secret *s, const char *path, size_t max, struct err *e)
{
    int fd = open_secret(path, e);
    if (fd < 0)
        return false;
    size_t room = max + 3; /* a line end, and one octet to see that there is more */
    uint8_t *p = mem_new(room);
    ssize_t got = read_up_to(fd, p, room);
    int number = errno;
    close(fd);
    size_t n = got > 0 ? (size_t)got : 0;
    if (n && p[n - 1] == '\n')
        n -= n > 1 && p[n - 2] == '\r' ? 2 : 1;
    bool ok = false;
    if (got < 0)
        fault(e, RC_STATE, "SECRET", path, strerror(number));
    else if (!n)
        fault(e, RC_CONF, "SECRET", path, "it is empty");
    else if (n > max)
        fault(e, RC_CONF, "SECRET", path, "it is too long for what it is used for");
    else
        ok = true;
    if (ok)
        secret_set(s, p, n);
    explicit_bzero(p, room);
    free(p);
    return ok;
}

void secret_set(struct secret *s, const void *p, size_t n)
{
    uint8_t *copy = mem_copy(p, n); /* first: p may lie in s */
    secret_free(s);
    s->p = copy;
    s->n = n;
}

void secret_free(struct secret *s)
{
    if (s->p)
        explicit_bzero(s->p, s->n);
    free(s->p);
    *s = (struct secret){0};
}

void secret_process(void)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
#ifndef __SANITIZE_ADDRESS__ /* the leak check traces its own process, which the kernel would forbid */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}
