/* body.c: JSON bodies as trees: read once, filled in for each request, written by jansson. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "providers/http/template.h"

/* --- reading -------------------------------------------------------------------------------------------------------------------------- */

static enum each each_of(const json_t *item)
{
    static const char *const words[] = {[EACH_ADDS] = "${each:adds}", [EACH_DELETES] = "${each:deletes}", [EACH_SETS] = "${each:sets}"};
    const char *word = json_string_value(item);
    for (size_t i = EACH_ADDS; word && i <= EACH_SETS; i++)
        if (strcmp(words[i], word) == 0)
            return (enum each)i;
    return EACH_NONE;
}

static bool fill(struct node *n, const json_t *j, char why[160]);

static bool fill_list(struct node *n, const json_t *j, char why[160])
{
    bool good = true;
    n->list = true;
    n->child = mem_array(json_array_size(j) + 1, sizeof *n->child);
    for (size_t i = 0; good && i < json_array_size(j); i++) {
        struct node *child = &n->child[n->n++];
        child->each = each_of(json_array_get(j, i));
        if (child->each && !json_array_get(j, ++i)) {
            snprintf(why, 160, "behind ${each:...} stands what is repeated");
            return false;
        }
        good = fill(child, json_array_get(j, i), why);
    }
    return good;
}

static bool fill_object(struct node *n, json_t *j, char why[160])
{
    const char *key;
    json_t *value;
    n->object = true;
    n->child = mem_array(json_object_size(j) + 1, sizeof *n->child);
    n->name = mem_array(json_object_size(j) + 1, sizeof *n->name);
    json_object_foreach(j, key, value)
    {
        n->name[n->n] = mem_str(key);
        if (!fill(&n->child[n->n++], value, why))
            return false;
    }
    return true;
}

static bool fill(struct node *n, const json_t *j, char why[160])
{
    if (json_is_string(j))
        return template_parse(&n->text, json_string_value(j), why);
    if (json_is_array(j))
        return fill_list(n, j, why);
    if (json_is_object(j))
        return fill_object(n, (json_t *)(uintptr_t)j, why);
    n->fixed = json_deep_copy(j);
    return true;
}

struct node *node_parse(const char *json, char why[160])
{
    json_error_t fault;
    json_t *j = json_loads(json, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
    if (!j) {
        snprintf(why, 160, "no JSON: %.100s (column %d)", fault.text, fault.column);
        return NULL;
    }
    struct node *n = mem_new(sizeof *n);
    if (!fill(n, j, why)) {
        node_free(n);
        n = NULL;
    }
    json_decref(j);
    return n;
}

static void empty(struct node *n)
{
    json_decref(n->fixed);
    template_free(&n->text);
    for (size_t i = 0; i < n->n; i++) {
        empty(&n->child[i]);
        if (n->name)
            free(n->name[i]);
    }
    free(n->child);
    free(n->name);
}

void node_free(struct node *n)
{
    if (!n)
        return;
    empty(n);
    free(n);
}

bool node_each(const struct node *n, part_fn *fn, void *arg)
{
    if (!n)
        return true;
    for (size_t i = 0; i < n->n; i++)
        if (!node_each(&n->child[i], fn, arg))
            return false;
    return template_each(&n->text, fn, arg);
}

static bool note_use(void *arg, const struct part *p)
{
    *(uint32_t *)arg |= USES(p->var);
    return true;
}

uint32_t node_uses(const struct node *n)
{
    uint32_t uses = 0;
    node_each(n, note_use, &uses);
    return uses;
}

/* --- filling in ----------------------------------------------------------------------------------------------------------------------- */

static bool among(enum each each, const struct item *i)
{
    return each == EACH_SETS ? i->after != NULL : !i->after && i->add == (each == EACH_ADDS);
}

static bool put_each(const struct node *n, const struct scope *s, json_t *list, struct err *e)
{
    for (size_t i = 0; i < s->n; i++) {
        struct scope own = *s;
        own.item = &s->all[i];
        if (!among(n->each, own.item))
            continue;
        json_t *one = node_json(n, &own, e);
        if (!one)
            return false;
        json_array_append_new(list, one);
    }
    return true;
}

static bool put_children(const struct node *n, const struct scope *s, json_t *to, struct err *e)
{
    for (size_t i = 0; i < n->n; i++) {
        if (n->child[i].each) {
            if (!put_each(&n->child[i], s, to, e))
                return false;
            continue;
        }
        json_t *one = node_json(&n->child[i], s, e);
        if (!one)
            return false;
        if (n->object)
            json_object_set_new(to, n->name[i], one);
        else
            json_array_append_new(to, one);
    }
    return true;
}

json_t *node_json(const struct node *n, const struct scope *s, struct err *e)
{
    if (n->fixed)
        return json_incref(n->fixed);
    if (!n->object && !n->list)
        return template_json(&n->text, s, e);
    json_t *j = n->object ? json_object() : json_array();
    if (put_children(n, s, j, e))
        return j;
    json_decref(j);
    return NULL;
}
