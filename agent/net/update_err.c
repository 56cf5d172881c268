/* update_err.c: refusals of a name server as an administrator wants to read them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/update.h"

/* What the message was, before the name of a zone. */
static const char *message(const struct update_about *b)
{
    return b->question ? "a question in" : "an update of";
}

static const char *type_word(uint16_t type)
{
    return type == TYPE_CNAME ? "CNAME" : "TXT";
}

static void refused(const struct update_answer *a, const struct update_about *b, struct err *e)
{
    const char *owner = b->owner[0] ? b->owner : b->zone, *type = type_word(b->type);
    if (b->key && a->tsig.proven)
        err_set(e, RC_WRITE, "UPDATE_REFUSED",
                "%s refuses key %s the change of %s at %s in zone %s (%s); BIND: `grant %s name %s. %s;` in the zone's update-policy; "
                "Knot: an acl with action: update for this key; PowerDNS: TSIG-ALLOW-DNSUPDATE",
                b->server, b->key->name, type, owner, b->zone, dns_rcode_word(a->rcode), b->key->name, owner, type);
    else if (b->key)
        err_set(
            e, RC_WRITE, "UPDATE_REFUSED",
            "%s answers REFUSED without a signature to an update of zone %s: it does not take updates from here, or does not accept key %s "
            "(PowerDNS: unknown key, wrong secret or clock; allow-dnsupdate-from, TSIG-ALLOW-DNSUPDATE)",
            b->server, b->zone, b->key->name);
    else
        err_set(e, RC_WRITE, "UPDATE_REFUSED",
                "%s refuses unsigned updates of zone %s (REFUSED); set tsig_key_file to a key that it knows, or allow this machine's "
                "address there",
                b->server, b->zone);
}

static void by_rcode(const struct update_answer *a, const struct update_about *b, struct err *e)
{
    const char *word = dns_rcode_word(a->rcode), *key = b->key ? b->key->name : "(none)";
    const char *unproven = b->key && !a->tsig.proven ? ", unsigned" : "";
    switch (a->rcode) {
    case DNS_REFUSED:
        refused(a, b, e);
        return;
    case DNS_NOTAUTH:
        if (!b->key)
            err_set(e, RC_WRITE, "UPDATE_NOTAUTH",
                    "%s is not the primary server of zone %s, or takes no unsigned updates of it (NOTAUTH); check server= and zones=, set "
                    "tsig_key_file",
                    b->server, b->zone);
        else if (*unproven)
            err_set(e, RC_WRITE, "UPDATE_NOTAUTH",
                    "%s answers NOTAUTH without a signature to %s zone %s: it is not its primary server (check server= and zones=), or it "
                    "does not accept "
                    "key %s (unknown there, wrong secret, wrong clock)",
                    b->server, message(b), b->zone, key);
        else
            err_set(e, RC_WRITE, "UPDATE_NOTAUTH",
                    "%s is not the primary server of zone %s, or does not let key %s change it (NOTAUTH); check server= and zones= of the "
                    "provider",
                    b->server, b->zone, key);
        return;
    case DNS_NOTZONE:
        err_set(e, RC_WRITE, "UPDATE_NOTZONE", "%s says that %s does not lie in its zone %s (NOTZONE%s); check zones= of the provider",
                b->server, b->owner[0] ? b->owner : "a name", b->zone, unproven);
        return;
    case DNS_SERVFAIL:
        err_set(e, RC_WRITE, "UPDATE_SERVFAIL",
                "%s fails (SERVFAIL%s) to %s %s at %s in zone %s; %slook into its log (journal file writable? disk full? zone frozen?)",
                b->server, unproven, b->add ? "add" : "delete", type_word(b->type), b->owner[0] ? b->owner : "several names", b->zone,
                b->add ? "the set may be full (BIND: max-records-per-type, 100 values); else " : "");
        err_again(e, 0);
        return;
    default:
        err_set(e, RC_WRITE, "UPDATE_FAILED", "%s answers %s%s to %s zone %s with key %s%s", b->server, word, unproven, message(b), b->zone,
                key, a->rcode == DNS_NOTIMP ? ": it takes no updates (PowerDNS: dnsupdate=yes); check server=" : "");
    }
}

static void bad_time(const struct update_answer *a, const struct update_about *b, struct err *e)
{
    int64_t skew = a->tsig.skew;
    if (skew)
        err_set(e, RC_WRITE, "TSIG_BADTIME",
                "this machine's clock is %" PRId64
                " s %s that of %s%s; signatures (key %s) hold for 300 s: set the clocks by NTP, then run again",
                skew < 0 ? -skew : skew, skew < 0 ? "behind" : "ahead of", b->server, a->tsig.proven ? "" : " (so it says, unproven)",
                b->key->name);
    else
        err_set(e, RC_WRITE, "TSIG_BADTIME",
                "%s says that the clocks of it and this machine are more than 300 s apart (BADTIME); set them by NTP", b->server);
}

static void key_fault(const struct update_answer *a, const struct update_about *b, struct err *e)
{
    const char *key = b->key->name, *alg = tsig_alg_name(b->key->alg);
    switch (a->tsig.result) {
    case TSIG_BADKEY:
        err_set(e, RC_WRITE, "TSIG_BADKEY",
                "%s does not know key %s with %s (BADKEY; Knot answers so too where its acl does not let the key change %s in zone %s); "
                "compare name and "
                "algorithm with the key there, or grant the change",
                b->server, key, alg, b->owner[0] ? b->owner : "these names", b->zone);
        return;
    case TSIG_BADSIG_SAID:
        err_set(e, RC_WRITE, "TSIG_BADSIG", "%s knows key %s but not with this secret (BADSIG); copy the key file again from the server",
                b->server, key);
        return;
    case TSIG_BADSIG:
        err_set(
            e, RC_WRITE, "TSIG_BADSIG",
            "the answer of %s to %s zone %s carries a wrong signature of key %s: something between changes answers, or it is forged; not "
            "believed, the records are read back",
            b->server, message(b), b->zone, key);
        return;
    case TSIG_BADTRUNC:
        err_set(e, RC_WRITE, "TSIG_BADTRUNC",
                "%s and this machine do not agree how long signatures of key %s are (BADTRUNC); give tsig_algorithm as the server has it "
                "(%s-BITS)",
                b->server, key, alg);
        return;
    case TSIG_FOREIGN:
        err_set(e, RC_WRITE, "TSIG_FOREIGN",
                "%s answered with another key or algorithm than ours (%s, %s); not believed, nothing is taken for done", b->server, key,
                alg);
        return;
    case TSIG_UNSIGNED:
        err_set(e, RC_WRITE, "TSIG_UNSIGNED",
                "%s answered %s to %s zone %s, but not signed with key %s; not believed, nothing is taken for done; is a proxy in between?",
                b->server, dns_rcode_word(a->rcode), message(b), b->zone, key);
        return;
    default:
        err_set(e, RC_WRITE, "TSIG_MALFORMED",
                "the signature in the answer of %s to %s zone %s is malformed (%s); not believed, nothing is taken for done", b->server,
                message(b), b->zone, tsig_result_word(a->tsig.result));
    }
}

void update_err(const struct update_answer *a, const struct update_about *b, struct err *e)
{
    if (!a->fits)
        err_set(e, RC_WRITE, "UPDATE_MALFORMED",
                "%s sent something that is no answer to the message (zone %s); not believed, nothing is taken for done", b->server,
                b->zone);
    else if (!b->key || a->tsig.result == TSIG_OK || (a->tsig.result == TSIG_UNSIGNED && a->rcode != DNS_NOERROR))
        by_rcode(a, b, e);
    else if (a->tsig.result == TSIG_BADTIME)
        bad_time(a, b, e);
    else
        key_fault(a, b, e);
    err_at(e, "%s", b->owner[0] ? b->owner : b->server);
}
