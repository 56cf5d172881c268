/* table.c: all commands. */
#include "cmd/cmd.h"

#include <string.h>

static const struct flag run_flags[] = {
    {"force", NULL, "orders are due now, whatever the calendar says; starts a first order (wants NAME or --all)"},
    {"all", NULL, "with --force: all certificates"},
    {"deadline", "T", "end after this time (default: run_deadline); what is not finished waits for the next run"},
    {"exit-changed", NULL, "exit 10 when a certificate was installed"},
    {0},
};
static const struct flag plan_flags[] = {{"replace", NULL, "the emergency drill: as if every certificate had to be replaced now"}, {0}};
static const struct flag check_flags[] = {
    {"resolvers", NULL, "ask the resolvers at once, without waiting for the authoritative servers to agree"},
    {"watch", NULL, "ask again until the quorum is met or the timeout is over"},
    {0},
};
static const struct flag pin_flags[] = {{"reference", "N", "the reference number on the envelope (9 digits)"}, {0}};
static const struct flag code_flags[] = {
    {"for", "HOST", "the code is for this name only (default: one code for all names)"},
    {"received", "DATE", "the day it was shown (default: now); its 30 days count from then"},
    {0},
};
static const struct flag confirmed_flags[] = {{"failed", "TEXT", "the CA said no: what it said"}, {0}};
static const struct flag import_flags[] = {{"key", "FILE", "with no order under way: adopt a certificate in use with its private key"},
                                           {0}};
static const struct flag portal_flags[] = {
    {"probe", NULL, "go to the first button that would be pressed, and say what it is; press nothing"},
    {"step", NULL, "go on with the order, asking before each button"},
    {"page", "FILE", "try the description on a page that a browser saved: no network, no state"},
    {"url", "URL", "with --page: where the page came from (default: what the file says, else the portal's start)"},
    {"mailed", NULL, "with --page: as if the code of an e-mail had come"},
    {0},
};
static const struct flag key_flags[] = {
    {"password-file", "FILE", "the PFX's password (default: asked for without echo; a line of standard input where that is no terminal)"},
    {"legacy", NULL, "backup: encrypted with 3DES and SHA-1, for Windows before Server 2019 and Windows 10 1709"},
    {"in-use", NULL, "backup: the certificate in use, though an order is under way"},
    {0},
};
static const struct flag txt_flags[] = {{"provider", "NAME", "write through this provider (default: the longest match of zones=)"},
                                        {"ttl", "N", "TTL in seconds where no set stands there yet"},
                                        {0}};
static const struct flag gc_flags[] = {{"list", NULL, "show what would be removed, change nothing"}, {0}};
static const struct flag prune_flags[] = {{"older", "AGE", "of keys and archives out of use (default 400d)"},
                                          {"to", "FOLDER", "where they are moved (default: state_dir/pruned)"},
                                          {"yes", NULL, "do not ask"},
                                          {0}};
static const struct flag calendar_flags[] = {{"until", "DATE", "how far ahead (default: one year)"}, {0}};
static const struct flag metrics_flags[] = {
    {"output", "FILE", "write to this file, whole or not at all (default: standard output); -o FILE"}, {0}};

static const struct flag replace_flags[] = {
    {"all", NULL, "every certificate of the configuration"},
    {"again", NULL, "begin anew: those too that the replacement under way has replaced already"},
    {"yes", NULL, "do not ask (needed without a terminal)"},
    {"deadline", "T", "end after this time (default: run_deadline); what is not finished goes on with the next run"},
    {0}};
static const struct flag account_flags[] = {
    {"rollover", NULL, "a new account key"}, {"deactivate", NULL, "close the account for good"}, {0}};
static const struct flag revoke_flags[] = {
    {"reason", "R", "unspecified, keyCompromise, affiliationChanged, superseded or cessationOfOperation"}, {0}};

static const struct flag served_flags[] = {
    {"offline", NULL, "ask the servers alone, not the CAs whether what is served is revoked"},
    {"private", NULL, "ask CAs at private addresses too (a CA of one's own)"},
    {0},
};

const struct command commands[] = {
    {"run", "[NAME...]", 0, -1, "bring each certificate that is due as far as it gets; this is what cron calls",
     "Key, CSR, codes, TXT records, visibility, confirmation, submission, chain, installation, clean-up. Takes up what an earlier run "
     "began. Silent\n"
     "without a terminal when all is well. Exit 75: something waits (for a person, a time, the CA); the next run goes on.",
     run_flags, cmd_run},
    {"plan", "[NAME...]", 0, -1, "show what run would do: zones, CNAME chains, providers, records, requests, waits; touches nothing",
     "Of an automatic CA also: about how many requests it gets, what counts for its rate limits, and its renewal window; it is not asked.\n"
     "--replace adds how many orders it takes to replace all, how long, and which need a person.",
     plan_flags, cmd_plan},
    {"status", "[NAME...]", 0, -1, "a line for each certificate: state, what it waits for, names, end, next action", NULL, NULL,
     cmd_status},
    {"check", "[NAME...]", 0, -1, "ask every authoritative address and every resolver for the records of open orders; a matrix of verdicts",
     "With method = website every address of every name is asked for its file. Exit 0: the quorum is met, 12: not, 69: nobody could be "
     "asked.",
     check_flags, cmd_check},
    {"doctor", "[NAME...]", 0, -1, "what would make an order fail or wait, each finding with cause and remedy; changes nothing",
     "The configuration, every name, its zone and all addresses of its servers, delegation, DNSSEC, CAA, resolvers, providers; web "
     "roots and web servers. Exit 1: an "
     "error is among the\n"
     "findings. docs/DOCTOR.md lists them all.",
     NULL, cmd_doctor},
    {"rehearse", "[NAME...]", 0, -1, "write, check and delete a probe record in each zone of the names; no CA is asked",
     "The record is _dcvagent-probe-RANDOM below the zone, so no cache comes to hold a \"no\" for a name that matters. Exit codes as those "
     "of txt "
     "add. Killed in\n"
     "the middle: the next run, gc or rehearse removes what is left.",
     NULL, cmd_rehearse},
    {"pin", "NAME", 1, 1, "note the reference number of the PIN envelope: the order can start",
     "A manual CA needs no PIN from dcvagent: it is typed into the CA's page and stays with the person. It is never a word of a command "
     "line.",
     pin_flags, cmd_pin},
    {"code", "NAME VALUE", 2, 2, "hand over the verification code that the CA's page shows",
     "Outer blanks, quotes and line ends are dropped, the rest is kept as it is and shown. VALUE - reads it from standard input. A second "
     "code is published\n"
     "before the first is removed.",
     code_flags, cmd_code},
    {"confirmed", "NAME", 1, 1, "the CA's confirm button was pressed (--failed: it said no)", NULL, confirmed_flags, cmd_confirmed},
    {"submitted", "NAME", 1, 1, "the CSR was pasted and submitted", NULL, NULL, cmd_submitted},
    {"import", "NAME FILE", 2, 2, "hand over the issued certificate (PEM, DER, PKCS#7; - reads standard input)",
     "It is checked at once: key, names, organisation, validity. A wrong one is kept aside and never installed. With --key and no order "
     "under way: adopts\n"
     "a certificate that is in use already.",
     import_flags, cmd_import},
    {"cancel", "NAME", 1, 1, "stop an order: its records are removed by the next run, its key is kept", NULL, NULL, cmd_cancel},
    {"forget", "NAME", 1, 1, "cancel, and archive the state of a section that is gone", NULL, NULL, cmd_forget},
    {"csr", "NAME", 1, 1, "print the CSR of the order under way; makes key and CSR if there is none", NULL, NULL, cmd_csr},
    {"portal", "NAME", 1, 1, "a CA's web pages: which page is there, what would be filled in and pressed",
     "--page needs no network and no order: what the configuration lacks is stood in for, secrets are shown as (hidden). Exit 76: the page "
     "is "
     "not\n"
     "recognised, or not as the description has it; 14: it contradicts the configuration.",
     portal_flags, cmd_portal},
    {"key", "backup|restore|list NAME FILE", 1, -1, "private keys saved as PKCS#12 (PFX), brought back, listed",
     "backup writes the key of the order under way (before its CSR is submitted), else the key in use with certificate and chain, to FILE; "
     "never over a file\n"
     "that is there. restore puts the key in FILE back where it is missing: it must be that of an order or a certificate of NAME, or bring "
     "its certificate along\n"
     "where nothing of NAME is known yet. PFX files of IIS and MMC will do. list takes any number of names, or none for all.",
     key_flags, cmd_key},
    {"txt", "add|del|list|check HOST [VALUE]", 2, 3, "one TXT record through the providers, with the ledger kept",
     "add writes and reads back; del removes a value that dcvagent wrote; list shows what stands at the authority; check asks all views "
     "for a value. What could not be written stays wanted: every run tries it and says so by its exit code, until del takes it back.\n"
     "VALUE - reads it from standard input.",
     txt_flags, cmd_txt},
    {"gc", "", 0, 0, "remove the agent's own leftover records and files, never what an open order needs, nor those of txt add", NULL,
     gc_flags, cmd_gc},
    {"prune", "", 0, 0, "move old keys and archives away; only ever done by a person", NULL, prune_flags, cmd_prune},
    {"replace", "[NAME...]", 0, -1, "emergency: new keys and certificates now",
     "Names are needed, or --all. Asks on a terminal. What is not finished goes on with each run, and with the same command given again: "
     "as long "
     "as one of its\n"
     "orders is under way, what it has replaced is not ordered twice. dcvagent plan --replace is the drill.",
     replace_flags, cmd_replace},
    {"account", "CA", 1, 1, "the account at an ACME CA: registers or shows it",
     "CA is a [ca NAME] section. The account's key is kept in keys/ of the state folder.", account_flags, cmd_account},
    {"revoke", "NAME [N]", 1, 2, "revoke the certificate in use, or that of an older set in archive/NAME/N (ACME)",
     "After a key was stolen: replace first, then revoke the set before; nothing is without a certificate meanwhile.", revoke_flags,
     cmd_revoke},
    {"evidence", "NAME [N|all]", 1, 2, "what was seen where and when, who did what, for the last (Nth last, all) order", NULL, NULL,
     cmd_evidence},
    {"served", "[HOST[:PORT][#ADDRESS]...]", 0, -1,
     "what servers really send: names, dates, chain, the certificate in use here or another, revoked or not",
     "Every address of each host is asked, or the one behind #; port 443, and STARTTLS at ports 25 and 587. Nothing that is missing is "
     "fetched: what "
     "is incomplete for\n"
     "one visitor is said to be incomplete. Without operands: every served= of the configuration. Exit 0: no error, 1: something is wrong, "
     "69: a server "
     "could not be asked.",
     served_flags, cmd_served},
    {"calendar", "", 0, 0, "what falls due when, and how much of it needs a person", NULL, calendar_flags, cmd_calendar},
    {"config", "check", 1, 1, "check the configuration: every fault of every file, or ok", NULL, NULL, cmd_config},
    {"state", "backup FILE | adopt", 1, 2, "a consistent copy with keys (0600) / take over a state folder from another machine", NULL, NULL,
     cmd_state},
    {"providers", "[TYPE]", 0, 1, "the provider types with keys, rights, limits, safety grade", NULL, NULL, cmd_providers},
    {"policy", "bind|knot|powerdns", 1, 1, "what a name server has to allow for exactly the names of this configuration",
     "update-policy of BIND, acl of Knot DNS, TSIG-ALLOW-DNSUPDATE and a Lua policy of PowerDNS: each key may change TXT where the names' "
     "records go, and "
     "nothing\n"
     "else. Secrets are not shown.",
     NULL, cmd_policy},
    {"metrics", "", 0, 0, "Prometheus text for the node exporter's text-file collector", NULL, metrics_flags, cmd_metrics},
    {0},
};

const struct command *command_named(const char *name)
{
    for (const struct command *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}
