/* azure.c: Azure DNS (API version 2018-05-01), JSON, with a token of Microsoft Entra: by client credentials, or the machine's managed identity.
 *
 * A set is written whole under the condition of its ETag (If-Match), a new one under that of there being none (If-None-Match: *). A value is an array
 * of strings; those of others are given back string by string. What is written replaces the metadata of a set too, so they are given back as well.
 * Source: learn.microsoft.com/rest/api/dns/record-sets (Get, Create Or Update, Delete), "Protecting DNS zones and records" (ETags),
 * /entra/identity-platform/v2-oauth2-client-creds-grant-flow, /entra/identity/managed-identities-azure-resources/how-to-use-vm-token. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "conf/conf.h"
#include "providers/cloud/cloud.h"

enum { STRING_MAX = 255 };

#define VERSION "?api-version=2018-05-01"

static const struct conf_key keys[] = {
    {.name = "subscription_id",
     .type = CONF_TEXT,
     .allowed = "00000000-0000-0000-0000-000000000000",
     .required = true,
     .help = "Id of the subscription that the zones belong to."},
    {.name = "resource_group", .type = CONF_TEXT, .allowed = "dns", .required = true, .help = "Resource group of the zones."},
    {.name = "tenant_id",
     .type = CONF_TEXT,
     .allowed = "contoso.onmicrosoft.com",
     .help = "Directory (tenant) id; with client_secret_file."},
    {.name = "client_id",
     .type = CONF_TEXT,
     .allowed = "00000000-0000-0000-0000-000000000000",
     .help = "Application (client) id, or the id of a user-assigned managed identity."},
    {.name = "client_secret_file",
     .type = CONF_SECRET,
     .allowed = "/etc/dcvagent/azure.secret",
     .help = "File with the application's client secret; without it the managed identity of the machine is used."},
    {.name = "authority",
     .type = CONF_TEXT,
     .standard = "https://login.microsoftonline.com",
     .check = conf_check_url,
     .help = "Where tokens come from; https://login.partner.microsoftonline.cn in China."},
    CLOUD_METADATA,
    CLOUD_ENDPOINT("https://management.azure.com", "; https://management.chinacloudapi.cn in China"),
    CLOUD_RATE("10"),
    {0}};

struct account {
    struct secret secret; /* empty: managed identity */
    struct api *metadata;
};

/* --- the token ----------------------------------------------------------------------------------------------------------------------------- */

static void put_field(struct str *out, const char *name, const char *value)
{
    str_fmt(out, "%s%s=", out->n ? "&" : "", name);
    text_percent(out, value, strlen(value));
}

static bool request_token(struct token *t, struct err *e)
{
    const struct provider *p = t->owner;
    const struct account *a = p->own;
    const char *client = section_text(p->section, "client_id");
    struct str form = STR_INIT(16384);
    char *resource = mem_fmt("%s/", p->endpoint), *scope = mem_fmt("%s/.default", p->endpoint);
    (void)e;
    if (a->secret.n) {
        put_field(&form, "grant_type", "client_credentials");
        put_field(&form, "client_id", client);
        put_field(&form, "scope", scope);
        put_field(&form, "client_secret", (const char *)a->secret.p);
        t->call.method = "POST";
        t->call.url = mem_fmt("%s/%s/oauth2/v2.0/token", section_text(p->section, "authority"), section_text(p->section, "tenant_id"));
        t->call.body = form;
        strs_add(&t->call.headers, "Content-Type: application/x-www-form-urlencoded");
    } else {
        put_field(&form, "api-version", "2018-02-01");
        put_field(&form, "resource", resource);
        if (client)
            put_field(&form, "client_id", client);
        t->call.method = "GET";
        t->call.url = mem_fmt("%s/metadata/identity/oauth2/token?%s", section_text(p->section, "metadata"), str_text(&form));
        strs_add(&t->call.headers, "Metadata: true");
        str_free(&form);
    }
    free(resource);
    free(scope);
    return true;
}

/* --- reading ------------------------------------------------------------------------------------------------------------------------------- */

/* The zone's path, the type, and the name relative to the zone. */
static char *set_url(const struct leg *s, const char *type, const char *owner)
{
    const struct provider *p = leg_provider(s);
    const char *zone = leg_zone(s);
    struct str url = STR_INIT(4096);
    size_t n = strlen(owner), tail = strlen(zone);
    str_fmt(&url, "%s/subscriptions/", p->endpoint);
    text_percent(&url, section_text(p->section, "subscription_id"), strlen(section_text(p->section, "subscription_id")));
    str_add(&url, "/resourceGroups/");
    text_percent(&url, section_text(p->section, "resource_group"), strlen(section_text(p->section, "resource_group")));
    str_fmt(&url, "/providers/Microsoft.Network/dnsZones/%s/%s/", zone, type);
    if (n > tail)
        text_percent(&url, owner, n - tail - 1);
    else
        str_add(&url, "@");
    str_add(&url, VERSION);
    return str_take(&url);
}

/* Where there is no TXT set, a CNAME may stand instead. */
static void ask(struct leg *s)
{
    leg_request(s, "GET", set_url(s, *s->more ? s->more : "TXT", s->set->owner));
}

static const char *error_code(const json_t *j)
{
    const char *code = json_str(json_object_get(j, "error"), "code");
    return *code ? code : json_str(j, "code");
}

static bool take_value(struct rrset *set, json_t *strings)
{
    struct str octets = STR_INIT(65536);
    size_t i;
    json_t *one;
    bool good = json_array_size(strings) > 0;
    json_array_foreach(strings, i, one)
    {
        good = good && json_is_string(one);
        if (good)
            str_put(&octets, json_string_value(one), json_string_length(one));
    }
    char *native = good ? json_dumps(strings, JSON_COMPACT) : NULL;
    if (native)
        rrset_add_native(set, (const uint8_t *)str_text(&octets), octets.n, native);
    free(native);
    str_free(&octets);
    return good;
}

static bool take_txt(struct leg *s, struct err *e)
{
    json_t *properties = json_object_get(s->call.json, "properties"), *records = json_object_get(properties, "TXTRecords"), *one;
    const char *tag = json_str(s->call.json, "etag");
    bool good = *tag && strlen(tag) < sizeof s->set->tag && json_is_array(records) && json_is_integer(json_object_get(properties, "TTL"));
    size_t i;
    json_array_foreach(records, i, one) good = good && take_value(s->set, json_object_get(one, "value"));
    if (!good)
        return err_set(e, RC_PAGES, "API_ANSWER", "[provider %s] could not %s: the API's answer is no TXT set with TTL, values and etag",
                       leg_provider(s)->section->name, s->call.what);
    s->set->ttl = (uint32_t)json_num(properties, "TTL");
    snprintf(s->set->tag, sizeof s->set->tag, "%s", tag);
    json_t *metadata = json_object_get(properties, "metadata");
    if (json_object_size(metadata))
        s->set->rest = json_dumps(metadata, JSON_COMPACT);
    return true;
}

static enum cloud_says heard(struct leg *s, const struct err *fault, struct err *e)
{
    bool absent = s->call.status == 404 && strcmp(error_code(s->call.json), "NotFound") == 0;
    if (fault && !absent) {
        *e = *fault;
        return CLOUD_FAILED;
    }
    if (*s->more) {
        s->set->cname = !absent;
        return CLOUD_DONE;
    }
    if (absent) {
        snprintf(s->more, sizeof s->more, "CNAME");
        return CLOUD_MORE;
    }
    return take_txt(s, e) ? CLOUD_DONE : CLOUD_FAILED;
}

/* --- writing ------------------------------------------------------------------------------------------------------------------------------- */

/* An array of strings of at most 255 octets, cut between characters. */
static json_t *strings_of(struct bytes value)
{
    json_t *list = json_array();
    size_t at = 0;
    do {
        size_t n = 0, step;
        uint32_t code;
        while (at + n < value.n && (step = text_utf8(value.p + at + n, value.n - at - n, &code)) && n + step <= STRING_MAX)
            n += step;
        json_array_append_new(list, json_stringn((const char *)value.p + at, n));
        at += n;
    } while (at < value.n);
    return list;
}

static json_t *records_of(const struct rrset *set)
{
    json_t *list = json_array();
    for (size_t i = 0; i < set->n; i++) {
        const char *native = set->native ? set->native[i] : NULL;
        json_t *strings = native ? json_loads(native, 0, NULL) : strings_of(set->octets[i]);
        json_array_append_new(list, json_pack("{s:o}", "value", strings));
    }
    return list;
}

static bool sayable(const struct leg *s, const struct rrset *set, struct err *e)
{
    for (size_t i = 0; i < set->n; i++)
        if (!(set->native && set->native[i]) && !text_is_utf8(set->octets[i].p, set->octets[i].n))
            return err_set(e, RC_WRITE, "API_VALUE", "[provider %s] Azure DNS takes TXT values of valid UTF-8 only",
                           leg_provider(s)->section->name);
    return true;
}

static bool write_set(struct leg *s, struct err *e)
{
    const struct rrset *before = s->swap->before, *after = s->swap->after;
    if (!sayable(s, after, e))
        return false;
    leg_request(s, after->n ? "PUT" : "DELETE", set_url(s, "TXT", before->owner));
    char *condition = *before->tag ? mem_fmt("If-Match: %s", before->tag) : mem_str("If-None-Match: *");
    strs_add(&s->call.headers, condition);
    free(condition);
    if (after->n) {
        json_t *metadata = before->rest ? json_loads(before->rest, 0, NULL) : NULL;
        leg_json(s, json_pack("{s:{s:I, s:o, s:o*}}", "properties", "TTL", (json_int_t)after->ttl, "TXTRecords", records_of(after),
                              "metadata", metadata));
    }
    return true;
}

static enum cloud_says wrote(struct leg *s, const struct err *fault, struct err *e)
{
    if (!fault)
        return CLOUD_DONE;
    *e = *fault;
    return s->call.status == 412 ? CLOUD_CONFLICT : CLOUD_FAILED;
}

static const struct cloud_ops ops = {.token = true, .sets_max = 1, .ask = ask, .heard = heard, .write = write_set, .wrote = wrote};

/* --- the type ------------------------------------------------------------------------------------------------------------------------------ */

static void account_free(struct account *a)
{
    if (!a)
        return;
    api_free(a->metadata);
    secret_free(&a->secret);
    free(a);
}

#define LACKS_CLIENT "needs tenant_id= and client_id= beside it"

static bool lacks_client(const struct section *s)
{
    return section_text(s, "client_secret_file") && !(section_text(s, "tenant_id") && section_text(s, "client_id"));
}

static void examine(const struct section *s, struct conf_sink *to)
{
    if (lacks_client(s))
        conf_sink_fault(to, "client_secret_file", RC_CONF, LACKS_CLIENT);
}

static bool set_up(struct account *a, const struct section *s, struct net *n, struct err *e)
{
    const char *file = section_text(s, "client_secret_file");
    struct api_setup metadata = {.section = s, .credential = "metadata", .plain = true};
    if (!file)
        return api_new(&a->metadata, n, &metadata, e);
    if (lacks_client(s))
        return err_set(e, RC_CONF, "KEY_FILE", "[provider %s]: client_secret_file= " LACKS_CLIENT, s->name);
    return secret_read(&a->secret, file, 4096, e);
}

static void close_provider(struct provider *p)
{
    struct account *a = p ? p->own : NULL;
    if (p)
        token_free(&p->token);
    account_free(a);
    cloud_close(p);
}

static bool open_provider(struct provider **out, const struct section *s, struct net *n, struct err *e)
{
    struct account *a = mem_new(sizeof *a);
    const char *client = section_text(s, "client_id");
    if (!set_up(a, s, n, e) || !cloud_open(out, &ops, s, n, client ? client : section_text(s, "subscription_id"), e)) {
        account_free(a);
        return false;
    }
    (*out)->own = a;
    (*out)->token.request = request_token;
    if (a->metadata)
        (*out)->token.api = a->metadata;
    api_hide((*out)->api, &a->secret);
    return true;
}

static struct cost cost(const struct provider_ops *p, size_t owners, size_t changes)
{
    (void)p;
    (void)changes;
    return (struct cost){.reads = owners, .writes = owners};
}

extern const struct provider_ops provider_azure;
const struct provider_ops provider_azure = {
    .type = "azure",
    .summary = "Azure DNS",
    .rights = "A role of its own on the zones with Microsoft.Network/dnsZones/TXT/read, /write and /delete and "
              "Microsoft.Network/dnsZones/CNAME/read; the ready-made role is DNS Zone Contributor.",
    .limits = "Values have to be valid UTF-8. One request for each set.",
    .links = "https://learn.microsoft.com/rest/api/dns/record-sets/create-or-update",
    .tried = "a simulated server made from Microsoft's documentation; not tried live",
    .caps = CAN_READ | CAN_BATCH | WRITES_SETS | HAS_CAS,
    .grade = 'A',
    .keys = keys,
    .examine = examine,
    .open = open_provider,
    .read = cloud_read,
    .apply = cloud_apply,
    .cost = cost,
    .close = close_provider,
};
