/* acmesh.c: the dnsapi scripts of acme.sh, one change a run. acme.sh itself has to be there (acme_home=); it is called, never copied.
 *
 * The driver loads acme.sh and one script into a shell, and takes from acme.sh what would write settings to disk: they come from the environment
 * alone. What scripts keep in files for a moment (headers of answers) lies in a private folder in memory that goes with the section, or with the
 * next run where this one was killed. */
#include "providers/exec/adapter.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

#define FOLDER "dcvagent-acmesh-"

/* "$@" is emptied before acme.sh is loaded: its last line acts on it. */
static const char driver[] = "op=$1 hook=$2 fqdn=$3 value=$4\n"
                             "set --\n"
                             "umask 077\n"
                             "export LE_WORKING_DIR=\"$HOME\" LE_CONFIG_HOME=\"$HOME\" HTTP_HEADER=\"$HOME/header\"\n"
                             ". \"$ACMESH_HOME/acme.sh\" >/dev/null\n"
                             "_save_conf() { :; }\n"
                             "_clear_conf() { :; }\n"
                             "_read_conf() { :; }\n"
                             "ACCOUNT_CONF_PATH=/dev/null DOMAIN_CONF=/dev/null USER_AGENT=dcvagent\n"
                             ". \"$ACMESH_HOME/dnsapi/$hook.sh\"\n"
                             "\"${hook}_$op\" \"$fqdn\" \"$value\"\n";

/* Scripts whose _rm takes the whole set, or the first record of it, whatever value it is given (acme.sh 3.1.4). */
static const char *const whole_sets =
    " dns_clouddns dns_dnsimple dns_doapi dns_exoscale dns_knot dns_linode_v4 dns_nsone dns_nsupdate dns_ultra ";

static bool check_script(const char *value, char why[160])
{
    bool good = strncmp(value, "dns_", 4) == 0 && strlen(value) <= 64 && value[4] &&
                strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(value);
    if (!good)
        snprintf(why, 160, "a script is named dns_..., as its file in dnsapi/ without .sh");
    return good;
}

static const struct conf_key keys[] = {
    {.name = "script",
     .type = CONF_TEXT,
     .required = true,
     .allowed = "dns_cf",
     .check = check_script,
     .help = "The script of acme.sh's dnsapi/ folder; the settings that its first lines name belong into env_file."},
    {.name = "acme_home",
     .type = CONF_FILE,
     .required = true,
     .allowed = "/usr/local/lib/acme.sh",
     .help = "The folder with acme.sh and dnsapi/."},
    ADAPTER_SERVER(true, "A name server of the zone where what was done can be read: address[:port] or a name; best the primary."),
    ADAPTER_KEYS,
    {0}};

static void examine_file(const struct section *s, const char *key, const char *name, struct conf_sink *to)
{
    struct err e = {0};
    char *path = mem_fmt("%s/%s", section_text(s, "acme_home"), name);
    if (!fs_trusted(path, &e))
        conf_sink_fault(to, key, e.rc == RC_PERM ? RC_PERM : RC_CONF, "%s", e.text);
    free(path);
}

static void examine(const struct section *s, struct conf_sink *to)
{
    const char *script = section_text(s, "script"), *home = section_text(s, "acme_home");
    char why[160];
    adapter_examine(s, to);
    if (!home || home[0] != '/')
        return;
    examine_file(s, "acme_home", "acme.sh", to);
    if (script && check_script(script, why)) {
        char *name = mem_fmt("dnsapi/%s.sh", script);
        examine_file(s, "script", name, to);
        free(name);
    }
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    remove(path);
    return 0;
}

/* A folder is locked as long as whoever made it lives. The descriptor; -1: it is no folder of this user's, or locked. */
static int lock_folder(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Runs that were killed could not take theirs along, and there are tokens in it. */
static void drop_stale(const char *place)
{
    DIR *d = opendir(place);
    for (struct dirent *one; d && (one = readdir(d));) {
        if (strncmp(one->d_name, FOLDER, strlen(FOLDER)) != 0 || strlen(one->d_name) != strlen(FOLDER) + 6)
            continue;
        char *path = mem_fmt("%s/%s", place, one->d_name);
        int fd = lock_folder(path);
        if (fd >= 0) {
            nftw(path, drop, 8, FTW_DEPTH | FTW_PHYS);
            close(fd);
        }
        free(path);
    }
    if (d)
        closedir(d);
}

/* In memory where there is such a place: tokens pass through it. */
static bool make_folder(struct provider *p, struct err *e)
{
    static const char *const places[] = {"/dev/shm", "/tmp"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        drop_stale(places[i]);
        char *path = mem_fmt("%s/" FOLDER "XXXXXX", places[i]);
        bool made = mkdtemp(path);
        if (made && (p->folder_lock = lock_folder(path)) >= 0) {
            p->folder = path;
            return true;
        }
        if (made)
            rmdir(path);
        free(path);
    }
    return err_set(e, RC_CREATE, "PROGRAM_FOLDER", "no folder can be made in /dev/shm nor in /tmp for what scripts keep for a moment");
}

static void close_provider(struct provider *p)
{
    if (p && p->folder) {
        nftw(p->folder, drop, 8, FTW_DEPTH | FTW_PHYS);
        close(p->folder_lock);
    }
    adapter_close(p);
}

static void add_env(struct strs *env, const char *name_is, const char *value)
{
    char *line = mem_fmt("%s%s", name_is, value);
    strs_add(env, line);
    free(line);
}

static bool open_provider(struct provider **out, const struct section *s, struct net *n, struct err *e)
{
    struct provider *p;
    const char *script = section_text(s, "script");
    if (!adapter_open(&p, s, n, e))
        return false;
    if (!make_folder(p, e)) {
        close_provider(p);
        return false;
    }
    add_env(&p->env, "HOME=", p->folder);
    add_env(&p->env, "ACMESH_HOME=", section_text(s, "acme_home"));
    strs_add(&p->program, "/bin/sh");
    strs_add(&p->program, "-c");
    strs_add(&p->program, driver);
    strs_add(&p->program, script); /* $0: the name in messages of the shell */
    char *word = mem_fmt(" %s ", script);
    p->grade = strstr(whole_sets, word) ? 'D' : 'C';
    free(word);
    *out = p;
    return true;
}

/* Scripts paste the value into JSON, URLs and commands: what could mean something there is not handed to them. */
static bool value_plain(struct bytes v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < ' ' || v.p[i] > '~' || strchr("\"'\\$`", v.p[i]))
            return false;
    return v.n > 0;
}

static bool args(const struct provider *p, const struct change *c, struct strs *out, struct err *e)
{
    const struct bytes v = c->rec->value;
    if (c->rec->type != TYPE_TXT || !value_plain(v)) {
        err_at(e, "%s", c->rec->owner);
        return err_set(e, RC_WRITE, "PROGRAM_VALUE",
                       "[provider %s]: scripts of acme.sh take TXT values of printable ASCII without quotes, backslashes, $ and ` alone",
                       p->section->name);
    }
    strs_add(out, c->add ? "add" : "rm");
    strs_add(out, section_text(p->section, "script"));
    strs_add(out, c->rec->owner);
    strs_add_n(out, (const char *)v.p, v.n);
    return true;
}

static void apply(struct provider *p, struct batch *b)
{
    each_apply(p, b, args);
}

extern const struct provider_ops provider_acmesh;
const struct provider_ops provider_acmesh = {
    .type = "acmesh",
    .summary = "A dnsapi script of an acme.sh that is installed: some 180 services",
    .rights = "As the script's page says; settings go into env_file, one NAME=value a line.",
    .limits =
        "One change a run, one run at a time. Scripts whose delete takes the whole set or the first record of it have grade D, the others "
        "grade C. Most scripts hand their token to curl on its command line, where other users of this machine can see it for a moment.",
    .links = "https://github.com/acmesh-official/acme.sh/wiki/dnsapi https://github.com/acmesh-official/acme.sh/wiki/dnsapi2",
    .tried = "A stand-in for acme.sh with a script for nsupdate beside named of Debian 12.",
    .caps = CAN_READ | CAN_BATCH,
    .grade = 'C',
    .graded = adapter_grade,
    .keys = keys,
    .examine = examine,
    .takes = value_plain,
    .open = open_provider,
    .read = adapter_read,
    .apply = apply,
    .cost = each_cost,
    .close = close_provider,
};
