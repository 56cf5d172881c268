/* paths.c: files, secrets and commands: absolute, and safe from others' hands. The getters (sink NULL) look at no file. */
#include "conf/types.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/secret.h"

/* Thousands of certificates name the same few hooks: the last verdict for a path is kept while one configuration is loaded. */
enum { TRUST_SLOTS = 64 };
struct trust {
    struct verdict {
        char *path;
        struct err e;
    } slot[TRUST_SLOTS];
};

struct trust *trust_new(void)
{
    return mem_new(sizeof(struct trust));
}

void trust_free(struct trust *t)
{
    for (size_t i = 0; i < TRUST_SLOTS; i++)
        free(t->slot[i].path);
    free(t);
}

void split_blanks(struct strs *l, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, " ");

        if (n)
            strs_add_n(l, text, n);
        text += n + (text[n] == ' ');
    }
}

bool parse_file(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    char shown[72];

    (void)k;
    if (text[0] != '/') {
        sink_fault(sink, RC_CONF, "%s is no absolute path; begin it with /", quoted(shown, sizeof(shown), text));
        return false;
    }
    *(char **)out = mem_str(text);
    return true;
}

/* A value that is no path may be the secret itself: it is never shown. */
bool parse_secret(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    struct err e = {0};

    (void)k;
    if (text[0] != '/' && (strncmp(text, "credential:", 11) != 0 || strchr(text, '/') || !text[11])) {
        sink_fault(sink, RC_CONF,
                   "the secret itself does not belong here; put it into a file that only the agent can read and write its "
                   "absolute path, or credential:NAME");
        return false;
    }
    if (sink && !secret_check(text, &e)) {
        sink_fault(sink, e.rc == RC_PERM ? RC_PERM : RC_CONF, "%s", e.text);
        return false;
    }
    *(char **)out = mem_str(text);
    return true;
}

static void judge_command(const char *path, struct err *e)
{
    struct stat st;

    if (path[0] != '/') {
        err_set(e, RC_CONF, "COMMAND", "the program is no absolute path; begin it with / (no shell, no search path)");
    } else if (stat(path, &st) != 0) {
        err_set(e, RC_CONF, "COMMAND", "%.200s: %s; install it or correct the path", path, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        err_set(e, RC_CONF, "COMMAND", "%.200s is no plain file; name a program", path);
    } else if (!(st.st_mode & 0111) || access(path, X_OK) != 0) {
        err_set(e, RC_CONF, "COMMAND", "%.200s cannot be executed; chmod +x it", path);
    } else if (!fs_trusted(path, e) && e->rc != RC_PERM) {
        e->rc = RC_CONF;
    }
}

static const struct err *command_verdict(struct trust *t, const char *path)
{
    uint32_t h = 2166136261u;
    struct verdict *v;

    for (const char *p = path; *p; p++)
        h = (h ^ (uint8_t)*p) * 16777619u;
    v = &t->slot[h % TRUST_SLOTS];
    if (!v->path || strcmp(v->path, path) != 0) {
        free(v->path);
        *v = (struct verdict){.path = mem_str(path)};
        judge_command(path, &v->e);
    }
    return &v->e;
}

bool parse_command(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    struct strs *words = out;
    const struct err *e;

    (void)k;
    split_blanks(words, text);
    if (!sink)
        return true;
    e = command_verdict(sink->l->trust, words->s[0]);
    if (e->rc != RC_OK)
        sink_fault(sink, e->rc, "%s", e->text);
    return e->rc == RC_OK;
}
