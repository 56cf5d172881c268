/* route53.c: Amazon Route 53 (API version 2013-04-01), XML signed with Signature Version 4.
 *
 * A batch is one ChangeBatch: DELETE of each set exactly as it was read and CREATE of what it becomes, carried out as a whole or not at all. UPSERT
 * would write over what somebody else wrote meanwhile. Changes are in step on all servers when GetChange says INSYNC.
 * Source: docs.aws.amazon.com/Route53/latest/APIReference (ListHostedZonesByName, ListResourceRecordSets, ChangeResourceRecordSets, GetChange),
 * Developer Guide "Supported DNS record types" (TXT) and "DNS domain name format". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/names.h"
#include "conf/conf.h"
#include "providers/cloud/cloud.h"
#include "providers/cloud/xml.h"
#include "providers/sign/sign.h"

enum { SETS_MAX = 400 /* of 1,000 records a request, each set twice */, OCTETS_MAX = 30000 /* of 32,000 */, PAUSE_S = 2 };

#define NAMESPACE "https://route53.amazonaws.com/doc/2013-04-01/"

static const struct conf_key keys[] = {
    {.name = "access_key_id", .type = CONF_TEXT, .allowed = "AKIAIOSFODNN7EXAMPLE", .required = true, .help = "Id of the access key."},
    {.name = "secret_key_file",
     .type = CONF_SECRET,
     .allowed = "/etc/dcvagent/aws.secret",
     .required = true,
     .help = "File with the secret access key."},
    {.name = "session_token_file",
     .type = CONF_SECRET,
     .allowed = "/run/dcvagent/aws.token",
     .help = "File with the session token of temporary credentials."},
    {.name = "zone_ids",
     .type = CONF_LIST,
     .allowed = "example.hk=Z1D633PJN98FT9",
     .check = cloud_check_zone_ids,
     .help = "Ids of hosted zones, zone=id each; without it the zone's public hosted zone is looked up by name."},
    {.name = "region",
     .type = CONF_TEXT,
     .standard = "us-east-1",
     .help = "Region that requests are signed for: us-east-1, or cn-northwest-1 in China."},
    CLOUD_ENDPOINT("https://route53.amazonaws.com", "; https://route53.amazonaws.com.cn in China"),
    CLOUD_RATE("5"),
    {0}};

struct keys {
    struct secret secret, token;
};

/* --- names and values -------------------------------------------------------------------------------------------------------------------- */

/* Numbers behind backslashes from one base to the other: Route 53 writes them in octal, RFC 1035 in decimal. False: no such escape. */
static bool renumber(const char *text, int from, struct str *out)
{
    for (const char *p = text; *p;) {
        if (*p != '\\' || p[1] < '0' || p[1] > '9') {
            size_t n = *p == '\\' && p[1] ? 2 : 1;
            str_put(out, p, n);
            p += n;
            continue;
        }
        char digits[4] = "", *stop;
        memcpy(digits, p + 1, strnlen(p + 1, 3));
        unsigned long v = strtoul(digits, &stop, from);
        if (stop != digits + 3 || v > 255)
            return false;
        str_fmt(out, from == 8 ? "\\%03lu" : "\\%03lo", v);
        p += 4;
    }
    return true;
}

static void quote(struct str *out, struct bytes value)
{
    struct str decimal = STR_INIT(out->max);
    txt_quote(&decimal, value);
    renumber(str_text(&decimal), 10, out);
    str_free(&decimal);
}

static bool add_value(struct rrset *set, const char *native)
{
    struct str decimal = STR_INIT(1 << 20);
    uint8_t *p = NULL;
    size_t n;
    bool good = renumber(native, 8, &decimal) && txt_unquote(str_text(&decimal), &p, &n);
    if (good)
        rrset_add_native(set, p, n, native);
    free(p);
    str_free(&decimal);
    return good;
}

/* "\052.example.com." is *.example.com. */
static bool same_owner(const char *theirs, const char *owner)
{
    char name[NAME_SIZE + 8];
    if (strncmp(theirs, "\\052.", 5) == 0) {
        snprintf(name, sizeof name, "*%s", theirs + 4);
        return name_same(name, owner);
    }
    return name_same(theirs, owner);
}

/* --- requests ------------------------------------------------------------------------------------------------------------------------------ */

static bool sign(struct provider *p, struct api_call *c, struct err *e)
{
    const struct keys *k = p->own;
    struct sign_in in = {.method = c->method,
                         .url = c->url,
                         .headers = &c->headers,
                         .body = {(const uint8_t *)c->body.p, c->body.n},
                         .time = clock_now(),
                         .region = section_text(p->section, "region"),
                         .service = "route53",
                         .id = section_text(p->section, "access_key_id"),
                         .secret = &k->secret,
                         .token = &k->token};
    struct strs added = {0};
    bool good = sign_request("aws-sigv4", &in, &added, e);
    for (size_t i = 0; i < added.n; i++)
        strs_add(&c->headers, added.s[i]);
    strs_free(&added);
    return good;
}

/* All that a refusal says, whichever of its two forms it has; the caller frees. code: "InvalidChangeBatch". */
static char *refusal(const struct api_call *c, char *code, size_t size)
{
    struct xml in, each, text;
    struct str all = STR_INIT(8192);
    char root[65];
    snprintf(code, size, "%s", "");
    if (!xml_open(c->in.n ? c->in.p : "", c->in.n, root, sizeof root, &in))
        return str_take(&all);
    char *word = xml_text(in, "Error/Code"), *message = xml_text(in, "Error/Message");
    snprintf(code, size, "%s", word ? word : root);
    str_add(&all, message ? message : "");
    if (xml_find(in, "Messages", &each))
        while (xml_next(&each, "Message", &text)) {
            char *one = xml_text(text, "");
            str_fmt(&all, "%s%s", all.n ? "; " : "", one ? one : "");
            free(one);
        }
    free(word);
    free(message);
    return str_take(&all);
}

/* Success has a status of 2xx; what else comes is a document of its own kind. */
static bool understood(struct api_call *c)
{
    if (c->status >= 200 && c->status < 300)
        return true;
    struct leg *s = c->op.owner;
    const struct provider *p = leg_provider(s);
    char code[65], shown[200];
    char *words = refusal(c, code, sizeof code);
    if (strcmp(code, "Throttling") == 0 || strcmp(code, "ThrottlingException") == 0) {
        int64_t until = clock_now() + PAUSE_S;
        api_hold(p->api, until);
        err_set(&c->why, RC_LATER, "API_RATE", "[provider %s] could not %s: the API answers %ld, too many requests", p->section->name,
                c->what, c->status);
        err_again(&c->why, until);
    } else if (*code) {
        api_show(c, words, shown, sizeof shown);
        err_set(&c->why, RC_WRITE, c->status == 401 || c->status == 403 ? "API_AUTH" : "API_STATUS",
                "[provider %s] could not %s: the API answers %ld %s: %s", p->section->name, c->what, c->status, code, shown);
        if (strcmp(code, "PriorRequestNotComplete") == 0 || c->status >= 500)
            err_again(&c->why, 0);
    }
    free(words);
    return false;
}

static void request(struct leg *s, const char *method, char *url)
{
    leg_request(s, method, url);
    s->call.raw = true;
    s->call.ok = understood;
}

/* The answer's document; false: it is none, with e. */
static bool document(struct leg *s, const char *name, struct xml *in, struct err *e)
{
    char root[65];
    if (xml_open(s->call.in.n ? s->call.in.p : "", s->call.in.n, root, sizeof root, in) && strcmp(root, name) == 0)
        return true;
    return err_set(e, RC_PAGES, "API_ANSWER", "[provider %s] could not %s: the API's answer is no %s; is a proxy in between?",
                   leg_provider(s)->section->name, s->call.what, name);
}

/* --- the zone ------------------------------------------------------------------------------------------------------------------------------ */

static void find(struct leg *s, const char *zone)
{
    request(s, "GET", mem_fmt("%s/2013-04-01/hostedzonesbyname?dnsname=%s&maxitems=100", leg_provider(s)->endpoint, zone));
}

/* "/hostedzone/Z1D633PJN98FT9" */
static const char *last_part(const char *id)
{
    const char *slash = id ? strrchr(id, '/') : NULL;
    return slash ? slash + 1 : id;
}

static bool plain_id(const char *id)
{
    return id && *id && strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(id);
}

static enum cloud_says found(struct leg *s, const char *zone, char *id, size_t size, struct err *e)
{
    struct xml in, zones, one;
    unsigned n = 0;
    if (!document(s, "ListHostedZonesByNameResponse", &in, e))
        return CLOUD_FAILED;
    if (xml_find(in, "HostedZones", &zones))
        while (xml_next(&zones, "HostedZone", &one)) {
            char *name = xml_text(one, "Name"), *whole = xml_text(one, "Id"), *closed = xml_text(one, "Config/PrivateZone");
            if (name && name_same(name, zone) && !(closed && strcmp(closed, "true") == 0) && plain_id(last_part(whole))) {
                snprintf(id, size, "%s", last_part(whole));
                n++;
            }
            free(name);
            free(whole);
            free(closed);
        }
    const char *section = leg_provider(s)->section->name;
    if (!n)
        err_set(e, RC_WRITE, "API_ZONE", "[provider %s] the account has no public hosted zone %s: check zones= and whose key it is",
                section, zone);
    if (n > 1)
        err_set(e, RC_WRITE, "API_ZONE",
                "[provider %s] the account has %u public hosted zones %s: name the right one in zone_ids=", section, n, zone);
    return n == 1 ? CLOUD_DONE : CLOUD_FAILED;
}

/* --- reading ------------------------------------------------------------------------------------------------------------------------------- */

static void put_name(struct str *url, const char *owner)
{
    if (*owner == '*') {
        str_add(url, "%5C052");
        owner++;
    }
    text_percent(url, owner, strlen(owner));
}

/* The list begins at the owner; what follows it is other people's. */
static void ask(struct leg *s)
{
    struct str url = STR_INIT(4096);
    str_fmt(&url, "%s/2013-04-01/hostedzone/%s/rrset?name=", leg_provider(s)->endpoint, leg_zone_id(s));
    put_name(&url, s->set->owner);
    str_fmt(&url, "&maxitems=50%s", s->more);
    request(s, "GET", str_take(&url));
}

static bool take_txt(struct leg *s, struct xml one, struct err *e)
{
    struct xml records, record;
    char *ttl = xml_text(one, "TTL"), *policy = xml_text(one, "SetIdentifier");
    bool good = ttl && !policy && xml_find(one, "ResourceRecords", &records);
    s->set->ttl = good ? (uint32_t)strtoul(ttl, NULL, 10) : 0;
    while (good && xml_next(&records, "ResourceRecord", &record)) {
        char *value = xml_text(record, "Value");
        good = value && add_value(s->set, value);
        free(value);
    }
    free(ttl);
    free(policy);
    return good ||
           err_set(e, RC_WRITE, "API_SET",
                   "[provider %s] the TXT set at %s is not a simple one (an alias, a routing policy or values that cannot be read): it "
                   "is left alone",
                   leg_provider(s)->section->name, s->set->owner);
}

static bool take_set(struct leg *s, struct xml one, struct err *e)
{
    char *name = xml_text(one, "Name"), *type = xml_text(one, "Type");
    bool here = name && type && same_owner(name, s->set->owner);
    s->set->cname |= here && strcmp(type, "CNAME") == 0;
    bool good = !here || strcmp(type, "TXT") != 0 || take_txt(s, one, e);
    free(name);
    free(type);
    return good;
}

/* What is not said to be whole is not taken for an empty set. */
static bool half(const struct leg *s, struct err *e)
{
    return err_set(e, RC_PAGES, "API_ANSWER", "[provider %s] could not %s: the API's answer does not hold what it must",
                   leg_provider(s)->section->name, s->call.what);
}

static enum cloud_says heard(struct leg *s, const struct err *fault, struct err *e)
{
    struct xml in, sets, one;
    if (fault) {
        *e = *fault;
        return CLOUD_FAILED;
    }
    if (!document(s, "ListResourceRecordSetsResponse", &in, e))
        return CLOUD_FAILED;
    char *cut = xml_text(in, "IsTruncated"), *next = xml_text(in, "NextRecordName"), *type = xml_text(in, "NextRecordType");
    char *policy = xml_text(in, "NextRecordIdentifier");
    bool truncated = cut && strcmp(cut, "true") == 0;
    bool good = (xml_find(in, "ResourceRecordSets", &sets) && cut && (!truncated || (next && type))) || half(s, e);
    while (good && xml_next(&sets, "ResourceRecordSet", &one))
        good = take_set(s, one, e);
    bool more = good && truncated && same_owner(next, s->set->owner);
    if (more) {
        struct str at = STR_INIT(sizeof s->more - 1);
        str_add(&at, "&type=");
        text_percent(&at, type, strlen(type));
        str_add(&at, policy ? "&identifier=" : "");
        text_percent(&at, policy ? policy : "", policy ? strlen(policy) : 0);
        snprintf(s->more, sizeof s->more, "%s", str_text(&at));
        str_free(&at);
    }
    free(cut);
    free(next);
    free(type);
    free(policy);
    return !good ? CLOUD_FAILED : more ? CLOUD_MORE : CLOUD_DONE;
}

/* --- writing ------------------------------------------------------------------------------------------------------------------------------- */

static void put_change(struct str *body, const char *action, const struct rrset *set)
{
    if (!set->n)
        return;
    str_fmt(body, "<Change><Action>%s</Action><ResourceRecordSet><Name>%s%s.</Name><Type>TXT</Type><TTL>%u</TTL><ResourceRecords>", action,
            *set->owner == '*' ? "\\052" : "", set->owner + (*set->owner == '*'), set->ttl);
    for (size_t i = 0; i < set->n; i++) {
        char *value = cloud_native(set, i, quote);
        str_add(body, "<ResourceRecord><Value>");
        xml_escape(body, value);
        str_add(body, "</Value></ResourceRecord>");
        free(value);
    }
    str_add(body, "</ResourceRecords></ResourceRecordSet></Change>");
}

static bool write_sets(struct leg *s, struct err *e)
{
    (void)e;
    struct str body = STR_INIT(4 << 20);
    str_add(&body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ChangeResourceRecordSetsRequest xmlns=\"" NAMESPACE "\"><ChangeBatch><Changes>");
    for (size_t i = 0; i < s->n; i++) {
        put_change(&body, "DELETE", s->swap[i].before);
        put_change(&body, "CREATE", s->swap[i].after);
    }
    str_add(&body, "</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>");
    request(s, "POST", mem_fmt("%s/2013-04-01/hostedzone/%s/rrset/", leg_provider(s)->endpoint, leg_zone_id(s)));
    s->call.body = body;
    strs_add(&s->call.headers, "Content-Type: application/xml");
    return true;
}

/* Every fault of the batch says that a set is not as it was read. */
static bool lost_race(const struct api_call *c)
{
    static const char *const words[] = {"but it was not found", "but it already exists", "do not match the current values"};
    char code[65];
    char *said = refusal(c, code, sizeof code);
    bool lost = false;
    for (size_t i = 0; i < sizeof words / sizeof *words && !lost; i++)
        lost = strcmp(code, "InvalidChangeBatch") == 0 && strstr(said, words[i]);
    free(said);
    return lost;
}

static enum cloud_says wrote(struct leg *s, const struct err *fault, struct err *e)
{
    struct xml in;
    char code[65];
    if (fault) {
        *e = *fault;
        if (s->call.status != 400)
            return CLOUD_FAILED;
        if (lost_race(&s->call))
            return CLOUD_CONFLICT;
        free(refusal(&s->call, code, sizeof code));
        return strcmp(code, "InvalidChangeBatch") == 0 ? CLOUD_SPLIT : CLOUD_FAILED;
    }
    if (!document(s, "ChangeResourceRecordSetsResponse", &in, e))
        return CLOUD_FAILED;
    char *id = xml_text(in, "ChangeInfo/Id"), *status = xml_text(in, "ChangeInfo/Status");
    bool pending = status && strcmp(status, "PENDING") == 0 && plain_id(last_part(id));
    snprintf(s->more, sizeof s->more, "%s", pending ? last_part(id) : "");
    free(id);
    free(status);
    return CLOUD_DONE;
}

static void poll_change(struct leg *s)
{
    char id[sizeof s->more];
    memcpy(id, s->more, sizeof id);
    request(s, "GET", mem_fmt("%s/2013-04-01/change/%s", leg_provider(s)->endpoint, id));
}

static bool synced(struct leg *s)
{
    struct xml in;
    struct err e = {0};
    if (!document(s, "GetChangeResponse", &in, &e))
        return true;
    char *status = xml_text(in, "ChangeInfo/Status");
    bool done = !status || strcmp(status, "PENDING") != 0;
    free(status);
    return done;
}

static const struct cloud_ops ops = {.serial = true,
                                     .sets_max = SETS_MAX,
                                     .octets_max = OCTETS_MAX,
                                     .sign = sign,
                                     .find = find,
                                     .found = found,
                                     .ask = ask,
                                     .heard = heard,
                                     .write = write_sets,
                                     .wrote = wrote,
                                     .poll = poll_change,
                                     .synced = synced};

/* --- the type ------------------------------------------------------------------------------------------------------------------------------ */

static void close_provider(struct provider *p)
{
    struct keys *k = p ? p->own : NULL;
    cloud_close(p);
    if (!k)
        return;
    secret_free(&k->secret);
    secret_free(&k->token);
    free(k);
}

static bool open_provider(struct provider **out, const struct section *s, struct net *n, struct err *e)
{
    const char *token = section_text(s, "session_token_file");
    struct keys *k = mem_new(sizeof *k);
    if (secret_read(&k->secret, section_text(s, "secret_key_file"), 4096, e) && (!token || secret_read(&k->token, token, 16384, e)) &&
        cloud_open(out, &ops, s, n, section_text(s, "access_key_id"), e)) {
        (*out)->own = k;
        api_hide((*out)->api, &k->secret);
        api_hide((*out)->api, &k->token);
        return true;
    }
    secret_free(&k->secret);
    secret_free(&k->token);
    free(k);
    return false;
}

extern const struct provider_ops provider_route53;
const struct provider_ops provider_route53 = {
    .type = "route53",
    .summary = "Amazon Route 53",
    .rights =
        "route53:ListResourceRecordSets and route53:ChangeResourceRecordSets on the zones (the second under the condition "
        "route53:ChangeResourceRecordSetsRecordTypes = TXT), route53:GetChange, and route53:ListHostedZonesByName where zone_ids= does not "
        "name the zones.",
    .limits = "5 requests a second for an account. A set with a routing policy is left alone.",
    .links = "https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html",
    .tried = "a simulated server made from Amazon's documentation, which checks signatures by itself; not tried live",
    .caps = CAN_READ | CAN_BATCH | CAN_SYNC | ATOMIC | WRITES_SETS | HAS_CAS,
    .grade = 'A',
    .keys = keys,
    .open = open_provider,
    .read = cloud_read,
    .apply = cloud_apply,
    .cost = cloud_cost,
    .close = close_provider,
};
