/* request.c: one request of a step: made from its templates, signed, sent, its answer classed. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "net/http.h"
#include "providers/http/described_impl.h"
#include "providers/sign/sign.h"

enum { URL_MAX = 8192, HEADER_MAX = 16384, BODY_MAX = 4 << 20 };

static const struct item no_item = {.owner = ""};

static int which(const struct request *r)
{
    return (int)(r->step - r->p->type->step);
}

/* --- making it ------------------------------------------------------------------------------------------------------------------------ */

/* name=value pairs, encoded; those without a value are left out. */
static bool put_pairs(const struct fields *f, const struct scope *s, char first, struct str *out, struct err *e)
{
    for (size_t i = 0; i < f->n; i++) {
        struct str value = STR_INIT(BODY_MAX);
        bool good = template_put(&f->f[i].value, s, ESCAPE_NONE, &value, e);
        if (good && value.n) {
            if (out->n || first)
                str_put(out, strchr(str_text(out), '?') || first != '?' ? "&" : "?", 1);
            api_encode(out, f->f[i].name);
            str_add(out, "=");
            api_encode(out, str_text(&value));
        }
        if (value.p)
            explicit_bzero(value.p, value.n);
        str_free(&value);
        if (!good)
            return false;
    }
    return true;
}

static bool make_url(struct request *r, const struct scope *s, const struct pages *page, struct err *e)
{
    struct str url = STR_INIT(URL_MAX);
    str_add(&url, page && page->url ? page->url : r->p->url);
    bool good = (page && page->url) || (template_put(&r->step->url, s, ESCAPE_URL, &url, e) &&
                                        put_pairs(&r->p->type->query, s, '?', &url, e) && put_pairs(&r->step->query, s, '?', &url, e));
    if (good && url.cut)
        good = err_set(e, RC_CONF, "HTTP_URL", "[provider %s]: the URL to %s is too long", r->p->section->name, r->what);
    r->call.url = str_take(&url);
    return good;
}

static bool add_header(struct request *r, const char *name, const char *value, struct err *e)
{
    for (const char *p = value; *p; p++)
        if ((unsigned char)*p < ' ')
            return err_set(e, RC_CONF, "API_KEY", "[provider %s]: what is to stand in the header %s holds control characters",
                           r->p->section->name, name);
    struct str line = STR_INIT(HEADER_MAX);
    str_fmt(&line, "%s: %s", name, value);
    strs_add(&r->call.headers, str_text(&line));
    explicit_bzero(line.p, line.n);
    str_free(&line);
    return true;
}

static bool make_headers(struct request *r, const struct fields *f, const struct scope *s, struct err *e)
{
    bool good = true;
    for (size_t i = 0; i < f->n && good; i++) {
        struct str value = STR_INIT(HEADER_MAX);
        if (which(r) == STEP_LOGIN && f->f[i].value.uses & USES(VAR_TOKEN)) /* there is none yet */
            continue;
        good = template_put(&f->f[i].value, s, ESCAPE_NONE, &value, e) && (!value.n || add_header(r, f->f[i].name, str_text(&value), e));
        if (value.p)
            explicit_bzero(value.p, value.n);
        str_free(&value);
    }
    return good;
}

static const struct secret *secret_of(const struct provider *p, const char *key)
{
    for (size_t i = 0; key && i < p->type->n_keys; i++)
        if (strcmp(p->type->keys[i].name, key) == 0)
            return p->secret[i].n ? &p->secret[i] : NULL;
    return NULL;
}

static bool make_basic(struct request *r, struct err *e)
{
    const struct described *t = r->p->type;
    const char *user = t->user ? section_text(r->p->section, t->user) : NULL;
    const struct secret *password = secret_of(r->p, t->password);
    if (!user || !password)
        return true;
    struct str both = STR_INIT(HEADER_MAX), line = STR_INIT(HEADER_MAX);
    str_fmt(&both, "%s:%s", user, (const char *)password->p);
    str_add(&line, "Basic ");
    b64_put(&line, both.p, both.n);
    bool good = add_header(r, "Authorization", str_text(&line), e);
    explicit_bzero(both.p, both.n);
    explicit_bzero(line.p, line.n);
    str_free(&both);
    str_free(&line);
    return good;
}

static bool has_header(const struct request *r, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < r->call.headers.n; i++)
        if (strncasecmp(r->call.headers.s[i], name, n) == 0 && r->call.headers.s[i][n] == ':')
            return true;
    return false;
}

static bool make_body(struct request *r, const struct scope *s, struct err *e)
{
    const struct step *step = r->step;
    const char *type = step->json ? "application/json" : "application/x-www-form-urlencoded";
    r->call.body = STR_INIT(BODY_MAX);
    if (step->json) {
        json_t *j = node_json(step->json, s, e);
        char *text = j ? json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        json_decref(j);
        if (!text)
            return err_set(e, RC_WRITE, "API_VALUE", "[provider %s]: the request to %s cannot be written as JSON", r->p->section->name,
                           r->what);
        str_add(&r->call.body, text);
        explicit_bzero(text, strlen(text));
        free(text);
    } else if (!put_pairs(&step->form, s, 0, &r->call.body, e)) {
        return false;
    }
    if (r->call.body.cut)
        return err_set(e, RC_WRITE, "API_VALUE", "[provider %s]: the request to %s is too large", r->p->section->name, r->what);
    return (!step->json && !step->form.n) || has_header(r, "Content-Type") || add_header(r, "Content-Type", type, e);
}

/* Right before it leaves: signatures hold for minutes, and so may the queue. */
static bool sign(struct api_call *c, struct err *e)
{
    const struct request *r = c->op.owner;
    const struct signature *g = &r->p->type->sign;
    const struct scope s = {.section = r->p->section, .keys = r->p->type->keys, .secret = r->p->secret};
    uint8_t octets[16];
    char nonce[2 * sizeof octets + 1];
    if (getrandom(octets, sizeof octets, 0) != sizeof octets)
        return err_set(e, RC_RESOURCE, "API_KEY", "the kernel gives no random octets");
    hex_show(nonce, sizeof nonce, octets, sizeof octets);
    struct str region = STR_INIT(100), service = STR_INIT(100);
    bool good = template_put(&g->region, &s, ESCAPE_NONE, &region, e) && template_put(&g->service, &s, ESCAPE_NONE, &service, e);
    const struct sign_in in = {.method = c->method,
                               .url = c->url,
                               .headers = &c->headers,
                               .body = {(const uint8_t *)c->body.p, c->body.n},
                               .time = clock_now(),
                               .nonce = nonce,
                               .region = str_text(&region),
                               .service = str_text(&service),
                               .id = section_text(r->p->section, g->id),
                               .secret = secret_of(r->p, g->secret),
                               .token = secret_of(r->p, g->token)};
    struct strs lines = {0};
    good = good && sign_request(g->scheme, &in, &lines, e);
    for (size_t i = 0; i < lines.n; i++) {
        strs_add(&c->headers, lines.s[i]);
        explicit_bzero(lines.s[i], strlen(lines.s[i]));
    }
    strs_free(&lines);
    str_free(&region);
    str_free(&service);
    return good;
}

/* --- what the answer is --------------------------------------------------------------------------------------------------------------- */

static bool says(const struct verdicts *v, enum answer a, const char *status, const char *code)
{
    return strs_has(&v->words[a], status) || (code && strs_has(&v->words[a], code));
}

static enum answer class_of(const struct request *r)
{
    const struct verdicts *own = &r->step->verdicts, *all = &r->p->type->verdicts;
    const struct api_call *c = &r->call;
    char status[8];
    char *code = pick_text(own->code.given ? &own->code : &all->code, c->json, NULL);
    snprintf(status, sizeof status, "%ld", c->status);
    enum answer a;
    for (a = ANSWER_GONE; a < ANSWERS; a++)
        if (says(own, a, status, code) || says(all, a, status, code))
            break;
    bool fine = own->words[ANSWER_OK].n   ? says(own, ANSWER_OK, status, code)
                : all->words[ANSWER_OK].n ? says(all, ANSWER_OK, status, code)
                                          : c->status >= 200 && c->status < 300;
    free(code);
    if (a == ANSWERS && fine && conditions_hold(own->success.n ? &own->success : &all->success, c->json, NULL))
        a = ANSWER_OK;
    return a;
}

static bool is_page(const struct api_call *c)
{
    return c->in.n && c->in.p[strspn(c->in.p, " \t\r\n")] == '<';
}

static bool judge(struct api_call *c)
{
    struct request *r = c->op.owner;
    const char *name = r->p->section->name;
    int step = which(r);
    r->answer = class_of(r);
    if (r->answer == ANSWER_CONFLICT && (step < STEP_ADD || step > STEP_BATCH)) /* nothing of ours that could conflict */
        r->answer = ANSWER_REFUSED;
    switch (r->answer) {
    case ANSWER_OK:
        return true;
    case ANSWER_GONE: /* a web page is not the API's word that nothing stands there */
        return step == STEP_DELETE || step == STEP_REMOVE || ((step == STEP_READ || step == STEP_LIST) && !is_page(c));
    case ANSWER_EXISTS:
        return step == STEP_ADD || step == STEP_CREATE;
    case ANSWER_CONFLICT:
        err_set(&c->why, RC_WRITE, "WRITE_CONFLICT", "[provider %s] could not %s: somebody else changed it at the same moment (%ld)", name,
                r->what, c->status);
        return err_again(&c->why, 0);
    case ANSWER_THROTTLED:
        err_set(&c->why, RC_LATER, "API_RATE", "[provider %s] could not %s: the API says that it was asked too often", name, r->what);
        api_hold(r->p->api, clock_now() + r->p->type->pause_s);
        return err_again(&c->why, clock_now() + r->p->type->pause_s);
    default:
        return false;
    }
}

static void answered(struct op *op, const struct err *e)
{
    struct request *r = op->owner;
    struct provider *p = r->p;
    struct err why = e ? *e : (struct err){0};
    if (e && r->call.status == 401 && p->token && which(r) != STEP_LOGIN) { /* over before its time: the next request logs in again */
        p->token_until = 0;
        err_again(&why, 0);
    }
    op_settle(&r->op, &why);
}

/* --- life ----------------------------------------------------------------------------------------------------------------------------- */

static void detach(struct op *op)
{
    op_cancel(&((struct request *)op)->call.op);
}

static void say_what(struct request *r, const struct scope *s)
{
    static const char *const verbs[STEPS] = {
        [STEP_LOGIN] = "log in",
        [STEP_ZONE] = "find the zone",
        [STEP_READ] = "read the TXT records at",
        [STEP_LIST] = "read the TXT records of zone",
        [STEP_ADD] = "add the TXT record at",
        [STEP_DELETE] = "delete the TXT record at",
        [STEP_WRITE] = "write the TXT records at",
        [STEP_CREATE] = "create the TXT records at",
        [STEP_REMOVE] = "remove the TXT records at",
        [STEP_BATCH] = "write the TXT records of zone",
        [STEP_COMMIT] = "put into effect the changes of zone",
        [STEP_SYNC] = "see whether the change is done in zone",
    };
    int step = which(r);
    bool zone = step == STEP_ZONE || step == STEP_LIST || step >= STEP_BATCH;
    const char *at = step == STEP_LOGIN ? "" : zone ? s->zone : s->item->owner;
    snprintf(r->what, sizeof r->what, "%s%s%s", verbs[step], *at ? " " : "", at);
}

void request_start(struct provider *p, struct request *r, const struct step *step, const struct scope *given, const struct pages *page)
{
    const struct described *t = p->type;
    struct scope s = *given;
    struct err e = {0};
    s.section = p->section;
    s.keys = t->keys;
    s.secret = p->secret;
    s.txt = t->txt;
    s.token = p->token;
    s.element = step->element;
    s.item = s.item ? s.item : &no_item;
    s.page = page ? page->number : 1;
    s.offset = page ? page->items : 0;
    s.cursor = page ? page->cursor : NULL;
    request_clear(r);
    r->p = p;
    r->step = step;
    r->answer = ANSWER_REFUSED;
    say_what(r, &s);
    r->call = (struct api_call){
        .op = {.done = answered, .owner = r}, .method = step->method, .what = r->what, .ok = judge, .seal = t->sign.scheme ? sign : NULL};
    r->call.repeatable = which(r) < STEP_ADD || which(r) == STEP_SYNC; /* reading, whatever its method */
    op_start(&r->op, detach);
    if (make_url(r, &s, page, &e) && make_headers(r, &t->header, &s, &e) && make_headers(r, &step->header, &s, &e) && make_basic(r, &e) &&
        make_body(r, &s, &e) && (has_header(r, "Accept") || add_header(r, "Accept", "application/json", &e)))
        api_start(p->api, &r->call);
    else
        op_settle(&r->op, &e);
}

void request_clear(struct request *r)
{
    op_cancel(&r->op);
    api_call_clear(&r->call);
}
