#include "order/when/replacement.h"

#include <string.h>

#include "order/order_impl.h"

static int64_t since_of(const struct saved_order *o)
{
    json_t *facts = json_loads(o->facts, 0, NULL);
    int64_t since = json_num(facts, "replace");
    json_decref(facts);
    return since;
}

struct looking {
    const struct strs *names;
    struct replacement *out;
};

static bool selected(const struct looking *l, const char *name)
{
    return l->names->n == 0 || strs_has(l->names, name);
}

static bool look_at(void *arg, const struct saved_order *o)
{
    const struct looking *l = arg;
    int64_t since = selected(l, o->cert) && strcmp(o->state, "failed") != 0 ? since_of(o) : 0;
    if (!since)
        return true;
    l->out->open++;
    if (!l->out->since || since < l->out->since)
        l->out->since = since;
    return true;
}

struct search {
    int64_t since;
    bool found;
};

static bool is_of(void *arg, const struct saved_order *o)
{
    struct search *f = arg;
    f->found = strcmp(o->state, "done") == 0 && since_of(o) == f->since;
    return !f->found;
}

bool replacement_has(struct store *s, const char *cert, int64_t since)
{
    struct search f = {.since = since};
    return since && order_history(s, cert, is_of, &f, NULL) && f.found;
}

bool replacement_look(struct session *s, const struct strs *names, struct replacement *out, struct err *e)
{
    struct looking l = {names, out};
    *out = (struct replacement){0};
    if (!order_each(s->store, NULL, look_at, &l, e))
        return false;
    for (size_t i = 0; i < s->conf->n_cert; i++) {
        if (!selected(&l, s->conf->cert[i].name))
            continue;
        out->all++;
        out->replaced += replacement_has(s->store, s->conf->cert[i].name, out->since);
    }
    return true;
}

/* --- a run of it ----------------------------------------------------------------------------------------------------------------------- */

static bool by_person(enum waits w)
{
    return w == WAITS_PIN || w == WAITS_CODE || w == WAITS_CONFIRM || w == WAITS_OPERATOR || w == WAITS_CERTIFICATE;
}

void replacement_count(const struct run *r, struct replacement_count *out)
{
    *out = (struct replacement_count){0};
    for (size_t i = 0; i < r->n_cert; i++) {
        const struct cert_work *w = r->cert[i];
        const struct order *o = run_order_of(r, w->name);
        if (!w->conf)
            continue;
        out->all++;
        if (w->replaced || w->changed)
            out->replaced++;
        else if (w->err.rc != RC_OK || (o && o->err.rc != RC_OK && o->err.rc != RC_LATER))
            out->failed++;
        else if (o && (by_person(o->waits) || o->resting || o->held))
            out->waiting++;
        else if (o && o->spots_started)
            out->under_way++;
        else
            out->rest++;
    }
}
