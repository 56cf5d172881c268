/* google.c: Google Cloud DNS (v1), JSON, with the token of a service account: by its key file, or from the metadata server of a machine at Google.
 *
 * A batch is one change: what is deleted has to match what stands there exactly (412 else), and all of it is carried out or nothing. A change is in
 * step on all servers when it is "done".
 * Source: cloud.google.com/dns/docs/reference/rest/v1 (managedZones.list, resourceRecordSets.list, changes.create, changes.get), "Error messages";
 * developers.google.com/identity/protocols/oauth2/service-account; cloud.google.com/compute/docs/metadata. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/names.h"
#include "conf/conf.h"
#include "providers/cloud/cloud.h"
#include "providers/sign/sign.h"

enum { SETS_MAX = 500 /* of 1,000 a change */, OCTETS_MAX = 90000 /* of 100,000 */, FILE_MAX = 65536, TOKEN_S = 3600 };

static const struct conf_key keys[] = {
    {.name = "service_account_file",
     .type = CONF_SECRET,
     .allowed = "/etc/dcvagent/google.json",
     .help = "Key file (JSON) of a service account; without it the metadata server of the machine is asked."},
    {.name = "project",
     .type = CONF_TEXT,
     .allowed = "my-project",
     .help = "Id of the project; the key file's own where nothing is given."},
    {.name = "zone_ids",
     .type = CONF_LIST,
     .allowed = "example.hk=example-hk",
     .check = cloud_check_zone_ids,
     .help = "Names of managed zones, zone=name each; without it the zone's public managed zone is looked up."},
    CLOUD_METADATA,
    CLOUD_ENDPOINT("https://dns.googleapis.com", ""),
    CLOUD_RATE("10"),
    {0}};

struct account {
    struct secret pem; /* empty: the metadata server */
    char *email, *key_id, *token_uri, *project;
    struct api *metadata;
};

/* --- the token ----------------------------------------------------------------------------------------------------------------------------- */

static void ask_metadata(struct token *t)
{
    const struct provider *p = t->owner;
    t->call.method = "GET";
    t->call.url = mem_fmt("%s/computeMetadata/v1/instance/service-accounts/default/token", section_text(p->section, "metadata"));
    strs_add(&t->call.headers, "Metadata-Flavor: Google");
}

static bool request_token(struct token *t, struct err *e)
{
    const struct provider *p = t->owner;
    const struct account *a = p->own;
    if (!a->pem.n) {
        ask_metadata(t);
        return true;
    }
    int64_t now = clock_now();
    char *header = json_line(json_pack("{s:s, s:s, s:s*}", "alg", "RS256", "typ", "JWT", "kid", a->key_id));
    char *claims = json_line(json_pack("{s:s, s:s, s:s, s:I, s:I}", "iss", a->email, "scope",
                                       "https://www.googleapis.com/auth/ndev.clouddns.readwrite", "aud", a->token_uri, "iat",
                                       (json_int_t)now, "exp", (json_int_t)(now + TOKEN_S)));
    t->call.body = STR_INIT(FILE_MAX);
    str_add(&t->call.body, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=");
    bool good = sign_jwt(&a->pem, header, claims, &t->call.body, e);
    free(header);
    free(claims);
    t->call.method = "POST";
    t->call.url = mem_str(a->token_uri);
    strs_add(&t->call.headers, "Content-Type: application/x-www-form-urlencoded");
    return good;
}

/* --- the zone ------------------------------------------------------------------------------------------------------------------------------ */

static char *base(const struct leg *s)
{
    const struct provider *p = leg_provider(s);
    const struct account *a = p->own;
    return mem_fmt("%s/dns/v1/projects/%s/managedZones", p->endpoint, a->project);
}

static void put_page(struct str *url, const char *page)
{
    if (*page) {
        str_add(url, "&pageToken=");
        text_percent(url, page, strlen(page));
    }
}

/* More pages: their token goes to leg->more. */
static bool next_page(struct leg *s)
{
    const char *page = json_str(s->call.json, "nextPageToken");
    snprintf(s->more, sizeof s->more, "%s", page);
    return *page;
}

static void find(struct leg *s, const char *zone)
{
    struct str url = STR_INIT(4096);
    char *start = base(s);
    str_fmt(&url, "%s?dnsName=%s.", start, zone);
    put_page(&url, s->more);
    leg_request(s, "GET", str_take(&url));
    free(start);
}

static bool plain_id(const char *id)
{
    return *id && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(id);
}

static enum cloud_says found(struct leg *s, const char *zone, char *id, size_t size, struct err *e)
{
    const char *section = leg_provider(s)->section->name;
    size_t i;
    json_t *one;
    unsigned n = 0;
    json_array_foreach(json_object_get(s->call.json, "managedZones"), i, one)
    {
        if (name_same(json_str(one, "dnsName"), zone) && strcmp(json_str(one, "visibility"), "private") != 0 &&
            plain_id(json_str(one, "name"))) {
            snprintf(id, size, "%s", json_str(one, "name"));
            n++;
        }
    }
    if (n == 1)
        return CLOUD_DONE;
    if (!n && next_page(s))
        return CLOUD_MORE;
    if (!n)
        err_set(e, RC_WRITE, "API_ZONE", "[provider %s] the project has no public managed zone %s: check zones= and project=", section,
                zone);
    else
        err_set(e, RC_WRITE, "API_ZONE",
                "[provider %s] the project has %u public managed zones %s: name the right one in zone_ids=", section, n, zone);
    return CLOUD_FAILED;
}

/* --- reading ------------------------------------------------------------------------------------------------------------------------------- */

static void ask(struct leg *s)
{
    struct str url = STR_INIT(4096);
    char *start = base(s);
    str_fmt(&url, "%s/%s/rrsets?name=", start, leg_zone_id(s));
    text_percent(&url, s->set->owner, strlen(s->set->owner));
    str_add(&url, ".");
    put_page(&url, s->more);
    leg_request(s, "GET", str_take(&url));
    free(start);
}

static bool take_txt(struct leg *s, json_t *one, struct err *e)
{
    json_t *values = json_object_get(one, "rrdatas");
    bool good = json_is_array(values) && json_array_size(values) && json_is_integer(json_object_get(one, "ttl")) &&
                !json_object_get(one, "routingPolicy");
    s->set->ttl = (uint32_t)json_num(one, "ttl");
    for (size_t i = 0; good && i < json_array_size(values); i++) {
        const char *native = json_string_value(json_array_get(values, i));
        uint8_t *p = NULL;
        size_t n;
        good = native && txt_unquote(native, &p, &n);
        if (good)
            rrset_add_native(s->set, p, n, native);
        free(p);
    }
    return good ||
           err_set(e, RC_WRITE, "API_SET",
                   "[provider %s] the TXT set at %s is not a simple one (a routing policy or values that cannot be read): it is left alone",
                   leg_provider(s)->section->name, s->set->owner);
}

static enum cloud_says heard(struct leg *s, const struct err *fault, struct err *e)
{
    size_t i;
    json_t *one, *list = json_object_get(s->call.json, "rrsets");
    if (fault) {
        *e = *fault;
        return CLOUD_FAILED;
    }
    if (!json_is_array(list)) {
        err_set(e, RC_PAGES, "API_ANSWER", "[provider %s] could not %s: the API's answer holds no list of record sets",
                leg_provider(s)->section->name, s->call.what);
        return CLOUD_FAILED;
    }
    json_array_foreach(list, i, one)
    {
        if (!name_same(json_str(one, "name"), s->set->owner))
            continue;
        s->set->cname |= strcmp(json_str(one, "type"), "CNAME") == 0;
        if (strcmp(json_str(one, "type"), "TXT") == 0 && !take_txt(s, one, e))
            return CLOUD_FAILED;
    }
    return next_page(s) ? CLOUD_MORE : CLOUD_DONE;
}

/* --- writing ------------------------------------------------------------------------------------------------------------------------------- */

static void put_set(json_t *list, const struct rrset *set)
{
    if (!set->n)
        return;
    json_t *values = json_array();
    char *name = mem_fmt("%s.", set->owner);
    for (size_t i = 0; i < set->n; i++) {
        char *native = cloud_native(set, i, txt_quote);
        json_array_append_new(values, json_text(native));
        free(native);
    }
    json_array_append_new(list,
                          json_pack("{s:s, s:s, s:I, s:o}", "name", name, "type", "TXT", "ttl", (json_int_t)set->ttl, "rrdatas", values));
    free(name);
}

static bool write_sets(struct leg *s, struct err *e)
{
    (void)e;
    json_t *out = json_array(), *in = json_array();
    char *start = base(s);
    for (size_t i = 0; i < s->n; i++) {
        put_set(out, s->swap[i].before);
        put_set(in, s->swap[i].after);
    }
    leg_request(s, "POST", mem_fmt("%s/%s/changes", start, leg_zone_id(s)));
    leg_json(s, json_pack("{s:o, s:o}", "additions", in, "deletions", out));
    free(start);
    return true;
}

static enum cloud_says wrote(struct leg *s, const struct err *fault, struct err *e)
{
    if (fault) {
        *e = *fault;
        bool one_of_them = strstr(api_words(s->call.json), "entity.change") != NULL; /* where the fault is: entity.change.deletions[0] */
        if (s->call.status == 412 || s->call.status == 409 || (s->call.status == 404 && one_of_them))
            return CLOUD_CONFLICT;
        return s->call.status == 400 && one_of_them ? CLOUD_SPLIT : CLOUD_FAILED;
    }
    const char *id = json_str(s->call.json, "id"), *status = json_str(s->call.json, "status");
    if (!*id || !*status) {
        err_set(e, RC_PAGES, "API_ANSWER", "[provider %s] could not %s: the API's answer is no change with id and status",
                leg_provider(s)->section->name, s->call.what);
        return CLOUD_FAILED;
    }
    snprintf(s->more, sizeof s->more, "%s", strcmp(status, "pending") == 0 ? id : "");
    return CLOUD_DONE;
}

static void poll_change(struct leg *s)
{
    struct str url = STR_INIT(4096);
    char *start = base(s);
    str_fmt(&url, "%s/%s/changes/", start, leg_zone_id(s));
    text_percent(&url, s->more, strlen(s->more));
    leg_request(s, "GET", str_take(&url));
    free(start);
}

static bool synced(struct leg *s)
{
    return strcmp(json_str(s->call.json, "status"), "pending") != 0;
}

static const struct cloud_ops ops = {.token = true,
                                     .serial = true,
                                     .sets_max = SETS_MAX,
                                     .octets_max = OCTETS_MAX,
                                     .find = find,
                                     .found = found,
                                     .ask = ask,
                                     .heard = heard,
                                     .write = write_sets,
                                     .wrote = wrote,
                                     .poll = poll_change,
                                     .synced = synced};

/* --- the type ------------------------------------------------------------------------------------------------------------------------------ */

static void account_free(struct account *a)
{
    if (!a)
        return;
    api_free(a->metadata);
    secret_free(&a->pem);
    free(a->email);
    free(a->key_id);
    free(a->token_uri);
    free(a->project);
    free(a);
}

static bool read_key_file(struct account *a, const struct section *s, const char *path, struct err *e)
{
    struct secret text = {0};
    if (!secret_read(&text, path, FILE_MAX, e))
        return false;
    json_t *j = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    const char *pem = json_str(j, "private_key"), *email = json_str(j, "client_email"), *uri = json_str(j, "token_uri");
    bool good = *pem && *email && *uri && strcmp(json_str(j, "type"), "service_account") == 0;
    if (good) {
        secret_set(&a->pem, pem, strlen(pem));
        a->email = mem_str(email);
        a->token_uri = mem_str(uri);
        a->key_id = *json_str(j, "private_key_id") ? mem_str(json_str(j, "private_key_id")) : NULL;
        if (!a->project && *json_str(j, "project_id"))
            a->project = mem_str(json_str(j, "project_id"));
    } else {
        err_set(e, RC_CONF, "KEY_FILE",
                "[provider %s]: %s is no key file of a service account: JSON with type, client_email, private_key and token_uri, as the "
                "console "
                "or `gcloud iam service-accounts keys create` writes it",
                s->name, path);
    }
    json_decref(j);
    secret_free(&text);
    return good;
}

static void examine(const struct section *s, struct conf_sink *to)
{
    if (!section_text(s, "service_account_file") && !section_text(s, "project"))
        conf_sink_fault(to, NULL, RC_CONF, "without service_account_file= the key project= is needed");
}

static bool set_up(struct account *a, const struct section *s, struct net *n, struct err *e)
{
    const char *file = section_text(s, "service_account_file"), *project = section_text(s, "project");
    struct api_setup metadata = {.section = s, .credential = "metadata", .plain = true};
    a->project = mem_str(project);
    if (file ? !read_key_file(a, s, file, e) : !api_new(&a->metadata, n, &metadata, e))
        return false;
    if (!a->project)
        return err_set(e, RC_CONF, "KEY_FILE", "[provider %s]: project= is missing: the id of the project that the zones belong to",
                       s->name);
    if (strspn(a->project, "abcdefghijklmnopqrstuvwxyz0123456789-.:") != strlen(a->project))
        return err_set(e, RC_CONF, "KEY_FILE", "[provider %s]: \"%.60s\" is no id of a project", s->name, a->project);
    return true;
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
    if (!set_up(a, s, n, e) || !cloud_open(out, &ops, s, n, a->email ? a->email : a->project, e)) {
        account_free(a);
        return false;
    }
    (*out)->own = a;
    (*out)->token.request = request_token;
    if (a->metadata)
        (*out)->token.api = a->metadata;
    return true;
}

extern const struct provider_ops provider_google;
const struct provider_ops provider_google = {
    .type = "google",
    .summary = "Google Cloud DNS",
    .rights =
        "A role of its own on the project with dns.changes.create, dns.changes.get, dns.resourceRecordSets.list, .create, .delete and "
        ".update, and dns.managedZones.list where zone_ids= does not name the zones; the ready-made role is roles/dns.admin.",
    .limits = "A set with a routing policy is left alone.",
    .links = "https://cloud.google.com/dns/docs/reference/rest/v1/changes/create "
             "https://developers.google.com/identity/protocols/oauth2/service-account",
    .tried = "a simulated server made from Google's documentation, which checks the assertion with openssl; not tried live",
    .caps = CAN_READ | CAN_BATCH | CAN_SYNC | ATOMIC | WRITES_SETS | HAS_CAS,
    .grade = 'A',
    .keys = keys,
    .examine = examine,
    .open = open_provider,
    .read = cloud_read,
    .apply = cloud_apply,
    .cost = cloud_cost,
    .close = close_provider,
};
