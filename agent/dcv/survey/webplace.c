#include "dcv/survey/webplace.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

enum { SHOWN = 3 };

/* The addresses with this verdict, some of them by name, and one of them. */
static const struct web_view *those(const struct web_view *v, size_t n, enum web_verdict verdict, char *addresses, size_t size)
{
    const struct web_view *one = NULL;
    struct str text = STR_INIT(200);
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (v[i].verdict != verdict)
            continue;
        if (count++ < SHOWN)
            str_fmt(&text, "%s%s", one ? ", " : "", v[i].addr);
        one = &v[i];
    }
    if (count > SHOWN)
        str_fmt(&text, " and %zu more", count - SHOWN);
    snprintf(addresses, size, "%s", str_text(&text));
    str_free(&text);
    return one;
}

static bool any_answers(const struct web_view *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].verdict != WEB_UNREACHABLE && v[i].verdict != WEB_NOT_ASKED)
            return true;
    return false;
}

static void judge_answers(const char *host, const struct web_view *v, size_t n, struct findings *out)
{
    char at[180];
    const struct web_view *one;
    struct finding *f;
    if ((one = those(v, n, WEB_ABSENT, at, sizeof at)))
        finding_cause(finding_add(out, "WEBSITE_ANSWERS", SEV_OK, host), "%s: a web server answers (%s), and nothing stands there", at,
                      strncmp(one->url, "https:", 6) == 0 ? "https" : "http");
    if (those(v, n, WEB_MATCH, at, sizeof at) || (one = those(v, n, WEB_OTHER, at, sizeof at))) {
        f = finding_add(out, "WEBSITE_ANSWERS_ALL", SEV_INFO, host);
        finding_cause(f, "%s: the web server has a page for files that are not there, so a missing file does not show as such", at);
        finding_remedy(f, "see that files in /.well-known/pki-validation/ are served as they are");
    }
    if ((one = those(v, n, WEB_REFUSED, at, sizeof at))) {
        f = finding_add(out, "WEBSITE_REFUSES", SEV_WARNING, host);
        finding_cause(f, "%s: HTTP status %ld for a file in /.well-known/pki-validation/", at, one->status);
        finding_remedy(f, "let everybody read files below /.well-known/pki-validation/, without login, geography or robot checks");
    }
    if ((one = those(v, n, WEB_ASTRAY, at, sizeof at))) {
        f = finding_add(out, "WEBSITE_ASTRAY", SEV_ERROR, host);
        finding_cause(f, "%s: redirects that a CA does not follow to an end: %.120s", at, one->why);
        finding_remedy(f, "take /.well-known/pki-validation/ out of the redirect, or redirect it to http or https on ports 80 and 443");
    }
}

static void judge_silence(const char *host, const struct web_view *v, size_t n, struct findings *out)
{
    char at[180];
    const struct web_view *one;
    struct finding *f;
    bool others = any_answers(v, n);
    if ((one = those(v, n, WEB_UNREACHABLE, at, sizeof at))) {
        f = finding_add(out, "WEBSITE_UNREACHABLE", others ? SEV_WARNING : SEV_ERROR, host);
        finding_cause(f, "%s: no answer by http or https: %.140s", at, one->why);
        finding_remedy(f, others ? "start the web server there, or take the address out of DNS: a CA may try that one alone"
                                 : "start the web server, open ports 80 and 443 to the internet, or prove the name by method = dns");
    }
    if ((one = those(v, n, WEB_NOT_ASKED, at, sizeof at))) {
        f = finding_add(out, "WEBSITE_UNREACHABLE", others ? SEV_INFO : SEV_WARNING, host);
        finding_cause(f, "%s: not asked, there is no route to it from here; a CA may have one", at);
        finding_remedy(f, "see from elsewhere that it serves the same files");
    }
}

void webplace_judge(const char *host, const struct web_view *views, size_t n, struct findings *out)
{
    judge_answers(host, views, n, out);
    judge_silence(host, views, n, out);
}
