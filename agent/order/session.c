#include "order/session.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "conf/describe.h"
#include "dcv/publish/publish.h"
#include "dcv/zone/zone.h"
#include "net/net.h"
#include "net/proxy.h"
#include "providers/provider.h"
#include "store/store.h"

const char *session_config_path(const char *config)
{
    const char *env = getenv("DCVAGENT_CONFIG");
    return config ? config : env && *env ? env : "/etc/dcvagent/dcvagent.ini";
}

/* Started as root with a state_dir that another user owns: become that user, before anything is opened. */
static bool become_owner(const char *dir, bool *became, struct err *e)
{
    struct stat st;
    if (geteuid() != 0 || lstat(dir, &st) != 0 || st.st_uid == 0)
        return true;
    *became = true;
    const struct passwd *pw = getpwuid(st.st_uid);
    gid_t gid = pw ? pw->pw_gid : st.st_gid;
    if ((pw ? initgroups(pw->pw_name, gid) : setgroups(0, NULL)) != 0 || setgid(gid) != 0 || setuid(st.st_uid) != 0)
        return err_set(e, RC_PERM, "BECOME_OWNER", "cannot become user %u, the owner of %s: %s; start dcvagent as that user",
                       (unsigned)st.st_uid, dir, strerror(errno));
    return true;
}

static bool find_provider(const struct strs *conf_path, const char *type, struct conf_module *found, struct conf_sink *to)
{
    const struct conf_fault *fault;
    size_t n;
    const struct provider_ops *p = provider_find(conf_path, type, &fault, &n);
    if (!p)
        return false;
    conf_sink_take(to, fault, n);
    found->impl = p;
    found->keys = p->keys;
    found->examine = p->examine;
    return true;
}

static void list_described(const struct strs *conf_path, struct strs *out)
{
    describe_list(conf_path, "providers", out);
}

static void drop_provider(struct conf_module *found)
{
    provider_forget(found->impl);
}

static const struct conf_finder described = {find_provider, list_described, drop_provider};

static struct conf_module *modules(void)
{
    size_t n = 0;
    struct conf_module *m = NULL;
    for (size_t i = 0; provider_types[i]; i++) {
        const struct provider_ops *p = provider_types[i];
        m = mem_grow(m, n + 1, sizeof *m);
        m[n++] = (struct conf_module){.kind = "provider", .type = p->type, .keys = p->keys, .examine = p->examine};
    }
    for (size_t i = 0; ca_types[i]; i++) {
        const struct ca_ops *c = ca_types[i];
        m = mem_grow(m, n + 1, sizeof *m);
        m[n++] = (struct conf_module){.kind = "ca", .type = c->type, .keys = c->keys, .by_person = c->by_person, .examine = c->examine};
    }
    m = mem_grow(m, n + 2, sizeof *m);
    m[n] = (struct conf_module){.kind = "provider", .finder = &described};
    m[n + 1] = (struct conf_module){0};
    return m;
}

static bool load_conf(struct session *s, const char *path, struct err *e)
{
    struct conf_module *m = modules();
    s->conf = conf_load(path, m);
    free(m);
    return s->conf || err_set(e, RC_CONF, "CONFIG", "the configuration %s cannot be read", path);
}

/* What root may read says nothing about what the owner of state_dir may: the files are judged again as that user. */
static bool load_as_owner(struct session *s, const char *config, const char *state_dir, struct err *e)
{
    bool became = false;
    if (!load_conf(s, config, e) || !become_owner(state_dir ? state_dir : s->conf->agent.state_dir, &became, e))
        return false;
    if (!became)
        return true;
    conf_free(s->conf);
    return load_conf(s, config, e);
}

static bool judge_conf(struct session *s, unsigned parts, struct err *e)
{
    enum rc rc = conf_fatal(s->conf);
    bool empty = s->conf->n_cert + s->conf->n_provider + s->conf->n_ca == 0; /* not even readable: nothing to be tolerant about */
    if (rc == RC_OK || (parts & SESSION_TOLERANT && !empty))
        return true;
    struct str text = STR_INIT(sizeof e->text - 80);
    for (size_t i = 0; i < s->conf->n_fault && text.n == 0; i++)
        if (s->conf->fault[i].fatal)
            conf_fault_show(&s->conf->fault[i], &text);
    err_set(e, rc, "CONFIG", "%s; dcvagent config check shows every fault", str_text(&text));
    str_free(&text);
    return false;
}

bool session_backup_folder(const struct session *s, struct err *e)
{
    const char *folder = s->conf->agent.key_backup_dir;
    char why[FS_WHY];
    if (!folder || access(folder, W_OK | X_OK) == 0)
        return true;
    err_set(e, RC_CREATE, "BACKUP_FOLDER",
            "the key cannot be saved in key_backup_dir %s: %s; let the agent's user write there, under systemd by ReadWritePaths= too: "
            "without that copy no CSR leaves, and the CA is not asked",
            folder, fs_why(errno, why));
    return err_at(e, "%s", folder);
}

struct conf *session_conf(const char *config, struct err *e)
{
    struct session s = {0};
    load_as_owner(&s, session_config_path(config), NULL, e);
    return s.conf;
}

/* A killed run may have left half a key or an old link's successor behind. */
static void sweep(const char *dir)
{
    static const char *const folders[] = {"", "/keys", "/csr", "/live"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char *folder = mem_fmt("%s%s", dir, folders[i]);
        fs_sweep(folder);
        free(folder);
    }
}

static bool open_store(struct session *s, unsigned parts, struct err *e)
{
    s->writer = parts & (SESSION_WRITE | SESSION_LOCK);
    if (!store_open(&s->store, s->state_dir, s->writer, e))
        return false;
    if (!(parts & SESSION_LOCK))
        return true;
    if (!store_lock(s->store, e))
        return false;
    s->locked = true;
    sweep(s->state_dir);
    return store_machine(s->store, e);
}

static bool open_net(struct session *s, struct err *e)
{
    const struct conf_agent *a = &s->conf->agent;
    struct proxy proxy;
    if (!proxy_of_agent(a, &proxy, e))
        return false;
    struct net_setup setup = {.source_address = a->source_address,
                              .discovery = &s->conf->verify.discovery,
                              .proxy = proxy.url,
                              .proxy_user = proxy_user(&proxy),
                              .resolver_ca_file = a->resolver_ca_file};
    s->net = net_new(&setup, e);
    proxy_clear(&proxy);
    if (!s->net)
        return false;
    s->zones = zones_new(s->net, s->conf);
    if (s->writer)
        s->publish = publish_new(s->net, s->store, s->conf);
    return true;
}

bool session_open(struct session *s, const char *config, const char *state_dir, unsigned parts, struct err *e)
{
    memset(s, 0, sizeof *s);
    if (!load_as_owner(s, session_config_path(config), state_dir, e) || !judge_conf(s, parts, e))
        return false;
    s->state_dir = state_dir ? state_dir : s->conf->agent.state_dir;
    return open_store(s, parts, e) && (!(parts & SESSION_NET) || open_net(s, e));
}

void session_close(struct session *s)
{
    if (s->publish)
        publish_free(s->publish);
    if (s->zones)
        zones_free(s->zones);
    if (s->net)
        net_free(s->net);
    if (s->store)
        store_close(s->store);
    conf_free(s->conf);
    memset(s, 0, sizeof *s);
}

struct pumping {
    struct session *s;
    struct timer limit;
    bool over;
    bool (*enough)(void *arg); /* NULL: when nothing is left */
    void *arg;
    struct err err;
};

static void pump_over(struct op *op, const struct err *e)
{
    (void)e;
    ((struct pumping *)op->owner)->over = true;
}

static bool pump_turn(void *arg)
{
    struct pumping *p = arg;
    bool ok = publish_pump(p->s->publish, &p->err) && store_turn(p->s->store, &p->err);
    bool enough = ok && p->enough && !store_effects(p->s->store) && !publish_mending(p->s->publish) && p->enough(p->arg);
    if (ok && !enough && !p->over && !loop_signal(net_loop(p->s->net)) && (publish_busy(p->s->publish) || store_effects(p->s->store)))
        return true;
    p->over &= !enough;
    op_cancel(&p->limit.op);
    return false;
}

bool session_pump_until(struct session *s, int64_t deadline_s, bool (*enough)(void *arg), void *arg, struct err *e)
{
    struct loop *l = net_loop(s->net);
    struct pumping p = {.s = s, .enough = enough, .arg = arg, .limit = {.op = {.done = pump_over}, .at = loop_now(l) + deadline_s * 1000}};
    p.limit.op.owner = &p;
    loop_timer(l, &p.limit);
    loop_run(l, pump_turn, &p);
    if (p.err.rc != RC_OK) {
        *e = p.err;
        return false;
    }
    if (loop_signal(l) || p.over)
        return err_set(e, RC_LATER, "NOT_FINISHED", "%s; what was begun is in the ledger, the next run or gc goes on with it",
                       loop_signal(l) ? "stopped by a signal" : "not finished in time");
    return true;
}
