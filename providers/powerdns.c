/* powerdns.c: PowerDNS Authoritative Server by its HTTP API. Here: keys and life, the server's version, how requests look;
 * powerdns_read.c and powerdns_apply.c do the work.
 *
 * Before 4.9.12 and 5.0.2 the API replaces whole sets and knows no compare-and-swap: what somebody else writes at the same name between our
 * read and our write is lost (grade B). Later servers take single records (grade A). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "providers/powerdns.h"

enum { KEY_MAX = 4096, ZONE_MAX = 8 << 20 };
enum { V4_9_12 = 0x04090c, V5_0_0 = 0x050000, V5_0_2 = 0x050002 };

static const struct conf_key keys[] = {
    {.name = "url",
     .type = CONF_TEXT,
     .allowed = "http://127.0.0.1:8081",
     .required = true,
     .check = conf_check_url,
     .help =
         "The server's web server (webserver-address, webserver-port); http:// on this machine or in a network that is trusted: the key "
         "travels in clear."},
    {.name = "api_key_file",
     .type = CONF_SECRET,
     .allowed = "/etc/dcvagent/pdns.key",
     .required = true,
     .help = "File with the key alone (the server's api-key=)."},
    {.name = "server_id", .type = CONF_TEXT, .standard = "localhost", .help = "The server's id in the API: localhost but behind proxies."},
    {.name = "ca_file",
     .type = CONF_FILE,
     .allowed = "/etc/dcvagent/private-ca.pem",
     .check = conf_check_readable,
     .help = "Roots that an https:// url is checked against, instead of the system's."},
    {.name = "notify",
     .type = CONF_WORD,
     .standard = "auto",
     .allowed = "auto|yes|no",
     .help =
         "Tells the secondaries at once after a write: auto where the zone is a primary at this server, else they hear of it by its own "
         "cycle (up to a minute)."},
    {0}};

bool pdns_single(const struct provider *p)
{
    return p->version >= V5_0_2 || (p->version >= V4_9_12 && p->version < V5_0_0);
}

bool pdns_shows_disabled(const struct provider *p)
{
    return p->version >= V5_0_0;
}

bool pdns_missing(const struct provider *p, const char *zone, struct err *e)
{
    if (p->found)
        return err_set(e, RC_CONF, "POWERDNS_ZONE",
                       "[provider %s] does not have zone %s (404): create it there, or take it out of zones= of this section", p->name,
                       zone);
    return err_set(e, RC_CONF, "POWERDNS_SERVER",
                   "[provider %s]: there is no PowerDNS API at %s (404): check url=, server_id=, and that the server runs with api=yes",
                   p->name, p->server);
}

struct pdns_zone *pdns_zone(struct provider *p, const char *name)
{
    struct pdns_zone *z = p->zone;
    while (z && strcmp(z->name, name) != 0)
        z = z->next;
    if (z)
        return z;
    struct str url = STR_INIT(4096);
    str_fmt(&url, "%s/zones/", p->server);
    api_encode(&url, name);
    str_add(&url, ".");
    z = mem_new(sizeof *z);
    *z = (struct pdns_zone){.next = p->zone, .name = mem_str(name), .url = str_take(&url)};
    return p->zone = z;
}

void pdns_call(struct provider *p, struct api_call *c, const char *method, char *url, op_fn *done, void *owner)
{
    api_call_clear(c);
    *c = (struct api_call){.op = {.done = done, .owner = owner}, .method = method, .url = url};
    strs_add_n(&c->headers, (const char *)p->header.p, p->header.n);
    strs_add(&c->headers, "Accept: application/json");
    c->repeatable = strcmp(method, "GET") == 0;
}

/* --- the version ---------------------------------------------------------------------------------------------------------------------- */

/* "4.7.3", "5.0.2-rc1"; builds between releases count as 0.0. */
static unsigned version_of(const char *text)
{
    unsigned a = 0, b = 0, c = 0;
    if (sscanf(text, "%3u.%3u.%3u", &a, &b, &c) < 2 || a > 255 || b > 255 || c > 255)
        return 0;
    return a << 16 | b << 8 | c;
}

/* A proxy that lets only zones through refuses the question: then the server counts as an old one. */
static bool answered(const struct api_call *c, const struct err *e)
{
    return !e || (c->status >= 400 && c->status < 500 && c->status != 408 && c->status != 429) || c->status == 501;
}

static void greeted(struct op *op, const struct err *e)
{
    struct provider *p = op->owner;
    p->greeted = answered(&p->hello, e);
    p->found = !e && *json_str(p->hello.json, "version");
    p->version = p->found ? version_of(json_str(p->hello.json, "version")) : 0;
    struct err why = e ? *e : (struct err){0};
    api_call_clear(&p->hello);
    while (p->waiting)
        pdns_read_go(p->waiting, p->greeted ? NULL : &why);
}

void pdns_greet(struct provider *p)
{
    if (op_busy(&p->hello.op))
        return;
    pdns_call(p, &p->hello, "GET", mem_str(p->server), greeted, p);
    p->hello.what = "ask for its version";
    api_start(p->api, &p->hello);
}

static void warm(struct provider *p, const char *zone)
{
    (void)zone; /* connections do not outlive their answer */
    if (!p->greeted)
        pdns_greet(p);
}

static char graded(const struct provider *p)
{
    return pdns_single(p) ? 'A' : 'B';
}

/* --- life ----------------------------------------------------------------------------------------------------------------------------- */

static void close_provider(struct provider *p)
{
    if (!p)
        return;
    op_cancel(&p->hello.op);
    api_call_clear(&p->hello);
    api_free(p->api);
    while (p->zone) {
        struct pdns_zone *z = p->zone;
        p->zone = z->next;
        free(z->name);
        free(z->url);
        free(z);
    }
    secret_free(&p->header);
    free(p->server);
    free(p);
}

/* The URL may end before /api/v1, as it stands in the server's configuration, or behind it. */
static char *server_url(const struct section *s)
{
    static const char api[] = "/api/v1";
    const char *url = section_text(s, "url");
    struct str out = STR_INIT(4096);
    size_t n = strlen(url);
    while (n && url[n - 1] == '/')
        n--;
    str_put(&out, url, n);
    if (n < sizeof api - 1 || strncmp(url + n - (sizeof api - 1), api, sizeof api - 1) != 0)
        str_add(&out, api);
    str_add(&out, "/servers/");
    api_encode(&out, section_text(s, "server_id"));
    return str_take(&out);
}

static bool read_key(struct provider *p, const struct section *s, struct err *e)
{
    const char *file = section_text(s, "api_key_file");
    struct secret key = {0};
    struct str line = STR_INIT(KEY_MAX + 16);
    if (!secret_read(&key, file, KEY_MAX, e))
        return false;
    bool good = true;
    for (size_t i = 0; i < key.n; i++)
        good = good && key.p[i] >= ' ' && key.p[i] <= '~';
    str_add(&line, "X-API-Key: ");
    str_put(&line, key.p, key.n);
    secret_set(&p->header, str_text(&line), line.n);
    explicit_bzero(line.p, line.n);
    str_free(&line);
    secret_free(&key);
    return good || err_set(e, RC_CONF, "POWERDNS_KEY",
                           "[provider %s]: %s holds more than one line of printable characters: it must be the key alone", s->name, file);
}

static bool open_provider(struct provider **out, const struct section *s, struct net *n, struct err *e)
{
    struct provider *p = mem_new(sizeof *p);
    struct api_setup setup = {.section = s, .credential = section_text(s, "api_key_file"), .plain = true, .max = ZONE_MAX};
    p->name = s->name;
    p->notify = section_word(s, "notify");
    p->server = server_url(s);
    if (read_key(p, s, e) && api_new(&p->api, n, &setup, e)) {
        *out = p;
        return true;
    }
    close_provider(p);
    return false;
}

extern const struct provider_ops provider_powerdns;
const struct provider_ops provider_powerdns = {
    .type = "powerdns",
    .summary = "PowerDNS Authoritative Server by its HTTP API",
    .rights = "the server's api-key; the API knows no lesser right. Where that is too much, type = rfc2136 with TSIG-ALLOW-DNSUPDATE "
              "writes in single "
              "zones",
    .limits = "from 4.9.12 and 5.0.2 on single records are written (grade A); older servers take whole sets only: what somebody else "
              "writes at the "
              "same name between our read and our write, milliseconds, is lost (grade B)",
    .links = "https://doc.powerdns.com/authoritative/http-api/ https://doc.powerdns.com/authoritative/http-api/zone.html",
    .tried = "pdns_server 4.7.3 of Debian 12; single records against a simulated server",
    .caps = CAN_READ | CAN_BATCH | ATOMIC | WRITES_SETS,
    .grade = 'B',
    .graded = graded,
    .keys = keys,
    .open = open_provider,
    .warm = warm,
    .read = pdns_read,
    .apply = pdns_apply,
    .cost = pdns_cost,
    .close = close_provider,
};
