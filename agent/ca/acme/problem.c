#include "ca/acme/problem.h"

#include <stdio.h>
#include <string.h>

#define URN "urn:ietf:params:acme:error:"

const struct problem_kind problem_kinds[] = {
    {"accountDoesNotExist", RC_CA, "CA_ACCOUNT", true, "the account is looked for, or registered, anew"},
    {"alreadyReplaced", RC_CA, "CA_REPLACED", true, ""},
    {"alreadyRevoked", RC_CA, "CA_REVOKED", false, ""},
    {"badCSR", RC_CA, "CA_CSR", false, "compare key_type and names with what the CA issues"},
    {"badNonce", RC_CA, "CA_NONCE", true, ""},
    {"badPublicKey", RC_CA, "CA_KEY", false, "the CA takes no account key of this type"},
    {"badRevocationReason", RC_CA, "CA_REASON", false, "choose another --reason"},
    {"badSignatureAlgorithm", RC_CA, "CA_KEY", false, "the CA takes no signature of this type"},
    {"caa", RC_CA, "CA_CAA", true, "a CAA record forbids it: permit this CA there"},
    {"compound", RC_CA, "CA_NAMES", true, ""},
    {"connection", RC_CA, "CA_CONNECTION", true, "the CA could not reach a name server of the zone"},
    {"dns", RC_CA, "CA_DNS", true, "the CA could not look up the record: see dcvagent check"},
    {"externalAccountRequired", RC_CONF, "EAB_NEEDED", false, "set eab_kid and eab_key_file, which the CA hands out"},
    {"incorrectResponse", RC_CA, "CA_RESPONSE", true, "the CA saw another value than the one published: see dcvagent check"},
    {"invalidContact", RC_CONF, "CA_CONTACT", false, "mend contact="},
    {"invalidProfile", RC_CONF, "CA_PROFILE", false, "mend profile="},
    {"malformed", RC_CA, "CA_MALFORMED", false, ""},
    {"orderNotReady", RC_CA, "CA_NOT_READY", true, ""},
    {"rateLimited", RC_CA, "CA_RATE_LIMIT", true, ""},
    {"rejectedIdentifier", RC_CA, "CA_REJECTED", false, "the CA issues nothing for this name"},
    {"serverInternal", RC_NET, "CA_INTERNAL", true, ""},
    {"tls", RC_CA, "CA_TLS", true, ""},
    {"unauthorized", RC_CA, "CA_UNAUTHORIZED", true, "the CA found no proof, or the account may not"},
    {"unsupportedContact", RC_CONF, "CA_CONTACT", false, "mend contact=: mailto: addresses are what all CAs take"},
    {"unsupportedIdentifier", RC_CA, "CA_REJECTED", false, "the CA issues nothing for names of this kind"},
    {"userActionRequired", RC_CONF, "CA_TERMS", false, "agree to the terms there, then run again"},
    {NULL, RC_CA, "CA_PROBLEM", true, ""},
};

const struct problem_kind *problem_kind(const char *type)
{
    const struct problem_kind *k = problem_kinds;
    bool ours = type && strncmp(type, URN, strlen(URN)) == 0;
    while (k->type && !(ours && strcmp(type + strlen(URN), k->type) == 0))
        k++;
    return k;
}

bool problem_is(const struct problem *p, const char *type)
{
    return p->kind && p->kind->type && strcmp(p->kind->type, type) == 0;
}

void problem_read(struct problem *p, const json_t *doc)
{
    const char *type = json_str(doc, "type"), *detail = json_str(doc, "detail"), *instance = json_str(doc, "instance");
    char shown[120];
    p->kind = problem_kind(type);
    if (!*detail)
        detail = json_str(doc, "title");
    text_safe(shown, sizeof shown, type, strlen(type));
    if (*detail)
        text_safe(p->detail, sizeof p->detail, detail, strlen(detail));
    else
        snprintf(p->detail, sizeof p->detail, "%s", *shown ? shown : "no reason given");
    if (!p->kind->type && *detail && *shown) {
        size_t n = strlen(p->detail);
        snprintf(p->detail + n, sizeof p->detail - n, " (%s)", shown);
    }
    text_safe(p->url, sizeof p->url, instance, strlen(instance));
}

void problem_err(const struct problem *p, const char *about, long status, struct err *e)
{
    const struct problem_kind *k = p->kind ? p->kind : problem_kind(NULL);
    enum rc rc = k->rc == RC_CA && !k->type && status >= 500 ? RC_NET : k->rc;
    err_set(e, rc, k->code, "the CA refused %s (%ld): %.220s%s%s%s%s", about, status, *p->detail ? p->detail : "no reason given",
            *k->advice ? "; " : "", k->advice, *p->url ? ": " : "", p->url);
    if (k->again)
        err_again(e, 0);
}

bool problem_sub(const json_t *doc, size_t *i, char name[NAME_SIZE + 2], struct err *e)
{
    const json_t *all = json_object_get(doc, "subproblems");
    while (*i < json_array_size(all)) {
        const json_t *sub = json_array_get(all, (*i)++);
        const char *value = json_str(json_object_get(sub, "identifier"), "value");
        struct problem p = {0};
        struct err quiet = {0};
        char parsed[NAME_SIZE];
        if (!name_parse(value, NAME_WILDCARD, parsed, &quiet))
            continue;
        snprintf(name, NAME_SIZE + 2, "%s", parsed);
        problem_read(&p, sub);
        *e = (struct err){0};
        err_set(e, p.kind->rc, p.kind->code, "%s%s%s", p.detail, *p.kind->advice ? "; " : "", p.kind->advice);
        err_at(e, "%s", name);
        if (p.kind->again)
            err_again(e, 0);
        return true;
    }
    return false;
}
