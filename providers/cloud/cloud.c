/* cloud.c: a visit: token, zone, then the requests. */
#include "providers/cloud/cloud_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "conf/conf.h"
#include "net/net.h"

enum { PAGES_MAX = 50 };

static void begin(struct visit *v);

static const char *zone_of(const struct visit *v)
{
    return v->l ? v->l->zone : v->b->zone;
}

static struct op *op_of(struct visit *v)
{
    return v->l ? &v->l->op : &v->b->op;
}

/* --- life ------------------------------------------------------------------------------------------------------------------------------ */

void leg_free(struct leg *s)
{
    *(s->prev ? &s->prev->next : &s->visit->first) = s->next;
    if (s->next)
        s->next->prev = s->prev;
    op_cancel(&s->call.op);
    op_cancel(&s->timer.op);
    api_call_clear(&s->call);
    free(s);
}

struct leg *leg_new(struct visit *v)
{
    struct leg *s = mem_new(sizeof *s);
    s->visit = v;
    s->next = v->first;
    if (s->next)
        s->next->prev = s;
    v->first = s;
    return s;
}

void visit_free(struct visit *v)
{
    while (v->first)
        leg_free(v->first);
    op_cancel(&v->wait.op);
    if (v->l)
        v->l->impl = NULL;
    else
        v->b->impl = NULL;
    free(v->zone_id);
    free(v->swap);
    ranges_free(&v->todo);
    free(v);
}

static void read_detach(struct op *op)
{
    visit_free(((struct lookup *)op)->impl);
}

void visit_finish(struct visit *v)
{
    struct op *op = op_of(v);
    struct err e = v->err;
    visit_free(v);
    op_settle(op, &e);
}

void visit_note(struct visit *v, const struct err *e)
{
    if (v->err.rc == RC_OK && e)
        v->err = *e;
}

/* Before anything was written. */
static void fail(struct visit *v, const struct err *e)
{
    while (v->first)
        leg_free(v->first);
    visit_note(v, e);
    if (v->b)
        visit_refuse_rest(v, e);
    visit_finish(v);
}

/* --- requests ---------------------------------------------------------------------------------------------------------------------------- */

const char *leg_zone(const struct leg *s)
{
    return zone_of(s->visit);
}

const char *leg_zone_id(const struct leg *s)
{
    return s->visit->zone_id;
}

struct provider *leg_provider(const struct leg *s)
{
    return s->visit->p;
}

void leg_request(struct leg *s, const char *method, char *url)
{
    op_fn *done = s->call.op.done;
    api_call_clear(&s->call);
    s->call = (struct api_call){.op = {.done = done, .owner = s}, .method = method, .url = url, .repeatable = strcmp(method, "GET") == 0};
}

void leg_json(struct leg *s, json_t *body)
{
    char *text = json_line(body);
    s->call.body = STR_INIT(strlen(text) + 1);
    str_add(&s->call.body, text);
    strs_add(&s->call.headers, "Content-Type: application/json");
    free(text);
}

static bool seal(struct api_call *c, struct err *e)
{
    struct leg *s = c->op.owner;
    struct provider *p = s->visit->p;
    if (p->ops->token)
        token_header(&p->token, &c->headers);
    return !p->ops->sign || p->ops->sign(p, c, e);
}

void leg_start(struct leg *s, const char *what, op_fn *done)
{
    s->call.op.done = done;
    s->call.op.owner = s;
    s->call.what = s->call.what ? s->call.what : what;
    s->call.seal = seal;
    s->turn++;
    api_start(s->visit->p->api, &s->call);
}

/* An API that does not take the token any more gets a new one the next time. */
void leg_look_at_token(const struct leg *s)
{
    struct provider *p = s->visit->p;
    if (p->ops->token && s->call.status == 401)
        token_refused(&p->token);
}

static bool too_many(struct leg *s, struct err *e)
{
    return s->turn >= PAGES_MAX && !err_set(e, RC_PAGES, "API_ANSWER", "[provider %s] the API's list for zone %s has no end (%u pages)",
                                            s->visit->p->section->name, leg_zone(s), s->turn);
}

/* --- the zone ------------------------------------------------------------------------------------------------------------------------------ */

static const char *known_id(const struct provider *p, const char *zone)
{
    size_t n = strlen(zone);
    for (size_t i = 0; i < p->zone_ids.n; i++)
        if (strncasecmp(p->zone_ids.s[i], zone, n) == 0 && p->zone_ids.s[i][n] == '=')
            return p->zone_ids.s[i] + n + 1;
    return NULL;
}

static void zone_done(struct op *op, const struct err *fault)
{
    struct leg *s = op->owner;
    struct visit *v = s->visit;
    struct err e = fault ? *fault : (struct err){0};
    char id[256] = "";
    leg_look_at_token(s);
    enum cloud_says says = fault ? CLOUD_FAILED : v->p->ops->found(s, zone_of(v), id, sizeof id, &e);
    if (says == CLOUD_MORE && !too_many(s, &e)) {
        v->p->ops->find(s, zone_of(v));
        leg_start(s, "find the zone", zone_done);
    } else if (says != CLOUD_DONE) {
        fail(v, &e);
    } else {
        char *known = mem_fmt("%s=%s", zone_of(v), id);
        strs_add(&v->p->zone_ids, known);
        free(known);
        v->zone_id = mem_str(id);
        leg_free(s);
        begin(v);
    }
}

static void find_zone(struct visit *v)
{
    const char *id = known_id(v->p, zone_of(v));
    if (!v->p->ops->find || id) {
        v->zone_id = mem_str(id ? id : zone_of(v));
        begin(v);
        return;
    }
    struct leg *s = leg_new(v);
    v->p->ops->find(s, zone_of(v));
    leg_start(s, "find the zone", zone_done);
}

static void token_done(struct op *op, const struct err *e)
{
    struct visit *v = op->owner;
    if (e)
        fail(v, e);
    else
        find_zone(v);
}

void visit_start(struct visit *v)
{
    if (!v->p->ops->token) {
        find_zone(v);
        return;
    }
    v->wait.op.done = token_done;
    v->wait.op.owner = v;
    token_get(&v->p->token, &v->wait);
}

/* --- reading ------------------------------------------------------------------------------------------------------------------------------- */

static void read_done(struct op *op, const struct err *fault)
{
    struct leg *s = op->owner;
    struct visit *v = s->visit;
    struct err e = {0};
    leg_look_at_token(s);
    enum cloud_says says = v->p->ops->heard(s, fault, &e);
    if (says == CLOUD_MORE && !too_many(s, &e)) {
        v->p->ops->ask(s);
        leg_start(s, "read the TXT records", read_done);
        return;
    }
    if (says != CLOUD_DONE) {
        err_at(&e, "%s", s->set->owner);
        fail(v, &e); /* a partial read is no read */
        return;
    }
    leg_free(s);
    if (!v->first)
        visit_finish(v);
}

void cloud_read(struct provider *p, struct lookup *l)
{
    struct visit *v = mem_new(sizeof *v);
    v->p = p;
    v->l = l;
    l->impl = v;
    op_start(&l->op, read_detach);
    visit_start(v);
}

/* Token and zone are there. */
static void begin(struct visit *v)
{
    if (v->b) {
        visit_write_next(v);
        return;
    }
    for (size_t i = 0; i < v->l->n; i++) {
        struct leg *s = leg_new(v);
        s->set = &v->l->set[i];
        rrset_clear(s->set);
        v->p->ops->ask(s);
        leg_start(s, "read the TXT records", read_done);
    }
    if (!v->l->n)
        visit_finish(v);
}

/* --- values and sections ------------------------------------------------------------------------------------------------------------------- */

char *cloud_native(const struct rrset *set, size_t i, void (*quote)(struct str *out, struct bytes value))
{
    struct str out = STR_INIT(1 << 20);
    if (set->native && set->native[i])
        return mem_str(set->native[i]);
    quote(&out, set->octets[i]);
    return str_take(&out);
}

bool cloud_check_zone_ids(const char *value, char why[160])
{
    struct strs l = {0};
    bool good = true;
    strs_split(&l, value);
    for (size_t i = 0; i < l.n && good; i++) {
        size_t zone = strcspn(l.s[i], "="), id = strspn(l.s[i] + zone, "=");
        good = zone && id == 1 && l.s[i][zone + 1] && !strpbrk(l.s[i] + zone + 1, "/?#%\\");
        if (!good)
            snprintf(why, 160, "\"%.60s\" is not of the form zone=id", l.s[i]);
    }
    strs_free(&l);
    return good;
}

bool cloud_open(struct provider **out, const struct cloud_ops *ops, const struct section *s, struct net *n, const char *credential,
                struct err *e)
{
    const char *endpoint = section_text(s, "endpoint");
    struct provider *p = mem_new(sizeof *p);
    p->ops = ops;
    p->section = s;
    p->net = n;
    p->endpoint = mem_str(endpoint);
    for (size_t len = strlen(p->endpoint); len && p->endpoint[len - 1] == '/'; len--)
        p->endpoint[len - 1] = '\0';
    section_list(s, "zone_ids", &p->zone_ids);
    struct api_setup setup = {.section = s,
                              .credential = credential,
                              .plain = strncmp(endpoint, "http://", 7) == 0,
                              .rate = (unsigned)section_number(s, "rate"),
                              .rate_s = 1};
    if (!api_new(&p->api, n, &setup, e)) {
        cloud_close(p);
        return false;
    }
    p->token.api = p->api;
    p->token.owner = p;
    *out = p;
    return true;
}

void cloud_close(struct provider *p)
{
    if (!p)
        return;
    token_free(&p->token);
    api_free(p->api);
    strs_free(&p->zone_ids);
    free(p->endpoint);
    free(p);
}

struct cost cloud_cost(const struct provider_ops *p, size_t owners, size_t changes)
{
    (void)p;
    (void)changes;
    return (struct cost){.reads = owners, .writes = 1};
}
