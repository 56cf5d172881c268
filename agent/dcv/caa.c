/* caa.c: what a CAA set says of a CA: RFC 8659, with the parameters of RFC 8657. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/names.h"
#include "dcv/preflight.h"

struct property {                    /* the value of an issue or issuewild property, taken apart */
    char issuer[256];                /* "" allows nobody */
    char account[256], methods[256]; /* "" not given */
    bool malformed;
};

static bool known_tag(const char *tag)
{
    static const char *const tags[] = {"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"};

    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (strcasecmp(tag, tags[i]) == 0)
            return true;
    return false;
}

/* What stands before the next `end`, blanks around dropped; returns what comes after it, NULL: nothing. */
static const char *cut_word(const char *from, char end, char out[256])
{
    size_t n = strcspn(from, (char[]){end, '\0'});
    const char *rest = from[n] ? from + n + 1 : NULL;

    while (n && (*from == ' ' || *from == '\t'))
        from++, n--;
    while (n && (from[n - 1] == ' ' || from[n - 1] == '\t'))
        n--;
    snprintf(out, 256, "%.*s", (int)(n < 255 ? n : 255), from);
    return rest;
}

static struct property property_of(const char *value)
{
    struct property p = {0};
    char part[256], tag[256];

    for (value = cut_word(value, ';', p.issuer); value;) {
        const char *is;

        value = cut_word(value, ';', part);
        if (!*part)
            continue;
        is = cut_word(part, '=', tag);
        if (!is || !*tag)
            p.malformed = true;
        else if (strcasecmp(tag, "accounturi") == 0)
            cut_word(is, '\n', p.account);
        else if (strcasecmp(tag, "validationmethods") == 0)
            cut_word(is, '\n', p.methods);
    }
    return p;
}

static bool names_one(const char *issuer, const struct strs *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        if (name_same(issuer, ids->s[i]))
            return true;
    return false;
}

static bool lists(const char *methods, const char *one)
{
    char word[256];

    while (methods) {
        methods = cut_word(methods, ',', word);
        if (strcmp(word, one) == 0)
            return true;
    }
    return false;
}

/* why: filled in for CAA_BOUND, and where a parameter is what forbids. */
static enum caa_says one_says(const struct property *p, const struct caa_ca *ca, char why[200])
{
    char shown[120];

    if (!*p->issuer || !names_one(p->issuer, ca->ids))
        return CAA_NO;
    text_safe(shown, sizeof shown, *p->account ? p->account : p->methods, strlen(*p->account ? p->account : p->methods));
    if (!ca->method && (*p->account || *p->methods)) {
        snprintf(why, 200, "it is bound to %s=%s, and whether this CA heeds that is not known",
                 *p->account ? "accounturi" : "validationmethods", shown);
        return CAA_BOUND;
    }
    if (*p->methods && !lists(p->methods, ca->method)) {
        text_safe(shown, sizeof shown, p->methods, strlen(p->methods));
        snprintf(why, 200, "validationmethods=%s leaves out %.30s", shown, ca->method);
        return CAA_NO;
    }
    if (*p->account && !ca->account) {
        snprintf(why, 200, "it is bound to the account %s, and ours is not known yet", shown);
        return CAA_BOUND;
    }
    if (*p->account && strcmp(p->account, ca->account) != 0) {
        snprintf(why, 200, "accounturi=%s is not our account", shown);
        return CAA_NO;
    }
    return p->malformed ? CAA_NO : CAA_YES;
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

enum caa_says caa_judge(const struct caa_rr *set, size_t n, const struct caa_ca *ca, bool wildcard, char why[200])
{
    const char *tag = relevant_tag(set, n, wildcard);
    const struct caa_rr *critical = unknown_critical(set, n);
    struct str list = STR_INIT(100);
    char shown[100], parameter[200] = "", said[200];
    bool relevant = false;
    enum caa_says best = CAA_NO;

    if (critical) {
        text_safe(shown, 40, critical->tag, strlen(critical->tag));
        snprintf(why, 200, "the critical property \"%s\" is unknown: every CA has to refuse", shown);
        return CAA_NO;
    }
    for (size_t i = 0; i < n && best != CAA_YES; i++) {
        struct property p;
        enum caa_says says;

        if (strcasecmp(set[i].tag, tag) != 0)
            continue;
        p = property_of(set[i].value);
        *said = '\0';
        says = one_says(&p, ca, said);
        text_safe(shown, sizeof shown, p.issuer, strlen(p.issuer));
        str_fmt(&list, "%s\"%s\"", relevant ? ", " : "", shown);
        relevant = true;
        if (*said && best == CAA_NO)
            memcpy(parameter, said, sizeof parameter);
        best = says == CAA_NO ? best : says;
    }
    if (!relevant)
        snprintf(why, 200, "no %s property: every CA is allowed", tag);
    else if (best == CAA_YES)
        snprintf(why, 200, "%s \"%s\" allows it", tag, shown);
    else if (*parameter)
        snprintf(why, 200, "%s names this CA, but %.170s", tag, parameter);
    else
        snprintf(why, 200, "%s allows only %s%s", tag, str_text(&list), list.cut ? "..." : "");
    str_free(&list);
    return relevant ? best : CAA_YES;
}
