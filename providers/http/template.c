/* template.c: texts with ${...}: read, and filled in. */
#include "providers/http/template.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "conf/conf.h"
#include "providers/http/api.h"

enum {
    TEXT_MAX = 1 << 20,
    STRING_MAX = 255,
    NEVER_EMPTY = USES(VAR_REF) | USES(VAR_ZONE_ID) | USES(VAR_SYNC) /* or a path would mean something larger */
};

static const char *const names[VARS] = {
    [VAR_ZONE] = "zone",   [VAR_ZONE_ID] = "zone_id", [VAR_FQDN] = "fqdn",     [VAR_RELATIVE] = "relative", [VAR_RELATIVE_AT] = "relative@",
    [VAR_VALUE] = "value", [VAR_VALUES] = "values",   [VAR_TTL] = "ttl",       [VAR_REF] = "ref",           [VAR_TAG] = "tag",
    [VAR_TOKEN] = "token", [VAR_PAGE] = "page",       [VAR_OFFSET] = "offset", [VAR_CURSOR] = "cursor",     [VAR_SYNC] = "sync",
    [VAR_KEY] = "key:",    [VAR_SECRET] = "secret:",
};

/* --- reading -------------------------------------------------------------------------------------------------------------------------- */

static void add_part(struct template *t, struct part p)
{
    t->part = mem_grow(t->part, t->n + 1, sizeof *t->part);
    t->part[t->n++] = p;
}

static bool skip(const char **p, const char *prefix)
{
    size_t n = strlen(prefix);
    if (strncmp(*p, prefix, n) != 0)
        return false;
    *p += n;
    return true;
}

static bool variable(struct template *t, const char *name, char why[160])
{
    struct part p = {0};
    char safe[64];
    const char *at = name;
    p.as = skip(&at, "text:") ? AS_TEXT : skip(&at, "number:") ? AS_NUMBER : skip(&at, "path:") ? AS_PATH : AS_IT_IS;
    for (p.var = 0; p.var < VARS; p.var++) {
        const char *rest = at;
        bool named = names[p.var][strlen(names[p.var]) - 1] == ':';
        if (named ? !skip(&rest, names[p.var]) || !*rest : strcmp(at, names[p.var]) != 0)
            continue;
        p.key = named ? mem_str(rest) : NULL;
        t->uses |= USES(p.var);
        add_part(t, p);
        return true;
    }
    snprintf(why, 160, "${%s} is no variable", text_safe(safe, sizeof safe, name, strlen(name)));
    return false;
}

bool template_parse(struct template *t, const char *text, char why[160])
{
    bool good = true;
    *t = (struct template){0};
    while (*text && good) {
        const char *start = strstr(text, "${"), *end = start ? strchr(start, '}') : NULL;
        size_t n = start ? (size_t)(start - text) : strlen(text);
        if (n)
            add_part(t, (struct part){.text = mem_copy(text, n), .var = VARS});
        text += n;
        if (!start)
            break;
        char *name = end ? mem_copy(start + 2, (size_t)(end - start) - 2) : NULL;
        good = name && variable(t, name, why);
        if (!name)
            snprintf(why, 160, "\"${\" without \"}\"");
        free(name);
        text = end ? end + 1 : text;
    }
    if (!good)
        template_free(t);
    return good;
}

void template_free(struct template *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->part[i].text);
        free(t->part[i].key);
    }
    free(t->part);
    *t = (struct template){0};
}

bool template_each(const struct template *t, part_fn *fn, void *arg)
{
    for (size_t i = 0; i < t->n; i++)
        if (!t->part[i].text && !fn(arg, &t->part[i]))
            return false;
    return true;
}

/* --- filling in ----------------------------------------------------------------------------------------------------------------------- */

static bool put_value(const struct scope *s, struct str *out, struct err *e)
{
    struct bytes v = s->item->value;
    if (s->txt == TXT_QUOTED || (s->txt == TXT_SPLIT && v.n > STRING_MAX)) {
        txt_quote(out, v);
        return true;
    }
    bool plain = s->txt == TXT_PLAIN;
    if (!plain && !v.n) /* left out of a query, it would mean every value */
        return err_set(e, RC_WRITE, "API_VALUE", "the TXT value at %s is empty, and this API cannot name it", s->item->owner);
    if (!text_is_utf8(v.p, v.n) || memchr(v.p, 0, v.n) || (plain && memchr(v.p, '"', v.n)))
        return err_set(e, RC_WRITE, "API_VALUE", "the TXT value at %s holds octets that this API cannot carry", s->item->owner);
    str_add(out, plain ? "\"" : "");
    str_put(out, v.p, v.n);
    str_add(out, plain ? "\"" : "");
    return true;
}

static void put_relative(const struct scope *s, const char *apex, struct str *out)
{
    size_t n = strlen(s->item->owner), zone = strlen(s->zone);
    if (n > zone + 1 && name_within(s->item->owner, s->zone))
        str_put(out, s->item->owner, n - zone - 1);
    else
        str_add(out, apex);
}

static void put_secret(const struct scope *s, const char *key, struct str *out)
{
    for (size_t i = 0; s->keys[i].name; i++)
        if (strcmp(s->keys[i].name, key) == 0 && s->secret[i].p)
            str_put(out, s->secret[i].p, s->secret[i].n);
}

static const char *plain(const struct part *p, const struct scope *s)
{
    switch (p->var) {
    case VAR_ZONE:
        return s->zone;
    case VAR_ZONE_ID:
        return s->zone_id;
    case VAR_FQDN:
        return s->item->owner;
    case VAR_REF:
        return s->item->ref;
    case VAR_TAG:
        return s->item->tag;
    case VAR_TOKEN:
        return s->token;
    case VAR_CURSOR:
        return s->cursor;
    case VAR_SYNC:
        return s->sync;
    case VAR_KEY:
        return section_text(s->section, p->key);
    default:
        return NULL;
    }
}

static bool put_part(const struct part *p, const struct scope *s, struct str *out, struct err *e)
{
    const char *text;
    switch (p->var) {
    case VARS:
        str_add(out, p->text);
        return true;
    case VAR_VALUE:
        return put_value(s, out, e);
    case VAR_RELATIVE:
    case VAR_RELATIVE_AT:
        put_relative(s, p->var == VAR_RELATIVE ? "" : "@", out);
        return true;
    case VAR_SECRET:
        put_secret(s, p->key, out);
        return true;
    case VAR_TTL:
        str_fmt(out, "%u", (unsigned)s->item->ttl);
        return true;
    case VAR_PAGE:
        str_fmt(out, "%u", s->page);
        return true;
    case VAR_OFFSET:
        str_fmt(out, "%zu", s->offset);
        return true;
    default:
        text = plain(p, s);
        if ((!text || !*text) && USES(p->var) & NEVER_EMPTY)
            return err_set(e, RC_WRITE, "API_VALUE", "[provider %s]: ${%s} has no value; the request is not sent", s->section->name,
                           names[p->var]);
        str_add(out, text ? text : "");
        return true;
    }
}

/* "." and ".." mean another path, encoded or not: deleting ".../records/.." would be about the zone. */
static bool leads_out(const char *text)
{
    for (;;) {
        size_t n = strcspn(text, "/");
        if ((n == 1 || n == 2) && strspn(text, ".") >= n)
            return true;
        if (!text[n])
            return false;
        text += n + 1;
    }
}

/* A reference may be a path of its own; what would end it is encoded all the same. */
static void encode_path(struct str *out, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "/:");
        char *piece = mem_copy(text, n);
        api_encode(out, piece);
        free(piece);
        text += n;
        if (*text)
            str_put(out, text++, 1);
    }
}

bool template_put(const struct template *t, const struct scope *s, enum escape escape, struct str *out, struct err *e)
{
    bool good = true;
    for (size_t i = 0; i < t->n && good; i++) {
        const struct part *p = &t->part[i];
        struct str one = STR_INIT(TEXT_MAX);
        good = put_part(p, s, &one, e);
        if (good && !p->text && escape == ESCAPE_URL && USES(p->var) & NEVER_EMPTY && leads_out(str_text(&one)))
            good = err_set(e, RC_WRITE, "API_VALUE", "[provider %s]: the API's own ${%s} leads out of its path; the request is not sent",
                           s->section->name, names[p->var]);
        if (p->text || escape == ESCAPE_NONE)
            str_put(out, str_text(&one), one.n);
        else if (p->as == AS_PATH)
            encode_path(out, str_text(&one));
        else
            api_encode(out, str_text(&one));
        if (one.p)
            explicit_bzero(one.p, one.n);
        str_free(&one);
    }
    return good;
}

/* --- in JSON -------------------------------------------------------------------------------------------------------------------------- */

/* A value of a set: what the API gave goes back as it was. */
static json_t *element(const struct scope *s, size_t i, struct err *e)
{
    const struct rrset *set = s->item->after;
    struct item item = *s->item;
    struct scope own = *s;
    if (set->native && set->native[i])
        return json_loads(set->native[i], JSON_DECODE_ANY, NULL);
    item.value = set->octets[i];
    own.item = &item;
    if (s->element)
        return node_json(s->element, &own, e);
    struct str text = STR_INIT(TEXT_MAX);
    json_t *j = put_value(&own, &text, e) ? json_stringn(str_text(&text), text.n) : NULL;
    str_free(&text);
    return j;
}

static json_t *elements(const struct scope *s, struct err *e)
{
    json_t *list = json_array();
    for (size_t i = 0; list && s->item->after && i < s->item->after->n; i++) {
        json_t *one = element(s, i, e);
        if (one) {
            json_array_append_new(list, one);
        } else {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static bool is_number(const struct part *p)
{
    return p->as == AS_NUMBER || (p->as == AS_IT_IS && (p->var == VAR_TTL || p->var == VAR_PAGE || p->var == VAR_OFFSET));
}

json_t *template_json(const struct template *t, const struct scope *s, struct err *e)
{
    const struct part *p = t->n == 1 ? &t->part[0] : NULL;
    if (p && p->var == VAR_VALUES)
        return elements(s, e);
    struct str text = STR_INIT(TEXT_MAX);
    json_t *j = NULL;
    char *end = NULL;
    if (template_put(t, s, ESCAPE_NONE, &text, e)) {
        long long number = p && is_number(p) ? strtoll(str_text(&text), &end, 10) : 0;
        j = end && text.n && !*end ? json_integer(number) : json_stringn(str_text(&text), text.n);
        if (!j)
            err_set(e, RC_WRITE, "API_VALUE", "[provider %s]: a text is no UTF-8, which JSON wants", s->section->name);
    }
    if (text.p)
        explicit_bzero(text.p, text.n);
    str_free(&text);
    return j;
}
