/* powerdns_sets.c: RRsets as the PowerDNS API writes them in JSON, and as it wants them back. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/names.h"
#include "providers/powerdns.h"

enum { CONTENT_MAX = 4 * TXT_VALUE_MAX + 1024 };

static bool odd(struct err *e, const char *what)
{
    return err_set(e, RC_PAGES, "API_ANSWER", "the PowerDNS API sent %s; nothing is written from it; does url= lead to a PowerDNS server?",
                   what);
}

/* --- reading -------------------------------------------------------------------------------------------------------------------------- */

/* The name as it stands in a lookup: lower case, no final dot. "" where it is too long for one. */
static void plain_name(const char *name, char out[NAME_SIZE])
{
    size_t n = strlen(name);
    n -= n && name[n - 1] == '.';
    if (n >= NAME_SIZE)
        n = 0;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)tolower((unsigned char)name[i]);
    out[n] = 0;
}

static bool has_native(const struct rrset *set, const char *content)
{
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->native[i], content) == 0)
            return true;
    return false;
}

/* The database may hold a record twice; a set with it twice would not be taken back. */
static void take_value(struct rrset *set, const char *content)
{
    uint8_t *value;
    size_t n;
    if (has_native(set, content))
        return;
    if (txt_unquote(content, &value, &n)) {
        rrset_add_native(set, value, n, content);
        free(value);
    } else {
        rrset_add_native(set, (const uint8_t *)content, strlen(content), content); /* ill-formed: given back as it is */
    }
}

static void keep_rest(struct rrset *set, json_t *disabled, const json_t *comments, uint32_t ttl)
{
    if (json_array_size(disabled) || json_array_size(comments)) {
        json_t *rest = json_pack("{s:O, s:i}", "records", disabled, "ttl", (int)ttl);
        if (json_array_size(comments))
            json_object_set(rest, "comments", (json_t *)(uintptr_t)comments);
        free(set->rest);
        set->rest = json_line(rest);
    }
}

static bool take_txt(const json_t *rrset, struct rrset *set, struct err *e)
{
    json_t *records = json_object_get(rrset, "records"), *disabled = json_array(), *record;
    size_t i;
    bool good = json_is_array(records);
    json_array_foreach(records, i, record)
    {
        json_t *content = json_object_get(record, "content");
        good = good && json_is_string(content) && strlen(json_string_value(content)) == json_string_length(content);
        if (!good)
            break;
        if (json_is_true(json_object_get(record, "disabled")))
            json_array_append(disabled, record);
        else
            take_value(set, json_string_value(content));
    }
    uint32_t ttl = (uint32_t)json_num(rrset, "ttl");
    set->ttl = set->n ? ttl : 0;
    keep_rest(set, disabled, json_object_get(rrset, "comments"), ttl);
    json_decref(disabled);
    return good || odd(e, "a TXT set without records, or with some that are no texts");
}

static bool take_cname(const json_t *rrset, struct rrset *set)
{
    json_t *record;
    size_t i;
    json_array_foreach(json_object_get(rrset, "records"), i, record)
    {
        set->cname |= !json_is_true(json_object_get(record, "disabled"));
    }
    return true;
}

static bool take_rrset(const json_t *rrset, const struct map *wanted, struct err *e)
{
    const char *type = json_str(rrset, "type"), *name = json_str(rrset, "name");
    char plain[NAME_SIZE];
    if (!*type || !*name)
        return odd(e, "an RRset without name or type");
    plain_name(name, plain);
    struct rrset *set = map_get(wanted, plain);
    if (set && strcmp(type, "TXT") == 0)
        return take_txt(rrset, set, e);
    return !set || strcmp(type, "CNAME") != 0 || take_cname(rrset, set);
}

bool pdns_take_zone(const json_t *zone, struct lookup *l, struct err *e)
{
    json_t *rrsets = json_object_get(zone, "rrsets"), *rrset;
    struct map wanted = {0};
    size_t i;
    if (!json_is_array(rrsets))
        return odd(e, "a zone without rrsets");
    for (i = 0; i < l->n; i++)
        map_put(&wanted, l->set[i].owner, &l->set[i]);
    bool good = true;
    json_array_foreach(rrsets, i, rrset)
    {
        good = good && take_rrset(rrset, &wanted, e);
    }
    map_free(&wanted);
    return good;
}

bool pdns_take_found(const json_t *found, const char *zone, struct rrset *set, struct err *e)
{
    json_t *disabled = json_array(), *old = set->rest ? json_loads(set->rest, 0, NULL) : NULL, *record;
    uint32_t ttl = set->ttl;
    size_t i;
    if (!json_is_array(found)) {
        json_decref(disabled);
        json_decref(old);
        return odd(e, "something else than a list of what it found");
    }
    json_array_foreach(found, i, record)
    {
        if (!name_same(json_str(record, "zone"), zone) || !name_same(json_str(record, "name"), set->owner) ||
            strcmp(json_str(record, "type"), "TXT") != 0 || !json_is_true(json_object_get(record, "disabled")))
            continue;
        json_array_append_new(disabled, json_pack("{s:O, s:b}", "content", json_object_get(record, "content"), "disabled", true));
        ttl = set->n ? set->ttl : (uint32_t)json_num(record, "ttl");
    }
    keep_rest(set, disabled, json_object_get(old, "comments"), ttl);
    json_decref(disabled);
    json_decref(old);
    return true;
}

/* --- writing -------------------------------------------------------------------------------------------------------------------------- */

static json_t *record_json(const char *native, struct bytes value)
{
    struct str text = STR_INIT(CONTENT_MAX);
    if (!native)
        txt_quote(&text, value);
    json_t *j = json_pack("{s:s, s:b}", "content", native ? native : str_text(&text), "disabled", false);
    str_free(&text);
    return j;
}

static json_t *entry(const char *owner, const char *changetype)
{
    char *name = mem_fmt("%s.", owner);
    json_t *j = json_pack("{s:s, s:s, s:s}", "name", name, "type", "TXT", "changetype", changetype);
    free(name);
    return j;
}

static bool has_content(const json_t *records, const char *content)
{
    json_t *record;
    size_t i;
    json_array_foreach(records, i, record)
    {
        if (strcmp(json_str(record, "content"), content) == 0)
            return true;
    }
    return false;
}

/* Disabled records stay disabled, but for one that is equal to a value that is to be seen: a set holds it once. */
static void add_disabled(json_t *records, const json_t *disabled)
{
    json_t *record;
    size_t i;
    json_array_foreach(disabled, i, record)
    {
        if (!has_content(records, json_str(record, "content")))
            json_array_append(records, record);
    }
}

json_t *pdns_replace(const char *owner, const struct rrset *before, const struct rrset *after)
{
    json_t *records = json_array(), *rest = before->rest ? json_loads(before->rest, 0, NULL) : NULL;
    json_t *comments = json_object_get(rest, "comments");
    for (size_t i = 0; i < after->n; i++)
        json_array_append_new(records, record_json(after->native ? after->native[i] : NULL, after->octets[i]));
    add_disabled(records, json_object_get(rest, "records"));
    bool empty = !json_array_size(records);
    bool keeps_ttl = !before->n && json_array_size(json_object_get(rest, "records")); /* of records that are all disabled */
    json_t *j = entry(owner, empty && !comments ? "DELETE" : "REPLACE");
    if (!empty || comments) {
        json_object_set(j, "records", records);
        json_object_set_new(j, "ttl", json_integer(keeps_ttl ? json_num(rest, "ttl") : after->ttl));
    }
    if (empty && comments)
        json_object_set(j, "comments", comments);
    json_decref(records);
    json_decref(rest);
    return j;
}

json_t *pdns_one(const struct change *c)
{
    const struct rrset *before = c->before;
    const char *native = NULL;
    struct bytes v = c->rec->value;
    for (size_t i = 0; i < before->n && !native; i++)
        if (before->octets[i].n == v.n && (v.n == 0 || memcmp(before->octets[i].p, v.p, v.n) == 0))
            native = before->native[i];
    json_t *j = entry(c->rec->owner, c->add ? "EXTEND" : "PRUNE");
    json_object_set_new(j, "ttl", json_integer(before->n ? before->ttl : c->rec->ttl));
    json_object_set_new(j, "records", json_pack("[o]", record_json(native, v)));
    return j;
}

bool pdns_has_disabled(const struct rrset *set)
{
    json_t *rest = set->rest ? json_loads(set->rest, 0, NULL) : NULL;
    bool any = json_array_size(json_object_get(rest, "records")) > 0;
    json_decref(rest);
    return any;
}
