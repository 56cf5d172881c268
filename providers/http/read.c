/* read.c: the TXT sets of some owners: one question an owner, or the zone's list, page by page. Nothing is given out before all of it is
 * read. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/names.h"
#include "providers/http/described_impl.h"

struct fetch { /* one question, with its pages */
    struct reading *rd;
    struct rrset *set; /* NULL: of all owners */
    struct request r;
    struct pages page;
};

struct reading {
    struct provider *p;
    struct lookup *l;
    struct entry entry;
    struct fetch *f;
    size_t n, open;
};

static void reading_free(struct reading *rd)
{
    rd->l->impl = NULL;
    op_cancel(&rd->entry.op);
    for (size_t i = 0; i < rd->n; i++) {
        request_clear(&rd->f[i].r);
        pages_free(&rd->f[i].page);
    }
    free(rd->f);
    free(rd);
}

static void detach(struct op *op)
{
    reading_free(((struct lookup *)op)->impl);
}

static void end(struct reading *rd, const struct err *e)
{
    struct lookup *l = rd->l;
    struct err why = e ? *e : (struct err){0}; /* it may be a request's, which goes */
    for (size_t i = 0; e && i < l->n; i++) {
        rrset_clear(&l->set[i]);
        refs_forget(rd->p, l->zone, l->set[i].owner);
    }
    reading_free(rd);
    op_settle(&l->op, &why);
}

/* --- items ---------------------------------------------------------------------------------------------------------------------------- */

/* Is this how the API writes the owner? */
static bool is_owner(const struct reading *rd, const char *name, const char *owner)
{
    const char *zone = rd->l->zone;
    size_t n = strlen(owner), z = strlen(zone), given = strlen(name);
    if (rd->p->type->fqdn)
        return name_same(name, owner);
    if (name_same(owner, zone))
        return !*name || strcmp(name, "@") == 0;
    return n > z + 1 && given == n - z - 1 && strncasecmp(name, owner, given) == 0;
}

static struct rrset *set_of(struct fetch *f, const json_t *answer, const json_t *item)
{
    const struct reading *rd = f->rd;
    struct rrset *found = NULL;
    if (!f->r.step->name.given)
        return f->set;
    char *name = pick_text(&f->r.step->name, answer, item);
    for (size_t i = 0; i < rd->l->n && !found; i++)
        if ((!f->set || f->set == &rd->l->set[i]) && is_owner(rd, name ? name : "", rd->l->set[i].owner))
            found = &rd->l->set[i];
    free(name);
    return found;
}

/* The octets of a value; quotes that are not there need not be taken off. The caller frees. */
static uint8_t *octets(enum txt_form form, const char *text, size_t *n)
{
    uint8_t *p;
    *n = strlen(text);
    if (form == TXT_QUOTED && txt_unquote(text, &p, n))
        return p;
    bool between = form == TXT_PLAIN && *n > 1 && text[0] == '"' && text[*n - 1] == '"';
    *n = strlen(text) - (between ? 2 : 0);
    return mem_copy(text + between, *n);
}

static void add_value(struct fetch *f, struct rrset *set, const char *text, const json_t *native, const char *ref)
{
    const struct described *t = f->rd->p->type;
    size_t n;
    uint8_t *p = octets(t->txt_read, text, &n);
    if (t->ops.caps & WRITES_SETS) {
        char *own = json_dumps(native, JSON_COMPACT | JSON_ENCODE_ANY);
        rrset_add_native(set, p, n, own);
        free(own);
    } else {
        rrset_add(set, p, n);
    }
    if (!(t->ops.caps & WRITES_SETS))
        refs_note(f->rd->p, f->rd->l->zone, set->owner, &(struct bytes){p, n}, ref);
    free(p);
}

static bool take_value(struct fetch *f, struct rrset *set, const json_t *answer, const json_t *value)
{
    const struct step *s = f->r.step;
    bool single = !(f->rd->p->type->ops.caps & WRITES_SETS);
    char *text = pick_text(&s->value, answer, value), *ref = single ? pick_text(&s->ref, answer, value) : NULL;
    bool good = text && (ref || !single || !s->ref.given);
    if (good)
        add_value(f, set, text, value, ref);
    free(text);
    free(ref);
    return good;
}

static uint32_t ttl_read(const struct described *t, const char *ttl)
{
    unsigned long n = ttl ? strtoul(ttl, NULL, 10) : 0;
    return n > 1 || !t->ttl_unset ? (uint32_t)n : t->ttl_unset;
}

/* Sets by region, line or weight look like one name's; each would be written over with what all of them hold. */
static bool is_only(const struct fetch *f, const struct rrset *set, struct err *e)
{
    const struct provider *p = f->rd->p;
    if (!(p->type->ops.caps & WRITES_SETS) || !f->r.step->values.given || (!set->n && !set->rest))
        return true;
    return err_set(
        e, RC_WRITE, "API_SET",
        "[provider %s]: the API has more than one TXT set at %s (by region, line or weight?); which of them is meant cannot be known, "
        "nothing is written",
        p->section->name, set->owner);
}

static bool take_item(void *arg, const json_t *answer, const json_t *item, struct err *e)
{
    struct fetch *f = arg;
    const struct step *s = f->r.step;
    struct rrset *set = set_of(f, answer, item);
    if (!set)
        return true;
    if (!is_only(f, set, e))
        return false;
    char *ttl = pick_text(&s->ttl, answer, item), *tag = pick_text(&s->tag, answer, item);
    set->ttl = ttl_read(f->rd->p->type, ttl);
    if (tag)
        snprintf(set->tag, sizeof set->tag, "%s", tag);
    free(ttl);
    free(tag);
    if (s->ref.given && f->rd->p->type->ops.caps & WRITES_SETS) { /* the set has a name of its own */
        free(set->rest);
        set->rest = pick_text(&s->ref, answer, item);
    }
    if (!s->values.given)
        return take_value(f, set, answer, item);
    const json_t *values = pick_at(&s->values, answer, item);
    bool good = json_is_array(values);
    for (size_t i = 0; good && i < json_array_size(values); i++)
        good = take_value(f, set, answer, json_array_get(values, i));
    return good;
}

/* --- questions ------------------------------------------------------------------------------------------------------------------------ */

static void ask(struct fetch *f);

static void answered(struct op *op, const struct err *e)
{
    struct fetch *f = op->owner;
    struct reading *rd = f->rd;
    struct err why = {0};
    bool more;
    if (e) {
        end(rd, e);
        return;
    }
    if (!pages_take(&f->page, &f->r, take_item, f, &more, &why)) {
        end(rd, &why);
        return;
    }
    if (f->set && f->r.step->tag_header)
        api_header(&f->r.call, f->r.step->tag_header, f->set->tag, sizeof f->set->tag);
    if (more)
        ask(f);
    else if (!--rd->open)
        end(rd, NULL);
}

static void ask(struct fetch *f)
{
    struct reading *rd = f->rd;
    const struct described *t = rd->p->type;
    const struct item item = {.owner = f->set ? f->set->owner : ""};
    const struct scope s = {.zone = rd->l->zone, .zone_id = rd->entry.known ? rd->entry.known->id : NULL, .item = &item};
    f->r.op = (struct op){.done = answered, .owner = f};
    request_start(rd->p, &f->r, &t->step[f->set ? STEP_READ : STEP_LIST], &s, &f->page);
}

static void entered(struct op *op, const struct err *e)
{
    struct reading *rd = op->owner;
    const struct step *read = &rd->p->type->step[STEP_READ], *list = &rd->p->type->step[STEP_LIST];
    struct lookup *l = rd->l;
    if (e || !l->n) {
        end(rd, e);
        return;
    }
    bool whole = list->given && (!read->given || (list->from && (int64_t)l->n >= list->from));
    rd->n = rd->open = whole ? 1 : l->n;
    rd->f = mem_array(rd->n, sizeof *rd->f);
    for (size_t i = 0; i < l->n; i++) {
        refs_forget(rd->p, l->zone, l->set[i].owner);
        refs_note(rd->p, l->zone, l->set[i].owner, NULL, NULL);
    }
    for (size_t i = 0; i < rd->n; i++) {
        rd->f[i] = (struct fetch){.rd = rd, .set = whole ? NULL : &l->set[i], .page = {.number = 1}};
        ask(&rd->f[i]);
    }
}

void described_read(struct provider *p, struct lookup *l)
{
    struct reading *rd = mem_new(sizeof *rd);
    *rd = (struct reading){.p = p, .l = l, .entry = {.op = {.done = entered, .owner = rd}}};
    l->impl = rd;
    op_start(&l->op, detach);
    for (size_t i = 0; i < l->n; i++)
        rrset_clear(&l->set[i]);
    entry_start(p, &rd->entry, l->zone);
}
