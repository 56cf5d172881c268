/* load_step.c: the steps of a description: which request, and what its answer holds. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "providers/http/described_impl.h"

enum {
    ANYWHERE = USES(VAR_KEY) | USES(VAR_SECRET) | USES(VAR_TOKEN) | USES(VAR_ZONE),
    IN_ZONE = ANYWHERE | USES(VAR_ZONE_ID),
    PAGED = USES(VAR_PAGE) | USES(VAR_OFFSET) | USES(VAR_CURSOR),
    AT_OWNER = IN_ZONE | USES(VAR_FQDN) | USES(VAR_RELATIVE) | USES(VAR_RELATIVE_AT),
    OF_RECORD = AT_OWNER | USES(VAR_VALUE),
    OF_SET = AT_OWNER | USES(VAR_VALUES) | USES(VAR_TTL) | USES(VAR_TAG) | USES(VAR_REF)
};

static const struct {
    const char *kind;
    uint32_t may;
} steps[STEPS] = {
    [STEP_LOGIN] = {"login", USES(VAR_KEY) | USES(VAR_SECRET)},
    [STEP_ZONE] = {"zone", ANYWHERE | PAGED},
    [STEP_READ] = {"read", AT_OWNER | PAGED},
    [STEP_LIST] = {"list", IN_ZONE | PAGED},
    [STEP_ADD] = {"add", OF_RECORD | USES(VAR_TTL)},
    [STEP_DELETE] = {"delete", OF_RECORD | USES(VAR_REF)},
    [STEP_WRITE] = {"write", OF_SET},
    [STEP_CREATE] = {"create", OF_SET},
    [STEP_REMOVE] = {"remove", OF_SET},
    [STEP_BATCH] = {"batch", OF_RECORD | OF_SET | USES(VAR_REF)},
    [STEP_COMMIT] = {"commit", IN_ZONE},
    [STEP_SYNC] = {"sync", IN_ZONE | USES(VAR_SYNC)},
};

/* --- small parts ---------------------------------------------------------------------------------------------------------------------- */

struct judge {
    struct described *t;
    const struct describe_part *p;
    const struct describe_key *k;
    uint32_t may;
};

static const struct conf_key *own_key(const struct described *t, const char *name)
{
    for (size_t i = 0; i < t->n_keys; i++)
        if (strcmp(t->keys[i].name, name) == 0)
            return &t->keys[i];
    return NULL;
}

static bool may_use(void *arg, const struct part *p)
{
    const struct judge *j = arg;
    bool secret = p->var == VAR_SECRET;
    if (!(j->may & USES(p->var))) {
        describe_fault(j->t->d, j->p, j->k, "a variable stands here that has no value in this place");
        return false;
    }
    if (!p->key)
        return true;
    const struct conf_key *own = own_key(j->t, p->key);
    if (!own)
        describe_fault(j->t->d, j->p, j->k, "${%s:%s}: there is no section [key %s]", secret ? "secret" : "key", p->key, p->key);
    else if ((own->type == CONF_SECRET) != secret)
        describe_fault(j->t->d, j->p, j->k, "%s is %s secret: write ${%s:%s}", p->key, secret ? "no" : "a", secret ? "key" : "secret",
                       p->key);
    return own && (own->type == CONF_SECRET) == secret;
}

bool load_template(struct described *t, const struct describe_part *p, const struct describe_key *k, struct template *out, uint32_t may)
{
    struct judge j = {t, p, k, may};
    char why[160];
    if (template_parse(out, k->value, why))
        return template_each(out, may_use, &j);
    describe_fault(t->d, p, k, "%s", why);
    return false;
}

void load_fields(struct described *t, const struct describe_part *p, const char *prefix, struct fields *out, uint32_t may)
{
    size_t at = 0;
    for (const struct describe_key *k; (k = describe_next(p, prefix, &at));) {
        struct field f = {.name = mem_str(k->name + strlen(prefix))};
        load_template(t, p, k, &f.value, may);
        out->f = mem_grow(out->f, out->n + 1, sizeof *out->f);
        out->f[out->n++] = f;
    }
}

void fields_free(struct fields *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->f[i].name);
        template_free(&f->f[i].value);
    }
    free(f->f);
    *f = (struct fields){0};
}

void load_pick(struct described *t, const struct describe_part *p, const char *name, struct pick *out)
{
    const struct describe_key *k = describe_key(p, name);
    if (k && !pick_parse(out, k->value))
        describe_fault(t->d, p, k, "no pointer; write /result/id, or ./id for one that starts at the item");
}

static void load_conditions(struct described *t, const struct describe_part *p, const char *name, struct conditions *out)
{
    const struct describe_key *k = describe_key(p, name);
    if (k && !conditions_parse(out, k->value))
        describe_fault(t->d, p, k, "no condition; write POINTER is A|B, POINTER not A|B, POINTER present or POINTER absent, joined by and");
}

static struct node *load_json(struct described *t, const struct describe_part *p, const char *name, uint32_t may)
{
    const struct describe_key *k = describe_key(p, name);
    struct judge j = {t, p, k, may};
    char why[160];
    struct node *n = k ? node_parse(k->value, why) : NULL;
    if (n)
        node_each(n, may_use, &j);
    else if (k)
        describe_fault(t->d, p, k, "%s", why);
    return n;
}

void load_verdicts(struct described *t, const struct describe_part *p, struct verdicts *v)
{
    static const char *const names[ANSWERS] = {[ANSWER_OK] = "ok",
                                               [ANSWER_GONE] = "gone",
                                               [ANSWER_EXISTS] = "exists",
                                               [ANSWER_CONFLICT] = "conflict",
                                               [ANSWER_THROTTLED] = "throttled"};
    for (int i = 0; i < ANSWERS; i++) {
        const char *words = describe_value(p, names[i]);
        if (words)
            strs_split(&v->words[i], words);
    }
    load_pick(t, p, "code", &v->code);
    load_conditions(t, p, "success", &v->success);
}

void verdicts_free(struct verdicts *v)
{
    for (int i = 0; i < ANSWERS; i++)
        strs_free(&v->words[i]);
    pick_free(&v->code);
    conditions_free(&v->success);
}

/* --- a step --------------------------------------------------------------------------------------------------------------------------- */

static void load_request(struct described *t, const struct describe_part *p, struct step *s, uint32_t may)
{
    static const char *const methods[][2] = {{"get", "GET"}, {"post", "POST"}, {"put", "PUT"}, {"patch", "PATCH"}, {"delete", "DELETE"}};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        const struct describe_key *k = describe_key(p, methods[i][0]);
        if (k && s->method)
            describe_fault(t->d, p, k, "a step is one request: it has a %s already", s->method);
        if (!k || s->method)
            continue;
        s->method = methods[i][1];
        load_template(t, p, k, &s->url, may);
        if (*k->value != '/')
            describe_fault(t->d, p, k, "a path behind url= of [provider] is wanted: it begins with \"/\"");
    }
    if (!s->method)
        describe_fault(t->d, p, NULL, "no request: get, post, put, patch or delete = PATH is missing");
    load_fields(t, p, "header.", &s->header, may);
    load_fields(t, p, "query.", &s->query, may);
    load_fields(t, p, "form.", &s->form, may);
    s->json = load_json(t, p, "json", may);
    if (s->json && s->form.n)
        describe_fault(t->d, p, NULL, "json and form.X are two bodies; a request has one");
    load_verdicts(t, p, &s->verdicts);
}

static void load_paging(struct described *t, const struct describe_part *p, struct step *s)
{
    static const struct {
        const char *key;
        enum paging how;
    } ways[] = {{"pages", PAGING_PAGES}, {"next", PAGING_NEXT}, {"cursor", PAGING_CURSOR}, {"total", PAGING_TOTAL}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const struct describe_key *k = describe_key(p, ways[i].key);
        if (k && s->paging)
            describe_fault(t->d, p, k, "pages, next, cursor and total exclude each other");
        if (!k || s->paging)
            continue;
        s->paging = ways[i].how;
        if (s->paging == PAGING_NEXT && strcmp(k->value, "link") == 0)
            s->paging = PAGING_LINK;
        else if (s->paging == PAGING_PAGES && strcmp(k->value, "empty") == 0)
            s->paging = PAGING_EMPTY;
        else if (!pick_parse(&s->more, k->value))
            describe_fault(t->d, p, k, "no pointer");
    }
}

static void load_items(struct described *t, const struct describe_part *p, struct step *s)
{
    load_pick(t, p, "each", &s->each);
    load_pick(t, p, "name", &s->name);
    load_conditions(t, p, "if", &s->only);
    load_conditions(t, p, "empty", &s->empty);
    load_paging(t, p, s);
    if (!s->each.given)
        describe_fault(t->d, p, NULL, "each= is missing: the pointer to the list of items in the answer, or to the one item");
}

static void load_sets(struct described *t, const struct describe_part *p, struct step *s)
{
    const char *tag = describe_value(p, "tag");
    load_items(t, p, s);
    load_pick(t, p, "values", &s->values);
    load_pick(t, p, "value", &s->value);
    load_pick(t, p, "ttl", &s->ttl);
    load_pick(t, p, "ref", &s->ref);
    if (tag && *tag != '/' && *tag != '.')
        s->tag_header = mem_str(tag);
    else
        load_pick(t, p, "tag", &s->tag);
    if (!s->value.given)
        describe_fault(t->d, p, NULL, "value= is missing: the pointer to the TXT content in an item");
    if (s == &t->step[STEP_LIST]) {
        s->from = describe_number(t->d, p, "from", false, 2, 1000, 0);
        if (!s->name.given)
            describe_fault(t->d, p, NULL, "name= is missing: the pointer to the owner in an item");
    }
}

static void load_zone(struct described *t, const struct describe_part *p, struct step *s)
{
    const struct describe_key *k = describe_key(p, "unless");
    load_items(t, p, s);
    load_pick(t, p, "id", &s->id);
    if (!s->id.given || !s->name.given)
        describe_fault(t->d, p, NULL, "id= and name= are wanted: the pointers to a zone's id and name in an item");
    if (k && !own_key(t, k->value))
        describe_fault(t->d, p, k, "there is no section [key %s]", k->value);
    s->id_key = k ? mem_str(k->value) : NULL;
}

static void load_one(struct described *t, const struct describe_part *p, int which)
{
    struct step *s = &t->step[which];
    s->given = true;
    load_request(t, p, s, steps[which].may);
    switch (which) {
    case STEP_LOGIN:
        load_pick(t, p, "token", &s->token);
        s->life = describe_number(t->d, p, "life", true, 60, 30 * 86400, 600);
        if (!s->token.given)
            describe_fault(t->d, p, NULL, "token= is missing: the pointer to the token in the answer");
        break;
    case STEP_ZONE:
        load_zone(t, p, s);
        break;
    case STEP_READ:
    case STEP_LIST:
        load_sets(t, p, s);
        break;
    case STEP_SYNC:
        load_conditions(t, p, "done", &s->done);
        load_conditions(t, p, "failed", &s->failed);
        s->every = describe_number(t->d, p, "every", true, 1, 60, 2);
        s->limit = describe_number(t->d, p, "limit", true, 1, 600, 60);
        if (!s->done.n)
            describe_fault(t->d, p, NULL, "done= is missing: the condition that ends the wait");
        break;
    default:
        load_pick(t, p, "sync", &s->sync);
        load_pick(t, p, "ref", &s->ref);
        if (which == STEP_BATCH)
            s->most = describe_number(t->d, p, "most", false, 1, 10000, 100);
        if (which == STEP_WRITE || which == STEP_CREATE || which == STEP_BATCH)
            s->element = load_json(t, p, "element", OF_RECORD | USES(VAR_TTL));
    }
}

void load_steps(struct described *t)
{
    for (int i = 0; i < STEPS; i++) {
        const struct describe_part *p = describe_first(t->d, steps[i].kind);
        if (p)
            load_one(t, p, i);
    }
}

void step_free(struct step *s)
{
    struct pick *const picks[] = {&s->each, &s->values, &s->value, &s->name, &s->ttl, &s->ref,
                                  &s->id,   &s->token,  &s->sync,  &s->tag,  &s->more};
    struct conditions *const conditions[] = {&s->only, &s->empty, &s->done, &s->failed};
    template_free(&s->url);
    fields_free(&s->header);
    fields_free(&s->query);
    fields_free(&s->form);
    node_free(s->json);
    node_free(s->element);
    verdicts_free(&s->verdicts);
    for (size_t i = 0; i < sizeof picks / sizeof *picks; i++)
        pick_free(picks[i]);
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
        conditions_free(conditions[i]);
    free(s->tag_header);
    free(s->id_key);
}
