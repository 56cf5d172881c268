/* load.c: raw sections into typed ones, each key by its table. */
#include "conf/types.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/guess.h"
#include "base/mem.h"
#include "base/names.h"

union value { /* room for every enum conf_type */
    char *text;
    int word;
    bool yes;
    int64_t number;
    struct strs list;
    struct endpoints servers;
    struct places places;
    struct conf_quorum quorum;
    struct record_at_rules rules;
};

const struct section_entry *entry_find(const struct section_entry *e, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++) {
        if (e[i].value && strcmp(e[i].key, key) == 0)
            return &e[i];
    }
    return NULL;
}

struct place_in entry_at(const struct raw_section *r, const char *key)
{
    const struct section_entry *e = entry_find(r->e, r->n, key);

    return e ? e->at : r->at;
}

static void set_defaults(const struct conf_key *keys, void *base)
{
    for (; keys->name; keys++) {
        if (keys->standard && keys->offset != SIZE_MAX)
            value_parse(keys, keys->standard, (char *)base + keys->offset, NULL);
    }
}

/* Parsed aside first, so that a faulty value leaves the default standing. */
static void take_value(const struct conf_key *k, const char *text, void *base, struct value_sink *sink)
{
    union value v = {0};
    char *to = base;

    if (!value_parse(k, text, &v, sink))
        return;
    if (k->offset == SIZE_MAX) { /* include: files.c has followed it */
        value_free(k->type, &v);
        return;
    }
    to += k->offset;
    value_free(k->type, to);
    memcpy(to, &v, value_size(k->type));
}

/* A key that is known elsewhere is no misspelling. */
static const char *home_of(const char *key)
{
    static const struct {
        const char *header;
        const struct conf_key *keys;
    } homes[] = {{"[agent]", conf_agent_keys},
                 {"[verify]", conf_verify_keys},
                 {"[certificate NAME]", conf_cert_keys},
                 {"[provider NAME]", conf_provider_keys},
                 {"[ca NAME]", conf_ca_keys},
                 {"[zone NAME]", conf_zone_keys}};

    for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++) {
        if (key_find(homes[i].keys, key))
            return homes[i].header;
    }
    return NULL;
}

static void unknown_key(const struct conf_key *keys, const char *key, struct value_sink *sink)
{
    struct guess g = {.wanted = key};
    char maybe[96];
    const char *home = home_of(key);

    for (const struct conf_key *k = keys; k->name; k++)
        guess_try(&g, k->name);
    if (g.best || !home)
        sink_fault(sink, RC_CONF, "no such key here%s", guess_text(&g, maybe));
    else
        sink_fault(sink, RC_CONF, "no such key here; it belongs into %s", home);
}

static void check_swallowed(const struct conf_key *keys, const struct section_entry *e, struct value_sink *sink)
{
    if (!e->swallowed || !key_find(keys, e->swallowed))
        return;
    sink->at.line = e->swallowed_line;
    sink->key = e->swallowed;
    sink_fault(sink, RC_CONF, "this line is indented, so it continues %s= in line %u; begin it at the left margin", e->key, e->at.line);
}

static char *label_of(const struct raw_section *r)
{
    return mem_fmt("%s%s%s", r->kind, *r->name ? " " : "", r->name);
}

/* All keys of a section whose struct is at base. given: bits of the [verify] keys among them; NULL: not wanted. */
static bool load_fields(struct loader *l, struct raw_section *r, const struct conf_key *keys, void *base, bool fatal, uint32_t *given)
{
    char *label = label_of(r);
    bool faulty = r->faulty;

    for (size_t i = 0; i < r->n; i++) {
        const struct section_entry *e = &r->e[i];
        struct value_sink sink = {.l = l, .at = e->at, .section = label, .key = e->key, .fatal = fatal};
        const struct conf_key *k = key_find(keys, e->key), *v = key_find(conf_verify_keys, e->key);

        if (!e->value)
            continue;
        if (k)
            take_value(k, e->value, base, &sink);
        else
            unknown_key(keys, e->key, &sink);
        if (k && v && given)
            *given |= 1u << (v - conf_verify_keys);
        check_swallowed(keys, e, &sink);
        faulty |= sink.faulty;
    }
    for (const struct conf_key *k = keys; k->name; k++) {
        struct value_sink sink = {.l = l, .at = r->at, .section = label, .key = k->name, .fatal = fatal};

        if (k->required && !entry_find(r->e, r->n, k->name))
            sink_fault(&sink, RC_CONF, "missing; write for example %s = %s", k->name, k->allowed ? k->allowed : "...");
        faulty |= sink.faulty;
    }
    free(label);
    return faulty;
}

/* Names of sections become names of folders and words of commands. */
static bool good_name(const char *name)
{
    static const char *const chars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t n = strlen(name);

    return n > 0 && n <= 64 && name[0] != '.' && name[0] != '-' && strspn(name, chars) == n;
}

static bool check_name(struct loader *l, const struct raw_section *r, bool fatal)
{
    char shown[72];

    if (good_name(r->name))
        return true;
    loader_fault(l, &r->at, r->kind, NULL, RC_CONF, fatal,
                 "%s is no name for a section; write [%s NAME] with letters, digits, . _ - (at most "
                 "64, not . or - in front)",
                 quoted(shown, sizeof(shown), r->name), r->kind);
    return false;
}

static void load_agent(struct loader *l, struct raw_section *r)
{
    struct conf_agent *a = &l->c->agent;

    l->agent = r;
    load_fields(l, r, conf_agent_keys, a, true, NULL);
    if (a->proxy && strcmp(a->proxy, "none") == 0) {
        free(a->proxy);
        a->proxy = NULL;
    }
}

static void load_verify(struct loader *l, struct raw_section *r)
{
    l->verify = r;
    load_fields(l, r, conf_verify_keys, &l->c->verify, true, &l->c->verify.given);
}

static void load_zone(struct loader *l, struct raw_section *r)
{
    struct conf_zone *z = &l->c->zone[l->c->n_zone];
    struct conf_key name = {.name = "zone", .type = CONF_ZONES};
    struct value_sink sink = {.l = l, .at = r->at, .section = "zone", .fatal = true};
    struct strs zones = {0};

    *z = (struct conf_zone){.file = r->at.file, .line = r->at.line};
    set_defaults(conf_zone_keys, z);
    z->broken = load_fields(l, r, conf_zone_keys, z, false, &z->verify.given);
    if (!*r->name)
        sink_fault(&sink, RC_CONF, "the section needs a name; write [zone corp.example.hk]");
    else if (value_parse(&name, r->name, &zones, &sink) && zones.n == 1)
        z->name = mem_str(zones.s[0]);
    else if (!sink.faulty)
        sink_fault(&sink, RC_CONF, "one zone a section; write [zone corp.example.hk]");
    strs_free(&zones);
    l->zone[l->c->n_zone++] = r; /* one without a name leaves in forget_nameless() */
}

static void load_certificate(struct loader *l, struct raw_section *r)
{
    struct conf_cert *t = &l->c->cert[l->c->n_cert];

    *t = (struct conf_cert){.file = r->at.file, .line = r->at.line};
    set_defaults(conf_cert_keys, t);
    t->broken = load_fields(l, r, conf_cert_keys, t, false, NULL);
    if (!t->ca) /* missing or faulty, and said so */
        t->ca = mem_str("");
    if (t->subscription_end)
        t->subscription_end += DAY;
    if (check_name(l, r, false))
        t->name = mem_str(r->name);
    l->cert[l->c->n_cert++] = r;
}

static void unknown_type(struct loader *l, const struct section *s, struct conf_sink *to)
{
    struct guess g = {.wanted = s->type};
    struct strs names = {0};
    char maybe[96], shown[72], *known;

    type_names(l, s->kind, &names);
    for (size_t i = 0; i < names.n; i++)
        guess_try(&g, names.s[i]);
    known = strs_join(&names, " ");
    guess_text(&g, maybe);
    conf_sink_fault(to, "type", RC_CONF, "%s is no type of %s%s%s%.600s", quoted(shown, sizeof(shown), s->type), s->kind, maybe,
                    *maybe || !names.n ? "" : "; known: ", *maybe ? "" : known);
    free(known);
    strs_free(&names);
}

/* The section's type, or NULL with a fault. */
static const struct known_type *load_type(struct loader *l, struct section *s, struct conf_sink *to)
{
    const struct section_entry *e = entry_find(to->e, to->n, "type");
    const struct known_type *type;

    s->type = mem_str(e ? e->value : "");
    if (!e) /* load_generic() says that it is missing */
        return NULL;
    type = type_get(l, s->kind, s->type, to);
    if (!type) {
        unknown_type(l, s, to);
        return NULL;
    }
    s->keys = type->keys;
    s->impl = type->m.impl;
    return type;
}

/* Of a CA: its [verify] keys typed at once, unless the type means something else by the same key. */
static void take_verify(struct loader *l, struct section *s, const struct conf_key *k, const struct section_entry *e)
{
    const struct conf_key *v = key_find(conf_verify_keys, k->name);
    const struct known_type *type = type_known(l, s->kind, s->type);

    if (!s->verify || !v || (type && key_find(type->m.keys, k->name)))
        return;
    take_value(v, e->value, s->verify, NULL);
    s->verify->given |= 1u << (v - conf_verify_keys);
}

static void load_entry(struct loader *l, struct section *s, const struct section_entry *e, const char *label)
{
    const struct conf_key *keys = section_keys(s);
    struct value_sink sink = {.l = l, .at = e->at, .section = label, .key = e->key};
    const struct conf_key *k = key_find(keys, e->key);

    if (!e->value)
        return;
    if (k && strcmp(k->name, "type") != 0) {
        union value v = {0};

        if (value_parse(k, e->value, &v, &sink)) {
            value_free(k->type, &v);
            take_verify(l, s, k, e);
        }
    } else if (!k && s->keys) {
        unknown_key(keys, e->key, &sink);
    }
    check_swallowed(keys, e, &sink);
    s->broken |= sink.faulty;
}

static void check_required(struct loader *l, const struct raw_section *r, struct section *s, const char *label)
{
    for (const struct conf_key *k = section_keys(s); k->name; k++) {
        struct value_sink sink = {.l = l, .at = r->at, .section = label, .key = k->name};

        if (k->required && !entry_find(r->e, r->n, k->name))
            sink_fault(&sink, RC_CONF, "missing; write for example %s = %s", k->name, k->allowed ? k->allowed : "...");
        s->broken |= sink.faulty;
    }
}

static void load_generic(struct loader *l, struct raw_section *r, struct section *s)
{
    char *label = label_of(r);
    struct conf_sink whole = {.at = {.l = l, .at = r->at, .section = label}, .e = r->e, .n = r->n};
    const struct known_type *type;

    *s =
        (struct section){.kind = mem_str(r->kind), .name = mem_str(r->name), .file = r->at.file, .line = r->at.line, .agent = &l->c->agent};
    s->broken = r->faulty | !check_name(l, r, !*r->name);
    if (strcmp(r->kind, "ca") == 0)
        s->verify = mem_new(sizeof(*s->verify));
    type = load_type(l, s, &whole);
    for (size_t i = 0; i < r->n; i++)
        load_entry(l, s, &r->e[i], label);
    check_required(l, r, s, label);
    s->entry = r->e;
    s->n = r->n;
    r->e = NULL;
    r->n = 0;
    if (type && type->m.examine)
        type->m.examine(s, &whole);
    s->broken |= !type || whole.at.faulty;
    free(label);
}

static void load_provider(struct loader *l, struct raw_section *r)
{
    load_generic(l, r, &l->c->provider[l->c->n_provider++]);
}

static void load_ca(struct loader *l, struct raw_section *r)
{
    load_generic(l, r, &l->c->ca[l->c->n_ca++]);
}

static const struct {
    const char *kind;
    bool named;
    void (*load)(struct loader *l, struct raw_section *r);
} kinds[] = {{"agent", false, load_agent},      {"verify", false, load_verify}, {"zone", true, load_zone},
             {"provider", true, load_provider}, {"ca", true, load_ca},          {"certificate", true, load_certificate}};

static void unknown_kind(struct loader *l, const struct raw_section *r)
{
    struct guess g = {.wanted = r->kind};
    char maybe[96], shown[72];

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        guess_try(&g, kinds[i].kind);
    loader_fault(l, &r->at, NULL, NULL, RC_CONF, true,
                 "%s is no kind of section%s; allowed: agent, verify, zone, provider, ca, certificate",
                 quoted(shown, sizeof(shown), r->kind), guess_text(&g, maybe));
}

static void load_one(struct loader *l, struct raw_section *r)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].kind, r->kind) != 0)
            continue;
        if (*r->name && !kinds[i].named) {
            loader_fault(l, &r->at, r->kind, NULL, RC_CONF, true, "the section takes no name; write [%s]", r->kind);
            return;
        }
        kinds[i].load(l, r);
        return;
    }
    unknown_kind(l, r);
}

/* Sections whose header is no name were checked for the rest; nothing can refer to them. */
static void forget_nameless(struct loader *l)
{
    struct conf *c = l->c;
    size_t n = 0;

    for (size_t i = 0; i < c->n_cert; i++) {
        if (!c->cert[i].name) {
            cert_clear(&c->cert[i]);
            continue;
        }
        l->cert[n] = l->cert[i];
        c->cert[n++] = c->cert[i];
    }
    c->n_cert = n;
    n = 0;
    for (size_t i = 0; i < c->n_zone; i++) {
        if (!c->zone[i].name) {
            zone_clear(&c->zone[i]);
            continue;
        }
        l->zone[n] = l->zone[i];
        c->zone[n++] = c->zone[i];
    }
    c->n_zone = n;
}

static size_t count_kind(const struct loader *l, const char *kind)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n_raw; i++)
        n += strcmp(l->raw[i]->kind, kind) == 0;
    return n;
}

void load_sections(struct loader *l)
{
    struct conf *c = l->c;

    set_defaults(conf_agent_keys, &c->agent);
    set_defaults(conf_verify_keys, &c->verify);
    c->zone = mem_array(count_kind(l, "zone") + 1, sizeof(*c->zone));
    c->cert = mem_array(count_kind(l, "certificate") + 1, sizeof(*c->cert));
    c->provider = mem_array(count_kind(l, "provider") + 1, sizeof(*c->provider));
    c->ca = mem_array(count_kind(l, "ca") + 1, sizeof(*c->ca));
    l->zone = mem_array(count_kind(l, "zone") + 1, sizeof(struct raw_section *));
    l->cert = mem_array(count_kind(l, "certificate") + 1, sizeof(struct raw_section *));
    for (int agent = 1; agent >= 0; agent--) { /* [agent] first, whichever file it stands in: its conf_path says where types are found */
        for (size_t i = 0; i < l->n_raw; i++) {
            if ((strcmp(l->raw[i]->kind, "agent") == 0) == agent)
                load_one(l, l->raw[i]);
        }
    }
    forget_nameless(l);
}
