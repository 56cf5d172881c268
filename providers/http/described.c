/* described.c: a description file as a provider type. */
#include "providers/http/described.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/http.h"
#include "providers/http/described_impl.h"

static void close_provider(struct provider *p)
{
    if (!p)
        return;
    known_zones_free(p);
    refs_forget(p, NULL, NULL);
    free(p->ref);
    api_free(p->api);
    if (p->at.stream)
        stream_close(p->at.stream);
    for (size_t i = 0; i < p->type->n_keys; i++)
        secret_free(&p->secret[i]);
    free(p->secret);
    if (p->token)
        explicit_bzero(p->token, strlen(p->token));
    free(p->token);
    free(p->url);
    free(p);
}

static bool read_secrets(struct provider *p, struct err *e)
{
    enum { SECRET_MAX = 65536 };
    const struct conf_key *keys = p->type->keys;
    for (size_t i = 0; i < p->type->n_keys; i++) {
        const char *path = keys[i].type == CONF_SECRET ? section_text(p->section, keys[i].name) : NULL;
        if (path && !secret_read(&p->secret[i], path, SECRET_MAX, e))
            return false;
        if (memchr(p->secret[i].p ? (const char *)p->secret[i].p : "", '\n', p->secret[i].n))
            return err_set(e, RC_CONF, "API_KEY", "[provider %s]: the file of %s holds more than one line", p->section->name, keys[i].name);
    }
    return true;
}

/* The base URL without its final slash. */
static bool find_url(struct provider *p, struct err *e)
{
    const struct scope s = {.section = p->section, .keys = p->type->keys, .secret = p->secret};
    struct str url = STR_INIT(2048);
    bool good = template_put(&p->type->url, &s, ESCAPE_NONE, &url, e);
    p->url = str_take(&url);
    for (size_t n = strlen(p->url); n && p->url[n - 1] == '/'; n--)
        p->url[n - 1] = 0;
    if (good && !http_origin(p->url, p->type->plain, p->origin, sizeof p->origin))
        return err_set(e, RC_CONF, "HTTP_URL", "[provider %s]: its API has no URL that may be asked: https://HOST/... is wanted",
                       p->section->name);
    return good;
}

static void open_server(struct provider *p, struct net *n)
{
    struct endpoints server;
    if (described_reads(p->type))
        return;
    section_servers(p->section, "server", &server);
    if (server.n) {
        endpoint_show(&server.e[0], p->server, sizeof p->server);
        p->at = (struct authority){.stream = stream_open(n, &server.e[0]), .server = p->server, .refused = ""};
        p->wait_ms = (uint32_t)(section_number(p->section, "wait") * 1000);
    }
    endpoints_free(&server);
}

static void read_sets(struct provider *p, struct lookup *l)
{
    if (p->at.stream)
        authority_read(&p->at, l);
    else
        described_read(p, l);
}

static bool open_provider(struct provider **out, const struct section *section, struct net *n, struct err *e)
{
    const struct described *t = (const struct described *)provider_of(section);
    struct provider *p = mem_new(sizeof *p);
    struct api_setup setup = {.section = section,
                              .credential = t->account ? section_text(section, t->account) : NULL,
                              .plain = t->plain,
                              .parallel = t->parallel,
                              .rate = t->rate,
                              .rate_s = t->rate_s};
    p->type = t;
    p->section = section;
    p->secret = mem_array(t->n_keys + 1, sizeof *p->secret);
    if (!read_secrets(p, e) || !find_url(p, e) || !api_new(&p->api, n, &setup, e)) {
        close_provider(p);
        return false;
    }
    for (size_t i = 0; i < t->n_keys; i++)
        api_hide(p->api, &p->secret[i]);
    open_server(p, n);
    *out = p;
    return true;
}

/* An id that the section names is one zone's. */
static void examine(const struct section *s, struct conf_sink *to)
{
    const struct described *t = (const struct described *)provider_of(s);
    const char *key = t->step[STEP_ZONE].id_key;
    struct strs zones;
    section_list(s, "zones", &zones);
    if (key && section_given(s, key) && zones.n > 1)
        conf_sink_fault(to, key, RC_CONF, "it names one zone, but zones= has %zu; give each a section of its own, or leave it out",
                        zones.n);
    strs_free(&zones);
}

/* A program behind the API decides: its section says what it does. */
static char graded(const struct provider *p)
{
    const char *own = section_text(p->section, "grade");
    return own ? *own : p->type->ops.grade;
}

/* Sets that go one by one are as many as owners; pages are not known. */
static struct cost cost(const struct provider_ops *p, size_t owners, size_t changes)
{
    const struct described *t = (const struct described *)p;
    const struct step *list = &t->step[STEP_LIST], *batch = &t->step[STEP_BATCH];
    bool whole = list->given && (!t->step[STEP_READ].given || owners >= (size_t)list->from);
    size_t each = t->ops.caps & WRITES_SETS ? owners : changes, most = batch->most > 0 ? (size_t)batch->most : each;
    size_t reads = whole ? 1 : t->step[STEP_READ].given ? owners : 0, writes = batch->given && each ? (each + most - 1) / most : each;
    return (struct cost){reads, writes + t->step[STEP_COMMIT].given};
}

struct provider_ops *described_type(struct description *d)
{
    struct described *t = mem_new(sizeof *t);
    const char *slash = strrchr(d->file, '/'), *base = slash ? slash + 1 : d->file;
    t->d = d;
    t->ops.type = mem_copy(base, strcspn(base, "."));
    t->ops.grade = 'D';
    load_description(t);
    t->ops.keys = t->keys;
    t->ops.graded = describe_part(d, "key", "grade") ? graded : NULL;
    t->ops.examine = examine;
    t->ops.open = open_provider;
    t->ops.read = read_sets;
    t->ops.apply = described_apply;
    t->ops.cost = cost;
    t->ops.close = close_provider;
    return &t->ops;
}

const struct conf_fault *described_faults(const struct provider_ops *p, size_t *n)
{
    const struct described *t = (const struct described *)p;
    *n = t->d->n_fault;
    return t->d->fault;
}

void described_free(struct provider_ops *p)
{
    struct described *t = (struct described *)p;
    if (!t)
        return;
    template_free(&t->url);
    template_free(&t->sign.region);
    template_free(&t->sign.service);
    fields_free(&t->header);
    fields_free(&t->query);
    verdicts_free(&t->verdicts);
    for (int i = 0; i < STEPS; i++)
        step_free(&t->step[i]);
    char *const texts[] = {t->account, t->user,        t->password,   t->sign.scheme,
                           t->sign.id, t->sign.secret, t->sign.token, (char *)(uintptr_t)t->ops.type};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    free(t->keys);
    describe_free(t->d);
    free(t);
}
