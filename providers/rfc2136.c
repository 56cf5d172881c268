/* rfc2136.c: DNS UPDATE (RFC 2136) by TCP, signed with TSIG: BIND, Knot DNS, PowerDNS and every other server that speaks it.
 *
 * One message a batch: single records added, exact RDATA deleted; so values of others survive by construction, and the batch is carried out
 * as a whole or not at all. Here: keys and life; authority.c reads, rfc2136_apply.c writes, rfc2136_probe.c asks
 * what it might write. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "providers/authority.h"
#include "providers/rfc2136.h"

static const struct conf_key keys[] = {
    {.name = "server",
     .type = CONF_SERVER,
     .allowed = "192.0.2.53",
     .required = true,
     .help = "The server that takes updates (the primary, hidden or not): address[:port] or a name."},
    {.name = "tsig_key_file",
     .type = CONF_SECRET,
     .allowed = "/etc/dcvagent/bind.key",
     .help = "Key file as tsig-keygen, keymgr -t, nsupdate -y or pdnsutil write it; with several keys in it tsig_name chooses."},
    {.name = "tsig_name", .type = CONF_TEXT, .allowed = "dcv-key", .help = "Name of the key, as the server has it."},
    {.name = "tsig_algorithm",
     .type = CONF_TEXT,
     .standard = "hmac-sha256",
     .check = tsig_algorithm_check,
     .help = "Algorithm of the key: hmac-sha256, -sha224, -sha384, -sha512, -sha1, or -md5 with tsig_allow_md5."},
    {.name = "tsig_secret_file",
     .type = CONF_SECRET,
     .allowed = "/etc/dcvagent/bind.secret",
     .help = "File with the key's secret alone, in base64."},
    {.name = "tsig_allow_md5", .type = CONF_YESNO, .standard = "no", .help = "Allows keys with the outdated hmac-md5."},
    {.name = "sign_query",
     .type = CONF_YESNO,
     .standard = "no",
     .help = "Signs the reading questions to server= too, for BIND views that are chosen by key."},
    {0}};

static void close_provider(struct provider *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_line; i++)
        stream_close(p->line[i].stream);
    tsig_key_free(&p->key);
    free(p);
}

static bool open_provider(struct provider **out, const struct section *s, struct net *n, struct err *e)
{
    struct endpoints server;
    section_servers(s, "server", &server);
    struct provider *p = mem_new(sizeof *p);
    bool none = true, good = false;
    if (!server.n)
        err_set(e, RC_CONF, "SERVER", "[provider %s]: server= is missing: the address of the name server that takes updates", s->name);
    else if (server.e[0].via == VIA_TLS || server.e[0].via == VIA_HTTPS)
        err_set(e, RC_CONF, "SERVER", "[provider %s]: updates go by TCP only; write server= without tls:// or https://", s->name);
    else
        good = tsig_key_section(&p->key, s, &none, e);
    if (good) {
        p->net = n;
        p->has_key = !none;
        p->sign_query = p->has_key && section_yes(s, "sign_query");
        endpoint_show(&server.e[0], p->server, sizeof p->server);
        p->to = server.e[0];
        if (none)
            say(LEVEL_WARNING, NULL, "UPDATE_WITHOUT_KEY",
                "[provider %s]: no TSIG key is configured: updates go unsigned and answers are taken unproven; "
                "set tsig_key_file",
                s->name);
    }
    endpoints_free(&server);
    if (good)
        *out = p;
    else
        close_provider(p);
    return good;
}

/* Zones beyond LINES_MAX share, always the same one: what is sent for a zone keeps its order. */
struct stream *rfc2136_stream(struct provider *p, const char *zone)
{
    size_t sum = 0;
    for (size_t i = 0; i < p->n_line; i++)
        if (strcmp(p->line[i].zone, zone) == 0)
            return p->line[i].stream;
    if (p->n_line == LINES_MAX) {
        for (const char *c = zone; *c; c++)
            sum = sum * 31 + (unsigned char)*c;
        return p->line[sum % LINES_MAX].stream;
    }
    struct line *l = &p->line[p->n_line++];
    snprintf(l->zone, sizeof l->zone, "%s", zone);
    l->stream = stream_open(p->net, &p->to);
    return l->stream;
}

static void read_sets(struct provider *p, struct lookup *l)
{
    struct authority a = {.stream = rfc2136_stream(p, l->zone),
                          .server = p->server,
                          .key = p->sign_query ? &p->key : NULL,
                          .refused = ", or set sign_query = yes where the view is chosen by key"};
    authority_read(&a, l);
}

static void warm(struct provider *p, const char *zone)
{
    stream_warm(rfc2136_stream(p, zone));
}

extern const struct provider_ops provider_rfc2136;
const struct provider_ops provider_rfc2136 = {
    .type = "rfc2136",
    .summary = "DNS UPDATE signed with TSIG: BIND, Knot DNS, PowerDNS and others",
    .rights =
        "A TSIG key that may change TXT at the names to prove and nothing else: in BIND update-policy { grant KEY name OWNER TXT; }, in "
        "Knot DNS an acl with update-type and update-owner.",
    .limits = "Updates go by TCP. One message a zone, halved where the server refuses without naming the culprit.",
    .tried = "named, knotd and pdns_server of Debian 12.",
    .caps = CAN_READ | CAN_BATCH | ATOMIC,
    .grade = 'A',
    .keys = keys,
    .open = open_provider,
    .warm = warm,
    .read = read_sets,
    .apply = rfc2136_apply,
    .probe = rfc2136_probe,
    .close = close_provider,
};
