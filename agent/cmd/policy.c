/* policy: what a name server has to allow for exactly the names of this configuration, in its own words. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "net/tsig_key.h"
#include "order/cas.h"
#include "order/ask/where.h"

enum { TEXT_MAX = 4 << 20 };

struct grant { /* one zone at one provider section */
    const struct section *provider;
    const char *zone;
    struct strs owners;
    char server[320], key[NAME_SIZE];
    const char *algorithm;
};

struct policy {
    struct grant *grant;
    size_t n;
    struct wheres all;
    enum rc rc; /* of names that lead nowhere */
};

/* --- what is to be granted ----------------------------------------------------------------------------------------------------------------- */

/* Names of keys that are not there yet, or cannot be read by who asks: as an example. */
static void name_key(struct grant *g)
{
    struct tsig_key k = {0};
    bool none = true;
    struct endpoints server = {0};
    const char *name = section_text(g->provider, "tsig_name");
    section_servers(g->provider, "server", &server);
    if (server.n)
        endpoint_show(&server.e[0], g->server, sizeof g->server);
    endpoints_free(&server);
    bool good = tsig_key_section(&k, g->provider, &none, NULL) && !none;
    snprintf(g->key, sizeof g->key, "%s", good ? k.name : name ? name : "dcvagent");
    g->algorithm = tsig_alg_name(good ? k.alg : TSIG_SHA256);
    tsig_key_free(&k);
}

static struct grant *grant_for(struct policy *p, const struct section *provider, const char *zone)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->grant[i].provider == provider && strcmp(p->grant[i].zone, zone) == 0)
            return &p->grant[i];
    p->grant = mem_grow(p->grant, p->n + 1, sizeof *p->grant);
    struct grant *g = &p->grant[p->n++];
    *g = (struct grant){.provider = provider, .zone = zone};
    if (strcmp(provider->type, "rfc2136") == 0)
        name_key(g);
    return g;
}

/* In quotes and lists of three servers' configurations: nothing that could mean something else there. */
static bool plain(const char *name)
{
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
}

static void fault(struct policy *p, const char *name, const struct err *e)
{
    say_err(LEVEL_ERROR, &(struct about){.name = name, .step = "policy"}, e);
    p->rc = rc_worse(p->rc, e->rc);
}

static void add_place(struct policy *p, const struct session *s, const struct where *w)
{
    struct err e = w->err;
    const char *matched;
    const struct section *provider = w->site ? conf_writer(s->conf, w->site->owner, w->conf->provider, &matched) : NULL;
    if (w->site && !provider)
        err_set(&e, RC_DELEGATION, "NO_PROVIDER", "no provider may write at %s (zone %s): add the zone to zones= of a [provider]",
                w->site->owner, w->site->zone->apex);
    else if (w->site && !plain(w->site->owner))
        err_set(&e, RC_DELEGATION, "POLICY_NAME", "%s has characters that no policy is printed for: write its line by hand",
                w->site->owner);
    if (e.rc != RC_OK) {
        fault(p, w->listed, &e);
        return;
    }
    struct grant *g = grant_for(p, provider, w->site->zone->apex);
    if (!strs_has(&g->owners, w->site->owner))
        strs_add(&g->owners, w->site->owner);
}

static bool gather(struct policy *p, struct session *s, struct err *e)
{
    struct cas *cas = cas_open(s, false);
    for (size_t i = 0; i < s->conf->n_cert; i++) {
        const struct conf_cert *c = &s->conf->cert[i];
        const struct ca_rules *rules = cas_rules(cas, c->ca);
        if (rules && c->method == METHOD_DNS)
            where_add(&p->all, c, &c->names, rules);
    }
    bool ok = where_find(s, &p->all, e);
    for (size_t i = 0; i < p->all.n && ok; i++)
        add_place(p, s, &p->all.w[i]);
    cas_close(cas);
    return ok;
}

static bool by_update(const struct grant *g)
{
    return strcmp(g->provider->type, "rfc2136") == 0;
}

/* --- BIND ---------------------------------------------------------------------------------------------------------------------------------- */

/* Each key once. */
static bool key_told(const struct policy *p, const struct grant *g)
{
    for (const struct grant *o = p->grant; o < g; o++)
        if (by_update(o) && strcmp(o->key, g->key) == 0)
            return true;
    return false;
}

static void bind_head(const struct policy *p, struct str *out)
{
    str_add(out, "// BIND, named.conf. The keys, once, each as tsig-keygen made it (its secret is not shown here):\n");
    for (size_t i = 0; i < p->n; i++)
        if (by_update(&p->grant[i]) && !key_told(p, &p->grant[i]))
            str_fmt(out, "//     key \"%s\" { algorithm %s; secret \"...\"; };\n", p->grant[i].key, p->grant[i].algorithm);
    str_add(out, "// And in the zone statement of each zone, in place of allow-update:\n");
}

static void bind_zone(const struct grant *g, struct str *out)
{
    str_fmt(out, "\n// zone \"%s\" at %s ([provider %s])\nupdate-policy {\n", g->zone, g->server, g->provider->name);
    for (size_t i = 0; i < g->owners.n; i++)
        str_fmt(out, "    grant \"%s\" name %s. TXT;\n", g->key, g->owners.s[i]);
    str_fmt(out, "    // only while dcvagent rehearse is tried: grant \"%s\" wildcard *.%s. TXT;\n};\n", g->key, g->zone);
}

/* --- Knot DNS ------------------------------------------------------------------------------------------------------------------------------ */

static void knot_head(const struct policy *p, struct str *out)
{
    str_add(out, "# Knot DNS, knot.conf. The keys, once, each as keymgr -t made it (its secret is not shown here):\n# key:\n");
    for (size_t i = 0; i < p->n; i++)
        if (by_update(&p->grant[i]) && !key_told(p, &p->grant[i]))
            str_fmt(out, "#   - id: %s\n#     algorithm: %s\n#     secret: ...\n", p->grant[i].key, p->grant[i].algorithm);
    str_add(out, "# The zones, each with its acl beside those that it has:\n# zone:\n");
    for (size_t i = 0; i < p->n; i++)
        if (by_update(&p->grant[i]))
            str_fmt(out, "#   - domain: %s\n#     acl: [ dcvagent-%s ]\n", p->grant[i].zone, p->grant[i].zone);
    str_add(out, "\nacl:\n");
}

static void knot_zone(const struct grant *g, struct str *out)
{
    str_fmt(out, "  # zone %s at %s ([provider %s])\n", g->zone, g->server, g->provider->name);
    str_fmt(out, "  - id: dcvagent-%s\n    key: %s\n    action: update\n    update-type: TXT\n", g->zone, g->key);
    str_add(out, "    # only while dcvagent rehearse is tried: without the next three lines\n");
    str_add(out, "    update-owner: name\n    update-owner-match: equal\n    update-owner-name: [ ");
    for (size_t i = 0; i < g->owners.n; i++)
        str_fmt(out, "%s%s.", i ? ", " : "", g->owners.s[i]);
    str_add(out, " ]\n");
}

/* --- PowerDNS ------------------------------------------------------------------------------------------------------------------------------ */

static void powerdns_zone(const struct grant *g, struct str *out)
{
    if (by_update(g))
        str_fmt(out, "-- pdnsutil add-meta %s TSIG-ALLOW-DNSUPDATE %s\n", g->zone, g->key);
}

static void powerdns_names(const struct policy *p, const struct grant *g, struct str *out)
{
    str_fmt(out, "    [\"%s.\"] = {\n", g->key);
    for (size_t i = 0; i < p->n; i++) {
        const struct grant *o = &p->grant[i];
        if (!by_update(o) || strcmp(o->key, g->key) != 0)
            continue;
        str_fmt(out, "        -- zone %s at %s ([provider %s])\n", o->zone, o->server, o->provider->name);
        for (size_t k = 0; k < o->owners.n; k++)
            str_fmt(out, "        [\"%s.\"] = true,\n", o->owners.s[k]);
    }
    str_add(out, "    },\n");
}

static void powerdns_head(const struct policy *p, struct str *out)
{
    (void)p;
    str_add(out, "-- PowerDNS, DNS UPDATE (type = rfc2136). This text is a Lua script; pdns.conf needs, with the path where it is kept:\n"
                 "--     dnsupdate=yes\n--     allow-dnsupdate-from=ADDRESS OF THIS MACHINE\n"
                 "--     lua-dnsupdate-policy-script=/etc/powerdns/dcvagent.lua\n"
                 "-- Each key once: pdnsutil import-tsig-key NAME ALGORITHM SECRET; and who may write in which zone:\n");
}

static void powerdns_tail(const struct policy *p, struct str *out)
{
    str_add(out, "\nlocal may = {\n");
    for (size_t i = 0; i < p->n; i++)
        if (by_update(&p->grant[i]) && !key_told(p, &p->grant[i]))
            powerdns_names(p, &p->grant[i], out);
    str_add(
        out,
        "}\n\n-- Keys that are not in the list may do what they could before. Only while dcvagent rehearse is tried: without this script.\n"
        "function updatepolicy(input)\n"
        "    local names = may[string.lower(input:getTsigName():toString())]\n"
        "    if names == nil then\n        return true\n    end\n"
        "    return input:getQType() == 16 and names[string.lower(input:getQName():toString())] == true\n"
        "end\n");
}

/* An API key cannot be narrowed. */
static void powerdns_api(const struct policy *p, struct str *out)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->grant[i].provider->type, "powerdns") == 0)
            str_fmt(
                out,
                "-- zone %s ([provider %s]): the key of the HTTP API may change everything at its server, and cannot be narrowed: keep\n"
                "-- webserver-allow-from to this machine, or write by DNS UPDATE with a TSIG key and this script.\n",
                p->grant[i].zone, p->grant[i].provider->name);
}

/* --- all of it ----------------------------------------------------------------------------------------------------------------------------- */

static const struct dialect {
    const char *name;
    void (*head)(const struct policy *p, struct str *out);
    void (*zone)(const struct grant *g, struct str *out);
    void (*tail)(const struct policy *p, struct str *out);
    void (*others)(const struct policy *p, struct str *out); /* what is to be said of providers of other types */
} dialects[] = {
    {"bind", bind_head, bind_zone, NULL, NULL},
    {"knot", knot_head, knot_zone, NULL, NULL},
    {"powerdns", powerdns_head, powerdns_zone, powerdns_tail, powerdns_api},
};

static const struct dialect *dialect_named(const char *name)
{
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++)
        if (strcmp(dialects[i].name, name) == 0)
            return &dialects[i];
    return NULL;
}

static void compose(const struct policy *p, const struct dialect *d, struct str *out)
{
    bool any = false;
    for (size_t i = 0; i < p->n; i++)
        any |= by_update(&p->grant[i]);
    if (any)
        d->head(p, out);
    for (size_t i = 0; i < p->n; i++)
        if (by_update(&p->grant[i]))
            d->zone(&p->grant[i], out);
    if (any && d->tail)
        d->tail(p, out);
    if (d->others)
        d->others(p, out);
}

static void print(const struct call *c, const struct policy *p, const struct dialect *d)
{
    struct str text = STR_INIT(TEXT_MAX);
    compose(p, d, &text);
    if (!c->json) {
        fputs(str_text(&text), stdout);
        if (!text.n)
            say(LEVEL_NOTICE, &(struct about){.step = "policy"}, NULL,
                "no [provider] that %s could serve writes for the names of this configuration", d->name);
        str_free(&text);
        return;
    }
    json_t *zones = json_array();
    for (size_t i = 0; i < p->n; i++) {
        const struct grant *g = &p->grant[i];
        struct str own = STR_INIT(TEXT_MAX);
        if (by_update(g))
            d->zone(g, &own);
        json_array_append_new(zones,
                              json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s}", "provider", g->provider->name, "zone", g->zone, "server",
                                        json_text(*g->server ? g->server : NULL), "key", json_text(*g->key ? g->key : NULL), "algorithm",
                                        json_text(g->algorithm), "owners", json_strs(&g->owners), "text", str_text(&own)));
        str_free(&own);
    }
    json_print(json_pack("{s:i, s:s, s:s, s:o}", "version", 1, "server", d->name, "text", str_text(&text), "zones", zones));
    str_free(&text);
}

enum rc cmd_policy(struct call *c)
{
    struct session s;
    struct err e = {0};
    struct policy p = {.rc = RC_OK};
    enum rc rc = RC_OK;
    const struct dialect *d = dialect_named(c->args.s[0]);
    if (!d) {
        say(LEVEL_ERROR, &(struct about){.step = "policy"}, "USAGE", "policy wants bind, knot or powerdns");
        return RC_USAGE;
    }
    if (!call_session(c, &s, SESSION_READ | SESSION_NET, &rc))
        return rc;
    if (gather(&p, &s, &e)) {
        print(c, &p, d);
        rc = p.rc;
    } else {
        rc = call_fail(c, &e);
    }
    for (size_t i = 0; i < p.n; i++)
        strs_free(&p.grant[i].owners);
    free(p.grant);
    where_free(&p.all);
    session_close(&s);
    return rc;
}
