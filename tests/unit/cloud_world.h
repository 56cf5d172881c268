/* cloud_world.h: a provider opened against a simulated cloud: reads, merges as dcv/publish/sets.c does, writes, looks at what stands there.
 * Included by the tests of providers. What no message may show begins with s3cr3t or secret-. */
#include <sys/stat.h>

#include "base/mem.h"
#include "cloud_child.h"
#include "conf/conf.h"
#include "net/net.h"
#include "providers/provider.h"

#define ZONE "example.hk"

static const struct provider_ops *ops;
static char folder[] = "/tmp/clouds.XXXXXX";
static struct net *net;
static struct conf *conf;
static struct provider *provider;
static const struct provider_ops *open_ops; /* its */
static struct err last;
static bool waiting;

/* --- the provider -------------------------------------------------------------------------------------------------------------------------- */

static void put_file(const char *name, const char *text)
{
    char *path = mem_fmt("%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
    chmod(path, 0600);
    free(path);
}

static char *filled(const char *text)
{
    struct str out = STR_INIT(8192);
    for (; *text; text++)
        if (text[0] == '$' && text[1] == 'D')
            str_add(&out, folder), text++;
        else if (text[0] == '$' && text[1] == 'P')
            str_fmt(&out, "%d", cloud.port), text++;
        else
            str_put(&out, text, 1);
    return str_take(&out);
}

static void shut(void)
{
    if (!net)
        return;
    open_ops->close(provider);
    net_free(net);
    conf_free(conf);
    net = NULL;
}

static void opened(const char *section)
{
    const struct conf_module modules[] = {{.kind = "provider", .type = ops->type, .keys = ops->keys, .examine = ops->examine, .impl = ops}, {0}};
    char *keys = filled(section), *text = mem_fmt("[provider p]\ntype = %s\nzones = " ZONE "\n%s", ops->type, keys);
    struct err e = {0};
    shut();
    conf = conf_load_text("t.ini", text, strlen(text), modules);
    for (size_t i = 0; i < conf->n_fault; i++)
        fail_msg("%s", conf->fault[i].text);
    net = net_new(&(struct net_setup){.resolv_conf = "/dev/null"}, &e);
    if (!ops->open(&provider, conf_provider(conf, "p"), net, &e))
        fail_msg("%s", e.text);
    open_ops = ops;
    free(keys);
    free(text);
}

static void done(struct op *op, const struct err *e)
{
    (void)op;
    last = e ? *e : (struct err){0};
    waiting = false;
}

static bool turn(void *arg)
{
    (void)arg;
    return waiting;
}

static void run(void)
{
    waiting = true;
    loop_run(net_loop(net), turn, NULL);
    if (strstr(last.text, "s3cr3t") || strstr(last.text, "secret-"))
        fail_msg("a secret is shown: %s", last.text);
}

static bool look(struct rrset *set, size_t n)
{
    struct lookup l = {.op.done = done, .zone = ZONE, .set = set, .n = n};
    ops->read(provider, &l);
    run();
    return last.rc == RC_OK;
}

struct deed {
    struct record rec;
    bool add;
    struct rrset before, after;
};

static void plan(struct deed *d, const char *owner, const char *value, bool add)
{
    *d = (struct deed){.rec = {.owner = owner, .type = 16, .ttl = 60, .value = {(const uint8_t *)value, strlen(value)}}, .add = add};
    d->before.owner = d->after.owner = owner;
}

/* As dcv/publish/sets.c does it, one change a set. */
static void merge(struct deed *d)
{
    const struct rrset *b = &d->before;
    d->after.ttl = b->n ? b->ttl : d->rec.ttl;
    memcpy(d->after.tag, b->tag, sizeof b->tag);
    d->after.rest = mem_str(b->rest);
    for (size_t i = 0; i < b->n; i++)
        if (d->add || b->octets[i].n != d->rec.value.n || memcmp(b->octets[i].p, d->rec.value.p, d->rec.value.n) != 0)
            rrset_add_native(&d->after, b->octets[i].p, b->octets[i].n, b->native ? b->native[i] : NULL);
    if (d->add && !rrset_has(b, d->rec.value))
        rrset_add_native(&d->after, d->rec.value.p, d->rec.value.n, NULL);
}

static void look_first(struct deed *d, size_t n)
{
    struct rrset *sets = mem_array(n, sizeof *sets);
    for (size_t i = 0; i < n; i++)
        sets[i].owner = d[i].before.owner;
    if (!look(sets, n))
        fail_msg("%s", last.text);
    for (size_t i = 0; i < n; i++) {
        d[i].before = sets[i];
        merge(&d[i]);
    }
    free(sets);
}

static struct batch batch;

static void apply(struct deed *d, size_t n, enum change_result *result)
{
    struct change *c = mem_array(n, sizeof *c);
    for (size_t i = 0; i < n; i++)
        c[i] = (struct change){.add = d[i].add, .rec = &d[i].rec, .before = &d[i].before, .after = &d[i].after};
    batch = (struct batch){.op.done = done, .zone = ZONE, .c = c, .n = n};
    ops->apply(provider, &batch);
    run();
    for (size_t i = 0; i < n; i++) {
        result[i] = c[i].result;
        assert_int_equal(c[i].result == CHANGE_DONE, c[i].err.rc == RC_OK);
        rrset_clear(&d[i].before);
        rrset_clear(&d[i].after);
    }
    free(c);
}

static enum change_result change(const char *owner, const char *value, bool add)
{
    struct deed d;
    enum change_result r;
    plan(&d, owner, value, add);
    look_first(&d, 1);
    apply(&d, 1, &r);
    return r;
}

static void changed(const char *owner, const char *value, bool add)
{
    if (change(owner, value, add) != CHANGE_DONE)
        fail_msg("%s: %s: %s", ops->type, owner, last.text);
}

/* --- the cloud ----------------------------------------------------------------------------------------------------------------------------- */

/* values: JSON texts, two at most; NULL: none */
static void stand(const char *owner, const char *type, unsigned ttl, const char *a, const char *b)
{
    cloud_say("{\"do\": \"put\", \"owner\": \"%s\", \"type\": \"%s\", \"ttl\": %u, \"values\": [%s%s%s]}", owner, type, ttl, a ? a : "",
              b ? ", " : "", b ? b : "");
}

/* What stands there: the values as JSON texts, two at most, and the TTL. */
static void stands(const char *owner, unsigned ttl, const char *a, const char *b)
{
    const char *is = cloud_say("{\"do\": \"get\", \"owner\": \"%s\", \"type\": \"TXT\"}", owner);
    char *values = a ? mem_fmt("\"values\": [%s%s%s]", a, b ? ", " : "", b ? b : "") : mem_str("null"),
         *life = mem_fmt("\"ttl\": %u,", ttl);
    if (!strstr(is, values) || (a && !strstr(is, life)))
        fail_msg("%s: at %s stands %s, not %s %u", ops->type, owner, is, values, ttl);
    free(values);
    free(life);
}

static int world_begin(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    return 0;
}

static int world_end(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (!pid) {
        execlp("rm", "rm", "-rf", folder, (char *)NULL);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
    return 0;
}
