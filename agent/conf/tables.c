/* tables.c: every key of the configuration file: type, default, what is allowed, and the sentence of the manual. */
#include "conf/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/checks.h"

#define PROXY_KEYS(PROXY, USER, PASSWORD)                                                                                                  \
    {.name = "proxy",                                                                                                                      \
     .type = CONF_TEXT,                                                                                                                    \
     .allowed = "http://proxy:3128",                                                                                                       \
     .check = check_proxy,                                                                                                                 \
     .offset = PROXY,                                                                                                                      \
     .help = "HTTP proxy for requests to CAs and APIs, or none; the environment's proxies are ignored."},                                  \
        {.name = "proxy_user", .type = CONF_TEXT, .allowed = "agent", .offset = USER, .help = "User at the proxy."},                       \
    {                                                                                                                                      \
        .name = "proxy_password_file", .type = CONF_SECRET, .allowed = "/etc/dcvagent/proxy.password", .offset = PASSWORD,                 \
        .help = "File with the password of that user."                                                                                     \
    }

/* Their order is that of conf_verify_keys: struct conf_verify's `given` counts bits by it. */
#define VERIFY_KEYS(BASE)                                                                                                                  \
    {.name = "resolvers",                                                                                                                  \
     .type = CONF_SERVERS,                                                                                                                 \
     .allowed = "none",                                                                                                                    \
     .offset = (BASE) + offsetof(struct conf_verify, resolvers),                                                                           \
     .help = "Recursive resolvers that must see the record too, asked once all authoritative servers agree; none: nobody is asked, "       \
             "which is also what holds without the key."},                                                                                 \
        {.name = "quorum",                                                                                                                 \
         .type = CONF_QUORUM,                                                                                                              \
         .standard = "majority",                                                                                                           \
         .allowed = "all|majority|3",                                                                                                      \
         .offset = (BASE) + offsetof(struct conf_verify, quorum),                                                                          \
         .help = "How many of the resolvers that could be asked must see the record: all, majority or a number."},                         \
        {.name = "must",                                                                                                                   \
         .type = CONF_SERVERS,                                                                                                             \
         .offset = (BASE) + offsetof(struct conf_verify, must),                                                                            \
         .help = "Servers, authoritative or resolvers, that must see the record whatever the quorum; one that cannot be asked blocks."},   \
        {.name = "ignore",                                                                                                                 \
         .type = CONF_SERVERS,                                                                                                             \
         .offset = (BASE) + offsetof(struct conf_verify, ignore),                                                                          \
         .help = "Servers that are asked and shown but never counted."},                                                                   \
        {.name = "authoritative",                                                                                                          \
         .type = CONF_WORD,                                                                                                                \
         .standard = "all",                                                                                                                \
         .allowed = "all|any|off",                                                                                                         \
         .offset = (BASE) + offsetof(struct conf_verify, authoritative),                                                                   \
         .help = "Which authoritative servers must see the record: all, any one of them, or off: none is asked, which needs resolvers."},  \
        {.name = "timeout",                                                                                                                \
         .type = CONF_DURATION,                                                                                                            \
         .standard = "5m",                                                                                                                 \
         .check = conf_check_positive,                                                                                                     \
         .offset = (BASE) + offsetof(struct conf_verify, timeout),                                                                         \
         .help = "How long a run waits for the record to be seen; then it moves on, the record stays and the next run continues."},        \
        {.name = "settle",                                                                                                                 \
         .type = CONF_DURATION,                                                                                                            \
         .standard = "auto",                                                                                                               \
         .allowed = "auto",                                                                                                                \
         .offset = (BASE) + offsetof(struct conf_verify, settle),                                                                          \
         .help =                                                                                                                           \
             "How long to wait after the write before the CA is told; auto: nothing for ACME, else until the set's previous TTL or the "   \
             "zone's negative TTL has passed."},                                                                                           \
    {                                                                                                                                      \
        .name = "discovery", .type = CONF_SERVERS, .standard = "system", .allowed = "system",                                              \
        .offset = (BASE) + offsetof(struct conf_verify, discovery),                                                                        \
        .help = "Resolvers for NS names, addresses and parent zones only, never for the name itself; system: those of resolv.conf."        \
    }

#define AT(MEMBER) .offset = offsetof(struct conf_agent, MEMBER)
const struct conf_key conf_agent_keys[] = {
    {.name = "state_dir",
     .type = CONF_FILE,
     .standard = "/var/lib/dcvagent",
     AT(state_dir),
     .help = "Folder of the state database, the keys and the certificates; it must be on a local file system."},
    {.name = "run_deadline",
     .type = CONF_DURATION,
     .standard = "10m",
     .check = conf_check_positive,
     AT(run_deadline),
     .help = "How long one run may take; what is not finished waits for the next run (exit 75). A walk through a CA's pages that is under "
             "way may take 30 s more."},
    {.name = "parallel_orders",
     .type = CONF_COUNT,
     .standard = "64",
     .allowed = "1..10000",
     AT(parallel_orders),
     .help = "How many orders advance side by side."},
    {.name = "include",
     .type = CONF_LIST,
     .allowed = "conf.d/*.ini",
     .offset = SIZE_MAX,
     .help = "More files to read, sorted, relative to this file; their sections count as if they stood here. No match is no fault."},
    {.name = "log",
     .type = CONF_TEXT,
     .allowed = "syslog, none, /var/log/dcvagent/dcvagent.log",
     .check = check_log,
     AT(log),
     .help = "Where all messages are kept: syslog (which holds without a terminal), a file, or none."},
    {.name = "conf_path",
     .type = CONF_LIST,
     .allowed = "/etc/dcvagent/conf",
     .check = conf_check_absolute,
     AT(conf_path),
     .help = "Folders with description files of providers and CAs, searched before the installed ones."},
    PROXY_KEYS(offsetof(struct conf_agent, proxy), offsetof(struct conf_agent, proxy_user),
               offsetof(struct conf_agent, proxy_password_file)),
    {.name = "source_address",
     .type = CONF_TEXT,
     .allowed = "192.0.2.9",
     .check = check_address,
     AT(source_address),
     .help = "Local address that connections and DNS queries leave from."},
    {.name = "resolver_ca_file",
     .type = CONF_FILE,
     .allowed = "/etc/dcvagent/resolvers.pem",
     .check = conf_check_readable,
     AT(resolver_ca_file),
     .help = "Roots for the certificates of DoT and DoH resolvers (tls://, https:// in resolvers=); default: the system's."},
    {.name = "key_backup_dir",
     .type = CONF_FILE,
     .allowed = "/mnt/backup",
     AT(key_backup_dir),
     .help =
         "Folder where an encrypted copy of each key is written and synced before its CSR leaves; where that fails the order stops (73)."},
    {.name = "key_backup_password_file",
     .type = CONF_SECRET,
     .allowed = "/etc/dcvagent/backup.password",
     AT(key_backup_password_file),
     .help = "File with the password of those copies."},
    {.name = "notify_hook",
     .type = CONF_COMMAND,
     .allowed = "/usr/local/lib/dcvagent/notify",
     AT(notify_hook),
     .help = "Program that is told of waits for a person, failures, expiries and new certificates by DCVAGENT_EVENT, DCVAGENT_TEXT and "
             "DCVAGENT_DEADLINE."},
    {0}};
#undef AT

const struct conf_key conf_verify_keys[] = {VERIFY_KEYS(0), {0}};

const struct conf_key conf_zone_keys[] = {
    {.name = "provider",
     .type = CONF_TEXT,
     .allowed = "bind",
     .offset = offsetof(struct conf_zone, provider),
     .help = "Provider section that writes in this zone."},
    {.name = "servers",
     .type = CONF_SERVERS,
     .offset = offsetof(struct conf_zone, servers),
     .help = "Inside addresses of the public name servers, instead of discovering them (split DNS); never the hidden primary."},
    VERIFY_KEYS(offsetof(struct conf_zone, verify)),
    {0}};

#define AT(MEMBER) .offset = offsetof(struct conf_cert, MEMBER)
const struct conf_key conf_cert_keys[] = {
    {.name = "ca",
     .type = CONF_TEXT,
     .allowed = "letsencrypt",
     .required = true,
     AT(ca),
     .help = "CA section that issues this certificate."},
    {.name = "names",
     .type = CONF_NAMES,
     .allowed = "www.example.hk example.hk",
     .required = true,
     AT(names),
     .help = "Host names of the certificate; the first is the CN and the portal's server name. U-labels and *.example.hk may stand here."},
    {.name = "product",
     .type = CONF_WORD,
     .allowed = "|standard|wildcard|multi-domain|ev|ev-multi-domain",
     AT(product),
     .help = "What was bought; CAs of type portal and manual need it. Its limits are checked before anything else."},
    {.name = "method",
     .type = CONF_WORD,
     .standard = "dns",
     .allowed = "dns|website|email",
     AT(method),
     .help = "How control of the names is proven."},
    {.name = "validation_email",
     .type = CONF_TEXT,
     .allowed = "admin@example.hk",
     .check = check_email,
     AT(validation_email),
     .help = "method = email: the address that the CA sends its code to."},
    {.name = "webroot",
     .type = CONF_FILE,
     .allowed = "/var/www/html",
     AT(webroot),
     .help = "method = website: folder that the web server serves as /."},
    {.name = "website_hook",
     .type = CONF_COMMAND,
     .allowed = "/usr/local/lib/dcvagent/website",
     AT(website_hook),
     .help = "method = website, instead of webroot: program called with add or del and the host, the content on stdin."},
    {.name = "cname",
     .type = CONF_WORD,
     .standard = "follow",
     .allowed = "follow|refuse",
     AT(cname),
     .help = "Where the record's owner is a CNAME: follow publishes at the target if it lies in zones=, refuse stops."},
    {.name = "record_at",
     .type = CONF_RULES,
     .allowed = "cdn.example.hk:apex",
     AT(record_at),
     .help = "Exceptions, HOST:PLACE each, for where a host's record goes: name, apex or _LABEL."},
    {.name = "key_type",
     .type = CONF_WORD,
     .standard = "auto",
     .allowed = "auto|rsa2048|rsa3072|rsa4096|p256|p384",
     AT(key_type),
     .help = "Type of the key; auto: p256 for ACME, else rsa2048."},
    {.name = "key_reuse", .type = CONF_YESNO, .standard = "no", AT(key_reuse), .help = "Whether a renewal keeps the key."},
    {.name = "csr_file",
     .type = CONF_FILE,
     .allowed = "/etc/dcvagent/shop.csr",
     .check = conf_check_readable,
     AT(csr_file),
     .help = "A CSR made elsewhere (IIS); the key stays there, so key_type, key_reuse, subject and pfx do not go with it."},
    {.name = "subject",
     .type = CONF_TEXT,
     .allowed = "C=HK, O=Example Limited",
     .check = check_subject,
     AT(subject),
     .help = "Subject of the CSR beside the CN: C, ST, L, O and OU."},
    {.name = "organisation_name",
     .type = CONF_WORD,
     .standard = "english",
     .allowed = "english|chinese",
     AT(organisation_name),
     .help = "Which of the portal's confirm buttons is pressed: the organisation's English or Chinese name."},
    {.name = "expect_organisation",
     .type = CONF_TEXT,
     .allowed = "Example Limited",
     AT(expect_organisation),
     .help = "Organisation that the portal must show and the certificate must carry; anything else stops the order."},
    {.name = "reference_number",
     .type = CONF_DIGITS,
     .allowed = "9",
     AT(reference_number),
     .help = "Reference number from the CA, 9 digits; a new one starts the paid renewal."},
    {.name = "pin_file",
     .type = CONF_SECRET,
     .allowed = "/etc/dcvagent/shop.pin",
     AT(pin_file),
     .help = "File with the CA's PIN, 16 digits, blanks ignored; without it a portal order waits for the command pin."},
    {.name = "pin",
     .type = CONF_WORD,
     .standard = "new-each-time",
     .allowed = "new-each-time|same",
     AT(pin),
     .help = "Whether the CA sends a new PIN for each order or the same one serves again. Never the PIN itself."},
    {.name = "url",
     .type = CONF_TEXT,
     .allowed = "https://...",
     .check = conf_check_https,
     AT(url),
     .help = "Start page of the portal, from the CA's e-mail, where it differs from the CA section's."},
    {.name = "subscription_end",
     .type = CONF_DATE,
     .allowed = "2027-05-31",
     AT(subscription_end),
     .help = "Last day of the paid subscription; reminders to renew it come 60, 30 and 14 days before."},
    {.name = "renew_before",
     .type = CONF_DURATION,
     .standard = "auto",
     .allowed = "auto",
     AT(renew_before),
     .help = "How long before its end a certificate is replaced, at most two thirds of its life; auto: ACME by ARI or a third of its life, "
             "else the smaller of 30 days and a third."},
    {.name = "provider",
     .type = CONF_TEXT,
     .standard = "auto",
     .allowed = "bind",
     AT(provider),
     .help = "Provider section that publishes the records; auto: the longest zones= that a name lies in."},
    {.name = "chain",
     .type = CONF_WORD,
     .standard = "full",
     .allowed = "full|with-cross|leaf",
     AT(chain),
     .help = "What fullchain.pem holds: the usual chain, that with cross certificates, or the certificate alone."},
    {.name = "pfx", .type = CONF_YESNO, .standard = "no", AT(pfx), .help = "Whether a bundle.pfx (PKCS#12) is written too."},
    {.name = "pfx_password_file",
     .type = CONF_SECRET,
     .allowed = "/etc/dcvagent/shop.pfx.password",
     AT(pfx_password_file),
     .help = "File with the bundle's password; pfx = yes needs it."},
    {.name = "pfx_encryption",
     .type = CONF_WORD,
     .standard = "aes256",
     .allowed = "aes256|3des",
     AT(pfx_encryption),
     .help = "Encryption of the bundle; 3des for old Windows."},
    {.name = "friendly_name",
     .type = CONF_TEXT,
     .allowed = "Shop 2027",
     AT(friendly_name),
     .help = "Name that the bundle shows in Windows."},
    {.name = "key_group",
     .type = CONF_TEXT,
     .allowed = "ssl-cert",
     .check = check_group,
     AT(key_group),
     .help = "Group that may read this certificate's privkey.pem (0640 instead of 0600)."},
    {.name = "deploy_hook",
     .type = CONF_COMMAND,
     .allowed = "/usr/local/lib/dcvagent/reload nginx",
     AT(deploy_hook),
     .help = "Program run after a new certificate is in place, without a shell, at most 5 minutes, again by each run until it exits 0."},
    {.name = "deploy_check",
     .type = CONF_COMMAND,
     .allowed = "/usr/sbin/nginx -t",
     AT(deploy_check),
     .help = "Program run after the switch and before deploy_hook; if it fails the previous certificate is put back (exit 15)."},
    {.name = "served",
     .type = CONF_LIST,
     .allowed = "www.example.hk www.example.hk:8443#192.0.2.1",
     .check = check_served,
     AT(served),
     .help = "Servers, HOST[:PORT][#ADDRESS], that must send the new certificate once deploy_hook has ended; exit 15 until they do."},
    {0}};
#undef AT

const struct conf_key conf_provider_keys[] = {
    {.name = "type",
     .type = CONF_TEXT,
     .allowed = "rfc2136",
     .required = true,
     .help = "Kind of DNS service; `dcvagent providers` lists them."},
    {.name = "zones",
     .type = CONF_ZONES,
     .allowed = "example.hk example.com",
     .required = true,
     .help = "Zones that the provider writes in, and nowhere else; a name belongs to the longest that it lies in."},
    {.name = "ttl",
     .type = CONF_COUNT,
     .allowed = "1..2147483647",
     .help = "TTL in seconds of a new TXT set; one already there keeps its own, without the key the CA's record_ttl holds."},
    {.name = "shared_rrset",
     .type = CONF_WORD,
     .standard = "auto",
     .allowed = "auto|merge|refuse",
     .help = "Writing beside values of others at the same owner: auto where the provider does it safely (grades A, B), merge always, "
             "refuse never."},
    PROXY_KEYS(0, 0, 0),
    {0}};

const struct conf_key conf_ca_keys[] = {
    {.name = "type", .type = CONF_TEXT, .allowed = "acme", .required = true, .help = "Kind of CA: acme, portal or manual."},
    {.name = "record",
     .type = CONF_PLACES,
     .standard = "name",
     .allowed = "name apex _LABEL",
     .help = "Where the CA looks for its code: at the name (without *.), at the apex of its zone, or below a label; several: published at "
             "each."},
    {.name = "record_ttl",
     .type = CONF_COUNT,
     .standard = "3600",
     .allowed = "1..2147483647",
     .help = "TTL in seconds that the CA asks for."},
    {.name = "code_lifetime",
     .type = CONF_DURATION,
     .standard = "30d",
     .check = conf_check_positive,
     .help = "How long a code of the CA is good."},
    {.name = "caa",
     .type = CONF_LIST,
     .allowed = "ecert.gov.hk hongkongpost.gov.hk",
     .help = "Names by which CAA records permit this CA; without the key CAA is shown and never blocks."},
    {.name = "chain_files",
     .type = CONF_LIST,
     .allowed = "/etc/dcvagent/ecert/*.pem",
     .check = conf_check_absolute,
     .help = "Intermediates, cross certificates and roots of the CA, patterns allowed; without the key the system's roots."},
    {.name = "links",
     .type = CONF_WORD,
     .standard = "public",
     .allowed = "public|private|off",
     .help = "Whether the addresses that certificates name (issuer, OCSP, CRL) are asked: those in the public internet, private ones too, "
             "none."},
    {.name = "ca_file",
     .type = CONF_FILE,
     .allowed = "/etc/dcvagent/private-ca.pem",
     .check = conf_check_readable,
     .help = "Roots that the CA's own web server is checked against, instead of the system's."},
    PROXY_KEYS(0, 0, 0),
    VERIFY_KEYS(0),
    {0}};

const char *const key_type_words[] = {[KEY_DEFAULT] = "auto",    [KEY_RSA2048] = "rsa2048", [KEY_RSA3072] = "rsa3072",
                                      [KEY_RSA4096] = "rsa4096", [KEY_P256] = "p256",       [KEY_P384] = "p384"};

const char *const product_words[] = {
    [PRODUCT_NONE] = "none", [PRODUCT_STANDARD] = "standard",       [PRODUCT_WILDCARD] = "wildcard", [PRODUCT_MULTI] = "multi-domain",
    [PRODUCT_EV] = "ev",     [PRODUCT_EV_MULTI] = "ev-multi-domain"};

const struct conf_key *key_find(const struct conf_key *keys, const char *name)
{
    for (; keys && keys->name; keys++) {
        if (strcmp(keys->name, name) == 0)
            return keys;
    }
    return NULL;
}
