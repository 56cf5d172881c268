#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

enum { LINKS = 40, PATH_LIMIT = 8192 /* more than lstat(2) takes */ };

static bool trusted_user(uid_t uid)
{
    struct stat st;
    if (uid == 0 || uid == geteuid())
        return true;
    return stat("/proc/self/exe", &st) == 0 && st.st_uid == uid;
}

static bool loose(struct err *e, const char *given, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static bool loose(struct err *e, const char *given, const char *fmt, ...)
{
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    err_set(e, RC_PERM, "LOOSE", "%s", text);
    return err_at(e, "%s", given);
}

/* One file or folder on the way. last: the thing itself; a folder above may be sticky: nobody can replace what others own in it. */
static bool part_trusted(const char *at, const struct stat *st, bool last, const char *given, struct err *e)
{
    if (!trusted_user(st->st_uid))
        return loose(e, given, "%s belongs to user %u, who could change it; run: chown root %s", at, (unsigned)st->st_uid, at);
    if (S_ISLNK(st->st_mode) || !(st->st_mode & (S_IWGRP | S_IWOTH)))
        return true;
    if (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) && !last)
        return true;
    return loose(e, given, "%s (mode %04o) can be written by others; run: chmod %s %s", at, (unsigned)(st->st_mode & 07777),
                 st->st_mode & S_IWOTH ? "go-w" : "g-w", at);
}

/* Takes the next component off *rest; NULL at the end. */
static char *next_part(char **rest)
{
    char *p = *rest + strspn(*rest, "/");
    if (!*p)
        return NULL;
    size_t n = strcspn(p, "/");
    *rest = p + n;
    if (p[n]) {
        p[n] = '\0';
        (*rest)++;
    }
    return p;
}

static void drop_last(struct str *at)
{
    while (at->n && at->p[at->n - 1] != '/')
        at->n--;
    if (at->n)
        at->n--;
    if (at->p)
        at->p[at->n] = '\0';
}

/* The target of the link at `at`, put before what is still to be walked; relative ones from the link's folder. */
static bool splice_link(struct str *at, char **todo, char **rest, const char *given, struct err *e)
{
    char target[4096];
    ssize_t n = readlink(at->p, target, sizeof(target) - 1);
    if (n <= 0)
        return err_set(e, RC_CONF, "NO_FILE", "cannot read the symbolic link %s", at->p) || err_at(e, "%s", given);
    target[n] = '\0';
    char *joined = mem_fmt("%s/%s", target, *rest);
    free(*todo);
    *todo = *rest = joined;
    if (target[0] == '/')
        str_free(at);
    else
        drop_last(at);
    return true;
}

/* at: the real path walked so far, without links; todo owns what rest points into. */
static bool walk(struct str *at, char **todo, const char *given, struct err *e)
{
    char *rest = *todo, *part;
    unsigned links = 0;
    struct stat st;
    if (lstat("/", &st) == 0 && !part_trusted("/", &st, false, given, e))
        return false;
    while ((part = next_part(&rest))) {
        if (strcmp(part, ".") == 0)
            continue;
        if (strcmp(part, "..") == 0) {
            drop_last(at);
            continue;
        }
        str_fmt(at, "/%s", part);
        if (lstat(at->p, &st) != 0) {
            err_set(e, errno == EACCES ? RC_PERM : RC_CONF, "NO_FILE", "cannot find %s: %s", at->p, strerror(errno));
            return err_at(e, "%s", given);
        }
        if (!part_trusted(at->p, &st, !rest[strspn(rest, "/")], given, e))
            return false;
        if (!S_ISLNK(st.st_mode))
            continue;
        if (++links > LINKS)
            return err_set(e, RC_CONF, "NO_FILE", "%s: symbolic links in a circle", given) || err_at(e, "%s", given);
        if (!splice_link(at, todo, &rest, given, e))
            return false;
    }
    return true;
}

bool fs_trusted(const char *path, struct err *e)
{
    char *todo;
    if (path[0] == '/') {
        todo = mem_str(path);
    } else {
        char *here = getcwd(NULL, 0);
        todo = mem_fmt("%s/%s", here ? here : "", path);
        free(here);
    }
    struct str at = STR_INIT(PATH_LIMIT);
    bool ok = walk(&at, &todo, path, e);
    str_free(&at);
    free(todo);
    return ok;
}
