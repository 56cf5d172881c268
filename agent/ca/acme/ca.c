/* ca.c: an ACME section: its keys, its rules, its one set of connections, and which URLs of the CA are followed. */
#include "ca/acme/acme.h"

#include <stdlib.h>
#include <string.h>

#include "ca/acme/acme_impl.h"
#include "base/mem.h"
#include "net/proxy.h"

#ifndef DCVAGENT_VERSION
#define DCVAGENT_VERSION "unversioned"
#endif

static const struct conf_key acme_keys[] = {
    {.name = "directory",
     .type = CONF_TEXT,
     .allowed = "https://acme-v02.api.letsencrypt.org/directory",
     .required = true,
     .check = conf_check_https,
     .help = "URL of the CA's directory."},
    {.name = "contact",
     .type = CONF_LIST,
     .allowed = "hostmaster@example.hk",
     .help = "E-mail addresses that the CA may write to about the account; a change is told to the CA."},
    {.name = "accept_terms",
     .type = CONF_YESNO,
     .standard = "no",
     .help = "Whether the CA's terms of service are agreed to; without it no account is made, and their URL is shown."},
    {.name = "eab_kid",
     .type = CONF_TEXT,
     .allowed = "kid-1",
     .help = "Key identifier for the external account binding, where the CA hands one out."},
    {.name = "eab_key_file",
     .type = CONF_SECRET,
     .allowed = "/etc/dcvagent/eab.key",
     .help = "File with the key of the external account binding, in base64url as the CA hands it out."},
    {.name = "eab_alg", .type = CONF_WORD, .standard = "HS256", .allowed = "HS256|HS384|HS512", .help = "How that key signs."},
    {.name = "profile",
     .type = CONF_TEXT,
     .allowed = "tlsserver",
     .help = "Profile of the certificates, one of those that the directory names."},
    {.name = "preferred_chain",
     .type = CONF_TEXT,
     .allowed = "ISRG Root X1",
     .help = "Of the chains that the CA offers, the one whose topmost certificate was issued by this common name; the CA's first where "
             "none was."},
    {.name = "record",
     .type = CONF_PLACES,
     .standard = "_acme-challenge",
     .allowed = "name apex _LABEL",
     .help = "Where the CA looks for its code: below the label _acme-challenge (RFC 8555)."},
    {.name = "record_ttl",
     .type = CONF_COUNT,
     .standard = "60",
     .allowed = "1..2147483647",
     .help = "TTL in seconds of the records, which are gone again soon."},
    {.name = "ca_file",
     .type = CONF_FILE,
     .allowed = "/etc/dcvagent/private-ca.pem",
     .check = conf_check_readable,
     .help = "Roots that the CA's own web server is checked against, instead of the system's; its certificates are taken with the chain it "
             "sends."},
    {0},
};

static bool acme_open(struct ca **out, const struct section *s, struct net *n, struct store *st, struct err *e)
{
    const char *kid = section_text(s, "eab_kid"), *file = section_text(s, "eab_key_file");
    if (!kid != !file)
        return err_set(e, RC_CONF, "EAB_NEEDED", "[ca %s]: eab_kid and eab_key_file belong together, %s is missing", s->name,
                       kid ? "eab_key_file" : "eab_kid");
    struct ca *c = mem_new(sizeof *c);
    c->section = s;
    c->name = s->name;
    c->directory = section_text(s, "directory");
    c->net = n;
    c->store = st;
    c->waits = -1;
    c->nonce_most = c->nonce_left = NONCES_MAX;
    section_places(s, "record", &c->places);
    section_list(s, "caa", &c->caa);
    section_list(s, "chain_files", &c->chain_files);
    section_list(s, "contact", &c->contact);
    c->rules = (struct ca_rules){.place = c->places.p,
                                 .n_place = c->places.n,
                                 .type = TYPE_TXT,
                                 .ttl = (uint32_t)section_number(s, "record_ttl"),
                                 .release_early = true,
                                 .each_listed = true,
                                 .chain_given = true,
                                 .key_type = "p256",
                                 .caa = &c->caa,
                                 .caa_method = "dns-01",
                                 .caa_account = &c->account.url,
                                 .chain_files = &c->chain_files};
    *out = c;
    return true;
}

static void acme_close(struct ca *c)
{
    op_cancel(&c->warm.op);
    account_close(c);
    nonce_close(c);
    if (c->dir_request) {
        acme_request_clear(c->dir_request);
        free(c->dir_request);
    }
    acme_dir_free(&c->dir);
    http_client_free(c->http);
    places_free(&c->places);
    strs_free(&c->caa);
    strs_free(&c->chain_files);
    strs_free(&c->contact);
    free(c);
}

static const struct ca_rules *acme_rules(const struct ca *c)
{
    return &c->rules;
}

static unsigned acme_requests(const struct ca *c)
{
    return c->http ? http_client_requests(c->http) : 0;
}

struct http_client *acme_http(struct ca *c, struct err *e)
{
    struct proxy proxy;
    if (c->http)
        return c->http;
    if (!proxy_of_section(c->section, &proxy, e))
        return NULL;
    struct http_setup setup = {.ca_file = section_text(c->section, "ca_file"),
                               .proxy = proxy.url,
                               .proxy_user = proxy_user(&proxy),
                               .agent = "dcvagent/" DCVAGENT_VERSION,
                               .memory = acme_addresses(c)};
    c->http = http_client_new(c->net, &setup, e);
    proxy_clear(&proxy);
    return c->http;
}

/* The CA is not believed in all it says: it may send us to its own servers only, those that its directory names. */
bool acme_url_ok(const struct ca *c, const char *url, const char *what, struct err *e)
{
    char origin[280], safe[120];
    text_safe(safe, sizeof safe, url, strlen(url));
    if (!*url)
        err_set(e, RC_CA, "CA_URL", "the CA's answer has no %s", what);
    else if (strlen(url) >= URL_SIZE || !http_origin(url, false, origin, sizeof origin))
        err_set(e, RC_CA, "CA_URL", "the CA gives \"%s\" as %s, which is no https URL; it is not followed", safe, what);
    else if (c->dir.known && !strs_has(&c->dir.origins, origin))
        err_set(e, RC_CA, "CA_URL", "the CA gives \"%s\" as %s, on a server that its directory does not name; it is not followed", safe,
                what);
    else
        return true;
    return err_at(e, "%s", c->name);
}

const char *acme_url(const struct ca *c, const json_t *j, const char *key, struct err *e)
{
    const char *url = json_str(j, key);
    return acme_url_ok(c, url, key, e) ? url : NULL;
}

const struct ca_ops acme_ca = {
    .type = "acme",
    .summary = "any CA that speaks ACME (RFC 8555), by dns-01",
    .keys = acme_keys,
    .open = acme_open,
    .rules = acme_rules,
    .warm = case_warm,
    .look = case_look,
    .begin = case_begin,
    .confirm = case_confirm,
    .submit = case_submit,
    .fetch = case_fetch,
    .renewal = acme_renewal,
    .errand = account_errand,
    .requests = acme_requests,
    .close = acme_close,
};
