#include "tests/scenario/scene.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "cert/csr.h"
#include "cert/install.h"
#include "conf/conf.h"
#include "tests/scenario/issuer.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

static struct {
    char dir[64];
    char *said;   /* stderr of the last run or hand-over */
    char *issued; /* the last certificate */
    bool debug;
} scene;

const char *scene_path(const char *name)
{
    static char path[8][256];
    static unsigned i;
    char *p = path[i++ % 8];
    snprintf(p, sizeof path[0], "%s/%s", scene.dir, name);
    return p;
}

static void put_file(const char *name, const char *text, mode_t mode)
{
    struct err e = {0};
    if (!fs_replace(scene_path(name), text, strlen(text), mode, &e))
        fail_msg("%s", e.text);
}

static const char *or_none(const char *s)
{
    return s ? s : "";
}

void scene_config(const struct scene_conf *c)
{
    static const char standard[] = "names = www.example.hk example.hk\nproduct = multi-domain";
    char *text = mem_fmt("[agent]\nstate_dir = %s/state\nlog = none\nnotify_hook = %s/notify\n%s\n"
                         "[verify]\nresolvers = 192.0.2.8 192.0.2.9\ndiscovery = 192.0.2.7\n%s\n"
                         "%s%s\n"
                         "[ca hand]\ntype = manual\nchain_files = %s/root.pem\n%s\n"
                         "%s%s\n%s\n",
                         scene.dir, scene.dir, or_none(c->agent), c->verify ? c->verify : "settle = 0s",
                         c->no_provider ? "" : "[provider mem]\ntype = memory\nzones = example.hk example.com\n", or_none(c->provider),
                         scene.dir, or_none(c->ca),
                         c->no_shop                               ? ""
                         : c->shop && strstr(c->shop, "csr_file") ? "[certificate shop]\nca = hand\n"
                                                                  : "[certificate shop]\nca = hand\nkey_type = p256\n",
                         c->no_shop ? ""
                         : c->shop  ? c->shop
                                    : standard,
                         or_none(c->more));
    put_file("dcvagent.ini", text, 0600);
    free(text);
}

int scene_begin(void **state)
{
    (void)state;
    const char *tmp = getenv("TMPDIR"),
               *memory = "/dev/shm"; /* hundreds of runs, each with its commits: in memory where that is possible */
    if (!tmp || strlen(tmp) > 40)
        tmp = access(memory, W_OK | X_OK) == 0 ? memory : "/tmp";
    snprintf(scene.dir, sizeof scene.dir, "%s/dcv-scene-XXXXXX", tmp);
    if (!mkdtemp(scene.dir))
        return -1;
    world_new(SPRING_2026);
    issuer_root(scene_path("root.pem"));
    put_file("notify", "", 0755);
    put_file("reload", "", 0755);
    put_file("check", "", 0755);
    scene.debug = false;
    config(0);
    return 0;
}

int scene_end(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", scene.dir, (char *)NULL);
        _exit(127);
    }
    world_free();
    free(scene.said);
    free(scene.issued);
    scene.said = scene.issued = NULL;
    return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

void scene_debug(bool on)
{
    scene.debug = on;
}

void later(int64_t seconds)
{
    world_jump(world_ms() + seconds * 1000);
}

static struct store *reader(void)
{
    struct store *s;
    struct err e = {0};
    if (!store_open(&s, scene_path("state"), false, &e))
        fail_msg("%s", e.text);
    return s;
}

/* --- runs ------------------------------------------------------------------------------------------------------------------------- */

static void report_to(int fd)
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_set_report_fd((void *)(intptr_t)fd);
#else
    (void)fd;
#endif
}

static int hear(void)
{
    int real = dup(STDERR_FILENO), fd = open(scene_path("stderr"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    dup2(fd, STDERR_FILENO);
    close(fd);
    report_to(real);
    return real;
}

static void heard(int real)
{
    size_t n;
    dup2(real, STDERR_FILENO);
    close(real);
    report_to(STDERR_FILENO);
    free(scene.said);
    scene.said = NULL;
    if (!fs_read(scene_path("stderr"), 1 << 20, &scene.said, &n, NULL))
        scene.said = mem_str("");
}

static enum rc in_session(unsigned parts, enum rc (*work)(struct session *s, void *arg), void *arg)
{
    struct session s;
    struct err e = {0};
    int real = hear();
    struct log_setup quiet = {.run = "scene", .target = "none", .verbose = scene.debug || getenv("SCENE_VERBOSE") ? 2 : 0};
    enum rc rc;
    log_open(&quiet, NULL);
    if (session_open(&s, scene_path("dcvagent.ini"), NULL, parts, &e)) {
        rc = work(&s, arg);
    } else {
        say_err(LEVEL_ERROR, NULL, &e);
        rc = e.rc;
    }
    session_close(&s);
    log_close();
    quiet.verbose = 0;
    log_open(&quiet, NULL);
    heard(real);
    if (getenv("SCENE_VERBOSE"))
        printf("# --- %lld rc %d\n%s", (long long)(world_ms() / 1000 - SPRING_2026), rc, scene.said);
    return rc;
}

static enum rc run_now(struct session *s, void *arg)
{
    struct run_result result = {0};
    run_all(s, arg, &result);
    json_decref(result.json);
    return result.signal ? (enum rc)(128 + result.signal) : rc_worse(result.rc, s->conf->n_fault ? conf_worst(s->conf) : RC_OK);
}

static bool strike(void *arg, const struct ledger_row *row)
{
    for (size_t i = 0; world_each(i); i++) {
        const struct world_record *r = world_each(i);
        if (r->type == TYPE_TXT && r->ours && r->until == INT64_MAX && !strcmp(r->owner, row->rec.owner) &&
            strlen(r->text) == row->rec.value.n && !memcmp(r->text, row->rec.value.p, row->rec.value.n))
            ((bool *)arg)[i] = true;
    }
    return true;
}

/* Whatever a run did: no record of ours may stand in DNS that the ledger does not know. */
static void no_record_forgotten(void)
{
    size_t n = 0;
    while (world_each(n))
        n++;
    bool *known = mem_array(n + 1, sizeof *known);
    struct store *s = reader();
    ledger_each(s, NULL, strike, known, NULL);
    store_close(s);
    for (size_t i = 0; i < n; i++) {
        const struct world_record *r = world_each(i);
        if (r->ours && r->until == INT64_MAX && !known[i])
            fail_msg("TXT %s \"%s\" is ours and no longer in the ledger; the run said:\n%s", r->owner, r->text, scene.said);
    }
    free(known);
}

enum rc scene_run(const struct run_setup *setup)
{
    struct run_setup copy = *setup;
    enum rc rc = in_session(SESSION_LOCK | SESSION_NET, run_now, &copy);
    if (world_count(TYPE_TXT))
        no_record_forgotten();
    return rc;
}

void scene_expect_run(const struct run_setup *setup, enum rc want, const char *file, int line)
{
    enum rc rc = scene_run(setup);
    if (rc != want)
        fail_msg("%s:%d: the run gave %d, wanted %d; it said:\n%s", file, line, rc, want, scene.said);
}

/* --- hand-overs --------------------------------------------------------------------------------------------------------------------- */

struct handing {
    const char *cert, *kind, *host;
    struct bytes text;
};

static enum rc hand_now(struct session *s, void *arg)
{
    const struct handing *h = arg;
    struct err e = {0};
    if (!inbox_put(s->store, h->cert, h->kind, h->host, h->text, 0, &e))
        return e.rc;
    if (!store_lock(s->store, &e))
        return RC_OK;
    struct strs names = {0};
    strs_add(&names, h->cert);
    struct run_setup setup = {.hand_only = true, .names = &names};
    struct run_result result = {0};
    run_all(s, &setup, &result);
    strs_free(&names);
    json_decref(result.json);
    return result.hand.rc;
}

void scene_hand(const char *cert, const char *kind, const char *host, struct bytes text, enum rc want, const char *file, int line)
{
    struct handing h = {cert, kind, host, text};
    enum rc rc = in_session(SESSION_WRITE | SESSION_NET, hand_now, &h);
    if (rc != want)
        fail_msg("%s:%d: handing over %s gave %d, wanted %d; it said:\n%s", file, line, kind, rc, want, scene.said);
}

const char *scene_certificate(const char *cert, int days, const char *names, int64_t until)
{
    struct saved_order o = {0};
    if (!order_kept(cert, 0, &o) || !o.csr.n)
        fail_msg("no CSR of %s to issue for", cert);
    free(scene.issued);
    scene.issued = issuer_sign(o.csr, names ? names : o.names, until ? until : clock_now() + (int64_t)days * DAY);
    saved_order_clear(&o);
    return scene.issued;
}

const char *scene_other_key(const char *names)
{
    free(scene.issued);
    scene.issued = issuer_sign((struct bytes){NULL, 0}, names, clock_now() + 199 * (int64_t)DAY);
    return scene.issued;
}

static void step(const char *cert, const char *state, const char *waits, const char *kind, const char *text, const char *file, int line)
{
    scene_expect_run(&(struct run_setup){0}, RC_LATER, file, line);
    scene_at(cert, state, waits, file, line);
    if (kind)
        scene_hand(cert, kind, "", text_of(text), RC_OK, file, line);
}

void scene_walk(const char *cert, int to, const char *file, int line)
{
    struct saved_order o = {0};
    bool first = !order_kept(cert, 0, &o) || (o.open && strcmp(o.waits, "pin") == 0) || (!o.open && !live(cert));
    saved_order_clear(&o);
    if (first)
        step(cert, "new", "pin", to > TO_PIN ? "pin" : NULL, "123456789", file, line);
    if (to >= TO_CODE)
        step(cert, "prepared", "code", to > TO_CODE ? "code" : NULL, "code-1", file, line);
    if (to >= TO_CONFIRM)
        step(cert, "visible", "confirm", to > TO_CONFIRM ? "confirmed" : NULL, "", file, line);
    if (to >= TO_SUBMIT)
        step(cert, "validated", "operator", to > TO_SUBMIT ? "submitted" : NULL, "", file, line);
    if (to >= TO_IMPORT)
        step(cert, "submitted", "certificate", NULL, NULL, file, line);
    if (to < TO_DONE)
        return;
    scene_hand(cert, "import", "", text_of(scene_certificate(cert, 199, NULL, 0)), RC_OK, file, line);
    scene_expect_run(&(struct run_setup){0}, RC_OK, file, line);
    scene_at(cert, "done", "", file, line);
}

/* --- what is so ----------------------------------------------------------------------------------------------------------------------- */

struct nth {
    unsigned skip, seen;
    struct saved_order *out;
};

static bool take_nth(void *arg, const struct saved_order *o)
{
    struct nth *n = arg;
    if (n->seen++ == n->skip && n->out)
        saved_order_copy(n->out, o);
    return true;
}

bool order_kept(const char *cert, unsigned back, struct saved_order *out)
{
    struct nth n = {.skip = back, .out = out};
    struct store *s = reader();
    order_history(s, cert, take_nth, &n, NULL);
    store_close(s);
    return n.seen > back;
}

unsigned orders(const char *cert)
{
    struct nth n = {0};
    struct store *s = reader();
    order_history(s, cert, take_nth, &n, NULL);
    store_close(s);
    return n.seen;
}

void scene_at(const char *cert, const char *state, const char *waits, const char *file, int line)
{
    struct saved_order o = {0};
    char is[640];
    bool there = order_kept(cert, 0, &o), so = there && strcmp(o.state, state) == 0 && strcmp(o.waits, waits) == 0;
    if (there)
        snprintf(is, sizeof is, "is at '%s' and waits for '%s' (last: %s %s)", o.state, o.waits, or_none(o.last.code), o.last.text);
    else
        snprintf(is, sizeof is, "has no order");
    saved_order_clear(&o);
    if (!so)
        fail_msg("%s:%d: %s %s, wanted '%s' and '%s'; the run said:\n%s", file, line, cert, is, state, waits, scene.said);
}

unsigned scene_heard(const char *text)
{
    unsigned n = 0;
    for (const char *p = scene.said; (p = strstr(p, text)); p += strlen(text))
        n++;
    return n;
}

void scene_said(const char *text, unsigned times, const char *file, int line)
{
    unsigned n = *text ? scene_heard(text) : 0;
    if (*text ? n != times : *scene.said != 0)
        fail_msg("%s:%d: wanted \"%s\" %u times; it said:\n%s", file, line, text, times, scene.said);
}

void scene_txt(const char *owner, const char *value, bool there, const char *file, int line)
{
    if ((world_find(owner, TYPE_TXT, value, world_ms()) != NULL) != there)
        fail_msg("%s:%d: TXT %s \"%s\" is %s; the run said:\n%s", file, line, owner, value ? value : "", there ? "missing" : "there",
                 scene.said);
}

int64_t live(const char *cert)
{
    return install_live(scene_path("state"), cert);
}

static bool count_row(void *arg, const struct ledger_row *row)
{
    (void)row;
    ++*(unsigned *)arg;
    return true;
}

unsigned ledger_rows(void)
{
    unsigned n = 0;
    struct store *s = reader();
    ledger_each(s, NULL, count_row, &n, NULL);
    store_close(s);
    return n;
}

struct counting {
    const char *kind;
    unsigned n;
};

static bool count_kind(void *arg, int64_t at, const char *cert, const char *order, const char *kind, const char *json)
{
    struct counting *c = arg;
    (void)at, (void)cert, (void)order, (void)json;
    c->n += strcmp(kind, c->kind) == 0;
    return true;
}

bool order_spki(const char *cert, unsigned back, char out[65])
{
    struct saved_order o = {0};
    bool there = order_kept(cert, back, &o);
    memcpy(out, o.spki, 65);
    saved_order_clear(&o);
    return there;
}

unsigned evidence_of(const char *cert, const char *kind)
{
    struct counting c = {.kind = kind};
    struct store *s = reader();
    evidence_each(s, cert, NULL, count_kind, &c, NULL);
    store_close(s);
    return c.n;
}
