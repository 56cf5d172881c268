#include "ca/portal/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ca/portal/cookies.h"
#include "ca/portal/page.h"
#include "net/http.h"

enum { HOPS_MAX = 10, ADDRESS_SIZE = 4096 };

struct portal_session {
    struct http_client *client;
    const struct strs *origins;
    struct cookies cookies;
};

/* One visit under way: the request, and those that redirects make of it. */
struct journey {
    struct portal_session *session;
    struct visit *v;
    struct http http;
    struct strs headers;
    char *url;
    bool post, once;
    unsigned hops;
};

struct portal_session *portal_session_new(struct http_client *client, const struct strs *origins)
{
    struct portal_session *s = mem_new(sizeof *s);
    s->client = client;
    s->origins = origins;
    return s;
}

void portal_session_forget(struct portal_session *s)
{
    cookies_clear(&s->cookies);
}

void portal_session_free(struct portal_session *s)
{
    if (!s)
        return;
    cookies_clear(&s->cookies);
    free(s);
}

size_t url_bare(const char *url)
{
    return strcspn(url, ";?#");
}

bool origin_in(const struct strs *origins, const char *url, bool plain)
{
    char wanted[280], allowed[280];
    if (!http_origin(url, plain, wanted, sizeof wanted))
        return false;
    for (size_t i = 0; i < origins->n; i++)
        if (http_origin(origins->s[i], plain, allowed, sizeof allowed) && strcmp(wanted, allowed) == 0)
            return true;
    return false;
}

/* Octets of "https://host:port". */
static size_t origin_length(const char *url)
{
    const char *host = strstr(url, "://");
    return host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : 0;
}

/* --- one request ------------------------------------------------------------------------------------------------------------------------ */

static void headers_free(struct strs *headers)
{
    for (size_t i = 0; i < headers->n; i++)
        explicit_bzero(headers->s[i], strlen(headers->s[i]));
    strs_free(headers);
}

static void journey_free(struct journey *j)
{
    http_clear(&j->http);
    headers_free(&j->headers);
    free(j->url);
    free(j);
}

static void forget(struct op *op)
{
    struct visit *v = (struct visit *)op;
    journey_free(v->impl);
    v->impl = NULL;
}

static void settle(struct journey *j, const struct err *e)
{
    struct visit *v = j->v;
    v->impl = NULL;
    v->at = j->url;
    j->url = NULL;
    journey_free(j);
    op_settle(&v->op, e);
}

static void answered(struct op *op, const struct err *e);

/* As browsers do: in full to the origin that the page is of, of which others learn no more than the name. */
static void add_referer(struct journey *j)
{
    char here[280], there[280];
    struct str line = STR_INIT(ADDRESS_SIZE);
    if (!j->v->from || !http_origin(j->v->from, false, there, sizeof there) || !http_origin(j->url, false, here, sizeof here))
        return;
    bool home = strcmp(here, there) == 0;
    str_fmt(&line, "Referer: %.*s%s", (int)(home ? strcspn(j->v->from, "#") : origin_length(j->v->from)), j->v->from, home ? "" : "/");
    if (!line.cut)
        strs_add(&j->headers, str_text(&line));
    str_wipe(&line);
}

/* What a browser sends beside the request itself; sites look at Origin and Referer against forged requests. */
static void make_headers(struct journey *j)
{
    struct str cookies = STR_INIT(16384);
    char origin[280];
    headers_free(&j->headers);
    strs_add(&j->headers, j->v->raw ? "Accept: */*" : "Accept: text/html,application/xhtml+xml");
    if (cookies_line(&j->session->cookies, j->url, clock_now(), &cookies) && !cookies.cut)
        strs_add(&j->headers, str_text(&cookies));
    str_wipe(&cookies);
    add_referer(j);
    if (!j->post)
        return;
    struct str line = STR_INIT(ADDRESS_SIZE);
    if (j->v->from && http_origin(j->v->from, false, origin, sizeof origin)) {
        size_t n = strlen(origin); /* a browser leaves the standard port out */
        if (n > 4 && strcmp(origin + n - 4, ":443") == 0)
            origin[n - 4] = 0;
        str_fmt(&line, "Origin: %s", origin);
        strs_add(&j->headers, str_text(&line));
    }
    str_free(&line);
    str_fmt(&line, "Content-Type: %s", j->v->content_type);
    strs_add(&j->headers, str_text(&line));
    str_free(&line);
}

static void go(struct journey *j)
{
    struct err e = {0};
    if (!origin_in(j->session->origins, j->url, false)) {
        char safe[160];
        text_safe(safe, sizeof safe, j->url, url_bare(j->url));
        err_set(&e, RC_PAGES, "PORTAL_ORIGIN",
                "the portal leads to %s, which is none of the origins= of its description; nothing was sent there. If the CA really has "
                "moved, add the "
                "origin there",
                safe);
        settle(j, &e);
        return;
    }
    make_headers(j);
    http_clear(&j->http);
    j->http = (struct http){.op = {.done = answered, .owner = j},
                            .method = j->post ? "POST" : "GET",
                            .url = j->url,
                            .headers = &j->headers,
                            .body = j->post ? j->v->body : (struct bytes){0},
                            .max = PAGE_MAX,
                            .repeatable = !j->once};
    http_start(j->session->client, &j->http);
}

/* --- its answer ------------------------------------------------------------------------------------------------------------------------- */

/* true: the journey goes on (or ended there). */
static bool redirected(struct journey *j)
{
    struct http *h = &j->http;
    char location[ADDRESS_SIZE], to[ADDRESS_SIZE];
    struct err e = {0};
    bool moved = h->status == 301 || h->status == 302 || h->status == 303 || h->status == 307 || h->status == 308;
    if (!moved || !http_header(h, "Location", location, sizeof location))
        return false;
    if (j->post && (h->status == 307 || h->status == 308)) /* what was sent is not sent anywhere else */
        err_set(&e, RC_PAGES, "PORTAL_REDIRECT", "the portal wants a form sent again to another address, which is not done");
    else if (++j->hops > HOPS_MAX)
        err_set(&e, RC_PAGES, "PORTAL_REDIRECT", "the portal leads from one address to the next without end; followed %d", HOPS_MAX);
    else if (!http_join(j->url, location, to, sizeof to))
        err_set(&e, RC_PAGES, "PORTAL_REDIRECT", "the portal leads to an address that is none");
    if (e.rc != RC_OK) {
        settle(j, &e);
        return true;
    }
    free(j->url);
    j->url = mem_str(to);
    j->post = j->once = false;
    go(j);
    return true;
}

static void charset_of(const struct http *h, char out[40])
{
    char type[200];
    *out = 0;
    if (!http_header(h, "Content-Type", type, sizeof type))
        return;
    for (char *p = strchr(type, ';'); p; p = strchr(p, ';')) {
        p += 1 + strspn(p + 1, " \t");
        if (strncasecmp(p, "charset=", 8) != 0)
            continue;
        p += 8 + (p[8] == '"');
        snprintf(out, 40, "%.*s", (int)strcspn(p, "\"; \t"), p);
        return;
    }
}

static void answered(struct op *op, const struct err *e)
{
    struct journey *j = op->owner;
    struct visit *v = j->v;
    struct err fault = {0};
    v->sent |= j->once && j->http.sent;
    if (e) {
        settle(j, e);
        return;
    }
    if (j->http.head.p)
        cookies_read(&j->session->cookies, j->url, j->http.head.p, j->http.head.n, clock_now());
    if (redirected(j))
        return;
    v->status = j->http.status;
    v->not_before = http_retry_after(&j->http, clock_now());
    charset_of(&j->http, v->charset);
    if (!v->raw)
        page_parse(&v->page, j->http.in.p ? j->http.in.p : "", j->http.in.n, v->charset, j->url, &fault);
    v->file = j->http.in;
    j->http.in = STR_INIT(PAGE_MAX);
    settle(j, &fault);
}

void portal_visit(struct portal_session *s, struct visit *v)
{
    struct journey *j = mem_new(sizeof *j);
    j->session = s;
    j->v = v;
    j->url = mem_str(v->url);
    j->post = v->post;
    j->once = v->post || v->once;
    v->impl = j;
    v->sent = false;
    v->status = 0;
    op_start(&v->op, forget);
    go(j);
}

void visit_clear(struct visit *v)
{
    op_cancel(&v->op);
    page_free(v->page);
    v->page = NULL;
    free(v->at);
    v->at = NULL;
    str_wipe(&v->file);
}
