#include "dcv/preflight.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/names.h"

static bool known_tag(const char *tag)
{
    static const char *const tags[] = {"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"};

    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (strcasecmp(tag, tags[i]) == 0)
            return true;
    return false;
}

/* The issuer's domain name: what stands before the first ';', blanks around dropped; "" allows nobody. */
static void issuer_of(const char *value, char out[256])
{
    size_t n = strcspn(value, ";");

    while (n && isspace((unsigned char)*value))
        value++, n--;
    while (n && isspace((unsigned char)value[n - 1]))
        n--;
    snprintf(out, 256, "%.*s", (int)(n < 255 ? n : 255), value);
}

static bool names_one(const char *issuer, const struct strs *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        if (name_same(issuer, ids->s[i]))
            return true;
    return false;
}

static const char *relevant_tag(const struct caa_rr *set, size_t n, bool wildcard)
{
    for (size_t i = 0; wildcard && i < n; i++)
        if (strcasecmp(set[i].tag, "issuewild") == 0)
            return "issuewild";
    return "issue";
}

static const struct caa_rr *unknown_critical(const struct caa_rr *set, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((set[i].flags & 0x80) && !known_tag(set[i].tag))
            return &set[i];
    return NULL;
}

bool caa_allows(const struct caa_rr *set, size_t n, const struct strs *ids, bool wildcard, char why[160])
{
    const char *tag = relevant_tag(set, n, wildcard);
    const struct caa_rr *critical = unknown_critical(set, n);
    char issuer[256], shown[100];
    struct str list = STR_INIT(100);
    bool relevant = false, allowed = false;

    if (critical) {
        text_safe(shown, 40, critical->tag, strlen(critical->tag));
        snprintf(why, 160, "the critical property \"%s\" is unknown: every CA has to refuse", shown);
        return false;
    }
    for (size_t i = 0; i < n && !allowed; i++) {
        if (strcasecmp(set[i].tag, tag) != 0)
            continue;
        issuer_of(set[i].value, issuer);
        allowed = *issuer && names_one(issuer, ids);
        text_safe(shown, sizeof shown, issuer, strlen(issuer));
        str_fmt(&list, "%s\"%s\"", relevant ? ", " : "", shown);
        relevant = true;
    }
    if (!relevant)
        snprintf(why, 160, "no %s property: every CA is allowed", tag);
    else if (allowed)
        snprintf(why, 160, "%s \"%s\" allows it", tag, shown);
    else
        snprintf(why, 160, "%s allows only %s%s", tag, str_text(&list), list.cut ? "..." : "");
    str_free(&list);
    return allowed || !relevant;
}
