/* described_bench.h: descriptions at work against described_service.h: opened, read, applied. Included by one test. */
#include "base/clock.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "described_service.h"
#include "net/net.h"
#include "providers/http/described.h"

#define SERVICE                                                                                                                            \
    "[provider]\nsummary = s\nlinks = https://x.example/\ngrade = A\nplain = yes\nurl = ${key:url}\nheader.X-Token = ${token}\n"           \
    "names = fqdn\nttl = 60..86400\nsuccess = /ok not false\n"                                                                             \
    "[key url]\ntype = url\nrequired = yes\nhelp = h.\n[key user]\nhelp = h.\n[key password_file]\ntype = secret\nhelp = h.\n"             \
    "[login]\npost = /login\njson = {\"user\": \"${key:user}\", \"password\": \"${secret:password_file}\"}\ntoken = /session/token\n"      \
    "[zone]\nget = /zones\nquery.page = ${page}\neach = /zones\nname = ./name\nid = ./id\npages = /pages\n"
#define READ                                                                                                                               \
    "[read]\nget = /zones/${zone_id}/records\nquery.name = ${fqdn}\nquery.page = ${page}\neach = /records\nname = ./name\n"                \
    "value = ./content\nref = ./id\nttl = ./ttl\ntotal = /total\n"
#define LIST                                                                                                                               \
    "[list]\nget = /zones/${zone_id}/records\nquery.page = ${page}\neach = /records\nname = ./name\n"                                      \
    "value = ./content\nref = ./id\nttl = ./ttl\ntotal = /total\n"
#define ADD                                                                                                                                \
    "[add]\npost = /zones/${zone_id}/records\njson = {\"name\": \"${fqdn}\", \"content\": \"${value}\", \"ttl\": \"${ttl}\"}\nref = "      \
    "/record/id\nexists = 81058\ncode = /error/code\n"
#define DELETE "[delete]\ndelete = /zones/${zone_id}/records/${ref}\ngone = 404\n"

static const char sets[] =
    "[provider]\nsummary = s\nlinks = https://x.example/\ngrade = A\nplain = yes\nurl = ${key:url}\ntxt = quoted\n"
    "[key url]\ntype = url\nrequired = yes\nhelp = h.\n"
    "[read]\nget = /sets/${fqdn}/TXT\neach = /\nvalues = ./values\nvalue = ./content\nttl = ./ttl\ntag = ETag\ngone = 404\n"
    "[write]\nput = /sets/${fqdn}/TXT\njson = {\"ttl\": \"${ttl}\", \"values\": \"${values}\"}\nelement = {\"content\": \"${value}\"}\n"
    "header.If-Match = ${tag}\nconflict = 412\n"
    "[create]\nput = /sets/${fqdn}/TXT\njson = {\"ttl\": \"${ttl}\", \"values\": \"${values}\"}\nelement = {\"content\": \"${value}\"}\n"
    "header.If-None-Match = *\nconflict = 412\n";

struct bench {
    struct provider_ops *ops;
    struct conf *conf;
    struct provider *p;
};
static struct net *net;
static unsigned pending;
static struct err last;
static char secret_path[] = "/tmp/dcv-described-XXXXXX";

static bool turn(void *arg)
{
    (void)arg;
    return pending > 0;
}

static void done(struct op *op, const struct err *e)
{
    (void)op;
    pending--;
    last = e ? *e : (struct err){0};
}

static struct bench bench(const char *text)
{
    struct bench b;
    struct err e = {0};
    size_t n;
    b.ops = described_type(describe_text("lab.ini", text, strlen(text)));
    const struct conf_fault *f = described_faults(b.ops, &n);
    if (n)
        fail_msg("line %u: %s", f->line, f->text);
    const struct conf_module modules[] = {
        {.kind = "provider", .type = "lab", .keys = b.ops->keys, .examine = b.ops->examine, .impl = b.ops}, {0}};
    bool secret = strstr(text, "[key password_file]"), user = strstr(text, "[login]"), reads = strstr(text, "[read]");
    char *conf = mem_fmt("[provider lab]\ntype = lab\nzones = example.hk\nurl = http://127.0.0.1:%u/v1/\n%s%s\n%s%s", (unsigned)api_port,
                         secret ? "password_file = " : "", secret ? secret_path : "", user ? "user = me\n" : "",
                         reads ? "" : "server = 127.0.0.1:1\nwait = 1s\n");
    b.conf = conf_load_text("t.ini", conf, strlen(conf), modules);
    free(conf);
    if (b.conf->n_fault)
        fail_msg("%s", b.conf->fault[0].text);
    if (!b.ops->open(&b.p, &b.conf->provider[0], net, &e))
        fail_msg("%s", e.text);
    memset(service, 0, sizeof *service);
    api_shared->requests = 0;
    api_shared->log[0] = 0;
    return b;
}

static void bench_end(struct bench *b)
{
    b->ops->close(b->p);
    conf_free(b->conf);
    described_free(b->ops);
}

enum { OWNERS = 12 };
struct sets {
    struct lookup l;
    struct rrset set[OWNERS];
};

static void look(struct bench *b, struct sets *s, const char *const *owners, size_t n)
{
    memset(s, 0, sizeof *s);
    s->l = (struct lookup){.zone = "example.hk", .set = s->set, .n = n, .op = {.done = done}};
    for (size_t i = 0; i < n; i++)
        s->set[i].owner = owners[i];
    pending++;
    b->ops->read(b->p, &s->l);
    loop_run(net_loop(net), turn, NULL);
}

static void sets_end(struct sets *s)
{
    for (size_t i = 0; i < s->l.n; i++)
        rrset_clear(&s->set[i]);
}

struct want {
    bool add;
    const char *owner, *value;
};
struct writes {
    struct batch b;
    struct change c[OWNERS];
    struct record rec[OWNERS];
};

static void apply(struct bench *b, struct writes *w, const struct want *want, size_t n)
{
    memset(w, 0, sizeof *w);
    w->b = (struct batch){.zone = "example.hk", .c = w->c, .n = n, .op = {.done = done}};
    for (size_t i = 0; i < n; i++) {
        w->rec[i] = (struct record){
            .owner = want[i].owner, .type = TYPE_TXT, .ttl = 30, .value = {(const uint8_t *)want[i].value, strlen(want[i].value)}};
        w->c[i] = (struct change){.add = want[i].add, .rec = &w->rec[i], .ref = ""};
    }
    pending++;
    b->ops->apply(b->p, &w->b);
    loop_run(net_loop(net), turn, NULL);
}

static void all(const struct writes *w, enum change_result result)
{
    for (size_t i = 0; i < w->b.n; i++)
        if (w->c[i].result != result)
            fail_msg("%s: %d, %s", w->rec[i].owner, w->c[i].result, w->c[i].err.text);
}

static unsigned asked(const char *what)
{
    unsigned n = 0;
    for (const char *p = api_shared->log; (p = strstr(p, what)); p++)
        n++;
    return n;
}

static int setup(void **state)
{
    (void)state;
    int fd = mkstemp(secret_path);
    if (fd < 0 || write(fd, "s3cret-word\n", 12) != 12)
        return -1;
    close(fd);
    service = api_memory(sizeof *service);
    api_server_start(answer);
    net = net_new(&(struct net_setup){.resolv_conf = "/dev/null"}, NULL);
    return net ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    unlink(secret_path);
    net_free(net);
    api_server_stop();
    return 0;
}
