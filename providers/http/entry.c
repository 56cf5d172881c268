/* entry.c: what comes before all requests: the token, and the id that the API has for the zone. One entry at a time: what one has found
 * serves all. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/names.h"
#include "conf/conf.h"
#include "providers/http/described_impl.h"

static void go_on(struct entry *n);

static void leave(struct entry *n)
{
    struct provider *p = n->p;
    *(n->prev ? &n->prev->next : &p->first) = n->next;
    *(n->next ? &n->next->prev : &p->last) = n->prev;
    request_clear(&n->r);
    pages_free(&n->page);
    free(n->found);
    n->found = NULL;
    n->prev = n->next = NULL;
}

static void detach(struct op *op)
{
    struct entry *n = (struct entry *)op;
    struct provider *p = n->p;
    bool at_work = p->first == n;
    leave(n);
    if (at_work && p->first)
        go_on(p->first);
}

static void settle(struct entry *n, const struct err *e)
{
    struct provider *p = n->p;
    leave(n);
    op_settle(&n->op, e);
    if (p->first)
        go_on(p->first);
}

static void fail(struct entry *n, const struct err *e)
{
    struct err why = *e; /* it may be the request's, which goes */
    struct provider *p = n->p;
    bool login = n->r.step == &p->type->step[STEP_LOGIN];
    while (login && n->next) { /* a refused log-in is tried once, not once a zone: accounts get locked */
        struct entry *other = n->next;
        leave(other);
        op_settle(&other->op, &why);
    }
    settle(n, &why);
}

/* --- the token ------------------------------------------------------------------------------------------------------------------------ */

static void logged_in(struct op *op, const struct err *e)
{
    struct entry *n = op->owner;
    struct provider *p = n->p;
    const struct step *s = &p->type->step[STEP_LOGIN];
    struct err why = e ? *e : (struct err){0};
    if (p->token)
        explicit_bzero(p->token, strlen(p->token));
    free(p->token);
    p->token = e ? NULL : pick_text(&s->token, n->r.call.json, NULL);
    if (!e && !p->token)
        err_set(&why, RC_PAGES, "API_ANSWER",
                "[provider %s] could not log in: the answer has no token where the description of type %s says", p->section->name,
                p->type->ops.type);
    if (why.rc != RC_OK) {
        fail(n, &why);
        return;
    }
    struct secret s_token = {0};
    secret_set(&s_token, p->token, strlen(p->token));
    api_hide(p->api, &s_token);
    secret_free(&s_token);
    p->token_until = clock_now() + s->life;
    go_on(n);
}

/* --- the zone's id -------------------------------------------------------------------------------------------------------------------- */

static const struct known_zone *zone_known(const struct provider *p, const char *name)
{
    const struct known_zone *z = p->zone;
    while (z && strcmp(z->name, name) != 0)
        z = z->next;
    return z;
}

static void zone_note(struct provider *p, const char *name, const char *id)
{
    struct known_zone *z = mem_new(sizeof *z);
    *z = (struct known_zone){.next = p->zone, .name = mem_str(name), .id = mem_str(id)};
    p->zone = z;
}

void known_zones_free(struct provider *p)
{
    while (p->zone) {
        struct known_zone *z = p->zone;
        p->zone = z->next;
        free(z->name);
        free(z->id);
        free(z);
    }
}

static bool take_zone(void *arg, const json_t *answer, const json_t *item, struct err *e)
{
    struct entry *n = arg;
    const struct step *s = &n->p->type->step[STEP_ZONE];
    char *name = pick_text(&s->name, answer, item), *id = pick_text(&s->id, answer, item);
    bool good = name && id;
    (void)e;
    if (good && name_same(name, n->zone)) {
        free(n->found);
        n->found = id;
        id = NULL;
    }
    free(name);
    free(id);
    return good;
}

static void ask_zone(struct entry *n);

static void zone_answered(struct op *op, const struct err *e)
{
    struct entry *n = op->owner;
    struct err why = e ? *e : (struct err){0};
    bool more = false;
    if (!e)
        pages_take(&n->page, &n->r, take_zone, n, &more, &why);
    if (why.rc == RC_OK && !n->found && !more)
        err_set(&why, RC_WRITE, "API_ZONE",
                "[provider %s]: the API has no zone %s for this key; check zones=, whose account it is, and that the key may see the zone",
                n->p->section->name, n->zone);
    if (why.rc != RC_OK) {
        fail(n, &why);
    } else if (!n->found) {
        ask_zone(n);
    } else {
        zone_note(n->p, n->zone, n->found);
        go_on(n);
    }
}

static void ask_zone(struct entry *n)
{
    const struct scope s = {.zone = n->zone};
    n->r.op = (struct op){.done = zone_answered, .owner = n};
    request_start(n->p, &n->r, &n->p->type->step[STEP_ZONE], &s, &n->page);
}

/* --- in order ------------------------------------------------------------------------------------------------------------------------- */

static void go_on(struct entry *n)
{
    struct provider *p = n->p;
    const struct step *login = &p->type->step[STEP_LOGIN], *zone = &p->type->step[STEP_ZONE];
    const char *id = zone->given && zone->id_key ? section_text(p->section, zone->id_key) : NULL;
    if (login->given && (!p->token || p->token_until <= clock_now())) {
        const struct scope s = {.zone = n->zone};
        n->r.op = (struct op){.done = logged_in, .owner = n};
        request_start(p, &n->r, login, &s, NULL);
        return;
    }
    n->known = zone_known(p, n->zone);
    if (zone->given && !n->known && !id) {
        ask_zone(n);
        return;
    }
    if (zone->given && !n->known)
        zone_note(p, n->zone, id);
    n->known = zone_known(p, n->zone);
    settle(n, NULL);
}

void entry_start(struct provider *p, struct entry *n, const char *zone)
{
    n->p = p;
    n->zone = zone;
    n->known = NULL;
    pages_free(&n->page);
    op_start(&n->op, detach);
    n->prev = p->last;
    n->next = NULL;
    *(p->last ? &p->last->next : &p->first) = n;
    p->last = n;
    if (p->first == n)
        go_on(n);
}
